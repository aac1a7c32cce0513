/* Reactions are two decisions: what is stored now, and what is stored when a
 * deadline has passed.
 */

#include <stdio.h>

#include "draft.h"
#include "given.h"
#include "name.h"
#include "named_id.h"
#include "process.h"
#include "text.h"

/* Bytes of a name that is told apart as too long. */
#define NAME_SIZE (2 * ACTA_STREAM_SIZE_MAX + 2)

void
reaction_init(struct acta_reaction *reaction,
              const struct acta_process *process)
{
    *reaction = (struct acta_reaction){.process = process};
    decision_init(&reaction->decision);
    decision_init(&reaction->later);
    reaction->decision.has_own_stream = true;
    reaction->later.has_own_stream = true;
    reaction->decision.upcasters = process->states->ruling.upcasters;
    reaction->later.upcasters = process->states->ruling.upcasters;
    buf_init(&reaction->key.buf, NAME_SIZE);
}

void
reaction_fini(struct acta_reaction *reaction)
{
    buf_fini(&reaction->key.buf);
    decision_fini(&reaction->later);
    decision_fini(&reaction->decision);
    arena_fini(&reaction->arena);
}

/* ---- whose the event is ---- */

static bool
put_text(struct acta_bytes *key, const char *text)
{
    acta_bytes_put(key, text, strlen(text));
    return true;
}

static bool
put_key_of_tag(struct acta_bytes *key, const struct acta_event *event,
               const char *prefix)
{
    size_t size = strlen(prefix);

    for (size_t i = 0; i < event->tags_count; i++) {
        if (strncmp(event->tags[i], prefix, size) == 0) {
            return put_text(key, event->tags[i] + size);
        }
    }
    return false;
}

/* False: it is for no instance. */
static bool
put_key(struct acta_reaction *reaction, const struct route *route)
{
    const struct acta_process *process = reaction->process;
    const struct acta_event *event = reaction->event;
    const char *dash = strchr(event->stream, '-');
    size_t category_size = strlen(process->name);

    buf_clear(&reaction->key.buf);
    if (route->key_of != NULL) {
        return route->key_of(process->user, event, &reaction->key);
    }
    if (route->tag_prefix != NULL) {
        return put_key_of_tag(&reaction->key, event, route->tag_prefix);
    }
    if (dash == NULL ||
        (route->is_deadline &&
         ((size_t)(dash - event->stream) != category_size ||
          memcmp(event->stream, process->name, category_size) != 0))) {
        return false;
    }
    return put_text(&reaction->key, dash + 1);
}

static enum acta_code
name_instance(struct acta_reaction *reaction, struct acta_err *err)
{
    struct slice key = buf_slice(&reaction->key.buf);
    char stream[NAME_SIZE];
    enum acta_code code;

    if (buf_failed(&reaction->key.buf)) {
        return acta_fail(err, ACTA_TOO_LARGE, "key is too long");
    }
    code = name_check(key, ACTA_STREAM_SIZE_MAX, "key", err);
    if (code != ACTA_OK) {
        return code;
    }
    snprintf(stream, sizeof(stream), "%s-%.*s", reaction->process->name,
             (int)key.size, (const char *)key.data);
    code = name_check(slice_of(stream), ACTA_STREAM_SIZE_MAX,
                      "stream of instance", err);
    if (code != ACTA_OK) {
        return code;
    }
    reaction->instance = arena_copy(&reaction->arena, key.data, key.size);
    reaction->stream = arena_text(&reaction->arena, stream);
    return reaction->arena.failed ? acta_fail(err, ACTA_MEMORY, "reaction")
                                  : ACTA_OK;
}

enum acta_code
reaction_begin(struct acta_reaction *reaction, struct acta_context *context,
               const struct acta_event *event, struct acta_err *err)
{
    const struct route *route = process_route(reaction->process, event->type);
    struct acta_command cause = acta_command_of_event(event);
    enum acta_code code;

    arena_clear(&reaction->arena);
    reaction->event = event;
    reaction->context = context;
    reaction->route = NULL;
    if (route == NULL || !put_key(reaction, route)) {
        return ACTA_OK;
    }
    code = name_instance(reaction, err);
    if (code == ACTA_OK) {
        code = context_init(&reaction->cause, &cause, &reaction->arena, err);
    }
    if (code == ACTA_OK) {
        reaction->route = route;
    }
    return code;
}

/* ---- asking the author ---- */

/* Decide from nothing, and fail if that was wrong. */
static void
clear(struct acta_reaction *reaction)
{
    decision_begin(&reaction->decision, &reaction->cause);
    decision_begin(&reaction->later, &reaction->cause);
    reaction->deadlines = NULL;
    reaction->is_ignored = false;
    reaction->starts = false;
    reaction->ends = false;
}

