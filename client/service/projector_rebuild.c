/* A rebuild follows all events from the first on, as a consumer of its own, and
 * makes a model beside the one in use. It never goes beyond where that one is.
 * When it has come so far, the one in use is held still by a transaction; the
 * little that it has got meanwhile is handled; then the two are equal up to the
 * same event, and the new one takes the place of the old, whose projector goes
 * on as if nothing had been.
 */

#include <acta/acta_poll.h>
#include <inttypes.h>
#include <stdio.h>

#include "projector.h"

/* News that are handled bit by bit, since there are limits on the way. */
struct feed {
    const struct acta_news *news; /* NULL: there are none. */
    size_t taken;                 /* Of its events. */
};

/* How many of the events that are left are not beyond @limit. */
static size_t
count_up_to(const struct feed *feed, uint64_t limit)
{
    size_t end = feed->taken;

    while (end < feed->news->events_count &&
           feed->news->events[end]->position <= limit) {
        end++;
    }
    return end - feed->taken;
}

static void
estimate(struct acta_projector *projector, uint64_t goal)
{
    uint64_t passed_ms = acta_poll_now_ms() - projector->started_ms;
    uint64_t left = goal - projector->position;

    projector->goal = goal;
    projector->note_is_due = true;
    projector->status.left_ms =
        projector->position == 0 ? 0
                                 : (uint64_t)((double)passed_ms * (double)left /
                                              (double)projector->position);
}

/* Handle what is left of the news, up to @limit. */
static enum acta_code
handle_feed(struct acta_projector *projector, struct feed *feed, uint64_t limit,
            struct acta_err *err)
{
    size_t count = count_up_to(feed, limit);
    bool is_all = feed->taken + count == feed->news->events_count;
    uint64_t position =
        is_all && feed->news->position < limit ? feed->news->position : limit;
    const struct acta_event *const *events =
        count == 0 ? NULL : feed->news->events + feed->taken;
    enum acta_code code =
        projector_handle(projector, events, count, position, err);

    feed->taken += count;
    if (is_all && feed->news->position <= limit) {
        feed->news = NULL;
    }
    return code;
}

static enum acta_code
go_to(struct acta_projector *projector, struct feed *feed, uint64_t limit,
      struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && projector->position < limit) {
        if (feed->news == NULL) {
            code = projector_next(projector, &feed->news, err);
            feed->taken = 0;
        }
        if (code == ACTA_OK) {
            code = handle_feed(projector, feed, limit, err);
        }
        if (code == ACTA_OK) {
            estimate(projector, limit);
        }
    }
    return code;
}

/* Where the model in use is. */
static enum acta_code
load_live(struct acta_projector *projector, uint64_t *position,
          struct acta_err *err)
{
    const struct acta_keeper *live = &projector->projection->keeper;

    return live->load(live->user, projector->projection->name, position, err);
}

/* While the model in use is held still, catch up with it and take over. */
static enum acta_code
take_over(struct acta_projector *projector, struct feed *feed,
          struct acta_err *err)
{
    const struct acta_keeper *live = &projector->projection->keeper;
    uint64_t position;
    enum acta_code code =
        live->begin(live->user, projector->projection->name, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = load_live(projector, &position, err);
    if (code == ACTA_OK && position < projector->position) {
        code = acta_fail(err, ACTA_CONFLICT,
                         "the model in use was set back while it was rebuilt");
    }
    if (code == ACTA_OK) {
        code = go_to(projector, feed, position, err);
    }
    if (code == ACTA_OK) {
        code = live->take_over(live->user, &projector->keeper, err);
    }
    if (code != ACTA_OK) {
        live->rollback(live->user);
        return code;
    }
    return live->commit(live->user, err);
}

/* Come near to where the model in use is, which moves, then take over. */
static enum acta_code
catch_up(struct acta_projector *projector, struct acta_err *err)
{
    struct feed feed = {0};
    uint64_t limit = 0;
    enum acta_code code;

    do {
        code = load_live(projector, &limit, err);
        if (code == ACTA_OK) {
            estimate(projector,
                     limit > projector->position ? limit : projector->position);
            code = projector_note(projector, err);
        }
        if (code == ACTA_OK && projector->position < limit) {
            code = go_to(projector, &feed, limit, err);
            continue;
        }
        return code == ACTA_OK ? take_over(projector, &feed, err) : code;
    } while (code == ACTA_OK);
    return code;
}

static enum acta_code
delete_consumer(struct acta_projector *projector, struct acta_err *err)
{
    enum acta_code code;

    do {
        code = acta_sync_delete_consumer(projector->sync, projector->consumer,
                                         NULL, err);
    } while (projector_can_go_on(projector, &code, err));
    return code;
}

/* Rebuild beside the model in use, which is open as projector->keeper. */
static enum acta_code
rebuild(struct acta_projector *projector, struct acta_err *err)
{
    struct acta_err why;
    enum acta_code code = delete_consumer(projector, err);

    if (code == ACTA_OK) {
        code = projector_follow(projector, projector->options.position, err);
    }
    if (code == ACTA_OK) {
        projector->position = acta_follower_position(projector->follower);
        code = catch_up(projector, err);
    }
    projector_stopped(projector, code, err);
    if (code == ACTA_OK) {
        /* It is done: a consumer that is left over is deleted by the next. */
        (void)delete_consumer(projector, &why);
    }
    projector_unfollow(projector);
    return code;
}

/* From the first event on, as another consumer. */
static void
begin(struct acta_projector *projector)
{
    snprintf(projector->consumer, sizeof(projector->consumer), "%s.rebuild",
             projector->projection->name);
    projector->is_interrupted = false;
    projector->is_blamed = false;
    projector->is_in_doubt = false;
    projector->tried.position = 0;
    projector->position = 0;
    projector->saved = 0;
    projector->replay_until = UINT64_MAX;
    projector->started_ms = acta_poll_now_ms();
    projector->status.state = ACTA_PROJECTOR_REBUILDING;
}

enum acta_code
acta_projector_rebuild(struct acta_projector *projector, struct acta_err *err)
{
    const struct acta_projection *projection = projector->projection;
    const struct acta_keeper *live = &projection->keeper;
    struct acta_err why;
    enum acta_code code;

    if (!projection->has_keeper || live->open_beside == NULL ||
        live->take_over == NULL || live->close_beside == NULL) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "%s has no model that can be made anew beside the one "
                         "in use",
                         projection->name);
    }
    projector->keeper = acta_keeper_of(NULL);
    code = live->open_beside(live->user, projection->name, &projector->keeper,
                             &why);
    if (code == ACTA_OK) {
        begin(projector);
        code = rebuild(projector, &why);
        live->close_beside(live->user, &projector->keeper);
    }
    projector->keeper = projection->keeper;
    projector->goal = 0;
    projector->status.left_ms = 0;
    return code == ACTA_OK ? ACTA_OK : acta_fail(err, code, "%s", why.text);
}
