/* Opening, the view of one call, the page that it fills, and reading by id and
 * time. reader_query.c reads by query, reader_stream.c reads streams,
 * reader_list.c and reader_rows.c list names and rows.
 */

#include "reader.h"

#include <assert.h>
#include <stdlib.h>

#include "checksum.h"
#include "reader_view.h"
#include "record.h"

/* Hidden events that one call passes over. */
#define HIDDEN_MAX 8192

enum acta_code
reader_open(struct reader **out, struct database *database,
            struct acta_err *err)
{
    struct reader *reader;
    enum acta_code code;

    *out = NULL;
    reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open reader");
    }
    reader->rooms = database_rooms(database);
    reader->search = search_new();
    reader->sights = sights_new();
    reader->known = known_new();
    reader->shared = shared_page_new();
    if (reader->search == NULL || reader->sights == NULL ||
        reader->known == NULL || reader->shared == NULL) {
        reader_close(reader);
        return acta_fail(err, ACTA_MEMORY, "open reader");
    }
    code = store_view_open(&reader->store, reader->rooms->store, err);
    if (code != ACTA_OK) {
        reader_close(reader);
        return code;
    }
    *out = reader;
    return ACTA_OK;
}

void
reader_close(struct reader *reader)
{
    if (reader == NULL) {
        return;
    }
    store_view_close(reader->store);
    search_free(reader->search);
    free(reader->sights);
    free(reader->known);
    shared_page_free(reader->shared);
    free(reader);
}

void
reader_set_time(struct reader *reader, uint64_t now_us)
{
    reader->now_us = rooms_see_time(reader->rooms, now_us);
}

enum acta_code
reader_begin(struct reader *reader, struct acta_err *err)
{
    enum acta_code code;
    uint64_t last;

    reader->marks_count = marks_count(&reader->rooms->marks);
    tail_pin(&reader->rooms->tail, &reader->tail);
    code = store_view_begin(reader->store, err);
    if (code != ACTA_OK) {
        tail_unpin(&reader->tail);
        return code;
    }
    reader->view_number++;
    reader->judged = false;
    reader->head = reader->tail.head;
    reader->spans_count = 0;
    last = store_view_meta(reader->store)->position;
    if (last > reader->head) {
        reader->head = last; /* A checkpoint came in between. */
    }
    if (last > 0) {
        reader->spans[reader->spans_count++] = (struct span){NULL, 1, last};
    }
    for (size_t i = 0; i < reader->tail.count; i++) {
        struct memtable *memtable = reader->tail.tables[i];
        uint64_t first = memtable_first_position(memtable);
        uint64_t end = i + 1 < reader->tail.count
                           ? memtable_first_position(reader->tail.tables[i + 1])
                           : reader->head + 1;

        if (first > last && first < end) {
            assert(first == last + 1);
            last = end - 1;
            reader->spans[reader->spans_count++] =
                (struct span){memtable, first, last};
        }
    }
    return ACTA_OK;
}

void
reader_end(struct reader *reader)
{
    store_view_end(reader->store);
    tail_unpin(&reader->tail);
}

/* ---- the page ---- */

static enum acta_code
check_in_memory(const struct block_record *record, uint64_t position,
                struct acta_err *err)
{
    if (checksum_of(record->data, record->size) != record->checksum) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju is damaged in memory",
                         (uintmax_t)position);
    }
    return ACTA_OK;
}

enum acta_code
reader_record(struct reader *reader, const struct span *span, uint64_t position,
              struct block_record *record, struct acta_err *err)
{
    if (span->memtable == NULL) {
        return store_view_record(reader->store, position, record, err);
    }
    *record = memtable_record(span->memtable, position);
    return check_in_memory(record, position, err);
}

/* The records of @count positions, of which the first *@found are good: all, or
 * the code is about the next one.
 */
static enum acta_code
find_records(struct reader *reader, const struct span *span,
             const uint64_t *positions, size_t count,
             struct block_record *records, size_t *found, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (span->memtable == NULL) {
        return store_view_records(reader->store, positions, count, records,
                                  found, err);
    }
    for (size_t i = 0; i < count; i++) {
        records[i] = memtable_record(span->memtable, positions[i]);
        block_record_fetch(&records[i]);
    }
    for (*found = 0; code == ACTA_OK && *found < count;) {
        code = check_in_memory(&records[*found], positions[*found], err);
        *found += code == ACTA_OK;
    }
    return code;
}

