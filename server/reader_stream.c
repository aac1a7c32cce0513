/* Reading one stream by version. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "list_cursor.h"
#include "reader.h"
#include "reader_view.h"
#include "record.h"

/* So many damaged events in a row are passed over to tell how old they are. */
#define DAMAGED_MAX 1024

/* A stream in one span: its versions from base + 1 to base + cursor->count. */
struct part {
    struct list_cursor *cursor; /* That of the store is the reader's, */
    struct list_cursor own;     /* or this one. */
    uint64_t base;
};

struct known {
    uint64_t view; /* Which one; 0: none. */
    uint8_t name[ACTA_STREAM_SIZE_MAX];
    size_t name_size;
    struct list_cursor cursor;
};

struct known *
known_new(void)
{
    return calloc(1, sizeof(struct known));
}

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

/* The stream's list in the store, found anew only if another was looked for
 * since.
 */
static enum acta_code
open_stored(struct reader *reader, struct slice stream, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, stream};
    struct known *known = reader->known;
    enum acta_code code;

    if (known->view == reader->view_number &&
        slice_equal(slice_make(known->name, known->name_size), stream)) {
        return ACTA_OK;
    }
    assert(stream.size <= sizeof(known->name));
    known->view = 0;
    code = list_cursor_open_store(&known->cursor, reader->store, &name, err);
    if (code == ACTA_OK) {
        known->view = reader->view_number;
        known->name_size = stream.size;
        memcpy(known->name, stream.data, stream.size);
    }
    return code;
}

/* Open the part of @stream in a span, which is locked. */
static enum acta_code
open_part(struct reader *reader, struct part *part, const struct span *span,
          struct slice stream, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, stream};

    part->base = 0;
    if (span->memtable == NULL) {
        part->cursor = &reader->known->cursor;
        return open_stored(reader, stream, err);
    }
    part->cursor = &part->own;
    list_cursor_open_memtable(part->cursor, span->memtable, &name, span->last);
    part->base = part->cursor->memlist->base_count;
    return ACTA_OK;
}

/* Put versions from *@at on, which moves, as long as they are in this span and
 * not below @first, and there is room on the page. Those before one that is
 * damaged are put.
 */
static enum acta_code
put_part(struct reader *reader, const struct span *span, struct slice stream,
         bool backward, uint64_t first, uint64_t *at, struct page *page,
         struct acta_err *err)
{
    uint64_t positions[LOCKED_MAX];
    size_t count, done;
    enum acta_code code;
    struct part part;

    do {
        uint64_t next = *at;

        count = 0;
        lock_span(span);
        code = open_part(reader, &part, span, stream, err);
        while (code == ACTA_OK && count < LOCKED_MAX && next >= first &&
               next > part.base && next - part.base <= part.cursor->count) {
            code = list_cursor_at(part.cursor, next - part.base,
                                  &positions[count], err);
            count += code == ACTA_OK;
            next += backward ? (uint64_t)-1 : 1;
        }
        unlock_span(span);

        if (count > 0) {
            enum acta_code put = reader_put_run(reader, page, span, positions,
                                                count, &done, err);

            *at += backward ? -(uint64_t)done : done;
            if (put != ACTA_OK || page->full) {
                return put;
            }
        }
    } while (code == ACTA_OK && count == LOCKED_MAX);
    return code;
}

enum acta_code
reader_version(struct reader *reader, struct slice stream, uint64_t *version,
               struct acta_err *err)
{
    enum acta_code code;
    struct part part;

    *version = 0;
    for (size_t i = reader->spans_count; i > 0 && *version == 0; i--) {
        const struct span *span = &reader->spans[i - 1];

        lock_span(span);
        code = open_part(reader, &part, span, stream, err);
        if (code == ACTA_OK && part.cursor->count > 0) {
            *version = part.base + part.cursor->count;
        }
        unlock_span(span);
        if (code != ACTA_OK) {
            return code;
        }
    }
    return ACTA_OK;
}

/* ---- what is to be seen of it ---- */

/* When the event of a version, which the stream has, was recorded. */
static enum acta_code
time_of(struct reader *reader, struct slice stream, uint64_t version,
        uint64_t *time_us, struct acta_err *err)
{
    for (size_t i = 0; i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];
        struct block_record record;
        enum acta_code code;
        uint64_t position = 0;
        struct part part;

        lock_span(span);
        code = open_part(reader, &part, span, stream, err);
        if (code == ACTA_OK && version > part.base &&
            version - part.base <= part.cursor->count) {
            code = list_cursor_at(part.cursor, version - part.base, &position,
                                  err);
        }
        unlock_span(span);
        if (code == ACTA_OK && position != 0) {
            code = reader_record(reader, span, position, &record, err);
        }
        if (code != ACTA_OK) {
            return code;
        }
        if (position != 0) {
            *time_us = record_time(slice_make(record.data, record.size));
            return ACTA_OK;
        }
    }
    return acta_fail(err, ACTA_CORRUPT, "stream %.*s has no version %ju",
                     (int)stream.size, (const char *)stream.data,
                     (uintmax_t)version);
}

/* Is a version too old? A damaged one is if the next one is that can be read:
 * so what cannot be served costs nothing else. Before @end, which is none that
 * is too old, all may be damaged.
 */
