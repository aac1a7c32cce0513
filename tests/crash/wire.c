#include "wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"
#include "msg_group.h"
#include "nap.h"
#include "notes.h"
#include "require.h"

#define BUF_SIZE_MAX ((size_t)256 << 20)
#define RECEIVE_SIZE 65536
#define TRY_AGAIN_US 1000
#define TEXT_SIZE    1024
#define PATIENCE_S   60

uint64_t
wire_patience_us(void)
{
    const char *wanted = getenv("ACTA_TEST_PATIENCE_S");
    uint64_t patience_s = PATIENCE_S;

    if (wanted != NULL && wanted[0] != '\0') {
        patience_s = strtoull(wanted, NULL, 10);
    }
    return patience_s * 1000000;
}

static int
patience_ms(void)
{
    return (int)(wire_patience_us() / 1000);
}

void
wire_init(struct wire *wire, const struct daemon *daemon)
{
    *wire = (struct wire){.fd = -1, .port = daemon->port};
    snprintf(wire->address, sizeof(wire->address), "%s", daemon->address);
    buf_init(&wire->in, BUF_SIZE_MAX);
    buf_init(&wire->out, BUF_SIZE_MAX);
}

void
wire_fini(struct wire *wire)
{
    wire_cut(wire);
    buf_fini(&wire->in);
    buf_fini(&wire->out);
}

void
wire_cut(struct wire *wire)
{
    if (wire->fd >= 0) {
        close(wire->fd);
        wire->fd = -1;
    }
    buf_clear(&wire->in);
    buf_clear(&wire->out);
}

uint64_t
wire_request(struct wire *wire)
{
    return ++wire->last_request;
}

/* ---- bytes ---- */

/* True if there is something to be done; false if not in time. */
static bool
wait_for(const struct wire *wire, short events, int wait_ms)
{
    struct pollfd poll_fd = {.fd = wire->fd, .events = events};
    int ready;

    do {
        ready = poll(&poll_fd, 1, wait_ms);
    } while (ready < 0 && errno == EINTR);
    require(ready >= 0);
    return ready > 0;
}

bool
wire_send(struct wire *wire)
{
    require(!buf_failed(&wire->out));
    while (buf_size(&wire->out) > 0) {
        struct slice bytes = buf_slice(&wire->out);
        ssize_t sent = send(wire->fd, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (sent > 0) {
            buf_consume(&wire->out, (size_t)sent);
        } else if (errno != EAGAIN && errno != EINTR) {
            wire_cut(wire);
            return false;
        } else if (!wait_for(wire, POLLOUT, patience_ms())) {
            ck_abort_msg("actad takes nothing");
        }
    }
    return true;
}

/* Take what has arrived. False if the connection is gone. */
static bool
receive(struct wire *wire)
{
    uint8_t *room = buf_reserve(&wire->in, RECEIVE_SIZE);
    ssize_t got;

    require(room != NULL);
    got = recv(wire->fd, room, RECEIVE_SIZE, 0);
    if (got > 0) {
        buf_advance(&wire->in, (size_t)got);
        return true;
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR);
}

enum wire_got
wire_next(struct wire *wire, struct frame *frame, unsigned wait_ms)
{
    uint64_t end = notes_time_us() + (uint64_t)wait_ms * 1000;

    while (wire->fd >= 0) {
        struct acta_err err;
        uint64_t now;
        size_t used;

        ck_assert_msg(frame_decode(frame, &used, buf_slice(&wire->in),
                                   ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK,
                      "%s", err.text);
        if (used > 0) {
            /* The bytes stay where they are until more are received. */
            buf_consume(&wire->in, used);
            return WIRE_FRAME;
        }
        now = notes_time_us();
        if (!wait_for(wire, POLLIN,
                      now < end ? (int)((end - now + 999) / 1000) : 0)) {
            return WIRE_NOTHING;
        }
        if (!receive(wire)) {
            wire_cut(wire);
        }
    }
    return WIRE_GONE;
}

/* ---- connecting ---- */

static bool
greet(struct wire *wire)
{
    struct msg_hello hello = {1, 1, slice_of("wire"), slice_of("")};
    struct msg_welcome welcome;
    struct frame frame;
    struct acta_err err;
    uint64_t request_id = wire_request(wire);

    msg_hello_encode(&wire->out, request_id, &hello);
    if (!wire_ask(wire, request_id, &frame)) {
        return false;
    }
    if (frame.kind != OP_WELCOME) { /* It is stopping, or starting. */
        wire_cut(wire);
        return false;
    }
    ck_assert_msg(msg_welcome_decode(&welcome, frame.body, &err) == ACTA_OK,
                  "%s", err.text);
    uuid_format(welcome.server_id.bytes, wire->life);
    return true;
}

bool
wire_try(struct wire *wire)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)wire->port),
    };
    int yes = 1;

    wire_cut(wire);
    require(inet_pton(AF_INET, wire->address, &address.sin_addr) == 1);
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(wire->fd >= 0);
    if (connect(wire->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        wire_cut(wire);
        return false;
    }
    require(setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) ==
            0);
    return greet(wire);
}

