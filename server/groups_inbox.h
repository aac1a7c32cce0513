/* What other threads bring to that of the groups: jobs, names of consumers that
 * were changed, and word that something else has come, such as a commit.
 *
 * Many threads put, one takes all that is there. Jobs are bounded by the memory
 * that they hold, names by their number. The writer must be able to tell of
 * every change: with more of them, or without memory for one, any consumer may
 * have been changed.
 */

#ifndef ACTA_GROUPS_INBOX_H
#define ACTA_GROUPS_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "job.h"
#include "slice.h"

struct changed_name {
    struct changed_name *next;
    size_t size;
    uint8_t bytes[];
};

struct inbox {
    size_t size_max;
    pthread_mutex_t lock; /* Guards what follows. */
    pthread_cond_t filled;
    struct job *first;
    struct job *last;
    size_t size; /* Memory of the jobs. */
    struct changed_name *names;
    size_t names_count;
    bool all_changed;
    bool is_woken;
    bool is_sleeping;
    bool is_closed;
};

/* What was taken, the taker's. */
struct inbox_content {
    struct job *jobs;           /* In the order in which they came. */
    struct changed_name *names; /* Any order. free() each. */
    bool all_changed;
    bool is_closed;
};

void inbox_init(struct inbox *inbox, size_t size_max);
void inbox_fini(struct inbox *inbox);

/* OK, BUSY (it is full) or STOPPING (it is closed). Any thread. */
enum acta_code inbox_put(struct inbox *inbox, struct job *job) ACTA_CHECKED;

void inbox_put_name(struct inbox *inbox, struct slice name);

/* Has the consumer @name been changed, and was that not taken yet? */
bool inbox_has_name(struct inbox *inbox, struct slice name);

/* End the taker's wait, or the next one. */
void inbox_wake(struct inbox *inbox);

/* Refuse jobs from now on. */
void inbox_close(struct inbox *inbox);

/* Take all that is there. If there is nothing, wait for something until the
 * monotonic clock says @until_us: not at all if that has passed.
 */
void inbox_take(struct inbox *inbox, uint64_t until_us,
                struct inbox_content *content);

#endif