static enum acta_code
look_if_old(struct reader *reader, struct slice stream,
            const struct retention *retention, uint64_t version, uint64_t end,
            bool *is_old, struct acta_err *err)
{
    uint64_t last = end - version > DAMAGED_MAX ? version + DAMAGED_MAX : end;
    enum acta_code code = ACTA_CORRUPT;
    uint64_t time_us;

    *is_old = false;
    for (; code == ACTA_CORRUPT && version < last; version++) {
        code = time_of(reader, stream, version, &time_us, err);
    }
    if (code == ACTA_OK) {
        *is_old = retention_is_old(retention, time_us, reader->now_us);
    }
    return code == ACTA_CORRUPT && version == end ? ACTA_OK : code;
}

/* The first version from @first on that is not too old, by a binary search:
 * times do not go back.
 */
static enum acta_code
skip_old(struct reader *reader, struct slice stream,
         const struct retention *retention, uint64_t version, uint64_t *first,
         struct acta_err *err)
{
    uint64_t end = version + 1;

    while (*first < end) {
        uint64_t middle = *first + (end - *first) / 2;
        enum acta_code code;
        bool is_old;

        code =
            look_if_old(reader, stream, retention, middle, end, &is_old, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (is_old) {
            *first = middle + 1;
        } else {
            end = middle;
        }
    }
    return ACTA_OK;
}

/* The first version that is to be seen of a stream at @version; version + 1 if
 * none is.
 */
static enum acta_code
first_shown(struct reader *reader, struct slice stream, uint64_t version,
            const struct retention *retention, uint64_t *first,
            struct acta_err *err)
{
    *first = retention_first(retention, version);
    if (*first > version + 1) {
        *first = version + 1; /* A stream that is not seen as far as that. */
    }
    if (retention->settings.max_age_us == 0) {
        return ACTA_OK;
    }
    return skip_old(reader, stream, retention, version, first, err);
}

/* ---- reading ---- */

/* Read from version @at on, or down to @first. */
static enum acta_code
read_versions(struct reader *reader, struct slice stream, bool backward,
              uint64_t first, uint64_t *at, struct page *page,
              struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && !page->full &&
                       i < reader->spans_count && *at >= first;
         i++) {
        const struct span *span =
            &reader->spans[backward ? reader->spans_count - 1 - i : i];

        code = put_part(reader, span, stream, backward, first, at, page, err);
    }
    return code;
}

enum acta_code
reader_put_stream(struct reader *reader, struct slice stream, uint64_t from,
                  bool backward, struct page *page, struct read_result *result,
                  struct acta_err *err)
{
    struct retention retention;
    uint64_t at = 0, first = 1;
    enum acta_code code;

    code = reader_retention(reader, stream, &retention, err);
    if (code == ACTA_OK) {
        code = first_shown(reader, stream, result->version, &retention, &first,
                           err);
    }
    if (backward) {
        at = from == 0 || from > result->version ? result->version : from - 1;
    } else {
        at = from < result->version ? from + 1 : result->version + 1;
        at = at < first ? first : at;
    }
    if (code == ACTA_OK) {
        code = read_versions(reader, stream, backward, first, &at, page, err);
    }
    result->events_count = page->count;
    result->next = backward ? at + 1 : at - 1;
    result->at_end = backward ? at < first : at > result->version;
    result->head = reader->head;
    return reader_leave_damage(page, code, result);
}

enum acta_code
reader_read_stream(struct reader *reader, struct slice stream, uint64_t from,
                   bool backward, const struct read_bounds *bounds,
                   struct buf *out, struct read_result *result,
                   struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    enum acta_code code;

    assert(bounds->events_max > 0);

    *result = (struct read_result){.next = from};
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = reader_version(reader, stream, &result->version, err);
    if (code == ACTA_OK) {
        code = reader_put_stream(reader, stream, from, backward, &page, result,
                                 err);
    }
    reader_end(reader);
    return code;
}

enum acta_code
reader_read_event(struct reader *reader, struct slice stream, uint64_t version,
                  struct buf *out, struct read_result *result,
                  struct acta_err *err)
{
    struct read_bounds bounds = {.events_max = 1, .bytes_max = UINT64_MAX};
    size_t before = buf_size(out);
    enum acta_code code;

    *result = (struct read_result){0};
    if (version > 0) {
        code = reader_read_stream(reader, stream, version - 1, false, &bounds,
                                  out, result, err);
        result->at_end = true; /* No other is wanted. */
        if (code != ACTA_OK ||
            (result->events_count == 1 && result->next == version)) {
            return code;
        }
    }
    buf_truncate(out, before); /* One behind a hidden one may have come. */
    result->events_count = 0;
    return acta_fail(
        err, ACTA_NOT_FOUND, "stream %.*s has no event of version %ju",
        (int)stream.size, (const char *)stream.data, (uintmax_t)version);
}

/* ---- describing ---- */

enum acta_code
reader_describe_stream(struct reader *reader, struct slice stream,
                       struct msg_description *description,
                       struct acta_err *err)
{
    struct retention retention;
    enum acta_code code;

    *description = (struct msg_description){.stream.name = stream};
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    if ((code = reader_stream(reader, stream, &description->stream, err)) ==
            ACTA_OK &&
        (code = reader_retention(reader, stream, &retention, err)) == ACTA_OK) {
        code = first_shown(reader, stream, description->stream.version,
                           &retention, &description->first_version, err);
    }
    reader_end(reader);
    return code;
}
