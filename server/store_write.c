/* The checkpoint: one memtable into the store, in one transaction.
 *
 * The lists in the order of their keys, each read and written once, then the
 * ids in theirs: so each page is touched while it is at hand, and written once.
 * The log, at its end, comes before and behind them: one block first, the rest
 * last.
 *
 * For a block LMDB seeks as many free pages in a row, one by one through all it
 * knows of. Mostly they are single ones: lists and ids have to take these
 * first. But before, the first block makes LMDB read all that is free. It would
 * be read bit by bit, else, and pages given out in no order; and then each
 * costs as much as the list is long in which LMDB keeps those to be written.
 *
 * All of it is spread over the time that the thread has for it (spread.h).
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "spread.h"
#include "store.h"
#include "store_lmdb.h"

struct checkpoint {
    struct store *store;
    MDB_txn *txn;
    struct memtable *memtable;
    uint64_t first_position;
    size_t count;
    uint64_t logged; /* Positions before this one are in the log. */
    size_t lists;    /* That were written. */
    size_t steps;    /* Done, of so many: */
    size_t steps_count;
    struct store_meta meta;
    struct acta_err *err;
};

/* Lists or ids that are written before it may pause. */
#define STEPS_AT_ONCE 32

static void
count_step(struct checkpoint *checkpoint)
{
    if (++checkpoint->steps % STEPS_AT_ONCE == 0) {
        spread_step(checkpoint->steps, checkpoint->steps_count);
    }
}

/* ---- the log ---- */

static enum acta_code
write_block(struct checkpoint *checkpoint, MDB_cursor *cursor, uint64_t first,
            size_t count, size_t records_size)
{
    uint8_t bytes[LOG_KEY_SIZE];
    size_t size = block_size(count, records_size);
    struct block_writer writer;
    MDB_val key, val;
    uint8_t *end;
    int rc;

    put_key_u64(bytes, first);
    key = val_of(slice_make(bytes, sizeof(bytes)));
    val = (MDB_val){.mv_size =
                        size > LOG_BLOCK_SIZE_MIN ? size : LOG_BLOCK_SIZE_MIN};
    rc = mdb_cursor_put(cursor, &key, &val, MDB_RESERVE | MDB_APPEND);
    if (rc != 0) {
        return store_fail(checkpoint->err, rc, "write log");
    }
    block_writer_init(&writer, val.mv_data, first, count);
    for (size_t i = 0; i < count; i++) {
        struct block_record record =
            memtable_record(checkpoint->memtable, first + i);

        block_writer_add(&writer, &record);
    }
    end = block_writer_end(&writer);
    memset(end, 0, val.mv_size - size);
    return ACTA_OK;
}

/* Of the block that begins with the next record: how many it has, and their
 * bytes.
 */
static size_t
next_block(const struct checkpoint *checkpoint, size_t *size)
{
    uint64_t end = checkpoint->first_position + checkpoint->count;
    uint64_t p = checkpoint->logged;

    *size = 0;
    for (; p < end; p++) {
        size_t count = p - checkpoint->logged;
        size_t record_size = memtable_record(checkpoint->memtable, p).size;

        if (count > 0 &&
            block_size(count + 1, *size + record_size) > LOG_BLOCK_SIZE) {
            break;
        }
        *size += record_size;
    }
    return p - checkpoint->logged;
}

/* Write what is to come, but no more than @blocks_max blocks. */
static enum acta_code
write_log(struct checkpoint *checkpoint, size_t blocks_max)
{
    enum acta_code code = ACTA_OK;
    MDB_cursor *cursor;
    size_t count, size;
    int rc;

    rc = mdb_cursor_open(checkpoint->txn, checkpoint->store->log, &cursor);
    if (rc != 0) {
        return store_fail(checkpoint->err, rc, "write log");
    }
    for (size_t i = 0; code == ACTA_OK && i < blocks_max &&
                       (count = next_block(checkpoint, &size)) > 0;
         i++) {
        code = write_block(checkpoint, cursor, checkpoint->logged, count, size);
        checkpoint->logged += count;
    }
    mdb_cursor_close(cursor);
    return code;
}

/* ---- the lists ---- */

static int
compare_lists(const void *a, const void *b)
{
    const struct memlist *const *left = a;
    const struct memlist *const *right = b;

    return list_name_compare(&(*left)->name, &(*right)->name);
}

/* The lists that have events, sorted. (A stream for whose event there was no
 * memory has none.)
 */
