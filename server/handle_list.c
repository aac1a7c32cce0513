/* list-streams, describe-stream, list-names, list-schedules.
 *
 * Entries are written right into the output, behind the head of a reply; if
 * reading fails, the reply that was begun is taken back and an error stands in
 * its place.
 */

#include "handle.h"

#include "limit.h"
#include "msg.h"
#include "msg_lease.h"

/* What a client may ask for, within what one reply may list. */
static size_t
bound_of(uint64_t asked, size_t most)
{
    return asked > 0 && asked < most ? (size_t)asked : most;
}

void
handle_list_streams(struct session *session, const struct frame *frame)
{
    struct msg_streams streams = {0};
    struct msg_list_streams list;
    struct msg_open open;
    struct acta_err err;
    enum acta_code code = msg_list_streams_decode(&list, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    open = msg_streams_begin(session->out, frame->request_id);
    code = reader_list_streams(session->host->reader, list.prefix, list.after,
                               bound_of(list.count_max, ACTA_PAGE_STREAMS_MAX),
                               session->out, &streams.streams_count,
                               &streams.at_end, &err);
    if (code != ACTA_OK) {
        buf_truncate(session->out, open.frame);
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_streams_end(session->out, open, &streams);
}

void
handle_describe_stream(struct session *session, const struct frame *frame)
{
    struct msg_description description;
    struct slice stream;
    struct acta_err err;
    enum acta_code code =
        msg_describe_stream_decode(&stream, frame->body, &err);

    if (code == ACTA_OK) {
        code = reader_describe_stream(session->host->reader, stream,
                                      &description, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_description_encode(session->out, frame->request_id, &description);
}

void
handle_list_names(struct session *session, const struct frame *frame)
{
    struct msg_names names = {0};
    struct msg_list_names list;
    struct msg_open open;
    struct acta_err err;
    enum acta_code code = msg_list_names_decode(&list, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    open = msg_names_begin(session->out, frame->request_id);
    code = reader_list_names(
        session->host->reader, list.kind, list.prefix, list.after,
        bound_of(list.count_max, ACTA_PAGE_NAMES_MAX), session->out,
        &names.names_count, &names.at_end, &err);
    if (code != ACTA_OK) {
        buf_truncate(session->out, open.frame);
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_names_end(session->out, open, &names);
}

/* ---- list-schedules ---- */

struct listing {
    struct buf *out;
    struct msg_open open;
};

static void
add_schedule(void *user, const struct msg_scheduled *scheduled)
{
    struct listing *listing = user;

    msg_schedules_add(listing->out, &listing->open, scheduled);
}

void
handle_list_schedules(struct session *session, const struct frame *frame)
{
    struct listing listing = {.out = session->out};
    struct msg_list list;
    struct acta_err err;
    bool at_end;
    enum acta_code code =
        msg_list_decode(&list, OP_LIST_SCHEDULES, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    listing.open = msg_schedules_begin(session->out, frame->request_id);
    code = reader_list_schedules(session->host->reader, list.prefix, list.after,
                                 bound_of(list.count_max, ACTA_PAGE_ROWS_MAX),
                                 add_schedule, &listing, &at_end, &err);
    if (code != ACTA_OK) {
        buf_truncate(session->out, listing.open.frame);
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_schedules_end(session->out, listing.open, at_end);
}
