/* consumers; describe-consumer and consumer. */

#include "msg_consumer.h"

#include "msg_body.h"

#define DESCRIBE_FIELDS  1
#define DESCRIBED_FIELDS 2
#define CONSUMER_FIELDS  16
#define SETTINGS_FIELDS  4
#define LAG_FIELDS       4
#define MEMBER_FIELDS    5

static void
write_consumer(struct buf *buf, const struct msg_consumer *consumer)
{
    pack_array(buf, CONSUMER_FIELDS);
    pack_str(buf, consumer->name);
    pack_uint(buf, consumer->kind);
    buf_append_slice(buf, consumer->query);
    pack_uint(buf, consumer->position);
    pack_uint(buf, consumer->epoch);
    pack_bool(buf, consumer->is_paused);
    pack_array(buf, SETTINGS_FIELDS);
    pack_str(buf, consumer->settings.key_tag);
    pack_uint(buf, consumer->settings.ack_timeout_us);
    pack_uint(buf, consumer->settings.deliveries_max);
    pack_uint(buf, consumer->settings.on_park);
    pack_array(buf, LAG_FIELDS);
    pack_uint(buf, consumer->lag.events);
    pack_uint(buf, consumer->lag.matching);
    pack_bool(buf, consumer->lag.is_counted);
    pack_uint(buf, consumer->lag.time_us);
    pack_uint(buf, consumer->head);
    pack_uint(buf, consumer->changed_us);
    pack_uint(buf, consumer->connected);
    pack_uint(buf, consumer->in_hand);
    pack_uint(buf, consumer->delayed);
    pack_uint(buf, consumer->parked);
    pack_str(buf, consumer->note);
    pack_uint(buf, consumer->note_us);
}

static void
read_settings(struct pack_reader *reader, struct msg_group_settings *settings)
{
    size_t left = msg_part_begin(reader, SETTINGS_FIELDS, "settings");

    settings->key_tag = pack_get_str(reader, "key tag");
    settings->ack_timeout_us = pack_get_uint(reader, "ack time-out");
    settings->deliveries_max = pack_get_uint(reader, "deliveries max");
    settings->on_park = (enum msg_on_park)pack_get_uint(reader, "on park");
    msg_part_end(reader, left);
}

static void
read_lag(struct pack_reader *reader, struct msg_lag *lag)
{
    size_t left = msg_part_begin(reader, LAG_FIELDS, "lag");

    lag->events = pack_get_uint(reader, "events");
    lag->matching = pack_get_uint(reader, "matching");
    lag->is_counted = pack_get_bool(reader, "is counted");
    lag->time_us = pack_get_uint(reader, "time");
    msg_part_end(reader, left);
}

static struct msg_consumer
read_consumer(struct pack_reader *reader)
{
    struct msg_consumer consumer = {0};
    size_t left = msg_part_begin(reader, CONSUMER_FIELDS, "consumer fields");

    consumer.name = pack_get_str(reader, "name");
    consumer.kind = (enum msg_consumer_kind)pack_get_uint(reader, "kind");
    consumer.query = msg_take_elements(reader, 1);
    consumer.position = pack_get_uint(reader, "position");
    consumer.epoch = pack_get_uint(reader, "epoch");
    consumer.is_paused = pack_get_bool(reader, "is paused");
    read_settings(reader, &consumer.settings);
    read_lag(reader, &consumer.lag);
    consumer.head = pack_get_uint(reader, "head");
    consumer.changed_us = pack_get_uint(reader, "changed");
    consumer.connected = pack_get_uint(reader, "connected");
    consumer.in_hand = pack_get_uint(reader, "in hand");
    consumer.delayed = pack_get_uint(reader, "delayed");
    consumer.parked = pack_get_uint(reader, "parked");
    consumer.note = pack_get_str(reader, "note");
    consumer.note_us = pack_get_uint(reader, "noted");
    msg_part_end(reader, left);
    return consumer;
}

