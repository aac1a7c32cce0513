/* Reading one stream by version, and listing streams. */

#include <assert.h>
#include <stdlib.h>

#include "list_cursor.h"
#include "msg.h"
#include "reader.h"
#include "reader_view.h"

/* A stream in one span: its versions from base + 1 to base + cursor.count. */
struct part {
    const struct span *span;
    struct list_cursor cursor;
    uint64_t base;
};

static void
lock_span(const struct span *span)
{
    if (span->memtable != NULL) {
        memtable_lock(span->memtable);
    }
}

static void
unlock_span(const struct span *span)
{
    if (span->memtable != NULL) {
        memtable_unlock(span->memtable);
    }
}

/* Open the part of @stream in a span, which is locked. */
static enum acta_code
open_part(struct reader *reader, struct part *part, const struct span *span,
          struct slice stream, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, stream};

    part->span = span;
    part->base = 0;
    if (span->memtable == NULL) {
        return list_cursor_open_store(&part->cursor, reader->store, &name, err);
    }
    list_cursor_open_memtable(&part->cursor, span->memtable, &name, span->last);
    part->base = part->cursor.memlist->base_count;
    return ACTA_OK;
}

/* Put versions from *@at on, which moves, as long as they are in this span and
 * there is room on the page.
 */
static enum acta_code
put_part(struct reader *reader, const struct span *span, struct slice stream,
         bool backward, uint64_t *at, struct page *page, struct acta_err *err)
{
    uint64_t positions[LOCKED_MAX];
    enum acta_code code;
    struct part part;
    size_t count;

    do {
        uint64_t next = *at;

        count = 0;
        lock_span(span);
        code = open_part(reader, &part, span, stream, err);
        while (code == ACTA_OK && count < LOCKED_MAX && next > part.base &&
               next - part.base <= part.cursor.count) {
            code = list_cursor_at(&part.cursor, next - part.base,
                                  &positions[count], err);
            count += code == ACTA_OK;
            next += backward ? (uint64_t)-1 : 1;
        }
        unlock_span(span);

        for (size_t i = 0; code == ACTA_OK && i < count; i++) {
            code = reader_put(reader, page, span, positions[i], err);
            if (code != ACTA_OK || page->full) {
                return code;
            }
            *at += backward ? (uint64_t)-1 : 1;
        }
    } while (code == ACTA_OK && count == LOCKED_MAX);
    return code;
}

static enum acta_code
find_version(struct reader *reader, struct slice stream, uint64_t *version,
             struct acta_err *err)
{
    enum acta_code code;
    struct part part;

    *version = 0;
    for (size_t i = reader->spans_count; i > 0 && *version == 0; i--) {
        const struct span *span = &reader->spans[i - 1];

        lock_span(span);
        code = open_part(reader, &part, span, stream, err);
        if (code == ACTA_OK && part.cursor.count > 0) {
            *version = part.base + part.cursor.count;
        }
        unlock_span(span);
        if (code != ACTA_OK) {
            return code;
        }
    }
    return ACTA_OK;
}

enum acta_code
reader_read_stream(struct reader *reader, struct slice stream, uint64_t from,
                   bool backward, const struct read_bounds *bounds,
                   struct buf *out, struct read_result *result,
                   struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    enum acta_code code;
    uint64_t at = 0;

    assert(bounds->events_max > 0);

    *result = (struct read_result){.next = from};
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = find_version(reader, stream, &result->version, err);
    if (backward) {
        at = from == 0 || from > result->version ? result->version : from - 1;
    } else {
        at = from < result->version ? from + 1 : result->version + 1;
    }
    for (size_t i = 0; code == ACTA_OK && !page.full && i < reader->spans_count;
         i++) {
        code = put_part(
            reader, &reader->spans[backward ? reader->spans_count - 1 - i : i],
            stream, backward, &at, &page, err);
    }
    result->events_count = page.count;
    result->next = backward ? at + 1 : at - 1;
    result->at_end = backward ? at == 0 : at > result->version;
    code = reader_leave_damage(&page, code, result);
    result->head = reader->head;
    reader_end(reader);
    return code;
}

enum acta_code
reader_read_event(struct reader *reader, struct slice stream, uint64_t version,
                  struct buf *out, struct read_result *result,
                  struct acta_err *err)
{
    struct read_bounds bounds = {.events_max = 1, .bytes_max = UINT64_MAX};
    enum acta_code code;

    *result = (struct read_result){0};
    if (version > 0) {
        code = reader_read_stream(reader, stream, version - 1, false, &bounds,
                                  out, result, err);
        if (code != ACTA_OK || result->events_count == 1) {
            return code;
        }
    }
    return acta_fail(
        err, ACTA_NOT_FOUND, "stream %.*s has no event of version %ju",
        (int)stream.size, (const char *)stream.data, (uintmax_t)version);
}

/* ---- listing ---- */

/* The names that come next, of the memtables: up to @wanted of them are kept
 * sorted while all are looked at.
 */
struct names {
    struct slice *names; /* owned: room for twice as many as are wanted */
    size_t count;
    size_t wanted;
    bool more; /* There were more than wanted. */
};

