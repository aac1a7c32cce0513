/* The plan of a search: which lists it has to look into for each item of its
 * query, in one room. Internal to server/search*.c.
 */

#ifndef ACTA_SEARCH_PLAN_H
#define ACTA_SEARCH_PLAN_H

#include "limit.h"
#include "list_cursor.h"
#include "search.h"

/* Lists that all prefixes of a query stand for together: each takes as much
 * memory as one that is named, and time with each step.
 */
#define SEARCH_EXPANDED_MAX 256
#define SEARCH_TERMS_MAX    (ACTA_QUERY_TERMS_MAX + SEARCH_EXPANDED_MAX)

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
    size_t count;         /* 0: every position may be wanted. */
    bool is_exact;        /* What the groups agree on needs no check. */
    size_t terms_count;   /* In all groups. */
    uint64_t at;          /* Where it is, if is_at. */
    bool is_at;
};

struct search {
    bool backward;
    uint64_t first; /* Of the room. */
    uint64_t last;
    struct item items[ACTA_QUERY_ITEMS_MAX];
    size_t items_count;
    struct group groups[ACTA_QUERY_TERMS_MAX];
    size_t groups_count;
    struct term terms[SEARCH_TERMS_MAX + 1]; /* One to look what comes next. */
    size_t terms_count;
    size_t expanded;            /* Of them, because of prefixes. */
    size_t looks_left;          /* Of LOOKS_MAX. */
    struct list_cursor scratch; /* Of the plan. */
};

/* Where lists are opened. */
struct search_room {
    struct store_view *view;         /* NULL: in the memtable. */
    const struct memtable *memtable; /* Locked. */
    uint64_t head;
};

/* Plan to search @room for what @query wants. */
enum acta_code search_plan(struct search *search, const struct query *query,
                           const struct search_room *room,
                           struct acta_err *err) ACTA_CHECKED;

#endif
