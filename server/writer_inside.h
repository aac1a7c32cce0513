/* What deciding and writing have in common. Internal to writer.c, which has the
 * turns, commit_fill.c, which decides, and commit.c, which carries out what was
 * decided.
 */

#ifndef ACTA_WRITER_INSIDE_H
#define ACTA_WRITER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "decide.h"
#include "heads.h"
#include "queue.h"
#include "writer.h"

/* Threads that take turns: while one writes, the other may decide ahead. */
#define THREADS 2

/* What was decided together, and becomes one entry of the journal. */
struct commit {
    uint64_t sequence; /* Of the entry; of the last one, if it needs none. */
    uint64_t time_us;
    uint64_t first;      /* Position of its first event. */
    size_t count;        /* Events. */
    size_t records_size; /* Of their records. */
    struct slice rows;
    struct batch decided;
};

struct writer {
    struct rooms *rooms;
    struct checkpointer *checkpointer;
    const struct database_options *options;
    struct queue queue; /* Shared with all threads. */
    pthread_t threads[THREADS];
    size_t threads_count;
    _Atomic bool has_let_go; /* Of those who wait, at the end. */

    /* These belong to whose turn it is to decide. */
    struct heads heads;
    struct decider *decider; /* owned */
    struct batch left;       /* owned: taken, and not decided yet */
    bool is_open;            /* A commit is begun: */
    struct batch open;       /* owned: what is decided for it */
    size_t before;           /* Events of the memtable before it. */
    size_t room;             /* What the journal's segment has left. */
    uint64_t sequence;       /* Of the last entry. */
    uint64_t time_us;        /* Of the commit that was begun last. */
    uint64_t mono_us;        /* When that was. */
    uint64_t journal_bytes;  /* Since the memtable began. */
    struct mono_time filled; /* When its first event came. */
    bool has_erasure; /* In the memtable: it is to go to the store now. */
    bool is_starved;  /* There was no memory for another memtable. */
    bool is_hindered; /* What is due has to wait: for space, or since it could
                         not be read. */
    bool was_due;     /* The last batch was what was due: jobs come now. */

    /* These to whose turn it is to write. */
    struct buf rows; /* owned: of the commit that is being written */
    bool is_marked;  /* Nothing was written since the last mark. */

    /* Counters: written by those two, read by any. */
    _Atomic uint64_t commits;
    _Atomic uint64_t journal_written;
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

/* ---- commit_fill.c ---- */

/* What was scheduled, and is due, is what is left to be decided: nothing else
 * may be left.
 */
void commit_take_due(struct writer *writer);

/* Bytes of the entry of a commit with @events events. */
size_t commit_entry_size(size_t events, size_t records_size, size_t rows_size);

/* Make sure that what is left can be written before anything is decided, so
 * that a full disk changes nothing. False: it was refused.
 */
bool commit_has_room(struct writer *writer);

/* There can be no entry. Who only asks, or goes on as before, is answered; what
 * was scheduled is tried again later; the others are told why.
 */
void commit_refuse(struct writer *writer, enum acta_code code,
                   const char *text);

/* Decide what time has brought, if a commit begins, and what was taken, until
 * all is decided or it has taken long. With @ends nothing more comes to the
 * commit.
 */
void commit_fill(struct writer *writer, bool ends);

/* Nothing more is decided for the commit that was begun: here it is. */
void commit_end(struct writer *writer, struct commit *commit);

/* Put those who had been kept waiting, and are decided now, behind @decided. */
void commit_take_done(struct writer *writer, struct batch *decided);

/* Tell others what waits in memory: leases and schedules. */
void writer_count_kept(struct writer *writer);

/* ---- commit.c ---- */

/* The process has to end: it does not return. */
void writer_fail(struct writer *writer, const struct acta_err *err);

/* Put the run of jobs from @first to @last behind the batch. */
void batch_put_behind(struct batch *batch, struct job *first, struct job *last);

/* Bytes of a commit's block and rows. */
size_t commit_size(const struct commit *commit);

/* Write a commit as one entry, and sync it. One without events and rows is a
 * mark: it says that all before it is synced (J1 in journal.h), so that damage
 * to the last entry is not taken for a torn one.
 */
void commit_write(struct writer *writer, const struct commit *commit);

/* Make durable what was decided, if anything has changed, publish it, answer,
 * and wake all watchers but @watcher, whose thread is the caller's. Returns as
 * writer_give_back().
 */
struct job *commit_carry_out(struct writer *writer, const struct commit *commit,
                             const struct watcher *watcher,
                             const struct completions *own);

/* Give back runs of jobs that belong to the same completions: of a batch that
 * came from one thread, all at once. Those of @own are returned instead, linked
 * by next: the caller is of their thread. It may be NULL.
 */
struct job *writer_give_back(const struct batch *batch,
                             const struct completions *own);

void writer_count_outcomes(struct writer *writer, const struct batch *batch);

#endif
