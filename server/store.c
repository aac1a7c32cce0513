#include "store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "file.h"
#include "store_lmdb.h"

#define FILE_MODE   0640
#define TABLES_MAX  6
#define READERS_MAX 1024
/* A line of a cache each, and two for the table. */
#define READERS_SIZE ((READERS_MAX + 2) * 64)
#define READERS_FILE "lock.mdb"
#define META_MAGIC   "ACTASTO" /* And one digit, the format version. */
#define META_SUMMED  12        /* From here to the end. */
#define EMPTY_SIZE   (1 << 20) /* An empty store takes less. */

enum acta_code
store_fail(struct acta_err *err, int rc, const char *doing)
{
    enum acta_code code;

    switch (rc) {
    case ENOMEM:
    case MDB_READERS_FULL: /* Of its table of readers: it passes. */
        code = ACTA_MEMORY;
        break;
    case ENOSPC:
    case MDB_MAP_FULL:
        code = ACTA_FULL;
        break;
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_PAGE_NOTFOUND:
        code = ACTA_CORRUPT;
        break;
    case MDB_VERSION_MISMATCH:
        code = ACTA_UNSUPPORTED;
        break;
    default:
        code = ACTA_IO;
        break;
    }
    return acta_fail(err, code, "store: %s: %s", doing, mdb_strerror(rc));
}

/* ---- keys ---- */

struct slice
store_list_key(uint8_t to[static LIST_KEY_SIZE_MAX],
               const struct list_name *name)
{
    assert(name->name.size < LIST_KEY_SIZE_MAX);

    to[0] = (uint8_t)name->kind;
    if (name->name.size > 0) {
        memcpy(to + 1, name->name.data, name->name.size);
    }
    return slice_make(to, 1 + name->name.size);
}

struct slice
store_chunk_key(uint8_t to[static CHUNK_KEY_SIZE], uint64_t number, uint64_t x)
{
    put_key_u64(to, number);
    put_key_u64(to + 8, x);
    return slice_make(to, CHUNK_KEY_SIZE);
}

struct slice
store_id_key(uint8_t to[static ID_KEY_SIZE], const uint8_t id[static UUID_SIZE],
             uint64_t stream)
{
    memcpy(to, id, UUID_SIZE);
    put_key_u64(to + UUID_SIZE, stream);
    return slice_make(to, ID_KEY_SIZE);
}

static uint32_t
id_checksum(struct slice key, const uint8_t *value)
{
    return checksum_extend(checksum_of(key.data, key.size), value, 8);
}

void
store_id_value(uint8_t to[static ID_VALUE_SIZE], struct slice key,
               uint64_t position)
{
    put_u64(to, position);
    put_u32(to + 8, id_checksum(key, to));
}

enum acta_code
store_read_id_value(struct slice key, struct slice value, uint64_t *position,
                    struct acta_err *err)
{
    if (value.size != ID_VALUE_SIZE ||
        get_u32(value.data + 8) != id_checksum(key, value.data)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "store: the place of an event id is damaged");
    }
    *position = get_u64(value.data);
    return ACTA_OK;
}

/* ---- rows ---- */

struct slice
store_row_key(uint8_t to[static ROW_STORE_KEY_MAX], enum row_kind kind,
              struct slice key)
{
    assert(key.size <= ROW_KEY_SIZE_MAX);

    to[0] = (uint8_t)kind;
    if (key.size > 0) {
        memcpy(to + 1, key.data, key.size);
    }
    return slice_make(to, 1 + key.size);
}

uint32_t
store_row_checksum(struct slice key, struct slice value)
{
    return checksum_extend(checksum_of(key.data, key.size), value.data,
                           value.size);
}

/* A key may have bytes that are no text: they are shown as dots. */
static enum acta_code
fail_damaged_row(struct slice key, struct acta_err *err)
{
    char text[ROW_STORE_KEY_MAX + 1];
    size_t size = 0;

    for (size_t i = 1; i < key.size && size < sizeof(text) - 1; i++) {
        bool is_text = key.data[i] > 0x20 && key.data[i] != 0x7f;

        text[size++] = is_text ? (char)key.data[i] : '.';
    }
    text[size] = '\0';
    return acta_fail(err, ACTA_CORRUPT, "store: row %s of the %s is damaged",
                     text, row_kind_name(key.size > 0 ? key.data[0] : 0));
}

