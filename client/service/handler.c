#include "handler.h"

#include <stdio.h>
#include <stdlib.h>

#include "given.h"
#include "metadata.h"
#include "name.h"
#include "octets.h"

#define STATES_MAX   1024
#define ATTEMPTS_MAX 10
#define REFUSAL_SIZE ((size_t)64 << 10)

/* ---- opening and closing ---- */

static enum acta_code
take_options(struct acta_handler *handler,
             const struct acta_handler_options *given, size_t *states_max,
             struct acta_err *err)
{
    struct acta_handler_options options = acta_handler_options_of();

    if (given != NULL && !given_copy(&options, sizeof(options), given)) {
        return acta_fail(err, ACTA_INVALID,
                         "options are not of acta_handler_options_of()");
    }
    handler->attempts_max =
        options.attempts_max == 0 ? ATTEMPTS_MAX : options.attempts_max;
    if (options.states_max > 0) {
        *states_max = options.states_max;
    }
    if (options.refusals == NULL) {
        return ACTA_OK;
    }
    handler->refusals = strdup(options.refusals);
    return handler->refusals == NULL
               ? acta_fail(err, ACTA_MEMORY, "handler")
               : name_check(slice_of(options.refusals),
                            ACTA_STREAM_SIZE_MAX - ACTA_ID_TEXT_SIZE,
                            "category of refusals", err);
}

static enum acta_code
make_parts(struct acta_handler *handler, const struct ruling *ruling,
           size_t states_max, struct acta_err *err)
{
    decision_init(&handler->decision);
    handler->decision.user = ruling->user;
    handler->decision.upcasters = ruling->upcasters;
    handler->decision.has_own_stream = handler->decider != NULL;
    handler->upcast = acta_upcast_new();
    handler->append = acta_append_new();
    handler->snapshot = calloc(1, sizeof(*handler->snapshot));
    if (handler->upcast == NULL || handler->append == NULL ||
        handler->snapshot == NULL) {
        return acta_fail(err, ACTA_MEMORY, "handler");
    }
    buf_init(&handler->snapshot->buf, BYTES_SIZE_MAX);
    return cache_init(&handler->cache, &ruling->state, states_max, err);
}

static enum acta_code
open_it(struct acta_handler **handler, struct acta_sync *sync,
        const struct acta_decider *decider, const struct acta_model *model,
        const struct acta_handler_options *options, struct acta_err *err)
{
    struct acta_handler *made = calloc(1, sizeof(*made));
    size_t states_max = STATES_MAX;
    enum acta_code code;

    *handler = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "handler");
    }
    made->sync = sync;
    made->decider = decider;
    made->model = model;
    code = take_options(made, options, &states_max, err);
    if (code == ACTA_OK) {
        code = make_parts(made,
                          decider != NULL ? &decider->ruling : &model->ruling,
                          states_max, err);
    }
    if (code != ACTA_OK) {
        acta_handler_close(made);
        return code;
    }
    (void)handler_is_elsewhere(made); /* From here on it is noticed. */
    *handler = made;
    return ACTA_OK;
}

enum acta_code
acta_handler_open(struct acta_handler **handler, struct acta_sync *sync,
                  const struct acta_decider *decider,
                  const struct acta_handler_options *options,
                  struct acta_err *err)
{
    enum acta_code code = acta_decider_check(decider, err);

    *handler = NULL;
    return code != ACTA_OK
               ? code
               : open_it(handler, sync, decider, NULL, options, err);
}

enum acta_code
acta_handler_open_model(struct acta_handler **handler, struct acta_sync *sync,
                        const struct acta_model *model,
                        const struct acta_handler_options *options,
                        struct acta_err *err)
{
    enum acta_code code = acta_model_check(model, err);

    *handler = NULL;
    return code != ACTA_OK ? code
                           : open_it(handler, sync, NULL, model, options, err);
}

void
acta_handler_close(struct acta_handler *handler)
{
    if (handler == NULL) {
        return;
    }
    if (handler->cache.chains != NULL) {
        cache_fini(&handler->cache);
    }
    if (handler->snapshot != NULL) {
        buf_fini(&handler->snapshot->buf);
    }
    scope_fini(&handler->scope);
    decision_fini(&handler->decision);
    arena_fini(&handler->arena);
    acta_upcast_free(handler->upcast);
    acta_append_free(handler->append);
    free(handler->snapshot);
    free(handler->refusals);
    free(handler);
}

/* ---- steps of handling ---- */

enum acta_code
handler_decide(struct acta_handler *handler, const struct command_row *row,
               const void *state, struct acta_err *err)
{
    decision_begin(&handler->decision, &handler->context);
    handler->handled.attempts++;
    row->decide(state, &handler->context.command, &handler->decision);
    return decision_check(&handler->decision, err);
}

