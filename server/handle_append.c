#include "handle.h"

void
handle_append(struct session *session, const struct frame *frame)
{
    struct append *append;
    struct acta_err err;
    enum acta_code code = append_new(&append, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    append->completions = session->host->completions;
    append->connection_id = session->id;
    append->request_id = frame->request_id;
    session->appends_count++;
    session->appends_size += append->size;
    outbox_put(session->host->outbox, append);
}
