/* What readers see of changes of a stream: all of a commit or nothing, whatever
 * the writer and the checkpoints do while they take their view.
 *
 * A reader pins the tail and then begins its view of the store. The linker
 * sends that second call through here, so that anything can happen in between.
 */

#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "reader.h"
#include "reader_view.h"
#include "rnd.h"
#include "run.h"

#define ANY         MSG_EXPECT_ANY
#define STREAM      "a-1"
#define COMMITS_MAX 8000
#define EVENTS_MAX  8000
#define PAGE_MAX    ((size_t)1 << 20)

/* What was there to see at a commit. */
struct state {
    uint64_t version; /* And head: there is one stream. */
    uint64_t truncate_before;
    uint64_t erased_to;
};

static struct core core;
static struct rnd rnd;
static struct reader *reader;
static struct state states[COMMITS_MAX]; /* By number of commits. */
static size_t commits;
static size_t erased_at[EVENTS_MAX]; /* By version: the commit; 0: not yet. */

/* ---- the linker's detour ---- */

static void (*in_between)(void);
static unsigned views; /* That were begun, */
static unsigned asked; /* and those of ask_up_to() alone. */

/* Names that the linker makes: see --wrap in ld(1). */
enum acta_code __real_store_view_begin(struct store_view *view,
                                       struct acta_err *err);
enum acta_code __wrap_store_view_begin(struct store_view *view,
                                       struct acta_err *err);

enum acta_code
__wrap_store_view_begin(struct store_view *view, struct acta_err *err)
{
    void (*now)(void) = in_between;

    in_between = NULL;
    views++;
    if (now != NULL) {
        now();
    }
    return __real_store_view_begin(view, err);
}

/* ---- a reader of rooms without a database ---- */

static void
setup(void)
{
    core_open(&core);
    reader = calloc(1, sizeof(*reader));
    reader->rooms = &core.rooms;
    reader->search = search_new();
    reader->sights = sights_new();
    reader->known = known_new();
    reader->shared = shared_page_new();
    ck_assert_int_eq(store_view_open(&reader->store, core.rooms.store, NULL),
                     ACTA_OK);
    memset(states, 0, sizeof(states));
    memset(erased_at, 0, sizeof(erased_at));
    commits = 0;
    views = 0;
    asked = 0;
    in_between = NULL;
}

static void
teardown(void)
{
    reader_close(reader);
    core_close(&core);
}

/* ---- what happens ---- */

static struct state *
next_state(void)
{
    ck_assert_uint_lt(commits + 1, COMMITS_MAX);
    states[commits + 1] = states[commits];
    return &states[++commits];
}

static void
append(void)
{
    struct draft draft = {.id = ++next_state()->version,
                          .data = slice_of("data")};

    ck_assert_uint_lt(draft.id, EVENTS_MAX);
    ck_assert_int_eq(core_append(&core, STREAM, ANY, &draft, 1), ACTA_OK);
}

static void
change(const struct msg_change *wanted)
{
    struct msg_change change = *wanted;

    change.stream = slice_of(STREAM);
    change.expected = ANY;
    ck_assert_int_eq(core_change(&core, &change), ACTA_OK);
}

static void
truncate_some(void)
{
    struct state *state = next_state();
    uint64_t before = state->truncate_before;

    before += rnd_below(&rnd, state->version + 2 - before);
    state->truncate_before = before;
    change(&(struct msg_change){.kind = MSG_SET,
                                .settings = {.truncate_before = before},
                                .given = MSG_HAS_TRUNCATE_BEFORE});
}

static void
erase_one(void)
{
    struct state *state = next_state();
    uint64_t version = 1 + rnd_below(&rnd, state->version);

    if (erased_at[version] == 0) {
        erased_at[version] = commits;
    }
    change(&(struct msg_change){.kind = MSG_ERASE, .version = version});
}

static void
erase_all(void)
{
    struct state *state = next_state();

    state->erased_to = state->version;
    change(&(struct msg_change){.kind = MSG_ERASE});
}

/* The next step of a checkpoint. */
static void
move_on(void)
{
    if (tail_is_sealed(&core.rooms.tail)) {
        core_store(&core);
    } else {
        core_seal(&core);
    }
}

/* One thing that the writer or the checkpoint does. */
static void
do_something(void)
{
    switch (rnd_below(&rnd, states[commits].version == 0 ? 4 : 9)) {
    case 0:
    case 1:
        append();
        break;
    case 2:
    case 3:
    case 4:
        move_on();
        break;
    case 5:
        erase_one();
        break;
    case 6:
        if (rnd_once_in(&rnd, 4)) {
            erase_all();
        }
        break;
    default:
        truncate_some();
        break;
    }
}

static void
do_some(void)
{
    for (uint64_t n = rnd_below(&rnd, 12); n > 0; n--) {
        do_something();
    }
}

/* ---- what is seen ---- */

static bool
is_erased_in(size_t commit, uint64_t version)
{
    return version <= states[commit].erased_to ||
           (erased_at[version] != 0 && erased_at[version] <= commit);
}

