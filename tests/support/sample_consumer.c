#include "sample_consumer.h"

#include "msg_consumer.h"
#include "msg_verify.h"
#include "sample_stream.h"

#define NOTE "{\"state\":\"running\"}"

/* Events of orders. */
static struct query
orders(struct query_item *item, struct slice *category)
{
    *category = slice_of("order");
    *item = (struct query_item){0};
    item->fields[QUERY_CATEGORIES] =
        (struct query_terms){.texts = category, .count = 1};
    return (struct query){item, 1, NULL};
}

/* The same as bytes. */
static struct slice
orders_packed(struct buf *buf)
{
    struct query_item item;
    struct slice category;
    struct query query = orders(&item, &category);

    buf_init(buf, 4096);
    query_encode(buf, &query);
    return buf_slice(buf);
}

static void
change(struct buf *buf, uint64_t request_id, enum msg_consumer_change kind,
       uint64_t position)
{
    struct msg_change_consumer change = {
        .name = slice_of("billing"), .kind = kind, .position = position};

    msg_change_consumer_encode(buf, request_id, &change);
}

void
sample_consumer_claim(struct buf *buf)
{
    struct query_item item;
    struct slice category;
    struct msg_change_consumer change = {
        .name = slice_of("billing"),
        .kind = MSG_CONSUMER_CLAIM,
        .query = orders(&item, &category),
    };

    msg_change_consumer_encode(buf, 33, &change);
}

void
sample_consumer_create(struct buf *buf)
{
    struct query_item item;
    struct slice category;
    struct msg_change_consumer change = {
        .name = slice_of("shipping"),
        .kind = MSG_CONSUMER_CREATE,
        .query = orders(&item, &category),
        .position = 4711,
        .settings = {.key_tag = slice_of("customer:"),
                     .ack_timeout_us = 60000000,
                     .on_park = MSG_PARK_GOES_ON},
        .given = MSG_HAS_ACK_TIMEOUT | MSG_HAS_ON_PARK,
    };

    msg_change_consumer_encode(buf, 34, &change);
}

void
sample_consumer_alter(struct buf *buf)
{
    struct query_item item;
    struct slice category;
    struct msg_change_consumer change = {
        .name = slice_of("shipping"),
        .kind = MSG_CONSUMER_ALTER,
        .query = orders(&item, &category),
        .settings = {.deliveries_max = 3},
        .given = MSG_HAS_QUERY | MSG_HAS_DELIVERIES_MAX,
    };

    msg_change_consumer_encode(buf, 35, &change);
}

void
sample_consumer_delete(struct buf *buf)
{
    change(buf, 36, MSG_CONSUMER_DELETE, 0);
}

void
sample_consumer_pause(struct buf *buf)
{
    change(buf, 37, MSG_CONSUMER_PAUSE, 0);
}

void
sample_consumer_resume(struct buf *buf)
{
    change(buf, 38, MSG_CONSUMER_RESUME, 0);
}

void
sample_consumer_reset(struct buf *buf)
{
    change(buf, 39, MSG_CONSUMER_RESET, 70000);
}

void
sample_consumer_note(struct buf *buf)
{
    struct msg_change_consumer change = {
        .name = slice_of("billing"),
        .kind = MSG_CONSUMER_NOTE,
        .epoch = 17,
        .note = slice_of(NOTE),
    };

    msg_change_consumer_encode(buf, 57, &change);
}

void
sample_verify(struct buf *buf)
{
    msg_verify_encode(buf, 71, &(struct msg_verify){17, 4 << 20});
}

void
sample_verified(struct buf *buf)
{
    static const struct msg_verified verified = {
        .id = 17,
        .read = 5000000,
        .size = 20000000,
        .problems_found = 2,
        .head = 9000,
        .pages = 4000,
        .has_tables = true,
        .events = 3000,
        .streams = 40,
        .lists = 90,
        .ids = 2500,
        .rows = 7,
        .segments = 2,
        .entries = 30,
        .first_entry = 11,
        .last_entry = 40,
        .problems_count = 1,
        .problems = {{{(const uint8_t *)"data.mdb", 8},
                      {(const uint8_t *)"page 7 is damaged", 17}}},
    };

    msg_verified_encode(buf, 71, &verified);
}

