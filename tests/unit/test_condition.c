#include "condition.h"

#include <string.h>

#include "core.h"
#include "diary.h"
#include "run.h"
#include "writer_inside.h"

#define ANY    MSG_EXPECT_ANY
#define PLENTY ((size_t)1 << 20) /* Steps. */

/* ---- the first match, in whatever room it is ---- */

#define TRUNCATIONS_MAX 4

/* What streams of the diary hide. */
static struct {
    struct slice stream;
    uint64_t before;
} truncations[TRUNCATIONS_MAX];
static size_t truncations_count;

#define EVENTS 6000

static struct diary diary;
static uint64_t versions[EVENTS + 1]; /* Of its events, by position. */

static void
count_versions(void)
{
    for (uint64_t p = 1; p <= diary.count; p++) {
        uint64_t before = p - 1;

        while (before > 0 && !slice_equal(diary.events[before].stream,
                                          diary.events[p].stream)) {
            before--;
        }
        versions[p] = 1 + (before > 0 ? versions[before] : 0);
    }
}

/* Events in the store, in the sealed memtable and in the active one. */
static void
setup_diary(void)
{
    truncations_count = 0;
    diary_open(&diary);
    diary_add(&diary, 4000);
    diary_store(&diary);
    diary_add(&diary, 1000);
    core_seal(&diary.core);
    diary_add(&diary, 1000);
    ck_assert_uint_eq(diary.count, EVENTS);
    count_versions();
}

static void
teardown_diary(void)
{
    diary_close(&diary);
}

/* Hide the events of some stream up to some version. */
static void
hide_some(void)
{
    while (truncations_count < TRUNCATIONS_MAX) {
        uint64_t position = 1 + rnd_below(&diary.rnd, diary.count);
        uint64_t before = versions[position] + 1;
        struct msg_change change = {
            .stream = diary.events[position].stream,
            .expected = ANY,
            .kind = MSG_SET,
            .settings = {.truncate_before = before},
            .given = MSG_HAS_TRUNCATE_BEFORE,
        };

        if (core_change(&diary.core, &change) == ACTA_OK) {
            truncations[truncations_count].stream = change.stream;
            truncations[truncations_count].before = before;
            truncations_count++;
        }
    }
}

static bool
is_hidden(uint64_t position)
{
    for (size_t i = 0; i < truncations_count; i++) {
        if (slice_equal(truncations[i].stream, diary.events[position].stream) &&
            versions[position] < truncations[i].before) {
            return true;
        }
    }
    return false;
}

/* What condition_find() must come to. */
static uint64_t
first_match(const struct query *query, uint64_t after)
{
    for (uint64_t p = after + 1; p <= diary.count; p++) {
        if (query_matches(query, &diary.events[p]) && !is_hidden(p)) {
            return p;
        }
    }
    return 0;
}

static struct match
find(struct core *core, struct search *search, const struct query *query,
     uint64_t after, size_t *steps)
{
    struct match match;
    struct acta_err err;

    heads_begin(&core->heads, core->sequence + 1, core->time_us);
    ck_assert_msg(condition_find(&core->heads, search, query, after, steps,
                                 &match, &err) == ACTA_OK,
                  "%s", err.text);
    heads_end(&core->heads);
    return match;
}

/* With few steps a search gives up, having told the truth up to there, and one
 * that begins there comes to the same end. More steps each time, since a look
 * at the lists alone may take those that there are.
 */
static void
find_in_pieces(struct search *search, const struct query *query, uint64_t after,
               uint64_t expected)
{
    uint64_t end = expected == 0 ? diary.count : expected - 1;
    struct match match = {false, after};
    size_t given = 1;

    while (!match.is_decided) {
        size_t steps = given;
        uint64_t from = match.position;

        ck_assert_uint_le(given, PLENTY);
        given *= 2;
        match = find(&diary.core, search, query, from, &steps);
        if (!match.is_decided) {
            ck_assert_uint_ge(match.position, from);
            ck_assert_uint_le(match.position, end);
        }
    }
    ck_assert_uint_eq(match.position, expected);
}

