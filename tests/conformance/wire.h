/* A client that sends what frames it likes to the case's place, and is told
 * what the library would keep to itself. Whatever fails, fails the test.
 */

#ifndef ACTA_TEST_WIRE_H
#define ACTA_TEST_WIRE_H

#include "near.h"
#include "place.h"

struct wire {
    struct peer peer;  /* What is written to its out is sent by wire_send(). */
    struct near *near; /* Where it is if that is in memory, else NULL. */
};

/* Connect, and say hello with request id 1. */
void wire_open(struct wire *wire);
void wire_close(struct wire *wire);

/* Send what stands in peer.out. */
void wire_send(struct wire *wire);

/* Take the next frame, which must be of this kind and for this request. It is
 * valid until the next call. In memory it must be there already.
 */
struct frame wire_expect(struct wire *wire, uint8_t kind, uint64_t request_id);

/* Take an error. */
void wire_expect_error(struct wire *wire, uint64_t request_id,
                       enum acta_code code);

#endif
