#include "writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "decide.h"
#include "failpoint.h"
#include "heads.h"
#include "limit.h"
#include "queue.h"
#include "wake.h"

/* With nothing to do, the writer looks up this often. */
#define IDLE_MS 100

/* Memory for rows that is kept from one commit to the next. */
#define ROWS_KEEP ((size_t)1 << 20)

struct writer {
    struct rooms *rooms;
    struct checkpointer *checkpointer;
    const struct database_options *options;
    struct queue queue; /* Shared with all threads. */
    pthread_t thread;

    /* The thread's own. */
    struct heads heads;
    struct decider *decider; /* owned */
    uint64_t sequence;       /* Of the last entry. */
    uint64_t time_us;        /* Of the last entry. */
    uint64_t mono_us;        /* When the batch was begun. */
    uint64_t journal_bytes;  /* Since the memtable began. */
    struct mono_time filled; /* When its first event came. */
    bool is_marked;          /* Nothing was written since the last mark. */
    bool has_erasure; /* In the memtable: it is to go to the store now. */
    bool is_starved;  /* There was no memory for another memtable. */
    bool is_hindered; /* What is due has to wait: for space, or since it could
                         not be read. */

    /* Counters: written by the thread, read by any. */
    _Atomic uint64_t commits;
    _Atomic uint64_t events;
    _Atomic uint64_t refusals;
    _Atomic uint64_t repeats;
    _Atomic uint64_t tail_events;
    _Atomic uint64_t tail_size;
    _Atomic uint64_t leases;
    _Atomic uint64_t lease_waiters;
    _Atomic uint64_t schedules;

    pthread_mutex_t watchers_lock; /* Guards what follows. */
    struct watcher *watchers;
};

_Static_assert(ACTA_APPEND_EVENTS_MAX <= WRITER_EVENTS_MAX,
               "a single append is no more than a batch");

/* It is sealed before a turn, in which there may be a batch of what is due and
 * one of what is asked for.
 */
size_t
writer_memtable_events(size_t checkpoint_events)
{
    return 2 * checkpoint_events + 2 * WRITER_EVENTS_MAX;
}

static void
fail_for_good(struct writer *writer, const struct acta_err *err)
{
    writer->options->fatal(writer->options->user, err);
    abort(); /* It must not have returned: see database.h. */
}

/* ---- a commit ---- */

/* Write everything behind the first @from events of the active memtable, and
 * @rows, as one entry. With neither it is a mark: it says that all before it is
 * synced (J1 in journal.h), so that damage to the last entry is not taken for a
 * torn one.
 */
static void
write_entry(struct writer *writer, size_t from, struct slice rows)
{
    struct memtable *active = tail_active(&writer->rooms->tail);
    uint64_t first = memtable_first_position(active) + from;
    size_t count = memtable_count(active) - from;
    struct journal_entry entry = {
        .sequence = writer->sequence + 1,
        .first_position = first,
        .time_us = writer->time_us,
    };
    size_t records_size = 0, size = 0;
    struct block_writer block;
    struct acta_err err;
    uint8_t *to;

    for (size_t i = 0; i < count; i++) {
        records_size += memtable_record(active, first + i).size;
    }
    if (count > 0) {
        size = block_size(count, records_size);
    }
    to = journal_prepare(writer->rooms->journal, size + rows.size);
    if (to == NULL) {
        acta_fail(&err, ACTA_MEMORY, "journal entry");
        fail_for_good(writer, &err);
        return;
    }
    if (count > 0) {
        block_writer_init(&block, to, first, count);
        for (size_t i = 0; i < count; i++) {
            struct block_record record = memtable_record(active, first + i);

            block_writer_add(&block, &record);
        }
        block_writer_end(&block);
        entry.block = slice_make(to, size);
    }
    if (rows.size > 0) {
        memcpy(to + size, rows.data, rows.size);
        entry.rows = slice_make(to + size, rows.size);
    }
    if (journal_write(writer->rooms->journal, &entry, &err) != ACTA_OK) {
        fail_for_good(writer, &err);
    }
    writer->sequence = entry.sequence;
    writer->journal_bytes += journal_entry_size(size + rows.size);
}

static void
wake_watchers(struct writer *writer)
{
    pthread_mutex_lock(&writer->watchers_lock);
    for (struct watcher *w = writer->watchers; w != NULL; w = w->next) {
        w->wake(w->user);
    }
    pthread_mutex_unlock(&writer->watchers_lock);
}

