/* Marks: which streams have rows of their own, so that all others need no look.
 *
 * A set of hashes of their names. It may say yes of a stream that has none (any
 * more), and never says no of one that has. 8 to 32 bytes a stream.
 *
 * One thread at a time adds, the writer or the one that recovers, before it
 * publishes the row; any thread may ask.
 */

#ifndef ACTA_MARKS_H
#define ACTA_MARKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

struct mark_table;

/* All zeros: empty. */
struct marks {
    _Atomic(struct mark_table *) table;
    struct mark_table *tables; /* owned: all, the one in use first. */
    _Atomic uint64_t count;
};

void marks_fini(struct marks *marks);

/* False if there is no memory. */
bool marks_add(struct marks *marks, struct slice stream) ACTA_CHECKED;

bool marks_has(const struct marks *marks, struct slice stream);

/* How many times a stream was marked: as long as this is the same, no row came
 * to a stream that had none.
 */
uint64_t marks_count(const struct marks *marks);

/* True if no stream is marked. */
bool marks_none(const struct marks *marks);

#endif
