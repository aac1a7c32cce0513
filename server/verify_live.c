#include "verify_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "verify_live_inside.h"

/* Two commits may come between the beginning of a view and the reading of its
 * meta, which then is overwritten.
 */
#define META_TRIES 100

/* Positions that a block may have, and more: it may begin so much earlier than
 * it did a moment ago.
 */
#define BLOCK_POSITIONS 1024

/* ---- a moment ---- */

static bool
find_meta(struct verify_live *live)
{
    struct page_meta newest, other;
    uint64_t txn = mdb_txn_id(live->view->txn);

    if (!verify_metas(&live->file, &newest, &other)) {
        return false;
    }
    live->meta = newest.txn == txn ? newest : other;
    return live->meta.txn == txn;
}

static void
end_moment(struct verify_live *live)
{
    store_view_end(live->view);
}

static enum acta_code
begin_moment(struct verify_live *live, bool *found, struct acta_err *err)
{
    *found = false;
    for (unsigned i = 0; i < META_TRIES; i++) {
        enum acta_code code = store_view_begin(live->view, err);

        if (code != ACTA_OK) {
            return code;
        }
        pagefile_measure(&live->file);
        if (find_meta(live)) {
            *found = true;
            return ACTA_OK;
        }
        end_moment(live);
    }
    verify_problem(&live->verify, "store: the first two pages are damaged");
    return ACTA_OK;
}

/* ---- walking ---- */

static void
on_damaged(void *user, uint64_t page, const char *how)
{
    struct verify_live *live = user;

    /* A page is met again by the next step. */
    if (page != live->told_page) {
        live->told_page = page;
        verify_problem(&live->verify,
                       "store: page %" PRIu64 " at offset %" PRIu64 " %s", page,
                       page * live->meta.page_size, how);
    }
}

static struct page_walk
walk_of(struct verify_live *live, const char *table, struct slice from)
{
    const struct page_tree *tree = page_tables_get(&live->tables, table);

    return (struct page_walk){
        .file = &live->file,
        .tree = tree != NULL ? *tree : (struct page_tree){.root = PAGE_NONE},
        .last = live->meta.last,
        .from = from,
        .user = live,
        .damaged = on_damaged,
    };
}

static bool
has_read_enough(const struct verify_live *live)
{
    return live->file.bytes_read >= live->bytes_max;
}

/* From here the next step goes on. */
static void
note_key(struct verify_live *live, struct slice key)
{
    memcpy(live->key, key.data, key.size);
    live->key[key.size] = 0;
    live->key_size = key.size + 1;
}

static struct slice
key_noted(const struct verify_live *live)
{
    return slice_make(live->key, live->key_size);
}

/* ---- the log ---- */

struct log_look {
    struct verify_live *live;
    bool is_first;
    bool is_behind; /* The first block is not the one that is due. */
};

static bool
on_block(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct log_look *look = user;
    struct verify_contents *contents = &look->live->contents;

    (void)flags; /* Looked at with the pages, as are those of rows. */
    if (look->is_first && key.size == LOG_KEY_SIZE &&
        get_key_u64(key.data) > contents->due) {
        look->is_behind = true;
        return false;
    }
    look->is_first = false;
    if (!verify_log_is_due(contents, key, value)) {
        return true;
    }
    verify_log_entry(contents, key, value);
    return contents->due <= contents->position && !has_read_enough(look->live);
}

static void
on_log_damaged(void *user, uint64_t page, const char *how)
{
    const struct log_look *look = user;

    on_damaged(look->live, page, how);
}

static enum acta_code
walk_log(struct verify_live *live, uint64_t from, struct log_look *look,
         bool *at_end, struct acta_err *err)
{
    uint8_t key[LOG_KEY_SIZE];
    struct page_walk walk;
    enum acta_code code;

    put_key_u64(key, from);
    walk = walk_of(live, "log", slice_make(key, sizeof(key)));
    walk.visit = on_block;
    walk.damaged = on_log_damaged;
    walk.user = look;
    code = page_walk(&walk, err);
    *at_end = !walk.stopped;
    return code;
}

static enum acta_code
step_log(struct verify_live *live, bool *at_end, struct acta_err *err)
{
    struct log_look look = {.live = live, .is_first = true};
    uint64_t due = live->contents.due;
    enum acta_code code = ACTA_OK;

    *at_end = due > live->contents.position;
    if (!*at_end) {
        code = walk_log(live, due, &look, at_end, err);
    }
    if (code == ACTA_OK &&
        (look.is_behind ||
         (*at_end && look.is_first && due <= live->contents.position))) {
        /* It was joined with those before it, or it is missing. */
        look = (struct log_look){.live = live};
        code = walk_log(live, due > BLOCK_POSITIONS ? due - BLOCK_POSITIONS : 1,
                        &look, at_end, err);
    }
    if (code == ACTA_OK && live->contents.due > live->contents.position) {
        *at_end = true;
    }
    if (code == ACTA_OK && *at_end) {
        verify_log_end(&live->contents);
    }
    return code;
}

/* ---- lists ---- */

