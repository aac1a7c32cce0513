/* Members of groups, who share the events of a consumer among them.
 *
 * Every event that the group wants is handed to one of its members, who settles
 * it: acked, it is done with. What a member does not settle in time, or has in
 * hand when its connection is lost, is handed out again, to whoever is there:
 * so each event is handled at least once. Events of one key, which is the
 * stream unless the group says otherwise, are with one member at a time, and in
 * order; different keys are handled side by side. Any number of these share
 * the work:
 *
 *     #include <acta/acta_group.h>
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_group group = acta_group_of(0);
 *         struct acta_join join = acta_join_of("mailers", 100);
 *         const struct acta_handed *handed;
 *         struct acta_worker *worker = NULL;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_sync_create_group(sync, "mailers", &group, NULL, &err) ==
 *                 ACTA_OK) {
 *             acta_worker_open(&worker, sync, &join, &err);
 *         }
 *         while (err.code == ACTA_OK &&
 *                acta_worker_next(worker, -1, &handed, &err) == ACTA_OK) {
 *             printf("%s %s\n", handed->event->stream, handed->event->type);
 *             fflush(stdout);
 *             acta_worker_ack(worker, handed->number); // or retry, park, skip
 *         }
 *         fprintf(stderr, "%s\n", err.text);
 *         acta_worker_close(worker);
 *         acta_sync_close(sync);
 *         return 1;
 *     }
 *
 * The same in a loop of one's own:
 *
 *     static void
 *     on_event(void *user, const struct acta_handed *handed)
 *     {
 *         if (handle(handed->event)) {
 *             acta_ack(user_member(user), handed->number);
 *         } else {
 *             acta_retry(user_member(user), handed->number, 5000);
 *         }
 *     }
 *
 *     struct acta_join join = acta_join_of("mailers", 100);
 *
 *     join.on_event = on_event;
 *     join.on_ended = on_ended;
 *     member = acta_join(client, &join, &err);
 *
 * The library joins again after a lost connection, and drops what it had been
 * handed before: that comes again. Answers are gathered and sent when the loop
 * turns. When an event is retried or parked, those of the same key that were
 * handed out behind it are the server's again: the ones that the callback has
 * not been given are dropped by the library; answers to the others are refused,
 * which on_refused is told. They all come again.
 *
 * Groups are made in acta_consumer.h, which this header includes. What is said
 * of connections, errors, memory, threads and compatibility in acta.h holds
 * here.
 */

#ifndef ACTA_ACTA_GROUP_H
#define ACTA_ACTA_GROUP_H

#include "acta_consumer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_member;

/* ---- joining ---- */

/* An event that is handed out. */
struct acta_handed {
    const struct acta_event *event;
    uint64_t number; /* Of this handing out: to settle it by. Grows. */
    uint64_t fence;  /* Grows: whoever is handed this event, or a later one of
                        its key, after this, has a greater one. For those who
                        must not be told by a member that is late. */
    uint64_t deliveries; /* How often it has been handed out: 1, 2, ... */
    uint64_t head;       /* The database's last position. */
    size_t behind;       /* Events that are here already, to come next unless
                            they are taken back: with 0 it is time to finish
                            what is done in bulk. */
};

/* An answer that came too late. */
struct acta_refused {
    uint64_t position; /* Of the event; 0: some of those that were acked up to
                          another, it is not known which. */
    uint64_t fence;    /* Under which it was handed out. */
};

/* What to join, and who is told: made by acta_join_of(). */
struct acta_join {
    size_t size; /* Of this struct. */
    const char *group;
    const char *member; /* A name for people; NULL: that of the options. */
    size_t slots;       /* Events that it has in hand at most: 1 to 10,000. The
                           server also stops at 8 MiB. A group hands out most
                           when its members have half as many slots, together,
                           as it has keys in use. */
    void *user;         /* Passed to all of the functions: */

    /* Here is an event, which is valid until this returns: see
     * acta_event_copy(). It can be settled here or later.
     */
    void (*on_event)(void *user, const struct acta_handed *handed);

    /* It is a member now, and again after a lost connection: what it had in
     * hand is not any more. May be NULL.
     */
    void (*on_joined)(void *user);

    /* An answer was refused: the event was taken back before, because its time
     * was over, or together with one of the same key, or with all when the
     * group was reset. Another member may have it. May be NULL.
     */
    void (*on_refused)(void *user, const struct acta_refused *refused);

    /* The membership is over, for another reason than acta_leave(), and its
     * handle is gone. NOT_FOUND: there is no such group, or not any more.
     */
    void (*on_ended)(void *user, const struct acta_err *err);
};

static inline struct acta_join
acta_join_of(const char *group, size_t slots)
{
    struct acta_join join;

    memset(&join, 0, sizeof(join));
    join.size = sizeof(join);
    join.group = group;
    join.slots = slots;
    return join;
}

