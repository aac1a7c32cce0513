/* Read models in PostgreSQL, which keep the checkpoint of their projection:
 * acta_projection.h shows a program. A library of its own, libacta-postgres,
 * over libpq.
 *
 *     db = PQconnectdb("dbname=shop");
 *     acta_postgres_open(&model, db, "CREATE TABLE IF NOT EXISTS stock(...)",
 *                        tables, &err);
 *     acta_projection_keep(projection, acta_postgres_keeper(model));
 *
 * Checkpoints are rows of the table acta_checkpoint(projection, position) in
 * the connection's current schema, where the model's tables are, too. Handlers
 * are within a transaction, which they must not end; acta_context_model() is
 * their PGconn *. A statement that fails spoils the transaction, so handlers
 * then say RETRY, PARK or STOP.
 *
 * A rebuild is made in the schema acta_rebuild_PROJECTION, over a connection of
 * its own with the same parameters, whose search_path begins with that schema:
 * handlers name tables without schemas. PostgreSQL's names end at 63 bytes: in
 * place of a projection's name of more than 50 stands its hash, 16 digits. In
 * the end these tables take the place of those in use, in one transaction, with
 * all that belongs to them; views and foreign keys on the old ones stand in the
 * way, and it fails (IO).
 *
 * A connection that is lost is made again, with the parameters that it was made
 * with, when the batch is tried again: so what is to hold for it is said there
 * ("options"), and not by SET.
 */

#ifndef ACTA_ACTA_POSTGRES_H
#define ACTA_ACTA_POSTGRES_H

#include <libpq-fe.h>

#include "acta_projection.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_postgres;

/* Keep a model in @db, which is borrowed. @create is SQL that makes what the
 * model consists of where it is missing, and is run now; @tables names its
 * tables, with NULL behind the last. Both are copied.
 *
 * IO: PostgreSQL failed, also at @create. MEMORY.
 */
ACTA_API enum acta_code acta_postgres_open(struct acta_postgres **model,
                                           PGconn *db, const char *create,
                                           const char *const *tables,
                                           struct acta_err *err);
ACTA_API void acta_postgres_close(struct acta_postgres *model);

/* Its keeper: valid, as are copies, until it is closed. */
ACTA_API const struct acta_keeper *
acta_postgres_keeper(const struct acta_postgres *model);

#ifdef __cplusplus
}
#endif

#endif
