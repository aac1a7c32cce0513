/* One event: it is tried, and if it cannot be handled it is judged by how often
 * it was tried.
 */

#include <inttypes.h>
#include <stdio.h>

#include "projector.h"

#define RETRY_MS_MAX 10000

void
projector_blame(struct acta_projector *projector,
                const struct acta_event *event, const char *text)
{
    struct acta_projector_status *status = &projector->status;

    status->errors++;
    status->error_position =
        event == NULL ? projector->position : event->position;
    snprintf(projector->error_stream, sizeof(projector->error_stream), "%s",
             event == NULL ? "" : event->stream);
    snprintf(projector->error_text, sizeof(projector->error_text), "%s", text);
    projector->note_is_due = true;
}

uint64_t
projector_pause_ms(const struct acta_projector *projector, uint64_t attempts)
{
    uint64_t pause_ms = projector->options.retry_ms;

    while (attempts-- > 1 && pause_ms < RETRY_MS_MAX) {
        pause_ms *= 2;
    }
    return pause_ms < RETRY_MS_MAX ? pause_ms : RETRY_MS_MAX;
}

/* It is not done with: keep what came of it. */
static void
remember(struct acta_projector *projector, const struct acta_event *event,
         const struct acta_context *context, enum acta_verdict verdict)
{
    projector->tried.position = event->position;
    projector->tried.attempts = context->attempt;
    projector->tried.verdict = verdict;
    projector->tried.is_known = true;
    projector->tried.is_poison = context->is_unreadable;
    projector->tried.delay_ms =
        context->has_delay ? context->delay_ms
                           : projector_pause_ms(projector, context->attempt);
    snprintf(projector->tried.text, sizeof(projector->tried.text), "%s",
             context->text[0] == '\0' ? "the handler does not say why"
                                      : context->text);
    projector_blame(projector, event, projector->tried.text);
}

enum acta_code
projector_try(struct acta_projector *projector, const struct acta_event *event,
              struct acta_context *context, enum acta_verdict *verdict,
              struct acta_err *err)
{
    bool was_tried = projector->tried.position == event->position;
    enum acta_code code;

    context->event = event;
    if (context->attempt == 0) {
        context->attempt = was_tried ? projector->tried.attempts + 1 : 1;
    }
    context->is_replaying = event->position <= projector->replay_until;
    code = projection_handle(projector->projection, projector->upcast, context,
                             verdict, err);
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "event %" PRIu64 " of %s", event->position,
                         event->stream);
    }
    if (*verdict != ACTA_VERDICT_OK && *verdict != ACTA_VERDICT_SKIP) {
        remember(projector, event, context, *verdict);
    }
    return ACTA_OK;
}

enum acta_verdict
projector_judge(const struct acta_projector *projector)
{
    enum acta_verdict verdict = projector->tried.verdict;
    bool is_used_up =
        projector->tried.attempts >= projector->options.attempts_max;

    if (verdict == ACTA_VERDICT_RETRY && !is_used_up) {
        return ACTA_VERDICT_RETRY;
    }
    if ((verdict == ACTA_VERDICT_RETRY || projector->tried.is_poison) &&
        projector->options.on_poison == ACTA_POISON_STOPS) {
        return ACTA_VERDICT_STOP;
    }
    return verdict == ACTA_VERDICT_STOP ? verdict : ACTA_VERDICT_PARK;
}

enum acta_code
projector_stop_at(struct acta_projector *projector,
                  const struct acta_event *event, struct acta_err *err)
{
    bool is_wanted = projector->tried.verdict == ACTA_VERDICT_STOP;

    projector->is_blamed = true;
    return acta_fail(err, is_wanted ? ACTA_CANCELLED : ACTA_INVALID,
                     "stopped by event %" PRIu64 " of %s: %s", event->position,
                     event->stream, projector->tried.text);
}

/* ---- parking ---- */

/* FNV-1a of 64 bits. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    while (size-- > 0) {
        hash = (hash ^ *byte++) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* An id, of version 8, that is the same whenever this projection parks this
 * event: so that is noted once, though the note and the checkpoint of a model
 * are not stored together.
 */
static struct acta_id
id_of_parking(const char *projection, uint64_t position)
{
    uint64_t halves[2] = {UINT64_C(0xcbf29ce484222325),
                          UINT64_C(0x9ae16a3b2f90404f)};
    struct acta_id id;

    for (int i = 0; i < 2; i++) {
        halves[i] = mix(halves[i], projection, strlen(projection) + 1);
        for (int shift = 0; shift < 64; shift += 8) {
            uint8_t byte = (uint8_t)(position >> shift);

            halves[i] = mix(halves[i], &byte, 1);
        }
        for (int shift = 0; shift < 64; shift += 8) {
            id.bytes[8 * i + shift / 8] = (uint8_t)(halves[i] >> shift);
        }
    }
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

enum acta_code
projector_put_parked(struct acta_projector *projector,
                     const struct acta_event *event, struct acta_append *append,
                     struct acta_err *err)
{
    const char *name = projector->projection->name;
    struct acta_id id = id_of_parking(name, event->position);
    char stream[PROJECTOR_NAME_SIZE], json[2048];
    char from[2 * PROJECTOR_STREAM_SIZE], type[2 * PROJECTOR_STREAM_SIZE];
    char text[2 * PROJECTOR_TEXT_SIZE];
    struct acta_draft draft;
    int size;

    projector_json_text(from, sizeof(from), event->stream);
    projector_json_text(type, sizeof(type), event->type);
    projector_json_text(text, sizeof(text), projector->tried.text);
    snprintf(stream, sizeof(stream), "acta.parked-%s", name);
    size = snprintf(
        json, sizeof(json),
        "{\"position\": %" PRIu64 ", \"stream\": \"%s\", \"type\": \"%s\", "
        "\"attempts\": %" PRIu64 ", \"text\": \"%s\"}",
        event->position, from, type, projector->tried.attempts, text);
    draft = acta_draft_of("Parked", json, (size_t)size);
    draft.format = ACTA_FORMAT_JSON;
    draft.id = &id;
    draft.correlation_id =
        event->correlation_id == NULL ? event->id : event->correlation_id;
    draft.causation_id = event->id;
    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    return acta_append_check(append, err);
}
