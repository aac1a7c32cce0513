/* What the loopback allows: requests and answers of given sizes between two
 * processes that do nothing else with them.
 *
 * Each side is one thread with all its connections in epoll, and makes a recv
 * for what is there and a send for what that asks for. A database that uses TCP
 * as well as this has no more a second, and takes no less time on processors.
 */

#ifndef ACTA_BENCH_ECHO_H
#define ACTA_BENCH_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <acta/acta.h>

#include "hist.h"

/* Bytes that went through connections since they were opened. */
struct traffic {
    uint64_t sent;
    uint64_t received;
};

/* Add to @traffic what went through socket @fd; nothing if it is none. */
void echo_add_traffic(struct traffic *traffic, int fd);

struct echo {
    size_t conns;
    size_t pipeline;      /* Requests of a connection at a time. */
    size_t request_size;  /* In bytes. */
    size_t answer_size;   /* In bytes. */
    bool stays_awake;     /* Both sides look all the time, and never sleep. */
    uint64_t duration_ns; /* Of what counts, behind a tenth of it that does
                             not. */
};

/* Let the sizes be those of a mean of @requests, which were answered between
 * two looks at the same connections.
 */
void echo_sizes(struct echo *echo, const struct traffic *before,
                const struct traffic *after, uint64_t requests);

/* Of a request, with its answer. */
struct echoed {
    double rate;      /* A second. */
    double server_us; /* On processors, user and kernel. */
    double client_us;
    struct hist hist; /* From request to answer, in nanoseconds. */
};

/* Exchange them with a process that is forked: no other thread may hold a lock
 * that a child would want. CANCELLED: as watch_check() says.
 */
enum acta_code echo_run(const struct echo *echo, struct echoed *echoed,
                        struct acta_err *err);

#endif