/* The query is looked at once: what is taken later is a query. */
static struct msg_consumer
check_consumer(struct pack_reader *reader)
{
    struct msg_consumer consumer = read_consumer(reader);
    struct pack_reader inner;
    struct query query;

    if (!reader->failed) {
        pack_reader_init(&inner, consumer.query, reader->err);
        query_decode(&inner, &query);
        query_fini(&query);
        reader->failed = inner.failed;
        reader->code = inner.code;
    }
    return consumer;
}

static void
take_consumer(struct pack_reader *reader)
{
    check_consumer(reader);
}

/* ---- list ---- */

struct msg_open
msg_consumers_begin(struct buf *buf, uint64_t request_id)
{
    return msg_list_begin(buf, OP_CONSUMERS, request_id);
}

void
msg_consumers_add(struct buf *buf, struct msg_open *open,
                  const struct msg_consumer *consumer)
{
    write_consumer(buf, consumer);
    open->listed++;
}

void
msg_consumers_end(struct buf *buf, struct msg_open open, bool at_end)
{
    msg_list_end(buf, open, open.listed, at_end);
}

enum acta_code
msg_consumers_decode(struct msg_consumers *consumers, struct slice body,
                     struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, MSG_LIST_FIELDS, err);
    consumers->consumers = msg_take_list(&reader, &consumers->consumers_count,
                                         take_consumer, "consumers");
    consumers->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_consumer
msg_next_consumer(struct slice *consumers)
{
    struct msg_consumer consumer;
    struct pack_reader reader;

    pack_reader_init(&reader, *consumers, NULL);
    consumer = read_consumer(&reader);
    *consumers = msg_rest(&reader);
    return consumer;
}

/* ---- one ---- */

void
msg_describe_consumer_encode(struct buf *buf, uint64_t request_id,
                             struct slice name)
{
    size_t start = frame_begin(buf, OP_DESCRIBE_CONSUMER, request_id);

    pack_array(buf, DESCRIBE_FIELDS);
    pack_str(buf, name);
    frame_end(buf, start);
}

enum acta_code
msg_describe_consumer_decode(struct slice *name, struct slice body,
                             struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, DESCRIBE_FIELDS, err);
    *name = pack_get_str(&reader, "consumer");
    msg_check_name(&reader, *name, "consumer");
    return pack_code(&reader);
}

struct msg_open
msg_consumer_begin(struct buf *buf, uint64_t request_id,
                   const struct msg_consumer *consumer)
{
    struct msg_open open = {.frame = frame_begin(buf, OP_CONSUMER, request_id)};

    pack_array(buf, DESCRIBED_FIELDS);
    write_consumer(buf, consumer);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_consumer_member(struct buf *buf, struct msg_open *open,
                    const struct msg_member *member)
{
    pack_array(buf, MEMBER_FIELDS);
    pack_str(buf, member->name);
    pack_uint(buf, member->slots);
    pack_uint(buf, member->in_hand);
    pack_uint(buf, member->joined_us);
    pack_uint(buf, member->acked);
    open->listed++;
}

void
msg_consumer_end(struct buf *buf, struct msg_open open)
{
    pack_array_end(buf, open.count, open.listed);
    frame_end(buf, open.frame);
}

static struct msg_member
read_member(struct pack_reader *reader)
{
    struct msg_member member = {0};
    size_t left = msg_part_begin(reader, MEMBER_FIELDS, "member fields");

    member.name = pack_get_str(reader, "name");
    member.slots = pack_get_uint(reader, "slots");
    member.in_hand = pack_get_uint(reader, "in hand");
    member.joined_us = pack_get_uint(reader, "joined");
    member.acked = pack_get_uint(reader, "acked");
    msg_part_end(reader, left);
    return member;
}

static void
take_member(struct pack_reader *reader)
{
    read_member(reader);
}

enum acta_code
msg_consumer_decode(struct msg_described *described, struct slice body,
                    struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, DESCRIBED_FIELDS, err);
    described->consumer = check_consumer(&reader);
    described->members = msg_take_list(&reader, &described->members_count,
                                       take_member, "members");
    return pack_code(&reader);
}

struct msg_member
msg_next_member(struct slice *members)
{
    struct msg_member member;
    struct pack_reader reader;

    pack_reader_init(&reader, *members, NULL);
    member = read_member(&reader);
    *members = msg_rest(&reader);
    return member;
}
