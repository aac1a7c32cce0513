/* A client in a loop of libev, and what the library asks of any loop. */

#include <acta/acta_ev.h>
#include <acta/acta_poll.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>

#include "patient.h"
#include "rig.h"
#include "run.h"

#define EVENTS_COUNT 100
#define TURNS_MAX    10000

/* A label of over 63 characters: refused by the resolver, without a network. */
#define NO_NAME                                                                \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn."    \
    "test"

/* They differ in what they know of descriptors that are closed. */
static const unsigned backends[] = {EVBACKEND_SELECT, EVBACKEND_POLL,
                                    EVBACKEND_EPOLL};

#define BACKENDS_COUNT ((int)(sizeof(backends) / sizeof(backends[0])))

static struct rig rig;
static struct acta_client *client;
static struct acta_err err;
static char url[512];

/* What callbacks were told. */
static unsigned appended_count;
static uint64_t position;
static bool has_ponged;
static unsigned times_up, times_down;

static void
setup(void)
{
    rig_start(&rig, NULL);
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
}

static void
teardown(void)
{
    rig_stop(&rig);
}

static void
on_link(void *user, bool up, const struct acta_err *why)
{
    (void)user;
    (void)why;
    times_up += up;
    times_down += !up;
}

static struct acta_options
options_for(const char *where)
{
    struct acta_options options = patient_options(where);

    options.backoff_min_ms = 1;
    options.backoff_max_ms = 1;
    options.on_link = on_link;
    return options;
}

static void
on_appended(void *user, const struct acta_err *why,
            const struct acta_appended *appended)
{
    (void)user;
    (void)appended;
    ck_assert_msg(why == NULL, "%s", why == NULL ? "" : why->text);
    appended_count++;
}

static void
append_events(unsigned count)
{
    struct acta_draft draft = acta_draft_of("Happened", "data", 4);

    for (unsigned i = 0; i < count; i++) {
        struct acta_append *append = acta_append_new();

        acta_append_stream(append, "order-1", ACTA_EXPECT_ANY);
        acta_append_event(append, &draft);
        ck_assert_msg(acta_append(client, append, 0, on_appended, NULL, &err) !=
                          0,
                      "%s", err.text);
        acta_append_free(append);
    }
}

static void
on_pong(void *user, const struct acta_err *why, uint64_t head)
{
    (void)head;
    ck_assert_msg(why == NULL, "%s", why == NULL ? "" : why->text);
    has_ponged = true;
    if (user != NULL) {
        ev_break(user, EVBREAK_ALL);
    }
}

/* ---- libev ---- */

static void
on_events(void *user, const struct acta_batch *batch)
{
    for (size_t i = 0; i < batch->events_count; i++) {
        ck_assert_uint_eq(batch->events[i]->position, ++position);
        ck_assert_uint_eq(batch->events[i]->version, position);
        ck_assert_str_eq(batch->events[i]->stream, "order-1");
    }
    if (position == EVENTS_COUNT) {
        ev_break(user, EVBREAK_ALL);
    }
}

START_TEST(events_go_in_and_come_out_in_a_loop_of_libev)
{
    struct ev_loop *loop = ev_loop_new(backends[_i]);
    struct acta_options options = options_for(url);
    struct acta_follow follow = acta_follow_of(NULL, 0);
    struct acta_ev glue;

    ck_assert_ptr_nonnull(loop);
    ck_assert_msg(acta_ev_open(&glue, loop, &client, &options, &err) == ACTA_OK,
                  "%s", err.text);
    follow.user = loop;
    follow.on_events = on_events;
    ck_assert_ptr_nonnull(acta_subscribe(client, &follow, &err));
    append_events(EVENTS_COUNT);
    ev_run(loop, 0);
    ck_assert_uint_eq(position, EVENTS_COUNT);
    ck_assert_uint_eq(appended_count, EVENTS_COUNT);
    acta_close(client);
    /* A loop that nothing keeps alive ends at once. */
    ck_assert_int_eq(ev_run(loop, 0), 0);
    ev_loop_destroy(loop);
}
END_TEST

/* The second look-up may get the descriptor's number of the first: the loop
 * has to see that it is another.
 */
START_TEST(host_behind_one_that_has_no_address_is_reached)
{
    struct ev_loop *loop = ev_loop_new(backends[_i]);
    struct acta_options options;
    struct acta_ev glue;

    ck_assert_ptr_nonnull(loop);
    snprintf(url, sizeof(url), "acta://%s,%s,127.0.0.1:%u", NO_NAME, NO_NAME,
             rig.port);
    options = options_for(url);
    ck_assert_msg(acta_ev_open(&glue, loop, &client, &options, &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert(acta_ping(client, 0, on_pong, loop, &err) != 0);
    ev_run(loop, 0);
    ck_assert(has_ponged);
    acta_close(client);
    ev_loop_destroy(loop);
}
END_TEST

/* ---- any loop ---- */

/* A poll loop that looks at what it is asked. */
struct strict {
    struct acta_poll poll;
    int fd; /* It watches; -1: none */
    unsigned let_go;
};

static void
watch_strictly(void *data, int fd, unsigned events)
{
    struct strict *strict = data;

    ck_assert_msg(fcntl(fd, F_GETFD) >= 0, "descriptor %d is closed", fd);
    ck_assert_msg(strict->fd < 0 || strict->fd == fd,
                  "%d is watched while %d still is", fd, strict->fd);
    strict->let_go += events == 0;
    strict->fd = events == 0 ? -1 : fd;
    acta_poll_watch(&strict->poll, fd, events);
}

static void
open_strictly(struct strict *strict, const char *where)
{
    struct acta_options options = options_for(where);
    struct acta_loop loop = {
        .size = sizeof(loop),
        .data = strict,
        .watch = watch_strictly,
        .timer = acta_poll_timer, /* poll is the first in strict */
    };

    *strict =
        (struct strict){.fd = -1, .poll = {.fd = -1, .due_ms = ACTA_NO_TIMER}};
    ck_assert_msg(acta_open(&client, &options, &loop, &err) == ACTA_OK, "%s",
                  err.text);
    strict->poll.client = client;
}

static void
turn_until(struct strict *strict, const bool *done)
{
    for (int i = 0; i < TURNS_MAX && !*done; i++) {
        acta_poll_turn(&strict->poll, RIG_TIMEOUT_S * 1000);
    }
    ck_assert(*done);
}

START_TEST(loop_lets_go_of_each_descriptor_before_it_is_closed)
{
    struct strict strict;

    snprintf(url, sizeof(url), "acta://%s,localhost:%u", NO_NAME, rig.port);
    open_strictly(&strict, url);
    ck_assert(acta_ping(client, 0, on_pong, NULL, &err) != 0);
    turn_until(&strict, &has_ponged);
    /* The look-ups of two hosts, and no more unless localhost has an address
     * at which nobody listens.
     */
    ck_assert_uint_ge(strict.let_go, 2);

    rig_stop(&rig);
    while (times_down == 0) {
        acta_poll_turn(&strict.poll, RIG_TIMEOUT_S * 1000);
    }
    rig_start(&rig, NULL);
    acta_close(client);
    ck_assert_int_eq(strict.fd, -1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ev");
    TCase *tcase = tcase_create("ev");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, events_go_in_and_come_out_in_a_loop_of_libev, 0,
                        BACKENDS_COUNT);
    tcase_add_loop_test(tcase, host_behind_one_that_has_no_address_is_reached,
                        0, BACKENDS_COUNT);
    tcase_add_test(tcase, loop_lets_go_of_each_descriptor_before_it_is_closed);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
