#include "sample.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "limit.h"
#include "msg.h"
#include "msg_group.h"
#include "msg_lease.h"
#include "sample_backup.h"
#include "sample_consumer.h"
#include "sample_effects.h"
#include "sample_group.h"
#include "sample_lease.h"
#include "sample_stream.h"

static const uint8_t id_1[UUID_SIZE] = {0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00,
                                        0x70, 0x01, 0x80, 0x00, 0x00, 0x00,
                                        0x00, 0x00, 0x00, 0x01};
static const uint8_t id_2[UUID_SIZE] = {0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00,
                                        0x70, 0x02, 0x80, 0x00, 0x00, 0x00,
                                        0x00, 0x00, 0x00, 0x02};
static const uint8_t correlation[UUID_SIZE] = {
    0x01, 0x8b, 0xcf, 0xe5, 0x67, 0xff, 0x70, 0xaa,
    0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xaa};

/* ---- connection ---- */

static void
write_hello(struct buf *buf)
{
    struct msg_hello hello = {1, 1, slice_of("till"), SLICE_NONE};

    msg_hello_encode(buf, 1, &hello);
}

static void
write_hello_database(struct buf *buf)
{
    struct msg_hello hello = {1, 3, SLICE_NONE, slice_of("archive")};

    msg_hello_encode(buf, 1, &hello);
}

static void
write_welcome(struct buf *buf)
{
    struct msg_welcome welcome = {
        .protocol = 1,
        .server_version = slice_of("0.1.0"),
        .database = slice_of("main"),
        .head = 6,
        .limits = msg_limits_default,
    };

    memset(welcome.server_id.bytes, 0x5e, UUID_SIZE);
    memset(welcome.database_id.bytes, 0xdb, UUID_SIZE);
    msg_welcome_encode(buf, 1, &welcome);
}

static void
write_ping(struct buf *buf)
{
    msg_empty_encode(buf, OP_PING, 2);
}

static void
write_pong(struct buf *buf)
{
    msg_number_encode(buf, OP_PONG, 2, 6);
}

static void
write_status(struct buf *buf)
{
    msg_empty_encode(buf, OP_STATUS, 3);
}

static void
write_status_reply(struct buf *buf)
{
    struct msg_open open = msg_status_begin(buf, 3);

    msg_status_text(buf, &open, "server.version", "0.1.0");
    msg_status_number(buf, &open, "database.head", 4294967296);
    msg_status_end(buf, open);
}

static void
write_error(struct buf *buf)
{
    static struct msg_error error;

    error.code = ACTA_UNSUPPORTED;
    error.text = slice_of("there is no request of kind 0x7f");
    msg_error_encode(buf, 4, &error);
}

static void
write_error_header(struct buf *buf)
{
    static struct msg_error error;

    error.code = ACTA_PROTOCOL;
    error.text = slice_of("frame begins with byte 0x47, not 0xac");
    msg_error_encode(buf, 0, &error);
}

static void
write_error_conflict(struct buf *buf)
{
    static struct msg_error error;

    error.code = ACTA_CONFLICT;
    error.text = slice_of("write 0: order-42 is at version 3, expected 2");
    error.failures_count = 2;
    error.failures[0] = (struct msg_failure){MSG_FAILED_WRITE, 0, 0, 2, 3};
    error.failures[1] =
        (struct msg_failure){MSG_FAILED_WRITE, 1, 0, MSG_EXPECT_EXISTS, 0};
    msg_error_encode(buf, 5, &error);
}

static void
write_error_id_reused(struct buf *buf)
{
    static struct msg_error error;

    error.code = ACTA_ID_REUSED;
    error.text = slice_of("write 0, event 1: id is stored as order-42@7");
    error.failures_count = 1;
    error.failures[0] = (struct msg_failure){MSG_FAILED_EVENT, 0, 1, 0, 7};
    msg_error_encode(buf, 6, &error);
}

/* ---- append ---- */

static void
write_event_placed(struct buf *buf)
{
    struct event event = {
        .type = slice_of("OrderPlaced"),
        .id = id_1,
        .data = slice_of("{\"total\":12.5}"),
        .format = EVENT_JSON,
    };

    event_encode_content(buf, &event, NULL, 0);
}

