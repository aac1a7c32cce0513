/* A command is decided from the events that match a query: all that is wanted
 * for it, whatever their streams. They are read up to a position, and what is
 * decided is stored on the condition that no more match behind it.
 */

#include "handler.h"

/* What is decided from. */
struct known {
    struct acta_query *query; /* owned; NULL: nothing is wanted. */
    void *state;              /* owned */
    uint64_t position;        /* It is as of here. */
};

static enum acta_code
fold(struct acta_handler *handler, struct known *known,
     const struct acta_event *event, struct acta_err *err)
{
    return scope_fold(&handler->scope, known->state, handler->upcast, event,
                      &handler->counts.events, err);
}

/* Read on, to the end. */
static enum acta_code
read_on(struct acta_handler *handler, struct known *known, struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(known->query);
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    enum acta_code code;

    if (known->query == NULL) {
        return ACTA_OK;
    }
    read.from = known->position;
    code = acta_cursor_open(&cursor, handler->sync, &read, err);
    if (code != ACTA_OK) {
        return code;
    }
    do {
        code = acta_cursor_next(cursor, &event, err);
        if (code == ACTA_OK && event != NULL) {
            code = fold(handler, known, event, err);
        }
    } while (code == ACTA_OK && event != NULL);
    known->position = acta_cursor_head(cursor);
    acta_cursor_close(cursor);
    return code;
}

/* False: there is no memory. */
static bool
forget(struct acta_handler *handler, struct known *known)
{
    const struct state_kind *kind = &handler->model->ruling.state;

    state_free(kind, known->state);
    known->state = state_new(kind);
    known->position = 0;
    return known->state != NULL;
}

/* Know what is there now: all of another database, if one answers by then. */
static enum acta_code
read_up(struct acta_handler *handler, struct known *known, struct acta_err *err)
{
    enum acta_code code = read_on(handler, known, err);

    while (handler_is_elsewhere(handler)) {
        if (!forget(handler, known)) {
            return acta_fail(err, ACTA_MEMORY, "state of a decision model");
        }
        code = read_on(handler, known, err);
    }
    return code;
}

/* Fold what the refusal has brought along, or read it. */
static enum acta_code
catch_up(struct acta_handler *handler, struct known *known,
         const struct acta_unseen *unseen, struct acta_err *err)
{
    bool is_elsewhere = handler_is_elsewhere(handler);
    enum acta_code code = ACTA_OK;

    handler->counts.conflicts++;
    if (is_elsewhere && !forget(handler, known)) {
        return acta_fail(err, ACTA_MEMORY, "state of a decision model");
    }
    if (is_elsewhere || unseen == NULL || !unseen->complete) {
        return read_up(handler, known, err);
    }
    for (size_t i = 0; code == ACTA_OK && i < unseen->events_count; i++) {
        if (unseen->events[i]->position > known->position) {
            code = fold(handler, known, unseen->events[i], err);
        }
    }
    known->position = unseen->head;
    return code;
}

static enum acta_code
append(struct acta_handler *handler, const struct known *known,
       const struct acta_appended **appended, struct acta_err *err)
{
    handler_begin_append(handler);
    decision_write(&handler->decision, &handler->context, handler->append, NULL,
                   0);
    if (known->query != NULL) {
        acta_append_condition(handler->append, known->query, known->position);
    }
    return acta_sync_append(handler->sync, handler->append, appended, err);
}

static enum acta_code
decide_until_stored(struct acta_handler *handler, const struct command_row *row,
                    struct known *known, struct acta_err *err)
{
    const struct acta_appended *appended;
    enum acta_code code = read_up(handler, known, err);

    while (code == ACTA_OK) {
        code = handler_decide(handler, row, known->state, err);
        if (code != ACTA_OK) {
            break;
        }
        if (!handler_has_events(handler)) {
            return handler_end_without_events(handler, err);
        }
        code = append(handler, known, &appended, err);
        if (code == ACTA_OK) {
            return handler_end(handler, appended, err);
        }
        if (!handler_may_try_again(handler, code)) {
            break;
        }
        code = catch_up(handler, known, appended->unseen, err);
    }
    return code;
}

enum acta_code
handle_on_query(struct acta_handler *handler, const struct command_row *row,
                struct acta_err *err)
{
    const struct ruling *ruling = &handler->model->ruling;
    struct known known = {.query = NULL};
    enum acta_code code = scope_ask(&handler->scope, handler->model, row,
                                    &handler->context.command, err);

    if (code != ACTA_OK) {
        return code;
    }
    known.state = state_new(&ruling->state);
    if (handler->scope.count > 0) {
        known.query = scope_query(&handler->scope);
    }
    if (known.state == NULL ||
        (handler->scope.count > 0 && known.query == NULL)) {
        code = acta_fail(err, ACTA_MEMORY, "state of a decision model");
    } else {
        code = decide_until_stored(handler, row, &known, err);
    }
    acta_query_free(known.query);
    state_free(&ruling->state, known.state);
    return code;
}
