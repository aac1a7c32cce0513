/* Appends: what is to be stored, on what terms, with which effects, and how
 * that ended.
 *
 * A user's name that nobody else may have:
 *
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_draft draft = acta_draft_of("UserRegistered", NULL, 0);
 *         static const char *const tags[] = {"username:ada"};
 *         struct acta_append *append = acta_append_new();
 *         struct acta_query *taken = acta_query_new();
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *
 *         draft.tags = tags;
 *         draft.tags_count = 1;
 *         acta_query_tag(taken, "username:ada");
 *         acta_append_stream(append, "user-1", 0); // it has no events yet
 *         acta_append_event(append, &draft);
 *         acta_append_condition(append, taken, 0); // nobody has the name
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK) {
 *             acta_sync_append(sync, append, NULL, &err);
 *         }
 *         printf("%s\n", err.code == ACTA_OK ? "stored" : err.text);
 *         acta_sync_close(sync);
 *         acta_append_free(append);
 *         acta_query_free(taken);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * An append is atomic: all its events are stored, or none. It is refused unless
 * every stream that it writes is at the version that was expected, every stream
 * that it checks too, and no event meets one of its conditions. So a decision
 * is stored only if what it was made from still holds:
 *
 *     append = acta_append_new();
 *     acta_append_stream(append, "order-42", 3);       // it was at version 3
 *     acta_append_event(append, &paid);
 *     acta_append_check_stream(append, "shop-1", 17);  // nothing is written
 *     acta_append_condition(append, coupon, 5120);     // read up to here
 *     acta_append_unseen(append, 100, 0);              // if refused, tell why
 *
 * An append can have effects besides events, which take place in the same
 * moment, or not at all: it moves the checkpoint of a consumer, keeps a
 * snapshot of a stream, schedules other appends. So who reads an event,
 * decides, and goes on to the next does it exactly once, whatever is killed
 * when:
 *
 *     append = acta_append_new();
 *     acta_append_stream(append, "payment-42", 0);     // what follows from it
 *     acta_append_event(append, &requested);
 *     acta_append_schedule_in(append, "payment-42-late", 3600000, reminder);
 *     acta_append_checkpoint(append, "payments", epoch, before, position);
 *
 * An append needs no events if it moves a checkpoint, keeps or removes a
 * snapshot, or makes, moves or cancels a schedule.
 *
 * However often it is sent it counts once. It keeps the ids of its events, and
 * events that are stored already, all of them and in that order, are answered
 * with where they are, as a repeat, whatever else the append says; its effects
 * have taken place then, and do not again. One without events and command id
 * changes nothing when done twice. Who makes
 * its events anew when it tries again, and so with other ids, gives the append
 * a command id.
 *
 * What is said of memory, names and compatibility in acta.h, which includes
 * this header, holds here. Different appends are used by any threads.
 */

#ifndef ACTA_ACTA_APPEND_H
#define ACTA_ACTA_APPEND_H

#include "acta_event.h"
#include "acta_query.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_append;

/* What a stream's version must be: the number of the events that it ever had
 * (0: none; or it was deleted since), or one of these.
 */
#define ACTA_EXPECT_ANY    (-1)
#define ACTA_EXPECT_EXISTS (-2) /* Any version but 0, and not deleted. */

/* ---- filling ---- */

/* An append is filled, then sent, as often as need be.
 *
 * Filling never fails on its own: what is wrong first is remembered, and told
 * by acta_append_check() and by acta_append().
 *
 * acta_append_new() returns NULL if there is no memory. Given NULL, the calls
 * that fill do nothing and acta_append() says MEMORY: one check is enough.
 */
ACTA_API struct acta_append *acta_append_new(void);
ACTA_API void acta_append_free(struct acta_append *append);

/* Begin a write to @stream, which is at version @expected. The events that
 * follow go there. A stream may be written more than once, with the same
 * expectation.
 */
ACTA_API void acta_append_stream(struct acta_append *append, const char *stream,
                                 int64_t expected);

/* Add an event to the write that was begun last. */
ACTA_API void acta_append_event(struct acta_append *append,
                                const struct acta_draft *draft);

/* Refuse the append unless @stream is at version @expected, without writing to
 * it: 1,000 streams at most. A stream that is written as well, or checked
 * twice, must be expected to be at the same version.
 */
