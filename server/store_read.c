/* Views. A view keeps its transaction and cursors between uses, renewed at
 * store_view_begin() or when they are needed, and reset at store_view_end(), so
 * that beginning costs little and nothing is pinned in between.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "store_lmdb.h"

static int
open_cursor(struct store_view *view, MDB_dbi table, struct store_cursor *cursor)
{
    return mdb_cursor_open(view->txn, table, &cursor->lmdb);
}

static int
open_cursors(struct store_view *view)
{
    struct store *store = view->store;
    int rc;

    if ((rc = open_cursor(view, store->log, &view->log)) != 0 ||
        (rc = open_cursor(view, store->lists, &view->lists)) != 0 ||
        (rc = open_cursor(view, store->postings, &view->postings)) != 0 ||
        (rc = open_cursor(view, store->ids, &view->ids)) != 0 ||
        (rc = open_cursor(view, store->rows, &view->rows)) != 0) {
        return rc;
    }
    return 0;
}

static void
close_cursor(struct store_cursor *cursor)
{
    if (cursor->lmdb != NULL) {
        mdb_cursor_close(cursor->lmdb);
    }
    *cursor = (struct store_cursor){0};
}

static void
close_lmdb(struct store_view *view)
{
    close_cursor(&view->log);
    close_cursor(&view->lists);
    close_cursor(&view->postings);
    close_cursor(&view->ids);
    close_cursor(&view->rows);
    mdb_txn_abort(view->txn);
    view->txn = NULL;
}

void
store_view_let_go(struct store_view *view)
{
    assert(!view->has_begun);

    close_lmdb(view);
    places_forget(view->places);
    view->ahead = (struct slice){0};
    view->meta_txn = 0;
}

/* The transaction has begun then. */
static int
open_lmdb(struct store_view *view)
{
    int rc = mdb_txn_begin(view->store->env, NULL, MDB_RDONLY, &view->txn);

    if (rc == 0 && (rc = open_cursors(view)) != 0) {
        close_lmdb(view);
    }
    return rc;
}

/* ---- views of the store ---- */

int
store_enter(struct store *store)
{
    bool is_open;

    pthread_mutex_lock(&store->lock);
    is_open = store->env != NULL;
    store->readers += is_open;
    pthread_mutex_unlock(&store->lock);
    return is_open ? 0 : EIO;
}

void
store_leave(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->readers--;
    pthread_mutex_unlock(&store->lock);
}

static void
add_view(struct store_view *view)
{
    struct store *store = view->store;

    pthread_mutex_lock(&store->lock);
    view->next = store->views;
    view->link = &store->views;
    if (view->next != NULL) {
        view->next->link = &view->next;
    }
    store->views = view;
    pthread_mutex_unlock(&store->lock);
}

/* What a view has of the environment goes with it: once it is off the list,
 * nobody would let go of that before the environment is closed.
 */
static void
remove_view(struct store_view *view)
{
    pthread_mutex_lock(&view->store->lock);
    *view->link = view->next;
    if (view->next != NULL) {
        view->next->link = view->link;
    }
    close_lmdb(view);
    pthread_mutex_unlock(&view->store->lock);
}

enum acta_code
store_view_open(struct store_view **out, struct store *store,
                struct acta_err *err)
{
    struct store_view *view;
    int rc;

    *out = NULL;
    view = calloc(1, sizeof(*view));
    if (view == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open view");
    }
    view->store = store;
    view->places = places_new();
    if (view->places == NULL) {
        free(view);
        return acta_fail(err, ACTA_MEMORY, "open view");
    }
    add_view(view);
    rc = store_enter(store);
    if (rc == 0) {
        rc = open_lmdb(view);
        if (rc == 0) {
            mdb_txn_reset(view->txn);
        }
        store_leave(store);
    }
    if (rc != 0) {
        store_view_close(view);
        return store_fail(err, rc, "open view");
    }
    *out = view;
    return ACTA_OK;
}

void
store_view_close(struct store_view *view)
{
    if (view == NULL) {
        return;
    }
    if (view->has_begun) {
        store_view_end(view);
    }
    remove_view(view);
    free(view->places);
    free(view);
}

/* What the store says of itself, unless it is known: a transaction of the same
 * number sees the same.
 */
static enum acta_code
read_meta(struct store_view *view, struct acta_err *err)
{
    size_t txn = mdb_txn_id(view->txn);
    enum acta_code code;

    if (view->meta_txn == txn) {
        return ACTA_OK;
    }
    view->meta_txn = 0; /* Which is none. */
    code = store_read_meta(view->store, view->txn, &view->meta, err);
    if (code == ACTA_OK) {
        view->meta_txn = txn;
    }
    return code;
}

