/* Views of the log: one record after the other, which finds neighbours without
 * another search, or many that lie apart.
 */

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "places.h"
#include "store.h"
#include "store_lmdb.h"

/* Positions: to look into a block whether it has another one is to wait for it.
 */
#define NEAR 32

/* Bytes of the log that are asked of the disk at a time when it is read block
 * after block, and how near their end the next ones are.
 */
#define AHEAD_SIZE ((size_t)2 << 20)
#define AHEAD_LEFT (AHEAD_SIZE / 2)

#define PAGE_ALIGNMENT 4096 /* Of madvise() and mincore(). */

static bool
is_in_block(const struct store_view *view, uint64_t position)
{
    return view->block.count > 0 && position >= view->block.first_position &&
           position < block_end(&view->block);
}

/* Is the page at @at in the page cache? It costs less to ask that than to ask
 * for what is there.
 */
static bool
is_in_memory(const uint8_t *at)
{
    unsigned char is_there = 0;

    /* Not tested: what is mapped can be asked for. */
    return mincore((void *)(uintptr_t)at, PAGE_ALIGNMENT, &is_there) == 0 &&
           (is_there & 1) != 0;
}

/* The block behind the one before it: more will be wanted. LMDB's map is read a
 * page at a time otherwise, since most of what is looked for lies anywhere. The
 * blocks of a checkpoint lie one behind the other.
 */
static void
read_ahead(struct store_view *view, const MDB_val *block)
{
    const uint8_t *from = block->mv_data;
    const uint8_t *ahead = view->ahead.data;

    if (ahead != NULL && from >= ahead &&
        from + AHEAD_LEFT <= ahead + view->ahead.size) {
        return;
    }
    from -= (uintptr_t)from % PAGE_ALIGNMENT;
    view->ahead = slice_make(from, AHEAD_SIZE);
    if (!is_in_memory(from + AHEAD_SIZE - PAGE_ALIGNMENT)) {
        (void)madvise((void *)(uintptr_t)from, AHEAD_SIZE, MADV_WILLNEED);
    }
}

/* Put the cursor on the block that has @position: the next one, the one before,
 * or by a search.
 */
static int
find_block(struct store_view *view, uint64_t position, MDB_val *key,
           MDB_val *val)
{
    uint8_t bytes[LOG_KEY_SIZE];
    int rc;

    if (view->block.count > 0 && position == block_end(&view->block)) {
        rc = store_cursor_get(view, &view->log, key, val, MDB_NEXT);
        if (rc == 0) {
            read_ahead(view, val);
        }
        return rc;
    }
    if (view->block.count > 0 && position == view->block.first_position - 1) {
        return store_cursor_get(view, &view->log, key, val, MDB_PREV);
    }
    put_key_u64(bytes, position);
    *key = val_of(slice_make(bytes, sizeof(bytes)));
    rc = store_cursor_get(view, &view->log, key, val, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        return store_cursor_get(view, &view->log, key, val, MDB_LAST);
    }
    /* Not tested: only who writes to the store past Acta makes other keys. */
    if (rc == 0 && (key->mv_size != LOG_KEY_SIZE ||
                    get_key_u64(key->mv_data) != position)) {
        return store_cursor_get(view, &view->log, key, val, MDB_PREV);
    }
    return rc;
}

static enum acta_code
fail_missing(struct acta_err *err, uint64_t position)
{
    return acta_fail(err, ACTA_CORRUPT, "event at position %ju is missing",
                     (uintmax_t)position);
}

/* Search for the block that should have @position. How many it has is not known
 * with that.
 */
static enum acta_code
search_block(struct store_view *view, uint64_t position, struct place *place,
             struct acta_err *err)
{
    MDB_val key, val;
    int rc = find_block(view, position, &key, &val);

    view->block.count = 0; /* The cursor is somewhere else. */
    if (rc != 0 && rc != MDB_NOTFOUND) {
        return store_fail(err, rc, "read log");
    }
    /* Not tested: only who writes to the store past Acta makes other keys. */
    if (rc == MDB_NOTFOUND || key.mv_size != LOG_KEY_SIZE) {
        return fail_missing(err, position);
    }
    assert(val.mv_size <= UINT32_MAX); /* LMDB has no larger ones. */
    *place = (struct place){.data = val.mv_data,
                            .size = (uint32_t)val.mv_size,
                            .first = get_key_u64(key.mv_data)};
    return ACTA_OK;
}

