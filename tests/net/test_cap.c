/* A server that may have less memory than its database has bytes, with readers
 * that hardly read: it gives back what it maps of files, not more, and is not
 * killed. All the while it takes appends, and who reads gets what was stored.
 */

#include <check.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon.h"
#include "memory_cap.h"
#include "msg.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "usage.h"
#include "wire.h"

/* The server needs some 40 to 60 MiB for itself, and 12 for these readers, each
 * of whom output-high bounds; what is left is for pages of the database.
 */
#define CAP           (UINT64_C(128) << 20)
#define DATA_SIZE     16384
#define BATCH         40
#define EVENTS        12800 /* 200 MiB. */
#define EVENTS_LONG   25600 /* 400 MiB. */
#define READERS       50
#define SLOW_BYTES    1024 /* What a slow one takes at a time. */
#define FAST          2
#define SMALL_BUFFER  (256 << 10)
#define APPEND_EVERY  500 /* Events that a fast one reads. */
#define TIMEOUT_S     600
#define RUNNER_SCRIPT "echo $$ >\"$0\" && exec \"$@\""

static struct memory_cap cap;

static struct {
    struct tempdir dir;
    struct rnd rnd;
    uint64_t seed;
    struct daemon daemon;
    const char *runner[5];
    struct wire writer;
    struct wire slow[READERS];
    uint64_t stored;  /* Events, numbered as their positions are. */
    uint64_t checked; /* Events that were read, and right. */
} scene;

/* ---- events ---- */

/* The data of the event at @position: its number, and a letter of its own. */
static void
make_data(char data[static DATA_SIZE + 1], uint64_t position)
{
    memset(data, 'a' + (int)(position % 26), DATA_SIZE);
    data[snprintf(data, DATA_SIZE, "%" PRIu64 " ", position)] = 'b';
    data[DATA_SIZE] = '\0';
}

static void
append(size_t count)
{
    static char data[DATA_SIZE + 1];
    uint64_t request_id = wire_request(&scene.writer);
    size_t start = msg_append_begin(&scene.writer.out, request_id, 1);

    msg_append_write(&scene.writer.out, slice_of("order-1"),
                     (int64_t)scene.stored, count);
    for (size_t i = 0; i < count; i++) {
        make_data(data, ++scene.stored);
        wire_put_event(&scene.writer.out, "Placed", NULL, data);
    }
    msg_append_end(&scene.writer.out, start, NULL);
    (void)wire_must(&scene.writer, request_id, OP_APPENDED);
}

static void
check_event(const struct event *event, uint64_t position)
{
    static char data[DATA_SIZE + 1];

    make_data(data, position);
    ck_assert_uint_eq(event->position, position);
    ck_assert_uint_eq(event->version, position);
    ck_assert(slice_equal(event->data, slice_of(data)));
    scene.checked++;
}

/* ---- readers ---- */

static void
subscribe(struct wire *wire)
{
    struct msg_subscribe all = {.query = QUERY_ALL, .credit = UINT64_MAX};

    msg_subscribe_encode(&wire->out, wire_request(wire), &all);
    require(wire_send(wire));
}

static void
start_slow_ones(void)
{
    int size = SMALL_BUFFER;

    for (int i = 0; i < READERS; i++) {
        struct wire *wire = &scene.slow[i];

        wire_init(wire, &scene.daemon);
        wire_connect(wire);
        require(setsockopt(wire->fd, SOL_SOCKET, SO_RCVBUF, &size,
                           sizeof(size)) == 0);
        subscribe(wire);
    }
}

/* What they take they do not look at. */
static void
take_a_little(void)
{
    uint8_t room[SLOW_BYTES];

    for (int i = 0; i < READERS; i++) {
        (void)!recv(scene.slow[i].fd, room, sizeof(room), MSG_DONTWAIT);
    }
}

static uint64_t
take_delivery(struct wire *wire, uint64_t position)
{
    struct msg_delivery delivery;
    struct frame frame;
    struct acta_err err;

    require(wire_next(wire, &frame, 1000) != WIRE_GONE);
    if (frame.kind != OP_DELIVERY) {
        return position;
    }
    require(msg_delivery_decode(&delivery, frame.body, &err) == ACTA_OK);
    for (size_t i = 0; i < delivery.events_count; i++) {
        struct event event;

        require(msg_next_event(&delivery.events, &event, &err) == ACTA_OK);
        check_event(&event, ++position);
    }
    return position;
}

