/* Events are found: in lists of the memtable and of the store, merged for a
 * query, and put on a page.
 */

#include <stdio.h>
#include <stdlib.h>

#include "core.h"
#include "core_rows.h"
#include "cost.h"
#include "run.h"

#define EVENTS  2000
#define BATCH   100
#define STREAMS 40
#define NAME    32

#define CATEGORIES 20
#define LENGTH     10 /* Of a stream that is loaded. */

static uint8_t payload[256];

static void
add_events(struct core *core)
{
    for (size_t i = 0; i < EVENTS; i += BATCH) {
        struct draft drafts[BATCH];
        char stream[NAME];

        for (size_t j = 0; j < BATCH; j++) {
            size_t n = i + j;

            drafts[j] = (struct draft){
                .id = n + 1,
                .type = n % 3 == 0 ? "OrderPlaced" : "OrderShipped",
                .tags = {n % 5 == 0 ? "region:north" : "region:south",
                         n % 7 == 0 ? "channel:web" : "channel:shop"},
                .data = slice_make(payload, sizeof(payload)),
            };
        }
        snprintf(stream, sizeof(stream), "order-%zu", i / BATCH % STREAMS);
        ck_assert_int_eq(core_append(core, stream, -1, drafts, BATCH), ACTA_OK);
    }
}

/* One that asks again gets what was kept: ask for something else. */
static void
ask_for_nothing(struct reader *reader, const struct query *query, uint64_t head,
                const struct read_bounds *bounds, struct buf *page)
{
    struct read_result result;

    if (reader_read_all(reader, query, head, false, bounds, page, &result,
                        NULL) != ACTA_OK) {
        abort();
    }
}

/* All that the query wants, page by page. */
static void
read_query(struct reader *reader, struct query *query, const char *path)
{
    const struct read_bounds bounds = {.events_max = EVENTS,
                                       .bytes_max = (uint64_t)1 << 24};
    struct read_result result = {0};
    uint64_t count = 0;
    struct buf page;

    buf_init(&page, (size_t)1 << 25);
    /* Once before, so that memory is there. */
    for (int i = 0; i < 2; i++) {
        buf_clear(&page);
        count = 0;
        result.next = 0;
        if (i == 1) {
            ask_for_nothing(reader, query, result.head, &bounds, &page);
            cost_begin();
        }
        do {
            if (reader_read_all(reader, query, result.next, false, &bounds,
                                &page, &result, NULL) != ACTA_OK) {
                abort();
            }
            count += result.events_count;
        } while (!result.at_end);
    }
    cost_end(path, count);
    buf_fini(&page);
    query_fini(query);
}

static void
read_all(struct reader *reader, const char *everything, const char *some,
         const char *both)
{
    struct query all = {0};
    struct query queries[2];
    struct query merged;

    read_query(reader, &all, everything);
    queries[0] = core_query("order", "OrderPlaced", "region:north channel:web",
                            NULL, NULL);
    read_query(reader, &queries[0], some);
    queries[0] = core_query(NULL, "OrderPlaced", "region:north", NULL, NULL);
    queries[1] = core_query(NULL, "OrderShipped", "channel:web", NULL, NULL);
    merged = core_query_or(queries, 2);
    read_query(reader, &merged, both);
}

/* One event in so many is of the category that is read. */
static void
read_category(void)
{
    struct draft draft = {.data = slice_make(payload, sizeof(payload))};
    struct query query = core_query("c7", NULL, NULL, NULL, NULL);
    struct reader *reader;
    struct core core;

    core_open(&core);
    for (unsigned i = 0; i < EVENTS; i++) {
        char stream[NAME];

        draft.id = i + 1;
        snprintf(stream, sizeof(stream), "c%u-%u", i % CATEGORIES,
                 i % (CATEGORIES * STREAMS));
        ck_assert_int_eq(core_append(&core, stream, -1, &draft, 1), ACTA_OK);
    }
    core_checkpoint(&core);
    reader = core_reader(&core);
    read_query(reader, &query, "query-category-store");
    reader_close(reader);
    core_close(&core);
}

/* Every stream, of LENGTH events that lie apart. */
static void
load_all(struct reader *reader, struct buf *page)
{
    const struct read_bounds bounds = {.events_max = LENGTH,
                                       .bytes_max = (uint64_t)1 << 24};
    struct read_result result;

    for (unsigned i = 0; i < EVENTS / LENGTH; i++) {
        char stream[NAME];

        snprintf(stream, sizeof(stream), "order-%u", i);
        buf_clear(page);
        if (reader_read_stream(reader, slice_of(stream), 0, false, &bounds,
                               page, &result, NULL) != ACTA_OK ||
            result.events_count != LENGTH) {
            abort();
        }
    }
}

static void
load_streams(void)
{
    struct draft draft = {.data = slice_make(payload, sizeof(payload))};
    struct reader *reader;
    struct core core;
    struct buf page;

    core_open(&core);
    for (unsigned i = 0; i < EVENTS; i++) {
        char stream[NAME];

        draft.id = i + 1;
        snprintf(stream, sizeof(stream), "order-%u", i % (EVENTS / LENGTH));
        ck_assert_int_eq(core_append(&core, stream, -1, &draft, 1), ACTA_OK);
    }
    core_checkpoint(&core);
    reader = core_reader(&core);
    buf_init(&page, (size_t)1 << 25);
    load_all(reader, &page); /* Once before, as above. */
    cost_begin();
    load_all(reader, &page);
    cost_end("load-store", EVENTS / LENGTH);
    buf_fini(&page);
    reader_close(reader);
    core_close(&core);
}

void
cost_read(void)
{
    struct reader *reader;
    struct core core;

    core_open(&core);
    add_events(&core);
    reader = core_reader(&core);
    read_all(reader, "read-memory", "query-and-memory", "query-or-memory");
    core_checkpoint(&core);
    read_all(reader, "read-store", "query-and-store", "query-or-store");
    reader_close(reader);
    core_close(&core);
    read_category();
    load_streams();
}
