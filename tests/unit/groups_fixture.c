#include "groups_fixture.h"

#include <check.h>
#include <pthread.h>

#include "frame.h"
#include "limit.h"
#include "msg.h"

/* ---- what comes back ---- */

struct db db;
static struct completions back;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static pthread_cond_t let_go_on = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards: */
static bool is_woken;
static bool is_to_be_held; /* The thread that brings something back, */
static bool is_held;       /* as it is now. */

struct hand hands[HANDS_MAX];
size_t hands_count;
size_t ann_size;      /* Bytes of records that she was handed, */
size_t record_max;    /* and the largest of all. */
bool sends_receipts;  /* Of what comes in mails. */
uint64_t output_high; /* Of connections whose jobs are handed in. */
enum acta_code lefts[LEFT_MAX];
size_t lefts_count;

static uint64_t ids_count; /* Of requests, and of events. */
uint64_t asked;            /* The request that is waited for, */
bool is_back;              /* its job, */
static enum acta_code code;
static struct buf reply; /* and the frame that answers it. */
struct buf request;

static void
wake(void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    is_woken = true;
    is_held = is_to_be_held;
    pthread_cond_signal(&woken);
    while (is_to_be_held) {
        pthread_cond_wait(&let_go_on, &lock);
    }
    is_held = false;
    pthread_mutex_unlock(&lock);
}

void
setup(void)
{
    db_make(&db);
    completions_init(&back, wake, NULL);
    is_woken = false;
    hands_count = 0;
    lefts_count = 0;
    ann_size = 0;
    record_max = 0;
    sends_receipts = true;
    output_high = UINT64_MAX;
    ids_count = 1;
    buf_init(&reply, SIZE_MAX);
    buf_init(&request, SIZE_MAX);
}

void
free_what_came(void)
{
    struct job *job = completions_take(&back);

    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
}

void
teardown(void)
{
    db_remove(&db);
    free_what_came();
    completions_fini(&back);
    buf_fini(&reply);
    buf_fini(&request);
}

static void
note_handed(const struct frame *frame, uint64_t connection_id)
{
    size_t counts_count, first = hands_count;
    struct msg_handed handed;
    struct slice counts;
    struct acta_err err;

    ck_assert_int_eq(msg_handed_decode(&handed, frame->body, &err), ACTA_OK);
    for (size_t i = 0; i < handed.events_count; i++) {
        size_t size = handed.events.size;
        struct event event;

        ck_assert_uint_lt(hands_count, HANDS_MAX);
        ck_assert_int_eq(msg_next_event(&handed.events, &event, &err), ACTA_OK);
        size -= handed.events.size;
        ann_size += connection_id == ANN ? size : 0;
        record_max = size > record_max ? size : record_max;
        hands[hands_count++] = (struct hand){.connection_id = connection_id,
                                             .membership = frame->request_id,
                                             .fence = handed.fence,
                                             .position = event.position,
                                             .deliveries = 1};
    }
    ck_assert_int_eq(
        msg_handed_counts(&handed, handed.events, &counts, &counts_count, &err),
        ACTA_OK);
    for (size_t i = 0; i < counts_count; i++) {
        struct msg_count count = msg_next_count(&counts);

        hands[first + count.index].deliveries = count.deliveries;
    }
}

static void
note_left(const struct frame *frame)
{
    struct msg_left left;

    ck_assert_int_eq(msg_left_decode(&left, frame->body, NULL), ACTA_OK);
    ck_assert_uint_lt(lefts_count, LEFT_MAX);
    lefts[lefts_count++] = left.code;
}

static void
note_frames(struct slice bytes, uint64_t connection_id)
{
    while (bytes.size > 0) {
        struct frame frame;
        size_t used;

        ck_assert_int_eq(
            frame_decode(&frame, &used, bytes, ACTA_FRAME_SIZE_MAX, NULL),
            ACTA_OK);
        ck_assert_uint_gt(used, 0);
        if (frame.kind == OP_HANDED) {
            note_handed(&frame, connection_id);
        } else if (frame.kind == OP_LEFT && frame.request_id >= HER) {
            note_left(&frame);
        } else if (frame.request_id == asked) {
            buf_clear(&reply);
            buf_append_slice(&reply, frame.body);
        }
        bytes = slice_make(bytes.data + used, bytes.size - used);
    }
}