ACTA_API void acta_append_check_stream(struct acta_append *append,
                                       const char *stream, int64_t expected);

/* Refuse the append if an event that matches @query has a position above
 * @after, which may be beyond the head: 32 conditions at most. With 0 it is
 * refused if an event ever matched. Events that the append itself stores, and
 * those that are hidden, do not count. @query is copied; NULL: any event.
 */
ACTA_API void acta_append_condition(struct acta_append *append,
                                    const struct acta_query *query,
                                    uint64_t after);

/* Let the append count once by this id: if an append was done under it before,
 * whatever its events were, the answer is how that ended.
 */
ACTA_API void acta_append_command_id(struct acta_append *append,
                                     const struct acta_id *id);

/* If it is refused because of versions or conditions, bring along the events
 * that the caller has not seen (struct acta_unseen), @events_max of them and
 * @bytes_max bytes at most (0: as many as the server gives). The server's own
 * bounds are 1,000 events and 1 MiB.
 */
ACTA_API void acta_append_unseen(struct acta_append *append, size_t events_max,
                                 size_t bytes_max);

/* ---- effects ---- */

/* Together 1,000 effects at most. A consumer, a lease, a stream's snapshot and
 * a schedule's name can each be named by one effect of a kind only. Names are
 * like those of streams.
 *
 * Move the checkpoint of @consumer from @from, or from wherever it is if that
 * is ACTA_FROM_ANY, to @to: everything up to there has been handled. @epoch is
 * that of the claim: see acta_consumer.h. One that is at @to already stays
 * there, in an append without events, or if @from is @to.
 *
 * Refused with FENCED: the epoch is over, since another has claimed the
 * consumer, or it was reset or deleted. CONFLICT: it is not at @from, or beyond
 * @to, or at @to since another append has done what these events are about.
 * INVALID: @to is above the head.
 */
#define ACTA_FROM_ANY UINT64_MAX

ACTA_API void acta_append_checkpoint(struct acta_append *append,
                                     const char *consumer, uint64_t epoch,
                                     uint64_t from, uint64_t to);

/* Refuse the append, with FENCED, unless @lease is held under @fence: see
 * acta_lease.h. This is only a check, and no reason for an append without
 * events.
 */
ACTA_API void acta_append_lease(struct acta_append *append, const char *lease,
                                uint64_t fence);

/* Keep the state of @stream as of @version, which it has when the append is
 * done: see acta_snapshot.h. @schema says what the bytes mean, and counts up
 * when that changes. Of two snapshots that of the greater schema is kept, and
 * of the same schema that of the greater version; the other one is passed over.
 * @data is copied, up to 16 MiB.
 *
 * Refused with CONFLICT: the stream has no such version.
 */
ACTA_API void acta_append_snapshot(struct acta_append *append,
                                   const char *stream, uint64_t version,
                                   uint64_t schema, const void *data,
                                   size_t size);
ACTA_API void acta_append_remove_snapshot(struct acta_append *append,
                                          const char *stream);

/* Store the events of @what at a time, in microseconds since 1970, or after a
 * delay in milliseconds, exactly once: never before, by the server's clock, and
 * as soon after as it runs. @what has writes only: no checks, conditions,
 * command id or effects. It is copied. If it is refused when it is due, it
 * stays as one that has failed: see acta_schedule.h.
 *
 * Refused with CONFLICT: there is a schedule of this name, with other events.
 * One with the same events is left as it is.
 */
ACTA_API void acta_append_schedule(struct acta_append *append, const char *name,
                                   uint64_t due_us,
                                   const struct acta_append *what);
ACTA_API void acta_append_schedule_in(struct acta_append *append,
                                      const char *name, uint64_t delay_ms,
                                      const struct acta_append *what);

/* Let the schedule @name be due at another time; one that has failed is tried
 * again then. Refused with CONFLICT: there is none.
 */
ACTA_API void acta_append_move_schedule(struct acta_append *append,
                                        const char *name, uint64_t due_us);
ACTA_API void acta_append_move_schedule_in(struct acta_append *append,
                                           const char *name, uint64_t delay_ms);

/* Let the schedule @name not take place. It is no error if there is none, or
 * not any more: see the field cancelled of the answer. Cancellations come
 * before schedules, so one can be replaced by another of the same name.
 */