static void
write_event_full(struct buf *buf)
{
    struct slice tags[] = {slice_of("customer:7"), slice_of("région:été")};
    struct event event = {
        .type = slice_of("OrderPaid"),
        .id = id_2,
        .correlation_id = correlation,
        .causation_id = id_1,
        .metadata = slice_make("\x81\xa4user\xa3"
                               "ann",
                               10),
        .data = slice_make("\x00\x01\xfe\xff", 4),
        .format = EVENT_BINARY,
    };

    event_encode_content(buf, &event, tags, 2);
}

static void
write_append(struct buf *buf)
{
    size_t start = msg_append_begin(buf, 2, 1);

    msg_append_write(buf, slice_of("order-42"), 0, 1);
    write_event_placed(buf);
    msg_append_end(buf, start, NULL);
}

static void
write_append_two_streams(struct buf *buf)
{
    size_t start = msg_append_begin(buf, 7, 3);

    msg_append_write(buf, slice_of("order-42"), 1, 2);
    write_event_placed(buf);
    write_event_full(buf);
    msg_append_write(buf, slice_of("payment-9"), MSG_EXPECT_ANY, 1);
    write_event_full(buf);
    msg_append_write(buf, slice_of("customer-7"), MSG_EXPECT_EXISTS, 1);
    write_event_full(buf);
    msg_append_end(buf, start, NULL);
}

/* Paid orders, or anything of a stream that begins with audit-. */
static struct query
prefix_query(struct query_item items[static 2], struct slice texts[static 3])
{
    texts[0] = slice_of("OrderPaid");
    texts[1] = slice_of("OrderRefund");
    texts[2] = slice_of("audit-");
    memset(items, 0, 2 * sizeof(*items));
    items[0].fields[QUERY_TYPES] = (struct query_terms){texts, 1, texts + 1, 1};
    items[1].fields[QUERY_STREAMS] =
        (struct query_terms){.prefixes = texts + 2, .prefixes_count = 1};
    return (struct query){items, 2, NULL};
}

static void
write_append_conditional(struct buf *buf)
{
    size_t start = msg_append_begin(buf, 18, 1);
    struct query_item items[2];
    struct slice texts[3];
    struct msg_check checks[] = {
        {slice_of("customer-7"), 12},
        {slice_of("customer-8"), MSG_EXPECT_EXISTS},
    };
    struct msg_condition conditions[] = {
        {prefix_query(items, texts), 4711},
        {QUERY_ALL, 5000},
    };
    struct msg_append_more more = {
        .checks = checks,
        .checks_count = 2,
        .conditions = conditions,
        .conditions_count = 2,
        .command_id = correlation,
        .unseen = {.events_max = 100, .bytes_max = 65536},
    };

    msg_append_write(buf, slice_of("order-42"), 3, 1);
    write_event_placed(buf);
    msg_append_end(buf, start, &more);
}

static void
write_append_command(struct buf *buf)
{
    struct msg_append_more more = {.command_id = correlation};
    size_t start = msg_append_begin(buf, 19, 1);

    msg_append_write(buf, slice_of("order-42"), MSG_EXPECT_ANY, 1);
    write_event_placed(buf);
    msg_append_end(buf, start, &more);
}

static void
write_find_command(struct buf *buf)
{
    msg_find_command_encode(buf, 59, correlation);
}

static void
write_appended(struct buf *buf)
{
    struct msg_run run = {0, 1, 7, 1};
    size_t start = msg_appended_begin(buf, 2, false, 1);

    msg_appended_run(buf, &run);
    msg_appended_end(buf, start, 0);
}

static void
write_appended_repeated(struct buf *buf)
{
    struct msg_run runs[] = {{0, 1, 7, 1}, {0, 5, 70, 300}, {1, 1, 8, 1}};
    size_t start = msg_appended_begin(buf, 7, true, 3);

    for (size_t i = 0; i < 3; i++) {
        msg_appended_run(buf, &runs[i]);
    }
    msg_appended_end(buf, start, 0);
}

