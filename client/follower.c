/* A follower is a subscription that is paused whenever it has news, until they
 * have been taken.
 */

#include <stdlib.h>

#include "client.h"
#include "sub.h"
#include "sync.h"

struct acta_follower {
    struct acta_follower *prev, *next;
    struct acta_sync *sync;
    struct acta_sub *sub; /* NULL: it is over. */
    struct answer answer; /* owned: what news points to */
    struct acta_news news;
    bool has_news;       /* Which may have come in while others were waiting. */
    bool handed_out;     /* The news, to the caller. */
    uint64_t position;   /* All up to here has been handed out. */
    struct acta_err err; /* Why it is over. */
    int interrupt_fd;    /* Can be read after an interruption. */
    uint64_t epoch;      /* Of its consumer; 0: it has none. */
    uint64_t checkpoint; /* Is stored. */
};

static void
tell(struct acta_follower *follower)
{
    follower->has_news = true;
    acta_pause(follower->sub);
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct acta_follower *follower = user;

    follower->news.events = batch->events;
    follower->news.events_count = batch->events_count;
    follower->news.position = batch->position;
    follower->news.head = batch->head;
    tell(follower);
}

static void
on_moved(void *user, uint64_t position, uint64_t head)
{
    struct acta_follower *follower = user;

    follower->news.position = position;
    follower->news.head = head;
    tell(follower);
}

/* Live or not: it is no news if both that and the position are known, as they
 * are after a connection was lost for a moment.
 */
static void
set_live(struct acta_follower *follower, bool live, uint64_t position)
{
    if (follower->news.live == live && follower->news.position == position) {
        return;
    }
    follower->news.live = live;
    follower->news.position = position;
    if (live && follower->news.head < position) {
        follower->news.head = position;
    }
    tell(follower);
}

static void
on_caught_up(void *user, uint64_t position)
{
    set_live(user, true, position);
}

static void
on_fell_behind(void *user, uint64_t position)
{
    set_live(user, false, position);
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct acta_follower *follower = user;

    (void)position;
    follower->sub = NULL;
    follower->err = *err;
}

static void
on_claimed(void *user, uint64_t position, uint64_t epoch)
{
    struct acta_follower *follower = user;

    follower->news.position = position;
    follower->position = position;
    follower->checkpoint = position;
    follower->epoch = epoch;
}

static void
on_checkpoint(void *user, uint64_t position)
{
    struct acta_follower *follower = user;

    follower->checkpoint = position;
}

static enum acta_code
subscribe(struct acta_follower *follower, const char *consumer,
          const struct acta_query *query, uint64_t after, struct acta_err *err)
{
    struct acta_follow follow = acta_follow_of(query, after);

    follow.user = follower;
    follow.on_events = on_events;
    follow.on_moved = on_moved;
    follow.on_caught_up = on_caught_up;
    follow.on_fell_behind = on_fell_behind;
    follow.on_ended = on_ended;
    follow.consumer = consumer;
    follow.on_claimed = on_claimed;
    follow.on_checkpoint = on_checkpoint;
    sync_keep_in(follower->sync, &follower->answer);
    follower->sub = acta_subscribe(follower->sync->client, &follow, err);
    acta_flush(follower->sync->client);
    return follower->sub == NULL ? err->code : ACTA_OK;
}

/* Why it is over. */
static enum acta_code
fail_over(const struct acta_follower *follower, struct acta_err *err)
{
    return acta_fail(err, follower->err.code, "%s", follower->err.text);
}

static enum acta_code
wait_for_claim(struct acta_follower *follower, struct acta_err *err)
{
    uint64_t timeout_ms = follower->sync->client->options.given.timeout_ms;
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;

    while (follower->epoch == 0) {
        if (follower->sub == NULL) {
            return fail_over(follower, err);
        }
        if (!sync_turn_until(follower->sync, end_ms)) {
            return acta_fail(err, ACTA_TIMEOUT, "claiming took over %ju ms",
                             (uintmax_t)timeout_ms);
        }
    }
    return ACTA_OK;
}

