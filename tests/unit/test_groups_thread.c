/* The groups' thread with a real database, by the jobs that sessions send and
 * the mails that they get.
 */

#include "groups.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "db.h"
#include "frame.h"
#include "limit.h"
#include "msg.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "run.h"

#define GROUP     "workers"
#define HANDS_MAX 20000
#define LEFT_MAX  16
#define ANN       ((uint64_t)7) /* Connections, */
#define BOB       ((uint64_t)8)
#define HER       ((uint64_t)1000) /* and joins. */
#define HIS       ((uint64_t)1001)
#define HOUR_US   UINT64_C(3600000000)
#define CONSUMERS 300
#define LISTS     50

/* ---- what comes back ---- */

struct hand {
    uint64_t connection_id;
    uint64_t membership;
    uint64_t fence;
    uint64_t position;
    uint64_t deliveries;
};

static struct db db;
static struct completions back;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards is_woken. */
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static bool is_woken;

static struct hand hands[HANDS_MAX];
static size_t hands_count;
static size_t ann_size;      /* Bytes of records that she was handed, */
static size_t record_max;    /* and the largest of all. */
static bool sends_receipts;  /* Of what comes in mails. */
static uint64_t output_high; /* Of connections whose jobs are handed in. */
static enum acta_code lefts[LEFT_MAX];
static size_t lefts_count;

static uint64_t ids_count; /* Of requests, and of events. */
static uint64_t asked;     /* The request that is waited for, */
static bool is_back;       /* its job, */
static enum acta_code code;
static struct buf reply; /* and the frame that answers it. */
static struct buf request;

static void
wake(void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    is_woken = true;
    pthread_cond_signal(&woken);
    pthread_mutex_unlock(&lock);
}

static void
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

static void
free_what_came(void)
{
    struct job *job = completions_take(&back);

    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
}

static void
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

