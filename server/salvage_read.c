/* The store's file. Its trees, as far as they can be walked, say which pages
 * are whose, and which are free. All pages are then looked at, in a tree or
 * not: a branch that is damaged does not cost what is below it.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "salvage_inside.h"
#include "store_lmdb.h"
#include "verify_contents.h"

#define SCAN_PAGES   256u
#define RUN_SIZE_MAX (UINT64_C(256) << 20)

enum owner { OWNER_NONE, OWNER_FREE, OWNER_LOG, OWNER_ROWS, OWNER_INDEX };

struct scan {
    struct salvage *salvage;
    struct pagefile *file;
    struct page_meta meta;
    bool has_meta;
    bool knows_free; /* Pages that are free are known to be. */
    uint64_t last;
    uint8_t *owners; /* owned: of each page */
    enum owner owner;
    struct page_walk *walk;
    enum acta_code code;
    struct acta_err *err;
};

/* ---- trees ---- */

static bool
on_use(void *user, uint64_t page, uint64_t count)
{
    struct scan *scan = user;

    for (uint64_t i = page; i < page + count; i++) {
        scan->owners[i] = (uint8_t)scan->owner;
    }
    return true;
}

static void
on_damaged(void *user, uint64_t page, const char *how)
{
    struct scan *scan = user;

    if (scan->owner == OWNER_ROWS) {
        salvage_note(scan->salvage,
                     "store: page %" PRIu64 " at offset %" PRIu64
                     " has rows and %s",
                     page, page * scan->file->page_size, how);
        scan->salvage->rows_are_uncertain = true;
    } else if (scan->owner == OWNER_FREE) {
        scan->knows_free = false;
    }
}

static bool
on_free(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct scan *scan = user;
    uint64_t count = value.size < 8 ? 0 : get_u64(value.data);

    (void)key;
    if (flags != 0 || value.size < 8 || count > value.size / 8 - 1) {
        scan->knows_free = false;
        return true;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = get_u64(value.data + 8 * i);

        if (page <= scan->last) {
            scan->owners[page] = OWNER_FREE;
        }
    }
    return true;
}

static bool
on_block(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct scan *scan = user;
    struct salvage_block where = {
        .offset = scan->walk->run * scan->file->page_size + PAGE_HEADER,
        .size = value.size,
        .count = value.size < BLOCK_HEADER_SIZE ? 0 : get_u32(value.data + 8),
    };

    (void)flags;
    if (key.size != LOG_KEY_SIZE || scan->walk->run == 0) {
        return true;
    }
    where.first = get_key_u64(key.data);
    scan->code =
        salvage_take_block(scan->salvage, &where, value, true, scan->err);
    return scan->code == ACTA_OK;
}

static bool
on_row(void *user, struct slice key, struct slice stored, unsigned flags)
{
    struct scan *scan = user;
    struct acta_err why;
    struct slice value;

    (void)flags;
    if (store_read_row(key, stored, &value, &why) != ACTA_OK) {
        salvage_note(scan->salvage, "%s", why.text);
        scan->salvage->rows_are_uncertain = true;
        return true;
    }
    scan->code = salvage_set_row(scan->salvage, key, value, true, scan->err);
    return scan->code == ACTA_OK;
}

/* What the store says of itself as of the trees that are walked. */
static bool
on_meta(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct scan *scan = user;
    struct store_meta meta;

    (void)key;
    if (flags == 0 && store_decode_meta(value, &meta, NULL) == ACTA_OK) {
        scan->salvage->rows_sequence = meta.sequence;
        scan->salvage->knows_rows = true;
    }
    return true;
}

static enum acta_code
walk_table(struct scan *scan, struct page_walk *walk,
           const struct page_table *table)
{
    enum acta_code code;

    walk->tree = table->tree;
    walk->only_branches = false;
    if (strcmp(table->name, "log") == 0) {
        scan->owner = OWNER_LOG;
        walk->visit = on_block;
    } else if (strcmp(table->name, "rows") == 0) {
        scan->owner = OWNER_ROWS;
        walk->visit = on_row;
    } else if (strcmp(table->name, "meta") == 0) {
        scan->owner = OWNER_INDEX;
        walk->visit = on_meta;
    } else {
        scan->owner = OWNER_INDEX;
        walk->only_branches = true;
    }
    code = page_walk(walk, scan->err);
    return code == ACTA_OK ? scan->code : code;
}