static void
free_jobs(struct job *first)
{
    while (first != NULL) {
        struct job *next = first->next;

        job_free(first);
        first = next;
    }
}

/* Give back runs of jobs that belong to the same completions: of a batch that
 * came from one thread, all at once.
 */
static void
give_back(const struct batch *batch)
{
    struct job *first = batch->first;

    while (first != NULL) {
        struct job *last = first;
        struct job *next;

        while (last->next != NULL &&
               last->next->completions == first->completions) {
            last = last->next;
        }
        next = last->next;
        last->next = NULL;
        if (first->completions == NULL) {
            free_jobs(first);
        } else {
            completions_give(first->completions, first, last);
        }
        first = next;
    }
}

static void
count_outcomes(struct writer *writer, const struct batch *batch)
{
    for (struct job *a = batch->first; a != NULL; a = a->next) {
        if (a->outcome.code != ACTA_OK) {
            atomic_fetch_add(&writer->refusals, 1);
        } else if (a->outcome.repeated) {
            atomic_fetch_add(&writer->repeats, 1);
        }
    }
}

static void
put_behind(struct batch *batch, struct job *job)
{
    job->next = NULL;
    if (batch->first == NULL) {
        batch->first = job;
    } else {
        batch->last->next = job;
    }
    batch->last = job;
}

/* Jobs that had been kept waiting come behind the others. */
static void
add_done(struct writer *writer, struct batch *decided)
{
    struct job *job = decider_take_done(writer->decider);

    while (job != NULL) {
        struct job *next = job->next;

        put_behind(decided, job);
        job = next;
    }
}

/* Decide what needs no entry: nothing comes of it but the answer. False if the
 * job is kept waiting.
 */
static bool
decide_alone(struct writer *writer, struct job *job)
{
    struct acta_err err;
    bool waits;

    heads_begin(&writer->heads, writer->sequence + 1, writer->time_us);
    if (decide(writer->decider, job, &waits, &err) != ACTA_OK) {
        fail_for_good(writer, &err);
    }
    assert(buf_size(&writer->heads.rows) == 0);
    heads_end(&writer->heads);
    return !waits;
}

/* There can be no entry. Who only asks, or goes on as before, is answered; what
 * was scheduled is tried again later; the others are told why.
 */
static void
refuse_all(struct writer *writer, struct batch *batch, enum acta_code code,
           const char *text)
{
    struct batch answered = {0};
    struct job *job = batch->first;

    writer->is_hindered = true;
    decider_end_waits(writer->decider, clock_mono().us);
    while (job != NULL) {
        struct job *next = job->next;

        if (job->schedule != NULL) {
            decider_put_back_due(writer->decider, job);
        } else if (decider_needs_entry(writer->decider, job)) {
            job_refuse(job, code, "%s", text);
            put_behind(&answered, job);
        } else if (decide_alone(writer, job)) {
            put_behind(&answered, job);
        }
        job = next;
    }
    add_done(writer, &answered);
    count_outcomes(writer, &answered);
    give_back(&answered);
}

/* Make sure that the batch can be written before anything is decided, so that
 * a full disk changes nothing. False: the batch was refused.
 */
static bool
has_room(struct writer *writer, struct batch *batch)
{
    size_t events_size =
        batch->events_count == 0
            ? 0
            : block_size(batch->events_count, batch->records_size);
    size_t size =
        journal_entry_size(events_size + ROWS_HEADER_SIZE + batch->rows_size +
                           decider_rows_size(writer->decider, writer->mono_us));
    const char *why_full = checkpointer_why_full(writer->checkpointer);
    struct acta_err err;
    enum acta_code code;

    if (why_full != NULL) {
        refuse_all(writer, batch, ACTA_FULL, why_full);
        return false;
    }
    code = journal_reserve(writer->rooms->journal, size, &err);
    if (code == ACTA_OK) {
        return true;
    }
    if (code != ACTA_FULL) {
        fail_for_good(writer, &err);
    }
    refuse_all(writer, batch, code, err.text);
    return false;
}

static void
see_time(struct writer *writer)
{
    uint64_t now_us = rooms_see_time(writer->rooms, clock_wall().us);

    if (now_us > writer->time_us) {
        writer->time_us = now_us; /* Time never goes back. */
    }
}

/* Decide what time has brought, and jobs from the batch's first on, until all
 * are decided or it has taken long. *@decided is what can be given back once it
 * is durable, in the order in which it was decided; *@batch what is left.
 */
