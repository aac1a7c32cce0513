/* A projector that runs alone: it stands by for the lease, if there is one,
 * claims its consumer, and handles what comes behind its checkpoint.
 *
 * A model that keeps the checkpoint may be ahead of the consumer on the server,
 * when it ended between the two; then it passes over what it has. It may be
 * behind, as an older copy is: then the consumer is set back to where the model
 * is, and what lies between is replayed. Up to where is kept in the note,
 * before it is set back, so that it is known also if that is interrupted.
 */

#include <acta/acta_poll.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../client.h"
#include "../given.h"
#include "../sync.h"
#include "projector.h"

/* ---- making one ---- */

static enum acta_code
take_options(struct acta_projector *projector,
             const struct acta_projector_options *options, struct acta_err *err)
{
    struct acta_projector_options *ours = &projector->options;

    if (options == NULL) {
        *ours = acta_projector_options_of();
    } else if (!given_copy(ours, sizeof(*ours), options)) {
        return acta_fail(err, ACTA_INVALID,
                         "options are not of acta_projector_options_of()");
    }
    if (ours->batch_max == 0 || ours->attempts_max == 0) {
        return acta_fail(err, ACTA_INVALID,
                         "batch_max and attempts_max are at least 1");
    }
    if (ours->is_group && ours->lease_ms > 0) {
        return acta_fail(err, ACTA_INVALID, "members of a group need no lease");
    }
    if (ours->key_tag != NULL) {
        projector->key_tag = strdup(ours->key_tag);
        ours->key_tag = projector->key_tag;
        return projector->key_tag == NULL
                   ? acta_fail(err, ACTA_MEMORY, "projector")
                   : ACTA_OK;
    }
    return ACTA_OK;
}

static enum acta_code
prepare(struct acta_projector *projector,
        const struct acta_projector_options *options, struct acta_err *err)
{
    const struct acta_projection *projection = projector->projection;
    struct acta_err why = {ACTA_OK, ""};
    enum acta_code code = take_options(projector, options, err);

    if (code != ACTA_OK) {
        return code;
    }
    projector->query = projection->query;
    if (projector->query == NULL) {
        code = projection_query_new(projection, &projector->query_made, err);
        projector->query = projector->query_made;
    }
    if (code != ACTA_OK) {
        return code;
    }
    snprintf(projector->lease_name, sizeof(projector->lease_name),
             "projection.%s", projection->name);
    projector->keeper = projection->keeper;
    projector->upcast = acta_upcast_new();
    projector->append = acta_append_new();
    projector->interrupt_fd = interrupt_open(&why);
    if (projector->upcast == NULL || projector->append == NULL) {
        return acta_fail(err, ACTA_MEMORY, "projector");
    }
    return why.code == ACTA_OK ? ACTA_OK
                               : acta_fail(err, why.code, "%s", why.text);
}

enum acta_code
acta_projector_new(struct acta_projector **projector,
                   const struct acta_projection *projection,
                   struct acta_sync *sync,
                   const struct acta_projector_options *options,
                   struct acta_err *err)
{
    struct acta_projector *made;
    enum acta_code code;

    *projector = NULL;
    code = acta_projection_check(projection, err);
    if (code != ACTA_OK) {
        return code;
    }
    made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "projector");
    }
    made->projection = projection;
    made->sync = sync;
    made->interrupt_fd = -1;
    made->handle = projector_handle;
    made->status.error_stream = made->error_stream;
    made->status.error_text = made->error_text;
    code = prepare(made, options, err);
    if (code != ACTA_OK) {
        acta_projector_free(made);
        return code;
    }
    *projector = made;
    return ACTA_OK;
}

void
acta_projector_free(struct acta_projector *projector)
{
    if (projector == NULL) {
        return;
    }
    interrupt_close(projector->interrupt_fd);
    acta_append_free(projector->append);
    acta_upcast_free(projector->upcast);
    acta_query_free(projector->query_made);
    free(projector->key_tag);
    free(projector);
}

void
acta_projector_interrupt(struct acta_projector *projector)
{
    interrupt_signal(projector->interrupt_fd);
}

const struct acta_projector_status *
acta_projector_status(struct acta_projector *projector)
{
    projector->status.position = projector->position;
    return &projector->status;
}

/* ---- waiting ---- */

enum acta_code
projector_turn(struct acta_projector *projector, int timeout_ms,
               struct acta_err *err)
{
    if (sync_turn(projector->sync, projector->interrupt_fd, timeout_ms)) {
        projector->is_interrupted = true;
    }
    if (projector->is_interrupted) {
        return acta_fail(err, ACTA_CANCELLED, "projector was interrupted");
    }
    if (projector->lease_is_held &&
        (projector->lease == NULL || !acta_lease_is_held(projector->lease))) {
        return acta_fail(err, ACTA_FENCED, "lease %s is lost",
                         projector->lease_name);
    }
    return ACTA_OK;
}

