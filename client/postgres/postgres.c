/* The tables of a model are where the connection's search_path has them made. A
 * rebuild has a schema of its own, and a connection whose search_path begins
 * with it: so the same SQL works there. It takes over by moving its tables to
 * where those in use were, which takes no copying.
 *
 * Beginning locks the checkpoint's row, before anything else is touched: so two
 * that are at work wait for each other there, and not crosswise.
 */

#include <acta/acta_postgres.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../tables.h"
#include "hash.h"

#define NUMBER_SIZE    24
#define SCHEMA_SIZE    64 /* PostgreSQL cuts what is longer, and says nothing. */
#define SCHEMA_PREFIX  "acta_rebuild_"
#define PROJECTION_MAX (SCHEMA_SIZE - sizeof(SCHEMA_PREFIX))

static const char checkpoints[] =
    "CREATE TABLE IF NOT EXISTS acta_checkpoint("
    "projection text PRIMARY KEY, position bigint NOT NULL)";

struct acta_postgres {
    struct acta_keeper keeper;
    PGconn *db;
    char *create;             /* owned */
    char **tables;            /* owned, with those that it names; NULL at the
                                 end. */
    char schema[SCHEMA_SIZE]; /* Of a rebuild, else "". */
    bool owns_db;
    bool is_open;   /* In a transaction. */
    bool is_astray; /* The connection is new, and not of the schema yet. */
};

/* ---- statements ---- */

/* Texts of PostgreSQL end with a line's end. */
static enum acta_code
fail(const struct acta_postgres *model, const char *doing, struct acta_err *err)
{
    const char *text = PQerrorMessage(model->db);
    size_t size = strcspn(text, "\n");

    return acta_fail(err, ACTA_IO, "%s: %.*s", doing, (int)size, text);
}

/* Run one statement with up to two parameters. *@number, which may be NULL, is
 * the first column of the first row, 0 if there is none.
 */
static enum acta_code
ask(struct acta_postgres *model, const char *sql, const char *first,
    const char *second, uint64_t *number, struct acta_err *err)
{
    const char *const values[] = {first, second};
    int count = first == NULL ? 0 : second == NULL ? 1 : 2;
    PGresult *result =
        PQexecParams(model->db, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    enum acta_code code = ACTA_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        code = fail(model, "postgres", err);
    } else if (number != NULL) {
        *number = PQntuples(result) == 0
                      ? 0
                      : strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    }
    PQclear(result);
    return code;
}

/* Run statements. */
static enum acta_code
run(struct acta_postgres *model, const char *sql, struct acta_err *err)
{
    PGresult *result = PQexec(model->db, sql);
    ExecStatusType status = PQresultStatus(result);
    enum acta_code code = status == PGRES_COMMAND_OK ||
                                  status == PGRES_TUPLES_OK ||
                                  status == PGRES_EMPTY_QUERY
                              ? ACTA_OK
                              : fail(model, "postgres", err);

    PQclear(result);
    return code;
}

/* Run a statement that names two things, quoted: @second may be NULL. */
static enum acta_code
run_on(struct acta_postgres *model, const char *before, const char *first,
       const char *between, const char *second, struct acta_err *err)
{
    char *one = PQescapeIdentifier(model->db, first, strlen(first));
    char *two = second == NULL
                    ? NULL
                    : PQescapeIdentifier(model->db, second, strlen(second));
    enum acta_code code;
    char *sql = NULL;

    if (one == NULL || (second != NULL && two == NULL)) {
        code = fail(model, "postgres", err);
    } else if (asprintf(&sql, "%s%s%s%s", before, one, between,
                        two == NULL ? "" : two) < 0) {
        sql = NULL;
        code = acta_fail(err, ACTA_MEMORY, "postgres");
    } else {
        code = run(model, sql, err);
    }
    free(sql);
    PQfreemem(one);
    PQfreemem(two);
    return code;
}

/* ---- the connection ---- */