static void
decide_some(struct writer *writer, struct batch *batch, struct batch *decided)
{
    struct job *job = batch->first;
    struct acta_err err;
    enum acta_code code;

    *decided = (struct batch){0};
    see_time(writer);
    heads_begin(&writer->heads, writer->sequence + 1, writer->time_us);
    code = decider_begin(writer->decider, writer->mono_us, &err);
    while (code == ACTA_OK && job != NULL &&
           !decider_is_tired(writer->decider)) {
        struct job *next = job->next;
        bool waits;

        code = decide(writer->decider, job, &waits, &err);
        if (!waits) {
            put_behind(decided, job);
        }
        job = next;
    }
    if (code == ACTA_OK) {
        code = decider_end(writer->decider, &err);
    }
    if (code != ACTA_OK) {
        fail_for_good(writer, &err);
    }
    rows_end(&writer->heads.rows);
    writer->has_erasure |= writer->heads.has_erasure;
    heads_end(&writer->heads);
    batch->first = job;
}

static bool
has_changed_consumer(const struct job *job)
{
    return job->kind == JOB_CONSUMER && job->outcome.code == ACTA_OK &&
           job->outcome.consumer_changed.changed;
}

/* The groups' thread reads again what was changed, and so do sessions. */
static void
tell_of_consumers(struct writer *writer, const struct batch *decided)
{
    struct rooms *rooms = writer->rooms;

    for (struct job *job = decided->first; job != NULL; job = job->next) {
        if (!has_changed_consumer(job)) {
            continue;
        }
        atomic_fetch_add(&rooms->consumers.changes, 1);
        if (rooms->consumers.changed != NULL) {
            rooms->consumers.changed(rooms->consumers.user, job->consumer.name);
        }
    }
}

static void
count_kept(struct writer *writer)
{
    struct decider_counts counts = decider_counts(writer->decider);

    atomic_store(&writer->leases, counts.leases);
    atomic_store(&writer->lease_waiters, counts.waiters);
    atomic_store(&writer->schedules, counts.schedules);
}

/* Decide jobs of the batch, make what comes of them durable, and answer. What
 * was not decided is left in the batch.
 */
static void
commit_some(struct writer *writer, struct batch *batch)
{
    struct memtable *active = tail_active(&writer->rooms->tail);
    bool was_empty = memtable_is_empty(active);
    size_t before = memtable_count(active);
    struct batch decided;
    struct slice rows;
    size_t after;

    decide_some(writer, batch, &decided);
    rows = buf_slice(&writer->heads.rows);
    after = memtable_count(active);
    if (after > before || rows.size > 0) {
        if (was_empty) {
            writer->filled = clock_mono();
        }
        write_entry(writer, before, rows);
        writer->is_marked = false;
        FAILPOINT("publish");
        tail_publish(&writer->rooms->tail,
                     memtable_first_position(active) + after - 1,
                     writer->sequence);
        atomic_fetch_add(&writer->commits, 1);
        atomic_fetch_add(&writer->events, after - before);
    }
    buf_clear(&writer->heads.rows);
    buf_trim(&writer->heads.rows, ROWS_KEEP);
    add_done(writer, &decided);
    count_outcomes(writer, &decided);
    count_kept(writer);
    tell_of_consumers(writer, &decided);
    FAILPOINT("answer");
    give_back(&decided);
    FAILPOINT("answered");
    if (after > before) {
        wake_watchers(writer);
    }
}

/* Commit the batch, or if it is empty what time has brought. */
static void
commit(struct writer *writer, struct batch *batch)
{
    do {
        writer->mono_us = clock_mono().us;
        if (!has_room(writer, batch)) {
            return;
        }
        commit_some(writer, batch);
    } while (batch->first != NULL);
}

/* What was scheduled, and is due. */
static void
commit_due(struct writer *writer)
{
    struct batch batch;

    see_time(writer);
    heads_begin(&writer->heads, writer->sequence + 1, writer->time_us);
    decider_take_due(writer->decider, &batch, writer->time_us,
                     WRITER_EVENTS_MAX, WRITER_SIZE_MAX);
    heads_end(&writer->heads);
    if (batch.first != NULL) {
        commit(writer, &batch);
    }
    writer->is_hindered |= decider_is_hindered(writer->decider);
}

/* ---- sealing ---- */