/* What it brought is taken: it goes back if it asked for that. */
static void
let_go(struct job *job)
{
    if (job->kind != JOB_MAIL || !job->wants_receipt || !sends_receipts) {
        job_free(job);
        return;
    }
    buf_fini(&job->outcome.reply);
    job->kind = JOB_RECEIPT;
    ck_assert_int_eq(database_submit(db.database, job), ACTA_OK);
}

/* Take what has come back, if anything has. */
static void
take_what_came(void)
{
    struct job *job = completions_take(&back);

    while (job != NULL) {
        struct job *next = job->next;

        note_frames(buf_slice(&job->outcome.reply), job->connection_id);
        if (job->is_answered && job->request_id == asked) {
            code = job->outcome.code;
            is_back = true;
        }
        let_go(job);
        job = next;
    }
}

/* The same, and wait for it. */
void
take_some(void)
{
    pthread_mutex_lock(&lock);
    while (!is_woken) {
        pthread_cond_wait(&woken, &lock);
    }
    is_woken = false;
    pthread_mutex_unlock(&lock);
    take_what_came();
}

void
wait_for_hands(size_t count)
{
    while (hands_count < count) {
        take_some();
    }
    ck_assert_uint_eq(hands_count, count);
}

/* ---- what is asked for ---- */

/* A job of what stands in request, if anything does. */
struct job *
job_of_request(enum job_kind kind)
{
    struct frame frame = {0};
    struct job *job;
    size_t used;

    if (buf_size(&request) > 0) {
        ck_assert_int_eq(frame_decode(&frame, &used, buf_slice(&request),
                                      ACTA_FRAME_SIZE_MAX, NULL),
                         ACTA_OK);
    }
    ck_assert_int_eq(job_new(&job, kind, frame.body, NULL), ACTA_OK);
    buf_clear(&request);
    return job;
}

void
hand_in(enum job_kind kind, uint64_t connection_id, uint64_t request_id,
        bool is_answered)
{
    struct job *job = job_of_request(kind);

    job->is_answered = is_answered;
    job->completions = &back;
    job->connection_id = connection_id;
    job->request_id = request_id;
    job->output_high = output_high;
    ck_assert_int_eq(database_submit(db.database, job), ACTA_OK);
}

static void
begin_to_ask(enum job_kind kind, uint64_t connection_id, uint64_t request_id)
{
    asked = request_id;
    is_back = false;
    hand_in(kind, connection_id, request_id, true);
}

enum acta_code
wait_for_answer(void)
{
    while (!is_back) {
        take_some();
    }
    return code;
}

/* Hand in what stands in request, and wait until it is done. */
enum acta_code
ask(enum job_kind kind, uint64_t connection_id, uint64_t request_id)
{
    begin_to_ask(kind, connection_id, request_id);
    return wait_for_answer();
}

void
append(const char *stream, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft draft = {.id = ids_count++, .type = "T"};
        struct draft_write write = {.stream = stream,
                                    .expected = MSG_EXPECT_ANY,
                                    .drafts = &draft,
                                    .count = 1};
        struct job *job = draft_append(&write, 1);

        db_append(&db, job);
        ck_assert_int_eq(job->outcome.code, ACTA_OK);
        job_free(job);
    }
}

void
change(const struct msg_change_consumer *change)
{
    struct job *job = draft_consumer(change);

    db_append(&db, job);
    ck_assert_msg(job->outcome.code == ACTA_OK, "%s", job->outcome.text);
    job_free(job);
}

void
create(struct query query, uint64_t ack_timeout_us)
{
    change(&(struct msg_change_consumer){
        .name = slice_of(GROUP),
        .kind = MSG_CONSUMER_CREATE,
        .query = query,
        .settings = {.ack_timeout_us = ack_timeout_us},
        .given = MSG_HAS_ACK_TIMEOUT});
}

void
change_to(enum msg_consumer_change kind, uint64_t position)
{
    change(&(struct msg_change_consumer){
        .name = slice_of(GROUP), .kind = kind, .position = position});
}

void
begin_to_join(uint64_t connection_id, uint64_t join_id, uint64_t slots)
{
    msg_join_encode(&request, join_id,
                    &(struct msg_join){.group = slice_of(GROUP),
                                       .slots = slots,
                                       .member = slice_of("somebody")});
    begin_to_ask(JOB_JOIN, connection_id, join_id);
}

enum acta_code
join(uint64_t connection_id, uint64_t join_id, uint64_t slots)
{
    begin_to_join(connection_id, join_id, slots);
    return wait_for_answer();
}

