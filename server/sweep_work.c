#include "sweep_work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "erasure.h"
#include "list_cursor.h"
#include "record.h"
#include "retention.h"

#define SWEPT_SIZE 8 /* A version, little-endian. */

enum acta_code
sweep_work_init(struct sweep_work *work, struct acta_err *err)
{
    *work = (struct sweep_work){0};
    work->edits = malloc(sweep_limits.edits * sizeof(*work->edits));
    return work->edits != NULL ? ACTA_OK : acta_fail(err, ACTA_MEMORY, "sweep");
}

void
sweep_work_fini(struct sweep_work *work)
{
    arena_free(&work->arena);
    free(work->edits);
}

void
sweep_work_restart(struct sweep_work *work)
{
    sweep_work_clear(work);
    work->after_size = 0;
    work->at_size = 0;
    work->is_last = false;
}

void
sweep_work_clear_edits(struct sweep_work *work)
{
    work->edits_count = 0;
    work->read_size = 0;
}

void
sweep_work_clear(struct sweep_work *work)
{
    sweep_work_clear_edits(work);
    work->rows_count = 0;
    arena_free(&work->arena);
}

static int
compare_edits(const void *a, const void *b)
{
    const struct store_edit *left = a, *right = b;

    return (left->position > right->position) -
           (left->position < right->position);
}

void
sweep_work_sort(struct sweep_work *work)
{
    if (work->edits_count > 0) {
        qsort(work->edits, work->edits_count, sizeof(*work->edits),
              compare_edits);
    }
}

static bool
is_full(const struct sweep_work *work)
{
    return work->edits_count == sweep_limits.edits ||
           work->rows_count == sweep_limits.rows ||
           work->read_size >= sweep_limits.read_size;
}

/* Keep a copy of @row. */
static enum acta_code
keep_row(struct sweep_work *work, const struct row *row, struct acta_err *err)
{
    struct row *kept = &work->rows[work->rows_count];

    assert(work->rows_count < SWEEP_ROWS_MAX);

    kept->kind = row->kind;
    if (!arena_copy(&work->arena, row->key, &kept->key) ||
        !arena_copy(&work->arena, row->value, &kept->value)) {
        return acta_fail(err, ACTA_MEMORY, "sweep");
    }
    work->rows_count++;
    return ACTA_OK;
}

/* The next row of @kind; is_last if there is none. */
static enum acta_code
next_row(struct sweep_work *work, struct store_view *view, enum row_kind kind,
         struct row *row, struct acta_err *err)
{
    struct slice after = slice_make(work->after, work->after_size);
    enum acta_code code;
    bool found;

    *row = (struct row){.kind = kind};
    code = store_view_next_row(view, kind, after, row, &found, err);
    work->is_last = code == ACTA_OK && !found;
    return code;
}

static void
pass_row(struct sweep_work *work, const struct row *row)
{
    memcpy(work->after, row->key.data, row->key.size);
    work->after_size = row->key.size;
    work->at_size = 0;
}

/* What is damaged at one row need not stop the others, unless its key is: only
 * a damaged page has longer ones.
 */
static enum acta_code
pass_damage(struct sweep_work *work, const struct row *row, enum acta_code code)
{
    if (code != ACTA_CORRUPT || row->key.size == 0 ||
        row->key.size > ROW_KEY_SIZE_MAX) {
        return code;
    }
    work->damaged++;
    pass_row(work, row);
    return ACTA_OK;
}

/* Can the event be erased? If it cannot be read, nobody knows what is in it. */
static enum acta_code
check_record(struct sweep_work *work, struct store_view *view,
             uint64_t position, struct acta_err *err)
{
    struct block_record record;
    enum acta_code code = store_view_record(view, position, &record, err);

    if (code == ACTA_CORRUPT) {
        work->is_broken = true;
        work->damaged++;
        return ACTA_OK;
    }
    if (code == ACTA_OK) {
        work->read_size += record.size;
    }
    return code;
}

/* Add edits for the events of a stream behind version *@from, up to @to, and
 * move *@from on: up to @to, or until there is no room.
 */
static enum acta_code
add_versions(struct sweep_work *work, struct list_cursor *cursor,
             enum store_fate fate, uint64_t *from, uint64_t to,
             struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && *from < to && !is_full(work)) {
        struct store_edit *edit = &work->edits[work->edits_count];

        edit->fate = fate;
        code = list_cursor_at(cursor, *from + 1, &edit->position, err);
        if (code == ACTA_OK && fate == STORE_ERASE) {
            code = check_record(work, cursor->view, edit->position, err);
        }
        if (code == ACTA_OK) {
            work->edits_count++;
            ++*from;
        }
    }
    return code;
}

/* ---- hidden events ---- */

