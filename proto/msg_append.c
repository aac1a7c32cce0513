/* append and appended. */

#include "msg.h"

#include <assert.h>
#include <stdlib.h>

#include "limit.h"
#include "msg_body.h"
#include "name.h"

#define APPEND_FIELDS   1
#define WRITE_FIELDS    3
#define APPENDED_FIELDS 2
#define RUN_FIELDS      4

size_t
msg_append_begin(struct buf *buf, uint64_t request_id, size_t writes_count)
{
    size_t start = frame_begin(buf, OP_APPEND, request_id);

    pack_array(buf, APPEND_FIELDS);
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

/* Count the events of all writes, and find out whether the arrays are what
 * they must be; what is in the events is looked at later.
 */
static size_t
count_events(struct pack_reader reader, size_t writes_count)
{
    size_t events_count = 0;

    for (size_t i = 0; i < writes_count && !reader.failed; i++) {
        size_t count;

        pack_get_array_of(&reader, WRITE_FIELDS, WRITE_FIELDS, "write");
        pack_skip(&reader);
        pack_skip(&reader);
        count = pack_get_array(&reader, "events");
        events_count += count;
        msg_take_elements(&reader, count);
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
    struct acta_err err;

    pack_get_array_of(reader, WRITE_FIELDS, WRITE_FIELDS, "write");
    write->stream = pack_get_str(reader, "stream");
    write->expected = pack_get_int(reader, "expected version");
    write->events = append->events + append->events_count;
    write->events_count =
        pack_get_array_of(reader, 1, ACTA_APPEND_EVENTS_MAX, "events");
    if (!reader->failed && name_check(write->stream, ACTA_STREAM_SIZE_MAX,
                                      "stream", &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
    if (!reader->failed && write->expected < MSG_EXPECT_EXISTS) {
        pack_fail(reader, ACTA_INVALID,
                  "expected version is %jd, must be a version, -1 for any or "
                  "-2 for exists",
                  (intmax_t)write->expected);
    }
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

static int
compare_writes(const void *a, const void *b)
{
    const struct msg_write *const *left = a;
    const struct msg_write *const *right = b;
    int order = slice_compare((*left)->stream, (*right)->stream);

    /* The same stream: as they were sent. */
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* All expectations are about the streams as they were before the append, so
 * two for one stream have to be the same.
 */
static enum acta_code
check_expectations(const struct msg_append *append, struct acta_err *err)
{
    const struct msg_write **sorted;
    enum acta_code code = ACTA_OK;

    if (append->writes_count < 2) {
        return ACTA_OK;
    }
    sorted = malloc(append->writes_count * sizeof(*sorted));
    if (sorted == NULL) {
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    for (size_t i = 0; i < append->writes_count; i++) {
        sorted[i] = &append->writes[i];
    }
    qsort(sorted, append->writes_count, sizeof(*sorted), compare_writes);
    for (size_t i = 1; i < append->writes_count && code == ACTA_OK; i++) {
        if (slice_equal(sorted[i - 1]->stream, sorted[i]->stream) &&
            sorted[i - 1]->expected != sorted[i]->expected) {
            code = acta_fail(err, ACTA_INVALID,
                             "writes %td and %td are to one stream but expect "
                             "different versions",
                             sorted[i - 1] - append->writes,
                             sorted[i] - append->writes);
        }
    }
    free(sorted);
    return code;
}

enum acta_code
msg_append_decode(struct msg_append *append, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;
    size_t writes_count, events_count;
    enum acta_code code;

    *append = (struct msg_append){0};
    msg_request_begin(&reader, body, APPEND_FIELDS, err);
    writes_count =
        pack_get_array_of(&reader, 1, ACTA_APPEND_EVENTS_MAX, "writes");
    if (reader.failed) {
        return pack_code(&reader);
    }
    events_count = count_events(reader, writes_count);
    if (events_count > ACTA_APPEND_EVENTS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "append has %zu events, the limit is %d", events_count,
                         ACTA_APPEND_EVENTS_MAX);
    }

    append->memory = malloc(writes_count * sizeof(*append->writes) +
                            events_count * sizeof(*append->events));
    if (append->memory == NULL) {
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    append->writes = append->memory;
    append->writes_count = writes_count;
    append->events = (struct event *)(void *)(append->writes + writes_count);
    for (size_t i = 0; i < writes_count && !reader.failed; i++) {
        decode_write(&reader, append, i);
    }
    if (!reader.failed && append->records_size > ACTA_APPEND_SIZE_MAX) {
        pack_fail(&reader, ACTA_TOO_LARGE,
                  "append is %zu bytes, the limit is %u", append->records_size,
                  ACTA_APPEND_SIZE_MAX);
    }
    if (reader.failed) {
        msg_append_fini(append);
        return pack_code(&reader);
    }
    assert(append->events_count == events_count);
    code = check_expectations(append, err);
    if (code != ACTA_OK) {
        msg_append_fini(append);
    }
    return code;
}

void
msg_append_fini(struct msg_append *append)
{
    free(append->memory);
    *append = (struct msg_append){0};
}

size_t
msg_appended_begin(struct buf *buf, uint64_t request_id, bool repeated,
                   size_t runs_count)
{
    size_t start = frame_begin(buf, OP_APPENDED, request_id);

    pack_array(buf, APPENDED_FIELDS);
    pack_bool(buf, repeated);
    pack_array(buf, runs_count);
    return start;
}

void
msg_appended_run(struct buf *buf, const struct msg_run *run)
{
    pack_array(buf, RUN_FIELDS);
    pack_uint(buf, run->write);
    pack_uint(buf, run->first_version);
    pack_uint(buf, run->first_position);
    pack_uint(buf, run->count);
}

static struct msg_run
read_run(struct pack_reader *reader)
{
    struct msg_run run = {0};
    size_t fields =
        pack_get_array_of(reader, RUN_FIELDS, SIZE_MAX, "run fields");

    run.write = pack_get_uint(reader, "write");
    run.first_version = pack_get_uint(reader, "first version");
    run.first_position = pack_get_uint(reader, "first position");
    run.count = pack_get_uint(reader, "count");
    if (!reader->failed) {
        msg_take_elements(reader, fields - RUN_FIELDS);
    }
    return run;
}

enum acta_code
msg_appended_decode(struct msg_appended *appended, struct slice body,
                    struct acta_err *err)
{
    struct pack_reader reader;
    const uint8_t *from;

    msg_reply_begin(&reader, body, APPENDED_FIELDS, err);
    appended->repeated = pack_get_bool(&reader, "repeated");
    appended->runs_count = pack_get_array(&reader, "runs");
    from = reader.at;
    for (size_t i = 0; i < appended->runs_count && !reader.failed; i++) {
        read_run(&reader);
    }
    appended->runs = pack_since(&reader, from);
    return pack_code(&reader);
}

struct msg_run
msg_appended_next(struct msg_appended *appended)
{
    struct pack_reader reader;
    struct msg_run run;

    assert(appended->runs_count > 0);
    pack_reader_init(&reader, appended->runs, NULL);
    run = read_run(&reader);
    appended->runs = slice_make(reader.at, (size_t)(reader.end - reader.at));
    appended->runs_count--;
    return run;
}
