/* What a refused append has not seen: the events that came behind what it was
 * decided from.
 *
 * Each of its expected versions and conditions is a source of events. First the
 * positions of what they have are gathered, the first ones of each and then the
 * first ones of all; then the events are put. A source that could not be
 * followed to its end says how far what it has is known; nothing behind that is
 * put, since there what is put might have a gap. All of it shares one number of
 * steps.
 */

#include <assert.h>
#include <stdlib.h>

#include "limit.h"
#include "list_cursor.h"
#include "reader.h"
#include "reader_view.h"

/* One more than are put, to know that there are more. */
#define WANTED_MAX (ACTA_UNSEEN_EVENTS_MAX + 1)

/* With twice as many as are wanted the first ones are picked out: a sort each
 * time that as many have come. One more source may come before that.
 */
#define GATHERED_MAX (3 * WANTED_MAX)

struct gathered {
    struct reader *reader;
    size_t wanted;
    size_t steps;
    uint64_t known_to; /* Up to here, all that the sources have is gathered. */
    uint64_t positions[GATHERED_MAX]; /* In no order, some more than once. */
    size_t count;
};

static void
spend(struct gathered *gathered, size_t steps)
{
    gathered->steps -= steps < gathered->steps ? steps : gathered->steps;
}

/* ---- the positions ---- */

static void
know_to(struct gathered *gathered, uint64_t position)
{
    if (position < gathered->known_to) {
        gathered->known_to = position;
    }
}

