#include "heads.h"

#include <assert.h>
#include <string.h>

#include "erasure.h"
#include "list_cursor.h"
#include "record.h"

enum acta_code
heads_open(struct heads *heads, struct rooms *rooms, struct acta_err *err)
{
    *heads = (struct heads){.rooms = rooms};
    buf_init(&heads->rows, SIZE_MAX);
    return store_view_open(&heads->view, rooms->store, err);
}

void
heads_close(struct heads *heads)
{
    heads_end(heads);
    store_view_close(heads->view);
    buf_fini(&heads->rows);
}

void
heads_begin(struct heads *heads, uint64_t sequence, uint64_t time_us)
{
    heads->sequence = sequence;
    heads->time_us = time_us;
    buf_clear(&heads->rows);
    heads->has_erasure = false;
    heads_go_on(heads);
}

void
heads_go_on(struct heads *heads)
{
    uint64_t sealed_sequence;

    /* If it is dropped already, the store has it, and the view will see it
     * there, since it begins later.
     */
    heads->sealed = tail_sealed(&heads->rooms->tail, &sealed_sequence);
}

void
heads_end(struct heads *heads)
{
    if (heads->is_viewing) {
        store_view_end(heads->view);
        heads->is_viewing = false;
    }
    memtable_unref(heads->sealed);
    heads->sealed = NULL;
}

enum acta_code
heads_look_into_store(struct heads *heads, struct acta_err *err)
{
    enum acta_code code;

    if (heads->is_viewing) {
        return ACTA_OK;
    }
    code = store_view_begin(heads->view, err);
    heads->is_viewing = code == ACTA_OK;
    return code;
}

/* ---- rows ---- */

enum acta_code
heads_row(struct heads *heads, enum row_kind kind, struct slice key,
          struct slice *value, bool *found, struct acta_err *err)
{
    const struct memtable *active = tail_active(&heads->rooms->tail);
    enum acta_code code;

    /* Only this thread adds to the active one, and nobody to the other. */
    *found = rowtable_find(memtable_rows(active), kind, key, UINT64_MAX, value);
    if (!*found && heads->sealed != NULL) {
        *found = rowtable_find(memtable_rows(heads->sealed), kind, key,
                               UINT64_MAX, value);
    }
    if (*found) {
        *found = value->size > 0; /* Else it was removed. */
        return ACTA_OK;
    }
    code = heads_look_into_store(heads, err);
    if (code != ACTA_OK) {
        return code;
    }
    return store_view_row(heads->view, kind, key, value, found, err);
}

enum acta_code
heads_set_row(struct heads *heads, const struct row *row, struct acta_err *err)
{
    struct slice stream = row_stream(row);

    rows_add(&heads->rows, row);
    if (buf_failed(&heads->rows) ||
        (stream.size > 0 && !marks_add(&heads->rooms->marks, stream)) ||
        !memtable_set_row(tail_active(&heads->rooms->tail), row,
                          heads->sequence)) {
        return acta_fail(err, ACTA_MEMORY, "set row");
    }
    if (row->kind == ROW_ERASURE) {
        /* Behind its row, and each time: see recount() in sweep.c. */
        atomic_fetch_add(&heads->rooms->erasures_pending, 1);
        heads->has_erasure = true;
    }
    return ACTA_OK;
}

static enum acta_code
read_retention(struct heads *heads, struct slice stream,
               struct retention *retention, struct acta_err *err)
{
    struct slice value;
    enum acta_code code;
    bool found;

    *retention = RETENTION_NONE;
    if (marks_none(&heads->rooms->marks) ||
        !marks_has(&heads->rooms->marks, stream)) {
        return ACTA_OK;
    }
    code = heads_row(heads, ROW_RETENTION, stream, &value, &found, err);
    if (code != ACTA_OK || !found) {
        return code;
    }
    return retention_decode(retention, value, err);
}

