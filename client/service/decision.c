#include "decision.h"

#include <stdio.h>

#include "draft.h"
#include "metadata.h"

#define METADATA_SIZE_MAX ((size_t)1 << 20)

void
decision_init(struct acta_decision *decision)
{
    *decision = (struct acta_decision){0};
    buf_init(&decision->metadata, METADATA_SIZE_MAX);
}

void
decision_fini(struct acta_decision *decision)
{
    arena_fini(&decision->arena);
    buf_fini(&decision->metadata);
}

void
decision_begin(struct acta_decision *decision, const struct context *context)
{
    arena_clear(&decision->arena);
    buf_clear(&decision->metadata);
    decision->first = NULL;
    decision->last = NULL;
    decision->count = 0;
    decision->stream = NULL;
    decision->is_refused = false;
    decision->err = (struct acta_err){ACTA_OK, ""};
    if (context->traceparent[0] != '\0') {
        metadata_put(&decision->metadata, "traceparent", context->traceparent);
    }
}

enum acta_code
decision_check(const struct acta_decision *decision, struct acta_err *err)
{
    /* It comes first, since the rest may follow from it. */
    if (decision->arena.failed) {
        return acta_fail(err, ACTA_MEMORY, "decision");
    }
    if (decision->err.code != ACTA_OK) {
        return acta_fail(err, decision->err.code, "%s", decision->err.text);
    }
    if (buf_failed(&decision->metadata)) {
        return acta_fail(err, buf_failure(&decision->metadata),
                         "metadata of a decision");
    }
    return ACTA_OK;
}

/* ---- events ---- */

/* Remember what is wrong first. */
static bool
invalid(struct acta_decision *decision, const char *what)
{
    if (decision->err.code == ACTA_OK) {
        acta_fail(&decision->err, ACTA_INVALID, "decision: %s", what);
    }
    return false;
}

/* Types are decided without versions, and stored with the newest. */
static const char *
stored_type(struct acta_decision *decision, const char *type)
{
    uint64_t newest = acta_upcasters_newest(decision->upcasters, type);
    size_t size = strlen(type) + 24;
    char *stored;

    if (newest == 1) {
        return arena_text(&decision->arena, type);
    }
    stored = arena_alloc(&decision->arena, size);
    if (stored != NULL) {
        snprintf(stored, size, "%s.v%ju", type, (uintmax_t)newest);
    }
    return stored;
}

static const struct acta_id *
copy_id(struct acta_decision *decision, const struct acta_id *id)
{
    return id == NULL ? NULL : arena_copy(&decision->arena, id, sizeof(*id));
}

static void
copy_draft(struct acta_decision *decision, struct decided *decided,
           const struct acta_draft *given)
{
    struct arena *arena = &decision->arena;
    struct acta_draft *draft = &decided->draft;
    const char **tags =
        arena_alloc(arena, ACTA_TAGS_MAX * sizeof(*decided->tags));

    *draft = *given;
    draft->type = stored_type(decision, given->type);
    draft->data = arena_copy(arena, given->data, given->data_size);
    draft->id = copy_id(decision, given->id);
    draft->correlation_id = copy_id(decision, given->correlation_id);
    draft->causation_id = copy_id(decision, given->causation_id);
    if (given->metadata != NULL) {
        draft->metadata =
            arena_copy(arena, given->metadata, given->metadata_size);
    }
    for (size_t i = 0; tags != NULL && i < given->tags_count; i++) {
        tags[i] = arena_text(arena, given->tags[i]);
    }
    decided->tags = tags;
    draft->tags = tags;
}

static bool
may_be_stored(struct acta_decision *decision, const struct acta_draft *draft)
{
    if (draft->size != sizeof(*draft)) {
        return invalid(decision, "an event is not of acta_draft_of()");
    }
    if (draft->type == NULL) {
        return invalid(decision, "an event has no type");
    }
    if (draft->tags_count > ACTA_TAGS_MAX) {
        return invalid(decision, "an event has too many tags");
    }
    if (decision->stream == NULL && !decision->has_own_stream) {
        return invalid(decision, "no stream is named for an event");
    }
    return true;
}

void
acta_decision_event(struct acta_decision *decision,
                    const struct acta_draft *draft)
{
    struct decided *decided;

    if (!may_be_stored(decision, draft)) {
        return;
    }
    decided = arena_alloc(&decision->arena, sizeof(*decided));
    if (decided == NULL) {
        return;
    }
    decided->stream = decision->stream;
    copy_draft(decision, decided, draft);
    if (decision->last == NULL) {
        decision->first = decided;
    } else {
        decision->last->next = decided;
    }
    decision->last = decided;
    decision->count++;
}

