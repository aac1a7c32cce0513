/* A commit is filled: it begins with what time has brought, jobs are decided
 * for it, at once or ahead of its turn, and then it ends, and is there to be
 * carried out. Or there can be none, and those who wait are told.
 */

#include <assert.h>

#include "block.h"
#include "journal.h"
#include "writer_inside.h"

/* Jobs that memory is fetched ahead for, in two steps. */
#define FAR  6
#define NEAR 3

void
commit_take_done(struct writer *writer, struct batch *decided)
{
    struct job *job = decider_take_done(writer->decider);

    while (job != NULL) {
        struct job *next = job->next;

        batch_put_behind(decided, job, job);
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
        writer_fail(writer, &err);
    }
    assert(buf_size(&writer->heads.rows) == 0);
    heads_end(&writer->heads);
    return !waits;
}

void
commit_refuse(struct writer *writer, enum acta_code code, const char *text)
{
    struct batch answered = {0};
    struct job *job = writer->left.first;

    writer->left = (struct batch){0};
    writer->is_hindered = true;
    decider_end_waits(writer->decider, clock_mono().us);
    while (job != NULL) {
        struct job *next = job->next;

        if (job->schedule != NULL) {
            decider_put_back_due(writer->decider, job);
        } else if (decider_needs_entry(writer->decider, job)) {
            job_refuse(job, code, "%s", text);
            batch_put_behind(&answered, job, job);
        } else if (decide_alone(writer, job)) {
            batch_put_behind(&answered, job, job);
        }
        job = next;
    }
    commit_take_done(writer, &answered);
    writer_count_outcomes(writer, &answered);
    (void)writer_give_back(&answered, NULL);
}

size_t
commit_entry_size(size_t events, size_t records_size, size_t rows_size)
{
    return journal_entry_size(
        (events == 0 ? 0 : block_size(events, records_size)) +
        ROWS_HEADER_SIZE + rows_size);
}

bool
commit_has_room(struct writer *writer)
{
    const struct batch *left = &writer->left;
    size_t size = commit_entry_size(
        left->events_count, left->records_size,
        left->rows_size + decider_rows_size(writer->decider, writer->mono_us));
    const char *why_full = checkpointer_why_full(writer->checkpointer);
    struct acta_err err;
    enum acta_code code;

    if (why_full != NULL) {
        commit_refuse(writer, ACTA_FULL, why_full);
        return false;
    }
    code = journal_reserve(writer->rooms->journal, size, &err);
    if (code == ACTA_OK) {
        writer->room = journal_room(writer->rooms->journal);
        return true;
    }
    if (code != ACTA_FULL) {
        writer_fail(writer, &err);
    }
    commit_refuse(writer, code, err.text);
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

static enum acta_code
begin_commit(struct writer *writer, struct acta_err *err)
{
    struct memtable *active = tail_active(&writer->rooms->tail);

    writer->is_open = true;
    writer->before = memtable_count(active);
    if (memtable_is_empty(active)) {
        writer->filled = clock_mono();
    }
    see_time(writer);
    heads_begin(&writer->heads, writer->sequence + 1, writer->time_us);
    /* Of what time brings now, which is not asked for any more then. */
    writer->open.rows_size =
        decider_rows_size(writer->decider, writer->mono_us);
    return decider_begin(writer->decider, writer->mono_us, err);
}

/* Jobs in front of the one that is decided, for which memory is fetched: where
 * streams are sought is nowhere near, and the processor would wait for it, for
 * each of them.
 */
struct outlook {
    struct job *far;
    struct job *near;
};

static void
look_ahead(struct writer *writer, struct outlook *outlook, size_t far,
           size_t near)
{
    for (; far > 0 && outlook->far != NULL; far--) {
        heads_fetch_first(&writer->heads, outlook->far->stream_hash);
        outlook->far = outlook->far->next;
    }
    for (; near > 0 && outlook->near != NULL; near--) {
        heads_fetch_then(&writer->heads, outlook->near->stream_hash);
        outlook->near = outlook->near->next;
    }
}

void
commit_fill(struct writer *writer, bool ends)
{
    struct job *job = writer->left.first;
    struct outlook outlook = {job, job};
    enum acta_code code = ACTA_OK;
    struct acta_err err;

    if (writer->is_open) {
        heads_go_on(&writer->heads);
    } else {
        code = begin_commit(writer, &err);
    }
    /* What was taken may be later than the commit's begin. */
    decider_see_time(writer->decider, clock_mono().us);
    look_ahead(writer, &outlook, FAR, NEAR);
    while (code == ACTA_OK && job != NULL &&
           !decider_is_tired(writer->decider)) {
        struct job *next = job->next;
        bool waits;

        look_ahead(writer, &outlook, 1, 1);
        /* What is left of a batch that is cut is counted with the next one. */
        batch_uncount(&writer->left, job);
        batch_count(&writer->open, job);
        code = decide(writer->decider, job, &waits, &err);
        if (!waits) {
            batch_put_behind(&writer->open, job, job);
        }
        job = next;
    }
    if (code == ACTA_OK && ends) {
        code = decider_end(writer->decider, &err);
        rows_end(&writer->heads.rows);
    }
    if (code != ACTA_OK) {
        writer_fail(writer, &err);
    }
    writer->has_erasure |= writer->heads.has_erasure;
    heads_end(&writer->heads);
    writer->left.first = job;
}

void
writer_count_kept(struct writer *writer)
{
    struct decider_counts counts = decider_counts(writer->decider);

    atomic_store(&writer->leases, counts.leases);
    atomic_store(&writer->lease_waiters, counts.waiters);
    atomic_store(&writer->schedules, counts.schedules);
}

void
commit_end(struct writer *writer, struct commit *commit)
{
    const struct memtable *active = tail_active(&writer->rooms->tail);
    struct buf rows = writer->rows;

    *commit = (struct commit){
        .first = memtable_first_position(active) + writer->before,
        .count = memtable_count(active) - writer->before,
        .decided = writer->open,
    };
    for (size_t i = 0; i < commit->count; i++) {
        commit->records_size += memtable_record(active, commit->first + i).size;
    }
    writer->rows = writer->heads.rows;
    writer->heads.rows = rows;
    commit->rows = buf_slice(&writer->rows);
    if (commit->count > 0 || commit->rows.size > 0) {
        size_t size = journal_entry_size(commit_size(commit));

        writer->sequence++;
        writer->journal_bytes += size;
        writer->room -= size;
    }
    commit->sequence = writer->sequence;
    commit->time_us = writer->time_us;
    commit_take_done(writer, &commit->decided);
    writer->open = (struct batch){0};
    writer->is_open = false;
    writer->is_hindered |=
        writer->was_due && decider_is_hindered(writer->decider);
    writer_count_kept(writer);
}

void
commit_take_due(struct writer *writer)
{
    see_time(writer);
    heads_begin(&writer->heads, writer->sequence + 1, writer->time_us);
    decider_take_due(writer->decider, &writer->left, writer->time_us,
                     WRITER_EVENTS_MAX, WRITER_SIZE_MAX);
    heads_end(&writer->heads);
    writer->was_due = writer->left.first != NULL;
    writer->is_hindered |= decider_is_hindered(writer->decider);
}
