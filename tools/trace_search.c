#include "trace_search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX      32 /* Events that a search begins with. */
#define PAGE_COUNT_MAX 65536

/* The search as it goes on. */
struct hunt {
    const struct trace_search *search;
    struct acta_sync *sync;
    struct trace *trace;
    struct trace_reach *reach;
    uint64_t after; /* Only events in (after, last]. */
    uint64_t last;
};

/* ---- what is wanted ---- */

static bool
is_number(const char *text, uint64_t *number)
{
    return place_parse_position(text, number) && *number > 0;
}

bool
trace_search_parse(struct trace_search *search, const char *what)
{
    const char *at = strrchr(what, '@');

    search->what = what;
    if (acta_id_parse(&search->id, what)) {
        search->wanted = TRACE_BY_ID;
        return true;
    }
    if (is_number(what, &search->number)) {
        search->wanted = TRACE_BY_POSITION;
        return true;
    }
    if (at != NULL && at > what && is_number(at + 1, &search->number)) {
        search->wanted = TRACE_BY_VERSION;
        search->stream = strndup(what, (size_t)(at - what));
        return search->stream != NULL;
    }
    cli_error(ACTA_INVALID,
              "%s: not a UUID, a position, or an event such as order-42@1",
              what);
    return false;
}

void
trace_search_fini(struct trace_search *search)
{
    free(search->stream);
    search->stream = NULL;
}

/* ---- reading ---- */

static enum acta_code
add(struct hunt *hunt, const struct acta_event *event, struct acta_err *err)
{
    return trace_add(hunt->trace, event)
               ? ACTA_OK
               : acta_fail(err, ACTA_MEMORY, "no memory for so many events");
}

/* Events of an id, if there are any. */
static enum acta_code
add_by_id(struct hunt *hunt, const struct acta_id *id, struct acta_err *err)
{
    const struct acta_page *page;
    enum acta_code code = acta_sync_read_id(hunt->sync, id, &page, err);

    if (code != ACTA_OK) {
        return code == ACTA_NOT_FOUND ? ACTA_OK : code;
    }
    for (size_t i = 0;
         i < page->events_count && i < SEEDS_MAX && code == ACTA_OK; i++) {
        code = add(hunt, page->events[i], err);
    }
    return code;
}

/* The event at a position, if there is one that can be read. */
static enum acta_code
add_by_position(struct hunt *hunt, uint64_t position, struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_page *page;
    enum acta_code code;

    read.from = position - 1;
    read.events_max = 1;
    code = acta_sync_read(hunt->sync, &read, &page, err);
    if (code == ACTA_OK && page->events_count > 0 &&
        page->events[0]->position == position) {
        code = add(hunt, page->events[0], err);
    }
    return code;
}

static enum acta_code
add_by_version(struct hunt *hunt, const char *stream, uint64_t version,
               struct acta_err *err)
{
    const struct acta_event *event;
    enum acta_code code =
        acta_sync_read_version(hunt->sync, stream, version, &event, err);

    if (code == ACTA_NOT_FOUND) {
        return ACTA_OK;
    }
    return code == ACTA_OK ? add(hunt, event, err) : code;
}

/* The first event of each run that a command has stored: others of it have the
 * same correlation id. *@is_command: it has some.
 */
static enum acta_code
add_by_command(struct hunt *hunt, const struct acta_id *id, bool with_events,
               bool *is_command, struct acta_err *err)
{
    const struct acta_appended *appended;
    uint64_t positions[SEEDS_MAX];
    size_t count = 0;
    enum acta_code code =
        acta_sync_find_command(hunt->sync, id, &appended, err);

    *is_command = code == ACTA_OK;
    if (code != ACTA_OK) {
        return code == ACTA_NOT_FOUND ? ACTA_OK : code;
    }
    for (size_t i = 0; i < appended->runs_count && count < SEEDS_MAX; i++) {
        if (appended->runs[i]->count > 0) {
            positions[count++] = appended->runs[i]->first_position;
        }
    }
    for (size_t i = 0; i < count && with_events && code == ACTA_OK; i++) {
        code = add_by_position(hunt, positions[i], err);
    }
    return code;
}

/* ---- by correlation id ---- */

/* A list without repeats. */
struct ids {
    struct acta_id ids[2 * SEEDS_MAX + 1];
    size_t count;
};

static bool
ids_have(const struct ids *ids, const struct acta_id *id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (memcmp(ids->ids[i].bytes, id->bytes, sizeof(id->bytes)) == 0) {
            return true;
        }
    }
    return false;
}

static void
ids_put(struct ids *ids, const struct acta_id *id)
{
    if (!ids_have(ids, id)) {
        ids->ids[ids->count++] = *id;
    }
}

/* Which of the events that are read belong to it; NULL: all. */
typedef bool belongs(const struct trace *trace, const struct acta_event *event);

