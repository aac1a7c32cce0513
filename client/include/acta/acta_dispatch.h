/* The command bus: commands are given to what handles their type, called
 * directly, or by a pool of threads that share a stream of commands.
 *
 * Directly, as a gateway does which has somebody waiting for the answer:
 *
 *     #include <acta/acta_dispatch.h>
 *     #include <stdio.h>
 *
 *     static bool
 *     on_placed(void *state, const struct acta_event *event)
 *     {
 *         (void)event;
 *         *(bool *)state = true;
 *         return true;
 *     }
 *
 *     static void
 *     place(const void *state, const struct acta_command *command,
 *           struct acta_decision *decision)
 *     {
 *         if (*(const bool *)state) {
 *             acta_decision_refuse(decision, "placed", NULL, "once is enough");
 *         } else {
 *             acta_decision_json(decision, "OrderPlaced", command->data);
 *         }
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_decider *orders =
 *             acta_decider_new("order", sizeof(bool));
 *         struct acta_command command =
 *             acta_command_of("PlaceOrder", "7", "{}", 2);
 *         struct acta_registry *registry = acta_registry_new();
 *         struct acta_dispatcher *dispatcher = NULL;
 *         const struct acta_handled *handled;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *
 *         acta_decider_on_event(orders, "OrderPlaced", on_placed);
 *         acta_decider_on_command(orders, "PlaceOrder", place);
 *         acta_registry_decider(registry, orders); // and others, and models
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_dispatcher_open(&dispatcher, sync, registry, NULL, &err) ==
 *                 ACTA_OK &&
 *             acta_dispatch(dispatcher, &command, &handled, &err) == ACTA_OK) {
 *             puts(handled->refusal == NULL ? "done" : handled->refusal->text);
 *         }
 *         acta_dispatcher_close(dispatcher);
 *         acta_sync_close(sync);
 *         acta_registry_free(registry);
 *         acta_decider_free(orders);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * From a stream, as for commands that a process manager has stored as events,
 * with any number of pools in any number of processes:
 *
 *     pool_options = acta_pool_options_of(&options, "commands");
 *     acta_pool_start(&pool, registry, &pool_options, &err);
 *     ...
 *     acta_pool_stop(pool, &err);
 *
 * An event in a command stream is a command of the event's type: see
 * acta_command_of_event(). The members of a group (acta_group.h) share them, by
 * default by stream: commands for one target are handled one after the other
 * and in order, those for different ones side by side. A command that is handed
 * out twice takes effect once.
 *
 * What is said of threads in acta_decider.h holds here: a registry is filled by
 * one and used by any number, a dispatcher belongs to the thread of its
 * acta_sync. A pool's threads have the program's signals blocked (see acta.h),
 * and so has a process that one of them starts, unless it is told otherwise.
 */

#ifndef ACTA_ACTA_DISPATCH_H
#define ACTA_ACTA_DISPATCH_H

#include "acta_decider.h"
#include "acta_group.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- who handles what ---- */

struct acta_registry;

/* NULL: there is no memory; given NULL, the calls that fill do nothing and what
 * it is given to says MEMORY. Deciders and models are borrowed. A command type
 * has one of them: a second one is INVALID.
 */
ACTA_API struct acta_registry *acta_registry_new(void);
ACTA_API void acta_registry_free(struct acta_registry *registry);
ACTA_API void acta_registry_decider(struct acta_registry *registry,
                                    const struct acta_decider *decider);
ACTA_API void acta_registry_model(struct acta_registry *registry,
                                  const struct acta_model *model);
ACTA_API enum acta_code
acta_registry_check(const struct acta_registry *registry, struct acta_err *err);

/* ---- directly ---- */

struct acta_dispatcher;

/* A handler for each decider and model, with the same options, which may be
 * NULL. @sync and @registry are borrowed until acta_dispatcher_close(), which
 * comes before acta_sync_close().
 */
ACTA_API enum acta_code acta_dispatcher_open(
    struct acta_dispatcher **dispatcher, struct acta_sync *sync,
    const struct acta_registry *registry,
    const struct acta_handler_options *options, struct acta_err *err);
ACTA_API void acta_dispatcher_close(struct acta_dispatcher *dispatcher);

/* As acta_handle(). UNSUPPORTED: nobody handles commands of this type. */
ACTA_API enum acta_code acta_dispatch(struct acta_dispatcher *dispatcher,
                                      const struct acta_command *command,
                                      const struct acta_handled **handled,
                                      struct acta_err *err);

/* ---- a pool ---- */

struct acta_pool;

/* Made by acta_pool_options_of(). */
struct acta_pool_options {
    size_t size;                        /* Of this struct. */
    const struct acta_options *connect; /* How its threads connect, each by
                                           itself. */
    const char *group;  /* Made by the pool if there is none, from the start. */
    const char *prefix; /* "command": the category of the streams that it wants,
                           if it is made. */
    size_t threads;     /* 1: up to 64. */
    size_t slots;       /* 16: commands that each has in hand. */
    const struct acta_handler_options *handling; /* NULL: the defaults. With
                                                    refusals, who waits for an
                                                    answer follows them. */

    /* Told of every command that was handled, and of every failure: err is NULL
     * if there is none, handled if it could not be handled. May be NULL. Called
     * by the pool's threads, by several at once.
     */
    void (*on_handled)(void *user, const struct acta_command *command,
                       const struct acta_handled *handled,
                       const struct acta_err *err);
    void *user;
};

static inline struct acta_pool_options
acta_pool_options_of(const struct acta_options *connect, const char *group)
{
    struct acta_pool_options options;

    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    options.connect = connect;
    options.group = group;
    options.prefix = "command";
    options.threads = 1;
    options.slots = 16;
    return options;
}

/* Start it: all its threads are members of the group when this returns.
 *
 * A command that was handled, accepted or refused, is acked. One that cannot be
 * handled as it is (by acta_code_remedy(), and if its type is not known) is
 * parked, with the reason: see acta_list_parked(). One for which the time was
 * bad, as when others were faster all the time, is tried again after a pause,
 * as often as the group says.
 *
 * *@pool is the caller's, to be stopped; NULL if this fails. @registry is
 * borrowed until then. Failures as of acta_sync_open() and acta_worker_open().
 */
ACTA_API enum acta_code acta_pool_start(struct acta_pool **pool,
                                        const struct acta_registry *registry,
                                        const struct acta_pool_options *options,
                                        struct acta_err *err);

/* Let each thread finish the command it is at, wait until the server knows what
 * was acked and parked, if it can be reached in the time-out of the options,
 * and leave the group. May be NULL.
 *
 * What is returned is why a thread had ended before: NOT_FOUND, when the group
 * was deleted, say. OK: none had.
 */
ACTA_API enum acta_code acta_pool_stop(struct acta_pool *pool,
                                       struct acta_err *err);

/* How many of its threads are at work. Any thread. */
ACTA_API size_t acta_pool_threads(const struct acta_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
