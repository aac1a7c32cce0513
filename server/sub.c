#include "sub.h"

#include <assert.h>
#include <stdlib.h>

#include "limit.h"
#include "msg.h"

struct sub *
sub_new(uint64_t request_id, struct query *query, uint64_t after,
        uint64_t credit)
{
    struct sub *sub = calloc(1, sizeof(*sub));

    if (sub == NULL) {
        return NULL;
    }
    sub->request_id = request_id;
    sub->query = *query;
    *query = QUERY_ALL;
    sub->position = after;
    sub->told = after;
    sub_add_credit(sub, credit);
    return sub;
}

void
sub_free(struct sub *sub)
{
    if (sub == NULL) {
        return;
    }
    query_fini(&sub->query);
    free(sub);
}

void
sub_add_credit(struct sub *sub, uint64_t credit)
{
    /* A client may give all that there can be, and again. */
    if (credit > INT64_MAX ||
        __builtin_add_overflow(sub->credit, (int64_t)credit, &sub->credit)) {
        sub->credit = INT64_MAX;
    }
}

static void
tell_place(struct sub *sub, bool caught_up, struct buf *out)
{
    sub->caught_up = caught_up;
    sub->told = sub->position;
    msg_number_encode(out, caught_up ? OP_CAUGHT_UP : OP_FELL_BEHIND,
                      sub->request_id, sub->position);
}

static bool
is_behind(const struct sub *sub, uint64_t head)
{
    return head - sub->position > ACTA_APPEND_EVENTS_MAX ||
           sub->behind_size > ACTA_APPEND_SIZE_MAX;
}

enum sub_next
sub_step(struct sub *sub, struct reader *reader, const struct read_bounds *step,
         struct buf *out, struct acta_err *err)
{
    struct read_bounds bounds = *step;
    struct read_result result;
    struct msg_open open;
    size_t before, size;
    enum acta_code code;

    if (sub->credit <= 0) {
        return SUB_NO_CREDIT;
    }
    if (bounds.bytes_max > (uint64_t)sub->credit) {
        bounds.bytes_max = (uint64_t)sub->credit;
    }

    open = msg_delivery_begin(out, sub->request_id);
    before = buf_size(out);
    code = reader_read_all(reader, &sub->query, sub->position, false, &bounds,
                           out, &result, err);
    if (code != ACTA_OK) {
        buf_truncate(out, open.frame);
        return SUB_FAILED;
    }
    assert(result.next >= sub->position);
    size = buf_size(out) - before;
    sub->position = result.next;
    sub->credit -= (int64_t)size;
    if (result.events_count == 0) {
        buf_truncate(out, open.frame);
    } else {
        struct msg_delivery delivery = {.events_count = result.events_count,
                                        .position = result.next,
                                        .head = result.head};

        msg_delivery_end(out, open, &delivery);
        sub->told = sub->position;
    }

    if (result.at_end) {
        sub->behind_size = 0;
        if (!sub->caught_up) {
            tell_place(sub, true, out);
        }
        return SUB_WAIT;
    }
    sub->behind_size += size;
    if (sub->caught_up && is_behind(sub, result.head)) {
        tell_place(sub, false, out);
    }
    return sub->credit > 0 ? SUB_GO_ON : SUB_NO_CREDIT;
}

void
sub_tell_position(struct sub *sub, uint64_t head, struct buf *out)
{
    struct msg_delivery delivery = {.position = sub->position, .head = head};
    struct msg_open open;

    if (sub->told == sub->position || sub->credit <= 0) {
        return;
    }
    open = msg_delivery_begin(out, sub->request_id);
    msg_delivery_end(out, open, &delivery);
    sub->told = sub->position;
}

void
sub_tell_end(const struct sub *sub, enum acta_code code, const char *text,
             struct buf *out)
{
    struct msg_unsubscribed unsubscribed = {
        .code = code, .text = slice_of(text), .position = sub->position};

    msg_unsubscribed_encode(out, sub->request_id, &unsubscribed);
}
