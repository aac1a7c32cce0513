/* A process as it was told, and what follows from one event: what a manager and
 * the kit for tests have in common. There is no I/O here.
 *
 * A process is not changed any more when it is used. A reaction is used by one
 * thread at a time.
 */

#ifndef ACTA_SERVICE_PROCESS_H
#define ACTA_SERVICE_PROCESS_H

#include <acta/acta_process.h>

#include "decider_inside.h"
#include "decision.h"
#include "octets.h"
#include "projection.h"

#define PROCESS_TYPES_MAX 100

/* What the library stores in the stream of an instance. */
#define PROCESS_STARTED "ProcessStarted"
#define PROCESS_ENDED   "ProcessEnded"

struct route {
    char *type; /* owned */
    size_t type_size;
    unsigned flags;
    acta_react_fn *react; /* NULL: nothing but the flags. */
    bool is_deadline;
    char *tag_prefix;    /* owned; NULL: the key is in no tag. */
    acta_key_fn *key_of; /* NULL, and the one before: it is in the stream. */
};

struct acta_process {
    char *name; /* owned */
    void *user;
    struct acta_decider *states; /* owned: how they are folded and kept. */
    size_t life_offset;          /* Of struct life within a state. */
    struct route *routes;        /* owned */
    size_t routes_count;
    struct acta_err err; /* What was wrong first. */
};

/* The library's part of a state. */
struct life {
    bool is_started;
    bool is_ended;
};

/* The route of events of @type, which may be named with a version; NULL: there
 * is none.
 */
const struct route *process_route(const struct acta_process *process,
                                  const char *type);

/* The events that it wants, in @query, which is empty. What is wrong with that
 * is told by the query.
 */
void process_query(const struct acta_process *process,
                   struct acta_query *query);

/* ---- reactions ---- */

struct deadline {
    struct deadline *next;
    const char *name;           /* As the author calls it. */
    const char *schedule;       /* As the server calls it. */
    uint64_t due_us;            /* If there is one. */
    const struct decided *what; /* NULL: it is only cancelled. */
};

struct acta_reaction {
    const struct acta_process *process;
    struct arena arena;    /* owned: which instance the event is for. */
    struct acta_bytes key; /* owned: as acta_key_fn puts it. */

    /* The event, and whose it is. */
    const struct route *route; /* NULL: it is for no instance. */
    const struct acta_event *event;
    struct acta_context *context; /* Of its handling: borrowed. */
    struct context cause;         /* What passes to all that follows. */
    const char *instance;         /* The key. */
    const char *stream;

    /* What follows. */
    struct acta_decision decision; /* The events, */
    struct acta_decision later;    /* and those of deadlines. */
    struct deadline *deadlines;    /* In the order of first mention. */
    bool is_ignored;               /* The instance is not there, or ended. */
    bool starts;
    bool ends;
};

void reaction_init(struct acta_reaction *reaction,
                   const struct acta_process *process);
void reaction_fini(struct acta_reaction *reaction);

/* Find out which instance @event is for, which is of the newest version and as
 * @context has it; both are borrowed until the next call. reaction->route is
 * NULL if it is for none.
 *
 * INVALID, TOO_LARGE: its key cannot be part of a name. MEMORY.
 */
enum acta_code reaction_begin(struct acta_reaction *reaction,
                              struct acta_context *context,
                              const struct acta_event *event,
                              struct acta_err *err) ACTA_CHECKED;

/* Let it follow from the event what does, in @state, which is that of the
 * instance with its struct life. May be called again, with another state. If
 * the verdict is neither OK nor SKIP, or it fails, nothing follows.
 *
 * INVALID, TOO_LARGE: the reaction is wrong. MEMORY.
 */
enum acta_code reaction_ask(struct acta_reaction *reaction, const void *state,
                            enum acta_verdict *verdict,
                            struct acta_err *err) ACTA_CHECKED;

/* True if something is to be stored. */
bool reaction_has_effects(const struct acta_reaction *reaction);

/* Fill @append, which is empty, with all that follows: it counts once. The
 * stream of the instance is at @version.
 */
void reaction_write(const struct acta_reaction *reaction,
                    struct acta_append *append, uint64_t version);

#endif
