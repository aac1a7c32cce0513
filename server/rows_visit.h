/* All rows of a kind, for who needs them in memory: the writer when it starts.
 */

#ifndef ACTA_ROWS_VISIT_H
#define ACTA_ROWS_VISIT_H

#include "err.h"
#include "rooms.h"
#include "row.h"

/* Call @visit for each row of @kind, which must not be ROW_COMMAND, in the
 * order of keys, as of the last entry that was published. The row is valid
 * until it returns; what it returns but OK ends the visit. Any thread.
 *
 * CORRUPT  A row is damaged: it is named, and was not given to @visit.
 */
enum acta_code rows_visit(struct rooms *rooms, enum row_kind kind,
                          enum acta_code (*visit)(void *user,
                                                  const struct row *row,
                                                  struct acta_err *err),
                          void *user, struct acta_err *err) ACTA_CHECKED;

#endif
