/* Leads each order to its end:
 *
 *     OrderPlaced        ReserveStock
 *     StockReserved      RequestPayment, and a deadline for it
 *     StockDeclined      CancelOrder
 *     PaymentReceived    ConfirmOrder, ShipStock
 *     PaymentRefused     CancelOrder, ReleaseStock
 *     PaymentLate        CancelPayment: the payment knows what came first
 *     PaymentCancelled   CancelOrder, ReleaseStock
 */

#include <stdio.h>

#include "fields.h"
#include "shop.h"

/* What was ordered. */
struct fulfilment {
    char sku[NAME_SIZE_MAX + 1];
    json_int_t quantity;
    json_int_t cents;
};

static bool
on_begun(void *state, const struct acta_event *event)
{
    struct fulfilment *fulfilment = state;
    json_t *fields = fields_of(event->data, event->data_size);

    snprintf(fulfilment->sku, sizeof(fulfilment->sku), "%s",
             fields_text(fields, "sku"));
    fulfilment->quantity = fields_number(fields, "quantity");
    fulfilment->cents = fields_number(fields, "cents");
    json_decref(fields);
    return fields != NULL;
}

static enum acta_verdict
placed(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    json_t *fields = fields_of(event->data, event->data_size);

    (void)state;
    acta_reaction_own(reaction, "FulfilmentBegun", event->data);
    react_command(reaction, fields_text(fields, "sku"), "ReserveStock",
                  "{s:s, s:I}", "order", acta_reaction_key(reaction),
                  "quantity", fields_number(fields, "quantity"));
    json_decref(fields);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
reserved(const void *state, const struct acta_event *event,
         struct acta_reaction *reaction)
{
    const struct fulfilment *fulfilment = state;
    const uint64_t *pay_within_ms = acta_reaction_user(reaction);

    (void)event;
    react_command(reaction, acta_reaction_key(reaction), "RequestPayment",
                  "{s:I}", "cents", fulfilment->cents);
    acta_reaction_deadline(reaction, "payment", *pay_within_ms, "PaymentLate",
                           NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
paid(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    const struct fulfilment *fulfilment = state;
    const char *order = acta_reaction_key(reaction);

    (void)event;
    acta_reaction_cancel(reaction, "payment");
    react_command(reaction, order, "ConfirmOrder", "{}");
    react_command(reaction, fulfilment->sku, "ShipStock", "{s:s}", "order",
                  order);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
late(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    react_command(reaction, acta_reaction_key(reaction), "CancelPayment", "{}");
    return ACTA_VERDICT_OK;
}

static void
give_up(const struct fulfilment *fulfilment, struct acta_reaction *reaction,
        const char *reason)
{
    const char *order = acta_reaction_key(reaction);

    acta_reaction_cancel(reaction, "payment");
    react_command(reaction, order, "CancelOrder", "{s:s}", "reason", reason);
    react_command(reaction, fulfilment->sku, "ReleaseStock", "{s:s}", "order",
                  order);
}

static enum acta_verdict
declined(const void *state, const struct acta_event *event,
         struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    react_command(reaction, acta_reaction_key(reaction), "CancelOrder", "{s:s}",
                  "reason", "sold_out");
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
refused(const void *state, const struct acta_event *event,
        struct acta_reaction *reaction)
{
    (void)event;
    give_up(state, reaction, "payment_refused");
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
cancelled(const void *state, const struct acta_event *event,
          struct acta_reaction *reaction)
{
    (void)event;
    give_up(state, reaction, "not_paid_in_time");
    return ACTA_VERDICT_OK;
}

struct acta_process *
fulfilment_new(const struct acta_upcasters *upcasters, uint64_t *pay_within_ms)
{
    struct acta_process *process =
        acta_process_new("fulfilment", sizeof(struct fulfilment));

    acta_process_upcasters(process, upcasters);
    acta_process_user(process, pay_within_ms);
    acta_process_evolve(process, "FulfilmentBegun", on_begun);
    acta_process_on(process, "OrderPlaced", ACTA_ROUTE_STARTS, placed);
    acta_process_on(process, "StockReserved", ACTA_ROUTE_GOES_ON, reserved);
    acta_process_key_tag(process, "order:");
    acta_process_on(process, "StockDeclined", ACTA_ROUTE_ENDS, declined);
    acta_process_key_tag(process, "order:");
    acta_process_on(process, "PaymentReceived", ACTA_ROUTE_ENDS, paid);
    acta_process_on(process, "PaymentRefused", ACTA_ROUTE_ENDS, refused);
    acta_process_on(process, "PaymentCancelled", ACTA_ROUTE_ENDS, cancelled);
    acta_process_on_deadline(process, "PaymentLate", ACTA_ROUTE_GOES_ON, late);
    return process;
}
