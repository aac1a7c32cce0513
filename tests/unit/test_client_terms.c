/* The terms of an append as programs fill them in: checks, conditions, a
 * command id, and what a refusal shall bring along.
 */

#include "append.h"

#include <stdio.h>
#include <stdlib.h>

#include "limit.h"
#include "run.h"

static struct acta_append *append;
static struct acta_query *query;
static struct acta_err err;
static struct buf buf;
static struct msg_append seen;

/* One event is in it from the start: the terms are what is tested. */
static void
fill(void)
{
    struct acta_draft draft = acta_draft_of("T", "data", 4);

    acta_append_stream(append, "s-1", 0);
    acta_append_event(append, &draft);
}

static void
setup(void)
{
    append = acta_append_new();
    query = acta_query_new();
    err = (struct acta_err){ACTA_OK, ""};
    seen = (struct msg_append){0};
    buf_init(&buf, 2u * ACTA_FRAME_SIZE_MAX);
    fill();
}

static void
teardown(void)
{
    msg_append_fini(&seen);
    acta_query_free(query);
    acta_append_free(append);
    buf_fini(&buf);
}

/* Encode the append and decode it as the server does, to seen. */
static struct frame
send_it(void)
{
    struct frame frame;
    size_t used;

    ck_assert_msg(acta_append_check(append, &err) == ACTA_OK, "%s", err.text);
    buf_clear(&buf);
    append_encode(append, &buf, 9);
    ck_assert_int_eq(
        frame_decode(&frame, &used, buf_slice(&buf), ACTA_FRAME_SIZE_MAX, &err),
        ACTA_OK);
    ck_assert_uint_eq(used, buf_size(&buf));
    msg_append_fini(&seen);
    ck_assert_msg(msg_append_decode(&seen, frame.body, &err) == ACTA_OK, "%s",
                  err.text);
    return frame;
}

static void
assert_text(struct slice text, const char *expected)
{
    ck_assert_msg(slice_equal(text, slice_of(expected)), "%.*s, not %s",
                  (int)text.size, (const char *)text.data, expected);
}

START_TEST(checks_arrive_in_order_with_what_they_expect)
{
    char name[8];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "c-%d", i);
        acta_append_check_stream(append, name, i == 0 ? ACTA_EXPECT_EXISTS : i);
    }
    send_it();
    ck_assert_uint_eq(seen.more.checks_count, 100);
    ck_assert_int_eq(seen.more.checks[0].expected, MSG_EXPECT_EXISTS);
    for (int i = 1; i < 100; i++) {
        snprintf(name, sizeof(name), "c-%d", i);
        assert_text(seen.more.checks[i].stream, name);
        ck_assert_int_eq(seen.more.checks[i].expected, i);
    }
    ck_assert_uint_eq(seen.more.conditions_count, 0);
    ck_assert_ptr_null(seen.more.command_id);
    ck_assert_uint_eq(seen.more.unseen.events_max, 0);
}
END_TEST

START_TEST(conditions_arrive_with_their_queries_which_are_copied)
{
    const struct query *first;

    acta_query_type(query, "UserRegistered");
    acta_query_tag(query, "username:anna");
    acta_append_condition(append, query, 17);
    acta_query_free(query);
    query = NULL;
    acta_append_condition(append, NULL, UINT64_MAX);
    send_it();
    ck_assert_uint_eq(seen.more.conditions_count, 2);
    first = &seen.more.conditions[0].query;
    ck_assert_uint_eq(seen.more.conditions[0].after, 17);
    ck_assert_uint_eq(first->items_count, 1);
    assert_text(first->items[0].fields[QUERY_TYPES].texts[0], "UserRegistered");
    assert_text(first->items[0].fields[QUERY_TAGS].texts[0], "username:anna");
    /* Any event at all, after a position that is beyond every head. */
    ck_assert_uint_eq(seen.more.conditions[1].query.items_count, 0);
    ck_assert_uint_eq(seen.more.conditions[1].after, UINT64_MAX);
}
END_TEST

