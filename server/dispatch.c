#include "dispatch.h"

#include <stdio.h>

#include "handle.h"
#include "opcode.h"

enum effort {
    LITTLE,
    READS,  /* Takes a read's time: see SESSION_READS. */
    WRITES, /* Is handed over as a job: waits while the queue is full. */
};

struct request {
    void (*handle)(struct session *session, const struct frame *frame);
    enum effort effort;
};

/* By kind. Those without a handler are not known. */
static const struct request requests[OP_REPLY_FIRST] = {
    [OP_HELLO] = {handle_hello, LITTLE},
    [OP_PING] = {handle_ping, LITTLE},
    [OP_STATUS] = {handle_status, READS},
    [OP_VERIFY] = {handle_verify, WRITES},
    [OP_APPEND] = {handle_append, WRITES},
    [OP_CHANGE_STREAM] = {handle_change_stream, WRITES},
    [OP_CHANGE_CONSUMER] = {handle_change_consumer, WRITES},
    [OP_CHANGE_LEASE] = {handle_change_lease, WRITES},
    [OP_JOIN] = {handle_join, WRITES},
    [OP_SETTLE] = {handle_settle, WRITES},
    [OP_BEGIN_BACKUP] = {handle_begin_backup, READS},
    [OP_READ_BACKUP] = {handle_read_backup, READS},
    [OP_END_BACKUP] = {handle_end_backup, LITTLE},
    [OP_LEAVE] = {handle_leave, WRITES},
    [OP_LIST_CONSUMERS] = {handle_list_consumers, WRITES},
    [OP_DESCRIBE_CONSUMER] = {handle_describe_consumer, WRITES},
    [OP_LIST_PARKED] = {handle_list_parked, WRITES},
    [OP_CHANGE_PARKED] = {handle_change_parked, WRITES},
    [OP_READ_STREAM] = {handle_read_stream, READS},
    [OP_READ_ALL] = {handle_read_all, READS},
    [OP_READ_EVENT] = {handle_read_event, READS},
    [OP_FIND_TIME] = {handle_find_time, READS},
    [OP_FIND_COMMAND] = {handle_find_command, READS},
    [OP_AWAIT] = {handle_await, WRITES},
    [OP_LOAD] = {handle_load, READS},
    [OP_LIST_STREAMS] = {handle_list_streams, READS},
    [OP_DESCRIBE_STREAM] = {handle_describe_stream, READS},
    [OP_LIST_NAMES] = {handle_list_names, READS},
    [OP_LIST_LEASES] = {handle_list_leases, WRITES},
    [OP_LIST_SCHEDULES] = {handle_list_schedules, READS},
    [OP_SUBSCRIBE] = {handle_subscribe, LITTLE},
    [OP_CREDIT] = {handle_credit, LITTLE},
    [OP_UNSUBSCRIBE] = {handle_unsubscribe, LITTLE},
};

static void
count(struct session *session, uint8_t kind)
{
    unsigned known = kind < OP_REPLY_FIRST ? kind : OP_REPLY_FIRST;

    counter_add(&session->host->counters->requests[known], 1);
}

/* Who has not said hello is nobody, and gets one chance. */
static void
refuse_stranger(struct session *session, const struct frame *frame)
{
    session_error(session, frame->request_id, ACTA_PROTOCOL,
                  "the first request must be hello");
    session_end_input(session);
}

static void
refuse_unknown(struct session *session, const struct frame *frame)
{
    char text[64];

    if (frame->kind >= OP_REPLY_FIRST) {
        snprintf(text, sizeof(text), "kind 0x%02x is not one of a request",
                 frame->kind);
        session_error(session, frame->request_id, ACTA_PROTOCOL, text);
    } else {
        snprintf(text, sizeof(text), "request kind 0x%02x is not known",
                 frame->kind);
        session_error(session, frame->request_id, ACTA_UNSUPPORTED, text);
    }
}

static bool
may_start(struct session *session, enum effort effort)
{
    switch (effort) {
    case LITTLE:
        break;
    case READS:
        if (session->reads_left == 0) {
            return false;
        }
        session->reads_left--;
        break;
    case WRITES:
        return !session->host->outbox->blocked;
    }
    return true;
}

bool
dispatch(struct session *session, const struct frame *frame)
{
    const struct request *request;

    if (session->state == SESSION_NEW && frame->kind != OP_HELLO) {
        count(session, frame->kind);
        refuse_stranger(session, frame);
        return true;
    }
    request = frame->kind < OP_REPLY_FIRST ? &requests[frame->kind] : NULL;
    if (request == NULL || request->handle == NULL) {
        count(session, frame->kind);
        refuse_unknown(session, frame);
        return true;
    }
    if (session->stopping) {
        session_error(session, frame->request_id, ACTA_STOPPING,
                      "server is stopping");
        return true;
    }
    if (!may_start(session, request->effort)) {
        return false;
    }
    count(session, frame->kind);
    request->handle(session, frame);
    return true;
}
