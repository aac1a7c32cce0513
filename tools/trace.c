/* Nodes are found by their ids in an open hash table: those of one id, which is
 * one event a stream at most, stand in one run of places.
 */

#include "trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

void
trace_init(struct trace *trace)
{
    *trace = (struct trace){.first = TRACE_NONE};
}

void
trace_fini(struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        free(trace->nodes[i].stream);
        free(trace->nodes[i].type);
    }
    free(trace->nodes);
    free(trace->places);
    trace_init(trace);
}

/* ---- nodes by id ---- */

static bool
is_id(const struct acta_id *a, const struct acta_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Ids of version 7 differ at their end. */
static size_t
place_of(const struct trace *trace, const struct acta_id *id)
{
    uint64_t ends[2];

    memcpy(ends, id->bytes, sizeof(ends));
    ends[1] ^= ends[0];
    ends[1] *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(ends[1] >> 32) & (trace->places_count - 1);
}

static void
put_in_place(struct trace *trace, size_t node)
{
    size_t place = place_of(trace, &trace->nodes[node].id);

    while (trace->places[place] != TRACE_NONE) {
        place = (place + 1) & (trace->places_count - 1);
    }
    trace->places[place] = node;
}

/* The next node of this id, from *@place on; TRACE_NONE: no more. */
static size_t
next_of_id(const struct trace *trace, const struct acta_id *id, size_t *place)
{
    size_t node;

    while ((node = trace->places[*place]) != TRACE_NONE) {
        *place = (*place + 1) & (trace->places_count - 1);
        if (is_id(&trace->nodes[node].id, id)) {
            return node;
        }
    }
    return TRACE_NONE;
}

/* Room for one more node, with half of the places free. */
static bool
make_room(struct trace *trace)
{
    size_t capacity = trace->capacity == 0 ? CAPACITY_MIN : trace->capacity * 2;
    struct trace_node *nodes;
    size_t *places;

    if (trace->count < trace->capacity) {
        return true;
    }
    nodes = realloc(trace->nodes, capacity * sizeof(*nodes));
    if (nodes == NULL) {
        return false;
    }
    trace->nodes = nodes;
    places = malloc(2 * capacity * sizeof(*places));
    if (places == NULL) {
        return false;
    }
    free(trace->places);
    trace->places = places;
    trace->places_count = 2 * capacity;
    trace->capacity = capacity;
    for (size_t i = 0; i < trace->places_count; i++) {
        places[i] = TRACE_NONE;
    }
    for (size_t i = 0; i < trace->count; i++) {
        put_in_place(trace, i);
    }
    return true;
}

/* NULL: no memory. */
static struct trace_node *
add_node(struct trace *trace, enum trace_kind kind, const struct acta_id *id)
{
    struct trace_node *node;

    if (!make_room(trace)) {
        return NULL;
    }
    node = &trace->nodes[trace->count];
    *node = (struct trace_node){
        .kind = kind,
        .id = *id,
        .cause = TRACE_NONE,
        .first_effect = TRACE_NONE,
        .next = TRACE_NONE,
    };
    put_in_place(trace, trace->count++);
    return node;
}

/* ---- adding ---- */

bool
trace_has(const struct trace *trace, const struct acta_id *id)
{
    size_t place;

    if (trace->count == 0) {
        return false;
    }
    place = place_of(trace, id);
    return next_of_id(trace, id, &place) != TRACE_NONE;
}

static bool
has_event(const struct trace *trace, const struct acta_event *event)
{
    size_t place;
    size_t node;

    if (trace->count == 0) {
        return false;
    }
    place = place_of(trace, event->id);
    while ((node = next_of_id(trace, event->id, &place)) != TRACE_NONE) {
        if (trace->nodes[node].position == event->position) {
            return true;
        }
    }
    return false;
}

bool
trace_add(struct trace *trace, const struct acta_event *event)
{
    struct trace_node *node;

    if (has_event(trace, event)) {
        return true;
    }
    node = add_node(trace, TRACE_EVENT, event->id);
    if (node == NULL) {
        return false;
    }
    node->position = event->position;
    node->version = event->version;
    node->time_us = event->time_us;
    if (event->correlation_id != NULL) {
        node->has_correlation = true;
        node->correlation_id = *event->correlation_id;
    }
    if (event->causation_id != NULL) {
        node->has_causation = true;
        node->causation_id = *event->causation_id;
    }
    node->stream = strdup(event->stream);
    node->type = strdup(event->type);
    return node->stream != NULL && node->type != NULL;
}

bool
trace_add_command(struct trace *trace, const struct acta_id *id)
{
    return add_node(trace, TRACE_COMMAND, id) != NULL;
}

const struct acta_id *
trace_missing(const struct trace *trace, size_t *at)
{
    while (*at < trace->count) {
        const struct trace_node *node = &trace->nodes[(*at)++];

        if (node->has_causation && !trace_has(trace, &node->causation_id)) {
            return &node->causation_id;
        }
    }
    return NULL;
}

/* ---- linking ---- */

/* The last event of the id before the effect, else any that has it. */
static size_t
find_cause(const struct trace *trace, const struct trace_node *effect)
{
    size_t place = place_of(trace, &effect->causation_id);
    size_t cause = TRACE_NONE;
    uint64_t best = 0;
    size_t node;

    while ((node = next_of_id(trace, &effect->causation_id, &place)) !=
           TRACE_NONE) {
        uint64_t position = trace->nodes[node].position;
        bool is_before = position < effect->position;

        if (cause == TRACE_NONE || (is_before && position >= best)) {
            cause = node;
            best = is_before ? position : 0;
        }
    }
    return cause;
}

static bool
find_causes(struct trace *trace)
{
    const struct acta_id *missing;
    size_t at = 0;

    while ((missing = trace_missing(trace, &at)) != NULL) {
        struct acta_id id = *missing;

        if (add_node(trace, TRACE_UNKNOWN, &id) == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->nodes[i].has_causation) {
            trace->nodes[i].cause = find_cause(trace, &trace->nodes[i]);
        }
    }
    return true;
}

/* Cut the circle that @at is in where it begins first. */
static void
cut_circle(struct trace *trace, size_t at)
{
    size_t first = at;

    for (size_t i = trace->nodes[at].cause; i != at;
         i = trace->nodes[i].cause) {
        if (trace->nodes[i].position < trace->nodes[first].position) {
            first = i;
        }
    }
    trace->nodes[first].cause = TRACE_NONE;
    trace->nodes[first].is_cut = true;
}

/* Go from each node up to what was seen before: if that was on the same way, it
 * is in a circle. @ways says for each node on which way it was seen, from 1.
 */
static void
cut_circles(struct trace *trace, size_t *ways)
{
    for (size_t i = 0; i < trace->count; i++) {
        size_t at = i;

        while (at != TRACE_NONE && ways[at] == 0) {
            ways[at] = i + 1;
            at = trace->nodes[at].cause;
        }
        if (at != TRACE_NONE && ways[at] == i + 1) {
            cut_circle(trace, at);
        }
    }
}

/* What a node is put in order by: a cause that is no event stands where the
 * first of its effects does.
 */
struct rank {
    uint64_t position;
    size_t node;
};

static int
compare_ranks(const void *a, const void *b)
{
    const struct rank *one = a;
    const struct rank *two = b;

    if (one->position != two->position) {
        return one->position < two->position ? -1 : 1;
    }
    return one->node < two->node ? -1 : one->node > two->node;
}

static void
rank_nodes(const struct trace *trace, struct rank *ranks)
{
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_node *node = &trace->nodes[i];

        ranks[i] = (struct rank){
            node->kind == TRACE_EVENT ? node->position : UINT64_MAX, i};
    }
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_node *node = &trace->nodes[i];

        if (node->cause != TRACE_NONE &&
            trace->nodes[node->cause].kind != TRACE_EVENT &&
            node->position < ranks[node->cause].position) {
            ranks[node->cause].position = node->position;
        }
    }
    qsort(ranks, trace->count, sizeof(*ranks), compare_ranks);
}

