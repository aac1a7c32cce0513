/* What follows from an event follows once, whatever is killed when: the process
 * manager, in a reaction, and so before what follows from it is stored and
 * behind what followed from the one before; and the server. Two instances run
 * at a time, and take each other's place, by a lease or without.
 */

#include <acta/acta_process.h>
#include <acta/acta_schedule.h>
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mortal.h"
#include "patient.h"
#include "run.h"

#define ROUNDS      25
#define ROUNDS_LONG 500
#define PLACED_MAX  20 /* In a round. */
#define ORDERS_MAX  (ROUNDS_LONG * PLACED_MAX + PLACED_MAX)
#define DIE_ONCE_IN 25
#define LATE_MS_MAX 40
#define LEASE_MS    200
#define LAST_RUNS   2000
#define TIMEOUT_S   1800

static struct mortal mortal;
static uint64_t lease_ms; /* Of the instances that live; 0: none. */
static unsigned orders;

/* ---- an instance, in a process of its own ---- */

static uint64_t
delay_of(const struct acta_reaction *reaction)
{
    return strtoull(acta_reaction_key(reaction), NULL, 10) % LATE_MS_MAX;
}

static enum acta_verdict
placed(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    mortal_step();
    acta_reaction_command(reaction, "command", acta_reaction_key(reaction),
                          "RequestPayment", NULL);
    acta_reaction_deadline(reaction, "payment", delay_of(reaction),
                           "PaymentLate", NULL);
    return ACTA_VERDICT_OK;
}

