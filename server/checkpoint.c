#include "checkpoint.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "failpoint.h"
#include "file.h"
#include "log.h"
#include "spread.h"
#include "sweep.h"
#include "waiting.h"

/* How often it looks at the disk, and for readers that have died. */
#define LOOK_MS    100
#define READERS_US (60 * 1000000ull)

/* Between steps of the sweeper it pauses as long as the last one took, and at
 * least so long: half of what the disk can do is for others.
 */
#define PAUSE_MIN_US 5000

/* Nothing has come for so long: the store has time for itself. */
#define IDLE_US 1000000

/* A memtable that takes longer to fill needs no memory of those before: what is
 * new costs it next to nothing.
 */
#define KEEP_US (60 * 1000000ull)

/* Bytes that a step of the sweeper may write anew, for the look at the disk. */
#define SWEEP_SIZE ((uint64_t)8 << 20)

/* The store's pages are copied before they are changed: a checkpoint may need
 * this many times the bytes of its records, and this much besides.
 */
#define SPACE_FACTOR 3
#define SPACE_MORE   ((uint64_t)1 << 20)

struct checkpointer {
    struct rooms *rooms;
    const struct database_options *options;
    pthread_t thread;

    _Atomic uint64_t disk_free;
    _Atomic(const char *) why_full; /* A constant; NULL: there is space. */
    _Atomic uint64_t checkpoints;
    _Atomic uint64_t last_ms;
    _Atomic bool is_urgent; /* Somebody waits for it, or soon will. */

    /* The thread's own. */
    bool is_starved;         /* The last one failed for want of space. */
    struct mono_time begun;  /* When the last one did. */
    struct sweeper *sweeper; /* owned */
    struct mono_time swept;  /* When its last step was done, */
    uint64_t pause_us;       /* and how long the next one waits. */
    struct mono_time looked; /* At the disk. */
    struct mono_time readers_checked;
    struct mono_time stored; /* When the last checkpoint was done. */

    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t woken;
    bool is_sealed;
    bool stopping;
};

/* Operators look at logs before they look at counters. */
static void
tell_of_space(const char *before, const char *why, uint64_t space)
{
    if (why != NULL && why != before) {
        log_warning(log_event("appends refused"), log_text("reason", why),
                    log_number("disk_free", space));
    } else if (why == NULL && before != NULL) {
        log_info(log_event("appends go on"), log_number("disk_free", space));
    }
}

static void
look_at_disk(struct checkpointer *checkpointer)
{
    uint64_t space = file_space(checkpointer->options->dir);

    const char *why = NULL;

    if (space < checkpointer->options->disk_reserve) {
        why = "less disk space is free than disk-reserve asks for";
    } else if (checkpointer->is_starved) {
        why = "there is no space to move what is in memory to the store";
    }
    if (why != NULL) {
        journal_drop_spares(checkpointer->rooms->journal);
    }
    tell_of_space(atomic_load(&checkpointer->why_full), why, space);
    atomic_store(&checkpointer->disk_free, space);
    atomic_store(&checkpointer->why_full, why);
    checkpointer->looked = clock_mono();
}

static bool
has_space(const char *dir, uint64_t size)
{
    return file_space(dir) >= SPACE_FACTOR * size + SPACE_MORE;
}

bool
checkpoint_fits(const char *dir, struct memtable *memtable)
{
    return has_space(dir, memtable_size(memtable));
}

/* A disk that fills up while LMDB commits shows as EIO. The journal has what
 * was to be stored, and the next try writes all of it anew, so it can be tried
 * again; unless LMDB says that the environment is not to be used any more.
 */
static bool
was_for_space(struct checkpointer *checkpointer, uint64_t size)
{
    struct store_meta meta;

    return !has_space(checkpointer->options->dir, size) &&
           store_meta(checkpointer->rooms->store, &meta, NULL) == ACTA_OK;
}

static enum acta_code
move_to_store(struct checkpointer *checkpointer, struct memtable *memtable,
              uint64_t sequence, struct acta_err *err)
{
    struct mono_time begun = clock_mono();
    enum acta_code code;

    /* Do not begin what would probably fail half way. */
    if (!checkpoint_fits(checkpointer->options->dir, memtable)) {
        return acta_fail(err, ACTA_FULL, "no space for a checkpoint");
    }
    FAILPOINT("checkpoint");
    code = store_checkpoint(checkpointer->rooms->store, memtable, sequence,
                            memtable_last_time(memtable), err);
    if (code == ACTA_IO &&
        was_for_space(checkpointer, memtable_size(memtable))) {
        return acta_fail(err, ACTA_FULL, "no space for a checkpoint");
    }
    if (code != ACTA_OK) {
        return code;
    }
    store_learn(checkpointer->rooms->store);
    FAILPOINT("tail-drop");
    tail_drop_sealed(&checkpointer->rooms->tail);
    FAILPOINT("journal-release");
    code = journal_release(checkpointer->rooms->journal, sequence, err);
    FAILPOINT("journal-released");
    if (code != ACTA_OK) {
        return code;
    }
    sweeper_look(checkpointer->sweeper);
    checkpointer->stored = clock_mono();
    atomic_fetch_add(&checkpointer->checkpoints, 1);
    atomic_store(&checkpointer->last_ms, clock_us_since(begun) / 1000);
    return ACTA_OK;
}

