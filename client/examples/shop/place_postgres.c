#include <acta/acta_postgres.h>
#include <stdlib.h>

#include "place.h"

struct here {
    PGconn *db;
    struct acta_postgres *model;
};

static void
close_here(void *data)
{
    struct here *here = data;

    if (here != NULL) {
        acta_postgres_close(here->model);
        PQfinish(here->db);
        free(here);
    }
}

static enum acta_code
open_here(void **data, const char *where, struct acta_err *err)
{
    struct here *here = calloc(1, sizeof(*here));

    *data = here;
    if (here == NULL || (here->db = PQconnectdb(where)) == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%s", where);
    }
    return ACTA_OK;
}

static enum acta_code
keep(void *data, const struct acta_keeper **keeper, struct acta_err *err)
{
    static const char *const tables[] = {"stock", NULL};
    struct here *here = data;
    enum acta_code code =
        acta_postgres_open(&here->model, here->db, PLACE_CREATE, tables, err);

    if (code == ACTA_OK) {
        *keeper = acta_postgres_keeper(here->model);
    }
    return code;
}

static enum acta_code
add(void *model, const char *const values[4], struct acta_err *err)
{
    PGconn *db = model;
    PGresult *result =
        PQexecParams(db, PLACE_ADD, 4, NULL, values, NULL, NULL, 0);
    enum acta_code code = ACTA_OK;

    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        code = acta_fail(err, ACTA_IO, "%s", PQerrorMessage(db));
    }
    PQclear(result);
    return code;
}

static enum acta_code
get(void *data, const char *sku, struct levels *levels, struct acta_err *err)
{
    struct here *here = data;
    enum acta_code code = ACTA_OK;
    PGresult *row;

    if (PQstatus(here->db) != CONNECTION_OK) {
        PQreset(here->db);
    }
    row = PQexecParams(here->db, PLACE_GET, 1, NULL, &sku, NULL, NULL, 0);
    if (PQresultStatus(row) != PGRES_TUPLES_OK) {
        code = acta_fail(err, ACTA_IO, "%s", PQerrorMessage(here->db));
    } else if (PQntuples(row) == 0) {
        code = acta_fail(err, ACTA_NOT_FOUND, "there is no article %s", sku);
    } else {
        levels->available = atoll(PQgetvalue(row, 0, 0));
        levels->reserved = atoll(PQgetvalue(row, 0, 1));
        levels->shipped = atoll(PQgetvalue(row, 0, 2));
    }
    PQclear(row);
    return code;
}

const struct place place_postgres = {open_here, close_here, keep, add, get};
