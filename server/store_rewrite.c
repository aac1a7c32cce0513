/* Making less of records. A block of the log cannot be changed in place: a
 * smaller one takes its place, joined with its neighbours where they are small
 * enough, so that what is left of many events fills blocks again.
 *
 * What is there is read through a view, that is as it was before the
 * transaction: the bytes stay where they are while the transaction deletes and
 * writes. No block that the transaction has written is looked at again, so each
 * is written once: LMDB may keep what was in a page's memory behind a shorter
 * value that takes the place of a longer one within a transaction.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "checksum.h"
#include "failpoint.h"
#include "record.h"
#include "store.h"
#include "store_lmdb.h"

/* No record is smaller than a stub. */
#define RECORDS_MAX (LOG_BLOCK_SIZE / (BLOCK_ENTRY_SIZE + RECORD_STUB_SIZE))

/* Records of consecutive positions. */
struct gathered {
    uint64_t first;
    size_t count;
    size_t size; /* Bytes of the records. */
    struct block_record records[RECORDS_MAX];
};

struct rewrite {
    struct store *store;
    MDB_txn *txn;
    struct store_view *view; /* owned: as it was before */
    struct arena arena;      /* Records that were made anew. */
    struct buf scratch;

    const struct store_edit *edits;
    size_t count;
    size_t size_max;
    size_t size; /* Of the blocks that were taken. */
    struct store_edited *edited;

    uint64_t written_to;     /* Blocks before this position are new ones. */
    struct gathered fresh;   /* What becomes of the block at hand. */
    struct gathered pending; /* What was taken and is still to be written. */
    struct acta_err *err;
};

static bool
fits(const struct gathered *gathered, size_t count, size_t size)
{
    /* Not tested: no record is so small that more would have room. */
    if (gathered->count + count > RECORDS_MAX) {
        return false;
    }
    return block_size(gathered->count + count, gathered->size + size) <=
           LOG_BLOCK_SIZE;
}

static void
gather(struct gathered *gathered, const struct block_record *record)
{
    assert(gathered->count < RECORDS_MAX);

    gathered->records[gathered->count++] = *record;
    gathered->size += record->size;
}

/* ---- what becomes of one record ---- */

/* Let @record be @bytes, in memory that stays as long as the rewriting. */
static enum acta_code
replace(struct rewrite *rewrite, struct block_record *record,
        struct slice bytes)
{
    struct slice copy;

    if (!arena_copy(&rewrite->arena, bytes, &copy)) {
        return acta_fail(rewrite->err, ACTA_MEMORY, "store: rewrite log");
    }
    record->data = copy.data;
    record->size = (uint32_t)copy.size;
    record->checksum = checksum_of(copy.data, copy.size);
    rewrite->edited->changed++;
    return ACTA_OK;
}

static enum acta_code
make_stub(struct rewrite *rewrite, struct block_record *record)
{
    uint8_t stub[RECORD_STUB_SIZE];

    record_write_stub(stub, slice_make(record->data, record->size));
    return replace(rewrite, record, slice_make(stub, sizeof(stub)));
}

static enum acta_code
erase(struct rewrite *rewrite, struct block_record *record)
{
    struct slice bytes = slice_make(record->data, record->size);
    enum acta_code code;

    buf_clear(&rewrite->scratch);
    code = record_erase(&rewrite->scratch, bytes, rewrite->err);
    /* Not tested: the checksum of what is no record was right. */
    if (code == ACTA_CORRUPT) {
        rewrite->edited->damaged++;
        return ACTA_OK;
    }
    if (code != ACTA_OK || slice_equal(buf_slice(&rewrite->scratch), bytes)) {
        return code;
    }
    return replace(rewrite, record, buf_slice(&rewrite->scratch));
}

/* The record at @position, which is in @block, with the next edit, if that is
 * for it.
 */
static enum acta_code
edit(struct rewrite *rewrite, const struct block *block, uint64_t position,
     struct block_record *record)
{
    struct store_edited *edited = rewrite->edited;
    enum acta_code code = ACTA_OK;
    enum store_fate fate;

    if (edited->done == rewrite->count ||
        rewrite->edits[edited->done].position != position) {
        return ACTA_OK;
    }
    fate = rewrite->edits[edited->done].fate;
    if (block_get(block, position, record, NULL) != ACTA_OK) {
        edited->damaged++;
    } else if (!record_is_stub(slice_make(record->data, record->size))) {
        code = fate == STORE_STUB ? make_stub(rewrite, record)
                                  : erase(rewrite, record);
    }
    while (edited->done < rewrite->count &&
           rewrite->edits[edited->done].position == position) {
        edited->done++;
    }
    return code;
}

/* ---- blocks ---- */

