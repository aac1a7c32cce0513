/* To let a consumer handle again what it has handled, and to watch it doing so.
 * One thread.
 */

#ifndef ACTA_REBUILD_H
#define ACTA_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"

struct rebuild {
    const char *consumer;
    uint64_t position; /* Behind which it begins again. */
    bool no_wait;      /* Only begin. */
};

/* What to exit with; failures are told. Without no_wait it returns when the
 * consumer is where the head was when this was called, or after Ctrl-C, which
 * does not stop the consumer.
 */
int rebuild_run(struct cli *cli, const struct rebuild *rebuild);

#endif
