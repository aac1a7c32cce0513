/* Gives names to users, each to one at a time, though no stream knows of more
 * than one user: a decision over a query instead of a stream.
 *
 *     username acta://127.0.0.1:2282 take anna user-1
 *     username acta://127.0.0.1:2282 give-back anna user-1
 *
 * It is decided from all events about the name, whoever's they are, and the
 * event that follows is stored on the condition that there are no others. If
 * there are, the refusal brings them along, and it is decided again.
 */

#include <acta/acta_sync.h>
#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 10

struct name {
    struct acta_query *query; /* For its events. */
    bool known;               /* What follows is what they say, */
    uint64_t position;        /* up to here. */
    char owner[256];          /* A user's stream; empty: it is free. */
};

static void
evolve(struct name *name, const struct acta_event *event)
{
    bool taken = strcmp(event->type, "UsernameTaken") == 0;

    snprintf(name->owner, sizeof(name->owner), "%s",
             taken ? event->stream : "");
}

static enum acta_code
load(struct name *name, struct acta_sync *sync, struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(name->query);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    enum acta_code code = acta_cursor_open(&cursor, sync, &read, err);

    name->owner[0] = '\0';
    while (code == ACTA_OK && !name->known) {
        code = acta_cursor_next(cursor, &event, err);
        if (event != NULL) {
            evolve(name, event);
        } else if (code == ACTA_OK) {
            name->position = acta_cursor_head(cursor);
            name->known = true;
        }
    }
    acta_cursor_close(cursor);
    return code;
}

/* The type of the event that is to be stored; NULL: the user is refused. */
static const char *
decide(const struct name *name, const char *wish, const char *user)
{
    if (strcmp(wish, "take") == 0) {
        return name->owner[0] == '\0' ? "UsernameTaken" : NULL;
    }
    return strcmp(name->owner, user) == 0 ? "UsernameGivenBack" : NULL;
}

/* Store the event unless there are newer ones about the name; learn from these
 * if there are.
 */
static enum acta_code
store(struct name *name, struct acta_sync *sync, const char *type,
      const char *tag, const char *user, struct acta_err *err)
{
    struct acta_draft draft = acta_draft_of(type, NULL, 0);
    struct acta_append *append = acta_append_new();
    const struct acta_appended *appended;
    const struct acta_unseen *unseen;
    enum acta_code code;

    draft.tags = &tag;
    draft.tags_count = 1;
    acta_append_stream(append, user, ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    acta_append_condition(append, name->query, name->position);
    acta_append_unseen(append, 100, 0);
    code = acta_sync_append(sync, append, &appended, err);
    acta_append_free(append);

    unseen = appended->unseen;
    name->known = unseen != NULL && unseen->complete;
    for (size_t i = 0; name->known && i < unseen->events_count; i++) {
        evolve(name, unseen->events[i]);
    }
    name->position = name->known ? unseen->head : 0;
    return code;
}

/* Tell the user what came of it. */
static enum acta_code
try_once(struct name *name, struct acta_sync *sync, const char *wish,
         const char *tag, const char *user, struct acta_err *err)
{
    enum acta_code code = name->known ? ACTA_OK : load(name, sync, err);
    const char *type;

    if (code != ACTA_OK) {
        return code;
    }
    type = decide(name, wish, user);
    if (type == NULL) {
        printf("refused: %s is %s%s\n", tag,
               name->owner[0] == '\0' ? "free" : "taken by ", name->owner);
        return ACTA_OK;
    }
    code = store(name, sync, type, tag, user, err);
    if (code == ACTA_OK) {
        printf("%s by %s: %s\n", tag, user, type);
    }
    return code;
}

int
main(int argc, char **argv)
{
    struct name name = {.query = acta_query_new()};
    enum acta_code code = ACTA_CONFLICT;
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err;
    char tag[300];

    if (argc != 5 || name.query == NULL) {
        fprintf(stderr, "usage: %s acta://HOST:PORT take|give-back NAME USER\n",
                argv[0]);
        return EXIT_FAILURE;
    }
    snprintf(tag, sizeof(tag), "username:%s", argv[3]);
    acta_query_tag(name.query, tag);
    options = acta_options_of(argv[1]);
    options.name = "example username";
    if (acta_sync_open(&sync, &options, &err) == ACTA_OK) {
        for (int i = 0; code == ACTA_CONFLICT && i < TRIES_MAX; i++) {
            code = try_once(&name, sync, argv[2], tag, argv[4], &err);
        }
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], err.text);
    }
    acta_sync_close(sync);
    acta_query_free(name.query);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
