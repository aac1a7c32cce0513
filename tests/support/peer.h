/* The other side of libacta's core: a server that says what a test wants, over
 * no socket, at a time that the test sets.
 *
 * Frames that the client wants to send are taken one by one; answers are
 * collected with the encoders of proto/msg.h in peer.answer, and said.
 */

#ifndef ACTA_TEST_PEER_H
#define ACTA_TEST_PEER_H

#include <acta/acta.h>

#include "client.h"
#include "frame.h"
#include "msg.h"

struct peer {
    struct acta_client *client;
    struct msg_welcome welcome; /* What it will say; set by peer_open(). */
    struct buf taken;           /* What the client has written. */
    size_t taken_used;          /* Of it, by peer_take(). */
    struct buf answer;          /* What is to be said. */
    struct acta_err err;        /* Of the last peer_say(). */
};

/* What the client takes for the time. */
extern uint64_t peer_now_ms;

/* A client with these options (NULL: the defaults), not connected. */
void peer_open(struct peer *peer, const struct acta_options *options);

/* Close the client too, unless it is NULL by now. */
void peer_close(struct peer *peer);

/* Connect, take hello and say welcome. */
void peer_connect(struct peer *peer);

/* The connection breaks. */
void peer_lose(struct peer *peer);

/* Take the next frame. False: there is none. It is valid until the next call
 * of any of these.
 */
bool peer_take(struct peer *peer, struct frame *frame);

/* Take the next frame, which must be of this kind. Returns its id. */
uint64_t peer_expect(struct peer *peer, enum opcode kind);

/* The client must have nothing to send. */
void peer_expect_silence(struct peer *peer);

/* Say what is in peer.answer, in pieces of @step bytes, and clear it. A
 * failure of the core breaks the connection, and is left in peer.err.
 */
enum acta_code peer_say_in_steps(struct peer *peer, size_t step);
enum acta_code peer_say(struct peer *peer);

/* Let time pass, and the core do what is due. */
enum acta_code peer_wait(struct peer *peer, uint64_t ms);

/* ---- answers ---- */

void peer_pong(struct peer *peer, uint64_t id, uint64_t head);
void peer_error(struct peer *peer, uint64_t id, enum acta_code code,
                const char *text);
void peer_appended(struct peer *peer, uint64_t id, uint64_t version,
                   uint64_t position, uint64_t count);

/* An event of @position in stream "s-1", of type "T", with data "event
 * POSITION". */
void peer_record(struct buf *buf, uint64_t position);
void peer_record_in(struct buf *buf, uint64_t position, const char *stream);

/* The events of positions @first to @last: a page, or a delivery. */
void peer_page(struct peer *peer, uint64_t id, uint64_t first, uint64_t last,
               bool at_end);
void peer_delivery(struct peer *peer, uint64_t id, uint64_t first,
                   uint64_t last, uint64_t head);

#endif
