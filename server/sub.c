#include "sub.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumer.h"
#include "limit.h"
#include "row.h"

struct sub *
sub_new(uint64_t request_id, struct msg_subscribe *subscribe,
        struct named *named)
{
    struct slice name = subscribe->consumer;
    struct sub *sub = calloc(1, sizeof(*sub) + name.size);

    if (sub == NULL) {
        return NULL;
    }
    if (name.size > 0) {
        if (named_add(named, name) != ACTA_OK) {
            free(sub);
            return NULL;
        }
        memcpy(sub->name, name.data, name.size);
        sub->consumer = slice_make(sub->name, name.size);
        sub->epoch = subscribe->epoch;
        sub->named = named;
    }
    sub->request_id = request_id;
    sub->size = sizeof(*sub) + name.size + query_size(&subscribe->query);
    sub->query = subscribe->query;
    subscribe->query = QUERY_ALL;
    sub->position = subscribe->after;
    sub->told = subscribe->after;
    sub_add_credit(sub, subscribe->credit);
    return sub;
}

void
sub_free(struct sub *sub)
{
    if (sub == NULL) {
        return;
    }
    if (sub->consumer.size > 0) {
        named_remove(sub->named, sub->consumer);
    }
    query_fini(&sub->query);
    free(sub);
}

static enum acta_code
compare_epoch(const struct sub *sub, bool found, struct slice value,
              struct acta_err *err)
{
    struct checkpoint_row row;
    enum acta_code code;

    if (!found) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no consumer \"%.*s\"",
                         (int)sub->consumer.size,
                         (const char *)sub->consumer.data);
    }
    code = checkpoint_decode(&row, value, err);
    if (code == ACTA_OK && row.epoch != sub->epoch) {
        return acta_fail(
            err, ACTA_FENCED,
            "consumer \"%.*s\" is in epoch %" PRIu64 ", not %" PRIu64,
            (int)sub->consumer.size, (const char *)sub->consumer.data,
            row.epoch, sub->epoch);
    }
    return code;
}

enum acta_code
sub_check(const struct sub *sub, struct reader *reader, struct acta_err *err)
{
    struct buf value;
    bool found;
    enum acta_code code;

    if (sub->consumer.size == 0) {
        return ACTA_OK;
    }
    buf_init(&value, SIZE_MAX);
    code = reader_get_row(reader, ROW_CHECKPOINT, sub->consumer, &value, &found,
                          err);
    if (code == ACTA_OK) {
        code = compare_epoch(sub, found, buf_slice(&value), err);
    }
    buf_fini(&value);
    return code;
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
    if (!sub->caught_up) {
        bounds.last = 0;
    } else if (bounds.last > 0 && sub->position >= bounds.last) {
        return SUB_WAIT;
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
