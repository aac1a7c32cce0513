/* A manager is a projector that does something else with its events: following
 * the consumer, standing by, retries, parking and notes are the projector's;
 * states are loaded and kept by a handler of commands, which handles none.
 *
 * Events that nothing follows from are passed over, and the checkpoint moves
 * with the next append, or else at the end of what the server has sent.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "given.h"
#include "handler.h"
#include "process.h"
#include "projector.h"

struct acta_manager {
    const struct acta_process *process;
    struct acta_projection *projection; /* owned: all events are for us. */
    struct acta_query *query;           /* owned */
    struct acta_projector *projector;   /* owned */
    struct acta_handler *handler;       /* owned */
    struct acta_reaction reaction;      /* owned */
    uint64_t conflicts_max;
    bool is_storing; /* What follows from the event at hand was decided, */
    bool is_stored;  /* and is there, with the checkpoint. */
    struct acta_manager_status status;
};

/* ---- one event ---- */

/* Nobody has to wait for an operator because of what is in an event, or in the
 * stream of an instance. What is refused when it is stored may be the same.
 */
static bool
is_poison(const struct acta_manager *manager, enum acta_code code)
{
    if (code == ACTA_INVALID || code == ACTA_TOO_LARGE) {
        return true;
    }
    return manager->is_storing
               ? code == ACTA_TOMBSTONED || code == ACTA_ID_REUSED ||
                     code == ACTA_PARTIAL_REPEAT
               : code == ACTA_CORRUPT || code == ACTA_UNSUPPORTED;
}

/* End the handling of an event: what can be poison is, all else ends the run.
 */
static enum acta_verdict
end_with(const struct acta_manager *manager, struct acta_context *context,
         const struct acta_err *err)
{
    if (is_poison(manager, err->code)) {
        context->is_unreadable = true;
        return acta_context_fail(context, ACTA_VERDICT_PARK, "%s", err->text);
    }
    context->emit_err = *err;
    return ACTA_VERDICT_STOP;
}

/* The append moves the checkpoint to the event at hand from where it is. */
static enum acta_code
store(struct acta_manager *manager, uint64_t version,
      const struct acta_appended **appended, struct acta_err *err)
{
    struct acta_projector *projector = manager->projector;
    struct acta_append *append = projector->append;
    enum acta_code code;

    acta_append_clear(append);
    reaction_write(&manager->reaction, append, version);
    acta_append_checkpoint(append, projector->consumer, projector->epoch,
                           projector->position,
                           manager->reaction.event->position);
    if (projector->lease != NULL) {
        acta_append_lease(append, projector->lease_name,
                          acta_lease_fence(projector->lease));
    }
    do {
        code = acta_sync_append(projector->sync, append, appended, err);
    } while (projector_can_go_on(projector, &code, err));
    return code;
}

static void
count_effects(struct acta_manager *manager)
{
    const struct acta_reaction *reaction = &manager->reaction;
    struct acta_manager_status *status = &manager->status;

    status->stored += reaction->decision.count;
    status->started += reaction->starts;
    status->ended += reaction->ends;
    for (const struct deadline *deadline = reaction->deadlines;
         deadline != NULL; deadline = deadline->next) {
        status->deadlines += deadline->what != NULL;
    }
}

/* All that follows is stored, or had been before: then the checkpoint may be
 * elsewhere still.
 */
static enum acta_code
stored(struct acta_manager *manager, const struct acta_appended *appended,
       struct acta_err *err)
{
    uint64_t position = manager->reaction.event->position;

    if (appended->repeated) {
        manager->status.repeated++;
        return projector_checkpoint(manager->projector, position, err);
    }
    count_effects(manager);
    return ACTA_OK;
}

static enum acta_code
load(struct acta_manager *manager, struct instance **instance,
     struct acta_err *err)
{
    enum acta_code code;

    do {
        code = handler_load(manager->handler, manager->reaction.stream,
                            instance, err);
    } while (projector_can_go_on(manager->projector, &code, err));
    return code;
}

/* React to the state as it is now, and store what follows. CONFLICT: it is
 * another one by now.
 */
