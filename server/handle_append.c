/* append, change-stream: what is for the writer to decide. */

#include "handle.h"

static void
hand_over(struct session *session, const struct frame *frame,
          enum job_kind kind)
{
    struct job *job;
    struct acta_err err;
    enum acta_code code = job_new(&job, kind, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    job->completions = session->host->completions;
    job->connection_id = session->id;
    job->request_id = frame->request_id;
    session->jobs_count++;
    session->jobs_size += job->size;
    outbox_put(session->host->outbox, job);
}

void
handle_append(struct session *session, const struct frame *frame)
{
    hand_over(session, frame, JOB_APPEND);
}

void
handle_change_stream(struct session *session, const struct frame *frame)
{
    hand_over(session, frame, JOB_CHANGE);
}
