/* Reading by position and query. */

#include <assert.h>
#include <string.h>

#include "list_cursor.h"
#include "reader.h"
#include "reader_view.h"

/* Below this many events it is cheaper to look at each than at the lists. */
#define SCAN_MAX 32

/* Steps that are reckoned for an event that a search has found. */
#define FOUND_STEPS 2
#define RUN_STEPS   (1 + FOUND_STEPS)

/* A read on its way. Positions below @at (backward: above it) are done with.
 */
struct walk {
    const struct query *query;
    bool backward;
    uint64_t at;
    uint64_t last; /* Nothing behind it is looked at. */
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

/* Put all events of the store's span, upwards. */
static enum acta_code
copy_span(struct reader *reader, struct walk *walk, const struct span *span,
          struct page *page, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && walk->at <= span->last) {
        size_t done;

        code = reader_put_next(reader, page, walk->at, span->last, &done, err);
        walk->at += done;
        if (page->full) {
            walk->stopped = true;
            break;
        }
    }
    return code;
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
    uint64_t positions[LOCKED_MAX];
    bool are_sure[LOCKED_MAX]; /* Else the event tells. */
    size_t count;
};

/* As many as the search has at hand behind walk->at, of which some steps are
 * left. False: those were the last of the span.
 */
static bool
find_run(const struct reader *reader, struct walk *walk,
         const struct span *span, struct finds *finds)
{
    size_t room = LOCKED_MAX - finds->count;
    size_t affordable = walk->steps / RUN_STEPS;
    size_t count = search_run(reader->search, walk->at, span->last,
                              finds->positions + finds->count,
                              room < affordable ? room : affordable);

    if (count == 0) {
        return true;
    }
    memset(finds->are_sure + finds->count, true, count);
    finds->count += count;
    walk->steps -= count * RUN_STEPS;
    return step(walk, span, finds->positions[finds->count - 1]);
}

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
        finds->positions[finds->count] = position;
        finds->are_sure[finds->count] = verdict == SEARCH_WANTED;
        finds->count++;
        walk->steps -= walk->steps < FOUND_STEPS ? walk->steps : FOUND_STEPS;
        if (!step(walk, span, position) ||
            !find_run(reader, walk, span, finds)) {
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

/* How many finds from @from on are wanted for sure. */
static size_t
sure_run(const struct finds *finds, size_t from)
{
    size_t count = 0;

    while (from + count < finds->count && finds->are_sure[from + count]) {
        count++;
    }
    return count;
}

/* Put a find if it is wanted, which the event tells. *@done: 1 if it need not
 * be looked at again.
 */
static enum acta_code
put_unsure(struct reader *reader, struct walk *walk, const struct span *span,
           uint64_t position, struct page *page, size_t *done,
           struct acta_err *err)
{
    enum acta_code code;
    bool wanted;

    *done = 0;
    if (walk->checked_size >= CHECKED_SIZE_MAX) {
        return ACTA_OK;
    }
    code = wants(reader, walk, span, position, &wanted, err);
    if (code == ACTA_OK && wanted) {
        code = reader_put(reader, page, span, position, err);
    }
    *done = code == ACTA_OK && !page->full;
    return code;
}

/* Put those of the finds on the page that are wanted. If it cannot be all, the
 * walk stops before the first one that is left.
 */
static enum acta_code
put_finds(struct reader *reader, struct walk *walk, const struct span *span,
          const struct finds *finds, struct page *page, struct acta_err *err)
{
    size_t i = 0;

    while (i < finds->count) {
        size_t sure = sure_run(finds, i), done;
        enum acta_code code =
            sure > 0 ? reader_put_run(reader, page, span, finds->positions + i,
                                      sure, &done, err)
                     : put_unsure(reader, walk, span, finds->positions[i], page,
                                  &done, err);

        i += done;
        if (code != ACTA_OK || page->full || done == 0) {
            assert(i < finds->count);
            walk->at = finds->positions[i];
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

    if (all && span->memtable == NULL && !walk->backward && page->out != NULL) {
        return copy_span(reader, walk, span, page, err);
    }
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
        struct span span =
            reader->spans[walk->backward ? reader->spans_count - 1 - i : i];

        if (span.last > walk->last) {
            span.last = walk->last;
        }
        if (walk->at >= span.first && walk->at <= span.last) {
            enum acta_code code = walk_span(reader, walk, &span, page, err);

            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    return ACTA_OK;
}

enum acta_code
reader_put_all(struct reader *reader, const struct query *query, uint64_t from,
               bool backward, struct page *page, struct read_result *result,
               struct acta_err *err)
{
    struct walk walk = {
        .query = query,
        .backward = backward,
        .last = backward ? reader->head
                         : read_bounds_end(&page->bounds, reader->head),
        .steps = STEPS_MAX,
    };
    enum acta_code code;

    *result = (struct read_result){.next = from, .head = reader->head};
    if (!backward && from >= walk.last) {
        result->at_end = true; /* It waits for what is to come. */
        return ACTA_OK;
    }
    if (backward) {
        walk.at = from == 0 || from > reader->head ? reader->head : from - 1;
    } else {
        walk.at = from + 1;
    }
    code = walk_spans(reader, &walk, page, err);
    result->events_count = page->count;
    result->next = backward ? walk.at + 1 : walk.at - 1;
    result->at_end = !walk.stopped;
    return reader_leave_damage(page, code, result);
}

static struct slice
put_since(const struct buf *out, size_t before)
{
    struct slice all = buf_slice(out);

    return all.size == before
               ? SLICE_NONE
               : slice_make(all.data + before, all.size - before);
}

enum acta_code
reader_read_all(struct reader *reader, const struct query *query, uint64_t from,
                bool backward, const struct read_bounds *bounds,
                struct buf *out, struct read_result *result,
                struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    size_t before = buf_size(out);
    enum acta_code code;

    assert(bounds->events_max > 0);

    if (!backward && reader_recall(reader, query, from, bounds, out, result)) {
        return ACTA_OK;
    }
    *result = (struct read_result){.next = from};
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = reader_put_all(reader, query, from, backward, &page, result, err);
    if (code == ACTA_OK && !backward) {
        reader_remember(reader, query, from, bounds, put_since(out, before),
                        result);
    }
    reader_end(reader);
    return code;
}

/* Those that had to be written anew are in the buf, which may have moved. */
static void
find_erased(struct page *page)
{
    const uint8_t *at = buf_slice(page->out).data;

    for (size_t i = 0; i < page->count; i++) {
        if (page->records[i].data == NULL) {
            page->records[i].data = at;
            at += page->records[i].size;
        }
    }
}

enum acta_code
reader_show_all(struct reader *reader, const struct query *query, uint64_t from,
                const struct read_bounds *bounds,
                const struct reader_show *show, struct read_result *result,
                struct acta_err *err)
{
    struct page page = {
        .out = show->erased, .bounds = *bounds, .records = show->records};
    enum acta_code code;

    assert(bounds->events_max > 0);

    *result = (struct read_result){.next = from};
    buf_clear(show->erased);
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = reader_put_all(reader, query, from, false, &page, result, err);
    if (code == ACTA_OK && page.count > 0) {
        find_erased(&page);
        code = show->show(show->user, page.records, page.count, err);
    }
    reader_end(reader);
    return code;
}
