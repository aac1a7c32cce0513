#include "bank.h"

#include <stdio.h>
#include <stdlib.h>

int bank_states;
void (*bank_before_deciding)(void);

static bool
initial(void *state)
{
    struct account *account = state;

    __atomic_add_fetch(&bank_states, 1, __ATOMIC_RELAXED);
    account->owner = strdup("nobody");
    return account->owner != NULL;
}

static void
fini(void *state)
{
    struct account *account = state;

    __atomic_sub_fetch(&bank_states, 1, __ATOMIC_RELAXED);
    free(account->owner);
}

/* ---- what has happened ---- */

static bool
on_opened(void *state, const struct acta_event *event)
{
    struct account *account = state;

    (void)event;
    account->is_open = true;
    account->events++;
    return true;
}

static bool
on_closed(void *state, const struct acta_event *event)
{
    struct account *account = state;

    (void)event;
    account->is_open = false;
    account->events++;
    return true;
}

static bool
add(struct account *account, const struct acta_event *event, long sign)
{
    char *end;
    long cents = strtol(event->data, &end, 10);

    if (event->data_size == 0 || *end != '\0') {
        return false;
    }
    account->cents += sign * cents;
    account->events++;
    return true;
}

static bool
on_deposited(void *state, const struct acta_event *event)
{
    return add(state, event, 1);
}

static bool
on_withdrawn(void *state, const struct acta_event *event)
{
    return add(state, event, -1);
}

/* ---- what is wanted ---- */

static void
open_it(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    const struct account *account = state;

    (void)command;
    if (bank_before_deciding != NULL) {
        bank_before_deciding();
    }
    if (account->is_open) {
        acta_decision_refuse(decision, "is_open", NULL, "it is open already");
        return;
    }
    acta_decision_json(decision, "Opened", NULL);
}

static void
deposit(const void *state, const struct acta_command *command,
        struct acta_decision *decision)
{
    const struct account *account = state;

    if (bank_before_deciding != NULL) {
        bank_before_deciding();
    }
    if (!account->is_open) {
        acta_decision_refuse(decision, "not_open", NULL, "it is not open");
    } else if (atol(command->data) > 0) {
        acta_decision_json(decision, "Deposited", command->data);
    }
}

static void
withdraw(const void *state, const struct acta_command *command,
         struct acta_decision *decision)
{
    const struct account *account = state;

    if (bank_before_deciding != NULL) {
        bank_before_deciding();
    }
    if (atol(command->data) > account->cents) {
        acta_decision_refuse(decision, "too_little", "cents",
                             "there are only %ld", account->cents);
        return;
    }
    acta_decision_json(decision, "Withdrawn", command->data);
}

static void
close_it(const void *state, const struct acta_command *command,
         struct acta_decision *decision)
{
    const struct account *account = state;

    (void)command;
    if (!account->is_open) {
        acta_decision_refuse(decision, "not_open", NULL, "it is not open");
        return;
    }
    if (account->cents > 0) {
        char cents[24];

        snprintf(cents, sizeof(cents), "%ld", account->cents);
        acta_decision_json(decision, "Withdrawn", cents);
    }
    acta_decision_json(decision, "Closed", NULL);
    acta_decision_note(decision, "by", "the \"bank\"");
}

static void
break_down(const void *state, const struct acta_command *command,
           struct acta_decision *decision)
{
    (void)state;
    (void)command;
    acta_decision_json(decision, "Opened", NULL);
    acta_decision_fail(decision, ACTA_IO, "no %s", "luck");
}

/* ---- snapshots ---- */

static bool
encode(const void *state, struct acta_bytes *bytes)
{
    const struct account *account = state;
    char text[64];

    snprintf(text, sizeof(text), "%d %ld %u", account->is_open, account->cents,
             account->events);
    acta_bytes_put(bytes, text, strlen(text));
    return true;
}

static bool
decode(void *state, const void *data, size_t size)
{
    struct account *account = state;
    int is_open;

    (void)size;
    if (sscanf(data, "%d %ld %u", &is_open, &account->cents,
               &account->events) != 3) {
        return false;
    }
    account->is_open = is_open != 0;
    return true;
}

struct acta_decider *
bank_decider_new(uint64_t every, uint64_t schema,
                 const struct acta_upcasters *upcasters)
{
    struct acta_decider *decider =
        acta_decider_new("account", sizeof(struct account));

    acta_decider_lifecycle(decider, initial, fini);
    acta_decider_on_event(decider, "Opened", on_opened);
    acta_decider_on_event(decider, "Closed", on_closed);
    acta_decider_on_event(decider, "Deposited", on_deposited);
    acta_decider_on_event(decider, "Withdrawn", on_withdrawn);
    acta_decider_on_command(decider, "Open", open_it);
    acta_decider_on_command(decider, "Deposit", deposit);
    acta_decider_on_command(decider, "Withdraw", withdraw);
    acta_decider_on_command(decider, "Close", close_it);
    acta_decider_on_command(decider, "BreakDown", break_down);
    if (every > 0) {
        acta_decider_snapshots(decider, every, schema, encode, decode);
    }
    acta_decider_upcasters(decider, upcasters);
    return decider;
}
