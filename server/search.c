#include "search.h"

#include <assert.h>
#include <stdlib.h>

#include "pack.h"
#include "record.h"
#include "search_plan.h"

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
            const struct query_terms *field = &query->items[i].fields[f];

            terms += field->count + field->prefixes_count;
        }
        if (terms == 0) {
            return true;
        }
    }
    return query->items_count == 0;
}

enum acta_code
search_begin_store(struct search *search, const struct query *query,
                   struct store_view *view, bool backward, struct acta_err *err)
{
    struct search_room room = {.view = view};

    assert(!search_is_all(query));

    search->backward = backward;
    search->first = 1;
    search->last = store_view_meta(view)->position;
    return search_plan(search, query, &room, err);
}

enum acta_code
search_begin_memtable(struct search *search, const struct query *query,
                      const struct memtable *memtable, uint64_t head,
                      bool backward, struct acta_err *err)
{
    struct search_room room = {.memtable = memtable, .head = head};

    assert(!search_is_all(query));

    search->backward = backward;
    search->first = memtable_first_position(memtable);
    search->last = head == UINT64_MAX
                       ? search->first + memtable_count(memtable) - 1
                       : head;
    return search_plan(search, query, &room, err);
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
          size_t *looks, struct acta_err *err)
{
    enum acta_code code;

    if (term->is_at && !is_further(search, from, term->at)) {
        return ACTA_OK;
    }
    ++*looks;
    code = search->backward
               ? list_cursor_before(&term->cursor, from, &term->at, err)
               : list_cursor_ahead(&term->cursor, from, &term->at, err);
    term->is_at = code == ACTA_OK;
    return code;
}

static void
take_steps(size_t *steps, size_t taken)
{
    *steps -= taken < *steps ? taken : *steps;
}

/* The nearest position of any of the group's lists. Lists that are there or
 * further on already need no look.
 */
static enum acta_code
move_group(const struct search *search, struct group *group, uint64_t from,
           uint64_t *nearest, size_t *steps, struct acta_err *err)
{
    enum acta_code code;
    size_t looks = 0;

    *nearest = none(search);
    for (size_t i = 0; i < group->count; i++) {
        code = move_term(search, &group->terms[i], from, &looks, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (is_further(search, *nearest, group->terms[i].at)) {
            *nearest = group->terms[i].at;
        }
    }
    take_steps(steps, looks > 0 ? looks : 1);
    return ACTA_OK;
}

/* Every position of the room, for an item whose groups were all left out. */
static void
move_without_groups(const struct search *search, struct item *item,
                    uint64_t from, size_t *steps)
{
    take_steps(steps, 1);
    item->is_at = true;
    if (from < search->first) {
        item->at = search->backward ? none(search) : search->first;
    } else if (from > search->last) {
        item->at = search->backward ? search->last : none(search);
    } else {
        item->at = from;
    }
    if (search->first > search->last) {
        item->at = none(search);
    }
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
    if (item->count == 0) {
        move_without_groups(search, item, from, steps);
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

static enum search_verdict
verdict_of(const struct item *item)
{
    if (!item->is_at) {
        return SEARCH_UNKNOWN;
    }
    return item->is_exact ? SEARCH_WANTED : SEARCH_MAYBE;
}

enum acta_code
search_next(struct search *search, uint64_t from, uint64_t *position,
            enum search_verdict *verdict, size_t *steps, struct acta_err *err)
{
    *position = none(search);
    *verdict = SEARCH_UNKNOWN;
    for (size_t i = 0; i < search->items_count; i++) {
        struct item *item = &search->items[i];
        /* Two rounds of all its lists are enough to come further, so that no
         * item stands still because others have used up the steps.
         */
        size_t least = 2 * item->terms_count;
        size_t given = *steps > least ? *steps : least;
        size_t left = given;
        enum acta_code code = move_item(search, item, from, &left, err);

        take_steps(steps, given - left);
        if (code != ACTA_OK) {
            return code;
        }
        if (item->at == none(search)) {
            continue;
        }
        if (is_further(search, *position, item->at)) {
            *position = item->at;
            *verdict = verdict_of(item);
        } else if (*position == item->at && verdict_of(item) > *verdict) {
            *verdict = verdict_of(item);
        }
    }
    if (*verdict == SEARCH_MAYBE) {
        take_steps(steps, SEARCH_CHECK_STEPS);
    }
    return ACTA_OK;
}

size_t
search_run(const struct search *search, uint64_t from, uint64_t last,
           uint64_t *positions, size_t count_max)
{
    const struct item *item = &search->items[0];

    if (search->backward || search->items_count != 1 || item->count != 1 ||
        item->groups[0].count != 1 || !item->is_exact) {
        return 0;
    }
    return list_cursor_run(&item->groups[0].terms[0].cursor, from, last,
                           positions, count_max);
}

enum acta_code
search_check(const struct query *query, const struct block_record *record,
             bool *wanted, struct acta_err *err)
{
    struct slice bytes = slice_make(record->data, record->size);
    struct pack_reader fields;
    struct event event;

    if (record_is_stub(bytes)) {
        *wanted = false;
        return ACTA_OK;
    }
    pack_reader_init(&fields, bytes, NULL);
    event_decode_record(&fields, &event);
    if (fields.failed) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju is damaged: it is no event",
                         (uintmax_t)record_position(bytes));
    }
    *wanted = query_matches(query, &event);
    return ACTA_OK;
}
