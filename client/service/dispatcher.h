/* Which decider or model handles which commands. */

#ifndef ACTA_SERVICE_DISPATCHER_H
#define ACTA_SERVICE_DISPATCHER_H

#include <acta/acta_dispatch.h>

#include "decider_inside.h"

/* One of these; the other is NULL. */
struct registered {
    const struct acta_decider *decider;
    const struct acta_model *model;
};

struct acta_registry {
    struct registered *entries; /* owned */
    size_t count;
    struct acta_err err; /* What was wrong first. */
};

#endif
