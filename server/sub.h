/* One subscription, without I/O: from a position through history to the head,
 * and from there on live. It may be of a named consumer: then it lasts as long
 * as the epoch that the consumer is in.
 *
 * It is sent what its credit allows: deliveries while credit is above 0, each
 * of which may go over it by one event, since an event is not split. What goes
 * over counts against credit that comes later. Without credit nothing at all
 * is sent or kept for it. One thread.
 */

#ifndef ACTA_SUB_H
#define ACTA_SUB_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "msg.h"
#include "named.h"
#include "query.h"
#include "reader.h"

struct sub {
    struct sub *bucket_next; /* Of the set it is in, see sub_set.h. */
    struct sub *prev;
    struct sub *next;
    struct sub *ready_next;
    bool is_ready;

    uint64_t request_id;
    size_t size;          /* Memory that it holds, with that of its query. */
    struct query query;   /* owned */
    uint64_t position;    /* All up to here was delivered or did not match. */
    uint64_t told;        /* The position that the client knows. */
    int64_t credit;       /* Bytes of records. */
    bool caught_up;       /* What the client was told last. */
    uint64_t behind_size; /* Bytes delivered since it was at the end. */

    uint64_t epoch;
    struct named *named;   /* Where it is counted, if it has a name. */
    struct slice consumer; /* The name, in what follows; or empty. */
    uint8_t name[];
};

/* Take over the query of @subscribe, which is QUERY_ALL afterwards. If it has a
 * name, it is counted in @named until it is freed. NULL if there is no memory.
 */
struct sub *sub_new(uint64_t request_id, struct msg_subscribe *subscribe,
                    struct named *named);

/* Free @sub, which may be NULL. */
void sub_free(struct sub *sub);

void sub_add_credit(struct sub *sub, uint64_t credit);

/* Look whether the consumer is as it was when the subscription was asked for.
 * It need not have one.
 *
 * NOT_FOUND  There is no consumer of this name.
 * FENCED     It is in another epoch.
 */
enum acta_code sub_check(const struct sub *sub, struct reader *reader,
                         struct acta_err *err) ACTA_CHECKED;

enum sub_next {
    SUB_GO_ON, /* There is more. */
    SUB_WAIT,  /* For a commit. */
    SUB_NO_CREDIT,
    SUB_FAILED,
};

/* One piece of work: read up to @step, and write what came of it to @out. Who
 * has caught up is sent what is up to step->last, if that is not 0, and waits
 * for more; who has not goes on to the head. The subscriber is told that it has
 * caught up when it reaches the head; and that it fell behind when it has been
 * sent more than any one append can hold (ACTA_APPEND_SIZE_MAX), or has more
 * events before it than that (ACTA_APPEND_EVENTS_MAX), and still is not there:
 * so a large append does not make it flap.
 *
 * SUB_FAILED: @err says why; nothing was written.
 */
enum sub_next sub_step(struct sub *sub, struct reader *reader,
                       const struct read_bounds *step, struct buf *out,
                       struct acta_err *err);

/* Tell a position that has moved over events that did not match, in a delivery
 * without events: once a second or more often. It costs no credit, but is not
 * sent to who has none.
 */
void sub_tell_position(struct sub *sub, uint64_t head, struct buf *out);

/* Tell that it is over, and from where to resume. */
void sub_tell_end(const struct sub *sub, enum acta_code code, const char *text,
                  struct buf *out);

#endif
