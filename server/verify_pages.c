/* The file of the store, page by page, as LMDB 0.9 writes it on machines with 8
 * bytes to a pointer, the lowest first. (The names of LMDB's own source are in
 * brackets.)
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
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "file.h"
#include "slice.h"
#include "verify_inside.h"

#define PAGE_HEADER   16
#define NODE_HEADER   8
#define META_MAGIC    0xbeefc0deu
#define META_VERSION  1
#define META_FREE     24
#define META_TABLES   72
#define META_LAST     120
#define META_TXN      128
#define META_PAGES    2
#define META_END      (PAGE_HEADER + META_TXN + 8)
#define TREE_SIZE     48
#define KEY_SIZE_MAX  511
#define DEPTH_MAX     32
#define NO_PAGE       UINT64_MAX
#define PAGE_SIZE_MIN 512u
#define PAGE_SIZE_MAX 32768u

enum { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_RUN = 4, PAGE_META = 8 };
enum { NODE_RUN = 1, NODE_TREE = 2 };
enum { TREE_INTEGERS = 8 };

enum use { UNUSED, IN_TREE, IN_FREE_LIST };

struct pages {
    struct verify *verify;
    const uint8_t *map;
    uint64_t size;
    uint64_t page_size;
    uint64_t last;
    uint64_t txn;
    uint8_t *uses; /* owned: enum use of each page */
};

struct tree {
    uint16_t flags;
    uint16_t depth;
    uint64_t branches;
    uint64_t leaves;
    uint64_t runs;
    uint64_t entries;
    uint64_t root;
};

/* A tree being walked, in the order of its keys. */
struct walk {
    struct pages *pages;
    const char *name;
    struct tree says;
    struct tree found;
    struct slice last;  /* Key; has no data before the first. */
    struct slice floor; /* No key in what comes now is below it. */
    void (*visit)(struct walk *walk, struct slice key, struct slice value,
                  unsigned flags);
};

/* ---- pages ---- */

static const uint8_t *
page_at(const struct pages *pages, uint64_t number)
{
    return pages->map + number * pages->page_size;
}

/* Take @count pages from @number on for @use. */
static bool
use_pages(struct pages *pages, const char *name, uint64_t number,
          uint64_t count, enum use use)
{
    if (number < META_PAGES || number > pages->last ||
        count > pages->last + 1 - number) {
        verify_problem(pages->verify,
                       "store: %s: page %" PRIu64 " is not in the file", name,
                       number);
        return false;
    }
    for (uint64_t i = number; i < number + count; i++) {
        if (pages->uses[i] != UNUSED) {
            verify_problem(pages->verify,
                           "store: %s: page %" PRIu64 " is in use twice", name,
                           i);
            return false;
        }
        pages->uses[i] = (uint8_t)use;
    }
    return true;
}

static bool
is_page(const struct walk *walk, uint64_t number, unsigned flags)
{
    const uint8_t *page = page_at(walk->pages, number);

    if (get_u64(page) != number || get_u16(page + 10) != flags) {
        verify_problem(walk->pages->verify,
                       "store: %s: page %" PRIu64 " is another one, or damaged",
                       walk->name, number);
        return false;
    }
    return true;
}

/* ---- nodes ---- */

struct node {
    struct slice key;
    unsigned flags;
    uint32_t value_size;
    uint64_t child;
    const uint8_t *value; /* Or the number of the first page of a run. */
    size_t size;          /* In the page. */
};

/* False if it does not lie within the page. */
static bool
read_node(const struct pages *pages, const uint8_t *page, size_t at,
          bool is_leaf, struct node *node)
{
    const uint8_t *from = page + at;
    size_t size;

    if (at % 2 != 0 || at + NODE_HEADER > pages->page_size) {
        return false;
    }
    node->flags = get_u16(from + 4);
    node->value_size = get_u32(from);
    node->child = get_u32(from) | (uint64_t)node->flags << 32;
    node->key = slice_make(from + NODE_HEADER, get_u16(from + 6));
    size = NODE_HEADER + node->key.size;
    node->value = from + size;
    if (is_leaf) {
        size += node->flags & NODE_RUN ? 8 : node->value_size;
    }
    node->size = size + size % 2;
    return node->key.size <= KEY_SIZE_MAX &&
           node->size <= pages->page_size - at;
}

