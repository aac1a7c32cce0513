/* What the sweeper has gathered to do next. Internal to it.
 *
 * Memory is bounded: gathering stops when there is enough, and goes on behind
 * the row where it stopped when that is done.
 */

#ifndef ACTA_SWEEP_WORK_H
#define ACTA_SWEEP_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "row.h"
#include "store.h"
#include "sweep_limits.h"

struct sweep_work {
    struct store_edit *edits; /* owned: sweep_limits.edits */
    size_t edits_count;
    size_t read_size;   /* Of records that were looked at for them. */
    struct arena arena; /* Of the rows' keys and values. */
    struct row rows[SWEEP_ROWS_MAX];
    size_t rows_count;

    uint8_t after[ROW_KEY_SIZE_MAX]; /* Key of the last row that is done. */
    size_t after_size;
    uint8_t at[ROW_KEY_SIZE_MAX]; /* Key of the erasure that was begun. */
    size_t at_size;               /* 0: none was. */
    uint64_t version;             /* Of its events, what is done already. */
    bool is_broken;               /* It has events that cannot be read. */
    bool is_last;     /* There are no rows behind what was gathered. */
    uint64_t damaged; /* Rows and events that could not be read. */
};

enum acta_code sweep_work_init(struct sweep_work *work,
                               struct acta_err *err) ACTA_CHECKED;
void sweep_work_fini(struct sweep_work *work);

/* Begin with the first row again. */
void sweep_work_restart(struct sweep_work *work);

/* Forget the edits, or edits and rows, to gather more. */
void sweep_work_clear_edits(struct sweep_work *work);
void sweep_work_clear(struct sweep_work *work);

/* Gather, from the rows of retention in the store, what is hidden as of its
 * last entry and not swept yet; rows become those that say, once it is done,
 * how far each stream is swept.
 */
enum acta_code sweep_gather_hidden(struct sweep_work *work,
                                   struct store_view *view,
                                   struct acta_err *err) ACTA_CHECKED;

/* Gather what the rows of erasure in the store mean; those rows are added to
 * rows, but for one that means an event that cannot be read. To go on, forget
 * the edits alone.
 */
enum acta_code sweep_gather_erased(struct sweep_work *work,
                                   struct store_view *view,
                                   struct acta_err *err) ACTA_CHECKED;

/* Put the edits in the order of positions. */
void sweep_work_sort(struct sweep_work *work);

#endif