/* Take what has come back, and wait for that if nothing has. */
static void
take_some(void)
{
    struct job *job;

    pthread_mutex_lock(&lock);
    while (!is_woken) {
        pthread_cond_wait(&woken, &lock);
    }
    is_woken = false;
    pthread_mutex_unlock(&lock);
    job = completions_take(&back);
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

static void
wait_for_hands(size_t count)
{
    while (hands_count < count) {
        take_some();
    }
    ck_assert_uint_eq(hands_count, count);
}

/* ---- what is asked for ---- */

/* A job of what stands in request, if anything does. */
static struct job *
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

static void
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

/* Hand in what stands in request, and wait until it is done. */
static enum acta_code
ask(enum job_kind kind, uint64_t connection_id, uint64_t request_id)
{
    asked = request_id;
    is_back = false;
    hand_in(kind, connection_id, request_id, true);
    while (!is_back) {
        take_some();
    }
    return code;
}

static void
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

static void
change(const struct msg_change_consumer *change)
{
    struct job *job = draft_consumer(change);

    db_append(&db, job);
    ck_assert_msg(job->outcome.code == ACTA_OK, "%s", job->outcome.text);
    job_free(job);
}

static void
create(struct query query, uint64_t ack_timeout_us)
{
    change(&(struct msg_change_consumer){
        .name = slice_of(GROUP),
        .kind = MSG_CONSUMER_CREATE,
        .query = query,
        .settings = {.ack_timeout_us = ack_timeout_us},
        .given = MSG_HAS_ACK_TIMEOUT});
}

static void
change_to(enum msg_consumer_change kind, uint64_t position)
{
    change(&(struct msg_change_consumer){
        .name = slice_of(GROUP), .kind = kind, .position = position});
}

static enum acta_code
join(uint64_t connection_id, uint64_t join_id, uint64_t slots)
{
    msg_join_encode(&request, join_id,
                    &(struct msg_join){.group = slice_of(GROUP),
                                       .slots = slots,
                                       .member = slice_of("somebody")});
    return ask(JOB_JOIN, connection_id, join_id);
}

/* Answer one that was handed out, and be told that it is settled. */
static enum acta_code
settle(uint64_t connection_id, const struct hand *hand,
       enum msg_settle_kind kind, uint64_t *settled)
{
    struct msg_answer answer = {.kind = kind,
                                .fence = hand->fence,
                                .position = hand->position,
                                .reason = slice_of("no good")};
    uint64_t id = ids_count++ % HER;
    struct msg_settled told;
    size_t start = msg_settle_begin(&request, id, hand->membership, 1);

    msg_settle_answer(&request, &answer);
    msg_settle_end(&request, start);
    if (ask(JOB_SETTLE, connection_id, id) != ACTA_OK) {
        return code;
    }
    ck_assert_int_eq(msg_settled_decode(&told, buf_slice(&reply), NULL),
                     ACTA_OK);
    *settled = told.settled;
    return told.refused_count > 0 ? ACTA_FENCED : ACTA_OK;
}

static void
leave(uint64_t connection_id, uint64_t join_id)
{
    uint64_t id = ids_count++ % HER;

    msg_number_encode(&request, OP_LEAVE, id, join_id);
    ck_assert_int_eq(ask(JOB_LEAVE, connection_id, id), ACTA_OK);
}

/* The connection is gone. */
static void
hang_up(uint64_t connection_id)
{
    hand_in(JOB_FORGET_MEMBERS, connection_id, 0, false);
}

static struct msg_described
describe(void)
{
    struct msg_described described;
    uint64_t id = ids_count++ % HER;

    msg_describe_consumer_encode(&request, id, slice_of(GROUP));
    ck_assert_int_eq(ask(JOB_DESCRIBE_CONSUMER, ANN, id), ACTA_OK);
    ck_assert_int_eq(msg_consumer_decode(&described, buf_slice(&reply), NULL),
                     ACTA_OK);
    return described;
}

static struct msg_parked_page
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

static uint64_t
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

static void
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

/* ---- handing out ---- */

START_TEST(history_is_handed_out_and_then_what_is_new)
{
    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    append("a-1", 1);
    wait_for_hands(4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(hands[i].position, i + 1);
        ck_assert_uint_eq(hands[i].membership, HER);
        ck_assert_uint_eq(hands[i].deliveries, 1);
    }
    acknowledge_all(ANN, 0);
    ck_assert_uint_eq(describe().consumer.position, 4);
}
END_TEST

/* It is at the head, and events that it does not want go by. */
START_TEST(event_that_is_wanted_wakes_a_group_that_waits)
{
    struct slice category = slice_of("a");
    struct query_item item = {
        .fields[QUERY_CATEGORIES] = {&category, 1, NULL, 0}};

    create((struct query){&item, 1, NULL}, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    append("b-1", 50);
    append("a-1", 1);
    wait_for_hands(1);
    ck_assert_uint_eq(hands[0].position, 51);
    acknowledge_all(ANN, 0);
    append("b-1", 1);
    ck_assert_uint_eq(describe().consumer.position, 52);
    ck_assert_uint_eq(describe().consumer.lag.events, 0);
}
END_TEST

START_TEST(member_has_no_more_in_hand_than_it_has_slots)
{
    append("a-1", 5);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 2), ACTA_OK);
    wait_for_hands(2);
    ck_assert_uint_eq(describe().consumer.in_hand, 2);
    acknowledge_all(ANN, 0);
    wait_for_hands(4);
}
END_TEST

/* A description comes behind the step in which events were counted. */
START_TEST(groups_at_work_are_counted)
{
    struct database_stats stats;

    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 2), ACTA_OK);
    wait_for_hands(2);
    (void)describe();
    database_stats(db.database, &stats);
    ck_assert_uint_eq(stats.groups, 1);
    ck_assert_uint_eq(stats.group_members, 1);
    ck_assert_uint_eq(stats.group_in_hand, 2);
    acknowledge_all(ANN, 0);
    wait_for_hands(3);
    acknowledge_all(ANN, 2);
    leave(ANN, HER);
    do {
        (void)describe();
        database_stats(db.database, &stats);
    } while (stats.groups > 0);
    ck_assert_uint_eq(stats.group_members, 0);
    ck_assert_uint_eq(stats.group_in_hand, 0);
}
END_TEST