static void
compare(struct search *search, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        struct query query = diary_query(&diary);
        uint64_t after = rnd_below(&diary.rnd, diary.count + 2);
        uint64_t expected = first_match(&query, after);
        size_t steps = PLENTY;
        struct match match = find(&diary.core, search, &query, after, &steps);

        ck_assert(match.is_decided);
        ck_assert_uint_eq(match.position, expected);
        find_in_pieces(search, &query, after, expected);
        query_fini(&query);
    }
}

START_TEST(the_first_match_is_found_in_every_room_and_hidden_ones_are_not)
{
    unsigned times = rnd_effort(200, 5000);
    struct search *search = search_new();

    ck_assert_ptr_nonnull(search);
    compare(search, times);
    hide_some();
    compare(search, times);
    core_store(&diary.core);
    compare(search, times);
    core_checkpoint(&diary.core);
    compare(search, times);
    search_free(search);
}
END_TEST

START_TEST(a_query_for_all_matches_the_first_event_that_is_not_hidden)
{
    struct search *search = search_new();
    struct query all = QUERY_ALL;

    hide_some();
    for (uint64_t after = 0; after <= diary.count + 1; after += 97) {
        size_t steps = PLENTY;
        struct match match = find(&diary.core, search, &all, after, &steps);

        ck_assert(match.is_decided);
        ck_assert_uint_eq(match.position, first_match(&all, after));
    }
    search_free(search);
}
END_TEST

START_TEST(far_behind_the_head_nothing_matches_and_nothing_is_looked_at)
{
    static const uint64_t far[] = {1u << 30, INT64_MAX, UINT64_MAX - 1,
                                   UINT64_MAX};
    struct query query = core_query("a", NULL, NULL, NULL, NULL);
    struct search *search = search_new();

    for (size_t i = 0; i < 4; i++) {
        size_t steps = 1;
        struct match match = find(&diary.core, search, &query, far[i], &steps);

        ck_assert(match.is_decided);
        ck_assert_uint_eq(match.position, 0);
        ck_assert_uint_eq(steps, 1);
    }
    query_fini(&query);
    search_free(search);
}
END_TEST

/* However few events there are to look at. */
START_TEST(opening_the_lists_of_a_query_takes_steps)
{
    struct query query = core_query("x y z", "X Y", NULL, "x-1 x-2", NULL);
    struct search *search = search_new();
    size_t steps = PLENTY;
    struct match match = find(&diary.core, search, &query, 0, &steps);

    ck_assert(match.is_decided);
    ck_assert_uint_eq(match.position, 0);
    ck_assert_uint_le(steps, PLENTY - 3 * 7); /* In each of three rooms. */
    steps = 1; /* What the heads of lists tell is told with any. */
    match = find(&diary.core, search, &query, 0, &steps);
    ck_assert(match.is_decided);
    ck_assert_uint_eq(steps, 0);
    query_fini(&query);
    search_free(search);
}
END_TEST

/* ---- appends with conditions ---- */

static struct core core;
static struct job *last;

static void
setup(void)
{
    core_open(&core);
    last = NULL;
}

static void
teardown(void)
{
    job_free(last);
    core_close(&core);
}

static void
append(const char *stream, uint64_t id, const char *tag)
{
    struct draft draft = {.id = id, .tags = {tag}};

    ck_assert_int_eq(core_append(&core, stream, ANY, &draft, 1), ACTA_OK);
}

/* An append to "z-1" with conditions on tags. */
static struct job *
draft_if_none(uint64_t id, const char *const *tags, const uint64_t *afters,
              size_t count)
{
    struct draft draft = {.id = id, .tags = {tags[0]}};
    struct draft_write write = {"z-1", ANY, &draft, 1};
    struct msg_condition conditions[4];
    struct msg_append_more more = {.conditions = conditions,
                                   .conditions_count = count};
    struct job *job;

    ck_assert_uint_le(count, 4);
    for (size_t i = 0; i < count; i++) {
        conditions[i].query = core_query(NULL, NULL, tags[i], NULL, NULL);
        conditions[i].after = afters[i];
    }
    job = draft_append_with(&write, 1, &more);
    for (size_t i = 0; i < count; i++) {
        query_fini(&conditions[i].query);
    }
    return job;
}

static enum acta_code
append_if_none(uint64_t id, const char *tag, uint64_t after)
{
    job_free(last);
    last = draft_if_none(id, &tag, &after, 1);
    return core_decide(&core, last);
}