static enum acta_code
open_block(struct store_view *view, uint64_t position, struct acta_err *err)
{
    struct block block;
    struct place place;
    enum acta_code code;

    code = search_block(view, position, &place, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = block_open(&block, slice_make(place.data, place.size), err);
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "event at position %ju",
                         (uintmax_t)position);
    }
    /* Not tested: only who writes to the store past Acta makes other keys. */
    if (place.first != block.first_position || position < place.first ||
        position >= block_end(&block)) {
        return fail_missing(err, position);
    }
    view->block = block;
    return ACTA_OK;
}

enum acta_code
store_view_block(struct store_view *view, uint64_t position,
                 const struct block **block, struct acta_err *err)
{
    assert(position > 0);
    assert(position <= view->meta.position);

    *block = &view->block;
    return is_in_block(view, position) ? ACTA_OK
                                       : open_block(view, position, err);
}

enum acta_code
store_view_record(struct store_view *view, uint64_t position,
                  struct block_record *record, struct acta_err *err)
{
    const struct block *block;
    enum acta_code code = store_view_block(view, position, &block, err);

    return code == ACTA_OK ? block_get(block, position, record, err) : code;
}

enum acta_code
store_view_run(struct store_view *view, uint64_t position, size_t count,
               struct block_record *records, size_t *found,
               struct acta_err *err)
{
    const struct block *block;
    enum acta_code code = store_view_block(view, position, &block, err);
    uint64_t left;

    *found = 0;
    if (code != ACTA_OK) {
        return code;
    }
    left = block_end(block) - position;
    return block_get_run(block, position, count < left ? count : (size_t)left,
                         records, found, err);
}

/* ---- many that lie apart ---- */

static struct slice
bytes_of(const struct place *place)
{
    return slice_make(place->data, place->size);
}

/* Is @position in the block in which the one before was? To look is to wait for
 * the block's bytes, which is worth it only for neighbours.
 */
static bool
is_beside(const struct place *place, uint64_t before, uint64_t position)
{
    uint64_t apart = before < position ? position - before : before - position;

    return apart < NEAR && block_has(bytes_of(place), place->first, position);
}

/* Find the blocks of as many of the positions as can be found. */
static enum acta_code
place_all(struct store_view *view, const uint64_t *positions, size_t count,
          struct place *places, size_t *placed, struct acta_err *err)
{
    places_for(view->places, view->meta_txn);
    for (size_t i = 0; i < count; i++) {
        *placed = i;
        if (i > 0 &&
            is_beside(&places[i - 1], positions[i - 1], positions[i])) {
            places[i] = places[i - 1];
            continue;
        }
        if (!places_find(view->places, positions[i], &places[i])) {
            enum acta_code code =
                search_block(view, positions[i], &places[i], err);

            if (code != ACTA_OK) {
                return code;
            }
        }
        block_fetch(bytes_of(&places[i]), places[i].first, positions[i]);
    }
    *placed = count;
    return ACTA_OK;
}

/* Keep in mind where the block lies, of which a record was good: so its count
 * is right, without which the record would not have been found.
 */
static void
keep(struct store_view *view, uint64_t position, struct place *place)
{
    if (place->count == 0) {
        place->count = block_count(bytes_of(place));
        places_keep(view->places, position, place);
    }
}

/* Find the record in its block. */
static bool
pick(uint64_t position, const struct place *place, struct block_record *record)
{
    if (!block_pick(bytes_of(place), place->first, position, record)) {
        return false;
    }
    block_record_fetch(record);
    return true;
}

enum acta_code
store_view_records(struct store_view *view, const uint64_t *positions,
                   size_t count, struct block_record *records, size_t *found,
                   struct acta_err *err)
{
    struct place places[STORE_RECORDS_MAX];
    enum acta_code code;
    size_t placed, picked;

    assert(count <= STORE_RECORDS_MAX);

    code = place_all(view, positions, count, places, &placed, err);
    for (picked = 0; picked < placed; picked++) {
        if (!pick(positions[picked], &places[picked], &records[picked])) {
            code = fail_missing(err, positions[picked]);
            break;
        }
    }
    for (*found = 0; *found < picked; ++*found) {
        enum acta_code checked =
            block_check(&records[*found], positions[*found], err);

        if (checked != ACTA_OK) {
            return checked;
        }
        keep(view, positions[*found], &places[*found]);
    }
    return code;
}
