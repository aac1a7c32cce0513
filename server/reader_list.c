/* Listing streams and other names, merged over store and memtables.
 *
 * The store has names in order, and so have the sorted runs of memtables: all
 * are walked side by side, none further than the page goes.
 */

#include <assert.h>

#include "list_cursor.h"
#include "msg.h"
#include "name_runs.h"
#include "reader.h"
#include "reader_view.h"

/* Names that one call lists: each is looked up in all rooms, and an I/O thread
 * has others to serve.
 */
#define NAMES_MAX 512

/* What a call lists, and how far it has come. */
struct listing {
    enum list_kind kind;
    struct slice prefix;
    struct slice after;
    size_t count_max;
    struct buf *out;
    size_t count;
    bool at_end;
};

/* What is known of one list, over all spans. */
struct facts {
    uint64_t count;
    uint64_t first_time_us;
    uint64_t last_time_us;
    uint64_t last_position;
};

/* ---- names of the memtables ---- */

/* A list may be of events that are not in the view yet. */
static bool
is_in_view(const struct memlist *list, const struct span *span)
{
    return list->inline_offsets[0] <= span->last - span->first;
}

/* The name that the walk has come to; false if there is none more. */
static bool
next_in_memtables(const struct reader *reader, const struct listing *listing,
                  struct name_walk *walk, struct slice *name)
{
    const struct memlist *list;
    size_t span;

    while ((list = name_walk_list(walk, &span)) != NULL &&
           !is_in_view(list, &reader->spans[span])) {
        name_walk_step(walk);
    }
    if (list == NULL || !slice_starts_with(list->name.name, listing->prefix)) {
        return false;
    }
    *name = list->name.name;
    return true;
}

/* It may be in several memtables. */
static void
step_over(struct name_walk *walk, struct slice name)
{
    const struct memlist *list;
    size_t span;

    while ((list = name_walk_list(walk, &span)) != NULL &&
           slice_equal(list->name.name, name)) {
        name_walk_step(walk);
    }
}

/* ---- one name ---- */

static uint64_t
time_of(const struct span *span, uint64_t position)
{
    struct block_record record = memtable_record(span->memtable, position);

    return event_record_time(slice_make(record.data, record.size));
}

static enum acta_code
look_at_memtable(const struct span *span, const struct list_name *name,
                 struct facts *facts, struct acta_err *err)
{
    uint64_t first = 0, last = 0, count;
    enum acta_code code = ACTA_OK;
    struct list_cursor cursor;

    memtable_lock(span->memtable);
    list_cursor_open_memtable(&cursor, span->memtable, name, span->last);
    count = cursor.count;
    if (count > 0) {
        code = list_cursor_at(&cursor, 1, &first, err);
        if (code == ACTA_OK) {
            code = list_cursor_at(&cursor, count, &last, err);
        }
    }
    memtable_unlock(span->memtable);
    if (code != ACTA_OK || count == 0) {
        return code;
    }
    if (facts->count == 0) {
        facts->first_time_us = time_of(span, first);
    }
    facts->count += count;
    facts->last_time_us = time_of(span, last);
    facts->last_position = last;
    return ACTA_OK;
}

static enum acta_code
look_at_store(struct reader *reader, const struct list_name *name,
              struct facts *facts, struct acta_err *err)
{
    struct list_head head;
    enum acta_code code;
    bool found;

    code = store_view_head(reader->store, name, &head, &found, err);
    if (code == ACTA_OK && found) {
        *facts = (struct facts){head.count, head.first_time_us,
                                head.last_time_us, head.last_position};
    }
    return code;
}

/* The store's span is the first one. */
static enum acta_code
look_at(struct reader *reader, const struct list_name *name,
        struct facts *facts, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    *facts = (struct facts){0};
    for (size_t i = 0; code == ACTA_OK && i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];

        code = span->memtable == NULL
                   ? look_at_store(reader, name, facts, err)
                   : look_at_memtable(span, name, facts, err);
    }
    return code;
}

enum acta_code
reader_stream(struct reader *reader, struct slice name,
              struct msg_stream *stream, struct acta_err *err)
{
    struct list_name list = {LIST_STREAM, name};
    struct retention retention;
    struct facts facts;
    enum acta_code code;

    if ((code = look_at(reader, &list, &facts, err)) != ACTA_OK ||
        (code = reader_retention(reader, name, &retention, err)) != ACTA_OK) {
        return code;
    }
    *stream = (struct msg_stream){
        .name = name,
        .version = facts.count,
        .first_time_us = facts.first_time_us,
        .last_time_us = facts.last_time_us,
        .last_position = facts.last_position,
        .state = retention_state(&retention, facts.count),
        .settings = retention.settings,
    };
    return ACTA_OK;
}

static enum acta_code
list_stream(struct reader *reader, struct slice name, struct buf *out,
            struct acta_err *err)
{
    struct msg_stream stream;
    enum acta_code code = reader_stream(reader, name, &stream, err);

    if (code == ACTA_OK) {
        msg_streams_add(out, &stream);
    }
    return code;
}

static enum acta_code
list_name(struct reader *reader, const struct list_name *name, struct buf *out,
          struct acta_err *err)
{
    struct facts facts;
    enum acta_code code = look_at(reader, name, &facts, err);

