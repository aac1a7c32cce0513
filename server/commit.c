#include "block.h"
#include "failpoint.h"
#include "journal.h"
#include "writer_inside.h"

#include <stdlib.h>
#include <string.h>

/* Memory for rows that is kept from one commit to the next. */
#define ROWS_KEEP ((size_t)1 << 20)

void
writer_fail(struct writer *writer, const struct acta_err *err)
{
    writer->options->fatal(writer->options->user, err);
    abort(); /* It must not have returned: see database.h. */
}

/* ---- the entry ---- */

/* Build the journal's entry of @commit in @to, behind which there is room. */
static void
build_entry(struct writer *writer, const struct commit *commit, uint8_t *to,
            struct journal_entry *entry)
{
    struct memtable *active = tail_active(&writer->rooms->tail);
    size_t size = 0;
    struct block_writer block;

    if (commit->count > 0) {
        size = block_size(commit->count, commit->records_size);
        block_writer_init(&block, to, commit->first, commit->count);
        for (size_t i = 0; i < commit->count; i++) {
            struct block_record record =
                memtable_record(active, commit->first + i);

            block_writer_add(&block, &record);
        }
        block_writer_end(&block);
        entry->block = slice_make(to, size);
    }
    if (commit->rows.size > 0) {
        memcpy(to + size, commit->rows.data, commit->rows.size);
        entry->rows = slice_make(to + size, commit->rows.size);
    }
}

size_t
commit_size(const struct commit *commit)
{
    return (commit->count == 0
                ? 0
                : block_size(commit->count, commit->records_size)) +
           commit->rows.size;
}

void
commit_write(struct writer *writer, const struct commit *commit)
{
    struct journal *journal = writer->rooms->journal;
    struct journal_entry entry = {
        .sequence = commit->sequence,
        .first_position = commit->first,
        .time_us = commit->time_us,
    };
    uint8_t *to = journal_prepare(journal, commit_size(commit));
    struct acta_err err;

    if (to == NULL) {
        acta_fail(&err, ACTA_MEMORY, "journal entry");
        writer_fail(writer, &err);
        return;
    }
    build_entry(writer, commit, to, &entry);
    if (journal_write(journal, &entry, &err) != ACTA_OK) {
        writer_fail(writer, &err);
    }
}

/* ---- giving back ---- */

void
batch_put_behind(struct batch *batch, struct job *first, struct job *last)
{
    last->next = NULL;
    if (batch->first == NULL) {
        batch->first = first;
    } else {
        batch->last->next = first;
    }
    batch->last = last;
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

struct job *
writer_give_back(const struct batch *batch, const struct completions *own)
{
    struct batch mine = {0};
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
        } else if (first->completions == own) {
            batch_put_behind(&mine, first, last);
        } else {
            completions_give(first->completions, first, last);
        }
        first = next;
    }
    return mine.first;
}

void
writer_count_outcomes(struct writer *writer, const struct batch *batch)
{
    for (struct job *a = batch->first; a != NULL; a = a->next) {
        if (a->outcome.code != ACTA_OK) {
            atomic_fetch_add(&writer->refusals, 1);
        } else if (a->outcome.repeated) {
            atomic_fetch_add(&writer->repeats, 1);
        }
    }
}

/* ---- all of it ---- */

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

/* But for @own, whose thread knows. */
static void
wake_watchers(struct writer *writer, const struct watcher *own)
{
    pthread_mutex_lock(&writer->watchers_lock);
    for (struct watcher *w = writer->watchers; w != NULL; w = w->next) {
        if (w != own) {
            w->wake(w->user);
        }
    }
    pthread_mutex_unlock(&writer->watchers_lock);
}

struct job *
commit_carry_out(struct writer *writer, const struct commit *commit,
                 const struct watcher *watcher, const struct completions *own)
{
    struct job *mine;

    if (commit->count > 0 || commit->rows.size > 0) {
        commit_write(writer, commit);
        writer->is_marked = false;
        FAILPOINT("publish");
        tail_publish(&writer->rooms->tail, commit->first + commit->count - 1,
                     commit->sequence);
        atomic_fetch_add(&writer->commits, 1);
        atomic_fetch_add(&writer->journal_written,
                         journal_entry_size(commit_size(commit)));
        atomic_fetch_add(&writer->events, commit->count);
    }
    buf_clear(&writer->rows);
    buf_trim(&writer->rows, ROWS_KEEP);
    writer_count_outcomes(writer, &commit->decided);
    tell_of_consumers(writer, &commit->decided);
    FAILPOINT("answer");
    mine = writer_give_back(&commit->decided, own);
    FAILPOINT("answered");
    if (commit->count > 0) {
        wake_watchers(writer, watcher);
    }
    return mine;
}