/* Read forward, look at @look_max events at most, and add those that belong to
 * it. *@looked is how many it were.
 */
static enum acta_code
add_read(struct hunt *hunt, const struct acta_read *read, belongs *is_wanted,
         uint64_t look_max, uint64_t *looked, struct acta_err *err)
{
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    uint64_t added = 0;
    enum acta_code code = acta_cursor_open(&cursor, hunt->sync, read, err);

    *looked = 0;
    while (code == ACTA_OK && *looked < look_max) {
        code = acta_cursor_next(cursor, &event, err);
        if (code != ACTA_OK || event == NULL || event->position > hunt->last) {
            break;
        }
        ++*looked;
        if (is_wanted != NULL && !is_wanted(hunt->trace, event)) {
            continue;
        }
        if (added == hunt->search->count_max) {
            hunt->reach->is_cut = true;
            break;
        }
        added++;
        code = add(hunt, event, err);
    }
    acta_cursor_close(cursor);
    return code;
}

/* All events of the flows that what was found so far is in. Who begins one
 * often has no correlation id, and its effects have its id.
 */
static enum acta_code
add_flows(struct hunt *hunt, struct acta_err *err)
{
    const uint64_t count_max = hunt->search->count_max;
    struct acta_query *query = acta_query_new();
    struct acta_read read = acta_read_of_query(query);
    struct ids ids = {.count = 0};
    enum acta_code code;
    uint64_t looked;

    if (hunt->search->wanted == TRACE_BY_ID) {
        ids_put(&ids, &hunt->search->id);
    }
    for (size_t i = 0; i < hunt->trace->count; i++) {
        const struct trace_node *node = &hunt->trace->nodes[i];

        ids_put(&ids, &node->id);
        if (node->has_correlation) {
            ids_put(&ids, &node->correlation_id);
        }
    }
    for (size_t i = 0; i < ids.count; i++) {
        acta_query_correlation_id(query, &ids.ids[i]);
    }
    read.from = hunt->after;
    read.events_max = count_max < PAGE_COUNT_MAX ? count_max + 1 : 0;
    code = add_read(hunt, &read, NULL, UINT64_MAX, &looked, err);
    for (size_t i = 0; i < ids.count && code == ACTA_OK; i++) {
        if (!trace_has(hunt->trace, &ids.ids[i])) {
            code = add_by_id(hunt, &ids.ids[i], err);
        }
    }
    acta_query_free(query);
    return code;
}

/* ---- event by event ---- */

/* What @id has caused, from the last event on backward. */
static enum acta_code
scan_for_id(struct hunt *hunt, const struct acta_id *id, struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    enum acta_code code;

    read.from = hunt->last + 1;
    read.backward = true;
    code = acta_cursor_open(&cursor, hunt->sync, &read, err);
    while (code == ACTA_OK && hunt->reach->scanned < hunt->search->scan &&
           hunt->trace->count < SEEDS_MAX) {
        code = acta_cursor_next(cursor, &event, err);
        if (code != ACTA_OK || event == NULL ||
            event->position <= hunt->after) {
            break;
        }
        hunt->reach->scanned++;
        if (event->causation_id != NULL &&
            memcmp(event->causation_id->bytes, id->bytes, sizeof(id->bytes)) ==
                0) {
            code = add(hunt, event, err);
        }
    }
    acta_cursor_close(cursor);
    return code;
}

static uint64_t
first_position(const struct trace *trace)
{
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < trace->count; i++) {
        if (trace->nodes[i].position < first) {
            first = trace->nodes[i].position;
        }
    }
    return first;
}

static bool
is_effect(const struct trace *trace, const struct acta_event *event)
{
    return event->causation_id != NULL &&
           trace_has(trace, event->causation_id) &&
           !trace_has(trace, event->id);
}

/* What was caused by anything that was found, or is found on the way: effects
 * come behind their causes, so once through is enough.
 */
static enum acta_code
scan_for_effects(struct hunt *hunt, struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(NULL);

    read.from = first_position(hunt->trace);
    return add_read(hunt, &read, is_effect, hunt->search->scan,
                    &hunt->reach->scanned, err);
}

/* ---- causes ---- */

