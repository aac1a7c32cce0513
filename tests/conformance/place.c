#include "place.h"

#include <stdio.h>

#include "patient.h"

struct place place;

static struct acta_sync *
open_client(struct place *at)
{
    struct acta_options options;
    struct acta_sync *sync;
    enum acta_code code;
    char url[64];

    if (at->memory != NULL) {
        code = acta_sync_open_memory(&sync, at->memory, NULL, &at->err);
    } else {
        snprintf(url, sizeof(url), "acta://127.0.0.1:%u", at->rig.port);
        options = patient_options(url);
        code = acta_sync_open(&sync, &options, &at->err);
    }
    ck_assert_msg(code == ACTA_OK, "%s", at->err.text);
    return sync;
}

void
place_open(struct place *at, int which)
{
    *at = (struct place){.memory = NULL};
    if (which == PLACE_MEMORY) {
        at->memory = acta_memory_new();
        ck_assert_ptr_nonnull(at->memory);
    } else {
        rig_start(&at->rig, NULL);
    }
    at->sync = open_client(at);
}

void
place_close(struct place *at)
{
    acta_sync_close(at->sync);
    if (at->memory != NULL) {
        acta_memory_free(at->memory);
    } else {
        rig_stop(&at->rig);
    }
}

struct acta_sync *
place_client(void)
{
    return open_client(&place);
}

void
place_pass_ms(uint64_t ms)
{
    if (place.memory != NULL) {
        acta_memory_pass(place.memory, ms * 1000);
    }
}
