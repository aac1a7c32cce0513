/* What proto/PROTOCOL.md says of decisions, done: each case of its tables on a
 * stream of its own, wherever its state may be kept. The model is asked too.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "db.h"
#include "decision_table.h"
#include "event.h"
#include "fake_clock.h"
#include "frame.h"
#include "model.h"
#include "msg.h"
#include "run.h"

#define NOW_US            1700000000000000u
#define STORED            3    /* Events of a stream that is not absent. */
#define CHECKPOINT_EVENTS 2000 /* More than all streams here have. */
#define EVENTS_MAX        CHECKPOINT_EVENTS
#define NOT_A_CASE        "—"

static const char *const expecteds[] = {"0", "version", "other", "any",
                                        "exists"};
static const char *const states[] = {"absent", "live", "truncated", "deleted",
                                     "tombstoned"};
static const char *const retries[] = {"none", "whole", "partial", "reordered",
                                      "reused"};
static const char *const changes[] = {"set", "delete", "tombstone", "erase one",
                                      "erase all"};

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

/* Where the state of the streams is when it is asked for. */
enum placement { IN_MEMORY, IN_STORE, AFTER_RESTART, AFTER_KILL, PLACEMENTS };

/* ---- a database, and the model beside it ---- */

struct world {
    struct db db;
    struct model model;
    struct decision_table table;
};

/* An event: who sent it, and what is in it. */
struct piece {
    uint32_t stream; /* Streams have ids of their own. */
    uint32_t number;
    const char *data;
};

static void
open_world(struct world *world, const char *columns)
{
    fake_clock_set(NOW_US);
    db_make_with(&world->db, CHECKPOINT_EVENTS);
    model_init(&world->model);
    decision_table_read(&world->table, columns);
}

static void
close_world(struct world *world)
{
    decision_table_check_used(&world->table);
    model_fini(&world->model);
    db_remove(&world->db);
}

/* Hand in the body of a frame; the outcome is in the job. The model decides the
 * same, and must agree.
 */
static struct job *
run_body(struct world *world, enum job_kind kind, struct buf *body)
{
    struct model_verdict verdict = {.code = ACTA_OK};
    struct msg_changed changed = {0};
    struct acta_err err;
    struct job *job;

    buf_consume(body, FRAME_HEADER_SIZE);
    ck_assert_msg(job_new(&job, kind, buf_slice(body), &err) == ACTA_OK, "%s",
                  err.text);
    db_append(&world->db, job);
    if (kind == JOB_APPEND) {
        model_decide(&world->model, &job->append, NOW_US, &verdict);
        if (verdict.code == ACTA_OK && !verdict.repeated) {
            model_take(&world->model, &job->append, NOW_US, &verdict);
        }
    } else {
        verdict.code =
            model_change(&world->model, &job->change, NOW_US, &changed);
    }
    ck_assert_int_eq(job->outcome.code, verdict.code);
    ck_assert_int_eq(job->outcome.repeated, verdict.repeated);
    if (kind == JOB_CHANGE && verdict.code == ACTA_OK) {
        ck_assert_int_eq(job->outcome.changed.changed, changed.changed);
    }
    model_verdict_fini(&verdict);
    return job;
}

static void
write_piece(struct buf *body, const struct piece *piece)
{
    struct uuid id = {{0}};
    struct event event = {
        .type = slice_of("Noted"),
        .id = id.bytes,
        .data = slice_of(piece->data),
    };

    put_key_u64(id.bytes + 8, ((uint64_t)piece->stream << 32) | piece->number);
    event_encode_content(body, &event, NULL, 0);
}

static struct job *
append(struct world *world, const char *stream, int64_t expected,
       const struct piece *pieces, size_t count,
       const struct msg_append_more *more)
{
    struct job *job;
    struct buf body;
    size_t start;

    buf_init(&body, 1 << 24);
    start = msg_append_begin(&body, 1, 1);
    msg_append_write(&body, slice_of(stream), expected, count);
    for (size_t i = 0; i < count; i++) {
        write_piece(&body, &pieces[i]);
    }
    msg_append_end(&body, start, more);
    job = run_body(world, JOB_APPEND, &body);
    buf_fini(&body);
    return job;
}

static struct job *
change(struct world *world, const struct msg_change *change)
{
    struct job *job;
    struct buf body;

    buf_init(&body, 1 << 16);
    msg_change_encode(&body, 1, change);
    job = run_body(world, JOB_CHANGE, &body);
    buf_fini(&body);
    return job;
}

static void
assert_done(struct job *job)
{
    ck_assert_msg(job->outcome.code == ACTA_OK, "%s", job->outcome.text);
    job_free(job);
}

/* ---- states ---- */

