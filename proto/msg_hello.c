/* hello and welcome; status; and bodies of one number or none. */

#include "msg.h"

#include <string.h>

#include "limit.h"
#include "msg_body.h"
#include "name.h"

const struct msg_limits msg_limits_default = {
    .frame_size_max = ACTA_FRAME_SIZE_MAX,
    .event_size_max = ACTA_EVENT_SIZE_MAX,
    .append_size_max = ACTA_APPEND_SIZE_MAX,
    .append_events_max = ACTA_APPEND_EVENTS_MAX,
    .stream_size_max = ACTA_STREAM_SIZE_MAX,
    .type_size_max = ACTA_TYPE_SIZE_MAX,
    .tag_size_max = ACTA_TAG_SIZE_MAX,
    .tags_max = ACTA_TAGS_MAX,
    .page_size_max = ACTA_PAGE_SIZE_MAX,
    .requests_max = ACTA_REQUESTS_MAX,
    .subscriptions_max = ACTA_SUBSCRIPTIONS_MAX,
    .append_checks_max = ACTA_APPEND_CHECKS_MAX,
    .append_conditions_max = ACTA_APPEND_CONDITIONS_MAX,
    .query_items_max = ACTA_QUERY_ITEMS_MAX,
    .query_terms_max = ACTA_QUERY_TERMS_MAX,
    .unseen_events_max = ACTA_UNSEEN_EVENTS_MAX,
    .append_effects_max = ACTA_APPEND_EFFECTS_MAX,
    .snapshot_size_max = ACTA_SNAPSHOT_SIZE_MAX,
    .name_size_max = ACTA_NAME_SIZE_MAX,
    .text_size_max = ACTA_TEXT_SIZE_MAX,
    .slots_max = ACTA_SLOTS_MAX,
    .settle_max = ACTA_SETTLE_MAX,
    .memberships_max = ACTA_MEMBERSHIPS_MAX,
    .lease_us_max = ACTA_LEASE_US_MAX,
    .retry_us_max = ACTA_RETRY_US_MAX,
};

#define HELLO_FIELDS   4
#define WELCOME_FIELDS 7
#define LIMITS_FIELDS  25

static void
check_text(struct pack_reader *reader, struct slice text, size_t size_max,
           const char *what)
{
    struct acta_err err;

    if (!reader->failed && text.size > 0 &&
        name_check(text, size_max, what, &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
}

void
msg_hello_encode(struct buf *buf, uint64_t request_id,
                 const struct msg_hello *hello)
{
    size_t start = frame_begin(buf, OP_HELLO, request_id);

    pack_array(buf, HELLO_FIELDS);
    pack_uint(buf, hello->protocol_min);
    pack_uint(buf, hello->protocol_max);
    pack_str(buf, hello->client);
    pack_str(buf, hello->database);
    frame_end(buf, start);
}

enum acta_code
msg_hello_decode(struct msg_hello *hello, struct slice body,
                 struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, HELLO_FIELDS, err);
    hello->protocol_min = pack_get_uint(&reader, "lowest protocol version");
    hello->protocol_max = pack_get_uint(&reader, "highest protocol version");
    hello->client = pack_get_str(&reader, "client name");
    hello->database = pack_get_str(&reader, "database");
    check_text(&reader, hello->client, ACTA_CLIENT_NAME_SIZE_MAX,
               "client name");
    check_text(&reader, hello->database, ACTA_DATABASE_NAME_SIZE_MAX,
               "database name");
    if (!reader.failed && hello->protocol_min > hello->protocol_max) {
        pack_fail(&reader, ACTA_INVALID,
                  "lowest protocol version is above the highest");
    }
    return pack_code(&reader);
}

/* The limits in the order of the wire. */
static void
each_limit(struct msg_limits *limits, void (*visit)(void *, uint64_t *),
           void *arg)
{
    visit(arg, &limits->frame_size_max);
    visit(arg, &limits->event_size_max);
    visit(arg, &limits->append_size_max);
    visit(arg, &limits->append_events_max);
    visit(arg, &limits->stream_size_max);
    visit(arg, &limits->type_size_max);
    visit(arg, &limits->tag_size_max);
    visit(arg, &limits->tags_max);
    visit(arg, &limits->page_size_max);
    visit(arg, &limits->requests_max);
    visit(arg, &limits->subscriptions_max);
    visit(arg, &limits->append_checks_max);
    visit(arg, &limits->append_conditions_max);
    visit(arg, &limits->query_items_max);
    visit(arg, &limits->query_terms_max);
    visit(arg, &limits->unseen_events_max);
    visit(arg, &limits->append_effects_max);
    visit(arg, &limits->snapshot_size_max);
    visit(arg, &limits->name_size_max);
    visit(arg, &limits->text_size_max);
    visit(arg, &limits->slots_max);
    visit(arg, &limits->settle_max);
    visit(arg, &limits->memberships_max);
    visit(arg, &limits->lease_us_max);
    visit(arg, &limits->retry_us_max);
}

static void
write_limit(void *buf, uint64_t *limit)
{
    pack_uint(buf, *limit);
}

static void
read_limit(void *reader, uint64_t *limit)
{
    *limit = pack_get_uint(reader, "limit");
}

void
msg_welcome_encode(struct buf *buf, uint64_t request_id,
                   const struct msg_welcome *welcome)
{
    size_t start = frame_begin(buf, OP_WELCOME, request_id);
    struct msg_limits limits = welcome->limits;

    pack_array(buf, WELCOME_FIELDS);
    pack_uint(buf, welcome->protocol);
    pack_str(buf, welcome->server_version);
    pack_bin(buf, slice_make(welcome->server_id.bytes, UUID_SIZE));
    pack_str(buf, welcome->database);
    pack_bin(buf, slice_make(welcome->database_id.bytes, UUID_SIZE));
    pack_uint(buf, welcome->head);
    pack_array(buf, LIMITS_FIELDS);
    each_limit(&limits, write_limit, buf);
    frame_end(buf, start);
}

static void
get_uuid(struct pack_reader *reader, struct uuid *uuid, const char *what)
{
    const uint8_t *bytes = pack_get_bytes_or_nil(reader, UUID_SIZE, what);

    memset(uuid, 0, sizeof(*uuid));
    if (bytes != NULL) {
        memcpy(uuid->bytes, bytes, UUID_SIZE);
    }
}

enum acta_code
msg_welcome_decode(struct msg_welcome *welcome, struct slice body,
                   struct acta_err *err)
{
    struct pack_reader reader;
    size_t left;

    msg_reply_begin(&reader, body, WELCOME_FIELDS, err);
    welcome->protocol = pack_get_uint(&reader, "protocol version");
    welcome->server_version = pack_get_str(&reader, "server version");
    get_uuid(&reader, &welcome->server_id, "server id");
    welcome->database = pack_get_str(&reader, "database");
    get_uuid(&reader, &welcome->database_id, "database id");
    welcome->head = pack_get_uint(&reader, "head");
    left = msg_part_begin(&reader, LIMITS_FIELDS, "limits");
    each_limit(&welcome->limits, read_limit, &reader);
    msg_part_end(&reader, left);
    return pack_code(&reader);
}

void
msg_empty_encode(struct buf *buf, uint8_t kind, uint64_t request_id)
{
    size_t start = frame_begin(buf, kind, request_id);

    pack_array(buf, 0);
    frame_end(buf, start);
}

enum acta_code
msg_empty_decode(struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, 0, err);
    return pack_code(&reader);
}

