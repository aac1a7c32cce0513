/* JSON over HTTP, on loopback, by a few threads. */

#ifndef SHOP_HTTP_H
#define SHOP_HTTP_H

#include <acta/acta_event.h>
#include <jansson.h>

#define HTTP_THREADS 4

struct MHD_Connection;

struct http_request {
    struct MHD_Connection *connection;
    size_t thread; /* Which one it is: 0 to HTTP_THREADS - 1. */
    const char *method;
    const char *path;
    const char *body;
    size_t body_size;
};

/* NULL: there is none. */
const char *http_header(const struct http_request *request, const char *name);
const char *http_argument(const struct http_request *request, const char *name);

/* Returns the answer, which is freed by the server; NULL: there is no memory.
 * *@status is 200 unless it is set.
 */
typedef json_t *http_answer_fn(void *user, const struct http_request *request,
                               unsigned *status);

/* A problem, as all answers but those with 200 have it: code and field are for
 * programs, the text is for people.
 */
json_t *http_problem(const char *code, const char *field, const char *text);

/* The same, of a failure; sets the status that suits it. */
json_t *http_failure(const struct acta_err *err, unsigned *status);

/* Serve until SIGINT or SIGTERM comes. IO: the port is in use. */
enum acta_code http_serve(const char *port, http_answer_fn *answer, void *user,
                          struct acta_err *err);

#endif