/* One that takes all there is at once, from the first event to the last, while
 * more come.
 */
static void
read_all(void)
{
    uint64_t end = notes_time_us() + 10 * wire_patience_us();
    uint64_t position = 0, appended_at = 0;
    struct wire wire;

    wire_init(&wire, &scene.daemon);
    wire_connect(&wire);
    subscribe(&wire);
    while (position < scene.stored) {
        require(notes_time_us() < end);
        position = take_delivery(&wire, position);
        if (position >= appended_at + APPEND_EVERY) {
            appended_at = position;
            append(1);
            take_a_little();
        }
    }
    wire_fini(&wire);
}

/* ---- the test ---- */

/* In the process of main(), which may have to remove it. */
static void
make_dir(void)
{
    tempdir_make(&scene.dir);
}

static void
begin(void)
{
    static char members[128];
    const char *runner[] = {"/bin/sh", "-c", RUNNER_SCRIPT, members, NULL};

    rnd_init(&scene.rnd);
    scene.seed = rnd_next(&scene.rnd);
    snprintf(members, sizeof(members), "%s", memory_cap_members(&cap));
    memcpy(scene.runner, runner, sizeof(runner));
    daemon_init(&scene.daemon, scene.dir.path, &scene.rnd);
    scene.daemon.runner = scene.runner;
    daemon_option(&scene.daemon, "--checkpoint-size=4MiB");
    daemon_option(&scene.daemon, "--output-high=128KiB");
    daemon_option(&scene.daemon, "--output-low=32KiB");
    daemon_option(&scene.daemon, "--subscription-step=64KiB");
    daemon_start(&scene.daemon);
    wire_init(&scene.writer, &scene.daemon);
    wire_connect(&scene.writer);
}

START_TEST(a_database_that_is_larger_than_memory_is_served)
{
    unsigned events = rnd_effort(EVENTS, EVENTS_LONG);
    uint64_t memory;

    begin();
    start_slow_ones();
    while (scene.stored < events) {
        append(BATCH);
        take_a_little();
    }
    for (int i = 0; i < FAST; i++) {
        read_all();
    }
    memory = usage_memory(scene.daemon.pid);
    ck_assert_uint_eq(wire_head(&scene.writer), scene.stored);
    printf("{\"test\": \"cap\", \"seed\": %" PRIu64 ", \"cap_mib\": %" PRIu64
           ", \"stored_mib\": %" PRIu64 ", \"readers\": %d"
           ", \"checked\": %" PRIu64 ", \"reached\": %" PRIu64
           ", \"memory_kib\": %" PRIu64 "}\n",
           scene.seed, CAP >> 20, (scene.stored * DATA_SIZE) >> 20, READERS,
           scene.checked, memory_cap_reached(&cap), memory >> 10);
    fflush(stdout);
    ck_assert_uint_gt(memory_cap_reached(&cap), 0);
    ck_assert_uint_eq(memory_cap_kills(&cap), 0);
    for (int i = 0; i < READERS; i++) {
        wire_fini(&scene.slow[i]);
    }
    wire_fini(&scene.writer);
    daemon_stop(&scene.daemon);
    tempdir_remove(&scene.dir);
}
END_TEST

static Suite *
make_suite(void)
{
    Suite *suite = suite_create("net_cap");
    TCase *tcase = tcase_create("cap");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_unchecked_fixture(tcase, make_dir, NULL);
    tcase_add_test(tcase, a_database_that_is_larger_than_memory_is_served);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    int status;

    if (!USAGE_TELLS_MEMORY) {
        printf("skipped: a sanitizer takes more memory than the server\n");
        return RUN_SKIPPED;
    }
    if (!memory_cap_make(&cap, CAP)) {
        return RUN_SKIPPED;
    }
    status = run_suite(make_suite());
    if (memory_cap_kills(&cap) > 0) { /* Its files say nothing about that. */
        printf("actad was killed for want of memory\n");
        tempdir_remove(&scene.dir);
    }
    memory_cap_remove(&cap);
    return status;
}
