/* Rows set in the rooms of a core, and a reader of them. Whatever fails, fails
 * the test.
 */

#ifndef ACTA_TEST_CORE_ROWS_H
#define ACTA_TEST_CORE_ROWS_H

#include "core.h"
#include "reader.h"
#include "row.h"

/* Set @count rows in a batch of their own, and publish it. An empty value
 * removes.
 */
void core_set_rows(struct core *core, const struct row *rows, size_t count);
void core_set_row(struct core *core, enum row_kind kind, const char *key,
                  struct slice value);

/* A reader without a database: reader_close() it before the core. */
struct reader *core_reader(struct core *core);

/* Change one byte of the store's file, @offset behind the end of every @needle
 * that is in it, or before it. Returns how many that were.
 */
size_t core_damage(struct core *core, struct slice needle, ptrdiff_t offset);

#endif