START_TEST(events_of_who_hangs_up_go_to_another)
{
    append("a-1", 2);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(2);
    ck_assert_int_eq(join(BOB, HIS, 10), ACTA_OK);
    hang_up(ANN);
    wait_for_hands(4);
    for (size_t i = 2; i < 4; i++) {
        ck_assert_uint_eq(hands[i].membership, HIS);
        ck_assert_uint_eq(hands[i].position, i - 1);
        ck_assert_uint_gt(hands[i].fence, hands[0].fence);
    }
    ck_assert_uint_eq(hands[2].deliveries, 2);
}
END_TEST

START_TEST(event_that_is_not_answered_is_handed_out_again)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, MSG_ACK_TIMEOUT_US_MIN);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    while (hands_count < 2) { /* On a slow machine there are more at once. */
        take_some();
    }
    ck_assert_uint_eq(hands[1].position, 1);
    ck_assert_uint_eq(hands[1].deliveries, 2);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_ACK, &settled), ACTA_FENCED);
}
END_TEST

START_TEST(one_connection_has_memberships_of_its_own)
{
    append("a-1", 1);
    append("a-2", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 1), ACTA_OK);
    ck_assert_int_eq(join(ANN, HIS, 1), ACTA_OK);
    ck_assert_int_eq(join(ANN, HIS, 1), ACTA_INVALID);
    wait_for_hands(2);
    ck_assert_uint_ne(hands[0].membership, hands[1].membership);
    leave(ANN, HER);
    leave(ANN, HIS);
    ck_assert_uint_eq(describe().consumer.connected, 0);
}
END_TEST

/* ---- what a connection has not taken ---- */

static void
append_to_many(size_t count, size_t streams)
{
    for (size_t i = 0; i < count; i++) {
        char stream[32];

        snprintf(stream, sizeof(stream), "a-%zu", i % streams);
        append(stream, 1);
    }
}

START_TEST(who_takes_nothing_is_handed_no_more_by_any_membership)
{
    enum { EVENTS = 500, HIGH = 4096, JOINS = 4 };

    append_to_many(EVENTS, EVENTS);
    create(QUERY_ALL, HOUR_US);
    sends_receipts = false;
    output_high = HIGH;
    for (uint64_t i = 0; i < JOINS; i++) { /* The last ones when it is full. */
        ck_assert_int_eq(join(ANN, HER + 1 + i, EVENTS), ACTA_OK);
    }
    output_high = UINT64_MAX;
    ck_assert_int_eq(join(BOB, HER, EVENTS), ACTA_OK);
    wait_for_hands(EVENTS); /* The others are his. */
    ck_assert_uint_gt(ann_size, HIGH);
    ck_assert_uint_le(ann_size, HIGH + record_max);
}
END_TEST

/* Two memberships of one connection; of some bounds any event is larger. */
START_TEST(who_takes_what_it_is_handed_gets_all_in_order)
{
    enum { EVENTS = 300, STREAMS = 3 };
    static const uint64_t highs[] = {0, 1, 500, 4096};
    uint64_t last = 0;

    append_to_many(EVENTS, STREAMS);
    create(QUERY_ALL, HOUR_US);
    output_high = highs[_i];
    ck_assert_int_eq(join(ANN, HER, EVENTS), ACTA_OK);
    ck_assert_int_eq(join(ANN, HIS, EVENTS), ACTA_OK);
    wait_for_hands(EVENTS);
    for (size_t stream = 0; stream < STREAMS; stream++, last = 0) {
        for (size_t i = 0; i < EVENTS; i++) {
            if (hands[i].position % STREAMS == stream) {
                ck_assert_uint_gt(hands[i].position, last);
                last = hands[i].position;
            }
        }
    }
}
END_TEST

