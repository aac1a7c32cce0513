/* Commands, what is decided about them, and how that ended.
 *
 * A command says what somebody wants: a type, the target it is meant for, and
 * data. It is decided by a decider or by a decision model (acta_decider.h shows
 * a program), handled directly or by a pool (acta_dispatch.h). It is accepted,
 * and events say what has happened; or it is refused, which is a result too and
 * no error:
 *
 *     struct acta_command command =
 *         acta_command_of("Withdraw", "42", json, strlen(json));
 *
 *     command.id = &id;  // as the client sent it
 *     if (acta_handle(handler, &command, &handled, &err) != ACTA_OK) {
 *         // it could not be handled: err
 *     } else if (handled->refusal != NULL) {
 *         // tell the client: handled->refusal->code, ->field, ->text
 *     } else {
 *         // done: the account is at handled->version
 *     }
 *
 * Once. A command has an id, and takes effect once under it, whoever handles it
 * again, in whatever process, and whenever. The answer is that of the first
 * time, also when it would be refused now, since an account can be closed only
 * once. A refusal leaves nothing behind and is decided anew; unless refusals
 * are kept, see acta_handler_options: then it is answered as the first time,
 * too. Who sends a command again gives it the id it had.
 *
 * Where it comes from. The events of a command have its correlation id, or its
 * own id if it has none; the command's id as what caused them; and its
 * traceparent in their metadata. Nobody has to think of that.
 *
 * Metadata in this half of the library is a JSON object whose values are texts:
 * {"traceparent": "00-...-01"}. See acta_decision_note().
 *
 * What is said of memory, names and compatibility in acta.h holds here.
 */

#ifndef ACTA_ACTA_COMMAND_H
#define ACTA_ACTA_COMMAND_H

#include "acta_append.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- commands ---- */

/* What somebody wants: made by acta_command_of() or acta_command_of_event(). */
struct acta_command {
    size_t size; /* Of this struct. */
    const char *type;
    const char *target; /* Of a decider the instance: with "42" and the category
                           "account" it is the stream account-42. May be "" for
                           decision models. */
    const void *data; /* Who decides about it is given a copy, which ends with a
                         zero byte that does not count. */
    size_t data_size;
    enum acta_format format; /* ACTA_FORMAT_JSON */

    const struct acta_id *id;             /* NULL: a new one is made. */
    const struct acta_id *correlation_id; /* NULL: its id. */
    const struct acta_id *causation_id;   /* NULL: none. What caused it. */
    const char *traceparent; /* W3C trace context; NULL: that of metadata. */
    const void *metadata;    /* May be NULL. */
    size_t metadata_size;
};

static inline struct acta_command
acta_command_of(const char *type, const char *target, const void *data,
                size_t data_size)
{
    struct acta_command command;

    memset(&command, 0, sizeof(command));
    command.size = sizeof(command);
    command.type = type;
    command.target = target;
    command.data = data;
    command.data_size = data_size;
    command.format = ACTA_FORMAT_JSON;
    return command;
}

/* The command that an event in a command stream is: its id is that of the
 * event, its target what follows the first "-" in the name of the stream
 * ("command-42" is for 42). It borrows from the event.
 */
static inline struct acta_command
acta_command_of_event(const struct acta_event *event)
{
    const char *dash = strchr(event->stream, '-');
    struct acta_command command =
        acta_command_of(event->type, dash == NULL ? "" : dash + 1, event->data,
                        event->data_size);

    command.format = event->format;
    command.id = event->id;
    command.correlation_id = event->correlation_id;
    command.causation_id = event->causation_id;
    command.metadata = event->metadata;
    command.metadata_size = event->metadata_size;
    return command;
}

/* ---- results ---- */

/* Why a command was refused. The texts are the domain's. */
struct acta_refusal {
    const char *code; /* For programs: "sold_out" */
    const char
        *field;       /* Of the command, that is to blame: "seats"; may be "" */
    const char *text; /* For people. */
};

/* How a command was handled. */
struct acta_handled {
    const struct acta_id *command_id;
    const struct acta_refusal *refusal; /* NULL: it was accepted. */
    bool repeated;       /* It took effect before: this is the first answer. */
    const char *stream;  /* Of the decider's instance; "" with models. */
    uint64_t version;    /* Of the stream, with the events of the command; if
                            there are none as it was when it was decided. 0 with
                            models. */
    uint64_t position;   /* Of the last event; 0: there are none. */
    size_t events_count; /* That it has made. */
    const struct acta_run *const *runs; /* Where they are. */
    size_t runs_count;
    size_t attempts; /* How often it was decided: 1, or more after conflicts. */
};

/* ---- decisions ---- */

/* What is decided about a command, filled by the author's function. Filling
 * never fails on its own: what is wrong first is told when the command is
 * handled. What is given is copied.
 */
struct acta_decision;

/* An event is to be stored: in the instance's own stream, or in the one that
 * acta_decision_to() has named; those of the own stream are stored first. Types
 * are named without versions, the newest that is known is meant: see
 * acta_upcast.h. Ids, correlation, causation and metadata of @draft are set by
 * the library where they are not given.
 */
ACTA_API void acta_decision_event(struct acta_decision *decision,
                                  const struct acta_draft *draft);

/* The same, of an event with JSON and nothing else. NULL: without data. */
ACTA_API void acta_decision_json(struct acta_decision *decision,
                                 const char *type, const char *json);

/* The event that was given last has this tag. */
ACTA_API void acta_decision_tag(struct acta_decision *decision,
                                const char *format, ...) ACTA_PRINTF(2, 3);

/* The events that follow go to this stream, at whatever version it is. In
 * decision models this comes before the first event.
 */
ACTA_API void acta_decision_to(struct acta_decision *decision,
                               const char *format, ...) ACTA_PRINTF(2, 3);

/* All events of the decision have @key with the text @value in their metadata,
 * unless their drafts have metadata of their own.
 */
ACTA_API void acta_decision_note(struct acta_decision *decision,
                                 const char *key, const char *value);

/* The command is refused, whatever events were given. The first refusal counts.
 * @field may be NULL. Each text is cut after 1,024 bytes.
 */
ACTA_API void acta_decision_refuse(struct acta_decision *decision,
                                   const char *code, const char *field,
                                   const char *format, ...) ACTA_PRINTF(4, 5);

/* It cannot be decided, because there is no memory, say: handling ends with
 * this code, and nothing is stored.
 */
ACTA_API void acta_decision_fail(struct acta_decision *decision,
                                 enum acta_code code, const char *format, ...)
    ACTA_PRINTF(3, 4);

/* What acta_decider_user() or acta_model_user() was given. */
ACTA_API void *acta_decision_user(const struct acta_decision *decision);

/* Decided so far: is it refused? How many events? */
ACTA_API bool acta_decision_is_refused(const struct acta_decision *decision);
ACTA_API size_t acta_decision_count(const struct acta_decision *decision);

#ifdef __cplusplus
}
#endif

#endif
