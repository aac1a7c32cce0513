/* Handles the commands that fulfilment stores, as many at a time as there are
 * threads of all workers: those for one target in their order.
 */

#include <signal.h>
#include <stdio.h>

#include "roles.h"

#define THREADS 2

static void
on_handled(void *user, const struct acta_command *command,
           const struct acta_handled *handled, const struct acta_err *err)
{
    (void)user;
    (void)handled;
    if (err != NULL) {
        fprintf(stderr, "%s %s: %s\n", command->type, command->target,
                err->text);
    }
}

enum acta_code
workers_run(const struct acta_options *options, char **arguments,
            struct acta_err *err)
{
    struct acta_pool_options how =
        acta_pool_options_of(options, "shop-workers");
    struct timespec second = {.tv_sec = 1};
    struct acta_pool *pool = NULL;
    struct deciders deciders;
    enum acta_code code;
    sigset_t ends;

    (void)arguments;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* Its threads inherit that. */
    deciders_init(&deciders);
    how.threads = THREADS;
    how.on_handled = on_handled;
    code = acta_pool_start(&pool, deciders.registry, &how, err);
    while (code == ACTA_OK && acta_pool_threads(pool) == THREADS &&
           sigtimedwait(&ends, NULL, &second) < 0) {
    }
    if (code == ACTA_OK) {
        code = acta_pool_stop(pool, err);
    }
    deciders_fini(&deciders);
    return code;
}
