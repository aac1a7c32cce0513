/* Packets that are lost, some or all of them, in a network namespace: clients
 * that append and watch go on when they can, and lose nothing; and who vanishes
 * without a word is noticed by the server, as is a server by its clients.
 */

#include <acta/acta_sync.h>
#include <arpa/inet.h>
#include <check.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "clients.h"
#include "daemon.h"
#include "dump.h"
#include "msg_group.h"
#include "nap.h"
#include "netns.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "usage.h"
#include "wire.h"

#define ROUNDS        4
#define ROUNDS_LONG   60
#define ROUND_MS      350
#define ROUND_MS_LONG 3000
#define TIMEOUT_S     1800

#define PEER_TIMEOUT "--peer-timeout=1s"
#define SILENCE_MS   300

/* Who is gone is noticed in so long: the server asks the kernel, which takes
 * peer-timeout and a second, and clients wait twice their silence. The
 * rest is for a machine that is busy; should it stand still for longer, it is
 * tried again.
 */
#define SERVER_MS_MAX (2000 + STANDSTILL_MS)
#define CLIENT_MS_MAX (2 * SILENCE_MS + STANDSTILL_MS)
#define STANDSTILL_MS 2000
#define TRIES         3
#define GROUP         "workers"
#define HANDED        3
#define HOUR_US       UINT64_C(3600000000)

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    uint64_t seed;
    struct daemon daemon;
};

static void
begin(struct scene *scene)
{
    rnd_init(&scene->rnd);
    scene->seed = rnd_next(&scene->rnd);
    netns_enter();
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    daemon_option(&scene->daemon, PEER_TIMEOUT);
    daemon_start(&scene->daemon);
}

static void
end(struct scene *scene)
{
    daemon_stop(&scene->daemon);
    tempdir_remove(&scene->dir);
}

/* ---- loss and partition ---- */

START_TEST(nothing_is_lost_but_packets)
{
    static const unsigned losses[] = {5, 100, 30, 5};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);
    unsigned ms_max = rnd_effort(ROUND_MS, ROUND_MS_LONG);
    struct clients clients;
    struct scene scene;
    uint64_t head, dropped = 0;

    begin(&scene);
    clients_start(&clients, scene.daemon.url, scene.dir.path, scene.seed);
    for (unsigned i = 0; i < rounds; i++) {
        if (losses[i % 4] == 100) {
            netns_cut(0);
        } else {
            netns_lose(losses[i % 4]);
        }
        nap_ms(ms_max / 2 + rnd_below(&scene.rnd, ms_max / 2 + 1));
        dropped += netns_dropped();
        netns_heal();
        nap_ms(rnd_below(&scene.rnd, ms_max / 4 + 1));
    }
    clients_rest(&clients);
    head = dump(scene.daemon.url, scene.dir.path, 1, true);
    clients_finish(&clients, head);
    printf("{\"test\": \"cut off, loss\", \"seed\": %" PRIu64
           ", \"rounds\": %u, \"dropped\": %" PRIu64 ", \"events\": %" PRIu64
           "}\n",
           scene.seed, rounds, dropped, head);
    fflush(stdout);
    ck_assert_uint_gt(dropped, 0);
    ck_assert_int_eq(check_history(scene.dir.path), 0);
    end(&scene);
}
END_TEST

/* ---- who vanishes ---- */

static void
take_handed(struct wire *wire, size_t count)
{
    while (count > 0) {
        struct msg_handed handed;
        struct frame frame;
        struct acta_err err;

        ck_assert_msg(
            wire_next(wire, &frame, (unsigned)(wire_patience_us() / 1000)) ==
                WIRE_FRAME,
            "%zu events were never handed out", count);
        if (frame.kind == OP_HANDED) {
            require(msg_handed_decode(&handed, frame.body, &err) == ACTA_OK);
            require(handed.events_count <= count);
            count -= handed.events_count;
        }
    }
}

static void
subscribe(struct wire *wire)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL, .credit = 1 << 20};
    uint64_t request_id = wire_request(wire);

    msg_subscribe_encode(&wire->out, request_id, &subscribe);
    (void)wire_must(wire, request_id, OP_SUBSCRIBED);
}

static unsigned
port_of(const struct wire *wire)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);

    require(getsockname(wire->fd, (struct sockaddr *)&address, &size) == 0);
    return ntohs(address.sin_port);
}

/* A follower by the library, which tells what becomes of its connection. */
struct watch {
    struct acta_sync *sync;
    struct acta_follower *follower;
    bool up;
    uint64_t events;
};

static void
on_link(void *user, bool up, const struct acta_err *err)
{
    struct watch *watch = user;

    (void)err;
    watch->up = up;
}

static void
look(struct watch *watch)
{
    const struct acta_news *news;
    struct acta_err err;
    enum acta_code code = acta_follower_next(watch->follower, 10, &news, &err);

    if (code == ACTA_OK) {
        watch->events += news->events_count;
    } else {
        ck_assert_msg(code == ACTA_TIMEOUT, "%s", err.text);
    }
}

