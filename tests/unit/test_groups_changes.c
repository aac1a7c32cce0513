/* What becomes of groups in memory, and of their members, when consumers are
 * changed.
 */

#include <stdio.h>
#include <string.h>

#include "consumer.h"
#include "groups_fixture.h"
#include "groups_inbox.h"
#include "limit.h"
#include "row.h"
#include "run.h"

#define CONSUMERS 300 /* More than the thread is told of by name at a time. */
#define LISTS     50

static void
claim_others(uint64_t count)
{
    char name[40];

    for (uint64_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "consumer-%ju", (uintmax_t)i);
        change(&(struct msg_change_consumer){.name = slice_of(name),
                                             .kind = MSG_CONSUMER_CLAIM});
    }
}

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

    claim_others(CONSUMERS);
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

/* Few changes of one turn, and more than are told by name. */
static const uint64_t changes[] = {0, CONSUMERS};

/* Who was told that there is a new group is not taken for a member of the old
 * one.
 */
START_TEST(group_that_was_made_anew_in_the_same_turn_is_joined)
{
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    hold_groups();
    change_to(MSG_CONSUMER_DELETE, 0);
    create(QUERY_ALL, HOUR_US);
    claim_others(changes[_i]);
    begin_to_join(BOB, HIS, 10);
    release_groups();
    ck_assert_int_eq(wait_for_answer(), ACTA_OK);
    ck_assert_uint_eq(describe().consumer.connected, 1);
    ck_assert_uint_eq(lefts_count, 1); /* She is told. */
    append("a-1", 1);
    wait_for_hands(1);
    ck_assert_uint_eq(hands[0].membership, HIS);
}
END_TEST

/* The same for who asks how it is. */
START_TEST(group_that_was_made_anew_in_the_same_turn_is_described)
{
    struct msg_described described;

    append("a-1", 3);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(3);
    hold_groups();
    change_to(MSG_CONSUMER_DELETE, 0);
    create(QUERY_ALL, HOUR_US);
    claim_others(changes[_i]);
    begin_to_describe();
    release_groups();
    described = wait_for_description();
    ck_assert_uint_eq(described.consumer.connected, 0);
    ck_assert_uint_eq(described.consumer.in_hand, 0);
}
END_TEST

START_TEST(answer_from_before_a_reset_is_refused_in_the_same_turn)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(1);
    hold_groups();
    change_to(MSG_CONSUMER_RESET, 0);
    claim_others(changes[_i]);
    begin_to_settle(ANN, &hands[0], MSG_ACK);
    release_groups();
    ck_assert_int_eq(wait_for_settled(&settled), ACTA_FENCED);
    wait_for_hands(2);
    ck_assert_uint_eq(hands[1].position, 1);
}
END_TEST

START_TEST(answer_to_a_group_that_was_deleted_in_the_same_turn_is_nobodys)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    wait_for_hands(1);
    hold_groups();
    change_to(MSG_CONSUMER_DELETE, 0);
    claim_others(changes[_i]);
    begin_to_settle(ANN, &hands[0], MSG_ACK);
    release_groups();
    ck_assert_int_eq(wait_for_settled(&settled), ACTA_NOT_FOUND);
}
END_TEST

/* No change is lost among many, and none comes late. */
START_TEST(group_that_was_altered_among_others_hands_out_what_it_wants)
{
    struct slice text = slice_of("b-1");
    struct query_item item = {.fields[QUERY_STREAMS] = {&text, 1, NULL, 0}};

    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 10), ACTA_OK);
    hold_groups();
    change(&(struct msg_change_consumer){.name = slice_of(GROUP),
                                         .kind = MSG_CONSUMER_ALTER,
                                         .query = {&item, 1, NULL},
                                         .given = MSG_HAS_QUERY});
    claim_others(changes[_i]);
    append("a-1", 1);
    append("b-1", 1);
    release_groups();
    wait_for_hands(1);
    ck_assert_uint_eq(hands[0].position, 2);
}
END_TEST

/* ---- parked events of a group that is not in memory ---- */

/* More than are counted each time. */
#define PARKED (ACTA_PAGE_ROWS_MAX + 200)

static void
wait_until_let_go(void)
{
    struct database_stats stats;

    do {
        (void)describe();
        database_stats(db.database, &stats);
    } while (stats.groups > 0);
}

/* Have the writer set a row for each of the events from @first up to @last, or
 * remove it, as a save of the group does.
 */