static enum acta_code
react(struct acta_manager *manager, enum acta_verdict *verdict,
      struct acta_err *err)
{
    struct acta_reaction *reaction = &manager->reaction;
    const struct acta_appended *appended;
    struct instance *instance;
    enum acta_code code;

    manager->is_storing = false;
    code = load(manager, &instance, err);
    if (code == ACTA_OK) {
        code = reaction_ask(reaction, instance->state, verdict, err);
    }
    if (code != ACTA_OK || !reaction_has_effects(reaction)) {
        return code;
    }
    manager->is_storing = true;
    code = store(manager, instance->version, &appended, err);
    if (code == ACTA_OK) {
        code = stored(manager, appended, err);
    }
    manager->is_stored = code == ACTA_OK;
    return code;
}

static enum acta_verdict
on_event(void *user, struct acta_context *context,
         const struct acta_event *event)
{
    struct acta_manager *manager = user;
    struct acta_reaction *reaction = &manager->reaction;
    enum acta_verdict verdict = ACTA_VERDICT_OK;
    struct acta_err err;
    enum acta_code code = reaction_begin(reaction, context, event, &err);

    if (code != ACTA_OK) {
        return end_with(manager, context, &err);
    }
    if (reaction->route == NULL) {
        return ACTA_VERDICT_OK;
    }
    for (uint64_t i = 0; i < manager->conflicts_max; i++) {
        code = react(manager, &verdict, &err);
        if (code == ACTA_OK) {
            return reaction->is_ignored ? ACTA_VERDICT_SKIP : verdict;
        }
        if (code != ACTA_CONFLICT) {
            break;
        }
        manager->status.conflicts++;
    }
    return end_with(manager, context, &err);
}

/* ---- all of them ---- */

/* *@passed is the position of the event behind which all is handled, if not all
 * of that is stored.
 */
static enum acta_code
handle_one(struct acta_manager *manager, const struct acta_event *event,
           uint64_t *passed, struct acta_err *err)
{
    struct acta_projector *projector = manager->projector;
    struct acta_context context = {.attempt = 0};
    enum acta_verdict verdict;
    enum acta_code code;

    if (projector->tried.is_known &&
        projector->tried.position == event->position) {
        code = projector_settle(projector, event, err);
        if (code == ACTA_OK && projector->position >= event->position) {
            *passed = projector->position;
        }
        return code;
    }
    manager->is_storing = false;
    manager->is_stored = false;
    code = projector_try(projector, event, &context, &verdict, err);
    if (code != ACTA_OK ||
        (verdict != ACTA_VERDICT_OK && verdict != ACTA_VERDICT_SKIP)) {
        return code;
    }
    if (manager->is_stored) {
        projector->position = event->position;
    }
    *passed = event->position;
    if (manager->reaction.route != NULL) {
        projector->status.handled++;
        projector->status.skipped += verdict == ACTA_VERDICT_SKIP;
        projector->note_is_due = true;
    }
    return ACTA_OK;
}

static enum acta_code
move_on(struct acta_projector *projector, uint64_t position,
        struct acta_err *err)
{
    enum acta_code code = projector_checkpoint(projector, position, err);

    if (code == ACTA_OK) {
        projector->position = position;
    }
    return code;
}

static enum acta_code
handle(struct acta_projector *projector, const struct acta_event *const *events,
       size_t count, uint64_t position, struct acta_err *err)
{
    uint64_t passed = projector->position;
    enum acta_code code = ACTA_OK;

    projector->tried.is_known = false;
    while (code == ACTA_OK && count > 0) {
        if (events[0]->position <= passed) {
            events++;
            count--;
            continue;
        }
        code = projector_turn(projector, 0, err);
        if (code == ACTA_OK) {
            code = handle_one(projector->work, events[0], &passed, err);
        }
        if (code == ACTA_OK) {
            code = projector_note_if_due(projector, err);
        }
    }
    if (code != ACTA_OK) {
        return code;
    }
    return projector->position < position ? move_on(projector, position, err)
                                          : ACTA_OK;
}

/* ---- making one ---- */

