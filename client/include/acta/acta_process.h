/* Process managers: what follows from events, over streams and over time.
 *
 * A process manager hears of events, and lets something follow: commands for
 * others, deadlines, events. It has an instance for each order, say, which is
 * started by one event and ended by another, and whose state is a stream. This
 * one asks for the payment of each order, and cancels an order that is not paid
 * within half an hour:
 *
 *     #include <acta/acta_process.h>
 *     #include <stdio.h>
 *
 *     static enum acta_verdict
 *     placed(const void *state, const struct acta_event *event,
 *            struct acta_reaction *reaction)
 *     {
 *         (void)state;
 *         acta_reaction_command(reaction, "command",
 *                               acta_reaction_key(reaction),
 *                               "RequestPayment", event->data);
 *         acta_reaction_deadline(reaction, "payment", 1800000, "PaymentLate",
 *                                NULL);
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     static enum acta_verdict
 *     paid(const void *state, const struct acta_event *event,
 *          struct acta_reaction *reaction)
 *     {
 *         (void)state;
 *         (void)event;
 *         acta_reaction_cancel(reaction, "payment");
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     static enum acta_verdict
 *     late(const void *state, const struct acta_event *event,
 *          struct acta_reaction *reaction)
 *     {
 *         (void)state;
 *         (void)event;
 *         acta_reaction_command(reaction, "command",
 *                               acta_reaction_key(reaction), "CancelOrder",
 *                               NULL);
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_process *payments = acta_process_new("payments", 0);
 *         struct acta_manager *manager = NULL;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *
 *         acta_process_on(payments, "OrderPlaced", ACTA_ROUTE_STARTS, placed);
 *         acta_process_on(payments, "PaymentReceived", ACTA_ROUTE_ENDS, paid);
 *         acta_process_key_tag(payments, "order:");
 *         acta_process_on_deadline(payments, "PaymentLate", ACTA_ROUTE_ENDS,
 *                                  late);
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_manager_new(&manager, payments, sync, NULL, &err) ==
 *                 ACTA_OK) {
 *             acta_manager_run(manager, &err);
 *         }
 *         fprintf(stderr, "%s\n", err.text);
 *         acta_manager_free(manager);
 *         acta_sync_close(sync);
 *         acta_process_free(payments);
 *         return 1;
 *     }
 *
 * Once. All that follows from an event is one append: the events of the
 * instance's own stream, at the version that it had; commands and other events;
 * deadlines that are made and cancelled; and the step from the event before to
 * this one, of the checkpoint of the consumer that the process is on the
 * server. So each event has its effects exactly once, whatever is killed when.
 * Ids of what is stored are made from the event's (see acta_reaction_key()),
 * and the append counts once by a command id made so, too: an event that comes
 * again, since the consumer was reset, say, has no effect any more. That needs
 * a database that keeps command ids, as they do unless told otherwise.
 *
 * Instances. An event's route says which instance it is for, by a key; and
 * whether it starts that instance, if it is not there, or ends it. The instance
 * of key "42" of the process "payments" is the stream payments-42: it begins
 * with the event ProcessStarted, and ends with ProcessEnded. Between them are
 * the events that reactions have given it, from which its state is folded, and
 * the deadlines that have passed. An event for an instance that was never
 * started, or is ended, is ignored, and counted as that; one that is ended is
 * never started again. A stream of an ended instance may be deleted when none
 * of its events comes any more.
 *
 * Deadlines. A deadline is an event of the instance's own stream, which is
 * stored when it is due, if it was not cancelled until then; and it is handled
 * like any other event, behind all that were stored before it. It may have been
 * stored just before it is cancelled: so who must not react then goes by the
 * state, or has ended. Its time counts from that of the event that it follows
 * from, however late that is handled.
 *
 * Commands are events in command streams, for the pools of acta_dispatch.h.
 * They, and all that follows from an event, have its correlation id, or else
 * its id; its id as what caused them; and its traceparent in their metadata.
 *
 * Verdicts are those of projections (acta_projection.h): a reaction that fails
 * is tried a few times, then its event is parked, in the stream
 * "acta.parked-NAME", and the process goes on behind it. That is done as well
 * with events whose version is not known or that cannot be upcast, with those
 * of instances whose state cannot be folded, and if what follows is not valid,
 * too large, or for a stream that is closed for ever.
 *
 * One is active. Without a lease the last one that came is, and others end with
 * FENCED. With one (options.lease_ms) others stand by until the first is gone.
 * What it does is told to `acta projection ls`, as a note on its consumer.
 *
 * Threads. A process is filled by one thread, and then shared by any number of
 * managers. A manager, like its acta_sync, is used by one thread at a time;
 * acta_manager_interrupt() is called by any.
 */

