/* The signals are blocked but for while it is waited, so that none comes
 * between looking and waiting. Other calls that block are not cut short by
 * them: these have deadlines of their own.
 */

#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t caught;
static volatile sig_atomic_t child_ended; /* And nobody was woken yet. */
static sigset_t before;                   /* What was blocked by others. */

static void
on_signal(int number)
{
    if (number == SIGCHLD) {
        child_ended = 1;
    } else if (caught == 0) {
        caught = number;
    }
}

void
interrupt_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;

        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN || numbers[i] == SIGCHLD) {
            sigaction(numbers[i], &action, NULL);
            sigaddset(&blocked, numbers[i]);
        }
    }
    sigprocmask(SIG_BLOCK, &blocked, &before);
}

void
interrupt_release(void)
{
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int
interrupt_caught(void)
{
    static const struct timespec at_once = {0};

    /* Let in what is pending. */
    ppoll(NULL, 0, &at_once, &before);
    return caught;
}

void
interrupt_wait(struct pollfd *pollfds, size_t count, int timeout_ms)
{
    struct timespec timeout = {
        .tv_sec = timeout_ms / 1000,
        .tv_nsec = timeout_ms % 1000 * 1000000L,
    };
    int ready = -1;

    if (caught == 0 && child_ended == 0) {
        ready =
            ppoll(pollfds, count, timeout_ms < 0 ? NULL : &timeout, &before);
    }
    child_ended = 0;
    for (size_t i = 0; i < count && ready <= 0; i++) {
        pollfds[i].revents = 0;
    }
}
