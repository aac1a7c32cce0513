/* A projector that shares its events with others, as a member of a group. Where
 * the group is, what is tried again and what is parked is the server's; each
 * event is a transaction of the model.
 */

#include <acta/acta_group.h>
#include <stdio.h>

#include "projector.h"

#define SLOTS_MAX 100
#define LOOK_MS   50 /* How often it is asked if all is done. */

/* Make the group, or join the one that is there, with the query of now. */
static enum acta_code
make_group(struct acta_projector *projector, struct acta_err *err)
{
    struct acta_group group =
        acta_group_of(ACTA_GROUP_QUERY | ACTA_GROUP_DELIVERIES_MAX);
    enum acta_code code;

    group.query = projector->query;
    group.deliveries_max = projector->options.attempts_max;
    group.position = projector->options.position;
    group.key_tag = projector->options.key_tag;
    do {
        code = acta_sync_create_group(projector->sync, projector->consumer,
                                      &group, NULL, err);
    } while (projector_can_go_on(projector, &code, err));
    if (code != ACTA_EXISTS) {
        return code;
    }
    group.given = ACTA_GROUP_QUERY;
    do {
        code = acta_sync_alter_group(projector->sync, projector->consumer,
                                     &group, NULL, err);
    } while (projector_can_go_on(projector, &code, err));
    return code == ACTA_INVALID
               ? acta_fail(err, ACTA_EXISTS,
                           "consumer %s is there, and is no group",
                           projector->consumer)
               : code;
}

/* ---- one event ---- */

/* Let the handler have the event, in a transaction of the model. */
static enum acta_code
handle(struct acta_projector *projector, const struct acta_handed *handed,
       enum acta_verdict *verdict, struct acta_err *err)
{
    const struct acta_keeper *keeper = &projector->keeper;
    bool has_keeper = projector->projection->has_keeper;
    struct acta_context context = {
        .attempt = handed->deliveries,
        .emit_refused = "events are shared with others",
    };
    enum acta_code code = ACTA_OK;

    if (has_keeper) {
        code = keeper->begin(keeper->user, projector->projection->name, err);
        projector->model_failed = code != ACTA_OK;
        if (code != ACTA_OK) {
            return code;
        }
        context.model =
            keeper->model == NULL ? keeper->user : keeper->model(keeper->user);
    }
    code = projector_try(projector, handed->event, &context, verdict, err);
    if (!has_keeper) {
        return code;
    }
    if (code != ACTA_OK ||
        (*verdict != ACTA_VERDICT_OK && *verdict != ACTA_VERDICT_SKIP)) {
        keeper->rollback(keeper->user);
        return code;
    }
    code = keeper->commit(keeper->user, err);
    projector->model_failed = code != ACTA_OK;
    return code;
}

/* Tell the server what became of an event that could not be handled. */
static enum acta_code
settle(struct acta_projector *projector, struct acta_worker *worker,
       const struct acta_handed *handed, struct acta_err *err)
{
    const struct acta_event *event = handed->event;

    switch (projector_judge(projector)) {
    case ACTA_VERDICT_RETRY:
        acta_worker_retry(worker, handed->number, projector->tried.delay_ms);
        return ACTA_OK;
    case ACTA_VERDICT_STOP:
        return projector_stop_at(projector, event, err);
    case ACTA_VERDICT_PARK:
    case ACTA_VERDICT_OK:
    case ACTA_VERDICT_SKIP:
        break;
    }
    acta_worker_park(worker, handed->number, projector->tried.text);
    projector->status.parked++;
    return ACTA_OK;
}

static enum acta_code
handle_and_settle(struct acta_projector *projector, struct acta_worker *worker,
                  const struct acta_handed *handed, uint64_t *failures,
                  struct acta_err *err)
{
    enum acta_verdict verdict = ACTA_VERDICT_OK;
    enum acta_code code;

    projector->model_failed = false;
    code = handle(projector, handed, &verdict, err);
    if (code != ACTA_OK && projector->model_failed) {
        projector_blame(projector, handed->event, err->text);
        if (++*failures >= projector->options.attempts_max) {
            projector->is_blamed = true;
            return code;
        }
        acta_worker_retry(worker, handed->number,
                          projector_pause_ms(projector, *failures));
        return ACTA_OK;
    }
    if (code != ACTA_OK) {
        return code;
    }
    *failures = 0;
    if (verdict != ACTA_VERDICT_OK && verdict != ACTA_VERDICT_SKIP) {
        return settle(projector, worker, handed, err);
    }
    acta_worker_ack(worker, handed->number);
    projector->status.handled++;
    projector->status.skipped += verdict == ACTA_VERDICT_SKIP;
    return ACTA_OK;
}

/* ---- all of them ---- */

/* The members together have handled all that there is. */
static enum acta_code
look_if_done(struct acta_projector *projector, struct acta_worker *worker,
             bool *is_done, struct acta_err *err)
{
    const struct acta_consumer_description *description;
    enum acta_code code = acta_worker_settle(worker, err);

    *is_done = false;
    if (code != ACTA_OK && code != ACTA_FENCED && code != ACTA_UNKNOWN) {
        return code;
    }
    do {
        code = acta_sync_describe_consumer(projector->sync, projector->consumer,
                                           &description, err);
    } while (projector_can_go_on(projector, &code, err));
    if (code == ACTA_OK) {
        projector->position = description->consumer->position;
        projector->status.head = description->consumer->head;
        *is_done = description->consumer->lag_matching == 0;
    }
    return code;
}

static enum acta_code
wait_for_more(struct acta_projector *projector, struct acta_worker *worker,
              bool *is_done, struct acta_err *err)
{
    enum acta_code code;

    if (!projector->options.is_once) {
        return projector_turn(projector, -1, err);
    }
    code = look_if_done(projector, worker, is_done, err);
    return code == ACTA_OK && !*is_done
               ? projector_turn(projector, LOOK_MS, err)
               : code;
}

static enum acta_code
work(struct acta_projector *projector, struct acta_worker *worker,
     struct acta_err *err)
{
    const struct acta_handed *handed;
    enum acta_code code = ACTA_OK;
    uint64_t failures = 0;
    bool is_done = false;

    while (code == ACTA_OK && !is_done) {
        code = acta_worker_next(worker, 0, &handed, err);
        if (code == ACTA_TIMEOUT) {
            code = wait_for_more(projector, worker, &is_done, err);
            continue;
        }
        if (code == ACTA_OK) {
            projector->status.head = handed->head;
            code = handle_and_settle(projector, worker, handed, &failures, err);
        }
        if (code == ACTA_OK) {
            code = projector_turn(projector, 0, err);
        }
    }
    return code;
}

enum acta_code
projector_run_group(struct acta_projector *projector, struct acta_err *err)
{
    size_t slots = projector->options.batch_max;
    struct acta_join join = acta_join_of(projector->consumer,
                                         slots < SLOTS_MAX ? slots : SLOTS_MAX);
    struct acta_worker *worker = NULL;
    enum acta_code code = make_group(projector, err);

    projector->replay_until = 0;
    projector->is_blamed = false;
    if (code != ACTA_OK) {
        return code;
    }
    do {
        code = acta_worker_open(&worker, projector->sync, &join, err);
    } while (projector_can_go_on(projector, &code, err));
    if (code != ACTA_OK) {
        return code;
    }
    projector->status.state = ACTA_PROJECTOR_RUNNING;
    code = work(projector, worker, err);
    projector_stopped(projector, code, err);
    acta_worker_close(worker);
    return code;
}