#ifndef ACTA_ACTA_PROCESS_H
#define ACTA_ACTA_PROCESS_H

#include "acta_decider.h"
#include "acta_projection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reactions ---- */

/* What follows from an event, filled by the author's function. Filling never
 * fails on its own: what is wrong first makes the event one to be parked, with
 * that as the reason. What is given is copied. All of it is dropped with any
 * verdict but OK and SKIP. Valid until the function returns.
 */
struct acta_reaction;

/* React to @event, which is of the newest version that is known, with the type
 * named without one. @state is that of the instance as it is now, of the size
 * that was told, and initial if the event starts it. The same state and event
 * give the same reaction: it may be asked for again, with another state, if the
 * stream of the instance has changed meanwhile.
 */
typedef enum acta_verdict acta_react_fn(const void *state,
                                        const struct acta_event *event,
                                        struct acta_reaction *reaction);

/* An event for the instance's own stream: see acta_process_evolve(). Types are
 * named without versions here and below, the newest that is known is stored.
 * NULL: without data.
 */
ACTA_API void acta_reaction_own(struct acta_reaction *reaction,
                                const char *type, const char *json);
ACTA_API void acta_reaction_own_event(struct acta_reaction *reaction,
                                      const struct acta_draft *draft);

/* A command of @type with JSON, or NULL without data, for @target: an event in
 * the stream CATEGORY-TARGET. "command" is the category that pools want unless
 * told otherwise.
 */
ACTA_API void acta_reaction_command(struct acta_reaction *reaction,
                                    const char *category, const char *target,
                                    const char *type, const char *json);

/* An event for any stream but the own one, at whatever version it is; a command
 * that is more than JSON, too. Ids, correlation, causation and metadata of
 * @draft are set by the library where they are not given.
 */
ACTA_API void acta_reaction_emit(struct acta_reaction *reaction,
                                 const char *stream,
                                 const struct acta_draft *draft);

/* The event that was given last, own, command or emitted, has this tag. */
ACTA_API void acta_reaction_tag(struct acta_reaction *reaction,
                                const char *format, ...) ACTA_PRINTF(2, 3);

/* All that is stored because of the event, deadlines included, has @key with
 * the text @value in its metadata, unless its draft has metadata of its own.
 */
ACTA_API void acta_reaction_note(struct acta_reaction *reaction,
                                 const char *key, const char *value);

/* Let an event of @type, which acta_process_on_deadline() has named, be stored
 * in the instance's stream @delay_ms after the event that is handled was
 * stored; or at @due_us, in microseconds since 1970. What is due already is
 * stored at once. @name, which has no "/", is the deadline's within the
 * instance: a deadline of that name that was made before, if it has not passed,
 * is replaced. On the server it is the schedule NAME-KEY/name: 255 bytes.
 */
ACTA_API void acta_reaction_deadline(struct acta_reaction *reaction,
                                     const char *name, uint64_t delay_ms,
                                     const char *type, const char *json);
ACTA_API void acta_reaction_deadline_at(struct acta_reaction *reaction,
                                        const char *name, uint64_t due_us,
                                        const struct acta_draft *draft);

/* Let the deadline @name not pass. It may be passed, or never have been. */
ACTA_API void acta_reaction_cancel(struct acta_reaction *reaction,
                                   const char *name);

/* The instance ends: the same as by an event whose route ends it. Deadlines
 * that are left over come to nothing when they pass.
 */
ACTA_API void acta_reaction_end(struct acta_reaction *reaction);

