/* The queue of jobs in front of the writer, and whose turn it is to work on
 * them. Many threads put; it is bounded by the memory that the jobs hold.
 *
 * Two things are done with jobs, each by one thread at a time: they are
 * decided, in order, and what came of that is written. A thread whose turn it
 * is to commit does both, one after the other. While it writes, another may
 * decide ahead what goes into the next commit: if there is enough of it to be
 * worth waking a thread for. So the order of decisions is that of the queue,
 * and commits are written one after the other.
 */

#ifndef ACTA_QUEUE_H
#define ACTA_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "err.h"
#include "job.h"

/* Events that wait, from which on they are decided ahead: as many as are worth
 * waking a thread. Fewer in tests.
 */
extern size_t queue_ahead_events;

struct queue {
    size_t size_max;
    pthread_mutex_t lock;   /* Guards what follows. */
    pthread_cond_t changed; /* There may be a turn for one of those waiting. */
    struct job *first;
    struct job *last;
    size_t size;
    size_t events;
    bool closed;

    bool is_deciding;
    bool is_writing;
    bool has_more;         /* Something was taken, and is not committed yet. */
    bool is_blocked;       /* Nothing is decided ahead of this commit. */
    struct timespec until; /* When there is a turn to commit in any case. */
    unsigned waiting;      /* Threads in queue_await(), */
    unsigned woken;        /* and those of them that are woken. */
};

/* A batch: jobs in the order in which they came, linked by next. */
struct batch {
    struct job *first;
    struct job *last;
    size_t events_count; /* A job without any counts as one. */
    size_t records_size;
    size_t rows_size; /* Of the rows that they may set, at most. */
};

static inline size_t
batch_events_of(const struct job *job)
{
    return job->events_count == 0 ? 1 : job->events_count;
}

/* Count @job, or count it no more. */
static inline void
batch_count(struct batch *batch, const struct job *job)
{
    batch->events_count += batch_events_of(job);
    batch->records_size += job->records_size;
    batch->rows_size += job->rows_size;
}

static inline void
batch_uncount(struct batch *batch, const struct job *job)
{
    batch->events_count -= batch_events_of(job);
    batch->records_size -= job->records_size;
    batch->rows_size -= job->rows_size;
}

void queue_init(struct queue *queue, size_t size_max);

/* Frees nothing: a queue that is closed has been emptied. */
void queue_fini(struct queue *queue);

/* OK, BUSY (it is full) or STOPPING (it is closed). Any thread. */
enum acta_code queue_put(struct queue *queue, struct job *job);

/* Take what is there, in order, up to @events_max events and @size_max bytes of
 * records and rows; with @at_least_one, one job however large it is. By whose
 * turn it is to decide.
 */
void queue_take(struct queue *queue, struct batch *batch, size_t events_max,
                size_t size_max, bool at_least_one);

/* Refuse what comes from now on. What is in it will still be taken. */
void queue_close(struct queue *queue);

/* Memory of the jobs that wait. Any thread. */
size_t queue_size(struct queue *queue);

/* Is there enough to be decided ahead? Any thread. */
bool queue_is_long(struct queue *queue);

/* ---- turns ---- */

enum queue_turn {
    QUEUE_COMMIT, /* Decide and write: end it by queue_begin_write() and then
                     queue_end_write(). */
    QUEUE_AHEAD,  /* Decide what the next commit is to have: end it by
                     queue_end_ahead(). */
    QUEUE_OVER,   /* The queue is closed, and all is done. */
};

/* Wait for a turn. There is one to commit when there are jobs, or when the time
 * is over that was given last; then there may be none. Any thread.
 */
enum queue_turn queue_await(struct queue *queue);

/* Take a turn to commit if nothing waits and nobody is at work. */
bool queue_try_commit(struct queue *queue);

/* What is decided will be written. @has_more: more was taken than that; else
 * there is a turn to commit after @wait_ms in any case.
 */
void queue_begin_write(struct queue *queue, bool has_more, unsigned wait_ms);

/* It is written, and given back. @goes_on: the caller comes to queue_await() at
 * once; else another is woken if there is something to do.
 */
void queue_end_write(struct queue *queue, bool goes_on);

/* The time that was given last may be sooner than those who wait know: have one
 * of them look at it. Any thread.
 */
void queue_look_again(struct queue *queue);

/* @has_more: something is taken and not committed. @is_blocked: it is no use
 * to decide more before the commit that is being written has ended.
 */
void queue_end_ahead(struct queue *queue, bool has_more, bool is_blocked);

#endif
