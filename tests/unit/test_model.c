/* The whole database against the model: random histories of appends, with
 * checkpoints, restarts and kills in between, and after each few of them
 * questions of every kind.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "limit.h"
#include "model.h"
#include "msg.h"
#include "rnd.h"
#include "run.h"

#define IDS_KEPT   64
#define TEXT_SIZE  64
#define WRITES_MAX 4
#define EVENTS_MAX 12

struct history {
    struct rnd rnd;
    struct db db;
    struct model model;
    struct uuid ids[IDS_KEPT]; /* Used before: for repeats. */
    size_t ids_count;
    struct uuid_source source;
    struct buf last_body; /* The last append, to be sent again. */
};

/* ---- making things up ---- */

/* Few names, so that they meet; one is the beginning of another. */
static struct slice
pick_stream(struct history *history, char text[static TEXT_SIZE])
{
    static const char *const categories[] = {"a", "ab", "order", "x"};

    snprintf(text, TEXT_SIZE, "%s%s%u", categories[rnd_below(&history->rnd, 4)],
             rnd_once_in(&history->rnd, 8) ? "" : "-",
             (unsigned)rnd_below(&history->rnd, 12));
    return slice_of(text);
}

static struct slice
pick_type(struct history *history)
{
    static const char *const types[] = {"Made", "Moved", "Paid", "Gone"};

    return slice_of(types[rnd_below(&history->rnd, 4)]);
}

/* The first tags are common, the last ones rare. */
static struct slice
pick_tag(struct history *history)
{
    static const char *const tags[] = {"red",        "blue",        "big",
                                       "customer:7", "customer:71", "rare"};
    uint64_t pick = rnd_below(&history->rnd, 40);

    return slice_of(tags[pick < 12   ? 0
                         : pick < 22 ? 1
                         : pick < 30 ? 2
                         : pick < 36 ? 3
                         : pick < 39 ? 4
                                     : 5]);
}

static const uint8_t *
pick_correlation(struct history *history)
{
    static const uint8_t ids[3][UUID_SIZE] = {{1}, {2}, {3}};

    return ids[rnd_below(&history->rnd, 3)];
}

static struct uuid
pick_id(struct history *history)
{
    uint8_t random[10];
    struct uuid id;

    if (history->ids_count > 0 && rnd_once_in(&history->rnd, 25)) {
        return history->ids[rnd_below(&history->rnd, history->ids_count)];
    }
    if (rnd_once_in(&history->rnd, 4)) { /* One that does not grow. */
        rnd_bytes(&history->rnd, &id, sizeof(id));
    } else {
        rnd_bytes(&history->rnd, random, sizeof(random));
        uuid_v7(&id, &history->source, 1000, random);
    }
    history->ids[history->ids_count < IDS_KEPT
                     ? history->ids_count++
                     : rnd_below(&history->rnd, IDS_KEPT)] = id;
    return id;
}

static void
write_event(struct history *history, struct buf *buf)
{
    struct uuid id = pick_id(history);
    struct slice tags[3];
    size_t tags_count = 0;
    uint8_t data[600];
    struct event event = {
        .type = pick_type(history),
        .id = id.bytes,
        .format = EVENT_BINARY,
        .metadata = slice_of("{}"),
    };

    rnd_bytes(&history->rnd, data, sizeof(data));
    event.data = slice_make(data, rnd_below(&history->rnd, sizeof(data)));
    if (rnd_once_in(&history->rnd, 2)) {
        event.correlation_id = pick_correlation(history);
    }
    for (uint64_t i = rnd_below(&history->rnd, 4); i > 0; i--) {
        struct slice tag = pick_tag(history);
        bool is_new = true;

        for (size_t t = 0; t < tags_count; t++) {
            is_new = is_new && !slice_equal(tags[t], tag);
        }
        if (is_new) {
            tags[tags_count++] = tag;
        }
    }
    event_encode_content(buf, &event, tags, tags_count);
}

static int64_t
pick_expected(struct history *history, struct slice stream)
{
    int64_t version = (int64_t)model_version(&history->model, stream);

    switch (rnd_below(&history->rnd, 6)) {
    case 0:
        return MSG_EXPECT_EXISTS;
    case 1:
        return version + 1;
    case 2:
        return version > 0 ? version - 1 : 0;
    case 3:
        return version;
    default:
        return MSG_EXPECT_ANY;
    }
}