/* Say what is wrong, which is kept with the error. Returns @verdict. */
ACTA_API enum acta_verdict acta_reaction_fail(struct acta_reaction *reaction,
                                              enum acta_verdict verdict,
                                              const char *format, ...)
    ACTA_PRINTF(3, 4);

/* Let RETRY come after this time. Returns ACTA_VERDICT_RETRY. */
ACTA_API enum acta_verdict
acta_reaction_retry_after(struct acta_reaction *reaction, uint64_t delay_ms);

/* The key of the instance: what follows the first "-" in its stream. What is
 * stored has ids of version 5 (RFC 9562), made in the name space of the event's
 * id from the name of the instance's stream, a space, that of the event, a
 * space, and a number: 1, 2, ... for events in the order in which they were
 * given, with ProcessStarted first and ProcessEnded last, then deadlines; 0 for
 * the append's command id.
 */
ACTA_API const char *acta_reaction_key(const struct acta_reaction *reaction);

/* The event starts the instance. */
ACTA_API bool acta_reaction_is_start(const struct acta_reaction *reaction);

/* How often the event was given to a reaction, from 1, since the manager runs;
 * not counted is that others were faster.
 */
ACTA_API uint64_t acta_reaction_attempt(const struct acta_reaction *reaction);

/* What acta_process_user() was given. */
ACTA_API void *acta_reaction_user(const struct acta_reaction *reaction);

/* ---- processes ---- */

/* Filling never fails on its own: what is wrong first is told by
 * acta_process_check() and by acta_manager_new(). Names and types are copied,
 * all else is borrowed. acta_process_new() returns NULL if there is no memory;
 * given NULL, calls that fill do nothing and the check says MEMORY.
 *
 * @name is that of the consumer, and the category of the instances' streams:
 * 200 bytes at most, without "-". The state of an instance is a struct of
 * @state_size bytes, which may be 0.
 */
struct acta_process;

ACTA_API struct acta_process *acta_process_new(const char *name,
                                               size_t state_size);
ACTA_API void acta_process_free(struct acta_process *process);

/* Each may be NULL, which is what they are at first: see acta_decider.h. */
ACTA_API void acta_process_lifecycle(struct acta_process *process,
                                     acta_initial_fn *initial,
                                     acta_fini_fn *fini);

/* For acta_reaction_user(), and for functions that find keys. */
ACTA_API void acta_process_user(struct acta_process *process, void *user);

/* Of routed events and of own ones. */
ACTA_API void acta_process_upcasters(struct acta_process *process,
                                     const struct acta_upcasters *upcasters);

/* Events of @type in the instance's own stream, deadlines included, change its
 * state. The type is named without a version.
 */
ACTA_API void acta_process_evolve(struct acta_process *process,
                                  const char *type, acta_evolve_fn *evolve);

enum acta_route {
    ACTA_ROUTE_GOES_ON = 0, /* For instances that are there. */
    ACTA_ROUTE_STARTS = 1,  /* Starts the instance if it is not there. */
    ACTA_ROUTE_ENDS = 2,    /* Ends it, behind the reaction. */
};

/* Events of @type, named without a version, are for an instance: the one whose
 * key follows the first "-" in the name of the event's stream ("order-42" is
 * for 42), unless it is said otherwise by one of the next two. @route is 0 or
 * more of enum acta_route; @react may be NULL if it starts or ends an instance.
 * Once a type; with deadlines 100 types at most.
 */
ACTA_API void acta_process_on(struct acta_process *process, const char *type,
                              unsigned route, acta_react_fn *react);

/* For the type that was named last, the key is the rest of the first tag that
 * begins with @prefix: with "order:" an event with the tag "order:42" is for
 * 42. An event without one is for no instance, and passed over.
 */
ACTA_API void acta_process_key_tag(struct acta_process *process,
                                   const char *prefix);

/* For the type that was named last, put the key of @event, of which what is
 * said at acta_react_fn holds. False: it is for no instance. One that cannot be
 * part of a stream's name is as one that cannot be upcast.
 */
typedef bool acta_key_fn(void *user, const struct acta_event *event,
                         struct acta_bytes *key);
ACTA_API void acta_process_key(struct acta_process *process,
                               acta_key_fn *key_of);