static enum acta_code
follower_open(struct acta_follower **follower, struct acta_sync *sync,
              const char *consumer, const struct acta_query *query,
              uint64_t after, struct acta_err *err)
{
    struct acta_follower *made = calloc(1, sizeof(*made));
    struct acta_err why = {ACTA_OK, ""};

    *follower = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "follower");
    }
    made->sync = sync;
    made->answer.keeps = true;
    made->news.position = after;
    made->position = after;
    made->next = sync->followers;
    if (made->next != NULL) {
        made->next->prev = made;
    }
    sync->followers = made;
    made->interrupt_fd = interrupt_open(&why);
    if (why.code != ACTA_OK ||
        subscribe(made, consumer, query, after, &why) != ACTA_OK ||
        (consumer != NULL && wait_for_claim(made, &why) != ACTA_OK)) {
        follower_free(made);
        return acta_fail(err, why.code, "%s", why.text);
    }
    *follower = made;
    return ACTA_OK;
}

enum acta_code
acta_follower_open(struct acta_follower **follower, struct acta_sync *sync,
                   const struct acta_query *query, uint64_t after,
                   struct acta_err *err)
{
    return follower_open(follower, sync, NULL, query, after, err);
}

enum acta_code
acta_follower_claim(struct acta_follower **follower, struct acta_sync *sync,
                    const char *consumer, const struct acta_query *query,
                    uint64_t position, struct acta_err *err)
{
    return follower_open(follower, sync, consumer == NULL ? "" : consumer,
                         query, position, err);
}

enum acta_code
acta_follower_checkpoint(struct acta_follower *follower, uint64_t position,
                         struct acta_err *err)
{
    uint64_t timeout_ms = follower->sync->client->options.given.timeout_ms;
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;

    if (follower->sub != NULL && follower->epoch == 0) {
        return acta_fail(err, ACTA_INVALID, "follower has no consumer");
    }
    if (follower->sub != NULL) {
        acta_checkpoint(follower->sub, position);
        acta_flush(follower->sync->client);
    }
    while (follower->checkpoint < position) {
        if (follower->sub == NULL) {
            return fail_over(follower, err);
        }
        if (!sync_turn_until(follower->sync, end_ms)) {
            return acta_fail(err, ACTA_UNKNOWN,
                             "moving the checkpoint took over %ju ms",
                             (uintmax_t)timeout_ms);
        }
    }
    return ACTA_OK;
}

uint64_t
acta_follower_epoch(const struct acta_follower *follower)
{
    return follower->epoch;
}

uint64_t
acta_follower_position(const struct acta_follower *follower)
{
    return follower->position;
}

/* What was handed out is done with. */
static void
take_back(struct acta_follower *follower)
{
    if (!follower->handed_out) {
        return;
    }
    follower->handed_out = false;
    follower->has_news = false;
    follower->news.events = NULL;
    follower->news.events_count = 0;
    if (follower->sub != NULL) {
        acta_resume(follower->sub);
    }
}

enum acta_code
acta_follower_next(struct acta_follower *follower, int timeout_ms,
                   const struct acta_news **news, struct acta_err *err)
{
    uint64_t end_ms = acta_poll_now_ms() + (uint64_t)(unsigned)timeout_ms;
    int left_ms = timeout_ms;

    take_back(follower);
    *news = &follower->news;
    while (!follower->has_news) {
        uint64_t now_ms;

        if (follower->sub == NULL) {
            return fail_over(follower, err);
        }
        if (sync_turn(follower->sync, follower->interrupt_fd, left_ms)) {
            return acta_fail(err, ACTA_CANCELLED, "follower was interrupted");
        }
        now_ms = acta_poll_now_ms();
        if (timeout_ms >= 0 && now_ms >= end_ms && !follower->has_news) {
            return acta_fail(err, ACTA_TIMEOUT, "no news in %d ms", timeout_ms);
        }
        left_ms = timeout_ms < 0 ? -1 : (int)(end_ms - now_ms);
    }
    follower->handed_out = true;
    follower->position = follower->news.position;
    return ACTA_OK;
}

void
acta_follower_interrupt(struct acta_follower *follower)
{
    interrupt_signal(follower->interrupt_fd);
}

void
follower_merge(struct acta_follower *follower)
{
    if (follower->sub != NULL) {
        follower->sub->merges = true;
    }
}

void
follower_free(struct acta_follower *follower)
{
    acta_unsubscribe(follower->sub);
    if (follower->prev == NULL) {
        follower->sync->followers = follower->next;
    } else {
        follower->prev->next = follower->next;
    }
    if (follower->next != NULL) {
        follower->next->prev = follower->prev;
    }
    interrupt_close(follower->interrupt_fd);
    answer_fini(&follower->answer);
    free(follower);
}

void
acta_follower_close(struct acta_follower *follower)
{
    if (follower != NULL) {
        follower_free(follower);
    }
}
