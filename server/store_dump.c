#include "store_dump.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "postings.h"
#include "store_lmdb.h"

struct store_dump {
    struct store_view *view;
    enum store_table table;
    MDB_cursor *cursor;     /* owned: in table; NULL: not begun */
    struct slice pieces[3]; /* What is left of the item: header, key, value. */
    uint8_t header[STORE_ITEM_HEADER];
    bool at_end;
};

enum acta_code
store_dump_open(struct store_dump **out, struct store *store,
                struct store_meta *meta, struct acta_err *err)
{
    struct store_dump *dump = calloc(1, sizeof(*dump));
    enum acta_code code;

    *out = NULL;
    if (dump == NULL) {
        return acta_fail(err, ACTA_MEMORY, "dump store");
    }
    dump->table = STORE_LOG;
    code = store_view_open(&dump->view, store, err);
    if (code == ACTA_OK) {
        code = store_view_begin(dump->view, err);
    }
    if (code != ACTA_OK) {
        store_dump_close(dump);
        return code;
    }
    *meta = *store_view_meta(dump->view);
    *out = dump;
    return ACTA_OK;
}

void
store_dump_close(struct store_dump *dump)
{
    if (dump == NULL) {
        return;
    }
    if (dump->cursor != NULL) {
        mdb_cursor_close(dump->cursor);
    }
    store_view_close(dump->view);
    free(dump);
}

static MDB_dbi
handle_of(const struct store *store, enum store_table table)
{
    const MDB_dbi handles[] = {
        [STORE_LOG] = store->log,   [STORE_LISTS] = store->lists,
        [STORE_IDS] = store->ids,   [STORE_POSTINGS] = store->postings,
        [STORE_ROWS] = store->rows, [STORE_META] = store->meta,
    };

    return handles[table];
}

/* ---- dumping ---- */

/* Go to the next item, if need be of the next table. */
static int
next_item(struct store_dump *dump)
{
    MDB_val key, val;
    int rc = MDB_NOTFOUND;

    while (rc == MDB_NOTFOUND) {
        MDB_cursor_op op = MDB_NEXT;

        if (dump->cursor == NULL) {
            op = MDB_FIRST;
            rc = mdb_cursor_open(dump->view->txn,
                                 handle_of(dump->view->store, dump->table),
                                 &dump->cursor);
            if (rc != 0) {
                return rc;
            }
        }
        rc = mdb_cursor_get(dump->cursor, &key, &val, op);
        if (rc == MDB_NOTFOUND) {
            mdb_cursor_close(dump->cursor);
            dump->cursor = NULL;
            if (dump->table == STORE_META) {
                dump->at_end = true;
                return 0;
            }
            dump->table++;
        }
    }
    if (rc != 0) {
        return rc;
    }
    assert(val.mv_size <= UINT32_MAX); /* LMDB has no larger ones. */
    dump->header[0] = (uint8_t)dump->table;
    dump->header[1] = 0;
    put_u16(dump->header + 2, (uint16_t)key.mv_size);
    put_u32(dump->header + 4, (uint32_t)val.mv_size);
    dump->pieces[0] = slice_make(dump->header, sizeof(dump->header));
    dump->pieces[1] = slice_of_val(key);
    dump->pieces[2] = slice_of_val(val);
    return 0;
}

/* Put what is left of the item, as far as there is room. Returns how much. */
static size_t
put_pieces(struct store_dump *dump, size_t room, struct buf *out)
{
    size_t put = 0;

    for (size_t i = 0; i < 3; i++) {
        struct slice *piece = &dump->pieces[i];
        size_t size = piece->size < room - put ? piece->size : room - put;

        buf_append(out, piece->data, size);
        *piece = slice_make(piece->data + size, piece->size - size);
        put += size;
    }
    return put;
}

enum acta_code
store_dump_read(struct store_dump *dump, size_t size_max, struct buf *out,
                bool *at_end, struct acta_err *err)
{
    size_t room = size_max;

    while (room > 0 && !dump->at_end) {
        int rc = 0;

        /* The value is the last piece, and none is empty. */
        if (dump->pieces[2].size == 0) {
            rc = next_item(dump);
        }
        if (rc != 0) {
            return store_fail(err, rc, "dump");
        }
        if (!dump->at_end) {
            room -= put_pieces(dump, room, out);
        }
    }
    *at_end = dump->at_end;
    return buf_failed(out) ? acta_fail(err, ACTA_MEMORY, "dump store")
                           : ACTA_OK;
}

/* ---- an item ---- */

size_t
store_item_take(struct store_item *item, struct slice bytes, size_t *wanted)
{
    size_t key_size, value_size;

    *wanted = STORE_ITEM_HEADER;
    if (bytes.size < STORE_ITEM_HEADER) {
        return 0;
    }
    key_size = get_u16(bytes.data + 2);
    value_size = get_u32(bytes.data + 4);
    *wanted = STORE_ITEM_HEADER + key_size + value_size;
    if (bytes.size < *wanted) {
        return 0;
    }
    item->table = bytes.data[0];
    item->key = slice_make(bytes.data + STORE_ITEM_HEADER, key_size);
    item->value = slice_make(item->key.data + key_size, value_size);
    return *wanted;
}

static enum acta_code
check_block(const struct store_item *item, uint64_t *due, struct acta_err *err)
{
    struct block_record record;
    struct block block;
    enum acta_code code;

    code = block_open(&block, item->value, err);
    if (code != ACTA_OK || item->key.size != LOG_KEY_SIZE ||
        block.first_position != *due ||
        get_key_u64(item->key.data) != block.first_position) {
        return acta_fail(
            err, ACTA_CORRUPT,
            "the block of the log at position %" PRIu64 " is damaged", *due);
    }
    for (uint64_t p = *due; code == ACTA_OK && p < block_end(&block); p++) {
        code = block_get(&block, p, &record, err);
    }
    *due = block_end(&block);
    return code;
}

enum acta_code
store_item_check(const struct store_item *item, uint64_t *due,
                 struct acta_err *err)
{
    struct postings chunk;
    struct list_head head;
    struct slice value;
    uint64_t position;

    switch (item->table) {
    case STORE_LOG:
        return check_block(item, due, err);
    case STORE_LISTS:
        return list_head_decode(&head, item->key, item->value, err);
    case STORE_POSTINGS:
        return postings_decode(&chunk, item->key, item->value, err);
    case STORE_IDS:
        return store_read_id_value(item->key, item->value, &position, err);
    case STORE_ROWS:
        return store_read_row(item->key, item->value, &value, err);
    case STORE_META:
        return ACTA_OK; /* See store_item_meta(). */
    }
    return acta_fail(err, ACTA_CORRUPT, "there is no table %d",
                     (int)item->table);
}

enum acta_code
store_item_meta(const struct store_item *item, struct store_meta *meta,
                struct acta_err *err)
{
    return store_decode_meta(item->value, meta, err);
}