static enum acta_code
walk_trees(struct scan *scan)
{
    struct page_walk walk = {.file = scan->file,
                             .last = scan->last,
                             .user = scan,
                             .damaged = on_damaged,
                             .use = on_use};
    struct page_tables tables;
    enum acta_code code;

    scan->walk = &walk;
    scan->owner = OWNER_INDEX;
    code = page_tables_find(&tables, &scan->meta, &walk, scan->err);
    if (code == ACTA_OK && page_tables_get(&tables, "rows") == NULL) {
        salvage_note(scan->salvage, "store: the table of rows is not found");
        scan->salvage->rows_are_uncertain = true;
    }
    for (size_t i = 0; code == ACTA_OK && i < tables.count; i++) {
        code = walk_table(scan, &walk, &tables.all[i]);
    }
    if (code != ACTA_OK) {
        return code;
    }
    scan->owner = OWNER_FREE;
    scan->knows_free = true;
    walk.tree = scan->meta.free_pages;
    walk.only_branches = false;
    walk.visit = on_free;
    return page_walk(&walk, scan->err);
}

/* ---- all pages ---- */

typedef enum acta_code on_node(struct scan *scan, uint64_t page,
                               const struct page_node *node);

/* The nodes of a leaf, as far as they make sense. */
static enum acta_code
look_at_leaf(struct scan *scan, uint64_t number, const uint8_t *page,
             on_node *visit)
{
    size_t lower, upper, page_size = scan->file->page_size;
    enum acta_code code = ACTA_OK;

    if (get_u64(page) != number || get_u16(page + 10) != PAGE_LEAF ||
        !page_bounds_read(page, page_size, &lower, &upper)) {
        return ACTA_OK;
    }
    for (size_t at = PAGE_HEADER; code == ACTA_OK && at < lower; at += 2) {
        struct page_node node;

        if (page_node_read(&node, page, page_size, get_u16(page + at), true) &&
            node.key.size > 0) {
            code = visit(scan, number, &node);
        }
    }
    return code;
}

static enum acta_code
scan_leaves(struct scan *scan, on_node *visit)
{
    size_t page_size = scan->file->page_size;
    enum acta_code code = ACTA_OK;
    uint8_t *pages;

    pages = malloc(SCAN_PAGES * page_size);
    if (pages == NULL) {
        return acta_fail(scan->err, ACTA_MEMORY, "salvage");
    }
    for (uint64_t n = 0; code == ACTA_OK && n <= scan->last; n += SCAN_PAGES) {
        uint64_t count = scan->last + 1 - n;

        count = count < SCAN_PAGES ? count : SCAN_PAGES;
        (void)pagefile_read(scan->file, n, count, pages);
        for (uint64_t i = 0; code == ACTA_OK && i < count; i++) {
            code = look_at_leaf(scan, n + i, pages + i * page_size, visit);
        }
    }
    free(pages);
    return code;
}

/* Blocks in runs of pages that no tree leads to. A run of which the directory
 * is whole is passed over as one: what looks like a block in its data is none.
 * A file that was cut may end within the run.
 */
static enum acta_code
scan_runs(struct scan *scan)
{
    size_t page_size = scan->file->page_size;
    enum acta_code code = ACTA_OK;
    uint64_t n = PAGE_METAS;

    while (code == ACTA_OK && n <= scan->last) {
        uint8_t *room = pagefile_room(scan->file, page_size);
        uint64_t count;
        struct block block;
        struct slice bytes;

        if (room == NULL) {
            return acta_fail(scan->err, ACTA_MEMORY, "salvage");
        }
        if (scan->owners[n] == OWNER_LOG ||
            pagefile_read(scan->file, n, 1, room) > 0 || get_u64(room) != n ||
            get_u16(room + 10) != PAGE_RUN) {
            n++;
            continue;
        }
        count = get_u32(room + 12);
        if (count == 0 || count * page_size > RUN_SIZE_MAX ||
            (room = pagefile_room(scan->file, count * page_size)) == NULL) {
            n++;
            continue;
        }
        (void)pagefile_read(scan->file, n, count, room);
        bytes = slice_make(room + PAGE_HEADER, count * page_size - PAGE_HEADER);
        if (block_open(&block, bytes, NULL) != ACTA_OK) {
            n++;
            continue;
        }
        code = salvage_take_block(
            scan->salvage,
            &(struct salvage_block){.offset = n * page_size + PAGE_HEADER,
                                    .size = bytes.size},
            bytes, false, scan->err);
        n += count;
    }
    return code;
}

/* ---- what leaves say ---- */

static enum acta_code
add_list(struct scan *scan, struct slice key, const struct list_head *head)
{
    struct salvage *salvage = scan->salvage;
    struct salvage_list *list;
    uint8_t *name;

    if (salvage->lists_count == salvage->lists_room) {
        size_t room = salvage->lists_room == 0 ? 64 : 2 * salvage->lists_room;

        list = realloc(salvage->lists, room * sizeof(*list));
        if (list == NULL) {
            return acta_fail(scan->err, ACTA_MEMORY, "salvage lists");
        }
        salvage->lists = list;
        salvage->lists_room = room;
    }
    name = malloc(key.size);
    if (name == NULL) {
        return acta_fail(scan->err, ACTA_MEMORY, "salvage lists");
    }
    memcpy(name, key.data, key.size);
    salvage->lists[salvage->lists_count++] = (struct salvage_list){
        .number = head->number,
        .count = head->count,
        .name = {(enum list_kind)name[0], slice_make(name + 1, key.size - 1)}};
    return ACTA_OK;
}