/* ---- reading ---- */

/* The eight fields of a content, without the head of their array. */
static struct slice
content_of(struct buf *buf, void (*write)(struct buf *buf))
{
    struct slice bytes;

    buf_init(buf, 4096);
    write(buf);
    bytes = buf_slice(buf);
    return slice_make(bytes.data + 1, bytes.size - 1);
}

static void
write_record(struct buf *buf, uint64_t position, uint64_t version,
             const char *stream, void (*write)(struct buf *buf))
{
    struct buf content;
    struct event event = {
        .position = position,
        .version = version,
        .time_us = SAMPLE_TIME_US + position,
        .stream = slice_of(stream),
        .content = content_of(&content, write),
    };
    size_t size = event_record_size(&event);
    uint8_t *to = buf_reserve(buf, size);

    assert(to != NULL);
    event_write_record(to, &event);
    buf_advance(buf, size);
    buf_fini(&content);
}

static void
write_read_stream(struct buf *buf)
{
    struct msg_read_stream read = {
        .stream = slice_of("order-42"), .from = 1, .bounds = {100, 65536}};

    msg_read_stream_encode(buf, 8, &read);
}

static void
write_read_stream_backward(struct buf *buf)
{
    struct msg_read_stream read = {.stream = slice_of("order-42"),
                                   .backward = true};

    msg_read_stream_encode(buf, 9, &read);
}

static void
write_read_all(struct buf *buf)
{
    struct msg_read_all read = {.query = QUERY_ALL, .from = 0};

    msg_read_all_encode(buf, 10, &read);
}

/* Orders placed by customer 7, or anything of two correlation ids. */
static struct query
sample_query(struct query_item items[static 2], struct slice texts[static 7])
{
    texts[0] = slice_of("order");
    texts[1] = slice_of("OrderPlaced");
    texts[2] = slice_of("OrderPaid");
    texts[3] = slice_of("customer:7");
    texts[4] = slice_of("order-42");
    texts[5] = slice_make(correlation, UUID_SIZE);
    texts[6] = slice_make(id_1, UUID_SIZE);
    memset(items, 0, 2 * sizeof(*items));
    items[0].fields[QUERY_CATEGORIES] =
        (struct query_terms){.texts = texts, .count = 1};
    items[0].fields[QUERY_TYPES] =
        (struct query_terms){.texts = texts + 1, .count = 2};
    items[0].fields[QUERY_TAGS] =
        (struct query_terms){.texts = texts + 3, .count = 1};
    items[0].fields[QUERY_STREAMS] =
        (struct query_terms){.texts = texts + 4, .count = 1};
    items[1].fields[QUERY_CORRELATION_IDS] =
        (struct query_terms){.texts = texts + 5, .count = 2};
    return (struct query){items, 2, NULL};
}

static void
write_read_all_query(struct buf *buf)
{
    struct query_item items[2];
    struct slice texts[7];
    struct msg_read_all read = {.query = sample_query(items, texts),
                                .from = UINT64_MAX,
                                .backward = true,
                                .bounds = {10, 0}};

    msg_read_all_encode(buf, 11, &read);
}

static void
write_read_all_prefix(struct buf *buf)
{
    struct query_item items[2];
    struct slice texts[3];
    struct msg_read_all read = {.query = prefix_query(items, texts)};

    msg_read_all_encode(buf, 28, &read);
}

static void
write_read_event_by_id(struct buf *buf)
{
    struct msg_read_event read = {.id = id_1};

    msg_read_event_encode(buf, 12, &read);
}

static void
write_read_event_by_version(struct buf *buf)
{
    struct msg_read_event read = {.stream = slice_of("order-42"), .version = 1};

    msg_read_event_encode(buf, 13, &read);
}

static void
write_page(struct buf *buf)
{
    struct msg_open open = msg_page_begin(buf, 8);
    struct msg_page page = {
        .events_count = 2, .next = 2, .at_end = true, .head = 8, .version = 2};

    write_record(buf, 7, 1, "order-42", write_event_placed);
    write_record(buf, 8, 2, "order-42", write_event_full);
    msg_page_end(buf, open, &page);
}

