/* The subscriptions of one session: found by request id, and those with work to
 * do in the order in which they get their turn.
 *
 * A set without subscriptions has no memory. All costs are per subscription
 * that is touched: none of the functions but sub_set_wake(), sub_set_tell() and
 * sub_set_end() goes over all of them. One thread.
 */

#ifndef ACTA_SUB_SET_H
#define ACTA_SUB_SET_H

#include <stddef.h>

#include "sub.h"

struct sub_set {
    struct sub **buckets; /* owned */
    struct sub *all;      /* owned */
    size_t count;
    size_t size; /* Memory of them, with that of their queries. */
    struct sub *ready_first;
    struct sub *ready_last;
};

void sub_set_init(struct sub_set *set);
void sub_set_fini(struct sub_set *set);

/* NULL if there is none with this id. */
struct sub *sub_set_find(const struct sub_set *set, uint64_t request_id);

/* Add @sub, whose id must be new to the set, as ready. It is the set's, unless
 * MEMORY is returned.
 */
enum acta_code sub_set_add(struct sub_set *set, struct sub *sub) ACTA_CHECKED;

/* Take @sub out and free it. */
void sub_set_remove(struct sub_set *set, struct sub *sub);

/* Give @sub a turn, behind the others. Does nothing if it waits for one. */
void sub_set_make_ready(struct sub_set *set, struct sub *sub);

/* Take the one whose turn it is; NULL if none has work to do. */
struct sub *sub_set_take_ready(struct sub_set *set);

/* Give a turn to all that have not come to @head and have credit. */
void sub_set_wake(struct sub_set *set, uint64_t head);

/* sub_tell_position() and sub_tell_end() for all; the latter empties the set.
 */
void sub_set_tell(struct sub_set *set, uint64_t head, struct buf *out);
void sub_set_end(struct sub_set *set, enum acta_code code, const char *text,
                 struct buf *out);

#endif