static void
start_watch(struct watch *watch, const char *url)
{
    struct acta_options options = acta_options_of(url);
    struct acta_query *query = acta_query_new();
    struct acta_err err;

    options.connect_timeout_ms = SILENCE_MS;
    options.silence_ms = SILENCE_MS;
    options.backoff_max_ms = SILENCE_MS;
    options.on_link = on_link;
    options.user = watch;
    while (acta_sync_open(&watch->sync, &options, &err) != ACTA_OK) {
        ck_assert_msg(acta_code_remedy(err.code) == ACTA_REMEDY_RETRY, "%s",
                      err.text); /* On a busy machine it may take longer. */
    }
    ck_assert_msg(acta_follower_open(&watch->follower, watch->sync, query, 0,
                                     &err) == ACTA_OK,
                  "%s", err.text);
    acta_query_free(query);
}

/* From the cut on, how long until it was noticed. */
struct noticed {
    uint64_t by_client_ms;
    uint64_t by_server_ms;
    uint64_t healed_ms; /* Until the client has what it could not see. */
};

static uint64_t
since_ms(uint64_t began_us)
{
    return (notes_time_us() - began_us) / 1000;
}

/* The server closes three connections whose peers are gone; the client gives up
 * its own, and when the network is well it goes on.
 */
static void
wait_until_noticed(const struct scene *scene, struct watch *watch,
                   unsigned sockets, struct noticed *noticed)
{
    uint64_t began = notes_time_us();
    uint64_t end = began + wire_patience_us();
    bool server_knows = false, client_knows = false;

    while (!server_knows || !client_knows) {
        ck_assert_msg(notes_time_us() < end, "never noticed by %s",
                      server_knows ? "the client" : "the server");
        look(watch);
        if (!client_knows && !watch->up) {
            client_knows = true;
            noticed->by_client_ms = since_ms(began);
        }
        if (!server_knows && usage_sockets(scene->daemon.pid) <= sockets) {
            server_knows = true;
            noticed->by_server_ms = since_ms(began);
        }
    }
}

static struct noticed
vanish(void)
{
    struct wire operator, idle, member, busy;
    struct watch watch = {.up = true};
    struct noticed noticed;
    struct scene scene;
    uint64_t began;
    unsigned sockets;

    begin(&scene);
    wire_init(&operator, & scene.daemon);
    wire_connect(&operator);
    wire_create_group(&operator, GROUP, "Placed", HOUR_US);
    sockets = usage_sockets(scene.daemon.pid);
    wire_init(&idle, &scene.daemon);
    wire_connect(&idle);
    wire_init(&member, &scene.daemon);
    wire_connect(&member);
    (void)wire_join(&member, GROUP, 10);
    wire_init(&busy, &scene.daemon);
    wire_connect(&busy);
    subscribe(&busy);
    start_watch(&watch, scene.daemon.url);
    for (int i = 0; i < HANDED; i++) {
        require(wire_append(&operator, "order-1", "Placed", NULL, "") ==
                ACTA_OK);
    }
    take_handed(&member, HANDED);
    while (watch.events < HANDED) {
        look(&watch);
    }

    netns_cut(port_of(&operator));
    require(wire_append(&operator, "order-2", "Sent", NULL, "") == ACTA_OK);
    wait_until_noticed(&scene, &watch, sockets, &noticed);
    ck_assert(daemon_has_said(&scene.daemon, "peer has vanished"));
    /* What the member had in hand is another's, an hour before its time. */
    (void)wire_join(&operator, GROUP, 10);
    take_handed(&operator, HANDED);
    netns_heal();
    began = notes_time_us();
    while (watch.events < HANDED + 1) {
        look(&watch);
        require(since_ms(began) < wire_patience_us() / 1000);
    }
    noticed.healed_ms = since_ms(began);
    printf("{\"test\": \"cut off, vanished\", \"seed\": %" PRIu64
           ", \"server_ms\": %" PRIu64 ", \"client_ms\": %" PRIu64
           ", \"healed_ms\": %" PRIu64 "}\n",
           scene.seed, noticed.by_server_ms, noticed.by_client_ms,
           noticed.healed_ms);
    fflush(stdout);
    acta_sync_close(watch.sync);
    wire_fini(&idle);
    wire_fini(&member);
    wire_fini(&busy);
    wire_fini(&operator);
    end(&scene);
    return noticed;
}

START_TEST(who_vanishes_is_noticed_by_both_sides)
{
    struct noticed noticed = vanish();

    for (int i = 1; i < TRIES && (noticed.by_server_ms > SERVER_MS_MAX ||
                                  noticed.by_client_ms > CLIENT_MS_MAX);
         i++) {
        noticed = vanish();
    }
    ck_assert_uint_le(noticed.by_server_ms, SERVER_MS_MAX);
    ck_assert_uint_le(noticed.by_client_ms, CLIENT_MS_MAX);
}
END_TEST

int
main(void)
{
    TCase *lost, *vanished;
    Suite *suite;

    if (!netns_is_possible()) {
        return RUN_SKIPPED;
    }
    suite = suite_create("net_cut_off");
    lost = tcase_create("lost");
    vanished = tcase_create("vanished");
    tcase_set_timeout(lost, TIMEOUT_S);
    tcase_set_timeout(vanished, TIMEOUT_S);
    tcase_add_test(lost, nothing_is_lost_but_packets);
    tcase_add_test(vanished, who_vanishes_is_noticed_by_both_sides);
    suite_add_tcase(suite, lost);
    suite_add_tcase(suite, vanished);
    return run_suite(suite);
}