/* Can the places of all its records be told? */
static bool
is_sound(const struct block *block)
{
    struct block_record record;

    /* Not tested: the checksum of what is no directory was right. */
    if (block->count > RECORDS_MAX) {
        return false;
    }
    for (uint64_t p = block->first_position; p < block_end(block); p++) {
        /* Not tested: likewise. */
        if (!block_find(block, p, &record)) {
            return false;
        }
    }
    return true;
}

/* Gather what becomes of @block. *@changed says whether it is any different. */
static enum acta_code
edit_block(struct rewrite *rewrite, const struct block *block, bool *changed)
{
    size_t before = rewrite->edited->changed;
    enum acta_code code = ACTA_OK;

    rewrite->fresh.first = block->first_position;
    rewrite->fresh.count = 0;
    rewrite->fresh.size = 0;
    for (uint64_t p = block->first_position;
         code == ACTA_OK && p < block_end(block); p++) {
        struct block_record record;
        bool found = block_find(block, p, &record);

        assert(found); /* is_sound() */
        code = edit(rewrite, block, p, &record);
        gather(&rewrite->fresh, &record);
    }
    *changed = rewrite->edited->changed > before;
    return code;
}

/* Write what is pending, which is something. */
static enum acta_code
flush(struct rewrite *rewrite)
{
    struct gathered *pending = &rewrite->pending;
    size_t size = block_size(pending->count, pending->size);
    struct block_writer writer;
    uint8_t bytes[LOG_KEY_SIZE];
    MDB_val key, val;
    uint8_t *end;
    int rc;

    assert(pending->count > 0);

    put_key_u64(bytes, pending->first);
    key = val_of(slice_make(bytes, sizeof(bytes)));
    val = (MDB_val){.mv_size =
                        size > LOG_BLOCK_SIZE_MIN ? size : LOG_BLOCK_SIZE_MIN};
    rc = mdb_put(rewrite->txn, rewrite->store->log, &key, &val,
                 MDB_RESERVE | MDB_NOOVERWRITE);
    if (rc != 0) {
        return store_fail(rewrite->err, rc, "rewrite log");
    }
    block_writer_init(&writer, val.mv_data, pending->first, pending->count);
    for (size_t i = 0; i < pending->count; i++) {
        block_writer_add(&writer, &pending->records[i]);
    }
    end = block_writer_end(&writer);
    memset(end, 0, val.mv_size - size);
    rewrite->written_to = pending->first + pending->count;
    pending->count = 0;
    pending->size = 0;
    return ACTA_OK;
}

/* Take the block of @size bytes that begins at @first out of the log. */
static enum acta_code
take_out(struct rewrite *rewrite, uint64_t first, size_t size)
{
    uint8_t bytes[LOG_KEY_SIZE];
    MDB_val key;
    int rc;

    put_key_u64(bytes, first);
    key = val_of(slice_make(bytes, sizeof(bytes)));
    rc = mdb_del(rewrite->txn, rewrite->store->log, &key, NULL);
    rewrite->size += size;
    return rc == 0 ? ACTA_OK : store_fail(rewrite->err, rc, "rewrite log");
}

/* Take out the block that fresh was gathered from, and put what became of it
 * behind what is pending.
 */
static enum acta_code
take(struct rewrite *rewrite, size_t size)
{
    struct gathered *pending = &rewrite->pending;
    const struct gathered *fresh = &rewrite->fresh;
    enum acta_code code = take_out(rewrite, fresh->first, size);

    for (size_t i = 0; code == ACTA_OK && i < fresh->count; i++) {
        if (pending->count > 0 && !fits(pending, 1, fresh->records[i].size)) {
            code = flush(rewrite);
        }
        if (pending->count == 0) {
            pending->first = fresh->first + i;
        }
        gather(pending, &fresh->records[i]);
    }
    return code;
}

/* ---- which blocks ---- */

/* A block that can be worked with; *@block is NULL if there is none at
 * @position.
 */
static enum acta_code
look_at(struct rewrite *rewrite, uint64_t position, const struct block **block)
{
    enum acta_code code;

    *block = NULL;
    if (position == 0 || position > store_view_meta(rewrite->view)->position) {
        return ACTA_OK;
    }
    code = store_view_block(rewrite->view, position, block, rewrite->err);
    if (code == ACTA_CORRUPT) {
        *block = NULL;
        return ACTA_OK;
    }
    /* Not tested: see is_sound(). */
    if (code == ACTA_OK && !is_sound(*block)) {
        *block = NULL;
    }
    return code;
}

/* Is there an edit for @block, or one before it? Those before are done. */
static bool
has_edit(const struct rewrite *rewrite, const struct block *block)
{
    size_t done = rewrite->edited->done;

    return done < rewrite->count &&
           rewrite->edits[done].position < block_end(block);
}

static size_t
records_size(const struct block *block)
{
    return block->size - block_size(block->count, 0);
}

