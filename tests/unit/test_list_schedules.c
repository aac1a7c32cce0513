/* Schedules as they are listed: two rows each, looked at by a reader. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_rows.h"
#include "pack.h"
#include "run.h"
#include "schedule.h"

static struct core core;
static struct reader *reader;

static void
setup(void)
{
    core_open(&core);
    reader = core_reader(&core);
}

static void
teardown(void)
{
    reader_close(reader);
    core_close(&core);
}

static void
schedule(const char *name, uint64_t due_us, const char *text,
         const struct draft_write *writes, size_t count)
{
    struct schedule in = {due_us, 7, 9, text[0] != '\0', slice_of(text)};
    struct pack_reader body;
    struct row rows[2] = {{.kind = ROW_SCHEDULE, .key = slice_of(name)},
                          {.kind = ROW_SCHEDULED, .key = slice_of(name)}};
    struct buf value, frame;
    const uint8_t *at;

    buf_init(&value, 1 << 16);
    buf_init(&frame, 1 << 16);
    schedule_encode(&value, &in);
    rows[0].value = buf_slice(&value);
    pack_reader_init(&body, draft_body(&frame, writes, count), NULL);
    pack_get_array(&body, "append");
    at = body.at;
    pack_skip(&body);
    rows[1].value = pack_since(&body, at);
    core_set_rows(&core, rows, 2);
    buf_fini(&value);
    buf_fini(&frame);
}

struct listed {
    size_t count;
    struct msg_scheduled scheduled[8];
    char texts[8][4][32]; /* Name, text, stream, type. */
};

static void
keep(char to[static 32], struct slice text)
{
    snprintf(to, 32, "%.*s", (int)text.size, (const char *)text.data);
}

static void
list_one(void *user, const struct msg_scheduled *scheduled)
{
    struct listed *listed = user;
    char(*texts)[32] = listed->texts[listed->count];

    ck_assert_uint_lt(listed->count, 8);
    keep(texts[0], scheduled->name);
    keep(texts[1], scheduled->text);
    keep(texts[2], scheduled->stream);
    keep(texts[3], scheduled->type);
    listed->scheduled[listed->count++] = *scheduled;
}

START_TEST(schedules_are_listed_with_what_they_will_append)
{
    static const struct draft drafts[] = {
        {.id = 1, .type = "Reminded", .tags = {"red", "big"}},
        {.id = 2, .type = "Told"},
        {.id = 3, .type = "Closed"},
    };
    static const struct draft_write writes[] = {{"a-1", 4, drafts, 2},
                                                {"b-1", -1, drafts + 2, 1}};
    struct listed listed = {0};
    bool at_end;

    schedule("remind-2", 50, "", writes, 1);
    schedule("remind-1", 60, "CONFLICT: a-1", writes, 2);
    core_checkpoint(&core);
    schedule("close-1", 40, "", writes + 1, 1);
    ck_assert_int_eq(reader_list_schedules(reader, SLICE_NONE, SLICE_NONE, 8,
                                           list_one, &listed, &at_end, NULL),
                     ACTA_OK);
    ck_assert(at_end);
    ck_assert_uint_eq(listed.count, 3);
    ck_assert_str_eq(listed.texts[0][0], "close-1");
    ck_assert_str_eq(listed.texts[0][2], "b-1");
    ck_assert_str_eq(listed.texts[0][3], "Closed");
    ck_assert_uint_eq(listed.scheduled[0].events_count, 1);
    ck_assert_uint_eq(listed.scheduled[0].due_us, 40);
    ck_assert_uint_eq(listed.scheduled[0].created_us, 9);
    ck_assert_int_eq(listed.scheduled[0].state, MSG_SCHEDULE_WAITS);
    ck_assert_str_eq(listed.texts[1][0], "remind-1");
    ck_assert_str_eq(listed.texts[1][1], "CONFLICT: a-1");
    ck_assert_str_eq(listed.texts[1][2], "a-1");
    ck_assert_str_eq(listed.texts[1][3], "Reminded");
    ck_assert_uint_eq(listed.scheduled[1].events_count, 3);
    ck_assert_int_eq(listed.scheduled[1].state, MSG_SCHEDULE_FAILED);
    ck_assert_str_eq(listed.texts[2][0], "remind-2");
    ck_assert_uint_eq(listed.scheduled[2].events_count, 2);

    listed.count = 0;
    ck_assert_int_eq(reader_list_schedules(reader, slice_of("remind-"),
                                           slice_of("remind-1"), 1, list_one,
                                           &listed, &at_end, NULL),
                     ACTA_OK);
    ck_assert(at_end);
    ck_assert_uint_eq(listed.count, 1);
    ck_assert_str_eq(listed.texts[0][0], "remind-2");
}
END_TEST

START_TEST(a_schedule_whose_rows_make_no_sense_is_named)
{
    static const struct draft draft = {.id = 1, .type = "Reminded"};
    static const struct draft_write write = {"a-1", 4, &draft, 1};
    static const char *const writes[] = {"", "no array", "\x91\x93\xa3"};
    struct listed listed = {0};
    struct acta_err err;
    bool at_end;

    schedule("remind-1", 50, "", &write, 1);
    if (_i < 3) {
        core_set_row(&core, ROW_SCHEDULED, "remind-1", slice_of(writes[_i]));
    } else {
        core_set_row(&core, ROW_SCHEDULE, "remind-1", slice_of("no array"));
    }
    ck_assert_int_eq(reader_list_schedules(reader, SLICE_NONE, SLICE_NONE, 8,
                                           list_one, &listed, &at_end, &err),
                     ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "remind-1"));
    ck_assert_uint_eq(listed.count, 0);

    schedule("close-1", 40, "", &write, 1); /* In front of it. */
    ck_assert_int_eq(reader_list_schedules(reader, SLICE_NONE, SLICE_NONE, 8,
                                           list_one, &listed, &at_end, &err),
                     ACTA_OK);
    ck_assert(!at_end);
    ck_assert_uint_eq(listed.count, 1);
    ck_assert_str_eq(listed.texts[0][0], "close-1");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("list_schedules");
    TCase *tcase = tcase_create("list_schedules");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, schedules_are_listed_with_what_they_will_append);
    tcase_add_loop_test(tcase, a_schedule_whose_rows_make_no_sense_is_named, 0,
                        4);
    return run_suite(suite);
}
