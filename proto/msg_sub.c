/* subscribe, delivery and unsubscribed. */

#include "msg.h"

#include "msg_body.h"

#define SUBSCRIBE_FIELDS    3
#define NAMED_FIELDS        5 /* Of a subscription with a name. */
#define DELIVERY_FIELDS     3
#define UNSUBSCRIBED_FIELDS 3

void
msg_subscribe_encode(struct buf *buf, uint64_t request_id,
                     const struct msg_subscribe *subscribe)
{
    size_t start = frame_begin(buf, OP_SUBSCRIBE, request_id);
    bool is_named = subscribe->consumer.size > 0;

    pack_array(buf, is_named ? NAMED_FIELDS : SUBSCRIBE_FIELDS);
    query_encode(buf, &subscribe->query);
    pack_uint(buf, subscribe->after);
    pack_uint(buf, subscribe->credit);
    if (is_named) {
        pack_str(buf, subscribe->consumer);
        pack_uint(buf, subscribe->epoch);
    }
    frame_end(buf, start);
}

enum acta_code
msg_subscribe_decode(struct msg_subscribe *subscribe, struct slice body,
                     struct acta_err *err)
{
    struct pack_reader reader;
    size_t fields;

    *subscribe = (struct msg_subscribe){.query = QUERY_ALL};
    fields = msg_request_begin_of(&reader, body, SUBSCRIBE_FIELDS, NAMED_FIELDS,
                                  err);
    query_decode(&reader, &subscribe->query);
    subscribe->after = pack_get_uint(&reader, "after");
    subscribe->credit = pack_get_uint(&reader, "credit");
    if (fields > SUBSCRIBE_FIELDS && fields < NAMED_FIELDS) {
        pack_fail(&reader, ACTA_INVALID, "consumer has no epoch");
    }
    if (fields > SUBSCRIBE_FIELDS) {
        subscribe->consumer = pack_get_str(&reader, "consumer");
        msg_check_name(&reader, subscribe->consumer, "consumer");
        subscribe->epoch = pack_get_uint(&reader, "epoch");
    }
    if (reader.failed) {
        query_fini(&subscribe->query);
    }
    return pack_code(&reader);
}

/* As in a page, what is known only at the end is patched in in front. */
#define DELIVERY_POSITION_AT (FRAME_HEADER_SIZE + 1)
#define DELIVERY_HEAD_AT     (DELIVERY_POSITION_AT + PACK_FIXED_SIZE)

struct msg_open
msg_delivery_begin(struct buf *buf, uint64_t request_id)
{
    struct msg_open open = {.frame = frame_begin(buf, OP_DELIVERY, request_id)};

    pack_array(buf, DELIVERY_FIELDS);
    pack_fixed(buf, 0);
    pack_fixed(buf, 0);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_delivery_end(struct buf *buf, struct msg_open open,
                 const struct msg_delivery *delivery)
{
    pack_patch_fixed(buf, open.frame + DELIVERY_POSITION_AT,
                     delivery->position);
    pack_patch_fixed(buf, open.frame + DELIVERY_HEAD_AT, delivery->head);
    pack_array_end(buf, open.count, delivery->events_count);
    frame_end(buf, open.frame);
}

enum acta_code
msg_delivery_decode(struct msg_delivery *delivery, struct slice body,
                    struct acta_err *err)
{
    struct pack_reader reader;

    delivery->fields_left =
        msg_events_begin(&reader, body, DELIVERY_FIELDS, err);
    delivery->position = pack_get_uint(&reader, "position");
    delivery->head = pack_get_uint(&reader, "head");
    delivery->events_count = msg_take_events(&reader, &delivery->events);
    return pack_code(&reader);
}

void
msg_unsubscribed_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_unsubscribed *unsubscribed)
{
    size_t start = frame_begin(buf, OP_UNSUBSCRIBED, request_id);

    pack_array(buf, UNSUBSCRIBED_FIELDS);
    pack_uint(buf, unsubscribed->code);
    pack_str(buf, unsubscribed->text);
    pack_uint(buf, unsubscribed->position);
    frame_end(buf, start);
}

enum acta_code
msg_unsubscribed_decode(struct msg_unsubscribed *unsubscribed,
                        struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, UNSUBSCRIBED_FIELDS, err);
    unsubscribed->code = (enum acta_code)pack_get_uint(&reader, "code");
    unsubscribed->text = pack_get_str(&reader, "text");
    unsubscribed->position = pack_get_uint(&reader, "position");
    return pack_code(&reader);
}
