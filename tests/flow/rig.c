#include "rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "limit.h"
#include "msg.h"

#define OPTIONS_MAX  32
#define RECEIVE_SIZE 65536

/* Small files: a test is over before it has filled one. */
static const char *const always[] = {
    "actad",
    "--config=/dev/null",
    "--listen=127.0.0.1:0",
    "--journal-segment-size=1MiB",
    "--store-map-size=1GiB",
    "--disk-reserve=1MiB",
    "--io-threads=2",
};

#define ALWAYS_COUNT (sizeof(always) / sizeof(always[0]))

static void
fail_storage(void *user, const struct acta_err *err)
{
    (void)user;
    ck_abort_msg("storage failed: %s", err->text);
}

static void
open_database(struct rig *rig)
{
    struct database_options options;
    struct acta_err err;
    char dir[sizeof(rig->dir.path) + 8];

    snprintf(dir, sizeof(dir), "%s/main", rig->dir.path);
    database_options_init(&options);
    options.dir = dir;
    options.name = "main";
    options.journal_segment_size =
        config_number(&rig->config, CONFIG_JOURNAL_SEGMENT_SIZE);
    options.store_map_size = config_number(&rig->config, CONFIG_STORE_MAP_SIZE);
    options.disk_reserve = config_number(&rig->config, CONFIG_DISK_RESERVE);
    options.checkpoint_events =
        config_number(&rig->config, CONFIG_CHECKPOINT_EVENTS);
    options.queue_size = config_number(&rig->config, CONFIG_QUEUE_SIZE);
    options.fatal = fail_storage;
    ck_assert_msg(database_open(&rig->database, &options, &err) == ACTA_OK,
                  "%s", err.text);
}

void
rig_start(struct rig *rig, const char *first, ...)
{
    char *options[OPTIONS_MAX];
    char *environment[] = {NULL};
    int count = 0;
    struct acta_err err;
    va_list texts;

    for (size_t i = 0; i < ALWAYS_COUNT; i++) {
        options[count++] = strdup(always[i]);
    }
    va_start(texts, first);
    for (const char *text = first; text != NULL;
         text = va_arg(texts, const char *)) {
        ck_assert_int_lt(count, OPTIONS_MAX);
        options[count++] = strdup(text);
    }
    va_end(texts);
    ck_assert_msg(
        config_load(&rig->config, count, options, environment, &err) == ACTA_OK,
        "%s", err.text);
    while (count > 0) {
        free(options[--count]);
    }

    tempdir_make(&rig->dir);
    open_database(rig);
    ck_assert_msg(server_listen(&rig->server, &rig->config, &err) == ACTA_OK &&
                      server_start(rig->server, &rig->config, rig->database,
                                   &err) == ACTA_OK,
                  "%s", err.text);
    rig->port = address_port(server_address(rig->server));
}

void
rig_stop(struct rig *rig)
{
    server_stop(rig->server);
    database_close(rig->database);
    server_free(rig->server);
    tempdir_remove(&rig->dir);
}

void
peer_connect(struct peer *peer, unsigned port)
{
    struct timeval timeout = {.tv_sec = RIG_TIMEOUT_S};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    buf_init(&peer->in, (size_t)1 << 30);
    buf_init(&peer->out, (size_t)1 << 30);
    peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(peer->fd, 0);
    ck_assert_int_eq(setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                                sizeof(timeout)),
                     0);
    ck_assert_int_eq(setsockopt(peer->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
                                sizeof(timeout)),
                     0);
    ck_assert_msg(
        connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) == 0,
        "connect: %s", strerror(errno));
}

void
peer_greet(struct peer *peer, unsigned port)
{
    struct msg_hello hello = {1, 1, slice_of("test"), slice_of("")};

    peer_connect(peer, port);
    msg_hello_encode(&peer->out, 1, &hello);
    peer_send(peer);
    peer_expect(peer, OP_WELCOME, 1);
}

void
peer_close(struct peer *peer)
{
    close(peer->fd);
    buf_fini(&peer->in);
    buf_fini(&peer->out);
}

