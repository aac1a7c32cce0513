#include "tail.h"

#include "core.h"
#include "run.h"

static struct core core;
static struct tail *tail;

static void
setup(void)
{
    core_open(&core);
    tail = &core.rooms.tail;
}

static void
teardown(void)
{
    core_close(&core);
}

static void
append(uint64_t id)
{
    struct draft draft = {.id = id};

    ck_assert_int_eq(core_append(&core, "a-1", MSG_EXPECT_ANY, &draft, 1),
                     ACTA_OK);
}

START_TEST(a_pinned_view_stays_while_the_tail_moves_on)
{
    struct tail_view view;

    append(1);
    tail_pin(tail, &view);
    append(2);
    core_checkpoint(&core);
    append(3);
    ck_assert_uint_eq(view.count, 1);
    ck_assert_uint_eq(view.head, 1);
    ck_assert_uint_eq(memtable_first_position(view.tables[0]), 1);
    ck_assert_uint_gt(memtable_record(view.tables[0], 2).size, 0);
    tail_unpin(&view);
    ck_assert_uint_eq(view.count, 0);
}
END_TEST

START_TEST(a_view_has_the_sealed_memtable_first)
{
    struct tail_view view;

    append(1);
    core_seal(&core);
    append(2);
    tail_pin(tail, &view);
    ck_assert_uint_eq(view.count, 2);
    ck_assert_uint_eq(memtable_first_position(view.tables[0]), 1);
    ck_assert_uint_eq(memtable_first_position(view.tables[1]), 2);
    ck_assert_uint_eq(view.head, 2);
    tail_unpin(&view);
}
END_TEST

START_TEST(a_sealed_memtable_comes_with_the_sequence_it_was_sealed_at)
{
    struct memtable *sealed;
    uint64_t sequence;

    ck_assert_ptr_null(tail_sealed(tail, &sequence));
    append(1);
    append(2);
    core_seal(&core);
    append(3);
    ck_assert(tail_is_sealed(tail));
    sealed = tail_sealed(tail, &sequence);
    ck_assert_uint_eq(sequence, 2);
    ck_assert_uint_eq(memtable_count(sealed), 2);
    tail_drop_sealed(tail);
    ck_assert(!tail_is_sealed(tail));
    ck_assert_uint_eq(memtable_count(sealed), 2); /* It is still held here. */
    memtable_unref(sealed);
}
END_TEST

START_TEST(the_store_has_all_when_what_was_durable_is_dropped)
{
    ck_assert(tail_is_stored(tail));
    tail_publish(tail, 0, 7);
    ck_assert(!tail_is_stored(tail));
    ck_assert_int_eq(tail_seal(tail, 8, 0, NULL), ACTA_OK); /* 8 was a mark. */
    ck_assert(!tail_is_stored(tail));
    tail_drop_sealed(tail);
    ck_assert(tail_is_stored(tail));
    tail_publish(tail, 0, 9);
    ck_assert(!tail_is_stored(tail));
}
END_TEST

START_TEST(waiting_ends_at_once_if_nothing_is_sealed_and_in_time_if_it_is)
{
    tail_wait_dropped(tail, 600000);
    core_seal(&core);
    tail_wait_dropped(tail, 1);
    ck_assert(tail_is_sealed(tail));
}
END_TEST

static void *
drop(void *arg)
{
    tail_drop_sealed(arg);
    return NULL;
}

START_TEST(waiting_ends_when_another_thread_drops_what_is_sealed)
{
    pthread_t thread;

    core_seal(&core);
    ck_assert_int_eq(pthread_create(&thread, NULL, drop, tail), 0);
    tail_wait_dropped(tail, 600000);
    ck_assert(!tail_is_sealed(tail));
    pthread_join(thread, NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("tail");
    TCase *tcase = tcase_create("tail");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_pinned_view_stays_while_the_tail_moves_on);
    tcase_add_test(tcase, a_view_has_the_sealed_memtable_first);
    tcase_add_test(tcase,
                   a_sealed_memtable_comes_with_the_sequence_it_was_sealed_at);
    tcase_add_test(tcase, the_store_has_all_when_what_was_durable_is_dropped);
    tcase_add_test(
        tcase, waiting_ends_at_once_if_nothing_is_sealed_and_in_time_if_it_is);
    tcase_add_test(tcase,
                   waiting_ends_when_another_thread_drops_what_is_sealed);
    return run_suite(suite);
}
