/* Deciders, decision models, and what handles commands with them.
 *
 * A decider is the domain's own code for streams of one category: a state, how
 * events change it, and what is decided from it about commands. It knows of no
 * store. Accounts that cannot be overdrawn:
 *
 *     #include <acta/acta_decider.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     struct account {
 *         long cents;
 *     };
 *
 *     static bool
 *     on_deposited(void *state, const struct acta_event *event)
 *     {
 *         struct account *account = state;
 *
 *         account->cents += atol(event->data);
 *         return true;
 *     }
 *
 *     static bool
 *     on_withdrawn(void *state, const struct acta_event *event)
 *     {
 *         struct account *account = state;
 *
 *         account->cents -= atol(event->data);
 *         return true;
 *     }
 *
 *     static void
 *     deposit(const void *state, const struct acta_command *command,
 *             struct acta_decision *decision)
 *     {
 *         (void)state;
 *         acta_decision_json(decision, "Deposited", command->data);
 *     }
 *
 *     static void
 *     withdraw(const void *state, const struct acta_command *command,
 *              struct acta_decision *decision)
 *     {
 *         const struct account *account = state;
 *
 *         if (atol(command->data) > account->cents) {
 *             acta_decision_refuse(decision, "too_little", "cents",
 *                                  "there are only %ld", account->cents);
 *             return;
 *         }
 *         acta_decision_json(decision, "Withdrawn", command->data);
 *     }
 *
 *     int
 *     main(int argc, char **argv)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_decider *decider =
 *             acta_decider_new("account", sizeof(struct account));
 *         const struct acta_handled *handled;
 *         struct acta_handler *handler = NULL;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *         struct acta_command command;
 *
 *         acta_decider_on_event(decider, "Deposited", on_deposited);
 *         acta_decider_on_event(decider, "Withdrawn", on_withdrawn);
 *         acta_decider_on_command(decider, "Deposit", deposit);
 *         acta_decider_on_command(decider, "Withdraw", withdraw);
 *         if (argc != 4) {
 *             fprintf(stderr, "usage: %s Deposit|Withdraw ACCOUNT CENTS\n",
 *                     argv[0]);
 *             return 1;
 *         }
 *         command = acta_command_of(argv[1], argv[2], argv[3],
 *                                   strlen(argv[3]));
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_handler_open(&handler, sync, decider, NULL, &err) ==
 *                 ACTA_OK &&
 *             acta_handle(handler, &command, &handled, &err) == ACTA_OK) {
 *             if (handled->refusal != NULL) {
 *                 printf("refused: %s\n", handled->refusal->text);
 *             } else {
 *                 printf("%s is at version %ju\n", handled->stream,
 *                        (uintmax_t)handled->version);
 *             }
 *         }
 *         if (err.code != ACTA_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *         }
 *         acta_handler_close(handler);
 *         acta_sync_close(sync);
 *         acta_decider_free(decider);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * What acta_handle() does: it loads the stream of the instance, from a snapshot
 * if there is one, or only what is new if the state is in its cache; folds the
 * events; lets the command be decided; and appends what was decided at the
 * version that it saw, under the command's id. If others were faster, it folds
 * what they appended, which the refusal has brought along, and lets it be
 * decided again, up to a bound.
 *
 * A state in the cache is continued with the events behind it, and made anew if
 * one of these is missing, as when the stream was deleted since. While nothing
 * is appended behind a deletion a handler does not notice it.
 *
 * A decision model is the same over a query instead of a stream, for what no
 * stream knows alone: that a name is taken once, that a course has seats left
 * and the student's week hours. See acta_model_new().
 *
 * Threads. Deciders and models are filled by one thread, and then used by any
 * number; their functions are called by all of these. A handler is used by the
 * thread of its acta_sync. Functions must not call the handler that calls them.
 */

#ifndef ACTA_ACTA_DECIDER_H
#define ACTA_ACTA_DECIDER_H

#include "acta_command.h"
#include "acta_sync.h"
#include "acta_upcast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what the author writes ---- */

/* Make the state of an instance that has no events. Its bytes are 0 already, so
 * most need none of these. False: there is no memory; what was made is left to
 * the acta_fini_fn.
 */
typedef bool acta_initial_fn(void *state);

/* Free what the state has allocated. */
typedef void acta_fini_fn(void *state);

/* Change the state by what has happened. The event is of the newest version,
 * its type without one. An event that was erased has the format
 * ACTA_FORMAT_ERASED and no data. False: it cannot be read, or there is no
 * memory; what needed the state ends with CORRUPT, naming the event.
 */
