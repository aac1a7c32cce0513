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
#include <acta/acta_backup.h>
#include <acta/acta_consumer.h>
#include <acta/acta_lease.h>
#include <acta/acta_schedule.h>
#include <acta/acta_snapshot.h>
#include <acta/acta_verify.h>

#include "buf.h"
#include "msg.h"
#include "msg_group.h"
#include "msg_lease.h"
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
    struct acta_consumer_changed consumer_changed;
    struct acta_consumers consumers;
    struct acta_consumer_description described; /* Of the next. */
    struct acta_consumer consumer;
    struct acta_parked_page parked;
    struct acta_leases leases;
    struct acta_schedules schedules;
    struct acta_loaded loaded; /* Its page is the one above. */
    struct acta_snapshot snapshot;
    struct acta_verification verification;
    struct acta_backup_begun backup_begun;
    struct acta_backup_chunk backup_chunk;
    struct msg_lease_changed lease;
    struct msg_settled settled; /* Borrows from the bytes that were read. */
    struct msg_handed handed;   /* Its events are those of the view, */
    struct slice counts;        /* its counts for msg_next_count(): */
    size_t counts_count;

    /* Memory behind these. */
    struct buf bytes; /* owned */
    struct view view;
    void *list; /* owned: an array of pointers, then what they point to */
    void *more; /* owned: what the elements of the list point to besides texts
                   in the bytes */
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

/* ---- for answer_....c: the bytes read are @base, at @body ---- */

/* A list in one piece of memory: @count pointers, then as many elements of
 * @size bytes, which they point to; it is answer->list. NULL if there is no
 * memory.
 */
void *answer_make_list(struct answer *answer, size_t count, size_t size);

/* The @count events of a page, a delivery or the like, which @events holds.
 * *@used is how many bytes they take. What is behind them is not looked at.
 */
enum acta_code answer_read_events(struct answer *answer, uint8_t *body,
                                  struct slice base, struct slice events,
                                  size_t count, size_t *used,
                                  struct acta_err *err) ACTA_CHECKED;

/* A text that may be the last thing in the bytes is ended within its own: it
 * moves over its head, which is one byte at least and has been read.
 */
const char *answer_terminate(uint8_t *body, struct slice base,
                             struct slice text);

/* Each reads one kind of reply. */
enum acta_code answer_read_consumers(struct answer *answer, uint8_t *body,
                                     struct slice base,
                                     struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_described(struct answer *answer, uint8_t *body,
                                     struct slice base,
                                     struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_parked(struct answer *answer, uint8_t *body,
                                  struct slice base,
                                  struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_leases(struct answer *answer, uint8_t *body,
                                  struct slice base,
                                  struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_schedules(struct answer *answer, uint8_t *body,
                                     struct slice base,
                                     struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_verified(struct answer *answer, uint8_t *body,
                                    struct slice base,
                                    struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_loaded(struct answer *answer, uint8_t *body,
                                  struct slice base,
                                  struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_backup_begun(struct answer *answer, uint8_t *body,
                                        struct slice base,
                                        struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_backup_chunk(struct answer *answer,
                                        struct slice base,
                                        struct acta_err *err) ACTA_CHECKED;
enum acta_code answer_read_handed(struct answer *answer, uint8_t *body,
                                  struct slice base,
                                  struct acta_err *err) ACTA_CHECKED;

#endif
