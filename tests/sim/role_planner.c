/* Schedules appends, some of which it cancels, and waits for the others. */

#include <inttypes.h>
#include <stdio.h>

#include <acta/acta_schedule.h>

#include "clocks.h"
#include "roles.h"
#include "task.h"

#define NAME_SIZE   32
#define AHEAD_US    UINT64_C(6000000)
#define AWAITED_MAX 64

/* The terms of an append that has no events of its own. */
static struct acta_append *
order_new(struct party *party)
{
    struct acta_append *order = acta_append_new();
    struct acta_id id = role_command_id();

    (void)party;
    acta_append_command_id(order, &id);
    return order;
}

/* Send it until it is done. False: the outcome was unknown in between. */
static bool
send_order(struct party *party, const struct acta_append *order,
           uint64_t *cancelled)
{
    const struct acta_appended *appended;
    struct acta_err err;
    enum acta_code code;
    bool once = true;

    while ((code = acta_sync_append(party_connect(party), order, &appended,
                                    &err)) != ACTA_OK) {
        if (!party_is_passing(code)) {
            sim_fail("a schedule is refused: %s", err.text);
        }
        once = false;
        party_pause();
    }
    *cancelled = appended->cancelled;
    return once && !appended->repeated;
}

static struct attempt *
schedule(struct party *party, const char *name)
{
    struct attempt *attempt = oracle_attempt();
    struct acta_append *order = order_new(party), *what;
    uint64_t none;

    attempt->due_us = clocks_wall_us() + sim_below(AHEAD_US);
    oracle_write(attempt, (unsigned)sim_below(ORACLE_STREAMS), ACTA_EXPECT_ANY,
                 1);
    what = oracle_append(attempt);
    acta_append_schedule(order, name, attempt->due_us, what);
    (void)send_order(party, order, &none);
    sim_say("%s is scheduled", name);
    roles_counts()->scheduled++;
    acta_append_free(what);
    acta_append_free(order);
    return attempt;
}

static void
cancel(struct party *party, const char *name, struct attempt *attempt)
{
    struct acta_append *order = order_new(party);
    uint64_t cancelled;
    bool is_sure;

    acta_append_cancel(order, name);
    is_sure = send_order(party, order, &cancelled);
    sim_say("%s is cancelled: %" PRIu64, name, cancelled);
    acta_append_free(order);
    if (is_sure && cancelled == 1) {
        oracle_cancelled(attempt);
        roles_counts()->cancelled++;
    } else if (!is_sure) {
        attempt->is_doubtful = true;
    }
}

/* True if it was seen. */
static bool
look_for(struct party *party, struct attempt *attempt)
{
    struct acta_id id = oracle_id(attempt->first);
    const struct acta_page *page;
    struct acta_err err;
    enum acta_code code;

    code = acta_sync_read_id(party_connect(party), &id, &page, &err);
    if (code == ACTA_OK) {
        (void)oracle_saw(page->events[0]);
        attempt->outcome = OUTCOME_STORED;
        return true;
    }
    if (code != ACTA_NOT_FOUND && !party_is_passing(code)) {
        sim_fail("an event cannot be looked for: %s", err.text);
    }
    return false;
}

void
role_planner(struct party *party)
{
    struct attempt *awaited[AWAITED_MAX];
    size_t count = 0;
    unsigned serial = 0;
    char name[NAME_SIZE];

    while (roles_go_on() && count < AWAITED_MAX) {
        struct attempt *attempt;

        snprintf(name, sizeof(name), "plan-%u-%u", party->index, serial++);
        attempt = schedule(party, name);
        party_pause();
        if (sim_once_in(3)) {
            cancel(party, name, attempt);
        }
        if (attempt->outcome == OUTCOME_OPEN && !attempt->is_doubtful) {
            awaited[count++] = attempt;
        }
        party_pause();
        if (sim_once_in(10)) {
            party_die(party);
        }
    }
    for (size_t i = 0; i < count; i++) {
        while (!look_for(party, awaited[i])) {
            party_pause();
        }
    }
    roles_end_writing();
}
