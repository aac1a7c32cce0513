/* Messages between a group and its members. As in msg.h.
 *
 * A membership is named by the request id of its join, on its connection. What
 * is handed out is the member's until it settles it, its time is over, or it
 * leaves or is cut off.
 */

#ifndef ACTA_MSG_GROUP_H
#define ACTA_MSG_GROUP_H

#include "msg.h"
#include "msg_consumer.h"

/* ---- join, joined ---- */

/* join [group, slots, member name]; joined [position, epoch, key tag, on park]
 * with the same request id, of the group's checkpoint and settings. By the last
 * two a member knows what is taken back from it together with an event that it
 * retries or parks.
 */
struct msg_join {
    struct slice group;
    uint64_t slots;      /* Events that it may have in hand, 1 to
                            ACTA_SLOTS_MAX. */
    struct slice member; /* A name for people; may be empty. */
};

struct msg_joined {
    uint64_t position;
    uint64_t epoch;
    struct slice key_tag;     /* See struct msg_group_settings. */
    enum msg_on_park on_park; /* When it joined. */
};

void msg_join_encode(struct buf *buf, uint64_t request_id,
                     const struct msg_join *join);
enum acta_code msg_join_decode(struct msg_join *join, struct slice body,
                               struct acta_err *err) ACTA_CHECKED;
void msg_joined_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_joined *joined);
enum acta_code msg_joined_decode(struct msg_joined *joined, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;

/* ---- handed ---- */

/* handed [fence, head, events, counts], with the request id of the join. Events
 * are in the order in which they are to be handled; counts are [index,
 * deliveries] of those that were handed out before, all others are handed out
 * for the first time. Fences grow: whoever has an event, or its key, later, has
 * it under a greater one; that is so for restarts of the server, too.
 */
struct msg_handed {
    uint64_t fence;
    uint64_t head;
    size_t events_count;
    struct slice events; /* As in a page: msg_next_event(). */
    size_t fields_left;  /* Behind the events: msg_handed_counts(). */
};

struct msg_count {
    uint64_t index;      /* Of the event, growing. */
    uint64_t deliveries; /* This one included: at least 2. */
};

struct msg_open msg_handed_begin(struct buf *buf, uint64_t request_id,
                                 uint64_t fence, uint64_t head);
/* Records are put in between. */
void msg_handed_end(struct buf *buf, struct msg_open open, size_t events_count,
                    const struct msg_count *counts, size_t counts_count);
/* As msg_page_decode(): what is behind the events is not checked yet. */
enum acta_code msg_handed_decode(struct msg_handed *handed, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;
/* When all events have been taken off handed->events: check what is behind
 * them. *@counts is for msg_next_count().
 */
enum acta_code msg_handed_counts(const struct msg_handed *handed,
                                 struct slice events, struct slice *counts,
                                 size_t *counts_count,
                                 struct acta_err *err) ACTA_CHECKED;
struct msg_count msg_next_count(struct slice *counts);

/* ---- settle, settled ---- */

enum msg_settle_kind {
    MSG_ACK = 0,
    MSG_ACK_UP_TO = 1, /* It, and all that was handed to this member before it
                          and is still in hand. */
    MSG_RETRY = 2,     /* After a delay. What of the same key was handed out
                          behind it is taken back, too. */
    MSG_PARK = 3,      /* With a reason. If events of its key wait then, those
                          behind it are taken back. */
    MSG_SKIP = 4,      /* It is done with, though it was not handled. */
};

/* settle [membership, [[kind, fence, position, value]...]]: value is the delay
 * in microseconds, or the reason; for others it is left out.
 */
struct msg_answer {
    enum msg_settle_kind kind;
    uint64_t fence; /* Under which the event was handed out. */
    uint64_t position;
    uint64_t delay_us;   /* MSG_RETRY, at most ACTA_RETRY_US_MAX */
    struct slice reason; /* MSG_PARK: name_is_lines(), at most
                            ACTA_TEXT_SIZE_MAX bytes; longer ones are refused
                            with all answers. */
};

struct msg_settle {
    uint64_t membership;
    struct slice answers; /* msg_next_answer() */
    size_t answers_count; /* 1 to ACTA_SETTLE_MAX */
};

size_t msg_settle_begin(struct buf *buf, uint64_t request_id,
                        uint64_t membership, size_t answers_count);
void msg_settle_answer(struct buf *buf, const struct msg_answer *answer);
void msg_settle_end(struct buf *buf, size_t start);
/* All answers are checked. */
enum acta_code msg_settle_decode(struct msg_settle *settle, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;
struct msg_answer msg_next_answer(struct slice *answers);

/* settled [settled, refused]: how many events were settled, and the indices of
 * the answers that were refused, since the event is not, or no longer, in this
 * member's hand under that fence: another may have it. What was parked is
 * durable.
 */
struct msg_settled {
    uint64_t settled;
    struct slice refused; /* msg_next_position() of msg_consumer.h */
    size_t refused_count;
};

void msg_settled_encode(struct buf *buf, uint64_t request_id, uint64_t settled,
                        const uint32_t *refused, size_t refused_count);
enum acta_code msg_settled_decode(struct msg_settled *settled,
                                  struct slice body,
                                  struct acta_err *err) ACTA_CHECKED;

/* ---- leave, left ---- */

/* leave [membership]; left [code, text]. The answer to leave has its own
 * request id and OK; what the server ends is told with that of the join, and
 * why: NOT_FOUND (the group was deleted), STOPPING, ...
 */
struct msg_left {
    enum acta_code code;
    struct slice text;
};

/* leave is msg_number_encode() and _decode() with OP_LEAVE. */
void msg_left_encode(struct buf *buf, uint64_t request_id,
                     const struct msg_left *left);
enum acta_code msg_left_decode(struct msg_left *left, struct slice body,
                               struct acta_err *err) ACTA_CHECKED;

#endif