enum acta_code
store_view_begin(struct store_view *view, struct acta_err *err)
{
    enum acta_code code;
    int rc;

    rc = store_enter(view->store);
    if (rc != 0) {
        return store_fail(err, rc, "begin view");
    }
    rc = view->txn == NULL ? open_lmdb(view) : mdb_txn_renew(view->txn);
    if (rc != 0) {
        store_leave(view->store);
        return store_fail(err, rc, "begin view");
    }
    view->has_begun = true;
    view->use++;
    view->block.count = 0;
    code = read_meta(view, err);
    if (code != ACTA_OK) {
        store_view_end(view);
    }
    return code;
}

int
store_cursor_get(struct store_view *view, struct store_cursor *cursor,
                 MDB_val *key, MDB_val *val, MDB_cursor_op op)
{
    if (cursor->renewed != view->use) {
        int rc = mdb_cursor_renew(view->txn, cursor->lmdb);

        if (rc != 0) {
            return rc;
        }
        cursor->renewed = view->use;
    }
    return mdb_cursor_get(cursor->lmdb, key, val, op);
}

void
store_view_end(struct store_view *view)
{
    assert(view->has_begun);

    mdb_txn_reset(view->txn);
    view->has_begun = false;
    store_leave(view->store);
}

const struct store_meta *
store_view_meta(const struct store_view *view)
{
    return &view->meta;
}

/* ---- lists ---- */

enum acta_code
store_view_head(struct store_view *view, const struct list_name *name,
                struct list_head *head, bool *found, struct acta_err *err)
{
    uint8_t bytes[LIST_KEY_SIZE_MAX];
    MDB_val key = val_of(store_list_key(bytes, name));
    MDB_val val;
    int rc;

    *found = false;
    rc = store_cursor_get(view, &view->lists, &key, &val, MDB_SET);
    if (rc == MDB_NOTFOUND) {
        return ACTA_OK;
    }
    if (rc != 0) {
        return store_fail(err, rc, "read list");
    }
    *found = true;
    return list_head_decode(head, slice_of_val(key), slice_of_val(val), err);
}

/* Did the cursor come to a chunk of the list of this number? */
static bool
is_chunk_of(uint64_t number, int rc, const MDB_val *key)
{
    /* Not tested: only who writes to the store past Acta makes other keys. */
    return rc == 0 && key->mv_size == CHUNK_KEY_SIZE &&
           get_key_u64(key->mv_data) == number;
}

/* Unpack what the cursor came to with @rc. */
static enum acta_code
read_chunk(uint64_t number, int rc, MDB_val key, MDB_val val,
           struct postings *chunk, struct acta_err *err)
{
    if (rc != 0 && rc != MDB_NOTFOUND) {
        return store_fail(err, rc, "read postings");
    }
    if (!is_chunk_of(number, rc, &key)) {
        return acta_fail(err, ACTA_CORRUPT, "postings of a list are missing");
    }
    return postings_decode(chunk, slice_of_val(key), slice_of_val(val), err);
}

/* The chunk at the first key >= (number, x). */
static enum acta_code
find_chunk_behind(struct store_view *view, uint64_t number, uint64_t x,
                  struct postings *chunk, struct acta_err *err)
{
    uint8_t bytes[CHUNK_KEY_SIZE];
    MDB_val key = val_of(store_chunk_key(bytes, number, x));
    MDB_val val;
    int rc;

    rc = store_cursor_get(view, &view->postings, &key, &val, MDB_SET_RANGE);
    return read_chunk(number, rc, key, val, chunk, err);
}

/* The chunk at the last key <= (number, x), or the list's first one. */
static enum acta_code
find_chunk(struct store_view *view, uint64_t number, uint64_t x,
           struct postings *chunk, struct acta_err *err)
{
    uint8_t bytes[CHUNK_KEY_SIZE];
    struct slice wanted = store_chunk_key(bytes, number, x);
    MDB_val key = val_of(wanted);
    MDB_val val;
    int rc;

    rc = store_cursor_get(view, &view->postings, &key, &val, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        rc = store_cursor_get(view, &view->postings, &key, &val, MDB_LAST);
    } else if (rc == 0 && !slice_equal(slice_of_val(key), wanted)) {
        rc = store_cursor_get(view, &view->postings, &key, &val, MDB_PREV);
    }
    if ((rc == 0 || rc == MDB_NOTFOUND) && !is_chunk_of(number, rc, &key)) {
        return find_chunk_behind(view, number, 0, chunk, err);
    }
    return read_chunk(number, rc, key, val, chunk, err);
}

enum acta_code
store_view_chunk_of_ordinal(struct store_view *view,
                            const struct list_head *head, uint64_t ordinal,
                            struct postings *chunk, struct acta_err *err)
{
    enum acta_code code;

    assert(ordinal > 0);
    assert(ordinal < head->newest.first_ordinal);

    code = find_chunk(view, head->number, ordinal, chunk, err);
    if (code == ACTA_OK && (ordinal < chunk->first_ordinal ||
                            ordinal - chunk->first_ordinal >= chunk->count)) {
        return acta_fail(err, ACTA_CORRUPT, "postings of a list are missing");
    }
    return code;
}