static bool
on_chunk(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct verify_live *live = user;

    if (key.size != CHUNK_KEY_SIZE ||
        get_key_u64(key.data) != live->list.head.number) {
        return false;
    }
    verify_flags(&live->verify, "postings", flags);
    verify_list_chunk(&live->contents, &live->list, key, value);
    return verify_list_goes_on(&live->list) && !has_read_enough(live);
}

/* The chunks of the list from where it is on. False if there are more. */
static bool
look_at_chunks(struct verify_live *live)
{
    struct verify_list *list = &live->list;
    uint64_t next = list->next;
    uint8_t key[CHUNK_KEY_SIZE];
    struct page_walk walk;
    struct acta_err err;

    if (!verify_list_goes_on(list)) {
        return true;
    }
    walk = walk_of(live, "postings",
                   store_chunk_key(key, list->head.number,
                                   list->name.kind == LIST_STREAM
                                       ? list->next
                                       : list->last + 1));
    walk.visit = on_chunk;
    if (page_walk(&walk, &err) != ACTA_OK || list->next == next) {
        list->is_whole = false;
    }
    return !verify_list_goes_on(list);
}

static bool
on_head(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct verify_live *live = user;
    struct verify_list *list = &live->list;

    if (live->in_list &&
        slice_equal(key, slice_make(list->key, list->key_size))) {
        verify_list_again(list, value);
    } else {
        if (live->in_list) { /* Its head is gone. */
            list->is_whole = false;
            verify_list_end(&live->contents, list);
        }
        verify_flags(&live->verify, "lists", flags);
        verify_list_begin(&live->contents, list, key, value);
    }
    live->in_list = !look_at_chunks(live);
    if (live->in_list) {
        live->key_size = 0;
        return false;
    }
    verify_list_end(&live->contents, list);
    note_key(live, key);
    return !has_read_enough(live);
}

static enum acta_code
step_lists(struct verify_live *live, bool *at_end, struct acta_err *err)
{
    struct slice from = live->in_list
                            ? slice_make(live->list.key, live->list.key_size)
                            : key_noted(live);
    uint8_t key[PAGE_KEY_MAX + 1];
    struct page_walk walk;
    enum acta_code code;

    memcpy(key, from.data, from.size);
    walk = walk_of(live, "lists", slice_make(key, from.size));
    walk.visit = on_head;
    code = page_walk(&walk, err);
    *at_end = !walk.stopped;
    return code;
}

/* ---- ids and rows ---- */

static bool
on_id(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct verify_live *live = user;

    verify_flags(&live->verify, "ids", flags);
    verify_id(&live->contents, key, value);
    note_key(live, key);
    return !has_read_enough(live);
}

struct row_search {
    struct slice key;
    bool found;
};

static bool
on_found_row(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct row_search *search = user;

    (void)value;
    (void)flags;
    search->found = slice_equal(key, search->key);
    return false;
}

static void
on_damaged_on_the_way(void *user, uint64_t page, const char *how)
{
    (void)user; /* It is told of when it is its turn. */
    (void)page;
    (void)how;
}

static bool
has_row(void *user, struct slice key)
{
    struct row_search search = {.key = key};
    struct page_walk walk = walk_of(user, "rows", key);
    struct acta_err err;

    walk.user = &search;
    walk.visit = on_found_row;
    walk.damaged = on_damaged_on_the_way;
    walk.only_uses = true;
    return page_walk(&walk, &err) == ACTA_OK && search.found;
}

static bool
on_row(void *user, struct slice key, struct slice value, unsigned flags)
{
    struct verify_live *live = user;

    (void)flags;
    verify_row(&live->verify, key, value, has_row, live);
    note_key(live, key);
    return !has_read_enough(live);
}

static enum acta_code
step_table(struct verify_live *live, const char *table,
           bool (*visit)(void *user, struct slice key, struct slice value,
                         unsigned flags),
           bool *at_end, struct acta_err *err)
{
    struct slice from = key_noted(live);
    uint8_t key[PAGE_KEY_MAX + 1];
    struct page_walk walk;
    enum acta_code code;

    memcpy(key, from.data, from.size);
    walk = walk_of(live, table, slice_make(key, from.size));
    walk.visit = visit;
    code = page_walk(&walk, err);
    *at_end = !walk.stopped;
    return code;
}

/* ---- the store ---- */

static enum acta_code
begin_contents(struct verify_live *live, struct acta_err *err)
{
    live->problems = live->report.problems;
    live->txn = live->meta.txn;
    live->report.has_tables = true;
    live->report.head = tail_head(&live->rooms->tail);
    live->has_contents = true;
    return verify_contents_init(&live->contents, &live->verify,
                                store_view_meta(live->view), err);
}

