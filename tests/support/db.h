/* A real database in this process, and jobs that wait for their outcome. */

#ifndef ACTA_TEST_DB_H
#define ACTA_TEST_DB_H

#include <stddef.h>

#include "answers.h"
#include "database.h"
#include "job.h"
#include "reader.h"
#include "tempdir.h"

struct db {
    struct tempdir dir;
    struct database_options options;
    char path[300]; /* Of the database, below dir. */
    unsigned copies;
    struct database *database;
    struct reader *reader;
    struct answers answers;
};

/* Make a database in a new directory, with options for small amounts of data:
 * a checkpoint is due after a hundred events, or as many as are given, and
 * space is taken back all the time.
 */
void db_make(struct db *db);
void db_make_with(struct db *db, size_t checkpoint_events);

/* Close it and remove its directory. */
void db_remove(struct db *db);

/* Close and open it, as a clean stop and start. */
void db_reopen(struct db *db);

/* Go on with a copy of the files as they are on disk at a moment when no append
 * is under way: what a start after a kill finds. The store may be behind.
 */
void db_reopen_as_killed(struct db *db);

/* Hand in a job and wait for its outcome, which is in it. */
void db_append(struct db *db, struct job *job);

/* Hand in some at once, in this order, and wait for all of them: a commit may
 * have several.
 */
void db_run(struct db *db, struct job *const *jobs, size_t count);

/* Wait until the checkpoint that is under way, if any, is done. */
void db_wait_checkpoint(struct db *db);

#endif
