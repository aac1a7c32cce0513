#include "spread.h"

#include <time.h>

/* A pause is made of such, and ends with one if it becomes urgent. */
#define PIECE_US 5000

/* Not worth it: a timer is late by as much. */
#define PAUSE_MIN_US 200

static __thread const struct spread *current;

const struct spread *
spread_begin(const struct spread *spread)
{
    const struct spread *before = current;

    current = spread;
    return before;
}

static uint64_t
left_us(void)
{
    uint64_t since_us;

    if (current == NULL || atomic_load(current->is_urgent)) {
        return 0;
    }
    since_us = clock_us_since(current->begun);
    return since_us < current->time_us ? current->time_us - since_us : 0;
}

bool
spread_has_time(void)
{
    return left_us() > 0;
}

void
spread_pause(uint64_t us)
{
    uint64_t left;

    while (us > 0 && (left = left_us()) > 0) {
        struct timespec pause = {0};

        left = left < us ? left : us;
        left = left < PIECE_US ? left : PIECE_US;
        pause.tv_nsec = (long)left * 1000;
        (void)nanosleep(&pause, NULL);
        us -= left;
        if (current->on_pause != NULL) {
            current->on_pause(current->user);
        }
    }
}

void
spread_step(size_t done, size_t total)
{
    uint64_t since_us, due_us;

    if (current == NULL) {
        return;
    }
    since_us = clock_us_since(current->begun);
    due_us =
        (uint64_t)((double)current->time_us / 2 * (double)done / (double)total);
    if (due_us > since_us + PAUSE_MIN_US) {
        spread_pause(due_us - since_us);
    }
}
