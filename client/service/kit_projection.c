/* An event is handled when it is told, and what came of it is compared when the
 * next one comes, or the story ends: until then it is said what to expect.
 */

#include <acta/acta_kit_projection.h>
#include <stdio.h>
#include <stdlib.h>

#include "draft.h"
#include "kit.h"
#include "projection.h"
#include "scratch.h"

/* An event that was emitted, or is expected to be. */
struct emitted {
    struct emitted *next;
    const char *stream;
    const char *type;
    const char *data;
};

struct acta_kit_projection {
    const struct acta_projection *projection;
    struct acta_upcast *upcast; /* owned */
    bool is_replaying;
    uint64_t position; /* Of the event that came last; 0: there was none. */

    /* What came of it, and what was to; texts are in the arena. */
    struct arena arena; /* owned */
    enum acta_verdict verdict, expected_verdict;
    struct emitted *emitted, *expected_emitted;
    char reason[240];

    struct kit_problem problem;
};

struct acta_kit_projection *
acta_kit_of_projection(const struct acta_projection *projection)
{
    struct acta_kit_projection *kit = calloc(1, sizeof(*kit));
    struct acta_err err;

    if (kit == NULL) {
        return NULL;
    }
    kit->projection = projection;
    kit->upcast = acta_upcast_new();
    if (kit->upcast == NULL) {
        free(kit);
        return NULL;
    }
    if (acta_projection_check(projection, &err) != ACTA_OK) {
        kit_say(&kit->problem, "%s", err.text);
    }
    return kit;
}

void
acta_kit_projection_free(struct acta_kit_projection *kit)
{
    if (kit != NULL) {
        arena_fini(&kit->arena);
        acta_upcast_free(kit->upcast);
        free(kit);
    }
}

/* ---- what is emitted ---- */

static void
add_emitted(struct acta_kit_projection *kit, struct emitted **list,
            const char *stream, const char *type, const void *data, size_t size)
{
    struct emitted *added = arena_alloc(&kit->arena, sizeof(*added));

    if (added == NULL) {
        kit_say(&kit->problem, "there is no memory");
        return;
    }
    added->stream = arena_text(&kit->arena, stream);
    added->type = arena_text(&kit->arena, type);
    added->data = arena_copy(&kit->arena, data, size);
    if (added->stream == NULL || added->type == NULL || added->data == NULL) {
        kit_say(&kit->problem, "there is no memory");
        return;
    }
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = added;
}

static void
on_emit(void *user, const char *stream, const struct acta_draft *draft)
{
    struct acta_kit_projection *kit = user;

    add_emitted(kit, &kit->emitted, stream, draft->type, draft->data,
                draft->data_size);
}

static bool
is_same(const struct emitted *a, const struct emitted *b)
{
    return strcmp(a->stream, b->stream) == 0 && strcmp(a->type, b->type) == 0 &&
           kit_same_json(a->data, strlen(a->data), b->data, strlen(b->data));
}

static void
compare_emitted(struct acta_kit_projection *kit)
{
    const struct emitted *is = kit->emitted;
    const struct emitted *should = kit->expected_emitted;

    while (is != NULL && should != NULL && is_same(is, should)) {
        is = is->next;
        should = should->next;
    }
    if (is != NULL && should != NULL) {
        kit_say(&kit->problem,
                "event %ju emits %s %s to %s, expected is %s %s to %s",
                (uintmax_t)kit->position, is->type, is->data, is->stream,
                should->type, should->data, should->stream);
    } else if (is != NULL) {
        kit_say(&kit->problem,
                "event %ju emits %s %s to %s, which is not expected",
                (uintmax_t)kit->position, is->type, is->data, is->stream);
    } else if (should != NULL) {
        kit_say(&kit->problem, "event %ju does not emit %s %s to %s",
                (uintmax_t)kit->position, should->type, should->data,
                should->stream);
    }
}

/* ---- what came of an event ---- */

const char *
kit_verdict_name(enum acta_verdict verdict)
{
    static const char *const names[] = {
        [ACTA_VERDICT_OK] = "OK",     [ACTA_VERDICT_RETRY] = "RETRY",
        [ACTA_VERDICT_PARK] = "PARK", [ACTA_VERDICT_SKIP] = "SKIP",
        [ACTA_VERDICT_STOP] = "STOP",
    };

    return names[verdict];
}

