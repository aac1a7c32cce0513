/* Names become lists, prefixes become the lists whose names begin so, as long
 * as those are few.
 */

#include "search_plan.h"

#include <assert.h>

#include "name.h"

/* Names that are looked at in a room to find them: a memtable is locked
 * meanwhile, and does not have them in order.
 */
#define LOOKS_MAX 4096

static enum acta_code
open_list(const struct search_room *room, struct list_cursor *cursor,
          const struct list_name *name, struct acta_err *err)
{
    if (room->view != NULL) {
        return list_cursor_open_store(cursor, room->view, name, err);
    }
    list_cursor_open_memtable(cursor, room->memtable, name, room->head);
    return ACTA_OK;
}

/* Keep the list that was opened in the next free term, if it has any events. */
static void
keep_term(struct search *search, struct group *group)
{
    struct term *term = &search->terms[search->terms_count];

    if (term->cursor.count > 0) {
        term->is_at = false;
        group->size += term->cursor.count;
        group->count++;
        search->terms_count++;
    }
}

static enum acta_code
add_term(struct search *search, struct group *group,
         const struct search_room *room, enum list_kind kind, struct slice text,
         struct acta_err *err)
{
    struct list_name name = {kind, text};
    enum acta_code code;

    assert(search->terms_count < SEARCH_TERMS_MAX);
    code =
        open_list(room, &search->terms[search->terms_count].cursor, &name, err);
    if (code == ACTA_OK) {
        keep_term(search, group);
    }
    return code;
}

/* How much of the plan there is, to go back to. */
struct mark {
    size_t terms_count;
    size_t groups_count;
    size_t expanded;
};

static struct mark
mark(const struct search *search)
{
    return (struct mark){search->terms_count, search->groups_count,
                         search->expanded};
}

static void
go_back(struct search *search, const struct mark *mark)
{
    search->terms_count = mark->terms_count;
    search->groups_count = mark->groups_count;
    search->expanded = mark->expanded;
}

/* May the group get one more list from a prefix that has brought it @brought?
 */
static bool
may_expand(const struct search *search, size_t brought)
{
    return brought < SEARCH_PREFIX_LISTS_MAX && search->looks_left > 0 &&
           search->expanded < SEARCH_EXPANDED_MAX;
}

static enum acta_code
expand_in_store(struct search *search, struct group *group,
                struct store_view *view, enum list_kind kind,
                struct slice prefix, bool *fits, struct acta_err *err)
{
    struct slice name = prefix;
    size_t brought = 0;

    while (may_expand(search, brought)) {
        struct list_cursor *cursor = &search->terms[search->terms_count].cursor;
        enum acta_code code;
        bool found;

        search->looks_left--;
        code = list_cursor_open_next(cursor, view, kind, name, brought == 0,
                                     &name, &found, err);
        if (code != ACTA_OK || !found || !slice_starts_with(name, prefix)) {
            *fits = true;
            return code;
        }
        keep_term(search, group);
        brought++;
        search->expanded++;
    }
    *fits = false;
    return ACTA_OK;
}

static void
expand_in_memtable(struct search *search, struct group *group,
                   const struct search_room *room, enum list_kind kind,
                   struct slice prefix, bool *fits)
{
    const struct memlist *list = memtable_lists(room->memtable, kind);
    size_t brought = 0;

    for (; list != NULL && may_expand(search, brought); list = list->next) {
        search->looks_left--;
        if (slice_starts_with(list->name.name, prefix)) {
            list_cursor_open_memlist(&search->terms[search->terms_count].cursor,
                                     room->memtable, list, kind, room->head);
            keep_term(search, group);
            brought++;
            search->expanded++;
        }
    }
    *fits = list == NULL;
}

/* Add the lists of @kind whose names begin with @prefix. *@fits is false if
 * they are too many: then none is added.
 */
static enum acta_code
expand(struct search *search, struct group *group,
       const struct search_room *room, enum list_kind kind, struct slice prefix,
       bool *fits, struct acta_err *err)
{
    const struct mark before = mark(search);
    const struct group group_before = *group;
    enum acta_code code = ACTA_OK;

    if (room->view != NULL) {
        code =
            expand_in_store(search, group, room->view, kind, prefix, fits, err);
    } else {
        expand_in_memtable(search, group, room, kind, prefix, fits);
    }
    if (code == ACTA_OK && !*fits) {
        go_back(search, &before);
        *group = group_before;
    }
    return code;
}

/* A stream's category ends at its first '-', so with one in the prefix, the
 * streams are all in one category: its list has them, and maybe others.
 */
static enum acta_code
add_category_of(struct search *search, struct item *item, struct group *group,
                const struct search_room *room, struct slice prefix,
                struct slice category, struct acta_err *err)
{
    enum acta_code code =
        add_term(search, group, room, LIST_CATEGORY, category, err);
    struct list_name alone = {LIST_STREAM, category};

