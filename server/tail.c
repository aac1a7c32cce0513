#include "tail.h"

#include <assert.h>

#include "waiting.h"

enum acta_code
tail_init(struct tail *tail, uint64_t head, uint64_t sequence,
          size_t events_max, struct acta_err *err)
{
    *tail = (struct tail){.events_max = events_max,
                          .sequence = sequence,
                          .stored_sequence = sequence};
    tail->active = memtable_new(head + 1, events_max);
    if (tail->active == NULL) {
        return acta_fail(err, ACTA_MEMORY, "tail");
    }
    atomic_init(&tail->head, head);
    pthread_mutex_init(&tail->lock, NULL);
    waiting_init(&tail->dropped);
    return ACTA_OK;
}

void
tail_fini(struct tail *tail)
{
    memtable_unref(tail->active);
    memtable_unref(tail->sealed);
    pthread_cond_destroy(&tail->dropped);
    pthread_mutex_destroy(&tail->lock);
}

void
tail_publish(struct tail *tail, uint64_t head, uint64_t sequence)
{
    /* Events and rows of a commit are seen together by who pins the tail. */
    pthread_mutex_lock(&tail->lock);
    tail->sequence = sequence;
    /* Release: who sees the head sees the events up to it. */
    atomic_store_explicit(&tail->head, head, memory_order_release);
    pthread_mutex_unlock(&tail->lock);
}

uint64_t
tail_head(const struct tail *tail)
{
    return atomic_load_explicit(&tail->head, memory_order_acquire);
}

enum acta_code
tail_seal(struct tail *tail, uint64_t sequence, uint64_t last_time_us,
          struct acta_err *err)
{
    struct memtable *fresh;

    fresh = memtable_new(memtable_first_position(tail->active) +
                             memtable_count(tail->active),
                         tail->events_max);
    if (fresh == NULL) {
        return acta_fail(err, ACTA_MEMORY, "seal tail");
    }
    pthread_mutex_lock(&tail->lock);
    assert(tail->sealed == NULL);
    memtable_seal(tail->active, sequence, last_time_us);
    tail->sealed = tail->active;
    tail->sealed_sequence = sequence;
    tail->active = fresh;
    pthread_mutex_unlock(&tail->lock);
    return ACTA_OK;
}

struct memtable *
tail_sealed(struct tail *tail, uint64_t *sequence)
{
    struct memtable *sealed;

    pthread_mutex_lock(&tail->lock);
    sealed = tail->sealed == NULL ? NULL : memtable_ref(tail->sealed);
    *sequence = tail->sealed_sequence;
    pthread_mutex_unlock(&tail->lock);
    return sealed;
}

void
tail_drop_sealed(struct tail *tail)
{
    struct memtable *sealed;

    pthread_mutex_lock(&tail->lock);
    sealed = tail->sealed;
    tail->sealed = NULL;
    tail->stored_sequence = tail->sealed_sequence;
    pthread_cond_broadcast(&tail->dropped);
    pthread_mutex_unlock(&tail->lock);
    memtable_unref(sealed);
}

bool
tail_is_sealed(struct tail *tail)
{
    bool is_sealed;

    pthread_mutex_lock(&tail->lock);
    is_sealed = tail->sealed != NULL;
    pthread_mutex_unlock(&tail->lock);
    return is_sealed;
}

bool
tail_is_stored(struct tail *tail)
{
    bool is_stored;

    pthread_mutex_lock(&tail->lock);
    /* A mark that nobody was told of may lie behind the last entry. */
    is_stored = tail->sequence <= tail->stored_sequence;
    pthread_mutex_unlock(&tail->lock);
    return is_stored;
}

void
tail_wait_dropped(struct tail *tail, unsigned wait_ms)
{
    struct timespec until = waiting_until(wait_ms);
    bool in_time = true;

    pthread_mutex_lock(&tail->lock);
    while (tail->sealed != NULL && in_time) {
        in_time = waiting_wait(&tail->dropped, &tail->lock, &until);
    }
    pthread_mutex_unlock(&tail->lock);
}

struct memtable *
tail_active(struct tail *tail)
{
    return tail->active;
}

void
tail_pin(struct tail *tail, struct tail_view *view)
{
    pthread_mutex_lock(&tail->lock);
    view->count = 0;
    if (tail->sealed != NULL) {
        view->tables[view->count++] = memtable_ref(tail->sealed);
    }
    view->tables[view->count++] = memtable_ref(tail->active);
    /* Under the lock: after a seal the head may lie in a newer memtable. */
    view->head = tail_head(tail);
    view->sequence = tail->sequence;
    view->stored_sequence = tail->stored_sequence;
    pthread_mutex_unlock(&tail->lock);
}

void
tail_unpin(struct tail_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        memtable_unref(view->tables[i]);
    }
    view->count = 0;
}
