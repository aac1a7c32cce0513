#include "heads.h"

#include <string.h>

enum acta_code
heads_open(struct heads *heads, struct rooms *rooms, struct acta_err *err)
{
    *heads = (struct heads){.rooms = rooms};
    return store_view_open(&heads->view, rooms->store, err);
}

void
heads_close(struct heads *heads)
{
    heads_end(heads);
    store_view_close(heads->view);
}

void
heads_begin(struct heads *heads)
{
    uint64_t sequence;

    /* If it is dropped already, the store has it, and the view will see it
     * there, since it begins later.
     */
    heads->sealed = tail_sealed(&heads->rooms->tail, &sequence);
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

static enum acta_code
look_into_store(struct heads *heads, struct acta_err *err)
{
    enum acta_code code;

    if (heads->is_viewing) {
        return ACTA_OK;
    }
    code = store_view_begin(heads->view, err);
    heads->is_viewing = code == ACTA_OK;
    return code;
}

static void
take_from_memlist(struct stream_state *state, const struct memlist *list)
{
    state->version = list->base_count + list->count;
    state->number = list->number;
    memcpy(state->id_max, list->id_max, UUID_SIZE);
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
    if (heads->sealed != NULL) {
        state->sealed = memtable_find(heads->sealed, &name);
    }
    if (state->active != NULL || state->sealed != NULL) {
        take_from_memlist(state, state->active != NULL ? state->active
                                                       : state->sealed);
        state->has_events = state->version > 0;
        return ACTA_OK;
    }

    code = look_into_store(heads, err);
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

/* The stream's number in the store, 0 if it is not there. A stream that was new
 * in a memtable gets its number when that is moved to the store, which the
 * memtables made meanwhile were not told: events before the oldest of them say
 * that the store has it.
 */
static enum acta_code
find_number(struct heads *heads, const struct stream_state *state,
            uint64_t *number, struct acta_err *err)
{
    struct memlist *newest =
        state->active != NULL ? state->active : state->sealed;
    const struct memlist *oldest =
        state->sealed != NULL ? state->sealed : state->active;
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
    enum acta_code code;
    uint64_t number;

    *position = 0;
    if (!state->has_events || memcmp(id, state->id_max, UUID_SIZE) > 0) {
        return ACTA_OK;
    }
    if (state->active != NULL) {
        *position = memtable_find_id(tail_active(&heads->rooms->tail), id,
                                     state->active, 0);
    }
    if (*position == 0 && state->sealed != NULL) {
        *position = memtable_find_id(heads->sealed, id, state->sealed, 0);
    }
    if (*position != 0) {
        return ACTA_OK;
    }

    code = look_into_store(heads, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = find_number(heads, state, &number, err);
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
    code = look_into_store(heads, err);
    if (code != ACTA_OK) {
        return code;
    }
    return store_view_record(heads->view, position, record, err);
}
