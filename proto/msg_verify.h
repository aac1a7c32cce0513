/* verify and verified: whether what the server has on its disk is whole.
 *
 * A verification goes on while a request of it waits for its answer, and rests
 * in between: so it ends by itself when nobody asks any more.
 */

#ifndef ACTA_MSG_VERIFY_H
#define ACTA_MSG_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"

struct msg_verify {
    uint64_t id;   /* Of the one to go on with; 0: begin. */
    uint64_t rate; /* Bytes a second that may be read, at most; 0: as many as
                      the server thinks right. */
};

struct msg_problem {
    struct slice file; /* The server's path of it. */
    struct slice text; /* What is wrong, and where in the file. */
};

#define MSG_PROBLEMS_MAX 100 /* In one answer. */

struct msg_verified {
    uint64_t id;             /* To go on with. */
    bool is_done;            /* It has come to the end. */
    uint64_t read;           /* Bytes, so far, */
    uint64_t size;           /* of about so many. */
    uint64_t problems_found; /* So far. 0 at the end: all is whole. */

    /* What was looked at so far, of the store, */
    uint64_t head;
    uint64_t pages;
    bool has_tables;
    uint64_t events;
    uint64_t streams;
    uint64_t lists;
    uint64_t ids;
    uint64_t rows;

    /* and of the journal. */
    uint64_t segments;
    uint64_t entries;
    uint64_t first_entry;
    uint64_t last_entry;

    /* What was found since the answer before. */
    size_t problems_count;
    struct msg_problem problems[MSG_PROBLEMS_MAX];
};

void msg_verify_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_verify *verify);
enum acta_code msg_verify_decode(struct msg_verify *verify, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;

void msg_verified_encode(struct buf *buf, uint64_t request_id,
                         const struct msg_verified *verified);
enum acta_code msg_verified_decode(struct msg_verified *verified,
                                   struct slice body,
                                   struct acta_err *err) ACTA_CHECKED;

#endif
