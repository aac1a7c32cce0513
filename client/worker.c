/* A worker is a membership whose events are taken one by one, straight from
 * what has come in. The loop is turned when there is nothing left, and now and
 * then, so that answers are told and the connection is looked after.
 */

#include <stdlib.h>

#include "client.h"
#include "given.h"
#include "member.h"
#include "sync.h"

/* The loop is turned at least so often while there are events. */
#define TURN_MS 5

struct acta_worker {
    struct acta_worker *prev, *next;
    struct acta_sync *sync;
    struct acta_member *member; /* NULL: it is over. */
    struct acta_handed handed;  /* To the caller. */
    uint64_t turned_ms;         /* When the loop was turned last. */
    bool has_joined;            /* Once, at least. */
    bool was_refused;           /* An answer, since the last settling. */
    struct acta_err err;        /* Why it is over. */
    int interrupt_fd;
};

/* It is never called: events are taken. */
static void
on_event(void *user, const struct acta_handed *handed)
{
    (void)user;
    (void)handed;
}

static void
on_joined(void *user)
{
    struct acta_worker *worker = user;

    worker->has_joined = true;
}

static void
on_refused(void *user, const struct acta_refused *refused)
{
    struct acta_worker *worker = user;

    (void)refused;
    worker->was_refused = true;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct acta_worker *worker = user;

    worker->member = NULL;
    worker->err = *err;
}

static enum acta_code
join_group(struct acta_worker *worker, const struct acta_join *given,
           struct acta_err *err)
{
    struct acta_join join;

    if (!given_copy(&join, sizeof(join), given)) {
        return acta_fail(err, ACTA_INVALID,
                         "membership is not of acta_join_of()");
    }
    join.size = sizeof(join);
    join.user = worker;
    join.on_event = on_event;
    join.on_joined = on_joined;
    join.on_refused = on_refused;
    join.on_ended = on_ended;
    worker->member = acta_join(worker->sync->client, &join, err);
    if (worker->member == NULL) {
        return err->code;
    }
    member_pause(worker->member);
    return ACTA_OK;
}

/* Why it is over. */
static enum acta_code
fail_over(const struct acta_worker *worker, struct acta_err *err)
{
    return acta_fail(err, worker->err.code, "%s", worker->err.text);
}

static enum acta_code
wait_for_join(struct acta_worker *worker, struct acta_err *err)
{
    uint64_t timeout_ms = worker->sync->client->options.given.timeout_ms;
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;

    acta_flush(worker->sync->client);
    while (!worker->has_joined) {
        if (worker->member == NULL) {
            return fail_over(worker, err);
        }
        if (!sync_turn_until(worker->sync, end_ms)) {
            return acta_fail(err, ACTA_TIMEOUT, "joining took over %ju ms",
                             (uintmax_t)timeout_ms);
        }
    }
    return ACTA_OK;
}

enum acta_code
acta_worker_open(struct acta_worker **worker, struct acta_sync *sync,
                 const struct acta_join *join, struct acta_err *err)
{
    struct acta_worker *made = calloc(1, sizeof(*made));
    struct acta_err why = {ACTA_OK, ""};

    *worker = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "worker");
    }
    made->sync = sync;
    made->next = sync->workers;
    if (made->next != NULL) {
        made->next->prev = made;
    }
    sync->workers = made;
    made->interrupt_fd = interrupt_open(&why);
    if (why.code != ACTA_OK || join_group(made, join, &why) != ACTA_OK ||
        wait_for_join(made, &why) != ACTA_OK) {
        worker_free(made);
        return acta_fail(err, why.code, "%s", why.text);
    }
    *worker = made;
    return ACTA_OK;
}

/* True if there is an event, now in worker->handed. */
static bool
take_event(struct acta_worker *worker)
{
    struct acta_client *client = worker->sync->client;
    struct acta_member *member = worker->member;
    bool is_there = false;
    struct acta_err err;

    if (member != NULL &&
        member_next(member, &worker->handed, &is_there, &err) != ACTA_OK) {
        client_enter(client);
        member_give_up(member, &err);
        client_leave(client, client_now_ms(client));
        return false;
    }
    return is_there;
}

/* False: it was interrupted. */
static bool
turn(struct acta_worker *worker, int timeout_ms)
{
    acta_flush(worker->sync->client);
    worker->turned_ms = acta_poll_now_ms();
    return !sync_turn(worker->sync, worker->interrupt_fd, timeout_ms);
}

