/* The queue of appends in front of the writer: many threads put, one takes all
 * that is there. It is bounded by the memory that the appends hold.
 */

#ifndef ACTA_QUEUE_H
#define ACTA_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "job.h"

struct queue {
    size_t size_max;
    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t filled;
    struct job *first;
    struct job *last;
    size_t size;
    bool is_waiting; /* The taker waits to be woken. */
    bool closed;
};

/* A batch: jobs in the order in which they came, linked by next. */
struct batch {
    struct job *first;
    struct job *last;
    size_t events_count; /* A job without any counts as one. */
    size_t records_size;
    size_t rows_size; /* Of the rows that they may set, at most. */
};

void queue_init(struct queue *queue, size_t size_max);

/* Frees nothing: a queue that is closed has been emptied. */
void queue_fini(struct queue *queue);

/* OK, BUSY (it is full) or STOPPING (it is closed). Any thread. */
enum acta_code queue_put(struct queue *queue, struct job *job);

/* Take what is there, in order, up to @events_max events and @size_max bytes of
 * records and rows, but one job at least. Waits @wait_ms if there is nothing.
 *
 * False if the queue is closed and empty. True with an empty batch: the time is
 * over. One thread.
 */
bool queue_take(struct queue *queue, struct batch *batch, size_t events_max,
                size_t size_max, unsigned wait_ms);

/* Refuse what comes from now on. What is in it will still be taken. */
void queue_close(struct queue *queue);

/* Memory of the appends that wait. */
size_t queue_size(struct queue *queue);

#endif