static struct memlist **
sort_lists(struct memtable *memtable, size_t *count)
{
    struct memlist **sorted;
    size_t at = 0;

    *count = 0;
    for (enum list_kind k = LIST_STREAM; k < LIST_KINDS_END; k++) {
        for (struct memlist *l = memtable_lists(memtable, k); l != NULL;
             l = l->next) {
            *count += l->count > 0;
        }
    }
    sorted = malloc((*count + 1) * sizeof(struct memlist *));
    if (sorted == NULL) {
        return NULL;
    }
    for (enum list_kind k = LIST_STREAM; k < LIST_KINDS_END; k++) {
        for (struct memlist *l = memtable_lists(memtable, k); l != NULL;
             l = l->next) {
            if (l->count > 0) { /* Not tested: memory fails just there. */
                sorted[at++] = l;
            }
        }
    }
    qsort(sorted, at, sizeof(struct memlist *), compare_lists);
    return sorted;
}

static uint64_t
time_of(const struct memtable *memtable, uint64_t position)
{
    struct block_record record = memtable_record(memtable, position);

    return event_record_time(slice_make(record.data, record.size));
}

static enum acta_code
write_chunk(struct checkpoint *checkpoint, MDB_cursor *cursor,
            enum list_kind kind, const struct list_head *head)
{
    uint8_t key_bytes[CHUNK_KEY_SIZE], value[POSTINGS_VALUE_MAX];
    struct slice key_slice = store_chunk_key(
        key_bytes, head->number, store_chunk_x(kind, &head->newest));
    MDB_val key = val_of(key_slice);
    MDB_val val = {.mv_data = value};
    int rc;

    val.mv_size = postings_encode(value, key_slice, &head->newest);
    rc = mdb_cursor_put(cursor, &key, &val, MDB_NOOVERWRITE);
    /* Not tested: only who writes to the store past Acta gets here. */
    if (rc == MDB_KEYEXIST) {
        return acta_fail(checkpoint->err, ACTA_CORRUPT,
                         "store: postings of a list exist already");
    }
    return rc == 0 ? ACTA_OK
                   : store_fail(checkpoint->err, rc, "write postings");
}

static enum acta_code
add_postings(struct checkpoint *checkpoint, MDB_cursor *postings,
             const struct memlist *list, struct list_head *head)
{
    uint64_t position = 0;
    enum acta_code code;

    for (uint32_t i = 0; i < list->count; i++) {
        position = checkpoint->first_position + list->offsets[i];
        /* Not tested: only who writes to the store past Acta gets here. */
        if (position <= head->last_position) {
            return acta_fail(checkpoint->err, ACTA_CORRUPT,
                             "store: a list has positions it cannot have yet");
        }
        if (head->count == 0) {
            head->first_time_us = time_of(checkpoint->memtable, position);
        }
        if (list_head_add(head, position)) {
            code = write_chunk(checkpoint, postings, list->name.kind, head);
            if (code != ACTA_OK) {
                return code;
            }
            list_head_start_next(head);
        }
    }
    head->last_time_us = time_of(checkpoint->memtable, position);
    return ACTA_OK;
}

static enum acta_code
write_list(struct checkpoint *checkpoint, MDB_cursor *lists,
           MDB_cursor *postings, struct memlist *list)
{
    uint8_t key_bytes[LIST_KEY_SIZE_MAX], value[LIST_HEAD_VALUE_MAX];
    struct slice key_slice = store_list_key(key_bytes, &list->name);
    MDB_val key = val_of(key_slice);
    struct list_head head;
    enum acta_code code;
    MDB_val val;
    int rc;

    rc = mdb_cursor_get(lists, &key, &val, MDB_SET);
    if (rc == MDB_NOTFOUND) {
        list_head_init(&head, ++checkpoint->meta.lists_count);
    } else if (rc != 0) {
        return store_fail(checkpoint->err, rc, "read list");
    } else {
        code = list_head_decode(&head, key_slice, slice_of_val(val),
                                checkpoint->err);
        if (code != ACTA_OK) {
            return code;
        }
    }
    if (list->name.kind == LIST_STREAM) {
        /* Not tested: only who writes to the store past Acta gets here. */
        if (list->base_count != head.count) {
            return acta_fail(
                checkpoint->err, ACTA_CORRUPT,
                "store: stream %.*s has version %ju and not %ju",
                (int)list->name.name.size, (const char *)list->name.name.data,
                (uintmax_t)head.count, (uintmax_t)list->base_count);
        }
        head.has_id_max = true;
        memcpy(head.id_max, list->id_max, UUID_SIZE);
    }
    list->stored_number = head.number;
    code = add_postings(checkpoint, postings, list, &head);
    if (code != ACTA_OK) {
        return code;
    }

    val.mv_data = value;
    val.mv_size = list_head_encode(value, key_slice, &head);
    key = val_of(key_slice);
    rc = mdb_cursor_put(lists, &key, &val, 0);
    return rc == 0 ? ACTA_OK : store_fail(checkpoint->err, rc, "write list");
}

