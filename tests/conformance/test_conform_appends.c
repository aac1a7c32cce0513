/* Appends: what they are answered with, in memory and by a server. */

#include <string.h>

#include "words.h"

#define ANY ACTA_EXPECT_ANY

static struct acta_append *
one(const char *stream, int64_t expected)
{
    struct acta_append *append = write_to(NULL, stream, expected);

    add(append, "Happened", "data", NULL);
    return append;
}

/* ---- versions ---- */

START_TEST(versions_and_positions_count_up)
{
    const struct acta_appended *appended;
    struct acta_append *append;

    place_begin(_i);
    store("b", "First", 2);
    append = write_to(NULL, "a", 0);
    add(append, "X", "1", NULL);
    write_to(append, "b", 2);
    add(append, "Y", "2", NULL);
    add(append, "Y", "3", NULL);
    appended = send_it(append, ACTA_OK);
    ck_assert_uint_eq(appended->position, 5);
    ck_assert_uint_eq(appended->version, 4);
    ck_assert_uint_eq(appended->runs_count, 2);
    ck_assert_uint_eq(appended->runs[1]->first_version, 3);
    ck_assert_uint_eq(appended->runs[1]->first_position, 4);
    ck_assert(!appended->repeated);
    place_end();
}
END_TEST

START_TEST(a_version_that_is_not_expected_is_refused_by_index)
{
    struct acta_append *append;

    place_begin(_i);
    store("a", "X", 3);
    append = one("b", 0);
    write_to(append, "a", 2);
    add(append, "X", "", NULL);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_WRITE, 1, 2, 3);
    expect_failure(send_it(one("b", ACTA_EXPECT_EXISTS), ACTA_CONFLICT),
                   ACTA_FAILED_WRITE, 0, -2, 0);
    expect_failure(send_it(one("b", 7), ACTA_CONFLICT), ACTA_FAILED_WRITE, 0, 7,
                   0);
    send_it(one("a", ACTA_EXPECT_EXISTS), ACTA_OK);
    place_end();
}
END_TEST

START_TEST(a_checked_stream_must_be_as_expected)
{
    struct acta_append *append;

    place_begin(_i);
    store("a", "X", 2);
    append = one("b", ANY);
    acta_append_check_stream(append, "a", 2);
    acta_append_check_stream(append, "c", 1);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_CHECK, 1, 1, 0);
    append = one("b", ANY);
    acta_append_check_stream(append, "a", 2);
    acta_append_check_stream(append, "c", 0);
    send_it(append, ACTA_OK);
    place_end();
}
END_TEST

START_TEST(deleted_and_tombstoned_streams_are_judged_as_such)
{
    place_begin(_i);
    store("a", "X", 2);
    expect(ACTA_OK,
           acta_sync_delete_stream(place.sync, "a", 2, NULL, &place.err));
    expect_failure(send_it(one("a", ACTA_EXPECT_EXISTS), ACTA_CONFLICT),
                   ACTA_FAILED_WRITE, 0, -2, 2);
    ck_assert_uint_eq(send_it(one("a", 0), ACTA_OK)->version, 3);
    expect(ACTA_OK,
           acta_sync_tombstone_stream(place.sync, "a", 3, NULL, &place.err));
    expect_failure(send_it(one("a", ANY), ACTA_TOMBSTONED), ACTA_FAILED_WRITE,
                   0, -1, 3);
    place_end();
}
END_TEST

/* ---- repeats ---- */

START_TEST(an_append_that_is_sent_again_is_a_repeat)
{
    const struct acta_appended *appended;
    struct acta_append *append;

    place_begin(_i);
    append = one("a", 0);
    add(append, "Y", "", NULL);
    send_again(append, ACTA_OK);
    store("a", "Z", 1);
    appended = send_it(append, ACTA_OK);
    ck_assert(appended->repeated);
    ck_assert_uint_eq(appended->position, 2);
    ck_assert_uint_eq(appended->runs_count, 1);
    ck_assert(!appended->by_command);
    place_end();
}
END_TEST

static struct acta_append *
with_id(const char *stream, const struct acta_id *id, const char *data)
{
    struct acta_append *append = write_to(NULL, stream, ANY);
    struct acta_draft draft = acta_draft_of("X", data, strlen(data));

    draft.id = id;
    acta_append_event(append, &draft);
    return append;
}

