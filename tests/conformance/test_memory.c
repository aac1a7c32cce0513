/* What only a store in memory has: its time, which is moved by hand; and many
 * clients without a socket.
 */

#include <acta/acta_poll.h>
#include <pthread.h>
#include <string.h>

#include "../../client/memory/memory_group.h"
#include "limit.h"
#include "words.h"

#define THREADS 4
#define ROUNDS  200
#define SECOND  UINT64_C(1000000)

#define START UINT64_C(946684800000000) /* 2000-01-01 00:00 UTC */

static void
setup(void)
{
    place_begin(PLACE_MEMORY);
}

static const struct acta_event *
event_of(const char *stream, uint64_t version)
{
    const struct acta_event *event;

    expect(ACTA_OK, acta_sync_read_version(place.sync, stream, version, &event,
                                           &place.err));
    return event;
}

START_TEST(the_time_stands_still_until_it_is_moved)
{
    ck_assert_uint_eq(acta_memory_time(place.memory), START);
    store("a", "X", 1);
    store("a", "X", 1);
    ck_assert_uint_eq(event_of("a", 2)->time_us, START);
    acta_memory_pass(place.memory, 5);
    store("a", "X", 1);
    ck_assert_uint_eq(event_of("a", 3)->time_us, START + 5);
    acta_memory_set_time(place.memory, START + 100);
    acta_memory_set_time(place.memory, START + 50); /* It is over. */
    ck_assert_uint_eq(acta_memory_time(place.memory), START + 100);
}
END_TEST

START_TEST(the_time_has_an_end)
{
    struct acta_acquire acquire = acta_acquire_of("l", 60000);
    struct acta_lease *lease;

    acquire.no_renewal = true;
    expect(ACTA_OK,
           acta_sync_acquire(place.sync, &acquire, &lease, &place.err));
    acta_memory_pass(place.memory, UINT64_MAX);
    ck_assert_uint_eq(acta_memory_time(place.memory), UINT64_C(1) << 62);
    acta_memory_set_time(place.memory, UINT64_MAX);
    ck_assert_uint_eq(acta_memory_time(place.memory), UINT64_C(1) << 62);
    ck_assert(!acta_lease_is_held(lease));
}
END_TEST

START_TEST(events_grow_too_old)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_MAX_AGE);

    settings.max_age_us = 10 * SECOND;
    expect(ACTA_OK, acta_sync_set_stream(place.sync, "a", ACTA_EXPECT_ANY,
                                         &settings, NULL, &place.err));
    store("a", "X", 1);
    acta_memory_pass(place.memory, 6 * SECOND);
    store("a", "Y", 1);
    acta_memory_pass(place.memory, 4 * SECOND);
    ck_assert_str_eq(stream_text("a", 0, false),
                     "1 a.1 X data\n2 a.2 Y data\n"
                     "next 2 at end, head 2, version 2");
    acta_memory_pass(place.memory, 1);
    ck_assert_str_eq(stream_text("a", 0, false),
                     "2 a.2 Y data\nnext 2 at end, head 2, version 2");
}
END_TEST

static void
plan(const char *name, const char *type, uint64_t due_us)
{
    struct acta_append *append = acta_append_new();
    struct acta_append *what = write_to(NULL, "later", ACTA_EXPECT_ANY);

    add(what, type, "", NULL);
    acta_append_schedule(append, name, due_us, what);
    send_it(append, ACTA_OK);
    acta_append_free(what);
}

START_TEST(what_is_due_happens_in_its_order_and_at_its_time)
{
    plan("one", "Third", START + 30 * SECOND);
    plan("two", "First", START + 10 * SECOND);
    plan("three", "Second", START + 10 * SECOND);
    plan("four", "Never", START + 31 * SECOND);
    acta_memory_pass(place.memory, 30 * SECOND);
    ck_assert_str_eq(stream_text("later", 0, false),
                     "1 later.1 First \n2 later.2 Second \n3 later.3 Third \n"
                     "next 3 at end, head 3, version 3");
    ck_assert_uint_eq(event_of("later", 2)->time_us, START + 10 * SECOND);
    ck_assert_uint_eq(event_of("later", 3)->time_us, START + 30 * SECOND);
    plan("five", "Past", START);
    ck_assert_uint_eq(event_of("later", 4)->time_us, START + 30 * SECOND);
}
END_TEST

/* Change schedule "s" or "t", which writes to @stream; NULL: move it. */
static enum acta_code
change_schedule(const char *name, const char *stream, uint64_t due_us)
{
    struct acta_append *append = acta_append_new();
    struct acta_append *what = NULL;
    enum acta_code code;

    if (stream == NULL) {
        acta_append_move_schedule(append, name, due_us);
    } else {
        what = write_to(NULL, stream, 0);
        add(what, "X", "", NULL);
        acta_append_schedule(append, name, due_us, what);
        acta_append_free(what);
    }
    code = acta_sync_append(place.sync, append, NULL, &place.err);
    acta_append_free(append);
    return code;
}

