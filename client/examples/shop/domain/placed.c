/* The old OrderPlaced, which had euros. */

#include <math.h>
#include <stdlib.h>

#include "fields.h"
#include "shop.h"

static bool
euros_to_cents(void *user, const struct acta_event *event,
               struct acta_bytes *data)
{
    json_t *fields = fields_of(event->data, event->data_size);
    json_t *total = json_object_get(fields, "total");
    bool is_good = json_is_number(total);
    char *text = NULL;

    (void)user;
    if (is_good) {
        json_int_t cents = llround(json_number_value(total) * 100);

        is_good =
            json_object_set_new(fields, "cents", json_integer(cents)) == 0;
        json_object_del(fields, "total");
        text = json_dumps(fields, JSON_COMPACT);
    }
    if (text != NULL) {
        acta_bytes_put(data, text, strlen(text));
    }
    free(text);
    json_decref(fields);
    return is_good && text != NULL;
}

struct acta_upcasters *
shop_upcasters_new(void)
{
    struct acta_upcasters *upcasters = acta_upcasters_new();

    acta_upcasters_add(upcasters, "OrderPlaced", 1, euros_to_cents, NULL);
    return upcasters;
}
