#include <inttypes.h>
#include <string.h>

#include "consumer.h"
#include "event.h"
#include "group_pending.h"
#include "msg.h"
#include "tell_inside.h"

#define PAGE_SIZE_MAX ((size_t)1 << 20)

static const char group_prefix[] = "group-";

enum acta_code
work_events_read(struct work_events *events, struct reader *reader,
                 struct acta_err *err)
{
    struct read_bounds bounds = {.events_max = SCRIPT_WORK_MAX,
                                 .bytes_max = PAGE_SIZE_MAX / 2};
    struct slice category = slice_of(SCRIPT_WORK);
    struct query_item item = {
        .fields = {[QUERY_CATEGORIES] = {.texts = &category, .count = 1}},
    };
    struct query query = {&item, 1, NULL};
    struct read_result result;
    enum acta_code code;
    struct slice left;
    struct buf out;

    events->count = 0;
    buf_init(&out, PAGE_SIZE_MAX);
    code =
        reader_read_all(reader, &query, 0, false, &bounds, &out, &result, err);
    left = buf_slice(&out);
    while (code == ACTA_OK && left.size > 0) {
        struct event event;

        code = msg_next_event(&left, &event, err);
        if (code == ACTA_OK && events->count == SCRIPT_WORK_MAX) {
            code = acta_fail(err, ACTA_CORRUPT, "more work than there is");
        } else if (code == ACTA_OK) {
            events->positions[events->count++] = event.position;
        }
    }
    buf_fini(&out);
    return code;
}

bool
is_of_group(const struct row *row)
{
    size_t size = strlen(group_prefix);

    return row->kind == ROW_CHECKPOINT && row->key.size > size &&
           memcmp(row->key.data, group_prefix, size) == 0;
}

static bool
is_pending(struct group_pending_reader pending, uint64_t position)
{
    struct group_pending next;

    while (group_pending_peek(&pending, &next)) {
        if (next.position == position) {
            return true;
        }
        group_pending_skip(&pending);
    }
    return false;
}

/* Those of @events that are not done by what the value of a row says. */
static enum acta_code
find_work(struct work_events *work, uint64_t *epoch, struct slice value,
          const struct work_events *events, struct acta_err *err)
{
    struct group_pending_reader pending;
    struct checkpoint_row row;
    enum acta_code code;
    uint64_t fences;

    work->count = 0;
    code = checkpoint_decode(&row, value, err);
    if (code == ACTA_OK) {
        *epoch = row.epoch;
        code = group_pending_open(&pending, &fences, row.pending, row.position,
                                  err);
    }
    for (size_t i = 0; code == ACTA_OK && i < events->count; i++) {
        uint64_t position = events->positions[i];

        if (position > row.position || is_pending(pending, position)) {
            work->positions[work->count++] = position;
        }
    }
    return code;
}

enum acta_code
tell_checkpoint(struct buf *text, const struct row *row,
                const struct work_events *events, struct acta_err *err)
{
    struct work_events work;
    enum acta_code code;
    uint64_t epoch = 0;

    code = find_work(&work, &epoch, row->value, events, err);
    tell_line(text, "group %.*s epoch %" PRIu64 " to do", (int)row->key.size,
              (const char *)row->key.data, epoch);
    for (size_t i = 0; code == ACTA_OK && i < work.count; i++) {
        tell_line(text, " %" PRIu64, work.positions[i]);
    }
    tell_line(text, "\n");
    return code;
}

enum acta_code
tell_parked(struct buf *text, const struct row *row, struct acta_err *err)
{
    struct parked parked;
    enum acta_code code = parked_decode(&parked, row->value, err);

    if (code == ACTA_OK) {
        tell_line(text,
                  "parked %" PRIu64 "%s key %.*s reason %.*s time %" PRIu64
                  "\n",
                  parked_position(row->key), parked.is_behind ? " behind" : "",
                  (int)parked.key.size, (const char *)parked.key.data,
                  (int)parked.reason.size, (const char *)parked.reason.data,
                  parked.time_us);
    }
    return code;
}

enum acta_code
tell_work(struct base *base, const char *group, size_t *count)
{
    struct work_events events, work = {.count = 0};
    struct reader *reader;
    enum acta_code code;
    bool found = false;
    uint64_t epoch;
    struct buf value;

    code = reader_open(&reader, base->database, NULL);
    if (code != ACTA_OK) {
        return code;
    }
    buf_init(&value, SIZE_MAX);
    code = work_events_read(&events, reader, NULL);
    if (code == ACTA_OK) {
        code = reader_get_row(reader, ROW_CHECKPOINT, slice_of(group), &value,
                              &found, NULL);
    }
    if (code == ACTA_OK && found) {
        code = find_work(&work, &epoch, buf_slice(&value), &events, NULL);
    }
    *count = work.count;
    buf_fini(&value);
    reader_close(reader);
    return code;
}
