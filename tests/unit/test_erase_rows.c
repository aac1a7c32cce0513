/* What was in erased events and stands in rows as well: in snapshots, and in
 * the writes of schedules. Looked for in every file.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "erase_fixture.h"
#include "reader.h"
#include "run.h"

#define STREAMS 60

/* From within a page of the store to many pages. */
static const size_t sizes[] = {40, 300, 1900, 3000, 5000, 8150, 20000};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static struct needle needle;

static const char *
stream_of(unsigned number, char text[static 32])
{
    snprintf(text, 32, "order-%u", number);
    return text;
}

static void
run(const struct draft_write *writes, size_t count,
    const struct msg_append_more *more)
{
    struct job *job = draft_append_with(writes, count, more);

    ck_assert_msg(base_decide(&base, job) == ACTA_OK, "%s", job->outcome.text);
    job_free(job);
}

/* Put a snapshot of the stream's version; the number of its needle. */
static unsigned
put(const char *stream, uint64_t version, size_t size)
{
    struct msg_snapshot snapshot = {.stream = slice_of(stream),
                                    .version = version};
    struct msg_append_more more = {.snapshots = &snapshot,
                                   .snapshots_count = 1};

    make_needle(&needle, size);
    snapshot.data = needle.data;
    run(NULL, 0, &more);
    return needle.number;
}

static bool
has_snapshot(const char *stream)
{
    struct reader *reader;
    struct buf copy;
    bool found;

    buf_init(&copy, SIZE_MAX);
    ck_assert_int_eq(reader_open(&reader, base.database, NULL), ACTA_OK);
    ck_assert_int_eq(reader_get_row(reader, ROW_SNAPSHOT, slice_of(stream),
                                    &copy, &found, NULL),
                     ACTA_OK);
    reader_close(reader);
    buf_fini(&copy);
    return found;
}

static void
assert_found(unsigned number, bool is_there)
{
    ck_assert_msg((count_needles(number) > 0) == is_there, "needle %u", number);
}

/* Streams with three events each and a snapshot of their second, many of which
 * share pages; they were put in the store now and then. Of every third stream
 * an event is erased that is in its snapshot, of others one that is not.
 */
START_TEST(a_snapshot_goes_with_an_event_that_it_has)
{
    unsigned snapshots[STREAMS], erased_events[STREAMS] = {0};
    char stream[32];

    if (_i == 1) {
        base.options.checkpoint_events = 7;
    }
    base_open(&base);
    for (unsigned i = 0; i < STREAMS; i++) {
        unsigned first = append(stream_of(i, stream), 50);
        unsigned second = append(stream, 50), third = append(stream, 50);

        snapshots[i] = put(stream, 2, sizes[i % SIZES]);
        erased_events[i] = i % 3 == 0 ? second : i % 3 == 1 ? third : 0;
        ck_assert_uint_lt(first, second);
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        stream_of(i, stream);
        ck_assert(has_snapshot(stream));
        assert_found(snapshots[i], true);
        if (erased_events[i] > 0) {
            erase(stream, i % 3 == 0 ? 2 : 3);
        }
        ck_assert_int_eq(has_snapshot(stream), i % 3 != 0); /* At once. */
    }
    await_erased();
    for (unsigned i = 0; i < STREAMS; i++) {
        assert_found(snapshots[i], i % 3 != 0);
        if (erased_events[i] > 0) {
            assert_found(erased_events[i], false);
        }
    }
    assert_seen(2 * STREAMS / 3, STREAMS + 2 * STREAMS - 2 * STREAMS / 3);
}
END_TEST

/* Snapshots that another took the place of, or that were removed before, or
 * with their stream, are found no more, either.
 */
START_TEST(snapshots_of_former_times_go_with_the_whole_stream)
{
    unsigned former[3][SIZES], current[SIZES], other;
    char stream[32];

    base.options.checkpoint_events = 5;
    base_open(&base);
    append("other-1", 50);
    other = put("other-1", 1, 300);
    for (unsigned i = 0; i < SIZES; i++) {
        stream_of(i, stream);
        for (unsigned round = 0; round < 3; round++) {
            append(stream, 50);
            former[round][i] = put(stream, round + 1, sizes[i]);
        }
        append(stream, 50);
        current[i] = put(stream, 4, sizes[SIZES - 1 - i]);
        if (i % 3 == 1) {
            struct msg_snapshot none = {.stream = slice_of(stream),
                                        .is_removed = true};
            struct msg_append_more more = {.snapshots = &none,
                                           .snapshots_count = 1};

            run(NULL, 0, &more);
        } else if (i % 3 == 2) {
            ck_assert_int_eq(change(stream, MSG_DELETE, 0), ACTA_OK);
        }
        ck_assert_int_eq(has_snapshot(stream), i % 3 == 0);
    }
    for (unsigned i = 0; i < SIZES; i++) {
        erase(stream_of(i, stream), 0);
    }
    await_erased();
    for (unsigned i = 0; i < SIZES; i++) {
        ck_assert(!has_snapshot(stream_of(i, stream)));
        assert_found(current[i], false);
        for (unsigned round = 0; round < 3; round++) {
            assert_found(former[round][i], false);
        }
    }
    assert_found(other, true);
    ck_assert(has_snapshot("other-1"));
}
END_TEST