START_TEST(ids_that_are_partly_stored_or_reused_are_refused)
{
    const struct acta_appended *refused;
    struct acta_append *append;
    struct acta_id id;

    place_begin(_i);
    expect(ACTA_OK, acta_id_new(&id, &place.err));
    send_it(with_id("a", &id, "1"), ACTA_OK);
    append = with_id("a", &id, "1");
    add(append, "New", "", NULL);
    refused = send_it(append, ACTA_PARTIAL_REPEAT);
    expect_failure(refused, ACTA_FAILED_EVENT, 0, 0, 1);
    refused = send_it(with_id("a", &id, "2"), ACTA_ID_REUSED);
    expect_failure(refused, ACTA_FAILED_EVENT, 0, 0, 1);
    ck_assert_uint_eq(send_it(with_id("b", &id, "2"), ACTA_OK)->position, 2);

    /* Of what is hidden only the id counts. */
    expect(ACTA_OK,
           acta_sync_delete_stream(place.sync, "a", ANY, NULL, &place.err));
    ck_assert(send_it(with_id("a", &id, "2"), ACTA_OK)->repeated);
    place_end();
}
END_TEST

START_TEST(a_command_counts_once_and_can_be_found)
{
    const struct acta_appended *appended;
    struct acta_append *append;
    struct acta_id id;

    place_begin(_i);
    expect(ACTA_OK, acta_id_new(&id, &place.err));
    expect(ACTA_NOT_FOUND,
           acta_sync_find_command(place.sync, &id, &appended, &place.err));
    append = one("a", 1); /* Refused: the id is not used by it. */
    acta_append_command_id(append, &id);
    send_it(append, ACTA_CONFLICT);
    append = one("a", 0);
    acta_append_command_id(append, &id);
    send_it(append, ACTA_OK);
    append = one("b", 99);
    acta_append_command_id(append, &id);
    appended = send_it(append, ACTA_OK);
    ck_assert(appended->repeated && appended->by_command);
    ck_assert_uint_eq(appended->position, 1);
    expect(ACTA_OK,
           acta_sync_find_command(place.sync, &id, &appended, &place.err));
    ck_assert_uint_eq(appended->position, 1);
    ck_assert_uint_eq(appended->runs_count, 1);
    place_end();
}
END_TEST

/* ---- conditions ---- */

START_TEST(an_event_that_matches_a_condition_refuses)
{
    struct acta_query *query = acta_query_new();
    struct acta_append *append;

    place_begin(_i);
    append = write_to(NULL, "user-1", 0);
    add(append, "Registered", "", "name:ann", NULL);
    add(append, "Renamed", "", "name:eve", NULL);
    send_it(append, ACTA_OK);
    acta_query_tag(query, "name:eve");
    append = one("user-2", 0);
    acta_append_condition(append, query, 0);
    acta_append_condition(append, NULL, 2);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_CONDITION, 0, 0,
                   2);
    append = one("user-2", 0);
    acta_append_condition(append, query, 2);
    acta_append_condition(append, NULL, 99);
    send_it(append, ACTA_OK);
    acta_query_free(query);
    place_end();
}
END_TEST

START_TEST(a_refusal_brings_what_was_not_seen)
{
    const struct acta_unseen *unseen;
    struct acta_append *append;

    place_begin(_i);
    store("a", "Seen", 1);
    store("a", "Missed", 3);
    store("b", "Other", 1);
    append = one("a", 1);
    acta_append_unseen(append, 2, 0);
    unseen = send_it(append, ACTA_CONFLICT)->unseen;
    ck_assert_ptr_nonnull(unseen);
    ck_assert_uint_eq(unseen->events_count, 2);
    ck_assert(!unseen->complete);
    append = one("a", 1);
    acta_append_unseen(append, 10, 0);
    unseen = send_it(append, ACTA_CONFLICT)->unseen;
    ck_assert_uint_eq(unseen->events_count, 3);
    ck_assert_str_eq(unseen->events[0]->type, "Missed");
    ck_assert_uint_eq(unseen->head, 5);
    ck_assert(unseen->complete);
    append = one("a", 1);
    acta_append_unseen(append, 10, 1); /* One comes, whatever its size. */
    unseen = send_it(append, ACTA_CONFLICT)->unseen;
    ck_assert_uint_eq(unseen->events_count, 1);
    ck_assert(!unseen->complete);
    place_end();
}
END_TEST

/* ---- effects ---- */

