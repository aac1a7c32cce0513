/* append. */

#include "msg.h"

#include <assert.h>
#include <stdlib.h>

#include "limit.h"
#include "msg_body.h"
#include "msg_more.h"

#define APPEND_FIELDS_MIN 1
#define APPEND_FIELDS_MAX (APPEND_FIELDS_MIN + MSG_MORE_FIELDS)
#define WRITE_FIELDS      3

/* Writes, write, events, event, tags. */
#define WRITES_DEPTH_MAX 5

/* The head of the body's array is of one byte, which is patched when it is
 * known what follows the writes.
 */
#define BODY_HEAD(fields) ((uint8_t)(0x90 | (fields)))
_Static_assert(APPEND_FIELDS_MAX < 16, "a fixarray has 15 elements at most");

size_t
msg_append_begin(struct buf *buf, uint64_t request_id, size_t writes_count)
{
    size_t start = frame_begin(buf, OP_APPEND, request_id);

    pack_array(buf, APPEND_FIELDS_MIN);
    pack_array(buf, writes_count);
    return start;
}

void
msg_append_write(struct buf *buf, struct slice stream, int64_t expected,
                 size_t events_count)
{
    pack_array(buf, WRITE_FIELDS);
    pack_str(buf, stream);
    pack_int(buf, expected);
    pack_array(buf, events_count);
}

void
msg_append_end(struct buf *buf, size_t start,
               const struct msg_append_more *more)
{
    uint8_t head;

    if (more != NULL) {
        head = BODY_HEAD(APPEND_FIELDS_MIN + msg_more_fields(more));
        buf_patch(buf, start + FRAME_HEADER_SIZE, &head, sizeof(head));
        msg_more_encode(buf, more);
    }
    frame_end(buf, start);
}

/* What is behind the head of the last write's events is known to be whole, and
 * is passed over only if something follows.
 */
static size_t
count_events(struct pack_reader *reader, size_t writes_count, bool goes_on)
{
    size_t events_count = 0;

    for (size_t i = 0; i < writes_count && !reader->failed; i++) {
        size_t count;

        pack_get_array_of(reader, WRITE_FIELDS, WRITE_FIELDS, "write");
        pack_skip(reader);
        pack_skip(reader);
        count = pack_get_array(reader, "events");
        events_count += count;
        if (goes_on || i + 1 < writes_count) {
            msg_take_elements(reader, count);
        }
    }
    return events_count;
}

/* Put where it is in front of what is wrong. */
static void
say_where(struct pack_reader *reader, size_t write, const size_t *event)
{
    if (reader->err == NULL) {
        return;
    }
    if (event == NULL) {
        acta_wrap(reader->err, reader->err->code, "write %zu", write);
    } else {
        acta_wrap(reader->err, reader->err->code, "write %zu, event %zu", write,
                  *event);
    }
}

static void
decode_write(struct pack_reader *reader, struct msg_append *append,
             size_t index)
{
    struct msg_write *write = &append->writes[index];

    pack_get_array_of(reader, WRITE_FIELDS, WRITE_FIELDS, "write");
    write->stream = pack_get_str(reader, "stream");
    write->expected = pack_get_int(reader, "expected version");
    write->events = append->events + append->events_count;
    write->events_count =
        pack_get_array_of(reader, 1, ACTA_APPEND_EVENTS_MAX, "events");
    msg_check_stream(reader, write->stream);
    msg_check_expected(reader, write->expected);
    if (reader->failed) {
        say_where(reader, index, NULL);
        return;
    }

    for (size_t i = 0; i < write->events_count; i++) {
        struct event *event = &write->events[i];

        event_decode_content(reader, event);
        if (reader->failed) {
            say_where(reader, index, &i);
            return;
        }
        event->stream = write->stream;
        append->records_size += event_record_size(event);
        append->events_count++;
    }
}

/* What a write or a check expects of a stream: writes come first. */
struct expectation {
    struct slice stream;
    int64_t expected;
    size_t place;
};

static int
compare_expectations(const void *a, const void *b)
{
    const struct expectation *left = a, *right = b;
    int order = slice_compare(left->stream, right->stream);

    /* The same stream: as they were sent. */
    return order != 0
               ? order
               : (left->place > right->place) - (left->place < right->place);
}

static enum acta_code
refuse_expectations(const struct msg_append *append, size_t a, size_t b,
                    struct acta_err *err)
{
    size_t writes = append->writes_count;

    return acta_fail(
        err, ACTA_INVALID,
        "%s %zu and %s %zu are about one stream but expect "
        "different versions",
        a < writes ? "write" : "check", a < writes ? a : a - writes,
        b < writes ? "write" : "check", b < writes ? b : b - writes);
}

/* All expectations are about the streams as they were before the append, so
 * two for one stream have to be the same.
 */
