/* Messages about leases, schedules and loading. As in msg.h. */

#ifndef ACTA_MSG_LEASE_H
#define ACTA_MSG_LEASE_H

#include "msg.h"
#include "msg_consumer.h"

/* ---- change-lease, lease-changed ---- */

enum msg_lease_change {
    MSG_LEASE_ACQUIRE = 0,
    MSG_LEASE_RENEW = 1,
    MSG_LEASE_RELEASE = 2, /* If it is not held under this fence: unchanged. */
};

/* On the wire [name, kind, values]: ACQUIRE [holder, claim, duration, wait],
 * RENEW [fence, duration], RELEASE [fence].
 */
struct msg_change_lease {
    struct slice name;
    enum msg_lease_change kind;
    struct slice holder;  /* Who wants it, for people: name_is_lines(), at most
                             ACTA_TEXT_SIZE_MAX bytes. */
    const uint8_t *claim; /* 16 bytes, made by the client, new for each
                             acquire: one that is sent again is known by it. */
    uint64_t duration_us; /* From when the server grants it; 1 to
                             ACTA_LEASE_US_MAX. */
    uint64_t wait_us;     /* How long to wait for it, at most
                             ACTA_LEASE_US_MAX; 0: not at all. */
    uint64_t fence;
};

void msg_change_lease_encode(struct buf *buf, uint64_t request_id,
                             const struct msg_change_lease *change);
enum acta_code msg_change_lease_decode(struct msg_change_lease *change,
                                       struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;

/* lease-changed [fence, remaining, changed, waited]. Refusals: HELD (by
 * another, or the wait is over), FENCED (renew: it is not held under this fence
 * any more).
 */
struct msg_lease_changed {
    uint64_t fence;
    uint64_t remaining_us; /* Until it expires, when this was sent. */
    bool changed;
    uint64_t waited_us; /* How long an acquire stood in line: until it was sent,
                           plus this, plus the duration it is held for sure,
                           whatever time the answer takes. 0 for others. */
};

void msg_lease_changed_encode(struct buf *buf, uint64_t request_id,
                              const struct msg_lease_changed *changed);
enum acta_code msg_lease_changed_decode(struct msg_lease_changed *changed,
                                        struct slice body,
                                        struct acta_err *err) ACTA_CHECKED;

/* ---- list-leases, leases ---- */

#define MSG_WAITERS_MAX 16 /* Named in one entry, the first ones. */

struct msg_lease {
    struct slice name;
    struct slice holder;
    uint64_t fence;
    uint64_t duration_us;
    uint64_t remaining_us;
    uint64_t since_us; /* When it was granted, since 1970. */
    uint64_t waiters_count;
    size_t waiters_named;
    struct slice waiters[MSG_WAITERS_MAX]; /* In their order. */
};

struct msg_leases {
    struct slice leases; /* msg_next_lease() */
    size_t leases_count;
    bool at_end;
};

struct msg_open msg_leases_begin(struct buf *buf, uint64_t request_id);
void msg_leases_add(struct buf *buf, struct msg_open *open,
                    const struct msg_lease *lease);
void msg_leases_end(struct buf *buf, struct msg_open open, bool at_end);
enum acta_code msg_leases_decode(struct msg_leases *leases, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;
struct msg_lease msg_next_lease(struct slice *leases);

/* ---- list-schedules, schedules ---- */

enum msg_schedule_state {
    MSG_SCHEDULE_WAITS = 0,
    MSG_SCHEDULE_FAILED = 1, /* It was due and was refused. It stays until it
                                is moved or cancelled. */
};

struct msg_scheduled {
    struct slice name;
    uint64_t due_us;
    uint64_t created_us;
    enum msg_schedule_state state;
    struct slice text;   /* Why it was refused. */
    struct slice stream; /* Of its first write. */
    struct slice type;   /* Of its first event. */
    uint64_t events_count;
};

struct msg_schedules {
    struct slice schedules; /* msg_next_scheduled() */
    size_t schedules_count;
    bool at_end;
};

struct msg_open msg_schedules_begin(struct buf *buf, uint64_t request_id);
void msg_schedules_add(struct buf *buf, struct msg_open *open,
                       const struct msg_scheduled *schedule);
void msg_schedules_end(struct buf *buf, struct msg_open open, bool at_end);
enum acta_code msg_schedules_decode(struct msg_schedules *schedules,
                                    struct slice body,
                                    struct acta_err *err) ACTA_CHECKED;
struct msg_scheduled msg_next_scheduled(struct slice *schedules);

/* ---- load, loaded ---- */

/* load [stream, version or nil, schema or nil, events max, bytes max]. */
struct msg_load {
    struct slice stream;
    bool has_version; /* The caller has the stream's state as of version: it
                         wants what came behind it, and no snapshot. */
    uint64_t version;
    bool has_schema; /* A snapshot of another schema version is of no use. */
    uint64_t schema;
    struct msg_bounds bounds;
};

/* loaded [snapshot or nil, next, at end, head, version, events]: snapshot is
 * [version, schema, time, data]; events are those behind it, or behind the
 * caller's version. If that is the stream's, there are none: not modified. A
 * caller whose version is above the stream's has it from elsewhere: INVALID.
 */
struct msg_loaded {
    bool has_snapshot;
    uint64_t snapshot_version;
    uint64_t snapshot_schema;
    uint64_t snapshot_time_us;
    struct slice snapshot;
    struct msg_page page; /* As read-stream's, from where it begins. */
};

void msg_load_encode(struct buf *buf, uint64_t request_id,
                     const struct msg_load *load);
enum acta_code msg_load_decode(struct msg_load *load, struct slice body,
                               struct acta_err *err) ACTA_CHECKED;

/* As a page: begin takes the snapshot, then come the records. */
struct msg_open msg_loaded_begin(struct buf *buf, uint64_t request_id,
                                 const struct msg_loaded *loaded);
void msg_loaded_end(struct buf *buf, struct msg_open open,
                    const struct msg_page *page);
enum acta_code msg_loaded_decode(struct msg_loaded *loaded, struct slice body,
                                 struct acta_err *err) ACTA_CHECKED;

#endif
