/* The projection of levels of stock, in whatever place. */

#include <stdio.h>

#include "fields.h"
#include "place.h"
#include "roles.h"

const struct place *
place_for(const char *where)
{
    if (strncmp(where, "postgresql:", strlen("postgresql:")) != 0) {
        return &place_sqlite;
    }
#ifdef SHOP_POSTGRES
    return &place_postgres;
#else
    return NULL;
#endif
}

/* How an event changes the levels, for each of its quantity. */
struct change {
    const struct place *place;
    const char *type;
    int available, reserved, shipped;
};

static enum acta_verdict
on_event(void *user, struct acta_context *context,
         const struct acta_event *event)
{
    const struct change *change = user;
    json_t *fields = fields_of(event->data, event->data_size);
    json_int_t quantity = fields_number(fields, "quantity");
    char available[30], reserved[30], shipped[30];
    const char *values[] = {event->stream + strlen("stock-"), available,
                            reserved, shipped};
    struct acta_err err;

    snprintf(available, sizeof(available), "%" JSON_INTEGER_FORMAT,
             quantity * change->available);
    snprintf(reserved, sizeof(reserved), "%" JSON_INTEGER_FORMAT,
             quantity * change->reserved);
    snprintf(shipped, sizeof(shipped), "%" JSON_INTEGER_FORMAT,
             quantity * change->shipped);
    json_decref(fields);
    if (change->place->add(acta_context_model(context), values, &err) !=
        ACTA_OK) {
        return acta_context_fail(context, ACTA_VERDICT_RETRY, "%s", err.text);
    }
    return ACTA_VERDICT_OK;
}

enum acta_code
levels_run(const struct acta_options *options, char **arguments,
           struct acta_err *err)
{
    const struct place *place = place_for(arguments[0]);
    struct change changes[] = {
        {place, "StockReceived", 1, 0, 0},
        {place, "StockReserved", -1, 1, 0},
        {place, "StockReleased", 1, -1, 0},
        {place, "StockShipped", 0, -1, 1},
    };
    struct acta_projection *levels = acta_projection_new(LEVELS_NAME);
    const struct acta_keeper *keeper;
    enum acta_code code;
    void *data = NULL;

    if (place == NULL) {
        code = acta_fail(err, ACTA_UNSUPPORTED, "this shop has no PostgreSQL");
        goto done;
    }
    code = place->open(&data, arguments[0], err);
    if (code == ACTA_OK) {
        code = place->keep(data, &keeper, err);
    }
    if (code == ACTA_OK) {
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
            acta_projection_on(levels, changes[i].type, on_event, &changes[i]);
        }
        acta_projection_keep(levels, keeper);
        code = run_projection(levels, options, err);
    }
    place->close(data);
done:
    acta_projection_free(levels);
    return code;
}
