/* Commands: where they come from, and what passes from them to their events. */

#include "decision.h"
#include "given.h"
#include "metadata.h"
#include "name.h"

#define TRACEPARENT "traceparent"

static enum acta_code
check(const struct acta_command *command, struct acta_err *err)
{
    enum acta_code code;

    if (command->type == NULL || command->target == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "a command has a type and a target");
    }
    code = name_check(slice_of(command->type), ACTA_TYPE_SIZE_MAX,
                      "type of a command", err);
    if (code == ACTA_OK && command->target[0] != '\0') {
        code = name_check(slice_of(command->target), ACTA_STREAM_SIZE_MAX,
                          "target of a command", err);
    }
    return code;
}

static enum acta_code
copy(struct acta_command *command, struct arena *arena, struct acta_err *err)
{
    command->type = arena_text(arena, command->type);
    command->target = arena_text(arena, command->target);
    command->data = arena_copy(arena, command->data, command->data_size);
    command->metadata =
        arena_copy(arena, command->metadata, command->metadata_size);
    return arena->failed ? acta_fail(err, ACTA_MEMORY, "command") : ACTA_OK;
}

/* What is too long for it is no trace context. */
static void
find_traceparent(struct context *context)
{
    const struct acta_command *command = &context->command;
    struct buf found;

    buf_init(&found, sizeof(context->traceparent));
    if (command->traceparent != NULL) {
        buf_append(&found, command->traceparent,
                   strlen(command->traceparent) + 1);
    } else {
        metadata_get(command->metadata, command->metadata_size, TRACEPARENT,
                     &found);
    }
    context->traceparent[0] = '\0';
    if (!buf_failed(&found) && buf_size(&found) > 0) {
        memcpy(context->traceparent, buf_slice(&found).data, buf_size(&found));
    }
    buf_fini(&found);
}

enum acta_code
context_init(struct context *context, const struct acta_command *command,
             struct arena *arena, struct acta_err *err)
{
    enum acta_code code;

    if (!given_copy(&context->command, sizeof(context->command), command)) {
        return acta_fail(err, ACTA_INVALID,
                         "command is not of acta_command_of()");
    }
    code = check(&context->command, err);
    if (code == ACTA_OK) {
        code = copy(&context->command, arena, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    context->is_new = context->command.id == NULL;
    if (context->is_new) {
        code = acta_id_new(&context->id, err);
    } else {
        context->id = *context->command.id;
    }
    context->command.id = &context->id;
    context->correlation_id = context->command.correlation_id == NULL
                                  ? context->id
                                  : *context->command.correlation_id;
    context->command.correlation_id = &context->correlation_id;
    find_traceparent(context);
    context->command.traceparent =
        context->traceparent[0] == '\0' ? NULL : context->traceparent;
    return code;
}
