/* A command is decided from the stream of an instance.
 *
 * The state in the cache is only moved on by events as the server tells them:
 * by those that a load brings, or a refusal. What was decided here comes with
 * the next load, as it was stored, with its time.
 */

#include "handler.h"
#include "octets.h"

/* Keep the state that was decided from, if so many events went into it since
 * the last snapshot. One that is too large, or cannot be put, is not kept.
 */
static bool
add_snapshot(struct acta_handler *handler, const struct instance *instance)
{
    const struct acta_decider *decider = handler->decider;
    struct buf *buf = &handler->snapshot->buf;

    if (decider->every == 0 ||
        instance->version - instance->snapshot_version < decider->every) {
        return false;
    }
    buf_clear(buf);
    if (!decider->encode(instance->state, handler->snapshot) ||
        buf_failed(buf) || buf_size(buf) > ACTA_SNAPSHOT_SIZE_MAX) {
        return false;
    }
    acta_append_snapshot(handler->append, instance->stream, instance->version,
                         decider->schema, buf_slice(buf).data, buf_size(buf));
    return true;
}

static enum acta_code
append(struct acta_handler *handler, struct instance *instance,
       const struct acta_appended **appended, struct acta_err *err)
{
    bool has_snapshot;
    enum acta_code code;

    handler_begin_append(handler);
    decision_write(&handler->decision, &handler->context, handler->append,
                   instance->stream, (int64_t)instance->version);
    has_snapshot = add_snapshot(handler, instance);
    code = acta_sync_append(handler->sync, handler->append, appended, err);
    if (code == ACTA_OK && has_snapshot && !(*appended)->repeated) {
        instance->snapshot_version = instance->version;
        handler->counts.snapshots++;
    }
    return code;
}

/* Fold what the refusal has brought along. False: it has not brought all, or it
 * does not go on where the state ends: load instead.
 */
static bool
fold_unseen(struct acta_handler *handler, struct instance *instance,
            const struct acta_unseen *unseen, enum acta_code *code,
            struct acta_err *err)
{
    const struct acta_decider *decider = handler->decider;

    if (unseen == NULL || !unseen->complete || unseen->events_count == 0) {
        return false;
    }
    for (size_t i = 0; i < unseen->events_count; i++) {
        const struct acta_event *event = unseen->events[i];

        if (strcmp(event->stream, instance->stream) != 0) {
            continue;
        }
        if (event->version != instance->version + 1) {
            return false;
        }
        *code = fold_event(&decider->fold, instance->state, handler->upcast,
                           decider->ruling.upcasters, event,
                           &handler->counts.events, err);
        if (*code != ACTA_OK) {
            cache_drop(&handler->cache, instance);
            return true;
        }
        instance->version = event->version;
    }
    return true;
}

/* @stream: that of the instance, whose state may have been dropped. */
static enum acta_code
catch_up(struct acta_handler *handler, const char *stream,
         struct instance **instance, const struct acta_appended *appended,
         struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    handler->counts.conflicts++;
    return !handler_is_elsewhere(handler) &&
                   fold_unseen(handler, *instance, appended->unseen, &code, err)
               ? code
               : handler_load(handler, stream, instance, err);
}

enum acta_code
handle_on_stream(struct acta_handler *handler, const struct command_row *row,
                 struct acta_err *err)
{
    const struct acta_appended *appended;
    char stream[ACTA_STREAM_SIZE_MAX + 1];
    struct instance *instance;
    enum acta_code code =
        handler_stream(handler, handler->context.command.target, stream, err);

    if (code != ACTA_OK) {
        return code;
    }
    handler->handled.stream = arena_text(&handler->arena, stream);
    if (handler->handled.stream == NULL) {
        return acta_fail(err, ACTA_MEMORY, "answer");
    }
    code = handler_load(handler, stream, &instance, err);
    while (code == ACTA_OK) {
        handler->handled.version = instance->version;
        code = handler_decide(handler, row, instance->state, err);
        if (code != ACTA_OK) {
            break;
        }
        if (!handler_has_events(handler)) {
            return handler_end_without_events(handler, err);
        }
        code = append(handler, instance, &appended, err);
        if (code == ACTA_OK) {
            return handler_end(handler, appended, err);
        }
        if (!handler_may_try_again(handler, code)) {
            break;
        }
        code = catch_up(handler, stream, &instance, appended, err);
    }
    return code;
}