static bool
read_head(const struct page_node *node, struct list_head *head)
{
    return (node->flags & NODE_RUN) == 0 && node->key.data[0] >= LIST_STREAM &&
           node->key.data[0] < LIST_KINDS_END &&
           node->key.size <= LIST_KEY_SIZE_MAX &&
           list_head_decode(head, node->key,
                            slice_make(node->value, node->value_size),
                            NULL) == ACTA_OK &&
           head->number > 0 &&
           head->newest.first_ordinal + head->newest.count == head->count + 1;
}

/* The newest meta, and all heads. */
static enum acta_code
find_names(struct scan *scan, uint64_t page, const struct page_node *node)
{
    struct salvage *salvage = scan->salvage;
    struct list_head head;
    struct store_meta meta;

    if (slice_equal(node->key, slice_of("meta")) &&
        (node->flags & NODE_RUN) == 0 &&
        store_decode_meta(slice_make(node->value, node->value_size), &meta,
                          NULL) == ACTA_OK) {
        if (!salvage->has_meta || meta.sequence > salvage->meta.sequence) {
            salvage->meta = meta;
            salvage->has_meta = true;
        }
        return ACTA_OK;
    }
    return scan->owners[page] != OWNER_ROWS && read_head(node, &head)
               ? add_list(scan, node->key, &head)
               : ACTA_OK;
}

static void
note_position(struct salvage *salvage, uint64_t number, uint64_t ordinal,
              uint64_t position)
{
    struct salvage_fact *fact = salvage_fact(salvage, position);
    const struct salvage_list *list = salvage_list(salvage, number);

    if (fact == NULL || list == NULL) {
        return;
    }
    if (list->name.kind == LIST_STREAM) {
        fact->stream = number;
        fact->version = ordinal;
        return;
    }
    for (size_t i = 0; i < fact->lists_count; i++) {
        if (fact->lists[i] == number) {
            return;
        }
    }
    if (fact->lists_count < LIST_NAMES_MAX) {
        fact->lists[fact->lists_count++] = number;
    }
}

static void
note_postings(struct salvage *salvage, uint64_t number,
              const struct postings *postings)
{
    for (size_t i = 0; i < postings->count; i++) {
        note_position(salvage, number, postings->first_ordinal + i,
                      postings->positions[i]);
    }
}

static void
note_id(struct salvage *salvage, struct slice key, uint64_t position)
{
    struct salvage_fact *fact = salvage_fact(salvage, position);

    if (fact != NULL) {
        fact->has_id = true;
        memcpy(fact->id, key.data, UUID_SIZE);
        if (fact->stream == 0) {
            fact->stream = get_key_u64(key.data + UUID_SIZE);
        }
    }
}

/* A row on a page that no tree leads to is one only if the page is not free. */
static enum acta_code
find_row(struct scan *scan, uint64_t page, const struct page_node *node)
{
    struct slice stored = slice_make(node->value, node->value_size), value;
    struct pagefile *file = scan->file;
    uint64_t run, count;
    uint8_t *room;

    if (scan->owners[page] != OWNER_NONE || !scan->knows_free) {
        return ACTA_OK;
    }
    if ((node->flags & NODE_RUN) != 0) {
        run = get_u64(node->value);
        count = page_run_count(node->value_size, file->page_size);
        if (run > scan->last || count > scan->last + 1 - run ||
            (room = pagefile_room(file, count * file->page_size)) == NULL) {
            return ACTA_OK;
        }
        (void)pagefile_read(file, run, count, room);
        stored.data = room + PAGE_HEADER;
    }
    if (node->key.size > ROW_STORE_KEY_MAX || node->key.data[0] == 0 ||
        node->key.data[0] >= ROW_KINDS_END ||
        store_read_row(node->key, stored, &value, NULL) != ACTA_OK ||
        !verify_is_row(node->key, value)) {
        return ACTA_OK;
    }
    return salvage_set_row(scan->salvage, node->key, value, false, scan->err);
}