START_TEST(receipt_of_who_is_gone_is_nobodys)
{
    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    hand_in(JOB_RECEIPT, BOB, 0, false);
    ck_assert_int_eq(join(ANN, HER, 1), ACTA_OK);
    wait_for_hands(1);
}
END_TEST

/* ---- changes ---- */

START_TEST(changes_of_a_group_do_not_disconnect_its_members)
{
    append("a-1", 2);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(2);
    acknowledge_all(ANN, 0);
    change_to(MSG_CONSUMER_PAUSE, 0);
    append("a-1", 1);
    ck_assert(describe().consumer.is_paused);
    ck_assert_uint_eq(hands_count, 2);
    change_to(MSG_CONSUMER_RESUME, 0);
    wait_for_hands(3);
    change_to(MSG_CONSUMER_RESET, 0);
    wait_for_hands(6);
    ck_assert_uint_eq(hands[3].position, 1);
    ck_assert_uint_eq(describe().consumer.connected, 1);
    ck_assert_uint_eq(lefts_count, 0);
}
END_TEST

/* Lists of many consumers keep the thread from taking up the alteration before
 * it reads on.
 */
START_TEST(event_from_after_an_alteration_is_not_passed_over)
{
    static const char *const streams[] = {"b-1", "a-1", "b-1"};
    struct slice text = slice_of("a-1");
    struct query_item item = {.fields[QUERY_STREAMS] = {&text, 1, NULL, 0}};
    char name[20];

    for (uint64_t i = 0; i < CONSUMERS; i++) {
        snprintf(name, sizeof(name), "consumer-%ju", (uintmax_t)i);
        change(&(struct msg_change_consumer){.name = slice_of(name),
                                             .kind = MSG_CONSUMER_CLAIM});
    }
    create((struct query){&item, 1, NULL}, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    asked = 10;
    is_back = false;
    for (uint64_t i = 0; i < LISTS; i++) {
        msg_list_encode(&request, OP_LIST_CONSUMERS, i, &(struct msg_list){0});
        hand_in(JOB_LIST_CONSUMERS, BOB, i, true);
    }
    while (!is_back) { /* Then it is at those behind it. */
        take_some();
    }
    text = slice_of("b-1");
    change(&(struct msg_change_consumer){.name = slice_of(GROUP),
                                         .kind = MSG_CONSUMER_ALTER,
                                         .query = {&item, 1, NULL},
                                         .given = MSG_HAS_QUERY});
    for (size_t i = 0; i < 3; i++) {
        append(streams[i], 1);
    }
    wait_for_hands(2);
    ck_assert_uint_eq(hands[0].position, 1);
    ck_assert_uint_eq(hands[1].position, 3);
}
END_TEST

START_TEST(answer_from_before_a_reset_is_refused)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(1);
    change_to(MSG_CONSUMER_RESET, 0);
    wait_for_hands(2);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_ACK, &settled), ACTA_FENCED);
    ck_assert_int_eq(settle(ANN, &hands[1], MSG_ACK, &settled), ACTA_OK);
}
END_TEST

START_TEST(members_of_a_deleted_group_are_told)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(1);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_PARK, &settled), ACTA_OK);
    change_to(MSG_CONSUMER_DELETE, 0);
    while (lefts_count == 0) {
        take_some();
    }
    ck_assert_int_eq(lefts[0], ACTA_NOT_FOUND);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_ACK, &settled), ACTA_NOT_FOUND);
    ck_assert_int_eq(join(ANN, HIS, 10), ACTA_NOT_FOUND);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HIS, 10), ACTA_OK);
    wait_for_hands(2);
    ck_assert_uint_eq(list_parked().parked_count, 0);
}
END_TEST

START_TEST(plain_consumer_has_no_members)
{
    change(&(struct msg_change_consumer){.name = slice_of(GROUP),
                                         .kind = MSG_CONSUMER_CLAIM});
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_INVALID);
    append("a-1", 3);
    ck_assert_uint_eq(describe().consumer.lag.matching, 3);
}
END_TEST

