/* Events of a batch are handled in one transaction, or their emitted events are
 * one append. If one of them cannot be handled, those before it are committed
 * without it; then it is on its own, is tried again, and parked if need be,
 * which is a batch of its own too.
 *
 * Only what has effects that can be undone is handled again: a projection whose
 * checkpoint the server keeps, and that has emitted nothing, has handled what
 * came before the event, and that is that.
 */

#include <acta/acta_poll.h>
#include <inttypes.h>
#include <stdio.h>

#include "projector.h"

/* An append with so much is sent, with what belongs to the same event. */
#define EMITTED_MAX      1000
#define EMITTED_SIZE_MAX (1 << 20)

static bool
has_keeper(const struct acta_projector *projector)
{
    return projector->projection->has_keeper;
}

/* ---- the model ---- */

/* Begin where the model was left: else another instance is at work on it. */
static enum acta_code
begin(struct acta_projector *projector, struct acta_err *err)
{
    const struct acta_keeper *keeper = &projector->keeper;
    const char *name = projector->projection->name;
    uint64_t position;
    enum acta_code code;

    acta_append_clear(projector->append);
    if (!has_keeper(projector)) {
        return ACTA_OK;
    }
    code = keeper->begin(keeper->user, name, err);
    if (code != ACTA_OK) {
        projector->model_failed = true;
        return code;
    }
    code = keeper->load(keeper->user, name, &position, err);
    projector->model_failed = code != ACTA_OK;
    if (code == ACTA_OK && position != projector->saved) {
        code = acta_fail(err, ACTA_FENCED,
                         "the model of %s was at %" PRIu64
                         ", and another instance has brought it to %" PRIu64,
                         name, projector->saved, position);
    }
    if (code != ACTA_OK) {
        keeper->rollback(keeper->user);
    }
    return code;
}

static void
roll_back(struct acta_projector *projector)
{
    if (has_keeper(projector)) {
        projector->keeper.rollback(projector->keeper.user);
    }
    acta_append_clear(projector->append);
}

static enum acta_code
commit_model(struct acta_projector *projector, uint64_t position,
             struct acta_err *err)
{
    const struct acta_keeper *keeper = &projector->keeper;
    enum acta_code code =
        keeper->save(keeper->user, projector->projection->name, position, err);

    if (code != ACTA_OK) {
        keeper->rollback(keeper->user);
    } else {
        code = keeper->commit(keeper->user, err);
        projector->is_in_doubt = code != ACTA_OK;
        projector->committing = position;
    }
    projector->model_failed = code != ACTA_OK;
    if (code == ACTA_OK) {
        projector->saved = position;
    }
    return code;
}

/* ---- the server ---- */

/* Store what is in projector->append, once, through outages. */
static enum acta_code
append(struct acta_projector *projector, const struct acta_appended **appended,
       struct acta_err *err)
{
    enum acta_code code;

    do {
        code =
            acta_sync_append(projector->sync, projector->append, appended, err);
    } while (projector_can_go_on(projector, &code, err));
    return code;
}

/* Events that are all there, since the consumer was set back, move nothing:
 * projector->position says if the checkpoint was moved with them.
 */
static enum acta_code
append_with_checkpoint(struct acta_projector *projector, uint64_t position,
                       struct acta_err *err)
{
    const struct acta_appended *appended;
    enum acta_code code;

    acta_append_checkpoint(projector->append, projector->consumer,
                           projector->epoch, ACTA_FROM_ANY, position);
    if (projector->lease != NULL) {
        acta_append_lease(projector->append, projector->lease_name,
                          acta_lease_fence(projector->lease));
    }
    code = append(projector, &appended, err);
    if (code == ACTA_OK && !appended->repeated) {
        projector->position = position;
    }
    return code;
}

static enum acta_code
move_checkpoint(struct acta_projector *projector, uint64_t position,
                struct acta_err *err)
{
    enum acta_code code = projector_checkpoint(projector, position, err);

    if (code == ACTA_OK) {
        projector->position = position;
    }
    return code;
}

/* All up to @position is handled: first the model says so, then the server. */
static enum acta_code
commit(struct acta_projector *projector, uint64_t position,
       struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (has_keeper(projector)) {
        code = commit_model(projector, position, err);
    } else if (acta_append_count(projector->append) > 0) {
        code = append_with_checkpoint(projector, position, err);
    }
    return code == ACTA_OK && projector->position < position
               ? move_checkpoint(projector, position, err)
               : code;
}

