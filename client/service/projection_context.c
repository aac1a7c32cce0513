/* What a handler asks, and says besides its verdict. */

#include <stdarg.h>

#include "../given.h"
#include "projection.h"
#include "text.h"

void *
acta_context_model(const struct acta_context *context)
{
    return context->model;
}

bool
acta_context_is_replaying(const struct acta_context *context)
{
    return context->is_replaying;
}

uint64_t
acta_context_attempt(const struct acta_context *context)
{
    return context->attempt;
}

enum acta_verdict
acta_context_fail(struct acta_context *context, enum acta_verdict verdict,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_format(context->text, sizeof(context->text), format, args);
    va_end(args);
    return verdict;
}

enum acta_verdict
acta_context_retry_after(struct acta_context *context, uint64_t delay_ms)
{
    context->has_delay = true;
    context->delay_ms = delay_ms;
    return ACTA_VERDICT_RETRY;
}

void
acta_context_emit(struct acta_context *context, const char *stream,
                  const struct acta_draft *draft)
{
    const struct acta_event *event = context->event;
    struct acta_draft caused;

    if (context->emits_nothing) {
        return;
    }
    if (context->on_emit != NULL) {
        context->on_emit(context->emit_user, stream, draft);
        return;
    }
    if (context->append == NULL) {
        acta_fail(&context->emit_err, ACTA_INVALID,
                  "nothing can be emitted: %s", context->emit_refused);
        return;
    }
    if (!given_copy(&caused, sizeof(caused), draft)) {
        acta_fail(&context->emit_err, ACTA_INVALID,
                  "emitted event is not of acta_draft_of()");
        return;
    }
    caused.size = sizeof(caused);
    if (caused.correlation_id == NULL) {
        caused.correlation_id =
            event->correlation_id == NULL ? event->id : event->correlation_id;
    }
    if (caused.causation_id == NULL) {
        caused.causation_id = event->id;
    }
    acta_append_stream(context->append, stream, ACTA_EXPECT_ANY);
    acta_append_event(context->append, &caused);
    (void)acta_append_check(context->append, &context->emit_err);
}
