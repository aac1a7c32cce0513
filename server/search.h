/* A query answered from lists: the positions it wants, one after the other,
 * without looking at the events.
 *
 * For an item, each field it names is a group: any of the group's lists will
 * do (each tag is a group of its own), and a position must be in all groups.
 * Groups take turns to move on to the first position that is not before the
 * one the others have come to, until they agree: what only one of them has is
 * leapt over. A query's position is the nearest of its items' positions.
 *
 * A search works in one room, the store or a memtable, at a time. One thread.
 */

#ifndef ACTA_SEARCH_H
#define ACTA_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "memtable.h"
#include "query.h"
#include "store.h"

struct search;

/* Memory for searches, used again by each. NULL if there is none. */
struct search *search_new(void);
void search_free(struct search *search); /* May be NULL. */

/* Start to search the store, or a memtable that is locked as far as @head.
 * @query stays the caller's and must not be for all events (search_is_all()).
 */
enum acta_code search_begin_store(struct search *search,
                                  const struct query *query,
                                  struct store_view *view, bool backward,
                                  struct acta_err *err) ACTA_CHECKED;
enum acta_code search_begin_memtable(struct search *search,
                                     const struct query *query,
                                     const struct memtable *memtable,
                                     uint64_t head, bool backward,
                                     struct acta_err *err) ACTA_CHECKED;

/* Find the first position from @from on (backward: from @from down) that the
 * query wants. With each call @from goes on in the search's direction.
 *
 * *@position is where it is, with *@wanted true; or where the search has come
 * to when its @steps were used up, with *@wanted false: nothing before it is
 * wanted. POSITION_NONE_AHEAD, or POSITION_NONE_BEFORE, if there is nothing
 * more here. What is left of *@steps is the caller's for the next call.
 */
enum acta_code search_next(struct search *search, uint64_t from,
                           uint64_t *position, bool *wanted, size_t *steps,
                           struct acta_err *err) ACTA_CHECKED;

/* True if the query wants every event, so that there is nothing to search. */
bool search_is_all(const struct query *query);

#endif