static enum acta_code
put_record(struct page *page, struct slice record, bool erased,
           struct acta_err *err)
{
    size_t before = buf_size(page->out);
    enum acta_code code = ACTA_OK;

    if (erased) {
        code = record_erase(page->out, record, err);
        record = slice_make(NULL, buf_size(page->out) - before);
    }
    if (page->count > 0 && page->size + record.size > page->bounds.bytes_max) {
        buf_truncate(page->out, before);
        page->full = true;
        return code;
    }
    if (!erased && page->records == NULL) {
        buf_append(page->out, record.data, record.size);
    }
    if (code == ACTA_OK && buf_failed(page->out)) {
        code = acta_fail(err, ACTA_MEMORY, "page of events");
    }
    if (code == ACTA_OK) {
        if (page->records != NULL) {
            page->records[page->count] = record;
        }
        page->count++;
        page->size += record.size;
    }
    return code;
}

static void
count_event(struct page *page, uint64_t position)
{
    if (page->count == 0) {
        page->first = position;
    }
    page->count++;
}

/* True if no event fits; then the page is marked as full. */
static bool
fill(struct page *page)
{
    if (page->count == page->bounds.events_max || page->hidden >= HIDDEN_MAX) {
        page->full = true;
    }
    return page->full;
}

/* Put the event whose record was @found. */
static inline enum acta_code
put_found(struct reader *reader, struct page *page, uint64_t position,
          const struct block_record *found, struct acta_err *err)
{
    struct slice record = slice_make(found->data, found->size);
    enum reader_shows shows;
    enum acta_code code;

    code = reader_look(reader, record, &shows, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (shows == READER_HIDES_IT) {
        page->hidden++;
        return ACTA_OK;
    }
    if (page->out == NULL) {
        count_event(page, position);
        return ACTA_OK;
    }
    return put_record(page, record, shows == READER_SHOWS_ERASED, err);
}

/* Events are only counted, and nothing is hidden: no need to look at them. */
static bool
only_counts(const struct reader *reader, const struct page *page)
{
    return page->out == NULL && marks_none(&reader->rooms->marks);
}

enum acta_code
reader_put(struct reader *reader, struct page *page, const struct span *span,
           uint64_t position, struct acta_err *err)
{
    struct block_record found;
    enum acta_code code;

    if (fill(page)) {
        return ACTA_OK;
    }
    if (only_counts(reader, page)) {
        count_event(page, position);
        return ACTA_OK;
    }
    code = reader_record(reader, span, position, &found, err);
    return code == ACTA_OK ? put_found(reader, page, position, &found, err)
                           : code;
}

/* How many are looked at together: no more than there may be room for. */
static size_t
together(const struct page *page, size_t count)
{
    size_t room = page->bounds.events_max - page->count;

    count = count < room ? count : room;
    return count < STORE_RECORDS_MAX ? count : STORE_RECORDS_MAX;
}

/* How many of the records, from the first on, there is room for and nothing to
 * decide about, and their size: none, if any stream may hide something.
 */
static size_t
plain_run(const struct reader *reader, const struct page *page,
          const struct block_record *records, size_t count, size_t *size)
{
    size_t plain;

    *size = 0;
    if (page->records != NULL || !marks_none(&reader->rooms->marks)) {
        return 0;
    }
    for (plain = 0; plain < count; plain++) {
        const struct block_record *record = &records[plain];

        if (record_is_stub(slice_make(record->data, record->size)) ||
            page->size + *size + record->size > page->bounds.bytes_max) {
            break;
        }
        *size += record->size;
    }
    return plain;
}

/* Put as many of the records as need no look of their own, in one piece: they
 * lie one behind the other.
 */
static enum acta_code
put_plain(const struct reader *reader, struct page *page,
          const struct block_record *records, size_t count, size_t *done,
          struct acta_err *err)
{
    size_t size;
    size_t plain = plain_run(reader, page, records, count, &size);

    *done = 0;
    if (plain == 0) {
        return ACTA_OK;
    }
    buf_append(page->out, records[0].data, size);
    if (buf_failed(page->out)) {
        return acta_fail(err, ACTA_MEMORY, "page of events");
    }
    page->count += plain;
    page->size += size;
    *done = plain;
    return ACTA_OK;
}

enum acta_code
reader_put_next(struct reader *reader, struct page *page, uint64_t position,
                uint64_t last, size_t *done, struct acta_err *err)
{
    struct block_record records[STORE_RECORDS_MAX];
    enum acta_code code, put;
    size_t found;

    *done = 0;
    if (fill(page)) {
        return ACTA_OK;
    }
    code = store_view_run(reader->store, position,
                          together(page, last - position + 1), records, &found,
                          err);
    put = put_plain(reader, page, records, found, done, err);
    while (put == ACTA_OK && *done < found && !fill(page)) {
        put = put_found(reader, page, position + *done, &records[*done], err);
        *done += put == ACTA_OK && !page->full;
    }
    /* What was found behind a full page is for the next one. */
    return put != ACTA_OK || page->full ? put : code;
}

enum acta_code
reader_put_run(struct reader *reader, struct page *page,
               const struct span *span, const uint64_t *positions, size_t count,
               size_t *done, struct acta_err *err)
{
    struct block_record records[STORE_RECORDS_MAX];
    enum acta_code code = ACTA_OK;

    *done = 0;
    while (only_counts(reader, page) && *done < count && !fill(page)) {
        count_event(page, positions[(*done)++]);
    }
    while (code == ACTA_OK && *done < count && !fill(page)) {
        const uint64_t *at = positions + *done;
        size_t found;

        code = find_records(reader, span, at, together(page, count - *done),
                            records, &found, err);
        for (size_t i = 0; i < found && !fill(page); i++) {
            enum acta_code put =
                put_found(reader, page, at[i], &records[i], err);

            if (put != ACTA_OK || page->full) {
                return put;
            }
            ++*done;
        }
        if (page->full) {
            return ACTA_OK; /* What was found behind it is for the next one. */
        }
    }
    return code;
}

/* ---- by id ---- */

static enum acta_code
put_ids_of_memtable(struct reader *reader, const struct span *span,
                    const uint8_t *id, struct page *page, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint64_t position = 0;

    while (code == ACTA_OK && !page->full) {
        memtable_lock(span->memtable);
        position = memtable_find_id(span->memtable, id, NULL, position);
        memtable_unlock(span->memtable);
        if (position == 0 || position > span->last) {
            break;
        }
        code = reader_put(reader, page, span, position, err);
    }
    return code;
}

static enum acta_code
put_ids_of_store(struct reader *reader, const struct span *span,
                 const uint8_t *id, struct page *page, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint64_t position, stream = 0;

    while (code == ACTA_OK && !page->full) {
        code = store_view_next_id(reader->store, id, &stream, &position, err);
        if (code != ACTA_OK || position == 0) {
            break;
        }
        code = reader_put(reader, page, span, position, err);
    }
    return code;
}

enum acta_code
reader_read_id(struct reader *reader, const uint8_t id[16],
               const struct read_bounds *bounds, struct buf *out,
               struct read_result *result, struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    char text[UUID_TEXT_SIZE];
    enum acta_code code;

    *result = (struct read_result){0};
    if ((reader->rooms->without & STORE_WITHOUT_EVENT_IDS) != 0) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "this database was made to keep no event ids");
    }
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; code == ACTA_OK && i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];

        code = span->memtable == NULL
                   ? put_ids_of_store(reader, span, id, &page, err)
                   : put_ids_of_memtable(reader, span, id, &page, err);
    }
    result->events_count = page.count;
    result->at_end = !page.full;
    result->head = reader->head;
    reader_end(reader);
    if (code == ACTA_OK && page.count == 0) {
        uuid_format(id, text);
        return acta_fail(err, ACTA_NOT_FOUND, "no event has the id %s", text);
    }
    return code;
}

/* ---- by time ---- */

/* Find the first position of the span that was recorded at @time_us or later;
 * behind it if there is none. Times never go back.
 */
static enum acta_code
find_time(struct reader *reader, const struct span *span, uint64_t time_us,
          uint64_t *position, struct acta_err *err)
{
    uint64_t low = span->first, high = span->last + 1;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct block_record record;
        enum acta_code code;

        code = reader_record(reader, span, middle, &record, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (event_record_time(slice_make(record.data, record.size)) < time_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *position = low;
    return ACTA_OK;
}

enum acta_code
reader_find_time(struct reader *reader, uint64_t time_us, uint64_t *position,
                 struct acta_err *err)
{
    enum acta_code code;

    *position = 0;
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];
        uint64_t found;

        code = find_time(reader, span, time_us, &found, err);
        if (code != ACTA_OK) {
            break;
        }
        *position = found - 1;
        if (found <= span->last) {
            break;
        }
    }
    reader_end(reader);
    return code;
}