static enum acta_code
find_facts(struct scan *scan, uint64_t page, const struct page_node *node)
{
    struct slice value = slice_make(node->value, node->value_size);
    struct postings chunk = {.first_ordinal = 1};
    struct list_head head;
    uint64_t position;

    if (scan->owners[page] == OWNER_ROWS || scan->owners[page] == OWNER_LOG) {
        return ACTA_OK;
    }
    if (read_head(node, &head)) {
        note_postings(scan->salvage, head.number, &head.newest);
        return ACTA_OK;
    }
    if ((node->flags & NODE_RUN) == 0 && node->key.size == CHUNK_KEY_SIZE &&
        postings_decode(&chunk, node->key, value, NULL) == ACTA_OK) {
        note_postings(scan->salvage, get_key_u64(node->key.data), &chunk);
        return ACTA_OK;
    }
    if ((node->flags & NODE_RUN) == 0 && node->key.size == ID_KEY_SIZE &&
        store_read_id_value(node->key, value, &position, NULL) == ACTA_OK) {
        note_id(scan->salvage, node->key, position);
        return ACTA_OK;
    }
    return find_row(scan, page, node);
}

/* ---- all of it ---- */

/* The newest meta that is whole. */
static bool
find_meta(struct scan *scan)
{
    uint8_t *room = pagefile_room(scan->file, scan->file->page_size);
    struct page_meta meta;
    bool found = false;

    for (uint64_t i = 0; room != NULL && i < PAGE_METAS; i++) {
        if (pagefile_read(scan->file, i, 1, room) == 0 &&
            page_meta_read(&meta, room, i) &&
            (!found || meta.txn > scan->meta.txn)) {
            scan->meta = meta;
            found = true;
        }
    }
    return found;
}

static enum acta_code
scan_begin(struct scan *scan, struct salvage *salvage, struct acta_err *err)
{
    *scan = (struct scan){
        .salvage = salvage, .file = &salvage->files[0], .err = err};
    scan->last = scan->file->size / scan->file->page_size;
    if (scan->last == 0) {
        return ACTA_OK;
    }
    scan->last--;
    scan->owners = calloc(scan->last + 1, 1);
    return scan->owners == NULL ? acta_fail(err, ACTA_MEMORY, "salvage")
                                : ACTA_OK;
}

static struct scan the_scan; /* Of the one run of this process. */

static int
compare_lists(const void *a, const void *b)
{
    const struct salvage_list *left = a, *right = b;

    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    return (left->count < right->count) - (left->count > right->count);
}

/* Of what was found of a list more than once, the newest. */
static void
sort_lists(struct salvage *salvage)
{
    size_t kept = 0;

    if (salvage->lists_count > 0) {
        qsort(salvage->lists, salvage->lists_count, sizeof(*salvage->lists),
              compare_lists);
    }
    for (size_t i = 0; i < salvage->lists_count; i++) {
        struct salvage_list *list = &salvage->lists[i];

        if (kept > 0 && salvage->lists[kept - 1].number == list->number) {
            free((void *)(uintptr_t)(list->name.name.data - 1));
        } else {
            salvage->lists[kept++] = *list;
        }
    }
    salvage->lists_count = kept;
}

enum acta_code
salvage_find_events(struct salvage *salvage, struct acta_err *err)
{
    struct scan *scan = &the_scan;
    enum acta_code code = ACTA_OK;

    if (salvage->has_store) {
        code = scan_begin(scan, salvage, err);
        if (code == ACTA_OK && scan->last > 0) {
            scan->has_meta = find_meta(scan);
            if (!scan->has_meta) {
                salvage_note(salvage, "store: the first two pages are damaged");
                salvage->rows_are_uncertain = true;
            } else {
                code = walk_trees(scan);
            }
            if (code == ACTA_OK) {
                code = scan_leaves(scan, find_names);
            }
            sort_lists(salvage);
        }
        if (code == ACTA_OK && salvage->has_meta &&
            salvage->meta.position > salvage->head) {
            salvage->head = salvage->meta.position;
        }
    }
    if (code == ACTA_OK) {
        code = salvage_journal_events(salvage, err);
    }
    if (code == ACTA_OK && salvage->has_store && scan->last > 0) {
        code = scan_runs(scan);
    }
    if (salvage->unproven > salvage->head) {
        salvage_note(salvage,
                     "from position %" PRIu64 " on there was a block of which "
                     "nothing can be read: it was torn before anybody was told "
                     "of it, or what was in it is lost",
                     salvage->unproven);
    }
    /* There may have been more than can be found. */
    return code == ACTA_OK ? salvage_make_room(salvage, salvage->head, err)
                           : code;
}

enum acta_code
salvage_find_facts(struct salvage *salvage, struct acta_err *err)
{
    struct scan *scan = &the_scan;
    enum acta_code code = ACTA_OK;

    if (salvage->has_store && scan->last > 0) {
        code = scan_leaves(scan, find_facts);
    }
    free(scan->owners);
    scan->owners = NULL;
    return code == ACTA_OK ? salvage_journal_rows(salvage, err) : code;
}
