#include "sample_effects.h"

#include "msg.h"
#include "sample_stream.h"

static const uint8_t id[UUID_SIZE] = {0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00,
                                      0x70, 0x03, 0x80, 0x00, 0x00, 0x00,
                                      0x00, 0x00, 0x00, 0x03};

/* One event with a tag for the stream. */
static void
write_of(struct buf *buf, const char *stream, int64_t expected)
{
    struct slice tag = slice_of("order:42");
    struct event event = {
        .type = slice_of("PaymentDue"),
        .id = id,
        .data = slice_of("{}"),
        .format = EVENT_JSON,
    };

    msg_append_write(buf, slice_of(stream), expected, 1);
    event_encode_content(buf, &event, &tag, 1);
}

void
sample_append_effects(struct buf *buf)
{
    struct msg_checkpoint checkpoints[] = {
        {slice_of("billing"), 17, true, 4711, 4712},
        {slice_of("mail"), 18, false, 0, 4712},
    };
    struct msg_fence leases[] = {{slice_of("order-42"), 19}};
    struct msg_snapshot snapshots[] = {
        {slice_of("order-42"), 4, 2, false, slice_of("{\"total\":12.5}")},
        {.stream = slice_of("order-41"), .is_removed = true},
    };
    struct msg_schedule schedules[2] = {
        {.name = slice_of("remind-42"),
         .due_us = 86400000000,
         .is_delay = true},
        {.name = slice_of("close-42"), .due_us = SAMPLE_TIME_US},
    };
    struct slice cancellations[] = {slice_of("expire-42")};
    struct msg_append_more more = {
        .checkpoints = checkpoints,
        .checkpoints_count = 2,
        .leases = leases,
        .leases_count = 1,
        .snapshots = snapshots,
        .snapshots_count = 2,
        .schedules = schedules,
        .schedules_count = 2,
        .cancellations = cancellations,
        .cancellations_count = 1,
    };
    struct buf writes;
    size_t start;

    buf_init(&writes, 4096);
    pack_array(&writes, 1);
    write_of(&writes, "payment-42", MSG_EXPECT_ANY);
    schedules[0].writes = buf_slice(&writes);

    start = msg_append_begin(buf, 30, 1);
    write_of(buf, "order-42", 3);
    msg_append_end(buf, start, &more);
    buf_fini(&writes);
}

void
sample_append_checkpoint(struct buf *buf)
{
    struct msg_checkpoint checkpoint = {slice_of("billing"), 17, true, 4712,
                                        4800};
    struct msg_append_more more = {.checkpoints = &checkpoint,
                                   .checkpoints_count = 1};

    msg_append_end(buf, msg_append_begin(buf, 31, 0), &more);
}

void
sample_append_cancel(struct buf *buf)
{
    struct slice cancellations[] = {slice_of("expire-42"),
                                    slice_of("expire-43")};
    struct msg_append_more more = {.cancellations = cancellations,
                                   .cancellations_count = 2};

    msg_append_end(buf, msg_append_begin(buf, 32, 0), &more);
}

void
sample_appended_cancelled(struct buf *buf)
{
    msg_appended_end(buf, msg_appended_begin(buf, 32, false, 0), 1);
}

void
sample_error_effects(struct buf *buf)
{
    static struct msg_error error;

    error.code = ACTA_FENCED;
    error.text = slice_of("checkpoint 0: the epoch of billing is 21, not 17");
    error.failures_count = 4;
    error.failures[0] =
        (struct msg_failure){MSG_FAILED_CHECKPOINT, 0, 0, 4711, 4800};
    error.failures[1] = (struct msg_failure){MSG_FAILED_LEASE, 0, 0, 19, 22};
    error.failures[2] = (struct msg_failure){MSG_FAILED_SNAPSHOT, 0, 0, 4, 3};
    error.failures[3] = (struct msg_failure){MSG_FAILED_SCHEDULE, 1, 0, 0, 0};
    msg_error_encode(buf, 30, &error);
}
