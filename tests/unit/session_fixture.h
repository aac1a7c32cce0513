/* A session in front of a database that commits when the test says so, and the
 * words in which tests talk with it: what the client says goes to @in, what the
 * server answers is taken off @out.
 */

#ifndef ACTA_TEST_SESSION_FIXTURE_H
#define ACTA_TEST_SESSION_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "counters.h"
#include "err.h"
#include "frame.h"
#include "msg.h"
#include "outbox.h"
#include "session.h"

extern struct outbox outbox;
extern struct counters counters;
extern struct session_host host;
extern struct session session;
extern struct buf in;  /* What the client sends next. */
extern struct buf out; /* What the server has sent. */
extern struct acta_err err;

/* Before and after each test. */
void session_setup(void);
void session_teardown(void);

/* Let the session have what was written to in; what it leaves stays there. */
void feed(void);

/* What an I/O thread does at the end of a turn, and the database after it. */
void commit(void);

/* All turns that there are to give. */
void pump(void);

/* ---- what the client says ---- */

void say_hello(void);
void say_append_of(uint64_t id, const char *stream, int64_t expected,
                   size_t events, size_t size);
void say_append(uint64_t id, const char *stream, int64_t expected);
void say_read_all(uint64_t id);
void say_subscribe(uint64_t id, uint64_t after, uint64_t credit);

/* ---- what the server answers ---- */

/* The next frame; its body stays until more is written to out. */
struct frame next_frame(void);

struct frame expect(uint8_t kind, uint64_t id);
void expect_nothing(void);
struct msg_error expect_error(uint64_t id, enum acta_code code);
void expect_delivery(uint64_t id, size_t events, uint64_t position);

/* ---- both ---- */

/* Say hello, and take the welcome. */
void greet(void);

/* Append @count events of type "T" with a KiB each to "order-1", and take the
 * answer.
 */
void store(size_t count);

#endif