/* Deadlines of @type are handled by @react: as acta_process_on(), for events in
 * the streams of instances alone. They start none.
 */
ACTA_API void acta_process_on_deadline(struct acta_process *process,
                                       const char *type, unsigned route,
                                       acta_react_fn *react);

/* INVALID: there is no route, a name is wrong, a type comes twice or has a
 * version, a route does nothing. MEMORY.
 */
ACTA_API enum acta_code acta_process_check(const struct acta_process *process,
                                           struct acta_err *err);

/* ---- managers: processes that run ---- */

struct acta_manager_options {
    size_t size; /* Of this struct. */

    uint64_t position; /* 0: a process that is new begins behind it. */
    size_t states_max; /* 1,024: instances whose state is in memory. */

    /* 10: reactions to one event, while others write to the instance's stream
     * in between. Then the manager ends, with CONFLICT.
     */
    uint64_t conflicts_max;

    uint64_t attempts_max; /* 5: of each event. */
    uint64_t retry_ms; /* 100: pause before the second; doubles, up to 10 s. */
    enum acta_on_poison on_poison; /* ACTA_POISON_PARKS */

    /* 0: without. The lease "projection.NAME" says who is active; others stand
     * by. It is renewed between events and while waiting.
     */
    uint64_t lease_ms;

    bool is_once; /* Return when all that is stored has been handled. */

    uint64_t note_ms; /* 2,000: between notes about progress, at least. */
};

/* Options with the defaults named above. */
static inline struct acta_manager_options
acta_manager_options_of(void)
{
    struct acta_manager_options options;

    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    options.states_max = 1024;
    options.conflicts_max = 10;
    options.attempts_max = 5;
    options.retry_ms = 100;
    options.note_ms = 2000;
    return options;
}

struct acta_manager;

/* Both @process and @sync are borrowed, and @sync is used for nothing else
 * while the manager runs. @options may be NULL: the defaults. Nothing is asked
 * of the server yet. INVALID, MEMORY, IO.
 */
ACTA_API enum acta_code
acta_manager_new(struct acta_manager **manager,
                 const struct acta_process *process, struct acta_sync *sync,
                 const struct acta_manager_options *options,
                 struct acta_err *err);
ACTA_API void acta_manager_free(struct acta_manager *manager);

/* Run, until interrupted (OK), or, if options.is_once, done (OK), through
 * outages of any length. It may be run again, whatever it ended with, and goes
 * on where the checkpoint is.
 *
 * FENCED: another instance, without a lease, has taken over.
 * CANCELLED: a reaction said STOP. INVALID: an event is poison, and is to stop
 *     it.
 * CONFLICT: see options.conflicts_max. EXISTS: there is a group of this name.
 * others: the server's.
 */
ACTA_API enum acta_code acta_manager_run(struct acta_manager *manager,
                                         struct acta_err *err);

/* Let the run that is under way end, or else the next one. What follows from
 * the event at hand is stored before. Any thread, and signal handlers too.
 */
ACTA_API void acta_manager_interrupt(struct acta_manager *manager);

/* How it goes, since it was made. Of the library; grows at the end. */
struct acta_manager_status {
    enum acta_projector_state state;
    uint64_t position; /* The checkpoint. */
    uint64_t head;     /* The database's last position, when last told. */
    uint64_t handled;  /* Events of instances, with those that were ignored. */
    uint64_t ignored;  /* Of instances that are not there, or ended; and those
                          whose verdict was SKIP. */
    uint64_t started;  /* Instances. */
    uint64_t ended;
    uint64_t stored;    /* Events, own and others. */
    uint64_t deadlines; /* That were made. */
    uint64_t repeated;  /* Events that had had their effects before. */
    uint64_t conflicts;
    uint64_t parked;
    uint64_t errors;         /* Verdicts other than OK and SKIP, and what is
                                treated like one. */
    uint64_t error_position; /* Of the last one; 0: there was none. */
    const char *error_stream;
    const char *error_text;
};

/* Valid until the manager is used again. */
ACTA_API const struct acta_manager_status *
acta_manager_status(struct acta_manager *manager);

#ifdef __cplusplus
}
#endif

#endif
