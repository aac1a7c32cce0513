/* A task is begun with a context of its own, and then left and entered by
 * jumps, which cost no system call. Nobody is told that he may run: who waits
 * leaves a question, which is asked of all before each turn. There are a few
 * dozen of them, so that is quick, and no wake-up can be lost by a mistake of
 * this file.
 */

#include "task.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "fiber.h"
#include "reach.h"
#include "spread.h"

#define TASKS_MAX  192
#define STACK_SIZE ((size_t)512 << 10)
#define TIMERS_MAX 8192
#define STEPS_MAX  UINT64_C(20000000)

/* What a turn, and a call to the system, take. */
#define TURN_NS 700
#define CALL_NS 150

#define STALL_MAX_NS (30 * SIM_MS)

enum task_state {
    TASK_FREE, /* No task, or one that is over and forgotten. */
    TASK_RUNS,
    TASK_WAITS,
    TASK_OVER,
};

struct task {
    enum task_state state;
    const char *name;
    unsigned id;
    unsigned owner;
    task_run *run;
    void *user;
    void *result;

    bool has_begun;
    uint8_t *stack;
    struct fiber fiber;
    ucontext_t begin;
    jmp_buf jump;
    int saved_errno;
    const struct spread *spread; /* Each thread has its own. */

    /* Of one that waits. */
    bool (*ready)(void *arg); /* NULL: for the time only */
    void *arg;
    uint64_t until_ns;
    const void *object; /* Whose signal it waits for. */
    bool is_signalled;
};

struct timer {
    uint64_t time_ns;
    uint64_t serial;
    void (*call)(void *a, uint64_t b);
    void *a;
    uint64_t b;
};

/* Of the process: a run is one. */
static struct {
    struct task *tasks[TASKS_MAX];
    size_t tasks_count;
    struct task *self;
    unsigned ids;
    uint8_t *free_stacks[TASKS_MAX];
    size_t free_stacks_count;
    uint64_t frozen_until[SIM_OWNERS_MAX];

    struct timer timers[TIMERS_MAX]; /* A heap: the next one is first. */
    size_t timers_count;
    uint64_t serials;

    uint64_t now_ns;
    uint64_t steps;
    uint64_t switches;
    uint64_t seed;
    uint64_t trace;
    struct rnd rnd;
    struct task_odds odds;
    jmp_buf home; /* task_run_all() */
    struct fiber home_fiber;
} all;

bool sim_verbose;

void
task_init(uint64_t seed, const struct task_odds *odds)
{
    memset(&all, 0, sizeof(all));
    all.seed = seed;
    all.odds = *odds;
    all.now_ns = 1000 * SIM_S;
    rnd_seed(&all.rnd, seed * UINT64_C(0x9e3779b97f4a7c15) + 1);
}

/* ---- saying ---- */

static void __attribute__((format(printf, 2, 0)))
say(const char *prefix, const char *format, va_list arguments)
{
    char text[1024];

    vsnprintf(text, sizeof(text), format, arguments);
    fprintf(stderr, "%s%12.6f %-10s %s\n", prefix, (double)all.now_ns / 1e9,
            all.self == NULL ? "-" : all.self->name, text);
}

void
sim_say(const char *format, ...)
{
    va_list arguments;

    if (!sim_verbose) {
        return;
    }
    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
}

void
sim_fail(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "seed %" PRIu64 " has failed:\n", all.seed);
    va_start(arguments, format);
    say("  ", format, arguments);
    va_end(arguments);
    fflush(stderr);
    real_exit(1);
}

void
sim_trace(uint64_t what, uint64_t a, uint64_t b)
{
    uint64_t mixed = all.trace ^ what * UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 29 ^ a) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 32 ^ b) * UINT64_C(0x94d049bb133111eb);
    all.trace = mixed ^ mixed >> 31;
}

uint64_t
sim_trace_sum(void)
{
    return all.trace;
}

uint64_t
sim_switches(void)
{
    return all.switches;
}

/* ---- time and chance ---- */

uint64_t
task_now_ns(void)
{
    return all.now_ns;
}

struct rnd *
task_rnd(void)
{
    return &all.rnd;
}

uint64_t
sim_below(uint64_t end)
{
    return rnd_below(&all.rnd, end);
}

bool
sim_once_in(uint64_t times)
{
    return times > 0 && rnd_below(&all.rnd, times) == 0;
}

uint64_t
sim_between(uint64_t least, uint64_t most)
{
    return least + rnd_below(&all.rnd, most - least + 1);
}

static bool
is_before(const struct timer *a, const struct timer *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns
                                    : a->serial < b->serial;
}

