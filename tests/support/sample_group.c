#include "sample_group.h"

#include "msg_group.h"

void
sample_join(struct buf *buf)
{
    struct msg_join join = {slice_of("shipping"), 100, slice_of("worker-1")};

    msg_join_encode(buf, 60, &join);
}

void
sample_joined(struct buf *buf)
{
    struct msg_joined joined = {4711, 18, slice_of("customer:"),
                                MSG_PARK_GOES_ON};

    msg_joined_encode(buf, 60, &joined);
}

void
sample_settle(struct buf *buf)
{
    struct msg_answer answers[] = {
        {.kind = MSG_ACK, .fence = 23, .position = 4712},
        {.kind = MSG_ACK_UP_TO, .fence = 23, .position = 4720},
        {.kind = MSG_RETRY, .fence = 23, .position = 4721, .delay_us = 5000000},
        {.kind = MSG_PARK,
         .fence = 24,
         .position = 4730,
         .reason = slice_of("no such address")},
        {.kind = MSG_SKIP, .fence = 24, .position = 4731},
    };
    size_t start = msg_settle_begin(buf, 61, 60, 5);

    for (size_t i = 0; i < 5; i++) {
        msg_settle_answer(buf, &answers[i]);
    }
    msg_settle_end(buf, start);
}

void
sample_settled(struct buf *buf)
{
    static const uint32_t refused[] = {2, 4};

    msg_settled_encode(buf, 61, 10, refused, 2);
}

void
sample_leave(struct buf *buf)
{
    msg_number_encode(buf, OP_LEAVE, 62, 60);
}

void
sample_left(struct buf *buf)
{
    struct msg_left left = {ACTA_OK, SLICE_NONE};

    msg_left_encode(buf, 62, &left);
}

void
sample_left_deleted(struct buf *buf)
{
    struct msg_left left = {ACTA_NOT_FOUND, slice_of("shipping was deleted")};

    msg_left_encode(buf, 60, &left);
}
