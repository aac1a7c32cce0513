/* When something is to take place: --at a time, or --delay from now on, by the
 * server's clock. One thread.
 */

#ifndef ACTA_DUE_H
#define ACTA_DUE_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"

struct due {
    bool is_given;
    bool is_delay;
    uint64_t us; /* Since 1970, or from now. */
};

/* For the help of commands that take them. */
#define DUE_HELP                                                               \
    "  --at TIME          at this time, UTC: 2026-11-21T22:22:36\n"            \
    "  --delay TIME       after so long: 90s, 30min, 2h, 7d\n"

/* Take the value of --at or --delay. EXIT_OK, or what to exit with: that is
 * told.
 */
int due_take(struct due *due, const struct cli *cli, bool is_delay,
             const char *text);

/* Let @append make the schedule @name of @what, or move it if that is NULL. */
void due_put(const struct due *due, struct acta_append *append,
             const char *name, const struct acta_append *what);

/* "at 2026-11-21 22:22:36.000", "in 30min" */
#define DUE_TEXT_SIZE 64
void due_describe(const struct due *due, char text[static DUE_TEXT_SIZE]);

#endif
