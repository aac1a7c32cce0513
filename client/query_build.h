/* A query as it is filled: see acta_query.h. */

#ifndef ACTA_CLIENT_QUERY_BUILD_H
#define ACTA_CLIENT_QUERY_BUILD_H

#include <acta/acta.h>

#include "query.h"

/* Make the query that was filled in, which NULL stands for all. After OK
 * *@query is the caller's, to be freed by query_fini(). INVALID, TOO_LARGE,
 * MEMORY: what is wrong with it.
 */
enum acta_code query_build(const struct acta_query *filled, struct query *query,
                           struct acta_err *err) ACTA_CHECKED;

/* Bytes that it takes on the wire, nearly. */
size_t query_wire_size(const struct acta_query *filled);

/* A copy that is the caller's, to be freed by acta_query_free(). NULL if there
 * is no memory.
 */
struct acta_query *query_copy(const struct acta_query *filled);

#endif