START_TEST(a_checkpoint_moves_with_its_events_or_not_at_all)
{
    struct acta_append *append;
    uint64_t epoch;

    place_begin(_i);
    store("a", "X", 3);
    epoch = claim("c", NULL, 0);
    append = one("b", ANY);
    acta_append_checkpoint(append, "c", epoch, 0, 2);
    send_again(append, ACTA_OK);
    ck_assert(send_it(append, ACTA_OK)->repeated);
    append = one("b", ANY); /* The same again, by somebody else. */
    acta_append_checkpoint(append, "c", epoch, 0, 2);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_CHECKPOINT, 0, 0,
                   2);
    append = one("b", ANY);
    acta_append_checkpoint(append, "c", epoch, 2, 99);
    send_it(append, ACTA_INVALID);
    append = one("b", 9);
    acta_append_checkpoint(append, "c", epoch + 1, ACTA_FROM_ANY, 3);
    acta_append_checkpoint(append, "none", 1, ACTA_FROM_ANY, 3);
    ck_assert_uint_eq(send_it(append, ACTA_FENCED)->failures_count, 3);
    append = acta_append_new(); /* It is there already. */
    acta_append_checkpoint(append, "c", epoch, 0, 2);
    send_it(append, ACTA_OK);
    place_end();
}
END_TEST

START_TEST(an_append_goes_by_the_fence_of_a_lease)
{
    struct acta_acquire acquire = acta_acquire_of("l", 60000);
    struct acta_append *append;
    struct acta_lease *lease;
    uint64_t fence;

    place_begin(_i);
    expect(ACTA_OK,
           acta_sync_acquire(place.sync, &acquire, &lease, &place.err));
    fence = acta_lease_fence(lease);
    append = one("a", ANY);
    acta_append_lease(append, "l", fence);
    send_it(append, ACTA_OK);
    append = one("a", ANY);
    acta_append_lease(append, "l", fence + 1);
    expect_failure(send_it(append, ACTA_FENCED), ACTA_FAILED_LEASE, 0,
                   (int64_t)fence + 1, fence);
    expect(ACTA_OK, acta_sync_release(place.sync, lease, &place.err));
    append = one("a", ANY);
    acta_append_lease(append, "l", fence);
    expect_failure(send_it(append, ACTA_FENCED), ACTA_FAILED_LEASE, 0,
                   (int64_t)fence, 0);
    append = one("a", ANY); /* No fence is none of a lease that nobody holds. */
    acta_append_lease(append, "l", 0);
    expect_failure(send_it(append, ACTA_FENCED), ACTA_FAILED_LEASE, 0, 0, 0);
    place_end();
}
END_TEST

/* What can be wrong with one append, in the order in which it is judged. */
enum wrong {
    WRONG_TOMBSTONE,
    WRONG_VERSION,
    WRONG_LEASE,
    WRONG_AHEAD, /* A checkpoint behind the head. */
    WRONG_EPOCH,
    WRONG_PLACE, /* A checkpoint that is elsewhere, */
    WRONG_KIND,  /* and one of a group. */
    WRONG_SNAPSHOT,
    WRONG_CONDITION,
    WRONGS,
};

static const struct {
    enum acta_code code;
    enum acta_failure_kind kind;
} wrongs[WRONGS] = {
    [WRONG_TOMBSTONE] = {ACTA_TOMBSTONED, ACTA_FAILED_WRITE},
    [WRONG_VERSION] = {ACTA_CONFLICT, ACTA_FAILED_WRITE},
    [WRONG_LEASE] = {ACTA_FENCED, ACTA_FAILED_LEASE},
    [WRONG_AHEAD] = {ACTA_INVALID, ACTA_FAILED_CHECKPOINT},
    [WRONG_EPOCH] = {ACTA_FENCED, ACTA_FAILED_CHECKPOINT},
    [WRONG_PLACE] = {ACTA_CONFLICT, ACTA_FAILED_CHECKPOINT},
    [WRONG_KIND] = {ACTA_INVALID, ACTA_FAILED_CHECKPOINT},
    [WRONG_SNAPSHOT] = {ACTA_CONFLICT, ACTA_FAILED_SNAPSHOT},
    [WRONG_CONDITION] = {ACTA_CONFLICT, ACTA_FAILED_CONDITION},
};

static uint64_t wrong_epochs[WRONGS]; /* Of their consumers. */

