/* A projection without a model, for the tests of the command line:
 *
 *     projector URL NAME POSITION
 *
 * handles all that is there, or stops at the event at this position.
 */

#include <acta/acta_projection.h>
#include <stdio.h>
#include <stdlib.h>

#include "patient.h"

/* However slow the machine is, it notes its progress at the same places. */
#define NOTE_MS (3600 * 1000)

static enum acta_verdict
handle(void *user, struct acta_context *context, const struct acta_event *event)
{
    const uint64_t *bad = user;

    return event->position == *bad
               ? acta_context_fail(context, ACTA_VERDICT_STOP, "no \"%s\"",
                                   event->type)
               : ACTA_VERDICT_OK;
}

int
main(int argc, char **argv)
{
    struct acta_projector_options how = acta_projector_options_of();
    struct acta_projection *projection;
    struct acta_projector *projector = NULL;
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err = {ACTA_OK, ""};
    uint64_t bad;

    if (argc != 4) {
        return EXIT_FAILURE;
    }
    options = patient_options(argv[1]);
    projection = acta_projection_new(argv[2]);
    bad = strtoull(argv[3], NULL, 10);
    how.is_once = true;
    how.note_ms = NOTE_MS;
    acta_projection_on_default(projection, handle, &bad);
    if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
        acta_projector_new(&projector, projection, sync, &how, &err) ==
            ACTA_OK) {
        (void)acta_projector_run(projector, &err);
    }
    printf("%s\n", err.code == ACTA_OK ? "done" : err.text);
    acta_projector_free(projector);
    acta_sync_close(sync);
    acta_projection_free(projection);
    return EXIT_SUCCESS;
}
