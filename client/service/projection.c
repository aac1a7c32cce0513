#include "projection.h"

#include <stdlib.h>

#include "../given.h"

struct acta_projection *
acta_projection_new(const char *name)
{
    struct acta_projection *projection = calloc(1, sizeof(*projection));

    if (projection == NULL) {
        return NULL;
    }
    projection->name = strdup(name == NULL ? "" : name);
    if (projection->name == NULL) {
        free(projection);
        return NULL;
    }
    if (projection->name[0] == '\0' ||
        strlen(projection->name) > PROJECTION_NAME_MAX) {
        acta_fail(&projection->err, ACTA_INVALID,
                  "name of projection has %zu bytes, 1 to %d are allowed",
                  strlen(projection->name), PROJECTION_NAME_MAX);
    }
    return projection;
}

void
acta_projection_free(struct acta_projection *projection)
{
    if (projection == NULL) {
        return;
    }
    for (size_t i = 0; i < projection->handlers_count; i++) {
        free(projection->handlers[i].type);
    }
    free(projection->handlers);
    free(projection->name);
    free(projection);
}

/* Remember what is wrong first. */
static void
blame(struct acta_projection *projection, enum acta_code code, const char *why,
      const char *what)
{
    if (projection->err.code == ACTA_OK) {
        acta_fail(&projection->err, code, "projection %s: %s %s",
                  projection->name, what, why);
    }
}

