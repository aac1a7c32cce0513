/* The file of an LMDB environment, read by hand: page by page, by offset, every
 * number in it checked before it is used. So damage in it costs what it is in,
 * and a page that the disk does not give is an error like others: nothing is
 * mapped, and LMDB does not get to see it.
 *
 * It is as LMDB 0.9 writes it on machines with 8 bytes to a pointer, the lowest
 * first. (The names of LMDB's own source are in brackets.)
 *
 *     page    number (8), 2 unused, flags (2), then of a tree's page: end of
 *             the offsets (2), begin of the nodes (2); or of a run of pages
 *             with one value: how many they are (4). [MDB_page]
 *     node    size of the value (4; of a branch's: number of the page, 6),
 *             flags (2), size of the key (2), key, value. [MDB_node]
 *     meta    at the beginning of the first two pages behind their headers:
 *             magic, version, address, size of the map, the trees of free
 *             pages and of tables, last page, number of the transaction.
 *             [MDB_meta]
 *     tree    4 unused, flags (2), depth (2), pages that are branches, leaves
 *             and runs, entries, root (8 each). [MDB_db]
 *
 * One thread a pagefile.
 */

#ifndef ACTA_PAGEFILE_H
#define ACTA_PAGEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

#define PAGE_HEADER    16
#define PAGE_METAS     2 /* The first pages. */
#define PAGE_NONE      UINT64_MAX
#define PAGE_KEY_MAX   511
#define PAGE_SIZE_MIN  512u
#define PAGE_SIZE_MAX  32768u
#define PAGE_DEPTH_MAX 32

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_RUN = 4, PAGE_META = 8 };
enum { NODE_RUN = 1, NODE_TREE = 2 };
enum { TREE_INTEGERS = 8 };

/* ---- what is in pages ---- */

struct page_tree {
    uint16_t flags;
    uint16_t depth;
    uint64_t branches;
    uint64_t leaves;
    uint64_t runs;
    uint64_t entries;
    uint64_t root;
};

#define PAGE_TREE_SIZE 48

struct page_meta {
    uint32_t page_size;
    uint64_t last; /* Page. */
    uint64_t txn;
    struct page_tree free_pages;
    struct page_tree tables;
};

/* The meta in the page @bytes, whose number must be @number. False if it is
 * none.
 */
bool page_meta_read(struct page_meta *meta, const uint8_t *bytes,
                    uint64_t number) ACTA_CHECKED;

struct page_node {
    struct slice key;
    unsigned flags;
    uint32_t value_size;
    uint64_t child;
    const uint8_t *value; /* Or the number of the first page of a run. */
    size_t size;          /* In the page. */
};

/* The node at offset @at of a page. False if it does not lie within it. */
bool page_node_read(struct page_node *node, const uint8_t *page,
                    size_t page_size, size_t at, bool is_leaf) ACTA_CHECKED;

/* Where a tree's page has its offsets' end, and its nodes' begin. False if that
 * makes no sense.
 */
bool page_bounds_read(const uint8_t *page, size_t page_size, size_t *lower,
                      size_t *upper) ACTA_CHECKED;

/* Pages that a value of @size takes in a run. */
static inline uint64_t
page_run_count(uint64_t size, size_t page_size)
{
    return (PAGE_HEADER - 1 + size) / page_size + 1;
}

/* ---- the file ---- */

struct pagefile {
    int fd;        /* owned */
    uint64_t size; /* Of the file, in bytes, when it was last looked at. */
    size_t page_size;
    uint64_t bytes_read; /* So far. */
    uint8_t *bytes;      /* owned: aligned room for what is read */
    size_t room;
};

/* Open the file @path, of the pages that its metas say; if neither is whole, of
 * 4096 bytes. If @past_cache it is read from the disk and not from the page
 * cache, where the file system can do that. IO, MEMORY.
 */
enum acta_code pagefile_open(struct pagefile *file, const char *path,
                             bool past_cache,
                             struct acta_err *err) ACTA_CHECKED;
void pagefile_close(struct pagefile *file);

/* Look at the file's size again. */
void pagefile_measure(struct pagefile *file);

/* Read @count pages from @number on to @to, aligned as pagefile_room() is. What
 * cannot be read is zeros. Returns how many pages those are.
 */
uint64_t pagefile_read(struct pagefile *file, uint64_t number, uint64_t count,
                       uint8_t *to);

/* Aligned memory of @size bytes, valid until it is asked for again; NULL if
 * there is none.
 */
uint8_t *pagefile_room(struct pagefile *file, size_t size);

/* ---- a tree ---- */

/* Going through a tree in the order of its keys. What is damaged is told of and
 * passed over.
 */
struct page_walk {
    struct pagefile *file;
    struct page_tree tree;
    uint64_t last;     /* No page has a number above it. */
    struct slice from; /* Only keys that are not below it. */
    void *user;

    /* Told of each entry; @value is valid only meanwhile. False: it ends, when
     * it has looked whether the rest of the page is damaged.
     */
    bool (*visit)(void *user, struct slice key, struct slice value,
                  unsigned flags);

    /* Told that @page is damaged, or that a part of a value there is. */
    void (*damaged)(void *user, uint64_t page, const char *how);

    /* Told of each page that is met, before it is read. False if it must not be
     * there. NULL: nobody.
     */
    bool (*use)(void *user, uint64_t page, uint64_t count);

    bool only_branches; /* Leaves are not read: there is no visit. */
    bool only_uses;     /* Values with pages of their own are not read: they
                           are visited without. */

    uint64_t run; /* In visit(): the first page of the value; 0: none. */

    /* What was met. */
    uint64_t branches;
    uint64_t leaves;
    uint64_t runs;
    uint64_t entries;

    /* Of the walk itself. */
    bool has_last_key;
    bool has_floor;
    bool stopped;
    size_t last_key_size;
    size_t floor_size;
    uint8_t last_key[PAGE_KEY_MAX + 1];
    uint8_t floor[PAGE_KEY_MAX + 1]; /* No key in what comes is below it. */
};

/* MEMORY. OK also if visit() has ended it: @walk->stopped. */
enum acta_code page_walk(struct page_walk *walk,
                         struct acta_err *err) ACTA_CHECKED;

/* ---- the tables of a store ---- */

#define PAGE_TABLES_MAX 8

struct page_table {
    char name[32];
    struct page_tree tree;
};

struct page_tables {
    struct page_table all[PAGE_TABLES_MAX];
    size_t count;
    bool is_damaged; /* Some may be missing. */
};

/* Find the tables that @meta's tree names; @walk says how: file, last, user,
 * damaged, use.
 */
enum acta_code page_tables_find(struct page_tables *tables,
                                const struct page_meta *meta,
                                const struct page_walk *walk,
                                struct acta_err *err) ACTA_CHECKED;

/* NULL if it is not there. */
const struct page_tree *page_tables_get(const struct page_tables *tables,
                                        const char *name);

#endif