/* ---- streams ---- */

static void
take_from_memlist(struct stream_state *state, const struct memlist *list)
{
    state->version = list->base_count + list->count;
    state->number = list->number;
    memcpy(state->id_max, list->id_max, UUID_SIZE);
}

void
heads_fetch_first(const struct heads *heads, uint64_t hash)
{
    memtable_fetch_bucket(tail_active(&heads->rooms->tail), hash);
}

void
heads_fetch_then(const struct heads *heads, uint64_t hash)
{
    if (!memtable_fetch_list(tail_active(&heads->rooms->tail), hash) &&
        heads->sealed != NULL) {
        memtable_fetch_bucket(heads->sealed, hash);
    }
}

enum acta_code
heads_stream(struct heads *heads, struct slice stream,
             struct stream_state *state, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, stream};
    struct list_head head;
    enum acta_code code;
    bool found;

    *state = (struct stream_state){
        .active = memtable_find(tail_active(&heads->rooms->tail), &name),
    };
    if (state->active == NULL && heads->sealed != NULL) {
        state->sealed = memtable_find(heads->sealed, &name);
    }
    code = read_retention(heads, stream, &state->retention, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (state->active != NULL || state->sealed != NULL) {
        take_from_memlist(state, state->active != NULL ? state->active
                                                       : state->sealed);
        state->has_events = state->version > 0;
        return ACTA_OK;
    }

    code = heads_look_into_store(heads, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = store_view_head(heads->view, &name, &head, &found, err);
    if (code != ACTA_OK || !found) {
        return code;
    }
    state->version = head.count;
    state->number = head.number;
    state->has_events = true;
    memcpy(state->id_max, head.id_max, UUID_SIZE);
    return ACTA_OK;
}

/* The stream's list in the sealed memtable, or NULL. Nearly all that is
 * appended to was appended to a moment ago: then it is not needed.
 */
static struct memlist *
sealed_list(const struct heads *heads, const struct stream_state *state)
{
    if (state->active == NULL || heads->sealed == NULL) {
        return state->sealed;
    }
    return memtable_find(heads->sealed, &state->active->name);
}

/* The stream's number in the store, 0 if it is not there. A stream that was new
 * in a memtable gets its number when that is moved to the store, which the
 * memtables made meanwhile were not told: events before the oldest of them say
 * that the store has it.
 */
static enum acta_code
find_number(struct heads *heads, const struct stream_state *state,
            const struct memlist *sealed, uint64_t *number,
            struct acta_err *err)
{
    struct memlist *newest =
        state->active != NULL ? state->active : state->sealed;
    const struct memlist *oldest = sealed != NULL ? sealed : state->active;
    struct list_head head;
    enum acta_code code;
    bool found;

    *number = state->number;
    if (*number != 0 || oldest == NULL || oldest->base_count == 0) {
        return ACTA_OK;
    }
    code = store_view_head(heads->view, &oldest->name, &head, &found, err);
    if (code == ACTA_OK && found) {
        *number = newest->number = head.number;
    }
    return code;
}

enum acta_code
heads_find_id(struct heads *heads, const struct stream_state *state,
              const uint8_t id[static UUID_SIZE], uint64_t *position,
              struct acta_err *err)
{
    const struct memlist *sealed;
    enum acta_code code;
    uint64_t number;

    *position = 0;
    if ((heads->rooms->without & STORE_WITHOUT_EVENT_IDS) != 0 ||
        !state->has_events || memcmp(id, state->id_max, UUID_SIZE) > 0) {
        return ACTA_OK;
    }
    if (state->active != NULL) {
        *position = memtable_find_id(tail_active(&heads->rooms->tail), id,
                                     state->active, 0);
    }
    sealed = sealed_list(heads, state);
    if (*position == 0 && sealed != NULL) {
        *position = memtable_find_id(heads->sealed, id, sealed, 0);
    }
    if (*position != 0) {
        return ACTA_OK;
    }

    code = heads_look_into_store(heads, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = find_number(heads, state, sealed, &number, err);
    if (code != ACTA_OK || number == 0) {
        return code;
    }
    return store_view_id(heads->view, id, number, position, err);
}

enum acta_code
heads_record(struct heads *heads, uint64_t position,
             struct block_record *record, struct acta_err *err)
{
    const struct memtable *active = tail_active(&heads->rooms->tail);
    enum acta_code code;

    if (position >= memtable_first_position(active)) {
        *record = memtable_record(active, position);
        return ACTA_OK;
    }
    if (heads->sealed != NULL &&
        position >= memtable_first_position(heads->sealed)) {
        *record = memtable_record(heads->sealed, position);
        return ACTA_OK;
    }
    code = heads_look_into_store(heads, err);
    if (code != ACTA_OK) {
        return code;
    }
    return store_view_record(heads->view, position, record, err);
}

/* ---- what became of events ---- */

enum acta_code
heads_position(struct heads *heads, struct slice stream,
               const struct stream_state *state, uint64_t version,
               uint64_t *position, struct acta_err *err)
{
    const struct memlist *lists[] = {state->active, sealed_list(heads, state)};
    const struct memtable *tables[] = {tail_active(&heads->rooms->tail),
                                       heads->sealed};
    struct list_name name = {LIST_STREAM, stream};
    struct list_cursor cursor;
    enum acta_code code;

    assert(version > 0);
    assert(version <= state->version);

    for (size_t i = 0; i < 2; i++) {
        if (lists[i] != NULL && version > lists[i]->base_count) {
            *position = memtable_first_position(tables[i]) +
                        lists[i]->offsets[version - lists[i]->base_count - 1];
            return ACTA_OK;
        }
    }
    code = heads_look_into_store(heads, err);
    if (code == ACTA_OK) {
        code = list_cursor_open_store(&cursor, heads->view, &name, err);
    }
    if (code == ACTA_OK && version > cursor.count) {
        return acta_fail(err, ACTA_CORRUPT, "stream %.*s has no version %ju",
                         (int)stream.size, (const char *)stream.data,
                         (uintmax_t)version);
    }
    return code == ACTA_OK ? list_cursor_at(&cursor, version, position, err)
                           : code;
}

bool
heads_hides(const struct heads *heads, const struct stream_state *state,
            struct slice record)
{
    return record_is_stub(record) ||
           retention_hides(&state->retention, record_version(record),
                           record_time(record), state->version, heads->time_us);
}

enum acta_code
heads_is_erased(struct heads *heads, struct slice stream,
                const struct stream_state *state, struct slice record,
                bool *is_erased, struct acta_err *err)
{
    uint64_t version = record_version(record);
    uint8_t key[ERASURE_KEY_SIZE_MAX];
    struct pack_reader reader;
    struct slice value;
    struct event event;
    enum acta_code code;

    *is_erased = true;
    if (version <= state->retention.erased_to) {
        return ACTA_OK;
    }
    if (!marks_none(&heads->rooms->marks) &&
        marks_has(&heads->rooms->marks, stream)) {
        code = heads_row(heads, ROW_ERASURE, erasure_key(key, stream, version),
                         &value, is_erased, err);
        if (code != ACTA_OK || *is_erased) {
            return code;
        }
    }
    pack_reader_init(&reader, record, err);
    event_decode_record(&reader, &event);
    *is_erased = event.format == EVENT_ERASED;
    return pack_code(&reader);
}

enum acta_code
heads_is_gone(struct heads *heads, struct slice stream,
              const struct stream_state *state, struct slice record,
              bool *is_gone, struct acta_err *err)
{
    *is_gone = heads_hides(heads, state, record);
    if (*is_gone) {
        return ACTA_OK;
    }
    return heads_is_erased(heads, stream, state, record, is_gone, err);
}
