#include "decider_inside.h"

#include <stdlib.h>

#include "limit.h"
#include "name.h"

/* ---- what deciders and models have in common ---- */

const struct command_row *
ruling_command(const struct ruling *ruling, const char *type)
{
    for (size_t i = 0; i < ruling->commands_count; i++) {
        if (strcmp(ruling->commands[i].type, type) == 0) {
            return &ruling->commands[i];
        }
    }
    return NULL;
}

void
ruling_on_command(struct ruling *ruling, const char *type, acta_scope_fn *scope,
                  acta_decide_fn *decide)
{
    struct command_row row = {NULL, scope, decide};
    struct command_row *rows;

    if (ruling->err.code != ACTA_OK) {
        return;
    }
    if (decide == NULL || ruling_command(ruling, type) != NULL) {
        acta_fail(&ruling->err, ACTA_INVALID, "%s: a command has one function",
                  type);
        return;
    }
    rows =
        realloc(ruling->commands, (ruling->commands_count + 1) * sizeof(row));
    if (rows != NULL) {
        ruling->commands = rows;
        row.type = strdup(type);
    }
    if (row.type == NULL) {
        acta_fail(&ruling->err, ACTA_MEMORY, "types of commands");
        return;
    }
    rows[ruling->commands_count++] = row;
}

enum acta_code
ruling_check(const struct ruling *ruling, struct acta_err *err)
{
    if (ruling->err.code != ACTA_OK) {
        return acta_fail(err, ruling->err.code, "%s", ruling->err.text);
    }
    return ruling->upcasters == NULL
               ? ACTA_OK
               : acta_upcasters_check(ruling->upcasters, err);
}

void
ruling_fini(struct ruling *ruling)
{
    for (size_t i = 0; i < ruling->commands_count; i++) {
        free(ruling->commands[i].type);
    }
    free(ruling->commands);
}

/* ---- deciders ---- */

struct acta_decider *
acta_decider_new(const char *category, size_t state_size)
{
    struct acta_decider *decider = calloc(1, sizeof(*decider));
    struct slice name = slice_of(category);

    if (decider == NULL) {
        return NULL;
    }
    decider->category = strdup(category);
    if (decider->category == NULL) {
        free(decider);
        return NULL;
    }
    decider->ruling.state.size = state_size;
    if (name_check(name, ACTA_STREAM_SIZE_MAX, "category",
                   &decider->ruling.err) == ACTA_OK &&
        name_category(name).size != name.size) {
        acta_fail(&decider->ruling.err, ACTA_INVALID,
                  "category %s: it has no dash", category);
    }
    return decider;
}

void
acta_decider_free(struct acta_decider *decider)
{
    if (decider == NULL) {
        return;
    }
    ruling_fini(&decider->ruling);
    fold_fini(&decider->fold);
    free(decider->category);
    free(decider);
}

void
acta_decider_lifecycle(struct acta_decider *decider, acta_initial_fn *initial,
                       acta_fini_fn *fini)
{
    if (decider != NULL) {
        decider->ruling.state.initial = initial;
        decider->ruling.state.fini = fini;
    }
}

void
acta_decider_user(struct acta_decider *decider, void *user)
{
    if (decider != NULL) {
        decider->ruling.user = user;
    }
}

void
acta_decider_on_event(struct acta_decider *decider, const char *type,
                      acta_evolve_fn *evolve)
{
    if (decider != NULL && decider->ruling.err.code == ACTA_OK) {
        fold_add(&decider->fold, type, evolve, &decider->ruling.err);
    }
}

void
acta_decider_on_command(struct acta_decider *decider, const char *type,
                        acta_decide_fn *decide)
{
    if (decider != NULL) {
        ruling_on_command(&decider->ruling, type, NULL, decide);
    }
}

void
acta_decider_upcasters(struct acta_decider *decider,
                       const struct acta_upcasters *upcasters)
{
    if (decider != NULL) {
        decider->ruling.upcasters = upcasters;
    }
}

void
acta_decider_snapshots(struct acta_decider *decider, uint64_t every,
                       uint64_t schema, acta_encode_fn *encode,
                       acta_decode_fn *decode)
{
    if (decider == NULL || decider->ruling.err.code != ACTA_OK) {
        return;
    }
    if (every == 0 || encode == NULL || decode == NULL) {
        acta_fail(
            &decider->ruling.err, ACTA_INVALID,
            "snapshots are kept every 1 or more events, by two functions");
        return;
    }
    decider->every = every;
    decider->schema = schema;
    decider->encode = encode;
    decider->decode = decode;
}

enum acta_code
acta_decider_check(const struct acta_decider *decider, struct acta_err *err)
{
    return decider == NULL ? acta_fail(err, ACTA_MEMORY, "decider")
                           : ruling_check(&decider->ruling, err);
}
