/* Replies made readable: a frame's body becomes the struct that the public
 * header shows.
 *
 * One thread at a time. An answer that is all zero is empty. What is in it
 * points into its own memory and into the bytes that were read, and is valid
 * until it reads again.
 */

#ifndef ACTA_CLIENT_ANSWER_H
#define ACTA_CLIENT_ANSWER_H

#include <acta/acta.h>

#include "buf.h"
#include "msg.h"
#include "view.h"

struct answer {
    bool keeps; /* Set by the owner: read from a copy of the bytes, so that what
                   was read outlives them. */

    /* What was read last; which of them counts follows from its kind. */
    uint64_t number;
    struct acta_page page;
    struct acta_appended appended;
    struct acta_status status;
    struct acta_changed changed;
    struct acta_streams streams;
    struct acta_description description; /* Its stream is the one below. */
    struct acta_stream stream;
    struct acta_names names;
    struct acta_batch batch;
    size_t batch_size; /* Bytes of its records: what credit is counted in. */

    /* Memory behind these. */
    struct buf bytes; /* owned */
    struct view view;
    void *list; /* owned: an array of pointers, then what they point to */
    struct msg_error error;
    struct acta_unseen unseen;
    struct acta_failure failures[MSG_FAILURES_MAX];
    const struct acta_failure *failure_pointers[MSG_FAILURES_MAX];
};

void answer_fini(struct answer *answer);

/* Read the reply of @kind in the @size bytes at @body, which are changed. An
 * error reply sets what it says of an append; its code and text go to
 * @refusal.
 *
 * PROTOCOL: this is no such reply. MEMORY.
 */
enum acta_code answer_read(struct answer *answer, uint8_t kind, uint8_t *body,
                           size_t size, struct acta_err *refusal,
                           struct acta_err *err) ACTA_CHECKED;

/* Make it the answer to a request that failed without a reply. */
void answer_clear(struct answer *answer);

#endif