static void
write_append(struct history *history, struct buf *buf)
{
    size_t writes = rnd_once_in(&history->rnd, 3)
                        ? 1 + rnd_below(&history->rnd, WRITES_MAX)
                        : 1;
    size_t start;

    buf_clear(buf);
    start = msg_append_begin(buf, 1, writes);
    for (size_t w = 0; w < writes; w++) {
        char text[TEXT_SIZE];
        struct slice stream = pick_stream(history, text);
        size_t events = 1 + rnd_below(&history->rnd, EVENTS_MAX);

        msg_append_write(buf, stream, pick_expected(history, stream), events);
        for (size_t e = 0; e < events; e++) {
            write_event(history, buf);
        }
    }
    frame_end(buf, start);
    ck_assert(!buf_failed(buf));
    buf_consume(buf, FRAME_HEADER_SIZE);
}

/* ---- appends ---- */

/* The runs of an answer, against where the model has the events. */
static void
compare_runs(struct history *history, const struct job *append)
{
    const struct msg_append *request = &append->request;
    size_t run = 0, in_run = 0;

    for (size_t w = 0; w < request->writes_count; w++) {
        for (size_t e = 0; e < request->writes[w].events_count; e++) {
            const struct event *event = &request->writes[w].events[e];
            const struct event *stored =
                model_find_id(&history->model, event->stream, event->id);
            const struct msg_run *told;

            ck_assert_uint_lt(run, append->outcome.runs_count);
            told = &append->outcome.runs[run];
            ck_assert_uint_eq(told->write, w);
            ck_assert_uint_eq(told->first_version + in_run, stored->version);
            ck_assert_uint_eq(told->first_position + in_run, stored->position);
            if (++in_run == told->count) {
                run++;
                in_run = 0;
            }
        }
    }
    ck_assert_uint_eq(run, append->outcome.runs_count);
}

static void
append_and_compare(struct history *history)
{
    enum acta_code code, verdict;
    struct job *append;
    struct acta_err err;
    bool repeated;

    if (buf_size(&history->last_body) == 0 || !rnd_once_in(&history->rnd, 10)) {
        write_append(history, &history->last_body);
    }
    /* One that expects two versions of a stream is not even an append. */
    while ((code = job_new(&append, buf_slice(&history->last_body), &err)) !=
           ACTA_OK) {
        ck_assert_int_eq(code, ACTA_INVALID);
        write_append(history, &history->last_body);
    }
    verdict = model_decide(&history->model, &append->request, &repeated);
    if (verdict == ACTA_OK && !repeated) {
        model_take(&history->model, &append->request);
    }
    db_append(&history->db, append);
    ck_assert_msg(append->outcome.code == verdict, "%s instead of %s: %s",
                  acta_code_name(append->outcome.code), acta_code_name(verdict),
                  append->outcome.text);
    if (verdict == ACTA_OK) {
        ck_assert_int_eq(append->outcome.repeated, repeated);
        compare_runs(history, append);
    }
    ck_assert_uint_eq(database_head(history->db.database),
                      history->model.count);
    job_free(append);
}

/* ---- questions ---- */

static void
compare_event(const struct event *got, const struct event *wanted)
{
    ck_assert_uint_eq(got->position, wanted->position);
    ck_assert_uint_eq(got->version, wanted->version);
    ck_assert(slice_equal(got->stream, wanted->stream));
    ck_assert(slice_equal(got->content, wanted->content));
}

static void
write_terms(struct history *history, struct buf *buf, enum query_field field)
{
    size_t count =
        rnd_once_in(&history->rnd, 2)
            ? 0
            : 1 + rnd_below(&history->rnd, field == QUERY_TAGS ? 2 : 3);

    pack_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        char text[TEXT_SIZE];
        struct slice stream = pick_stream(history, text);

        switch (field) {
        case QUERY_CATEGORIES:
            pack_text(buf, rnd_once_in(&history->rnd, 2) ? "order" : "ab");
            break;
        case QUERY_TYPES:
            pack_str(buf, pick_type(history));
            break;
        case QUERY_TAGS:
            pack_str(buf, pick_tag(history));
            break;
        case QUERY_STREAMS:
            pack_str(buf, stream);
            break;
        case QUERY_CORRELATION_IDS:
            pack_bin(buf, slice_make(pick_correlation(history), UUID_SIZE));
            break;
        case QUERY_FIELDS:
            break;
        }
    }
}