/* Let what follows be in the schema of a rebuild. */
static enum acta_code
search_schema(struct acta_postgres *model, struct acta_err *err)
{
    return ask(model,
               "SELECT set_config('search_path', quote_ident($1) || ', ' "
               "|| current_setting('search_path'), false)",
               model->schema, NULL, NULL, err);
}

/* A connection that was lost is made anew, and is of the same schema. */
static enum acta_code
revive(struct acta_postgres *model, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (PQstatus(model->db) == CONNECTION_OK && !model->is_astray) {
        return ACTA_OK;
    }
    PQreset(model->db);
    if (PQstatus(model->db) != CONNECTION_OK) {
        return fail(model, "connect", err);
    }
    if (model->schema[0] != '\0') {
        code = search_schema(model, err);
        model->is_astray = code != ACTA_OK;
    }
    return code;
}

/* ---- checkpoints and transactions ---- */

/* Within a transaction another connection would see something else. */
static enum acta_code
load(void *user, const char *projection, uint64_t *position,
     struct acta_err *err)
{
    struct acta_postgres *model = user;
    enum acta_code code = model->is_open ? ACTA_OK : revive(model, err);

    return code == ACTA_OK ? ask(model,
                                 "SELECT position FROM acta_checkpoint "
                                 "WHERE projection = $1",
                                 projection, NULL, position, err)
                           : code;
}

/* What a handler has rolled back, as to go on behind a statement that failed,
 * is lost with all that was before it: nothing must say that it is there.
 */
static enum acta_code
check_open(const struct acta_postgres *model, struct acta_err *err)
{
    return PQtransactionStatus(model->db) == PQTRANS_IDLE
               ? acta_fail(err, ACTA_IO, "a handler has ended the transaction")
               : ACTA_OK;
}

static enum acta_code
save(void *user, const char *projection, uint64_t position,
     struct acta_err *err)
{
    enum acta_code code = check_open(user, err);
    char number[NUMBER_SIZE];

    snprintf(number, sizeof(number), "%" PRIu64, position);
    return code == ACTA_OK
               ? ask(user,
                     "UPDATE acta_checkpoint SET position = $2::bigint "
                     "WHERE projection = $1",
                     projection, number, NULL, err)
               : code;
}

static void
rollback(void *user)
{
    struct acta_postgres *model = user;

    model->is_open = false;
    if (PQtransactionStatus(model->db) != PQTRANS_IDLE) {
        (void)run(model, "ROLLBACK", NULL);
    }
}

static enum acta_code
begin(void *user, const char *projection, struct acta_err *err)
{
    struct acta_postgres *model = user;
    enum acta_code code = revive(model, err);

    if (code == ACTA_OK) {
        code = run(model, "BEGIN", err);
    }
    if (code == ACTA_OK) {
        code = ask(model,
                   "INSERT INTO acta_checkpoint VALUES($1, 0) "
                   "ON CONFLICT DO NOTHING",
                   projection, NULL, NULL, err);
    }
    if (code == ACTA_OK) {
        code = ask(model,
                   "SELECT 1 FROM acta_checkpoint WHERE projection = $1 "
                   "FOR UPDATE",
                   projection, NULL, NULL, err);
    }
    model->is_open = code == ACTA_OK;
    if (code != ACTA_OK) {
        rollback(model);
    }
    return code;
}

/* COMMIT of a transaction in which a statement has failed rolls back, and is no
 * error for PostgreSQL.
 */
static enum acta_code
commit(void *user, struct acta_err *err)
{
    struct acta_postgres *model = user;
    enum acta_code code = check_open(model, err);

    if (PQtransactionStatus(model->db) == PQTRANS_INERROR) {
        code = acta_fail(err, ACTA_IO, "a statement of a handler had failed");
    } else if (code == ACTA_OK) {
        code = run(model, "COMMIT", err);
    }
    model->is_open = false;
    if (code != ACTA_OK) {
        rollback(model);
    }
    return code;
}