static int
compare_positions(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Sort, drop what is there twice, and keep those that are wanted. */
static void
keep_first(struct gathered *gathered)
{
    uint64_t *positions = gathered->positions;
    size_t kept = 0;

    qsort(positions, gathered->count, sizeof(*positions), compare_positions);
    for (size_t i = 0; i < gathered->count && kept < gathered->wanted; i++) {
        if (positions[i] <= gathered->known_to &&
            (kept == 0 || positions[i] != positions[kept - 1])) {
            positions[kept++] = positions[i];
        }
    }
    gathered->count = kept;
    if (kept == gathered->wanted) {
        know_to(gathered, positions[kept - 1]);
    }
}

/* A source, as it is followed. */
struct source {
    struct slice stream;       /* Of a version that was expected, */
    const struct query *query; /* or NULL: of a condition. */
    uint64_t at;  /* Version, or position: the next one to look at. */
    size_t count; /* It has given so many. */
    bool stopped; /* It has given enough, or steps are used up. */
};

/* What a look into the lists of one room has found. */
struct finds {
    struct {
        uint64_t position;
        bool is_sure; /* Else the event tells whether the query wants it. */
    } finds[LOCKED_MAX];
    size_t count;
    bool at_end; /* The room has no more. */
};

static void
add_find(struct finds *finds, uint64_t position, bool is_sure)
{
    finds->finds[finds->count].position = position;
    finds->finds[finds->count].is_sure = is_sure;
    finds->count++;
}

/* Gather the event of @position if it may be shown, and is wanted. */
static enum acta_code
gather(struct gathered *gathered, struct source *source,
       const struct span *span, uint64_t position, bool is_sure,
       struct acta_err *err)
{
    struct block_record record;
    enum reader_shows shows;
    enum acta_code code;
    bool wanted = true;

    spend(gathered, 1);
    code = reader_record(gathered->reader, span, position, &record, err);
    if (code == ACTA_OK) {
        code = reader_look(gathered->reader,
                           slice_make(record.data, record.size), &shows, err);
    }
    if (code != ACTA_OK || shows == READER_HIDES_IT) {
        return code;
    }
    if (!is_sure) {
        code = search_check(source->query, &record, &wanted, err);
    }
    if (code == ACTA_OK && wanted) {
        assert(gathered->count < GATHERED_MAX);
        gathered->positions[gathered->count++] = position;
        source->count++;
    }
    return code;
}

/* The same for all finds, until the source has given enough. */
static enum acta_code
gather_finds(struct gathered *gathered, struct source *source,
             const struct span *span, const struct finds *finds,
             struct acta_err *err)
{
    for (size_t i = 0; i < finds->count; i++) {
        uint64_t position = finds->finds[i].position;
        enum acta_code code;

        if (position > gathered->known_to) {
            source->stopped = true;
            return ACTA_OK;
        }
        code = gather(gathered, source, span, position, finds->finds[i].is_sure,
                      err);
        if (code != ACTA_OK) {
            return code;
        }
        if (source->count == gathered->wanted || gathered->steps == 0) {
            know_to(gathered, position);
            source->stopped = true;
            return ACTA_OK;
        }
    }
    return ACTA_OK;
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

/* ---- an expected version ---- */

/* Find events of the stream in a span, which is locked, from version source->at
 * on, which moves.
 */
static enum acta_code
find_versions(struct gathered *gathered, struct source *source,
              const struct span *span, struct finds *finds,
              struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, source->stream};
    enum acta_code code = ACTA_OK;
    struct list_cursor cursor;
    uint64_t base = 0;

    finds->count = 0;
    spend(gathered, 1);
    if (span->memtable == NULL) {
        code = list_cursor_open_store(&cursor, gathered->reader->store, &name,
                                      err);
    } else {
        list_cursor_open_memtable(&cursor, span->memtable, &name, span->last);
        base = cursor.memlist->base_count;
    }
    while (code == ACTA_OK && finds->count < LOCKED_MAX && source->at > base &&
           source->at - base <= cursor.count) {
        uint64_t position;

        code = list_cursor_at(&cursor, source->at - base, &position, err);
        if (code == ACTA_OK) {
            add_find(finds, position, true);
            source->at++;
        }
    }
    finds->at_end = finds->count < LOCKED_MAX;
    return code;
}

/* Gather the events of @stream behind the version @seen. */
static enum acta_code
gather_versions(struct gathered *gathered, struct slice stream, uint64_t seen,
                struct acta_err *err)
{
    struct reader *reader = gathered->reader;
    struct source source = {.stream = stream, .at = seen + 1};
    struct retention retention;
    enum acta_code code;
    uint64_t version, first;

    if ((code = reader_version(reader, stream, &version, err)) != ACTA_OK ||
        (code = reader_retention(reader, stream, &retention, err)) != ACTA_OK) {
        return code;
    }
    first = retention_first(&retention, version);
    if (source.at < first) {
        source.at = first; /* What lies before it is hidden. */
    }
    for (size_t i = 0; i < reader->spans_count; i++) {
        struct finds finds = {.at_end = false};

        while (code == ACTA_OK && !finds.at_end && !source.stopped &&
               source.at <= version) {
            const struct span *span = &reader->spans[i];

            lock_span(span);
            code = find_versions(gathered, &source, span, &finds, err);
            unlock_span(span);
            if (code == ACTA_OK) {
                code = gather_finds(gathered, &source, span, &finds, err);
            }
        }
    }
    return code;
}

/* ---- a condition ---- */

/* Find events that match in a span, which is locked, from the position
 * source->at on, which moves.
 */
static enum acta_code
find_matches(struct gathered *gathered, struct source *source,
             const struct span *span, struct finds *finds, struct acta_err *err)
{
    struct search *search = gathered->reader->search;
    size_t steps =
        gathered->steps < LOCKED_STEPS_MAX ? gathered->steps : LOCKED_STEPS_MAX;
    size_t given = steps;
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && finds->count < LOCKED_MAX && steps > 0 &&
           !finds->at_end) {
        enum search_verdict verdict;
        uint64_t position;

        code =
            search_next(search, source->at, &position, &verdict, &steps, err);
        if (code != ACTA_OK || position > span->last) {
            finds->at_end = true;
        } else if (verdict == SEARCH_UNKNOWN) {
            source->at = position;
        } else {
            add_find(finds, position, verdict == SEARCH_WANTED);
            source->at = position + 1;
            finds->at_end = position == span->last;
        }
    }
    spend(gathered, given - steps);
    return code;
}

/* The same if the query wants every event. */
static void
find_all(struct source *source, const struct span *span, struct finds *finds)
{
    while (finds->count < LOCKED_MAX && source->at <= span->last) {
        add_find(finds, source->at++, true);
    }
    finds->at_end = source->at > span->last;
}