void
handler_begin_append(struct acta_handler *handler)
{
    acta_append_clear(handler->append);
    acta_append_command_id(handler->append, &handler->context.id);
    acta_append_unseen(handler->append, ACTA_UNSEEN_EVENTS_MAX, 0);
}

bool
handler_may_try_again(const struct acta_handler *handler, enum acta_code code)
{
    return (code == ACTA_CONFLICT || code == ACTA_UNDECIDED) &&
           handler->handled.attempts < handler->attempts_max;
}

/* ---- refusals ---- */

/* The name of the stream in which the refusal of this command is kept. */
static void
name_refusals(const struct acta_handler *handler,
              char stream[ACTA_STREAM_SIZE_MAX + 1])
{
    char id[ACTA_ID_TEXT_SIZE];

    acta_id_format(&handler->context.id, id);
    snprintf(stream, ACTA_STREAM_SIZE_MAX + 1, "%s-%s", handler->refusals, id);
}

/* Store the refusal under the command's id, so that it is its answer for ever.
 */
static enum acta_code
keep_refusal(struct acta_handler *handler,
             const struct acta_appended **appended, struct acta_err *err)
{
    const struct acta_refusal *refusal = &handler->decision.refusal;
    const struct acta_command *command = &handler->context.command;
    char stream[ACTA_STREAM_SIZE_MAX + 1];
    struct acta_draft draft;
    enum acta_code code;
    struct buf json;

    buf_init(&json, REFUSAL_SIZE);
    metadata_put(&json, "command", command->type);
    metadata_put(&json, "target", command->target);
    metadata_put(&json, "code", refusal->code);
    metadata_put(&json, "field", refusal->field);
    metadata_put(&json, "text", refusal->text);
    draft = acta_draft_of(REFUSED_TYPE, buf_slice(&json).data, buf_size(&json));
    draft.format = ACTA_FORMAT_JSON;
    draft.correlation_id = command->correlation_id;
    draft.causation_id = command->id;
    draft.metadata = buf_slice(&handler->decision.metadata).data;
    draft.metadata_size = buf_size(&handler->decision.metadata);
    name_refusals(handler, stream);
    handler_begin_append(handler);
    acta_append_stream(handler->append, stream, ACTA_EXPECT_ANY);
    acta_append_event(handler->append, &draft);
    code = buf_failed(&json) ? acta_fail(err, ACTA_MEMORY, "refusal")
                             : acta_sync_append(handler->sync, handler->append,
                                                appended, err);
    buf_fini(&json);
    return code;
}

/* The text under @key of an event with texts; "" if there is none. */
static const char *
get_text(struct acta_handler *handler, const struct acta_event *event,
         const char *key)
{
    const char *copy = "";
    struct buf text;

    buf_init(&text, REFUSAL_SIZE);
    if (metadata_get(event->data, event->data_size, key, &text)) {
        copy =
            arena_copy(&handler->arena, buf_slice(&text).data, buf_size(&text));
    }
    buf_fini(&text);
    return copy;
}

static void
refuse(struct acta_handler *handler, const struct acta_refusal *refusal)
{
    handler->refusal = *refusal;
    handler->handled.refusal = &handler->refusal;
}

/* ---- ends ---- */

static enum acta_code
copy_runs(struct acta_handler *handler, const struct acta_appended *appended,
          struct acta_err *err)
{
    size_t count = appended->runs_count;
    struct acta_run *runs = arena_alloc(&handler->arena, count * sizeof(*runs));
    const struct acta_run **pointers =
        arena_alloc(&handler->arena, count * sizeof(*pointers));

    if (runs == NULL || pointers == NULL) {
        return acta_fail(err, ACTA_MEMORY, "answer");
    }
    handler->handled.events_count = 0;
    for (size_t i = 0; i < count; i++) {
        runs[i] = *appended->runs[i];
        pointers[i] = &runs[i];
        handler->handled.events_count += (size_t)runs[i].count;
    }
    handler->handled.runs = pointers;
    handler->handled.runs_count = count;
    handler->handled.position = appended->position;
    return ACTA_OK;
}

/* The last version in the runs of write 0, which is the instance's own stream
 * if it has events at all.
 */
static void
take_version(struct acta_handler *handler)
{
    struct acta_handled *handled = &handler->handled;

    for (size_t i = 0; i < handled->runs_count; i++) {
        const struct acta_run *run = handled->runs[i];

        if (run->write == 0) {
            handled->version = run->first_version + run->count - 1;
        }
    }
}

/* The first event that the command made tells what it was: a refusal that was
 * kept, or an event in the instance's stream or in another.
 */