typedef bool acta_evolve_fn(void *state, const struct acta_event *event);

/* Decide. The same state and command give the same decision: it may be asked
 * for again. If neither an event is given nor a refusal the command is accepted
 * and nothing happens.
 */
typedef void acta_decide_fn(const void *state,
                            const struct acta_command *command,
                            struct acta_decision *decision);

/* Put what the state is; and make a state of it, on one that is initial. False:
 * it cannot be put; or it cannot be read, and all events are read instead.
 */
typedef bool acta_encode_fn(const void *state, struct acta_bytes *bytes);
typedef bool acta_decode_fn(void *state, const void *data, size_t size);

/* ---- deciders ---- */

struct acta_decider;

/* A decider for the streams CATEGORY-TARGET, whose state is a struct of
 * @state_size bytes. NULL: there is no memory; the calls that fill do nothing
 * then, and what it is given to says MEMORY. What is wrong first is told by
 * acta_decider_check() and by what it is given to.
 */
ACTA_API struct acta_decider *acta_decider_new(const char *category,
                                               size_t state_size);
ACTA_API void acta_decider_free(struct acta_decider *decider);

/* Each may be NULL, which is what they are at first. */
ACTA_API void acta_decider_lifecycle(struct acta_decider *decider,
                                     acta_initial_fn *initial,
                                     acta_fini_fn *fini);

/* For acta_decision_user(). */
ACTA_API void acta_decider_user(struct acta_decider *decider, void *user);

/* Types without versions. Events of types that are not named here are of no
 * matter to the decider.
 */
ACTA_API void acta_decider_on_event(struct acta_decider *decider,
                                    const char *type, acta_evolve_fn *evolve);
ACTA_API void acta_decider_on_command(struct acta_decider *decider,
                                      const char *type, acta_decide_fn *decide);

/* Borrowed, and used until the decider is freed. */
ACTA_API void acta_decider_upcasters(struct acta_decider *decider,
                                     const struct acta_upcasters *upcasters);

/* Keep a snapshot of the state that is decided from, in the same append as what
 * is decided, when @every events or more went into it since the last. @schema
 * counts up when the meaning of the bytes changes, or that of the state:
 * snapshots of another one are not used, and are replaced. One that is over 16
 * MiB is not kept.
 */
ACTA_API void acta_decider_snapshots(struct acta_decider *decider,
                                     uint64_t every, uint64_t schema,
                                     acta_encode_fn *encode,
                                     acta_decode_fn *decode);

ACTA_API enum acta_code acta_decider_check(const struct acta_decider *decider,
                                           struct acta_err *err);

/* ---- decision models ---- */

/* A model is made of folds, each a part of the state with the events that
 * change it, of some types and with some tags. Which tags, and so which folds,
 * is said for each command by its scope:
 *
 *     struct subscription {
 *         struct course course;    // capacity, seats taken
 *         struct student student;  // courses taken
 *     };
 *
 *     static void
 *     scope(const struct acta_command *command, struct acta_scope *scope)
 *     {
 *         acta_scope_fold(scope, "course",
 *                         offsetof(struct subscription, course));
 *         acta_scope_tag(scope, "course:%s", command->target);
 *         acta_scope_fold(scope, "student",
 *                         offsetof(struct subscription, student));
 *         acta_scope_tag(scope, "student:%s", (const char *)command->data);
 *     }
 *
 *     model = acta_model_new(sizeof(struct subscription));
 *     acta_model_on_event(model, "course", "CourseDefined", on_defined);
 *     acta_model_on_event(model, "course", "StudentSubscribed", on_seat_taken);
 *     acta_model_on_event(model, "student", "StudentSubscribed", on_joined);
 *     acta_model_on_command(model, "Subscribe", scope, subscribe);
 *
 * All folds together are the query that is read, and the condition under which
 * the events are stored: nothing was decided from has changed. If it has, the
 * new events are folded and it is decided again.
 */
struct acta_model;
struct acta_scope;

/* As acta_decider_new() and those behind it. */
ACTA_API struct acta_model *acta_model_new(size_t state_size);
ACTA_API void acta_model_free(struct acta_model *model);
ACTA_API void acta_model_lifecycle(struct acta_model *model,
                                   acta_initial_fn *initial,
                                   acta_fini_fn *fini);
ACTA_API void acta_model_user(struct acta_model *model, void *user);
ACTA_API void acta_model_upcasters(struct acta_model *model,
                                   const struct acta_upcasters *upcasters);

/* In the fold @fold events of @type change the state by @evolve, which is given
 * the fold's part of it.
 */