static void
do_wrong(struct acta_append *append, enum wrong wrong)
{
    uint64_t epoch = wrong_epochs[wrong];

    switch (wrong) {
    case WRONG_TOMBSTONE:
        write_to(append, "closed", ANY);
        add(append, "X", "", NULL);
        break;
    case WRONG_VERSION:
        write_to(append, "a", 9);
        add(append, "X", "", NULL);
        break;
    case WRONG_LEASE:
        acta_append_lease(append, "lost", 1);
        break;
    case WRONG_AHEAD:
        acta_append_checkpoint(append, "ahead", epoch, ACTA_FROM_ANY, 99);
        break;
    case WRONG_EPOCH:
        acta_append_checkpoint(append, "fenced", epoch + 1, ACTA_FROM_ANY, 1);
        break;
    case WRONG_PLACE:
        acta_append_checkpoint(append, "elsewhere", epoch, 2, 3);
        break;
    case WRONG_KIND:
        acta_append_checkpoint(append, "group", epoch, ACTA_FROM_ANY, 1);
        break;
    case WRONG_SNAPSHOT:
        acta_append_snapshot(append, "a", 99, 1, "x", 1);
        break;
    case WRONG_CONDITION:
        acta_append_condition(append, NULL, 0);
        break;
    case WRONGS:
        break;
    }
}

/* What an append with these, a set of bits, is refused with. */
static enum acta_code
code_of_wrongs(unsigned set)
{
    unsigned fenced = 1u << WRONG_LEASE | 1u << WRONG_EPOCH;

    if ((set & 1u << WRONG_TOMBSTONE) != 0) {
        return ACTA_TOMBSTONED;
    }
    return (set & fenced) != 0 ? ACTA_FENCED : wrongs[__builtin_ctz(set)].code;
}

static void
check_refusal(unsigned set)
{
    const struct acta_appended *refused;
    struct acta_append *append = one("fine", ANY);
    size_t count = 0;

    for (unsigned i = 0; i < WRONGS; i++) {
        if ((set & 1u << i) != 0) {
            do_wrong(append, (enum wrong)i);
        }
    }
    refused = send_it(append, code_of_wrongs(set));
    for (unsigned i = 0; i < WRONGS; i++) {
        if ((set & 1u << i) != 0) {
            ck_assert_uint_lt(count, refused->failures_count);
            ck_assert_int_eq(refused->failures[count]->kind, wrongs[i].kind);
            count++;
        }
    }
    ck_assert_uint_eq(refused->failures_count, count);
}

/* Each by itself, all pairs, and all at once. */
START_TEST(of_several_mistakes_the_same_one_is_always_told)
{
    struct acta_group group = acta_group_of(0);
    const struct acta_consumer_changed *changed;

    place_begin(_i);
    store("closed", "X", 1);
    store("a", "X", 3);
    expect(ACTA_OK, acta_sync_tombstone_stream(place.sync, "closed", 1, NULL,
                                               &place.err));
    expect(ACTA_OK, acta_sync_create_group(place.sync, "group", &group,
                                           &changed, &place.err));
    wrong_epochs[WRONG_KIND] = changed->epoch;
    wrong_epochs[WRONG_AHEAD] = claim("ahead", NULL, 0);
    wrong_epochs[WRONG_EPOCH] = claim("fenced", NULL, 0);
    wrong_epochs[WRONG_PLACE] = claim("elsewhere", NULL, 0);
    for (unsigned i = 0; i < WRONGS; i++) {
        for (unsigned j = i; j < WRONGS; j++) {
            check_refusal(1u << i | 1u << j);
        }
    }
    check_refusal((1u << WRONGS) - 1);
    place_end();
}
END_TEST

static struct acta_append *
planned(const char *stream, int64_t expected)
{
    struct acta_append *what = write_to(NULL, stream, expected);

    add(what, "Due", "", NULL);
    add(what, "Due", "", NULL);
    return what;
}

START_TEST(schedules_are_made_moved_and_cancelled)
{
    struct acta_append *what = planned("later", ANY);
    struct acta_append *other = planned("other", ANY);
    const struct acta_schedules *list;
    struct acta_append *append;

    place_begin(_i);
    append = acta_append_new();
    acta_append_schedule_in(append, "s", 3600000, what);
    send_again(append, ACTA_OK);
    send_it(append, ACTA_OK); /* The same writes. */
    append = acta_append_new();
    acta_append_schedule_in(append, "s", 3600000, other);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_SCHEDULE, 0, 0,
                   0);
    append = acta_append_new();
    acta_append_move_schedule_in(append, "none", 1);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_SCHEDULE, 0, 0,
                   0);
    expect(ACTA_OK,
           acta_sync_list_schedules(place.sync, "", "", 0, &list, &place.err));
    ck_assert_uint_eq(list->schedules_count, 1);
    ck_assert_str_eq(list->schedules[0]->stream, "later");
    ck_assert_str_eq(list->schedules[0]->type, "Due");
    ck_assert_uint_eq(list->schedules[0]->events_count, 2);
    ck_assert(!list->schedules[0]->has_failed);
    append = acta_append_new(); /* One takes the place of the other. */
    acta_append_cancel(append, "s");
    acta_append_cancel(append, "none");
    acta_append_schedule_in(append, "s", 3600000, other);
    ck_assert_uint_eq(send_it(append, ACTA_OK)->cancelled, 1);
    acta_append_free(what);
    acta_append_free(other);
    place_end();
}
END_TEST