static void
pick_query(struct history *history, struct query *query)
{
    size_t items = rnd_below(&history->rnd, 4);
    struct pack_reader reader;
    struct buf buf;

    buf_init(&buf, 1 << 16);
    pack_array(&buf, items);
    for (size_t i = 0; i < items; i++) {
        pack_array(&buf, QUERY_FIELDS);
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            write_terms(history, &buf, f);
        }
    }
    pack_reader_init(&reader, buf_slice(&buf), NULL);
    query_decode(&reader, query);
    ck_assert(!reader.failed);
    buf_fini(&buf);
}

static struct read_bounds
pick_bounds(struct history *history)
{
    return (struct read_bounds){
        .events_max = 1 + rnd_below(&history->rnd, 200),
        .bytes_max = rnd_once_in(&history->rnd, 3)
                         ? rnd_below(&history->rnd, 4000)
                         : UINT64_MAX,
    };
}

static bool
is_past(uint64_t position, uint64_t next, bool backward)
{
    return backward ? position < next : position > next;
}

/* Read by a random query from a random place to the end, page by page. */
static void
compare_query(struct history *history)
{
    bool backward = rnd_once_in(&history->rnd, 2);
    uint64_t from = rnd_below(&history->rnd, history->model.count + 2);
    struct read_result result = {0};
    struct query query;
    struct buf out;
    uint64_t wanted;

    pick_query(history, &query);
    buf_init(&out, 1 << 24);
    wanted = model_next(&history->model, &query, from, backward);
    while (!result.at_end) {
        struct read_bounds bounds = pick_bounds(history);
        struct slice events;
        struct acta_err err;

        buf_clear(&out);
        ck_assert_msg(reader_read_all(history->db.reader, &query, from,
                                      backward, &bounds, &out, &result,
                                      &err) == ACTA_OK,
                      "%s", err.text);
        ck_assert_uint_eq(result.head, history->model.count);
        ck_assert_uint_le(result.events_count, bounds.events_max);
        events = buf_slice(&out);
        for (size_t i = 0; i < result.events_count; i++) {
            struct event event;

            ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
            ck_assert_uint_eq(event.position, wanted);
            compare_event(&event, model_at(&history->model, wanted));
            wanted = model_next(&history->model, &query, wanted, backward);
        }
        ck_assert_uint_eq(events.size, 0);
        /* The place to go on from leaves out nothing that is wanted. */
        if (wanted != 0) {
            ck_assert(!result.at_end);
            ck_assert(is_past(wanted, result.next, backward));
        }
        ck_assert(result.at_end || result.next != from ||
                  result.events_count > 0);
        from = result.next;
    }
    ck_assert_uint_eq(wanted, 0);
    buf_fini(&out);
    query_fini(&query);
}

static void
compare_stream(struct history *history)
{
    bool backward = rnd_once_in(&history->rnd, 2);
    struct read_result result = {0};
    char text[TEXT_SIZE];
    struct slice stream = pick_stream(history, text);
    uint64_t version = model_version(&history->model, stream);
    uint64_t from = rnd_below(&history->rnd, version + 2);
    uint64_t wanted = from + 1;
    struct buf out;

    if (backward) {
        wanted = from == 0 || from > version ? version : from - 1;
    }
    buf_init(&out, 1 << 24);
    while (!result.at_end) {
        struct read_bounds bounds = pick_bounds(history);
        struct slice events;
        struct acta_err err;

        buf_clear(&out);
        ck_assert_msg(reader_read_stream(history->db.reader, stream, from,
                                         backward, &bounds, &out, &result,
                                         &err) == ACTA_OK,
                      "%s", err.text);
        ck_assert_uint_eq(result.version, version);
        events = buf_slice(&out);
        for (size_t i = 0; i < result.events_count; i++) {
            struct event event;

            ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
            compare_event(&event,
                          model_event_of(&history->model, stream, wanted));
            wanted += backward ? (uint64_t)-1 : 1;
        }
        from = result.next;
    }
    ck_assert(backward ? wanted == 0 : wanted > version);
    buf_fini(&out);
}

