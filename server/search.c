#include "search.h"

#include <assert.h>
#include <stdlib.h>

#include "limit.h"
#include "list_cursor.h"

struct term {
    struct list_cursor cursor;
    uint64_t at; /* Where it is; valid if not before what is asked for. */
    bool is_at;
};

struct group {
    struct term *terms;
    size_t count;
    uint64_t size; /* Events in all its lists. */
};

struct item {
    struct group *groups; /* The smallest first: it leads. */
    size_t count;
    size_t terms_count; /* In all groups. */
    uint64_t at;        /* Where it is, if is_at. */
    bool is_at;
};

struct search {
    bool backward;
    struct item items[ACTA_QUERY_ITEMS_MAX];
    size_t items_count;
    struct group groups[ACTA_QUERY_TERMS_MAX];
    size_t groups_count;
    struct term terms[ACTA_QUERY_TERMS_MAX];
    size_t terms_count;
};

/* Where lists are opened. */
struct room {
    struct store_view *view;         /* NULL: in the memtable. */
    const struct memtable *memtable; /* Locked. */
    uint64_t head;
};

struct search *
search_new(void)
{
    /* It is large, and only the terms that are used are ever touched. */
    return malloc(sizeof(struct search));
}

void
search_free(struct search *search)
{
    free(search);
}

bool
search_is_all(const struct query *query)
{
    for (size_t i = 0; i < query->items_count; i++) {
        size_t terms = 0;

        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            terms += query->items[i].fields[f].count;
        }
        if (terms == 0) {
            return true;
        }
    }
    return query->items_count == 0;
}

/* ---- building ---- */

static enum acta_code
add_term(struct search *search, struct group *group, const struct room *room,
         const struct list_name *name, struct acta_err *err)
{
    struct term *term = &search->terms[search->terms_count];
    enum acta_code code = ACTA_OK;

    if (room->view != NULL) {
        code = list_cursor_open_store(&term->cursor, room->view, name, err);
    } else {
        list_cursor_open_memtable(&term->cursor, room->memtable, name,
                                  room->head);
    }
    if (code == ACTA_OK && term->cursor.count > 0) {
        term->is_at = false;
        group->size += term->cursor.count;
        group->count++;
        search->terms_count++;
    }
    return code;
}

/* Add the group of @count lists to the item, in the order of sizes. *@possible
 * becomes false if none of them has any events here.
 */
static enum acta_code
add_group(struct search *search, struct item *item, const struct room *room,
          enum list_kind kind, const struct slice *texts, size_t count,
          bool *possible, struct acta_err *err)
{
    struct group group = {.terms = &search->terms[search->terms_count]};
    size_t at = item->count;

    for (size_t i = 0; i < count; i++) {
        struct list_name name = {kind, texts[i]};
        enum acta_code code = add_term(search, &group, room, &name, err);

        if (code != ACTA_OK) {
            return code;
        }
    }
    if (group.count == 0) {
        *possible = false;
        return ACTA_OK;
    }
    while (at > 0 && item->groups[at - 1].size > group.size) {
        item->groups[at] = item->groups[at - 1];
        at--;
    }
    item->groups[at] = group;
    item->count++;
    item->terms_count += group.count;
    search->groups_count++;
    return ACTA_OK;
}

