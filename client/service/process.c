/* Processes as they are filled. The states of instances are those of a decider
 * that decides nothing: behind the author's state comes the library's part.
 */

#include "process.h"

#include <stdlib.h>

#include "name.h"

#define STATE_ALIGN ((size_t)16)

static bool
on_started(void *state, const struct acta_event *event)
{
    struct life *life = state;

    (void)event;
    life->is_started = true;
    return true;
}

static bool
on_ended(void *state, const struct acta_event *event)
{
    struct life *life = state;

    (void)event;
    life->is_ended = true;
    return true;
}

/* ---- making ---- */

static enum acta_code
fill(struct acta_process *process, const char *name, size_t state_size)
{
    size_t rest = state_size % STATE_ALIGN;
    struct acta_err *err = &process->err;
    struct fold *fold;

    process->life_offset = state_size + (rest > 0 ? STATE_ALIGN - rest : 0);
    process->name = strdup(name);
    process->states =
        acta_decider_new(name, process->life_offset + sizeof(struct life));
    if (process->name == NULL || process->states == NULL) {
        return acta_fail(err, ACTA_MEMORY, "process");
    }
    fold = &process->states->fold;
    if (fold_add_at(fold, PROCESS_STARTED, on_started, process->life_offset,
                    err) != ACTA_OK ||
        fold_add_at(fold, PROCESS_ENDED, on_ended, process->life_offset, err) !=
            ACTA_OK) {
        return err->code;
    }
    return name_check(slice_of(name), PROJECTION_NAME_MAX, "name of process",
                      err);
}

struct acta_process *
acta_process_new(const char *name, size_t state_size)
{
    struct acta_process *process = calloc(1, sizeof(*process));

    if (process != NULL &&
        fill(process, name == NULL ? "" : name, state_size) == ACTA_MEMORY) {
        acta_process_free(process);
        return NULL;
    }
    return process;
}

void
acta_process_free(struct acta_process *process)
{
    if (process == NULL) {
        return;
    }
    for (size_t i = 0; i < process->routes_count; i++) {
        free(process->routes[i].type);
        free(process->routes[i].tag_prefix);
    }
    free(process->routes);
    acta_decider_free(process->states);
    free(process->name);
    free(process);
}

void
acta_process_lifecycle(struct acta_process *process, acta_initial_fn *initial,
                       acta_fini_fn *fini)
{
    if (process != NULL) {
        acta_decider_lifecycle(process->states, initial, fini);
    }
}

void
acta_process_user(struct acta_process *process, void *user)
{
    if (process != NULL) {
        process->user = user;
    }
}

void
acta_process_upcasters(struct acta_process *process,
                       const struct acta_upcasters *upcasters)
{
    if (process != NULL) {
        acta_decider_upcasters(process->states, upcasters);
    }
}

void
acta_process_evolve(struct acta_process *process, const char *type,
                    acta_evolve_fn *evolve)
{
    if (process != NULL) {
        acta_decider_on_event(process->states, type, evolve);
    }
}

/* ---- routes ---- */

/* Remember what is wrong first. */
static void
blame(struct acta_process *process, enum acta_code code, const char *type,
      const char *why)
{
    if (process->err.code == ACTA_OK) {
        acta_fail(&process->err, code, "process %s: %s %s", process->name, type,
                  why);
    }
}

const struct route *
process_route(const struct acta_process *process, const char *type)
{
    size_t size;

    acta_type_version(type, &size);
    for (size_t i = 0; i < process->routes_count; i++) {
        const struct route *route = &process->routes[i];

        if (route->type_size == size && memcmp(route->type, type, size) == 0) {
            return route;
        }
    }
    return NULL;
}

/* NULL: nothing is wrong. */
static const char *
find_fault(const struct acta_process *process, const char *type,
           const struct route *route)
{
    unsigned known = ACTA_ROUTE_ENDS;

    if (!route->is_deadline) {
        known |= ACTA_ROUTE_STARTS;
    }
    if (acta_type_version(type, NULL) != 1) {
        return "is named with a version";
    }
    if ((route->flags & ~known) != 0) {
        return "has a route that is not known";
    }
    if (route->react == NULL && route->flags == 0) {
        return "has a route that does nothing";
    }
    if (process->routes_count == PROCESS_TYPES_MAX) {
        return "is one type too many";
    }
    return process_route(process, type) == NULL ? NULL : "has two routes";
}

