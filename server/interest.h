/* Who waits for which events: from an event to the queries that want it,
 * without asking all of them.
 *
 * Each item of a query is entered under the texts of one of its fields, the one
 * that few events have: a correlation id or a stream, else a tag, else a type,
 * else a category; an item that names nothing is entered for all events. An
 * event is looked up by those of its names that somebody waits under, and the
 * queries found so are asked. So ten thousand that wait for other things cost
 * an event nothing.
 *
 * Waiting and waking allocate nothing, so they cannot fail. One thread.
 */

#ifndef ACTA_INTEREST_H
#define ACTA_INTEREST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "event.h"
#include "query.h"

struct interest;
struct interest_link;

/* One that waits now and then, always for the same. All zeros: for nothing. */
struct waiter {
    const struct query *query; /* The caller's, until waiter_fini(). */
    struct interest *interest;
    struct interest_link *links; /* owned */
    size_t links_count;
    bool is_waiting;
    TAILQ_ENTRY(waiter) in_list; /* Of those that wait, or that were woken. */
};

TAILQ_HEAD(waiter_list, waiter);

struct interest *interest_new(void); /* NULL if there is no memory. */

/* Free @interest, which may be NULL and which no waiter belongs to. */
void interest_free(struct interest *interest);

/* Make @waiter, which is all zeros, one that may wait for what @query wants.
 * False if there is no memory: it is as it was.
 */
bool waiter_init(struct waiter *waiter, struct interest *interest,
                 const struct query *query) ACTA_CHECKED;
void waiter_fini(struct waiter *waiter);

/* Wait, until an event is wanted or waiter_stop(). Either may be called in any
 * state.
 */
void waiter_wait(struct waiter *waiter);
void waiter_stop(struct waiter *waiter);

/* Wake those that want @event, or all that wait: they go to @woken's end, and
 * wait no more.
 */
void interest_wake(struct interest *interest, const struct event *event,
                   struct waiter_list *woken);
void interest_wake_all(struct interest *interest, struct waiter_list *woken);

/* How many wait. */
size_t interest_count(const struct interest *interest);

#endif
