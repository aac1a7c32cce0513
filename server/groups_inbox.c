#include "groups_inbox.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "waiting.h"

void
inbox_init(struct inbox *inbox, size_t size_max)
{
    *inbox = (struct inbox){.size_max = size_max};
    pthread_mutex_init(&inbox->lock, NULL);
    waiting_init(&inbox->filled);
}

static void
free_names(struct changed_name *names)
{
    while (names != NULL) {
        struct changed_name *next = names->next;

        free(names);
        names = next;
    }
}

void
inbox_fini(struct inbox *inbox)
{
    free_names(inbox->names);
    pthread_cond_destroy(&inbox->filled);
    pthread_mutex_destroy(&inbox->lock);
}

/* Something has come; the lock is held, and is given up. */
static void
unlock_and_wake(struct inbox *inbox)
{
    bool wake = inbox->is_sleeping;

    inbox->is_sleeping = false;
    pthread_mutex_unlock(&inbox->lock);
    if (wake) {
        pthread_cond_signal(&inbox->filled);
    }
}

enum acta_code
inbox_put(struct inbox *inbox, struct job *job)
{
    pthread_mutex_lock(&inbox->lock);
    if (inbox->is_closed) {
        pthread_mutex_unlock(&inbox->lock);
        return ACTA_STOPPING;
    }
    if (inbox->size > 0 && inbox->size + job->size > inbox->size_max) {
        pthread_mutex_unlock(&inbox->lock);
        return ACTA_BUSY;
    }
    job->next = NULL;
    if (inbox->first == NULL) {
        inbox->first = job;
    } else {
        inbox->last->next = job;
    }
    inbox->last = job;
    inbox->size += job->size;
    unlock_and_wake(inbox);
    return ACTA_OK;
}

/* They are looked through by those who hold the lock. */
#define NAMES_MAX 256

void
inbox_put_name(struct inbox *inbox, struct slice name)
{
    struct changed_name *changed = malloc(sizeof(*changed) + name.size);
    struct changed_name *spare = NULL;

    if (changed != NULL) {
        changed->size = name.size;
        memcpy(changed->bytes, name.data, name.size);
    }
    pthread_mutex_lock(&inbox->lock);
    if (changed == NULL || inbox->names_count == NAMES_MAX) {
        inbox->all_changed = true;
        spare = inbox->names;
        inbox->names = NULL;
        inbox->names_count = 0;
    }
    if (changed != NULL) {
        changed->next = inbox->names;
        inbox->names = changed;
        inbox->names_count++;
    }
    unlock_and_wake(inbox);
    free_names(spare);
}

bool
inbox_has_name(struct inbox *inbox, struct slice name)
{
    const struct changed_name *changed;
    bool has_name;

    pthread_mutex_lock(&inbox->lock);
    changed = inbox->names;
    while (changed != NULL &&
           !slice_equal(slice_make(changed->bytes, changed->size), name)) {
        changed = changed->next;
    }
    has_name = changed != NULL || inbox->all_changed;
    pthread_mutex_unlock(&inbox->lock);
    return has_name;
}

void
inbox_wake(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->is_woken = true;
    unlock_and_wake(inbox);
}

void
inbox_close(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->is_closed = true;
    inbox->is_woken = true;
    unlock_and_wake(inbox);
}

static bool
is_empty(const struct inbox *inbox)
{
    return inbox->first == NULL && inbox->names == NULL &&
           !inbox->all_changed && !inbox->is_woken;
}

static void
sleep_until(struct inbox *inbox, uint64_t until_us)
{
    struct timespec until = {.tv_sec = (time_t)(until_us / 1000000),
                             .tv_nsec = (long)(until_us % 1000000) * 1000};
    bool in_time = clock_mono().us < until_us;

    while (in_time && is_empty(inbox)) {
        inbox->is_sleeping = true;
        in_time = waiting_wait(&inbox->filled, &inbox->lock, &until);
    }
    inbox->is_sleeping = false;
}

void
inbox_take(struct inbox *inbox, uint64_t until_us,
           struct inbox_content *content)
{
    pthread_mutex_lock(&inbox->lock);
    if (is_empty(inbox)) {
        sleep_until(inbox, until_us);
    }
    *content = (struct inbox_content){.jobs = inbox->first,
                                      .names = inbox->names,
                                      .all_changed = inbox->all_changed,
                                      .is_closed = inbox->is_closed};
    inbox->first = NULL;
    inbox->last = NULL;
    inbox->size = 0;
    inbox->names = NULL;
    inbox->names_count = 0;
    inbox->all_changed = false;
    inbox->is_woken = false;
    pthread_mutex_unlock(&inbox->lock);
}
