/* More connections than a server may have, or can: idle ones cost next to
 * nothing, those over the limit wait for their turn, silent ones give way, and
 * neither takes from files the descriptors that they need.
 *
 * What it costs is the server's memory, and that it comes to rest: not time
 * that passes, so a busy machine does not matter.
 */

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "limit.h"
#include "msg.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "usage.h"
#include "wire.h"

#define IDLE       1000
#define OVER       200
#define SILENT     20
#define FEW        64 /* Descriptors. */
#define EVENT_SIZE 300000
#define EVENTS     40 /* Of that size: a dozen files of the journal. */
#define LOOKS_MAX  50
#define STOPS      4
#define STOPS_MAX  100 /* Of which so many are judged. */
#define HELLO_US   300000
#define STOP_MS    350
#define TIMEOUT_S  300

/* Of a connection: more would be a buffer that is not given back. */
#define IDLE_SIZE_MAX 8192

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    uint64_t seed;
    struct daemon daemon;
    struct wire wire; /* Who was there before the crowd. */
    int crowd[IDLE + OVER];
    size_t crowd_count;
};

static struct scene scene;

static void
begin(const char *option, unsigned descriptors_max)
{
    memset(&scene, 0, sizeof(scene));
    rnd_init(&scene.rnd);
    scene.seed = rnd_next(&scene.rnd);
    tempdir_make(&scene.dir);
    daemon_init(&scene.daemon, scene.dir.path, &scene.rnd);
    daemon_option(&scene.daemon, option);
    scene.daemon.descriptors_max = descriptors_max;
    daemon_start(&scene.daemon);
    wire_init(&scene.wire, &scene.daemon);
    wire_connect(&scene.wire);
}

static void
leave(size_t count)
{
    while (count-- > 0) {
        close(scene.crowd[--scene.crowd_count]);
    }
}

static void
end(void)
{
    leave(scene.crowd_count);
    wire_fini(&scene.wire);
    daemon_stop(&scene.daemon);
    tempdir_remove(&scene.dir);
}

/* How many looks it takes until the server has nothing to do. */
static unsigned
looks_to_rest(void)
{
    return usage_looks_to_rest(scene.daemon.pid);
}

static int
connect_one(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)scene.daemon.port),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    require(fd >= 0);
    require(inet_pton(AF_INET, scene.daemon.address, &address.sin_addr) == 1);
    require(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    scene.crowd[scene.crowd_count++] = fd;
    return fd;
}

static void
say_hello(int fd)
{
    struct msg_hello hello = {1, 1, slice_of("crowd"), slice_of("")};
    struct slice bytes;
    struct buf out;

    buf_init(&out, ACTA_HELLO_SIZE_MAX);
    msg_hello_encode(&out, 1, &hello);
    bytes = buf_slice(&out);
    require(send(fd, bytes.data, bytes.size, MSG_NOSIGNAL) ==
            (ssize_t)bytes.size);
    buf_fini(&out);
}

static bool
has_word(int fd, int wait_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, wait_ms) > 0;
}

/* Whether it has a place: false if the server has closed it. */
static bool
is_welcome(int fd)
{
    uint8_t header[FRAME_HEADER_SIZE];

    require(has_word(fd, (int)(wire_patience_us() / 1000)));
    if (recv(fd, header, sizeof(header), MSG_WAITALL) != sizeof(header)) {
        return false;
    }
    ck_assert_int_eq(header[1], OP_WELCOME);
    return true;
}

static void
expect_welcome(int fd)
{
    require(is_welcome(fd));
}

/* Get a place, however often this process is held up between connecting and
 * hello for longer than the server waits for that.
 */
static void
get_place(void)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    int fd = connect_one();

    say_hello(fd);
    while (!is_welcome(fd)) {
        require(notes_time_us() < end);
        leave(1);
        fd = connect_one();
        say_hello(fd);
    }
}

/* Also of the servers that are started. */
static bool
can_have(unsigned descriptors)
{
    struct rlimit limit;

    require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur < descriptors && limit.rlim_max >= descriptors) {
        limit.rlim_cur = descriptors;
        require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    return limit.rlim_cur >= descriptors;
}

/* ---- a thousand that do nothing, and two hundred too many ---- */