/* Put each in front of its like, from the last one to the first. */
static void
link_effects(struct trace *trace, const struct rank *ranks)
{
    for (size_t i = trace->count; i > 0; i--) {
        struct trace_node *node = &trace->nodes[ranks[i - 1].node];
        size_t *first = node->cause == TRACE_NONE
                            ? &trace->first
                            : &trace->nodes[node->cause].first_effect;

        node->next = *first;
        *first = ranks[i - 1].node;
    }
    for (size_t at = trace->first; at != TRACE_NONE;
         at = trace_next(trace, at)) {
        size_t cause = trace->nodes[at].cause;

        trace->nodes[at].depth =
            cause == TRACE_NONE ? 0 : trace->nodes[cause].depth + 1;
    }
}

bool
trace_link(struct trace *trace)
{
    bool done = false;
    struct rank *ranks;
    size_t *ways;

    assert(trace->first == TRACE_NONE);

    if (trace->count == 0) {
        return true;
    }
    if (!find_causes(trace)) {
        return false;
    }
    ways = calloc(trace->count, sizeof(*ways));
    ranks = malloc(trace->count * sizeof(*ranks));
    if (ways != NULL && ranks != NULL) {
        cut_circles(trace, ways);
        rank_nodes(trace, ranks);
        link_effects(trace, ranks);
        done = true;
    }
    free(ways);
    free(ranks);
    return done;
}

/* ---- walking ---- */

size_t
trace_next(const struct trace *trace, size_t at)
{
    if (trace->nodes[at].first_effect != TRACE_NONE) {
        return trace->nodes[at].first_effect;
    }
    while (at != TRACE_NONE && trace->nodes[at].next == TRACE_NONE) {
        at = trace->nodes[at].cause;
    }
    return at == TRACE_NONE ? TRACE_NONE : trace->nodes[at].next;
}

bool
trace_delay(const struct trace *trace, size_t at, int64_t *delay_us)
{
    const struct trace_node *node = &trace->nodes[at];

    if (node->cause == TRACE_NONE ||
        trace->nodes[node->cause].kind != TRACE_EVENT) {
        return false;
    }
    *delay_us = (int64_t)(node->time_us - trace->nodes[node->cause].time_us);
    return true;
}
