/* Deciders and decision models as they were filled. Not changed any more when
 * they are used.
 */

#ifndef ACTA_SERVICE_DECIDER_INSIDE_H
#define ACTA_SERVICE_DECIDER_INSIDE_H

#include <acta/acta_decider.h>

#include "fold.h"
#include "scratch.h"

#define SCOPE_FOLDS_MAX 32
#define SCOPE_TAGS_MAX  8 /* Of one fold. */

struct command_row {
    char *type;           /* owned */
    acta_scope_fn *scope; /* Models only. */
    acta_decide_fn *decide;
};

/* What both have. */
struct ruling {
    struct acta_err err; /* What was wrong first. */
    struct state_kind state;
    void *user;
    const struct acta_upcasters *upcasters;
    struct command_row *commands; /* owned */
    size_t commands_count;
};

struct acta_decider {
    struct ruling ruling;
    char *category; /* owned */
    struct fold fold;

    /* Snapshots; every is 0 if there are none. */
    uint64_t every;
    uint64_t schema;
    acta_encode_fn *encode;
    acta_decode_fn *decode;
};

struct model_fold {
    char *name; /* owned */
    struct fold fold;
};

struct acta_model {
    struct ruling ruling;
    struct model_fold *folds; /* owned */
    size_t folds_count;
};

/* NULL: there is none for this type. */
const struct command_row *ruling_command(const struct ruling *ruling,
                                         const char *type);

/* The same functions for deciders and models. */
void ruling_on_command(struct ruling *ruling, const char *type,
                       acta_scope_fn *scope, acta_decide_fn *decide);
enum acta_code ruling_check(const struct ruling *ruling,
                            struct acta_err *err) ACTA_CHECKED;
void ruling_fini(struct ruling *ruling);

/* ---- scopes ---- */

/* A fold that is wanted for a command. */
struct wanted {
    const struct fold *fold;
    size_t offset;
    const char *tags[SCOPE_TAGS_MAX];
    size_t tags_count;
};

struct acta_scope {
    const struct acta_model *model;
    struct arena arena; /* owned: the tags. */
    struct wanted wanted[SCOPE_FOLDS_MAX];
    size_t count;
    struct acta_err err; /* What was wrong first. */
};

/* Ask the model what it wants for @command. @scope is all zero, or was used
 * before; free it with scope_fini(). INVALID, MEMORY.
 */
enum acta_code scope_ask(struct acta_scope *scope,
                         const struct acta_model *model,
                         const struct command_row *row,
                         const struct acta_command *command,
                         struct acta_err *err) ACTA_CHECKED;
void scope_fini(struct acta_scope *scope);

/* All that it wants. NULL: there is no memory. */
struct acta_query *scope_query(const struct acta_scope *scope);

/* Give @event to the folds that want it. As fold_event(). */
enum acta_code scope_fold(const struct acta_scope *scope, void *state,
                          struct acta_upcast *upcast,
                          const struct acta_event *event, uint64_t *folded,
                          struct acta_err *err) ACTA_CHECKED;

#endif
