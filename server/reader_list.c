/* Listing streams and other names, merged over store and memtables.
 *
 * The store has names in order. A memtable does not: all its lists of the kind
 * are looked at, without a lock, and the first so many names that are wanted
 * are kept; then both are walked side by side.
 */

#include <assert.h>
#include <stdlib.h>

#include "list_cursor.h"
#include "msg.h"
#include "reader.h"
#include "reader_view.h"

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

/* Up to @wanted names that have published events are kept, sorted, while all
 * are looked at.
 */
struct names {
    struct slice *names; /* owned: room for twice as many as are wanted. The
                            bytes are the memtables'. */
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

static bool
is_wanted(const struct memlist *list, const struct listing *listing,
          const struct span *span)
{
    return slice_starts_with(list->name.name, listing->prefix) &&
           slice_compare(list->name.name, listing->after) > 0 &&
           list->count > 0 && list->offsets[0] <= span->last - span->first;
}

/* Lists are linked for good, so that the lock can be let go in between. */
static void
collect_names(struct names *names, const struct listing *listing,
              const struct span *span)
{
    const struct memlist *list;

    memtable_lock(span->memtable);
    list = memtable_lists(span->memtable, listing->kind);
    memtable_unlock(span->memtable);
    while (list != NULL) {
        memtable_lock(span->memtable);
        for (size_t i = 0;
             i < LOCKED_MAX && list != NULL && names->count < 2 * names->wanted;
             i++, list = list->next) {
            if (is_wanted(list, listing, span)) {
                names->names[names->count++] = list->name.name;
            }
        }
        memtable_unlock(span->memtable);
        if (names->count == 2 * names->wanted) {
            keep_first(names);
        }
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

/* Merge the names of store and memtables. All of those are listed, so that no
 * name which was not kept is passed over.
 */
static enum acta_code
merge(struct reader *reader, struct listing *listing, const struct names *names,
      struct acta_err *err)
{
    bool inclusive = slice_compare(listing->prefix, listing->after) > 0;
    struct slice from = inclusive ? listing->prefix : listing->after;
    struct slice stored = SLICE_NONE;
    bool in_store = false;
    size_t next = 0;
    enum acta_code code;

    code =
        next_stored(reader, listing, from, inclusive, &stored, &in_store, err);
    while (code == ACTA_OK && listing->count < listing->count_max &&
           (in_store || next < names->count)) {
        int order;

        if (in_store && next < names->count) {
            order = slice_compare(stored, names->names[next]);
        } else {
            order = in_store ? -1 : 1;
        }
        code = list_one(reader, listing,
                        order <= 0 ? stored : names->names[next], err);
        next += order >= 0;
        if (code == ACTA_OK && order <= 0) {
            code = next_stored(reader, listing, stored, false, &stored,
                               &in_store, err);
        }
    }
    listing->at_end = !in_store && next == names->count && !names->more;
    return code;
}

static enum acta_code
list(struct reader *reader, struct listing *listing, struct acta_err *err)
{
    struct names names = {.wanted = listing->count_max};
    enum acta_code code;

    assert(listing->count_max > 0);

    names.names = calloc(2 * listing->count_max, sizeof(*names.names));
    if (names.names == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list names");
    }
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        free(names.names);
        return code;
    }
    for (size_t i = 0; i < reader->spans_count; i++) {
        if (reader->spans[i].memtable != NULL) {
            collect_names(&names, listing, &reader->spans[i]);
        }
    }
    keep_first(&names);
    code = merge(reader, listing, &names, err);
    if (code == ACTA_OK && buf_failed(listing->out)) {
        code = acta_fail(err, ACTA_MEMORY, "list names");
    }
    reader_end(reader);
    free(names.names);
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
