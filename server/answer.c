#include "answer.h"

#include <assert.h>
#include <string.h>

#include "frame.h"
#include "limit.h"
#include "msg.h"
#include "msg_consumer.h"
#include "msg_lease.h"

/* A conflict is decided again from what has come since; with any other refusal
 * there is nothing to decide.
 */
bool
answer_takes_read(const struct job *job)
{
    enum acta_code code = job->outcome.code;

    return job->kind == JOB_APPEND && job->append.more.unseen.events_max > 0 &&
           (code == ACTA_CONFLICT || code == ACTA_UNDECIDED);
}

static struct msg_error
error_of(const struct outcome *outcome)
{
    struct msg_error error;

    assert(outcome->failures_count <= MSG_FAILURES_MAX);

    /* Field by field: most of it is room for failures. */
    error.code = outcome->code;
    error.text = slice_of(outcome->text);
    error.failures_count = outcome->failures_count;
    if (outcome->failures_count > 0) {
        memcpy(error.failures, outcome->failures,
               outcome->failures_count * sizeof(error.failures[0]));
    }
    error.has_unseen = false;
    return error;
}

/* What a client may ask for, within what a refusal may bring. */
static struct read_bounds
bounds_of(const struct msg_bounds *asked)
{
    struct read_bounds bounds = {.events_max = ACTA_UNSEEN_EVENTS_MAX,
                                 .bytes_max = ACTA_UNSEEN_SIZE_MAX};

    if (asked->events_max < bounds.events_max) {
        bounds.events_max = asked->events_max;
    }
    if (asked->bytes_max > 0 && asked->bytes_max < bounds.bytes_max) {
        bounds.bytes_max = asked->bytes_max;
    }
    return bounds;
}

/* A refusal is true without the events: if they cannot be read, it goes out
 * without them, and the client reads what it needs.
 */
static void
refuse_with_unseen(struct session *session, const struct job *job,
                   struct msg_error *error)
{
    struct read_bounds bounds = bounds_of(&job->append.more.unseen);
    struct unseen_result result;
    struct acta_err err;
    struct msg_open open =
        msg_error_begin(session->out, job->request_id, error);
    enum acta_code code =
        reader_read_unseen(session->host->reader, &job->append, &bounds,
                           session->out, &result, &err);

    if (code != ACTA_OK) {
        buf_truncate(session->out, open.frame);
        msg_error_encode(session->out, job->request_id, error);
        return;
    }
    error->unseen_complete = result.complete;
    error->unseen_head = result.head;
    error->unseen_count = result.events_count;
    msg_error_end(session->out, open, error);
}

static void
refuse(struct session *session, const struct job *job)
{
    struct msg_error error = error_of(&job->outcome);

    counter_add(&session->host->counters->errors, 1);
    if (answer_takes_read(job)) {
        refuse_with_unseen(session, job, &error);
    } else {
        msg_error_encode(session->out, job->request_id, &error);
    }
}

static void
answer_append(struct session *session, const struct job *job)
{
    const struct outcome *outcome = &job->outcome;
    size_t start = msg_appended_begin(session->out, job->request_id,
                                      outcome->repeated, outcome->runs_count);

    for (size_t i = 0; i < outcome->runs_count; i++) {
        msg_appended_run(session->out, &outcome->runs[i]);
    }
    msg_appended_end(session->out, start, outcome->cancelled);
}

/* The head is that of now, so that what was changed can be waited for. */
static void
answer_change(struct session *session, const struct job *job)
{
    struct msg_changed changed = job->outcome.changed;

    changed.head = database_head(session->host->database);
    msg_changed_encode(session->out, job->request_id, &changed);
}

static void
answer_consumer(struct session *session, const struct job *job)
{
    msg_consumer_changed_encode(session->out, job->request_id,
                                &job->outcome.consumer_changed);
}

static void
answer_lease(struct session *session, const struct job *job)
{
    msg_lease_changed_encode(session->out, job->request_id,
                             &job->outcome.lease_changed);
}

/* Frames that are ready: of the listings, and of all that the groups' thread
 * says.
 */
static void
pass_on(struct session *session, struct job *job)
{
    /* What is missing cannot be told in any other way. */
    if (buf_failed(&job->outcome.reply)) {
        session_error(session, 0, ACTA_MEMORY, "out of memory for a reply");
        session_end_input(session);
        return;
    }
    buf_move(session->out, &job->outcome.reply);
}

void
answer_job(struct session *session, struct job *job)
{
    if (job->outcome.code != ACTA_OK && job->is_answered) {
        refuse(session, job);
        return;
    }
    switch (job->kind) {
    case JOB_APPEND:
        answer_append(session, job);
        break;
    case JOB_CHANGE:
        answer_change(session, job);
        break;
    case JOB_CONSUMER:
    case JOB_AWAIT:
        answer_consumer(session, job);
        break;
    case JOB_LEASE:
        answer_lease(session, job);
        break;
    case JOB_LIST_LEASES:
    case JOB_VERIFY:
    case JOB_LIST_CONSUMERS:
    case JOB_DESCRIBE_CONSUMER:
    case JOB_LIST_PARKED:
    case JOB_CHANGE_PARKED:
    case JOB_JOIN:
    case JOB_SETTLE:
    case JOB_LEAVE:
    case JOB_MAIL:
        pass_on(session, job);
        break;
    case JOB_FORGET:
    case JOB_FORGET_MEMBERS:
    case JOB_RECEIPT:
    case JOB_SAVE:
        assert(!job->is_answered);
        break;
    }
}
