/* Rings: lists in both directions whose links are in what they hold, so that
 * taking something out needs no search and no memory. The list itself is a link
 * in its own ring, and so is whatever is in no list: taking it out again does
 * nothing. One thread.
 */

#ifndef ACTA_RING_H
#define ACTA_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *next;
    struct ring *prev;
};

/* What a link is in: ring_holder(link, struct group_event, in_hand). */
#define ring_holder(link, type, field)                                         \
    ((type *)(void *)((char *)(link)-offsetof(type, field)))

static inline void
ring_init(struct ring *ring)
{
    ring->next = ring;
    ring->prev = ring;
}

static inline bool
ring_is_empty(const struct ring *ring)
{
    return ring->next == ring;
}

/* Put @link, which is in no list, behind @before. */
static inline void
ring_put_behind(struct ring *before, struct ring *link)
{
    link->prev = before;
    link->next = before->next;
    before->next->prev = link;
    before->next = link;
}

static inline void
ring_put_first(struct ring *ring, struct ring *link)
{
    ring_put_behind(ring, link);
}

static inline void
ring_put_last(struct ring *ring, struct ring *link)
{
    ring_put_behind(ring->prev, link);
}

static inline void
ring_take_out(struct ring *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    ring_init(link);
}

/* Put all of @from behind what is in @to. */
static inline void
ring_move_all(struct ring *to, struct ring *from)
{
    if (ring_is_empty(from)) {
        return;
    }
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    ring_init(from);
}

#endif
