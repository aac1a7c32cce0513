/* Payments of orders: money is taken once, or not at all. Who asks for it and
 * who cancels it may both be fast: whatever comes first here counts, and money
 * that comes behind a cancellation is returned.
 */

#include "fields.h"
#include "shop.h"

enum stage { NONE, REQUESTED, RECEIVED, REFUSED, CANCELLED, RETURNED };

struct payment {
    enum stage stage;
    json_int_t cents;
};

static const struct {
    const char *type;
    enum stage stage;
} stages[] = {
    {"PaymentReceived", RECEIVED},
    {"PaymentRefused", REFUSED},
    {"PaymentCancelled", CANCELLED},
    {"PaymentReturned", RETURNED},
};

#define STAGES_COUNT (sizeof(stages) / sizeof(stages[0]))

static bool
on_requested(void *state, const struct acta_event *event)
{
    struct payment *payment = state;
    json_t *fields = fields_of(event->data, event->data_size);

    payment->stage = REQUESTED;
    payment->cents = fields_number(fields, "cents");
    json_decref(fields);
    return fields != NULL;
}

static bool
on_ended(void *state, const struct acta_event *event)
{
    struct payment *payment = state;

    for (size_t i = 0; i < STAGES_COUNT; i++) {
        if (strcmp(event->type, stages[i].type) == 0) {
            payment->stage = stages[i].stage;
        }
    }
    return true;
}

static void
request(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    const struct payment *payment = state;
    json_t *fields = fields_of(command->data, command->data_size);

    if (payment->stage == NONE) {
        decide_event(decision, "PaymentRequested", "{s:I}", "cents",
                     fields_number(fields, "cents"));
    }
    json_decref(fields);
}

static void
receive(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    const struct payment *payment = state;

    if (payment->stage == REQUESTED) {
        decide_event(decision, "PaymentReceived", "{s:I}", "cents",
                     payment->cents);
    } else if (payment->stage == CANCELLED) {
        decide_event(decision, "PaymentReturned", "{s:I}", "cents",
                     payment->cents);
    } else if (payment->stage == NONE || payment->stage == REFUSED) {
        acta_decision_refuse(decision, "payment_not_due", NULL,
                             "%s is not to be paid", command->target);
    }
}

static void
refuse(const void *state, const struct acta_command *command,
       struct acta_decision *decision)
{
    const struct payment *payment = state;
    json_t *fields = fields_of(command->data, command->data_size);

    if (payment->stage == REQUESTED) {
        decide_event(decision, "PaymentRefused", "{s:s}", "reason",
                     fields_text(fields, "reason"));
    } else if (payment->stage == NONE || payment->stage == RECEIVED) {
        acta_decision_refuse(decision, "payment_not_due", NULL,
                             "%s is not to be paid", command->target);
    }
    json_decref(fields);
}

static void
cancel(const void *state, const struct acta_command *command,
       struct acta_decision *decision)
{
    const struct payment *payment = state;

    (void)command;
    if (payment->stage == REQUESTED) {
        decide_event(decision, "PaymentCancelled", "{}");
    }
}

struct acta_decider *
payment_decider_new(void)
{
    struct acta_decider *decider =
        acta_decider_new("payment", sizeof(struct payment));

    acta_decider_on_event(decider, "PaymentRequested", on_requested);
    for (size_t i = 0; i < STAGES_COUNT; i++) {
        acta_decider_on_event(decider, stages[i].type, on_ended);
    }
    acta_decider_on_command(decider, "RequestPayment", request);
    acta_decider_on_command(decider, "ReceivePayment", receive);
    acta_decider_on_command(decider, "RefusePayment", refuse);
    acta_decider_on_command(decider, "CancelPayment", cancel);
    return decider;
}
