/* What one call of a reader sees, and the page that it fills. Internal to
 * server/reader*.c.
 *
 * A view is made of spans: positions that lie one behind the other in one room.
 * The tail is pinned before the store's transaction begins: so whatever a
 * checkpoint moves in between is in both, never in neither, and a memtable that
 * the store has already is left out.
 */

#ifndef ACTA_READER_VIEW_H
#define ACTA_READER_VIEW_H

#include "reader.h"
#include "retention.h"
#include "rooms.h"
#include "row.h"
#include "search.h"

/* The store, and the memtables. */
#define SPANS_MAX (1 + TAIL_TABLES_MAX)

/* Lists are looked at with the memtable locked, so that the writer may have to
 * wait: for this many positions at most.
 */
#define LOCKED_MAX 128

/* And for this many steps of a search. */
#define LOCKED_STEPS_MAX 1024

/* Steps of a search in one call, which holds an I/O thread for one or two
 * milliseconds with that. A step is a look into one list.
 */
#define STEPS_MAX 8192

/* Bytes of events that one call looks at only to see if they are wanted. The
 * call stops behind the event that goes over.
 */
#define CHECKED_SIZE_MAX ((size_t)1 << 20)

struct span {
    struct memtable *memtable; /* NULL: the store. */
    uint64_t first;
    uint64_t last;
};

struct reader {
    struct rooms *rooms;
    struct store_view *store;
    struct search *search;
    struct tail_view tail;
    struct span spans[SPANS_MAX]; /* Of the view that is open. */
    size_t spans_count;
    uint64_t head;
    uint64_t view_number;  /* Counts the views. */
    struct sights *sights; /* owned: what streams let be seen */
    struct known *known;   /* owned: the stream that was looked for last */
    bool judged; /* In this view, some event by what its stream lets be seen. */
    struct shared_page *shared; /* owned: see reader_recall() */
    uint64_t marks_count;       /* Of the rooms, just before the view. */
    uint64_t now_us;            /* By which ages are judged. */
};

enum acta_code reader_begin(struct reader *reader,
                            struct acta_err *err) ACTA_CHECKED;
void reader_end(struct reader *reader);

/* The record of @position, which is in @span. */
enum acta_code reader_record(struct reader *reader, const struct span *span,
                             uint64_t position, struct block_record *record,
                             struct acta_err *err) ACTA_CHECKED;

/* What is known of a stream in this view; @name becomes stream->name. */
enum acta_code reader_stream(struct reader *reader, struct slice name,
                             struct msg_stream *stream,
                             struct acta_err *err) ACTA_CHECKED;

/* The value of a row in this view; *@found is false if there is none. */
enum acta_code reader_row(struct reader *reader, enum row_kind kind,
                          struct slice key, struct slice *value, bool *found,
                          struct acta_err *err) ACTA_CHECKED;

/* What the store knows of the stream that was looked for last: a call looks for
 * its stream more than once. NULL if there is no memory. free()
 */
struct known *known_new(void);

/* ---- pages that many ask for ---- */

struct shared_page *shared_page_new(void); /* NULL if there is no memory. */
void shared_page_free(struct shared_page *page);

/* Where a read that goes up ends if there is @head. */
static inline uint64_t
read_bounds_end(const struct read_bounds *bounds, uint64_t head)
{
    return bounds->last > 0 && bounds->last < head ? bounds->last : head;
}

/* Put the page that was kept for this question, going up, if a read would find
 * the same now. False: there is none, and nothing was put.
 */
bool reader_recall(struct reader *reader, const struct query *query,
                   uint64_t from, const struct read_bounds *bounds,
                   struct buf *out, struct read_result *result);

/* In the view that is open, the question was answered by @events and @result:
 * if it was asked twice, keep that.
 */
void reader_remember(struct reader *reader, const struct query *query,
                     uint64_t from, const struct read_bounds *bounds,
                     struct slice events, const struct read_result *result);

/* ---- what may be shown ---- */

struct sights *sights_new(void); /* NULL if there is no memory. free() */

enum reader_shows {
    READER_SHOWS_IT,
    READER_SHOWS_ERASED, /* Without data and metadata. */
    READER_HIDES_IT,
};

/* May @record, which is of this view, be shown? Must not be called with a
 * memtable locked.
 */
enum acta_code reader_look(struct reader *reader, struct slice record,
                           enum reader_shows *shows,
                           struct acta_err *err) ACTA_CHECKED;

enum acta_code reader_retention(struct reader *reader, struct slice stream,
                                struct retention *retention,
                                struct acta_err *err) ACTA_CHECKED;

/* The stream's version in this view. */
enum acta_code reader_version(struct reader *reader, struct slice stream,
                              uint64_t *version,
                              struct acta_err *err) ACTA_CHECKED;

/* The page that a call fills. */
struct page {
    struct buf *out; /* NULL: events are only counted. */
    uint64_t first;  /* Then: position of the first one. */
    struct read_bounds bounds;
    struct slice *records; /* NULL, or: where they are, instead of copies. Those
                              without data are in out, one behind the other. */
    size_t count;
    uint64_t size; /* Bytes of records. */
    size_t hidden; /* Events that were passed over. */
    bool full;     /* The next event would go over, or has to wait. */
};

/* Damage that was come upon when there are events on the page already is left
 * to the next call: these come first, and the page is not the last one.
 */
static inline enum acta_code
reader_leave_damage(const struct page *page, enum acta_code code,
                    struct read_result *result)
{
    if (code != ACTA_CORRUPT || page->count == 0) {
        return code;
    }
    result->at_end = false;
    return ACTA_OK;
}

/* Put the event of @position, which is in @span, on the page, unless it is
 * hidden; or leave it and mark the page as full. After many hidden ones it is
 * full as well, so that others have their turn.
 */
enum acta_code reader_put(struct reader *reader, struct page *page,
                          const struct span *span, uint64_t position,
                          struct acta_err *err) ACTA_CHECKED;

/* The same for positions of the store from @position to @last, some of which it
 * looks at together. *@done: so many were put, or are hidden; none only if the
 * page is full, or the code is about the next one.
 */
enum acta_code reader_put_next(struct reader *reader, struct page *page,
                               uint64_t position, uint64_t last, size_t *done,
                               struct acta_err *err) ACTA_CHECKED;

/* The same for @count positions that may lie apart, which costs less together.
 * *@done: so many were put, or are hidden; then the page is full, or the code
 * is about the next one, or that was all.
 */
enum acta_code reader_put_run(struct reader *reader, struct page *page,
                              const struct span *span,
                              const uint64_t *positions, size_t count,
                              size_t *done, struct acta_err *err) ACTA_CHECKED;

/* Put what @query wants, as reader_read_all() does, from this view. */
enum acta_code reader_put_all(struct reader *reader, const struct query *query,
                              uint64_t from, bool backward, struct page *page,
                              struct read_result *result,
                              struct acta_err *err) ACTA_CHECKED;

/* Put events of a stream, as reader_read_stream() does, from this view, in
 * which it is at result->version.
 */
enum acta_code reader_put_stream(struct reader *reader, struct slice stream,
                                 uint64_t from, bool backward,
                                 struct page *page, struct read_result *result,
                                 struct acta_err *err) ACTA_CHECKED;

#endif