/* No event is stored with this one's deadline. */
static enum acta_verdict
looked_at(const void *state, const struct acta_event *event,
          struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    mortal_step();
    acta_reaction_deadline(reaction, "remind", delay_of(reaction), "Reminder",
                           NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
remind(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    mortal_step();
    acta_reaction_command(reaction, "command", acta_reaction_key(reaction),
                          "Remind", NULL);
    return ACTA_VERDICT_OK;
}

static bool
on_late(void *state, const struct acta_event *event)
{
    bool *is_late = state;

    (void)event;
    *is_late = true;
    return true;
}

static enum acta_verdict
late(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    const bool *is_late = state;

    (void)event;
    mortal_step();
    if (!*is_late) {
        return ACTA_VERDICT_STOP;
    }
    acta_reaction_command(reaction, "command", acta_reaction_key(reaction),
                          "CancelOrder", NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_code
manage(struct mortal *of, struct acta_err *err)
{
    struct acta_process *process = acta_process_new("payments", sizeof(bool));
    struct acta_manager_options how = acta_manager_options_of();
    struct acta_options options = patient_options(of->daemon.url);
    struct acta_manager *manager = NULL;
    struct acta_sync *sync = NULL;

    acta_process_evolve(process, "PaymentLate", on_late);
    acta_process_on(process, "OrderPlaced", ACTA_ROUTE_STARTS, placed);
    acta_process_on(process, "OrderLookedAt", ACTA_ROUTE_GOES_ON, looked_at);
    acta_process_on_deadline(process, "Reminder", ACTA_ROUTE_GOES_ON, remind);
    acta_process_on_deadline(process, "PaymentLate", ACTA_ROUTE_GOES_ON, late);
    how.is_once = true;
    how.lease_ms = lease_ms;
    if (acta_sync_open(&sync, &options, err) == ACTA_OK &&
        acta_manager_new(&manager, process, sync, &how, err) == ACTA_OK) {
        (void)acta_manager_run(manager, err);
    }
    acta_manager_free(manager);
    acta_sync_close(sync);
    acta_process_free(process);
    return err->code;
}

/* ---- the story ---- */

static void
place(void)
{
    uint64_t count = rnd_below(&mortal.rnd, PLACED_MAX) + 1;
    struct acta_append *append = acta_append_new();
    struct acta_sync *sync = mortal_connect(&mortal);
    struct acta_err err;

    while (count-- > 0) {
        struct acta_draft first = acta_draft_of("OrderPlaced", NULL, 0);
        struct acta_draft second = acta_draft_of("OrderLookedAt", NULL, 0);
        char stream[32];

        snprintf(stream, sizeof(stream), "order-%u", orders++);
        acta_append_stream(append, stream, 0);
        acta_append_event(append, &first);
        acta_append_event(append, &second);
    }
    ck_assert_msg(acta_sync_append(sync, append, NULL, &err) == ACTA_OK, "%s",
                  err.text);
    acta_sync_close(sync);
    acta_append_free(append);
}

static void
live_and_die(void)
{
    lease_ms = rnd_once_in(&mortal.rnd, 2) ? LEASE_MS : 0;
    place();
    mortal_live_and_die(&mortal);
}

/* ---- what came of it ---- */

static const char *const types[] = {"RequestPayment", "Remind", "CancelOrder"};

#define TYPES (sizeof(types) / sizeof(types[0]))

static unsigned counts[ORDERS_MAX][TYPES];

/* Count what followed from each order. */
static unsigned
count_all(void)
{
    struct acta_query *query = acta_query_new();
    struct acta_sync *sync = mortal_connect(&mortal);
    struct acta_read read = acta_read_of_query(query);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    struct acta_err err;
    unsigned all = 0;

    memset(counts, 0, sizeof(counts));
    acta_query_category(query, "command");
    ck_assert_int_eq(acta_cursor_open(&cursor, sync, &read, &err), ACTA_OK);
    while (acta_cursor_next(cursor, &event, &err) == ACTA_OK && event != NULL) {
        unsigned order;
        size_t type = 0;

        ck_assert_int_eq(sscanf(event->stream, "command-%u", &order), 1);
        ck_assert_uint_lt(order, orders);
        while (type < TYPES && strcmp(types[type], event->type) != 0) {
            type++;
        }
        ck_assert_uint_lt(type, TYPES);
        counts[order][type]++;
        all++;
    }
    acta_query_free(query);
    acta_sync_close(sync);
    return all;
}

/* All that was stored is handled, and nothing is scheduled that would come. */
static bool
is_finished(void)
{
    const struct acta_consumer_description *description;
    struct acta_sync *sync = mortal_connect(&mortal);
    const struct acta_schedules *page;
    struct acta_err err;
    bool is_scheduled;
    uint64_t head;

    ck_assert_int_eq(acta_sync_list_schedules(sync, NULL, NULL, 0, &page, &err),
                     ACTA_OK);
    is_scheduled = page->schedules_count > 0;
    ck_assert_int_eq(acta_sync_ping(sync, &head, &err), ACTA_OK);
    ck_assert_int_eq(
        acta_sync_describe_consumer(sync, "payments", &description, &err),
        ACTA_OK);
    ck_assert_uint_le(description->consumer->position, head);
    head -= description->consumer->position;
    acta_sync_close(sync);
    return head == 0 && !is_scheduled;
}

/* Nobody dies any more. */
static void
finish(void)
{
    unsigned runs = 0;

    lease_ms = 0;
    do {
        ck_assert_uint_lt(runs++, LAST_RUNS);
        mortal_live(&mortal);
    } while (!is_finished());
}

START_TEST(what_follows_follows_once_whatever_is_killed)
{
    unsigned rounds;

    mortal = (struct mortal){.live = manage, .die_once_in = DIE_ONCE_IN};
    mortal_open(&mortal);
    rounds = rnd_effort(ROUNDS, ROUNDS_LONG);
    while (rounds-- > 0) {
        live_and_die();
    }
    place();
    finish();
    ck_assert_uint_eq(count_all(), orders * TYPES);
    for (unsigned order = 0; order < orders; order++) {
        for (size_t type = 0; type < TYPES; type++) {
            ck_assert_msg(counts[order][type] == 1,
                          "from order %u follows %s %u times", order,
                          types[type], counts[order][type]);
        }
    }
    mortal_close(&mortal);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("process_kill");
    TCase *tcase = tcase_create("process_kill");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, what_follows_follows_once_whatever_is_killed);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
