/* Threads that share the commands of a group. Each has a connection of its own,
 * is a member of the group, and handles one command after the other; all that
 * they have in common is the registry, which does not change, and whether it is
 * time to stop.
 */

#include <stdatomic.h>
#include <stdlib.h>

#include "dispatcher.h"
#include "given.h"
#include "thread.h"

#define THREADS_MAX ((size_t)64)
#define PAUSE_MS    UINT64_C(200)

struct hand {
    struct acta_pool *pool;
    pthread_t thread;
    bool is_started;
    struct acta_sync *sync;             /* owned */
    struct acta_worker *worker;         /* The sync's. */
    struct acta_dispatcher *dispatcher; /* owned */
    struct acta_err err; /* Why it ended; read when it has been waited for. */
};

struct acta_pool {
    void (*on_handled)(void *user, const struct acta_command *command,
                       const struct acta_handled *handled,
                       const struct acta_err *err);
    void *user;
    atomic_size_t at_work;
    size_t count;
    struct hand hands[];
};

/* ---- a thread ---- */

/* The time is bad, and the command is not. */
static bool
is_passing(enum acta_code code)
{
    enum acta_remedy remedy = acta_code_remedy(code);

    return remedy == ACTA_REMEDY_RETRY || remedy == ACTA_REMEDY_RESEND ||
           remedy == ACTA_REMEDY_RELOAD || remedy == ACTA_REMEDY_NONE;
}

static void
handle(struct hand *hand, const struct acta_handed *handed)
{
    struct acta_pool *pool = hand->pool;
    struct acta_command command = acta_command_of_event(handed->event);
    const struct acta_handled *handled;
    struct acta_err err = {ACTA_OK, ""};
    enum acta_code code =
        acta_dispatch(hand->dispatcher, &command, &handled, &err);

    if (code == ACTA_OK) {
        acta_worker_ack(hand->worker, handed->number);
    } else if (is_passing(code)) {
        acta_worker_retry(hand->worker, handed->number, PAUSE_MS);
    } else {
        acta_worker_park(hand->worker, handed->number, err.text);
    }
    if (pool->on_handled != NULL) {
        pool->on_handled(pool->user, &command, code == ACTA_OK ? handled : NULL,
                         code == ACTA_OK ? NULL : &err);
    }
}

static void *
run(void *arg)
{
    struct hand *hand = arg;
    const struct acta_handed *handed;
    enum acta_code code;

    do {
        code = acta_worker_next(hand->worker, -1, &handed, &hand->err);
        if (code == ACTA_OK) {
            handle(hand, handed);
        }
    } while (code == ACTA_OK);
    if (code == ACTA_CANCELLED) {
        /* What does not become known comes again, and takes effect once. */
        (void)acta_worker_settle(hand->worker, NULL);
    }
    atomic_fetch_sub(&hand->pool->at_work, 1);
    return NULL;
}

/* ---- starting ---- */

static enum acta_code
make_group(struct acta_sync *sync, const struct acta_pool_options *options,
           struct acta_err *err)
{
    struct acta_group group = acta_group_of(ACTA_GROUP_QUERY);
    struct acta_query *query = acta_query_new();
    enum acta_code code;

    if (query == NULL) {
        return acta_fail(err, ACTA_MEMORY, "query of a group");
    }
    acta_query_category(query, options->prefix);
    group.query = query;
    code = acta_sync_create_group(sync, options->group, &group, NULL, err);
    acta_query_free(query);
    return code == ACTA_EXISTS ? ACTA_OK : code;
}

static enum acta_code
start_hand(struct hand *hand, const struct acta_registry *registry,
           const struct acta_pool_options *options, struct acta_err *err)
{
    struct acta_join join = acta_join_of(options->group, options->slots);
    enum acta_code code = acta_sync_open(&hand->sync, options->connect, err);

    if (code == ACTA_OK) {
        code = make_group(hand->sync, options, err);
    }
    if (code == ACTA_OK) {
        code = acta_dispatcher_open(&hand->dispatcher, hand->sync, registry,
                                    options->handling, err);
    }
    if (code == ACTA_OK) {
        code = acta_worker_open(&hand->worker, hand->sync, &join, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    atomic_fetch_add(&hand->pool->at_work, 1);
    if (thread_start(&hand->thread, run, hand) != 0) {
        atomic_fetch_sub(&hand->pool->at_work, 1);
        return acta_fail(err, ACTA_IO, "thread of a pool");
    }
    hand->is_started = true;
    return ACTA_OK;
}

enum acta_code
acta_pool_start(struct acta_pool **pool, const struct acta_registry *registry,
                const struct acta_pool_options *given, struct acta_err *err)
{
    enum acta_code code = acta_registry_check(registry, err);
    struct acta_pool_options options;
    struct acta_pool *made;

    *pool = NULL;
    if (code != ACTA_OK) {
        return code;
    }
    if (!given_copy(&options, sizeof(options), given) ||
        options.connect == NULL || options.group == NULL ||
        options.prefix == NULL || options.threads == 0 ||
        options.threads > THREADS_MAX) {
        return acta_fail(err, ACTA_INVALID,
                         "a pool has 1 to %zu threads, a group, and where to "
                         "connect to",
                         THREADS_MAX);
    }
    made = calloc(1, sizeof(*made) + options.threads * sizeof(*made->hands));
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "pool");
    }
    made->on_handled = options.on_handled;
    made->user = options.user;
    made->count = options.threads;
    for (size_t i = 0; code == ACTA_OK && i < made->count; i++) {
        made->hands[i].pool = made;
        code = start_hand(&made->hands[i], registry, &options, err);
    }
    if (code != ACTA_OK) {
        (void)acta_pool_stop(made, NULL); /* There is a reason already. */
        return code;
    }
    *pool = made;
    return ACTA_OK;
}

/* ---- stopping ---- */

static void
stop_hand(struct hand *hand)
{
    if (hand->is_started) {
        pthread_join(hand->thread, NULL);
    }
    acta_worker_close(hand->worker);
    acta_dispatcher_close(hand->dispatcher);
    acta_sync_close(hand->sync);
}

enum acta_code
acta_pool_stop(struct acta_pool *pool, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (pool == NULL) {
        return ACTA_OK;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->hands[i].is_started) {
            acta_worker_interrupt(pool->hands[i].worker);
        }
    }
    for (size_t i = 0; i < pool->count; i++) {
        struct hand *hand = &pool->hands[i];

        stop_hand(hand);
        if (code == ACTA_OK && hand->err.code != ACTA_OK &&
            hand->err.code != ACTA_CANCELLED) {
            code = acta_fail(err, hand->err.code, "%s", hand->err.text);
        }
    }
    free(pool);
    return code;
}

size_t
acta_pool_threads(const struct acta_pool *pool)
{
    return atomic_load(&pool->at_work);
}