static enum acta_code
add_item(struct search *search, const struct query_item *wanted,
         const struct room *room, struct acta_err *err)
{
    struct item *item = &search->items[search->items_count];
    size_t terms_before = search->terms_count;
    size_t groups_before = search->groups_count;
    enum acta_code code = ACTA_OK;
    bool possible = true;

    *item = (struct item){.groups = &search->groups[groups_before]};
    for (enum query_field f = 0; f < QUERY_FIELDS && possible; f++) {
        const struct query_terms *terms = &wanted->fields[f];
        enum list_kind kind = list_kind_of(f);

        if (f == QUERY_TAGS) { /* All of them. */
            for (size_t i = 0; i < terms->count && possible; i++) {
                code = add_group(search, item, room, kind, &terms->texts[i], 1,
                                 &possible, err);
                if (code != ACTA_OK) {
                    return code;
                }
            }
        } else if (terms->count > 0) { /* Any of them. */
            code = add_group(search, item, room, kind, terms->texts,
                             terms->count, &possible, err);
            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    if (possible) {
        search->items_count++;
    } else {
        search->terms_count = terms_before;
        search->groups_count = groups_before;
    }
    return ACTA_OK;
}

static enum acta_code
begin(struct search *search, const struct query *query, const struct room *room,
      bool backward, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    assert(!search_is_all(query));

    search->backward = backward;
    search->items_count = 0;
    search->groups_count = 0;
    search->terms_count = 0;
    for (size_t i = 0; code == ACTA_OK && i < query->items_count; i++) {
        code = add_item(search, &query->items[i], room, err);
    }
    return code;
}

enum acta_code
search_begin_store(struct search *search, const struct query *query,
                   struct store_view *view, bool backward, struct acta_err *err)
{
    struct room room = {.view = view};

    return begin(search, query, &room, backward, err);
}

enum acta_code
search_begin_memtable(struct search *search, const struct query *query,
                      const struct memtable *memtable, uint64_t head,
                      bool backward, struct acta_err *err)
{
    struct room room = {.memtable = memtable, .head = head};

    return begin(search, query, &room, backward, err);
}

/* ---- searching, in the direction that the search has ---- */

/* True if @a lies further on than @b. */
static bool
is_further(const struct search *search, uint64_t a, uint64_t b)
{
    return search->backward ? a < b : a > b;
}

static uint64_t
none(const struct search *search)
{
    return search->backward ? POSITION_NONE_BEFORE : POSITION_NONE_AHEAD;
}

static enum acta_code
move_term(const struct search *search, struct term *term, uint64_t from,
          struct acta_err *err)
{
    enum acta_code code;

    if (term->is_at && !is_further(search, from, term->at)) {
        return ACTA_OK;
    }
    code = search->backward
               ? list_cursor_before(&term->cursor, from, &term->at, err)
               : list_cursor_ahead(&term->cursor, from, &term->at, err);
    term->is_at = code == ACTA_OK;
    return code;
}

/* The nearest position of any of the group's lists. */
static enum acta_code
move_group(const struct search *search, struct group *group, uint64_t from,
           uint64_t *nearest, size_t *steps, struct acta_err *err)
{
    enum acta_code code;

    *nearest = none(search);
    for (size_t i = 0; i < group->count; i++) {
        code = move_term(search, &group->terms[i], from, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (is_further(search, *nearest, group->terms[i].at)) {
            *nearest = group->terms[i].at;
        }
    }
    *steps -= group->count < *steps ? group->count : *steps;
    return ACTA_OK;
}

/* Let the groups leap over each other until they agree or steps run out. */
static enum acta_code
move_item(const struct search *search, struct item *item, uint64_t from,
          size_t *steps, struct acta_err *err)
{
    size_t agreed = 0;

    if (item->is_at && !is_further(search, from, item->at)) {
        return ACTA_OK;
    }
    item->at = from;
    item->is_at = false;
    for (size_t g = 0; agreed < item->count; g = (g + 1) % item->count) {
        enum acta_code code;
        uint64_t nearest;

        if (*steps == 0) {
            return ACTA_OK;
        }
        code = move_group(search, &item->groups[g], item->at, &nearest, steps,
                          err);
        if (code != ACTA_OK) {
            return code;
        }
        if (nearest == item->at) {
            agreed++;
        } else {
            item->at = nearest;
            agreed = 1;
        }
        if (nearest == none(search)) {
            break;
        }
    }
    item->is_at = true;
    return ACTA_OK;
}

enum acta_code
search_next(struct search *search, uint64_t from, uint64_t *position,
            bool *wanted, size_t *steps, struct acta_err *err)
{
    *position = none(search);
    *wanted = false;
    for (size_t i = 0; i < search->items_count; i++) {
        struct item *item = &search->items[i];
        /* Two rounds of all its lists are enough to come further, so that no
         * item stands still because others have used up the steps.
         */
        size_t least = 2 * item->terms_count;
        size_t given = *steps > least ? *steps : least;
        size_t left = given;
        enum acta_code code = move_item(search, item, from, &left, err);

        *steps -= given - left < *steps ? given - left : *steps;
        if (code != ACTA_OK) {
            return code;
        }
        if (item->at == none(search)) {
            continue;
        }
        if (is_further(search, *position, item->at)) {
            *position = item->at;
            *wanted = item->is_at;
        } else if (*position == item->at) {
            *wanted = *wanted || item->is_at;
        }
    }
    return ACTA_OK;
}
