/* Reading: pages of events. */

#include "limit.h"
#include "memory_handle.h"
#include "memory_store.h"
#include "msg_lease.h"

/* Records on their way into a page. */
struct page {
    struct buf *out;
    uint64_t events_left;
    uint64_t bytes_left;
    size_t count;
    bool is_full;
};

/* Begin one within what is asked for, and what a server gives. */
static void
page_begin(struct page *page, struct buf *out, const struct msg_bounds *bounds)
{
    *page = (struct page){
        .out = out,
        .events_left = ACTA_PAGE_EVENTS_MAX,
        .bytes_left = ACTA_PAGE_SIZE_MAX,
    };
    if (bounds->events_max > 0 && bounds->events_max < page->events_left) {
        page->events_left = bounds->events_max;
    }
    if (bounds->bytes_max > 0 && bounds->bytes_max < page->bytes_left) {
        page->bytes_left = bounds->bytes_max;
    }
}

/* Put a record on it, or mark it as full. One fits always. */
static void
page_put(struct page *page, const struct memory_event *kept)
{
    uint64_t size = kept->record.size;

    if (page->events_left == 0 ||
        (page->count > 0 && size > page->bytes_left)) {
        page->is_full = true;
        return;
    }
    buf_append_slice(page->out, kept->record);
    page->events_left--;
    page->bytes_left -= size < page->bytes_left ? size : page->bytes_left;
    page->count++;
}

/* ---- streams ---- */

/* Put the events of a stream, which may be NULL, and say in @told where that
 * ends.
 */
static void
page_put_stream(struct page *page, const struct acta_memory *memory,
                const struct memory_stream *stream, uint64_t from,
                bool backward, struct msg_page *told)
{
    uint64_t version = stream == NULL ? 0 : stream->version;
    uint64_t first = stream == NULL ? 1 : memory_first_version(memory, stream);
    uint64_t at;

    if (backward) {
        at = from == 0 || from > version ? version : from - 1;
    } else {
        at = from < version ? from + 1 : version + 1;
        at = at < first ? first : at;
    }
    while (at >= first && at <= version) {
        page_put(page, memory_version(stream, at));
        if (page->is_full) {
            break;
        }
        at += backward ? UINT64_MAX : 1;
    }
    told->next = backward ? at + 1 : at - 1;
    told->at_end = backward ? at < first : at > version;
    told->head = memory_head(memory);
    told->version = version;
    told->events_count = page->count;
}