/* Events come when they like: what is sealed after a quiet hour has no hour. */
#define SPREAD_MAX_US (10 * 1000000ull)

/* The disk fills up, and is cleared, while a checkpoint takes its time. */
static void
on_pause(void *user)
{
    struct checkpointer *checkpointer = user;

    if (clock_us_since(checkpointer->looked) < LOOK_MS * 1000) {
        return;
    }
    look_at_disk(checkpointer);
    if (atomic_load(&checkpointer->why_full) != NULL) {
        checkpointer_hurry(checkpointer);
    }
}

/* A checkpoint has three quarters of the time from the last one's beginning
 * until now: if memtables go on filling as they did, it is done before it is
 * waited for. It has none if appends are refused until the disk was looked at
 * again, or the sweeper has to erase something.
 */
static struct spread
spread_from_last(struct checkpointer *checkpointer)
{
    struct mono_time now = clock_mono();
    uint64_t time_us = (now.us - checkpointer->begun.us) / 4 * 3;

    if (atomic_load(&checkpointer->why_full) != NULL ||
        atomic_load(&checkpointer->rooms->erasures_pending) > 0) {
        time_us = 0;
    }
    checkpointer->begun = now;
    return (struct spread){
        .begun = now,
        .time_us = time_us < SPREAD_MAX_US ? time_us : SPREAD_MAX_US,
        .is_urgent = &checkpointer->is_urgent,
        .on_pause = on_pause,
        .user = checkpointer,
    };
}

/* Move what is sealed. False if it has to be tried again. */
static bool
checkpoint(struct checkpointer *checkpointer)
{
    struct spread spread = spread_from_last(checkpointer);
    struct memtable *memtable;
    struct acta_err err;
    enum acta_code code;
    uint64_t sequence;

    memtable = tail_sealed(&checkpointer->rooms->tail, &sequence);
    if (memtable == NULL) {
        return true;
    }
    (void)spread_begin(&spread);
    code = move_to_store(checkpointer, memtable, sequence, &err);
    (void)spread_begin(NULL);
    memtable_unref(memtable);
    checkpointer->is_starved = code == ACTA_FULL || code == ACTA_MEMORY;
    if (code != ACTA_OK && code != ACTA_FULL && code != ACTA_MEMORY) {
        checkpointer->options->fatal(checkpointer->options->user, &err);
    }
    return code == ACTA_OK;
}

/* ---- between checkpoints ---- */

/* One step of the sweeper, if it is time for it. */
static void
sweep(struct checkpointer *checkpointer)
{
    struct mono_time begun = clock_mono();
    enum sweeper_next next = SWEEPER_WAITS;
    enum acta_code code = ACTA_FULL;
    struct acta_err err;

    if (begun.us - checkpointer->swept.us < checkpointer->pause_us) {
        return;
    }
    if (has_space(checkpointer->options->dir, SWEEP_SIZE)) {
        code = sweeper_step(checkpointer->sweeper, begun, &next, &err);
    }
    if (code == ACTA_IO && !was_for_space(checkpointer, SWEEP_SIZE)) {
        checkpointer->options->fatal(checkpointer->options->user, &err);
    }
    checkpointer->swept = clock_mono();
    checkpointer->pause_us = checkpointer->swept.us - begun.us;
    if (checkpointer->pause_us < PAUSE_MIN_US) {
        checkpointer->pause_us = PAUSE_MIN_US;
    }
    if (code != ACTA_OK || next != SWEEPER_GOES_ON) {
        checkpointer->pause_us = LOOK_MS * 1000;
    }
}

/* Give memory back once the store has everything: a server that is appended to
 * is not to wait for it.
 */
static void
slim(struct checkpointer *checkpointer)
{
    struct rooms *rooms = checkpointer->rooms;
    uint64_t since_us = clock_us_since(checkpointer->stored);
    bool is_idle = since_us >= IDLE_US && tail_is_stored(&rooms->tail);
    struct acta_err err;

    if (is_idle || since_us >= KEEP_US) {
        memtable_drop_kept();
    }
    if (is_idle && store_slim(rooms->store, &err) != ACTA_OK) {
        checkpointer->options->fatal(checkpointer->options->user, &err);
    }
}

/* ---- the thread ---- */

/* What it does when nothing is sealed, or cannot be moved: every now and then,
 * without the lock.
 */
