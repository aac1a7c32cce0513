#include "pagefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "file.h"

#define NODE_HEADER     8
#define META_MAGIC      0xbeefc0deu
#define META_VERSION    1
#define META_FREE       24
#define META_TABLES     72
#define META_LAST       120
#define META_TXN        128
#define ALIGNMENT       4096u
#define PAGE_SIZE_USUAL 4096u

/* ---- what is in pages ---- */

static struct page_tree
page_tree_read(const uint8_t *from)
{
    return (struct page_tree){
        .flags = get_u16(from + 4),
        .depth = get_u16(from + 6),
        .branches = get_u64(from + 8),
        .leaves = get_u64(from + 16),
        .runs = get_u64(from + 24),
        .entries = get_u64(from + 32),
        .root = get_u64(from + 40),
    };
}

bool
page_meta_read(struct page_meta *meta, const uint8_t *bytes, uint64_t number)
{
    const uint8_t *from = bytes + PAGE_HEADER;

    meta->page_size = get_u32(from + META_FREE);
    meta->last = get_u64(from + META_LAST);
    meta->txn = get_u64(from + META_TXN);
    meta->free_pages = page_tree_read(from + META_FREE);
    meta->tables = page_tree_read(from + META_TABLES);
    return get_u64(bytes) == number && get_u16(bytes + 10) == PAGE_META &&
           get_u32(from) == META_MAGIC && get_u32(from + 4) == META_VERSION &&
           meta->page_size >= PAGE_SIZE_MIN &&
           meta->page_size <= PAGE_SIZE_MAX &&
           (meta->page_size & (meta->page_size - 1)) == 0 &&
           (meta->txn == 0 || meta->txn % 2 == number);
}

bool
page_bounds_read(const uint8_t *page, size_t page_size, size_t *lower,
                 size_t *upper)
{
    *lower = get_u16(page + 12);
    *upper = get_u16(page + 14);
    return *lower >= PAGE_HEADER + 2 && *lower % 2 == 0 && *lower <= *upper &&
           *upper <= page_size;
}

