/* One struct for every request and reply, with its encoder and decoder.
 *
 * Encoders write a whole frame to the end of a buf, whose failure is the
 * caller's to ask for. Decoders take the body of a frame (see frame.h), scan
 * it first (but for pages and deliveries: see there), and check everything
 * against proto/limit.h; what they return borrows from the body. A request with
 * more fields than are known here is refused, since what it asks for in them
 * would not be done; in a reply they are passed over, so that a newer server
 * can say more. Any thread.
 *
 * PROTOCOL.md describes each message; its fields come in the order of the
 * structs.
 */

#ifndef ACTA_MSG_H
#define ACTA_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "event.h"
#include "frame.h"
#include "opcode.h"
#include "pack.h"
#include "query.h"
#include "slice.h"
#include "uuid.h"

#define PROTOCOL_VERSION 1

/* Both may be 0, which means as much as the server gives at once. */
struct msg_bounds {
    uint64_t events_max;
    uint64_t bytes_max; /* Of records; a page has one event at least. */
};

/* ---- hello, welcome: the first frame either side sends ---- */

struct msg_hello {
    uint64_t protocol_min; /* Versions that the client speaks. */
    uint64_t protocol_max;
    struct slice client;   /* Its name, for the server's log. */
    struct slice database; /* "main" if empty. */
};

struct msg_limits {
    uint64_t frame_size_max;
    uint64_t event_size_max;
    uint64_t append_size_max;
    uint64_t append_events_max;
    uint64_t stream_size_max;
    uint64_t type_size_max;
    uint64_t tag_size_max;
    uint64_t tags_max;
    uint64_t page_size_max;
    uint64_t requests_max;
    uint64_t subscriptions_max;
    uint64_t append_checks_max;
    uint64_t append_conditions_max;
    uint64_t query_items_max;
    uint64_t query_terms_max;
    uint64_t unseen_events_max;
    uint64_t append_effects_max;
    uint64_t snapshot_size_max;
    uint64_t name_size_max;
    uint64_t text_size_max;
    uint64_t slots_max;
    uint64_t settle_max;
    uint64_t memberships_max;
    uint64_t lease_us_max;
    uint64_t retry_us_max;
};

struct msg_welcome {
    uint64_t protocol; /* The version that both will speak. */
    struct slice server_version;
    struct uuid server_id; /* New at every start of the server. */
    struct slice database;
    struct uuid database_id; /* The same for ever. */
    uint64_t head;
    struct msg_limits limits;
};

/* The limits of proto/limit.h. */
extern const struct msg_limits msg_limits_default;

void msg_hello_encode(struct buf *buf, uint64_t request_id,
                      const struct msg_hello *hello);
enum acta_code msg_hello_decode(struct msg_hello *hello, struct slice body,
                                struct acta_err *err) ACTA_CHECKED;
void msg_welcome_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_welcome *welcome);
enum acta_code msg_welcome_decode(struct msg_welcome *welcome,
                                  struct slice body,
                                  struct acta_err *err) ACTA_CHECKED;

/* ---- ping, status, credit, and what else has few fields ---- */

/* A body without fields: ping, status. */
void msg_empty_encode(struct buf *buf, uint8_t kind, uint64_t request_id);
enum acta_code msg_empty_decode(struct slice body,
                                struct acta_err *err) ACTA_CHECKED;

/* A body of one number: pong (head), credit (bytes), unsubscribe (request id
 * of the subscription), subscribed (head), caught-up and fell-behind
 * (position).
 */
void msg_number_encode(struct buf *buf, uint8_t kind, uint64_t request_id,
                       uint64_t number);
