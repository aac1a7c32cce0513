#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

#include "draft.h"
#include "octets.h"

/* ---- what is wrong ---- */

void
kit_say(struct kit_problem *problem, const char *format, ...)
{
    va_list args;

    if (!kit_is_wrong(problem)) {
        va_start(args, format);
        vsnprintf(problem->text, sizeof(problem->text), format, args);
        va_end(args);
    }
}

const char *
kit_tell(struct kit_problem *problem)
{
    memcpy(problem->told, problem->text, sizeof(problem->told));
    problem->text[0] = '\0';
    return problem->told;
}

/* ---- making ---- */

static struct acta_kit *
make(const struct acta_decider *decider, const struct acta_model *model)
{
    struct acta_kit *kit = calloc(1, sizeof(*kit));
    const struct ruling *ruling =
        decider != NULL ? &decider->ruling : &model->ruling;

    if (kit == NULL) {
        return NULL;
    }
    kit->decider = decider;
    kit->model = model;
    kit->upcast = acta_upcast_new();
    decision_init(&kit->decision);
    kit->decision.user = ruling->user;
    kit->decision.upcasters = ruling->upcasters;
    kit->decision.has_own_stream = decider != NULL;
    if (kit->upcast == NULL) {
        acta_kit_free(kit);
        return NULL;
    }
    return kit;
}

struct acta_kit *
acta_kit_of_decider(const struct acta_decider *decider)
{
    return decider == NULL ? NULL : make(decider, NULL);
}

struct acta_kit *
acta_kit_of_model(const struct acta_model *model)
{
    return model == NULL ? NULL : make(NULL, model);
}

void
acta_kit_free(struct acta_kit *kit)
{
    if (kit == NULL) {
        return;
    }
    decision_fini(&kit->decision);
    scope_fini(&kit->scope);
    arena_fini(&kit->arena);
    acta_upcast_free(kit->upcast);
    free(kit);
}

/* ---- naming events ---- */

static void
name_event(struct acta_kit *kit, struct kit_events *events, const char *stream,
           const struct acta_draft *draft, bool is_of_any_format)
{
    struct arena *arena = &kit->arena;
    struct kit_event *event = arena_alloc(arena, sizeof(*event));
    const char **tags = arena_alloc(arena, ACTA_TAGS_MAX * sizeof(*tags));

    if (event == NULL || tags == NULL) {
        return;
    }
    event->stream = arena_text(arena, stream);
    event->draft = *draft;
    event->draft.type = arena_text(arena, draft->type);
    event->draft.data = arena_copy(arena, draft->data, draft->data_size);
    if (draft->metadata != NULL) {
        event->draft.metadata =
            arena_copy(arena, draft->metadata, draft->metadata_size);
    }
    for (size_t i = 0; i < draft->tags_count && i < ACTA_TAGS_MAX; i++) {
        tags[i] = arena_text(arena, draft->tags[i]);
    }
    event->tags = tags;
    event->draft.tags = tags;
    event->is_of_any_format = is_of_any_format;
    *(events->last == NULL ? &events->first : &events->last->next) = event;
    events->last = event;
    kit->named = event;
}

void
acta_given_event(struct acta_kit *kit, const char *stream,
                 const struct acta_draft *draft)
{
    if (kit == NULL) {
        return;
    }
    if (kit->was_done) {
        kit_say(&kit->problem, "%s is given when all was done", draft->type);
    }
    name_event(kit, &kit->given, stream, draft, false);
}

void
acta_given(struct acta_kit *kit, const char *type, const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    acta_given_event(kit, NULL, &draft);
}

void
acta_then_event(struct acta_kit *kit, const char *stream,
                const struct acta_draft *draft)
{
    if (kit != NULL) {
        name_event(kit, &kit->expected, stream, draft, false);
    }
}

void
acta_then(struct acta_kit *kit, const char *type, const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    if (kit != NULL) {
        name_event(kit, &kit->expected, NULL, &draft, true);
    }
}

void
acta_kit_tag(struct acta_kit *kit, const char *format, ...)
{
    struct acta_draft *draft;
    va_list args;

    if (kit == NULL) {
        return;
    }
    if (kit->named == NULL || kit->named->draft.tags_count == ACTA_TAGS_MAX) {
        kit_say(&kit->problem,
                "a tag comes before its event, or is one too many");
        return;
    }
    draft = &kit->named->draft;
    va_start(args, format);
    kit->named->tags[draft->tags_count] =
        arena_vformat(&kit->arena, format, args);
    va_end(args);
    draft->tags_count++;
}

/* ---- other expectations ---- */

void
acta_then_refused_field(struct acta_kit *kit, const char *code,
                        const char *field)
{
    if (kit == NULL) {
        return;
    }
    kit->expects_refusal = true;
    kit->code = arena_text(&kit->arena, code);
    kit->field = arena_text(&kit->arena, field);
}

void
acta_then_refused(struct acta_kit *kit, const char *code)
{
    acta_then_refused_field(kit, code, NULL);
}

void
acta_then_nothing(struct acta_kit *kit)
{
    if (kit != NULL) {
        kit->expects_nothing = true;
    }
}

/* ---- doing ---- */

static enum acta_code
fold_given(struct acta_kit *kit, void *state, const struct kit_event *given,
           uint64_t number, struct acta_err *err)
{
    static const struct acta_id no_id;
    struct acta_event event = {
        .position = number,
        .version = number,
        .stream = given->stream == NULL ? kit->own : given->stream,
        .type = given->draft.type,
        .id = &no_id,
        .tags = given->draft.tags,
        .tags_count = given->draft.tags_count,
        .metadata = given->draft.metadata,
        .metadata_size = given->draft.metadata_size,
        .data = given->draft.data,
        .data_size = given->draft.data_size,
        .format = given->draft.format,
    };

    return kit->decider != NULL
               ? fold_event(&kit->decider->fold, state, kit->upcast,
                            kit->decider->ruling.upcasters, &event, NULL, err)
               : scope_fold(&kit->scope, state, kit->upcast, &event, NULL, err);
}