/* Become a member. Callbacks come from the loop, not from within this call. The
 * handle is the caller's, to be ended by acta_leave(), or until on_ended is
 * called.
 *
 * NULL: INVALID, TOO_LARGE (names, slots), BUSY (over 256 memberships), MEMORY.
 */
ACTA_API struct acta_member *acta_join(struct acta_client *client,
                                       const struct acta_join *join,
                                       struct acta_err *err);

/* Leave: what was settled is told to the server, the rest goes to others at
 * once, without counting as a delivery in vain. No callback is called any more.
 * May be NULL.
 */
ACTA_API void acta_leave(struct acta_member *member);

/* Call no callback, except on_ended, until acta_member_resume(). What is handed
 * out meanwhile waits here, and its time runs.
 */
ACTA_API void acta_member_pause(struct acta_member *member);
ACTA_API void acta_member_resume(struct acta_member *member);

/* Events that the callback was given and that are not settled. */
ACTA_API size_t acta_member_in_hand(const struct acta_member *member);

/* ---- settling ---- */

/* Each settles the event of a handing out by its number, in any order, from
 * within callbacks or outside. A number that is not in hand, because it was
 * settled before or a connection was lost since, is passed over.
 *
 * Ack: it is handled. Up to: all that are in hand and have this number or a
 * lower one are.
 */
ACTA_API void acta_ack(struct acta_member *member, uint64_t number);
ACTA_API void acta_ack_up_to(struct acta_member *member, uint64_t number);

/* It is to be handed out again, after a delay of 24 hours at most, and those of
 * its key behind it. When it has been handed out as often as the group allows
 * it is parked.
 */
ACTA_API void acta_retry(struct acta_member *member, uint64_t number,
                         uint64_t delay_ms);

/* It cannot be handled, for a reason that people can read, which is cut after
 * 1,024 bytes: lay it aside. See acta_list_parked(). @reason may be NULL.
 */
ACTA_API void acta_park(struct acta_member *member, uint64_t number,
                        const char *reason);

/* It need not be handled. */
ACTA_API void acta_skip(struct acta_member *member, uint64_t number);

/* ---- the same, waited for: see acta_sync.h ---- */

/* A member whose events are waited for: a worker.
 *
 *     while (acta_worker_next(worker, -1, &handed, &err) == ACTA_OK) {
 *         handle(handed->event);
 *         acta_worker_ack(worker, handed->number);
 *     }
 */
struct acta_worker;

/* Join, and wait for it. The callbacks in @join are not called; all else in it
 * is as for acta_join(). *@worker is the caller's, to be closed, which leaves
 * the group; it is closed together with @sync as well. NOT_FOUND: there is no
 * such group.
 */
ACTA_API enum acta_code acta_worker_open(struct acta_worker **worker,
                                         struct acta_sync *sync,
                                         const struct acta_join *join,
                                         struct acta_err *err);

/* Wait for the next event, @timeout_ms at most (0: do not wait; negative: for
 * ever). It is valid until the next call for this worker, and can be settled
 * until its time is over, after others too. What was settled before is sent
 * when this has to wait, or sooner.
 *
 * TIMEOUT: there is none yet. CANCELLED: acta_worker_interrupt() was called.
 * others: it is over; it will say the same again.
 */
ACTA_API enum acta_code acta_worker_next(struct acta_worker *worker,
                                         int timeout_ms,
                                         const struct acta_handed **handed,
                                         struct acta_err *err);

/* See acta_ack() and those behind it. */
ACTA_API void acta_worker_ack(struct acta_worker *worker, uint64_t number);
ACTA_API void acta_worker_ack_up_to(struct acta_worker *worker,
                                    uint64_t number);
ACTA_API void acta_worker_retry(struct acta_worker *worker, uint64_t number,
                                uint64_t delay_ms);
ACTA_API void acta_worker_park(struct acta_worker *worker, uint64_t number,
                               const char *reason);
ACTA_API void acta_worker_skip(struct acta_worker *worker, uint64_t number);

/* Wait until all that was settled is known to the server: parked events are
 * stored then.
 *
 * FENCED: an answer was refused since the last call of this; the event was
 *     handed out again, or will be.
 * UNKNOWN: answers were lost with a connection since then, or were given to
 * what had been handed out over one that was lost, or did not come: what was
 * settled may come again. others: it is over.
 */
ACTA_API enum acta_code acta_worker_settle(struct acta_worker *worker,
                                           struct acta_err *err);

/* Let acta_worker_next() return CANCELLED: the call that waits now, or the next
 * one, once. Any thread, and signal handlers too.
 */
ACTA_API void acta_worker_interrupt(struct acta_worker *worker);

/* Settle what was answered, and leave. May be NULL. */
ACTA_API void acta_worker_close(struct acta_worker *worker);

#ifdef __cplusplus
}
#endif

#endif
