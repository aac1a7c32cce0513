/* The store's tables as a run of bytes, and a store made of such a run.
 *
 * What is in a table is an item: 8 bytes of header, then key, then value
 * (numbers little-endian):
 *
 *     offset  size
 *          0     1  table, see below
 *          1     1  zero
 *          2     2  size of the key
 *          4     4  size of the value
 *
 * Items come table by table, each in the order of its keys. Keys and values are
 * those of the store, with their own checksums (STORAGE.md). The last item is
 * that of meta.
 */

#ifndef ACTA_STORE_DUMP_H
#define ACTA_STORE_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "slice.h"
#include "store.h"

#define STORE_ITEM_HEADER 8

/* In the order in which they come. The values are in backups: never change one.
 */
enum store_table {
    STORE_LOG = 1,
    STORE_LISTS = 2,
    STORE_POSTINGS = 3,
    STORE_IDS = 4,
    STORE_ROWS = 5,
    STORE_META = 6,
};

/* ---- a dump: the store as of one checkpoint ---- */

/* A dump pins what it sees, from open to close: pages of that time are not used
 * again meanwhile, so that the store's file grows by what checkpoints write.
 * One thread at a time.
 */
struct store_dump;

/* @meta is what the store says of itself in the dump. */
enum acta_code store_dump_open(struct store_dump **dump, struct store *store,
                               struct store_meta *meta,
                               struct acta_err *err) ACTA_CHECKED;
void store_dump_close(struct store_dump *dump); /* May be NULL. */

/* Put up to @size_max bytes at the end of @out. *@at_end: that was all. */
enum acta_code store_dump_read(struct store_dump *dump, size_t size_max,
                               struct buf *out, bool *at_end,
                               struct acta_err *err) ACTA_CHECKED;

/* ---- an item ---- */

struct store_item {
    enum store_table table;
    struct slice key;
    struct slice value;
};

/* Take the item at the front of @bytes. Returns its size; 0: more bytes are
 * needed, *@wanted in all, as far as is known.
 */
size_t store_item_take(struct store_item *item, struct slice bytes,
                       size_t *wanted);

/* Is it whole, by its own checksums? CORRUPT says which is not, and for an
 * event of which position. *@due is the position that the log goes on with: 1
 * before the first item.
 */
enum acta_code store_item_check(const struct store_item *item, uint64_t *due,
                                struct acta_err *err) ACTA_CHECKED;

/* What the item of meta says. CORRUPT or UNSUPPORTED. */
enum acta_code store_item_meta(const struct store_item *item,
                               struct store_meta *meta,
                               struct acta_err *err) ACTA_CHECKED;

/* ---- a load: a store made of items ---- */

struct store_load;

/* Begin a store in the empty directory @dir. It is none before the end. */
enum acta_code store_load_begin(struct store_load **load, const char *dir,
                                size_t map_size,
                                struct acta_err *err) ACTA_CHECKED;

/* Items must come as a dump has them; CORRUPT if not. */
enum acta_code store_load_put(struct store_load *load,
                              const struct store_item *item,
                              struct acta_err *err) ACTA_CHECKED;

/* Make it the store of the database @id, on disk when this returns. *@meta is
 * what it says of itself. CORRUPT if there was no item of meta.
 */
enum acta_code store_load_end(struct store_load *load, const struct uuid *id,
                              struct store_meta *meta,
                              struct acta_err *err) ACTA_CHECKED;

/* Must always be called. @load may be NULL. */
void store_load_close(struct store_load *load);

#endif