static void
assert_failed(size_t index, uint64_t condition, int64_t after,
              uint64_t position)
{
    const struct msg_failure *failure = &last->outcome.failures[index];

    ck_assert_uint_lt(index, last->outcome.failures_count);
    ck_assert_int_eq(failure->kind, MSG_FAILED_CONDITION);
    ck_assert_uint_eq(failure->index, condition);
    ck_assert_int_eq(failure->expected, after);
    ck_assert_uint_eq(failure->actual, position);
}

START_TEST(an_append_is_refused_if_an_event_behind_the_position_matches)
{
    append("a-1", 1, "red");
    append("a-2", 2, "blue");
    append("a-1", 3, "red");
    ck_assert_int_eq(append_if_none(10, "red", 2), ACTA_CONFLICT);
    ck_assert_uint_eq(last->outcome.failures_count, 1);
    assert_failed(0, 0, 2, 3);
    ck_assert_str_eq(last->outcome.text,
                     "condition 0: the event at position 3 matches, and is "
                     "behind 2");
    ck_assert_uint_eq(core_head(&core), 3);
    ck_assert_int_eq(append_if_none(10, "red", 0), ACTA_CONFLICT);
    assert_failed(0, 0, 0, 1);
    ck_assert_int_eq(append_if_none(10, "blue", 2), ACTA_OK);
    ck_assert_int_eq(append_if_none(11, "red", 3), ACTA_OK);
    ck_assert_int_eq(append_if_none(12, "green", 0), ACTA_OK);
}
END_TEST

START_TEST(an_append_does_not_match_its_own_condition)
{
    ck_assert_int_eq(append_if_none(1, "red", 0), ACTA_OK);
    ck_assert_int_eq(append_if_none(2, "red", 0), ACTA_CONFLICT);
    assert_failed(0, 0, 0, 1);
    /* Sent again it is a repeat, though its condition does not hold now. */
    ck_assert_int_eq(append_if_none(1, "red", 0), ACTA_OK);
    ck_assert(last->outcome.repeated);
}
END_TEST

/* Of two that were decided from the same state only one is taken, also if they
 * come in one batch, where neither is on disk.
 */
START_TEST(conditions_see_the_appends_before_them_in_the_batch)
{
    static const char *const tags[] = {"red"};
    static const uint64_t afters[] = {0};
    struct job *first = draft_if_none(1, tags, afters, 1);
    struct job *second = draft_if_none(2, tags, afters, 1);

    core_begin(&core);
    core_decide_next(&core, first);
    core_decide_next(&core, second);
    core_end(&core);
    ck_assert_int_eq(first->outcome.code, ACTA_OK);
    ck_assert_int_eq(second->outcome.code, ACTA_CONFLICT);
    job_free(first);
    job_free(second);
}
END_TEST

START_TEST(every_condition_that_fails_is_named)
{
    static const char *const tags[] = {"green", "red", "red", "blue"};
    static const uint64_t afters[] = {0, 0, 1, 1};

    append("a-1", 1, "red");
    append("a-2", 2, "blue");
    last = draft_if_none(10, tags, afters, 4);
    ck_assert_int_eq(core_decide(&core, last), ACTA_CONFLICT);
    ck_assert_uint_eq(last->outcome.failures_count, 2);
    assert_failed(0, 1, 0, 1);
    assert_failed(1, 3, 1, 2);
}
END_TEST

static void
change(const char *stream, enum msg_change_kind kind)
{
    struct msg_change change = {
        .stream = slice_of(stream), .expected = ANY, .kind = kind};

    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
}

START_TEST(events_of_a_deleted_stream_do_not_match_and_erased_ones_do)
{
    append("a-1", 1, "red");
    append("a-2", 2, "red");
    change("a-2", MSG_ERASE);
    ck_assert_int_eq(append_if_none(10, "red", 1), ACTA_CONFLICT);
    assert_failed(0, 0, 1, 2);
    change("a-2", MSG_DELETE);
    ck_assert_int_eq(append_if_none(10, "red", 1), ACTA_OK);
}
END_TEST

