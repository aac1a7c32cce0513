/* A place in the database, as people write it: "start", "end", the position of
 * the event that is meant, or a time. One thread.
 */

#ifndef ACTA_PLACE_H
#define ACTA_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"

enum place_kind {
    PLACE_START,
    PLACE_END, /* Behind the last event. */
    PLACE_POSITION,
    PLACE_TIME,
};

struct place {
    enum place_kind kind;
    uint64_t number; /* A position, or microseconds since 1970. */
};

/* For the help of commands that take one. */
#define PLACE_HELP                                                             \
    "PLACE is start, end, the position of an event, or a time, as for "        \
    "--since\n"

/* Read @text if it is digits alone. */
bool place_parse_position(const char *text, uint64_t *position);

/* Read @text, or say that @what is wrong. */
bool place_parse(struct place *place, const char *what, const char *text);

/* Ask the server where it is: *@before is the position in front of it, of which
 * one can say that all up to there is done. EXIT_OK, or what to exit with: that
 * is told, also of a position that is not there.
 */
int place_find(const struct place *place, struct cli *cli, uint64_t *before);

/* Ask the server which positions are from @from to @to: those in (*@after,
 * *@last]. An end that is a position is among them, one that is a time is not.
 * EXIT_OK, or what to exit with: that is told.
 */
int place_find_range(const struct place *from, const struct place *to,
                     struct cli *cli, uint64_t *after, uint64_t *last);

#endif
