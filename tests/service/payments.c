#include "payments.h"

#include <stdio.h>
#include <stdlib.h>

atomic_int payments_states;
uint64_t payments_late_ms;
acta_react_fn *payments_nudge;
void (*payments_before_reacting)(void);

/* ---- the state ---- */

static bool
initial(void *state)
{
    struct payment *payment = state;

    payment->memory = strdup("payment");
    payments_states += payment->memory != NULL;
    return payment->memory != NULL;
}

static void
fini(void *state)
{
    struct payment *payment = state;

    payments_states -= payment->memory != NULL;
    free(payment->memory);
}

static bool
on_asked(void *state, const struct acta_event *event)
{
    struct payment *payment = state;

    payment->asked = atol(event->data);
    return true;
}

static bool
on_received(void *state, const struct acta_event *event)
{
    struct payment *payment = state;

    payment->received += atol(event->data);
    return payment->received >= 0;
}

/* ---- reactions ---- */

static void
begin(void)
{
    if (payments_before_reacting != NULL) {
        payments_before_reacting();
    }
}

static enum acta_verdict
placed(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    const struct payment *payment = state;

    begin();
    if (payment->asked > 0) {
        return ACTA_VERDICT_SKIP;
    }
    acta_reaction_own(reaction, "Asked", event->data);
    acta_reaction_command(reaction, "command", acta_reaction_key(reaction),
                          "RequestPayment", event->data);
    acta_reaction_tag(reaction, "order:%s", acta_reaction_key(reaction));
    acta_reaction_deadline(reaction, "payment", payments_late_ms, "PaymentLate",
                           NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
received(const void *state, const struct acta_event *event,
         struct acta_reaction *reaction)
{
    const struct payment *payment = state;

    begin();
    acta_reaction_own(reaction, "Received", event->data);
    if (payment->received + atol(event->data) >= payment->asked) {
        acta_reaction_cancel(reaction, "payment");
        acta_reaction_end(reaction);
    }
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
late(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    begin();
    acta_reaction_command(reaction, "command", acta_reaction_key(reaction),
                          "CancelOrder", NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
remind(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    begin();
    acta_reaction_command(reaction, "command", acta_reaction_key(reaction),
                          "Remind", NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
nudged(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    begin();
    return payments_nudge == NULL ? ACTA_VERDICT_OK
                                  : payments_nudge(state, event, reaction);
}

static bool
key_in_data(void *user, const struct acta_event *event, struct acta_bytes *key)
{
    (void)user;
    acta_bytes_put(key, event->data, event->data_size);
    return event->data_size > 0;
}

struct acta_process *
payments_new(void)
{
    struct acta_process *process =
        acta_process_new("payments", sizeof(struct payment));

    acta_process_lifecycle(process, initial, fini);
    acta_process_evolve(process, "Asked", on_asked);
    acta_process_evolve(process, "Received", on_received);
    acta_process_on(process, "OrderPlaced", ACTA_ROUTE_STARTS, placed);
    acta_process_on(process, "PaymentReceived", 0, received);
    acta_process_key_tag(process, "order:");
    acta_process_on(process, "OrderCancelled", ACTA_ROUTE_ENDS, NULL);
    acta_process_on_deadline(process, "PaymentLate", ACTA_ROUTE_ENDS, late);
    acta_process_on_deadline(process, "Reminder", ACTA_ROUTE_GOES_ON, remind);
    acta_process_on(process, "Nudged", ACTA_ROUTE_STARTS, nudged);
    acta_process_key(process, key_in_data);
    return process;
}
