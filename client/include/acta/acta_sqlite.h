/* Read models in SQLite, which keep the checkpoint of their projection:
 * acta_projection.h shows a program. A library of its own, libacta-sqlite.
 *
 *     sqlite3_open("orders.db", &db);
 *     acta_sqlite_open(&model, db, "CREATE TABLE IF NOT EXISTS orders(...)",
 *                      tables, &err);
 *     acta_projection_keep(projection, acta_sqlite_keeper(model));
 *
 * Checkpoints are rows of the table acta_checkpoint(projection, position), so
 * any number of projections can be in one file. Handlers are within a
 * transaction (BEGIN IMMEDIATE), which they must not end; acta_context_model()
 * is their sqlite3 *. Readers see whole batches. A statement that fails may
 * undo the transaction, as with a full disk: then the batch is tried again,
 * whatever its handlers say.
 *
 * A rebuild is made in a file of its own, beside the database's, named like it
 * with ".PROJECTION.rebuild" behind, in which a slash is %2F and a percent sign
 * %25. In the end the tables are dropped, made anew and filled from there, in
 * one transaction: so they may have other columns than before. Handlers see the
 * other file's connection.
 *
 * Other programs may use the file at the same time. Whoever waits for them
 * gives up after 10 s (BUSY), unless the connection had another busy handler:
 * opening sets that time. PRAGMA journal_mode=WAL lets readers go on while
 * there is writing.
 */

#ifndef ACTA_ACTA_SQLITE_H
#define ACTA_ACTA_SQLITE_H

#include <sqlite3.h>

#include "acta_projection.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_sqlite;

/* Keep a model in @db, which is borrowed. @create is SQL that makes what the
 * model consists of where it is missing, and is run now; @tables names its
 * tables, with NULL behind the last. Both are copied.
 *
 * IO: SQLite failed, also at @create. BUSY, MEMORY.
 */
ACTA_API enum acta_code acta_sqlite_open(struct acta_sqlite **model,
                                         sqlite3 *db, const char *create,
                                         const char *const *tables,
                                         struct acta_err *err);
ACTA_API void acta_sqlite_close(struct acta_sqlite *model);

/* Its keeper: valid, as are copies, until it is closed. */
ACTA_API const struct acta_keeper *
acta_sqlite_keeper(const struct acta_sqlite *model);

#ifdef __cplusplus
}
#endif

#endif
