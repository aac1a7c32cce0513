/* Rows as a view has them: one, or those of a kind in order. */

#include <assert.h>

#include "limit.h"
#include "pack.h"
#include "reader.h"
#include "reader_view.h"
#include "row_walk.h"
#include "schedule.h"

/* Rows that one call lists, and looks at for that, and their bytes: an I/O
 * thread has others to serve. A page that is not the last one has one row at
 * least.
 */
#define ROWS_MAX       ACTA_PAGE_ROWS_MAX
#define ROWS_STEPS_MAX 8192
#define ROWS_SIZE_MAX  ((size_t)1 << 20)

#define WRITE_FIELDS 3 /* Stream, expected version, events. */

/* ---- one ---- */

enum acta_code
reader_row(struct reader *reader, enum row_kind kind, struct slice key,
           struct slice *value, bool *found, struct acta_err *err)
{
    uint64_t sequence = row_walk_sequence(reader->store, &reader->tail);

    for (size_t i = reader->tail.count; i > 0; i--) {
        struct memtable *memtable = reader->tail.tables[i - 1];

        if (row_walk_is_stored(reader->store, memtable)) {
            break;
        }
        if (memtable_row(memtable, kind, key, sequence, value)) {
            *found = value->size > 0;
            return ACTA_OK;
        }
    }
    return store_view_row(reader->store, kind, key, value, found, err);
}

enum acta_code
reader_get_row(struct reader *reader, enum row_kind kind, struct slice key,
               struct buf *copy, bool *found, struct acta_err *err)
{
    struct slice value;
    enum acta_code code;

    *found = false;
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = reader_row(reader, kind, key, &value, found, err);
    if (code == ACTA_OK && *found) {
        buf_append_slice(copy, value);
        if (buf_failed(copy)) {
            code = acta_fail(err, ACTA_MEMORY, "copy row");
        }
    }
    *found = *found && code == ACTA_OK;
    reader_end(reader);
    return code;
}

/* ---- those of a kind ---- */

/* What a call lists. */
struct rows_page {
    size_t count_max;
    size_t count;
    size_t steps;
    size_t size; /* Of values. */
    enum acta_code (*visit)(void *user, const struct row *row,
                            struct acta_err *err);
    void *user;
    bool at_end;
};

static bool
is_full(const struct rows_page *page)
{
    return page->count == page->count_max ||
           (page->count > 0 &&
            (page->steps >= ROWS_STEPS_MAX || page->size >= ROWS_SIZE_MAX));
}

/* Visit the next row. *@goes_on is false if it is not on this page, or there is
 * none.
 */
static enum acta_code
visit_row(struct row_walk *walk, struct rows_page *page, bool *goes_on,
          struct acta_err *err)
{
    enum acta_code code;
    struct row row;
    bool found;

    *goes_on = false;
    code = row_walk_next(walk, &row, &found, &page->steps, err);
    if (code != ACTA_OK) {
        return code;
    }
    page->at_end = !found;
    if (!found || is_full(page)) {
        return ACTA_OK;
    }
    code = page->visit(page->user, &row, err);
    if (code == ACTA_OK) {
        page->count++;
        page->size += row.value.size;
        *goes_on = true;
    }
    return code;
}

/* Damage behind other rows is left to the next call, whoever has found it. */
static enum acta_code
visit_rows(struct row_walk *walk, struct rows_page *page, struct acta_err *err)
{
    enum acta_code code;
    bool goes_on;

    do {
        code = visit_row(walk, page, &goes_on, err);
    } while (goes_on);
    return code == ACTA_CORRUPT && page->count > 0 ? ACTA_OK : code;
}

static enum acta_code
list_rows(struct reader *reader, enum row_kind kind, struct slice prefix,
          struct slice after, struct rows_page *page, struct acta_err *err)
{
    struct row_walk walk;
    enum acta_code code;

    assert(page->count_max > 0);