START_TEST(query_that_is_changed_after_it_was_given_is_given_as_it_was)
{
    acta_query_tag(query, "a");
    acta_append_condition(append, query, 0);
    acta_query_tag(query, "b");
    acta_append_condition(append, query, 0);
    send_it();
    for (size_t i = 0; i < 2; i++) {
        const struct query *sent = &seen.more.conditions[i].query;

        ck_assert_uint_eq(sent->items[0].fields[QUERY_TAGS].count, i + 1);
    }
}
END_TEST

START_TEST(command_id_and_unseen_arrive_without_checks_and_conditions)
{
    struct acta_id id = {{4, 2}};

    acta_append_command_id(append, &id);
    acta_append_unseen(append, 100, 65536);
    send_it();
    ck_assert_mem_eq(seen.more.command_id, id.bytes, sizeof(id.bytes));
    ck_assert_uint_eq(seen.more.unseen.events_max, 100);
    ck_assert_uint_eq(seen.more.unseen.bytes_max, 65536);
    ck_assert_uint_eq(seen.more.checks_count, 0);
    ck_assert_uint_eq(seen.more.conditions_count, 0);
    ck_assert(append_is_command(append));
}
END_TEST

/* A server that knows nothing of terms takes it. */
START_TEST(append_without_terms_has_no_field_for_them)
{
    struct frame frame = send_it();

    ck_assert_uint_eq(frame.body.data[0], 0x91);
    ck_assert(!append_is_command(append));
}
END_TEST

START_TEST(cleared_append_has_no_terms_left)
{
    struct acta_id id = {{1}};

    acta_append_check_stream(append, "c-1", 1);
    acta_append_condition(append, NULL, 0);
    acta_append_command_id(append, &id);
    acta_append_unseen(append, 1, 1);
    acta_append_clear(append);
    ck_assert_uint_eq(acta_append_size(append), 0);
    fill();
    ck_assert_uint_eq(send_it().body.data[0], 0x91);
    /* Nor is there room taken: as many as ever can be added. */
    for (int i = 0; i < ACTA_APPEND_CHECKS_MAX; i++) {
        acta_append_check_stream(append, "c-1", 1);
    }
    send_it();
    ck_assert_uint_eq(seen.more.checks_count, ACTA_APPEND_CHECKS_MAX);
}
END_TEST

START_TEST(size_of_an_append_counts_its_terms)
{
    size_t size;

    for (int i = 0; i < 500; i++) {
        acta_append_check_stream(append, "a-stream-with-a-name", 1000);
    }
    for (int i = 0; i < 100; i++) {
        acta_query_tag(query, "a-tag-with-a-name");
        acta_query_or(query);
    }
    acta_append_condition(append, query, 1000);
    send_it();
    size = buf_size(&buf);
    ck_assert_uint_gt(acta_append_size(append), size - size / 4);
    ck_assert_uint_lt(acta_append_size(append), size + size / 4);
}
END_TEST

/* ---- what is refused before it is sent ---- */

static void
check_without_name(void)
{
    acta_append_check_stream(append, "c-1", 1);
    acta_append_check_stream(append, NULL, 1);
}

static void
check_that_expects_nonsense(void)
{
    acta_append_check_stream(append, "c-1", -3);
}

static void
too_many_checks(void)
{
    for (int i = 0; i <= ACTA_APPEND_CHECKS_MAX; i++) {
        acta_append_check_stream(append, "c-1", 1);
    }
}

static void
condition_that_is_wrong(void)
{
    acta_append_condition(append, NULL, 1);
    acta_query_tag(query, "");
    acta_append_condition(append, query, 1);
}

static void
too_many_conditions(void)
{
    for (int i = 0; i <= ACTA_APPEND_CONDITIONS_MAX; i++) {
        acta_append_condition(append, NULL, 1);
    }
}

static const struct {
    void (*fill)(void);
    enum acta_code code;
    const char *text;
} refused[] = {
    {check_without_name, ACTA_INVALID, "check 1: stream"},
    {check_that_expects_nonsense, ACTA_INVALID,
     "check 0: expected version is -3"},
    {too_many_checks, ACTA_TOO_LARGE, "append has over 1000 checks"},
    {condition_that_is_wrong, ACTA_INVALID, "condition 1: "},
    {too_many_conditions, ACTA_TOO_LARGE, "append has over 32 conditions"},
};

