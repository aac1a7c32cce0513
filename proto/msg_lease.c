/* change-lease and lease-changed; leases. */

#include "msg_lease.h"

#include "limit.h"
#include "msg_body.h"

#define CHANGE_FIELDS  3
#define ACQUIRE_VALUES 4
#define RENEW_VALUES   2
#define RELEASE_VALUES 1
#define CHANGED_FIELDS 4
#define LEASE_FIELDS   8

static void
encode_values(struct buf *buf, const struct msg_change_lease *change)
{
    switch (change->kind) {
    case MSG_LEASE_ACQUIRE:
        pack_array(buf, ACQUIRE_VALUES);
        pack_str(buf, change->holder);
        pack_bin(buf, slice_make(change->claim, UUID_SIZE));
        pack_uint(buf, change->duration_us);
        pack_uint(buf, change->wait_us);
        break;
    case MSG_LEASE_RENEW:
        pack_array(buf, RENEW_VALUES);
        pack_uint(buf, change->fence);
        pack_uint(buf, change->duration_us);
        break;
    case MSG_LEASE_RELEASE:
        pack_array(buf, RELEASE_VALUES);
        pack_uint(buf, change->fence);
        break;
    }
}

void
msg_change_lease_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_change_lease *change)
{
    size_t start = frame_begin(buf, OP_CHANGE_LEASE, request_id);

    pack_array(buf, CHANGE_FIELDS);
    pack_str(buf, change->name);
    pack_uint(buf, change->kind);
    encode_values(buf, change);
    frame_end(buf, start);
}

static const uint8_t *
get_claim(struct pack_reader *reader)
{
    struct slice claim = pack_get_bin(reader, "claim");

    if (!reader->failed && claim.size != UUID_SIZE) {
        pack_fail(reader, ACTA_INVALID, "claim must be %d bytes, is %zu",
                  UUID_SIZE, claim.size);
    }
    return reader->failed ? NULL : claim.data;
}

static uint64_t
get_duration(struct pack_reader *reader)
{
    uint64_t duration_us = pack_get_uint(reader, "duration");

    msg_check_time(reader, duration_us, 1, ACTA_LEASE_US_MAX, "duration");
    return duration_us;
}

static void
decode_values(struct pack_reader *reader, struct msg_change_lease *change)
{
    switch (change->kind) {
    case MSG_LEASE_ACQUIRE:
        pack_get_array_of(reader, ACQUIRE_VALUES, ACQUIRE_VALUES, "values");
        change->holder = pack_get_str(reader, "holder");
        change->claim = get_claim(reader);
        change->duration_us = get_duration(reader);
        change->wait_us = pack_get_uint(reader, "wait");
        msg_check_text(reader, change->holder, "holder");
        msg_check_time(reader, change->wait_us, 0, ACTA_LEASE_US_MAX, "wait");
        break;
    case MSG_LEASE_RENEW:
        pack_get_array_of(reader, RENEW_VALUES, RENEW_VALUES, "values");
        change->fence = pack_get_uint(reader, "fence");
        change->duration_us = get_duration(reader);
        break;
    case MSG_LEASE_RELEASE:
        pack_get_array_of(reader, RELEASE_VALUES, RELEASE_VALUES, "values");
        change->fence = pack_get_uint(reader, "fence");
        break;
    }
}

enum acta_code
msg_change_lease_decode(struct msg_change_lease *change, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;
    uint64_t kind;

    *change = (struct msg_change_lease){0};
    msg_request_begin(&reader, body, CHANGE_FIELDS, err);
    change->name = pack_get_str(&reader, "lease");
    kind = pack_get_uint(&reader, "kind");
    msg_check_name(&reader, change->name, "lease");
    if (!reader.failed && kind > MSG_LEASE_RELEASE) {
        pack_fail(&reader, ACTA_INVALID,
                  "kind of change is %ju, must be 0 to %d", (uintmax_t)kind,
                  MSG_LEASE_RELEASE);
    }
    if (!reader.failed) {
        change->kind = (enum msg_lease_change)kind;
        decode_values(&reader, change);
    }
    return pack_code(&reader);
}

void
msg_lease_changed_encode(struct buf *buf, uint64_t request_id,
                         const struct msg_lease_changed *changed)
{
    size_t start = frame_begin(buf, OP_LEASE_CHANGED, request_id);

    pack_array(buf, CHANGED_FIELDS);
    pack_uint(buf, changed->fence);
    pack_uint(buf, changed->remaining_us);
    pack_bool(buf, changed->changed);
    pack_uint(buf, changed->waited_us);
    frame_end(buf, start);
}

enum acta_code
msg_lease_changed_decode(struct msg_lease_changed *changed, struct slice body,
                         struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, CHANGED_FIELDS, err);
    changed->fence = pack_get_uint(&reader, "fence");
    changed->remaining_us = pack_get_uint(&reader, "remaining");
    changed->changed = pack_get_bool(&reader, "changed");
    changed->waited_us = pack_get_uint(&reader, "waited");
    return pack_code(&reader);
}

/* ---- leases ---- */

struct msg_open
msg_leases_begin(struct buf *buf, uint64_t request_id)
{
    return msg_list_begin(buf, OP_LEASES, request_id);
}

void
msg_leases_add(struct buf *buf, struct msg_open *open,
               const struct msg_lease *lease)
{
    pack_array(buf, LEASE_FIELDS);
    pack_str(buf, lease->name);
    pack_str(buf, lease->holder);
    pack_uint(buf, lease->fence);
    pack_uint(buf, lease->duration_us);
    pack_uint(buf, lease->remaining_us);
    pack_uint(buf, lease->since_us);
    pack_uint(buf, lease->waiters_count);
    pack_array(buf, lease->waiters_named);
    for (size_t i = 0; i < lease->waiters_named; i++) {
        pack_str(buf, lease->waiters[i]);
    }
    open->listed++;
}

void
msg_leases_end(struct buf *buf, struct msg_open open, bool at_end)
{
    msg_list_end(buf, open, open.listed, at_end);
}

static struct msg_lease
read_lease(struct pack_reader *reader)
{
    struct msg_lease lease = {0};
    size_t left = msg_part_begin(reader, LEASE_FIELDS, "lease fields");
    size_t count;

    lease.name = pack_get_str(reader, "name");
    lease.holder = pack_get_str(reader, "holder");
    lease.fence = pack_get_uint(reader, "fence");
    lease.duration_us = pack_get_uint(reader, "duration");
    lease.remaining_us = pack_get_uint(reader, "remaining");
    lease.since_us = pack_get_uint(reader, "since");
    lease.waiters_count = pack_get_uint(reader, "waiters count");
    count = pack_get_array(reader, "waiters");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct slice waiter = pack_get_str(reader, "waiter");

        if (lease.waiters_named < MSG_WAITERS_MAX) {
            lease.waiters[lease.waiters_named++] = waiter;
        }
    }
    msg_part_end(reader, left);
    return lease;
}

static void
take_lease(struct pack_reader *reader)
{
    read_lease(reader);
}

enum acta_code
msg_leases_decode(struct msg_leases *leases, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, MSG_LIST_FIELDS, err);
    leases->leases =
        msg_take_list(&reader, &leases->leases_count, take_lease, "leases");
    leases->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_lease
msg_next_lease(struct slice *leases)
{
    struct pack_reader reader;
    struct msg_lease lease;

    pack_reader_init(&reader, *leases, NULL);
    lease = read_lease(&reader);
    *leases = msg_rest(&reader);
    return lease;
}
