#include "dispatcher.h"

#include <stdlib.h>

/* ---- who handles what ---- */

static const struct ruling *
ruling_of(const struct registered *entry)
{
    return entry->decider != NULL ? &entry->decider->ruling
                                  : &entry->model->ruling;
}

/* The index of what handles commands of this type; the count if nothing does.
 */
static size_t
find(const struct acta_registry *registry, const char *type)
{
    size_t i = 0;

    while (i < registry->count &&
           ruling_command(ruling_of(&registry->entries[i]), type) == NULL) {
        i++;
    }
    return i;
}

struct acta_registry *
acta_registry_new(void)
{
    return calloc(1, sizeof(struct acta_registry));
}

void
acta_registry_free(struct acta_registry *registry)
{
    if (registry != NULL) {
        free(registry->entries);
        free(registry);
    }
}

static void
add(struct acta_registry *registry, struct registered entry)
{
    const struct ruling *ruling = ruling_of(&entry);
    struct registered *entries;

    for (size_t i = 0; i < ruling->commands_count; i++) {
        const char *type = ruling->commands[i].type;

        if (find(registry, type) < registry->count) {
            acta_fail(&registry->err, ACTA_INVALID,
                      "%s: a command is handled by one", type);
            return;
        }
    }
    entries = realloc(registry->entries,
                      (registry->count + 1) * sizeof(*registry->entries));
    if (entries == NULL) {
        acta_fail(&registry->err, ACTA_MEMORY, "registry");
        return;
    }
    registry->entries = entries;
    entries[registry->count++] = entry;
}

void
acta_registry_decider(struct acta_registry *registry,
                      const struct acta_decider *decider)
{
    if (registry != NULL && registry->err.code == ACTA_OK &&
        acta_decider_check(decider, &registry->err) == ACTA_OK) {
        add(registry, (struct registered){.decider = decider});
    }
}

void
acta_registry_model(struct acta_registry *registry,
                    const struct acta_model *model)
{
    if (registry != NULL && registry->err.code == ACTA_OK &&
        acta_model_check(model, &registry->err) == ACTA_OK) {
        add(registry, (struct registered){.model = model});
    }
}

enum acta_code
acta_registry_check(const struct acta_registry *registry, struct acta_err *err)
{
    if (registry == NULL) {
        return acta_fail(err, ACTA_MEMORY, "registry");
    }
    return registry->err.code == ACTA_OK
               ? ACTA_OK
               : acta_fail(err, registry->err.code, "%s", registry->err.text);
}

/* ---- dispatching ---- */

struct acta_dispatcher {
    const struct acta_registry *registry;
    struct acta_handled unhandled;   /* Of a command that nobody knows. */
    struct acta_id id;               /* Its id. */
    struct acta_handler *handlers[]; /* owned: one for each entry. */
};

enum acta_code
acta_dispatcher_open(struct acta_dispatcher **dispatcher,
                     struct acta_sync *sync,
                     const struct acta_registry *registry,
                     const struct acta_handler_options *options,
                     struct acta_err *err)
{
    enum acta_code code = acta_registry_check(registry, err);
    struct acta_dispatcher *made;

    *dispatcher = NULL;
    if (code != ACTA_OK) {
        return code;
    }
    made = calloc(1, sizeof(*made) + registry->count * sizeof(*made->handlers));
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "dispatcher");
    }
    made->registry = registry;
    for (size_t i = 0; code == ACTA_OK && i < registry->count; i++) {
        const struct registered *entry = &registry->entries[i];

        code = entry->decider != NULL
                   ? acta_handler_open(&made->handlers[i], sync, entry->decider,
                                       options, err)
                   : acta_handler_open_model(&made->handlers[i], sync,
                                             entry->model, options, err);
    }
    if (code != ACTA_OK) {
        acta_dispatcher_close(made);
        return code;
    }
    *dispatcher = made;
    return ACTA_OK;
}

void
acta_dispatcher_close(struct acta_dispatcher *dispatcher)
{
    if (dispatcher == NULL) {
        return;
    }
    for (size_t i = 0; i < dispatcher->registry->count; i++) {
        acta_handler_close(dispatcher->handlers[i]);
    }
    free(dispatcher);
}

enum acta_code
acta_dispatch(struct acta_dispatcher *dispatcher,
              const struct acta_command *command,
              const struct acta_handled **handled, struct acta_err *err)
{
    size_t i;

    dispatcher->unhandled = (struct acta_handled){
        .command_id = &dispatcher->id,
        .stream = "",
    };
    *handled = &dispatcher->unhandled;
    if (command->type == NULL) {
        return acta_fail(err, ACTA_INVALID, "a command has a type");
    }
    i = find(dispatcher->registry, command->type);
    if (i == dispatcher->registry->count) {
        if (command->id != NULL) {
            dispatcher->id = *command->id;
        }
        return acta_fail(err, ACTA_UNSUPPORTED, "no command %s is known",
                         command->type);
    }
    return acta_handle(dispatcher->handlers[i], command, handled, err);
}
