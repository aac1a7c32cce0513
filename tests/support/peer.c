#include "peer.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>

#include "limit.h"

#define SIZE_MAX_OF_TEST ((size_t)256 << 20)

uint64_t peer_now_ms;

static uint64_t
now(void)
{
    return peer_now_ms;
}

/* There is no loop: the test is it. */
static void
watch_nothing(void *data, int fd, unsigned events)
{
    (void)data;
    (void)fd;
    (void)events;
}

static void
time_nothing(void *data, uint64_t delay_ms)
{
    (void)data;
    (void)delay_ms;
}

void
peer_open(struct peer *peer, const struct acta_options *options)
{
    struct acta_options defaults = acta_options_of("acta://127.0.0.1:1");
    struct acta_loop loop = {
        .size = sizeof(loop),
        .watch = watch_nothing,
        .timer = time_nothing,
    };

    peer_now_ms = 1000000;
    *peer = (struct peer){.welcome = {
                              .protocol = PROTOCOL_VERSION,
                              .server_version = slice_of("1.2.3"),
                              .database = slice_of("main"),
                              .limits = msg_limits_default,
                          }};
    memset(peer->welcome.database_id.bytes, 7, UUID_SIZE);
    buf_init(&peer->taken, SIZE_MAX_OF_TEST);
    buf_init(&peer->answer, SIZE_MAX_OF_TEST);
    ck_assert_int_eq(client_new(&peer->client,
                                options == NULL ? &defaults : options, &loop,
                                now, &peer->err),
                     ACTA_OK);
}

void
peer_close(struct peer *peer)
{
    acta_close(peer->client);
    buf_fini(&peer->taken);
    buf_fini(&peer->answer);
}

void
peer_connect(struct peer *peer)
{
    uint64_t id;

    client_enter(peer->client);
    core_connected(&peer->client->core, peer_now_ms);
    client_leave(peer->client, peer_now_ms);
    id = peer_expect(peer, OP_HELLO);
    msg_welcome_encode(&peer->answer, id, &peer->welcome);
    ck_assert_int_eq(peer_say(peer), ACTA_OK);
}

/* A callback may have closed @client: then it is the test's no more. */
static void
lose(struct peer *peer, struct acta_client *client, const struct acta_err *why)
{
    core_lost(&client->core, why, peer_now_ms);
    buf_clear(&peer->taken);
    peer->taken_used = 0;
}

void
peer_lose(struct peer *peer)
{
    struct acta_client *client = peer->client;
    struct acta_err why;

    acta_fail(&why, ACTA_UNREACHABLE, "the peer hung up");
    client_enter(client);
    lose(peer, client, &why);
    client_leave(client, peer_now_ms);
}

bool
peer_take(struct peer *peer, struct frame *frame)
{
    struct core *core = &peer->client->core;
    struct slice bytes;
    size_t used;

    while (core_output(core).size > 0) {
        struct slice out = core_output(core);

        buf_append_slice(&peer->taken, out);
        core_written(core, out.size, peer_now_ms);
    }
    bytes = buf_slice(&peer->taken);
    if (bytes.size == peer->taken_used) {
        return false;
    }
    bytes.data += peer->taken_used;
    bytes.size -= peer->taken_used;
    ck_assert_int_eq(
        frame_decode(frame, &used, bytes, ACTA_FRAME_SIZE_MAX, NULL), ACTA_OK);
    ck_assert_uint_gt(used, 0);
    peer->taken_used += used;
    return true;
}

uint64_t
peer_expect(struct peer *peer, enum opcode kind)
{
    struct frame frame;

    ck_assert_msg(peer_take(peer, &frame), "the client sends nothing");
    ck_assert_msg(frame.kind == kind, "the client sends %s, not %s",
                  opcode_text(frame.kind), opcode_text(kind));
    return frame.request_id;
}

void
peer_expect_silence(struct peer *peer)
{
    struct frame frame;

    ck_assert_msg(!peer_take(peer, &frame), "the client sends %s",
                  opcode_text(frame.kind));
}