/* Put the block before the one at hand in front of it, if both fit in one. */
static enum acta_code
take_left(struct rewrite *rewrite)
{
    struct gathered *pending = &rewrite->pending;
    const struct gathered *fresh = &rewrite->fresh;
    const struct block *left;
    enum acta_code code;

    if (fresh->first <= rewrite->written_to) {
        return ACTA_OK;
    }
    code = look_at(rewrite, fresh->first - 1, &left);
    if (code != ACTA_OK || left == NULL ||
        !fits(fresh, left->count, records_size(left))) {
        return code;
    }
    code = take_out(rewrite, left->first_position, left->size);
    if (code != ACTA_OK) {
        return code;
    }
    pending->first = left->first_position;
    for (uint64_t p = left->first_position; p < block_end(left); p++) {
        struct block_record record;
        bool found = block_find(left, p, &record);

        assert(found); /* is_sound() */
        gather(pending, &record);
    }
    return ACTA_OK;
}

/* Begin with the block of the next edit. */
static enum acta_code
begin_at_edit(struct rewrite *rewrite)
{
    struct store_edited *edited = rewrite->edited;
    const struct block *block;
    enum acta_code code;
    bool changed;
    size_t size;

    code = look_at(rewrite, rewrite->edits[edited->done].position, &block);
    if (code != ACTA_OK) {
        return code;
    }
    if (block == NULL) {
        edited->done++;
        edited->damaged++;
        return ACTA_OK;
    }
    size = block->size;
    code = edit_block(rewrite, block, &changed);
    if (code != ACTA_OK || !changed) {
        return code;
    }
    code = take_left(rewrite);
    return code == ACTA_OK ? take(rewrite, size) : code;
}

/* Go on with the block behind what is pending: if there is an edit for it, or
 * if it fits in.
 */
static enum acta_code
go_on(struct rewrite *rewrite)
{
    struct gathered *pending = &rewrite->pending;
    bool is_full = rewrite->size >= rewrite->size_max;
    const struct block *block;
    enum acta_code code;
    bool changed;
    size_t size;

    code = look_at(rewrite, pending->first + pending->count, &block);
    if (code != ACTA_OK) {
        return code;
    }
    if (block == NULL || (is_full && has_edit(rewrite, block)) ||
        (!has_edit(rewrite, block) &&
         !fits(pending, block->count, records_size(block)))) {
        return flush(rewrite);
    }
    size = block->size;
    code = edit_block(rewrite, block, &changed);
    /* Not tested: memory fails for one of many small copies. */
    if (code != ACTA_OK) {
        return code;
    }
    if (!changed && !fits(pending, rewrite->fresh.count, rewrite->fresh.size)) {
        return flush(rewrite);
    }
    return take(rewrite, size);
}

static enum acta_code
rewrite_all(struct rewrite *rewrite)
{
    enum acta_code code = store_view_begin(rewrite->view, rewrite->err);

    if (code != ACTA_OK) {
        return code;
    }
    while (code == ACTA_OK) {
        if (rewrite->pending.count > 0) {
            code = go_on(rewrite);
        } else if (rewrite->edited->done < rewrite->count &&
                   rewrite->size < rewrite->size_max) {
            code = begin_at_edit(rewrite);
        } else {
            break;
        }
    }
    store_view_end(rewrite->view);
    return code;
}

static enum acta_code
run(struct rewrite *rewrite)
{
    enum acta_code code;
    int rc;

    rc = mdb_txn_begin(rewrite->store->env, NULL, 0, &rewrite->txn);
    if (rc != 0) {
        return store_fail(rewrite->err, rc, "begin to rewrite log");
    }
    code = store_view_open(&rewrite->view, rewrite->store, rewrite->err);
    if (code == ACTA_OK) {
        code = rewrite_all(rewrite);
    }
    store_view_close(rewrite->view);
    if (code != ACTA_OK || rewrite->size == 0) {
        mdb_txn_abort(rewrite->txn);
        return code;
    }
    FAILPOINT("rewrite-commit");
    rc = mdb_txn_commit(rewrite->txn);
    FAILPOINT("rewrite-committed");
    return rc == 0 ? ACTA_OK : store_fail(rewrite->err, rc, "rewrite log");
}

enum acta_code
store_rewrite(struct store *store, const struct store_edit *edits, size_t count,
              size_t size_max, struct store_edited *edited,
              struct acta_err *err)
{
    struct rewrite *rewrite = calloc(1, sizeof(*rewrite));
    enum acta_code code;

    *edited = (struct store_edited){0};
    if (rewrite == NULL) {
        return acta_fail(err, ACTA_MEMORY, "store: rewrite log");
    }
    rewrite->store = store;
    rewrite->edits = edits;
    rewrite->count = count;
    rewrite->size_max = size_max;
    rewrite->edited = edited;
    rewrite->err = err;
    buf_init(&rewrite->scratch, SIZE_MAX);
    code = run(rewrite);
    buf_fini(&rewrite->scratch);
    arena_free(&rewrite->arena);
    free(rewrite);
    return code;
}