static int
compare_keys(const struct walk *walk, struct slice a, struct slice b)
{
    uint64_t left, right;

    if ((walk->says.flags & TREE_INTEGERS) == 0) {
        return slice_compare(a, b);
    }
    left = get_u64(a.data);
    right = get_u64(b.data);
    return (left > right) - (left < right);
}

static bool
is_key(const struct walk *walk, struct slice key)
{
    if (key.size == 0 ||
        ((walk->says.flags & TREE_INTEGERS) != 0 && key.size != 8)) {
        return false;
    }
    if (walk->last.data != NULL && compare_keys(walk, walk->last, key) >= 0) {
        return false;
    }
    return walk->floor.data == NULL ||
           compare_keys(walk, walk->floor, key) <= 0;
}

/* The value of a node of a leaf, wherever it lies. */
static bool
find_value(struct walk *walk, const struct node *node, struct slice *value)
{
    struct pages *pages = walk->pages;
    uint64_t number, count;

    *value = slice_make(node->value, node->value_size);
    if ((node->flags & NODE_RUN) == 0) {
        return true;
    }
    number = get_u64(node->value);
    count =
        (PAGE_HEADER - 1 + (uint64_t)node->value_size) / pages->page_size + 1;
    if (!use_pages(pages, walk->name, number, count, IN_TREE) ||
        !is_page(walk, number, PAGE_RUN)) {
        return false;
    }
    if (get_u32(page_at(pages, number) + 12) != count) {
        verify_problem(pages->verify,
                       "store: %s: pages from %" PRIu64
                       " on are not as many as their value takes",
                       walk->name, number);
        return false;
    }
    walk->found.runs += count;
    value->data = page_at(pages, number) + PAGE_HEADER;
    return true;
}

/* ---- trees ---- */

static bool walk_page(struct walk *walk, uint64_t number, unsigned depth);

static bool
walk_leaf_node(struct walk *walk, const struct node *node)
{
    struct slice value;

    if (!is_key(walk, node->key)) {
        return false;
    }
    walk->last = node->key;
    walk->floor = SLICE_NONE;
    walk->found.entries++;
    if (find_value(walk, node, &value)) {
        walk->visit(walk, node->key, value, node->flags & ~(unsigned)NODE_RUN);
    }
    return true;
}

/* The first key of a branch means nothing. */
static bool
walk_branch_node(struct walk *walk, const struct node *node, bool is_first,
                 unsigned depth)
{
    if (!is_first) {
        if (!is_key(walk, node->key)) {
            return false;
        }
        walk->floor = node->key;
    }
    (void)walk_page(walk, node->child, depth + 1);
    return true;
}

static void
fail_page(const struct walk *walk, uint64_t number)
{
    verify_problem(walk->pages->verify,
                   "store: %s: what is in page %" PRIu64 " is damaged",
                   walk->name, number);
}

static bool
walk_nodes(struct walk *walk, uint64_t number, unsigned depth, bool is_leaf)
{
    const struct pages *pages = walk->pages;
    const uint8_t *page = page_at(pages, number);
    size_t lower = get_u16(page + 12), upper = get_u16(page + 14);
    size_t used = 0;

    if (lower < PAGE_HEADER + 2 || lower % 2 != 0 || lower > upper ||
        upper > pages->page_size) {
        fail_page(walk, number);
        return false;
    }
    for (size_t at = PAGE_HEADER; at < lower; at += 2) {
        struct node node;
        bool is_whole;

        if (!read_node(pages, page, get_u16(page + at), is_leaf, &node) ||
            get_u16(page + at) < upper) {
            fail_page(walk, number);
            return false;
        }
        used += node.size;
        is_whole =
            is_leaf ? walk_leaf_node(walk, &node)
                    : walk_branch_node(walk, &node, at == PAGE_HEADER, depth);
        if (!is_whole) {
            fail_page(walk, number);
            return false;
        }
    }
    if (used != pages->page_size - upper) {
        fail_page(walk, number);
        return false;
    }
    return true;
}