/* ---- what stays ---- */

START_TEST(what_was_settled_is_not_handed_out_after_a_stop)
{
    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    acknowledge_all(ANN, 0);
    append("a-1", 1);
    wait_for_hands(4);
    db_reopen(&db);
    free_what_came();
    ck_assert_uint_eq(describe().consumer.position, 3);
    ck_assert_uint_eq(describe().consumer.lag.matching, 1);
    ck_assert_int_eq(join(BOB, HIS, 10), ACTA_OK);
    wait_for_hands(5);
    ck_assert_uint_eq(hands[4].position, 4);
    ck_assert_uint_gt(hands[4].fence, hands[3].fence);
}
END_TEST

START_TEST(parked_event_is_durable_when_that_is_said)
{
    uint64_t settled;
    struct msg_parked parked;
    struct msg_parked_page page;

    append("a-1", 2);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(2);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_PARK, &settled), ACTA_OK);
    ck_assert_uint_eq(settled, 1);
    db_reopen_as_killed(&db);
    free_what_came();
    page = list_parked();
    ck_assert_uint_ge(page.parked_count, 1);
    parked = msg_next_parked(&page.parked);
    ck_assert_uint_eq(parked.position, 1);
    ck_assert_int_eq(parked.state, MSG_PARKED);
    ck_assert(slice_equal(parked.reason, slice_of("no good")));
}
END_TEST