/* By the time of the commit: a second passes with each. */
START_TEST(events_that_are_too_old_do_not_match)
{
    struct msg_change change = {
        .stream = slice_of("a-1"),
        .expected = ANY,
        .kind = MSG_SET,
        .settings = {.max_age_us = 3000000},
        .given = MSG_HAS_MAX_AGE,
    };

    append("a-1", 1, "red");
    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
    ck_assert_int_eq(append_if_none(10, "red", 0), ACTA_CONFLICT);
    ck_assert_int_eq(append_if_none(10, "red", 0), ACTA_CONFLICT);
    ck_assert_int_eq(append_if_none(10, "red", 0), ACTA_OK);
}
END_TEST

/* ---- what takes long ---- */

#define FILLERS 5000

/* Events that all have two of three tags, and none all of them. */
static void
append_fillers(void)
{
    static const char *const tags[][2] = {
        {"red", "big"}, {"big", "old"}, {"old", "red"}};
    static struct draft drafts[FILLERS];

    for (size_t i = 0; i < FILLERS; i++) {
        drafts[i] = (struct draft){.id = i + 1,
                                   .tags = {tags[i % 3][0], tags[i % 3][1]}};
    }
    ck_assert_int_eq(core_append(&core, "a-1", ANY, drafts, FILLERS), ACTA_OK);
}

START_TEST(a_condition_that_takes_too_long_is_undecided_and_says_how_far_it_is)
{
    uint64_t after = 0;
    unsigned rounds = 0;
    enum acta_code code;

    append_fillers();
    while ((code = append_if_none(9999, "red big old", after)) ==
           ACTA_UNDECIDED) {
        ck_assert_uint_eq(last->outcome.failures_count, 1);
        ck_assert_uint_gt(last->outcome.failures[0].actual, after);
        assert_failed(0, 0, (int64_t)after, last->outcome.failures[0].actual);
        after = last->outcome.failures[0].actual;
        ck_assert_uint_le(after, FILLERS);
        ck_assert(decider_is_tired(core.decider));
        rounds++;
    }
    ck_assert_int_eq(code, ACTA_OK);
    ck_assert_uint_gt(rounds, 0);
    ck_assert(!decider_is_tired(core.decider));
}
END_TEST

START_TEST(a_condition_that_fails_for_sure_outweighs_one_that_is_undecided)
{
    static const char *const tags[] = {"red big old", "red"};
    static const uint64_t afters[] = {0, 0};

    append_fillers();
    last = draft_if_none(9999, tags, afters, 2);
    ck_assert_int_eq(core_decide(&core, last), ACTA_CONFLICT);
    ck_assert_uint_eq(last->outcome.failures_count, 1);
    assert_failed(0, 1, 0, 1);
}
END_TEST

#define CHECKS 1000

/* They have a limit, but a batch has many appends. */
START_TEST(many_checks_tire_as_conditions_do)
{
    struct draft draft = {.id = 1};
    struct draft_write write = {"z-1", ANY, &draft, 1};
    struct msg_check checks[CHECKS];
    struct msg_append_more more = {.checks = checks, .checks_count = CHECKS};

    for (size_t i = 0; i < CHECKS; i++) {
        checks[i] = (struct msg_check){slice_of("a-1"), 0};
    }
    core_begin(&core);
    while (draft.id < 100 && !decider_is_tired(core.decider)) {
        struct job *job = draft_append_with(&write, 1, &more);

        core_decide_next(&core, job);
        ck_assert_int_eq(job->outcome.code, ACTA_OK);
        job_free(job);
        draft.id++;
    }
    core_end(&core);
    ck_assert_uint_gt(draft.id, 2); /* One alone does not. */
    ck_assert(decider_is_tired(core.decider));
    core_begin(&core);
    ck_assert(!decider_is_tired(core.decider));
    core_end(&core);
}
END_TEST

/* A batch of changes that each look for the first event in time. */
START_TEST(changes_that_look_at_events_tire_too)
{
    struct msg_change change = {
        .stream = slice_of("a-1"),
        .expected = ANY,
        .kind = MSG_SET,
        .given = MSG_HAS_MAX_AGE,
    };
    uint64_t jobs = 0;

    append_fillers();
    core_begin(&core);
    while (jobs < 10000 && !decider_is_tired(core.decider)) {
        struct job *job;

        change.settings.max_age_us = UINT64_MAX - jobs++;
        job = draft_change(&change);
        core_decide_next(&core, job);
        ck_assert(job->outcome.changed.changed);
        job_free(job);
    }
    core_end(&core);
    ck_assert_uint_gt(jobs, 10);
    ck_assert(decider_is_tired(core.decider));
}
END_TEST

