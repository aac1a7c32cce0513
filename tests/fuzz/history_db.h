/* A real database in memory's file system, which is stopped and started again,
 * and which dies: for targets. Whatever it cannot do breaks a promise.
 */

#ifndef ACTA_TEST_HISTORY_DB_H
#define ACTA_TEST_HISTORY_DB_H

#include "database.h"
#include "job.h"
#include "reader.h"

struct history_db {
    struct database *database;
    struct reader *reader;
    struct completions completions;
};

/* A new, empty one. */
void history_db_open(struct history_db *db);

/* Close it, and remove its files. */
void history_db_close(struct history_db *db);

/* Stop and start, or, @killed, go on with the files as they are at a moment at
 * which nobody waits for an answer.
 */
void history_db_restart(struct history_db *db, bool killed);

/* The jobs that have come back, linked by next: waits for one at least. */
struct job *history_db_wait(struct history_db *db);

/* Those that have come back by now. */
struct job *history_db_take(struct history_db *db);

#endif