START_TEST(parked_events_are_replayed_in_order_or_dropped)
{
    uint64_t settled;

    append("a-1", 3);
    append("b-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(4);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_PARK, &settled), ACTA_OK);
    ck_assert_int_eq(settle(ANN, &hands[3], MSG_PARK, &settled), ACTA_OK);
    ck_assert_uint_eq(describe().consumer.parked, 4);
    ck_assert_uint_eq(change_parked(MSG_PARKED_REPLAY), 2);
    wait_for_hands(6);
    for (size_t i = 4; i < 6; i++) {
        enum msg_settle_kind kind = hands[i].position == 1 ? MSG_ACK : MSG_PARK;

        ck_assert_int_eq(settle(ANN, &hands[i], kind, &settled), ACTA_OK);
    }
    wait_for_hands(8);
    ck_assert_uint_eq(hands[6].position, 2);
    ck_assert_uint_eq(hands[7].position, 3);
    acknowledge_all(ANN, 6);
    ck_assert_uint_eq(change_parked(MSG_PARKED_DROP), 1);
    ck_assert_uint_eq(describe().consumer.parked, 0);
    ck_assert_uint_eq(list_parked().parked_count, 0);
    ck_assert_uint_eq(describe().consumer.position, 4);
}
END_TEST

START_TEST(what_a_paused_group_has_not_taken_up_again_is_before_it)
{
    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    db_reopen(&db);
    ck_assert_uint_eq(describe().consumer.lag.matching, 3);
    change_to(MSG_CONSUMER_PAUSE, 0);
    ck_assert_int_eq(join(BOB, HIS, 10), ACTA_OK);
    ck_assert_uint_eq(describe().consumer.lag.matching, 3);
    ck_assert_uint_eq(describe().consumer.position, 0);
    ck_assert_uint_eq(describe().consumer.lag.events, 3);
}
END_TEST

/* Nothing that it wants is up to there, so nobody need handle anything. */
START_TEST(group_is_waited_for_at_an_event_that_it_does_not_want)
{
    struct slice text = slice_of("a-1");
    struct query_item item = {.fields[QUERY_STREAMS] = {&text, 1, NULL, 0}};
    struct job *job;

    create((struct query){&item, 1, NULL}, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    append("a-1", 1);
    wait_for_hands(1);
    acknowledge_all(ANN, 0);
    append("b-1", 1);
    msg_await_encode(&request, 1,
                     &(struct msg_await){.consumer = slice_of(GROUP),
                                         .position = 2,
                                         .timeout_us = HOUR_US / 3600});
    job = job_of_request(JOB_AWAIT);
    db_append(&db, job);
    ck_assert_msg(job->outcome.code == ACTA_OK, "%s", job->outcome.text);
    ck_assert_uint_eq(job->outcome.consumer_changed.position, 2);
    job_free(job);
}
END_TEST

START_TEST(members_are_told_when_the_server_stops)
{
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    database_stop_appends(db.database);
    while (lefts_count == 0) {
        take_some();
    }
    ck_assert_int_eq(lefts[0], ACTA_STOPPING);
}
END_TEST

/* ---- many ---- */

#define MANY 200

/* Each waits for a stream of its own; only the one that has an event wakes. */
START_TEST(groups_that_wait_are_woken_one_by_one)
{
    char name[20], stream[20];

    for (uint64_t i = 0; i < MANY; i++) {
        struct slice text;
        struct query_item item = {.fields[QUERY_STREAMS] = {&text, 1, NULL, 0}};

        snprintf(name, sizeof(name), "group-%ju", (uintmax_t)i);
        snprintf(stream, sizeof(stream), "s-%ju", (uintmax_t)i);
        text = slice_of(stream);
        change(&(struct msg_change_consumer){.name = slice_of(name),
                                             .kind = MSG_CONSUMER_CREATE,
                                             .query = {&item, 1, NULL}});
        msg_join_encode(
            &request, HER + i,
            &(struct msg_join){.group = slice_of(name), .slots = 1});
        ck_assert_int_eq(ask(JOB_JOIN, ANN + i / 2, HER + i), ACTA_OK);
    }
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t which = (i * 7) % MANY;

        snprintf(stream, sizeof(stream), "s-%ju", (uintmax_t)which);
        append(stream, 1);
        wait_for_hands(i + 1);
        ck_assert_uint_eq(hands[i].membership, HER + which);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("groups_thread");
    TCase *tcase = tcase_create("groups_thread");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, history_is_handed_out_and_then_what_is_new);
    tcase_add_test(tcase, event_that_is_wanted_wakes_a_group_that_waits);
    tcase_add_test(tcase, member_has_no_more_in_hand_than_it_has_slots);
    tcase_add_test(tcase, groups_at_work_are_counted);
    tcase_add_test(tcase, events_of_who_hangs_up_go_to_another);
    tcase_add_test(tcase, event_that_is_not_answered_is_handed_out_again);
    tcase_add_test(tcase, one_connection_has_memberships_of_its_own);
    tcase_add_test(tcase,
                   who_takes_nothing_is_handed_no_more_by_any_membership);
    tcase_add_loop_test(tcase, who_takes_what_it_is_handed_gets_all_in_order, 0,
                        4);
    tcase_add_test(tcase, receipt_of_who_is_gone_is_nobodys);
    tcase_add_test(tcase, changes_of_a_group_do_not_disconnect_its_members);
    tcase_add_test(tcase, event_from_after_an_alteration_is_not_passed_over);
    tcase_add_test(tcase, answer_from_before_a_reset_is_refused);
    tcase_add_test(tcase, members_of_a_deleted_group_are_told);
    tcase_add_test(tcase, plain_consumer_has_no_members);
    tcase_add_test(tcase, what_was_settled_is_not_handed_out_after_a_stop);
    tcase_add_test(tcase, parked_event_is_durable_when_that_is_said);
    tcase_add_test(tcase, parked_events_are_replayed_in_order_or_dropped);
    tcase_add_test(tcase,
                   what_a_paused_group_has_not_taken_up_again_is_before_it);
    tcase_add_test(tcase,
                   group_is_waited_for_at_an_event_that_it_does_not_want);
    tcase_add_test(tcase, members_are_told_when_the_server_stops);
    tcase_add_test(tcase, groups_that_wait_are_woken_one_by_one);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