void
begin_to_settle(uint64_t connection_id, const struct hand *hand,
                enum msg_settle_kind kind)
{
    struct msg_answer answer = {.kind = kind,
                                .fence = hand->fence,
                                .position = hand->position,
                                .reason = slice_of("no good")};
    uint64_t id = ids_count++ % HER;
    size_t start = msg_settle_begin(&request, id, hand->membership, 1);

    msg_settle_answer(&request, &answer);
    msg_settle_end(&request, start);
    begin_to_ask(JOB_SETTLE, connection_id, id);
}

enum acta_code
wait_for_settled(uint64_t *settled)
{
    struct msg_settled told;

    if (wait_for_answer() != ACTA_OK) {
        return code;
    }
    ck_assert_int_eq(msg_settled_decode(&told, buf_slice(&reply), NULL),
                     ACTA_OK);
    *settled = told.settled;
    return told.refused_count > 0 ? ACTA_FENCED : ACTA_OK;
}

enum acta_code
settle(uint64_t connection_id, const struct hand *hand,
       enum msg_settle_kind kind, uint64_t *settled)
{
    begin_to_settle(connection_id, hand, kind);
    return wait_for_settled(settled);
}

void
leave(uint64_t connection_id, uint64_t join_id)
{
    uint64_t id = ids_count++ % HER;

    msg_number_encode(&request, OP_LEAVE, id, join_id);
    ck_assert_int_eq(ask(JOB_LEAVE, connection_id, id), ACTA_OK);
}

/* The connection is gone. */
void
hang_up(uint64_t connection_id)
{
    hand_in(JOB_FORGET_MEMBERS, connection_id, 0, false);
}

void
begin_to_describe(void)
{
    uint64_t id = ids_count++ % HER;

    msg_describe_consumer_encode(&request, id, slice_of(GROUP));
    begin_to_ask(JOB_DESCRIBE_CONSUMER, ANN, id);
}

struct msg_described
wait_for_description(void)
{
    struct msg_described described;

    ck_assert_int_eq(wait_for_answer(), ACTA_OK);
    ck_assert_int_eq(msg_consumer_decode(&described, buf_slice(&reply), NULL),
                     ACTA_OK);
    return described;
}

struct msg_described
describe(void)
{
    begin_to_describe();
    return wait_for_description();
}

struct msg_parked_page
list_parked(void)
{
    struct msg_list_parked list = {.group = slice_of(GROUP)};
    struct msg_parked_page page;
    uint64_t id = ids_count++ % HER;

    msg_list_parked_encode(&request, id, &list);
    ck_assert_int_eq(ask(JOB_LIST_PARKED, ANN, id), ACTA_OK);
    ck_assert_int_eq(msg_parked_decode(&page, buf_slice(&reply), NULL),
                     ACTA_OK);
    return page;
}

uint64_t
change_parked(enum msg_parked_change kind)
{
    uint64_t count, id = ids_count++ % HER;

    msg_change_parked_encode(&request, id, slice_of(GROUP), kind, NULL, 0,
                             true);
    ck_assert_int_eq(ask(JOB_CHANGE_PARKED, ANN, id), ACTA_OK);
    ck_assert_int_eq(
        msg_number_decode(&count, OP_PARKED_CHANGED, buf_slice(&reply), NULL),
        ACTA_OK);
    return count;
}

void
acknowledge_all(uint64_t connection_id, size_t from)
{
    size_t end = hands_count; /* More may come meanwhile. */
    uint64_t settled;

    for (size_t i = from; i < end; i++) {
        ck_assert_int_eq(settle(connection_id, &hands[i], MSG_ACK, &settled),
                         ACTA_OK);
        ck_assert_uint_eq(settled, 1);
    }
}

/* Hold the groups' thread in a turn: all that comes until it is released is of
 * its next one.
 */
void
hold_groups(void)
{
    pthread_mutex_lock(&lock);
    is_to_be_held = true;
    pthread_mutex_unlock(&lock);
    take_what_came(); /* Only what comes first wakes anybody. */
    begin_to_describe();
    pthread_mutex_lock(&lock);
    while (!is_held) {
        pthread_cond_wait(&woken, &lock);
    }
    pthread_mutex_unlock(&lock);
}

void
release_groups(void)
{
    pthread_mutex_lock(&lock);
    is_to_be_held = false;
    pthread_cond_signal(&let_go_on);
    pthread_mutex_unlock(&lock);
}