bool
page_node_read(struct page_node *node, const uint8_t *page, size_t page_size,
               size_t at, bool is_leaf)
{
    const uint8_t *from = page + at;
    size_t size;

    if (at % 2 != 0 || at + NODE_HEADER > page_size) {
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
    return node->key.size <= PAGE_KEY_MAX && node->size <= page_size - at;
}

/* ---- the file ---- */

void
pagefile_measure(struct pagefile *file)
{
    struct stat status;

    if (fstat(file->fd, &status) == 0) {
        file->size = (uint64_t)status.st_size;
    }
}

uint8_t *
pagefile_room(struct pagefile *file, size_t size)
{
    void *bytes;

    if (size > file->room) {
        size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (posix_memalign(&bytes, ALIGNMENT, size) != 0) {
            return NULL;
        }
        free(file->bytes);
        file->bytes = bytes;
        file->room = size;
    }
    return file->bytes;
}

/* A file system may take O_DIRECT and then not read in that way: from now on
 * the page cache is asked. False if it was before.
 */
static bool
stays_cached(const struct pagefile *file)
{
    int reason = errno;
    int flags = fcntl(file->fd, F_GETFL);

    if (reason != EINVAL || flags < 0 || (flags & O_DIRECT) == 0) {
        return false;
    }
    return fcntl(file->fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

/* True if all of it was read. */
static bool
read_bytes(struct pagefile *file, uint64_t at, size_t size, uint8_t *to)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got =
            pread(file->fd, to + done, size - done, (off_t)(at + done));

        if (got < 0 && (errno == EINTR || stays_cached(file))) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

uint64_t
pagefile_read(struct pagefile *file, uint64_t number, uint64_t count,
              uint8_t *to)
{
    size_t page_size = file->page_size;
    uint64_t lost = 0;

    file->bytes_read += count * page_size;
    if (read_bytes(file, number * page_size, (size_t)count * page_size, to)) {
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *page = to + i * page_size;

        if (!read_bytes(file, (number + i) * page_size, page_size, page)) {
            memset(page, 0, page_size);
            lost++;
        }
    }
    return lost;
}

/* Of either meta, or the usual one. */
static enum acta_code
find_page_size(struct pagefile *file, struct acta_err *err)
{
    static const size_t sizes[] = {4096, 512, 1024, 2048, 8192, 16384, 32768};
    uint8_t *room = pagefile_room(file, PAGE_SIZE_MAX);
    struct page_meta meta;

    if (room == NULL) {
        return acta_fail(err, ACTA_MEMORY, "read pages");
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        file->page_size = sizes[i];
        for (uint64_t n = 0; n < PAGE_METAS; n++) {
            if (pagefile_read(file, n, 1, room) == 0 &&
                page_meta_read(&meta, room, n) && meta.page_size == sizes[i]) {
                return ACTA_OK;
            }
        }
    }
    file->page_size = PAGE_SIZE_USUAL;
    return ACTA_OK;
}

enum acta_code
pagefile_open(struct pagefile *file, const char *path, bool past_cache,
              struct acta_err *err)
{
    enum acta_code code;

    *file = (struct pagefile){.fd = -1};
    if (past_cache) {
        file->fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
    }
    if (file->fd < 0) {
        file->fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (file->fd < 0) {
        return file_fail(err, "open", path);
    }
    pagefile_measure(file);
    code = find_page_size(file, err);
    file->bytes_read = 0;
    if (code != ACTA_OK) {
        pagefile_close(file);
    }
    return code;
}

void
pagefile_close(struct pagefile *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    free(file->bytes);
    *file = (struct pagefile){.fd = -1};
}

/* ---- a tree ---- */

static int
compare_keys(const struct page_walk *walk, struct slice a, struct slice b)
{
    uint64_t left, right;

    if ((walk->tree.flags & TREE_INTEGERS) == 0) {
        return slice_compare(a, b);
    }
    left = get_u64(a.data);
    right = get_u64(b.data);
    return (left > right) - (left < right);
}

static struct slice
last_key_of(const struct page_walk *walk)
{
    return slice_make(walk->last_key, walk->last_key_size);
}

static bool
is_key(const struct page_walk *walk, struct slice key)
{
    if (key.size == 0 ||
        ((walk->tree.flags & TREE_INTEGERS) != 0 && key.size != 8)) {
        return false;
    }
    if (walk->has_last_key && compare_keys(walk, last_key_of(walk), key) >= 0) {
        return false;
    }
    return !walk->has_floor ||
           compare_keys(walk, slice_make(walk->floor, walk->floor_size), key) <=
               0;
}

static void
set_last_key(struct page_walk *walk, struct slice key)
{
    memcpy(walk->last_key, key.data, key.size);
    walk->last_key_size = key.size;
    walk->has_last_key = true;
    walk->has_floor = false;
}

static void
set_floor(struct page_walk *walk, struct slice key)
{
    memcpy(walk->floor, key.data, key.size);
    walk->floor_size = key.size;
    walk->has_floor = true;
}

static bool
is_below(const struct page_walk *walk, struct slice key)
{
    return walk->from.size > 0 && compare_keys(walk, key, walk->from) < 0;
}

static bool
is_in_file(const struct page_walk *walk, uint64_t number, uint64_t count)
{
    return number >= PAGE_METAS && number <= walk->last &&
           count <= walk->last + 1 - number;
}

static bool
may_use(struct page_walk *walk, uint64_t number, uint64_t count)
{
    if (!is_in_file(walk, number, count)) {
        walk->damaged(walk->user, number, "is named and not in the file");
        return false;
    }
    return walk->use == NULL || walk->use(walk->user, number, count);
}

/* A value that has pages of its own. What cannot be read of it is zeros, and
 * told; its own checksums tell the rest.
 */
static bool
read_run(struct page_walk *walk, const struct page_node *node,
         struct slice *value)
{
    struct pagefile *file = walk->file;
    uint64_t number = get_u64(node->value), lost;
    uint64_t count = page_run_count(node->value_size, file->page_size);
    uint8_t *room;

    if (!may_use(walk, number, count)) {
        return false;
    }
    walk->runs += count;
    if (walk->only_uses) {
        *value = SLICE_NONE;
        return true;
    }
    room = pagefile_room(file, (size_t)count * file->page_size);
    if (room == NULL) {
        walk->damaged(walk->user, number, "has a value too large for memory");
        return false;
    }
    lost = pagefile_read(file, number, count, room);
    if (lost > 0) {
        walk->damaged(walk->user, number, "cannot be read, or pages behind it");
    } else if (get_u64(room) != number || get_u16(room + 10) != PAGE_RUN ||
               get_u32(room + 12) != count) {
        walk->damaged(walk->user, number, "is another one, or damaged");
    }
    *value = slice_make(room + PAGE_HEADER, node->value_size);
    return true;
}

/* False if what follows in the page cannot be right. */
static bool
walk_leaf_node(struct page_walk *walk, const struct page_node *node)
{
    struct slice value = slice_make(node->value, node->value_size);

    if (!is_key(walk, node->key)) {
        return false;
    }
    set_last_key(walk, node->key);
    if (walk->stopped || is_below(walk, node->key)) {
        return true;
    }
    walk->entries++;
    walk->run = (node->flags & NODE_RUN) != 0 ? get_u64(node->value) : 0;
    if ((node->flags & NODE_RUN) != 0 && !read_run(walk, node, &value)) {
        return true;
    }
    walk->stopped = !walk->visit(walk->user, last_key_of(walk), value,
                                 node->flags & ~(unsigned)NODE_RUN);
    return true;
}

static enum acta_code walk_page(struct page_walk *walk, uint64_t number,
                                unsigned depth, struct acta_err *err);

/* Does the node at the next offset begin with a key that is not above from?
 * Then all below this one is before it.
 */
static bool
is_passed_over(const struct page_walk *walk, const uint8_t *page, size_t next,
               size_t lower)
{
    struct page_node node;

    return walk->from.size > 0 && next < lower &&
           page_node_read(&node, page, walk->file->page_size,
                          get_u16(page + next), false) &&
           node.key.size > 0 &&
           ((walk->tree.flags & TREE_INTEGERS) == 0 || node.key.size == 8) &&
           compare_keys(walk, node.key, walk->from) <= 0;
}

/* A leaf is looked through to its end: no other walk may come to what is
 * behind the entry that ended this one.
 */
static bool
goes_on(const struct page_walk *walk, bool is_leaf)
{
    return is_leaf || !walk->stopped;
}

static enum acta_code
walk_nodes(struct page_walk *walk, uint64_t number, const uint8_t *page,
           unsigned depth, struct acta_err *err)
{
    size_t page_size = walk->file->page_size;
    bool is_leaf = depth == walk->tree.depth;
    enum acta_code code = ACTA_OK;
    size_t lower, upper, used = 0;

    if (!page_bounds_read(page, page_size, &lower, &upper)) {
        walk->damaged(walk->user, number, "has damaged contents");
        return ACTA_OK;
    }
    for (size_t at = PAGE_HEADER;
         code == ACTA_OK && goes_on(walk, is_leaf) && at < lower; at += 2) {
        struct page_node node;
        bool is_right =
            get_u16(page + at) >= upper &&
            page_node_read(&node, page, page_size, get_u16(page + at), is_leaf);

        if (!is_right) {
            walk->damaged(walk->user, number, "has damaged contents");
            continue;
        }
        used += node.size;
        if (is_leaf) {
            is_right = walk_leaf_node(walk, &node);
        } else if (at > PAGE_HEADER && !is_key(walk, node.key)) {
            is_right = false; /* The first key of a branch means nothing. */
        } else if (!is_passed_over(walk, page, at + 2, lower)) {
            if (at > PAGE_HEADER) {
                set_floor(walk, node.key);
            }
            code = walk_page(walk, node.child, depth + 1, err);
        }
        if (!is_right) {
            walk->damaged(walk->user, number, "has keys out of order");
        }
    }
    if (code == ACTA_OK && goes_on(walk, is_leaf) &&
        used != page_size - upper) {
        walk->damaged(walk->user, number, "has damaged contents");
    }
    return code;
}

static enum acta_code
walk_page(struct page_walk *walk, uint64_t number, unsigned depth,
          struct acta_err *err)
{
    size_t page_size = walk->file->page_size;
    bool is_leaf = depth == walk->tree.depth;
    enum acta_code code = ACTA_OK;
    void *page;

    if (!may_use(walk, number, 1)) {
        return ACTA_OK;
    }
    walk->leaves += is_leaf;
    walk->branches += !is_leaf;
    if (is_leaf && walk->only_branches) {
        return ACTA_OK;
    }
    if (posix_memalign(&page, ALIGNMENT, page_size) != 0) {
        return acta_fail(err, ACTA_MEMORY, "read pages");
    }
    if (pagefile_read(walk->file, number, 1, page) > 0) {
        walk->damaged(walk->user, number, "cannot be read");
    } else if (get_u64(page) != number ||
               get_u16((uint8_t *)page + 10) !=
                   (is_leaf ? PAGE_LEAF : PAGE_BRANCH)) {
        walk->damaged(walk->user, number, "is another one, or damaged");
    } else {
        code = walk_nodes(walk, number, page, depth, err);
    }
    free(page);
    return code;
}

enum acta_code
page_walk(struct page_walk *walk, struct acta_err *err)
{
    walk->branches = walk->leaves = walk->runs = walk->entries = 0;
    walk->has_last_key = walk->has_floor = walk->stopped = false;
    if (walk->tree.root == PAGE_NONE || walk->tree.depth > PAGE_DEPTH_MAX) {
        return ACTA_OK;
    }
    return walk_page(walk, walk->tree.root, 1, err);
}

/* ---- the tables of a store ---- */

struct finding {
    struct page_tables *tables;
    const struct page_walk *outer;
};

static void
on_damaged(void *user, uint64_t page, const char *how)
{
    struct finding *finding = user;

    finding->tables->is_damaged = true;
    finding->outer->damaged(finding->outer->user, page, how);
}

static bool
on_use(void *user, uint64_t page, uint64_t count)
{
    const struct finding *finding = user;

    return finding->outer->use == NULL ||
           finding->outer->use(finding->outer->user, page, count);
}

static bool
on_table(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct finding *finding = user;
    struct page_tables *tables = finding->tables;
    struct page_table *table = &tables->all[tables->count];

    if (flags != NODE_TREE || value.size != PAGE_TREE_SIZE ||
        key.size >= sizeof(table->name) || tables->count == PAGE_TABLES_MAX) {
        tables->is_damaged = true;
        return true;
    }
    memcpy(table->name, key.data, key.size);
    table->name[key.size] = '\0';
    table->tree = page_tree_read(value.data);
    if (table->tree.flags != 0 || table->tree.depth > PAGE_DEPTH_MAX ||
        (table->tree.root == PAGE_NONE) != (table->tree.depth == 0)) {
        tables->is_damaged = true;
        return true;
    }
    tables->count++;
    return true;
}

enum acta_code
page_tables_find(struct page_tables *tables, const struct page_meta *meta,
                 const struct page_walk *how, struct acta_err *err)
{
    struct finding finding = {tables, how};
    struct page_walk walk = {
        .file = how->file,
        .tree = meta->tables,
        .last = how->last,
        .user = &finding,
        .visit = on_table,
        .damaged = on_damaged,
        .use = on_use,
    };

    *tables = (struct page_tables){0};
    return page_walk(&walk, err);
}

const struct page_tree *
page_tables_get(const struct page_tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (strcmp(tables->all[i].name, name) == 0) {
            return &tables->all[i].tree;
        }
    }
    return NULL;
}
