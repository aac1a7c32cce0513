#include "sample_lease.h"

#include "msg_lease.h"
#include "sample_stream.h"

static const uint8_t claim[UUID_SIZE] = {0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00,
                                         0x70, 0xcc, 0x80, 0x00, 0x00, 0x00,
                                         0x00, 0x00, 0x00, 0xcc};

void
sample_lease_acquire(struct buf *buf)
{
    struct msg_change_lease change = {
        .name = slice_of("projection"),
        .kind = MSG_LEASE_ACQUIRE,
        .holder = slice_of("worker-1"),
        .claim = claim,
        .duration_us = 10000000,
        .wait_us = 60000000,
    };

    msg_change_lease_encode(buf, 50, &change);
}

void
sample_lease_renew(struct buf *buf)
{
    struct msg_change_lease change = {
        .name = slice_of("projection"),
        .kind = MSG_LEASE_RENEW,
        .duration_us = 10000000,
        .fence = 19,
    };

    msg_change_lease_encode(buf, 51, &change);
}

void
sample_lease_release(struct buf *buf)
{
    struct msg_change_lease change = {
        .name = slice_of("projection"), .kind = MSG_LEASE_RELEASE, .fence = 19};

    msg_change_lease_encode(buf, 52, &change);
}

void
sample_lease_changed(struct buf *buf)
{
    struct msg_lease_changed changed = {19, 9999000, true, 2000000};

    msg_lease_changed_encode(buf, 50, &changed);
}

void
sample_list_leases(struct buf *buf)
{
    struct msg_list list = {SLICE_NONE, slice_of("order-42"), 0};

    msg_list_encode(buf, OP_LIST_LEASES, 53, &list);
}

void
sample_leases(struct buf *buf)
{
    struct msg_open open = msg_leases_begin(buf, 53);
    struct msg_lease lease = {
        .name = slice_of("projection"),
        .holder = slice_of("worker-1"),
        .fence = 19,
        .duration_us = 10000000,
        .remaining_us = 5000000,
        .since_us = SAMPLE_TIME_US,
        .waiters_count = 2,
        .waiters_named = 2,
        .waiters = {slice_of("worker-2"), slice_of("worker-3")},
    };

    msg_leases_add(buf, &open, &lease);
    lease.name = slice_of("report");
    lease.waiters_count = lease.waiters_named = 0;
    msg_leases_add(buf, &open, &lease);
    msg_leases_end(buf, open, true);
}

/* ---- schedules ---- */

void
sample_list_schedules(struct buf *buf)
{
    struct msg_list list = {slice_of("remind-"), SLICE_NONE, 10};

    msg_list_encode(buf, OP_LIST_SCHEDULES, 54, &list);
}

void
sample_schedules(struct buf *buf)
{
    struct msg_open open = msg_schedules_begin(buf, 54);
    struct msg_scheduled schedule = {
        .name = slice_of("remind-42"),
        .due_us = SAMPLE_TIME_US + 86400000000,
        .created_us = SAMPLE_TIME_US,
        .state = MSG_SCHEDULE_WAITS,
        .stream = slice_of("payment-42"),
        .type = slice_of("PaymentDue"),
        .events_count = 1,
    };

    msg_schedules_add(buf, &open, &schedule);
    schedule.name = slice_of("remind-43");
    schedule.state = MSG_SCHEDULE_FAILED;
    schedule.text = slice_of("write 0: payment-43 has a tombstone");
    msg_schedules_add(buf, &open, &schedule);
    msg_schedules_end(buf, open, false);
}

/* ---- loading ---- */

void
sample_load(struct buf *buf)
{
    struct msg_load load = {.stream = slice_of("order-42"),
                            .has_schema = true,
                            .schema = 2,
                            .bounds = {100, 65536}};

    msg_load_encode(buf, 55, &load);
}

void
sample_load_behind(struct buf *buf)
{
    struct msg_load load = {
        .stream = slice_of("order-42"), .has_version = true, .version = 2};

    msg_load_encode(buf, 56, &load);
}

void
sample_loaded_not_modified(struct buf *buf)
{
    struct msg_loaded loaded = {
        .page = {.next = 2, .at_end = true, .head = 8, .version = 2}};

    msg_loaded_end(buf, msg_loaded_begin(buf, 56, &loaded), &loaded.page);
}
