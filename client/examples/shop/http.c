#include "http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>

#define BODY_SIZE_MAX (64 * 1024)

struct server {
    http_answer_fn *answer;
    void *user;
    size_t threads_count; /* That have had a request. */
};

/* What of a request has come. */
struct arrived {
    size_t size;
    bool is_too_large;
    char body[BODY_SIZE_MAX];
};

const char *
http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                       name);
}

const char *
http_argument(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection,
                                       MHD_GET_ARGUMENT_KIND, name);
}

json_t *
http_problem(const char *code, const char *field, const char *text)
{
    return json_pack("{s:s, s:s, s:s}", "code", code, "field", field, "text",
                     text);
}

json_t *
http_failure(const struct acta_err *err, unsigned *status)
{
    switch (acta_code_remedy(err->code)) {
    case ACTA_REMEDY_FIX:
        *status = MHD_HTTP_BAD_REQUEST;
        break;
    case ACTA_REMEDY_STOP:
        *status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        break;
    case ACTA_REMEDY_NONE:
    case ACTA_REMEDY_RETRY:
    case ACTA_REMEDY_RELOAD:
    case ACTA_REMEDY_RESEND:
    default:
        *status = MHD_HTTP_SERVICE_UNAVAILABLE; /* Send the same again. */
        break;
    }
    return http_problem(acta_code_name(err->code), "", err->text);
}

/* ---- microhttpd ---- */

static size_t
thread_number(struct server *server)
{
    static __thread size_t number; /* Counted from 1. */

    if (number == 0) {
        number =
            __atomic_add_fetch(&server->threads_count, 1, __ATOMIC_RELAXED);
    }
    return number - 1;
}

static enum MHD_Result
reply(struct MHD_Connection *connection, unsigned status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    struct MHD_Response *response;
    enum MHD_Result result;

    json_decref(json);
    if (text == NULL) {
        return MHD_NO;
    }
    response = MHD_create_response_from_buffer(strlen(text), text,
                                               MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
on_request(void *user, struct MHD_Connection *connection, const char *path,
           const char *method, const char *version, const char *data,
           size_t *data_size, void **state)
{
    struct server *server = user;
    struct arrived *arrived = *state;
    struct http_request request;
    unsigned status = MHD_HTTP_OK;
    json_t *json;

    (void)version;
    if (arrived == NULL) {
        *state = calloc(1, sizeof(*arrived));
        return *state == NULL ? MHD_NO : MHD_YES;
    }
    if (*data_size > 0) {
        if (*data_size > sizeof(arrived->body) - arrived->size) {
            arrived->is_too_large = true;
        } else {
            memcpy(arrived->body + arrived->size, data, *data_size);
            arrived->size += *data_size;
        }
        *data_size = 0;
        return MHD_YES;
    }
    if (arrived->is_too_large) {
        return reply(connection, MHD_HTTP_CONTENT_TOO_LARGE,
                     http_problem("too_large", "", "the body is too large"));
    }
    request = (struct http_request){
        .connection = connection,
        .thread = thread_number(server),
        .method = method,
        .path = path,
        .body = arrived->body,
        .body_size = arrived->size,
    };
    json = server->answer(server->user, &request, &status);
    return reply(connection, status, json);
}

static void
on_completed(void *user, struct MHD_Connection *connection, void **state,
             enum MHD_RequestTerminationCode why)
{
    (void)user;
    (void)connection;
    (void)why;
    free(*state);
}

enum acta_code
http_serve(const char *port, http_answer_fn *answer, void *user,
           struct acta_err *err)
{
    struct server server = {.answer = answer, .user = user};
    struct sockaddr_in loopback = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct MHD_Daemon *http;
    sigset_t ends;
    int number;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* Its threads inherit that. */
    http = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL,
        on_request, &server, MHD_OPTION_SOCK_ADDR, &loopback,
        MHD_OPTION_THREAD_POOL_SIZE, HTTP_THREADS, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_END);
    if (http == NULL) {
        return acta_fail(err, ACTA_IO, "port %s cannot be listened on", port);
    }
    sigwait(&ends, &number);
    MHD_stop_daemon(http);
    return ACTA_OK;
}
