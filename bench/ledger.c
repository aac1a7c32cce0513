#include "ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char create[] =
    "CREATE TABLE IF NOT EXISTS streams(stream TEXT PRIMARY KEY, "
    "events INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID";
static const char add[] =
    "INSERT INTO streams VALUES(?1, 1, ?2) ON CONFLICT(stream) DO UPDATE "
    "SET events = events + 1, bytes = bytes + excluded.bytes";

/* As a service would have it: readers go on beside the writer, and what is
 * committed is on disk.
 */
static const char pragmas[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL";

static enum acta_code
fail(struct ledger *ledger, struct acta_err *err)
{
    return acta_fail(err, ACTA_IO, "sqlite: %s", sqlite3_errmsg(ledger->db));
}

static void
name_file(const struct ledger *ledger, const char *end, char *path, size_t size)
{
    snprintf(path, size, "%s/ledger.db%s", ledger->dir, end);
}

enum acta_code
ledger_open(struct ledger *ledger, const char *parent, struct acta_err *err)
{
    static const char *const tables[] = {"streams", NULL};
    const char *temporary = getenv("TMPDIR");
    char path[sizeof(ledger->dir) + 32];

    *ledger = (struct ledger){.db = NULL};
    if (parent == NULL) {
        parent = temporary == NULL ? "/tmp" : temporary;
    }
    snprintf(ledger->dir, sizeof(ledger->dir), "%s/acta-bench-XXXXXX", parent);
    if (mkdtemp(ledger->dir) == NULL) {
        ledger->dir[0] = '\0';
        return acta_fail(err, ACTA_IO, "%s: %s", parent, strerror(errno));
    }
    name_file(ledger, "", path, sizeof(path));
    if (sqlite3_open(path, &ledger->db) != SQLITE_OK ||
        sqlite3_exec(ledger->db, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(ledger, err);
    }
    if (acta_sqlite_open(&ledger->model, ledger->db, create, tables, err) !=
        ACTA_OK) {
        return err->code;
    }
    return sqlite3_prepare_v2(ledger->db, add, -1, &ledger->add, NULL) ==
                   SQLITE_OK
               ? ACTA_OK
               : fail(ledger, err);
}

void
ledger_close(struct ledger *ledger)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    char path[sizeof(ledger->dir) + 32];

    sqlite3_finalize(ledger->add);
    acta_sqlite_close(ledger->model);
    sqlite3_close(ledger->db);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        name_file(ledger, ends[i], path, sizeof(path));
        if (ledger->dir[0] != '\0') {
            (void)unlink(path); /* It is not there, as a rule. */
        }
    }
    if (ledger->dir[0] != '\0') {
        (void)rmdir(ledger->dir);
    }
    *ledger = (struct ledger){.db = NULL};
}

enum acta_code
ledger_add(struct ledger *ledger, const char *stream, size_t size,
           struct acta_err *err)
{
    int rc;

    sqlite3_bind_text(ledger->add, 1, stream, -1, SQLITE_STATIC);
    sqlite3_bind_int64(ledger->add, 2, (sqlite3_int64)size);
    rc = sqlite3_step(ledger->add);
    sqlite3_reset(ledger->add);
    return rc == SQLITE_DONE ? ACTA_OK : fail(ledger, err);
}

enum acta_verdict
ledger_handle(void *user, struct acta_context *context,
              const struct acta_event *event)
{
    struct acta_err err;

    if (ledger_add(user, event->stream, event->data_size, &err) != ACTA_OK) {
        return acta_context_fail(context, ACTA_VERDICT_STOP, "%s", err.text);
    }
    return ACTA_VERDICT_OK;
}
