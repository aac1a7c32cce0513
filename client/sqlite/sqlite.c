/* The model's file has a table of checkpoints, and so has the file of a
 * rebuild, which is attached to the model's connection only when it takes over:
 * before, a transaction would lock both.
 *
 * What takes over says in its own checkpoint how far it is, and that has to be
 * where the model is: a file that another rebuild has begun anew in the
 * meantime is none that could.
 */

#include <acta/acta_sqlite.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../tables.h"

#define BUSY_MS 10000

static const char checkpoints[] =
    "CREATE TABLE IF NOT EXISTS acta_checkpoint("
    "projection TEXT PRIMARY KEY, position INTEGER NOT NULL)";

struct acta_sqlite {
    struct acta_keeper keeper;
    sqlite3 *db;
    char *create;  /* owned */
    char **tables; /* owned, with those that it names; NULL at the end. */
    char *path;    /* Of the file of a rebuild, else NULL. owned; of
                      sqlite3_malloc() */
    bool owns_db;
    bool is_open;   /* A transaction was begun, */
    bool is_undone; /* and a statement of a handler has rolled it back. */
};

/* ---- statements ---- */

static enum acta_code
fail(sqlite3 *db, const char *doing, struct acta_err *err)
{
    int rc = sqlite3_errcode(db);
    enum acta_code code = ACTA_IO;

    if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED) {
        code = ACTA_BUSY;
    } else if (rc == SQLITE_NOMEM) {
        code = ACTA_MEMORY;
    } else if (rc == SQLITE_FULL) {
        code = ACTA_FULL;
    }
    return acta_fail(err, code, "%s: %s", doing, sqlite3_errmsg(db));
}

static enum acta_code
run(sqlite3 *db, const char *sql, struct acta_err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? ACTA_OK
               : fail(db, "sqlite", err);
}

/* Run SQL as sqlite3_mprintf() makes it. */
static enum acta_code
runf(sqlite3 *db, struct acta_err *err, const char *format, ...)
{
    enum acta_code code;
    va_list args;
    char *sql;

    va_start(args, format);
    sql = sqlite3_vmprintf(format, args);
    va_end(args);
    if (sql == NULL) {
        return acta_fail(err, ACTA_MEMORY, "sqlite");
    }
    code = run(db, sql, err);
    sqlite3_free(sql);
    return code;
}

/* ---- checkpoints and transactions ---- */

static enum acta_code
load_from(sqlite3 *db, const char *select, const char *projection,
          uint64_t *position, struct acta_err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, select, -1, &statement, NULL);

    *position = 0;
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, projection, -1, SQLITE_STATIC);
        rc = sqlite3_step(statement);
    }
    if (rc == SQLITE_ROW) {
        *position = (uint64_t)sqlite3_column_int64(statement, 0);
        rc = SQLITE_DONE;
    }
    if (rc != SQLITE_DONE) {
        enum acta_code code = fail(db, "load checkpoint", err);

        sqlite3_finalize(statement);
        return code;
    }
    sqlite3_finalize(statement);
    return ACTA_OK;
}

static enum acta_code
load(void *user, const char *projection, uint64_t *position,
     struct acta_err *err)
{
    struct acta_sqlite *model = user;

    return load_from(model->db,
                     "SELECT position FROM main.acta_checkpoint "
                     "WHERE projection = ?1",
                     projection, position, err);
}

static enum acta_code
begin(void *user, const char *projection, struct acta_err *err)
{
    struct acta_sqlite *model = user;
    enum acta_code code;

    (void)projection;
    model->is_undone = false;
    code = run(model->db, "BEGIN IMMEDIATE", err);
    model->is_open = code == ACTA_OK;
    return code;
}

/* SQLite rolls back by itself when some statements fail, as with a full disk;
 * what comes behind in the same batch would take effect at once, without what
 * was before it.
 */
static enum acta_code
check_open(const struct acta_sqlite *model, struct acta_err *err)
{
    return model->is_undone || sqlite3_get_autocommit(model->db)
               ? acta_fail(err, ACTA_IO,
                           "a statement of a handler has undone the "
                           "transaction")
               : ACTA_OK;
}

static void
rollback(void *user)
{
    struct acta_sqlite *model = user;

    model->is_open = false;
    if (!sqlite3_get_autocommit(model->db)) {
        (void)run(model->db, "ROLLBACK", NULL);
    }
}

static enum acta_code
save(void *user, const char *projection, uint64_t position,
     struct acta_err *err)
{
    struct acta_sqlite *model = user;
    enum acta_code code = check_open(model, err);

    return code == ACTA_OK
               ? runf(model->db, err,
                      "INSERT INTO main.acta_checkpoint VALUES(%Q, %llu) "
                      "ON CONFLICT(projection) DO UPDATE "
                      "SET position = excluded.position",
                      projection, (unsigned long long)position)
               : code;
}

static enum acta_code
commit(void *user, struct acta_err *err)
{
    struct acta_sqlite *model = user;
    enum acta_code code = check_open(model, err);

    if (code == ACTA_OK) {
        code = run(model->db, "COMMIT", err);
    }
    if (code != ACTA_OK) {
        rollback(model);
    }
    model->is_open = false;
    return code;
}

/* Each event is handled in a transaction, also those behind one that has undone
 * that of the batch: then in one that is not committed.
 */
static void *
model_of(void *user)
{
    struct acta_sqlite *model = user;

    if (model->is_open && sqlite3_get_autocommit(model->db)) {
        model->is_undone = true;
        (void)run(model->db, "BEGIN IMMEDIATE", NULL);
    }
    return model->db;
}

/* ---- rebuilds ---- */