static void
compare_id(struct history *history)
{
    struct read_bounds bounds = {.events_max = 1000, .bytes_max = UINT64_MAX};
    struct uuid id = pick_id(history);
    struct read_result result;
    size_t wanted = 0, got = 0;
    struct slice events;
    enum acta_code code;
    struct buf out;

    for (uint64_t p = 1; p <= history->model.count; p++) {
        wanted +=
            memcmp(model_at(&history->model, p)->id, id.bytes, UUID_SIZE) == 0;
    }
    buf_init(&out, 1 << 24);
    code = reader_read_id(history->db.reader, id.bytes, &bounds, &out, &result,
                          NULL);
    ck_assert_int_eq(code, wanted > 0 ? ACTA_OK : ACTA_NOT_FOUND);
    events = buf_slice(&out);
    for (; got < result.events_count; got++) {
        struct event event;

        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        compare_event(&event, model_at(&history->model, event.position));
        ck_assert_int_eq(memcmp(event.id, id.bytes, UUID_SIZE), 0);
    }
    ck_assert_uint_eq(got, wanted);
    buf_fini(&out);
}

/* Every stream once, in order, with what the model knows of it. */
static void
compare_listing(struct history *history)
{
    static const char *const prefixes[] = {"", "a", "order-1", "nothing"};
    struct slice prefix = slice_of(prefixes[rnd_below(&history->rnd, 4)]);
    char after[TEXT_SIZE] = "", last[TEXT_SIZE] = "";
    size_t listed = 0, wanted = 0;
    bool at_end = false;
    struct buf out;

    for (uint64_t p = 1; p <= history->model.count; p++) {
        const struct event *event = model_at(&history->model, p);

        wanted +=
            event->version == 1 && slice_starts_with(event->stream, prefix);
    }
    buf_init(&out, 1 << 20);
    while (!at_end) {
        struct slice streams;
        struct acta_err err;
        size_t count;

        buf_clear(&out);
        ck_assert_msg(reader_list_streams(history->db.reader, prefix,
                                          slice_of(after),
                                          1 + rnd_below(&history->rnd, 9), &out,
                                          &count, &at_end, &err) == ACTA_OK,
                      "%s", err.text);
        streams = buf_slice(&out);
        for (size_t i = 0; i < count; i++) {
            struct msg_stream stream = msg_next_stream(&streams);

            snprintf(last, sizeof(last), "%.*s", (int)stream.name.size,
                     (const char *)stream.name.data);
            ck_assert_int_gt(strcmp(last, after), 0);
            memcpy(after, last, sizeof(after));
            ck_assert(slice_starts_with(stream.name, prefix));
            ck_assert_uint_eq(stream.version,
                              model_version(&history->model, stream.name));
            ck_assert_uint_eq(
                stream.last_position,
                model_event_of(&history->model, stream.name, stream.version)
                    ->position);
            ck_assert_uint_le(stream.first_time_us, stream.last_time_us);
            listed++;
        }
        ck_assert_uint_eq(streams.size, 0);
    }
    ck_assert_uint_eq(listed, wanted);
    buf_fini(&out);
}

/* ---- histories ---- */

static void
ask(struct history *history)
{
    switch (rnd_below(&history->rnd, 6)) {
    case 0:
        compare_stream(history);
        break;
    case 1:
        compare_id(history);
        break;
    case 2:
        compare_listing(history);
        break;
    default:
        compare_query(history);
        break;
    }
}

START_TEST(a_database_answers_as_the_model_does)
{
    unsigned steps = rnd_effort(600, 20000);
    struct history history = {0};

    rnd_init(&history.rnd);
    model_init(&history.model);
    buf_init(&history.last_body, ACTA_FRAME_SIZE_MAX);
    db_make(&history.db);
    for (unsigned i = 0; i < steps; i++) {
        append_and_compare(&history);
        for (uint64_t q = rnd_below(&history.rnd, 3); q > 0; q--) {
            ask(&history);
        }
        if (rnd_once_in(&history.rnd, 60)) {
            db_reopen(&history.db);
        } else if (rnd_once_in(&history.rnd, 60)) {
            db_reopen_as_killed(&history.db);
        }
        if (history.model.count > 20000) { /* The model is slow by design. */
            db_remove(&history.db);
            model_fini(&history.model);
            model_init(&history.model);
            db_make(&history.db);
        }
    }
    db_remove(&history.db);
    model_fini(&history.model);
    buf_fini(&history.last_body);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_database_answers_as_the_model_does, 0, 4);
    return run_suite(suite);
}
