#include "watch.h"

#include <signal.h>
#include <stdatomic.h>

static atomic_bool interrupted;
static atomic_bool child_ended;

static void
on_signal(int number)
{
    if (number == SIGCHLD) {
        child_ended = true;
    } else {
        interrupted = true;
    }
}

void
watch_signals(void)
{
    struct sigaction action = {
        .sa_handler = on_signal, .sa_flags = SA_NOCLDSTOP, /* Only its end. */
    };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGCHLD, &action, NULL);
}

void
watch_begin(void)
{
    child_ended = false;
}

enum acta_code
watch_check(struct acta_err *err)
{
    if (interrupted) {
        return acta_fail(err, ACTA_CANCELLED, "interrupted");
    }
    if (child_ended) {
        return acta_fail(err, ACTA_UNREACHABLE, "the server is gone");
    }
    return ACTA_OK;
}