static void
write_page_empty(struct buf *buf)
{
    struct msg_open open = msg_page_begin(buf, 11);
    struct msg_page page = {.next = 70000, .head = 1000000};

    msg_page_end(buf, open, &page);
}

static void
write_event_erased(struct buf *buf)
{
    struct slice tag = slice_of("customer:7");
    struct event event = {
        .type = slice_of("CustomerMoved"),
        .id = id_2,
        .format = EVENT_ERASED,
    };

    event_encode_content(buf, &event, &tag, 1);
}

static void
write_page_erased(struct buf *buf)
{
    struct msg_open open = msg_page_begin(buf, 13);
    struct msg_page page = {.events_count = 1, .at_end = true, .head = 8};

    write_record(buf, 6, 2, "customer-7", write_event_erased);
    msg_page_end(buf, open, &page);
}

/* What stood in the way of append-conditional, and one event of it. */
static void
write_error_unseen(struct buf *buf)
{
    static struct msg_error error;
    struct msg_open open;

    error.code = ACTA_CONFLICT;
    error.text = slice_of("check 0: customer-7 is at version 13, expected 12");
    error.failures_count = 2;
    error.failures[0] = (struct msg_failure){MSG_FAILED_CHECK, 0, 0, 12, 13};
    error.failures[1] =
        (struct msg_failure){MSG_FAILED_CONDITION, 0, 0, 4711, 4713};
    error.unseen_complete = true;
    error.unseen_head = 5000;
    error.unseen_count = 2;
    open = msg_error_begin(buf, 18, &error);
    write_record(buf, 4712, 13, "customer-7", write_event_placed);
    write_record(buf, 4713, 9, "audit-1", write_event_full);
    msg_error_end(buf, open, &error);
}

static void
write_error_undecided(struct buf *buf)
{
    static struct msg_error error;

    error.code = ACTA_UNDECIDED;
    error.text = slice_of("condition 1: no event up to 900 matches");
    error.failures_count = 1;
    error.failures[0] =
        (struct msg_failure){MSG_FAILED_CONDITION, 1, 0, 500, 900};
    error.has_unseen = true;
    error.unseen_head = 5000;
    msg_error_encode(buf, 18, &error);
}

static void
write_loaded(struct buf *buf)
{
    struct msg_loaded loaded = {
        .has_snapshot = true,
        .snapshot_version = 1,
        .snapshot_schema = 2,
        .snapshot_time_us = SAMPLE_TIME_US,
        .snapshot = slice_of("{\"total\":12.5}"),
        .page = {.events_count = 1,
                 .next = 2,
                 .at_end = true,
                 .head = 8,
                 .version = 2},
    };
    struct msg_open open = msg_loaded_begin(buf, 55, &loaded);

    write_record(buf, 8, 2, "order-42", write_event_full);
    msg_loaded_end(buf, open, &loaded.page);
}

static void
write_handed(struct buf *buf)
{
    struct msg_open open = msg_handed_begin(buf, 60, 23, 5000);
    struct msg_count count = {1, 3};

    write_record(buf, 4712, 1, "order-42", write_event_placed);
    write_record(buf, 4720, 2, "order-42", write_event_full);
    msg_handed_end(buf, open, 2, &count, 1);
}

/* ---- subscriptions ---- */

static void
write_subscribe(struct buf *buf)
{
    struct msg_subscribe subscribe = {
        .query = QUERY_ALL, .after = 6, .credit = 1 << 20};

    msg_subscribe_encode(buf, 3, &subscribe);
}

static void
write_subscribe_query(struct buf *buf)
{
    struct query_item items[2];
    struct slice texts[7];
    struct msg_subscribe subscribe = {
        .query = sample_query(items, texts), .after = 0, .credit = 0};

    msg_subscribe_encode(buf, 16, &subscribe);
}

static void
write_subscribe_named(struct buf *buf)
{
    struct msg_subscribe subscribe = {.query = QUERY_ALL,
                                      .after = 4711,
                                      .credit = 1 << 20,
                                      .consumer = slice_of("billing"),
                                      .epoch = 17};

    msg_subscribe_encode(buf, 45, &subscribe);
}

