/* A random past, twice: in the rooms of a database, and in a plain array to
 * compare with. Some of its lists have many chunks, some one event, and names
 * of some never occur.
 */

#ifndef ACTA_TEST_DIARY_H
#define ACTA_TEST_DIARY_H

#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "list.h"
#include "query.h"
#include "rnd.h"

#define DIARY_EVENTS_MAX 60000

struct diary {
    struct core core;
    struct rnd rnd;
    struct event *events; /* owned: by position, the first at 1 */
    struct buf *contents; /* owned: what they borrow from */
    size_t count;
    uint64_t stored; /* Position up to which the store has them. */
};

void diary_open(struct diary *diary);
void diary_close(struct diary *diary);

/* A diary without room for @count more events is closed, and another opened. */
bool diary_has_room(const struct diary *diary, size_t count);

/* Append @count random events, for which it has room. */
void diary_add(struct diary *diary, size_t count);

/* Move everything to the store. */
void diary_store(struct diary *diary);

/* A name that occurs often, seldom or never. */
struct list_name diary_name(struct diary *diary);

/* A query of random items, none of them for all events; query_fini() it. */
struct query diary_query(struct diary *diary);

bool diary_is_in(const struct diary *diary, uint64_t position,
                 const struct list_name *name);

#endif