/* Be done with the event that came last. */
static void
compare(struct acta_kit_projection *kit)
{
    if (kit->verdict != kit->expected_verdict) {
        kit_say(&kit->problem, "event %ju: %s%s%s, expected is %s",
                (uintmax_t)kit->position, kit_verdict_name(kit->verdict),
                kit->reason[0] == '\0' ? "" : ", ", kit->reason,
                kit_verdict_name(kit->expected_verdict));
    }
    compare_emitted(kit);
    kit->verdict = ACTA_VERDICT_OK;
    kit->expected_verdict = ACTA_VERDICT_OK;
    kit->emitted = NULL;
    kit->expected_emitted = NULL;
    kit->reason[0] = '\0';
    arena_clear(&kit->arena);
}

/* ---- events ---- */

static enum acta_code
handle(struct acta_kit_projection *kit, const struct acta_event *event,
       struct acta_err *err)
{
    const struct acta_keeper *keeper = &kit->projection->keeper;
    struct acta_context context = {
        .event = event,
        .is_replaying = kit->is_replaying,
        .attempt = 1,
    };
    enum acta_code code;

    if (kit->projection->has_keeper) {
        context.model =
            keeper->model == NULL ? keeper->user : keeper->model(keeper->user);
        context.emit_refused = "the model keeps the checkpoint";
    } else {
        context.on_emit = on_emit;
        context.emit_user = kit;
    }
    code = projection_handle(kit->projection, kit->upcast, &context,
                             &kit->verdict, err);
    memcpy(kit->reason, context.text, sizeof(kit->reason));
    return code;
}

/* In a transaction, which ends as it would. */
static enum acta_code
handle_in_model(struct acta_kit_projection *kit, const struct acta_event *event,
                struct acta_err *err)
{
    const struct acta_keeper *keeper = &kit->projection->keeper;
    const char *name = kit->projection->name;
    enum acta_code code = keeper->begin(keeper->user, name, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = handle(kit, event, err);
    if (code != ACTA_OK || (kit->verdict != ACTA_VERDICT_OK &&
                            kit->verdict != ACTA_VERDICT_SKIP)) {
        keeper->rollback(keeper->user);
        return code;
    }
    code = keeper->save(keeper->user, name, event->position, err);
    if (code != ACTA_OK) {
        keeper->rollback(keeper->user);
        return code;
    }
    return keeper->commit(keeper->user, err);
}

void
acta_kit_projection_when_event(struct acta_kit_projection *kit,
                               const char *stream,
                               const struct acta_draft *draft)
{
    struct acta_id id = {{0}};
    struct acta_event event = {
        .stream = stream,
        .type = draft->type,
        .id = draft->id == NULL ? &id : draft->id,
        .correlation_id = draft->correlation_id,
        .causation_id = draft->causation_id,
        .tags = draft->tags,
        .tags_count = draft->tags_count,
        .metadata_size = draft->metadata_size,
        .data_size = draft->data_size,
        .format = draft->format,
    };
    struct acta_err err;
    enum acta_code code;

    if (kit == NULL) {
        return;
    }
    compare(kit);
    if (kit_is_wrong(&kit->problem)) {
        return; /* What comes of it is not compared any more. */
    }
    event.position = ++kit->position;
    event.version = event.position;
    event.time_us = event.position;
    event.data = arena_copy(&kit->arena, draft->data, draft->data_size);
    event.metadata =
        arena_copy(&kit->arena, draft->metadata, draft->metadata_size);
    if (event.data == NULL || event.metadata == NULL) {
        kit_say(&kit->problem, "there is no memory");
        return;
    }
    code = kit->projection->has_keeper ? handle_in_model(kit, &event, &err)
                                       : handle(kit, &event, &err);
    if (code != ACTA_OK) {
        kit_say(&kit->problem, "event %ju: %s", (uintmax_t)kit->position,
                err.text);
    }
}

void
acta_kit_projection_when(struct acta_kit_projection *kit, const char *type,
                         const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    acta_kit_projection_when_event(kit, "test-1", &draft);
}

void
acta_kit_projection_replays(struct acta_kit_projection *kit, bool is_replaying)
{
    if (kit != NULL) {
        kit->is_replaying = is_replaying;
    }
}

/* ---- what to expect ---- */

void
acta_kit_projection_then(struct acta_kit_projection *kit,
                         enum acta_verdict verdict)
{
    if (kit != NULL) {
        kit->expected_verdict = verdict;
    }
}

void
acta_kit_projection_emits(struct acta_kit_projection *kit, const char *stream,
                          const char *type, const char *json)
{
    if (kit != NULL) {
        add_emitted(kit, &kit->expected_emitted, stream, type, json,
                    json == NULL ? 0 : strlen(json));
    }
}

const char *
acta_kit_projection_end(struct acta_kit_projection *kit)
{
    if (kit == NULL) {
        return "there is no memory";
    }
    compare(kit);
    kit->is_replaying = false;
    return kit_tell(&kit->problem);
}
