/* Queries: which events are wanted, for reads, subscriptions and the conditions
 * of appends.
 *
 * All orders that were placed:
 *
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_query *query = acta_query_new();
 *         struct acta_read read = acta_read_of_query(query);
 *         const struct acta_event *event;
 *         struct acta_cursor *cursor = NULL;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *
 *         acta_query_category(query, "order");
 *         acta_query_type(query, "OrderPlaced");
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_cursor_open(&cursor, sync, &read, &err) == ACTA_OK) {
 *             while (acta_cursor_next(cursor, &event, &err) == ACTA_OK &&
 *                    event != NULL) {
 *                 printf("%s %s\n", event->stream, event->type);
 *             }
 *         }
 *         acta_cursor_close(cursor);
 *         acta_sync_close(sync);
 *         acta_query_free(query);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * What is said of memory, names and compatibility in acta.h, which includes
 * this header, holds here. Different queries are used by any threads.
 */

#ifndef ACTA_ACTA_QUERY_H
#define ACTA_ACTA_QUERY_H

#include "acta_event.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_query;

/* A query is a list of items joined by OR. Within an item categories are joined
 * by OR, so are types, streams and correlation ids; tags are joined by AND; and
 * an event must satisfy each of the five kinds that are named. An empty query,
 * and NULL for a query, mean all events.
 *
 *     query = acta_query_new();
 *     acta_query_category(query, "order");  // orders' events of two types
 *     acta_query_type(query, "OrderPlaced");
 *     acta_query_type(query, "OrderPaid");
 *     acta_query_or(query);                 // and all about a customer
 *     acta_query_tag(query, "customer:7");
 *
 * Types and streams can be named by how they begin as well: such a prefix, 1 to
 * 255 bytes, is one more among the item's types, or its streams.
 *
 * acta_query_new() returns NULL if there is no memory; check that, since NULL
 * means all. At most 128 items and 256 texts. Filling never fails on its own:
 * what is wrong first is told by acta_query_check() and by the call it is given
 * to, which copies it.
 */
ACTA_API struct acta_query *acta_query_new(void);
ACTA_API void acta_query_free(struct acta_query *query);
ACTA_API void acta_query_category(struct acta_query *query,
                                  const char *category);
ACTA_API void acta_query_type(struct acta_query *query, const char *type);
ACTA_API void acta_query_type_prefix(struct acta_query *query,
                                     const char *prefix);
ACTA_API void acta_query_tag(struct acta_query *query, const char *tag);
ACTA_API void acta_query_stream(struct acta_query *query, const char *stream);
ACTA_API void acta_query_stream_prefix(struct acta_query *query,
                                       const char *prefix);
ACTA_API void acta_query_correlation_id(struct acta_query *query,
                                        const struct acta_id *id);
ACTA_API void acta_query_or(struct acta_query *query);
ACTA_API enum acta_code acta_query_check(const struct acta_query *query,
                                         struct acta_err *err);

/* ---- queries that are told ---- */

enum acta_query_field {
    ACTA_QUERY_CATEGORY = 0,
    ACTA_QUERY_TYPE = 1,
    ACTA_QUERY_TAG = 2,
    ACTA_QUERY_STREAM = 3,
    ACTA_QUERY_CORRELATION_ID = 4,
};

/* One of the texts that the query of a consumer names, see acta_consumer.h:
 * item by item, from 0, and within an item by field. Added to a new query, with
 * acta_query_or() between items, they make the same query. No texts at all mean
 * all events.
 */
struct acta_query_text {
    size_t item;
    enum acta_query_field field;
    bool is_prefix;   /* Of types and streams. */
    const char *text; /* Of a correlation id as acta_id_format() has it. */
};

#ifdef __cplusplus
}
#endif

#endif
