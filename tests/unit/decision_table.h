/* The tables of proto/PROTOCOL.md that say what is decided: tests are generated
 * from them.
 */

#ifndef ACTA_TEST_DECISION_TABLE_H
#define ACTA_TEST_DECISION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_ROWS_MAX    150
#define TABLE_COLUMNS_MAX 4
#define TABLE_CELL_SIZE   32

struct decision_row {
    char cells[TABLE_COLUMNS_MAX][TABLE_CELL_SIZE]; /* The last: the answer. */
    bool is_used;
};

struct decision_table {
    struct decision_row rows[TABLE_ROWS_MAX];
    size_t rows_count;
    size_t columns;
};

/* Read the table of these columns, which are as the page has them:
 * "| expected | state | answer |". The test fails if there is none.
 */
void decision_table_read(struct decision_table *table, const char *columns);

/* The answer for the case of these names, one a column. The test fails if it is
 * not in exactly one row, where * stands for all.
 */
const char *decision_table_answer(struct decision_table *table,
                                  const char *const *names);

/* The test fails if a row was never asked for. */
void decision_table_check_used(const struct decision_table *table);

#endif
