/* What recovery makes of single entries; whole histories are in test_rows.c,
 * test_old.c and crash/.
 */

#include "recover.h"

#include <stdlib.h>

#include "core.h"
#include "journal.h"
#include "row.h"
#include "run.h"

static const struct database_options options = {.checkpoint_events = 100,
                                                .checkpoint_size = 1 << 20};

static struct core core;
static struct recovery *recovery;

static void
setup(void)
{
    core_open(&core);
}

static void
teardown(void)
{
    core_close(&core);
}

static void
begin(void)
{
    struct acta_err err;

    ck_assert_msg(recovery_begin(&recovery, &core.rooms, &options, &err) ==
                      ACTA_OK,
                  "%s", err.text);
}

START_TEST(an_entry_whose_events_make_no_sense_is_refused_with_its_rows)
{
    static const uint8_t zeros[64];
    struct row row = {
        .kind = ROW_LEASE, .key = slice_of("name"), .value = slice_of("value")};
    struct journal_entry entry = {.sequence = 1,
                                  .first_position = 1,
                                  .time_us = CORE_TIME_US,
                                  .block = slice_make(zeros, sizeof(zeros))};
    uint64_t sequence, last_time_us;
    struct buf rows;

    buf_init(&rows, 1000);
    rows_add(&rows, &row);
    rows_end(&rows);
    entry.rows = buf_slice(&rows);
    begin();
    ck_assert_int_eq(recovery_add(recovery, &entry, NULL), ACTA_CORRUPT);
    recovery_end(recovery, &sequence, &last_time_us);
    ck_assert_uint_eq(tail_head(&core.rooms.tail), 0);
    buf_fini(&rows);
}
END_TEST

START_TEST(without_entries_it_is_where_the_store_is)
{
    struct draft draft = {.id = 1};
    uint64_t sequence, last_time_us;

    ck_assert_int_eq(core_append(&core, "a-1", 0, &draft, 1), ACTA_OK);
    core_reopen(&core);
    begin();
    recovery_end(recovery, &sequence, &last_time_us);
    ck_assert_uint_eq(sequence, core.sequence);
    ck_assert_uint_eq(last_time_us, core.time_us);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("recover");
    TCase *tcase = tcase_create("recover");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(
        tcase, an_entry_whose_events_make_no_sense_is_refused_with_its_rows);
    tcase_add_test(tcase, without_entries_it_is_where_the_store_is);
    return run_suite(suite);
}