static void
remove_files(const char *path)
{
    static const char *const ends[] = {"", "-journal", "-wal", "-shm"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char *file = sqlite3_mprintf("%s%s", path, ends[i]);

        if (file != NULL) {
            (void)unlink(file); /* It is not there, as a rule. */
        }
        sqlite3_free(file);
    }
}

static enum acta_code
open_file(struct acta_sqlite **beside, const struct acta_sqlite *model,
          const char *path, struct acta_err *err)
{
    sqlite3 *db = NULL;
    enum acta_code code = ACTA_OK;

    *beside = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        code = fail(db, path, err);
    }
    if (code == ACTA_OK) {
        code = acta_sqlite_open(beside, db, model->create,
                                (const char *const *)model->tables, err);
    }
    if (code == ACTA_OK) {
        (*beside)->owns_db = true;
    } else {
        sqlite3_close(db);
    }
    return code;
}

/* Where a rebuild is made, to be freed by sqlite3_free(); NULL: no memory. A
 * slash in a projection's name is none of the path.
 */
static char *
path_beside(const char *file, const char *projection)
{
    sqlite3_str *path = sqlite3_str_new(NULL);

    sqlite3_str_appendf(path, "%s.", file);
    for (; *projection != '\0'; projection++) {
        if (*projection == '/' || *projection == '%') {
            sqlite3_str_appendf(path, "%%%02X", (unsigned)*projection);
        } else {
            sqlite3_str_appendchar(path, 1, *projection);
        }
    }
    sqlite3_str_appendall(path, ".rebuild");
    return sqlite3_str_finish(path);
}

static enum acta_code
open_beside(void *user, const char *projection, struct acta_keeper *beside,
            struct acta_err *err)
{
    struct acta_sqlite *model = user, *made;
    const char *file = sqlite3_db_filename(model->db, "main");
    enum acta_code code;
    char *path;

    if (file == NULL || file[0] == '\0') {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "a database in memory has no place beside it");
    }
    path = path_beside(file, projection);
    if (path == NULL) {
        return acta_fail(err, ACTA_MEMORY, "sqlite");
    }
    remove_files(path);
    code = open_file(&made, model, path, err);
    if (code != ACTA_OK) {
        sqlite3_free(path);
        return code;
    }
    made->path = path;
    *beside = made->keeper;
    return ACTA_OK;
}

/* Both are as far. */
static enum acta_code
compare_checkpoints(sqlite3 *db, struct acta_err *err)
{
    uint64_t different;
    enum acta_code code =
        load_from(db,
                  "SELECT count(*) FROM acta_rebuilt.acta_checkpoint AS ours "
                  "LEFT JOIN main.acta_checkpoint AS theirs USING(projection) "
                  "WHERE ours.position IS NOT theirs.position AND ?1 IS NULL",
                  NULL, &different, err);

    if (code == ACTA_OK && different != 0) {
        code = acta_fail(err, ACTA_CONFLICT,
                         "the file of the rebuild is another one's");
    }
    return code;
}

static enum acta_code
copy_tables(struct acta_sqlite *model, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (char **table = model->tables; *table != NULL && code == ACTA_OK;
         table++) {
        code = runf(model->db, err, "DROP TABLE IF EXISTS main.\"%w\"", *table);
    }
    if (code == ACTA_OK) {
        code = run(model->db, model->create, err);
    }
    for (char **table = model->tables; *table != NULL && code == ACTA_OK;
         table++) {
        code = runf(model->db, err,
                    "INSERT INTO main.\"%w\" "
                    "SELECT * FROM acta_rebuilt.\"%w\"",
                    *table, *table);
    }
    return code;
}

static enum acta_code
take_over(void *user, const struct acta_keeper *beside, struct acta_err *err)
{
    struct acta_sqlite *model = user;
    const struct acta_sqlite *made = beside->user;
    enum acta_code code =
        runf(model->db, err, "ATTACH DATABASE %Q AS acta_rebuilt", made->path);

    if (code == ACTA_OK) {
        code = compare_checkpoints(model->db, err);
    }
    return code == ACTA_OK ? copy_tables(model, err) : code;
}

static void
close_beside(void *user, const struct acta_keeper *beside)
{
    struct acta_sqlite *model = user, *made = beside->user;
    char *path = made->path;

    made->path = NULL;
    acta_sqlite_close(made);
    /* It is attached only if it came to taking over. */
    (void)run(model->db, "DETACH DATABASE acta_rebuilt", NULL);
    remove_files(path);
    sqlite3_free(path);
}

/* ---- opening and closing ---- */

static enum acta_code
make_tables(struct acta_sqlite *model, struct acta_err *err)
{
    enum acta_code code = run(model->db, checkpoints, err);

    return code == ACTA_OK ? run(model->db, model->create, err) : code;
}

enum acta_code
acta_sqlite_open(struct acta_sqlite **model, sqlite3 *db, const char *create,
                 const char *const *tables, struct acta_err *err)
{
    struct acta_sqlite *made = calloc(1, sizeof(*made));
    enum acta_code code;

    *model = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "sqlite");
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
    sqlite3_busy_timeout(db, BUSY_MS);
    code = made->create == NULL || made->tables == NULL
               ? acta_fail(err, ACTA_MEMORY, "sqlite")
               : make_tables(made, err);
    if (code != ACTA_OK) {
        acta_sqlite_close(made);
        return code;
    }
    *model = made;
    return ACTA_OK;
}

void
acta_sqlite_close(struct acta_sqlite *model)
{
    if (model == NULL) {
        return;
    }
    if (model->owns_db) {
        sqlite3_close(model->db);
    }
    tables_free(model->tables);
    free(model->create);
    sqlite3_free(model->path);
    free(model);
}

const struct acta_keeper *
acta_sqlite_keeper(const struct acta_sqlite *model)
{
    return &model->keeper;
}