/* Where the value lies in what is stored. False if that makes no sense. */
static bool
find_row_value(struct slice key, struct slice stored, struct slice *value)
{
    size_t front = ROW_VALUE_FRONT, size;

    if (key.size > 0 && row_has_events(key.data[0])) {
        front = ROW_PADDED_FRONT;
    }
    if (stored.size < front) {
        return false;
    }
    size = stored.size - front;
    if (front == ROW_PADDED_FRONT) {
        size = get_u32(stored.data + ROW_VALUE_FRONT);
    }
    *value = slice_make(stored.data + front, size);
    return size <= stored.size - front;
}

enum acta_code
store_read_row(struct slice key, struct slice stored, struct slice *value,
               struct acta_err *err)
{
    if (!find_row_value(key, stored, value) ||
        get_u32(stored.data) != store_row_checksum(key, *value)) {
        return fail_damaged_row(key, err);
    }
    return ACTA_OK;
}

/* ---- meta ---- */

static const struct slice meta_key = {(const uint8_t *)"meta", 4};

/* Since version 3 the magic, which ends with the version, is summed as well. */
static uint32_t
sum_meta(const uint8_t *meta, unsigned version)
{
    uint32_t sum = version < 3 ? 0 : checksum_of(meta, 8);

    return checksum_extend(sum, meta + META_SUMMED, META_SIZE - META_SUMMED);
}

enum acta_code
store_decode_meta(struct slice bytes, struct store_meta *meta,
                  struct acta_err *err)
{
    const uint8_t *from = bytes.data;

    if (bytes.size < META_SUMMED || memcmp(from, META_MAGIC, 7) != 0) {
        return acta_fail(err, ACTA_CORRUPT, "store: meta is damaged");
    }
    meta->version = (unsigned)from[7] - '0';
    if (meta->version < 1 || meta->version > STORE_VERSION) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "store: it has format version %c, this program knows "
                         "%d",
                         from[7], STORE_VERSION);
    }
    if (bytes.size != META_SIZE ||
        get_u32(from + 8) != sum_meta(from, meta->version)) {
        return acta_fail(err, ACTA_CORRUPT, "store: meta is damaged");
    }
    memcpy(meta->id.bytes, from + 12, UUID_SIZE);
    meta->position = get_u64(from + 28);
    meta->sequence = get_u64(from + 36);
    meta->last_time_us = get_u64(from + 44);
    meta->lists_count = get_u64(from + 52);
    meta->without = get_u32(from + 60);
    if ((meta->without &
         ~(STORE_WITHOUT_EVENT_IDS | STORE_WITHOUT_COMMAND_IDS)) != 0) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "store: it does without something that this program "
                         "does not know of");
    }
    return ACTA_OK;
}

enum acta_code
store_read_meta(struct store *store, MDB_txn *txn, struct store_meta *meta,
                struct acta_err *err)
{
    MDB_val key = val_of(meta_key);
    MDB_val val;
    int rc;

    rc = mdb_get(txn, store->meta, &key, &val);
    if (rc != 0) {
        return store_fail(err, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc,
                          "read meta");
    }
    return store_decode_meta(slice_of_val(val), meta, err);
}

int
store_write_meta(struct store *store, MDB_txn *txn,
                 const struct store_meta *meta)
{
    uint8_t to[META_SIZE] = {0};
    MDB_val key = val_of(meta_key);
    MDB_val val = {.mv_data = to, .mv_size = sizeof(to)};

    memcpy(to, META_MAGIC, 7);
    to[7] = '0' + STORE_VERSION;
    memcpy(to + 12, meta->id.bytes, UUID_SIZE);
    put_u64(to + 28, meta->position);
    put_u64(to + 36, meta->sequence);
    put_u64(to + 44, meta->last_time_us);
    put_u64(to + 52, meta->lists_count);
    put_u32(to + 60, meta->without);
    put_u32(to + 8, sum_meta(to, STORE_VERSION));
    return mdb_put(txn, store->meta, &key, &val, 0);
}

/* ---- opening ---- */

/* LMDB's own order of keys, by their bytes, found out eight at a time: looking
 * for a key is half comparing, and LMDB's function costs several times as much.
 */
