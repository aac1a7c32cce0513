/* Opening, the view of one call, and reading by position, query, id and time.
 * reader_stream.c reads streams, reader_list.c lists names.
 */

#include "reader.h"

#include <assert.h>
#include <stdlib.h>

#include "checksum.h"
#include "list_cursor.h"
#include "reader_view.h"
#include "record.h"

/* Below this many events it is cheaper to look at each than at the lists. */
#define SCAN_MAX 32

/* Hidden events that one call passes over. */
#define HIDDEN_MAX 8192

/* Steps that are reckoned for an event that a search has found. */
#define FOUND_STEPS 2

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
    if (reader->search == NULL || reader->sights == NULL) {
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

    tail_pin(&reader->rooms->tail, &reader->tail);
    code = store_view_begin(reader->store, err);
    if (code != ACTA_OK) {
        tail_unpin(&reader->tail);
        return code;
    }
    reader->view_number++;
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

enum acta_code
reader_record(struct reader *reader, const struct span *span, uint64_t position,
              struct block_record *record, struct acta_err *err)
{
    if (span->memtable == NULL) {
        return store_view_record(reader->store, position, record, err);
    }
    *record = memtable_record(span->memtable, position);
    if (checksum_of(record->data, record->size) != record->checksum) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju is damaged in memory",
                         (uintmax_t)position);
    }
    return ACTA_OK;
}

static enum acta_code
put_record(struct page *page, struct slice record, bool erased,
           struct acta_err *err)
{
    size_t before = buf_size(page->out);
    enum acta_code code = ACTA_OK;

    if (page->count > 0 && page->size + record.size > page->bounds.bytes_max) {
        page->full = true;
        return ACTA_OK;
    }
    if (erased) {
        code = record_erase(page->out, record, err);
    } else {
        buf_append(page->out, record.data, record.size);
    }
    if (code == ACTA_OK && buf_failed(page->out)) {
        code = acta_fail(err, ACTA_MEMORY, "page of events");
    }
    if (code == ACTA_OK) {
        page->count++;
        page->size += buf_size(page->out) - before;
    }
    return code;
}