static bool
is_due(const struct writer *writer, const struct memtable *active)
{
    const struct database_options *options = writer->options;

    if (memtable_is_empty(active)) {
        return false;
    }
    return writer->has_erasure ||
           memtable_count(active) >= options->checkpoint_events ||
           memtable_size(active) >= options->checkpoint_size ||
           writer->journal_bytes >= options->checkpoint_journal ||
           store_changes(writer->rooms->store, memtable_lists_count(active)) >=
               options->checkpoint_pages ||
           clock_us_since(writer->filled) >= options->checkpoint_age_ms * 1000;
}

/* Twice what makes a checkpoint due is where the writer has to wait for the
 * one that runs.
 */
static bool
is_over(const struct writer *writer, const struct memtable *active)
{
    const struct database_options *options = writer->options;

    return memtable_count(active) >= 2 * options->checkpoint_events ||
           memtable_size(active) >= 2 * options->checkpoint_size ||
           writer->journal_bytes >= 2 * options->checkpoint_journal ||
           store_changes(writer->rooms->store, memtable_lists_count(active)) >=
               2 * options->checkpoint_pages;
}

/* False if there is no memory for another memtable now. */
static bool
seal(struct writer *writer)
{
    if (tail_seal(&writer->rooms->tail, writer->sequence, NULL) != ACTA_OK) {
        return false;
    }
    writer->journal_bytes = 0;
    writer->has_erasure = false;
    checkpointer_wake(writer->checkpointer, writer->time_us);
    return true;
}

/* Begin a new segment of the journal if there is something in the old ones that
 * has to go. Then the memtable is to be sealed, even an empty one, so that they
 * have no entry that the store does not have soon.
 */
static bool
turn(struct writer *writer)
{
    struct acta_err err;
    bool turned;

    if (journal_turn(writer->rooms->journal, &turned, &err) != ACTA_OK) {
        fail_for_good(writer, &err);
    }
    return turned;
}

/* Seal the memtable if it is due. False if the tail can take no more: the store
 * is behind, for want of space or speed.
 */
static bool
make_tail_ready(struct writer *writer)
{
    struct memtable *active = tail_active(&writer->rooms->tail);

    if (!tail_is_sealed(&writer->rooms->tail) &&
        (turn(writer) || is_due(writer, active))) {
        writer->is_starved = !seal(writer); /* Then it is tried again. */
    }
    active = tail_active(&writer->rooms->tail);
    atomic_store(&writer->tail_events, memtable_count(active));
    atomic_store(&writer->tail_size, memtable_size(active));
    return !is_over(writer, active);
}

static void
mark(struct writer *writer)
{
    struct acta_err err;
    enum acta_code code;

    code = journal_reserve(writer->rooms->journal, journal_entry_size(0), &err);
    if (code != ACTA_OK && code != ACTA_FULL) {
        fail_for_good(writer, &err);
    }
    if (code == ACTA_OK) {
        write_entry(writer, memtable_count(tail_active(&writer->rooms->tail)),
                    SLICE_NONE);
        writer->is_marked = true;
    }
}

/* Microseconds until time brings something. */
static uint64_t
time_left_us(const struct writer *writer)
{
    uint64_t now_us = rooms_see_time(writer->rooms, clock_wall().us);

    return decider_wait_us(writer->decider, clock_mono().us, now_us,
                           IDLE_MS * 1000);
}

/* How long to wait for jobs. What time brings is tried again now and then while
 * it is hindered.
 */
static unsigned
wait_ms(const struct writer *writer, bool ready)
{
    return ready && !writer->is_hindered
               ? (unsigned)((time_left_us(writer) + 999) / 1000)
               : IDLE_MS;
}

/* Nobody is kept waiting any longer. */
static void
let_go_of_waiters(struct writer *writer)
{
    struct batch refused = {0};

    decider_stop(writer->decider);
    add_done(writer, &refused);
    give_back(&refused);
}

static void
take_turn(struct writer *writer, struct batch *batch)
{
    bool is_due = time_left_us(writer) == 0;

    writer->is_hindered = false;
    if (is_due) {
        commit_due(writer);
    }
    if (batch->first != NULL || is_due) {
        commit(writer, batch);
    } else if (!writer->is_marked) {
        mark(writer);
    }
}