static enum acta_code
check_expectations(const struct msg_append *append, struct acta_err *err)
{
    size_t count = append->writes_count + append->more.checks_count;
    struct expectation *all;
    enum acta_code code = ACTA_OK;

    if (count < 2) {
        return ACTA_OK;
    }
    all = malloc(count * sizeof(*all));
    if (all == NULL) {
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    for (size_t i = 0; i < append->writes_count; i++) {
        all[i] = (struct expectation){append->writes[i].stream,
                                      append->writes[i].expected, i};
    }
    for (size_t i = append->writes_count; i < count; i++) {
        const struct msg_check *check =
            &append->more.checks[i - append->writes_count];

        all[i] = (struct expectation){check->stream, check->expected, i};
    }
    qsort(all, count, sizeof(*all), compare_expectations);
    for (size_t i = 1; i < count && code == ACTA_OK; i++) {
        if (slice_equal(all[i - 1].stream, all[i].stream) &&
            all[i - 1].expected != all[i].expected) {
            code = refuse_expectations(append, all[i - 1].place, all[i].place,
                                       err);
        }
    }
    free(all);
    return code;
}

/* How many of each an append has, as far as its arrays are what they must be:
 * what is wrong is found, and named, when they are decoded.
 */
struct counts {
    size_t writes;
    size_t events;
    struct msg_more_counts more;
    bool is_whole; /* False: something is wrong, and not all is counted. */
};

static struct counts
count_all(struct pack_reader reader, size_t writes_count, size_t fields)
{
    struct counts counts = {.writes = writes_count};

    reader.err = NULL;
    counts.events =
        count_events(&reader, writes_count, fields > APPEND_FIELDS_MIN);
    msg_more_count(&reader, fields - APPEND_FIELDS_MIN, &counts.more);
    counts.is_whole = !reader.failed;
    return counts;
}

/* Without events it must do something else. */
static bool
does_nothing(const struct counts *counts)
{
    const struct msg_effects_counts *effects = &counts->more.effects;

    return counts->writes == 0 && effects->checkpoints == 0 &&
           effects->snapshots == 0 && effects->schedules == 0 &&
           effects->cancellations == 0;
}

/* Memory of the caller's. */
struct room {
    void *at;
    size_t size;
};

/* Decode what was counted into arrays in one piece of memory. */
static enum acta_code
decode_all(struct pack_reader *reader, const struct counts *counts,
           size_t fields, struct room room, struct msg_append *append)
{
    size_t size = counts->writes * sizeof(*append->writes) +
                  counts->events * sizeof(*append->events) +
                  msg_more_size(&counts->more);

    if (room.at == NULL || size > room.size) {
        append->memory = room.at = malloc(size > 0 ? size : 1);
    }
    if (room.at == NULL) {
        return acta_fail(reader->err, ACTA_MEMORY, "append");
    }
    append->writes = room.at;
    append->writes_count = counts->writes;
    append->events = (struct event *)(void *)(append->writes + counts->writes);

    for (size_t i = 0; i < counts->writes && !reader->failed; i++) {
        decode_write(reader, append, i);
    }
    size = append->records_size +
           msg_more_decode(reader, fields - APPEND_FIELDS_MIN, &counts->more,
                           append->events + counts->events, &append->more);
    if (!reader->failed && size > ACTA_APPEND_SIZE_MAX) {
        pack_fail(reader, ACTA_TOO_LARGE,
                  "append is %zu bytes, the limit is %u", size,
                  ACTA_APPEND_SIZE_MAX);
    }
    if (reader->failed) {
        return pack_code(reader);
    }
    assert(append->events_count == counts->events);
    assert(append->more.checks_count == counts->more.checks);
    assert(append->more.conditions_count == counts->more.conditions);
    return check_expectations(append, reader->err);
}

/* Decode an append behind the head of its body, which has @fields fields. */
static enum acta_code
decode(struct msg_append *append, struct pack_reader *reader, size_t fields,
       size_t writes_min, struct room room)
{
    struct counts counts;
    size_t writes_count;
    enum acta_code code;

    writes_count =
        pack_get_array_of(reader, writes_min, ACTA_APPEND_EVENTS_MAX, "writes");
    if (reader->failed) {
        return pack_code(reader);
    }
    counts = count_all(*reader, writes_count, fields);
    if (counts.events > ACTA_APPEND_EVENTS_MAX) {
        return acta_fail(reader->err, ACTA_TOO_LARGE,
                         "append has %zu events, the limit is %d",
                         counts.events, ACTA_APPEND_EVENTS_MAX);
    }
    if (counts.is_whole && does_nothing(&counts)) {
        return acta_fail(reader->err, ACTA_INVALID,
                         "append does nothing: it has no writes, checkpoints, "
                         "snapshots, schedules or cancellations");
    }
    code = decode_all(reader, &counts, fields, room, append);
    if (code != ACTA_OK) {
        msg_append_fini(append);
    }
    return code;
}

enum acta_code
msg_append_decode(struct msg_append *append, struct slice body,
                  struct acta_err *err)
{
    return msg_append_decode_in(append, body, NULL, 0, err);
}

enum acta_code
msg_append_decode_in(struct msg_append *append, struct slice body, void *room,
                     size_t room_size, struct acta_err *err)
{
    struct pack_reader reader;
    size_t fields;

    *append = (struct msg_append){0};
    fields = msg_request_begin_of(&reader, body, APPEND_FIELDS_MIN,
                                  APPEND_FIELDS_MAX, err);
    return decode(append, &reader, fields, 0, (struct room){room, room_size});
}

enum acta_code
msg_writes_decode(struct msg_append *append, struct slice writes,
                  struct acta_err *err)
{
    struct pack_reader reader;
    enum acta_code code;

    *append = (struct msg_append){0};
    code = pack_scan(writes, WRITES_DEPTH_MAX, err);
    if (code != ACTA_OK) {
        return code;
    }
    pack_reader_init(&reader, writes, err);
    return decode(append, &reader, APPEND_FIELDS_MIN, 1, (struct room){0});
}

void
msg_append_fini(struct msg_append *append)
{
    for (size_t i = 0; i < append->more.conditions_count; i++) {
        struct query query = append->more.conditions[i].query;

        query_fini(&query);
    }
    free(append->memory);
    *append = (struct msg_append){0};
}