static void *
model_of(void *user)
{
    struct acta_postgres *model = user;

    return model->db;
}

/* ---- rebuilds ---- */

/* A connection with the parameters of another. */
static PGconn *
connect_like(PGconn *db)
{
    PQconninfoOption *options = PQconninfo(db);
    const char *keys[100], *values[100];
    size_t count = 0;
    PGconn *made;

    for (PQconninfoOption *option = options;
         option != NULL && option->keyword != NULL && count < 99; option++) {
        if (option->val != NULL && option->val[0] != '\0') {
            keys[count] = option->keyword;
            values[count++] = option->val;
        }
    }
    keys[count] = NULL;
    values[count] = NULL;
    made = PQconnectdbParams(keys, values, 0);
    PQconninfoFree(options);
    return made;
}

/* Each projection has a schema of its own: where the name is too long for one,
 * its hash stands for it.
 */
static void
name_schema(struct acta_postgres *made, const char *projection)
{
    if (strlen(projection) <= PROJECTION_MAX) {
        snprintf(made->schema, sizeof(made->schema), SCHEMA_PREFIX "%s",
                 projection);
    } else {
        snprintf(made->schema, sizeof(made->schema),
                 SCHEMA_PREFIX "%016" PRIx64,
                 hash_bytes(slice_of(projection), 0));
    }
}

/* Make the schema anew, with the tables in it. */
static enum acta_code
enter_schema(struct acta_postgres *made, struct acta_err *err)
{
    enum acta_code code = run_on(made, "DROP SCHEMA IF EXISTS ", made->schema,
                                 " CASCADE; CREATE SCHEMA ", made->schema, err);

    if (code == ACTA_OK) {
        code = search_schema(made, err);
    }
    if (code == ACTA_OK) {
        code = run(made, checkpoints, err);
    }
    return code == ACTA_OK ? run(made, made->create, err) : code;
}

static struct acta_postgres *new_model(PGconn *db, const char *create,
                                       const char *const *tables);

static enum acta_code
open_beside(void *user, const char *projection, struct acta_keeper *beside,
            struct acta_err *err)
{
    struct acta_postgres *model = user, *made;
    PGconn *db = connect_like(model->db);
    enum acta_code code;

    made = new_model(db, model->create, (const char *const *)model->tables);
    if (made == NULL) {
        PQfinish(db);
        return acta_fail(err, ACTA_MEMORY, "postgres");
    }
    made->owns_db = true;
    name_schema(made, projection);
    code = PQstatus(db) == CONNECTION_OK ? enter_schema(made, err)
                                         : fail(made, "connect", err);
    if (code != ACTA_OK) {
        acta_postgres_close(made);
        return code;
    }
    *beside = made->keeper;
    return ACTA_OK;
}

/* Both are as far: else another rebuild has made the schema anew meanwhile. */
static enum acta_code
compare_checkpoints(struct acta_postgres *model, const char *schema,
                    struct acta_err *err)
{
    uint64_t equal = 0;
    char *quoted = PQescapeIdentifier(model->db, schema, strlen(schema));
    enum acta_code code = ACTA_OK;
    char *sql = NULL;

    if (quoted == NULL ||
        asprintf(&sql,
                 "SELECT count(*) FROM %s.acta_checkpoint AS ours "
                 "JOIN acta_checkpoint AS theirs USING(projection) "
                 "WHERE ours.position = theirs.position",
                 quoted) < 0) {
        sql = NULL;
        code = acta_fail(err, ACTA_MEMORY, "postgres");
    }
    if (code == ACTA_OK) {
        code = ask(model, sql, NULL, NULL, &equal, err);
    }
    if (code == ACTA_OK && equal != 1) {
        code = acta_fail(err, ACTA_CONFLICT,
                         "the schema of the rebuild is another one's");
    }
    free(sql);
    PQfreemem(quoted);
    return code;
}