/* Of the memory that it has above @before, for each idle one: when it has given
 * back what hello took, or after a while.
 */
static uint64_t
memory_of_each(uint64_t before)
{
    uint64_t each = UINT64_MAX;

    for (int i = 0; i < LOOKS_MAX && each >= IDLE_SIZE_MAX; i++) {
        uint64_t now;

        (void)looks_to_rest();
        now = usage_memory(scene.daemon.pid);
        each = now > before ? (now - before) / IDLE : 0;
    }
    return each;
}

START_TEST(idle_ones_cost_little_and_those_over_the_limit_wait)
{
    uint64_t memory, each;
    unsigned idle, over;

    begin("--connections-max=1001", 0);
    memory = usage_memory(scene.daemon.pid);
    for (int i = 0; i < IDLE; i++) {
        say_hello(connect_one());
    }
    for (int i = 0; i < IDLE; i++) {
        expect_welcome(scene.crowd[i]);
    }
    each = memory_of_each(memory);
    idle = looks_to_rest();
    for (int i = 0; i < OVER; i++) {
        say_hello(connect_one());
    }
    over = looks_to_rest();
    for (int i = IDLE; i < IDLE + OVER; i++) {
        require(!has_word(scene.crowd[i], 0));
    }
    require(wire_append(&scene.wire, "order-1", "Placed", NULL, "") == ACTA_OK);

    printf("{\"test\": \"crowd\", \"seed\": %" PRIu64
           ", \"idle\": %d, \"bytes_each\": %" PRIu64
           ", \"looks_idle\": %u, \"over\": %d, \"looks_over\": %u}\n",
           scene.seed, IDLE, each, idle, OVER, over);
    fflush(stdout);
    ck_assert(!USAGE_TELLS_MEMORY || each < IDLE_SIZE_MAX);
    ck_assert_uint_lt(idle, USAGE_RESTLESS);
    ck_assert_uint_lt(over, USAGE_RESTLESS);

    /* Those who came first go, and the others get their places. */
    for (int i = 0; i < OVER; i++) {
        close(scene.crowd[i]);
        scene.crowd[i] = scene.crowd[IDLE + i];
    }
    scene.crowd_count -= OVER;
    for (int i = 0; i < OVER; i++) {
        expect_welcome(scene.crowd[i]);
    }
    require(wire_append(&scene.wire, "order-1", "Placed", NULL, "") == ACTA_OK);
    end();
}
END_TEST

/* ---- those that say nothing, or not enough ---- */

START_TEST(silent_ones_give_way_to_who_waits)
{
    static const uint8_t beginning[] = {FRAME_MAGIC, OP_HELLO};

    begin("--connections-max=21", 0);
    wire_cut(&scene.wire);
    daemon_stop(&scene.daemon);
    daemon_option(&scene.daemon, "--hello-timeout=100ms");
    daemon_start(&scene.daemon);
    wire_connect(&scene.wire);
    for (int i = 0; i < SILENT; i++) {
        int fd = connect_one();

        require(i % 2 == 0 || send(fd, beginning, sizeof(beginning),
                                   MSG_NOSIGNAL) == sizeof(beginning));
    }
    get_place();
    for (int i = 0; i < SILENT; i++) {
        char byte;

        require(has_word(scene.crowd[i], (int)(wire_patience_us() / 1000)));
        require(recv(scene.crowd[i], &byte, 1, 0) <= 0);
    }
    require(wire_append(&scene.wire, "order-1", "Placed", NULL, "") == ACTA_OK);
    end();
}
END_TEST

/* The server is stopped for longer than hello may take, which comes meanwhile.
 * Where the machine was too busy to stop it in time, nothing is said of it, and
 * it is done again.
 */
START_TEST(who_was_in_time_is_not_blamed_for_a_server_that_stood_still)
{
    unsigned judged = 0, blamed = 0;

    begin("--hello-timeout=300ms", 0);
    for (int i = 0; i < STOPS_MAX && judged < STOPS; i++) {
        uint64_t began = notes_time_us();
        uint8_t header[FRAME_HEADER_SIZE];
        int fd = connect_one();
        bool in_time;
        int status;

        (void)looks_to_rest(); /* It is accepted. */
        require(kill(scene.daemon.pid, SIGSTOP) == 0);
        require(waitpid(scene.daemon.pid, &status, WUNTRACED) ==
                scene.daemon.pid);
        in_time = notes_time_us() - began < HELLO_US;
        say_hello(fd);
        (void)has_word(fd, STOP_MS);
        require(kill(scene.daemon.pid, SIGCONT) == 0);
        require(has_word(fd, (int)(wire_patience_us() / 1000)));
        judged += in_time;
        blamed += in_time && recv(fd, header, sizeof(header), MSG_WAITALL) !=
                                 sizeof(header);
    }
    ck_assert_uint_eq(blamed, 0);
    ck_assert_uint_gt(judged, 0);
    end();
}
END_TEST

