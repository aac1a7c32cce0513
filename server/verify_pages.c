/* The file of the store, page by page: every page is in one place of one tree,
 * or is free.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "file.h"
#include "verify_inside.h"

enum use { UNUSED, IN_TREE, IN_FREE_LIST };

struct pages {
    struct verify *verify;
    const struct page_meta *meta;
    const char *name; /* Of the tree that is walked. */
    uint64_t end;     /* Of what the file has. */
    uint8_t *uses;    /* owned: enum use of each page */
    enum use use;     /* What pages that are met are taken for. */
};

/* Take @count pages from @number on. */
static bool
on_use(void *user, uint64_t number, uint64_t count)
{
    struct pages *pages = user;

    if (pages->use == IN_TREE && number + count > pages->end) {
        verify_problem(pages->verify,
                       "store: %s: page %" PRIu64
                       " is behind the end of the file",
                       pages->name, number + count - 1);
        return false;
    }
    for (uint64_t i = number; i < number + count; i++) {
        if (pages->uses[i] != UNUSED) {
            verify_problem(pages->verify,
                           "store: %s: page %" PRIu64 " is in use twice",
                           pages->name, i);
            return false;
        }
        pages->uses[i] = (uint8_t)pages->use;
    }
    return true;
}

static void
on_damaged(void *user, uint64_t number, const char *how)
{
    struct pages *pages = user;

    verify_problem(pages->verify,
                   "store: %s: page %" PRIu64 " at offset %" PRIu64 " %s",
                   pages->name, number, number * pages->meta->page_size, how);
}

void
verify_flags(struct verify *verify, const char *table, unsigned flags)
{
    if (flags != 0) {
        verify_problem(verify, "store: %s: an entry is damaged", table);
    }
}

static bool
on_entry(void *user, struct slice key, struct slice value, unsigned flags)
{
    const struct pages *pages = user;

    (void)key;
    (void)value;
    verify_flags(pages->verify, pages->name, flags);
    return true;
}

/* Pages that a transaction has given up: how many, and their numbers, the
 * greatest first.
 */
static bool
on_free(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct pages *pages = user;
    uint64_t count = value.size < 8 ? 0 : get_u64(value.data);
    uint64_t before = PAGE_NONE;

    if (flags != 0 || get_u64(key.data) > pages->meta->txn ||
        value.size % 8 != 0 || value.size < 8 || count > value.size / 8 - 1) {
        verify_problem(pages->verify, "store: the list of free pages is "
                                      "damaged");
        return true;
    }
    pages->use = IN_FREE_LIST;
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t number = get_u64(value.data + 8 * i);

        if (number >= before || number < PAGE_METAS ||
            number > pages->meta->last) {
            verify_problem(pages->verify,
                           "store: the list of free pages is out of order at "
                           "page %" PRIu64,
                           number);
            break;
        }
        before = number;
        if (!on_use(pages, number, 1)) {
            break;
        }
    }
    pages->use = IN_TREE;
    return true;
}

static void
compare(struct pages *pages, const struct page_walk *walk)
{
    const struct page_tree *says = &walk->tree;

    /* Runs that only leaves name are none: has_to_be_read(). */
    if (walk->branches != says->branches || walk->leaves != says->leaves ||
        walk->runs != says->runs ||
        (!walk->only_branches && walk->entries != says->entries)) {
        verify_problem(pages->verify,
                       "store: %s: it has not as many pages or entries as it "
                       "says",
                       pages->name);
    }
}

static enum acta_code
walk_tree(struct pages *pages, struct page_walk *walk, const char *name,
          const struct page_tree *tree, struct acta_err *err)
{
    uint64_t problems = pages->verify->report->problems;
    enum acta_code code;

    pages->name = name;
    walk->tree = *tree;
    if (tree->depth > PAGE_DEPTH_MAX ||
        (tree->root == PAGE_NONE) != (tree->depth == 0)) {
        verify_problem(pages->verify, "store: what is said of %s is damaged",
                       name);
        return ACTA_OK;
    }
    code = page_walk(walk, err);
    if (code == ACTA_OK && problems == pages->verify->report->problems) {
        compare(pages, walk);
    }
    return code;
}

/* Only what is in the first two may have pages of its own; at what is in the
 * last one nobody else looks.
 */
static bool
has_to_be_read(const char *name)
{
    return strcmp(name, "log") == 0 || strcmp(name, "rows") == 0 ||
           strcmp(name, "meta") == 0;
}

static enum acta_code
walk_tables(struct pages *pages, struct page_walk *walk, bool only_uses,
            struct acta_err *err)
{
    uint64_t problems = pages->verify->report->problems;
    struct page_tables tables;
    enum acta_code code;

    pages->name = "tables";
    code = page_tables_find(&tables, pages->meta, walk, err);
    if (code == ACTA_OK && tables.is_damaged) {
        verify_problem(pages->verify, "store: a table is damaged");
    }
    if (code == ACTA_OK && problems == pages->verify->report->problems &&
        tables.count != pages->meta->tables.entries) {
        verify_problem(pages->verify, "store: tables: there are not as many "
                                      "as it says");
    }
    walk->visit = on_entry;
    for (size_t i = 0; code == ACTA_OK && i < tables.count; i++) {
        walk->only_branches = only_uses && !has_to_be_read(tables.all[i].name);
        walk->only_uses = only_uses;
        code = walk_tree(pages, walk, tables.all[i].name, &tables.all[i].tree,
                         err);
    }
    walk->only_branches = false;
    walk->only_uses = false;
    return code;
}

