/* Overwriting what is not in use any more.
 *
 * LMDB never changes a page in place: a transaction writes new ones and puts
 * those they replace into the free list, under its own number. What was in them
 * stays in the file until they are used again, which may be never.
 *
 * Which pages may be overwritten is LMDB's own rule for using them again: those
 * that were given up by a transaction before the last one and before any that a
 * reader still sees. Whoever holds the lock of writers could be about to write
 * into these very pages, so nobody may be looking at them: not the snapshot
 * that counts, not that of a reader, and not the one before the last, which
 * LMDB leaves whole in case the last meta page was lost. So scrubbing holds
 * that lock, by a transaction that it then aborts, and begins with a commit of
 * its own: the pages that are meant are then old enough.
 *
 * The free list is table 0. It can be read in a transaction that only reads,
 * beside the one that holds the lock: both see the last commit.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "store.h"
#include "store_lmdb.h"

#define RUN_PAGES   64 /* That are read at once. */
#define READ_FACTOR 8  /* So much may be read of what was to be written. */

size_t store_scrub_window = 65536;

struct scrubber {
    struct store *store;
    struct store_scrub *scrub;
    MDB_txn *txn;    /* Reads the free list. */
    uint64_t oldest; /* Pages given up before this transaction are meant. */
    uint64_t last_page;
    size_t page_size;
    int fd; /* LMDB's */
    size_t size_max;
    size_t written;
    size_t read;
    uint8_t *bytes; /* owned: RUN_PAGES */
    uint8_t *free;  /* owned: a bit for each page of the window */
    struct acta_err *err;
};

/* ---- beginning ---- */

enum acta_code
store_scrub_begin(struct store *store, struct store_scrub *scrub,
                  struct acta_err *err)
{
    struct store_meta meta;
    enum acta_code code;
    MDB_envinfo info;
    MDB_txn *txn;
    int rc;

    *scrub = (struct store_scrub){0};
    rc = mdb_env_info(store->env, &info);
    if (rc == 0) {
        scrub->goal = info.me_last_txnid;
        rc = mdb_txn_begin(store->env, NULL, 0, &txn);
    }
    if (rc != 0) {
        return store_fail(err, rc, "begin to scrub");
    }
    code = store_read_meta(store, txn, &meta, err);
    if (code != ACTA_OK) {
        mdb_txn_abort(txn);
        return code;
    }
    rc = store_write_meta(store, txn, &meta); /* Only to commit something. */
    if (rc != 0) {
        mdb_txn_abort(txn);
        return store_fail(err, rc, "begin to scrub");
    }
    rc = mdb_txn_commit(txn);
    return rc == 0 ? ACTA_OK : store_fail(err, rc, "begin to scrub");
}

/* ---- readers ---- */

/* Called with a line for each reader: process, thread and transaction, which is
 * a dash if it sees none.
 */
static int
see_reader(const char *line, void *user)
{
    size_t *oldest = user;
    size_t txnid;

    if (sscanf(line, "%*d %*x %zu", &txnid) == 1 && txnid < *oldest) {
        *oldest = txnid;
    }
    return 0;
}

/* ---- which pages ---- */

/* Mark those of one entry of the free list that are in the window: a count and
 * so many page numbers.
 */
static void
mark_free(struct scrubber *scrubber, MDB_val val)
{
    uint64_t first = scrubber->scrub->page;
    size_t count, page;

    memcpy(&count, val.mv_data, sizeof(count));
    /* Not tested: a list that is shorter than it says is damaged. */
    for (size_t i = 1; i <= count && i < val.mv_size / sizeof(page); i++) {
        memcpy(&page, (const uint8_t *)val.mv_data + i * sizeof(page),
               sizeof(page));
        if (page >= first && page - first < store_scrub_window) {
            scrubber->free[(page - first) / 8] |=
                (uint8_t)(1 << (page - first) % 8);
        }
    }
}

static bool
is_free(const struct scrubber *scrubber, uint64_t page)
{
    uint64_t bit = page - scrubber->scrub->page;

    return (scrubber->free[bit / 8] >> bit % 8 & 1) != 0;
}