static const struct msg_change change_of_kind[] = {
    {.kind = MSG_SET, .given = MSG_HAS_MAX_COUNT, .settings.max_count = 100},
    {.kind = MSG_DELETE},
    {.kind = MSG_TOMBSTONE},
    {.kind = MSG_ERASE, .version = 1},
    {.kind = MSG_ERASE, .version = 0},
};

static struct msg_change
change_named(const char *name, const char *stream, int64_t expected)
{
    for (size_t i = 0; i < COUNT(changes); i++) {
        if (strcmp(changes[i], name) == 0) {
            struct msg_change named = change_of_kind[i];

            named.stream = slice_of(stream);
            named.expected = expected;
            return named;
        }
    }
    ck_abort_msg("there is no change %s", name);
}

/* Bring a stream into a state: if it is to be truncated, up to @before. */
static void
bring(struct world *world, const char *stream, uint32_t number,
      const char *state, uint64_t before)
{
    static const char *const data[STORED] = {"one", "two", "three"};
    struct msg_change wanted = {
        .kind = MSG_SET,
        .stream = slice_of(stream),
        .expected = MSG_EXPECT_ANY,
        .given = MSG_HAS_TRUNCATE_BEFORE,
        .settings.truncate_before = before,
    };
    struct piece pieces[STORED];

    if (strcmp(state, "absent") == 0) {
        return;
    }
    for (uint32_t i = 0; i < STORED; i++) {
        pieces[i] = (struct piece){number, i + 1, data[i]};
    }
    assert_done(append(world, stream, 0, pieces, STORED, NULL));
    if (strcmp(state, "deleted") == 0) {
        wanted = change_named("delete", stream, MSG_EXPECT_EXISTS);
    } else if (strcmp(state, "tombstoned") == 0) {
        wanted = change_named("tombstone", stream, STORED);
    }
    if (strcmp(state, "live") != 0) {
        assert_done(change(world, &wanted));
    }
}

static uint64_t
version_of(const char *state)
{
    return strcmp(state, "absent") == 0 ? 0 : STORED;
}

static int64_t
expected_of(const char *expected)
{
    static const int64_t values[] = {0, STORED, STORED - 1, MSG_EXPECT_ANY,
                                     MSG_EXPECT_EXISTS};

    for (size_t i = 0; i < COUNT(expecteds); i++) {
        if (strcmp(expecteds[i], expected) == 0) {
            return values[i];
        }
    }
    ck_abort_msg("nothing is expected as %s", expected);
}

/* Append so much to another stream that all that is there goes to the store. */
static void
move_to_store(struct world *world)
{
    static struct piece pieces[EVENTS_MAX];
    uint64_t head = database_head(world->db.database);
    struct database_stats stats;

    ck_assert_uint_lt(head, CHECKPOINT_EVENTS);
    for (uint32_t i = 0; i < EVENTS_MAX; i++) {
        pieces[i] = (struct piece){UINT32_MAX, i + 1, ""};
    }
    assert_done(append(world, "filler", 0, pieces, EVENTS_MAX, NULL));
    /* The writer seals what is due before it takes the next. */
    pieces[0].number = EVENTS_MAX + 1;
    assert_done(append(world, "filler", EVENTS_MAX, pieces, 1, NULL));
    db_wait_checkpoint(&world->db);
    database_stats(world->db.database, &stats);
    ck_assert_uint_ge(stats.stored, head);
}

static void
place(struct world *world, enum placement placement)
{
    switch (placement) {
    case IN_MEMORY:
        break;
    case IN_STORE:
        move_to_store(world);
        break;
    case AFTER_RESTART:
        db_reopen(&world->db);
        break;
    case AFTER_KILL:
        db_reopen_as_killed(&world->db);
        break;
    case PLACEMENTS:
        break;
    }
}

/* ---- what is there afterwards ---- */