bool
projector_can_go_on(struct acta_projector *projector, enum acta_code *code,
                    struct acta_err *err)
{
    enum acta_code turned;

    if (*code != ACTA_TIMEOUT && *code != ACTA_UNKNOWN &&
        *code != ACTA_UNREACHABLE) {
        return false;
    }
    turned = projector_turn(projector, 0, err);
    if (turned != ACTA_OK) {
        *code = turned;
    }
    return turned == ACTA_OK;
}

/* ---- following ---- */

enum acta_code
projector_follow(struct acta_projector *projector, uint64_t position,
                 struct acta_err *err)
{
    enum acta_code code;

    do {
        code = acta_follower_claim(&projector->follower, projector->sync,
                                   projector->consumer, projector->query,
                                   position, err);
    } while (projector_can_go_on(projector, &code, err));
    if (code == ACTA_OK) {
        projector->epoch = acta_follower_epoch(projector->follower);
        follower_merge(projector->follower);
    }
    return code;
}

void
projector_unfollow(struct acta_projector *projector)
{
    acta_follower_close(projector->follower);
    projector->follower = NULL;
    projector->epoch = 0;
}

enum acta_code
projector_checkpoint(struct acta_projector *projector, uint64_t position,
                     struct acta_err *err)
{
    enum acta_code code;

    do {
        code = acta_follower_checkpoint(projector->follower, position, err);
    } while (projector_can_go_on(projector, &code, err));
    return code;
}

/* Until the next note, if one is due. */
static int
time_to_wait(const struct acta_projector *projector)
{
    uint64_t passed_ms = acta_poll_now_ms() - projector->noted_ms;
    uint64_t note_ms = projector->options.note_ms;

    if (!projector->note_is_due || note_ms > INT32_MAX) {
        return -1;
    }
    return passed_ms < note_ms ? (int)(note_ms - passed_ms) : 0;
}

enum acta_code
projector_next(struct acta_projector *projector, const struct acta_news **news,
               struct acta_err *err)
{
    enum acta_code code;

    /* News may come in while a note is made: so they are looked for between
     * that and sleeping.
     */
    do {
        code = projector_note_if_due(projector, err);
        if (code != ACTA_OK) {
            return code;
        }
        code = acta_follower_next(projector->follower, 0, news, err);
        if (code == ACTA_OK) {
            projector->status.head = (*news)->head;
        }
        if (code != ACTA_TIMEOUT) {
            return code;
        }
        code = projector_turn(projector, time_to_wait(projector), err);
    } while (code == ACTA_OK);
    return code;
}

/* ---- where to begin ---- */

/* Set the consumer back to where the model is, and replay up to where it was.
 */
static enum acta_code
set_back(struct acta_projector *projector, uint64_t reached,
         struct acta_err *err)
{
    enum acta_code code;

    if (projector->replay_until < reached) {
        projector->replay_until = reached;
    }
    code = projector_note(projector, err);
    if (code != ACTA_OK) {
        return code;
    }
    do {
        code = acta_sync_reset_consumer(projector->sync, projector->consumer,
                                        projector->position, NULL, err);
    } while (projector_can_go_on(projector, &code, err));
    return code;
}

/* What an earlier run has left to be replayed. */
static enum acta_code
look_for_replay(struct acta_projector *projector, struct acta_err *err)
{
    const struct acta_consumer_description *description;
    enum acta_code code;

    projector->replay_until = 0;
    do {
        code = acta_sync_describe_consumer(projector->sync, projector->consumer,
                                           &description, err);
    } while (projector_can_go_on(projector, &code, err));
    if (code == ACTA_NOT_FOUND) {
        return ACTA_OK;
    }
    if (code == ACTA_OK) {
        projector->replay_until =
            projector_noted_replay(description->consumer->note);
    }
    return code;
}

/* The model says where it is, and the consumer is brought there. */
static enum acta_code
follow_model(struct acta_projector *projector, struct acta_err *err)
{
    const struct acta_keeper *keeper = &projector->keeper;
    const struct acta_consumer_changed *claimed;
    uint64_t begin = projector->options.position;
    enum acta_code code = keeper->load(
        keeper->user, projector->projection->name, &projector->saved, err);

    if (code != ACTA_OK) {
        return code;
    }
    projector->is_in_doubt = false;
    projector->position = projector->saved > begin ? projector->saved : begin;
    code = look_for_replay(projector, err);
    if (code != ACTA_OK) {
        return code;
    }
    do {
        code = acta_sync_claim(projector->sync, projector->consumer,
                               projector->query, projector->position, &claimed,
                               err);
    } while (projector_can_go_on(projector, &code, err));
    if (code != ACTA_OK) {
        return code;
    }
    projector->epoch = claimed->epoch;
    if (claimed->position > projector->position) {
        code = set_back(projector, claimed->position, err);
    }
    if (code == ACTA_OK) {
        code = projector_follow(projector, projector->position, err);
    }
    if (code == ACTA_OK && projector->saved > 0) {
        code = projector_checkpoint(projector, projector->saved, err);
    }
    return code;
}

