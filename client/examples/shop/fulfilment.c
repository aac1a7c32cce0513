#include <signal.h>
#include <stdlib.h>

#include "roles.h"
#include "shop.h"

static struct acta_manager *manager; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_manager_interrupt(manager);
}

enum acta_code
fulfilment_run(const struct acta_options *options, char **arguments,
               struct acta_err *err)
{
    uint64_t pay_within_ms = strtoull(arguments[0], NULL, 10);
    struct acta_upcasters *upcasters = shop_upcasters_new();
    struct acta_process *process = fulfilment_new(upcasters, &pay_within_ms);
    struct acta_sync *sync = NULL;
    enum acta_code code;

    code = acta_sync_open(&sync, options, err);
    if (code == ACTA_OK) {
        code = acta_manager_new(&manager, process, sync, NULL, err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = acta_manager_run(manager, err);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        acta_manager_free(manager);
    }
    acta_sync_close(sync);
    acta_process_free(process);
    acta_upcasters_free(upcasters);
    return code;
}
