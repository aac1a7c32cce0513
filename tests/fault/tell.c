#include "tell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "event.h"
#include "msg.h"
#include "tell_inside.h"

#define PAGE_EVENTS   1000
#define PAGE_SIZE_MAX ((size_t)64 << 20)
#define PAGE_ROWS     1000
#define LINE_SIZE     400

/* Which rows are told: not commands, which cannot be listed, and not what the
 * sweeper leaves behind as it goes.
 */
static const enum row_kind told[] = {
    ROW_RETENTION, ROW_CONSUMER, ROW_CHECKPOINT, ROW_PARKED,  ROW_LEASE,
    ROW_SNAPSHOT,  ROW_SCHEDULE, ROW_SCHEDULED,  ROW_COUNTER,
};

void
tell_line(struct buf *text, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (size > 0) {
        buf_append(text, line, (size_t)size);
    }
}

static void
tell_event(struct buf *text, const struct event *event)
{
    uint64_t id = 0;

    for (size_t i = 8; i < UUID_SIZE; i++) {
        id = id << 8 | event->id[i];
    }
    tell_line(text,
              "event %" PRIu64 " %.*s %" PRIu64 " id %" PRIu64
              " data %zu %016" PRIx64 "%s time %" PRIu64 "\n",
              event->position, (int)event->stream.size,
              (const char *)event->stream.data, event->version, id,
              event->data.size, script_sum(event->data),
              event->format == EVENT_ERASED ? " erased" : "", event->time_us);
}

static enum acta_code
tell_events(struct reader *reader, struct buf *text, struct acta_err *err)
{
    struct read_bounds bounds = {.events_max = PAGE_EVENTS,
                                 .bytes_max = PAGE_SIZE_MAX / 4};
    struct read_result result = {.at_end = false};
    struct query all = QUERY_ALL;
    enum acta_code code = ACTA_OK;
    struct buf out;

    buf_init(&out, PAGE_SIZE_MAX);
    while (code == ACTA_OK && !result.at_end) {
        struct slice events;
        struct event event;

        buf_clear(&out);
        code = reader_read_all(reader, &all, result.next, false, &bounds, &out,
                               &result, err);
        events = buf_slice(&out);
        while (code == ACTA_OK && events.size > 0) {
            code = msg_next_event(&events, &event, err);
            if (code == ACTA_OK) {
                tell_event(text, &event);
            }
        }
    }
    buf_fini(&out);
    tell_line(text, "head %" PRIu64 "\n", result.head);
    return code;
}

struct telling {
    struct buf *text;
    struct work_events events;
};

static enum acta_code
tell_row(void *user, const struct row *row, struct acta_err *err)
{
    const struct telling *telling = user;
    struct buf *text = telling->text;

    if (is_of_group(row)) {
        return tell_checkpoint(text, row, &telling->events, err);
    }
    if (row->kind == ROW_PARKED) {
        return tell_parked(text, row, err);
    }
    tell_line(text, "row %s ", row_kind_name(row->kind));
    for (size_t i = 0; i < row->key.size; i++) {
        uint8_t byte = row->key.data[i];

        tell_line(text, byte > 0x20 && byte < 0x7f ? "%c" : "\\%02x", byte);
    }
    tell_line(text, " %zu %016" PRIx64 "\n", row->value.size,
              script_sum(row->value));
    return ACTA_OK;
}

bool
tell(struct base *base, struct buf *text, struct acta_err *err)
{
    struct telling telling = {.text = text};
    struct reader *reader;
    enum acta_code code;
    bool at_end;

    code = reader_open(&reader, base->database, err);
    if (code != ACTA_OK) {
        return false;
    }
    code = tell_events(reader, text, err);
    if (code == ACTA_OK) {
        code = work_events_read(&telling.events, reader, err);
    }
    for (size_t i = 0; code == ACTA_OK && i < sizeof(told) / sizeof(told[0]);
         i++) {
        code = reader_list_rows(reader, told[i], SLICE_NONE, SLICE_NONE,
                                PAGE_ROWS, tell_row, &telling, &at_end, err);
    }
    reader_close(reader);
    buf_append(text, "", 1);
    return code == ACTA_OK;
}
