/* What an author's function decides: events for streams, or a refusal. And the
 * command that it is about, with all that passes from it to its events.
 *
 * One thread at a time.
 */

#ifndef ACTA_SERVICE_DECISION_H
#define ACTA_SERVICE_DECISION_H

#include <acta/acta_command.h>
#include <acta/acta_upcast.h>

#include "buf.h"
#include "limit.h"
#include "scratch.h"

/* A command as it is handled. */
struct context {
    struct acta_command command; /* With ids, and trace context. */
    struct acta_id id;
    struct acta_id correlation_id;
    bool is_new; /* Its id was made just now: nobody knows it. */
    char traceparent[ACTA_TEXT_SIZE_MAX + 1]; /* "": none. */
};

/* The command is copied, into @arena: its data and metadata end with a zero
 * byte that does not count, as those of events.
 *
 * INVALID: it was not made by acta_command_of(), or has no type or target. IO:
 * no id can be made. MEMORY.
 */
enum acta_code context_init(struct context *context,
                            const struct acta_command *command,
                            struct arena *arena,
                            struct acta_err *err) ACTA_CHECKED;

struct decided {
    struct decided *next;
    const char *stream; /* NULL: the instance's own. */
    struct acta_draft draft;
    const char **tags; /* Those of the draft, room for ACTA_TAGS_MAX. */
};

struct acta_decision {
    void *user;
    const struct acta_upcasters *upcasters;
    bool has_own_stream;

    struct arena arena; /* owned: all below. */
    struct decided *first, *last;
    size_t count;
    const char *stream;  /* For the events that follow. */
    struct buf metadata; /* owned; empty: there is none. */
    bool is_refused;
    struct acta_refusal refusal;
    struct acta_err err; /* What was wrong first. */
};

void decision_init(struct acta_decision *decision);
void decision_fini(struct acta_decision *decision);

/* Forget what was decided, for a decision about @context. */
void decision_begin(struct acta_decision *decision,
                    const struct context *context);

/* OK, or why it cannot be carried out. */
enum acta_code decision_check(const struct acta_decision *decision,
                              struct acta_err *err) ACTA_CHECKED;

/* Add the events as writes: first those of the instance's own stream @own, at
 * version @expected; then the others, in streams at any version.
 */
void decision_write(const struct acta_decision *decision,
                    const struct context *context, struct acta_append *append,
                    const char *own, int64_t expected);

/* Add one of its events to the write that was begun last. */
void decision_write_event(const struct acta_decision *decision,
                          const struct context *context,
                          struct acta_append *append,
                          const struct decided *decided);

/* How many of its events are for the instance's own stream. */
size_t decision_own_count(const struct acta_decision *decision);

#endif