static int
compare_keys(const MDB_val *left, const MDB_val *right)
{
    const uint8_t *a = left->mv_data, *b = right->mv_data;
    size_t size =
        left->mv_size < right->mv_size ? left->mv_size : right->mv_size;
    size_t at = 0;

    for (; at + 8 <= size; at += 8) {
        uint64_t x = get_key_u64(a + at), y = get_key_u64(b + at);

        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    for (; at < size; at++) {
        if (a[at] != b[at]) {
            return a[at] < b[at] ? -1 : 1;
        }
    }
    return left->mv_size < right->mv_size ? -1 : left->mv_size > right->mv_size;
}

static int
open_table(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *table)
{
    int rc = mdb_dbi_open(txn, name, flags, table);

    return rc == 0 ? mdb_set_compare(txn, *table, compare_keys) : rc;
}

/* The tables that every version has. */
static int
open_tables(struct store *store, MDB_txn *txn, unsigned flags)
{
    int rc;

    if ((rc = open_table(txn, "meta", flags, &store->meta)) != 0 ||
        (rc = open_table(txn, "log", flags, &store->log)) != 0 ||
        (rc = open_table(txn, "lists", flags, &store->lists)) != 0 ||
        (rc = open_table(txn, "postings", flags, &store->postings)) != 0 ||
        (rc = open_table(txn, "ids", flags, &store->ids)) != 0) {
        return rc;
    }
    return 0;
}

/* LMDB maps its table of readers and writes to it: on a disk that is full by
 * then, a slot that has no block yet would be the end of the process.
 */
static int
make_reader_table(const char *dir)
{
    char path[FILE_PATH_MAX];
    int fd, rc;

    /* Not tested: the database has files with longer names beside it. */
    if (file_join(path, dir, READERS_FILE, NULL) != ACTA_OK) {
        return ENAMETOOLONG;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return errno;
    }
    rc = posix_fallocate(fd, 0, READERS_SIZE);
    close(fd);
    return rc;
}

static int
open_env(struct store *store, const char *dir, size_t map_size, unsigned flags)
{
    int rc;

    if ((flags & MDB_NOLOCK) == 0 && (rc = make_reader_table(dir)) != 0) {
        return rc;
    }
    /* NOTLS: a reader's slot belongs to its view, not to its thread. */
    if ((rc = mdb_env_create(&store->env)) != 0 ||
        (rc = mdb_env_set_mapsize(store->env, map_size)) != 0 ||
        (rc = mdb_env_set_maxdbs(store->env, TABLES_MAX)) != 0 ||
        (rc = mdb_env_set_maxreaders(store->env, READERS_MAX)) != 0 ||
        (rc = mdb_env_open(store->env, dir, flags | MDB_NOTLS | MDB_NORDAHEAD,
                           FILE_MODE)) != 0) {
        return rc;
    }
    return 0;
}

int
store_make_tables(struct store *store, const char *dir, size_t map_size,
                  MDB_txn **txn)
{
    int rc;

    *txn = NULL;
    if ((rc = open_env(store, dir, map_size, 0)) != 0 ||
        (rc = mdb_txn_begin(store->env, NULL, 0, txn)) != 0 ||
        (rc = open_tables(store, *txn, MDB_CREATE)) != 0) {
        return rc;
    }
    return open_table(*txn, "rows", MDB_CREATE, &store->rows);
}

/* On a disk that fills up a write is cut short, which LMDB tells as EIO. */
static int
blame_space(int rc, const char *dir)
{
    if (rc != EIO) {
        return rc;
    }
    /* Not tested: where branches are counted; test_full tries each size. */
    return file_space(dir) < EMPTY_SIZE ? ENOSPC : EIO;
}

enum acta_code
store_create(const char *dir, size_t map_size, const struct uuid *id,
             uint32_t without, struct acta_err *err)
{
    struct store_meta meta = {.id = *id, .without = without};
    struct store store = {0};
    MDB_txn *txn;
    int rc;

    if ((rc = store_make_tables(&store, dir, map_size, &txn)) != 0 ||
        (rc = store_write_meta(&store, txn, &meta)) != 0) {
        mdb_txn_abort(txn);
    } else {
        rc = mdb_txn_commit(txn);
    }
    mdb_env_close(store.env);
    return rc == 0 ? ACTA_OK : store_fail(err, blame_space(rc, dir), dir);
}

/* Version 2 has a table more. */
static enum acta_code
move_on(struct store *store, const struct store_meta *meta,
        struct acta_err *err)
{
    MDB_txn *txn;
    int rc;

    rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    /* Not tested: a store of that time, and a disk that fails just then. */
    if (rc != 0) {
        return store_fail(err, rc, "move to the new format");
    }
    /* Not tested: likewise. */
    if ((rc = open_table(txn, "rows", MDB_CREATE, &store->rows)) != 0 ||
        (rc = store_write_meta(store, txn, meta)) != 0) {
        mdb_txn_abort(txn);
    } else {
        rc = mdb_txn_commit(txn);
    }
    /* Not tested: likewise. */
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "move to the new format");
}

/* Open the environment and the tables that its version has. */
static enum acta_code
open_all(struct store *store, const char *dir, size_t map_size, unsigned flags,
         struct store_meta *meta, struct acta_err *err)
{
    enum acta_code code;
    MDB_txn *txn;
    int rc;