static enum acta_code
make_projection(struct acta_manager *manager, struct acta_err *err)
{
    const struct acta_process *process = manager->process;

    manager->projection = acta_projection_new(process->name);
    manager->query = acta_query_new();
    if (manager->query == NULL) {
        return acta_fail(err, ACTA_MEMORY, "manager");
    }
    process_query(process, manager->query);
    acta_projection_on_default(manager->projection, on_event, manager);
    acta_projection_query(manager->projection, manager->query);
    acta_projection_upcasters(manager->projection,
                              process->states->ruling.upcasters);
    return acta_query_check(manager->query, err);
}

static enum acta_code
make_parts(struct acta_manager *manager, struct acta_sync *sync,
           const struct acta_manager_options *options, struct acta_err *err)
{
    struct acta_projector_options running = acta_projector_options_of();
    struct acta_handler_options states = acta_handler_options_of();
    enum acta_code code = make_projection(manager, err);

    running.position = options->position;
    running.attempts_max = options->attempts_max;
    running.retry_ms = options->retry_ms;
    running.on_poison = options->on_poison;
    running.lease_ms = options->lease_ms;
    running.is_once = options->is_once;
    running.note_ms = options->note_ms;
    states.states_max = options->states_max;
    if (code == ACTA_OK) {
        code = acta_projector_new(&manager->projector, manager->projection,
                                  sync, &running, err);
    }
    if (code == ACTA_OK) {
        manager->projector->handle = handle;
        manager->projector->work = manager;
        code = acta_handler_open(&manager->handler, sync,
                                 manager->process->states, &states, err);
    }
    return code;
}

static enum acta_code
take_options(struct acta_manager_options *ours,
             const struct acta_manager_options *given, struct acta_err *err)
{
    *ours = acta_manager_options_of();
    if (given != NULL && !given_copy(ours, sizeof(*ours), given)) {
        return acta_fail(err, ACTA_INVALID,
                         "options are not of acta_manager_options_of()");
    }
    if (ours->conflicts_max == 0) {
        return acta_fail(err, ACTA_INVALID, "conflicts_max is at least 1");
    }
    return ACTA_OK;
}

enum acta_code
acta_manager_new(struct acta_manager **manager,
                 const struct acta_process *process, struct acta_sync *sync,
                 const struct acta_manager_options *options,
                 struct acta_err *err)
{
    struct acta_manager_options ours;
    struct acta_manager *made;
    enum acta_code code;

    *manager = NULL;
    code = acta_process_check(process, err);
    if (code == ACTA_OK) {
        code = take_options(&ours, options, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "manager");
    }
    made->process = process;
    made->conflicts_max = ours.conflicts_max;
    reaction_init(&made->reaction, process);
    code = make_parts(made, sync, &ours, err);
    if (code != ACTA_OK) {
        acta_manager_free(made);
        return code;
    }
    *manager = made;
    return ACTA_OK;
}

void
acta_manager_free(struct acta_manager *manager)
{
    if (manager == NULL) {
        return;
    }
    reaction_fini(&manager->reaction);
    acta_handler_close(manager->handler);
    acta_projector_free(manager->projector);
    acta_projection_free(manager->projection);
    acta_query_free(manager->query);
    free(manager);
}

/* ---- running ---- */

enum acta_code
acta_manager_run(struct acta_manager *manager, struct acta_err *err)
{
    struct acta_err why = {ACTA_OK, ""};
    enum acta_code code = acta_projector_run(manager->projector, &why);

    if (code == ACTA_OK) {
        return ACTA_OK;
    }
    return code == ACTA_FENCED
               ? acta_fail(err, code,
                           "process %s: another instance has taken over: %s",
                           manager->process->name, why.text)
               : acta_fail(err, code, "process %s: %s", manager->process->name,
                           why.text);
}

void
acta_manager_interrupt(struct acta_manager *manager)
{
    acta_projector_interrupt(manager->projector);
}

const struct acta_manager_status *
acta_manager_status(struct acta_manager *manager)
{
    struct acta_manager_status *status = &manager->status;
    const struct acta_projector_status *running =
        acta_projector_status(manager->projector);

    status->state = running->state;
    status->position = running->position;
    status->head = running->head;
    status->handled = running->handled;
    status->ignored = running->skipped;
    status->parked = running->parked;
    status->errors = running->errors;
    status->error_position = running->error_position;
    status->error_stream = running->error_stream;
    status->error_text = running->error_text;
    return status;
}
