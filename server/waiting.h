/* Condition variables that wait by the monotonic clock. Any thread. */

#ifndef ACTA_WAITING_H
#define ACTA_WAITING_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

static inline void
waiting_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

/* When it will be @ms milliseconds from now. */
static inline struct timespec
waiting_until(unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return until;
}

/* False if that moment has come. */
static inline bool
waiting_is_left(const struct timespec *until)
{
    struct timespec now = waiting_until(0);

    return now.tv_sec < until->tv_sec ||
           (now.tv_sec == until->tv_sec && now.tv_nsec < until->tv_nsec);
}

/* Wait on @cond, with @lock held. False if that moment has come. */
static inline bool
waiting_wait(pthread_cond_t *cond, pthread_mutex_t *lock,
             const struct timespec *until)
{
    return pthread_cond_timedwait(cond, lock, until) == 0;
}

#endif
