#include <acta/acta_sqlite.h>
#include <stdlib.h>

#include "place.h"

struct here {
    char *file;
    sqlite3 *db;
    struct acta_sqlite *model;
};

static void
close_here(void *data)
{
    struct here *here = data;

    if (here != NULL) {
        acta_sqlite_close(here->model);
        sqlite3_close(here->db);
        free(here->file);
        free(here);
    }
}

static enum acta_code
open_here(void **data, const char *where, struct acta_err *err)
{
    struct here *here = calloc(1, sizeof(*here));

    *data = here;
    if (here == NULL || (here->file = strdup(where)) == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%s", where);
    }
    return ACTA_OK;
}

static enum acta_code
keep(void *data, const struct acta_keeper **keeper, struct acta_err *err)
{
    static const char *const tables[] = {"stock", NULL};
    struct here *here = data;
    enum acta_code code;

    if (sqlite3_open(here->file, &here->db) != SQLITE_OK) {
        return acta_fail(err, ACTA_IO, "%s: %s", here->file,
                         sqlite3_errmsg(here->db));
    }
    sqlite3_exec(here->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    code = acta_sqlite_open(&here->model, here->db, PLACE_CREATE, tables, err);
    if (code == ACTA_OK) {
        *keeper = acta_sqlite_keeper(here->model);
    }
    return code;
}

static enum acta_code
add(void *model, const char *const values[4], struct acta_err *err)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = model;
    enum acta_code code = ACTA_OK;

    sqlite3_prepare_v2(db, PLACE_ADD, -1, &statement, NULL);
    for (int i = 0; i < 4; i++) {
        sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
    }
    if (sqlite3_step(statement) != SQLITE_DONE) {
        code = acta_fail(err, ACTA_IO, "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    return code;
}

/* Opened each time: the file may be made later, or be replaced. */
static enum acta_code
get(void *data, const char *sku, struct levels *levels, struct acta_err *err)
{
    const struct here *here = data;
    sqlite3_stmt *row = NULL;
    enum acta_code code = ACTA_OK;
    sqlite3 *db = NULL;
    int result = sqlite3_open_v2(here->file, &db, SQLITE_OPEN_READONLY, NULL);

    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(db, 1000);
        result = sqlite3_prepare_v2(db, PLACE_GET, -1, &row, NULL);
    }
    if (result == SQLITE_OK) {
        sqlite3_bind_text(row, 1, sku, -1, SQLITE_STATIC);
        result = sqlite3_step(row);
    }
    if (result == SQLITE_ROW) {
        levels->available = sqlite3_column_int64(row, 0);
        levels->reserved = sqlite3_column_int64(row, 1);
        levels->shipped = sqlite3_column_int64(row, 2);
    } else if (result == SQLITE_DONE) {
        code = acta_fail(err, ACTA_NOT_FOUND, "there is no article %s", sku);
    } else {
        code =
            acta_fail(err, ACTA_IO, "%s: %s", here->file, sqlite3_errmsg(db));
    }
    sqlite3_finalize(row);
    sqlite3_close(db);
    return code;
}

const struct place place_sqlite = {open_here, close_here, keep, add, get};
