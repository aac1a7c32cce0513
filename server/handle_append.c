#include "handle.h"

void
handle_append(struct session *session, const struct frame *frame)
{
    struct job *job;
    struct acta_err err;
    enum acta_code code = job_new(&job, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    job->completions = session->host->completions;
    job->connection_id = session->id;
    job->request_id = frame->request_id;
    session->appends_count++;
    session->appends_size += job->size;
    outbox_put(session->host->outbox, job);
}
