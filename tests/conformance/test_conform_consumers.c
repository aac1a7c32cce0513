/* Followers, named consumers and leases, in memory and on a server. */

#include <string.h>

#include "words.h"

#define ANY         ACTA_EXPECT_ANY
#define PATIENCE_MS 60000

/* ---- followers ---- */

/* Follow until @position, and count what comes. */
static size_t
follow_to(struct acta_follower *follower, uint64_t position)
{
    const struct acta_news *news;
    size_t count = 0;

    do {
        expect(ACTA_OK, acta_follower_next(follower, PLACE_PATIENCE_MS, &news,
                                           &place.err));
        count += news->events_count;
    } while (news->position < position);
    ck_assert_uint_eq(news->position, position);
    return count;
}

START_TEST(a_follower_gets_what_is_stored_and_what_comes)
{
    struct acta_query *query = acta_query_new();
    struct acta_follower *follower;
    const struct acta_news *news;

    place_begin(_i);
    store("a", "Old", 3);
    store("b", "Other", 1);
    acta_query_stream(query, "a");
    expect(ACTA_OK,
           acta_follower_open(&follower, place.sync, query, 1, &place.err));
    ck_assert_uint_eq(follow_to(follower, 4), 2);
    store("a", "New", 2);
    ck_assert_uint_eq(follow_to(follower, 6), 2);
    store("b", "Other", 1); /* It only moves the position. */
    ck_assert_uint_eq(follow_to(follower, 7), 0);
    do {
        store("a", "More", 1);
        expect(ACTA_OK, acta_follower_next(follower, PLACE_PATIENCE_MS, &news,
                                           &place.err));
    } while (!news->live);
    acta_follower_close(follower);
    expect(ACTA_OK,
           acta_follower_open(&follower, place.sync, query, 999, &place.err));
    expect(ACTA_INVALID,
           acta_follower_next(follower, PLACE_PATIENCE_MS, &news, &place.err));
    acta_follower_close(follower);
    acta_query_free(query);
    place_end();
}
END_TEST

/* What other calls have brought in is still to be handed out. */
START_TEST(a_follower_is_where_its_news_have_been_handed_out)
{
    struct acta_follower *follower;
    const struct acta_news *news;

    place_begin(_i);
    expect(ACTA_OK, acta_follower_claim(&follower, place.sync, "c", NULL, 0,
                                        &place.err));
    ck_assert_uint_eq(follow_to(follower, 0), 0);
    expect(ACTA_TIMEOUT, acta_follower_next(follower, 0, &news, &place.err));
    store("a", "X", 3);
    for (int i = 0; i < 3; i++) {
        expect(ACTA_OK, acta_sync_ping(place.sync, NULL, &place.err));
    }
    ck_assert_uint_eq(acta_follower_position(follower), 0);
    ck_assert_uint_eq(follow_to(follower, 3), 3);
    ck_assert_uint_eq(acta_follower_position(follower), 3);
    acta_follower_close(follower);
    store("a", "X", 1);
    expect(ACTA_OK, acta_follower_claim(&follower, place.sync, "d", NULL, 2,
                                        &place.err));
    ck_assert_uint_eq(acta_follower_position(follower), 2);
    ck_assert_uint_eq(follow_to(follower, 4), 2);
    place_end();
}
END_TEST

START_TEST(a_claim_fences_the_one_before)
{
    struct acta_follower *first, *second;
    const struct acta_news *news;
    struct acta_sync *other;
    enum acta_code code;

    place_begin(_i);
    other = place_client();
    store("a", "X", 3);
    expect(ACTA_OK,
           acta_follower_claim(&first, place.sync, "c", NULL, 0, &place.err));
    ck_assert_uint_eq(follow_to(first, 3), 3);
    expect(ACTA_OK, acta_follower_checkpoint(first, 2, &place.err));
    expect(ACTA_OK,
           acta_follower_claim(&second, other, "c", NULL, 0, &place.err));
    ck_assert_uint_gt(acta_follower_epoch(second), acta_follower_epoch(first));
    ck_assert_uint_eq(follow_to(second, 3), 1);
    expect(ACTA_FENCED, acta_follower_checkpoint(first, 3, &place.err));
    do {
        code = acta_follower_next(first, PLACE_PATIENCE_MS, &news, &place.err);
    } while (code == ACTA_OK);
    expect(ACTA_FENCED, code);
    acta_sync_close(other);
    place_end();
}
END_TEST