enum acta_code
acta_worker_next(struct acta_worker *worker, int timeout_ms,
                 const struct acta_handed **handed, struct acta_err *err)
{
    uint64_t now_ms = acta_poll_now_ms();
    uint64_t end_ms = now_ms + (uint64_t)(unsigned)timeout_ms;
    bool is_due = now_ms - worker->turned_ms >= TURN_MS;
    bool has_turned = false;
    int left_ms = timeout_ms;

    *handed = &worker->handed;
    if (is_due && !turn(worker, 0)) {
        return acta_fail(err, ACTA_CANCELLED, "worker was interrupted");
    }
    while (!take_event(worker)) {
        if (worker->member == NULL) {
            return fail_over(worker, err);
        }
        if (has_turned && timeout_ms >= 0 && now_ms >= end_ms) {
            return acta_fail(err, ACTA_TIMEOUT, "no event in %d ms",
                             timeout_ms);
        }
        if (!turn(worker, left_ms)) {
            return acta_fail(err, ACTA_CANCELLED, "worker was interrupted");
        }
        has_turned = true;
        now_ms = acta_poll_now_ms();
        left_ms = timeout_ms < 0     ? -1
                  : now_ms >= end_ms ? 0
                                     : (int)(end_ms - now_ms);
    }
    return ACTA_OK;
}

/* ---- settling ---- */

void
acta_worker_ack(struct acta_worker *worker, uint64_t number)
{
    if (worker->member != NULL) {
        acta_ack(worker->member, number);
    }
}

void
acta_worker_ack_up_to(struct acta_worker *worker, uint64_t number)
{
    if (worker->member != NULL) {
        acta_ack_up_to(worker->member, number);
    }
}

void
acta_worker_retry(struct acta_worker *worker, uint64_t number,
                  uint64_t delay_ms)
{
    if (worker->member != NULL) {
        acta_retry(worker->member, number, delay_ms);
    }
}

void
acta_worker_park(struct acta_worker *worker, uint64_t number,
                 const char *reason)
{
    if (worker->member != NULL) {
        acta_park(worker->member, number, reason);
    }
}

void
acta_worker_skip(struct acta_worker *worker, uint64_t number)
{
    if (worker->member != NULL) {
        acta_skip(worker->member, number);
    }
}

static bool
is_settled(const struct acta_worker *worker)
{
    return worker->member->hand.answered == 0 && worker->member->settles == 0;
}

enum acta_code
acta_worker_settle(struct acta_worker *worker, struct acta_err *err)
{
    uint64_t timeout_ms = worker->sync->client->options.given.timeout_ms;
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;
    bool was_refused;

    acta_flush(worker->sync->client);
    while (worker->member != NULL && !is_settled(worker)) {
        if (!sync_turn_until(worker->sync, end_ms)) {
            return acta_fail(err, ACTA_UNKNOWN, "settling took over %ju ms",
                             (uintmax_t)timeout_ms);
        }
    }
    if (worker->member == NULL) {
        return fail_over(worker, err);
    }
    was_refused = worker->was_refused;
    worker->was_refused = false;
    if (worker->member->answers_lost) {
        worker->member->answers_lost = false;
        return acta_fail(err, ACTA_UNKNOWN,
                         "connection was lost: what was settled may come "
                         "again");
    }
    return was_refused ? acta_fail(err, ACTA_FENCED,
                                   "an event was taken back before it was "
                                   "settled")
                       : ACTA_OK;
}

/* ---- the end ---- */

void
acta_worker_interrupt(struct acta_worker *worker)
{
    interrupt_signal(worker->interrupt_fd);
}

void
worker_free(struct acta_worker *worker)
{
    acta_leave(worker->member);
    if (worker->prev == NULL) {
        worker->sync->workers = worker->next;
    } else {
        worker->prev->next = worker->next;
    }
    if (worker->next != NULL) {
        worker->next->prev = worker->prev;
    }
    interrupt_close(worker->interrupt_fd);
    free(worker);
}

void
acta_worker_close(struct acta_worker *worker)
{
    if (worker != NULL) {
        struct acta_sync *sync = worker->sync;

        worker_free(worker);
        acta_flush(sync->client);
    }
}