/* Where the handler of @type is, or has to be. */
static size_t
place_of(const struct acta_projection *projection, const char *type,
         size_t type_size, bool *is_there)
{
    size_t low = 0, high = projection->handlers_count;

    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *other = projection->handlers[middle].type;
        int order = strncmp(other, type, type_size);

        if (order == 0) {
            order = other[type_size] == '\0' ? 0 : 1;
        }
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
insert(struct acta_projection *projection, size_t place,
       const struct projection_handler *handler)
{
    size_t count = projection->handlers_count;
    struct projection_handler *grown = reallocarray(
        projection->handlers, count + 1, sizeof(*projection->handlers));

    if (grown == NULL) {
        return false;
    }
    memmove(&grown[place + 1], &grown[place], (count - place) * sizeof(*grown));
    grown[place] = *handler;
    projection->handlers = grown;
    projection->handlers_count++;
    return true;
}

void
acta_projection_on(struct acta_projection *projection, const char *type,
                   acta_project_fn *handler, void *user)
{
    struct projection_handler added = {.handle = handler, .user = user};
    bool is_there;
    size_t place;

    if (projection == NULL) {
        return;
    }
    if (type == NULL || type[0] == '\0' || handler == NULL) {
        blame(projection, ACTA_INVALID, "has no type or no function",
              "a handler");
        return;
    }
    if (acta_type_version(type, NULL) != 1) {
        blame(projection, ACTA_INVALID, "is named with a version", type);
        return;
    }
    place = place_of(projection, type, strlen(type), &is_there);
    if (is_there || projection->handlers_count == PROJECTION_TYPES_MAX) {
        blame(projection, ACTA_INVALID,
              is_there ? "has two handlers" : "is one type too many", type);
        return;
    }
    added.type = strdup(type);
    if (added.type == NULL || !insert(projection, place, &added)) {
        blame(projection, ACTA_MEMORY, "", "handler");
        free(added.type);
    }
}

void
acta_projection_on_default(struct acta_projection *projection,
                           acta_project_fn *handler, void *user)
{
    if (projection != NULL) {
        projection->fallback.handle = handler;
        projection->fallback.user = user;
    }
}

void
acta_projection_query(struct acta_projection *projection,
                      const struct acta_query *query)
{
    if (projection != NULL) {
        projection->query = query;
    }
}

void
acta_projection_upcasters(struct acta_projection *projection,
                          const struct acta_upcasters *upcasters)
{
    if (projection != NULL) {
        projection->upcasters = upcasters;
    }
}

void
acta_projection_keep(struct acta_projection *projection,
                     const struct acta_keeper *keeper)
{
    struct acta_keeper *kept;

    if (projection == NULL) {
        return;
    }
    kept = &projection->keeper;
    if (keeper == NULL || !given_copy(kept, sizeof(*kept), keeper)) {
        blame(projection, ACTA_INVALID, "is not of acta_keeper_of()", "keeper");
        return;
    }
    if (kept->load == NULL || kept->begin == NULL || kept->save == NULL ||
        kept->commit == NULL || kept->rollback == NULL) {
        blame(projection, ACTA_INVALID, "lacks a function", "keeper");
        return;
    }
    projection->has_keeper = true;
}

enum acta_code
acta_projection_check(const struct acta_projection *projection,
                      struct acta_err *err)
{
    if (projection == NULL) {
        return acta_fail(err, ACTA_MEMORY, "projection");
    }
    if (projection->err.code != ACTA_OK) {
        return acta_fail(err, projection->err.code, "%s", projection->err.text);
    }
    if (projection->handlers_count == 0 &&
        projection->fallback.handle == NULL) {
        return acta_fail(err, ACTA_INVALID, "projection %s has no handler",
                         projection->name);
    }
    if (projection->upcasters != NULL) {
        return acta_upcasters_check(projection->upcasters, err);
    }
    return ACTA_OK;
}

enum acta_code
projection_query_new(const struct acta_projection *projection,
                     struct acta_query **query, struct acta_err *err)
{
    enum acta_code code;

    *query = NULL;
    if (projection->fallback.handle != NULL) {
        return ACTA_OK;
    }
    *query = acta_query_new();
    if (*query == NULL) {
        return acta_fail(err, ACTA_MEMORY, "query");
    }
    for (size_t i = 0; i < projection->handlers_count; i++) {
        acta_query_all_versions(*query, projection->handlers[i].type);
    }
    code = acta_query_check(*query, err);
    if (code != ACTA_OK) {
        acta_query_free(*query);
        *query = NULL;
    }
    return code;
}

/* ---- one event ---- */

static const struct projection_handler *
handler_of(const struct acta_projection *projection, const char *type)
{
    bool is_there;
    size_t size;
    size_t place;

    acta_type_version(type, &size);
    place = place_of(projection, type, size, &is_there);
    if (is_there) {
        return &projection->handlers[place];
    }
    return projection->fallback.handle == NULL ? NULL : &projection->fallback;
}

enum acta_code
projection_handle(const struct acta_projection *projection,
                  struct acta_upcast *upcast, struct acta_context *context,
                  enum acta_verdict *verdict, struct acta_err *err)
{
    const struct projection_handler *handler =
        handler_of(projection, context->event->type);
    const struct acta_event *newest;
    struct acta_err why;
    enum acta_code code;

    *verdict = ACTA_VERDICT_OK;
    if (handler == NULL) {
        return ACTA_OK; /* The author's query is wider than the handlers. */
    }
    code = acta_upcast_event(upcast, projection->upcasters, context->event,
                             &newest, &why);
    if (code == ACTA_MEMORY) {
        return acta_fail(err, code, "%s", why.text);
    }
    if (code != ACTA_OK) {
        context->is_unreadable = true;
        *verdict =
            acta_context_fail(context, ACTA_VERDICT_PARK, "%s", why.text);
        return ACTA_OK;
    }
    *verdict = handler->handle(handler->user, context, newest);
    if (context->emit_err.code != ACTA_OK) {
        return acta_fail(err, context->emit_err.code, "%s",
                         context->emit_err.text);
    }
    if (*verdict < ACTA_VERDICT_OK || *verdict > ACTA_VERDICT_STOP) {
        return acta_fail(err, ACTA_INVALID, "handler of %s said %d",
                         newest->type, (int)*verdict);
    }
    return ACTA_OK;
}