/* ---- few descriptors ---- */

static void
append_much(void)
{
    char *data = malloc(EVENT_SIZE + 1);

    require(data != NULL);
    memset(data, 'x', EVENT_SIZE);
    data[EVENT_SIZE] = '\0';
    for (int i = 0; i < EVENTS; i++) {
        enum acta_code code =
            wire_append(&scene.wire, "order-1", "Placed", NULL, data);

        ck_assert_msg(code == ACTA_OK, "append %d: %s", i,
                      acta_code_name(code));
    }
    free(data);
}

/* Files are opened while connections wait for descriptors: for the journal's
 * next segments, for those that are wiped, and at the end for a clean stop.
 */
START_TEST(connections_leave_descriptors_to_files)
{
    unsigned looks;

    begin("--checkpoint-size=2MiB", FEW);
    for (int i = 0; i < OVER; i++) {
        say_hello(connect_one());
    }
    expect_welcome(scene.crowd[0]);
    append_much();
    require(!has_word(scene.crowd[OVER - 1], 0));
    looks = looks_to_rest();
    printf("{\"test\": \"crowd, few descriptors\", \"seed\": %" PRIu64
           ", \"limit\": %d, \"open\": %u, \"connects\": %d"
           ", \"looks\": %u}\n",
           scene.seed, FEW, usage_descriptors(scene.daemon.pid), OVER, looks);
    fflush(stdout);
    ck_assert_uint_lt(looks, USAGE_RESTLESS);
    /* In the order in which they came, each leaving room for another. */
    for (int i = 1; i < OVER; i++) {
        close(scene.crowd[i - 1]);
        scene.crowd[i - 1] = -1;
        expect_welcome(scene.crowd[i]);
    }
    append_much();
    end();
}
END_TEST

/* The system takes away what the server counted on: accepting pauses, and goes
 * on when there is something again. Nothing goes round in circles meanwhile.
 */
START_TEST(accepting_goes_on_when_descriptors_are_back)
{
    struct rlimit none = {0, FEW}, back = {FEW, FEW};
    unsigned looks;
    int first, second;

    begin("--connections-max=100", FEW);
    require(prlimit(scene.daemon.pid, RLIMIT_NOFILE, &none, NULL) == 0);
    first = connect_one();
    second = connect_one();
    say_hello(first);
    say_hello(second);
    looks = looks_to_rest();
    ck_assert_uint_lt(looks, USAGE_RESTLESS);
    require(!has_word(first, 0));
    (void)wire_head(&scene.wire); /* Who is in is served. */
    require(prlimit(scene.daemon.pid, RLIMIT_NOFILE, &back, NULL) == 0);
    expect_welcome(first);
    expect_welcome(second);
    end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("net_crowd");
    TCase *tcase = tcase_create("crowd");
    TCase *descriptors = tcase_create("descriptors");
    bool has_room = can_have(IDLE + OVER + 100);
    int result;

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_set_timeout(descriptors, TIMEOUT_S);
    if (has_room) {
        tcase_add_test(tcase,
                       idle_ones_cost_little_and_those_over_the_limit_wait);
    } else {
        printf("no descriptors for a crowd: that is skipped\n");
    }
    tcase_add_test(tcase, silent_ones_give_way_to_who_waits);
    tcase_add_test(tcase,
                   who_was_in_time_is_not_blamed_for_a_server_that_stood_still);
    tcase_add_test(descriptors, connections_leave_descriptors_to_files);
    tcase_add_test(descriptors, accepting_goes_on_when_descriptors_are_back);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, descriptors);
    result = run_suite(suite);
    return result == 0 && !has_room ? RUN_SKIPPED : result;
}
