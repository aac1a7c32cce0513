#include "wire.h"

#include "msg.h"
#include "opcode.h"

#define SIZE_RECEIVED 4096

static void
greet(struct wire *wire)
{
    struct msg_hello hello = {1, 1, slice_of("test"), slice_of("")};

    msg_hello_encode(&wire->peer.out, 1, &hello);
    wire_send(wire);
    wire_expect(wire, OP_WELCOME, 1);
}

void
wire_open(struct wire *wire)
{
    *wire = (struct wire){.near = (struct near *)place.memory};
    if (wire->near == NULL) {
        peer_connect(&wire->peer, place.rig.port);
    } else {
        buf_init(&wire->peer.in, (size_t)1 << 30);
        buf_init(&wire->peer.out, (size_t)1 << 30);
        wire->peer.fd = wire->near->connect(wire->near);
        ck_assert_int_ge(wire->peer.fd, 0);
    }
    greet(wire);
}

void
wire_close(struct wire *wire)
{
    if (wire->near == NULL) {
        peer_close(&wire->peer);
        return;
    }
    wire->near->close(wire->near, wire->peer.fd);
    buf_fini(&wire->peer.in);
    buf_fini(&wire->peer.out);
}

void
wire_send(struct wire *wire)
{
    struct slice bytes = buf_slice(&wire->peer.out);

    if (wire->near == NULL) {
        peer_send(&wire->peer);
        return;
    }
    ck_assert_int_eq(
        wire->near->send(wire->near, wire->peer.fd, bytes.data, bytes.size),
        (ssize_t)bytes.size);
    buf_clear(&wire->peer.out);
}

/* All that there is now. */
static void
receive(struct wire *wire)
{
    ssize_t got;

    do {
        uint8_t *room = buf_reserve(&wire->peer.in, SIZE_RECEIVED);

        ck_assert_ptr_nonnull(room);
        got =
            wire->near->receive(wire->near, wire->peer.fd, room, SIZE_RECEIVED);
        buf_advance(&wire->peer.in, got > 0 ? (size_t)got : 0);
    } while (got > 0);
}

struct frame
wire_expect(struct wire *wire, uint8_t kind, uint64_t request_id)
{
    struct acta_err err;
    struct frame frame;
    size_t used;

    if (wire->near == NULL) {
        return peer_expect(&wire->peer, kind, request_id);
    }
    receive(wire);
    ck_assert_int_eq(frame_decode(&frame, &used, buf_slice(&wire->peer.in),
                                  ACTA_FRAME_SIZE_MAX, &err),
                     ACTA_OK);
    ck_assert_msg(used > 0, "silence, instead of kind 0x%02x", kind);
    buf_consume(&wire->peer.in, used);
    ck_assert_uint_eq(frame.kind, kind);
    ck_assert_uint_eq(frame.request_id, request_id);
    return frame;
}

void
wire_expect_error(struct wire *wire, uint64_t request_id, enum acta_code code)
{
    struct frame frame = wire_expect(wire, OP_ERROR, request_id);
    struct msg_error error;
    struct acta_err err;

    ck_assert_int_eq(msg_error_decode(&error, frame.body, &err), ACTA_OK);
    ck_assert_int_eq(error.code, code);
}
