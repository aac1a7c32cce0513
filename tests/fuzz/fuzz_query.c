/* A query and an event that it may want. The input is a msgpack array of the
 * query and the event's record. A query that is written anew means the same;
 * what an event has in common with a query is found however it is asked.
 */

#include "event.h"
#include "fuzz.h"
#include "query.h"

#define DEPTH_MAX 8

/* An item wants an event exactly if a query of that item alone does. */
static void
check_items(const struct query *query, const struct event *event)
{
    bool any = query->items_count == 0;

    for (size_t i = 0; i < query->items_count; i++) {
        struct query one = {&query->items[i], 1, NULL};

        any = query_matches(&one, event) || any;
    }
    FUZZ_PROMISE(query_matches(query, event) == any);
}

/* What is wanted by its whole name is wanted by how it begins, too. */
static void
check_prefixes(const struct query *query, const struct event *event)
{
    static const enum query_field fields[] = {QUERY_TYPES, QUERY_STREAMS};

    for (size_t i = 0; i < 2 * query->items_count; i++) {
        struct query_item item = query->items[i / 2];
        struct query_terms *terms = &item.fields[fields[i % 2]];
        struct query one = {&item, 1, NULL};
        bool wanted;

        terms->prefixes_count = 0;
        wanted = query_matches(&one, event);
        *terms = (struct query_terms){.prefixes = terms->texts,
                                      .prefixes_count = terms->count};
        FUZZ_PROMISE(!wanted || query_matches(&one, event));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_make(data, size);
    struct pack_reader reader, reader_again;
    struct query query, again;
    struct event event;
    struct buf buf;

    if (pack_scan(bytes, DEPTH_MAX, NULL) != ACTA_OK) {
        return 0;
    }
    pack_reader_init(&reader, bytes, NULL);
    pack_get_array_of(&reader, 2, 2, "input");
    query_decode(&reader, &query);
    if (reader.failed) {
        FUZZ_PROMISE(query.items_count == 0);
        FUZZ_PROMISE(query.memory == NULL);
        return 0;
    }
    event_decode_record(&reader, &event);

    buf_init(&buf, 1 << 20);
    query_encode(&buf, &query);
    FUZZ_PROMISE(!buf_failed(&buf));
    pack_reader_init(&reader_again, buf_slice(&buf), NULL);
    query_decode(&reader_again, &again);
    FUZZ_PROMISE(!reader_again.failed);
    FUZZ_PROMISE(reader_again.at == reader_again.end);
    FUZZ_PROMISE(again.items_count == query.items_count);
    if (!reader.failed) {
        check_items(&query, &event);
        check_prefixes(&query, &event);
        FUZZ_PROMISE(query_matches(&query, &event) ==
                     query_matches(&again, &event));
    }
    query_fini(&query);
    query_fini(&again);
    buf_fini(&buf);
    return 0;
}
