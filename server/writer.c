#include "writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "wake.h"
#include "writer_inside.h"

/* With nothing to do, the writer looks up this often. */
#define IDLE_MS 100

/* Of an append that is committed by the thread that brings it. */
#define SMALL_SIZE_MAX ((size_t)64 << 10)

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

/* ---- sealing ---- */

static void
note_sizes(struct writer *writer)
{
    const struct memtable *active = tail_active(&writer->rooms->tail);

    atomic_store(&writer->tail_events, memtable_count(active));
    atomic_store(&writer->tail_size, memtable_size(active));
}

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

/* False if there is no memory for another memtable now. What is to be erased
 * does not wait for a checkpoint that takes its time.
 */
static bool
seal(struct writer *writer, bool is_urgent)
{
    if (tail_seal(&writer->rooms->tail, writer->sequence, writer->time_us,
                  NULL) != ACTA_OK) {
        return false;
    }
    writer->journal_bytes = 0;
    writer->has_erasure = false;
    checkpointer_wake(writer->checkpointer);
    if (is_urgent) {
        checkpointer_hurry(writer->checkpointer);
    }
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
        writer_fail(writer, &err);
    }
    writer->room = journal_room(writer->rooms->journal);
    return turned;
}

/* Is there a sealed one still? If this one is to be sealed, too, the checkpoint
 * is not to take its time any more.
 */
static bool
is_hurried(struct writer *writer, const struct memtable *active)
{
    if (!tail_is_sealed(&writer->rooms->tail)) {
        return false;
    }
    if (journal_wants_turn(writer->rooms->journal) || is_due(writer, active)) {
        checkpointer_hurry(writer->checkpointer);
    }
    return true;
}

/* Seal the memtable if it is due. False if the tail can take no more: the store
 * is behind, for want of space or speed.
 */
static bool
make_tail_ready(struct writer *writer)
{
    struct memtable *active = tail_active(&writer->rooms->tail);

    if (!is_hurried(writer, active)) {
        bool turned = turn(writer);

        if (turned || is_due(writer, active)) {
            /* If it is not sealed, it is tried again. */
            writer->is_starved = !seal(writer, turned || writer->has_erasure);
        }
    }
    note_sizes(writer);
    return !is_over(writer, tail_active(&writer->rooms->tail));
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
    commit_take_done(writer, &refused);
    (void)writer_give_back(&refused, NULL);
}

/* ---- turns ---- */

/* Seal the memtable if it is due, and wait for the checkpoint if that will
 * help: it may just have ended, and then the next one can begin.
 */
static bool
wait_for_tail(struct writer *writer)
{
    bool ready = make_tail_ready(writer);

    while (!ready && !writer->is_starved &&
           checkpointer_why_full(writer->checkpointer) == NULL) {
        tail_wait_dropped(&writer->rooms->tail, IDLE_MS);
        ready = make_tail_ready(writer);
    }
    return ready;
}

/* Take what is to be decided next: in turns what is due, and jobs. False if
 * there is nothing, and time brings nothing either.
 */
static bool
take_next(struct writer *writer)
{
    bool is_time;

    if (writer->left.first != NULL) {
        return true; /* Of a batch that was cut. */
    }
    is_time = time_left_us(writer) == 0;
    if (writer->was_due) {
        writer->was_due = false;
    } else {
        writer->is_hindered = false;
        if (is_time) {
            commit_take_due(writer);
        }
    }
    if (writer->left.first == NULL) {
        queue_take(&writer->queue, &writer->left, WRITER_EVENTS_MAX,
                   WRITER_SIZE_MAX, true);
    }
    return writer->left.first != NULL || is_time;
}

/* Take jobs that still fit into the commit and the journal's segment. */
static bool
take_more(struct writer *writer)
{
    const struct batch *open = &writer->open;
    size_t used = open->records_size + open->rows_size;
    size_t entry = commit_entry_size(
        WRITER_EVENTS_MAX, open->records_size,
        open->rows_size + decider_rows_size(writer->decider, writer->mono_us));

    if (open->events_count >= WRITER_EVENTS_MAX || used >= WRITER_SIZE_MAX ||
        entry >= writer->room) {
        return false;
    }
    queue_take(
        &writer->queue, &writer->left, WRITER_EVENTS_MAX - open->events_count,
        writer->room - entry < WRITER_SIZE_MAX - used ? writer->room - entry
                                                      : WRITER_SIZE_MAX - used,
        false);
    return writer->left.first != NULL;
}

static void
mark(struct writer *writer)
{
    const struct memtable *active = tail_active(&writer->rooms->tail);
    size_t size = journal_entry_size(0);
    struct acta_err err;
    enum acta_code code;

    code = journal_reserve(writer->rooms->journal, size, &err);
    if (code != ACTA_OK && code != ACTA_FULL) {
        writer_fail(writer, &err);
    }
    if (code == ACTA_OK) {
        struct commit commit = {
            .sequence = ++writer->sequence,
            .time_us = writer->time_us,
            .first = memtable_first_position(active) + memtable_count(active),
        };

        commit_write(writer, &commit);
        writer->room = journal_room(writer->rooms->journal);
        writer->journal_bytes += size;
        writer->is_marked = true;
    }
}

