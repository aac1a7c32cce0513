/* Decision models, and what they want for a command. */

#include <stdlib.h>

#include "decider_inside.h"
#include "limit.h"

struct acta_model *
acta_model_new(size_t state_size)
{
    struct acta_model *model = calloc(1, sizeof(*model));

    if (model != NULL) {
        model->ruling.state.size = state_size;
    }
    return model;
}

void
acta_model_free(struct acta_model *model)
{
    if (model == NULL) {
        return;
    }
    for (size_t i = 0; i < model->folds_count; i++) {
        fold_fini(&model->folds[i].fold);
        free(model->folds[i].name);
    }
    free(model->folds);
    ruling_fini(&model->ruling);
    free(model);
}

void
acta_model_lifecycle(struct acta_model *model, acta_initial_fn *initial,
                     acta_fini_fn *fini)
{
    if (model != NULL) {
        model->ruling.state.initial = initial;
        model->ruling.state.fini = fini;
    }
}

void
acta_model_user(struct acta_model *model, void *user)
{
    if (model != NULL) {
        model->ruling.user = user;
    }
}

void
acta_model_upcasters(struct acta_model *model,
                     const struct acta_upcasters *upcasters)
{
    if (model != NULL) {
        model->ruling.upcasters = upcasters;
    }
}

static struct model_fold *
find_fold(const struct acta_model *model, const char *name)
{
    for (size_t i = 0; i < model->folds_count; i++) {
        if (strcmp(model->folds[i].name, name) == 0) {
            return &model->folds[i];
        }
    }
    return NULL;
}

static struct model_fold *
make_fold(struct acta_model *model, const char *name)
{
    struct model_fold made = {.name = NULL};
    struct model_fold *folds =
        realloc(model->folds, (model->folds_count + 1) * sizeof(made));

    if (folds != NULL) {
        model->folds = folds;
        made.name = strdup(name);
    }
    if (made.name == NULL) {
        acta_fail(&model->ruling.err, ACTA_MEMORY, "folds");
        return NULL;
    }
    folds[model->folds_count] = made;
    return &folds[model->folds_count++];
}

void
acta_model_on_event(struct acta_model *model, const char *fold,
                    const char *type, acta_evolve_fn *evolve)
{
    struct model_fold *found;

    if (model == NULL || model->ruling.err.code != ACTA_OK) {
        return;
    }
    found = find_fold(model, fold);
    if (found == NULL) {
        found = make_fold(model, fold);
    }
    if (found != NULL) {
        fold_add(&found->fold, type, evolve, &model->ruling.err);
    }
}

void
acta_model_on_command(struct acta_model *model, const char *type,
                      acta_scope_fn *scope, acta_decide_fn *decide)
{
    if (model == NULL) {
        return;
    }
    if (scope == NULL && model->ruling.err.code == ACTA_OK) {
        acta_fail(&model->ruling.err, ACTA_INVALID, "%s: it has no scope",
                  type);
    }
    ruling_on_command(&model->ruling, type, scope, decide);
}

enum acta_code
acta_model_check(const struct acta_model *model, struct acta_err *err)
{
    return model == NULL ? acta_fail(err, ACTA_MEMORY, "decision model")
                         : ruling_check(&model->ruling, err);
}

/* ---- scopes ---- */

void
scope_fini(struct acta_scope *scope)
{
    arena_fini(&scope->arena);
}

void
acta_scope_fold(struct acta_scope *scope, const char *fold, size_t offset)
{
    const struct model_fold *found = find_fold(scope->model, fold);

    if (scope->err.code != ACTA_OK) {
        return;
    }
    if (found == NULL) {
        acta_fail(&scope->err, ACTA_INVALID, "there is no fold %s", fold);
    } else if (offset > scope->model->ruling.state.size) {
        acta_fail(&scope->err, ACTA_INVALID,
                  "fold %s: its part is outside the state", fold);
    } else if (scope->count == SCOPE_FOLDS_MAX) {
        acta_fail(&scope->err, ACTA_INVALID, "over %d folds for a command",
                  SCOPE_FOLDS_MAX);
    } else {
        scope->wanted[scope->count++] =
            (struct wanted){.fold = &found->fold, .offset = offset};
    }
}

void
acta_scope_tag(struct acta_scope *scope, const char *format, ...)
{
    struct wanted *wanted;
    va_list args;
    char *tag;

    if (scope->err.code != ACTA_OK) {
        return;
    }
    if (scope->count == 0) {
        acta_fail(&scope->err, ACTA_INVALID, "a tag comes before its fold");
        return;
    }
    va_start(args, format);
    tag = arena_vformat(&scope->arena, format, args);
    va_end(args);
    wanted = &scope->wanted[scope->count - 1];
    if (wanted->tags_count == SCOPE_TAGS_MAX) {
        acta_fail(&scope->err, ACTA_INVALID, "over %d tags for a fold",
                  SCOPE_TAGS_MAX);
    } else {
        wanted->tags[wanted->tags_count++] = tag;
    }
}

enum acta_code
scope_ask(struct acta_scope *scope, const struct acta_model *model,
          const struct command_row *row, const struct acta_command *command,
          struct acta_err *err)
{
    arena_clear(&scope->arena);
    scope->model = model;
    scope->count = 0;
    scope->err = (struct acta_err){ACTA_OK, ""};
    row->scope(command, scope);
    if (scope->err.code != ACTA_OK) {
        return acta_fail(err, scope->err.code, "scope of %s: %s", command->type,
                         scope->err.text);
    }
    return scope->arena.failed ? acta_fail(err, ACTA_MEMORY, "scope") : ACTA_OK;
}

struct acta_query *
scope_query(const struct acta_scope *scope)
{
    struct acta_query *query = acta_query_new();

    for (size_t i = 0; query != NULL && i < scope->count; i++) {
        const struct wanted *wanted = &scope->wanted[i];

        if (i > 0) {
            acta_query_or(query);
        }
        fold_query(wanted->fold, query);
        for (size_t t = 0; t < wanted->tags_count; t++) {
            acta_query_tag(query, wanted->tags[t]);
        }
    }
    return query;
}

static bool
has_tag(const struct acta_event *event, const char *tag)
{
    for (size_t i = 0; i < event->tags_count; i++) {
        if (strcmp(event->tags[i], tag) == 0) {
            return true;
        }
    }
    return false;
}

static bool
wants(const struct wanted *wanted, const struct acta_event *event)
{
    for (size_t i = 0; i < wanted->tags_count; i++) {
        if (!has_tag(event, wanted->tags[i])) {
            return false;
        }
    }
    return true;
}

enum acta_code
scope_fold(const struct acta_scope *scope, void *state,
           struct acta_upcast *upcast, const struct acta_event *event,
           uint64_t *folded, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < scope->count; i++) {
        const struct wanted *wanted = &scope->wanted[i];

        if (wants(wanted, event)) {
            code =
                fold_event(wanted->fold, (char *)state + wanted->offset, upcast,
                           scope->model->ruling.upcasters, event, folded, err);
        }
    }
    return code;
}