/* The entry that removes it is in the journal and nowhere else when the process
 * ends; the snapshot is in the store, or in the journal as well.
 */
static void
put_and_erase(struct base *of)
{
    (void)of;
    append("order-1", 50);
    put("order-1", 1, 300);
    if (base.options.checkpoint_events == 1) {
        await(is_stored, 1);
    }
    erase("order-1", 1);
}

START_TEST(a_snapshot_that_went_with_its_event_stays_away_after_a_kill)
{
    base.options.sweep_interval_ms = UINT32_MAX;
    if (_i == 1) {
        base.options.checkpoint_events = 1;
    }
    ck_assert_int_eq(base_killed(&base, put_and_erase), EXIT_SUCCESS);
    base_open(&base);
    ck_assert(!has_snapshot("order-1"));
    await_erased();
    assert_found(1, false);
    assert_found(2, false);
    ck_assert(!has_snapshot("order-1"));
}
END_TEST

/* ---- schedules ---- */

/* The writes of an append, as a schedule has them, in @buf. */
static struct slice
writes_of(struct buf *buf, const struct draft_write *write)
{
    struct pack_reader reader;
    const uint8_t *from;

    pack_reader_init(&reader, draft_body(buf, write, 1), NULL);
    pack_get_array(&reader, "append");
    from = reader.at;
    pack_skip(&reader);
    return pack_since(&reader, from);
}

/* Schedule @draft for far too late; with NULL, move it to now. */
static void
schedule(unsigned number, const struct draft *draft)
{
    struct draft_write write = {"late-1", ANY, draft, 1};
    struct msg_schedule schedule = {.is_delay = true};
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1};
    struct buf buf;
    char name[32];

    snprintf(name, sizeof(name), "name-%u", number);
    schedule.name = slice_of(name);
    buf_init(&buf, 4 << 20);
    if (draft != NULL) {
        schedule.due_us = UINT64_C(3600000000);
        schedule.writes = writes_of(&buf, &write);
    }
    run(NULL, 0, &more);
    buf_fini(&buf);
}

static bool
has_late(uint64_t count)
{
    return base_version(&base, "late-1") >= count;
}

/* They are in the store as schedules, each of the odd ones takes place then,
 * the even ones still wait.
 */
START_TEST(what_was_scheduled_goes_with_its_event)
{
    unsigned numbers[2 * SIZES];
    unsigned stored = 0;

    base.options.checkpoint_events = 5;
    base_open(&base);
    for (unsigned i = 0; i < 2 * SIZES; i++) {
        struct draft draft = {.type = "late"};

        draft.id = numbers[i] = make_needle(&needle, sizes[i / 2]);
        draft.data = needle.data;
        schedule(i, &draft);
    }
    for (; stored < 20; stored++) {
        append("other-1", 50);
    }
    /* The last ones may be too few for a checkpoint. */
    await(is_stored, stored - base.options.checkpoint_events + 1);
    for (unsigned i = 1; i < 2 * SIZES; i += 2) {
        ck_assert_uint_gt(count_in_dir("store", numbers[i]), 0);
        schedule(i, NULL);
    }
    await(has_late, SIZES);
    erase("late-1", 0);
    await_erased();
    for (unsigned i = 0; i < 2 * SIZES; i++) {
        assert_found(numbers[i], i % 2 == 0);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("erase_rows");
    TCase *tcase = tcase_create("erase_rows");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_snapshot_goes_with_an_event_that_it_has, 0, 2);
    tcase_add_test(tcase, snapshots_of_former_times_go_with_the_whole_stream);
    tcase_add_loop_test(
        tcase, a_snapshot_that_went_with_its_event_stays_away_after_a_kill, 0,
        2);
    tcase_add_test(tcase, what_was_scheduled_goes_with_its_event);
    return run_suite(suite);
}