/* The id that is number @number of those that follow from the event. */
static void
id_of(const struct acta_reaction *reaction, size_t number, struct acta_id *id)
{
    char name[2 * ACTA_STREAM_SIZE_MAX + 32];

    snprintf(name, sizeof(name), "%s %s %zu", reaction->stream,
             reaction->event->stream, number);
    named_id(id, reaction->event->id, name);
}

/* Give the events of @decision ids behind @number. */
static size_t
number_events(const struct acta_reaction *reaction,
              struct acta_decision *decision, size_t number)
{
    for (struct decided *decided = decision->first; decided != NULL;
         decided = decided->next) {
        struct acta_id *id = arena_alloc(&decision->arena, sizeof(*id));

        number++;
        if (id != NULL && decided->draft.id == NULL) {
            id_of(reaction, number, id);
            decided->draft.id = id;
        }
    }
    return number;
}

static enum acta_code
check(struct acta_reaction *reaction, struct acta_err *err)
{
    enum acta_code code;

    (void)number_events(reaction, &reaction->later,
                        number_events(reaction, &reaction->decision, 0));
    code = decision_check(&reaction->decision, err);
    return code == ACTA_OK ? decision_check(&reaction->later, err) : code;
}

enum acta_code
reaction_ask(struct acta_reaction *reaction, const void *state,
             enum acta_verdict *verdict, struct acta_err *err)
{
    const struct route *route = reaction->route;
    const struct life *life =
        (const struct life *)(const void *)((const char *)state +
                                            reaction->process->life_offset);
    enum acta_code code;

    clear(reaction);
    *verdict = ACTA_VERDICT_OK;
    if (life->is_ended ||
        (!life->is_started && (route->flags & ACTA_ROUTE_STARTS) == 0)) {
        reaction->is_ignored = true;
        return ACTA_OK;
    }
    reaction->starts = !life->is_started;
    reaction->ends = (route->flags & ACTA_ROUTE_ENDS) != 0;
    if (reaction->starts) {
        acta_decision_json(&reaction->decision, PROCESS_STARTED, NULL);
    }
    if (route->react != NULL) {
        *verdict = route->react(state, reaction->event, reaction);
    }
    if (*verdict < ACTA_VERDICT_OK || *verdict > ACTA_VERDICT_STOP) {
        code = acta_fail(err, ACTA_INVALID, "reaction to %s said %d",
                         reaction->event->type, (int)*verdict);
        clear(reaction);
        return code;
    }
    if (*verdict != ACTA_VERDICT_OK && *verdict != ACTA_VERDICT_SKIP) {
        clear(reaction);
        return ACTA_OK;
    }
    if (reaction->ends) {
        reaction->decision.stream = NULL;
        acta_decision_json(&reaction->decision, PROCESS_ENDED, NULL);
    }
    code = check(reaction, err);
    if (code != ACTA_OK) {
        clear(reaction);
    }
    return code;
}

/* ---- what the author says: events ---- */

void
acta_reaction_own_event(struct acta_reaction *reaction,
                        const struct acta_draft *draft)
{
    reaction->decision.stream = NULL;
    acta_decision_event(&reaction->decision, draft);
}

void
acta_reaction_own(struct acta_reaction *reaction, const char *type,
                  const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    acta_reaction_own_event(reaction, &draft);
}

void
acta_reaction_emit(struct acta_reaction *reaction, const char *stream,
                   const struct acta_draft *draft)
{
    if (strcmp(stream, reaction->stream) == 0) {
        acta_decision_fail(&reaction->decision, ACTA_INVALID,
                           "%s is emitted to the stream of the instance",
                           draft->type);
        return;
    }
    acta_decision_to(&reaction->decision, "%s", stream);
    acta_decision_event(&reaction->decision, draft);
}

void
acta_reaction_command(struct acta_reaction *reaction, const char *category,
                      const char *target, const char *type, const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);
    char stream[NAME_SIZE];

    snprintf(stream, sizeof(stream), "%s-%s", category, target);
    acta_reaction_emit(reaction, stream, &draft);
}

void
acta_reaction_tag(struct acta_reaction *reaction, const char *format, ...)
{
    va_list args;
    char *tag;

    if (reaction->decision.count == (reaction->starts ? 1 : 0)) {
        acta_decision_fail(&reaction->decision, ACTA_INVALID,
                           "a tag comes before its event");
        return;
    }
    va_start(args, format);
    tag = arena_vformat(&reaction->decision.arena, format, args);
    va_end(args);
    if (tag != NULL) {
        acta_decision_tag(&reaction->decision, "%s", tag);
    }
}

void
acta_reaction_note(struct acta_reaction *reaction, const char *key,
                   const char *value)
{
    acta_decision_note(&reaction->decision, key, value);
    acta_decision_note(&reaction->later, key, value);
}

/* ---- deadlines ---- */

/* What is said of this one, for the first time or again. NULL: it is wrong, or
 * there is no memory.
 */