void
msg_number_encode(struct buf *buf, uint8_t kind, uint64_t request_id,
                  uint64_t number)
{
    size_t start = frame_begin(buf, kind, request_id);

    pack_array(buf, 1);
    pack_uint(buf, number);
    frame_end(buf, start);
}

enum acta_code
msg_number_decode(uint64_t *number, uint8_t kind, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    if (kind < OP_REPLY_FIRST) {
        msg_request_begin(&reader, body, 1, err);
    } else {
        msg_reply_begin(&reader, body, 1, err);
    }
    *number = pack_get_uint(&reader, "number");
    return pack_code(&reader);
}

#define ENTRY_FIELDS 2

struct msg_open
msg_status_begin(struct buf *buf, uint64_t request_id)
{
    struct msg_open open = {.frame =
                                frame_begin(buf, OP_STATUS_REPLY, request_id)};

    pack_array(buf, 1);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_status_number(struct buf *buf, struct msg_open *open, const char *name,
                  uint64_t number)
{
    pack_array(buf, ENTRY_FIELDS);
    pack_text(buf, name);
    pack_uint(buf, number);
    open->listed++;
}

void
msg_status_text(struct buf *buf, struct msg_open *open, const char *name,
                const char *text)
{
    pack_array(buf, ENTRY_FIELDS);
    pack_text(buf, name);
    pack_text(buf, text);
    open->listed++;
}

void
msg_status_end(struct buf *buf, struct msg_open open)
{
    pack_array_end(buf, open.count, open.listed);
    frame_end(buf, open.frame);
}

static struct msg_status_entry
read_entry(struct pack_reader *reader)
{
    struct msg_status_entry entry = {0};
    size_t left = msg_part_begin(reader, ENTRY_FIELDS, "entry fields");

    entry.name = pack_get_str(reader, "name");
    entry.is_text = pack_peek(reader) == PACK_STR;
    if (entry.is_text) {
        entry.text = pack_get_str(reader, "text");
    } else {
        entry.number = pack_get_uint(reader, "number");
    }
    msg_part_end(reader, left);
    return entry;
}

static void
take_entry(struct pack_reader *reader)
{
    read_entry(reader);
}

enum acta_code
msg_status_decode(struct slice *entries, size_t *count, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, 1, err);
    *entries = msg_take_list(&reader, count, take_entry, "entries");
    return pack_code(&reader);
}

struct msg_status_entry
msg_next_status(struct slice *entries)
{
    struct msg_status_entry entry;
    struct pack_reader reader;

    pack_reader_init(&reader, *entries, NULL);
    entry = read_entry(&reader);
    *entries = msg_rest(&reader);
    return entry;
}