static enum acta_code
find_free(struct scrubber *scrubber)
{
    MDB_cursor *cursor;
    MDB_val key, val;
    size_t txnid;
    int rc;

    rc = mdb_cursor_open(scrubber->txn, FREE_LIST, &cursor);
    if (rc != 0) {
        return store_fail(scrubber->err, rc, "read free list");
    }
    rc = mdb_cursor_get(cursor, &key, &val, MDB_FIRST);
    while (rc == 0) {
        memcpy(&txnid, key.mv_data, sizeof(txnid));
        if (txnid >= scrubber->oldest) {
            rc = MDB_NOTFOUND;
        } else {
            mark_free(scrubber, val);
            rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
        }
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? ACTA_OK
                              : store_fail(scrubber->err, rc, "read free list");
}

/* ---- overwriting ---- */

static bool
is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Overwrite @count pages from @first on, unless they are zeros already. */
static enum acta_code
wipe_run(struct scrubber *scrubber, uint64_t first, size_t count)
{
    size_t size = count * scrubber->page_size, got;
    off_t at = (off_t)(first * scrubber->page_size);
    enum acta_code code;

    code = file_read_at(scrubber->fd, scrubber->bytes, size, at, &got, "store",
                        scrubber->err);
    scrubber->read += size;
    /* Not tested: pages behind the end of the file were never written. */
    if (code == ACTA_OK && got == 0) {
        return ACTA_OK;
    }
    if (code != ACTA_OK ||
        (!scrubber->scrub->is_unsure && is_zero(scrubber->bytes, got))) {
        return code;
    }
    memset(scrubber->bytes, 0, got);
    scrubber->written += got;
    scrubber->scrub->wiped += count;
    return file_write_at(scrubber->fd, scrubber->bytes, got, at, "store",
                         scrubber->err);
}

static bool
has_done_enough(const struct scrubber *scrubber)
{
    return scrubber->written >= scrubber->size_max ||
           scrubber->read >= READ_FACTOR * scrubber->size_max;
}

/* Go over the window, as far as is enough. */
static enum acta_code
wipe_window(struct scrubber *scrubber)
{
    uint64_t page = scrubber->scrub->page;
    uint64_t end = page + store_scrub_window;
    enum acta_code code = ACTA_OK;

    if (end > scrubber->last_page + 1) {
        end = scrubber->last_page + 1;
    }
    while (code == ACTA_OK && page < end && !has_done_enough(scrubber)) {
        size_t count = 0;

        while (count < RUN_PAGES && page + count < end &&
               is_free(scrubber, page + count)) {
            count++;
        }
        if (count > 0) {
            code = wipe_run(scrubber, page, count);
        }
        page += count > 0 ? count : 1;
    }
    scrubber->scrub->page = page;
    return code;
}

/* Nobody will ever read what lies behind the last page: a transaction that
 * failed has left it.
 */
static enum acta_code
cut_end(struct scrubber *scrubber)
{
    off_t end = (off_t)((scrubber->last_page + 1) * scrubber->page_size);
    struct stat status;

    /* Not tested: the file system fails, of a file that is open. */
    if (fstat(scrubber->fd, &status) != 0 ||
        (status.st_size > end && ftruncate(scrubber->fd, end) != 0)) {
        return file_fail(scrubber->err, "cut", "store");
    }
    scrubber->written += status.st_size > end;
    return ACTA_OK;
}

static enum acta_code
wipe(struct scrubber *scrubber, enum store_scrubbed *scrubbed)
{
    struct store_scrub *scrub = scrubber->scrub;
    uint64_t page = scrub->page;
    enum acta_code code = find_free(scrubber);

    if (code == ACTA_OK) {
        code = wipe_window(scrubber);
    }
    if (code == ACTA_OK && scrub->page > scrubber->last_page) {
        code = cut_end(scrubber);
        *scrubbed = STORE_SCRUBBED;
    }
    if (code == ACTA_OK && scrubber->written > 0 &&
        fdatasync(scrubber->fd) != 0) {
        code = file_fail(scrubber->err, "sync", "store");
    }
    if (code != ACTA_OK) { /* Nothing of it counts: it is done once more. */
        scrub->page = page;
        scrub->is_unsure = true;
    }
    return code;
}

/* ---- a step ---- */

/* What is to be known of the environment, with the lock held. False if a reader
 * is in the way.
 */
static enum acta_code
look_around(struct scrubber *scrubber, bool *is_clear)
{
    MDB_env *env = scrubber->store->env;
    MDB_envinfo info;
    MDB_stat stat;
    size_t oldest;
    int rc;

    if ((rc = mdb_env_info(env, &info)) != 0 ||
        (rc = mdb_env_stat(env, &stat)) != 0 || /* Not tested: cannot fail. */
        (rc = mdb_env_get_fd(env, &scrubber->fd)) != 0) {
        return store_fail(scrubber->err, rc, "scrub");
    }
    oldest = info.me_last_txnid;
    rc = mdb_reader_list(env, see_reader, &oldest);
    /* Not tested: it only looks at memory. */
    if (rc < 0) {
        return store_fail(scrubber->err, rc, "scrub");
    }
    scrubber->oldest = oldest;
    scrubber->last_page = info.me_last_pgno;
    scrubber->page_size = stat.ms_psize;
    *is_clear = scrubber->scrub->goal < oldest;
    return ACTA_OK;
}

static enum acta_code
scrub_locked(struct scrubber *scrubber, enum store_scrubbed *scrubbed)
{
    enum acta_code code;
    bool is_clear = false;
    int rc;

    code = look_around(scrubber, &is_clear);
    if (code != ACTA_OK || !is_clear) {
        *scrubbed = STORE_SCRUB_WAITS;
        return code;
    }
    scrubber->bytes = malloc(RUN_PAGES * scrubber->page_size);
    scrubber->free = calloc(1, store_scrub_window / 8);
    if (scrubber->bytes == NULL || scrubber->free == NULL) {
        return acta_fail(scrubber->err, ACTA_MEMORY, "store: scrub");
    }
    rc = mdb_txn_begin(scrubber->store->env, NULL, MDB_RDONLY, &scrubber->txn);
    if (rc != 0) {
        return store_fail(scrubber->err, rc, "scrub");
    }
    code = wipe(scrubber, scrubbed);
    mdb_txn_abort(scrubber->txn);
    return code;
}

enum acta_code
store_scrub(struct store *store, struct store_scrub *scrub, size_t size_max,
            enum store_scrubbed *scrubbed, struct acta_err *err)
{
    struct scrubber scrubber = {
        .store = store, .scrub = scrub, .size_max = size_max, .err = err};
    enum acta_code code;
    MDB_txn *lock;
    int rc;

    *scrubbed = STORE_SCRUBS_ON;
    rc = mdb_txn_begin(store->env, NULL, 0, &lock);
    if (rc != 0) {
        return store_fail(err, rc, "scrub");
    }
    code = scrub_locked(&scrubber, scrubbed);
    mdb_txn_abort(lock);
    free(scrubber.bytes);
    free(scrubber.free);
    return code;
}
