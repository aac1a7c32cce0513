/* What the members of a group do in the script: all that there is to do for a
 * group is handed to one member, which answers for all of it at once. Nothing
 * is saved of that but the answers, in one entry of the journal: so a group
 * shows what it showed before, or all of them.
 */

#include <check.h>
#include <pthread.h>
#include <stdio.h>

#include "frame.h"
#include "limit.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "nap.h"
#include "script_inside.h"
#include "tell.h"

#define CONNECTION 1
#define JOIN       1000 /* Request ids. */
#define SETTLE     2000
#define DROP       3000
#define LOOK_US    1000

struct hand {
    uint64_t fence;
    uint64_t position;
};

/* What comes back, on whatever thread. */
static struct completions back;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct hand hands[SCRIPT_WORK_MAX];
static size_t hands_count;
static uint64_t answered; /* The last request that was, */
static enum acta_code answer;

static void
ignore(void *user)
{
    (void)user; /* It is looked at again and again. */
}

static void
prepare(void)
{
    completions_init(&back, ignore, NULL);
}

static void
note_handed(const struct frame *frame)
{
    struct msg_handed handed;

    ck_assert_int_eq(msg_handed_decode(&handed, frame->body, NULL), ACTA_OK);
    for (size_t i = 0; i < handed.events_count; i++) {
        struct event event;

        ck_assert_int_eq(msg_next_event(&handed.events, &event, NULL), ACTA_OK);
        ck_assert_uint_lt(hands_count, SCRIPT_WORK_MAX);
        hands[hands_count++] = (struct hand){handed.fence, event.position};
    }
}

static void
take_what_came(void)
{
    struct job *job = completions_take(&back);

    while (job != NULL) {
        struct slice bytes = buf_slice(&job->outcome.reply);
        struct job *next = job->next;
        struct frame frame;
        size_t used;

        while (bytes.size > 0) {
            ck_assert_int_eq(
                frame_decode(&frame, &used, bytes, ACTA_FRAME_SIZE_MAX, NULL),
                ACTA_OK);
            if (frame.kind == OP_HANDED) {
                note_handed(&frame);
            }
            bytes = slice_make(bytes.data + used, bytes.size - used);
        }
        if (job->is_answered) {
            answered = job->request_id;
            answer = job->outcome.code;
        }
        job_free(job);
        job = next;
    }
}

/* Hand in the frame in @request, or nothing if that is empty. */
static enum acta_code
hand_in(struct base *base, enum job_kind kind, uint64_t request_id,
        const struct buf *request)
{
    struct slice bytes = buf_slice(request);
    struct frame frame = {.kind = 0};
    struct job *job;
    enum acta_code code;
    size_t used;

    if (bytes.size > 0) {
        ck_assert_int_eq(
            frame_decode(&frame, &used, bytes, ACTA_FRAME_SIZE_MAX, NULL),
            ACTA_OK);
    }
    ck_assert_int_eq(job_new(&job, kind, frame.body, NULL), ACTA_OK);
    job->is_answered = bytes.size > 0;
    job->completions = &back;
    job->connection_id = CONNECTION;
    job->request_id = request_id;
    job->output_high = UINT64_MAX;
    code = database_submit(base->database, job);
    if (code != ACTA_OK) {
        job_free(job);
    }
    return code;
}

/* Wait until the answer is there, and as many hands. */
static enum acta_code
await(uint64_t request_id, size_t count, unsigned patience_ms)
{

    for (unsigned i = 0; i <= patience_ms; i++) {
        take_what_came();
        if (answered == request_id &&
            (answer != ACTA_OK || hands_count >= count)) {
            return answer;
        }
        nap_us(LOOK_US);
    }
    return ACTA_UNKNOWN;
}

static enum acta_code
ask(struct base *base, enum job_kind kind, uint64_t request_id,
    struct buf *request, size_t hands_wanted, unsigned patience_ms)
{
    enum acta_code code = hand_in(base, kind, request_id, request);

    buf_clear(request);
    return code == ACTA_OK ? await(request_id, hands_wanted, patience_ms)
                           : code;
}

/* Skip the first, park the last, and ack all others. */
static void
put_answers(struct buf *request)
{
    size_t start = msg_settle_begin(request, SETTLE, JOIN, hands_count);

    for (size_t i = 0; i < hands_count; i++) {
        msg_settle_answer(request, &(struct msg_answer){
                                       .kind = i + 1 == hands_count ? MSG_PARK
                                               : i == 0             ? MSG_SKIP
                                                                    : MSG_ACK,
                                       .fence = hands[i].fence,
                                       .position = hands[i].position,
                                       .reason = slice_of("no good"),
                                   });
    }
    msg_settle_end(request, start);
}

/* The writer or the disk had none of it now: it may still be done. */
static enum acta_code
left_open(enum acta_code code)
{
    return code == ACTA_OK ? ACTA_OK : ACTA_UNKNOWN;
}

enum acta_code
script_handle(struct base *base, unsigned step, const char *group,
              unsigned patience_ms)
{
    static unsigned given_up; /* The step that was waited for in vain. */
    struct msg_join join = {
        .group = slice_of(group),
        .slots = SCRIPT_WORK_MAX,
    };
    enum acta_code code;
    struct buf request;
    size_t count;

    pthread_once(&once, prepare);
    code = tell_work(base, group, &count);
    if (code != ACTA_OK || count == 0) {
        return code;
    }
    if (given_up == step) {
        return ACTA_UNKNOWN;
    }
    hands_count = 0;
    answered = 0;
    buf_init(&request, ACTA_FRAME_SIZE_MAX);
    msg_join_encode(&request, JOIN, &join);
    code = ask(base, JOB_JOIN, JOIN, &request, count, patience_ms);
    if (code == ACTA_OK) {
        put_answers(&request);
        code =
            left_open(ask(base, JOB_SETTLE, SETTLE, &request, 0, patience_ms));
    }
    (void)hand_in(base, JOB_FORGET_MEMBERS, 0, &request);
    buf_fini(&request);
    if (code == ACTA_UNKNOWN) {
        given_up = step;
    }
    return code;
}

enum acta_code
script_drop_parked(struct base *base, const char *group, unsigned patience_ms)
{
    enum acta_code code;
    struct buf request;

    pthread_once(&once, prepare);
    answered = 0;
    buf_init(&request, ACTA_FRAME_SIZE_MAX);
    msg_change_parked_encode(&request, DROP, slice_of(group), MSG_PARKED_DROP,
                             NULL, 0, true);
    code =
        left_open(ask(base, JOB_CHANGE_PARKED, DROP, &request, 0, patience_ms));
    buf_fini(&request);
    return code;
}