static enum acta_code
fold_all(struct acta_kit *kit, void *state, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint64_t number = 1;

    for (const struct kit_event *given = kit->given.first;
         code == ACTA_OK && given != NULL; given = given->next) {
        code = fold_given(kit, state, given, number++, err);
    }
    return code;
}

/* Decide from what a snapshot keeps of the state, too. */
static void
decide_from_snapshot(struct acta_kit *kit, const struct command_row *row,
                     const void *state)
{
    const struct state_kind *kind = &kit->decider->ruling.state;
    struct acta_decision second;
    struct acta_bytes bytes;
    void *copy = state_new(kind);

    decision_init(&second);
    second.user = kit->decision.user;
    second.upcasters = kit->decision.upcasters;
    second.has_own_stream = true;
    buf_init(&bytes.buf, BYTES_SIZE_MAX);
    decision_begin(&second, &kit->context);
    if (copy == NULL) {
        kit_say(&kit->problem, "out of memory");
    } else if (kit->decider->encode(state, &bytes)) {
        size_t size = buf_size(&bytes.buf);

        buf_append(&bytes.buf, "", 1);
        if (!kit->decider->decode(copy, buf_slice(&bytes.buf).data, size)) {
            kit_say(&kit->problem, "the snapshot of the state cannot be read");
        } else {
            row->decide(copy, &kit->context.command, &second);
            kit_compare_decisions(kit, &kit->decision, &second,
                                  "decided from a snapshot");
        }
    }
    buf_fini(&bytes.buf);
    decision_fini(&second);
    state_free(kind, copy);
}

static void
decide(struct acta_kit *kit, const struct ruling *ruling,
       const struct command_row *row)
{
    struct acta_err err = {ACTA_OK, ""};
    void *state = state_new(&ruling->state);
    enum acta_code code;

    if (state == NULL) {
        kit_say(&kit->problem, "out of memory");
        return;
    }
    code = fold_all(kit, state, &err);
    if (code == ACTA_OK) {
        decision_begin(&kit->decision, &kit->context);
        row->decide(state, &kit->context.command, &kit->decision);
        code = decision_check(&kit->decision, &err);
    }
    if (code != ACTA_OK) {
        kit_say(&kit->problem, "%s: %s", acta_code_name(code), err.text);
    } else if (kit->decider != NULL && kit->decider->every > 0) {
        decide_from_snapshot(kit, row, state);
    }
    state_free(&ruling->state, state);
}

/* What is decided about goes into the story. */
static enum acta_code
begin(struct acta_kit *kit, const struct ruling *ruling,
      const struct acta_command *command, struct acta_err *err)
{
    char own[2 * ACTA_STREAM_SIZE_MAX + 2];
    enum acta_code code = ruling_check(ruling, err);

    if (code == ACTA_OK) {
        code = context_init(&kit->context, command, &kit->arena, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    snprintf(own, sizeof(own), "%s-%s",
             kit->decider != NULL ? kit->decider->category : "given",
             kit->context.command.target);
    kit->own = arena_text(&kit->arena, own);
    return kit->arena.failed ? acta_fail(err, ACTA_MEMORY, "story") : ACTA_OK;
}

void
acta_when_command(struct acta_kit *kit, const struct acta_command *command)
{
    const struct ruling *ruling;
    const struct command_row *row;
    struct acta_err err = {ACTA_OK, ""};

    if (kit == NULL) {
        return;
    }
    if (kit->was_done) {
        kit_say(&kit->problem, "a story has one command, %s is a second",
                command->type);
        return;
    }
    kit->was_done = true;
    ruling = kit->decider != NULL ? &kit->decider->ruling : &kit->model->ruling;
    if (begin(kit, ruling, command, &err) != ACTA_OK) {
        kit_say(&kit->problem, "%s: %s", acta_code_name(err.code), err.text);
        return;
    }
    row = ruling_command(ruling, kit->context.command.type);
    if (row == NULL) {
        kit_say(&kit->problem, "no command %s is known",
                kit->context.command.type);
    } else if (kit->model != NULL &&
               scope_ask(&kit->scope, kit->model, row, &kit->context.command,
                         &err) != ACTA_OK) {
        kit_say(&kit->problem, "%s: %s", acta_code_name(err.code), err.text);
    } else {
        decide(kit, ruling, row);
    }
}

void
acta_when(struct acta_kit *kit, const char *type, const char *target,
          const char *json)
{
    struct acta_command command =
        acta_command_of(type, target, json == NULL ? "" : json,
                        json == NULL ? 0 : strlen(json));

    acta_when_command(kit, &command);
}

/* ---- the end of a story ---- */

const char *
acta_kit_end(struct acta_kit *kit)
{
    if (kit == NULL) {
        return "out of memory";
    }
    if (!kit->was_done) {
        kit_say(&kit->problem, "nothing was done");
    } else if (kit->arena.failed) {
        kit_say(&kit->problem, "out of memory");
    }
    if (!kit_is_wrong(&kit->problem)) {
        kit_compare(kit);
    }
    arena_clear(&kit->arena);
    kit->given = (struct kit_events){NULL, NULL};
    kit->expected = (struct kit_events){NULL, NULL};
    kit->named = NULL;
    kit->expects_refusal = false;
    kit->expects_nothing = false;
    kit->was_done = false;
    return kit_tell(&kit->problem);
}
