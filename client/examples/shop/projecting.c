#include <signal.h>

#include "roles.h"

static struct acta_projector *projector; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_projector_interrupt(projector);
}

enum acta_code
run_projection(const struct acta_projection *projection,
               const struct acta_options *options, struct acta_err *err)
{
    struct acta_sync *sync = NULL;
    enum acta_code code;

    code = acta_sync_open(&sync, options, err);
    if (code == ACTA_OK) {
        code = acta_projector_new(&projector, projection, sync, NULL, err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = acta_projector_run(projector, err);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        acta_projector_free(projector);
    }
    acta_sync_close(sync);
    return code;
}
