/* Answers queries over HTTP, from the read models alone:
 *
 *     GET /orders/ada
 *     GET /stock/book
 *
 * With ?after=POSITION, which the answer to a command has told, it waits until
 * the model has come that far: so whoever has written reads that. 503 says that
 * it did not in two seconds.
 */

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "fields.h"
#include "http.h"
#include "orders.h"
#include "place.h"
#include "roles.h"

#define WAIT_MS 2000

/* Each thread of the server has its own. */
struct desk {
    struct acta_sync *sync;
    const char *orders_file;
    const struct place *place;
    void *place_data;
};

static json_t *
levels_of(struct desk *desk, const char *sku, struct acta_err *err)
{
    struct levels levels;

    if (desk->place->get(desk->place_data, sku, &levels, err) != ACTA_OK) {
        return NULL;
    }
    return json_pack("{s:s, s:I, s:I, s:I}", "sku", sku, "available",
                     levels.available, "reserved", levels.reserved, "shipped",
                     levels.shipped);
}

static json_t *
answer(void *user, const struct http_request *request, unsigned *status)
{
    struct desk *desk = (struct desk *)user + request->thread;
    const char *after = http_argument(request, "after");
    char model[20], name[60];
    struct acta_err err = {ACTA_OK, ""};
    json_t *found = NULL;
    int path_size = 0;
    bool is_stock;

    if (strcmp(request->method, "GET") != 0 ||
        sscanf(request->path, "/%19[^/]/%59[^/]%n", model, name, &path_size) !=
            2 ||
        request->path[path_size] != '\0' || !is_name(name) ||
        (strcmp(model, "orders") != 0 && strcmp(model, "stock") != 0)) {
        *status = MHD_HTTP_NOT_FOUND;
        return http_problem("not_found", "",
                            "GET /orders/CUSTOMER or /stock/ARTICLE");
    }
    is_stock = strcmp(model, "stock") == 0;
    if (after == NULL ||
        acta_sync_wait_for(desk->sync, is_stock ? LEVELS_NAME : ORDERS_NAME,
                           strtoull(after, NULL, 10), WAIT_MS,
                           &err) == ACTA_OK) {
        found = is_stock ? levels_of(desk, name, &err)
                         : orders_of(desk->orders_file, name, &err);
    }
    if (found == NULL) {
        found = http_failure(&err, status);
        if (err.code == ACTA_NOT_FOUND) {
            *status = MHD_HTTP_NOT_FOUND;
        }
    }
    return found;
}

enum acta_code
queries_run(const struct acta_options *options, char **arguments,
            struct acta_err *err)
{
    const struct place *place = place_for(arguments[2]);
    struct desk desks[HTTP_THREADS] = {{NULL, NULL, NULL, NULL}};
    enum acta_code code = ACTA_OK;

    if (place == NULL) {
        return acta_fail(err, ACTA_UNSUPPORTED, "this shop has no PostgreSQL");
    }
    for (size_t i = 0; code == ACTA_OK && i < HTTP_THREADS; i++) {
        desks[i].orders_file = arguments[1];
        desks[i].place = place;
        code = acta_sync_open(&desks[i].sync, options, err);
        if (code == ACTA_OK) {
            code = place->open(&desks[i].place_data, arguments[2], err);
        }
    }
    if (code == ACTA_OK) {
        code = http_serve(arguments[0], answer, desks, err);
    }
    for (size_t i = 0; i < HTTP_THREADS; i++) {
        place->close(desks[i].place_data);
        acta_sync_close(desks[i].sync);
    }
    return code;
}
