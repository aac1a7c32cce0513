/* Appends an order's life to its stream, and reads the stream back:
 *
 *     append acta://127.0.0.1:2282 order-42
 *
 * Run twice it says that the order was placed already: the first event is
 * expected to be the stream's first.
 */

#include <acta/acta_sync.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void
add(struct acta_append *append, const char *type, const char *json)
{
    struct acta_draft draft = acta_draft_of(type, json, strlen(json));

    draft.format = ACTA_FORMAT_JSON;
    acta_append_event(append, &draft);
}

/* Place the order, unless it was placed before. */
static enum acta_code
place(struct acta_sync *sync, const char *stream, struct acta_err *err)
{
    struct acta_append *append = acta_append_new();
    const struct acta_appended *appended;
    enum acta_code code;

    acta_append_stream(append, stream, 0);
    add(append, "OrderPlaced", "{\"item\": \"teapot\", \"total\": 12}");
    add(append, "OrderPaid", "{\"method\": \"invoice\"}");
    code = acta_sync_append(sync, append, &appended, err);
    if (code == ACTA_OK) {
        printf("%s is at version %" PRIu64 ", the database at %" PRIu64 "\n",
               stream, appended->version, appended->position);
    } else if (code == ACTA_CONFLICT) {
        printf("%s was placed before: it is at version %" PRIu64 "\n", stream,
               appended->failures[0]->actual);
        code = ACTA_OK;
    }
    acta_append_free(append);
    return code;
}

static enum acta_code
show(struct acta_sync *sync, const char *stream, struct acta_err *err)
{
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    enum acta_code code = acta_cursor_open(&cursor, sync, &read, err);

    while (code == ACTA_OK) {
        code = acta_cursor_next(cursor, &event, err);
        if (event == NULL) {
            break;
        }
        printf("%4" PRIu64 "  %-12s %s\n", event->version, event->type,
               (const char *)event->data);
    }
    acta_cursor_close(cursor);
    return code;
}

int
main(int argc, char **argv)
{
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err;
    enum acta_code code;

    if (argc != 3) {
        fprintf(stderr, "usage: %s acta://HOST:PORT STREAM\n", argv[0]);
        return EXIT_FAILURE;
    }
    options = acta_options_of(argv[1]);
    options.name = "example append";
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = place(sync, argv[2], &err);
    }
    if (code == ACTA_OK) {
        code = show(sync, argv[2], &err);
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s (%s)\n", argv[0], err.text,
                acta_code_name(code));
    }
    acta_sync_close(sync);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
