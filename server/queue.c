#include "queue.h"

#include <assert.h>

#include "waiting.h"

size_t queue_ahead_events = 64;

void
queue_init(struct queue *queue, size_t size_max)
{
    *queue = (struct queue){.size_max = size_max, .until = waiting_until(0)};
    pthread_mutex_init(&queue->lock, NULL);
    waiting_init(&queue->changed);
}

void
queue_fini(struct queue *queue)
{
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
}

/* ---- whose turn it is: with the lock ---- */

static bool
is_busy(const struct queue *queue)
{
    return queue->is_deciding || queue->is_writing;
}

static bool
can_commit(const struct queue *queue)
{
    return !is_busy(queue) && (queue->first != NULL || queue->has_more);
}

static bool
can_decide_ahead(const struct queue *queue)
{
    return queue->is_writing && !queue->is_deciding && !queue->is_blocked &&
           queue->events >= queue_ahead_events;
}

static bool
is_over(const struct queue *queue)
{
    return queue->closed && !is_busy(queue) && queue->first == NULL &&
           !queue->has_more;
}

static void
wake_one(struct queue *queue)
{
    if (queue->waiting > queue->woken) {
        queue->woken++;
        pthread_cond_signal(&queue->changed);
    }
}

/* Is somebody to be woken for a turn? Who is woken already takes it. */
static bool
is_offered(const struct queue *queue)
{
    return queue->woken == 0 && queue->waiting > 0 &&
           (can_commit(queue) || can_decide_ahead(queue));
}

/* ---- jobs ---- */

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
        code = ACTA_BUSY; /* An empty queue takes a job of any size. */
    } else {
        if (queue->first == NULL) {
            queue->first = job;
        } else {
            queue->last->next = job;
        }
        queue->last = job;
        queue->size += job->size;
        queue->events += batch_events_of(job);
        wake = is_offered(queue);
        queue->woken += wake;
    }
    pthread_mutex_unlock(&queue->lock);
    if (wake) {
        pthread_cond_signal(&queue->changed);
    }
    return code;
}

void
queue_take(struct queue *queue, struct batch *batch, size_t events_max,
           size_t size_max, bool at_least_one)
{
    struct job *job;

    *batch = (struct batch){0};
    pthread_mutex_lock(&queue->lock);
    while ((job = queue->first) != NULL) {
        size_t events = batch_events_of(job);
        size_t size = job->records_size + job->rows_size;

        if ((batch->first != NULL || !at_least_one) &&
            (batch->events_count + events > events_max ||
             batch->records_size + batch->rows_size + size > size_max)) {
            break;
        }
        batch_count(batch, job);
        if (batch->first == NULL) {
            batch->first = job;
        }
        batch->last = job;
        queue->size -= job->size;
        queue->events -= events;
        queue->first = job->next;
    }
    if (batch->last != NULL) {
        batch->last->next = NULL;
    }
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
}

void
queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    queue->woken = queue->waiting;
    pthread_cond_broadcast(&queue->changed);
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

bool
queue_is_long(struct queue *queue)
{
    bool is_long;

    pthread_mutex_lock(&queue->lock);
    is_long = queue->events >= queue_ahead_events;
    pthread_mutex_unlock(&queue->lock);
    return is_long;
}

/* ---- turns ---- */

/* False if the time is over. All look out for that: who comes last knows best
 * when it will be.
 */
static bool
wait_for_change(struct queue *queue)
{
    /* If it is over while others are at work, they are let end. */
    struct timespec until = waiting_is_left(&queue->until)
                                ? queue->until
                                : waiting_until(is_busy(queue));
    bool in_time;

    queue->waiting++;
    in_time = waiting_wait(&queue->changed, &queue->lock, &until);
    queue->waiting--;
    if (queue->woken > 0) {
        queue->woken--;
    }
    return in_time;
}

enum queue_turn
queue_await(struct queue *queue)
{
    enum queue_turn turn = QUEUE_COMMIT;
    bool is_time = false;

    pthread_mutex_lock(&queue->lock);
    while (!can_commit(queue) && !is_over(queue) && !can_decide_ahead(queue) &&
           !(is_time && !is_busy(queue))) {
        is_time = !wait_for_change(queue) && !waiting_is_left(&queue->until);
    }
    if (is_over(queue)) {
        turn = QUEUE_OVER;
        wake_one(queue);
    } else {
        turn = queue->is_writing ? QUEUE_AHEAD : QUEUE_COMMIT;
        queue->is_deciding = true;
        queue->is_writing = true;
    }
    pthread_mutex_unlock(&queue->lock);
    return turn;
}

bool
queue_try_commit(struct queue *queue)
{
    bool is_idle;

    pthread_mutex_lock(&queue->lock);
    is_idle = !is_busy(queue) && !queue->closed && queue->first == NULL &&
              !queue->has_more;
    if (is_idle) {
        queue->is_deciding = true;
        queue->is_writing = true;
    }
    pthread_mutex_unlock(&queue->lock);
    return is_idle;
}

void
queue_begin_write(struct queue *queue, bool has_more, unsigned wait_ms)
{
    pthread_mutex_lock(&queue->lock);
    assert(queue->is_deciding && queue->is_writing);
    queue->is_deciding = false;
    queue->has_more = has_more;
    queue->is_blocked = has_more;
    queue->until = waiting_until(wait_ms);
    if (is_offered(queue)) {
        wake_one(queue);
    }
    pthread_mutex_unlock(&queue->lock);
}

void
queue_end_write(struct queue *queue, bool goes_on)
{
    pthread_mutex_lock(&queue->lock);
    assert(queue->is_writing);
    queue->is_writing = false;
    queue->is_blocked = false;
    if (!goes_on && (can_commit(queue) || is_over(queue))) {
        wake_one(queue);
    }
    pthread_mutex_unlock(&queue->lock);
}

void
queue_look_again(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    wake_one(queue);
    pthread_mutex_unlock(&queue->lock);
}

void
queue_end_ahead(struct queue *queue, bool has_more, bool is_blocked)
{
    pthread_mutex_lock(&queue->lock);
    assert(queue->is_deciding);
    queue->is_deciding = false;
    queue->has_more = has_more;
    queue->is_blocked = is_blocked && queue->is_writing;
    pthread_mutex_unlock(&queue->lock);
}