/* What one call has shown. */
struct page_seen {
    struct read_result result;
    uint64_t first; /* Versions. */
    uint64_t last;
    bool erased[EVENTS_MAX];
};

static bool
is_state(const struct page_seen *seen, size_t commit)
{
    const struct state *state = &states[commit];
    uint64_t first = state->truncate_before > 1 ? state->truncate_before : 1;

    if (seen->result.head != state->version ||
        seen->result.events_count != state->version + 1 - first) {
        return false;
    }
    for (uint64_t v = first; v <= state->version; v++) {
        if (seen->erased[v] != is_erased_in(commit, v)) {
            return false;
        }
    }
    return seen->result.events_count == 0 ||
           (seen->first == first && seen->last == state->version);
}

static void
take(struct page_seen *seen, struct slice events)
{
    struct event event;

    while (events.size > 0) {
        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        seen->first = seen->first == 0 ? event.version : seen->first;
        if (seen->last != 0) {
            ck_assert_uint_eq(event.version, seen->last + 1);
        }
        seen->last = event.version;
        seen->erased[event.version] = event.format == EVENT_ERASED;
        ck_assert(slice_equal(event.data, seen->erased[event.version]
                                              ? SLICE_NONE
                                              : slice_of("data")));
    }
}

/* Read it all, by position or by version, while @meanwhile happens. */
static void
read_page(struct page_seen *seen, bool of_stream, void (*meanwhile)(void))
{
    struct read_bounds bounds = {.events_max = EVENTS_MAX,
                                 .bytes_max = PAGE_MAX};
    struct query all = QUERY_ALL;
    struct acta_err err;
    enum acta_code code;
    struct buf out;

    *seen = (struct page_seen){.first = 0};
    buf_init(&out, 2 * PAGE_MAX);
    in_between = meanwhile;
    code = of_stream ? reader_read_stream(reader, slice_of(STREAM), 0, false,
                                          &bounds, &out, &seen->result, &err)
                     : reader_read_all(reader, &all, 0, false, &bounds, &out,
                                       &seen->result, &err);
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
    ck_assert(seen->result.at_end);
    take(seen, buf_slice(&out));
    buf_fini(&out);
}

START_TEST(a_page_is_what_was_there_at_one_commit)
{
    unsigned times = rnd_effort(150, 300);

    rnd_init(&rnd);
    for (unsigned i = 0; i < times; i++) {
        struct page_seen seen;
        size_t before, found;

        do_some();
        before = commits;
        read_page(&seen, rnd_once_in(&rnd, 2), do_some);
        found = before;
        while (found <= commits && !is_state(&seen, found)) {
            found++;
        }
        ck_assert_msg(found <= commits, "round %u: a state that never was", i);
    }
}
END_TEST

/* Everything, so often that the page is kept if it may be. */
static void
assert_all_see_what_is_there(void)
{
    views = 0;
    for (int i = 0; i < 4; i++) {
        struct page_seen seen;

        read_page(&seen, false, NULL);
        ck_assert(is_state(&seen, commits));
    }
}

START_TEST(a_page_that_many_ask_for_is_read_twice)
{
    append();
    append();
    assert_all_see_what_is_there();
    ck_assert_uint_eq(views, 2);
    append();
    assert_all_see_what_is_there();
    ck_assert_uint_eq(views, 2);
}
END_TEST

START_TEST(a_page_that_many_ask_for_is_what_is_there_now)
{
    static void (*const changes[])(void) = {append, erase_one, erase_all,
                                            truncate_some, move_on};

    rnd_init(&rnd);
    append();
    append();
    append();
    assert_all_see_what_is_there();
    changes[_i]();
    assert_all_see_what_is_there();
    for (unsigned i = rnd_effort(50, 100); i > 0; i--) {
        do_some();
        assert_all_see_what_is_there();
    }
}
END_TEST

/* Ask for what is up to @last, as one of many; returns how many events that is.
 * The views that this takes are counted in asked.
 */
static size_t
ask_up_to(uint64_t last)
{
    struct read_bounds bounds = {
        .events_max = EVENTS_MAX, .bytes_max = PAGE_MAX, .last = last};
    struct query all = QUERY_ALL;
    struct read_result result;
    struct buf out;

    views = asked;
    buf_init(&out, 2 * PAGE_MAX);
    ck_assert_int_eq(
        reader_read_all(reader, &all, 0, false, &bounds, &out, &result, NULL),
        ACTA_OK);
    buf_fini(&out);
    asked = views;
    ck_assert(result.at_end);
    ck_assert_uint_eq(result.next, last);
    ck_assert_uint_eq(result.head, states[commits].version);
    return result.events_count;
}

START_TEST(a_page_with_an_end_is_kept_while_more_is_appended)
{
    append();
    append();
    append();
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(ask_up_to(2), 2);
        append();
    }
    ck_assert_uint_eq(asked, 2);
    ck_assert_uint_eq(ask_up_to(3), 3);
    ck_assert_uint_eq(asked, 3);
}
END_TEST

