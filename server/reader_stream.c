/* Reading one stream by version. */

#include <assert.h>

#include "list_cursor.h"
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