static void
save_parked(uint64_t number, uint64_t first, uint64_t last, bool is_removed)
{
    struct parked parked = {.key = slice_of("a-1")};
    struct job *job = job_of_request(JOB_SAVE);
    struct buf value;

    buf_init(&value, SIZE_MAX);
    if (!is_removed) {
        parked_encode(&value, &parked);
    }
    for (uint64_t position = first; position <= last; position++) {
        uint8_t key[PARKED_KEY_SIZE];

        rows_add(&job->save.rows,
                 &(struct row){.kind = ROW_PARKED,
                               .key = parked_key(key, number, position),
                               .value = buf_slice(&value)});
    }
    rows_end(&job->save.rows);
    job->save.name = slice_of(GROUP);
    job->save.number = number;
    job->save.epoch = number; /* It was never reset. */
    job->rows_size = buf_size(&job->save.rows);
    job->size += job->rows_size;
    db_append(&db, job);
    ck_assert_int_eq(job->outcome.code, ACTA_OK);
    job_free(job);
    buf_fini(&value);
}

/* That a row goes while the group is not in memory happens here alone: it shows
 * when rows are looked at.
 */
START_TEST(many_parked_events_are_counted_once_until_they_may_change)
{
    uint64_t number;

    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    number = describe().consumer.epoch;
    save_parked(number, 1, PARKED, false);
    ck_assert_uint_eq(describe().consumer.parked, PARKED);
    save_parked(number, PARKED, PARKED, true);
    ck_assert_uint_eq(describe().consumer.parked, PARKED);
    ck_assert_int_eq(join(ANN, HER, 1), ACTA_OK);
    ck_assert_uint_eq(describe().consumer.parked, PARKED - 1);
    leave(ANN, HER);
    wait_until_let_go();
    ck_assert_uint_eq(describe().consumer.parked, PARKED - 1);
}
END_TEST

/* ---- without memory for a name ---- */

static bool names_fail;

void __real_inbox_put_name(struct inbox *inbox, struct slice name);
void __wrap_inbox_put_name(struct inbox *inbox, struct slice name);

/* In place of the one that the writer calls, which knows what to do then. */
void
__wrap_inbox_put_name(struct inbox *inbox, struct slice name)
{
    if (!names_fail) {
        __real_inbox_put_name(inbox, name);
        return;
    }
    pthread_mutex_lock(&inbox->lock);
    inbox->all_changed = true;
    pthread_mutex_unlock(&inbox->lock);
    inbox_wake(inbox);
}

static enum acta_code
count_row(void *user, const struct row *row, struct acta_err *err)
{
    (void)row;
    (void)err;
    ++*(size_t *)user;
    return ACTA_OK;
}

static size_t
parked_rows(void)
{
    struct acta_err err;
    size_t count = 0;
    bool at_end;

    ck_assert_int_eq(reader_list_rows(db.reader, ROW_PARKED, SLICE_NONE,
                                      SLICE_NONE, 10, count_row, &count,
                                      &at_end, &err),
                     ACTA_OK);
    return count;
}

/* Nobody is told its name, so what it has left must be looked for. */
START_TEST(what_a_deleted_group_has_parked_goes_without_its_name)
{
    uint64_t settled;

    append("a-1", 1);
    create(QUERY_ALL, HOUR_US);
    ck_assert_int_eq(join(ANN, HER, 1), ACTA_OK);
    wait_for_hands(1);
    ck_assert_int_eq(settle(ANN, &hands[0], MSG_PARK, &settled), ACTA_OK);
    leave(ANN, HER);
    wait_until_let_go();
    ck_assert_uint_eq(parked_rows(), 1);
    names_fail = true;
    change_to(MSG_CONSUMER_DELETE, 0);
    /* Behind the second answer is the end of a turn, and behind an append what
     * that turn has handed to the writer.
     */
    ck_assert_int_eq(join(BOB, HIS, 1), ACTA_NOT_FOUND);
    ck_assert_int_eq(join(BOB, HIS, 1), ACTA_NOT_FOUND);
    append("a-1", 1);
    ck_assert_uint_eq(parked_rows(), 0);
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

int
main(void)
{
    Suite *suite = suite_create("groups_changes");
    TCase *tcase = tcase_create("groups_changes");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, changes_of_a_group_do_not_disconnect_its_members);
    tcase_add_test(tcase, event_from_after_an_alteration_is_not_passed_over);
    tcase_add_test(tcase, answer_from_before_a_reset_is_refused);
    tcase_add_test(tcase, members_of_a_deleted_group_are_told);
    tcase_add_loop_test(
        tcase, group_that_was_made_anew_in_the_same_turn_is_joined, 0, 2);
    tcase_add_loop_test(
        tcase, group_that_was_made_anew_in_the_same_turn_is_described, 0, 2);
    tcase_add_loop_test(
        tcase, answer_from_before_a_reset_is_refused_in_the_same_turn, 0, 2);
    tcase_add_loop_test(
        tcase, answer_to_a_group_that_was_deleted_in_the_same_turn_is_nobodys,
        0, 2);
    tcase_add_loop_test(
        tcase, group_that_was_altered_among_others_hands_out_what_it_wants, 0,
        2);
    tcase_add_test(tcase,
                   what_a_deleted_group_has_parked_goes_without_its_name);
    tcase_add_test(tcase,
                   many_parked_events_are_counted_once_until_they_may_change);
    tcase_add_test(tcase, plain_consumer_has_no_members);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
