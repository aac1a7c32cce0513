/* Rows in the store: written by checkpoints and by work in the background. */

#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "store_lmdb.h"

/* ---- writing ---- */

static size_t
stored_size(const struct row *row)
{
    size_t size = ROW_PADDED_FRONT + row->value.size;

    if (!row_has_events(row->kind)) {
        return ROW_VALUE_FRONT + row->value.size;
    }
    return size < ROW_EVENTS_SIZE_MIN ? ROW_EVENTS_SIZE_MIN : size;
}

/* Fill the @size bytes at @to. */
static void
write_row(uint8_t *to, size_t size, struct slice key, const struct row *row)
{
    size_t front = ROW_VALUE_FRONT;

    put_u32(to, store_row_checksum(key, row->value));
    if (row_has_events(row->kind)) {
        put_u32(to + front, (uint32_t)row->value.size);
        front = ROW_PADDED_FRONT;
    }
    memcpy(to + front, row->value.data, row->value.size);
    memset(to + front + row->value.size, 0, size - front - row->value.size);
}

static int
put_row(struct store *store, MDB_txn *txn, const struct row *row)
{
    uint8_t key_bytes[ROW_STORE_KEY_MAX];
    struct slice key_slice = store_row_key(key_bytes, row->kind, row->key);
    MDB_val key = val_of(key_slice);
    MDB_val val = {.mv_size = stored_size(row)};
    int rc;

    if (row->value.size == 0) {
        rc = mdb_del(txn, store->rows, &key, NULL);
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    rc = mdb_put(txn, store->rows, &key, &val, MDB_RESERVE);
    if (rc == 0) {
        write_row(val.mv_data, val.mv_size, key_slice, row);
    }
    return rc;
}

enum acta_code
store_set_rows(struct store *store, const struct row *rows, size_t count,
               struct acta_err *err)
{
    MDB_txn *txn;
    int rc;

    rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (rc != 0) {
        return store_fail(err, rc, "begin to write rows");
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = put_row(store, txn, &rows[i]);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return store_fail(err, rc, "write rows");
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "commit rows");
}

static int
compare_slots(const void *a, const void *b)
{
    const struct row_slot *left = *(const struct row_slot *const *)a;
    const struct row_slot *right = *(const struct row_slot *const *)b;

    return left->kind != right->kind
               ? (left->kind > right->kind) - (left->kind < right->kind)
               : slice_compare(left->key, right->key);
}

enum acta_code
store_write_rows(struct store *store, MDB_txn *txn,
                 const struct memtable *memtable, struct acta_err *err)
{
    const struct rowtable *table = memtable_rows(memtable);
    const struct row_slot **sorted;
    size_t count = 0;
    int rc = 0;

    if (table->count == 0) {
        return ACTA_OK;
    }
    sorted = malloc(table->count * sizeof(*sorted));
    if (sorted == NULL) {
        return acta_fail(err, ACTA_MEMORY, "store: write rows");
    }
    for (const struct row_slot *s = table->slots; s != NULL; s = s->next) {
        sorted[count++] = s;
    }
    qsort(sorted, count, sizeof(*sorted), compare_slots);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct row row = {sorted[i]->kind, sorted[i]->key,
                          sorted[i]->newest->value};

        rc = put_row(store, txn, &row);
    }
    free(sorted);
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "write rows");
}

/* ---- reading ---- */

enum acta_code
store_view_row(struct store_view *view, enum row_kind kind, struct slice key,
               struct slice *value, bool *found, struct acta_err *err)
{
    uint8_t bytes[ROW_STORE_KEY_MAX];
    struct slice wanted = store_row_key(bytes, kind, key);
    MDB_val at = val_of(wanted);
    MDB_val val;
    int rc;

    *found = false;
    rc = store_cursor_get(view, &view->rows, &at, &val, MDB_SET);
    if (rc == MDB_NOTFOUND) {
        return ACTA_OK;
    }
    if (rc != 0) {
        return store_fail(err, rc, "read row");
    }
    *found = true;
    return store_read_row(wanted, slice_of_val(val), value, err);
}

enum acta_code
store_view_next_row(struct store_view *view, enum row_kind kind,
                    struct slice after, struct row *row, bool *found,
                    struct acta_err *err)
{
    uint8_t bytes[ROW_STORE_KEY_MAX];
    struct slice from = store_row_key(bytes, kind, after);
    MDB_val key = val_of(from);
    MDB_val val;
    int rc;

    *found = false;
    rc = store_cursor_get(view, &view->rows, &key, &val, MDB_SET_RANGE);
    if (rc == 0 && slice_equal(slice_of_val(key), from)) {
        rc = store_cursor_get(view, &view->rows, &key, &val, MDB_NEXT);
    }
    if (rc == MDB_NOTFOUND) {
        return ACTA_OK;
    }
    if (rc != 0) {
        return store_fail(err, rc, "read rows");
    }
    /* Not tested: only a damaged page of LMDB has empty keys. */
    if (key.mv_size < 1 || *(const uint8_t *)key.mv_data != (uint8_t)kind) {
        return ACTA_OK;
    }
    *found = true;
    row->kind = kind;
    row->key = slice_make((const uint8_t *)key.mv_data + 1, key.mv_size - 1);
    return store_read_row(slice_of_val(key), slice_of_val(val), &row->value,
                          err);
}
