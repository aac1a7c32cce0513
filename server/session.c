#include "session.h"

#include <assert.h>

#include "answer.h"
#include "dispatch.h"
#include "frame.h"
#include "limit.h"
#include "msg.h"

void
session_init(struct session *session, struct session_host *host, uint64_t id,
             struct buf *out)
{
    *session = (struct session){.host = host, .out = out, .id = id};
    sub_set_init(&session->subs);
}

static void
put_waiting(struct session *session, struct job *job)
{
    job->next = NULL;
    if (session->waiting_first == NULL) {
        session->waiting_first = job;
    } else {
        session->waiting_last->next = job;
    }
    session->waiting_last = job;
}

static struct job *
take_waiting(struct session *session)
{
    struct job *job = session->waiting_first;

    session->waiting_first = job->next;
    return job;
}

static void
send_job(struct session *session, struct job *job)
{
    job->completions = session->host->completions;
    job->connection_id = session->id;
    job->output_high = session->host->limits.output_high;
    outbox_put(session->host->outbox, job);
}

static struct job **
farewell_of(struct session *session, enum job_kind kind)
{
    assert(kind == JOB_FORGET || kind == JOB_FORGET_MEMBERS);
    return kind == JOB_FORGET ? &session->forget : &session->forget_members;
}

enum acta_code
session_leave_farewell(struct session *session, enum job_kind kind,
                       struct acta_err *err)
{
    struct job **farewell = farewell_of(session, kind);
    enum acta_code code;

    if (*farewell != NULL) {
        return ACTA_OK;
    }
    code = job_new(farewell, kind, SLICE_NONE, err);
    if (code == ACTA_OK) {
        (*farewell)->is_answered = false;
    }
    return code;
}

static void
send_farewell(struct session *session, enum job_kind kind)
{
    struct job **farewell = farewell_of(session, kind);

    if (*farewell != NULL) {
        send_job(session, *farewell);
        *farewell = NULL;
    }
}

/* Nothing comes from the peer any more: it will neither answer for what it is
 * handed nor renew what it is granted.
 */
static void
say_farewell(struct session *session)
{
    send_farewell(session, JOB_FORGET);
    send_farewell(session, JOB_FORGET_MEMBERS);
}

static enum acta_code
check_waits(const struct session *session, const struct job *job,
            struct acta_err *err)
{
    return job_may_wait(job) && session->waits_count >= ACTA_WAITS_MAX
               ? acta_fail(err, ACTA_TOO_LARGE,
                           "connection has %d requests that wait, the limit",
                           ACTA_WAITS_MAX)
               : ACTA_OK;
}

void
session_hand_over(struct session *session, const struct frame *frame,
                  enum job_kind kind)
{
    struct job *job;
    struct acta_err err;
    enum acta_code code = job_new(&job, kind, frame->body, &err);