static int
compare_names(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sort, drop what is there twice, and keep the first ones. */
static void
keep_first(struct names *names)
{
    size_t kept = 0;

    qsort(names->names, names->count, sizeof(*names->names), compare_names);
    for (size_t i = 0; i < names->count; i++) {
        if (kept == 0 ||
            !slice_equal(names->names[kept - 1], names->names[i])) {
            names->names[kept++] = names->names[i];
        }
    }
    if (kept > names->wanted) {
        kept = names->wanted;
        names->more = true;
    }
    names->count = kept;
}

/* Lists are linked for good, so only the first one needs the lock. */
static void
collect_names(struct names *names, const struct span *span, struct slice prefix,
              struct slice after)
{
    const struct memlist *list;

    memtable_lock(span->memtable);
    list = memtable_lists(span->memtable, LIST_STREAM);
    memtable_unlock(span->memtable);
    for (; list != NULL; list = list->next) {
        if (!slice_starts_with(list->name.name, prefix) ||
            slice_compare(list->name.name, after) <= 0) {
            continue;
        }
        names->names[names->count++] = list->name.name;
        if (names->count == 2 * names->wanted) {
            keep_first(names);
        }
    }
}

/* What is known of one stream, over all spans. */
static enum acta_code
look_at_stream(struct reader *reader, struct slice name,
               struct msg_stream *stream, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    *stream = (struct msg_stream){.name = name};
    for (size_t i = 0; code == ACTA_OK && i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];
        uint64_t first = 0, last = 0;
        struct block_record record;
        struct part part;

        lock_span(span);
        code = open_part(reader, &part, span, name, err);
        if (code == ACTA_OK && part.cursor.count > 0) {
            stream->version = part.base + part.cursor.count;
            if (span->memtable != NULL) {
                code = list_cursor_at(&part.cursor, 1, &first, err);
                if (code == ACTA_OK) {
                    code = list_cursor_at(&part.cursor, part.cursor.count,
                                          &last, err);
                }
            }
        }
        unlock_span(span);
        if (code != ACTA_OK || part.cursor.count == 0) {
            continue;
        }
        if (span->memtable == NULL) {
            stream->first_time_us = part.cursor.head.first_time_us;
            stream->last_time_us = part.cursor.head.last_time_us;
            stream->last_position = part.cursor.head.last_position;
            continue;
        }
        if (stream->first_time_us == 0) {
            record = memtable_record(span->memtable, first);
            stream->first_time_us =
                event_record_time(slice_make(record.data, record.size));
        }
        record = memtable_record(span->memtable, last);
        stream->last_time_us =
            event_record_time(slice_make(record.data, record.size));
        stream->last_position = last;
    }
    return code;
}

/* The stored name behind @after, or with @inclusive from @after on, that has
 * the prefix; *@found is false if there is none.
 */
static enum acta_code
next_stored(struct reader *reader, struct slice prefix, struct slice after,
            bool inclusive, struct slice *name, bool *found,
            struct acta_err *err)
{
    struct list_head head;
    enum acta_code code;

    code = store_view_next_list(reader->store, LIST_STREAM, after, inclusive,
                                name, &head, found, err);
    *found = *found && slice_starts_with(*name, prefix);
    return code;
}

/* Merge the names of store and memtables, and write the streams. */
static enum acta_code
write_streams(struct reader *reader, const struct names *names,
              struct slice prefix, struct slice after, struct buf *out,
              size_t *count, bool *at_end, struct acta_err *err)
{
    bool in_store = false, inclusive = slice_compare(prefix, after) > 0;
    struct slice from = inclusive ? prefix : after;
    struct slice stored = SLICE_NONE;
    enum acta_code code = ACTA_OK;
    size_t next = 0;

    code =
        next_stored(reader, prefix, from, inclusive, &stored, &in_store, err);
    while (code == ACTA_OK && *count < names->wanted &&
           (in_store || next < names->count)) {
        struct msg_stream stream;
        int order;

        if (next == names->count && names->more) {
            break; /* What comes next may be a name that was not kept. */
        }
        if (in_store && next < names->count) {
            order = slice_compare(stored, names->names[next]);
        } else {
            order = in_store ? -1 : 1;
        }
        code = look_at_stream(reader, order <= 0 ? stored : names->names[next],
                              &stream, err);
        if (code == ACTA_OK && stream.version > 0) {
            msg_streams_add(out, &stream);
            ++*count;
        }
        next += order >= 0;
        if (code == ACTA_OK && order <= 0) {
            code = next_stored(reader, prefix, stored, false, &stored,
                               &in_store, err);
        }
    }
    *at_end = !in_store && next == names->count && !names->more;
    return code;
}

enum acta_code
reader_list_streams(struct reader *reader, struct slice prefix,
                    struct slice after, size_t count_max, struct buf *out,
                    size_t *count, bool *at_end, struct acta_err *err)
{
    struct names names = {.wanted = count_max};
    enum acta_code code;

    assert(count_max > 0);

    *count = 0;
    *at_end = false;
    names.names = calloc(2 * count_max, sizeof(*names.names));
    if (names.names == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list streams");
    }
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        free(names.names);
        return code;
    }
    for (size_t i = 0; i < reader->spans_count; i++) {
        if (reader->spans[i].memtable != NULL) {
            collect_names(&names, &reader->spans[i], prefix, after);
        }
    }
    keep_first(&names);
    code =
        write_streams(reader, &names, prefix, after, out, count, at_end, err);
    if (code == ACTA_OK && buf_failed(out)) {
        code = acta_fail(err, ACTA_MEMORY, "list streams");
    }
    reader_end(reader);
    free(names.names);
    return code;
}