void
wire_connect(struct wire *wire)
{
    uint64_t end = notes_time_us() + wire_patience_us();

    while (!wire_try(wire)) {
        ck_assert_msg(notes_time_us() < end, "actad cannot be reached");
        nap_us(TRY_AGAIN_US);
    }
}

/* ---- questions ---- */

bool
wire_ask(struct wire *wire, uint64_t request_id, struct frame *frame)
{
    if (!wire_send(wire)) {
        return false;
    }
    for (;;) {
        switch (wire_next(wire, frame, (unsigned)patience_ms())) {
        case WIRE_GONE:
            return false;
        case WIRE_NOTHING:
            ck_abort_msg("no answer");
        case WIRE_FRAME:
            if (frame->request_id == request_id) {
                return true;
            }
        }
    }
}

enum acta_code
wire_call(struct wire *wire, uint64_t request_id, uint8_t kind,
          struct frame *frame, struct msg_error *error)
{
    struct msg_error unwanted;
    struct acta_err err;

    if (error == NULL) {
        error = &unwanted;
    }
    if (!wire_ask(wire, request_id, frame)) {
        return ACTA_UNKNOWN;
    }
    if (frame->kind == kind) {
        return ACTA_OK;
    }
    ck_assert_msg(frame->kind == OP_ERROR, "got %s, not %s",
                  opcode_text(frame->kind), opcode_text(kind));
    ck_assert_msg(msg_error_decode(error, frame->body, &err) == ACTA_OK, "%s",
                  err.text);
    return error->code;
}

struct frame
wire_must(struct wire *wire, uint64_t request_id, uint8_t kind)
{
    struct msg_error error = {.text = SLICE_NONE};
    struct frame frame;
    enum acta_code code = wire_call(wire, request_id, kind, &frame, &error);

    ck_assert_msg(code == ACTA_OK, "%s instead of %s: %s", acta_code_name(code),
                  opcode_text(kind), wire_text(error.text));
    return frame;
}

/* ---- events ---- */

void
wire_put_event(struct buf *buf, const char *type, const char *tag,
               const char *data)
{
    struct slice tags[1];
    uint8_t id[UUID_SIZE];
    struct event event = {
        .type = slice_of(type),
        .id = id,
        .data = slice_of(data),
    };

    require(getrandom(id, sizeof(id), 0) == (ssize_t)sizeof(id));
    if (tag != NULL) {
        tags[0] = slice_of(tag);
    }
    event_encode_content(buf, &event, tags, tag != NULL);
}

enum acta_code
wire_append(struct wire *wire, const char *stream, const char *type,
            const char *tag, const char *data)
{
    uint64_t request_id = wire_request(wire);
    size_t start = msg_append_begin(&wire->out, request_id, 1);
    struct frame frame;

    msg_append_write(&wire->out, slice_of(stream), MSG_EXPECT_ANY, 1);
    wire_put_event(&wire->out, type, tag, data);
    msg_append_end(&wire->out, start, NULL);
    return wire_call(wire, request_id, OP_APPENDED, &frame, NULL);
}