/* ---- a batch ---- */

/* Events that are handled together, and how far that came. */
struct batch {
    const struct acta_event *const *events;
    size_t count;
    size_t handled;
    size_t skipped;
    bool is_stuck; /* At the event behind those that were handled. */
};

static struct acta_context
context_of(const struct acta_projector *projector)
{
    struct acta_context context = {
        .emits_nothing = projector->status.state == ACTA_PROJECTOR_REBUILDING,
    };

    if (has_keeper(projector)) {
        const struct acta_keeper *keeper = &projector->keeper;

        context.model =
            keeper->model == NULL ? keeper->user : keeper->model(keeper->user);
        context.emit_refused = "the model keeps the checkpoint";
    } else {
        context.append = projector->append;
    }
    return context;
}

static bool
has_emitted_enough(const struct acta_projector *projector)
{
    return acta_append_count(projector->append) >= EMITTED_MAX ||
           acta_append_size(projector->append) >= EMITTED_SIZE_MAX;
}

/* Let the handlers have the events of a batch that was begun. */
static enum acta_code
run_handlers(struct acta_projector *projector, struct batch *batch,
             struct acta_err *err)
{
    batch->handled = 0;
    batch->skipped = 0;
    batch->is_stuck = false;
    while (batch->handled < batch->count && !has_emitted_enough(projector)) {
        const struct acta_event *event = batch->events[batch->handled];
        struct acta_context context = context_of(projector);
        enum acta_verdict verdict;
        enum acta_code code =
            projector_try(projector, event, &context, &verdict, err);

        if (code != ACTA_OK) {
            return code;
        }
        if (verdict != ACTA_VERDICT_OK && verdict != ACTA_VERDICT_SKIP) {
            batch->is_stuck = true;
            return ACTA_OK;
        }
        batch->handled++;
        batch->skipped += verdict == ACTA_VERDICT_SKIP;
    }
    return ACTA_OK;
}

static bool
can_be_undone(const struct acta_projector *projector)
{
    return has_keeper(projector) || acta_append_count(projector->append) > 0;
}

/* Handle what can be handled at the front of these events: then that is to be
 * committed. If it is nothing, and the batch is stuck, nothing is.
 */
static enum acta_code
run_batch(struct acta_projector *projector, struct batch *batch,
          struct acta_err *err)
{
    for (;;) {
        enum acta_code code = begin(projector, err);

        if (code != ACTA_OK) {
            return code;
        }
        code = run_handlers(projector, batch, err);
        if (code != ACTA_OK || (batch->is_stuck && batch->handled == 0)) {
            roll_back(projector);
            return code;
        }
        if (!batch->is_stuck || !can_be_undone(projector)) {
            return ACTA_OK;
        }
        roll_back(projector);
        batch->count = batch->handled;
    }
}

/* Handle and commit what can be handled at the front of these events. What they
 * emit under ids of their own may be stored in part, from a time when they came
 * in other batches, before the consumer was set back: event by event it is
 * either stored or not.
 */
static enum acta_code
handle_batch(struct acta_projector *projector, struct batch *batch,
             uint64_t position, struct acta_err *err)
{
    size_t count = batch->count;
    enum acta_code code;

    for (;;) {
        uint64_t end = position;

        code = run_batch(projector, batch, err);
        if (code != ACTA_OK || (batch->is_stuck && batch->handled == 0)) {
            return code;
        }
        if (batch->handled < count) {
            end = batch->events[batch->handled - 1]->position;
        }
        code = commit(projector, end, err);
        if (code != ACTA_PARTIAL_REPEAT || batch->handled == 1) {
            break;
        }
        batch->count = 1;
    }
    if (code == ACTA_OK) {
        projector->status.handled += batch->handled;
        projector->status.skipped += batch->skipped;
        projector->note_is_due = projector->note_is_due || batch->handled > 0;
    }
    return code;
}

/* ---- an event that cannot be handled ---- */

static enum acta_code
pause_for(struct acta_projector *projector, uint64_t delay_ms,
          struct acta_err *err)
{
    uint64_t end_ms = acta_poll_now_ms() + delay_ms;
    enum acta_code code = projector_note(projector, err);

    for (;;) {
        uint64_t now_ms = acta_poll_now_ms();
        uint64_t left_ms = now_ms < end_ms ? end_ms - now_ms : 0;

        if (code != ACTA_OK || left_ms == 0) {
            return code;
        }
        code = projector_turn(projector, left_ms < 60000 ? (int)left_ms : 60000,
                              err);
    }
}

