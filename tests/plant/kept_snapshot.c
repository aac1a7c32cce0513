/* A snapshot outlives the events that went into it. */

#include "decider.h"

enum acta_code __wrap_effects_drop_snapshot(struct decider *decider,
                                            struct slice stream,
                                            uint64_t version,
                                            struct acta_err *err);

enum acta_code
__wrap_effects_drop_snapshot(struct decider *decider, struct slice stream,
                             uint64_t version, struct acta_err *err)
{
    (void)decider;
    (void)stream;
    (void)version;
    (void)err;
    return ACTA_OK;
}