/* Causes of another flow, up to where a chain begins: events, and commands. */
static enum acta_code
add_causes(struct hunt *hunt, struct acta_err *err)
{
    struct acta_id tried[TRACE_LOOKUPS_MAX];
    size_t tried_count = 0;
    const struct acta_id *missing;
    enum acta_code code = ACTA_OK;
    size_t at = 0;

    while (code == ACTA_OK &&
           (missing = trace_missing(hunt->trace, &at)) != NULL) {
        struct acta_id id = *missing;
        bool is_command;
        size_t i = 0;

        while (i < tried_count &&
               memcmp(tried[i].bytes, id.bytes, sizeof(id.bytes)) != 0) {
            i++;
        }
        if (i < tried_count) {
            continue;
        }
        if (tried_count == TRACE_LOOKUPS_MAX) {
            hunt->reach->is_unasked = true;
            break;
        }
        tried[tried_count++] = id;
        code = add_by_id(hunt, &id, err);
        if (code != ACTA_OK || trace_has(hunt->trace, &id)) {
            continue;
        }
        code = add_by_command(hunt, &id, false, &is_command, err);
        if (code == ACTA_OK && is_command &&
            !trace_add_command(hunt->trace, &id)) {
            code = acta_fail(err, ACTA_MEMORY, "no memory for so many events");
        }
    }
    return code;
}

/* ---- all of it ---- */

/* Where to begin: what was named, if it is an event, or a command's. */
static enum acta_code
add_seeds(struct hunt *hunt, struct acta_err *err)
{
    const struct trace_search *search = hunt->search;
    enum acta_code code = ACTA_OK;
    bool is_command;

    switch (search->wanted) {
    case TRACE_BY_ID:
        code = add_by_id(hunt, &search->id, err);
        if (code == ACTA_OK && hunt->trace->count == 0) {
            code = add_by_command(hunt, &search->id, true, &is_command, err);
        }
        break;
    case TRACE_BY_POSITION:
        code = add_by_position(hunt, search->number, err);
        break;
    case TRACE_BY_VERSION:
        code = add_by_version(hunt, search->stream, search->number, err);
        break;
    }
    return code;
}

static enum acta_code
hunt_events(struct hunt *hunt, struct acta_err *err)
{
    bool is_id = hunt->search->wanted == TRACE_BY_ID;
    enum acta_code code = add_seeds(hunt, err);

    if (code == ACTA_OK && (is_id || hunt->trace->count > 0)) {
        code = add_flows(hunt, err);
    }
    if (code == ACTA_OK && is_id && hunt->trace->count == 0) {
        code = scan_for_id(hunt, &hunt->search->id, err);
        if (code == ACTA_OK && hunt->trace->count > 0) {
            code = add_flows(hunt, err);
        }
    }
    if (code == ACTA_OK && hunt->search->has_scan && hunt->trace->count > 0) {
        code = scan_for_effects(hunt, err);
    }
    return code == ACTA_OK ? add_causes(hunt, err) : code;
}

static int
tell_nothing(const struct hunt *hunt)
{
    const struct trace_search *search = hunt->search;

    if (search->wanted != TRACE_BY_ID) {
        cli_error(ACTA_NOT_FOUND, "%s: there is no such event", search->what);
        return EXIT_NOT_FOUND;
    }
    cli_error(ACTA_NOT_FOUND,
              "%s: no event has this id, or correlation id, or is of this "
              "command; nor has any of the last %" PRIu64 " as what caused it",
              search->what, hunt->reach->scanned);
    if (hunt->reach->scanned == search->scan) {
        cli_hint("--scan COUNT looks at more events, --to PLACE at older ones");
    }
    return EXIT_NOT_FOUND;
}

/* What was asked for, where it is one node or a few. */
static void
mark_asked(const struct trace_search *search, struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_node *node = &trace->nodes[i];
        bool is_event = node->kind == TRACE_EVENT;

        switch (search->wanted) {
        case TRACE_BY_ID:
            node->is_asked = memcmp(node->id.bytes, search->id.bytes,
                                    sizeof(node->id.bytes)) == 0;
            break;
        case TRACE_BY_POSITION:
            node->is_asked = is_event && node->position == search->number;
            break;
        case TRACE_BY_VERSION:
            node->is_asked = is_event && node->version == search->number &&
                             strcmp(node->stream, search->stream) == 0;
            break;
        }
    }
}

int
trace_search_run(const struct trace_search *search, struct cli *cli,
                 struct trace *trace, struct trace_reach *reach)
{
    struct hunt hunt = {search, cli->sync, trace, reach, 0, 0};
    struct acta_err err;
    int code;

    *reach = (struct trace_reach){.head = 0};
    code = place_find_range(&search->from, &search->to, cli, &hunt.after,
                            &hunt.last);
    if (code != EXIT_OK) {
        return code;
    }
    if (acta_sync_ping(cli->sync, &reach->head, &err) != ACTA_OK ||
        hunt_events(&hunt, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    if (hunt.last < reach->head) {
        reach->head = hunt.last;
    }
    if (trace->count == 0) {
        return tell_nothing(&hunt);
    }
    if (!trace_link(trace)) {
        acta_fail(&err, ACTA_MEMORY, "no memory for so many events");
        return cli_fail(NULL, &err);
    }
    mark_asked(search, trace);
    return EXIT_OK;
}