static enum acta_code
follow(struct acta_projector *projector, struct acta_err *err)
{
    enum acta_code code;

    if (projector->projection->has_keeper) {
        return follow_model(projector, err);
    }
    projector->replay_until = 0;
    code = projector_follow(projector, projector->options.position, err);
    if (code == ACTA_OK) {
        projector->position = acta_follower_position(projector->follower);
    }
    return code;
}

/* ---- running ---- */

static enum acta_code
handle_news(struct acta_projector *projector, struct acta_err *err)
{
    const struct acta_news *news;
    enum acta_code code;

    do {
        code = projector_next(projector, &news, err);
        if (code == ACTA_OK) {
            code = projector->handle(projector, news->events,
                                     news->events_count, news->position, err);
        }
    } while (code == ACTA_OK && !(projector->options.is_once && news->live));
    return code;
}

void
projector_stopped(struct acta_projector *projector, enum acta_code code,
                  const struct acta_err *err)
{
    struct acta_err why;

    projector->status.state = ACTA_PROJECTOR_STOPPED;
    if (code != ACTA_OK && !projector->is_interrupted &&
        !projector->is_blamed) {
        projector_blame(projector, NULL, err->text);
    }
    if (code != ACTA_FENCED) {
        (void)projector_note(projector, &why); /* It is over anyway. */
    }
}

/* Run as the one that is active. */
static enum acta_code
run_active(struct acta_projector *projector, struct acta_err *err)
{
    enum acta_code code;

    projector->is_blamed = false;
    code = follow(projector, err);
    projector->status.state = ACTA_PROJECTOR_RUNNING;
    if (code == ACTA_OK) {
        code = projector_note(projector, err);
    }
    if (code == ACTA_OK) {
        code = handle_news(projector, err);
    }
    projector_stopped(projector, code, err);
    projector_unfollow(projector);
    return code;
}

/* ---- standing by ---- */

static void
on_held(void *user, uint64_t fence)
{
    struct acta_projector *projector = user;

    (void)fence;
    projector->lease_is_held = true;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct acta_projector *projector = user;

    projector->lease = NULL;
    projector->lease_err = *err;
}

static enum acta_code
stand_by(struct acta_projector *projector, struct acta_err *err)
{
    struct acta_acquire acquire =
        acta_acquire_of(projector->lease_name, projector->options.lease_ms);
    enum acta_code code = ACTA_OK;

    acquire.wait_ms = ACTA_WAIT_FOR_EVER;
    acquire.user = projector;
    acquire.on_held = on_held;
    acquire.on_ended = on_ended;
    projector->status.state = ACTA_PROJECTOR_STANDBY;
    projector->lease_is_held = false;
    projector->lease =
        acta_lease_acquire(projector->sync->client, &acquire, err);
    if (projector->lease == NULL) {
        return err->code;
    }
    acta_flush(projector->sync->client);
    while (code == ACTA_OK && !projector->lease_is_held) {
        if (projector->lease == NULL) {
            return acta_fail(err, projector->lease_err.code, "%s",
                             projector->lease_err.text);
        }
        code = projector_turn(projector, -1, err);
    }
    return code;
}

static void
release(struct acta_projector *projector)
{
    acta_lease_release(projector->lease);
    projector->lease = NULL;
    projector->lease_is_held = false;
    acta_flush(projector->sync->client);
}

/* Who loses the lease stands by for it again. */
static enum acta_code
run_leased(struct acta_projector *projector, struct acta_err *err)
{
    enum acta_code code;

    do {
        code = stand_by(projector, err);
        if (code == ACTA_OK) {
            code = run_active(projector, err);
        }
        release(projector);
    } while (code == ACTA_FENCED);
    projector->status.state = ACTA_PROJECTOR_STOPPED;
    return code;
}

enum acta_code
acta_projector_run(struct acta_projector *projector, struct acta_err *err)
{
    struct acta_err why = {ACTA_OK, ""};
    enum acta_code code;

    projector->is_interrupted = false;
    projector->tried.position = 0;
    snprintf(projector->consumer, sizeof(projector->consumer), "%s",
             projector->projection->name);
    if (projector->options.is_group) {
        code = projector_run_group(projector, &why);
    } else if (projector->options.lease_ms > 0) {
        code = run_leased(projector, &why);
    } else {
        code = run_active(projector, &why);
    }
    if (code == ACTA_OK || projector->is_interrupted) {
        return ACTA_OK;
    }
    return acta_fail(err, code, "%s", why.text);
}