static void
write_unsubscribed_fenced(struct buf *buf)
{
    struct msg_unsubscribed unsubscribed = {
        ACTA_FENCED, slice_of("billing was claimed by another"), 4800};

    msg_unsubscribed_encode(buf, 45, &unsubscribed);
}

static void
write_subscribed(struct buf *buf)
{
    msg_number_encode(buf, OP_SUBSCRIBED, 3, 7);
}

static void
write_credit(struct buf *buf)
{
    msg_number_encode(buf, OP_CREDIT, 3, 65536);
}

static void
write_delivery(struct buf *buf)
{
    struct msg_open open = msg_delivery_begin(buf, 3);
    struct msg_delivery delivery = {
        .events_count = 1, .position = 7, .head = 7};

    write_record(buf, 7, 1, "order-42", write_event_placed);
    msg_delivery_end(buf, open, &delivery);
}

static void
write_delivery_position(struct buf *buf)
{
    struct msg_open open = msg_delivery_begin(buf, 16);
    struct msg_delivery delivery = {.position = 70000, .head = 70001};

    msg_delivery_end(buf, open, &delivery);
}

static void
write_caught_up(struct buf *buf)
{
    msg_number_encode(buf, OP_CAUGHT_UP, 3, 7);
}

static void
write_fell_behind(struct buf *buf)
{
    msg_number_encode(buf, OP_FELL_BEHIND, 3, 9);
}

static void
write_unsubscribe(struct buf *buf)
{
    msg_number_encode(buf, OP_UNSUBSCRIBE, 17, 3);
}

static void
write_unsubscribed(struct buf *buf)
{
    struct msg_unsubscribed unsubscribed = {ACTA_OK, SLICE_NONE, 9};

    msg_unsubscribed_encode(buf, 3, &unsubscribed);
}

static void
write_unsubscribed_stopping(struct buf *buf)
{
    struct msg_unsubscribed unsubscribed = {ACTA_STOPPING,
                                            slice_of("server is stopping"), 9};

    msg_unsubscribed_encode(buf, 3, &unsubscribed);
}

