/* Trees of causes and effects, made of events: an event's causation id names
 * the event, or the command, that it is an effect of.
 *
 * Events are added in any order, each once, and then linked. A cause that is
 * none of them becomes a node of its own, so that its effects stay together. An
 * effect whose chain of causes comes back to itself, since ids are wrong, is
 * cut from its cause, and begins a tree: whatever was added is in exactly one
 * tree, once. Where several events have a cause's id, in as many streams, it is
 * the last of them before the effect.
 *
 * A trace owns its memory. Nothing here recurses: a chain may be as long as
 * there are events. One thread.
 */

#ifndef ACTA_TRACE_H
#define ACTA_TRACE_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_NONE SIZE_MAX

enum trace_kind {
    TRACE_EVENT,
    TRACE_COMMAND, /* A cause that is no event: a command, that has events. */
    TRACE_UNKNOWN, /* A cause of which nothing is known but its id. */
};

struct trace_node {
    enum trace_kind kind;
    struct acta_id id;
    bool is_asked; /* The caller's: it is what somebody asked for. */

    /* Of events only. */
    uint64_t position;
    uint64_t version;
    uint64_t time_us;
    char *stream; /* owned */
    char *type;   /* owned */
    bool has_correlation;
    bool has_causation;
    struct acta_id correlation_id;
    struct acta_id causation_id;

    /* Set by trace_link(); TRACE_NONE: there is none. */
    size_t cause;
    size_t first_effect; /* The one with the lowest position. */
    size_t next;         /* The next effect of the same cause; or tree. */
    size_t depth;        /* 0: begins a tree. */
    bool is_cut;         /* Its cause is among what follows from it. */
};

struct trace {
    struct trace_node *nodes;
    size_t count;
    size_t capacity;
    size_t first; /* The tree that begins first. Set by trace_link(). */

    /* Nodes by their ids: owned, a power of two; TRACE_NONE: a free place. */
    size_t *places;
    size_t places_count;
};

void trace_init(struct trace *trace);
void trace_fini(struct trace *trace);

/* Add @event, unless it is there. False: no memory. */
bool trace_add(struct trace *trace, const struct acta_event *event);

/* True if an event of this id was added. */
bool trace_has(const struct trace *trace, const struct acta_id *id);

/* The next cause, from *@at on (begin with 0), that no event has the id of;
 * NULL: no more. A cause comes as often as it has effects. Before
 * trace_link().
 */
const struct acta_id *trace_missing(const struct trace *trace, size_t *at);

/* Add a cause that is no event. False: no memory. */
bool trace_add_command(struct trace *trace, const struct acta_id *id);

/* Make trees of all that was added, once. False: no memory. */
bool trace_link(struct trace *trace);

/* The node behind @at, in the order in which trees are printed: a cause before
 * its effects, those before the next effect of its own cause.
 */
size_t trace_next(const struct trace *trace, size_t at);

/* From cause to effect, in microseconds; below 0 if ids are wrong. False: it
 * has no cause with a time.
 */
bool trace_delay(const struct trace *trace, size_t at, int64_t *delay_us);

#endif
