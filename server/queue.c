#include "queue.h"

#include "waiting.h"

void
queue_init(struct queue *queue, size_t size_max)
{
    *queue = (struct queue){.size_max = size_max};
    pthread_mutex_init(&queue->lock, NULL);
    waiting_init(&queue->filled);
}

void
queue_fini(struct queue *queue)
{
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
}

enum acta_code
queue_put(struct queue *queue, struct job *job)
{
    enum acta_code code = ACTA_OK;
    bool wake = false;

    job->next = NULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        code = ACTA_STOPPING;
    } else if (queue->size > 0 && queue->size + job->size > queue->size_max) {
        code = ACTA_BUSY; /* An empty queue takes an append of any size. */
    } else {
        if (queue->first == NULL) {
            queue->first = job;
        } else {
            queue->last->next = job;
        }
        queue->last = job;
        queue->size += job->size;
        wake = queue->is_waiting;
        queue->is_waiting = false;
    }
    pthread_mutex_unlock(&queue->lock);
    if (wake) {
        pthread_cond_signal(&queue->filled);
    }
    return code;
}

static void
wait_until_filled(struct queue *queue, unsigned wait_ms)
{
    struct timespec until = waiting_until(wait_ms);
    bool in_time = true;

    while (queue->first == NULL && !queue->closed && in_time) {
        queue->is_waiting = true;
        in_time = waiting_wait(&queue->filled, &queue->lock, &until);
    }
    queue->is_waiting = false;
}

bool
queue_take(struct queue *queue, struct batch *batch, size_t events_max,
           size_t size_max, unsigned wait_ms)
{
    struct job *job;
    bool goes_on;

    *batch = (struct batch){0};
    pthread_mutex_lock(&queue->lock);
    if (queue->first == NULL) {
        wait_until_filled(queue, wait_ms);
    }
    goes_on = queue->first != NULL || !queue->closed;
    while ((job = queue->first) != NULL) {
        size_t events = job->events_count == 0 ? 1 : job->events_count;
        size_t size = job->records_size + job->rows_size;

        if (batch->first != NULL &&
            (batch->events_count + events > events_max ||
             batch->records_size + batch->rows_size + size > size_max)) {
            break;
        }
        batch->events_count += events;
        batch->records_size += job->records_size;
        batch->rows_size += job->rows_size;
        if (batch->first == NULL) {
            batch->first = job;
        }
        batch->last = job;
        queue->size -= job->size;
        queue->first = job->next;
    }
    if (batch->last != NULL) {
        batch->last->next = NULL;
    }
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
    return goes_on;
}

void
queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

size_t
queue_size(struct queue *queue)
{
    size_t size;

    pthread_mutex_lock(&queue->lock);
    size = queue->size;
    pthread_mutex_unlock(&queue->lock);
    return size;
}