/* As if there were so many. */
START_TEST(with_as_many_schedules_as_may_be_those_there_are_can_be_moved)
{
    size_t *waiting = &place.memory->schedules_waiting;

    store("full", "X", 1);
    expect(ACTA_OK, change_schedule("s", "a", START + 100 * SECOND));
    expect(ACTA_OK, change_schedule("failed", "full", START + 1));
    acta_memory_pass(place.memory, 1);
    ck_assert_uint_eq(*waiting, 1);
    *waiting += ACTA_SCHEDULES_MAX - 1;
    expect(ACTA_TOO_LARGE, change_schedule("t", "b", START + SECOND));
    expect(ACTA_OK, change_schedule("s", NULL, START + 200 * SECOND));
    expect(ACTA_TOO_LARGE, change_schedule("failed", NULL, START + SECOND));
    *waiting -= 1;
    expect(ACTA_OK, change_schedule("failed", NULL, START + 300 * SECOND));
    *waiting -= ACTA_SCHEDULES_MAX - 2;
    acta_memory_pass(place.memory, 300 * SECOND);
    ck_assert_uint_eq(*waiting, 0);
    ck_assert_uint_eq(event_of("a", 1)->time_us, START + 200 * SECOND);
}
END_TEST

/* As if there were so many. */
START_TEST(events_that_are_parked_are_not_counted_among_those_that_wait)
{
    struct acta_group settings = acta_group_of(0);
    struct acta_join join = acta_join_of("g", 1);
    const struct acta_handed *handed;
    struct acta_worker *worker;
    struct memory_group *group;

    store("a", "X", 1);
    expect(ACTA_OK, acta_sync_create_group(place.sync, "g", &settings, NULL,
                                           &place.err));
    group =
        ((struct memory_consumer *)place.memory->consumers.entries[0])->group;
    group->items_count += ACTA_GROUP_PENDING_MAX;
    group->parked_count += ACTA_GROUP_PENDING_MAX;
    expect(ACTA_OK, acta_worker_open(&worker, place.sync, &join, &place.err));
    expect(ACTA_OK,
           acta_worker_next(worker, PLACE_PATIENCE_MS, &handed, &place.err));
    ck_assert_uint_eq(handed->event->position, 1);
    acta_worker_park(worker, handed->number, "no");
    acta_worker_close(worker);
    group->items_count -= ACTA_GROUP_PENDING_MAX;
    group->parked_count -= ACTA_GROUP_PENDING_MAX;
    ck_assert_uint_eq(group->parked_count, group->items_count);
}
END_TEST

START_TEST(a_lease_is_held_by_the_time_of_the_memory)
{
    struct acta_acquire acquire = acta_acquire_of("l", 10000);
    struct acta_lease *lease;
    struct acta_sync *other;

    acquire.no_renewal = true;
    expect(ACTA_OK,
           acta_sync_acquire(place.sync, &acquire, &lease, &place.err));
    acta_memory_pass(place.memory, 9 * SECOND);
    ck_assert(acta_lease_is_held(lease));
    acta_memory_pass(place.memory, SECOND);
    ck_assert(!acta_lease_is_held(lease));
    expect(ACTA_FENCED, acta_sync_renew(place.sync, lease, &place.err));
    expect(ACTA_OK, acta_sync_release(place.sync, lease, &place.err));

    /* The library renews by the same time. */
    acquire.no_renewal = false;
    expect(ACTA_OK,
           acta_sync_acquire(place.sync, &acquire, &lease, &place.err));
    for (int i = 0; i < 5; i++) {
        acta_memory_pass(place.memory, 4 * SECOND);
        expect(ACTA_OK, acta_sync_ping(place.sync, NULL, &place.err));
        expect(ACTA_OK, acta_sync_ping(place.sync, NULL, &place.err));
    }
    ck_assert(acta_lease_is_held(lease));
    acquire.no_renewal = true;
    other = place_client();
    expect(ACTA_HELD,
           acta_sync_acquire(other, &acquire, &(struct acta_lease *){NULL},
                             &place.err));
    acta_sync_close(other);
}
END_TEST

START_TEST(who_waits_in_vain_moves_the_time)
{
    struct acta_acquire acquire = acta_acquire_of("l", 60000);
    struct acta_lease *lease;
    struct acta_sync *other = place_client();

    expect(ACTA_OK,
           acta_sync_acquire(place.sync, &acquire, &lease, &place.err));
    acquire.wait_ms = 20;
    expect(ACTA_HELD, acta_sync_acquire(other, &acquire, &lease, &place.err));
    ck_assert_uint_eq(acta_memory_time(place.memory), START + 20000);
    acta_sync_close(other);
}
END_TEST