START_TEST(wrong_term_says_where_it_is_wrong)
{
    refused[_i].fill();
    /* What comes after does not make it right. */
    acta_append_check_stream(append, "c-1", 1);
    acta_append_condition(append, NULL, 1);
    ck_assert_int_eq(acta_append_check(append, &err), refused[_i].code);
    ck_assert_msg(
        strncmp(err.text, refused[_i].text, strlen(refused[_i].text)) == 0,
        "%s", err.text);

    acta_append_clear(append);
    fill();
    ck_assert_int_eq(acta_append_check(append, &err), ACTA_OK);
}
END_TEST

START_TEST(terms_of_an_append_that_there_was_no_memory_for_do_nothing)
{
    struct acta_id id = {{1}};

    acta_append_check_stream(NULL, "c-1", 1);
    acta_append_condition(NULL, query, 1);
    acta_append_command_id(NULL, &id);
    acta_append_unseen(NULL, 1, 1);
    ck_assert_int_eq(acta_append_check(NULL, &err), ACTA_MEMORY);
}
END_TEST

/* ---- prefixes ---- */

START_TEST(prefixes_stand_beside_names_of_types_and_streams)
{
    const struct query_item *item;

    acta_query_type(query, "OrderPaid");
    acta_query_type_prefix(query, "Payment");
    acta_query_stream_prefix(query, "order-2026-");
    acta_query_stream_prefix(query, "order-2027-");
    acta_append_condition(append, query, 0);
    send_it();
    item = &seen.more.conditions[0].query.items[0];
    ck_assert_uint_eq(item->fields[QUERY_TYPES].count, 1);
    ck_assert_uint_eq(item->fields[QUERY_TYPES].prefixes_count, 1);
    assert_text(item->fields[QUERY_TYPES].texts[0], "OrderPaid");
    assert_text(item->fields[QUERY_TYPES].prefixes[0], "Payment");
    ck_assert_uint_eq(item->fields[QUERY_STREAMS].count, 0);
    ck_assert_uint_eq(item->fields[QUERY_STREAMS].prefixes_count, 2);
    assert_text(item->fields[QUERY_STREAMS].prefixes[0], "order-2026-");
    assert_text(item->fields[QUERY_STREAMS].prefixes[1], "order-2027-");
}
END_TEST

START_TEST(wrong_prefix_is_told_by_the_query)
{
    static char long_name[300];

    acta_query_type_prefix(query, "");
    ck_assert_int_eq(acta_query_check(query, &err), ACTA_INVALID);
    acta_query_free(query);

    memset(long_name, 'x', sizeof(long_name) - 1);
    query = acta_query_new();
    acta_query_stream_prefix(query, long_name);
    ck_assert_int_eq(acta_query_check(query, &err), ACTA_TOO_LARGE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("client terms");
    TCase *tcase = tcase_create("client terms");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, checks_arrive_in_order_with_what_they_expect);
    tcase_add_test(tcase,
                   conditions_arrive_with_their_queries_which_are_copied);
    tcase_add_test(tcase,
                   query_that_is_changed_after_it_was_given_is_given_as_it_was);
    tcase_add_test(tcase,
                   command_id_and_unseen_arrive_without_checks_and_conditions);
    tcase_add_test(tcase, append_without_terms_has_no_field_for_them);
    tcase_add_test(tcase, cleared_append_has_no_terms_left);
    tcase_add_test(tcase, size_of_an_append_counts_its_terms);
    tcase_add_loop_test(tcase, wrong_term_says_where_it_is_wrong, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tcase,
                   terms_of_an_append_that_there_was_no_memory_for_do_nothing);
    tcase_add_test(tcase, prefixes_stand_beside_names_of_types_and_streams);
    tcase_add_test(tcase, wrong_prefix_is_told_by_the_query);
    return run_suite(suite);
}