static void *
run(void *arg)
{
    struct writer *writer = arg;
    struct batch batch;

    wake_soon();
    for (;;) {
        bool ready = make_tail_ready(writer);

        /* Wait for the checkpoint, if that will help: it may just have ended,
         * and then the next one can begin.
         */
        if (!ready && !writer->is_starved &&
            checkpointer_why_full(writer->checkpointer) == NULL) {
            tail_wait_dropped(&writer->rooms->tail, IDLE_MS);
            continue;
        }
        if (!queue_take(&writer->queue, &batch, WRITER_EVENTS_MAX,
                        WRITER_SIZE_MAX, wait_ms(writer, ready))) {
            let_go_of_waiters(writer);
            return NULL;
        }
        if (ready) {
            take_turn(writer, &batch);
        } else {
            refuse_all(writer, &batch, ACTA_FULL,
                       "there is no space for what has to go to the store");
        }
    }
}

/* ---- starting and stopping ---- */

enum acta_code
writer_start(struct writer **out, struct rooms *rooms,
             struct checkpointer *checkpointer,
             const struct database_options *options, uint64_t sequence,
             uint64_t last_time_us, struct acta_err *err)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    enum acta_code code;
    int rc;

    *out = NULL;
    if (writer == NULL) {
        return acta_fail(err, ACTA_MEMORY, "start writer");
    }
    writer->rooms = rooms;
    writer->checkpointer = checkpointer;
    writer->options = options;
    writer->sequence = sequence;
    writer->time_us = last_time_us;
    writer->filled = clock_mono();
    writer->is_marked = true;
    code = heads_open(&writer->heads, rooms, err);
    if (code != ACTA_OK) {
        free(writer);
        return code;
    }
    queue_init(&writer->queue, options->queue_size);
    pthread_mutex_init(&writer->watchers_lock, NULL);
    writer->decider = decider_new(&writer->heads);
    if (writer->decider == NULL) {
        writer_free(writer);
        return acta_fail(err, ACTA_MEMORY, "start writer");
    }
    code = decider_load(writer->decider, clock_mono().us, err);
    if (code != ACTA_OK) {
        writer_free(writer);
        return code;
    }
    count_kept(writer);
    rc = pthread_create(&writer->thread, NULL, run, writer);
    if (rc != 0) {
        writer_free(writer);
        return acta_fail(err, ACTA_MEMORY, "start writer: thread: %s",
                         strerror(rc));
    }
    *out = writer;
    return ACTA_OK;
}

void
writer_stop(struct writer *writer)
{
    if (writer != NULL) {
        queue_close(&writer->queue);
        pthread_join(writer->thread, NULL);
    }
}

void
writer_last(const struct writer *writer, uint64_t *sequence, uint64_t *time_us)
{
    *sequence = writer->sequence;
    *time_us = writer->time_us;
}

void
writer_free(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    decider_free(writer->decider);
    heads_close(&writer->heads);
    queue_fini(&writer->queue);
    pthread_mutex_destroy(&writer->watchers_lock);
    free(writer);
}

/* ---- for other threads ---- */

enum acta_code
writer_submit(struct writer *writer, struct job *job)
{
    return queue_put(&writer->queue, job);
}

void
writer_refuse(struct writer *writer)
{
    queue_close(&writer->queue);
}

void
writer_watch(struct writer *writer, struct watcher *watcher)
{
    pthread_mutex_lock(&writer->watchers_lock);
    watcher->next = writer->watchers;
    writer->watchers = watcher;
    pthread_mutex_unlock(&writer->watchers_lock);
}

void
writer_unwatch(struct writer *writer, struct watcher *watcher)
{
    struct watcher **at;

    pthread_mutex_lock(&writer->watchers_lock);
    for (at = &writer->watchers; *at != NULL; at = &(*at)->next) {
        if (*at == watcher) {
            *at = watcher->next;
            break;
        }
    }
    pthread_mutex_unlock(&writer->watchers_lock);
}

void
writer_stats(struct writer *writer, struct database_stats *stats)
{
    stats->commits = atomic_load(&writer->commits);
    stats->events = atomic_load(&writer->events);
    stats->refusals = atomic_load(&writer->refusals);
    stats->repeats = atomic_load(&writer->repeats);
    stats->tail_events = atomic_load(&writer->tail_events);
    stats->tail_size = atomic_load(&writer->tail_size);
    stats->leases = atomic_load(&writer->leases);
    stats->lease_waiters = atomic_load(&writer->lease_waiters);
    stats->schedules = atomic_load(&writer->schedules);
    stats->queue_size = queue_size(&writer->queue);
}