static enum acta_code
step_phase(struct verify_live *live, bool *at_end, struct acta_err *err)
{
    enum acta_code code;

    switch (live->phase) {
    case LIVE_PAGES:
        *at_end = true;
        code = verify_pages(&live->verify, &live->file, &live->meta, true, err);
        return code == ACTA_OK ? begin_contents(live, err) : code;
    case LIVE_LOG:
        return step_log(live, at_end, err);
    case LIVE_LISTS:
        return step_lists(live, at_end, err);
    case LIVE_IDS:
        return step_table(live, "ids", on_id, at_end, err);
    case LIVE_ROWS:
        return step_table(live, "rows", on_row, at_end, err);
    case LIVE_JOURNAL:
    case LIVE_DONE:
        break;
    }
    return ACTA_OK;
}

/* Have tables whose leaves are read in steps as many entries as is said of
 * them? It can be told only of a store that was the same all the while.
 */
static void
compare_counts(struct verify_live *live)
{
    const struct {
        const char *table;
        uint64_t entries;
    } counts[] = {{"lists", live->report.lists},
                  {"postings", live->contents.chunks},
                  {"ids", live->report.ids}};

    if (live->meta.txn != live->txn) {
        return;
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const struct page_tree *says =
            page_tables_get(&live->tables, counts[i].table);

        if (says != NULL && says->entries != counts[i].entries) {
            verify_problem(&live->verify,
                           "store: %s: it has not as many entries as it says",
                           counts[i].table);
        }
    }
}

static enum acta_code
end_phase(struct verify_live *live, struct acta_err *err)
{
    if (live->phase == LIVE_ROWS && live->problems == live->report.problems) {
        verify_compare(&live->contents);
        compare_counts(live);
    }
    live->phase++;
    live->key_size = 0;
    live->in_list = false;
    return live->phase == LIVE_JOURNAL ? live_journal_begin(live, err)
                                       : ACTA_OK;
}

static enum acta_code
step_store(struct verify_live *live, struct acta_err *err)
{
    struct page_walk how;
    enum acta_code code;
    bool at_end, found;

    code = begin_moment(live, &found, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (!found) { /* Nothing of the store can be looked at. */
        live->phase = LIVE_JOURNAL;
        return live_journal_begin(live, err);
    }
    if (live->has_contents) {
        live->contents.meta = *store_view_meta(live->view);
    }
    how = walk_of(live, "", SLICE_NONE);
    code = page_tables_find(&live->tables, &live->meta, &how, err);
    if (code == ACTA_OK) {
        code = step_phase(live, &at_end, err);
    }
    end_moment(live);
    return code == ACTA_OK && at_end ? end_phase(live, err) : code;
}

/* ---- all of it ---- */

static enum acta_code
open_store(struct verify_live *live, const char *dir, struct acta_err *err)
{
    char store[FILE_PATH_MAX];
    enum acta_code code;

    if ((code = file_join(store, dir, "store", err)) != ACTA_OK ||
        (code = file_join(live->path, store, "data.mdb", err)) != ACTA_OK ||
        (code = pagefile_open(&live->file, live->path, true, err)) != ACTA_OK) {
        return code;
    }
    return store_view_open(&live->view, live->rooms->store, err);
}

enum acta_code
verify_live_new(struct verify_live **out, struct rooms *rooms,
                const struct verify_options *options, struct acta_err *err)
{
    struct verify_live *live = calloc(1, sizeof(*live));
    enum acta_code code;

    *out = NULL;
    if (live == NULL) {
        return acta_fail(err, ACTA_MEMORY, "verify");
    }
    live->verify = (struct verify){options, &live->report};
    live->rooms = rooms;
    live->file.fd = -1;
    live->told_page = PAGE_NONE;
    code = open_store(live, options->dir, err);
    if (code != ACTA_OK) {
        verify_live_free(live);
        return code;
    }
    live->size = live->file.size + journal_size(rooms->journal);
    *out = live;
    return ACTA_OK;
}

void
verify_live_free(struct verify_live *live)
{
    if (live == NULL) {
        return;
    }
    live_journal_fini(live);
    if (live->has_contents) {
        verify_contents_fini(&live->contents);
    }
    store_view_close(live->view);
    if (live->file.fd >= 0) {
        pagefile_close(&live->file);
    }
    free(live);
}

enum acta_code
verify_live_step(struct verify_live *live, uint64_t bytes, bool *done,
                 struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    bool at_end;

    *done = live->phase == LIVE_DONE;
    if (*done) {
        return ACTA_OK;
    }
    if (live->phase != LIVE_JOURNAL) {
        verify_look(&live->verify, live->path);
        live->bytes_max = live->file.bytes_read + bytes;
        return step_store(live, err);
    }
    code = live_journal_step(live, bytes, &at_end, err);
    if (code == ACTA_OK && at_end) {
        live->phase = LIVE_DONE;
        *done = true;
    }
    return code;
}

const struct verify_report *
verify_live_report(const struct verify_live *live)
{
    return &live->report;
}

uint64_t
verify_live_read(const struct verify_live *live)
{
    return live->read + live->file.bytes_read +
           (live->journal.is_open ? live->journal.file.bytes_read : 0);
}

uint64_t
verify_live_size(const struct verify_live *live)
{
    uint64_t read = verify_live_read(live);

    return read > live->size ? read : live->size;
}
