/* Blocks, whose records prove themselves one by one: each has a checksum and
 * says its position. So a directory of which a part is damaged still leads to
 * the records whose part is not.
 */

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"
#include "event.h"
#include "record.h"
#include "salvage_inside.h"

/* What says that it is of a later one is damaged. */
#define POSITION_MAX (UINT64_C(1) << 40)

/* ---- a record ---- */

bool
salvage_get_record(struct slice bytes, const struct salvage_block *where,
                   uint64_t position, struct slice *record)
{
    uint64_t index = position - where->first;
    uint64_t directory = BLOCK_ENTRY_SIZE * where->count;
    const uint8_t *entry, *records;
    uint64_t start, end, left;

    if (position < where->first || index >= where->count ||
        bytes.size < BLOCK_HEADER_SIZE ||
        directory > bytes.size - BLOCK_HEADER_SIZE) {
        return false;
    }
    entry = bytes.data + BLOCK_HEADER_SIZE + BLOCK_ENTRY_SIZE * index;
    records = bytes.data + BLOCK_HEADER_SIZE + directory;
    left = bytes.size - BLOCK_HEADER_SIZE - directory;
    start = index == 0 ? 0 : get_u32(entry - BLOCK_ENTRY_SIZE);
    end = get_u32(entry);
    if (start > end || end > left) {
        return false;
    }
    *record = slice_make(records + start, (size_t)(end - start));
    return checksum_of(record->data, record->size) == get_u32(entry + 4) &&
           record_position(*record) == position;
}

static enum salvage_state
state_of(struct slice record)
{
    struct pack_reader reader;
    struct event event;

    if (record_is_stub(record)) {
        return SALVAGE_STUB;
    }
    pack_reader_init(&reader, record, NULL);
    event_decode_record(&reader, &event);
    if (reader.failed) {
        return SALVAGE_NONE;
    }
    return event.format == EVENT_ERASED ? SALVAGE_ERASED : SALVAGE_WHOLE;
}

/* ---- a block ---- */

enum acta_code
salvage_make_room(struct salvage *salvage, uint64_t position,
                  struct acta_err *err)
{
    uint64_t room = salvage->states_room == 0 ? 1024 : salvage->states_room;
    uint8_t *states;
    uint32_t *sources;

    while (room <= position) {
        room *= 2;
    }
    if (room == salvage->states_room) {
        return ACTA_OK;
    }
    states = realloc(salvage->states, room);
    salvage->states = states == NULL ? salvage->states : states;
    sources = realloc(salvage->sources, room * sizeof(*sources));
    salvage->sources = sources == NULL ? salvage->sources : sources;
    if (states == NULL || sources == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage events");
    }
    memset(states + salvage->states_room, 0, room - salvage->states_room);
    salvage->states_room = room;
    return ACTA_OK;
}

void
salvage_see_head(struct salvage *salvage, uint64_t position)
{
    if (position > salvage->head && position <= POSITION_MAX) {
        salvage->head = position;
    }
}

static enum acta_code
add_block(struct salvage *salvage, const struct salvage_block *where,
          struct acta_err *err)
{
    if (salvage->blocks_count == salvage->blocks_room) {
        size_t room = salvage->blocks_room == 0 ? 64 : 2 * salvage->blocks_room;
        struct salvage_block *blocks =
            realloc(salvage->blocks, room * sizeof(*blocks));

        if (blocks == NULL) {
            return acta_fail(err, ACTA_MEMORY, "salvage blocks");
        }
        salvage->blocks = blocks;
        salvage->blocks_room = room;
    }
    salvage->blocks[salvage->blocks_count++] = *where;
    return ACTA_OK;
}

enum acta_code
salvage_take_block(struct salvage *salvage, const struct salvage_block *at,
                   struct slice bytes, bool is_sure, struct acta_err *err)
{
    struct salvage_block where = *at;
    struct block block;
    enum acta_code code;
    bool is_new = false, is_proven = false;

    if (block_open(&block, bytes, NULL) == ACTA_OK) {
        where.first = block.first_position;
        where.count = block.count;
        is_proven = true;
    } else if (!is_sure) {
        return ACTA_OK;
    }
    if (where.first == 0 || where.first > POSITION_MAX) {
        return ACTA_OK;
    }
    if (where.count > bytes.size / BLOCK_ENTRY_SIZE) {
        where.count = 0;
    }
    for (uint64_t p = where.first; p < where.first + where.count; p++) {
        enum salvage_state state;
        struct slice record;

        if ((!is_sure && p > salvage->head) ||
            !salvage_get_record(bytes, &where, p, &record)) {
            continue;
        }
        is_proven = true; /* Where a record is depends on the count. */
        state = state_of(record);
        code = salvage_make_room(salvage, p, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (state > salvage->states[p]) {
            salvage->states[p] = (uint8_t)state;
            salvage->sources[p] = (uint32_t)salvage->blocks_count;
            is_new = true;
        }
    }
    if (is_sure && is_proven) {
        salvage_see_head(salvage, where.first + where.count - 1);
    } else if (is_sure && where.first > salvage->unproven) {
        salvage->unproven = where.first;
    }
    return is_new ? add_block(salvage, &where, err) : ACTA_OK;
}

/* ---- rows ---- */

static void
let_go(struct name_node *node)
{
    free(node);
}

enum acta_code
salvage_set_row(struct salvage *salvage, struct slice key, struct slice value,
                bool is_new, struct acta_err *err)
{
    struct name_node *old = name_map_find(&salvage->rows, key);
    struct salvage_row *row;

    if (old != NULL && !is_new) {
        return ACTA_OK;
    }
    if (old != NULL) {
        name_map_remove(&salvage->rows, old);
        let_go(old);
    }
    if (value.size == 0) {
        return ACTA_OK;
    }
    row = malloc(sizeof(*row) + key.size + value.size);
    if (row == NULL || !name_map_reserve(&salvage->rows, 1)) {
        free(row);
        return acta_fail(err, ACTA_MEMORY, "salvage rows");
    }
    memcpy(row->bytes, key.data, key.size);
    memcpy(row->bytes + key.size, value.data, value.size);
    row->node.name = slice_make(row->bytes, key.size);
    row->value = slice_make(row->bytes + key.size, value.size);
    name_map_put(&salvage->rows, &row->node);
    return ACTA_OK;
}