/* Is the event of this version too old? What cannot be read is not. */
static enum acta_code
is_old(struct list_cursor *cursor, const struct retention *retention,
       uint64_t version, bool *old, struct acta_err *err)
{
    uint64_t now_us = store_view_meta(cursor->view)->last_time_us;
    struct block_record record;
    enum acta_code code;
    uint64_t position;

    *old = false;
    code = list_cursor_at(cursor, version, &position, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (store_view_record(cursor->view, position, &record, NULL) != ACTA_OK) {
        return ACTA_OK;
    }
    *old = retention_is_old(
        retention, record_time(slice_make(record.data, record.size)), now_us);
    return ACTA_OK;
}

/* The last version that is too old, between @from and the stream's, where @from
 * counts as too old. Times do not go back, so a binary search finds it.
 */
static enum acta_code
find_old(struct list_cursor *cursor, const struct retention *retention,
         uint64_t from, uint64_t *last, struct acta_err *err)
{
    uint64_t behind = cursor->count + 1;
    uint64_t middle = from + 1; /* Mostly nothing has become too old. */
    enum acta_code code;
    bool old;

    while (from + 1 < behind) {
        code = is_old(cursor, retention, middle, &old, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (old) {
            from = middle;
        } else {
            behind = middle;
        }
        middle = from + (behind - from) / 2;
    }
    *last = from;
    return ACTA_OK;
}

/* The last version that @retention hides; at least @swept. */
static enum acta_code
find_hidden(struct list_cursor *cursor, const struct retention *retention,
            uint64_t swept, uint64_t *last, struct acta_err *err)
{
    *last = retention_first(retention, cursor->count) - 1;
    if (*last < swept) {
        *last = swept;
    }
    if (*last > cursor->count) {
        *last = cursor->count;
    }
    if (retention->settings.max_age_us == 0 || *last == cursor->count) {
        return ACTA_OK;
    }
    return find_old(cursor, retention, *last, last, err);
}

static enum acta_code
read_swept(struct store_view *view, struct slice stream, uint64_t *swept,
           struct acta_err *err)
{
    struct slice value;
    enum acta_code code;
    bool found;

    *swept = 0;
    code = store_view_row(view, ROW_SWEPT, stream, &value, &found, err);
    if (code == ACTA_OK && found && value.size == SWEPT_SIZE) {
        *swept = get_u64(value.data);
    }
    return code;
}

static enum acta_code
gather_stream(struct sweep_work *work, struct store_view *view,
              const struct row *row, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, row->key};
    struct list_cursor cursor;
    struct retention retention;
    uint64_t swept, last, from;
    uint8_t value[SWEPT_SIZE];
    enum acta_code code;

    if ((code = retention_decode(&retention, row->value, err)) != ACTA_OK ||
        (code = read_swept(view, row->key, &swept, err)) != ACTA_OK ||
        (code = list_cursor_open_store(&cursor, view, &name, err)) != ACTA_OK ||
        (code = find_hidden(&cursor, &retention, swept, &last, err)) !=
            ACTA_OK) {
        return code;
    }
    from = swept;
    code = add_versions(work, &cursor, STORE_STUB, &from, last, err);
    if (code == ACTA_OK && from > swept) {
        struct row noted = {ROW_SWEPT, row->key,
                            slice_make(value, sizeof(value))};

        put_u64(value, from);
        code = keep_row(work, &noted, err);
    }
    if (code == ACTA_OK && from == last) {
        pass_row(work, row); /* Else it is this one's turn again. */
    }
    return code;
}

enum acta_code
sweep_gather_hidden(struct sweep_work *work, struct store_view *view,
                    struct acta_err *err)
{
    struct row row;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && !work->is_last &&
                       i < sweep_limits.rows && !is_full(work);
         i++) {
        code = next_row(work, view, ROW_RETENTION, &row, err);
        if (code == ACTA_OK && !work->is_last) {
            code = gather_stream(work, view, &row, err);
        }
        code = pass_damage(work, &row, code);
    }
    return code;
}

/* ---- erased events ---- */

/* The row that was begun, or else the next one, which is begun with that. A
 * checkpoint between two steps may have brought one that comes before the one
 * that was begun: it is for the next pass.
 */
static enum acta_code
next_erasure(struct sweep_work *work, struct store_view *view, struct row *row,
             struct acta_err *err)
{
    enum acta_code code;
    bool found;

    if (work->at_size > 0) {
        *row = (struct row){.kind = ROW_ERASURE,
                            .key = slice_make(work->at, work->at_size)};
        return store_view_row(view, row->kind, row->key, &row->value, &found,
                              err);
    }
    code = next_row(work, view, ROW_ERASURE, row, err);
    if (code == ACTA_OK && !work->is_last) {
        memcpy(work->at, row->key.data, row->key.size);
        work->at_size = row->key.size;
        work->version = 0;
        work->is_broken = false;
    }
    return code;
}

static enum acta_code
gather_erasure(struct sweep_work *work, struct store_view *view,
               const struct row *row, struct acta_err *err)
{
    struct list_cursor cursor;
    struct erasure erasure = {0};
    enum acta_code code;
    uint64_t last;

    code = erasure_decode(&erasure, row->key, row->value, err);
    if (code == ACTA_OK) {
        struct list_name name = {LIST_STREAM, erasure.stream};

        code = list_cursor_open_store(&cursor, view, &name, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    last = erasure.last < cursor.count ? erasure.last : cursor.count;
    if (erasure.version > 0 && work->version < erasure.version - 1) {
        work->version = erasure.version - 1; /* Only this one is meant. */
    }
    code = add_versions(work, &cursor, STORE_ERASE, &work->version, last, err);
    if (code != ACTA_OK || work->version < last) {
        return code;
    }
    if (!work->is_broken) { /* Else it is not carried out. */
        code = keep_row(work, row, err);
    }
    pass_row(work, row);
    return code;
}

enum acta_code
sweep_gather_erased(struct sweep_work *work, struct store_view *view,
                    struct acta_err *err)
{
    struct row row;
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && !work->is_last && !is_full(work)) {
        code = next_erasure(work, view, &row, err);
        if (code == ACTA_OK && !work->is_last) {
            code = gather_erasure(work, view, &row, err);
        }
        code = pass_damage(work, &row, code);
    }
    return code;
}