static void
add_route(struct acta_process *process, const char *type, struct route *route)
{
    struct acta_err why;
    struct route *routes;
    const char *fault;

    if (type == NULL || name_check(slice_of(type), ACTA_TYPE_SIZE_MAX, "type",
                                   &why) != ACTA_OK) {
        blame(process, ACTA_INVALID, "a route", "has no type");
        return;
    }
    fault = find_fault(process, type, route);
    if (fault != NULL) {
        blame(process, ACTA_INVALID, type, fault);
        return;
    }
    routes = reallocarray(process->routes, process->routes_count + 1,
                          sizeof(*routes));
    if (routes != NULL) {
        process->routes = routes;
        route->type = strdup(type);
    }
    if (route->type == NULL) {
        blame(process, ACTA_MEMORY, type, "needs memory");
        return;
    }
    route->type_size = strlen(type);
    routes[process->routes_count++] = *route;
}

void
acta_process_on(struct acta_process *process, const char *type, unsigned route,
                acta_react_fn *react)
{
    struct route added = {.flags = route, .react = react};

    if (process != NULL) {
        add_route(process, type, &added);
    }
}

void
acta_process_on_deadline(struct acta_process *process, const char *type,
                         unsigned route, acta_react_fn *react)
{
    struct route added = {
        .flags = route,
        .react = react,
        .is_deadline = true,
    };

    if (process != NULL) {
        add_route(process, type, &added);
    }
}

/* The route that was named last, to be given a key; NULL: it cannot. */
static struct route *
keyless(struct acta_process *process, bool is_given)
{
    struct route *last;

    if (process->routes_count == 0) {
        blame(process, ACTA_INVALID, "a key", "is of no type");
        return NULL;
    }
    last = &process->routes[process->routes_count - 1];
    if (!is_given || last->is_deadline || last->tag_prefix != NULL ||
        last->key_of != NULL) {
        blame(process, ACTA_INVALID, last->type,
              "has no key, or two, or is a deadline");
        return NULL;
    }
    return last;
}

void
acta_process_key_tag(struct acta_process *process, const char *prefix)
{
    struct route *route;

    if (process == NULL) {
        return;
    }
    route = keyless(process, prefix != NULL && prefix[0] != '\0');
    if (route == NULL) {
        return;
    }
    route->tag_prefix = strdup(prefix);
    if (route->tag_prefix == NULL) {
        blame(process, ACTA_MEMORY, route->type, "needs memory");
    }
}

void
acta_process_key(struct acta_process *process, acta_key_fn *key_of)
{
    struct route *route;

    if (process == NULL) {
        return;
    }
    route = keyless(process, key_of != NULL);
    if (route != NULL) {
        route->key_of = key_of;
    }
}

/* ---- all of it ---- */

enum acta_code
acta_process_check(const struct acta_process *process, struct acta_err *err)
{
    if (process == NULL) {
        return acta_fail(err, ACTA_MEMORY, "process");
    }
    if (process->err.code != ACTA_OK) {
        return acta_fail(err, process->err.code, "%s", process->err.text);
    }
    if (process->routes_count == 0) {
        return acta_fail(err, ACTA_INVALID, "process %s has no route",
                         process->name);
    }
    return acta_decider_check(process->states, err);
}

static size_t
name_types(const struct acta_process *process, struct acta_query *query,
           bool are_deadlines)
{
    size_t count = 0;

    for (size_t i = 0; i < process->routes_count; i++) {
        if (process->routes[i].is_deadline == are_deadlines) {
            acta_query_all_versions(query, process->routes[i].type);
            count++;
        }
    }
    return count;
}

void
process_query(const struct acta_process *process, struct acta_query *query)
{
    size_t count = name_types(process, query, false);

    if (count == process->routes_count) {
        return;
    }
    if (count > 0) {
        acta_query_or(query);
    }
    acta_query_category(query, process->name);
    (void)name_types(process, query, true);
}