static enum acta_code
write_lists(struct checkpoint *checkpoint)
{
    MDB_cursor *lists, *postings;
    enum acta_code code = ACTA_OK;
    struct memlist **sorted;
    size_t count;
    int rc;

    rc = mdb_cursor_open(checkpoint->txn, checkpoint->store->lists, &lists);
    if (rc != 0) {
        return store_fail(checkpoint->err, rc, "write lists");
    }
    rc = mdb_cursor_open(checkpoint->txn, checkpoint->store->postings,
                         &postings);
    if (rc != 0) {
        mdb_cursor_close(lists);
        return store_fail(checkpoint->err, rc, "write lists");
    }
    sorted = sort_lists(checkpoint->memtable, &count);
    checkpoint->steps_count = count + checkpoint->count;
    if (sorted == NULL) {
        code = acta_fail(checkpoint->err, ACTA_MEMORY, "store: write lists");
    }
    for (size_t i = 0; code == ACTA_OK && i < count; i++) {
        code = write_list(checkpoint, lists, postings, sorted[i]);
        count_step(checkpoint);
    }
    checkpoint->lists = count;
    free(sorted);
    mdb_cursor_close(postings);
    mdb_cursor_close(lists);
    return code;
}

/* ---- the ids ---- */

struct id_entry {
    uint8_t key[ID_KEY_SIZE];
    uint64_t position;
};

/* The first eight bytes nearly always tell, as a number that is compared at
 * once.
 */
static int
compare_ids(const void *a, const void *b)
{
    const struct id_entry *left = a, *right = b;
    uint64_t left_first = get_key_u64(left->key);
    uint64_t right_first = get_key_u64(right->key);

    if (left_first != right_first) {
        return left_first < right_first ? -1 : 1;
    }
    return memcmp(left->key, right->key, ID_KEY_SIZE);
}

static struct id_entry *
sort_ids(struct checkpoint *checkpoint)
{
    struct id_entry *entries = malloc(checkpoint->count * sizeof(*entries));

    if (entries == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < checkpoint->count; i++) {
        uint64_t position = checkpoint->first_position + i;

        entries[i].position = position;
        store_id_key(
            entries[i].key, memtable_id_of(checkpoint->memtable, position),
            memtable_stream_of(checkpoint->memtable, position)->stored_number);
    }
    qsort(entries, checkpoint->count, sizeof(*entries), compare_ids);
    return entries;
}

/* The last key of the table; *@is_empty says that there is none. */
static int
last_id(MDB_cursor *cursor, uint8_t last[static ID_KEY_SIZE], bool *is_empty)
{
    MDB_val key, val;
    int rc = mdb_cursor_get(cursor, &key, &val, MDB_LAST);

    *is_empty = rc == MDB_NOTFOUND;
    if (rc != 0) {
        return *is_empty ? 0 : rc;
    }
    /* Not tested: only who writes to the store past Acta gets here. */
    if (key.mv_size != ID_KEY_SIZE) {
        return MDB_CORRUPTED;
    }
    memcpy(last, key.mv_data, ID_KEY_SIZE);
    return 0;
}

static enum acta_code
write_ids(struct checkpoint *checkpoint)
{
    uint8_t last[ID_KEY_SIZE] = {0};
    struct id_entry *entries;
    MDB_cursor *cursor;
    bool is_empty;
    int rc;

    rc = mdb_cursor_open(checkpoint->txn, checkpoint->store->ids, &cursor);
    if (rc != 0) {
        return store_fail(checkpoint->err, rc, "write ids");
    }
    entries = sort_ids(checkpoint);
    if (entries == NULL) {
        mdb_cursor_close(cursor);
        return acta_fail(checkpoint->err, ACTA_MEMORY, "store: write ids");
    }
    rc = last_id(cursor, last, &is_empty);
    for (size_t i = 0; rc == 0 && i < checkpoint->count; i++) {
        struct slice key_slice = slice_make(entries[i].key, ID_KEY_SIZE);
        MDB_val key = val_of(key_slice);
        uint8_t value[ID_VALUE_SIZE];
        MDB_val val = {.mv_data = value, .mv_size = sizeof(value)};

        /* Behind the last key, pages are filled to the end. */
        unsigned flags =
            is_empty || memcmp(entries[i].key, last, ID_KEY_SIZE) > 0
                ? MDB_APPEND
                : MDB_NOOVERWRITE;

        store_id_value(value, key_slice, entries[i].position);
        rc = mdb_cursor_put(cursor, &key, &val, flags);
        count_step(checkpoint);
    }
    free(entries);
    mdb_cursor_close(cursor);
    /* Not tested: only who writes to the store past Acta gets here. */
    if (rc == MDB_KEYEXIST) {
        return acta_fail(checkpoint->err, ACTA_CORRUPT,
                         "store: an event id is in its stream already");
    }
    return rc == 0 ? ACTA_OK : store_fail(checkpoint->err, rc, "write ids");
}

