#include "fold.h"

#include <stdlib.h>

void
fold_fini(struct fold *fold)
{
    for (size_t i = 0; i < fold->count; i++) {
        free(fold->rows[i].type);
    }
    free(fold->rows);
    *fold = (struct fold){0};
}

static const struct fold_row *
find(const struct fold *fold, const char *type, size_t type_size)
{
    for (size_t i = 0; i < fold->count; i++) {
        const struct fold_row *row = &fold->rows[i];

        if (row->type_size == type_size &&
            memcmp(row->type, type, type_size) == 0) {
            return row;
        }
    }
    return NULL;
}

enum acta_code
fold_add(struct fold *fold, const char *type, acta_evolve_fn *evolve,
         struct acta_err *err)
{
    return fold_add_at(fold, type, evolve, 0, err);
}

enum acta_code
fold_add_at(struct fold *fold, const char *type, acta_evolve_fn *evolve,
            size_t offset, struct acta_err *err)
{
    struct fold_row row = {NULL, strlen(type), evolve, offset};
    struct fold_row *rows;

    if (acta_type_version(type, NULL) != 1) {
        return acta_fail(err, ACTA_INVALID,
                         "%s: events are named without versions", type);
    }
    if (evolve == NULL || find(fold, type, row.type_size) != NULL) {
        return acta_fail(err, ACTA_INVALID, "%s: an event has one function",
                         type);
    }
    rows = realloc(fold->rows, (fold->count + 1) * sizeof(row));
    if (rows != NULL) {
        fold->rows = rows;
        row.type = strdup(type);
    }
    if (row.type == NULL) {
        return acta_fail(err, ACTA_MEMORY, "types of events");
    }
    rows[fold->count++] = row;
    return ACTA_OK;
}

void
fold_query(const struct fold *fold, struct acta_query *query)
{
    for (size_t i = 0; i < fold->count; i++) {
        acta_query_all_versions(query, fold->rows[i].type);
    }
}

enum acta_code
fold_event(const struct fold *fold, void *state, struct acta_upcast *upcast,
           const struct acta_upcasters *upcasters,
           const struct acta_event *event, uint64_t *folded,
           struct acta_err *err)
{
    const struct acta_event *newest;
    const struct fold_row *row;
    enum acta_code code;
    size_t base_size;

    acta_type_version(event->type, &base_size);
    row = find(fold, event->type, base_size);
    if (row == NULL) {
        return ACTA_OK;
    }
    code = acta_upcast_event(upcast, upcasters, event, &newest, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (!row->evolve((char *)state + row->offset, newest)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju of stream %s: this %s cannot "
                         "be folded",
                         (uintmax_t)event->position, event->stream,
                         event->type);
    }
    if (folded != NULL) {
        ++*folded;
    }
    return ACTA_OK;
}

/* ---- states ---- */

void *
state_new(const struct state_kind *kind)
{
    void *state = calloc(1, kind->size > 0 ? kind->size : 1);

    if (state != NULL && kind->initial != NULL && !kind->initial(state)) {
        state_free(kind, state);
        return NULL;
    }
    return state;
}

void
state_free(const struct state_kind *kind, void *state)
{
    if (state != NULL && kind->fini != NULL) {
        kind->fini(state);
    }
    free(state);
}
