/* Rows of text in columns that are as wide as they need to be. One thread. */

#ifndef ACTA_TABLE_H
#define ACTA_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define TABLE_COLUMNS_MAX 12

struct table_column {
    const char *title;
    bool to_the_right; /* As numbers are. */
};

/* A table of which rows are printed in bunches: the title comes once, and
 * columns never get narrower from one bunch to the next.
 */
struct table {
    const struct table_column *columns; /* The caller's; NULL: no row yet. */
    size_t columns_count;
    size_t widths[TABLE_COLUMNS_MAX];
    char **cells; /* owned, as are the texts: row after row */
    size_t cells_count;
    size_t capacity;
    bool is_titled;
    bool has_room; /* For the row that was begun. */
};

void table_init(struct table *table);
void table_fini(struct table *table);

/* Begin a row; @columns are the same for all rows. One that there is no memory
 * for is left out.
 */
void table_row(struct table *table, const struct table_column *columns,
               size_t count);

/* Add the next cell of the row; it is left empty if there is no memory. Control
 * characters become spaces.
 */
void table_cell(struct table *table, const char *fmt, ...) ACTA_PRINTF(2, 3);

/* Print the rows, if there are any, and forget them; @dim and @plain stand
 * around the title.
 */
void table_print(struct table *table, const char *dim, const char *plain);

#endif