static void
look_for_lost(struct pages *pages)
{
    for (uint64_t i = PAGE_METAS; i <= pages->meta->last; i++) {
        if (pages->uses[i] == UNUSED) {
            verify_problem(pages->verify,
                           "store: page %" PRIu64 " is neither in use nor free",
                           i);
        }
    }
}

static enum acta_code
look_through(struct pages *pages, struct pagefile *file, bool only_uses,
             struct acta_err *err)
{
    struct page_walk walk = {
        .file = file,
        .last = pages->meta->last,
        .user = pages,
        .damaged = on_damaged,
        .use = on_use,
    };
    uint64_t problems = pages->verify->report->problems;
    enum acta_code code;

    code = walk_tables(pages, &walk, only_uses, err);
    if (code == ACTA_OK && pages->meta->free_pages.flags != TREE_INTEGERS) {
        verify_problem(pages->verify,
                       "store: what is said of free pages is damaged");
    } else if (code == ACTA_OK) {
        walk.visit = on_free;
        code = walk_tree(pages, &walk, "free pages", &pages->meta->free_pages,
                         err);
    }
    if (code == ACTA_OK && problems == pages->verify->report->problems) {
        look_for_lost(pages); /* Else they are behind what is damaged. */
    }
    return code;
}

enum acta_code
verify_pages(struct verify *verify, struct pagefile *file,
             const struct page_meta *meta, bool only_uses, struct acta_err *err)
{
    struct pages pages = {.verify = verify,
                          .meta = meta,
                          .end = file->size / file->page_size,
                          .use = IN_TREE};
    enum acta_code code;

    verify->report->pages = meta->last + 1;
    pages.uses = calloc(meta->last + 1, 1);
    if (pages.uses == NULL) {
        return acta_fail(err, ACTA_MEMORY, "verify pages");
    }
    code = look_through(&pages, file, only_uses, err);
    free(pages.uses);
    return code;
}

/* Transactions write one meta and the other by turns. (In a file that was just
 * made both are of no transaction.)
 */
static bool
read_metas(struct pagefile *file, struct page_meta metas[PAGE_METAS])
{
    uint8_t *room = pagefile_room(file, file->page_size);

    for (uint64_t i = 0; i < PAGE_METAS; i++) {
        if (room == NULL || pagefile_read(file, i, 1, room) > 0 ||
            !page_meta_read(&metas[i], room, i) ||
            metas[i].page_size != file->page_size ||
            metas[i].tables.flags != 0 || metas[i].last < PAGE_METAS - 1) {
            return false;
        }
    }
    return true;
}

bool
verify_metas(struct pagefile *file, struct page_meta *newest,
             struct page_meta *other)
{
    struct page_meta metas[PAGE_METAS];
    size_t at;

    if (!read_metas(file, metas)) {
        return false;
    }
    at = metas[1].txn > metas[0].txn;
    *newest = metas[at];
    *other = metas[1 - at];
    return newest->txn == 0 || other->txn == newest->txn - 1;
}

enum acta_code
verify_store_file(struct verify *verify, const char *path, struct acta_err *err)
{
    struct page_meta meta, other;
    struct pagefile file;
    enum acta_code code;

    code = pagefile_open(&file, path, false, err);
    if (code != ACTA_OK) {
        return code;
    }
    (void)posix_fadvise(file.fd, 0, 0, POSIX_FADV_DONTNEED); /* segment.c */
    if (!verify_metas(&file, &meta, &other)) {
        verify_problem(verify, "store: the first two pages are damaged");
    } else if (meta.last > file.size / file.page_size + VERIFY_UNWRITTEN_MAX) {
        verify_problem(verify, "store: it ends before its last page, %" PRIu64,
                       meta.last);
    } else {
        code = verify_pages(verify, &file, &meta, false, err);
    }
    pagefile_close(&file);
    return code;
}

/* ---- is anything missing? ---- */

static void
keep_first(void *user, const struct acta_err *what)
{
    struct acta_err *first = user;

    if (first->code == ACTA_OK) {
        *first = *what;
    }
}

static enum acta_code
look_for_cut(struct pagefile *file, const char *path, struct acta_err *err)
{
    struct page_meta meta, other;
    struct acta_err first = {.code = ACTA_OK};
    struct verify_options options = {.problem = keep_first, .user = &first};
    struct verify_report report = {.problems = 0};
    struct verify verify = {&options, &report};
    enum acta_code code;

    /* LMDB refuses a file that has no metas. */
    if (!verify_metas(file, &meta, &other) ||
        meta.last < file->size / file->page_size) {
        return ACTA_OK;
    }
    code = verify_pages(&verify, file, &meta, true, err);
    return code == ACTA_OK && report.problems > 0
               ? acta_fail(err, ACTA_CORRUPT, "%s is cut short: %s", path,
                           first.text)
               : code;
}

enum acta_code
verify_is_not_cut(const char *dir, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    struct pagefile file;
    enum acta_code code;

    code = file_join(path, dir, "data.mdb", err);
    if (code == ACTA_OK) {
        code = pagefile_open(&file, path, false, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    code = look_for_cut(&file, path, err);
    pagefile_close(&file);
    return code;
}
