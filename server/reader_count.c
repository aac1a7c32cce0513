/* Counting what lies behind a position: as lists tell it where nothing can be
 * hidden, else by looking.
 */

#include "list_cursor.h"
#include "reader.h"
#include "reader_view.h"
#include "record.h"

/* Lists that are added up; with more of them they are searched. */
#define LISTS_MAX 32

/* Events that one call looks at. */
#define LOOKED_AT_MAX 8192

/* What a call counts. */
struct counting {
    uint64_t after;
    uint64_t count;
    uint64_t first; /* Position; 0: none. */
};

/* ---- lists ---- */

/* Lists that have each event that is wanted once, and no others. */
struct lists {
    struct list_name names[LISTS_MAX];
    size_t count;
};

static bool
has_name(const struct lists *lists, struct slice name)
{
    for (size_t i = 0; i < lists->count; i++) {
        if (slice_equal(lists->names[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* The field that alone says what @item wants, by names; QUERY_FIELDS if there
 * is none.
 */
static enum query_field
only_field(const struct query_item *item)
{
    enum query_field only = QUERY_FIELDS;

    for (enum query_field field = 0; field < QUERY_FIELDS; field++) {
        const struct query_terms *terms = &item->fields[field];

        if (terms->prefixes_count > 0 ||
            (terms->count > 0 && only != QUERY_FIELDS)) {
            return QUERY_FIELDS;
        }
        if (terms->count > 0) {
            only = field;
        }
    }
    return only;
}

/* An event has one stream, one category, one type, one correlation id at most,
 * so that it is in one list of each kind; of tags it may have more. False if
 * the query is not as simple as that.
 */
static bool
find_lists(struct lists *lists, const struct query *query)
{
    const struct query_terms *terms;
    enum query_field field;

    lists->count = 0;
    field =
        query->items_count == 1 ? only_field(&query->items[0]) : QUERY_FIELDS;
    if (field == QUERY_FIELDS) {
        return false;
    }
    terms = &query->items[0].fields[field];
    if (terms->count > (field == QUERY_TAGS ? 1 : LISTS_MAX)) {
        return false;
    }
    for (size_t i = 0; i < terms->count; i++) {
        if (!has_name(lists, terms->texts[i])) {
            lists->names[lists->count++] =
                (struct list_name){list_kind_of(field), terms->texts[i]};
        }
    }
    return true;
}

/* Count the events of a list in one span, and find the first of them. */
static enum acta_code
count_in_span(struct reader *reader, const struct span *span,
              const struct list_name *name, uint64_t from, uint64_t *count,
              uint64_t *first, struct acta_err *err)
{
    struct list_cursor cursor;
    enum acta_code code = ACTA_OK;

    *count = 0;
    if (span->memtable == NULL) {
        code = list_cursor_open_store(&cursor, reader->store, name, err);
    } else {
        memtable_lock(span->memtable);
        list_cursor_open_memtable(&cursor, span->memtable, name, span->last);
    }
    if (code == ACTA_OK) {
        code = list_cursor_count_ahead(&cursor, from, count, err);
    }
    if (code == ACTA_OK && *count > 0) {
        code = list_cursor_ahead(&cursor, from, first, err);
    }
    if (span->memtable != NULL) {
        memtable_unlock(span->memtable);
    }
    return code;
}

static enum acta_code
count_list(struct reader *reader, const struct list_name *name,
           struct counting *counting, struct acta_err *err)
{
    for (size_t i = 0; i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];
        enum acta_code code;
        uint64_t count, first = 0;

        if (span->last <= counting->after) {
            continue;
        }
        code = count_in_span(reader, span, name, counting->after + 1, &count,
                             &first, err);
        if (code != ACTA_OK) {
            return code;
        }
        counting->count += count;
        if (count > 0 && (counting->first == 0 || first < counting->first)) {
            counting->first = first;
        }
    }
    return ACTA_OK;
}

/* ---- counting ---- */

/* Count what can be told without a look. *@told is false if it cannot be. */
static enum acta_code
count_by_lists(struct reader *reader, const struct query *query,
               struct counting *counting, bool *told, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct lists lists;

    *told = marks_none(&reader->rooms->marks);
    if (*told && search_is_all(query)) {
        counting->first = counting->after + 1;
        counting->count = reader->head - counting->after;
        return ACTA_OK;
    }
    *told = *told && find_lists(&lists, query);
    for (size_t i = 0; *told && code == ACTA_OK && i < lists.count; i++) {
        code = count_list(reader, &lists.names[i], counting, err);
    }
    return code;
}

static enum acta_code
count_by_looking(struct reader *reader, const struct query *query,
                 struct counting *counting, struct read_result *read,
                 struct acta_err *err)
{
    struct page page = {
        .bounds = {.events_max = LOOKED_AT_MAX, .bytes_max = UINT64_MAX}};
    enum acta_code code;

    code =
        reader_put_all(reader, query, counting->after, false, &page, read, err);
    counting->count = page.count;
    counting->first = page.first;
    return code;
}

static enum acta_code
find_first_time(struct reader *reader, struct count_result *result,
                struct acta_err *err)
{
    struct block_record record;
    enum acta_code code;

    for (size_t i = 0; i < reader->spans_count; i++) {
        const struct span *span = &reader->spans[i];

        if (result->first_position >= span->first &&
            result->first_position <= span->last) {
            code = reader_record(reader, span, result->first_position, &record,
                                 err);
            if (code == ACTA_OK) {
                result->first_time_us =
                    record_time(slice_make(record.data, record.size));
            }
            return code;
        }
    }
    return ACTA_OK; /* There is none. */
}

static enum acta_code
count_view(struct reader *reader, const struct query *query, uint64_t after,
           struct count_result *result, struct acta_err *err)
{
    struct counting counting = {.after = after};
    struct read_result read = {.next = reader->head, .at_end = true};
    enum acta_code code;
    bool told;

    result->head = reader->head;
    result->complete = true;
    if (after >= reader->head) {
        return ACTA_OK;
    }
    code = count_by_lists(reader, query, &counting, &told, err);
    if (code == ACTA_OK && !told) {
        code = count_by_looking(reader, query, &counting, &read, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    result->count = counting.count;
    result->next = read.next;
    result->complete = read.at_end;
    result->first_position = counting.first;
    return find_first_time(reader, result, err);
}

enum acta_code
reader_count(struct reader *reader, const struct query *query, uint64_t after,
             struct count_result *result, struct acta_err *err)
{
    enum acta_code code;

    *result = (struct count_result){.next = after};
    code = reader_begin(reader, err);
    if (code == ACTA_OK) {
        code = count_view(reader, query, after, result, err);
        reader_end(reader);
    }
    return code;
}