enum acta_code
handle_read_stream(struct memory_connection *connection, uint64_t id,
                   struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    struct msg_read_stream read;
    struct msg_page told = {0};
    struct msg_open open;
    struct page page;
    enum acta_code code = msg_read_stream_decode(&read, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_page_begin(&connection->out, id);
    page_begin(&page, &connection->out, &read.bounds);
    page_put_stream(&page, memory, memory_find_stream(memory, read.stream),
                    read.from, read.backward, &told);
    msg_page_end(&connection->out, open, &told);
    return ACTA_OK;
}

/* A snapshot from before the stream was deleted says nothing of it. */
static bool
has_snapshot(const struct memory_stream *stream, const struct msg_load *load)
{
    return stream != NULL && stream->has_snapshot && !stream->is_tombstoned &&
           stream->snapshot_version > stream->deleted_at &&
           (!load->has_schema || load->schema == stream->snapshot_schema);
}

enum acta_code
handle_load(struct memory_connection *connection, uint64_t id,
            struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    const struct memory_stream *stream;
    struct msg_loaded loaded = {0};
    struct msg_page told = {0};
    struct msg_open open;
    struct msg_load load;
    struct page page;
    enum acta_code code = msg_load_decode(&load, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    stream = memory_find_stream(memory, load.stream);
    if (load.has_version &&
        load.version > (stream == NULL ? 0 : stream->version)) {
        return acta_fail(err, ACTA_INVALID, "stream is not yet at version %ju",
                         (uintmax_t)load.version);
    }
    if (!load.has_version && has_snapshot(stream, &load)) {
        loaded.has_snapshot = true;
        loaded.snapshot_version = stream->snapshot_version;
        loaded.snapshot_schema = stream->snapshot_schema;
        loaded.snapshot_time_us = stream->snapshot_time_us;
        loaded.snapshot = stream->snapshot;
    }
    open = msg_loaded_begin(&connection->out, id, &loaded);
    page_begin(&page, &connection->out, &load.bounds);
    page_put_stream(&page, memory, stream,
                    load.has_version ? load.version : loaded.snapshot_version,
                    false, &told);
    msg_loaded_end(&connection->out, open, &told);
    return ACTA_OK;
}

/* ---- everything ---- */

/* Put what is wanted from @*at on, which ends where there was no room. */
static void
put_all(struct page *page, const struct acta_memory *memory,
        const struct query *query, uint64_t *at, bool backward)
{
    while (*at >= 1 && *at <= memory_head(memory)) {
        const struct memory_event *kept = memory_at(memory, *at);

        if (!memory_hides(memory, kept) && query_matches(query, &kept->event)) {
            page_put(page, kept);
        }
        if (page->is_full) {
            break;
        }
        *at += backward ? UINT64_MAX : 1;
    }
}

enum acta_code
handle_read_all(struct memory_connection *connection, uint64_t id,
                struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    struct msg_page told = {.head = memory_head(memory)};
    struct msg_read_all read;
    struct msg_open open;
    struct page page;
    enum acta_code code = msg_read_all_decode(&read, body, err);
    uint64_t at;

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_page_begin(&connection->out, id);
    page_begin(&page, &connection->out, &read.bounds);
    if (read.backward) {
        at =
            read.from == 0 || read.from > told.head ? told.head : read.from - 1;
    } else {
        at = read.from < told.head ? read.from + 1 : told.head + 1;
    }
    put_all(&page, memory, &read.query, &at, read.backward);
    told.next = read.backward ? at + 1 : at - 1;
    if (!read.backward && read.from > told.head) {
        told.next = read.from; /* It waits for what is to come. */
    }
    told.at_end = !page.is_full;
    told.events_count = page.count;
    msg_page_end(&connection->out, open, &told);
    query_fini(&read.query);
    return ACTA_OK;
}

/* ---- one event ---- */

/* The next event of this id that is to be seen; NULL: none. */
static const struct memory_event *
skip_hidden(const struct acta_memory *memory, const struct memory_event *kept)
{
    while (kept != NULL && memory_hides(memory, kept)) {
        kept = ids_next(&kept->by_id);
    }
    return kept;
}

static const struct memory_event *
find_version(struct acta_memory *memory, struct slice name, uint64_t version)
{
    const struct memory_stream *stream = memory_find_stream(memory, name);

    if (stream == NULL || version == 0 || version > stream->version ||
        memory_hides(memory, memory_version(stream, version))) {
        return NULL;
    }
    return memory_version(stream, version);
}

enum acta_code
handle_read_event(struct memory_connection *connection, uint64_t id,
                  struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    struct msg_page told = {.at_end = true, .head = memory_head(memory)};
    const struct memory_event *kept;
    struct msg_read_event read;
    struct msg_open open;
    enum acta_code code = msg_read_event_decode(&read, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    kept = read.id == NULL
               ? find_version(memory, read.stream, read.version)
               : skip_hidden(memory, ids_find(&memory->event_ids, read.id));
    if (kept == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no such event");
    }
    open = msg_page_begin(&connection->out, id);
    do {
        buf_append_slice(&connection->out, kept->record);
        told.events_count++;
        kept = read.id == NULL ? NULL
                               : skip_hidden(memory, ids_next(&kept->by_id));
    } while (kept != NULL);
    msg_page_end(&connection->out, open, &told);
    return ACTA_OK;
}

enum acta_code
handle_find_time(struct memory_connection *connection, uint64_t id,
                 struct slice body, struct acta_err *err)
{
    const struct acta_memory *memory = connection->memory;
    uint64_t time_us, before = 0;
    enum acta_code code = msg_number_decode(&time_us, OP_FIND_TIME, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    while (before < memory_head(memory) &&
           memory_at(memory, before + 1)->event.time_us < time_us) {
        before++;
    }
    msg_number_encode(&connection->out, OP_FOUND_TIME, id, before);
    return ACTA_OK;
}