    if (code == ACTA_OK) {
        code = check_waits(session, job, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        job_free(job);
        return;
    }
    job->request_id = frame->request_id;
    session->jobs_count++;
    session->waits_count += job_may_wait(job);
    session->jobs_size += job->size;
    send_job(session, job);
}

void
session_fini(struct session *session)
{
    say_farewell(session);
    backup_close(session->backup);
    job_free(session->receipt);
    counter_subtract(&session->host->counters->subscriptions,
                     session->subs.count);
    sub_set_fini(&session->subs);
    while (session->waiting_first != NULL) {
        job_free(take_waiting(session));
    }
}

void
session_error(struct session *session, uint64_t request_id, enum acta_code code,
              const char *text)
{
    struct msg_error error = {.code = code, .text = slice_of(text)};

    counter_add(&session->host->counters->errors, 1);
    msg_error_encode(session->out, request_id, &error);
}

/* True while output is held back for a peer that is slow to read. The two marks
 * keep it from going back and forth at every byte.
 */
static bool
output_is_full(struct session *session)
{
    size_t size = buf_size(session->out);

    if (size > session->host->limits.output_high) {
        session->over_high = true;
    } else if (size <= session->host->limits.output_low) {
        session->over_high = false;
    }
    return session->over_high;
}

bool
session_takes_input(struct session *session)
{
    const struct session_limits *limits = &session->host->limits;

    return session->state != SESSION_OVER &&
           session->jobs_count - session->waits_count < limits->requests_max &&
           session->jobs_size < limits->requests_memory &&
           !output_is_full(session);
}

bool
session_has_work(struct session *session)
{
    bool can_feed = session->left_frame && session_takes_input(session) &&
                    !session->host->outbox->blocked;
    bool can_pump =
        (session->waiting_first != NULL || session->subs.ready_first != NULL) &&
        !output_is_full(session);

    return can_feed || can_pump;
}

/* The bytes that follow cannot be understood: say why, to no request, and take
 * no more.
 */
static void
break_off(struct session *session, const struct acta_err *err)
{
    session_error(session, 0, err->code, err->text);
    session_end_input(session);
}

size_t
session_feed(struct session *session, struct slice bytes)
{
    size_t used = 0;

    session->left_frame = false;
    session->reads_left = SESSION_READS;
    while (used < bytes.size) {
        struct slice rest = slice_make(bytes.data + used, bytes.size - used);
        struct acta_err err;
        struct frame frame;
        size_t size;

        if (!session_takes_input(session)) {
            session->left_frame = true;
            break;
        }
        if (frame_decode(&frame, &size, rest,
                         session->state == SESSION_NEW ? ACTA_HELLO_SIZE_MAX
                                                       : ACTA_FRAME_SIZE_MAX,
                         &err) != ACTA_OK) {
            break_off(session, &err);
            break;
        }
        if (size == 0) {
            break;
        }
        if (!dispatch(session, &frame)) {
            session->left_frame = true;
            break;
        }
        used += size;
    }
    return session->state == SESSION_OVER ? bytes.size : used;
}

static void
answer(struct session *session, struct job *job)
{
    if (job->is_answered) {
        assert(session->jobs_count > 0);
        assert(session->jobs_size >= job->size);

        session->jobs_count--;
        session->waits_count -= job_may_wait(job);
        session->jobs_size -= job->size;
    }
    answer_job(session, job);
    if (job->kind == JOB_MAIL && job->wants_receipt) {
        assert(session->receipt == NULL);

        buf_fini(&job->outcome.reply);
        session->receipt = job;
        return;
    }
    job_free(job);
}

void
session_sent(struct session *session)
{
    struct job *receipt = session->receipt;

    if (receipt == NULL ||
        buf_size(session->out) > session->host->limits.output_low) {
        return;
    }
    session->receipt = NULL;
    receipt->kind = JOB_RECEIPT;
    send_job(session, receipt);
}

void
session_complete(struct session *session, struct job *job)
{
    assert(job->connection_id == session->id);

    if (answer_takes_read(job)) {
        put_waiting(session, job);
    } else {
        answer(session, job);
    }
}

static void
end_subscription(struct session *session, struct sub *sub,
                 const struct acta_err *err)
{
    sub_tell_end(sub, err->code, err->text, session->out);
    sub_set_remove(&session->subs, sub);
    counter_subtract(&session->host->counters->subscriptions, 1);
}

size_t
session_pump(struct session *session)
{
    struct session_host *host = session->host;
    struct read_bounds step = {.events_max = ACTA_PAGE_EVENTS_MAX,
                               .bytes_max = host->limits.subscription_step,
                               .last = session->live_to};
    size_t before = buf_size(session->out);
    struct acta_err err;
    struct sub *sub;

    if (output_is_full(session)) {
        return 0;
    }
    if (session->waiting_first != NULL) {
        answer(session, take_waiting(session));
        return host->limits.subscription_step;
    }
    sub = sub_set_take_ready(&session->subs);
    if (sub == NULL) {
        return 0;
    }
    switch (sub_step(sub, host->reader, &step, session->out, &err)) {
    case SUB_GO_ON:
        sub_set_make_ready(&session->subs, sub);
        /* A step that found nothing has cost as much as one that did. */
        return host->limits.subscription_step;
    case SUB_WAIT:
    case SUB_NO_CREDIT:
        break;
    case SUB_FAILED:
        end_subscription(session, sub, &err);
        break;
    }
    return buf_size(session->out) - before + 1;
}

void
session_wake(struct session *session, uint64_t head)
{
    session->live_to = head;
    sub_set_wake(&session->subs, head);
}

/* End those whose consumer is in another epoch: by a claim of another, or since
 * it was reset, or because it is gone.
 */
static void
end_fenced(struct session *session)
{
    uint64_t changes = database_consumer_changes(session->host->database);
    struct sub *sub = session->subs.all;

    if (changes == session->consumer_changes) {
        return; /* As nearly always. */
    }
    session->consumer_changes = changes;
    while (sub != NULL) {
        struct sub *next = sub->next;
        struct acta_err err;
        enum acta_code code = sub_check(sub, session->host->reader, &err);

        if (code == ACTA_NOT_FOUND) {
            err.code = ACTA_FENCED;
        }
        if (code != ACTA_OK) {
            end_subscription(session, sub, &err);
        }
        sub = next;
    }
}

static void
look_at_backup(struct session *session)
{
    if (session->backup != NULL &&
        backup_must_end(session->backup, clock_mono(),
                        &session->backup_ended)) {
        backup_close(session->backup);
        session->backup = NULL;
    }
}

void
session_tick(struct session *session)
{
    end_fenced(session);
    look_at_backup(session);
    if (!output_is_full(session)) {
        sub_set_tell(&session->subs, database_head(session->host->database),
                     session->out);
    }
}

static void
end_subscriptions(struct session *session)
{
    counter_subtract(&session->host->counters->subscriptions,
                     session->subs.count);
    sub_set_end(&session->subs, ACTA_STOPPING, "server is stopping",
                session->out);
}

void
session_stop(struct session *session)
{
    session->stopping = true;
    end_subscriptions(session);
}

void
session_end_input(struct session *session)
{
    session->state = SESSION_OVER;
    counter_subtract(&session->host->counters->subscriptions,
                     session->subs.count);
    sub_set_fini(&session->subs);
    say_farewell(session);
    backup_close(session->backup);
    session->backup = NULL;
}