static enum acta_code
find_in_span(struct gathered *gathered, struct source *source,
             const struct span *span, struct finds *finds, struct acta_err *err)
{
    struct reader *reader = gathered->reader;
    enum acta_code code;

    finds->count = 0;
    finds->at_end = false;
    if (search_is_all(source->query)) {
        find_all(source, span, finds);
        return ACTA_OK;
    }
    spend(gathered, 1);
    lock_span(span);
    code = span->memtable == NULL
               ? search_begin_store(reader->search, source->query,
                                    reader->store, false, err)
               : search_begin_memtable(reader->search, source->query,
                                       span->memtable, span->last, false, err);
    if (code == ACTA_OK) {
        code = find_matches(gathered, source, span, finds, err);
    }
    unlock_span(span);
    return code;
}

/* Gather the events behind the position @after that match @query. */
static enum acta_code
gather_matches(struct gathered *gathered, const struct query *query,
               uint64_t after, struct acta_err *err)
{
    struct reader *reader = gathered->reader;
    struct source source = {.query = query};
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; i < reader->spans_count && !source.stopped; i++) {
        const struct span *span = &reader->spans[i];
        struct finds finds = {.at_end = after >= span->last};

        source.at = after < span->first ? span->first : after + 1;
        while (code == ACTA_OK && !finds.at_end && !source.stopped) {
            if (gathered->steps == 0) {
                know_to(gathered, source.at - 1);
                return ACTA_OK;
            }
            code = find_in_span(gathered, &source, span, &finds, err);
            if (code == ACTA_OK) {
                code = gather_finds(gathered, &source, span, &finds, err);
            }
        }
    }
    return code;
}

/* ---- all of it ---- */

/* Get ready for one more source. False if there is nothing it could add. */
static bool
may_gather(struct gathered *gathered)
{
    if (gathered->steps == 0) {
        know_to(gathered, 0); /* Of this source nothing is known. */
    }
    if (gathered->count >= 2 * gathered->wanted) {
        keep_first(gathered);
    }
    return gathered->known_to > 0;
}

static enum acta_code
gather_all(struct gathered *gathered, const struct msg_append *append,
           struct acta_err *err)
{
    const struct msg_append_more *more = &append->more;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < append->writes_count; i++) {
        const struct msg_write *write = &append->writes[i];

        if (write->expected >= 0 && may_gather(gathered)) {
            code = gather_versions(gathered, write->stream,
                                   (uint64_t)write->expected, err);
        }
    }
    for (size_t i = 0; code == ACTA_OK && i < more->checks_count; i++) {
        const struct msg_check *check = &more->checks[i];

        if (check->expected >= 0 && may_gather(gathered)) {
            code = gather_versions(gathered, check->stream,
                                   (uint64_t)check->expected, err);
        }
    }
    for (size_t i = 0; code == ACTA_OK && i < more->conditions_count; i++) {
        const struct msg_condition *condition = &more->conditions[i];

        if (may_gather(gathered)) {
            code = gather_matches(gathered, &condition->query, condition->after,
                                  err);
        }
    }
    return code;
}

/* Put what was gathered and is known to be all, as far as there is room. */
static enum acta_code
put_gathered(const struct gathered *gathered, struct page *page,
             struct acta_err *err)
{
    struct reader *reader = gathered->reader;
    enum acta_code code = ACTA_OK;
    size_t span = 0;

    for (size_t i = 0; code == ACTA_OK && !page->full && i < gathered->count;
         i++) {
        uint64_t position = gathered->positions[i];

        while (position > reader->spans[span].last) {
            span++;
        }
        code = reader_put(reader, page, &reader->spans[span], position, err);
    }
    return code;
}

enum acta_code
reader_read_unseen(struct reader *reader, const struct msg_append *append,
                   const struct read_bounds *bounds, struct buf *out,
                   struct unseen_result *result, struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    struct gathered gathered;
    enum acta_code code;

    assert(bounds->events_max > 0);
    assert(bounds->events_max <= ACTA_UNSEEN_EVENTS_MAX);

    *result = (struct unseen_result){0};
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    gathered.reader = reader;
    gathered.wanted = (size_t)bounds->events_max + 1;
    gathered.steps = STEPS_MAX;
    gathered.known_to = UINT64_MAX;
    gathered.count = 0;
    code = gather_all(&gathered, append, err);
    if (code == ACTA_OK) {
        keep_first(&gathered);
        code = put_gathered(&gathered, &page, err);
    }
    result->events_count = page.count;
    result->complete = gathered.known_to == UINT64_MAX && !page.full;
    result->head = reader->head;
    reader_end(reader);
    return code;
}