/* ---- named consumers ---- */

static struct acta_consumer
describe(const char *name)
{
    const struct acta_consumer_description *told;

    expect(ACTA_OK,
           acta_sync_describe_consumer(place.sync, name, &told, &place.err));
    return *told->consumer;
}

static void
move(const char *name, uint64_t epoch, uint64_t to)
{
    struct acta_append *append = acta_append_new();

    acta_append_checkpoint(append, name, epoch, ACTA_FROM_ANY, to);
    send_it(append, ACTA_OK);
}

START_TEST(a_consumer_tells_where_it_is)
{
    struct acta_query *query = acta_query_new();
    struct acta_consumer told;
    uint64_t epoch;

    place_begin(_i);
    store("a", "X", 4);
    store("b", "Y", 2);
    acta_query_stream(query, "a");
    epoch = claim("c", query, 1);
    told = describe("c");
    ck_assert_int_eq(told.kind, ACTA_CONSUMER_PLAIN);
    ck_assert_uint_eq(told.position, 1);
    ck_assert_uint_eq(told.lag_events, 5);
    ck_assert_uint_eq(told.lag_matching, 3);
    ck_assert_uint_eq(told.query_count, 1);
    ck_assert_str_eq(told.query[0]->text, "a");
    move("c", epoch, 4);
    told = describe("c"); /* Nothing that it wants is left. */
    ck_assert_uint_eq(told.position, 6);
    ck_assert_uint_eq(told.lag_events, 0);
    ck_assert_uint_eq(told.head, 6);
    ck_assert_uint_ne(told.changed_us, 0);
    acta_query_free(query);
    place_end();
}
END_TEST

START_TEST(consumers_are_reset_noted_deleted_and_listed)
{
    const struct acta_consumer_changed *changed;
    const struct acta_consumers *list;
    struct acta_group group = acta_group_of(0);
    uint64_t epoch;

    place_begin(_i);
    store("a", "X", 4);
    epoch = claim("c", NULL, 0);
    expect(ACTA_INVALID,
           acta_sync_reset_consumer(place.sync, "c", 5, NULL, &place.err));
    expect(ACTA_NOT_FOUND,
           acta_sync_reset_consumer(place.sync, "none", 0, NULL, &place.err));
    expect(ACTA_OK,
           acta_sync_note_consumer(place.sync, "c", epoch, "fine", &place.err));
    ck_assert_str_eq(describe("c").note, "fine");
    expect(ACTA_OK,
           acta_sync_reset_consumer(place.sync, "c", 3, &changed, &place.err));
    ck_assert_uint_eq(changed->position, 3);
    ck_assert_uint_gt(changed->epoch, epoch);
    expect(ACTA_FENCED,
           acta_sync_note_consumer(place.sync, "c", epoch, "late", &place.err));
    expect(ACTA_EXISTS,
           acta_sync_create_group(place.sync, "c", &group, NULL, &place.err));
    expect(ACTA_INVALID,
           acta_sync_pause_group(place.sync, "c", NULL, &place.err));
    claim("b", NULL, 0);
    expect(ACTA_OK,
           acta_sync_list_consumers(place.sync, "", "", 1, &list, &place.err));
    ck_assert_uint_eq(list->consumers_count, 1);
    ck_assert_str_eq(list->consumers[0]->name, "b");
    ck_assert(!list->at_end);
    expect(ACTA_OK,
           acta_sync_delete_consumer(place.sync, "c", &changed, &place.err));
    ck_assert(changed->changed);
    expect(ACTA_OK,
           acta_sync_list_consumers(place.sync, "", "b", 0, &list, &place.err));
    ck_assert_uint_eq(list->consumers_count, 0);
    ck_assert(list->at_end);
    place_end();
}
END_TEST