/* Decide what is to be in this commit. False if there will be none. */
static bool
decide_commit(struct writer *writer, bool *ready)
{
    *ready = true;
    if (writer->is_open) { /* Decided ahead. */
        if (writer->left.first == NULL) {
            writer->left = (struct batch){0};
            if (!queue_is_long(&writer->queue)) {
                (void)take_more(writer);
            }
        }
        commit_fill(writer, true);
        return true;
    }
    *ready = wait_for_tail(writer);
    if (!take_next(writer)) {
        if (*ready && !writer->is_marked) {
            mark(writer);
        }
        return false;
    }
    if (!*ready) {
        commit_refuse(writer, ACTA_FULL,
                      "there is no space for what has to go to the store");
        return false;
    }
    writer->mono_us = clock_mono().us;
    if (!commit_has_room(writer)) {
        return false;
    }
    commit_fill(writer, true);
    return true;
}

static void
commit(struct writer *writer)
{
    struct commit commit;
    bool ready;
    bool has_commit = decide_commit(writer, &ready);

    if (has_commit) {
        commit_end(writer, &commit);
        note_sizes(writer);
    }
    queue_begin_write(&writer->queue, writer->left.first != NULL,
                      wait_ms(writer, ready));
    if (has_commit) {
        (void)commit_carry_out(writer, &commit, NULL, NULL);
    }
    queue_end_write(&writer->queue, true);
}

/* Is there anything to be done before more is decided, for which nothing may be
 * under way?
 */
static bool
has_to_stop(struct writer *writer)
{
    const struct memtable *active = tail_active(&writer->rooms->tail);

    return is_over(writer, active) || time_left_us(writer) == 0 ||
           checkpointer_why_full(writer->checkpointer) != NULL ||
           (!is_hurried(writer, active) &&
            (journal_wants_turn(writer->rooms->journal) ||
             is_due(writer, active)));
}

/* While a commit is being written, decide what the next one is to have. */
static void
decide_ahead(struct writer *writer)
{
    bool has_more = false;

    if (writer->left.first == NULL && !has_to_stop(writer)) {
        writer->left = (struct batch){0};
        if (!writer->is_open) {
            writer->mono_us = clock_mono().us;
        }
        if (take_more(writer)) {
            commit_fill(writer, false);
            note_sizes(writer);
            has_more = writer->left.first == NULL;
        }
    }
    queue_end_ahead(&writer->queue, writer->is_open, !has_more);
}

/* May it be committed by whoever brings it? What is searched for a condition is
 * bounded, and takes no longer than a page that is read.
 */
static bool
is_small_append(const struct job *job)
{
    return job->kind == JOB_APPEND && job->size <= SMALL_SIZE_MAX;
}

static bool
fits(const struct writer *writer, const struct job *job)
{
    return commit_entry_size(
               job->events_count, job->records_size,
               job->rows_size +
                   decider_rows_size(writer->decider, writer->mono_us)) <=
           writer->room;
}

bool
writer_commit_now(struct writer *writer, struct job *job,
                  const struct watcher *watcher, struct job **done)
{
    struct commit commit;
    bool has_schedules;
    unsigned ms;
    bool can;

    if (!is_small_append(job) || !queue_try_commit(&writer->queue)) {
        return false;
    }
    has_schedules = job->append.more.schedules_count > 0;
    writer->mono_us = clock_mono().us;
    can = fits(writer, job) && !has_to_stop(writer);
    if (can) {
        writer->left = (struct batch){.first = job, .last = job};
        batch_count(&writer->left, job);
        job->next = NULL;
        commit_fill(writer, true);
        commit_end(writer, &commit);
        note_sizes(writer);
    }
    ms = wait_ms(writer, true);
    queue_begin_write(&writer->queue, false, ms);
    if (can) {
        *done = commit_carry_out(writer, &commit, watcher, job->completions);
    }
    queue_end_write(&writer->queue, false);
    if (has_schedules && ms < IDLE_MS) {
        queue_look_again(&writer->queue); /* One may be due before that. */
    }
    return can;
}

static void *
run(void *arg)
{
    struct writer *writer = arg;

    wake_soon();
    for (;;) {
        switch (queue_await(&writer->queue)) {
        case QUEUE_COMMIT:
            commit(writer);
            break;
        case QUEUE_AHEAD:
            decide_ahead(writer);
            break;
        case QUEUE_OVER:
            /* Nobody decides any more. Connections that wait for a lease or a
             * consumer would not end, and the server not before them.
             */
            if (!atomic_exchange(&writer->has_let_go, true)) {
                let_go_of_waiters(writer);
            }
            return NULL;
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
    int rc = 0;

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
    buf_init(&writer->rows, SIZE_MAX);
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
    writer_count_kept(writer);
    while (rc == 0 && writer->threads_count < THREADS) {
        rc = pthread_create(&writer->threads[writer->threads_count], NULL, run,
                            writer);
        writer->threads_count += rc == 0;
    }
    if (rc != 0) {
        writer_stop(writer);
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
    if (writer == NULL) {
        return;
    }
    queue_close(&writer->queue);
    for (size_t i = 0; i < writer->threads_count; i++) {
        pthread_join(writer->threads[i], NULL);
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
    buf_fini(&writer->rows);
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
    stats->journal_written = atomic_load(&writer->journal_written);
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
