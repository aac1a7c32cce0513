/* Keys come sorted, so pages are filled one after the other. A transaction
 * takes so much and no more: LMDB keeps what it has written in memory until it
 * is committed.
 */

#include <stdlib.h>

#include "store_dump.h"
#include "store_lmdb.h"

#define TXN_SIZE ((size_t)16 << 20)

struct store_load {
    struct store store;
    MDB_txn *txn; /* owned; NULL: none */
    size_t written;
    enum store_table table; /* Of the last item. */
    bool has_meta;
};

enum acta_code
store_load_begin(struct store_load **out, const char *dir, size_t map_size,
                 struct acta_err *err)
{
    struct store_load *load = calloc(1, sizeof(*load));
    int rc;

    *out = NULL;
    if (load == NULL) {
        return acta_fail(err, ACTA_MEMORY, "load store");
    }
    rc = store_make_tables(&load->store, dir, map_size, &load->txn);
    if (rc != 0) {
        store_load_close(load);
        return store_fail(err, rc, dir);
    }
    load->table = STORE_LOG;
    *out = load;
    return ACTA_OK;
}

static int
commit(struct store_load *load)
{
    int rc = mdb_txn_commit(load->txn);

    load->txn = NULL;
    load->written = 0;
    return rc;
}

static int
put(struct store_load *load, const struct store_item *item)
{
    const MDB_dbi handles[] = {
        [STORE_LOG] = load->store.log,
        [STORE_LISTS] = load->store.lists,
        [STORE_IDS] = load->store.ids,
        [STORE_POSTINGS] = load->store.postings,
        [STORE_ROWS] = load->store.rows,
        [STORE_META] = load->store.meta,
    };
    MDB_val key = val_of(item->key);
    MDB_val val = val_of(item->value);
    int rc = 0;

    if (load->written > TXN_SIZE) {
        rc = commit(load);
    }
    /* Not tested: more than a transaction, whose commit fails. */
    if (rc == 0 && load->txn == NULL) {
        rc = mdb_txn_begin(load->store.env, NULL, 0, &load->txn);
    }
    /* Not tested: likewise. */
    if (rc == 0) {
        load->written += key.mv_size + val.mv_size;
        rc = mdb_put(load->txn, handles[item->table], &key, &val, MDB_APPEND);
    }
    return rc;
}

enum acta_code
store_load_put(struct store_load *load, const struct store_item *item,
               struct acta_err *err)
{
    int rc;

    if (load->has_meta || item->table < load->table ||
        item->table > STORE_META || item->key.size == 0 ||
        item->key.size > ROW_STORE_KEY_MAX) {
        return acta_fail(err, ACTA_CORRUPT, "an item is out of order");
    }
    load->table = item->table;
    load->has_meta = item->table == STORE_META;
    rc = put(load, item);
    if (rc == MDB_KEYEXIST) {
        return acta_fail(err, ACTA_CORRUPT, "an item is out of order");
    }
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "load");
}

enum acta_code
store_load_end(struct store_load *load, const struct uuid *id,
               struct store_meta *meta, struct acta_err *err)
{
    enum acta_code code;
    int rc;

    if (!load->has_meta) {
        return acta_fail(err, ACTA_CORRUPT, "the end is missing");
    }
    code = store_read_meta(&load->store, load->txn, meta, err);
    if (code != ACTA_OK) {
        return code;
    }
    meta->id = *id;
    rc = store_write_meta(&load->store, load->txn, meta);
    if (rc == 0) {
        rc = commit(load);
    }
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "load");
}

void
store_load_close(struct store_load *load)
{
    if (load == NULL) {
        return;
    }
    if (load->txn != NULL) {
        mdb_txn_abort(load->txn);
    }
    mdb_env_close(load->store.env);
    free(load);
}