    if (page->count_max > ROWS_MAX) {
        page->count_max = ROWS_MAX;
    }
    code = reader_begin(reader, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = row_walk_begin(&walk, reader->store, &reader->tail, kind, prefix,
                          after, err);
    if (code == ACTA_OK) {
        code = visit_rows(&walk, page, err);
    }
    reader_end(reader);
    return code;
}

enum acta_code
reader_list_rows(struct reader *reader, enum row_kind kind, struct slice prefix,
                 struct slice after, size_t count_max,
                 enum acta_code (*visit)(void *user, const struct row *row,
                                         struct acta_err *err),
                 void *user, bool *at_end, struct acta_err *err)
{
    struct rows_page page = {
        .count_max = count_max, .visit = visit, .user = user};
    enum acta_code code;

    code = list_rows(reader, kind, prefix, after, &page, err);
    *at_end = page.at_end;
    return code;
}

/* ---- schedules ---- */

/* Who wants to be told of schedules. */
struct schedules_page {
    struct rows_page rows;
    struct reader *reader;
    void (*visit)(void *user, const struct msg_scheduled *scheduled);
    void *user;
};

/* What writes, as they came with an append, say of themselves: the stream of
 * the first, the type of its first event, and how many events there are.
 */
static enum acta_code
look_at_writes(struct slice writes, struct msg_scheduled *scheduled,
               struct acta_err *err)
{
    struct pack_reader reader;
    size_t writes_count;

    pack_reader_init(&reader, writes, err);
    writes_count = pack_get_array(&reader, "writes");
    for (size_t i = 0; i < writes_count && !reader.failed; i++) {
        struct slice stream;
        size_t count;

        pack_get_array_of(&reader, WRITE_FIELDS, WRITE_FIELDS, "write");
        stream = pack_get_str(&reader, "stream");
        pack_skip(&reader); /* The expected version. */
        count = pack_get_array(&reader, "events");
        if (i == 0) {
            struct pack_reader content = reader;

            pack_get_array(&content, "event");
            scheduled->stream = stream;
            scheduled->type = pack_get_str(&content, "type");
            reader.failed = content.failed;
            reader.code = content.code;
        }
        scheduled->events_count += count;
        for (; count > 0 && i + 1 < writes_count && !reader.failed; count--) {
            pack_skip(&reader);
        }
    }
    return pack_code(&reader);
}

/* A schedule has a row of writes as long as it is there. */
static enum acta_code
look_at_schedule(struct schedules_page *page, const struct row *row,
                 struct msg_scheduled *scheduled, struct acta_err *err)
{
    struct schedule schedule;
    struct slice writes;
    enum acta_code code;
    bool found;

    code = schedule_decode(&schedule, row->value, err);
    if (code == ACTA_OK) {
        code = reader_row(page->reader, ROW_SCHEDULED, row->key, &writes,
                          &found, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    scheduled->due_us = schedule.due_us;
    scheduled->created_us = schedule.created_us;
    scheduled->state =
        schedule.has_failed ? MSG_SCHEDULE_FAILED : MSG_SCHEDULE_WAITS;
    scheduled->text = schedule.text;
    if (!found || look_at_writes(writes, scheduled, err) != ACTA_OK) {
        return acta_fail(err, ACTA_CORRUPT, "writes of a schedule are damaged");
    }
    page->rows.size += writes.size;
    return ACTA_OK;
}

static enum acta_code
visit_schedule(void *user, const struct row *row, struct acta_err *err)
{
    struct schedules_page *page = user;
    struct msg_scheduled scheduled = {.name = row->key};
    enum acta_code code = look_at_schedule(page, row, &scheduled, err);

    if (code != ACTA_OK) {
        return acta_wrap(err, code, "schedule %.*s", (int)row->key.size,
                         (const char *)row->key.data);
    }
    page->visit(page->user, &scheduled);
    return ACTA_OK;
}

enum acta_code
reader_list_schedules(struct reader *reader, struct slice prefix,
                      struct slice after, size_t count_max,
                      void (*visit)(void *user,
                                    const struct msg_scheduled *scheduled),
                      void *user, bool *at_end, struct acta_err *err)
{
    struct schedules_page page = {
        .rows = {.count_max = count_max, .visit = visit_schedule},
        .reader = reader,
        .visit = visit,
        .user = user,
    };
    enum acta_code code;

    page.rows.user = &page;
    code = list_rows(reader, ROW_SCHEDULE, prefix, after, &page.rows, err);
    *at_end = page.rows.at_end;
    return code;
}