/* Lay it aside: the note of it is stored with the checkpoint, or else before
 * that of the model. If it is there, from an earlier time, it stays as it is,
 * whatever was said then.
 */
static enum acta_code
park(struct acta_projector *projector, const struct acta_event *event,
     struct acta_err *err)
{
    enum acta_code code;

    acta_append_clear(projector->append);
    code = projector_put_parked(projector, event, projector->append, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = has_keeper(projector)
               ? append(projector, NULL, err)
               : append_with_checkpoint(projector, event->position, err);
    if (code == ACTA_OK || code == ACTA_ID_REUSED) {
        code = begin(projector, err);
    }
    if (code == ACTA_OK) {
        code = commit(projector, event->position, err);
    }
    if (code == ACTA_OK) {
        projector->status.parked++;
        projector->note_is_due = true;
    }
    return code;
}

enum acta_code
projector_settle(struct acta_projector *projector,
                 const struct acta_event *event, struct acta_err *err)
{
    projector->tried.is_known = false;
    switch (projector_judge(projector)) {
    case ACTA_VERDICT_RETRY:
        return pause_for(projector, projector->tried.delay_ms, err);
    case ACTA_VERDICT_STOP:
        return projector_stop_at(projector, event, err);
    case ACTA_VERDICT_PARK:
    case ACTA_VERDICT_OK:
    case ACTA_VERDICT_SKIP:
        break;
    }
    return park(projector, event, err);
}

/* ---- a model that fails ---- */

/* What the model's store was asked has failed, @failures times now. OK: it may
 * be tried again.
 */
static enum acta_code
recover(struct acta_projector *projector, enum acta_code code,
        uint64_t failures, struct acta_err *err)
{
    projector->model_failed = false;
    projector_blame(projector, NULL, err->text);
    if (failures >= projector->options.attempts_max) {
        projector->is_blamed = true;
        return code;
    }
    return pause_for(projector, projector_pause_ms(projector, failures), err);
}

/* A commit that failed may have been done all the same: nothing goes on before
 * that is known. It may still be under way, behind a connection that was lost:
 * a transaction begins only when it is over.
 */
static enum acta_code
look_up_commit(struct acta_projector *projector, struct acta_err *err)
{
    const struct acta_keeper *keeper = &projector->keeper;
    const char *name = projector->projection->name;
    uint64_t found;
    enum acta_code code = keeper->begin(keeper->user, name, err);

    if (code == ACTA_OK) {
        code = keeper->load(keeper->user, name, &found, err);
        keeper->rollback(keeper->user);
    }
    projector->model_failed = code != ACTA_OK;
    if (code != ACTA_OK) {
        return code;
    }
    projector->is_in_doubt = false;
    if (found != projector->committing) {
        return ACTA_OK;
    }
    projector->saved = found;
    return move_checkpoint(projector, found, err);
}

/* ---- all of them ---- */

static enum acta_code
handle_front(struct acta_projector *projector,
             const struct acta_event *const *events, size_t count,
             uint64_t position, struct acta_err *err)
{
    struct batch batch = {.events = events, .count = count};

    if (projector->is_in_doubt) {
        return look_up_commit(projector, err);
    }
    if (projector->tried.is_known && count > 0 &&
        events[0]->position == projector->tried.position) {
        return projector_settle(projector, events[0], err);
    }
    if (count > projector->options.batch_max) {
        batch.count = projector->options.batch_max;
        position = events[batch.count - 1]->position;
    }
    return handle_batch(projector, &batch, position, err);
}

enum acta_code
projector_handle(struct acta_projector *projector,
                 const struct acta_event *const *events, size_t count,
                 uint64_t position, struct acta_err *err)
{
    uint64_t failures = 0;
    enum acta_code code = ACTA_OK;

    projector->tried.is_known = false;
    projector->model_failed = false;
    while (code == ACTA_OK && projector->position < position) {
        uint64_t before = projector->position;

        while (count > 0 && events[0]->position <= before) {
            events++;
            count--;
        }
        code = projector_turn(projector, 0, err);
        if (code != ACTA_OK) {
            return code;
        }
        code = handle_front(projector, events, count, position, err);
        if (code != ACTA_OK && projector->model_failed) {
            code = recover(projector, code, ++failures, err);
        } else if (projector->position > before) {
            failures = 0;
        }
        if (code == ACTA_OK) {
            code = projector_note_if_due(projector, err);
        }
    }
    return code;
}
