/* The lists of one kind in a memtable, nearly in the order of their names.
 *
 * Lists come in any order. Whenever enough have come, they are sorted and
 * become a run, which never changes again. So there are many sorted runs, and a
 * few lists behind them that are not sorted yet; a name walk goes through all
 * of them as if they were one.
 *
 * The writer alone adds, sorts and publishes. A struct name_runs that was
 * copied under the memtable's lock may be walked by any thread without it, as
 * long as the memtable lives.
 */

#ifndef ACTA_NAME_RUNS_H
#define ACTA_NAME_RUNS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "slice.h"

struct memlist;
struct name_run;

/* All zeros: no lists. */
struct name_runs {
    struct memlist *newest; /* All lists, the newest first, linked by next. */
    size_t unsorted_count;  /* So many of the newest are in no run. */
    struct name_run *runs;  /* owned: the newest first */
    size_t runs_count;
};

/* ---- the writer ---- */

/* Add a list, which stays the caller's. Under the memtable's lock. */
void name_runs_add(struct name_runs *runs, struct memlist *list);

/* Sort what is not sorted yet, if it is enough for a run. That takes longer
 * than readers should wait, so it needs no lock, and nobody sees the run before
 * it is published. NULL if it is not enough, or if there is no memory, so that
 * it is tried again with the next list.
 */
struct name_run *name_runs_sort(const struct name_runs *runs);

/* Publish what name_runs_sort() has just returned. Under the memtable's lock.
 */
void name_runs_publish(struct name_runs *runs, struct name_run *run);

/* Free the runs; the lists stay. */
void name_runs_fini(struct name_runs *runs);

/* ---- any thread ---- */

/* Where a walk has come to in one run, or one list that is in none. */
struct name_spot {
    struct memlist *list;
    struct memlist *const *next; /* Of the run: from here to its end. */
    struct memlist *const *end;
    size_t source;
};

/* Lists of several struct name_runs, in the order of their names. All zeros:
 * none.
 */
struct name_walk {
    struct name_spot *spots; /* owned: a heap, the least name on top */
    size_t count;
    size_t capacity;
};

/* Walk through @runs too, from the first name behind @from, or with @inclusive
 * from @from on. @source is what the walk says of lists that are from here.
 * Before the first step. False if there is no memory.
 */
bool name_walk_add(struct name_walk *walk, const struct name_runs *runs,
                   size_t source, struct slice from,
                   bool inclusive) ACTA_CHECKED;

/* The list that the walk has come to, or NULL at its end. */
const struct memlist *name_walk_list(const struct name_walk *walk,
                                     size_t *source);

/* Go on to the next list: it has a greater name, or the same one if it is from
 * another source. Not at the end.
 */
void name_walk_step(struct name_walk *walk);

void name_walk_fini(struct name_walk *walk);

#endif