static enum acta_code
move_tables(struct acta_postgres *model, const char *schema,
            struct acta_err *err)
{
    PGresult *here = PQexec(model->db, "SELECT current_schema()");
    enum acta_code code = ACTA_OK;

    if (PQresultStatus(here) != PGRES_TUPLES_OK || PQgetisnull(here, 0, 0)) {
        code = fail(model, "current schema", err);
    }
    for (char **table = model->tables; *table != NULL && code == ACTA_OK;
         table++) {
        code = run_on(model, "DROP TABLE IF EXISTS ", PQgetvalue(here, 0, 0),
                      ".", *table, err);
    }
    if (code == ACTA_OK) {
        code = ask(model,
                   "SELECT set_config('search_path', "
                   "quote_ident($1), true)",
                   schema, NULL, NULL, err);
    }
    for (char **table = model->tables; *table != NULL && code == ACTA_OK;
         table++) {
        code = run_on(model, "ALTER TABLE ", *table, " SET SCHEMA ",
                      PQgetvalue(here, 0, 0), err);
    }
    PQclear(here);
    return code;
}

static enum acta_code
take_over(void *user, const struct acta_keeper *beside, struct acta_err *err)
{
    const struct acta_postgres *made = beside->user;
    enum acta_code code = compare_checkpoints(user, made->schema, err);

    return code == ACTA_OK ? move_tables(user, made->schema, err) : code;
}

static void
close_beside(void *user, const struct acta_keeper *beside)
{
    struct acta_postgres *made = beside->user;

    (void)user;
    (void)run_on(made, "DROP SCHEMA IF EXISTS ", made->schema, " CASCADE", NULL,
                 NULL);
    acta_postgres_close(made);
}

/* ---- opening and closing ---- */

/* NULL: there is no memory. @db is not its own then. */
static struct acta_postgres *
new_model(PGconn *db, const char *create, const char *const *tables)
{
    struct acta_postgres *made = calloc(1, sizeof(*made));

    if (made == NULL) {
        return NULL;
    }
    made->keeper = acta_keeper_of(made);
    made->keeper.load = load;
    made->keeper.begin = begin;
    made->keeper.save = save;
    made->keeper.commit = commit;
    made->keeper.rollback = rollback;
    made->keeper.model = model_of;
    made->keeper.open_beside = open_beside;
    made->keeper.take_over = take_over;
    made->keeper.close_beside = close_beside;
    made->db = db;
    made->create = strdup(create);
    made->tables = tables_copy(tables);
    if (made->create == NULL || made->tables == NULL) {
        acta_postgres_close(made);
        return NULL;
    }
    return made;
}

/* Two that begin at once make no table twice: they come one after the other,
 * by a lock whose number is as good as any.
 */
static enum acta_code
make_tables(struct acta_postgres *model, struct acta_err *err)
{
    enum acta_code code =
        run(model, "BEGIN; SELECT pg_advisory_xact_lock(2282)", err);

    if (code == ACTA_OK) {
        code = run(model, checkpoints, err);
    }
    if (code == ACTA_OK) {
        code = run(model, model->create, err);
    }
    if (code == ACTA_OK) {
        return commit(model, err);
    }
    rollback(model);
    return code;
}

enum acta_code
acta_postgres_open(struct acta_postgres **model, PGconn *db, const char *create,
                   const char *const *tables, struct acta_err *err)
{
    struct acta_postgres *made = new_model(db, create, tables);
    enum acta_code code;

    *model = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "postgres");
    }
    code = make_tables(made, err);
    if (code != ACTA_OK) {
        acta_postgres_close(made);
        return code;
    }
    *model = made;
    return ACTA_OK;
}

void
acta_postgres_close(struct acta_postgres *model)
{
    if (model == NULL) {
        return;
    }
    if (model->owns_db) {
        PQfinish(model->db);
    }
    tables_free(model->tables);
    free(model->create);
    free(model);
}

const struct acta_keeper *
acta_postgres_keeper(const struct acta_postgres *model)
{
    return &model->keeper;
}