static void
do_chores(struct checkpointer *checkpointer)
{
    pthread_mutex_unlock(&checkpointer->lock);
    look_at_disk(checkpointer);
    if (clock_us_since(checkpointer->readers_checked) >= READERS_US) {
        store_check_readers(checkpointer->rooms->store);
        checkpointer->readers_checked = clock_mono();
    }
    sweep(checkpointer);
    slim(checkpointer);
    pthread_mutex_lock(&checkpointer->lock);
}

/* Until when it waits, unless it is woken. */
static struct timespec
next_chore(const struct checkpointer *checkpointer)
{
    unsigned pause_ms = (unsigned)(checkpointer->pause_us / 1000);

    return waiting_until(pause_ms < LOOK_MS ? pause_ms : LOOK_MS);
}

static void *
run(void *arg)
{
    struct checkpointer *checkpointer = arg;

    pthread_mutex_lock(&checkpointer->lock);
    for (;;) {
        bool done = true;

        if (checkpointer->is_sealed) {
            /* The writer may seal the next one before this call returns. */
            checkpointer->is_sealed = false;
            pthread_mutex_unlock(&checkpointer->lock);
            done = checkpoint(checkpointer);
            pthread_mutex_lock(&checkpointer->lock);
            checkpointer->is_sealed |= !done;
        }
        if (checkpointer->stopping && (!checkpointer->is_sealed || !done)) {
            break; /* What is still sealed is in the journal. */
        }
        if (!checkpointer->is_sealed || !done) {
            struct timespec until = next_chore(checkpointer);

            (void)waiting_wait(&checkpointer->woken, &checkpointer->lock,
                               &until);
        }
        if (!checkpointer->stopping) {
            do_chores(checkpointer);
        }
    }
    pthread_mutex_unlock(&checkpointer->lock);
    return NULL;
}

static void
checkpointer_free(struct checkpointer *checkpointer)
{
    pthread_cond_destroy(&checkpointer->woken);
    pthread_mutex_destroy(&checkpointer->lock);
    sweeper_free(checkpointer->sweeper);
    free(checkpointer);
}

enum acta_code
checkpointer_start(struct checkpointer **out, struct rooms *rooms,
                   const struct database_options *options, struct acta_err *err)
{
    struct checkpointer *checkpointer = calloc(1, sizeof(*checkpointer));
    enum acta_code code;
    int rc;

    *out = NULL;
    if (checkpointer == NULL) {
        return acta_fail(err, ACTA_MEMORY, "start checkpoints");
    }
    checkpointer->rooms = rooms;
    checkpointer->options = options;
    code = sweeper_new(&checkpointer->sweeper, rooms,
                       options->sweep_interval_ms, err);
    if (code != ACTA_OK) {
        free(checkpointer);
        return code;
    }
    checkpointer->begun = clock_mono();
    checkpointer->swept = checkpointer->begun;
    checkpointer->readers_checked = checkpointer->swept;
    look_at_disk(checkpointer);
    pthread_mutex_init(&checkpointer->lock, NULL);
    waiting_init(&checkpointer->woken);
    rc = pthread_create(&checkpointer->thread, NULL, run, checkpointer);
    if (rc != 0) {
        checkpointer_free(checkpointer);
        return acta_fail(err, ACTA_MEMORY, "start checkpoints: thread: %s",
                         strerror(rc));
    }
    *out = checkpointer;
    return ACTA_OK;
}

void
checkpointer_wake(struct checkpointer *checkpointer)
{
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->is_sealed = true;
    atomic_store(&checkpointer->is_urgent, checkpointer->stopping);
    pthread_cond_signal(&checkpointer->woken);
    pthread_mutex_unlock(&checkpointer->lock);
}

void
checkpointer_hurry(struct checkpointer *checkpointer)
{
    atomic_store(&checkpointer->is_urgent, true);
}

void
checkpointer_stop(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL) {
        return;
    }
    pthread_mutex_lock(&checkpointer->lock);
    checkpointer->stopping = true;
    atomic_store(&checkpointer->is_urgent, true);
    pthread_cond_signal(&checkpointer->woken);
    pthread_mutex_unlock(&checkpointer->lock);
    pthread_join(checkpointer->thread, NULL);
    checkpointer_free(checkpointer);
}

const char *
checkpointer_why_full(struct checkpointer *checkpointer)
{
    return atomic_load(&checkpointer->why_full);
}

void
checkpointer_stats(struct checkpointer *checkpointer,
                   struct database_stats *stats)
{
    stats->disk_free = atomic_load(&checkpointer->disk_free);
    stats->full = atomic_load(&checkpointer->why_full) != NULL;
    stats->checkpoints = atomic_load(&checkpointer->checkpoints);
    stats->checkpoint_last_ms = atomic_load(&checkpointer->last_ms);
    stats->swept = sweeper_swept(checkpointer->sweeper);
    stats->unswept = sweeper_damaged(checkpointer->sweeper);
}