/* What is left of it needs room in the next commit, what was decided does not
 * any more.
 */
START_TEST(a_batch_that_is_cut_is_counted_once)
{
    enum { JOBS = 20 };
    struct draft draft = {.id = 1};
    struct draft_write write = {"z-1", ANY, &draft, 1};
    struct msg_check checks[CHECKS];
    struct msg_append_more more = {.checks = checks, .checks_count = CHECKS};
    struct writer writer = {.rooms = &core.rooms};
    struct job *jobs[JOBS];
    size_t decided = 0, size;

    for (size_t i = 0; i < CHECKS; i++) {
        checks[i] = (struct msg_check){slice_of("a-1"), 0};
    }
    for (size_t i = 0; i < JOBS; i++, draft.id++) {
        jobs[i] = draft_append_with(&write, 1, &more);
        batch_put_behind(&writer.left, jobs[i], jobs[i]);
        writer.left.events_count += jobs[i]->events_count;
        writer.left.records_size += jobs[i]->records_size;
    }
    size = jobs[0]->records_size;
    ck_assert_int_eq(heads_open(&writer.heads, &core.rooms, NULL), ACTA_OK);
    writer.decider = decider_new(&writer.heads);
    ck_assert_ptr_nonnull(writer.decider);
    commit_fill(&writer, true);
    for (struct job *job = writer.open.first; job != NULL; job = job->next) {
        decided++;
    }
    ck_assert_uint_gt(decided, 1);
    ck_assert_uint_lt(decided, JOBS);
    ck_assert_ptr_eq(writer.left.first, jobs[decided]);
    ck_assert_uint_eq(writer.open.events_count, decided);
    ck_assert_uint_eq(writer.open.records_size, decided * size);
    ck_assert_uint_eq(writer.left.events_count, JOBS - decided);
    ck_assert_uint_eq(writer.left.records_size, (JOBS - decided) * size);
    decider_free(writer.decider);
    heads_close(&writer.heads);
    for (size_t i = 0; i < JOBS; i++) {
        job_free(jobs[i]);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("condition");
    TCase *rooms = tcase_create("rooms");
    TCase *appends = tcase_create("appends");
    TCase *bounds = tcase_create("bounds");

    suite_add_tcase(suite, rooms);
    tcase_add_checked_fixture(rooms, setup_diary, teardown_diary);
    tcase_add_test(
        rooms, the_first_match_is_found_in_every_room_and_hidden_ones_are_not);
    tcase_add_test(rooms,
                   a_query_for_all_matches_the_first_event_that_is_not_hidden);
    tcase_add_test(
        rooms, far_behind_the_head_nothing_matches_and_nothing_is_looked_at);
    tcase_add_test(rooms, opening_the_lists_of_a_query_takes_steps);

    suite_add_tcase(suite, appends);
    tcase_add_checked_fixture(appends, setup, teardown);
    tcase_add_test(
        appends, an_append_is_refused_if_an_event_behind_the_position_matches);
    tcase_add_test(appends, an_append_does_not_match_its_own_condition);
    tcase_add_test(appends,
                   conditions_see_the_appends_before_them_in_the_batch);
    tcase_add_test(appends, every_condition_that_fails_is_named);
    tcase_add_test(appends,
                   events_of_a_deleted_stream_do_not_match_and_erased_ones_do);
    tcase_add_test(appends, events_that_are_too_old_do_not_match);

    suite_add_tcase(suite, bounds);
    tcase_add_checked_fixture(bounds, setup, teardown);
    tcase_add_test(
        bounds,
        a_condition_that_takes_too_long_is_undecided_and_says_how_far_it_is);
    tcase_add_test(
        bounds,
        a_condition_that_fails_for_sure_outweighs_one_that_is_undecided);
    tcase_add_test(bounds, many_checks_tire_as_conditions_do);
    tcase_add_test(bounds, changes_that_look_at_events_tire_too);
    tcase_add_test(bounds, a_batch_that_is_cut_is_counted_once);
    return run_suite(suite);
}