enum acta_code
peer_say_in_steps(struct peer *peer, size_t step)
{
    struct acta_client *client = peer->client;
    struct slice left = buf_slice(&peer->answer);
    enum acta_code code = ACTA_OK;

    /* Not asserted: Check allocates for each assertion, and a test may count
     * allocations, or make them fail.
     */
    if (buf_failed(&peer->answer)) {
        ck_abort_msg("the peer has no memory for its answer");
    }
    client_enter(client);
    while (left.size > 0 && code == ACTA_OK && !client->closed) {
        size_t size = left.size < step ? left.size : step;
        size_t room_size;
        uint8_t *room = core_room(&client->core, &room_size);

        if (room == NULL) {
            code = acta_fail(&peer->err, ACTA_MEMORY, "no room");
            break;
        }
        size = size < room_size ? size : room_size;
        memcpy(room, left.data, size);
        code = core_received(&client->core, size, peer_now_ms, &peer->err);
        left.data += size;
        left.size -= size;
    }
    buf_clear(&peer->answer);
    if (code == ACTA_OK && core_is_broken(&client->core)) {
        code = acta_fail(&peer->err, ACTA_MEMORY, "no output");
    }
    if (code != ACTA_OK) {
        lose(peer, client, &peer->err);
    }
    client_leave(client, peer_now_ms);
    return code;
}

enum acta_code
peer_say(struct peer *peer)
{
    return peer_say_in_steps(peer, SIZE_MAX_OF_TEST);
}

enum acta_code
peer_wait(struct peer *peer, uint64_t ms)
{
    struct acta_client *client = peer->client;
    enum acta_code code;

    peer_now_ms += ms;
    client_enter(client);
    code = core_tick(&client->core, peer_now_ms, &peer->err);
    if (code != ACTA_OK) {
        lose(peer, client, &peer->err);
    }
    client_leave(client, peer_now_ms);
    return code;
}

void
peer_pong(struct peer *peer, uint64_t id, uint64_t head)
{
    msg_number_encode(&peer->answer, OP_PONG, id, head);
}

void
peer_error(struct peer *peer, uint64_t id, enum acta_code code,
           const char *text)
{
    struct msg_error error = {.code = code, .text = slice_of(text)};

    msg_error_encode(&peer->answer, id, &error);
}

void
peer_appended(struct peer *peer, uint64_t id, uint64_t version,
              uint64_t position, uint64_t count)
{
    size_t start = msg_appended_begin(&peer->answer, id, false, 1);
    struct msg_run run = {
        .first_version = version,
        .first_position = position,
        .count = count,
    };

    msg_appended_run(&peer->answer, &run);
    msg_appended_end(&peer->answer, start, 0);
}

void
peer_record_in(struct buf *buf, uint64_t position, const char *stream)
{
    uint8_t id[UUID_SIZE] = {0};
    struct event event = {
        .position = position,
        .version = position,
        .time_us = position * 1000,
        .stream = slice_of(stream),
        .type = slice_of("T"),
        .id = id,
    };
    struct buf content;
    char data[32];

    snprintf(data, sizeof(data), "event %" PRIu64, position);
    memcpy(id, &position, sizeof(position));
    event.data = slice_of(data);
    buf_init(&content, ACTA_FRAME_SIZE_MAX);
    event_encode_content(&content, &event, NULL, 0);
    ck_assert(!buf_failed(&content));
    /* The record has the eight without their array's head of one byte. */
    event.content = buf_slice(&content);
    event.content.data++;
    event.content.size--;
    ck_assert_ptr_nonnull(buf_reserve(buf, event_record_size(&event)));
    event_write_record(buf_reserve(buf, event_record_size(&event)), &event);
    buf_advance(buf, event_record_size(&event));
    buf_fini(&content);
}

void
peer_record(struct buf *buf, uint64_t position)
{
    peer_record_in(buf, position, "s-1");
}

static size_t
records(struct buf *buf, uint64_t first, uint64_t last)
{
    for (uint64_t position = first; position <= last; position++) {
        peer_record(buf, position);
    }
    return first <= last ? last - first + 1 : 0;
}

void
peer_page(struct peer *peer, uint64_t id, uint64_t first, uint64_t last,
          bool at_end)
{
    struct msg_open open = msg_page_begin(&peer->answer, id);
    struct msg_page page = {
        .events_count = records(&peer->answer, first, last),
        .next = last,
        .at_end = at_end,
        .head = last,
        .version = last,
    };

    msg_page_end(&peer->answer, open, &page);
}

void
peer_delivery(struct peer *peer, uint64_t id, uint64_t first, uint64_t last,
              uint64_t head)
{
    struct msg_open open = msg_delivery_begin(&peer->answer, id);
    struct msg_delivery delivery = {
        .events_count = records(&peer->answer, first, last),
        .position = last,
        .head = head,
    };

    msg_delivery_end(&peer->answer, open, &delivery);
}
