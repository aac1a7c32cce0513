#include "view.h"

#include <stdatomic.h>
#include <stdio.h>

#include "watch.h"

static enum acta_verdict
do_nothing(void *user, struct acta_context *context,
           const struct acta_event *event)
{
    struct acta_err err;

    (void)user;
    (void)event;
    if (watch_check(&err) != ACTA_OK) {
        return acta_context_fail(context, ACTA_VERDICT_STOP, "%s", err.text);
    }
    return ACTA_VERDICT_OK;
}

static void
on_link(void *user, bool up, const struct acta_err *err)
{
    struct view *view = user;
    struct acta_err why;

    (void)err;
    if (!up && view->projector != NULL && watch_check(&why) != ACTA_OK) {
        acta_projector_interrupt(view->projector);
    }
}

enum acta_code
view_open(struct view *view, const struct bench *bench, bool has_ledger,
          const struct acta_projector_options *options, struct acta_err *err)
{
    static atomic_uint number;
    struct acta_options connect = acta_options_of(bench->url);
    enum acta_code code = ACTA_OK;

    *view = (struct view){.sync = NULL};
    snprintf(view->name, sizeof(view->name), "view-%08x-%u",
             bench->sample.names, number++);
    view->projection = acta_projection_new(view->name);
    if (has_ledger) {
        code = ledger_open(&view->ledger,
                           option_text(bench->options, OPTION_DIR), err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (has_ledger) {
        acta_projection_on_default(view->projection, ledger_handle,
                                   &view->ledger);
        acta_projection_keep(view->projection,
                             acta_sqlite_keeper(view->ledger.model));
    } else {
        acta_projection_on_default(view->projection, do_nothing, NULL);
    }
    connect.name = "acta-bench";
    connect.timeout_ms = VIEW_TIMEOUT_MS;
    connect.on_link = on_link;
    connect.user = view;
    code = acta_sync_open(&view->sync, &connect, err);
    return code == ACTA_OK
               ? acta_projector_new(&view->projector, view->projection,
                                    view->sync, options, err)
               : code;
}

void
view_close(struct view *view)
{
    acta_projector_free(view->projector);
    view->projector = NULL;
    if (view->sync != NULL) {
        /* It is there if the projector has run. */
        (void)acta_sync_delete_consumer(view->sync, view->name, NULL, NULL);
    }
    acta_sync_close(view->sync);
    acta_projection_free(view->projection);
    ledger_close(&view->ledger);
}