enum acta_code msg_number_decode(uint64_t *number, uint8_t kind,
                                 struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;

/* ---- error ---- */

enum msg_failure_kind {
    MSG_FAILED_WRITE = 0,     /* A write's expected version. */
    MSG_FAILED_EVENT = 1,     /* An event's id. */
    MSG_FAILED_CHECK = 2,     /* A check's expected version. */
    MSG_FAILED_CONDITION = 3, /* An event matches. */

    /* Of what an append carries; index is that in its own list. */
    MSG_FAILED_CHECKPOINT = 4, /* Is not at from, or its epoch is over: actual
                                  is where it is, expected is from, or to if
                                  there is no from. */
    MSG_FAILED_LEASE = 5,      /* Is not held: expected is the fence, actual
                                  that of who holds it, or 0. */
    MSG_FAILED_SNAPSHOT = 6,   /* Is of a version that the stream has not:
                                  expected is that, actual the stream's. */
    MSG_FAILED_SCHEDULE = 7,   /* There is another one of this name, or none
                                  that could be moved. */
};

/* One reason why an append was refused. */
struct msg_failure {
    enum msg_failure_kind kind;
    uint64_t index;   /* Of the write, the check, the condition, ... */
    uint64_t event;   /* MSG_FAILED_EVENT: of the event in the write; else 0. */
    int64_t expected; /* As sent: a version; a condition's after (INT64_MAX if
                         it is larger); 0 for MSG_FAILED_EVENT. */
    uint64_t actual;  /* The stream's version, or that of the stored event of
                         this id (0: there is none); the position of the first
                         event that matches a condition, or if it could not be
                         decided (UNDECIDED) up to where none does. */
};

#define MSG_FAILURES_MAX 100 /* Told in one error, the first ones. */

struct msg_error {
    enum acta_code code;
    struct slice text; /* What is wrong and where, for people. */
    size_t failures_count;
    struct msg_failure failures[MSG_FAILURES_MAX];

    /* What a refused append that asked for it has not seen: of each stream it
     * writes or checks the events behind the expected version, and those that
     * match a condition behind its after, each once, in the order of positions.
     */
    bool has_unseen;
    bool unseen_complete; /* These are all, up to unseen_head. */
    uint64_t unseen_head; /* The database's head when they were read. */
    size_t unseen_count;
    struct slice unseen; /* Records, all in order: msg_next_event(). */
};

void msg_error_encode(struct buf *buf, uint64_t request_id,
                      const struct msg_error *error);
enum acta_code msg_error_decode(struct msg_error *error, struct slice body,
                                struct acta_err *err) ACTA_CHECKED;

/* The same with unseen events, whose records are put between the two calls, as
 * those of a page are. Begin takes code, text and failures, end what is told of
 * the events.
 */
struct msg_open msg_error_begin(struct buf *buf, uint64_t request_id,
                                const struct msg_error *error);
void msg_error_end(struct buf *buf, struct msg_open open,
                   const struct msg_error *error);

/* ---- append, appended ---- */

#define MSG_EXPECT_ANY    (-1) /* Whatever the stream's version is. */
#define MSG_EXPECT_EXISTS (-2) /* Any version but 0. */

/* A stream that is not written, but must be at a version. */
struct msg_check {
    struct slice stream;
    int64_t expected; /* As in a write. */
};

/* No event may match the query with a position > after. */
struct msg_condition {
    struct query query; /* owned */
    uint64_t after;
};

/* A named consumer's checkpoint moves. It must be of this epoch, and at @from
 * unless @has_from is false. If it is at @to already, nothing happens; but with
 * events, unless @from is @to, that is a conflict: another append has done what
 * these are about. It never goes back.
 */
struct msg_checkpoint {
    struct slice consumer;
    uint64_t epoch;
    bool has_from;
    uint64_t from;
    uint64_t to;
};

/* A lease must be held, under this fencing number. */
struct msg_fence {
    struct slice lease;
    uint64_t fence;
};

/* The state of a stream as of a version that it has when the append is done.
 * The newest counts: by schema version, then by version.
 */
struct msg_snapshot {
    struct slice stream;
    uint64_t version;
    uint64_t schema;   /* Which meaning the bytes have. */
    bool is_removed;   /* There is to be none. Then the rest is 0. */
    struct slice data; /* At most ACTA_SNAPSHOT_SIZE_MAX. */
};

/* An append that takes place later. */
struct msg_schedule {
    struct slice name;
    uint64_t due_us; /* Since 1970; or from now, if @is_delay. At most
                        ACTA_DUE_US_MAX. */
    bool is_delay;
    struct slice writes; /* As in an append, as bytes. Empty: the schedule of
                            this name, which must be there, is moved. */
    size_t events_count; /* Of its writes, and the size of their records: */
    size_t records_size; /* set by decoding. */
};

/* What an append says besides its writes. */
struct msg_append_more {
    const struct msg_check *checks;
    size_t checks_count;
    const struct msg_condition *conditions;
    size_t conditions_count;
    const uint8_t *command_id; /* 16 bytes, or NULL */
    struct msg_bounds unseen;  /* Of what a refusal shall bring along; with
                                  events_max 0 it brings nothing, with
                                  bytes_max 0 as many bytes as the server
                                  gives. */

    /* Effects: they take place with the events, or not at all. An append whose
     * events are all stored already, or whose command is known, has had its
     * effects. The order is that of these fields, but for cancellations, which
     * come before schedules; a name is not twice in one list.
     */
    const struct msg_checkpoint *checkpoints;
    size_t checkpoints_count;
    const struct msg_fence *leases; /* Only checked. */
    size_t leases_count;
    const struct msg_snapshot *snapshots;
    size_t snapshots_count;
    const struct msg_schedule *schedules;
    size_t schedules_count;
    const struct slice *cancellations; /* Names of schedules; it is no error
                                          if there is none. */
    size_t cancellations_count;
};

/* The frame of an append is begun, then has its writes in turn, each followed
 * by its events (event_encode_content()), and is ended:
 *
 *     start = msg_append_begin(buf, request_id, writes_count);
 *     msg_append_write(buf, stream, expected, events_count);
 *     event_encode_content(buf, ...);
 *     msg_append_end(buf, start, NULL);
 *
 * @more may be NULL; trailing fields that say nothing are left out.
 */
size_t msg_append_begin(struct buf *buf, uint64_t request_id,
                        size_t writes_count);
void msg_append_write(struct buf *buf, struct slice stream, int64_t expected,
                      size_t events_count);
void msg_append_end(struct buf *buf, size_t start,
                    const struct msg_append_more *more);

struct msg_write {
    struct slice stream;
    int64_t expected; /* A version, MSG_EXPECT_ANY or MSG_EXPECT_EXISTS. */
    struct event *events;
    size_t events_count; /* At least one. */
};

/* An append as decoded: its arrays are in memory of its own, its slices in the
 * body.
 */
struct msg_append {
    struct msg_write *writes;
    size_t writes_count;  /* At least one, unless it carries a checkpoint, a
                             snapshot, a schedule or a cancellation. */
    struct event *events; /* Of all writes, in order; stream is set in each. */
    size_t events_count;
    size_t records_size; /* Of the records that they will become. */
    struct msg_append_more more;
    void *memory; /* owned; NULL if its arrays are in the caller's. */
};

/* Everything that can be known to be wrong without the streams is found here,
 * such as a write and a check of one stream that expect different versions;
 * texts name the write and the event, the check or the condition. More unseen
 * events may be asked for than ACTA_UNSEEN_...: the server gives fewer. MEMORY
 * if there is none for the arrays or a query.
 */
enum acta_code msg_append_decode(struct msg_append *append, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;

/* The same with @room for its arrays, aligned for any, of the caller's, who
 * keeps it as long as @append: nothing is allocated for those that it has room
 * for.
 */
enum acta_code msg_append_decode_in(struct msg_append *append,
                                    struct slice body, void *room,
                                    size_t room_size,
                                    struct acta_err *err) ACTA_CHECKED;

/* The same for the writes of a schedule, msg_schedule.writes: an append that
 * has nothing else. At least one.
 */
enum acta_code msg_writes_decode(struct msg_append *append, struct slice writes,
                                 struct acta_err *err) ACTA_CHECKED;

void msg_append_fini(struct msg_append *append);

/* Events of one write that lie one behind the other, in stream and log. */
struct msg_run {
    uint64_t write; /* Index of the write. */
    uint64_t first_version;
    uint64_t first_position;
    uint64_t count;
};

/* The runs of all writes in order: a write has one, unless the append is a
 * repeat of what was stored piece by piece.
 */
struct msg_appended {
    bool repeated; /* Everything was stored before, nothing was now: by its
                      events' ids, or by its command id; then the runs are
                      those of the append that the command made first. */
    struct slice runs;
    size_t runs_count;
    uint64_t cancelled; /* Schedules that were there to be cancelled. */
};

size_t msg_appended_begin(struct buf *buf, uint64_t request_id, bool repeated,
                          size_t runs_count);
void msg_appended_run(struct buf *buf, const struct msg_run *run);
void msg_appended_end(struct buf *buf, size_t start, uint64_t cancelled);
enum acta_code msg_appended_decode(struct msg_appended *appended,
                                   struct slice body,
                                   struct acta_err *err) ACTA_CHECKED;
/* Take the next run off the front of appended->runs. */
struct msg_run msg_appended_next(struct msg_appended *appended);

/* find-command [command id]: appended, as it answers an append of this command
 * that is sent again.
 */
void msg_find_command_encode(struct buf *buf, uint64_t request_id,
                             const uint8_t *id);
/* *@id is in @body; NULL after an error. */
enum acta_code msg_find_command_decode(const uint8_t **id, struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;

/* ---- change-stream, changed ---- */

enum msg_change_kind {
    MSG_SET = 0,       /* Its settings. */
    MSG_DELETE = 1,    /* It reads as empty, until it is appended to. */
    MSG_TOMBSTONE = 2, /* The same, and it is never appended to again. */
    MSG_ERASE = 3,     /* Data and metadata of an event, or of all, for good. */
};

/* What of a stream is kept: an event is hidden if its version is below
 * truncate_before, if max_count events came after it, or if it is older than
 * max_age_us. 0: no bound. What was hidden once never comes back.
 */
struct msg_settings {
    uint64_t truncate_before;
    uint64_t max_count;
    uint64_t max_age_us;
};

/* Settings are given or left as they are. */
#define MSG_HAS_TRUNCATE_BEFORE 1u
#define MSG_HAS_MAX_COUNT       2u
#define MSG_HAS_MAX_AGE         4u

struct msg_change {
    struct slice stream;
    int64_t expected; /* As in a write. */
    enum msg_change_kind kind;
    struct msg_settings settings; /* MSG_SET */
    unsigned given;               /* MSG_SET: MSG_HAS_... */
    uint64_t version;             /* MSG_ERASE; 0: every event there is. */
};

struct msg_changed {
    uint64_t version; /* The stream's. */
    uint64_t head;    /* The database's. */
    bool changed;     /* False: it was like that already. */
};

void msg_change_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_change *change);
enum acta_code msg_change_decode(struct msg_change *change, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;
void msg_changed_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_changed *changed);
enum acta_code msg_changed_decode(struct msg_changed *changed,
                                  struct slice body,
                                  struct acta_err *err) ACTA_CHECKED;

/* ---- reading ---- */

struct msg_read_stream {
    struct slice stream;
    uint64_t from; /* Exclusive: the version before the first one wanted (0:
                      from the start), or backward the one behind (0: from
                      the end). */
    bool backward;
    struct msg_bounds bounds;
};

struct msg_read_all {
    struct query query; /* owned */
    uint64_t from;      /* Exclusive, a position, as in read-stream. */
    bool backward;
    struct msg_bounds bounds;
};

/* By id (every stream that has an event of this id), or by stream and version.
 */
struct msg_read_event {
    const uint8_t *id; /* NULL: by stream and version. */
    struct slice stream;
    uint64_t version;
};

void msg_read_stream_encode(struct buf *buf, uint64_t request_id,
                            const struct msg_read_stream *read);
enum acta_code msg_read_stream_decode(struct msg_read_stream *read,
                                      struct slice body,
                                      struct acta_err *err) ACTA_CHECKED;
void msg_read_all_encode(struct buf *buf, uint64_t request_id,
                         const struct msg_read_all *read);
/* After OK, free the query with query_fini(). */
enum acta_code msg_read_all_decode(struct msg_read_all *read, struct slice body,
                                   struct acta_err *err) ACTA_CHECKED;
void msg_read_event_encode(struct buf *buf, uint64_t request_id,
                           const struct msg_read_event *read);
enum acta_code msg_read_event_decode(struct msg_read_event *read,
                                     struct slice body,
                                     struct acta_err *err) ACTA_CHECKED;

/* A page of events, the answer to all three. */
struct msg_page {
    uint64_t next;    /* Give this as from, to go on where the page ends. */
    bool at_end;      /* There was nothing behind it. */
    uint64_t head;    /* The database's, when the page was read. */
    uint64_t version; /* The stream's; 0 for read-all and read by id. */
    size_t events_count;
    struct slice events; /* Records, one behind the other: take events_count of
                            them with msg_next_event(). */
    size_t fields_left;  /* Behind the events: for msg_events_end(). */
};

/* A page and a delivery are begun, have their records put behind with
 * buf_append() while it is not yet known how many they become, and are ended.
 */
struct msg_open {
    size_t frame;  /* Where the frame begins. */
    size_t count;  /* Where the count of what is listed will be patched in. */
    size_t listed; /* Counted here by those who are not told at the end. */
};

struct msg_open msg_page_begin(struct buf *buf, uint64_t request_id);
void msg_page_end(struct buf *buf, struct msg_open open,
                  const struct msg_page *page);

/* Pages and deliveries are the bulk of what is received, so their bytes are
 * looked at once: decoding reads what is in front of the events, each event is
 * checked when it is taken, and msg_events_end() checks what is left when all
 * have been. Only then is the body known to be in order.
 */
enum acta_code msg_page_decode(struct msg_page *page, struct slice body,
                               struct acta_err *err) ACTA_CHECKED;
enum acta_code msg_next_event(struct slice *events, struct event *event,
                              struct acta_err *err) ACTA_CHECKED;
enum acta_code msg_events_end(struct slice events, size_t fields_left,
                              struct acta_err *err) ACTA_CHECKED;

/* ---- list-streams, streams ---- */

struct msg_list_streams {
    struct slice prefix; /* Empty: all. */
    struct slice after;  /* The name before the first one wanted; empty: from
                            the start. Order is by bytes. */
    uint64_t count_max;  /* 0: as many as the server gives at once. */
};

enum msg_stream_state {
    MSG_STREAM_LIVE = 0,
    MSG_STREAM_DELETED = 1,
    MSG_STREAM_TOMBSTONED = 2,
};

struct msg_stream {
    struct slice name;
    uint64_t version;
    uint64_t first_time_us; /* Of the first event that it ever had. */
    uint64_t last_time_us;
    uint64_t last_position;
    enum msg_stream_state state;
    struct msg_settings settings;
};

struct msg_streams {
    struct slice streams; /* msg_next_stream() */
    size_t streams_count;
    bool at_end;
};

void msg_list_streams_encode(struct buf *buf, uint64_t request_id,
                             const struct msg_list_streams *list);
enum acta_code msg_list_streams_decode(struct msg_list_streams *list,
                                       struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;
struct msg_open msg_streams_begin(struct buf *buf, uint64_t request_id);
void msg_streams_add(struct buf *buf, const struct msg_stream *stream);
void msg_streams_end(struct buf *buf, struct msg_open open,
                     const struct msg_streams *streams);
enum acta_code msg_streams_decode(struct msg_streams *streams,
                                  struct slice body,
                                  struct acta_err *err) ACTA_CHECKED;
struct msg_stream msg_next_stream(struct slice *streams);

/* ---- describe-stream, description ---- */

void msg_describe_stream_encode(struct buf *buf, uint64_t request_id,
                                struct slice stream);
enum acta_code msg_describe_stream_decode(struct slice *stream,
                                          struct slice body,
                                          struct acta_err *err) ACTA_CHECKED;

struct msg_description {
    struct msg_stream stream; /* version 0: there is none of this name. */
    uint64_t first_version;   /* The first that is to be seen; version + 1 if
                                 none is. */
};

void msg_description_encode(struct buf *buf, uint64_t request_id,
                            const struct msg_description *description);
enum acta_code msg_description_decode(struct msg_description *description,
                                      struct slice body,
                                      struct acta_err *err) ACTA_CHECKED;

/* ---- list-names, names ---- */

enum msg_name_kind {
    MSG_NAME_CATEGORY = 0,
    MSG_NAME_TYPE = 1,
    MSG_NAME_TAG = 2,
};

struct msg_list_names {
    enum msg_name_kind kind;
    struct slice prefix; /* As in list-streams. */
    struct slice after;
    uint64_t count_max;
};

/* A name that events have, and how many ever had it. */
struct msg_name {
    struct slice name;
    uint64_t count;
    uint64_t first_time_us;
    uint64_t last_time_us;
    uint64_t last_position;
};

struct msg_names {
    struct slice names; /* msg_next_name() */
    size_t names_count;
    bool at_end;
};

void msg_list_names_encode(struct buf *buf, uint64_t request_id,
                           const struct msg_list_names *list);
enum acta_code msg_list_names_decode(struct msg_list_names *list,
                                     struct slice body,
                                     struct acta_err *err) ACTA_CHECKED;
struct msg_open msg_names_begin(struct buf *buf, uint64_t request_id);
void msg_names_add(struct buf *buf, const struct msg_name *name);
void msg_names_end(struct buf *buf, struct msg_open open,
                   const struct msg_names *names);
enum acta_code msg_names_decode(struct msg_names *names, struct slice body,
                                struct acta_err *err) ACTA_CHECKED;
struct msg_name msg_next_name(struct slice *names);

/* ---- find-time, found-time ---- */

/* find-time asks for a time (microseconds since 1970), found-time has the
 * position before the first event recorded at or after it: give it as from or
 * after, to begin there. Both are msg_number_encode() and _decode().
 */

/* ---- status-reply ---- */

/* A list of names and numbers or texts; names are in PROTOCOL.md. */
struct msg_open msg_status_begin(struct buf *buf, uint64_t request_id);
void msg_status_number(struct buf *buf, struct msg_open *open, const char *name,
                       uint64_t number);
void msg_status_text(struct buf *buf, struct msg_open *open, const char *name,
                     const char *text);
void msg_status_end(struct buf *buf, struct msg_open open);

struct msg_status_entry {
    struct slice name;
    bool is_text;
    uint64_t number;
    struct slice text;
};

/* @entries is for msg_next_status(); *@count of them are there. */
enum acta_code msg_status_decode(struct slice *entries, size_t *count,
                                 struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;
struct msg_status_entry msg_next_status(struct slice *entries);

/* ---- subscribe, delivery, unsubscribed ---- */

struct msg_subscribe {
    struct query query;    /* owned */
    uint64_t after;        /* Position; 0: from the start. */
    uint64_t credit;       /* Bytes of records that may be sent. */
    struct slice consumer; /* Its name, or empty: it is nobody's. */
    uint64_t epoch; /* Of the consumer: the subscription ends (FENCED) when it
                       is over. */
};

struct msg_delivery {
    uint64_t position; /* Everything up to here was delivered or did not
                          match: the checkpoint to resume from. */
    uint64_t head;     /* The database's: head - position is the lag. */
    size_t events_count;
    struct slice events; /* As in a page. */
    size_t fields_left;
};

struct msg_unsubscribed {
    enum acta_code code; /* OK: the client wanted it. */
    struct slice text;
    uint64_t position; /* Resume from here. */
};

void msg_subscribe_encode(struct buf *buf, uint64_t request_id,
                          const struct msg_subscribe *subscribe);
/* After OK, free the query with query_fini(). */
enum acta_code msg_subscribe_decode(struct msg_subscribe *subscribe,
                                    struct slice body,
                                    struct acta_err *err) ACTA_CHECKED;
struct msg_open msg_delivery_begin(struct buf *buf, uint64_t request_id);
void msg_delivery_end(struct buf *buf, struct msg_open open,
                      const struct msg_delivery *delivery);
enum acta_code msg_delivery_decode(struct msg_delivery *delivery,
                                   struct slice body,
                                   struct acta_err *err) ACTA_CHECKED;
void msg_unsubscribed_encode(struct buf *buf, uint64_t request_id,
                             const struct msg_unsubscribed *unsubscribed);
enum acta_code msg_unsubscribed_decode(struct msg_unsubscribed *unsubscribed,
                                       struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;

#endif