struct msg_consumer_changed
wire_change_consumer(struct wire *wire,
                     const struct msg_change_consumer *change)
{
    uint64_t request_id = wire_request(wire);
    struct msg_consumer_changed changed;
    struct acta_err err;
    struct frame frame;

    msg_change_consumer_encode(&wire->out, request_id, change);
    frame = wire_must(wire, request_id, OP_CONSUMER_CHANGED);
    require(msg_consumer_changed_decode(&changed, frame.body, &err) == ACTA_OK);
    return changed;
}

void
wire_create_group(struct wire *wire, const char *group, const char *type,
                  uint64_t ack_timeout_us)
{
    struct slice types = slice_of(type);
    struct query_item item = {
        .fields = {[QUERY_TYPES] = {.texts = &types, .count = 1}},
    };
    struct msg_change_consumer change = {
        .name = slice_of(group),
        .kind = MSG_CONSUMER_CREATE,
        .query = {&item, 1, NULL},
        .settings = {.ack_timeout_us = ack_timeout_us},
        .given = MSG_HAS_ACK_TIMEOUT,
    };

    (void)wire_change_consumer(wire, &change);
}

uint64_t
wire_join(struct wire *wire, const char *group, uint64_t slots)
{
    struct msg_join join = {.group = slice_of(group), .slots = slots};
    uint64_t request_id = wire_request(wire);

    msg_join_encode(&wire->out, request_id, &join);
    (void)wire_must(wire, request_id, OP_JOINED);
    return request_id;
}

uint64_t
wire_head(struct wire *wire)
{
    uint64_t request_id = wire_request(wire);
    struct acta_err err;
    struct frame frame;
    uint64_t head = 0;

    msg_empty_encode(&wire->out, OP_PING, request_id);
    frame = wire_must(wire, request_id, OP_PONG);
    require(msg_number_decode(&head, OP_PONG, frame.body, &err) == ACTA_OK);
    return head;
}

uint64_t
wire_status(struct wire *wire, const char *name)
{
    uint64_t request_id = wire_request(wire);
    struct slice entries;
    struct acta_err err;
    struct frame frame;
    size_t count;

    msg_empty_encode(&wire->out, OP_STATUS, request_id);
    frame = wire_must(wire, request_id, OP_STATUS_REPLY);
    require(msg_status_decode(&entries, &count, frame.body, &err) == ACTA_OK);
    while (count-- > 0) {
        struct msg_status_entry entry = msg_next_status(&entries);

        if (slice_equal(entry.name, slice_of(name))) {
            return entry.number;
        }
    }
    ck_abort_msg("status has no %s", name);
}

void
wire_read_all(struct wire *wire,
              void (*take)(void *user, const struct event *event), void *user)
{
    struct msg_read_all read = {.query = QUERY_ALL};
    struct msg_page page = {.at_end = false};

    while (!page.at_end) {
        uint64_t request_id = wire_request(wire);
        struct acta_err err;
        struct frame frame;

        msg_read_all_encode(&wire->out, request_id, &read);
        frame = wire_must(wire, request_id, OP_PAGE);
        require(msg_page_decode(&page, frame.body, &err) == ACTA_OK);
        for (size_t i = 0; i < page.events_count; i++) {
            struct event event;

            require(msg_next_event(&page.events, &event, &err) == ACTA_OK);
            take(user, &event);
        }
        require(msg_events_end(page.events, page.fields_left, &err) == ACTA_OK);
        read.from = page.next;
    }
}

const char *
wire_text(struct slice slice)
{
    static _Thread_local char text[TEXT_SIZE];

    snprintf(text, sizeof(text), "%.*s", (int)slice.size,
             slice.size > 0 ? (const char *)slice.data : "");
    return text;
}