static void
swap(struct timer *a, struct timer *b)
{
    struct timer between = *a;

    *a = *b;
    *b = between;
}

void
task_at(uint64_t time_ns, void (*call)(void *a, uint64_t b), void *a,
        uint64_t b)
{
    size_t at = all.timers_count++;

    assert(at < TIMERS_MAX);
    all.timers[at] = (struct timer){time_ns, all.serials++, call, a, b};
    while (at > 0 && is_before(&all.timers[at], &all.timers[(at - 1) / 2])) {
        swap(&all.timers[at], &all.timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct timer
take_timer(void)
{
    struct timer first = all.timers[0];
    size_t at = 0;

    all.timers[0] = all.timers[--all.timers_count];
    for (;;) {
        size_t least = at;

        for (size_t i = 2 * at + 1; i <= 2 * at + 2; i++) {
            if (i < all.timers_count &&
                is_before(&all.timers[i], &all.timers[least])) {
                least = i;
            }
        }
        if (least == at) {
            return first;
        }
        swap(&all.timers[at], &all.timers[least]);
        at = least;
    }
}

static void
run_timers(void)
{
    while (all.timers_count > 0 && all.timers[0].time_ns <= all.now_ns) {
        struct timer timer = take_timer();

        timer.call(timer.a, timer.b);
    }
}

/* ---- who can run ---- */

struct task *
task_self(void)
{
    return all.self;
}

unsigned
task_owner(void)
{
    return all.self == NULL ? SIM_OWNER_WORLD : all.self->owner;
}

unsigned
task_id(const struct task *task)
{
    return task->id;
}

bool
task_is_over(const struct task *task)
{
    return task->state == TASK_OVER;
}

void *
task_result(const struct task *task)
{
    return task->result;
}

static bool
is_ready(const struct task *task)
{
    return task->ready != NULL && task->ready(task->arg);
}

static bool
can_run(const struct task *task)
{
    if (all.frozen_until[task->owner] > all.now_ns) {
        return false;
    }
    return task->state == TASK_RUNS || task->until_ns <= all.now_ns ||
           is_ready(task);
}

/* Nobody can run: go to when somebody can. */
static void
jump_in_time(void)
{
    uint64_t next_ns = SIM_NEVER;

    if (all.timers_count > 0) {
        next_ns = all.timers[0].time_ns;
    }
    for (size_t i = 0; i < all.tasks_count; i++) {
        const struct task *task = all.tasks[i];
        uint64_t due_ns = task->until_ns;
        uint64_t frozen_ns = all.frozen_until[task->owner];

        if (task->state == TASK_RUNS || is_ready(task)) {
            due_ns = frozen_ns;
        } else if (due_ns < frozen_ns) {
            due_ns = frozen_ns;
        }
        if (due_ns < next_ns) {
            next_ns = due_ns;
        }
    }
    if (next_ns == SIM_NEVER) {
        sim_fail("nobody can ever run again");
    }
    if (next_ns > all.now_ns) {
        all.now_ns = next_ns;
    }
}

static struct task *
pick(void)
{
    struct task *found[TASKS_MAX];
    size_t count = 0;

    for (;;) {
        if (++all.steps > STEPS_MAX) {
            sim_fail("it does not come to an end");
        }
        run_timers();
        for (size_t i = 0; i < all.tasks_count; i++) {
            if (can_run(all.tasks[i])) {
                found[count++] = all.tasks[i];
            }
        }
        if (count > 0) {
            return found[count == 1 ? 0 : sim_below(count)];
        }
        jump_in_time();
    }
}

/* ---- turns ---- */

static void begin(void);

/* On whose stack we are, if that is to be come back to. */
static struct fiber *
fiber_of(struct task *task)
{
    if (task == NULL) {
        return &all.home_fiber;
    }
    return task->state == TASK_OVER ? NULL : &task->fiber;
}

/* Leave where we are, and go on with whoever is picked. */
static void
switch_task(void)
{
    struct task *from = all.self, *to = pick();

    all.now_ns += TURN_NS;
    if (to == from) {
        return;
    }
    all.switches++;
    sim_trace(1, to->id, all.now_ns);
    if (from != NULL) {
        from->saved_errno = errno;
        from->spread = spread_begin(NULL);
        if (_setjmp(from->jump) != 0) {
            fiber_arrive(&all.self->fiber, NULL);
            (void)spread_begin(all.self->spread);
            errno = all.self->saved_errno;
            return;
        }
    }
    all.self = to;
    fiber_leave(fiber_of(from), &to->fiber);
    if (to->has_begun) {
        _longjmp(to->jump, 1);
    }
    to->has_begun = true;
    setcontext(&to->begin);
    abort();
}

/* The task that runs is none any more. */
static void
drop(struct task *task)
{
    assert(all.free_stacks_count < TASKS_MAX);
    all.free_stacks[all.free_stacks_count++] = task->stack;
    for (size_t i = 0; i < all.tasks_count; i++) {
        if (all.tasks[i] == task) {
            memmove(&all.tasks[i], &all.tasks[i + 1],
                    (all.tasks_count - i - 1) * sizeof(struct task *));
            all.tasks_count--;
            break;
        }
    }
    task->state = TASK_OVER;
}

void
task_exit(void *result)
{
    struct task *task = all.self;

    task->result = result;
    drop(task);
    if (task->id == 1) {
        fiber_leave(NULL, &all.home_fiber);
        _longjmp(all.home, 1);
    }
    switch_task();
    abort();
}

static void
begin(void)
{
    fiber_arrive(&all.self->fiber, all.self->id == 1 ? &all.home_fiber : NULL);
    task_exit(all.self->run(all.self->user));
}

struct task *
task_start(const char *name, unsigned owner, task_run *run, void *user)
{
    struct task *task = real_calloc(1, sizeof(*task));

    assert(all.tasks_count < TASKS_MAX);
    assert(owner < SIM_OWNERS_MAX);
    task->state = TASK_RUNS;
    task->name = name;
    task->id = ++all.ids;
    task->owner = owner;
    task->run = run;
    task->user = user;
    if (all.free_stacks_count > 0) {
        task->stack = all.free_stacks[--all.free_stacks_count];
    } else {
        task->stack =
            real_mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert(task->stack != MAP_FAILED);
    }
    fiber_init(&task->fiber, task->stack, STACK_SIZE);
    getcontext(&task->begin);
    task->begin.uc_stack.ss_sp = task->stack;
    task->begin.uc_stack.ss_size = STACK_SIZE;
    task->begin.uc_link = NULL;
    makecontext(&task->begin, begin, 0);
    all.tasks[all.tasks_count++] = task;
    return task;
}

void
task_run_all(task_run *first, void *user)
{
    task_start("world", SIM_OWNER_WORLD, first, user);
    if (_setjmp(all.home) == 0) {
        switch_task();
    } else {
        fiber_arrive(&all.home_fiber, NULL);
    }
    all.self = NULL;
}

void
task_kill(unsigned owner)
{
    bool was_self = all.self != NULL && all.self->owner == owner;

    all.frozen_until[owner] = 0;
    for (size_t i = all.tasks_count; i > 0; i--) {
        struct task *task = all.tasks[i - 1];

        if (task->owner == owner) {
            drop(task);
        }
    }
    if (was_self) {
        switch_task();
        abort();
    }
}

void
task_freeze(unsigned owner, uint64_t for_ns)
{
    all.frozen_until[owner] = all.now_ns + for_ns;
}

/* ---- waiting ---- */

void
task_yield(void)
{
    if (all.self == NULL) {
        return;
    }
    all.now_ns += CALL_NS;
    if (sim_once_in(all.odds.stall)) {
        task_sleep(sim_below(STALL_MAX_NS));
    } else if (all.odds.turn == 1 || sim_once_in(all.odds.turn)) {
        switch_task();
    }
}

bool
task_wait(bool (*ready)(void *arg), void *arg, uint64_t until_ns)
{
    struct task *self = all.self;

    assert(self != NULL);
    self->ready = ready;
    self->arg = arg;
    self->until_ns = until_ns;
    self->state = TASK_WAITS;
    switch_task();
    self->state = TASK_RUNS;
    return ready != NULL && ready(arg);
}

void
task_sleep(uint64_t for_ns)
{
    (void)task_wait(NULL, NULL, all.now_ns + for_ns);
}

static bool
is_signalled(void *arg)
{
    const struct task *task = arg;

    return task->is_signalled;
}

bool
task_wait_signal(const void *object, uint64_t until_ns)
{
    struct task *self = all.self;
    bool woken;

    self->object = object;
    self->is_signalled = false;
    woken = task_wait(is_signalled, self, until_ns);
    self->object = NULL;
    return woken;
}

void
task_signal(const void *object)
{
    struct task *found[TASKS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < all.tasks_count; i++) {
        struct task *task = all.tasks[i];

        if (task->object == object && !task->is_signalled) {
            found[count++] = task;
        }
    }
    if (count > 0) {
        found[sim_below(count)]->is_signalled = true;
    }
}

void
task_broadcast(const void *object)
{
    for (size_t i = 0; i < all.tasks_count; i++) {
        if (all.tasks[i]->object == object) {
            all.tasks[i]->is_signalled = true;
        }
    }
}
