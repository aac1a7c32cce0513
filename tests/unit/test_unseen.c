/* What a refused append has not seen, read from a database of random streams,
 * some of which hide events, and compared with a look at every event.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "event.h"
#include "frame.h"
#include "limit.h"
#include "msg.h"
#include "reader_view.h"
#include "rnd.h"
#include "run.h"

#define STREAMS_COUNT    12
#define TYPES_COUNT      6
#define TAGS_COUNT       5
#define SOURCES_MAX      4
#define BUF_SIZE_MAX     (64u << 20)
#define EVENTS_MAX       20000
#define NAME_SIZE        16
#define NAMES_COUNT      4096
#define LISTS_OF_PREFIX  200
#define NOT_WANTED_COUNT 9000

static struct db db;
static struct rnd rnd;
static struct buf frame;
static struct acta_err err;
static uint64_t ids_count;

static void
setup(void)
{
    db_make(&db);
    rnd_init(&rnd);
    buf_init(&frame, BUF_SIZE_MAX);
    ids_count = 0;
}

static void
teardown(void)
{
    buf_fini(&frame);
    db_remove(&db);
}

/* A name such as "stream-7", which is there until NAMES_COUNT more are made. */
static struct slice
name_of(const char *kind, uint64_t number)
{
    static char names[NAMES_COUNT][NAME_SIZE];
    static size_t next;
    char *name = names[next++ % NAMES_COUNT];

    snprintf(name, NAME_SIZE, "%s-%ju", kind, (uintmax_t)number);
    return slice_of(name);
}

/* ---- a past ---- */

/* Hand in what stands in @frame, and take the outcome. */
static enum acta_code
submit(enum job_kind kind)
{
    struct slice body = slice_make(buf_slice(&frame).data + FRAME_HEADER_SIZE,
                                   buf_size(&frame) - FRAME_HEADER_SIZE);
    enum acta_code code;
    struct job *job;

    ck_assert_msg(job_new(&job, kind, body, &err) == ACTA_OK, "%s", err.text);
    buf_clear(&frame);
    db_append(&db, job);
    code = job->outcome.code;
    job_free(job);
    return code;
}

static void
put_event(struct slice type, struct slice tag)
{
    uint8_t id[16] = {0};
    uint8_t data[100] = {0};
    struct event event = {
        .type = type, .id = id, .data = slice_make(data, ids_count % 100)};

    ids_count++;
    memcpy(id, &ids_count, sizeof(ids_count));
    event_encode_content(&frame, &event, &tag, 1);
}

static void
append(struct slice stream, struct slice type, struct slice tag, size_t count)
{
    size_t start = msg_append_begin(&frame, 1, 1);

    msg_append_write(&frame, stream, MSG_EXPECT_ANY, count);
    for (size_t i = 0; i < count; i++) {
        put_event(type, tag);
    }
    frame_end(&frame, start);
    ck_assert_int_eq(submit(JOB_APPEND), ACTA_OK);
}

static struct slice
any_stream(void)
{
    return name_of("stream", rnd_below(&rnd, STREAMS_COUNT));
}

/* Whether it can be done depends on what was done before. */
static void
change_any_stream(void)
{
    struct msg_change change = {.stream = any_stream(),
                                .expected = MSG_EXPECT_ANY};

    if (rnd_once_in(&rnd, 3)) {
        change.kind = MSG_DELETE;
    } else {
        change.kind = MSG_SET;
        change.given = MSG_HAS_MAX_COUNT;
        change.settings.max_count = rnd_below(&rnd, 30);
    }
    msg_change_encode(&frame, 1, &change);
    (void)submit(JOB_CHANGE);
}

static void
make_past(unsigned appends)
{
    for (unsigned i = 0; i < appends; i++) {
        append(any_stream(), name_of("type", rnd_below(&rnd, TYPES_COUNT)),
               name_of("tag", rnd_below(&rnd, TAGS_COUNT)),
               1 + rnd_below(&rnd, 8));
        if (rnd_once_in(&rnd, 50)) {
            change_any_stream();
        }
        if (rnd_once_in(&rnd, 300)) {
            db_reopen(&db);
        }
    }
}

/* ---- what an append was decided from ---- */