    if ((rc = open_env(store, dir, map_size, flags)) != 0 ||
        (rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn)) != 0) {
        return store_fail(err, rc, dir);
    }
    rc = open_tables(store, txn, 0);
    if (rc != 0) {
        code = store_fail(err, rc == MDB_NOTFOUND ? MDB_INVALID : rc, dir);
    } else {
        code = store_read_meta(store, txn, meta, err);
    }
    if (code == ACTA_OK && meta->version == STORE_VERSION &&
        (rc = open_table(txn, "rows", 0, &store->rows)) != 0) {
        code = store_fail(err, rc == MDB_NOTFOUND ? MDB_INVALID : rc, dir);
    }
    /* Handles opened in a transaction last only if it is committed. */
    rc = mdb_txn_commit(txn);
    if (code == ACTA_OK && rc != 0) {
        code = store_fail(err, rc, dir);
    }
    return code;
}

static struct store *
store_new(const char *dir, size_t map_size)
{
    struct store *store = calloc(1, sizeof(*store));

    if (store == NULL) {
        return NULL;
    }
    store->dir = strdup(dir);
    if (store->dir == NULL) {
        free(store);
        return NULL;
    }
    store->map_size = map_size;
    atomic_init(&store->pages_a_k, 1024);
    pthread_mutex_init(&store->lock, NULL);
    return store;
}

enum acta_code
store_open(struct store **out, const char *dir, size_t map_size,
           struct acta_err *err)
{
    struct store *store = store_new(dir, map_size);
    struct store_meta meta;
    enum acta_code code;

    *out = NULL;
    if (store == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open store");
    }
    code = open_all(store, dir, map_size, 0, &meta, err);
    if (code == ACTA_OK && meta.version < STORE_VERSION) {
        code = move_on(store, &meta, err);
    }
    if (code != ACTA_OK) {
        store_close(store); /* LMDB wants this even if the env did not open. */
        return acta_wrap(err, code, "open store");
    }
    store_check_readers(store);
    *out = store;
    return ACTA_OK;
}

enum acta_code
store_open_still(struct store **out, const char *dir, size_t map_size,
                 struct acta_err *err)
{
    struct store *store = store_new(dir, map_size);
    struct store_meta meta;
    enum acta_code code;

    *out = NULL;
    if (store == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open store");
    }
    code = open_all(store, dir, map_size, MDB_RDONLY | MDB_NOLOCK, &meta, err);
    if (code == ACTA_OK && meta.version < STORE_VERSION) {
        code = acta_fail(err, ACTA_UNSUPPORTED,
                         "it has format version %u: the server moves it on to "
                         "%d when it opens it",
                         meta.version, STORE_VERSION);
    }
    if (code != ACTA_OK) {
        store_close(store);
        return acta_wrap(err, code, "open store");
    }
    *out = store;
    return ACTA_OK;
}

void
store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    mdb_env_close(store->env);
    pthread_mutex_destroy(&store->lock);
    free(store->dir);
    free(store);
}

enum acta_code
store_open_again(struct store *store, struct acta_err *err)
{
    struct store_meta meta;

    return open_all(store, store->dir, store->map_size, 0, &meta, err);
}

enum acta_code
store_sync(struct store *store, struct acta_err *err)
{
    int rc = mdb_env_sync(store->env, 1);

    /* Not tested: the file system fails, of a file that is open. */
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "sync");
}

enum acta_code
store_meta(struct store *store, struct store_meta *meta, struct acta_err *err)
{
    enum acta_code code;
    MDB_txn *txn;
    int rc;

    rc = store_enter(store);
    if (rc != 0) {
        return store_fail(err, rc, "begin read");
    }
    rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        code = store_read_meta(store, txn, meta, err);
        mdb_txn_abort(txn);
    } else {
        code = store_fail(err, rc, "begin read");
    }
    store_leave(store);
    return code;
}

uint64_t
store_size(struct store *store)
{
    MDB_envinfo info;
    uint64_t size = 0;
    MDB_stat stat;

    if (store_enter(store) != 0) {
        return 0;
    }
    if (mdb_env_info(store->env, &info) == 0 &&
        mdb_env_stat(store->env, &stat) == 0) {
        size = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
    }
    store_leave(store);
    return size;
}

uint64_t
store_changes(const struct store *store, uint64_t lists)
{
    return lists * atomic_load(&store->pages_a_k) / 1024;
}

void
store_check_readers(struct store *store)
{
    int dead;

    /* A failure leaves slots taken, and is tried again. */
    (void)mdb_reader_check(store->env, &dead);
}
