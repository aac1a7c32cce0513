/* Messages about named consumers: plain ones, which keep a checkpoint, and
 * groups, whose members share the events. As in msg.h.
 */

#ifndef ACTA_MSG_CONSUMER_H
#define ACTA_MSG_CONSUMER_H

#include "msg.h"

/* ---- change-consumer, consumer-changed ---- */

enum msg_consumer_kind {
    MSG_CONSUMER_PLAIN = 0,
    MSG_CONSUMER_GROUP = 1,
};

enum msg_consumer_change {
    MSG_CONSUMER_CLAIM = 0,  /* A plain one, made if it is not there: a new
                                epoch begins, that of all others is over. */
    MSG_CONSUMER_CREATE = 1, /* A group. */
    MSG_CONSUMER_ALTER = 2,  /* A group: what is given. */
    MSG_CONSUMER_DELETE = 3, /* Either, with all that is kept for it. */
    MSG_CONSUMER_PAUSE = 4,  /* A group: nothing is handed out. */
    MSG_CONSUMER_RESUME = 5,
    MSG_CONSUMER_RESET = 6, /* Either, to a position; a new epoch begins. */
    MSG_CONSUMER_NOTE = 7,  /* A plain one: a text that is kept with it until
                               the next, of the one whose epoch it is. */
};

/* What becomes of the events behind a parked one of the same key. */
enum msg_on_park {
    MSG_PARK_WAITS = 0, /* They wait, parked as well, until it is acked or
                           dropped. */
    MSG_PARK_GOES_ON = 1,
};

struct msg_group_settings {
    struct slice key_tag; /* An event's key is its first tag that begins so; of
                             one without such a tag, and if this is empty, its
                             stream. Said when it is made, and for ever. */
    uint64_t ack_timeout_us; /* An event that is not answered in time is taken
                                back. */
    uint64_t deliveries_max; /* After so many it is parked. */
    enum msg_on_park on_park;
};

#define MSG_ACK_TIMEOUT_US_DEFAULT UINT64_C(30000000)
#define MSG_ACK_TIMEOUT_US_MIN     UINT64_C(1000)
#define MSG_ACK_TIMEOUT_US_MAX     UINT64_C(86400000000)
#define MSG_DELIVERIES_MAX_DEFAULT 10

#define MSG_HAS_QUERY          1u
#define MSG_HAS_ACK_TIMEOUT    2u
#define MSG_HAS_DELIVERIES_MAX 4u
#define MSG_HAS_ON_PARK        8u

struct msg_change_consumer {
    struct slice name;
    enum msg_consumer_change kind;
    struct query query; /* owned; CLAIM, CREATE; ALTER if MSG_HAS_QUERY */
    uint64_t position;  /* Handled so far. CLAIM, if it is made by that;
                           CREATE, RESET. At most the head. */
    struct msg_group_settings settings; /* CREATE: those that are not given are
                                           the defaults; ALTER */
    unsigned given;                     /* CREATE, ALTER: MSG_HAS_... */
    uint64_t epoch;                     /* NOTE: of the claim. */
    struct slice note; /* NOTE: lines for people and tools, at most
                          ACTA_TEXT_SIZE_MAX; empty removes it. */
};

/* On the wire [name, kind, values]; values are for CLAIM [query, position], for
 * CREATE [query, position, key tag, ack time-out or nil, deliveries max or nil,
 * on park or nil], for ALTER [query or nil, ack time-out or nil, deliveries max
 * or nil, on park or nil], for RESET [position], for NOTE [epoch, note], and
 * else [].
 */
void msg_change_consumer_encode(struct buf *buf, uint64_t request_id,
                                const struct msg_change_consumer *change);
/* After OK, free the query with query_fini(). */
enum acta_code msg_change_consumer_decode(struct msg_change_consumer *change,
                                          struct slice body,
                                          struct acta_err *err) ACTA_CHECKED;

struct msg_consumer_changed {
    uint64_t position; /* Its checkpoint. */
    uint64_t epoch;
    bool changed; /* False: it was like that already. */
};

void msg_consumer_changed_encode(struct buf *buf, uint64_t request_id,
                                 const struct msg_consumer_changed *changed);
enum acta_code msg_consumer_changed_decode(struct msg_consumer_changed *changed,
                                           struct slice body,
                                           struct acta_err *err) ACTA_CHECKED;

/* ---- await ---- */

/* Wait until all up to a position was handled: until the checkpoint of a plain
 * consumer, or what is done of a group, has come to it. consumer-changed, which
 * says where it is, answers as soon as it has.
 */
struct msg_await {
    struct slice consumer;
    uint64_t position;
    uint64_t timeout_us; /* 0: only look. */
};

#define MSG_AWAIT_US_MAX UINT64_C(86400000000)

void msg_await_encode(struct buf *buf, uint64_t request_id,
                      const struct msg_await *await);
enum acta_code msg_await_decode(struct msg_await *await, struct slice body,
                                struct acta_err *err) ACTA_CHECKED;

/* ---- list-consumers, consumers; describe-consumer, consumer ---- */

/* list-consumers [prefix, after, count max] as list-streams:
 * msg_list_encode() with OP_LIST_CONSUMERS.
 */
struct msg_list {
    struct slice prefix;
    struct slice after;
    uint64_t count_max; /* 0: as many as the server gives at once. */
};

/* list-consumers, list-leases, list-schedules. */
void msg_list_encode(struct buf *buf, uint8_t kind, uint64_t request_id,
                     const struct msg_list *list);
enum acta_code msg_list_decode(struct msg_list *list, uint8_t kind,
                               struct slice body,
                               struct acta_err *err) ACTA_CHECKED;

