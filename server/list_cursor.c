#include "list_cursor.h"

#include <assert.h>

/* A cursor of the store, whose head is still to be read. */
static void
init_in_store(struct list_cursor *cursor, struct store_view *view,
              enum list_kind kind)
{
    cursor->kind = kind;
    cursor->memlist = NULL;
    cursor->view = view;
    cursor->current = NULL;
    cursor->count = 0;
}

/* The head is read, or there is none. */
static void
take_head(struct list_cursor *cursor, bool found)
{
    if (!found) {
        list_head_init(&cursor->head, 0);
    }
    cursor->count = cursor->head.count;
}

enum acta_code
list_cursor_open_store(struct list_cursor *cursor, struct store_view *view,
                       const struct list_name *name, struct acta_err *err)
{
    enum acta_code code;
    bool found;

    init_in_store(cursor, view, name->kind);
    code = store_view_head(view, name, &cursor->head, &found, err);
    if (code == ACTA_OK) {
        take_head(cursor, found);
    }
    return code;
}

enum acta_code
list_cursor_open_next(struct list_cursor *cursor, struct store_view *view,
                      enum list_kind kind, struct slice after, bool inclusive,
                      struct slice *name, bool *found, struct acta_err *err)
{
    enum acta_code code;

    init_in_store(cursor, view, kind);
    code = store_view_next_list(view, kind, after, inclusive, name,
                                &cursor->head, found, err);
    if (code == ACTA_OK) {
        take_head(cursor, *found);
    }
    return code;
}