enum acta_code
reader_put(struct reader *reader, struct page *page, const struct span *span,
           uint64_t position, struct acta_err *err)
{
    struct block_record found;
    enum reader_shows shows;
    enum acta_code code;
    struct slice record;

    if (page->count == page->bounds.events_max || page->hidden >= HIDDEN_MAX) {
        page->full = true;
        return ACTA_OK;
    }
    code = reader_record(reader, span, position, &found, err);
    if (code != ACTA_OK) {
        return code;
    }
    record = slice_make(found.data, found.size);
    code = reader_look(reader, record, &shows, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (shows == READER_HIDES_IT) {
        page->hidden++;
        return ACTA_OK;
    }
    return put_record(page, record, shows == READER_SHOWS_ERASED, err);
}

/* ---- by position and query ---- */

/* A read on its way. Positions below @at (backward: above it) are done with.
 */
struct walk {
    const struct query *query;
    bool backward;
    uint64_t at;
    size_t steps;
    size_t checked_size; /* Of events looked at to see if they are wanted. */
    bool stopped;        /* The page is full, or the steps are used up. */
};

/* Move past @position; false if that was the last one of the span. */
static bool
step(struct walk *walk, const struct span *span, uint64_t position)
{
    walk->at = walk->backward ? position - 1 : position + 1;
    return position != (walk->backward ? span->first : span->last);
}

static enum acta_code
wants(struct reader *reader, struct walk *walk, const struct span *span,
      uint64_t position, bool *wanted, struct acta_err *err)
{
    struct block_record record;
    enum acta_code code;

    code = reader_record(reader, span, position, &record, err);
    if (code != ACTA_OK) {
        return code;
    }
    walk->checked_size += record.size;
    return search_check(walk->query, &record, wanted, err);
}

/* Look at each event of the span. */
static enum acta_code
scan_span(struct reader *reader, struct walk *walk, const struct span *span,
          bool all, struct page *page, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    bool goes_on = true;

    while (goes_on) {
        bool wanted = true;

        if (!all) {
            code = wants(reader, walk, span, walk->at, &wanted, err);
        }
        if (code == ACTA_OK && wanted) {
            code = reader_put(reader, page, span, walk->at, err);
        }
        if (code != ACTA_OK) {
            return code;
        }
        if (page->full) {
            walk->stopped = true;
            return ACTA_OK;
        }
        goes_on = step(walk, span, walk->at);
    }
    return ACTA_OK;
}

/* Go past everything in the span. */
static void
finish(struct walk *walk, const struct span *span)
{
    walk->at = walk->backward ? span->first - 1 : span->last + 1;
}

/* Positions that a search has found. */
struct finds {
    struct {
        uint64_t position;
        bool is_sure; /* Else the event tells. */
    } finds[LOCKED_MAX];
    size_t count;
};

/* Find up to LOCKED_MAX positions from walk->at on that are wanted, or may be.
 * Fewer than that: it came to the end of the span, or the steps are used up.
 */
static enum acta_code
find(struct reader *reader, struct walk *walk, const struct span *span,
     struct finds *finds, struct acta_err *err)
{
    uint64_t at = walk->at;

    finds->count = 0;
    while (finds->count < LOCKED_MAX) {
        enum search_verdict verdict;
        enum acta_code code;
        uint64_t position;

        code = search_next(reader->search, at, &position, &verdict,
                           &walk->steps, err);
        if (code != ACTA_OK) {
            /* What lies before it comes first. */
            return finds->count == 0 ? code : ACTA_OK;
        }
        if (position == POSITION_NONE_AHEAD ||
            position == POSITION_NONE_BEFORE || position < span->first ||
            position > span->last) {
            finish(walk, span);
            return ACTA_OK;
        }
        walk->at = position;
        if (verdict == SEARCH_UNKNOWN) {
            walk->stopped = true;
            return ACTA_OK;
        }
        finds->finds[finds->count].position = position;
        finds->finds[finds->count].is_sure = verdict == SEARCH_WANTED;
        finds->count++;
        walk->steps -= walk->steps < FOUND_STEPS ? walk->steps : FOUND_STEPS;
        if (!step(walk, span, position)) {
            return ACTA_OK;
        }
        at = walk->at;
        if (walk->steps == 0) {
            walk->stopped = true;
            return ACTA_OK;
        }
    }
    return ACTA_OK;
}

static enum acta_code
find_in_memtable(struct reader *reader, struct walk *walk,
                 const struct span *span, struct finds *finds,
                 struct acta_err *err)
{
    size_t left = walk->steps;
    size_t given = left < LOCKED_STEPS_MAX ? left : LOCKED_STEPS_MAX;
    enum acta_code code;

    finds->count = 0;
    walk->steps = given;
    memtable_lock(span->memtable);
    code = search_begin_memtable(reader->search, walk->query, span->memtable,
                                 span->last, walk->backward, err);
    if (code == ACTA_OK) {
        code = find(reader, walk, span, finds, err);
    }
    memtable_unlock(span->memtable);
    walk->steps += left - given;
    if (walk->steps > 0) {
        walk->stopped = false; /* It goes on after a breath for the writer. */
    }
    return code;
}

/* True if the walk has left the span behind. */
static bool
is_past(const struct walk *walk, const struct span *span)
{
    return walk->backward ? walk->at < span->first : walk->at > span->last;
}

/* Put those of the finds on the page that are wanted. If it cannot be all, the
 * walk stops before the first one that is left.
 */
static enum acta_code
put_finds(struct reader *reader, struct walk *walk, const struct span *span,
          const struct finds *finds, struct page *page, struct acta_err *err)
{
    for (size_t i = 0; i < finds->count; i++) {
        uint64_t position = finds->finds[i].position;
        bool wanted = finds->finds[i].is_sure;
        enum acta_code code = ACTA_OK;
        bool goes_on = wanted || walk->checked_size < CHECKED_SIZE_MAX;

        if (!wanted && goes_on) {
            code = wants(reader, walk, span, position, &wanted, err);
        }
        if (code == ACTA_OK && wanted) {
            code = reader_put(reader, page, span, position, err);
        }
        if (code != ACTA_OK || page->full || !goes_on) {
            walk->at = position;
            walk->stopped = true;
            return code;
        }
    }
    return ACTA_OK;
}

static enum acta_code
search_span(struct reader *reader, struct walk *walk, const struct span *span,
            struct page *page, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct finds finds;

    if (span->memtable == NULL) {
        code = search_begin_store(reader->search, walk->query, reader->store,
                                  walk->backward, err);
    }
    while (code == ACTA_OK && !walk->stopped && !is_past(walk, span)) {
        code = span->memtable == NULL
                   ? find(reader, walk, span, &finds, err)
                   : find_in_memtable(reader, walk, span, &finds, err);
        if (code == ACTA_OK) {
            code = put_finds(reader, walk, span, &finds, page, err);
        }
    }
    return code;
}

static enum acta_code
walk_span(struct reader *reader, struct walk *walk, const struct span *span,
          struct page *page, struct acta_err *err)
{
    uint64_t left =
        walk->backward ? walk->at - span->first : span->last - walk->at;
    bool all = search_is_all(walk->query);

    if (all || (span->memtable != NULL && left < SCAN_MAX)) {
        return scan_span(reader, walk, span, all, page, err);
    }
    return search_span(reader, walk, span, page, err);
}

static enum acta_code
walk_spans(struct reader *reader, struct walk *walk, struct page *page,
           struct acta_err *err)
{
    for (size_t i = 0; i < reader->spans_count && !walk->stopped; i++) {
        const struct span *span =
            &reader->spans[walk->backward ? reader->spans_count - 1 - i : i];

        if (walk->at >= span->first && walk->at <= span->last) {
            enum acta_code code = walk_span(reader, walk, span, page, err);

            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    return ACTA_OK;
}

enum acta_code
reader_read_all(struct reader *reader, const struct query *query, uint64_t from,
                bool backward, const struct read_bounds *bounds,
                struct buf *out, struct read_result *result,
                struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    struct walk walk = {
        .query = query, .backward = backward, .steps = STEPS_MAX};
    enum acta_code code;

    assert(bounds->events_max > 0);

    *result = (struct read_result){.next = from};
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    result->head = reader->head;
    if (!backward && from >= reader->head) {
        result->at_end = true; /* It waits for what is to come. */
        reader_end(reader);
        return ACTA_OK;
    }
    if (backward) {
        walk.at = from == 0 || from > reader->head ? reader->head : from - 1;
    } else {
        walk.at = from + 1;
    }
    code = walk_spans(reader, &walk, &page, err);
    result->events_count = page.count;
    result->next = backward ? walk.at + 1 : walk.at - 1;
    result->at_end = !walk.stopped;
    code = reader_leave_damage(&page, code, result);
    reader_end(reader);
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