START_TEST(what_is_scheduled_takes_place_or_stays_as_failed)
{
    struct acta_append *what = planned("later", ANY);
    struct acta_append *refused = planned("a", 9);
    const struct acta_schedules *list;
    struct acta_follower *follower;
    const struct acta_news *news;
    struct acta_append *append;
    uint64_t position = 0;

    place_begin(_i);
    append = acta_append_new();
    acta_append_schedule_in(append, "first", 20, refused);
    acta_append_schedule_in(append, "second", 40, what);
    send_it(append, ACTA_OK);
    place_pass_ms(50);
    expect(ACTA_OK,
           acta_follower_open(&follower, place.sync, NULL, 0, &place.err));
    while (position < 2) {
        expect(ACTA_OK, acta_follower_next(follower, PLACE_PATIENCE_MS, &news,
                                           &place.err));
        position = news->position;
    }
    acta_follower_close(follower);
    ck_assert_str_eq(stream_text("later", 0, false),
                     "1 later.1 Due \n2 later.2 Due \n"
                     "next 2 at end, head 2, version 2");
    expect(ACTA_OK,
           acta_sync_list_schedules(place.sync, "", "", 0, &list, &place.err));
    ck_assert_uint_eq(list->schedules_count, 1);
    ck_assert_str_eq(list->schedules[0]->name, "first");
    ck_assert(list->schedules[0]->has_failed);
    ck_assert_str_ne(list->schedules[0]->reason, "");
    acta_append_free(what);
    acta_append_free(refused);
    place_end();
}
END_TEST

START_TEST(a_snapshot_is_of_a_version_that_all_writes_make)
{
    struct acta_append *append;

    place_begin(_i);
    append = one("a", ANY);
    write_to(append, "a", ANY);
    add(append, "X", "", NULL);
    acta_append_snapshot(append, "a", 3, 1, "x", 1);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_SNAPSHOT, 0, 3,
                   2);
    append = one("a", ANY);
    write_to(append, "a", ANY);
    add(append, "X", "", NULL);
    acta_append_snapshot(append, "a", 2, 1, "x", 1);
    send_it(append, ACTA_OK);
    place_end();
}
END_TEST

/* ---- mistakes ---- */

START_TEST(mistakes_are_told_by_their_code)
{
    struct acta_append *append;
    struct acta_id id;

    place_begin(_i);
    expect(ACTA_OK, acta_id_new(&id, &place.err));
    append = with_id("a", &id, "1");
    acta_append_event(append, &(struct acta_draft){
                                  .size = sizeof(struct acta_draft),
                                  .type = "X",
                                  .id = &id,
                              });
    send_it(append, ACTA_INVALID);
    append = one("a", 0);
    write_to(append, "a", 1);
    add(append, "X", "", NULL);
    send_it(append, ACTA_INVALID);
    send_it(acta_append_new(), ACTA_INVALID);
    append = acta_append_new();
    acta_append_snapshot(append, "a", 1, 1, "x", 1);
    expect_failure(send_it(append, ACTA_CONFLICT), ACTA_FAILED_SNAPSHOT, 0, 1,
                   0);
    place_end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conform_appends");
    TCase *tcase = tcase_create("conform_appends");

#define CASE(name) tcase_add_loop_test(tcase, name, 0, PLACES)
    CASE(versions_and_positions_count_up);
    CASE(a_version_that_is_not_expected_is_refused_by_index);
    CASE(a_checked_stream_must_be_as_expected);
    CASE(deleted_and_tombstoned_streams_are_judged_as_such);
    CASE(an_append_that_is_sent_again_is_a_repeat);
    CASE(ids_that_are_partly_stored_or_reused_are_refused);
    CASE(a_command_counts_once_and_can_be_found);
    CASE(an_event_that_matches_a_condition_refuses);
    CASE(a_refusal_brings_what_was_not_seen);
    CASE(a_checkpoint_moves_with_its_events_or_not_at_all);
    CASE(an_append_goes_by_the_fence_of_a_lease);
    CASE(of_several_mistakes_the_same_one_is_always_told);
    CASE(schedules_are_made_moved_and_cancelled);
    CASE(what_is_scheduled_takes_place_or_stays_as_failed);
    CASE(a_snapshot_is_of_a_version_that_all_writes_make);
    CASE(mistakes_are_told_by_their_code);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