/* An append, and the memory of its parts. */
struct asked {
    struct msg_append append;
    struct msg_write writes[SOURCES_MAX];
    struct msg_check checks[SOURCES_MAX];
    struct msg_condition conditions[SOURCES_MAX];
    struct query_item items[SOURCES_MAX];
    struct slice terms[SOURCES_MAX][2];
};

static int64_t
any_expected(void)
{
    return (int64_t)rnd_below(&rnd, 100) + MSG_EXPECT_EXISTS;
}

static void
ask_any_query(struct asked *asked, size_t i)
{
    struct query_item *item = &asked->items[i];
    struct slice *terms = asked->terms[i];

    memset(item, 0, sizeof(*item));
    terms[0] = name_of("type", rnd_below(&rnd, TYPES_COUNT));
    terms[1] = name_of("tag", rnd_below(&rnd, TAGS_COUNT));
    if (rnd_once_in(&rnd, 4)) {
        terms[0].size = rnd_below(&rnd, terms[0].size) + 1;
        item->fields[QUERY_TYPES] = (struct query_terms){NULL, 0, terms, 1};
    } else if (rnd_once_in(&rnd, 2)) {
        item->fields[QUERY_TYPES] = (struct query_terms){terms, 1, NULL, 0};
    }
    if (rnd_once_in(&rnd, 2)) {
        item->fields[QUERY_TAGS] = (struct query_terms){&terms[1], 1, NULL, 0};
    }
    asked->conditions[i].query = (struct query){item, 1, NULL};
}

static void
ask_anything(struct asked *asked)
{
    uint64_t head = database_head(db.database);

    *asked = (struct asked){
        .append = {.writes = asked->writes,
                   .writes_count = 1 + rnd_below(&rnd, SOURCES_MAX),
                   .more = {.checks = asked->checks,
                            .checks_count = rnd_below(&rnd, SOURCES_MAX),
                            .conditions = asked->conditions,
                            .conditions_count = rnd_below(&rnd, SOURCES_MAX)}}};
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        asked->writes[i].stream = any_stream();
        asked->writes[i].expected = any_expected();
        asked->checks[i].stream = any_stream();
        asked->checks[i].expected = any_expected();
        asked->conditions[i].after = rnd_below(&rnd, head + 10);
        ask_any_query(asked, i);
    }
}

/* All that can be asked, from the start: often more than there are steps to
 * find.
 */
static void
ask_for_much(struct asked *asked)
{
    ask_anything(asked);
    asked->append.writes_count = SOURCES_MAX;
    asked->append.more.checks_count = SOURCES_MAX;
    asked->append.more.conditions_count = SOURCES_MAX;
    for (size_t i = 0; i < SOURCES_MAX; i++) {
        asked->writes[i].expected = 0;
        asked->checks[i].expected = 0;
        asked->conditions[i].after = 0;
    }
}

/* ---- what it has not seen ---- */

static bool
is_behind(const struct event *event, struct slice stream, int64_t expected)
{
    return expected >= 0 && event->version > (uint64_t)expected &&
           slice_equal(event->stream, stream);
}

/* Expected versions that the event is behind. */
static size_t
versions_before(const struct msg_append *append, const struct event *event)
{
    const struct msg_append_more *more = &append->more;
    size_t count = 0;

    for (size_t i = 0; i < append->writes_count; i++) {
        count += is_behind(event, append->writes[i].stream,
                           append->writes[i].expected);
    }
    for (size_t i = 0; i < more->checks_count; i++) {
        count +=
            is_behind(event, more->checks[i].stream, more->checks[i].expected);
    }
    return count;
}

static bool
is_unseen(const struct msg_append *append, const struct event *event)
{
    const struct msg_append_more *more = &append->more;
    bool is = versions_before(append, event) > 0;

    for (size_t i = 0; i < more->conditions_count; i++) {
        is = is || (event->position > more->conditions[i].after &&
                    query_matches(&more->conditions[i].query, event));
    }
    return is;
}

/* Lists that a condition of these tests has at most: a prefix stands for all
 * types.
 */
static uint64_t
lists_of(const struct query *query)
{
    const struct query_terms *types = &query->items[0].fields[QUERY_TYPES];

    return types->count + types->prefixes_count * TYPES_COUNT +
           query->items[0].fields[QUERY_TAGS].count;
}

