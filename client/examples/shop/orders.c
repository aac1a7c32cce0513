#include "orders.h"

#include <acta/acta_sqlite.h>

#include "fields.h"
#include "roles.h"
#include "shop.h"

static const char create[] =
    "CREATE TABLE IF NOT EXISTS orders("
    "id TEXT PRIMARY KEY, customer TEXT NOT NULL, sku TEXT NOT NULL,"
    "quantity INTEGER NOT NULL, cents INTEGER NOT NULL,"
    "state TEXT NOT NULL, reason TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS orders_by_customer ON orders(customer)";
static const char *const tables[] = {"orders", NULL};

/* Run @sql, with the texts of @names among the event's fields for ?2, ?3, ...
 * and the order's id for ?1.
 */
static enum acta_verdict
run_sql(struct acta_context *context, const struct acta_event *event,
        const char *sql, const char *const *names)
{
    sqlite3 *db = acta_context_model(context);
    json_t *fields = fields_of(event->data, event->data_size);
    sqlite3_stmt *statement = NULL;
    enum acta_verdict verdict = ACTA_VERDICT_OK;

    sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    sqlite3_bind_text(statement, 1, event->stream + strlen("order-"), -1,
                      SQLITE_STATIC);
    for (int i = 0; names[i] != NULL; i++) {
        json_t *field = json_object_get(fields, names[i]);

        if (json_is_integer(field)) {
            sqlite3_bind_int64(statement, i + 2, json_integer_value(field));
        } else {
            sqlite3_bind_text(statement, i + 2, fields_text(fields, names[i]),
                              -1, SQLITE_STATIC);
        }
    }
    if (sqlite3_step(statement) != SQLITE_DONE) {
        verdict = acta_context_fail(context, ACTA_VERDICT_RETRY, "%s",
                                    sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    json_decref(fields);
    return verdict;
}

static enum acta_verdict
on_placed(void *user, struct acta_context *context,
          const struct acta_event *event)
{
    static const char *const names[] = {"customer", "sku", "quantity", "cents",
                                        NULL};

    (void)user;
    return run_sql(
        context, event,
        "INSERT INTO orders VALUES(?1, ?2, ?3, ?4, ?5, 'placed', '')", names);
}

static enum acta_verdict
on_confirmed(void *user, struct acta_context *context,
             const struct acta_event *event)
{
    static const char *const names[] = {NULL};

    (void)user;
    return run_sql(context, event,
                   "UPDATE orders SET state = 'confirmed' WHERE id = ?1",
                   names);
}

static enum acta_verdict
on_cancelled(void *user, struct acta_context *context,
             const struct acta_event *event)
{
    static const char *const names[] = {"reason", NULL};

    (void)user;
    return run_sql(context, event,
                   "UPDATE orders SET state = 'cancelled', reason = ?2 "
                   "WHERE id = ?1",
                   names);
}

enum acta_code
orders_run(const struct acta_options *options, char **arguments,
           struct acta_err *err)
{
    struct acta_projection *orders = acta_projection_new(ORDERS_NAME);
    struct acta_upcasters *upcasters = shop_upcasters_new();
    struct acta_sqlite *model = NULL;
    sqlite3 *db = NULL;
    enum acta_code code;

    if (sqlite3_open(arguments[0], &db) != SQLITE_OK) {
        code =
            acta_fail(err, ACTA_IO, "%s: %s", arguments[0], sqlite3_errmsg(db));
        goto done;
    }
    sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    code = acta_sqlite_open(&model, db, create, tables, err);
    if (code != ACTA_OK) {
        goto done;
    }
    acta_projection_upcasters(orders, upcasters);
    acta_projection_on(orders, "OrderPlaced", on_placed, NULL);
    acta_projection_on(orders, "OrderConfirmed", on_confirmed, NULL);
    acta_projection_on(orders, "OrderCancelled", on_cancelled, NULL);
    acta_projection_keep(orders, acta_sqlite_keeper(model));
    code = run_projection(orders, options, err);
done:
    acta_sqlite_close(model);
    acta_projection_free(orders);
    acta_upcasters_free(upcasters);
    sqlite3_close(db);
    return code;
}

json_t *
orders_of(const char *file, const char *customer, struct acta_err *err)
{
    json_t *orders = json_array();
    sqlite3_stmt *row = NULL;
    sqlite3 *db = NULL;
    int result;

    result = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL);
    if (result == SQLITE_OK) {
        sqlite3_busy_timeout(db, 1000);
        result = sqlite3_prepare_v2(
            db,
            "SELECT id, sku, quantity, cents, state, reason FROM orders "
            "WHERE customer = ?1 ORDER BY id",
            -1, &row, NULL);
    }
    if (result == SQLITE_OK) {
        sqlite3_bind_text(row, 1, customer, -1, SQLITE_STATIC);
        while ((result = sqlite3_step(row)) == SQLITE_ROW) {
            json_array_append_new(
                orders, json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "order",
                                  sqlite3_column_text(row, 0), "sku",
                                  sqlite3_column_text(row, 1), "quantity",
                                  sqlite3_column_int64(row, 2), "cents",
                                  sqlite3_column_int64(row, 3), "state",
                                  sqlite3_column_text(row, 4), "reason",
                                  sqlite3_column_text(row, 5)));
        }
    }
    if (result != SQLITE_DONE) {
        acta_fail(err, ACTA_IO, "%s: %s", file, sqlite3_errmsg(db));
        json_decref(orders);
        orders = NULL;
    }
    sqlite3_finalize(row);
    sqlite3_close(db);
    return orders;
}
