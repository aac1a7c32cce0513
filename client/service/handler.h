/* The handling of a command: what is decided from a stream and from a query
 * have this in common.
 *
 * One thread at a time.
 */

#ifndef ACTA_SERVICE_HANDLER_H
#define ACTA_SERVICE_HANDLER_H

#include "cache.h"
#include "decider_inside.h"
#include "decision.h"

#define REFUSED_TYPE "CommandRefused"

struct acta_handler {
    struct acta_sync *sync;
    const struct acta_decider *decider; /* One of these, */
    const struct acta_model *model;     /* the other is NULL. */
    size_t attempts_max;
    char *refusals; /* owned; NULL: they are not kept. */

    struct cache cache;          /* Of a decider. */
    struct acta_id database;     /* What is in it is of this one, */
    bool has_database;           /* if there is any yet. */
    struct acta_scope scope;     /* Of a model. */
    struct acta_upcast *upcast;  /* owned */
    struct acta_append *append;  /* owned */
    struct acta_bytes *snapshot; /* owned */
    struct acta_handler_counts counts;

    /* The command at hand, and what becomes of it. */
    struct context context;
    struct acta_decision decision;
    struct acta_handled handled;
    struct acta_refusal refusal; /* What handled.refusal points to. */
    struct arena arena;          /* owned: what handled points to. */
};

/* Decide about the command at hand, from what is known now. */
enum acta_code handler_decide(struct acta_handler *handler,
                              const struct command_row *row, const void *state,
                              struct acta_err *err) ACTA_CHECKED;

/* True if something is to be stored. */
static inline bool
handler_has_events(const struct acta_handler *handler)
{
    return !handler->decision.is_refused && handler->decision.count > 0;
}

/* Begin the append of what was decided: under the command's id, with what was
 * not seen if it is refused.
 */
void handler_begin_append(struct acta_handler *handler);

/* Nothing is to be stored, unless refusals are: the command is refused or
 * accepted without events; or it took effect before, and is answered so.
 */
enum acta_code handler_end_without_events(struct acta_handler *handler,
                                          struct acta_err *err) ACTA_CHECKED;

/* The append was done, now or before: that is the answer. */
enum acta_code handler_end(struct acta_handler *handler,
                           const struct acta_appended *appended,
                           struct acta_err *err) ACTA_CHECKED;

/* Others were faster: true if it may be decided again. */
bool handler_may_try_again(const struct acta_handler *handler,
                           enum acta_code code);

/* ---- from a stream, from a query ---- */

/* Load the instance of @stream, as it is now. *@instance is the cache's, until
 * its next change.
 */
enum acta_code handler_load(struct acta_handler *handler, const char *stream,
                            struct instance **instance,
                            struct acta_err *err) ACTA_CHECKED;

/* Does another database answer at the address by now, as one that was restored?
 * Then all states were dropped: its streams may have the same versions, and say
 * something else.
 */
bool handler_is_elsewhere(struct acta_handler *handler);

/* The stream of a decider's instance. INVALID, TOO_LARGE. */
enum acta_code handler_stream(const struct acta_handler *handler,
                              const char *target,
                              char stream[ACTA_STREAM_SIZE_MAX + 1],
                              struct acta_err *err) ACTA_CHECKED;

enum acta_code handle_on_stream(struct acta_handler *handler,
                                const struct command_row *row,
                                struct acta_err *err) ACTA_CHECKED;
enum acta_code handle_on_query(struct acta_handler *handler,
                               const struct command_row *row,
                               struct acta_err *err) ACTA_CHECKED;

#endif
