/* A read model in SQLite, in a temporary file: of each stream how many events
 * it has, and how many bytes. Each event is one row that is changed.
 *
 * The struct is the caller's, and must stay where it is while it is open; one
 * thread at a time.
 */

#ifndef ACTA_BENCH_LEDGER_H
#define ACTA_BENCH_LEDGER_H

#include <acta/acta_sqlite.h>

struct ledger {
    sqlite3 *db;
    sqlite3_stmt *add;
    struct acta_sqlite *model;
    char dir[512]; /* "": none was made. */
};

/* Make one below @parent (NULL: $TMPDIR or /tmp). The caller calls
 * ledger_close(), whatever this returns.
 */
enum acta_code ledger_open(struct ledger *ledger, const char *parent,
                           struct acta_err *err);

/* It is removed, too. */
void ledger_close(struct ledger *ledger);

/* Handles events of a projection that keeps its checkpoint in the ledger, which
 * is @user.
 */
acta_project_fn ledger_handle;

/* What the handler does, without a projection. */
enum acta_code ledger_add(struct ledger *ledger, const char *stream,
                          size_t size, struct acta_err *err);

#endif