    if (code != ACTA_OK || prefix.size > category.size + 1) {
        item->is_exact = false;
        return code;
    }
    /* Of "a-" only the stream "a" is another one. Seldom is there one. */
    code = open_list(room, &search->scratch, &alone, err);
    if (code == ACTA_OK && search->scratch.count > 0) {
        item->is_exact = false;
    }
    return code;
}

static enum acta_code
add_stream_prefix(struct search *search, struct item *item, struct group *group,
                  const struct search_room *room, struct slice prefix,
                  bool *fits, struct acta_err *err)
{
    struct slice category = name_category(prefix);
    bool few = false;

    if (category.size == prefix.size) { /* No '-': categories begin like it. */
        return expand(search, group, room, LIST_CATEGORY, prefix, fits, err);
    }
    *fits = true;

    /* The store has names in order. In a memtable, all streams would have to be
     * looked at, and they may be as many as its events.
     */
    if (room->view != NULL && prefix.size > category.size + 1) {
        enum acta_code code =
            expand(search, group, room, LIST_STREAM, prefix, &few, err);

        if (code != ACTA_OK || few) {
            return code;
        }
    }
    return add_category_of(search, item, group, room, prefix, category, err);
}

/* Put the group among the item's, in the order of sizes. */
static void
place_group(struct search *search, struct item *item, const struct group *group)
{
    size_t at = item->count;

    while (at > 0 && item->groups[at - 1].size > group->size) {
        item->groups[at] = item->groups[at - 1];
        at--;
    }
    item->groups[at] = *group;
    item->count++;
    item->terms_count += group->count;
    search->groups_count++;
}

/* Add the group of the lists that @terms name. *@possible becomes false if none
 * of them has any events here. A group whose lists are too many is left out.
 */
static enum acta_code
add_group(struct search *search, struct item *item,
          const struct search_room *room, enum query_field field,
          const struct query_terms *terms, bool *possible, struct acta_err *err)
{
    struct group group = {.terms = &search->terms[search->terms_count]};
    const struct mark before = mark(search);
    enum list_kind kind = list_kind_of(field);
    enum acta_code code = ACTA_OK;
    bool fits = true;

    for (size_t i = 0; code == ACTA_OK && i < terms->count; i++) {
        code = add_term(search, &group, room, kind, terms->texts[i], err);
    }
    for (size_t i = 0; code == ACTA_OK && fits && i < terms->prefixes_count;
         i++) {
        struct slice prefix = terms->prefixes[i];

        code = field == QUERY_STREAMS
                   ? add_stream_prefix(search, item, &group, room, prefix,
                                       &fits, err)
                   : expand(search, &group, room, kind, prefix, &fits, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (!fits) {
        go_back(search, &before);
        item->is_exact = false;
    } else if (group.count == 0) {
        *possible = false;
    } else {
        place_group(search, item, &group);
    }
    return ACTA_OK;
}

static enum acta_code
add_field(struct search *search, struct item *item,
          const struct search_room *room, enum query_field field,
          const struct query_terms *terms, bool *possible, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (field != QUERY_TAGS) { /* Any of them. */
        return terms->count + terms->prefixes_count == 0
                   ? ACTA_OK
                   : add_group(search, item, room, field, terms, possible, err);
    }
    for (size_t i = 0; code == ACTA_OK && *possible && i < terms->count; i++) {
        struct query_terms one = {.texts = &terms->texts[i], .count = 1};

        code = add_group(search, item, room, field, &one, possible, err);
    }
    return code; /* All of them. */
}

static enum acta_code
add_item(struct search *search, const struct query_item *wanted,
         const struct search_room *room, struct acta_err *err)
{
    struct item *item = &search->items[search->items_count];
    const struct mark before = mark(search);
    enum acta_code code = ACTA_OK;
    bool possible = true;

    *item = (struct item){.groups = &search->groups[search->groups_count],
                          .is_exact = true};
    for (enum query_field f = 0;
         code == ACTA_OK && possible && f < QUERY_FIELDS; f++) {
        code = add_field(search, item, room, f, &wanted->fields[f], &possible,
                         err);
    }
    if (possible) {
        search->items_count++;
    } else {
        go_back(search, &before);
    }
    return code;
}

enum acta_code
search_plan(struct search *search, const struct query *query,
            const struct search_room *room, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    search->items_count = 0;
    search->groups_count = 0;
    search->terms_count = 0;
    search->expanded = 0;
    search->looks_left = LOOKS_MAX;
    for (size_t i = 0; code == ACTA_OK && i < query->items_count; i++) {
        code = add_item(search, &query->items[i], room, err);
    }
    return code;
}
