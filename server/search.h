/* A query answered from lists: the positions it wants, one after the other,
 * without looking at the events.
 *
 * For an item, each field it names is a group: any of the group's lists will
 * do (each tag is a group of its own), and a position must be in all groups.
 * Groups take turns to move on to the first position that is not before the
 * one the others have come to, until they agree: what only one of them has is
 * leapt over. A query's position is the nearest of its items' positions.
 *
 * A prefix stands for the lists whose names begin so. Where those are many, the
 * search does with less: with the list of a category, or without the group.
 * Then it finds positions that the query may want, and whether it does must be
 * seen on the event: search_check().
 *
 * A search works in one room, the store or a memtable, at a time. One thread.
 */

#ifndef ACTA_SEARCH_H
#define ACTA_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "err.h"
#include "memtable.h"
#include "query.h"
#include "store.h"

/* Lists that a prefix stands for, at most: a position is sought in each, so
 * that with more of them it is cheaper to look at events.
 */
#define SEARCH_PREFIX_LISTS_MAX 64

/* Steps that are reckoned for a look at an event. */
#define SEARCH_CHECK_STEPS 4

struct search;

/* Memory for searches, used again by each. NULL if there is none. */
struct search *search_new(void);
void search_free(struct search *search); /* May be NULL. */

/* Start to search the store, or a memtable that is locked as far as @head. The
 * writer needs no lock on the memtable that it adds to, and searches all of it
 * with UINT64_MAX as @head. @query stays the caller's and must not be for all
 * events (search_is_all()).
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

/* What there is to say of the position that a search has come to. Nothing
 * before it is wanted.
 */
enum search_verdict {
    SEARCH_UNKNOWN, /* Steps are used up: the search goes on from here. */
    SEARCH_MAYBE,   /* The query wants it if search_check() says so. */
    SEARCH_WANTED,
};

/* Find the first position from @from on (backward: from @from down) that the
 * query wants or may want. With each call @from goes on in the search's
 * direction.
 *
 * *@position is POSITION_NONE_AHEAD, or POSITION_NONE_BEFORE, if there is
 * nothing more here. Lists looked into, and SEARCH_CHECK_STEPS for a position
 * that the caller has to check, are taken off *@steps; what is left is the
 * caller's for the next call. Every call comes further, however few there are.
 */
enum acta_code search_next(struct search *search, uint64_t from,
                           uint64_t *position, enum search_verdict *verdict,
                           size_t *steps, struct acta_err *err) ACTA_CHECKED;

/* Where a search that goes up follows a single list, which has all that is
 * wanted: put the next positions from @from up to @last, @count_max at most,
 * into @positions, at a step each. Returns how many: with 0, and behind them,
 * search_next() goes on.
 */
size_t search_run(const struct search *search, uint64_t from, uint64_t last,
                  uint64_t *positions, size_t count_max);

/* Look at the event itself: does @query want it? No query wants what is left of
 * one whose space was taken back. CORRUPT if it is neither.
 */
enum acta_code search_check(const struct query *query,
                            const struct block_record *record, bool *wanted,
                            struct acta_err *err) ACTA_CHECKED;

/* True if the query wants every event, so that there is nothing to search. */
bool search_is_all(const struct query *query);

#endif
