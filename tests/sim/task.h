/* The only thread there is, taken in turns by tasks: the threads of the server,
 * the clients, and whoever brings trouble.
 *
 * A task runs until it waits, or until it is another's turn, which can be at
 * every call to the system, as the seed has it. Time is virtual: it moves by
 * little while somebody runs, and jumps to the next moment at which something
 * is due when nobody can. So a run is the same whenever its seed is.
 *
 * What the tasks do to the world, and when, is mixed into one number, the
 * trace: two runs that have the same one did the same.
 *
 * A run is a process. Whatever cannot go on ends it: see sim_fail().
 */

#ifndef ACTA_SIM_TASK_H
#define ACTA_SIM_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnd.h"

#define SIM_US UINT64_C(1000)
#define SIM_MS UINT64_C(1000000)
#define SIM_S  UINT64_C(1000000000)

#define SIM_NEVER UINT64_MAX

/* For functions that take the place of the system's, in the libraries too. */
#define SIM_CALL __attribute__((visibility("default")))

/* Whose a task is, and a descriptor: a process, so to speak. */
#define SIM_OWNER_WORLD 0u
#define SIM_OWNERS_MAX  256u

/* What a thread does. */
typedef void *task_run(void *user);

struct task;

/* How turns change, each once in so many. */
struct task_odds {
    uint64_t turn;  /* Calls to the system: another has its turn. 1 or more. */
    uint64_t stall; /* Calls after which the task stands still for a while. */
};

/* Begin: there is no task yet, and @seed says what happens. */
void task_init(uint64_t seed, const struct task_odds *odds);

/* Run tasks until @first, the first of them, has come to its end. */
void task_run_all(task_run *first, void *user);

/* Start one. @name is not copied. */
struct task *task_start(const char *name, unsigned owner, task_run *run,
                        void *user);

/* Who runs now, and whose that is; the world's if no task runs. */
struct task *task_self(void);
unsigned task_owner(void);
unsigned task_id(const struct task *task);

bool task_is_over(const struct task *task);
void *task_result(const struct task *task);

/* Drop all tasks of @owner where they are. If the one that runs is among them
 * this does not return.
 */
void task_kill(unsigned owner);

/* The one that runs comes to its end. */
void task_exit(void *result) __attribute__((noreturn));

/* Let none of @owner run for so long: as if it were stopped. */
void task_freeze(unsigned owner, uint64_t for_ns);

/* ---- waiting ---- */

/* It may be another's turn now. */
void task_yield(void);

/* Wait until @ready(@arg), or the time has come: then false. @ready is called
 * by others' turns, and must not change anything.
 */
bool task_wait(bool (*ready)(void *arg), void *arg, uint64_t until_ns);

void task_sleep(uint64_t for_ns);

/* ---- condition variables ---- */

/* Wait to be woken by one of the next two; false: the time has come. */
bool task_wait_signal(const void *object, uint64_t until_ns);
void task_signal(const void *object);
void task_broadcast(const void *object);

/* ---- time and chance ---- */

uint64_t task_now_ns(void);

/* Have @call(@a, @b) called at a time, between two turns. */
void task_at(uint64_t time_ns, void (*call)(void *a, uint64_t b), void *a,
             uint64_t b);

/* All chance there is, of this run. */
struct rnd *task_rnd(void);
uint64_t sim_below(uint64_t end);
bool sim_once_in(uint64_t times); /* 0: never */
uint64_t sim_between(uint64_t least, uint64_t most);

/* ---- the trace ---- */

void sim_trace(uint64_t what, uint64_t a, uint64_t b);
uint64_t sim_trace_sum(void);
uint64_t sim_switches(void);

/* Say something of what goes on, if that is wanted. */
extern bool sim_verbose;
void sim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A promise was broken: say so and end the run. */
void sim_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