static enum acta_code
look_at_first(struct acta_handler *handler, struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(NULL);
    struct acta_handled *handled = &handler->handled;
    const struct acta_event *event;
    const struct acta_page *page;
    enum acta_code code;

    read.from = handled->runs[0]->first_position - 1;
    read.events_max = 1;
    code = acta_sync_read(handler->sync, &read, &page, err);
    if (code != ACTA_OK || page->events_count == 0 ||
        page->events[0]->position != read.from + 1) {
        return code; /* Hidden: nothing more is known of it. */
    }
    event = page->events[0];
    if (strcmp(event->stream, handled->stream) == 0) {
        take_version(handler);
    }
    if (strcmp(event->type, REFUSED_TYPE) == 0 && event->causation_id != NULL &&
        memcmp(event->causation_id, &handler->context.id,
               sizeof(handler->context.id)) == 0) {
        refuse(handler, &(struct acta_refusal){
                            .code = get_text(handler, event, "code"),
                            .field = get_text(handler, event, "field"),
                            .text = get_text(handler, event, "text"),
                        });
        handled->position = 0;
        handled->runs_count = 0;
        handled->events_count = 0;
    }
    return handler->arena.failed ? acta_fail(err, ACTA_MEMORY, "answer")
                                 : ACTA_OK;
}

enum acta_code
handler_end(struct acta_handler *handler, const struct acta_appended *appended,
            struct acta_err *err)
{
    enum acta_code code = copy_runs(handler, appended, err);

    if (code != ACTA_OK) {
        return code;
    }
    handler->handled.repeated = appended->repeated;
    if (appended->repeated) {
        return handler->handled.runs_count == 0 ? ACTA_OK
                                                : look_at_first(handler, err);
    }
    if (decision_own_count(&handler->decision) > 0) {
        take_version(handler);
    }
    return ACTA_OK;
}

enum acta_code
handler_end_without_events(struct acta_handler *handler, struct acta_err *err)
{
    bool is_refused = handler->decision.is_refused;
    const struct acta_appended *appended;
    struct acta_err ignored;
    enum acta_code code = ACTA_NOT_FOUND;

    if (is_refused && handler->refusals != NULL) {
        code = keep_refusal(handler, &appended, err);
        if (code != ACTA_OK) {
            return code;
        }
    } else if (!handler->context.is_new) {
        code = acta_sync_find_command(handler->sync, &handler->context.id,
                                      &appended, &ignored);
    }
    if (code == ACTA_OK && appended->repeated) {
        return handler_end(handler, appended, err);
    }
    /* A database that keeps no ids of commands knows of none. */
    if (code != ACTA_OK && code != ACTA_NOT_FOUND && code != ACTA_UNSUPPORTED) {
        return acta_fail(err, code, "%s", ignored.text);
    }
    if (is_refused) {
        refuse(handler, &handler->decision.refusal);
    }
    return ACTA_OK;
}

/* ---- handling ---- */

enum acta_code
acta_handle(struct acta_handler *handler, const struct acta_command *command,
            const struct acta_handled **handled, struct acta_err *err)
{
    const struct ruling *ruling = handler->decider != NULL
                                      ? &handler->decider->ruling
                                      : &handler->model->ruling;
    const struct command_row *row;
    struct acta_err why;
    enum acta_code code;

    arena_clear(&handler->arena);
    handler->handled = (struct acta_handled){
        .command_id = &handler->context.id,
        .stream = "",
    };
    *handled = &handler->handled;
    code = context_init(&handler->context, command, &handler->arena, err);
    if (code != ACTA_OK) {
        return code;
    }
    row = ruling_command(ruling, handler->context.command.type);
    if (row == NULL) {
        return acta_fail(err, ACTA_UNSUPPORTED, "no command %s is known",
                         handler->context.command.type);
    }
    /* Attempts that others were faster than are not told, if one succeeds. */
    code = handler->decider != NULL ? handle_on_stream(handler, row, &why)
                                    : handle_on_query(handler, row, &why);
    if (code != ACTA_OK) {
        return acta_fail(err, code, "%s", why.text);
    }
    handler->counts.commands++;
    handler->counts.refused += handler->handled.refusal != NULL;
    handler->counts.repeated += handler->handled.repeated;
    return ACTA_OK;
}

enum acta_code
acta_handler_state(struct acta_handler *handler, const char *target,
                   const void **state, uint64_t *version, struct acta_err *err)
{
    char stream[ACTA_STREAM_SIZE_MAX + 1];
    struct instance *instance;
    enum acta_code code;

    *state = NULL;
    if (handler->decider == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "a decision model has no instances");
    }
    code = handler_stream(handler, target, stream, err);
    if (code == ACTA_OK) {
        code = handler_load(handler, stream, &instance, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    *state = instance->state;
    if (version != NULL) {
        *version = instance->version;
    }
    return ACTA_OK;
}

const struct acta_handler_counts *
acta_handler_counts(const struct acta_handler *handler)
{
    return &handler->counts;
}
