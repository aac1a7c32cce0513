/* Orders: placed once, then confirmed or cancelled. */

#include "fields.h"
#include "shop.h"

#define QUANTITY_MAX 100
#define CENTS_MAX    100000000

enum stage { NONE, PLACED, CONFIRMED, CANCELLED };

struct order {
    enum stage stage;
};

static const struct {
    const char *type;
    enum stage stage;
} stages[] = {
    {"OrderPlaced", PLACED},
    {"OrderConfirmed", CONFIRMED},
    {"OrderCancelled", CANCELLED},
};

#define STAGES_COUNT (sizeof(stages) / sizeof(stages[0]))

static bool
evolve(void *state, const struct acta_event *event)
{
    struct order *order = state;

    for (size_t i = 0; i < STAGES_COUNT; i++) {
        if (strcmp(event->type, stages[i].type) == 0) {
            order->stage = stages[i].stage;
        }
    }
    return true;
}

static void
place(const void *state, const struct acta_command *command,
      struct acta_decision *decision)
{
    const struct order *order = state;
    json_t *fields = fields_of(command->data, command->data_size);
    const char *customer = fields_text(fields, "customer");
    const char *sku = fields_text(fields, "sku");
    json_int_t quantity = fields_number(fields, "quantity");
    json_int_t cents = fields_number(fields, "cents");

    if (!is_name(command->target)) {
        acta_decision_refuse(decision, "order_wrong", "order",
                             "an order is named by letters, digits and -");
    } else if (order->stage != NONE) {
        acta_decision_refuse(decision, "order_exists", NULL,
                             "%s is placed already", command->target);
    } else if (!is_name(customer)) {
        acta_decision_refuse(decision, "customer_wrong", "customer",
                             "a customer is named by letters, digits and -");
    } else if (!is_name(sku)) {
        acta_decision_refuse(decision, "sku_wrong", "sku",
                             "an article is named by letters, digits and -");
    } else if (quantity < 1 || quantity > QUANTITY_MAX) {
        acta_decision_refuse(decision, "quantity_wrong", "quantity",
                             "1 to %d can be ordered", QUANTITY_MAX);
    } else if (cents < 0 || cents > CENTS_MAX) {
        acta_decision_refuse(decision, "cents_wrong", "cents",
                             "an order is worth 0 to %d cents", CENTS_MAX);
    } else {
        decide_event(decision, "OrderPlaced", "{s:s, s:s, s:I, s:I}",
                     "customer", customer, "sku", sku, "quantity", quantity,
                     "cents", cents);
        acta_decision_tag(decision, "customer:%s", customer);
    }
    json_decref(fields);
}

static void
confirm(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    const struct order *order = state;

    if (order->stage == PLACED) {
        decide_event(decision, "OrderConfirmed", "{}");
    } else if (order->stage != CONFIRMED) {
        acta_decision_refuse(decision, "order_not_placed", NULL,
                             "%s is not placed, or cancelled", command->target);
    }
}

static void
cancel(const void *state, const struct acta_command *command,
       struct acta_decision *decision)
{
    const struct order *order = state;
    json_t *fields = fields_of(command->data, command->data_size);

    if (order->stage == PLACED) {
        decide_event(decision, "OrderCancelled", "{s:s}", "reason",
                     fields_text(fields, "reason"));
    } else if (order->stage != CANCELLED) {
        acta_decision_refuse(decision, "order_not_placed", NULL,
                             "%s is not placed, or confirmed", command->target);
    }
    json_decref(fields);
}

struct acta_decider *
order_decider_new(const struct acta_upcasters *upcasters)
{
    struct acta_decider *decider =
        acta_decider_new("order", sizeof(struct order));

    acta_decider_upcasters(decider, upcasters);
    for (size_t i = 0; i < STAGES_COUNT; i++) {
        acta_decider_on_event(decider, stages[i].type, evolve);
    }
    acta_decider_on_command(decider, "PlaceOrder", place);
    acta_decider_on_command(decider, "ConfirmOrder", confirm);
    acta_decider_on_command(decider, "CancelOrder", cancel);
    return decider;
}