ACTA_API void acta_model_on_event(struct acta_model *model, const char *fold,
                                  const char *type, acta_evolve_fn *evolve);

/* Say from what a command is decided. */
typedef void acta_scope_fn(const struct acta_command *command,
                           struct acta_scope *scope);

ACTA_API void acta_model_on_command(struct acta_model *model, const char *type,
                                    acta_scope_fn *scope,
                                    acta_decide_fn *decide);

ACTA_API enum acta_code acta_model_check(const struct acta_model *model,
                                         struct acta_err *err);

/* A fold is wanted, and its part of the state begins @offset bytes into it. The
 * same fold can be wanted more than once, with other tags, for other parts. An
 * event that several are wanted for is given to each. 32 folds at most, of 8
 * tags each. Without any, the command is decided from the initial state, on no
 * condition.
 */
ACTA_API void acta_scope_fold(struct acta_scope *scope, const char *fold,
                              size_t offset);

/* The fold that was named last wants only events with this tag, too. */
ACTA_API void acta_scope_tag(struct acta_scope *scope, const char *format, ...)
    ACTA_PRINTF(2, 3);

/* ---- handling ---- */

/* For all fields 0 or NULL is the default that is named. */
struct acta_handler_options {
    size_t size;         /* Of this struct. */
    size_t states_max;   /* 1,024: instances whose state is in memory. */
    size_t attempts_max; /* 10: decisions about one command. */

    /* Keep refusals, so that a command that was refused once is refused for
     * ever, under its id: a refusal is stored as event "CommandRefused" in the
     * stream REFUSALS-ID, of the command's id. That is JSON with the texts
     * command, target, code, field and text. NULL: they are not kept.
     */
    const char *refusals;
};

static inline struct acta_handler_options
acta_handler_options_of(void)
{
    struct acta_handler_options options;

    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    return options;
}

struct acta_handler;

/* Handle commands with a decider, or a model, over @sync. Both are borrowed
 * until acta_handler_close(), which comes before acta_sync_close(). @options
 * may be NULL. *@handler is NULL if this fails.
 *
 * INVALID, MEMORY: what is wrong with the decider, the model or the options.
 */
ACTA_API enum acta_code
acta_handler_open(struct acta_handler **handler, struct acta_sync *sync,
                  const struct acta_decider *decider,
                  const struct acta_handler_options *options,
                  struct acta_err *err);
ACTA_API enum acta_code
acta_handler_open_model(struct acta_handler **handler, struct acta_sync *sync,
                        const struct acta_model *model,
                        const struct acta_handler_options *options,
                        struct acta_err *err);
ACTA_API void acta_handler_close(struct acta_handler *handler);

/* Handle a command. *@handled is the handler's until its next call.
 *
 * UNSUPPORTED: no command of this type is known, or an event has a version that
 *     is not known. INVALID: the command is not valid, or what was decided.
 * CONFLICT, UNDECIDED: others were faster in every attempt; try again.
 * CORRUPT: an event could not be folded. TOMBSTONED: the stream is closed.
 * FENCED: another database answers at the address by now; handle it again.
 * UNKNOWN: it may have been done; handle it again, with the id it had: the one
 *     in *@handled, which is set for every failure but MEMORY and INVALID.
 * others: of acta_sync_load(), acta_sync_append(), acta_decision_fail().
 */
ACTA_API enum acta_code acta_handle(struct acta_handler *handler,
                                    const struct acta_command *command,
                                    const struct acta_handled **handled,
                                    struct acta_err *err);

/* The state of a decider's instance as it is now, and the version of its stream
 * (0: it has no events), which may be NULL. *@state is the handler's until its
 * next call. INVALID: it handles with a model; others as acta_handle().
 */
ACTA_API enum acta_code
acta_handler_state(struct acta_handler *handler, const char *target,
                   const void **state, uint64_t *version, struct acta_err *err);

/* What a handler did since it was opened. Of the library; grows at the end. */
struct acta_handler_counts {
    uint64_t commands;  /* Handled, with whatever result. */
    uint64_t refused;   /* Of these. */
    uint64_t repeated;  /* Of these. */
    uint64_t conflicts; /* Attempts that others were faster than. */
    uint64_t hits;      /* States that were in memory, */
    uint64_t misses;    /* and that were not. */
    uint64_t events;    /* Folded. */
    uint64_t snapshots; /* Kept. */
};

ACTA_API const struct acta_handler_counts *
acta_handler_counts(const struct acta_handler *handler);

#ifdef __cplusplus
}
#endif

#endif
