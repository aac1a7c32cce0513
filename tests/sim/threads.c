/* pthreads over tasks. What the system keeps in a mutex or a lock is kept
 * there, too: zeros are an open one, as with static initialisers.
 *
 * Condition variables wait by the monotonic clock, as all of Acta does.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "task.h"

struct lock {
    uint32_t holder; /* Id of the task; 0: nobody. */
    uint32_t readers;
};

_Static_assert(sizeof(struct lock) <= sizeof(pthread_mutex_t), "room");
_Static_assert(sizeof(struct lock) <= sizeof(pthread_rwlock_t), "room");

static uint32_t
my_id(void)
{
    return task_self() == NULL ? UINT32_MAX : task_id(task_self());
}

/* ---- threads ---- */

SIM_CALL int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
               void *(*run)(void *), void *user)
{
    (void)attributes;
    task_yield();
    *thread = (pthread_t)task_start("thread", task_owner(), run, user);
    return 0;
}

static bool
is_over(void *arg)
{
    return task_is_over(arg);
}

SIM_CALL int
pthread_join(pthread_t thread, void **result)
{
    struct task *task = (struct task *)thread;

    (void)task_wait(is_over, task, SIM_NEVER);
    if (result != NULL) {
        *result = task_result(task);
    }
    return 0;
}

SIM_CALL int
pthread_detach(pthread_t thread)
{
    (void)thread;
    return 0;
}

SIM_CALL pthread_t
pthread_self(void)
{
    return (pthread_t)my_id();
}

SIM_CALL int
pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    (void)how;
    (void)set;
    if (before != NULL) {
        sigemptyset(before);
    }
    return 0;
}

SIM_CALL int
pthread_once(pthread_once_t *once, void (*run)(void))
{
    if (*once == 0) {
        *once = 1;
        run();
    }
    return 0;
}

/* ---- mutexes ---- */

static bool
is_free(void *arg)
{
    const struct lock *lock = arg;

    return lock->holder == 0 && lock->readers == 0;
}

static bool
is_free_to_read(void *arg)
{
    const struct lock *lock = arg;

    return lock->holder == 0;
}

static int
take(struct lock *lock)
{
    if (task_self() != NULL) {
        task_yield();
        while (!is_free(lock)) {
            (void)task_wait(is_free, lock, SIM_NEVER);
        }
    }
    lock->holder = my_id();
    return 0;
}

SIM_CALL int
pthread_mutex_init(pthread_mutex_t *mutex,
                   const pthread_mutexattr_t *attributes)
{
    (void)attributes;
    memset(mutex, 0, sizeof(*mutex));
    return 0;
}

SIM_CALL int
pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

SIM_CALL int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return take((struct lock *)mutex);
}

SIM_CALL int
pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    struct lock *lock = (struct lock *)mutex;

    if (lock->holder != my_id()) {
        sim_fail("a mutex is unlocked that another holds");
    }
    lock->holder = 0;
    task_yield();
    return 0;
}

/* A life that has ended leaves nothing behind in memory. */
SIM_CALL int
pthread_mutex_consistent(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

/* ---- locks for readers and writers ---- */

SIM_CALL int
pthread_rwlock_init(pthread_rwlock_t *rwlock,
                    const pthread_rwlockattr_t *attributes)
{
    (void)attributes;
    memset(rwlock, 0, sizeof(*rwlock));
    return 0;
}

SIM_CALL int
pthread_rwlock_destroy(pthread_rwlock_t *rwlock)
{
    (void)rwlock;
    return 0;
}

SIM_CALL int
pthread_rwlock_wrlock(pthread_rwlock_t *rwlock)
{
    return take((struct lock *)rwlock);
}

SIM_CALL int
pthread_rwlock_rdlock(pthread_rwlock_t *rwlock)
{
    struct lock *lock = (struct lock *)rwlock;

    if (task_self() != NULL) {
        task_yield();
        while (!is_free_to_read(lock)) {
            (void)task_wait(is_free_to_read, lock, SIM_NEVER);
        }
    }
    lock->readers++;
    return 0;
}

SIM_CALL int
pthread_rwlock_unlock(pthread_rwlock_t *rwlock)
{
    struct lock *lock = (struct lock *)rwlock;

    if (lock->holder != 0) {
        lock->holder = 0;
    } else {
        lock->readers--;
    }
    task_yield();
    return 0;
}

/* ---- condition variables ---- */

SIM_CALL int
pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes)
{
    (void)attributes;
    memset(cond, 0, sizeof(*cond));
    return 0;
}

SIM_CALL int
pthread_cond_destroy(pthread_cond_t *cond)
{
    (void)cond;
    return 0;
}

static int
wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t until_ns)
{
    struct lock *lock = (struct lock *)mutex;
    bool woken;

    lock->holder = 0;
    woken = task_wait_signal(cond, until_ns);
    while (!is_free(lock)) {
        (void)task_wait(is_free, lock, SIM_NEVER);
    }
    lock->holder = my_id();
    return woken ? 0 : ETIMEDOUT;
}

SIM_CALL int
pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return wait_until(cond, mutex, SIM_NEVER);
}

SIM_CALL int
pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                       const struct timespec *until)
{
    uint64_t seconds = (uint64_t)until->tv_sec;

    return wait_until(cond, mutex,
                      seconds > SIM_NEVER / SIM_S - 1
                          ? SIM_NEVER
                          : seconds * SIM_S + (uint64_t)until->tv_nsec);
}

SIM_CALL int
pthread_cond_signal(pthread_cond_t *cond)
{
    task_signal(cond);
    task_yield();
    return 0;
}

SIM_CALL int
pthread_cond_broadcast(pthread_cond_t *cond)
{
    task_broadcast(cond);
    task_yield();
    return 0;
}
