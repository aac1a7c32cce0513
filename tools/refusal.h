/* Why the server has refused, in sentences: all reasons that it names, with
 * what was found, and what to do next. One thread.
 */

#ifndef ACTA_REFUSAL_H
#define ACTA_REFUSAL_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd.h"
#include "terms.h"

/* An append, and what its parts are called. */
struct refusal_of {
    const char *const *streams; /* Of each write. */
    size_t writes;
    bool has_lines; /* Versions are given in lines of stdin. */
    const struct terms *terms;
    const char *schedule; /* The one that is made; NULL: none. */
    const char *snapshot; /* The stream of the one that is kept; NULL: none. */
};

/* Tell why an append was refused, and print the unseen events that came along.
 * Returns what to exit with.
 */
int refusal_tell(struct cli *cli, const struct refusal_of *of,
                 const struct acta_appended *appended,
                 const struct acta_err *err);

/* Tell why a change of @stream was refused. Returns what to exit with. */
int refusal_tell_change(struct cli *cli, const char *stream, int64_t expected,
                        const struct acta_err *err);

#endif
