/* read-stream, read-all, read-event, find-time, load.
 *
 * Records are read right into the output, behind the head of a page; if reading
 * fails, the page that was begun is taken back and an error stands in its
 * place.
 */

#include "handle.h"

#include "limit.h"
#include "msg.h"
#include "msg_lease.h"

/* What a client may ask for, within what one page may hold. */
static struct read_bounds
bounds_of(const struct msg_bounds *asked)
{
    struct read_bounds bounds = {.events_max = ACTA_PAGE_EVENTS_MAX,
                                 .bytes_max = ACTA_PAGE_SIZE_MAX};

    if (asked->events_max > 0 && asked->events_max < bounds.events_max) {
        bounds.events_max = asked->events_max;
    }
    if (asked->bytes_max > 0 && asked->bytes_max < bounds.bytes_max) {
        bounds.bytes_max = asked->bytes_max;
    }
    return bounds;
}

static struct msg_page
page_of(const struct read_result *result)
{
    return (struct msg_page){.events_count = result->events_count,
                             .next = result->next,
                             .at_end = result->at_end,
                             .head = result->head,
                             .version = result->version};
}

/* End the page that was begun, or replace it by the error. */
static void
finish_page(struct session *session, const struct frame *frame,
            struct msg_open open, const struct read_result *result,
            enum acta_code code, const struct acta_err *err)
{
    struct msg_page page;

    if (code != ACTA_OK) {
        buf_truncate(session->out, open.frame);
        session_error(session, frame->request_id, code, err->text);
        return;
    }
    page = page_of(result);
    msg_page_end(session->out, open, &page);
}

void
handle_read_stream(struct session *session, const struct frame *frame)
{
    struct read_result result = {0};
    struct msg_read_stream read;
    struct read_bounds bounds;
    struct msg_open open;
    struct acta_err err;
    enum acta_code code = msg_read_stream_decode(&read, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    bounds = bounds_of(&read.bounds);
    open = msg_page_begin(session->out, frame->request_id);
    code =
        reader_read_stream(session->host->reader, read.stream, read.from,
                           read.backward, &bounds, session->out, &result, &err);
    finish_page(session, frame, open, &result, code, &err);
}

void
handle_read_all(struct session *session, const struct frame *frame)
{
    struct read_result result = {0};
    struct msg_read_all read;
    struct read_bounds bounds;
    struct msg_open open;
    struct acta_err err;
    enum acta_code code = msg_read_all_decode(&read, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    bounds = bounds_of(&read.bounds);
    open = msg_page_begin(session->out, frame->request_id);
    code = reader_read_all(session->host->reader, &read.query, read.from,
                           read.backward, &bounds, session->out, &result, &err);
    /* A position means the same for every query, a version only for one
     * stream.
     */
    result.version = 0;
    finish_page(session, frame, open, &result, code, &err);
    query_fini(&read.query);
}

void
handle_read_event(struct session *session, const struct frame *frame)
{
    struct read_bounds bounds = bounds_of(&(struct msg_bounds){0});
    struct reader *reader = session->host->reader;
    struct read_result result = {0};
    struct msg_read_event read;
    struct msg_open open;
    struct acta_err err;
    enum acta_code code = msg_read_event_decode(&read, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    open = msg_page_begin(session->out, frame->request_id);
    if (read.id == NULL) {
        code = reader_read_event(reader, read.stream, read.version,
                                 session->out, &result, &err);
    } else {
        code = reader_read_id(reader, read.id, &bounds, session->out, &result,
                              &err);
        result.version = 0;
    }
    finish_page(session, frame, open, &result, code, &err);
}

void
handle_find_time(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    uint64_t time_us, position;
    enum acta_code code =
        msg_number_decode(&time_us, OP_FIND_TIME, frame->body, &err);

    if (code == ACTA_OK) {
        code =
            reader_find_time(session->host->reader, time_us, &position, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_number_encode(session->out, OP_FOUND_TIME, frame->request_id, position);
}

/* ---- load ---- */

struct loading {
    struct buf *out;
    uint64_t request_id;
    struct msg_open open;
};

static void
begin_loaded(void *user, const struct msg_loaded *loaded)
{
    struct loading *loading = user;

    loading->open = msg_loaded_begin(loading->out, loading->request_id, loaded);
}

void
handle_load(struct session *session, const struct frame *frame)
{
    struct loading loading = {.out = session->out,
                              .request_id = frame->request_id};
    size_t start = buf_size(session->out);
    struct read_bounds bounds;
    struct read_result result;
    struct msg_load load;
    struct msg_page page;
    struct acta_err err;
    enum acta_code code = msg_load_decode(&load, frame->body, &err);

    if (code == ACTA_OK) {
        bounds = bounds_of(&load.bounds);
        code = reader_load(session->host->reader, &load, &bounds, begin_loaded,
                           &loading, session->out, &result, &err);
    }
    if (code != ACTA_OK) {
        buf_truncate(session->out, start);
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    page = page_of(&result);
    msg_loaded_end(session->out, loading.open, &page);
}
