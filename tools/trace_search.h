/* What belongs to a trace, asked of a server: from what somebody has, an id or
 * an event, to all the events that belong to it.
 *
 * Events are found by their ids, those of one flow by their correlation id, and
 * those of a command by the command's: the server has an index for each. There
 * is none for causation ids. So what an event has caused is found if it has the
 * same correlation id, or the event's id as that; else only by looking at event
 * after event, which is bounded and told. One thread.
 */

#ifndef ACTA_TRACE_SEARCH_H
#define ACTA_TRACE_SEARCH_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "place.h"
#include "trace.h"

/* Events looked at for an id that nothing else is known of. */
#define TRACE_SCAN_DEFAULT 100000

/* Causes that are looked up by their ids, one after another. */
#define TRACE_LOOKUPS_MAX 100

enum trace_wanted {
    TRACE_BY_ID,
    TRACE_BY_POSITION,
    TRACE_BY_VERSION,
};

struct trace_search {
    const char *what; /* As it was written. */
    enum trace_wanted wanted;
    struct acta_id id;
    uint64_t number; /* The position or version. */
    char *stream;    /* owned */

    struct place from;
    struct place to;
    uint64_t count_max; /* Events of one correlation id, or found one by one. */
    uint64_t scan;      /* Events to look at one by one. */
    bool has_scan;      /* Also for effects of what was found. */
};

/* How far it went. */
struct trace_reach {
    uint64_t head;    /* Events up to there could be found. */
    uint64_t scanned; /* Events that were looked at. */
    bool is_cut;      /* There are more events than count_max. */
    bool is_unasked;  /* There are more causes than TRACE_LOOKUPS_MAX. */
};

/* Read @what: a UUID, a position, or STREAM@VERSION; or say that it is none. */
bool trace_search_parse(struct trace_search *search, const char *what);

void trace_search_fini(struct trace_search *search);

/* Fill and link @trace, which is empty. EXIT_OK with one event at least, or
 * what to exit with: that is told.
 */
int trace_search_run(const struct trace_search *search, struct cli *cli,
                     struct trace *trace, struct trace_reach *reach);

#endif