/* The stream reads as the model has it. */
static void
compare_stream(struct world *world, const char *stream)
{
    struct read_bounds bounds = {.events_max = 100, .bytes_max = UINT64_MAX};
    struct slice name = slice_of(stream);
    uint64_t version = model_version(&world->model, name);
    struct read_result result;
    struct slice events;
    struct acta_err err;
    size_t seen = 0;
    struct buf out;

    buf_init(&out, 1 << 20);
    ck_assert_msg(reader_read_stream(world->db.reader, name, 0, false, &bounds,
                                     &out, &result, &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert(result.at_end);
    ck_assert_uint_eq(result.version, version);
    events = buf_slice(&out);
    for (uint64_t v = 1; v <= version; v++) {
        const struct event *wanted = model_event_of(&world->model, name, v);
        struct event event;

        if (model_hides(&world->model, wanted->position, NOW_US)) {
            continue;
        }
        seen++;
        ck_assert_uint_le(seen, result.events_count);
        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        ck_assert_uint_eq(event.version, v);
        ck_assert_uint_eq(event.position, wanted->position);
        ck_assert_int_eq(event.format, wanted->format);
        ck_assert(slice_equal(event.data, wanted->data));
    }
    ck_assert_uint_eq(seen, result.events_count);
    buf_fini(&out);
}

static enum acta_code
code_named(const char *name)
{
#define X(symbol, number, remedy, text)                                        \
    if (strcmp(#symbol, name) == 0) {                                          \
        return ACTA_##symbol;                                                  \
    }
    ACTA_CODES(X)
#undef X
    ck_abort_msg("there is no answer %s", name);
}

/* ---- appends ---- */

struct append_case {
    const char *names[3]; /* expected, state, retry */
    char stream[64];
    uint32_t number;
    const char *answer;
};

#define APPEND_CASES (COUNT(expecteds) * COUNT(states) * COUNT(retries))

static void
make_append_case(struct world *world, struct append_case *made, size_t number)
{
    made->number = (uint32_t)number + 1;
    made->names[0] = expecteds[number % 5];
    made->names[1] = states[number / 5 % 5];
    made->names[2] = retries[number / 25];
    made->answer = decision_table_answer(&world->table, made->names);
    snprintf(made->stream, sizeof(made->stream), "%s-%s-%s", made->names[1],
             made->names[2], made->names[0]);
    if (strcmp(made->answer, NOT_A_CASE) == 0) {
        /* Such are: an absent stream's own version, and what it has stored. */
        ck_assert_str_eq(made->names[1], "absent");
        ck_assert(strcmp(made->names[0], "version") == 0 ||
                  strcmp(made->names[2], "none") != 0);
        return;
    }
    /* Of what is hidden the content may be gone: "reused" is seen. */
    bring(world, made->stream, made->number, made->names[1],
          strcmp(made->names[2], "reused") == 0 ? STORED : STORED + 1);
}

/* The events that are sent, by the kind of retry. Returns how many. */
static size_t
make_retry(const struct append_case *made, struct piece pieces[static STORED])
{
    uint32_t n = made->number;
    const char *retry = made->names[2];

    pieces[0] = (struct piece){n, 1, "one"};
    pieces[1] = (struct piece){n, 2, "two"};
    pieces[2] = (struct piece){n, 3, "three"};
    if (strcmp(retry, "whole") == 0) {
        return 3;
    }
    if (strcmp(retry, "reordered") == 0) {
        pieces[0] = (struct piece){n, 2, "two"};
        pieces[1] = (struct piece){n, 1, "one"};
        return 2;
    }
    if (strcmp(retry, "reused") == 0) {
        pieces[0] = (struct piece){n, 3, "something else"};
        return 1;
    }
    pieces[0] = (struct piece){n, 4, "four"};
    if (strcmp(retry, "none") == 0) {
        pieces[1] = (struct piece){n, 5, "five"};
    } else {
        ck_assert_str_eq(retry, "partial");
        pieces[1] = (struct piece){n, 3, "three"};
    }
    return 2;
}

static void
check_append(struct world *world, const struct append_case *made)
{
    uint64_t version = version_of(made->names[1]);
    uint64_t head = database_head(world->db.database);
    struct piece pieces[STORED];
    size_t count = make_retry(made, pieces);
    bool is_taken = strcmp(made->answer, "OK") == 0;
    bool is_repeat = strcmp(made->answer, "REPEAT") == 0;
    struct job *job = append(world, made->stream, expected_of(made->names[0]),
                             pieces, count, NULL);
    const struct outcome *outcome = &job->outcome;

    ck_assert_msg(
        outcome->code == (is_repeat ? ACTA_OK : code_named(made->answer)) &&
            outcome->repeated == is_repeat,
        "%s: %s instead of %s: %s", made->stream, acta_code_name(outcome->code),
        made->answer, outcome->code == ACTA_OK ? "done" : outcome->text);
    if (is_taken || is_repeat) {
        ck_assert_uint_eq(outcome->runs_count, 1);
        ck_assert_uint_eq(outcome->runs[0].count, count);
        ck_assert_uint_eq(outcome->runs[0].first_version,
                          is_taken ? version + 1 : pieces[0].number);
    } else {
        ck_assert_uint_ge(outcome->failures_count, 1);
    }
    ck_assert_uint_eq(database_head(world->db.database),
                      is_taken ? head + count : head);
    compare_stream(world, made->stream);
    job_free(job);
}

START_TEST(appends_are_decided_as_the_table_says)
{
    static struct append_case cases[APPEND_CASES];
    struct world world;

    open_world(&world, "| expected | state | retry | answer |");
    for (size_t i = 0; i < APPEND_CASES; i++) {
        make_append_case(&world, &cases[i], i);
    }
    place(&world, (enum placement)_i);
    for (size_t i = 0; i < APPEND_CASES; i++) {
        if (strcmp(cases[i].answer, NOT_A_CASE) != 0) {
            check_append(&world, &cases[i]);
        }
    }
    close_world(&world);
}
END_TEST

/* ---- checks, and what a change expects ---- */

static void
check_check(struct world *world, const char *stream, uint32_t number,
            const char *expected, enum acta_code code)
{
    struct msg_check check = {slice_of(stream), expected_of(expected)};
    struct msg_append_more more = {.checks = &check, .checks_count = 1};
    struct piece piece = {number, 100, "written"};
    struct job *job =
        append(world, "written", MSG_EXPECT_ANY, &piece, 1, &more);

    ck_assert_msg(job->outcome.code == code, "check of %s: %s instead of %s",
                  stream, acta_code_name(job->outcome.code),
                  acta_code_name(code));
    if (code != ACTA_OK) {
        ck_assert_uint_eq(job->outcome.failures_count, 1);
        ck_assert_int_eq(job->outcome.failures[0].kind, MSG_FAILED_CHECK);
    }
    job_free(job);
}

static void
check_change_expects(struct world *world, const char *stream, const char *state,
                     const char *expected, enum acta_code code)
{
    /* A tombstone can only be set again, or what is below it erased. */
    const char *name = strcmp(state, "tombstoned") == 0 ? "tombstone" : "set";
    struct msg_change wanted =
        change_named(name, stream, expected_of(expected));
    struct job *job = change(world, &wanted);

    ck_assert_msg(job->outcome.code == code, "%s of %s: %s instead of %s", name,
                  stream, acta_code_name(job->outcome.code),
                  acta_code_name(code));
    job_free(job);
}

START_TEST(checks_and_what_changes_expect_are_judged_as_the_table_says)
{
    char streams[25][64];
    struct world world;

    open_world(&world, "| expected | state | answer |");
    for (size_t i = 0; i < 25; i++) {
        snprintf(streams[i], sizeof(streams[i]), "%s-%s", states[i / 5],
                 expecteds[i % 5]);
        bring(&world, streams[i], (uint32_t)i + 1, states[i / 5], STORED);
    }
    place(&world, (enum placement)_i);
    for (size_t i = 0; i < 25; i++) {
        const char *names[] = {expecteds[i % 5], states[i / 5]};
        const char *answer = decision_table_answer(&world.table, names);

        if (strcmp(answer, NOT_A_CASE) == 0) {
            ck_assert_str_eq(names[0], "version");
            ck_assert_str_eq(names[1], "absent");
            continue;
        }
        check_check(&world, streams[i], (uint32_t)i + 1, names[0],
                    code_named(answer));
        check_change_expects(&world, streams[i], names[1], names[0],
                             code_named(answer));
    }
    close_world(&world);
}
END_TEST

/* ---- changes ---- */

static void
check_change(struct world *world, const char *stream, const char *name,
             const char *answer)
{
    bool is_same = strcmp(answer, "SAME") == 0;
    struct msg_change wanted = change_named(name, stream, MSG_EXPECT_ANY);
    struct job *job = change(world, &wanted);

    ck_assert_msg(job->outcome.code == (is_same ? ACTA_OK : code_named(answer)),
                  "%s of %s: %s instead of %s", name, stream,
                  acta_code_name(job->outcome.code), answer);
    if (job->outcome.code == ACTA_OK) {
        ck_assert_int_eq(job->outcome.changed.changed, !is_same);
        ck_assert_uint_eq(job->outcome.changed.version,
                          model_version(&world->model, slice_of(stream)));
    }
    job_free(job);
    compare_stream(world, stream);
}

START_TEST(changes_are_made_as_the_table_says)
{
    char streams[25][64];
    struct world world;

    open_world(&world, "| change | state | answer |");
    for (size_t i = 0; i < 25; i++) {
        snprintf(streams[i], sizeof(streams[i]), "%s-%s", states[i / 5],
                 changes[i % 5]);
        bring(&world, streams[i], (uint32_t)i + 1, states[i / 5], STORED);
    }
    place(&world, (enum placement)_i);
    for (size_t i = 0; i < 25; i++) {
        const char *names[] = {changes[i % 5], states[i / 5]};

        check_change(&world, streams[i], names[0],
                     decision_table_answer(&world.table, names));
    }
    close_world(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("decisions");
    TCase *tcase = tcase_create("decisions");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, appends_are_decided_as_the_table_says, 0,
                        PLACEMENTS);
    tcase_add_loop_test(
        tcase, checks_and_what_changes_expect_are_judged_as_the_table_says, 0,
        PLACEMENTS);
    tcase_add_loop_test(tcase, changes_are_made_as_the_table_says, 0,
                        PLACEMENTS);
    return run_suite(suite);
}