    if (code == ACTA_OK) {
        msg_names_add(out, &(struct msg_name){
                               .name = name->name,
                               .count = facts.count,
                               .first_time_us = facts.first_time_us,
                               .last_time_us = facts.last_time_us,
                               .last_position = facts.last_position,
                           });
    }
    return code;
}

static enum acta_code
list_one(struct reader *reader, struct listing *listing, struct slice text,
         struct acta_err *err)
{
    struct list_name name = {listing->kind, text};
    enum acta_code code;

    code = listing->kind == LIST_STREAM
               ? list_stream(reader, text, listing->out, err)
               : list_name(reader, &name, listing->out, err);
    listing->count += code == ACTA_OK;
    return code;
}

/* ---- all of them ---- */

/* The stored name behind @after, or with @inclusive from @after on, that has
 * the prefix; *@found is false if there is none.
 */
static enum acta_code
next_stored(struct reader *reader, const struct listing *listing,
            struct slice after, bool inclusive, struct slice *name, bool *found,
            struct acta_err *err)
{
    struct list_head head;
    enum acta_code code;

    code = store_view_next_list(reader->store, listing->kind, after, inclusive,
                                name, &head, found, err);
    *found = *found && slice_starts_with(*name, listing->prefix);
    return code;
}

/* Where the listing begins in the order of names. */
struct start {
    struct slice from;
    bool inclusive;
};

static struct start
start_of(const struct listing *listing)
{
    bool at_prefix = slice_compare(listing->prefix, listing->after) > 0;

    return (struct start){at_prefix ? listing->prefix : listing->after,
                          at_prefix};
}

/* Merge the names of store and memtables. */
static enum acta_code
merge(struct reader *reader, struct listing *listing, struct name_walk *walk,
      struct start start, struct acta_err *err)
{
    struct slice stored = SLICE_NONE, name = SLICE_NONE;
    bool in_store = false, in_memtables;
    enum acta_code code;

    code = next_stored(reader, listing, start.from, start.inclusive, &stored,
                       &in_store, err);
    in_memtables = next_in_memtables(reader, listing, walk, &name);
    while (code == ACTA_OK && listing->count < listing->count_max &&
           (in_store || in_memtables)) {
        int order;

        if (in_store && in_memtables) {
            order = slice_compare(stored, name);
        } else {
            order = in_store ? -1 : 1;
        }
        code = list_one(reader, listing, order <= 0 ? stored : name, err);
        if (order >= 0) {
            step_over(walk, name);
            in_memtables = next_in_memtables(reader, listing, walk, &name);
        }
        if (code == ACTA_OK && order <= 0) {
            code = next_stored(reader, listing, stored, false, &stored,
                               &in_store, err);
        }
    }
    listing->at_end = !in_store && !in_memtables;
    return code;
}

static enum acta_code
list_view(struct reader *reader, struct listing *listing, struct acta_err *err)
{
    struct start start = start_of(listing);
    struct name_walk walk = {0};
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < reader->spans_count; i++) {
        struct memtable *memtable = reader->spans[i].memtable;
        struct name_runs names;

        if (memtable != NULL) {
            names = memtable_names(memtable, listing->kind);
            if (!name_walk_add(&walk, &names, i, start.from, start.inclusive)) {
                code = acta_fail(err, ACTA_MEMORY, "list names");
            }
        }
    }
    if (code == ACTA_OK) {
        code = merge(reader, listing, &walk, start, err);
    }
    if (code == ACTA_CORRUPT && listing->count > 0) {
        listing->at_end = false; /* Left to the next call. */
        code = ACTA_OK;
    }
    if (code == ACTA_OK && buf_failed(listing->out)) {
        code = acta_fail(err, ACTA_MEMORY, "list names");
    }
    name_walk_fini(&walk);
    return code;
}

static enum acta_code
list(struct reader *reader, struct listing *listing, struct acta_err *err)
{
    enum acta_code code;

    assert(listing->count_max > 0);

    if (listing->count_max > NAMES_MAX) {
        listing->count_max = NAMES_MAX;
    }
    code = reader_begin(reader, err);
    if (code == ACTA_OK) {
        code = list_view(reader, listing, err);
        reader_end(reader);
    }
    return code;
}

enum acta_code
reader_list_streams(struct reader *reader, struct slice prefix,
                    struct slice after, size_t count_max, struct buf *out,
                    size_t *count, bool *at_end, struct acta_err *err)
{
    struct listing listing = {
        .kind = LIST_STREAM,
        .prefix = prefix,
        .after = after,
        .count_max = count_max,
        .out = out,
    };
    enum acta_code code = list(reader, &listing, err);

    *count = listing.count;
    *at_end = listing.at_end;
    return code;
}

enum acta_code
reader_list_names(struct reader *reader, enum msg_name_kind kind,
                  struct slice prefix, struct slice after, size_t count_max,
                  struct buf *out, size_t *count, bool *at_end,
                  struct acta_err *err)
{
    static const enum list_kind kinds[] = {
        [MSG_NAME_CATEGORY] = LIST_CATEGORY,
        [MSG_NAME_TYPE] = LIST_TYPE,
        [MSG_NAME_TAG] = LIST_TAG,
    };
    struct listing listing = {
        .kind = kinds[kind],
        .prefix = prefix,
        .after = after,
        .count_max = count_max,
        .out = out,
    };
    enum acta_code code = list(reader, &listing, err);

    *count = listing.count;
    *at_end = listing.at_end;
    return code;
}
