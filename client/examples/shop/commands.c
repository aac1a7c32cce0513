/* Takes commands over HTTP and decides about them while the client waits:
 *
 *     POST /commands/PlaceOrder/7
 *     Command-Id: 0190163d-8694-739b-aea5-966c26f8ad91
 *
 *     {"customer": "ada", "sku": "book", "quantity": 2, "cents": 1990}
 *
 * 200 tells the version and the position of what has happened; 422 says which
 * field of the command is to blame, and 409 that it does not fit what has
 * happened before. With 503, and when there is no answer, the same is sent
 * again under the same Command-Id: it counts once.
 */

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "fields.h"
#include "http.h"
#include "roles.h"

/* Each thread of the server has its own. */
struct desk {
    struct acta_sync *sync;
    struct acta_dispatcher *dispatcher;
};

/* What is for everybody: all others are the shop's own. */
static bool
is_public(const char *type)
{
    return strcmp(type, "PlaceOrder") == 0 || strcmp(type, "ReceiveStock") == 0;
}

static json_t *
answer_handled(const struct acta_handled *handled, unsigned *status)
{
    const struct acta_refusal *refusal = handled->refusal;
    char id[ACTA_ID_TEXT_SIZE];

    if (refusal != NULL) {
        *status = refusal->field[0] != '\0' ? MHD_HTTP_UNPROCESSABLE_CONTENT
                                            : MHD_HTTP_CONFLICT;
        return http_problem(refusal->code, refusal->field, refusal->text);
    }
    acta_id_format(handled->command_id, id);
    return json_pack("{s:s, s:s, s:I, s:I, s:b}", "command", id, "stream",
                     handled->stream, "version", (json_int_t)handled->version,
                     "position", (json_int_t)handled->position, "repeated",
                     handled->repeated);
}

static json_t *
answer(void *user, const struct http_request *request, unsigned *status)
{
    struct desk *desk = (struct desk *)user + request->thread;
    const char *id_text = http_header(request, "Command-Id");
    char type[60], target[60];
    int path_size = 0;
    const struct acta_handled *handled;
    struct acta_command command;
    struct acta_err err;
    struct acta_id id;

    if (strcmp(request->method, "POST") != 0 ||
        sscanf(request->path, "/commands/%59[^/]/%59[^/]%n", type, target,
               &path_size) != 2 ||
        request->path[path_size] != '\0' || !is_public(type)) {
        *status = MHD_HTTP_NOT_FOUND;
        return http_problem("not_found", "", "POST /commands/TYPE/TARGET");
    }
    command = acta_command_of(type, target, request->body, request->body_size);
    command.traceparent = http_header(request, "traceparent");
    if (id_text != NULL) {
        if (!acta_id_parse(&id, id_text)) {
            *status = MHD_HTTP_BAD_REQUEST;
            return http_problem("id_wrong", "Command-Id", "it is no UUID");
        }
        command.id = &id;
    }
    if (acta_dispatch(desk->dispatcher, &command, &handled, &err) != ACTA_OK) {
        return http_failure(&err, status);
    }
    return answer_handled(handled, status);
}

enum acta_code
commands_run(const struct acta_options *options, char **arguments,
             struct acta_err *err)
{
    struct desk desks[HTTP_THREADS] = {{NULL, NULL}};
    enum acta_code code = ACTA_OK;
    struct deciders deciders;

    deciders_init(&deciders);
    for (size_t i = 0; code == ACTA_OK && i < HTTP_THREADS; i++) {
        code = acta_sync_open(&desks[i].sync, options, err);
        if (code == ACTA_OK) {
            code = acta_dispatcher_open(&desks[i].dispatcher, desks[i].sync,
                                        deciders.registry, NULL, err);
        }
    }
    if (code == ACTA_OK) {
        code = http_serve(arguments[0], answer, desks, err);
    }
    for (size_t i = 0; i < HTTP_THREADS; i++) {
        acta_dispatcher_close(desks[i].dispatcher);
        acta_sync_close(desks[i].sync);
    }
    deciders_fini(&deciders);
    return code;
}
