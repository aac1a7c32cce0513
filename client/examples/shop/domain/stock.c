/* Stock of an article: what is available, and what is reserved for whom. */

#include <stdio.h>

#include "fields.h"
#include "shop.h"

#define RESERVATIONS_MAX 1000 /* Of one article at a time. */
#define QUANTITY_MAX     1000000

struct reservation {
    char order[NAME_SIZE_MAX + 1];
    json_int_t quantity;
};

struct stock {
    json_int_t available;
    size_t reservations_count;
    struct reservation reservations[RESERVATIONS_MAX];
};

/* RESERVATIONS_MAX or more if there is none. */
static size_t
find(const struct stock *stock, const char *order)
{
    size_t i = 0;

    while (i < stock->reservations_count &&
           strcmp(stock->reservations[i].order, order) != 0) {
        i++;
    }
    return i < stock->reservations_count ? i : RESERVATIONS_MAX;
}

/* ---- what has happened ---- */

static bool
on_received(void *state, const struct acta_event *event)
{
    struct stock *stock = state;
    json_t *fields = fields_of(event->data, event->data_size);

    stock->available += fields_number(fields, "quantity");
    json_decref(fields);
    return fields != NULL;
}

static bool
on_reserved(void *state, const struct acta_event *event)
{
    struct stock *stock = state;
    json_t *fields = fields_of(event->data, event->data_size);
    struct reservation *reservation;

    if (fields == NULL || stock->reservations_count == RESERVATIONS_MAX) {
        json_decref(fields);
        return false;
    }
    reservation = &stock->reservations[stock->reservations_count++];
    snprintf(reservation->order, sizeof(reservation->order), "%s",
             fields_text(fields, "order"));
    reservation->quantity = fields_number(fields, "quantity");
    stock->available -= reservation->quantity;
    json_decref(fields);
    return true;
}

/* A reservation has ended, and so much of it is available again. */
static bool
end_reservation(struct stock *stock, const struct acta_event *event,
                json_int_t *quantity)
{
    json_t *fields = fields_of(event->data, event->data_size);
    size_t i = find(stock, fields_text(fields, "order"));

    json_decref(fields);
    if (i == RESERVATIONS_MAX) {
        return false;
    }
    *quantity = stock->reservations[i].quantity;
    stock->reservations[i] = stock->reservations[--stock->reservations_count];
    return true;
}

static bool
on_released(void *state, const struct acta_event *event)
{
    struct stock *stock = state;
    json_int_t quantity = 0;
    bool was_reserved = end_reservation(stock, event, &quantity);

    stock->available += quantity;
    return was_reserved;
}

static bool
on_shipped(void *state, const struct acta_event *event)
{
    json_int_t quantity;

    return end_reservation(state, event, &quantity);
}

/* ---- what is wanted ---- */

static void
receive(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    json_t *fields = fields_of(command->data, command->data_size);
    json_int_t quantity = fields_number(fields, "quantity");

    (void)state;
    if (!is_name(command->target)) {
        acta_decision_refuse(decision, "sku_wrong", "sku",
                             "an article is named by letters, digits and -");
    } else if (quantity < 1 || quantity > QUANTITY_MAX) {
        acta_decision_refuse(decision, "quantity_wrong", "quantity",
                             "1 to %d can be received", QUANTITY_MAX);
    } else {
        decide_event(decision, "StockReceived", "{s:I}", "quantity", quantity);
    }
    json_decref(fields);
}

static void
reserve(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    const struct stock *stock = state;
    json_t *fields = fields_of(command->data, command->data_size);
    const char *order = fields_text(fields, "order");
    json_int_t quantity = fields_number(fields, "quantity");
    bool is_there = quantity <= stock->available &&
                    stock->reservations_count < RESERVATIONS_MAX;

    if (!is_name(order) || quantity < 1) {
        acta_decision_refuse(decision, "order_wrong", "order",
                             "it is not said what is reserved for whom");
    } else if (find(stock, order) == RESERVATIONS_MAX) {
        decide_event(decision, is_there ? "StockReserved" : "StockDeclined",
                     "{s:s, s:I}", "order", order, "quantity", quantity);
        acta_decision_tag(decision, "order:%s", order);
    }
    json_decref(fields);
}

/* A reservation that there is none of has ended before. */
static void
end(const void *state, const struct acta_command *command,
    struct acta_decision *decision, const char *type)
{
    const struct stock *stock = state;
    json_t *fields = fields_of(command->data, command->data_size);
    const char *order = fields_text(fields, "order");
    size_t i = find(stock, order);

    if (i != RESERVATIONS_MAX) {
        decide_event(decision, type, "{s:s, s:I}", "order", order, "quantity",
                     stock->reservations[i].quantity);
        acta_decision_tag(decision, "order:%s", order);
    }
    json_decref(fields);
}

static void
release(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    end(state, command, decision, "StockReleased");
}

static void
ship(const void *state, const struct acta_command *command,
     struct acta_decision *decision)
{
    end(state, command, decision, "StockShipped");
}

/* ---- snapshots: an article has many events ---- */

static size_t
size_of(const struct stock *stock)
{
    return offsetof(struct stock, reservations) +
           stock->reservations_count * sizeof(struct reservation);
}

static bool
encode(const void *state, struct acta_bytes *bytes)
{
    acta_bytes_put(bytes, state, size_of(state));
    return true;
}

static bool
decode(void *state, const void *data, size_t size)
{
    struct stock *stock = state;

    if (size < offsetof(struct stock, reservations) || size > sizeof(*stock)) {
        return false;
    }
    memcpy(stock, data, size);
    return stock->reservations_count <= RESERVATIONS_MAX &&
           size == size_of(stock);
}

struct acta_decider *
stock_decider_new(void)
{
    struct acta_decider *decider =
        acta_decider_new("stock", sizeof(struct stock));

    acta_decider_on_event(decider, "StockReceived", on_received);
    acta_decider_on_event(decider, "StockReserved", on_reserved);
    acta_decider_on_event(decider, "StockReleased", on_released);
    acta_decider_on_event(decider, "StockShipped", on_shipped);
    acta_decider_on_command(decider, "ReceiveStock", receive);
    acta_decider_on_command(decider, "ReserveStock", reserve);
    acta_decider_on_command(decider, "ReleaseStock", release);
    acta_decider_on_command(decider, "ShipStock", ship);
    acta_decider_snapshots(decider, 100, 1, encode, decode);
    return decider;
}