ACTA_API void acta_append_cancel(struct acta_append *append, const char *name);

/* ---- looking at it ---- */

/* How many events there are, and the id of event @index, counted over all
 * writes from 0; NULL if there is none. Valid until the append is changed.
 */
ACTA_API size_t acta_append_count(const struct acta_append *append);
ACTA_API const struct acta_id *acta_append_id(const struct acta_append *append,
                                              size_t index);

/* Bytes that the append takes on the wire, nearly. */
ACTA_API size_t acta_append_size(const struct acta_append *append);

/* OK, or what is wrong with it: INVALID, TOO_LARGE, MEMORY, IO. */
ACTA_API enum acta_code acta_append_check(const struct acta_append *append,
                                          struct acta_err *err);

/* Make it empty and keep its memory, to fill it anew. */
ACTA_API void acta_append_clear(struct acta_append *append);

/* ---- how it ended ---- */

/* Events of one write that were stored one behind the other. */
struct acta_run {
    size_t write; /* Index of the write, from 0. */
    uint64_t first_version;
    uint64_t first_position;
    uint64_t count;
};

enum acta_failure_kind {
    ACTA_FAILED_WRITE = 0,     /* The stream is at another version. */
    ACTA_FAILED_EVENT = 1,     /* The event's id is stored already. */
    ACTA_FAILED_CHECK = 2,     /* The checked stream is at another version. */
    ACTA_FAILED_CONDITION = 3, /* An event matches. */

    /* Effects: */
    ACTA_FAILED_CHECKPOINT = 4, /* Its epoch is over, or it is elsewhere. */
    ACTA_FAILED_LEASE = 5,      /* It is not held under this fence. */
    ACTA_FAILED_SNAPSHOT = 6,   /* The stream has no such version. */
    ACTA_FAILED_SCHEDULE = 7,   /* There is another one of this name; or none
                                   that could be moved. */
};

/* A reason why an append was refused. */
struct acta_failure {
    enum acta_failure_kind kind;
    size_t index;     /* Of the write, the check, the condition, or the effect
                         among those of its kind, from 0. Schedules that are made
                         and moved are of one kind. */
    size_t event;     /* Index of the event in the write; else 0. */
    int64_t expected; /* The version that was given; for a condition the
                         position (INT64_MAX if it is larger); for an event 0.
                         Of a checkpoint where it was to be, of a lease the
                         fence, of a snapshot its version. */
    uint64_t actual;  /* The stream's version, or that of the stored event. Of
                         a condition the position of the first event that
                         matches, or, if the code is UNDECIDED, up to where
                         none does. Of a checkpoint where it is, of a lease the
                         fence of who holds it, 0 if nobody does. */
};

/* What a refused append has missed: the events behind the expected version of
 * each stream that it writes or checks, and those behind the position of each
 * condition that they match; each once, in the order of positions. Folded into
 * what was known before they give what to decide from.
 */
struct acta_unseen {
    const struct acta_event *const *events;
    size_t events_count;
    bool complete; /* These are all, up to head: no need to read. */
    uint64_t head; /* The database's last position when they were read. */
};

/* How an append ended. */
struct acta_appended {
    uint64_t position; /* Of its last event; 0 if it failed or has none. */
    uint64_t version;  /* The last event's, in the stream written last. */
    bool repeated;     /* All was stored before: this is the first answer. */
    /* In the order of the writes; more than one for a write only if it is
     * a repeat of events that were stored piece by piece.
     */
    const struct acta_run *const *runs;
    size_t runs_count;
    /* Of a refused append, if the code is CONFLICT, FENCED, TOMBSTONED,
     * UNDECIDED, PARTIAL_REPEAT or ID_REUSED, or an effect is why it is
     * INVALID or TOO_LARGE: up to 100 reasons.
     */
    const struct acta_failure *const *failures;
    size_t failures_count;
    /* The append has a command id and is a repeat: runs, position and version
     * are of the events that the command made first, which may be others than
     * those of this append.
     */
    bool by_command;
    const struct acta_unseen *unseen; /* NULL: none were brought along. */
    uint64_t cancelled; /* Schedules that were there to be cancelled. */
};

#ifdef __cplusplus
}
#endif

#endif
