/* Gives names to users, each to one at a time, though no stream knows of more
 * than one user: a decision over a query instead of a stream.
 *
 *     username acta://127.0.0.1:2282 TakeName anna user-1
 *     username acta://127.0.0.1:2282 GiveNameBack anna user-1
 *
 * It is decided from all events about the name, whoever's they are, and the
 * event that follows is stored on the condition that there are no others.
 */

#include <acta/acta_decider.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the domain ---- */

struct username {
    char owner[256]; /* A user's stream; empty: it is free. */
};

static bool
on_taken(void *state, const struct acta_event *event)
{
    struct username *name = state;

    snprintf(name->owner, sizeof(name->owner), "%s", event->stream);
    return true;
}

static bool
on_given_back(void *state, const struct acta_event *event)
{
    struct username *name = state;

    (void)event;
    name->owner[0] = '\0';
    return true;
}

/* Both commands are for a name; their data is the user's stream. */
static void
scope_name(const struct acta_command *command, struct acta_scope *scope)
{
    acta_scope_fold(scope, "name", 0);
    acta_scope_tag(scope, "username:%s", command->target);
}

static void
take_name(const void *state, const struct acta_command *command,
          struct acta_decision *decision)
{
    const struct username *name = state;

    if (name->owner[0] != '\0') {
        acta_decision_refuse(decision, "name_taken", "name",
                             "%s is taken by %s", command->target, name->owner);
        return;
    }
    acta_decision_to(decision, "%s", (const char *)command->data);
    acta_decision_json(decision, "UsernameTaken", NULL);
    acta_decision_tag(decision, "username:%s", command->target);
}

static void
give_name_back(const void *state, const struct acta_command *command,
               struct acta_decision *decision)
{
    const struct username *name = state;

    if (strcmp(name->owner, command->data) != 0) {
        acta_decision_refuse(decision, "not_yours", "name",
                             "%s is not the name of %s", command->target,
                             (const char *)command->data);
        return;
    }
    acta_decision_to(decision, "%s", name->owner);
    acta_decision_json(decision, "UsernameGivenBack", NULL);
    acta_decision_tag(decision, "username:%s", command->target);
}

static struct acta_model *
username_model_new(void)
{
    struct acta_model *model = acta_model_new(sizeof(struct username));

    acta_model_on_event(model, "name", "UsernameTaken", on_taken);
    acta_model_on_event(model, "name", "UsernameGivenBack", on_given_back);
    acta_model_on_command(model, "TakeName", scope_name, take_name);
    acta_model_on_command(model, "GiveNameBack", scope_name, give_name_back);
    return model;
}

/* ---- the program ---- */

int
main(int argc, char **argv)
{
    struct acta_model *model = username_model_new();
    const struct acta_handled *handled;
    struct acta_handler *handler = NULL;
    struct acta_err err = {ACTA_OK, ""};
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_command command;

    if (argc != 5) {
        fprintf(stderr,
                "usage: %s acta://HOST:PORT TakeName|GiveNameBack NAME USER\n",
                argv[0]);
        acta_model_free(model);
        return EXIT_FAILURE;
    }
    options = acta_options_of(argv[1]);
    options.name = "example username";
    command = acta_command_of(argv[2], argv[3], argv[4], strlen(argv[4]));
    if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
        acta_handler_open_model(&handler, sync, model, NULL, &err) == ACTA_OK &&
        acta_handle(handler, &command, &handled, &err) == ACTA_OK) {
        printf("%s\n",
               handled->refusal == NULL ? "done" : handled->refusal->text);
    }
    if (err.code != ACTA_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], err.text);
    }
    acta_handler_close(handler);
    acta_sync_close(sync);
    acta_model_free(model);
    return err.code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