void
acta_decision_json(struct acta_decision *decision, const char *type,
                   const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    acta_decision_event(decision, &draft);
}

void
acta_decision_tag(struct acta_decision *decision, const char *format, ...)
{
    struct decided *decided = decision->last;
    va_list args;
    char *tag;

    va_start(args, format);
    tag = arena_vformat(&decision->arena, format, args);
    va_end(args);
    if (decided == NULL) {
        invalid(decision, "a tag comes before its event");
    } else if (decided->draft.tags_count == ACTA_TAGS_MAX) {
        invalid(decision, "an event has too many tags");
    } else if (tag != NULL && decided->tags != NULL) {
        decided->tags[decided->draft.tags_count++] = tag;
    }
}

void
acta_decision_to(struct acta_decision *decision, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    decision->stream = arena_vformat(&decision->arena, format, args);
    va_end(args);
}

void
acta_decision_note(struct acta_decision *decision, const char *key,
                   const char *value)
{
    metadata_put(&decision->metadata, key, value);
}

/* ---- refusals and failures ---- */

static const char *
cut(struct acta_decision *decision, const char *text)
{
    size_t size = text == NULL ? 0 : strnlen(text, ACTA_TEXT_SIZE_MAX + 1);

    if (size > ACTA_TEXT_SIZE_MAX) {
        /* Not within a character. */
        size = ACTA_TEXT_SIZE_MAX;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    return arena_copy(&decision->arena, text, size);
}

void
acta_decision_refuse(struct acta_decision *decision, const char *code,
                     const char *field, const char *format, ...)
{
    va_list args;

    if (decision->is_refused) {
        return;
    }
    decision->is_refused = true;
    va_start(args, format);
    decision->refusal = (struct acta_refusal){
        .code = cut(decision, code),
        .field = cut(decision, field),
        .text = cut(decision, arena_vformat(&decision->arena, format, args)),
    };
    va_end(args);
}

void
acta_decision_fail(struct acta_decision *decision, enum acta_code code,
                   const char *format, ...)
{
    char text[sizeof(decision->err.text)];
    va_list args;

    if (decision->err.code != ACTA_OK) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    acta_fail(&decision->err, code == ACTA_OK ? ACTA_INVALID : code, "%s",
              text);
}

void *
acta_decision_user(const struct acta_decision *decision)
{
    return decision->user;
}

bool
acta_decision_is_refused(const struct acta_decision *decision)
{
    return decision->is_refused;
}

size_t
acta_decision_count(const struct acta_decision *decision)
{
    return decision->count;
}

/* ---- carrying it out ---- */

size_t
decision_own_count(const struct acta_decision *decision)
{
    size_t count = 0;

    for (const struct decided *decided = decision->first; decided != NULL;
         decided = decided->next) {
        count += decided->stream == NULL;
    }
    return count;
}

void
decision_write_event(const struct acta_decision *decision,
                     const struct context *context, struct acta_append *append,
                     const struct decided *decided)
{
    struct acta_draft draft = decided->draft;
    struct slice metadata = buf_slice(&decision->metadata);

    if (draft.correlation_id == NULL) {
        draft.correlation_id = &context->correlation_id;
    }
    if (draft.causation_id == NULL) {
        draft.causation_id = &context->id;
    }
    if (draft.metadata == NULL && metadata.size > 0) {
        draft.metadata = metadata.data;
        draft.metadata_size = metadata.size;
    }
    acta_append_event(append, &draft);
}

void
decision_write(const struct acta_decision *decision,
               const struct context *context, struct acta_append *append,
               const char *own, int64_t expected)
{
    const char *stream = NULL;

    if (decision_own_count(decision) > 0) {
        acta_append_stream(append, own, expected);
        for (const struct decided *decided = decision->first; decided != NULL;
             decided = decided->next) {
            if (decided->stream == NULL) {
                decision_write_event(decision, context, append, decided);
            }
        }
    } else if (own != NULL) {
        acta_append_check_stream(append, own, expected);
    }
    for (const struct decided *decided = decision->first; decided != NULL;
         decided = decided->next) {
        if (decided->stream == NULL) {
            continue;
        }
        if (stream == NULL || strcmp(stream, decided->stream) != 0) {
            stream = decided->stream;
            acta_append_stream(append, stream, ACTA_EXPECT_ANY);
        }
        decision_write_event(decision, context, append, decided);
    }
}