/* How many of the list's first @count events have an offset below @limit. */
static uint32_t
count_below(const struct memlist *list, uint32_t count, uint64_t limit)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (list->offsets[middle] < limit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
list_cursor_open_memtable(struct list_cursor *cursor,
                          const struct memtable *memtable,
                          const struct list_name *name, uint64_t head)
{
    list_cursor_open_memlist(cursor, memtable, memtable_find(memtable, name),
                             name->kind, head);
}

void
list_cursor_open_memlist(struct list_cursor *cursor,
                         const struct memtable *memtable,
                         const struct memlist *memlist, enum list_kind kind,
                         uint64_t head)
{
    static const struct memlist empty;

    cursor->kind = kind;
    cursor->memlist = memlist;
    cursor->first_position = memtable_first_position(memtable);
    cursor->count = 0;
    if (memlist == NULL || head < cursor->first_position) {
        cursor->memlist = &empty;
    } else {
        cursor->count = count_below(memlist, memlist->count,
                                    head - cursor->first_position + 1);
    }
}

static uint64_t
mem_position(const struct list_cursor *cursor, uint64_t index)
{
    return cursor->first_position + cursor->memlist->offsets[index];
}

/* How many events here have a position below @position. */
static uint64_t
mem_count_below(const struct list_cursor *cursor, uint64_t position)
{
    if (position <= cursor->first_position) {
        return 0;
    }
    return count_below(cursor->memlist, (uint32_t)cursor->count,
                       position - cursor->first_position);
}

static bool
covers(const struct postings *postings, uint64_t position)
{
    return postings != NULL && postings->count > 0 &&
           position >= postings->positions[0] &&
           position <= postings->positions[postings->count - 1];
}

/* Make current the chunk with the largest first position that is <= @position,
 * or the first chunk if there is none.
 */
static enum acta_code
go_to(struct list_cursor *cursor, uint64_t position, struct acta_err *err)
{
    const struct postings *newest = &cursor->head.newest;
    enum acta_code code;

    if (covers(cursor->current, position)) {
        return ACTA_OK;
    }
    if (newest->first_ordinal == 1 ||
        (newest->count > 0 && position >= newest->positions[0])) {
        cursor->current = newest;
        return ACTA_OK;
    }
    cursor->current = NULL; /* What is left of it if this fails, is none. */
    code =
        store_view_chunk_of_position(cursor->view, cursor->kind, &cursor->head,
                                     position, &cursor->chunk, err);
    if (code == ACTA_OK) {
        cursor->current = &cursor->chunk;
    }
    return code;
}

enum acta_code
list_cursor_ahead(struct list_cursor *cursor, uint64_t position,
                  uint64_t *found, struct acta_err *err)
{
    const struct postings *newest = &cursor->head.newest;
    enum acta_code code;
    size_t index;

    *found = POSITION_NONE_AHEAD;
    if (cursor->memlist != NULL) {
        uint64_t below = mem_count_below(cursor, position);

        if (below < cursor->count) {
            *found = mem_position(cursor, below);
        }
        return ACTA_OK;
    }
    if (cursor->count == 0 || position > cursor->head.last_position) {
        return ACTA_OK;
    }

    code = go_to(cursor, position, err);
    if (code != ACTA_OK) {
        return code;
    }
    index = postings_find(cursor->current, position);
    if (index == cursor->current->count) {
        /* It lies between two chunks. */
        if (cursor->current->first_ordinal + index == newest->first_ordinal) {
            cursor->current = newest;
        } else {
            code = store_view_next_chunk(cursor->view, cursor->kind,
                                         &cursor->head, &cursor->chunk, err);
            if (code != ACTA_OK) {
                cursor->current = NULL;
                return code;
            }
        }
        index = 0;
    }
    *found = cursor->current->positions[index];
    return ACTA_OK;
}

size_t
list_cursor_run(const struct list_cursor *cursor, uint64_t from, uint64_t last,
                uint64_t *positions, size_t count_max)
{
    const struct postings *current = cursor->current;
    size_t count = 0;

    if (cursor->memlist != NULL) {
        uint64_t index = mem_count_below(cursor, from);

        while (count < count_max && index < cursor->count &&
               mem_position(cursor, index) <= last) {
            positions[count++] = mem_position(cursor, index++);
        }
    } else if (covers(current, from)) {
        size_t index = postings_find(current, from);

        while (count < count_max && index < current->count &&
               current->positions[index] <= last) {
            positions[count++] = current->positions[index++];
        }
    }
    return count;
}

enum acta_code
list_cursor_before(struct list_cursor *cursor, uint64_t position,
                   uint64_t *found, struct acta_err *err)
{
    enum acta_code code;
    size_t below;

    *found = POSITION_NONE_BEFORE;
    if (cursor->memlist != NULL) {
        uint64_t mem_below = position == UINT64_MAX
                                 ? cursor->count
                                 : mem_count_below(cursor, position + 1);

        if (mem_below > 0) {
            *found = mem_position(cursor, mem_below - 1);
        }
        return ACTA_OK;
    }
    if (cursor->count == 0) {
        return ACTA_OK;
    }
    if (position >= cursor->head.last_position) {
        *found = cursor->head.last_position;
        return ACTA_OK;
    }

    code = go_to(cursor, position, err);
    if (code != ACTA_OK) {
        return code;
    }
    below = postings_find(cursor->current, position + 1);
    if (below > 0) { /* Else it lies before the list's first. */
        *found = cursor->current->positions[below - 1];
    }
    return ACTA_OK;
}

enum acta_code
list_cursor_count_ahead(struct list_cursor *cursor, uint64_t position,
                        uint64_t *count, struct acta_err *err)
{
    enum acta_code code;

    *count = 0;
    if (cursor->memlist != NULL) {
        *count = cursor->count - mem_count_below(cursor, position);
        return ACTA_OK;
    }
    if (cursor->count == 0 || position > cursor->head.last_position) {
        return ACTA_OK;
    }
    code = go_to(cursor, position, err);
    if (code == ACTA_OK) {
        *count = cursor->count + 1 - cursor->current->first_ordinal -
                 postings_find(cursor->current, position);
    }
    return code;
}

enum acta_code
list_cursor_at(struct list_cursor *cursor, uint64_t ordinal, uint64_t *found,
               struct acta_err *err)
{
    const struct postings *newest = &cursor->head.newest;
    enum acta_code code;

    assert(ordinal >= 1);
    assert(ordinal <= cursor->count);

    if (cursor->memlist != NULL) {
        *found = mem_position(cursor, ordinal - 1);
        return ACTA_OK;
    }
    if (ordinal >= newest->first_ordinal) {
        cursor->current = newest;
    } else if (cursor->current == NULL || cursor->current == newest ||
               ordinal < cursor->chunk.first_ordinal ||
               ordinal - cursor->chunk.first_ordinal >= cursor->chunk.count) {
        cursor->current = NULL;
        code = store_view_chunk_of_ordinal(cursor->view, &cursor->head, ordinal,
                                           &cursor->chunk, err);
        if (code != ACTA_OK) {
            return code;
        }
        cursor->current = &cursor->chunk;
    }
    *found =
        cursor->current->positions[ordinal - cursor->current->first_ordinal];
    return ACTA_OK;
}