START_TEST(a_page_with_an_end_is_read_again_when_its_stream_has_changed)
{
    struct msg_change wanted = {.kind = MSG_DELETE};

    append();
    append();
    append();
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(ask_up_to(2), 2);
    }
    ck_assert_uint_eq(asked, 2);
    change(&wanted);
    ck_assert_uint_eq(ask_up_to(2), 0);
    ck_assert_uint_eq(asked, 3);
}
END_TEST

/* How many events there are for a question. */
static size_t
ask(const struct query *query, uint64_t from, size_t events_max,
    uint64_t bytes_max)
{
    struct read_bounds bounds = {.events_max = events_max,
                                 .bytes_max = bytes_max};
    struct read_result result;
    struct buf out;

    buf_init(&out, 2 * PAGE_MAX);
    ck_assert_int_eq(reader_read_all(reader, query, from, false, &bounds, &out,
                                     &result, NULL),
                     ACTA_OK);
    buf_fini(&out);
    return result.events_count;
}

START_TEST(a_page_that_is_kept_answers_no_other_question)
{
    struct query all = QUERY_ALL;
    struct query none = core_query("b", NULL, NULL, NULL, NULL);

    append();
    append();
    append();
    assert_all_see_what_is_there();
    ck_assert_uint_eq(ask(&all, 0, EVENTS_MAX, PAGE_MAX), 3);
    ck_assert_uint_eq(views, 2);
    ck_assert_uint_eq(ask(&all, 1, EVENTS_MAX, PAGE_MAX), 2);
    assert_all_see_what_is_there();
    ck_assert_uint_eq(ask(&all, 0, 2, PAGE_MAX), 2);
    assert_all_see_what_is_there();
    ck_assert_uint_eq(ask(&all, 0, EVENTS_MAX, 1), 1);
    assert_all_see_what_is_there();
    ck_assert_uint_eq(ask(&none, 0, EVENTS_MAX, PAGE_MAX), 0);
    query_fini(&none);
}
END_TEST

START_TEST(a_description_is_what_was_there_at_one_commit)
{
    unsigned times = rnd_effort(150, 300);

    rnd_init(&rnd);
    append();
    for (unsigned i = 0; i < times; i++) {
        struct msg_description seen;
        struct acta_err err;
        size_t found;

        do_some();
        found = commits;
        in_between = do_some;
        ck_assert_int_eq(
            reader_describe_stream(reader, slice_of(STREAM), &seen, &err),
            ACTA_OK);
        while (found <= commits &&
               (seen.stream.version != states[found].version ||
                seen.stream.settings.truncate_before !=
                    states[found].truncate_before)) {
            found++;
        }
        ck_assert_msg(found <= commits, "round %u: a state that never was", i);
        if (seen.stream.settings.truncate_before > 1) {
            ck_assert_uint_eq(seen.first_version,
                              seen.stream.settings.truncate_before);
        }
    }
}
END_TEST

/* The writer is in the middle of a batch: it has decided, in memory that the
 * reader looks at, and nothing is on disk yet.
 */
START_TEST(what_is_decided_and_not_published_is_not_seen)
{
    struct msg_change wanted = {
        .stream = slice_of(STREAM), .expected = ANY, .kind = MSG_DELETE};
    struct job *delete = draft_change(&wanted);
    struct job *erase;
    struct msg_description seen;
    struct page_seen page;
    struct acta_err err;

    wanted.kind = MSG_ERASE;
    erase = draft_change(&wanted);
    append();
    append();
    core_begin(&core);
    core_decide_next(&core, erase);
    core_decide_next(&core, delete);
    heads_end(&core.heads);
    ck_assert(delete->outcome.changed.changed);
    ck_assert_int_eq(
        reader_describe_stream(reader, slice_of(STREAM), &seen, &err), ACTA_OK);
    ck_assert_int_eq(seen.stream.state, MSG_STREAM_LIVE);
    read_page(&page, true, NULL);
    ck_assert(is_state(&page, commits));

    tail_publish(&core.rooms.tail, core_head(&core), core.sequence);
    ck_assert_int_eq(
        reader_describe_stream(reader, slice_of(STREAM), &seen, &err), ACTA_OK);
    ck_assert_int_eq(seen.stream.state, MSG_STREAM_DELETED);
    job_free(delete);
    job_free(erase);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sight");
    TCase *tcase = tcase_create("sight");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_page_is_what_was_there_at_one_commit);
    tcase_add_test(tcase, a_page_that_many_ask_for_is_read_twice);
    tcase_add_loop_test(tcase, a_page_that_many_ask_for_is_what_is_there_now, 0,
                        5);
    tcase_add_test(tcase, a_page_with_an_end_is_kept_while_more_is_appended);
    tcase_add_test(
        tcase, a_page_with_an_end_is_read_again_when_its_stream_has_changed);
    tcase_add_test(tcase, a_page_that_is_kept_answers_no_other_question);
    tcase_add_test(tcase, a_description_is_what_was_there_at_one_commit);
    tcase_add_test(tcase, what_is_decided_and_not_published_is_not_seen);
    return run_suite(suite);
}
