/* A fold: the types of events that change a state, and how. And the state, as a
 * struct of the author's that is only known by its size.
 *
 * Filled by one thread, then used by any.
 */

#ifndef ACTA_SERVICE_FOLD_H
#define ACTA_SERVICE_FOLD_H

#include <acta/acta_decider.h>

struct fold_row {
    char *type; /* owned */
    size_t type_size;
    acta_evolve_fn *evolve;
    size_t offset; /* Of the part of the state that it changes. */
};

struct fold {
    struct fold_row *rows; /* owned */
    size_t count;
};

void fold_fini(struct fold *fold);

/* Events of @type change the state, or what begins @offset bytes into it.
 * INVALID: the type has a version, or is there already. MEMORY.
 */
enum acta_code fold_add(struct fold *fold, const char *type,
                        acta_evolve_fn *evolve, struct acta_err *err);
enum acta_code fold_add_at(struct fold *fold, const char *type,
                           acta_evolve_fn *evolve, size_t offset,
                           struct acta_err *err);

/* Name the types, in all versions, in the item of @query that was begun last.
 */
void fold_query(const struct fold *fold, struct acta_query *query);

/* Change @state by @event; one of another type changes nothing. *@folded, which
 * may be NULL, counts up if it was one of them.
 *
 * UNSUPPORTED, CORRUPT, MEMORY: then the state is of no use any more.
 */
enum acta_code fold_event(const struct fold *fold, void *state,
                          struct acta_upcast *upcast,
                          const struct acta_upcasters *upcasters,
                          const struct acta_event *event, uint64_t *folded,
                          struct acta_err *err) ACTA_CHECKED;

/* ---- states ---- */

struct state_kind {
    size_t size;
    acta_initial_fn *initial; /* May be NULL. */
    acta_fini_fn *fini;       /* The same. */
};

/* A state without events. NULL: there is no memory. */
void *state_new(const struct state_kind *kind);

/* May be NULL. */
void state_free(const struct state_kind *kind, void *state);

#endif