static bool
walk_page(struct walk *walk, uint64_t number, unsigned depth)
{
    bool is_leaf = depth == walk->says.depth;

    if (!use_pages(walk->pages, walk->name, number, 1, IN_TREE) ||
        !is_page(walk, number, is_leaf ? PAGE_LEAF : PAGE_BRANCH)) {
        return false;
    }
    if (is_leaf) {
        walk->found.leaves++;
    } else {
        walk->found.branches++;
    }
    return walk_nodes(walk, number, depth, is_leaf);
}

static struct tree
read_tree(const uint8_t *from)
{
    return (struct tree){
        .flags = get_u16(from + 4),
        .depth = get_u16(from + 6),
        .branches = get_u64(from + 8),
        .leaves = get_u64(from + 16),
        .runs = get_u64(from + 24),
        .entries = get_u64(from + 32),
        .root = get_u64(from + 40),
    };
}

static void
walk_tree(struct walk *walk, const uint8_t *from, unsigned flags)
{
    struct tree *found = &walk->found, *says = &walk->says;
    uint64_t problems = walk->pages->verify->report->problems;

    *says = read_tree(from);
    if (says->flags != flags || says->depth > DEPTH_MAX ||
        (says->root == NO_PAGE) != (says->depth == 0)) {
        verify_problem(walk->pages->verify,
                       "store: what is said of %s is damaged", walk->name);
        return;
    }
    if (says->root != NO_PAGE) {
        (void)walk_page(walk, says->root, 1);
    }
    if (problems == walk->pages->verify->report->problems &&
        (found->branches != says->branches || found->leaves != says->leaves ||
         found->runs != says->runs || found->entries != says->entries)) {
        verify_problem(walk->pages->verify,
                       "store: %s: it has not as many pages or entries as it "
                       "says",
                       walk->name);
    }
}

/* ---- what is in trees ---- */

/* Of a table LMDB need not know what is in it. */
static void
visit_entry(struct walk *walk, struct slice key, struct slice value,
            unsigned flags)
{
    (void)key;
    (void)value;
    if (flags != 0) {
        verify_problem(walk->pages->verify, "store: %s: an entry is damaged",
                       walk->name);
    }
}

static void
visit_table(struct walk *walk, struct slice key, struct slice value,
            unsigned flags)
{
    struct walk table = {.pages = walk->pages, .visit = visit_entry};
    char name[32];

    if (flags != NODE_TREE || value.size != TREE_SIZE ||
        key.size >= sizeof(name)) {
        verify_problem(walk->pages->verify, "store: a table is damaged");
        return;
    }
    memcpy(name, key.data, key.size);
    name[key.size] = '\0';
    table.name = name;
    walk_tree(&table, value.data, 0);
}

/* Pages that a transaction has given up: how many, and their numbers, the
 * greatest first.
 */
static void
visit_free(struct walk *walk, struct slice key, struct slice value,
           unsigned flags)
{
    struct pages *pages = walk->pages;
    uint64_t count = value.size < 8 ? 0 : get_u64(value.data);
    uint64_t before = NO_PAGE;

    if (flags != 0 || get_u64(key.data) > pages->txn || value.size % 8 != 0 ||
        value.size < 8 || count > value.size / 8 - 1) {
        verify_problem(pages->verify, "store: the list of free pages is "
                                      "damaged");
        return;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t number = get_u64(value.data + 8 * i);

        if (number >= before) {
            verify_problem(pages->verify,
                           "store: the list of free pages is out of order at "
                           "page %" PRIu64,
                           number);
            return;
        }
        before = number;
        if (!use_pages(pages, "free pages", number, 1, IN_FREE_LIST)) {
            return;
        }
    }
}

/* ---- the file ---- */