START_TEST(a_time_that_passes_breaks_no_connection)
{
    struct acta_follower *follower;
    const struct acta_news *news;

    expect(ACTA_OK,
           acta_follower_open(&follower, place.sync, NULL, 0, &place.err));
    expect(ACTA_OK,
           acta_follower_next(follower, PLACE_PATIENCE_MS, &news, &place.err));
    for (int i = 0; i < 3; i++) {
        acta_memory_pass(place.memory, 3600 * SECOND);
        store("a", "X", 1);
        expect(ACTA_OK, acta_follower_next(follower, PLACE_PATIENCE_MS, &news,
                                           &place.err));
        ck_assert_uint_eq(news->events_count, 1);
    }
}
END_TEST

START_TEST(there_is_one_database)
{
    struct acta_options options = acta_options_of("acta://any/main");
    struct acta_sync *sync;

    expect(ACTA_OK,
           acta_sync_open_memory(&sync, place.memory, &options, &place.err));
    acta_sync_close(sync);
    options.url = "acta://any/other";
    expect(ACTA_NOT_FOUND,
           acta_sync_open_memory(&sync, place.memory, &options, &place.err));
}
END_TEST

/* ---- other ways to use it ---- */

static void
on_pong(void *user, const struct acta_err *err, uint64_t head)
{
    ck_assert_ptr_null(err);
    *(uint64_t *)user = head;
}

START_TEST(a_client_in_a_loop_of_its_own_can_use_it)
{
    struct acta_poll loop = {.fd = -1, .due_ms = ACTA_NO_TIMER};
    struct acta_loop hooks = {
        .size = sizeof(hooks),
        .data = &loop,
        .watch = acta_poll_watch,
        .timer = acta_poll_timer,
    };
    uint64_t head = 0;

    store("a", "X", 3);
    expect(ACTA_OK, acta_open_memory(&loop.client, place.memory, NULL, &hooks,
                                     &place.err));
    ck_assert_uint_ne(acta_ping(loop.client, 0, on_pong, &head, &place.err), 0);
    while (head == 0) {
        acta_poll_turn(&loop, PLACE_PATIENCE_MS);
    }
    ck_assert_uint_eq(head, 3);
    acta_close(loop.client);
}
END_TEST

/* Append to one stream, each time at the version that it has. */
static void *
compete(void *arg)
{
    struct acta_sync *sync;
    struct acta_err err;
    unsigned done = 0;

    (void)arg;
    ck_assert_int_eq(acta_sync_open_memory(&sync, place.memory, NULL, &err),
                     ACTA_OK);
    while (done < ROUNDS) {
        struct acta_draft draft = acta_draft_of("X", "", 0);
        struct acta_append *append = acta_append_new();
        const struct acta_description *told;
        enum acta_code code;

        ck_assert_int_eq(acta_sync_describe_stream(sync, "a", &told, &err),
                         ACTA_OK);
        acta_append_stream(append, "a", (int64_t)told->stream->version);
        acta_append_event(append, &draft);
        code = acta_sync_append(sync, append, NULL, &err);
        ck_assert(code == ACTA_OK || code == ACTA_CONFLICT);
        done += code == ACTA_OK;
        acta_append_free(append);
    }
    acta_sync_close(sync);
    return NULL;
}

START_TEST(many_threads_have_clients_on_it)
{
    struct acta_follower *follower;
    const struct acta_news *news;
    pthread_t threads[THREADS];

    expect(ACTA_OK,
           acta_follower_open(&follower, place.sync, NULL, 0, &place.err));
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, compete, NULL), 0);
    }
    do {
        expect(ACTA_OK, acta_follower_next(follower, PLACE_PATIENCE_MS, &news,
                                           &place.err));
    } while (news->position < THREADS * ROUNDS);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(event_of("a", THREADS * ROUNDS)->position,
                      THREADS * ROUNDS);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_checked_fixture(tcase, setup, place_end);
    tcase_add_test(tcase, the_time_stands_still_until_it_is_moved);
    tcase_add_test(tcase, the_time_has_an_end);
    tcase_add_test(tcase, events_grow_too_old);
    tcase_add_test(tcase, what_is_due_happens_in_its_order_and_at_its_time);
    tcase_add_test(
        tcase, with_as_many_schedules_as_may_be_those_there_are_can_be_moved);
    tcase_add_test(
        tcase, events_that_are_parked_are_not_counted_among_those_that_wait);
    tcase_add_test(tcase, a_lease_is_held_by_the_time_of_the_memory);
    tcase_add_test(tcase, who_waits_in_vain_moves_the_time);
    tcase_add_test(tcase, a_time_that_passes_breaks_no_connection);
    tcase_add_test(tcase, there_is_one_database);
    tcase_add_test(tcase, a_client_in_a_loop_of_its_own_can_use_it);
    tcase_add_test(tcase, many_threads_have_clients_on_it);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