/* Steps in which all that lies behind the conditions can be found, whatever it
 * is: for every event a look into each list, and one at the event; and one more
 * for what each beginning takes, as there are LOCKED_MAX events or more to it,
 * or it is one of few.
 */
static uint64_t
steps_for_conditions(const struct msg_append_more *more, uint64_t head)
{
    uint64_t steps = 0;

    for (size_t i = 0; i < more->conditions_count; i++) {
        const struct msg_condition *condition = &more->conditions[i];
        uint64_t each = lists_of(&condition->query) + 2;

        steps += SPANS_MAX * each;
        if (condition->after < head) {
            steps += (head - condition->after) * each;
        }
    }
    return steps;
}

/* Positions and sizes of the unseen events, by a look at every event that there
 * is to be seen.
 */
struct unseen {
    uint64_t positions[EVENTS_MAX];
    size_t sizes[EVENTS_MAX];
    size_t count;
    uint64_t steps; /* So many are enough to find them all. */
};

static void
look_at_all(const struct msg_append *append, struct unseen *unseen)
{
    struct read_bounds bounds = {.events_max = ACTA_PAGE_EVENTS_MAX,
                                 .bytes_max = ACTA_PAGE_SIZE_MAX};
    struct query all = QUERY_ALL;
    struct read_result result = {0};
    struct buf page;

    buf_init(&page, BUF_SIZE_MAX);
    unseen->count = 0;
    unseen->steps =
        (append->writes_count + append->more.checks_count) * SPANS_MAX +
        steps_for_conditions(&append->more, database_head(db.database));
    while (!result.at_end) {
        struct slice events;

        buf_clear(&page);
        ck_assert_int_eq(reader_read_all(db.reader, &all, result.next, false,
                                         &bounds, &page, &result, &err),
                         ACTA_OK);
        events = buf_slice(&page);
        while (events.size > 0) {
            size_t before = events.size;
            struct event event;

            ck_assert_int_eq(msg_next_event(&events, &event, &err), ACTA_OK);
            unseen->steps += 2 * versions_before(append, &event);
            if (is_unseen(append, &event)) {
                ck_assert_uint_lt(unseen->count, EVENTS_MAX);
                unseen->positions[unseen->count] = event.position;
                unseen->sizes[unseen->count++] = before - events.size;
            }
        }
    }
    buf_fini(&page);
}

/* How many of them fit. */
static size_t
fitting(const struct unseen *unseen, const struct read_bounds *bounds)
{
    uint64_t size = 0;
    size_t count = 0;

    while (count < unseen->count && count < bounds->events_max) {
        size += unseen->sizes[count];
        if (count > 0 && size > bounds->bytes_max) {
            break;
        }
        count++;
    }
    return count;
}

/* What is put are the first of the unseen events, as many as fit; fewer only if
 * that @may_be_short and steps may not be enough, and then it is not said to be
 * all.
 */
