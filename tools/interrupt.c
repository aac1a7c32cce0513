/* The signals are blocked between looking at what was noted and waiting, so
 * that none is missed in between.
 */

#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

#define NUMBERS_COUNT (sizeof(numbers) / sizeof(numbers[0]))

static volatile sig_atomic_t caught;
static volatile sig_atomic_t child_ended; /* And nobody was woken yet. */
static volatile sig_atomic_t notes_all;   /* Not the first one alone. */

static void
note(int number)
{
    caught = number;
    if (!notes_all) {
        signal(number, SIG_DFL);
    }
}

static void
note_child(int number)
{
    (void)number;
    child_ended = 1;
}

static void
exit_at_once(int number)
{
    (void)number;
    _exit(0);
}

static void
handle(void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < NUMBERS_COUNT; i++) {
        struct sigaction old;

        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) {
            sigaction(numbers[i], &action, NULL);
        }
    }
}

void
interrupt_catch(void)
{
    struct sigaction action = {
        .sa_handler = note_child,
        .sa_flags = SA_RESTART | SA_NOCLDSTOP,
    };

    handle(note);
    sigaction(SIGCHLD, &action, NULL);
}

void
interrupt_exits(void)
{
    handle(exit_at_once);
}

int
interrupt_caught(void)
{
    return caught;
}

void
interrupt_note_all(bool all)
{
    notes_all = all;
}

void
interrupt_forget(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    int number = caught;

    caught = 0;
    if (number != 0) {
        sigaction(number, &action, NULL);
    }
}

void
interrupt_wait(struct pollfd *pollfds, size_t count, int timeout_ms)
{
    struct timespec timeout = {
        .tv_sec = timeout_ms / 1000,
        .tv_nsec = timeout_ms % 1000 * 1000000L,
    };
    sigset_t blocked, before;
    int ready = -1;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    for (size_t i = 0; i < NUMBERS_COUNT; i++) {
        sigaddset(&blocked, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, &before);
    if (caught == 0 && child_ended == 0) {
        ready =
            ppoll(pollfds, count, timeout_ms < 0 ? NULL : &timeout, &before);
    }
    child_ended = 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    for (size_t i = 0; i < count && ready <= 0; i++) {
        pollfds[i].revents = 0;
    }
}