void
sample_await(struct buf *buf)
{
    struct msg_await await = {slice_of("billing"), 5000, 2000000};

    msg_await_encode(buf, 58, &await);
}

void
sample_consumer_changed(struct buf *buf)
{
    struct msg_consumer_changed changed = {4711, 17, true};

    msg_consumer_changed_encode(buf, 33, &changed);
}

/* ---- lists ---- */

static struct msg_consumer
group_of_two(struct slice query)
{
    return (struct msg_consumer){
        .name = slice_of("shipping"),
        .kind = MSG_CONSUMER_GROUP,
        .query = query,
        .position = 4711,
        .epoch = 18,
        .settings = {slice_of("customer:"), 60000000, 10, MSG_PARK_GOES_ON},
        .lag = {289, 40, true, 2500000},
        .head = 5000,
        .changed_us = SAMPLE_TIME_US,
        .connected = 2,
        .in_hand = 30,
        .delayed = 1,
        .parked = 3,
    };
}

void
sample_list_consumers(struct buf *buf)
{
    struct msg_list list = {slice_of("ship"), SLICE_NONE, 100};

    msg_list_encode(buf, OP_LIST_CONSUMERS, 40, &list);
}

void
sample_consumers(struct buf *buf)
{
    struct msg_open open = msg_consumers_begin(buf, 40);
    struct buf query;
    struct msg_consumer consumer = {
        .name = slice_of("billing"),
        .query = orders_packed(&query),
        .position = 5000,
        .epoch = 17,
        .lag = {.is_counted = true},
        .head = 5000,
        .connected = 1,
        .note = slice_of(NOTE),
        .note_us = SAMPLE_TIME_US,
    };

    msg_consumers_add(buf, &open, &consumer);
    consumer = group_of_two(consumer.query);
    consumer.is_paused = true;
    msg_consumers_add(buf, &open, &consumer);
    msg_consumers_end(buf, open, true);
    buf_fini(&query);
}

void
sample_describe_consumer(struct buf *buf)
{
    msg_describe_consumer_encode(buf, 41, slice_of("shipping"));
}

void
sample_consumer(struct buf *buf)
{
    struct msg_member members[] = {
        {slice_of("worker-1"), 100, 30, SAMPLE_TIME_US, 4000},
        {SLICE_NONE, 100, 0, SAMPLE_TIME_US + 1, 0},
    };
    struct buf query;
    struct msg_consumer group = group_of_two(orders_packed(&query));
    struct msg_open open = msg_consumer_begin(buf, 41, &group);

    msg_consumer_member(buf, &open, &members[0]);
    msg_consumer_member(buf, &open, &members[1]);
    msg_consumer_end(buf, open);
    buf_fini(&query);
}

/* ---- parked ---- */

void
sample_list_parked(struct buf *buf)
{
    struct msg_list_parked list = {slice_of("shipping"), 4000, 100};

    msg_list_parked_encode(buf, 42, &list);
}

void
sample_parked(struct buf *buf)
{
    struct msg_parked parked[] = {
        {4500, slice_of("customer:7"), MSG_PARKED, 10, SAMPLE_TIME_US,
         slice_of("no such address")},
        {4510, slice_of("customer:7"), MSG_PARKED_BEHIND, 0, SAMPLE_TIME_US,
         SLICE_NONE},
        {4600, slice_of("customer:9"), MSG_PARKED_REPLAYED, 11, SAMPLE_TIME_US,
         slice_of("not answered in time")},
    };
    struct msg_open open = msg_parked_begin(buf, 42);

    for (size_t i = 0; i < 3; i++) {
        msg_parked_add(buf, &open, &parked[i]);
    }
    msg_parked_end(buf, open, true);
}

void
sample_parked_replay(struct buf *buf)
{
    msg_change_parked_encode(buf, 43, slice_of("shipping"), MSG_PARKED_REPLAY,
                             NULL, 0, true);
}

void
sample_parked_drop(struct buf *buf)
{
    static const uint64_t positions[] = {4500, 4600};

    msg_change_parked_encode(buf, 44, slice_of("shipping"), MSG_PARKED_DROP,
                             positions, 2, false);
}

void
sample_parked_changed(struct buf *buf)
{
    msg_number_encode(buf, OP_PARKED_CHANGED, 43, 2);
}