enum acta_code
store_view_next_chunk(struct store_view *view, enum list_kind kind,
                      const struct list_head *head, struct postings *chunk,
                      struct acta_err *err)
{
    uint64_t ordinal = chunk->first_ordinal + chunk->count;
    enum acta_code code;

    assert(ordinal < head->newest.first_ordinal);

    code = find_chunk_behind(
        view, head->number,
        kind == LIST_STREAM ? ordinal : chunk->positions[chunk->count - 1] + 1,
        chunk, err);
    if (code == ACTA_OK && chunk->first_ordinal != ordinal) {
        return acta_fail(err, ACTA_CORRUPT, "postings of a list are missing");
    }
    return code;
}

/* A stream's chunks are found by ordinal, so a position needs a binary search
 * over them: the best one so far, and the ordinals behind it that are still to
 * be looked at.
 */
static enum acta_code
search_stream(struct store_view *view, const struct list_head *head,
              uint64_t position, struct postings *chunk, struct acta_err *err)
{
    uint64_t end = head->newest.first_ordinal;
    uint64_t best = 1, behind = 1;
    enum acta_code code;

    while (behind < end) {
        code = store_view_chunk_of_ordinal(
            view, head, behind + (end - behind) / 2, chunk, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (chunk->positions[0] <= position) {
            best = chunk->first_ordinal;
            behind = best + chunk->count;
        } else {
            end = chunk->first_ordinal;
        }
    }
    return store_view_chunk_of_ordinal(view, head, best, chunk, err);
}

enum acta_code
store_view_chunk_of_position(struct store_view *view, enum list_kind kind,
                             const struct list_head *head, uint64_t position,
                             struct postings *chunk, struct acta_err *err)
{
    assert(head->newest.first_ordinal > 1);

    if (kind == LIST_STREAM) {
        return search_stream(view, head, position, chunk, err);
    }
    return find_chunk(view, head->number, position, chunk, err);
}

/* ---- ids ---- */

enum acta_code
store_view_id(struct store_view *view, const uint8_t id[static UUID_SIZE],
              uint64_t stream, uint64_t *position, struct acta_err *err)
{
    uint8_t bytes[ID_KEY_SIZE];
    MDB_val key = val_of(store_id_key(bytes, id, stream));
    MDB_val val;
    int rc;

    *position = 0;
    rc = store_cursor_get(view, &view->ids, &key, &val, MDB_SET);
    if (rc == MDB_NOTFOUND) {
        return ACTA_OK;
    }
    if (rc != 0) {
        return store_fail(err, rc, "read id");
    }
    return store_read_id_value(slice_of_val(key), slice_of_val(val), position,
                               err);
}

enum acta_code
store_view_next_id(struct store_view *view, const uint8_t id[static UUID_SIZE],
                   uint64_t *stream, uint64_t *position, struct acta_err *err)
{
    uint8_t bytes[ID_KEY_SIZE];
    MDB_val key = val_of(store_id_key(bytes, id, *stream + 1));
    MDB_val val;
    int rc;

    *position = 0;
    rc = store_cursor_get(view, &view->ids, &key, &val, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        return ACTA_OK;
    }
    if (rc != 0) {
        return store_fail(err, rc, "read id");
    }
    /* Not tested: only who writes to the store past Acta makes other keys. */
    if (key.mv_size != ID_KEY_SIZE || memcmp(key.mv_data, id, UUID_SIZE) != 0) {
        return ACTA_OK;
    }
    *stream = get_key_u64((const uint8_t *)key.mv_data + UUID_SIZE);
    return store_read_id_value(slice_of_val(key), slice_of_val(val), position,
                               err);
}

/* ---- listing ---- */

enum acta_code
store_view_next_list(struct store_view *view, enum list_kind kind,
                     struct slice after, bool inclusive, struct slice *name,
                     struct list_head *head, bool *found, struct acta_err *err)
{
    struct list_name from = {kind, after};
    uint8_t bytes[LIST_KEY_SIZE_MAX];
    struct slice wanted = store_list_key(bytes, &from);
    MDB_val key = val_of(wanted);
    MDB_val val;
    int rc;

    *found = false;
    rc = store_cursor_get(view, &view->lists, &key, &val, MDB_SET_RANGE);
    if (rc == 0 && !inclusive && slice_equal(slice_of_val(key), wanted)) {
        rc = store_cursor_get(view, &view->lists, &key, &val, MDB_NEXT);
    }
    if (rc == MDB_NOTFOUND) {
        return ACTA_OK;
    }
    if (rc != 0) {
        return store_fail(err, rc, "list");
    }
    /* Not tested: only a damaged page of LMDB has empty keys. */
    if (key.mv_size < 1 || *(const uint8_t *)key.mv_data != (uint8_t)kind) {
        return ACTA_OK;
    }
    *found = true;
    *name = slice_make((const uint8_t *)key.mv_data + 1, key.mv_size - 1);
    return list_head_decode(head, slice_of_val(key), slice_of_val(val), err);
}