static struct deadline *
mention(struct acta_reaction *reaction, const char *name)
{
    struct deadline **at = &reaction->deadlines;
    struct arena *arena = &reaction->decision.arena;
    char schedule[NAME_SIZE];
    struct acta_err why;
    struct deadline *added;

    while (*at != NULL && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        return *at;
    }
    snprintf(schedule, sizeof(schedule), "%s/%s", reaction->stream, name);
    if (name[0] == '\0' || strchr(name, '/') != NULL) {
        acta_decision_fail(&reaction->decision, ACTA_INVALID,
                           "\"%s\" is no name of a deadline", name);
        return NULL;
    }
    if (name_check(slice_of(schedule), ACTA_NAME_SIZE_MAX, "deadline", &why) !=
        ACTA_OK) {
        acta_decision_fail(&reaction->decision, why.code, "%s", why.text);
        return NULL;
    }
    added = arena_alloc(arena, sizeof(*added));
    if (added != NULL) {
        added->name = arena_text(arena, name);
        added->schedule = arena_text(arena, schedule);
        if (added->name == NULL || added->schedule == NULL) {
            return NULL;
        }
        *at = added;
    }
    return added;
}

void
acta_reaction_deadline_at(struct acta_reaction *reaction, const char *name,
                          uint64_t due_us, const struct acta_draft *draft)
{
    struct acta_decision *later = &reaction->later;
    const struct decided *before = later->last;
    const struct route *route =
        draft->type == NULL ? NULL
                            : process_route(reaction->process, draft->type);
    struct deadline *deadline;

    if (route == NULL || !route->is_deadline) {
        acta_decision_fail(later, ACTA_INVALID, "%s is no type of deadlines",
                           draft->type == NULL ? "nothing" : draft->type);
        return;
    }
    deadline = mention(reaction, name);
    acta_decision_event(later, draft);
    if (deadline != NULL && later->last != before) {
        deadline->what = later->last;
        deadline->due_us = due_us < ACTA_DUE_US_MAX ? due_us : ACTA_DUE_US_MAX;
    }
}

void
acta_reaction_deadline(struct acta_reaction *reaction, const char *name,
                       uint64_t delay_ms, const char *type, const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);
    uint64_t delay_us =
        delay_ms < ACTA_DUE_US_MAX / 1000 ? delay_ms * 1000 : ACTA_DUE_US_MAX;

    acta_reaction_deadline_at(reaction, name,
                              reaction->event->time_us + delay_us, &draft);
}

void
acta_reaction_cancel(struct acta_reaction *reaction, const char *name)
{
    struct deadline *deadline = mention(reaction, name);

    if (deadline != NULL) {
        deadline->what = NULL;
    }
}

/* ---- and the rest ---- */

void
acta_reaction_end(struct acta_reaction *reaction)
{
    reaction->ends = true;
}

enum acta_verdict
acta_reaction_fail(struct acta_reaction *reaction, enum acta_verdict verdict,
                   const char *format, ...)
{
    char text[sizeof(reaction->context->text)];
    va_list args;

    va_start(args, format);
    text_format(text, sizeof(text), format, args);
    va_end(args);
    return acta_context_fail(reaction->context, verdict, "%s", text);
}

enum acta_verdict
acta_reaction_retry_after(struct acta_reaction *reaction, uint64_t delay_ms)
{
    return acta_context_retry_after(reaction->context, delay_ms);
}

const char *
acta_reaction_key(const struct acta_reaction *reaction)
{
    return reaction->instance;
}

bool
acta_reaction_is_start(const struct acta_reaction *reaction)
{
    return reaction->starts;
}

uint64_t
acta_reaction_attempt(const struct acta_reaction *reaction)
{
    return acta_context_attempt(reaction->context);
}

void *
acta_reaction_user(const struct acta_reaction *reaction)
{
    return reaction->process->user;
}

/* ---- carrying it out ---- */

bool
reaction_has_effects(const struct acta_reaction *reaction)
{
    return reaction->decision.count > 0 || reaction->deadlines != NULL;
}

/* Cancellations come first, so a deadline is replaced. */
static void
write_deadline(const struct acta_reaction *reaction, struct acta_append *append,
               const struct deadline *deadline)
{
    struct acta_append *what;

    acta_append_cancel(append, deadline->schedule);
    if (deadline->what == NULL) {
        return;
    }
    what = acta_append_new();
    acta_append_stream(what, reaction->stream, ACTA_EXPECT_ANY);
    decision_write_event(&reaction->later, &reaction->cause, what,
                         deadline->what);
    acta_append_schedule(append, deadline->schedule, deadline->due_us, what);
    acta_append_free(what);
}

void
reaction_write(const struct acta_reaction *reaction, struct acta_append *append,
               uint64_t version)
{
    struct acta_id command_id;

    id_of(reaction, 0, &command_id);
    acta_append_command_id(append, &command_id);
    decision_write(&reaction->decision, &reaction->cause, append,
                   reaction->stream, (int64_t)version);
    for (const struct deadline *deadline = reaction->deadlines;
         deadline != NULL; deadline = deadline->next) {
        write_deadline(reaction, append, deadline);
    }
}