/* ---- all of it ---- */

static enum acta_code
write_all(struct checkpoint *checkpoint, uint64_t sequence,
          uint64_t last_time_us)
{
    struct store_meta *meta = &checkpoint->meta;
    enum acta_code code;
    int rc;

    code = store_read_meta(checkpoint->store, checkpoint->txn, meta,
                           checkpoint->err);
    if (code != ACTA_OK) {
        return code;
    }
    if (meta->position + 1 != checkpoint->first_position) {
        return acta_fail(checkpoint->err, ACTA_CORRUPT,
                         "store: it ends at position %ju, the tail begins at "
                         "%ju",
                         (uintmax_t)meta->position,
                         (uintmax_t)checkpoint->first_position);
    }
    if (checkpoint->count > 0) {
        if ((code = write_log(checkpoint, 1)) != ACTA_OK ||
            (code = write_lists(checkpoint)) != ACTA_OK ||
            (!(meta->without & STORE_WITHOUT_EVENT_IDS) &&
             (code = write_ids(checkpoint)) != ACTA_OK) ||
            (code = write_log(checkpoint, SIZE_MAX)) != ACTA_OK) {
            return code;
        }
    }
    code = store_write_rows(checkpoint->store, checkpoint->txn,
                            checkpoint->memtable, checkpoint->err);
    if (code != ACTA_OK) {
        return code;
    }
    meta->position += checkpoint->count;
    meta->sequence = sequence;
    meta->last_time_us = last_time_us;
    rc = store_write_meta(checkpoint->store, checkpoint->txn, meta);
    return rc == 0 ? ACTA_OK : store_fail(checkpoint->err, rc, "write meta");
}

enum acta_code
store_checkpoint(struct store *store, struct memtable *memtable,
                 uint64_t sequence, uint64_t last_time_us, struct acta_err *err)
{
    struct checkpoint checkpoint = {
        .store = store,
        .memtable = memtable,
        .first_position = memtable_first_position(memtable),
        .count = memtable_count(memtable),
        .logged = memtable_first_position(memtable),
        .err = err,
    };
    enum acta_code code;
    size_t id;
    int rc;

    rc = mdb_txn_begin(store->env, NULL, 0, &checkpoint.txn);
    if (rc != 0) {
        return store_fail(err, rc, "begin checkpoint");
    }
    code = write_all(&checkpoint, sequence, last_time_us);
    if (code != ACTA_OK) {
        mdb_txn_abort(checkpoint.txn);
        return code;
    }
    id = mdb_txn_id(checkpoint.txn);
    FAILPOINT("store-commit");
    rc = mdb_txn_commit(checkpoint.txn);
    FAILPOINT("store-committed");
    if (rc != 0) {
        return store_fail(err, rc, "commit checkpoint");
    }
    store->last_txn = id;
    store->last_lists = checkpoint.lists;
    if (checkpoint.lists > store->most_lists) {
        store->most_lists = checkpoint.lists;
    }
    return ACTA_OK;
}

/* Lists of a checkpoint from which on it tells what a list costs: with few, the
 * pages are rather those of rows.
 */
#define LEARNED_LISTS_MIN 1000

/* A page that was changed has left its former self behind, on the list of pages
 * that the transaction has freed, which begins with their count.
 */
void
store_learn(struct store *store)
{
    size_t id = store->last_txn;
    MDB_val key = {.mv_size = sizeof(id), .mv_data = &id};
    MDB_cursor *cursor;
    size_t count;
    MDB_txn *txn;
    MDB_val val;

    if (store->last_lists < LEARNED_LISTS_MIN ||
        mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) != 0) {
        return;
    }
    if (mdb_cursor_open(txn, FREE_LIST, &cursor) == 0) {
        if (mdb_cursor_get(cursor, &key, &val, MDB_SET) == 0 &&
            val.mv_size >= sizeof(count)) { /* Not tested: LMDB's own. */
            memcpy(&count, val.mv_data, sizeof(count));
            atomic_store(&store->pages_a_k,
                         1024 * (uint64_t)count / store->last_lists);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
}