const struct sample samples[] = {
    {"hello", "The first frame of a client, to the default database.",
     write_hello},
    {"hello-database", "A client without a name that speaks versions 1 to 3.",
     write_hello_database},
    {"welcome", "The answer, with all limits.", write_welcome},
    {"ping", "A body without fields is an empty array.", write_ping},
    {"pong", "The head of the database.", write_pong},
    {"status", "A request for figures about server and database.",
     write_status},
    {"status-reply", "Entries are numbers or texts.", write_status_reply},
    {"error", "A refusal without failures.", write_error},
    {"error-header", "What a broken header is answered with: request id 0.",
     write_error_header},
    {"error-conflict", "A refused append names the writes that failed.",
     write_error_conflict},
    {"error-id-reused", "A refused append names the event whose id is taken.",
     write_error_id_reused},
    {"error-unseen", "A refused append that asked for what it had not seen.",
     write_error_unseen},
    {"error-undecided", "A condition that is decided up to position 900.",
     write_error_undecided},
    {"append", "One event for a stream that must be empty.", write_append},
    {"append-two-streams",
     "Several streams at once: at version 1, any, and exists.",
     write_append_two_streams},
    {"append-conditional",
     "Everything an append can say: two checks, two conditions, a command id, "
     "and how many unseen events a refusal may bring.",
     write_append_conditional},
    {"append-command", "Only a command id; checks and conditions are nil.",
     write_append_command},
    {"find-command", "What became of the command of append-command.",
     write_find_command},
    {"appended", "One run: versions 1 to 1 at positions 7 to 7.",
     write_appended},
    {"appended-repeated", "All was stored before, write 0 in two pieces.",
     write_appended_repeated},
    {"append-effects",
     "All effects: two checkpoints, a lease, a snapshot and the removal of "
     "one, "
     "a schedule, one that is moved, and a cancellation.",
     sample_append_effects},
    {"append-checkpoint", "No events: only a checkpoint moves.",
     sample_append_checkpoint},
    {"append-cancel", "No events: two schedules are cancelled.",
     sample_append_cancel},
    {"appended-cancelled", "No runs; one of the schedules was there.",
     sample_appended_cancelled},
    {"error-effects", "Every kind of effect that can fail.",
     sample_error_effects},
    {"change-stream-set",
     "Version 3 is the first that is kept, and nothing older than a day.",
     sample_change_set},
    {"change-stream-delete", "A stream that exists reads as empty.",
     sample_change_delete},
    {"change-stream-tombstone", "Whatever it is, it takes no more events.",
     sample_change_tombstone},
    {"change-stream-erase", "Data and metadata of version 2 are forgotten.",
     sample_change_erase},
    {"changed", "It was not like that before.", sample_changed},
    {"read-stream", "Forward, behind version 1, at most 100 events or 64 KiB.",
     write_read_stream},
    {"read-stream-backward", "From the end, as much as the server gives.",
     write_read_stream_backward},
    {"read-all", "Everything from the start.", write_read_all},
    {"read-all-query", "Two items, every field of a query used, backward.",
     write_read_all_query},
    {"read-all-prefix", "Types and streams by how they begin.",
     write_read_all_prefix},
    {"read-event-by-id", "Every stream's event of this id.",
     write_read_event_by_id},
    {"read-event-by-version", "One event by its place in its stream.",
     write_read_event_by_version},
    {"page", "Two records, and the end of the stream.", write_page},
    {"page-empty", "Nothing matched up to position 70000: go on from there.",
     write_page_empty},
    {"page-erased", "An event whose data and metadata are erased.",
     write_page_erased},
    {"find-time", "2023-11-14 22:13:20 UTC.", sample_find_time},
    {"found-time", "The first event since then is at position 7.",
     sample_found_time},
    {"list-streams", "Two names behind order-41 that begin with order-.",
     sample_list_streams},
    {"streams", "A live stream and one with a tombstone, and no more.",
     sample_streams},
    {"describe-stream", "One stream by its name.", sample_describe_stream},
    {"description", "It is deleted: the first event to be seen is the next.",
     sample_description},
    {"description-absent", "There is none of this name.",
     sample_description_absent},
    {"list-names", "Ten tags behind customer:6 that begin with customer:.",
     sample_list_names},
    {"names", "One tag, and more behind it.", sample_names},
    {"subscribe", "Everything behind position 6, with credit for 1 MiB.",
     write_subscribe},
    {"subscribe-query", "A query, from the start, with no credit yet.",
     write_subscribe_query},
    {"subscribe-named", "As the consumer billing, in the epoch of its claim.",
     write_subscribe_named},
    {"subscribed", "The subscription is there; the head is 7.",
     write_subscribed},
    {"credit", "64 KiB more for the subscription whose request id this is.",
     write_credit},
    {"delivery", "One record, and the position it brings the client to.",
     write_delivery},
    {"delivery-position", "No event matched up to position 70000.",
     write_delivery_position},
    {"caught-up", "History is over: from here on events come live.",
     write_caught_up},
    {"fell-behind", "Events come from history again.", write_fell_behind},
    {"unsubscribe", "End the subscription with request id 3.",
     write_unsubscribe},
    {"unsubscribed", "It ended because the client wanted it.",
     write_unsubscribed},
    {"unsubscribed-stopping", "It ended because the server stops.",
     write_unsubscribed_stopping},
    {"unsubscribed-fenced", "Another has claimed the consumer.",
     write_unsubscribed_fenced},
    {"change-consumer-claim", "A plain consumer of orders, from the start.",
     sample_consumer_claim},
    {"change-consumer-create",
     "A group with a key of its own; deliveries max is the default.",
     sample_consumer_create},
    {"change-consumer-alter", "A group's query and deliveries max.",
     sample_consumer_alter},
    {"change-consumer-delete", "It and all that is kept for it.",
     sample_consumer_delete},
    {"change-consumer-pause", "Nothing is handed out.", sample_consumer_pause},
    {"change-consumer-resume", "It goes on.", sample_consumer_resume},
    {"change-consumer-reset", "All up to position 70000 counts as handled.",
     sample_consumer_reset},
    {"change-consumer-note", "What the one of epoch 17 says of itself.",
     sample_consumer_note},
    {"await", "Until billing is at 5000, for at most two seconds.",
     sample_await},
    {"verify", "Go on with number 17, at 4 MiB a second.", sample_verify},
    {"verified", "A page was found, and it is not at its end.",
     sample_verified},
    {"consumer-changed", "Its checkpoint and its epoch.",
     sample_consumer_changed},
    {"list-consumers", "A hundred whose names begin with ship.",
     sample_list_consumers},
    {"consumers", "A plain one at the head, and a group that is paused.",
     sample_consumers},
    {"describe-consumer", "One by its name.", sample_describe_consumer},
    {"consumer", "A group and its two members.", sample_consumer},
    {"list-parked", "A hundred parked events behind position 4000.",
     sample_list_parked},
    {"parked", "One, one that waits behind it, and one that is tried again.",
     sample_parked},
    {"change-parked-replay", "Hand out all parked events again.",
     sample_parked_replay},
    {"change-parked-drop", "Forget two.", sample_parked_drop},
    {"parked-changed", "There were two.", sample_parked_changed},
    {"join", "A member with a hundred slots.", sample_join},
    {"joined", "The group's checkpoint and key rule.", sample_joined},
    {"handed", "Two events, the second for the third time.", write_handed},
    {"settle", "All kinds of answers.", sample_settle},
    {"settled", "Ten events are settled, two answers were refused.",
     sample_settled},
    {"leave", "End the membership with request id 60.", sample_leave},
    {"left", "It ended because the client wanted it.", sample_left},
    {"left-deleted", "It ended because the group was deleted.",
     sample_left_deleted},
    {"change-lease-acquire", "For 10 s, after waiting a minute at most.",
     sample_lease_acquire},
    {"change-lease-renew", "For 10 s more.", sample_lease_renew},
    {"change-lease-release", "Others may have it.", sample_lease_release},
    {"lease-changed", "It is held under the fence 19.", sample_lease_changed},
    {"list-leases", "All behind order-42.", sample_list_leases},
    {"leases", "One with two who wait for it, and one that none wants.",
     sample_leases},
    {"list-schedules", "Ten whose names begin with remind-.",
     sample_list_schedules},
    {"schedules", "One that waits and one that was refused; there are more.",
     sample_schedules},
    {"load", "The state of order-42: a snapshot of schema 2 and the tail.",
     sample_load},
    {"load-behind", "What came behind version 2.", sample_load_behind},
    {"loaded", "A snapshot and one event behind it.", write_loaded},
    {"loaded-not-modified", "Nothing came behind it.",
     sample_loaded_not_modified},
    {"begin-backup", "One from the beginning.", sample_begin_backup},
    {"begin-backup-on", "One that goes on behind commit 1200.",
     sample_begin_backup_on},
    {"backup-begun", "It cannot go on, and begins with a base.",
     sample_backup_begun},
    {"read-backup", "Entries up to commit 1310.", sample_read_backup},
    {"backup-chunk", "Their end.", sample_backup_chunk},
    {"end-backup", "All up to commit 1310 is on disk.", sample_end_backup},
    {"backup-ended", "What follows is kept for the next one.",
     sample_backup_ended},
};

const size_t samples_count = sizeof(samples) / sizeof(samples[0]);

const struct sample *
sample_named(const char *name)
{
    for (size_t i = 0; i < samples_count; i++) {
        if (strcmp(samples[i].name, name) == 0) {
            return &samples[i];
        }
    }
    fprintf(stderr, "no sample is named %s\n", name);
    abort();
}

void
sample_write(struct buf *buf, const struct sample *sample, struct frame *frame)
{
    enum acta_code code;
    size_t used;

    buf_clear(buf);
    sample->write(buf);
    assert(!buf_failed(buf));
    code =
        frame_decode(frame, &used, buf_slice(buf), ACTA_FRAME_SIZE_MAX, NULL);
    assert(code == ACTA_OK);
    assert(used == buf_size(buf));
}