static void
check(const struct msg_append *append, const struct read_bounds *bounds,
      bool may_be_short)
{
    static struct unseen unseen;
    struct unseen_result result;
    struct slice events;
    struct buf out;
    size_t fit;

    buf_init(&out, BUF_SIZE_MAX);
    look_at_all(append, &unseen);
    ck_assert_msg(reader_read_unseen(db.reader, append, bounds, &out, &result,
                                     &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(result.head, database_head(db.database));
    fit = fitting(&unseen, bounds);
    if (may_be_short && unseen.steps > STEPS_MAX) {
        ck_assert_uint_le(result.events_count, fit);
        ck_assert(!result.complete || result.events_count == unseen.count);
    } else {
        ck_assert_uint_eq(result.events_count, fit);
        ck_assert_int_eq(result.complete, fit == unseen.count);
    }
    events = buf_slice(&out);
    for (size_t i = 0; i < result.events_count; i++) {
        struct event event;

        ck_assert_int_eq(msg_next_event(&events, &event, &err), ACTA_OK);
        ck_assert_uint_eq(event.position, unseen.positions[i]);
    }
    ck_assert_uint_eq(events.size, 0);
    buf_fini(&out);
}

START_TEST(random_appends_get_the_first_of_what_a_look_at_every_event_finds)
{
    unsigned asks = rnd_effort(400, 20000);

    make_past(rnd_effort(500, 5000));
    for (unsigned i = 0; i < asks; i++) {
        struct read_bounds bounds = {
            .events_max = 1 + rnd_below(&rnd, rnd_once_in(&rnd, 2) ? 20 : 1000),
            .bytes_max = rnd_once_in(&rnd, 2) ? rnd_below(&rnd, 3000)
                                              : ACTA_UNSEEN_SIZE_MAX};
        struct asked asked;

        if (rnd_once_in(&rnd, 20)) {
            ask_for_much(&asked);
        } else {
            ask_anything(&asked);
        }
        check(&asked.append, &bounds, true);
        if (rnd_once_in(&rnd, 10)) {
            append(any_stream(), slice_of("type-0"), slice_of("tag-0"), 1);
        }
    }
}
END_TEST

static const struct read_bounds all_bounds = {
    .events_max = ACTA_UNSEEN_EVENTS_MAX, .bytes_max = ACTA_UNSEEN_SIZE_MAX};

/* What each of them has alone fits, and together it is far more. */
START_TEST(many_sources_get_the_first_events_of_all)
{
    struct msg_write *writes = calloc(STREAMS_COUNT, sizeof(*writes));
    struct msg_append asked = {.writes = writes, .writes_count = STREAMS_COUNT};

    ck_assert_ptr_nonnull(writes);
    for (uint64_t i = 0; i < STREAMS_COUNT * 9; i++) {
        append(name_of("stream", i % STREAMS_COUNT), slice_of("type-0"),
               slice_of("tag-0"), 100);
    }
    for (size_t i = 0; i < STREAMS_COUNT; i++) {
        writes[i].stream = name_of("stream", i);
    }
    check(&asked, &all_bounds, false);
    free(writes);
}
END_TEST

/* The lists of a prefix are too many, and without them every event has to be
 * looked at: that takes more steps than there are. What lies behind what was
 * looked at is not told, and not denied.
 */
START_TEST(what_takes_too_long_to_find_is_told_as_incomplete)
{
    struct slice prefix = slice_of("type"), tag = slice_of("common");
    struct query_item item = {.fields = {[QUERY_TYPES] = {NULL, 0, &prefix, 1},
                                         [QUERY_TAGS] = {&tag, 1, NULL, 0}}};
    struct msg_condition condition = {{&item, 1, NULL}, 0};
    struct msg_append asked = {
        .more = {.conditions = &condition, .conditions_count = 1}};
    struct unseen_result result;
    struct buf out;

    for (uint64_t i = 0; i < LISTS_OF_PREFIX; i++) {
        append(slice_of("stream-1"), name_of("type", i), slice_of("rare"), 1);
    }
    for (uint64_t i = 0; i < NOT_WANTED_COUNT / 1000; i++) {
        append(slice_of("stream-2"), slice_of("other"), tag, 1000);
    }
    append(slice_of("stream-1"), slice_of("type-1"), tag, 1);
    db_reopen(&db);

    buf_init(&out, BUF_SIZE_MAX);
    ck_assert_int_eq(
        reader_read_unseen(db.reader, &asked, &all_bounds, &out, &result, &err),
        ACTA_OK);
    ck_assert(!result.complete);
    ck_assert_uint_eq(result.events_count, 0);
    condition.after = database_head(db.database) - 10;
    check(&asked, &all_bounds, false);
    buf_fini(&out);
}
END_TEST

START_TEST(empty_database_has_nothing_unseen)
{
    struct asked asked;

    ask_anything(&asked);
    asked.append.writes_count = SOURCES_MAX;
    asked.append.more.conditions_count = SOURCES_MAX;
    check(&asked.append, &all_bounds, false);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("unseen");
    TCase *tcase = tcase_create("unseen");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(
        tcase,
        random_appends_get_the_first_of_what_a_look_at_every_event_finds);
    tcase_add_test(tcase, many_sources_get_the_first_events_of_all);
    tcase_add_test(tcase, what_takes_too_long_to_find_is_told_as_incomplete);
    tcase_add_test(tcase, empty_database_has_nothing_unseen);
    return run_suite(suite);
}