void
peer_send(struct peer *peer)
{
    ck_assert(!buf_failed(&peer->out));
    while (buf_size(&peer->out) > 0) {
        struct slice bytes = buf_slice(&peer->out);
        ssize_t sent;

        do { /* A process that was stopped is interrupted when it goes on. */
            sent = send(peer->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            /* The server has closed: what it said before is what counts. */
            buf_clear(&peer->out);
            return;
        }
        ck_assert_msg(sent > 0, "send: %s", strerror(errno));
        buf_consume(&peer->out, (size_t)sent);
    }
}

/* Wait for more bytes. False at the end. */
static bool
receive(struct peer *peer)
{
    uint8_t *room = buf_reserve(&peer->in, RECEIVE_SIZE);
    ssize_t got;

    ck_assert_ptr_nonnull(room);
    do {
        got = recv(peer->fd, room, RECEIVE_SIZE, 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
        return false;
    }
    ck_assert_msg(got > 0, "receive: %s", strerror(errno));
    buf_advance(&peer->in, (size_t)got);
    return true;
}

bool
peer_next(struct peer *peer, struct frame *frame)
{
    struct acta_err err;
    size_t used;

    for (;;) {
        ck_assert_msg(frame_decode(frame, &used, buf_slice(&peer->in),
                                   ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK,
                      "%s", err.text);
        if (used > 0) {
            /* The bytes stay where they are until more are received. */
            buf_consume(&peer->in, used);
            return true;
        }
        if (!receive(peer)) {
            ck_assert_uint_eq(buf_size(&peer->in), 0);
            return false;
        }
    }
}

static void
fail_with_error(const struct frame *frame)
{
    struct msg_error error;
    struct acta_err err;

    ck_assert_msg(msg_error_decode(&error, frame->body, &err) == ACTA_OK, "%s",
                  err.text);
    ck_abort_msg("request %ju: %s: %.*s", (uintmax_t)frame->request_id,
                 acta_code_name(error.code), (int)error.text.size,
                 (const char *)error.text.data);
}

struct frame
peer_expect(struct peer *peer, uint8_t kind, uint64_t request_id)
{
    struct frame frame;

    ck_assert_msg(peer_next(peer, &frame), "closed, instead of %s",
                  opcode_text(kind));
    if (frame.kind == OP_ERROR && kind != OP_ERROR) {
        fail_with_error(&frame);
    }
    ck_assert_msg(frame.kind == kind, "got %s, not %s", opcode_text(frame.kind),
                  opcode_text(kind));
    ck_assert_uint_eq(frame.request_id, request_id);
    return frame;
}

void
peer_expect_error(struct peer *peer, uint64_t request_id, enum acta_code code)
{
    struct frame frame = peer_expect(peer, OP_ERROR, request_id);
    struct msg_error error;
    struct acta_err err;

    ck_assert_msg(msg_error_decode(&error, frame.body, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert_msg(error.code == code, "got %s, not %s: %.*s",
                  acta_code_name(error.code), acta_code_name(code),
                  (int)error.text.size, (const char *)error.text.data);
}

void
peer_expect_close(struct peer *peer)
{
    struct frame frame;

    ck_assert_msg(!peer_next(peer, &frame), "got %s, not the end",
                  opcode_text(frame.kind));
}

void
peer_put_append(struct peer *peer, uint64_t request_id, const char *stream,
                int64_t expected, size_t count, size_t size)
{
    static _Atomic uint64_t next_id;
    size_t start = msg_append_begin(&peer->out, request_id, 1);
    uint8_t *data = calloc(1, size + 1);

    msg_append_write(&peer->out, slice_of(stream), expected, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = ++next_id;
        uint8_t id[16] = {0};
        struct event event = {.type = slice_of("Happened"),
                              .id = id,
                              .data = slice_make(data, size)};

        memcpy(id, &number, sizeof(number));
        event_encode_content(&peer->out, &event, NULL, 0);
    }
    frame_end(&peer->out, start);
    free(data);
}

uint64_t
peer_status(struct peer *peer, const char *name)
{
    struct slice entries;
    struct frame frame;
    struct acta_err err;
    size_t count;

    msg_empty_encode(&peer->out, OP_STATUS, 99);
    peer_send(peer);
    frame = peer_expect(peer, OP_STATUS_REPLY, 99);
    ck_assert_int_eq(msg_status_decode(&entries, &count, frame.body, &err),
                     ACTA_OK);
    for (size_t i = 0; i < count; i++) {
        struct msg_status_entry entry = msg_next_status(&entries);

        if (slice_equal(entry.name, slice_of(name))) {
            return entry.number;
        }
    }
    ck_abort_msg("status has no %s", name);
}
