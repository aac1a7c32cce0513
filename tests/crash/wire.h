/* A connection to actad that does what a test says and nothing by itself: it
 * speaks frames, so that a client can be rude in ways that no library allows,
 * and dies with the server.
 *
 * That the server is gone is an answer. What breaks the protocol fails the
 * test, and so does a server that is silent for wire_patience_us(). One thread
 * at a time.
 */

#ifndef ACTA_TEST_WIRE_H
#define ACTA_TEST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "daemon.h"
#include "event.h"
#include "frame.h"
#include "msg.h"
#include "msg_consumer.h"
#include "slice.h"

struct wire {
    int fd; /* -1: there is no connection. */
    char address[32];
    unsigned port;
    struct buf in;
    struct buf out; /* For encoders: wire_send() sends it. */
    uint64_t last_request;
    char life[40]; /* Of the server: a text that no other start of it has. */
};

/* How long a test waits for what will come, before it says that it does not: a
 * minute, or ACTA_TEST_PATIENCE_S in the environment, for those that wait in
 * vain on purpose.
 */
uint64_t wire_patience_us(void);

/* For a server that has been started, and may be down by now. */
void wire_init(struct wire *wire, const struct daemon *daemon);
void wire_fini(struct wire *wire);

/* Connect and say hello. False if nobody answers. */
bool wire_try(struct wire *wire);

/* The same, until it succeeds. */
void wire_connect(struct wire *wire);

/* Cut the connection, if there is one, and forget what was to be sent. */
void wire_cut(struct wire *wire);

/* A request id that this connection has not had. */
uint64_t wire_request(struct wire *wire);

/* Send what stands in out. False if the connection is gone. */
bool wire_send(struct wire *wire);

enum wire_got {
    WIRE_FRAME,
    WIRE_NOTHING, /* Nothing came in time. */
    WIRE_GONE,
};

/* The next frame, valid until the next call. */
enum wire_got wire_next(struct wire *wire, struct frame *frame,
                        unsigned wait_ms);

/* Send, and wait for the answer to @request_id; other frames are dropped. False
 * if the connection was lost before it came.
 */
bool wire_ask(struct wire *wire, uint64_t request_id, struct frame *frame);

/* The same for a request that has an answer of @kind or an error: the code, or
 * UNKNOWN if the connection was lost. @error may be NULL; it borrows from the
 * frame.
 */
enum acta_code wire_call(struct wire *wire, uint64_t request_id, uint8_t kind,
                         struct frame *frame, struct msg_error *error);

/* For a server that stays up: any code but OK fails the test. */
struct frame wire_must(struct wire *wire, uint64_t request_id, uint8_t kind);

/* Write a new event to @buf: its id is random, its data are text. */
void wire_put_event(struct buf *buf, const char *type, const char *tag,
                    const char *data);

/* Append one event of @type and @data to @stream, whatever its version. */
enum acta_code wire_append(struct wire *wire, const char *stream,
                           const char *type, const char *tag, const char *data);

/* Change a consumer. The server must be up, here and in what follows. */
struct msg_consumer_changed
wire_change_consumer(struct wire *wire,
                     const struct msg_change_consumer *change);

/* Make a group for events of @type: one that is not answered in
 * @ack_timeout_us is handed out again.
 */
void wire_create_group(struct wire *wire, const char *group, const char *type,
                       uint64_t ack_timeout_us);

/* Join a group: returns the id of the membership. */
uint64_t wire_join(struct wire *wire, const char *group, uint64_t slots);

/* The database's head. */
uint64_t wire_head(struct wire *wire);

/* A number of the status. */
uint64_t wire_status(struct wire *wire, const char *name);

/* Read all events in order and give each to @take. */
void wire_read_all(struct wire *wire,
                   void (*take)(void *user, const struct event *event),
                   void *user);

/* @slice as a C string, in memory that the next call of this thread
 * overwrites.
 */
const char *wire_text(struct slice slice);

#endif
