/* One connection of an import, with the lines that wait for it, in order.
 *
 * It has one append in flight at a time, of as many lines as are there, while
 * the next lines gather: so whatever is refused, lost or sent again, no line
 * overtakes another. An append that is refused is cut in half until the line
 * that is to blame stands alone: the others are not lost with it.
 *
 * One thread.
 */

#ifndef ACTA_LANE_H
#define ACTA_LANE_H

#include <acta/acta_poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line.h"

struct lane;

/* Called for each line that is refused; @line is valid until it returns. */
typedef void lane_on_refused(void *user, const struct line *line,
                             const struct acta_err *err);

struct lane {
    struct acta_poll loop;
    struct acta_client *client; /* owned */
    struct acta_append *append; /* owned */
    struct line **lines;        /* owned: a ring of capacity lines */
    size_t capacity;
    size_t first; /* Of the ring. */
    size_t count;
    size_t size;   /* Bytes of data in all lines. */
    size_t flying; /* Lines in flight, at the front; 0: none. */
    size_t batch;  /* Events an append at most. */
    size_t limit;  /* The same, for the next append. */

    lane_on_refused *on_refused;
    void *user;
    uint64_t stored;     /* Lines that were stored, */
    uint64_t repeated;   /* and that were there before. */
    struct acta_err err; /* Why nothing goes on here; code OK: it does. */
};

enum acta_code lane_open(struct lane *lane, const struct acta_options *options,
                         size_t batch, lane_on_refused *on_refused, void *user,
                         struct acta_err *err) ACTA_CHECKED;
void lane_close(struct lane *lane);

/* True if no line can be added until an append is answered. */
bool lane_is_full(const struct lane *lane);

/* Hand over @line, which is on the heap, as is its memory. */
void lane_add(struct lane *lane, struct line *line);

/* Send lines, if none are in flight: if there are enough for an append, or
 * @now, or the lane is full.
 */
void lane_send(struct lane *lane, bool now);

/* Forget the lines that are not in flight. */
void lane_drop(struct lane *lane);

#endif