START_TEST(who_waits_for_a_consumer_is_told)
{
    uint64_t epoch;

    place_begin(_i);
    store("a", "X", 4);
    expect(ACTA_NOT_FOUND,
           acta_sync_wait_for(place.sync, "c", 1, PATIENCE_MS, &place.err));
    epoch = claim("c", NULL, 0);
    expect(ACTA_TIMEOUT, acta_sync_wait_for(place.sync, "c", 4, 0, &place.err));
    expect(ACTA_TIMEOUT,
           acta_sync_wait_for(place.sync, "c", 4, 10, &place.err));
    move("c", epoch, 4);
    expect(ACTA_OK,
           acta_sync_wait_for(place.sync, "c", 4, PATIENCE_MS, &place.err));
    place_end();
}
END_TEST

/* ---- leases ---- */

START_TEST(a_lease_is_held_by_one_until_it_is_given_back)
{
    struct acta_acquire acquire = acta_acquire_of("l", 60000);
    struct acta_lease *mine, *theirs;
    const struct acta_leases *list;
    struct acta_sync *other;
    uint64_t fence;

    place_begin(_i);
    other = place_client();
    acquire.holder = "me";
    expect(ACTA_OK, acta_sync_acquire(place.sync, &acquire, &mine, &place.err));
    fence = acta_lease_fence(mine);
    ck_assert(acta_lease_is_held(mine));
    expect(ACTA_HELD, acta_sync_acquire(other, &acquire, &theirs, &place.err));
    acquire.wait_ms = 10;
    expect(ACTA_HELD, acta_sync_acquire(other, &acquire, &theirs, &place.err));
    expect(ACTA_OK, acta_sync_renew(place.sync, mine, &place.err));
    expect(ACTA_OK,
           acta_sync_list_leases(place.sync, "", "", 0, &list, &place.err));
    ck_assert_uint_eq(list->leases_count, 1);
    ck_assert_str_eq(list->leases[0]->holder, "me");
    ck_assert_uint_eq(list->leases[0]->fence, fence);
    ck_assert_uint_eq(list->leases[0]->duration_us, 60000000);
    expect(ACTA_OK, acta_sync_release(place.sync, mine, &place.err));
    expect(ACTA_OK, acta_sync_acquire(other, &acquire, &theirs, &place.err));
    ck_assert_uint_gt(acta_lease_fence(theirs), fence);
    acta_sync_close(other);
    place_end();
}
END_TEST

START_TEST(a_lease_that_is_not_renewed_goes_to_who_waits)
{
    struct acta_acquire acquire = acta_acquire_of("l", 50);
    struct acta_lease *mine, *theirs;
    struct acta_sync *other;

    place_begin(_i);
    other = place_client();
    acquire.no_renewal = true;
    expect(ACTA_OK, acta_sync_acquire(place.sync, &acquire, &mine, &place.err));
    place_pass_ms(50);
    acquire.wait_ms = PLACE_PATIENCE_MS;
    acquire.duration_ms = 60000;
    expect(ACTA_OK, acta_sync_acquire(other, &acquire, &theirs, &place.err));
    ck_assert(acta_lease_is_held(theirs));
    ck_assert(!acta_lease_is_held(mine));
    expect(ACTA_FENCED, acta_sync_renew(place.sync, mine, &place.err));
    expect(ACTA_OK, acta_sync_release(place.sync, mine, &place.err));
    acta_sync_close(other);
    place_end();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conform_consumers");
    TCase *tcase = tcase_create("conform_consumers");

#define CASE(name) tcase_add_loop_test(tcase, name, 0, PLACES)
    CASE(a_follower_gets_what_is_stored_and_what_comes);
    CASE(a_follower_is_where_its_news_have_been_handed_out);
    CASE(a_claim_fences_the_one_before);
    CASE(a_consumer_tells_where_it_is);
    CASE(consumers_are_reset_noted_deleted_and_listed);
    CASE(who_waits_for_a_consumer_is_told);
    CASE(a_lease_is_held_by_one_until_it_is_given_back);
    CASE(a_lease_that_is_not_renewed_goes_to_who_waits);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