static bool
is_meta(const struct pages *pages, uint64_t number)
{
    const uint8_t *page = page_at(pages, number);
    const uint8_t *meta = page + PAGE_HEADER;

    return get_u64(page) == number && get_u16(page + 10) == PAGE_META &&
           get_u32(meta) == META_MAGIC && get_u32(meta + 4) == META_VERSION &&
           get_u32(meta + META_FREE) == pages->page_size;
}

/* Transactions write one and the other by turns; the newest counts. NULL if
 * they are damaged. (In one that was just made both are of no transaction.)
 */
static const uint8_t *
find_meta(struct pages *pages)
{
    const uint8_t *metas[META_PAGES];
    uint64_t txns[META_PAGES];
    size_t newest;

    pages->page_size = get_u32(pages->map + PAGE_HEADER + META_FREE);
    if (pages->page_size < PAGE_SIZE_MIN || pages->page_size > PAGE_SIZE_MAX ||
        (pages->page_size & (pages->page_size - 1)) != 0 ||
        pages->size < META_PAGES * pages->page_size || !is_meta(pages, 0) ||
        !is_meta(pages, 1)) {
        return NULL;
    }
    for (size_t i = 0; i < META_PAGES; i++) {
        metas[i] = page_at(pages, i) + PAGE_HEADER;
        txns[i] = get_u64(metas[i] + META_TXN);
    }
    newest = txns[1] > txns[0];
    pages->txn = txns[newest];
    pages->last = get_u64(metas[newest] + META_LAST);
    if (pages->txn % 2 != newest ||
        (pages->txn > 0 && txns[1 - newest] != pages->txn - 1)) {
        return NULL;
    }
    return metas[newest];
}

static void
look_for_lost(struct pages *pages)
{
    for (uint64_t i = META_PAGES; i <= pages->last; i++) {
        if (pages->uses[i] == UNUSED) {
            verify_problem(pages->verify,
                           "store: page %" PRIu64 " is neither in use nor free",
                           i);
        }
    }
}

static enum acta_code
look_through(struct pages *pages, struct acta_err *err)
{
    struct walk tables = {
        .pages = pages, .name = "tables", .visit = visit_table};
    struct walk free_pages = {
        .pages = pages, .name = "free pages", .visit = visit_free};
    struct verify *verify = pages->verify;
    const uint8_t *meta = find_meta(pages);
    uint64_t problems = verify->report->problems;

    if (meta == NULL) {
        verify_problem(verify, "store: the first two pages are damaged");
        return ACTA_OK;
    }
    if (pages->last < META_PAGES - 1 ||
        pages->last >= pages->size / pages->page_size) {
        verify_problem(verify, "store: it ends before its last page, %" PRIu64,
                       pages->last);
        return ACTA_OK;
    }
    pages->uses = calloc(pages->last + 1, 1);
    if (pages->uses == NULL) {
        return acta_fail(err, ACTA_MEMORY, "verify pages");
    }
    verify->report->pages = pages->last + 1;
    walk_tree(&tables, meta + META_TABLES, 0);
    walk_tree(&free_pages, meta + META_FREE, TREE_INTEGERS);
    if (problems == verify->report->problems) {
        look_for_lost(pages); /* Else they are behind what is damaged. */
    }
    free(pages->uses);
    return ACTA_OK;
}

enum acta_code
verify_pages(struct verify *verify, const char *path, struct acta_err *err)
{
    struct pages pages = {.verify = verify};
    enum acta_code code;
    struct stat status;
    void *map;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    if (fstat(fd, &status) != 0) {
        code = file_fail(err, "look at", path);
        close(fd);
        return code;
    }
    pages.size = (uint64_t)status.st_size;
    if (pages.size < META_END) {
        close(fd);
        verify_problem(verify, "store: its file has only %" PRIu64 " bytes",
                       pages.size);
        return ACTA_OK;
    }
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* See segment.c. */
    map = mmap(NULL, pages.size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) {
        return file_fail(err, "map", path);
    }
    pages.map = map;
    code = look_through(&pages, err);
    munmap(map, pages.size);
    return code;
}