/* What a consumer has before it. */
struct msg_lag {
    uint64_t events;   /* Behind its position, of any kind. */
    uint64_t matching; /* Of those that its query wants, not handled. */
    bool is_counted;   /* False: there are more, counting took too long. */
    uint64_t time_us;  /* Age of the oldest that is not handled; 0: none. */
};

struct msg_consumer {
    struct slice name;
    enum msg_consumer_kind kind;
    struct slice query; /* As bytes: query_decode(). */
    uint64_t position;  /* All up to here that it wants was handled (of groups:
                           acked, skipped or parked). With nothing before it,
                           the head. */
    uint64_t epoch;
    bool is_paused;
    struct msg_group_settings settings; /* A group's; else 0. */
    struct msg_lag lag;
    uint64_t head;
    uint64_t changed_us; /* When its checkpoint last moved; 0: never. */
    uint64_t connected;  /* Subscriptions; members of a group. */
    uint64_t in_hand;    /* Events that members have. */
    uint64_t delayed;    /* Events that wait to be tried again. */
    uint64_t parked;     /* Those that wait behind a parked one included. */
    struct slice note;   /* A plain one's, from MSG_CONSUMER_NOTE. */
    uint64_t note_us;    /* When it was noted; 0: there is none. */
};

/* consumers [[consumer...], at end] */
struct msg_consumers {
    struct slice consumers; /* msg_next_consumer() */
    size_t consumers_count;
    bool at_end;
};

struct msg_open msg_consumers_begin(struct buf *buf, uint64_t request_id);
void msg_consumers_add(struct buf *buf, struct msg_open *open,
                       const struct msg_consumer *consumer);
void msg_consumers_end(struct buf *buf, struct msg_open open, bool at_end);
enum acta_code msg_consumers_decode(struct msg_consumers *consumers,
                                    struct slice body,
                                    struct acta_err *err) ACTA_CHECKED;
struct msg_consumer msg_next_consumer(struct slice *consumers);

/* describe-consumer [name] */
void msg_describe_consumer_encode(struct buf *buf, uint64_t request_id,
                                  struct slice name);
enum acta_code msg_describe_consumer_decode(struct slice *name,
                                            struct slice body,
                                            struct acta_err *err) ACTA_CHECKED;

struct msg_member {
    struct slice name; /* As it joined. */
    uint64_t slots;
    uint64_t in_hand;
    uint64_t joined_us; /* Since 1970. */
    uint64_t acked;     /* Since it joined. */
};

/* consumer [consumer, [member...]] */
struct msg_described {
    struct msg_consumer consumer;
    struct slice members; /* msg_next_member() */
    size_t members_count;
};

struct msg_open msg_consumer_begin(struct buf *buf, uint64_t request_id,
                                   const struct msg_consumer *consumer);
void msg_consumer_member(struct buf *buf, struct msg_open *open,
                         const struct msg_member *member);
void msg_consumer_end(struct buf *buf, struct msg_open open);
enum acta_code msg_consumer_decode(struct msg_described *described,
                                   struct slice body,
                                   struct acta_err *err) ACTA_CHECKED;
struct msg_member msg_next_member(struct slice *members);

/* ---- list-parked, parked; change-parked, parked-changed ---- */

struct msg_list_parked {
    struct slice group;
    uint64_t after; /* Position. */
    uint64_t count_max;
};

enum msg_parked_state {
    MSG_PARKED = 0,
    MSG_PARKED_BEHIND = 1,   /* Waits for a parked one of its key. */
    MSG_PARKED_REPLAYED = 2, /* Is to be handed out, or in hand. */
};

struct msg_parked {
    uint64_t position;
    struct slice key;
    enum msg_parked_state state;
    uint64_t deliveries;
    uint64_t time_us;    /* When it was parked. */
    struct slice reason; /* What the member said, or why the server did it. */
};

/* list-parked [group, after, count max]; parked [[parked...], at end] */
void msg_list_parked_encode(struct buf *buf, uint64_t request_id,
                            const struct msg_list_parked *list);
enum acta_code msg_list_parked_decode(struct msg_list_parked *list,
                                      struct slice body,
                                      struct acta_err *err) ACTA_CHECKED;

struct msg_parked_page {
    struct slice parked; /* msg_next_parked() */
    size_t parked_count;
    bool at_end;
};

struct msg_open msg_parked_begin(struct buf *buf, uint64_t request_id);
void msg_parked_add(struct buf *buf, struct msg_open *open,
                    const struct msg_parked *parked);
void msg_parked_end(struct buf *buf, struct msg_open open, bool at_end);
enum acta_code msg_parked_decode(struct msg_parked_page *page,
                                 struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;
struct msg_parked msg_next_parked(struct slice *parked);

enum msg_parked_change {
    MSG_PARKED_REPLAY = 0, /* Hand out again; it stays parked until acked. */
    MSG_PARKED_DROP = 1,
};

/* change-parked [group, kind, positions or nil (all)]; parked-changed [count]:
 * msg_number_...(). Positions that are not parked, or only wait behind another,
 * are passed over.
 */
struct msg_change_parked {
    struct slice group;
    enum msg_parked_change kind;
    bool all;
    struct slice positions; /* msg_next_position() */
    size_t positions_count; /* At most ACTA_SETTLE_MAX. */
};

void msg_change_parked_encode(struct buf *buf, uint64_t request_id,
                              struct slice group, enum msg_parked_change kind,
                              const uint64_t *positions, size_t count,
                              bool all);
enum acta_code msg_change_parked_decode(struct msg_change_parked *change,
                                        struct slice body,
                                        struct acta_err *err) ACTA_CHECKED;
uint64_t msg_next_position(struct slice *positions);

#endif
