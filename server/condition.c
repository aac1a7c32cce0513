#include "condition.h"

#include "event.h"
#include "list_cursor.h"
#include "record.h"

/* A look through the names that begin with a prefix counts as so many steps. */
#define PREFIX_STEPS 16

/* Positions of one room. */
struct part {
    const struct memtable *memtable; /* NULL: the store. */
    uint64_t first;
    uint64_t last;
};

struct hunt {
    struct heads *heads;
    struct search *search;
    const struct query *query;
    size_t *steps;
};

static void
spend(struct hunt *hunt, size_t steps)
{
    *hunt->steps -= steps < *hunt->steps ? steps : *hunt->steps;
}

/* Does the event of @position match? @maybe: the lists left it open. */
static enum acta_code
look(struct hunt *hunt, uint64_t position, bool maybe, bool *matches,
     struct acta_err *err)
{
    struct block_record found;
    struct stream_state state;
    struct slice record, stream;
    enum acta_code code;

    *matches = !maybe;
    if (!maybe && marks_none(&hunt->heads->rooms->marks)) {
        return ACTA_OK; /* No stream hides anything. */
    }
    if (!maybe) { /* Else it is counted already. */
        spend(hunt, SEARCH_CHECK_STEPS);
    }
    code = heads_record(hunt->heads, position, &found, err);
    if (code != ACTA_OK) {
        return code;
    }
    record = slice_make(found.data, found.size);
    *matches = !record_is_stub(record);
    if (*matches && maybe) {
        code = search_check(hunt->query, &found, matches, err);
    }
    if (code != ACTA_OK || !*matches) {
        return code;
    }
    stream = record_stream(record);
    if (!marks_has(&hunt->heads->rooms->marks, stream)) {
        return ACTA_OK;
    }
    code = heads_stream(hunt->heads, stream, &state, err);
    *matches = code == ACTA_OK && !heads_hides(hunt->heads, &state, record);
    return code;
}

/* Opening the lists that the query names takes steps as well. It is done
 * however few are left, so that what the lists' heads tell is known.
 */
static void
spend_on_lists(struct hunt *hunt)
{
    for (size_t i = 0; i < hunt->query->items_count; i++) {
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            const struct query_terms *terms = &hunt->query->items[i].fields[f];

            spend(hunt, terms->count + PREFIX_STEPS * terms->prefixes_count);
        }
    }
}

static enum acta_code
begin_search(struct hunt *hunt, const struct part *part, struct acta_err *err)
{
    if (part->memtable != NULL) {
        return search_begin_memtable(hunt->search, hunt->query, part->memtable,
                                     UINT64_MAX, false, err);
    }
    return search_begin_store(hunt->search, hunt->query, hunt->heads->view,
                              false, err);
}

/* The next candidate from @at on. */
static enum acta_code
next(struct hunt *hunt, bool is_all, uint64_t at, uint64_t *position,
     enum search_verdict *verdict, struct acta_err *err)
{
    if (is_all) {
        *position = at;
        *verdict = SEARCH_WANTED;
        return ACTA_OK;
    }
    return search_next(hunt->search, at, position, verdict, hunt->steps, err);
}

/* Look for a match among the positions of one room. */
static enum acta_code
hunt_in(struct hunt *hunt, const struct part *part, struct match *match,
        struct acta_err *err)
{
    bool is_all = search_is_all(hunt->query);
    enum acta_code code = ACTA_OK;
    uint64_t at = part->first;

    if (!is_all) {
        spend_on_lists(hunt);
        code = begin_search(hunt, part, err);
    }
    while (code == ACTA_OK && at <= part->last) {
        enum search_verdict verdict;
        uint64_t position;
        bool matches;

        code = next(hunt, is_all, at, &position, &verdict, err);
        if (code != ACTA_OK || position > part->last) {
            break;
        }
        if (verdict == SEARCH_UNKNOWN) {
            *match = (struct match){false, position - 1};
            break;
        }
        code = look(hunt, position, verdict == SEARCH_MAYBE, &matches, err);
        if (code == ACTA_OK && matches) {
            *match = (struct match){true, position};
            break;
        }
        if (code == ACTA_OK && *hunt->steps == 0) {
            *match = (struct match){false, position};
            break;
        }
        at = position + 1;
    }
    return code;
}

/* The room's positions behind @after; false if there are none. */
static bool
part_behind(struct part *part, uint64_t first, uint64_t end, uint64_t after)
{
    part->first = first > after ? first : after + 1;
    part->last = end - 1;
    return end > 1 && after < part->last && part->first <= part->last;
}

enum acta_code
condition_find(struct heads *heads, struct search *search,
               const struct query *query, uint64_t after, size_t *steps,
               struct match *match, struct acta_err *err)
{
    struct hunt hunt = {heads, search, query, steps};
    const struct memtable *active = tail_active(&heads->rooms->tail);
    const struct memtable *tables[] = {heads->sealed, active};
    uint64_t first =
        memtable_first_position(heads->sealed != NULL ? heads->sealed : active);
    enum acta_code code = ACTA_OK;
    struct part part = {.memtable = NULL};

    *match = (struct match){.is_decided = true};
    if (part_behind(&part, 1, first, after)) {
        code = heads_look_into_store(heads, err);
        if (code == ACTA_OK) {
            code = hunt_in(&hunt, &part, match, err);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (code != ACTA_OK || match->position != 0 || !match->is_decided) {
            break;
        }
        part.memtable = tables[i];
        if (tables[i] != NULL &&
            part_behind(&part, memtable_first_position(tables[i]),
                        memtable_first_position(tables[i]) +
                            memtable_count(tables[i]),
                        after)) {
            code = hunt_in(&hunt, &part, match, err);
        }
    }
    return code;
}
