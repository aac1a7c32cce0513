/* A query: which events are wanted.
 *
 * A query is a list of items joined by OR; an empty query means all. An item
 * joins by AND what it names: within categories, types, streams and
 * correlation ids any one is enough, of the tags an event must have all; an
 * empty list means any. Types and streams may be named by how they begin.
 *
 * On the wire a query is an array of items, an item an array of five arrays:
 * categories, types, tags, streams, correlation ids (16 bytes each). A prefix
 * is an array of one text.
 *
 * A struct query owns its memory. Once made it does not change: many threads
 * may read it.
 */

#ifndef ACTA_QUERY_H
#define ACTA_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "event.h"
#include "limit.h"
#include "pack.h"
#include "slice.h"

/* In the order of the wire. */
enum query_field {
    QUERY_CATEGORIES,
    QUERY_TYPES,
    QUERY_TAGS,
    QUERY_STREAMS,
    QUERY_CORRELATION_IDS,
    QUERY_FIELDS, /* How many there are. */
};

struct query_terms {
    const struct slice *texts;
    size_t count;
    const struct slice *prefixes; /* Of types and streams only. A name that
                                     begins so is enough, as one of the texts
                                     is. */
    size_t prefixes_count;
};

struct query_item {
    struct query_terms fields[QUERY_FIELDS];
};

struct query {
    const struct query_item *items;
    size_t items_count; /* 0: all events. */
    void *memory;       /* owned: items, slices and texts */
};

/* The query for all events. Needs no query_fini(). */
#define QUERY_ALL ((struct query){NULL, 0, NULL})

/* Read and check a query. Texts are copied, so the query outlives the bytes.
 * After a failure of the reader @query is QUERY_ALL.
 */
void query_decode(struct pack_reader *reader, struct query *query);

/* Write a query as query_decode() reads it: of one that was read, no more than
 * so many bytes.
 */
#define QUERY_ENCODED_MAX                                                      \
    (3 + ACTA_QUERY_ITEMS_MAX * (1 + 3 * (size_t)QUERY_FIELDS) +               \
     ACTA_QUERY_TERMS_MAX * (1 + 2 + (size_t)ACTA_STREAM_SIZE_MAX))
void query_encode(struct buf *buf, const struct query *query);

/* Free a query's memory; it is QUERY_ALL afterwards. */
void query_fini(struct query *query);

/* Texts in all its items together. */
size_t query_terms_count(const struct query *query);

/* Bytes of memory that it owns: many times those that it was read from. */
size_t query_size(const struct query *query);

/* True if the query wants the event. */
bool query_matches(const struct query *query, const struct event *event);

#endif
