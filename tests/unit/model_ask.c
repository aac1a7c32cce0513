#include <check.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model_history.h"
#include "msg.h"
#include "query.h"
#include "reader.h"

#define PAGE_ROOM ((size_t)1 << 24)
#define LOOK_MS   10
#define LOOKS_MAX 6000

#define assert_ok(code, err) ck_assert_msg((code) == ACTA_OK, "%s", (err).text)

/* ---- events ---- */

static bool
same_uuid(const uint8_t *a, const uint8_t *b)
{
    return (a == NULL) == (b == NULL) &&
           (a == NULL || memcmp(a, b, UUID_SIZE) == 0);
}

static void
compare_event(const struct event *got, const struct event *wanted)
{
    ck_assert_uint_eq(got->position, wanted->position);
    ck_assert_uint_eq(got->version, wanted->version);
    ck_assert_uint_eq(got->time_us, wanted->time_us);
    ck_assert(slice_equal(got->stream, wanted->stream));
    ck_assert(slice_equal(got->type, wanted->type));
    ck_assert(same_uuid(got->id, wanted->id));
    ck_assert(same_uuid(got->correlation_id, wanted->correlation_id));
    ck_assert(same_uuid(got->causation_id, wanted->causation_id));
    ck_assert_uint_eq(got->tags_count, wanted->tags_count);
    ck_assert(slice_equal(got->tags, wanted->tags));
    ck_assert_int_eq(got->format, wanted->format);
    ck_assert(slice_equal(got->metadata, wanted->metadata));
    ck_assert(slice_equal(got->data, wanted->data));
}

/* Take the next event off the front of a page. */
static void
next_event(struct slice *events, struct event *event)
{
    ck_assert_int_eq(msg_next_event(events, event, NULL), ACTA_OK);
}

static struct read_bounds
draw_bounds(struct history *history)
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

/* Up to where a read goes; 0: to the end. */
static uint64_t
draw_last(struct history *history, bool backward)
{
    return backward || rnd_once_in(&history->rnd, 2)
               ? 0
               : 1 + rnd_below(&history->rnd, history->model.count + 2);
}

/* The next position that is wanted; 0 if there is none up to @last. */
static uint64_t
next_up_to(const struct history *history, const struct query *query,
           uint64_t from, bool backward, uint64_t last)
{
    uint64_t next =
        model_next(&history->model, query, from, backward, history->now_us);

    return last > 0 && next > last ? 0 : next;
}

/* Read by a random query from a random place to the end, page by page. */
static void
ask_query(struct history *history)
{
    const struct model *model = &history->model;
    bool backward = rnd_once_in(&history->rnd, 2);
    uint64_t from = rnd_below(&history->rnd, model->count + 2);
    uint64_t last = draw_last(history, backward);
    struct read_result result = {0};
    struct query query;
    struct buf out;
    uint64_t wanted;

    draw_query(history, &query);
    buf_init(&out, PAGE_ROOM);
    wanted = next_up_to(history, &query, from, backward, last);
    while (!result.at_end) {
        struct read_bounds bounds = draw_bounds(history);
        struct slice events;
        struct acta_err err;

        bounds.last = last;
        buf_clear(&out);
        assert_ok(reader_read_all(history->db.reader, &query, from, backward,
                                  &bounds, &out, &result, &err),
                  err);
        ck_assert_uint_eq(result.head, model->count);
        ck_assert_uint_le(result.events_count, bounds.events_max);
        events = buf_slice(&out);
        for (size_t i = 0; i < result.events_count; i++) {
            struct event event;

            next_event(&events, &event);
            ck_assert_uint_eq(event.position, wanted);
            compare_event(&event, model_at(model, wanted));
            wanted = next_up_to(history, &query, wanted, backward, last);
        }
        ck_assert_uint_eq(events.size, 0);
        ck_assert(last == 0 || result.next <= last || result.next == from);
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

/* The next version behind @version that is to be seen; 0 if there is none. */
static uint64_t
next_seen(const struct history *history, struct slice stream, uint64_t version,
          bool backward)
{
    const struct event *event;

    do {
        version += backward ? (uint64_t)-1 : 1;
        event = model_event_of(&history->model, stream, version);
    } while (event != NULL &&
             model_hides(&history->model, event->position, history->now_us));
    return event == NULL ? 0 : version;
}

static void
ask_stream(struct history *history)
{
    bool backward = rnd_once_in(&history->rnd, 2);
    struct read_result result = {0};
    char text[HISTORY_TEXT_SIZE];
    struct slice stream = draw_stream(history, text);
    uint64_t version = model_version(&history->model, stream);
    uint64_t from = rnd_below(&history->rnd, version + 2);
    bool from_end = backward && (from == 0 || from > version);
    uint64_t wanted =
        next_seen(history, stream, from_end ? version + 1 : from, backward);
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    while (!result.at_end) {
        struct read_bounds bounds = draw_bounds(history);
        struct slice events;
        struct acta_err err;

        buf_clear(&out);
        assert_ok(reader_read_stream(history->db.reader, stream, from, backward,
                                     &bounds, &out, &result, &err),
                  err);
        ck_assert_uint_eq(result.version, version);
        events = buf_slice(&out);
        for (size_t i = 0; i < result.events_count; i++) {
            struct event event;

            next_event(&events, &event);
            ck_assert_uint_eq(event.version, wanted);
            compare_event(&event,
                          model_event_of(&history->model, stream, wanted));
            wanted = next_seen(history, stream, wanted, backward);
        }
        ck_assert(result.at_end || result.next != from ||
                  result.events_count > 0);
        from = result.next;
    }
    ck_assert_uint_eq(wanted, 0);
    buf_fini(&out);
}

static void
ask_id(struct history *history)
{
    const struct model *model = &history->model;
    struct read_bounds bounds = {.events_max = 1000, .bytes_max = UINT64_MAX};
    struct uuid id = draw_id(history);
    struct read_result result;
    size_t wanted = 0;
    struct slice events;
    enum acta_code code;
    struct buf out;

    for (uint64_t p = 1; p <= model->count; p++) {
        wanted += memcmp(model_at(model, p)->id, id.bytes, UUID_SIZE) == 0 &&
                  !model_hides(model, p, history->now_us);
    }
    buf_init(&out, PAGE_ROOM);
    code = reader_read_id(history->db.reader, id.bytes, &bounds, &out, &result,
                          NULL);
    ck_assert_int_eq(code, wanted > 0 ? ACTA_OK : ACTA_NOT_FOUND);
    ck_assert_uint_eq(result.events_count, wanted);
    events = buf_slice(&out);
    for (size_t i = 0; i < result.events_count; i++) {
        struct event event;

        next_event(&events, &event);
        compare_event(&event, model_at(model, event.position));
        ck_assert_mem_eq(event.id, id.bytes, UUID_SIZE);
    }
    buf_fini(&out);
}

static void
ask_event(struct history *history)
{
    const struct model *model = &history->model;
    char text[HISTORY_TEXT_SIZE];
    struct slice stream = draw_stream(history, text);
    uint64_t version =
        rnd_below(&history->rnd, model_version(model, stream) + 2);
    const struct event *wanted = model_event_of(model, stream, version);
    struct read_result result;
    enum acta_code code;
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    code = reader_read_event(history->db.reader, stream, version, &out, &result,
                             NULL);
    if (wanted == NULL ||
        model_hides(model, wanted->position, history->now_us)) {
        ck_assert_int_eq(code, ACTA_NOT_FOUND);
    } else {
        struct slice events = buf_slice(&out);
        struct event event;

        ck_assert_int_eq(code, ACTA_OK);
        next_event(&events, &event);
        compare_event(&event, wanted);
    }
    buf_fini(&out);
}

void
ask_unseen(struct history *history, const struct msg_append *append)
{
    const struct model *model = &history->model;
    struct read_bounds bounds = draw_bounds(history);
    uint64_t wanted = model_next_unseen(model, append, 0, history->now_us);
    struct unseen_result result;
    struct slice events;
    struct acta_err err;
    struct buf out;

    reader_set_time(history->db.reader, history->now_us);
    buf_init(&out, PAGE_ROOM);
    assert_ok(reader_read_unseen(history->db.reader, append, &bounds, &out,
                                 &result, &err),
              err);
    ck_assert_uint_eq(result.head, model->count);
    ck_assert_uint_le(result.events_count, bounds.events_max);
    events = buf_slice(&out);
    for (size_t i = 0; i < result.events_count; i++) {
        struct event event;

        next_event(&events, &event);
        ck_assert_uint_eq(event.position, wanted);
        compare_event(&event, model_at(model, wanted));
        wanted = model_next_unseen(model, append, wanted, history->now_us);
    }
    ck_assert_uint_eq(events.size, 0);
    ck_assert(!result.complete || wanted == 0);
    ck_assert(result.complete || result.events_count > 0 ||
              model->count > HISTORY_DECIDED_MAX);
    buf_fini(&out);
}

/* ---- lists ---- */

static void
compare_stream(const struct msg_stream *got, const struct msg_stream *wanted)
{
    ck_assert_uint_eq(got->version, wanted->version);
    ck_assert_uint_eq(got->first_time_us, wanted->first_time_us);
    ck_assert_uint_eq(got->last_time_us, wanted->last_time_us);
    ck_assert_uint_eq(got->last_position, wanted->last_position);
    ck_assert_int_eq(got->state, wanted->state);
    ck_assert_uint_eq(got->settings.truncate_before,
                      wanted->settings.truncate_before);
    ck_assert_uint_eq(got->settings.max_count, wanted->settings.max_count);
    ck_assert_uint_eq(got->settings.max_age_us, wanted->settings.max_age_us);
}

static void
ask_description(struct history *history)
{
    char text[HISTORY_TEXT_SIZE];
    struct slice stream = draw_stream(history, text);
    struct msg_description wanted =
        model_describe(&history->model, stream, history->now_us);
    struct msg_description got;
    struct acta_err err;

    assert_ok(reader_describe_stream(history->db.reader, stream, &got, &err),
              err);
    compare_stream(&got.stream, &wanted.stream);
    ck_assert_uint_eq(got.first_version, wanted.first_version);
}

/* Keep a name whose bytes will be overwritten. */
static struct slice
keep(char text[static HISTORY_TEXT_SIZE], struct slice name)
{
    ck_assert_uint_lt(name.size, HISTORY_TEXT_SIZE);
    memcpy(text, name.data, name.size);
    return slice_make(text, name.size);
}

static struct slice
draw_listed(struct history *history)
{
    static const char *const prefixes[] = {"",  "a", "order-1", "nothing",
                                           "M", "b", "customer"};

    return slice_of(prefixes[rnd_below(&history->rnd, 7)]);
}

/* Every stream once, in order, with what the model knows of it. */
static void
ask_streams(struct history *history)
{
    const struct model *model = &history->model;
    struct slice prefix = draw_listed(history);
    char text[HISTORY_TEXT_SIZE];
    struct slice after = SLICE_NONE;
    size_t listed = 0, wanted = 0;
    bool at_end = false;
    struct buf out;

    for (uint64_t p = 1; p <= model->count; p++) {
        wanted += model_at(model, p)->version == 1 &&
                  slice_starts_with(model_at(model, p)->stream, prefix);
    }
    buf_init(&out, PAGE_ROOM);
    while (!at_end) {
        struct slice streams;
        struct acta_err err;
        size_t count;

        buf_clear(&out);
        assert_ok(reader_list_streams(history->db.reader, prefix, after,
                                      1 + rnd_below(&history->rnd, 9), &out,
                                      &count, &at_end, &err),
                  err);
        streams = buf_slice(&out);
        for (size_t i = 0; i < count; i++) {
            struct msg_stream stream = msg_next_stream(&streams);
            struct msg_description known =
                model_describe(model, stream.name, history->now_us);

            ck_assert_int_gt(slice_compare(stream.name, after), 0);
            ck_assert(slice_starts_with(stream.name, prefix));
            compare_stream(&stream, &known.stream);
            after = keep(text, stream.name);
            listed++;
        }
        ck_assert_uint_eq(streams.size, 0);
    }
    ck_assert_uint_eq(listed, wanted);
    buf_fini(&out);
}

static void
compare_name(const struct msg_name *got, const struct msg_name *wanted)
{
    ck_assert(slice_equal(got->name, wanted->name));
    ck_assert_uint_eq(got->count, wanted->count);
    ck_assert_uint_eq(got->first_time_us, wanted->first_time_us);
    ck_assert_uint_eq(got->last_time_us, wanted->last_time_us);
    ck_assert_uint_eq(got->last_position, wanted->last_position);
}

static void
ask_names(struct history *history)
{
    enum msg_name_kind kind = (enum msg_name_kind)rnd_below(&history->rnd, 3);
    struct slice prefix = draw_listed(history);
    struct msg_name wanted =
        model_next_name(&history->model, kind, prefix, SLICE_NONE);
    char text[HISTORY_TEXT_SIZE];
    struct slice after = SLICE_NONE;
    bool at_end = false;
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    while (!at_end) {
        struct slice names;
        struct acta_err err;
        size_t count;

        buf_clear(&out);
        assert_ok(reader_list_names(history->db.reader, kind, prefix, after,
                                    1 + rnd_below(&history->rnd, 4), &out,
                                    &count, &at_end, &err),
                  err);
        names = buf_slice(&out);
        for (size_t i = 0; i < count; i++) {
            struct msg_name name = msg_next_name(&names);

            compare_name(&name, &wanted);
            after = keep(text, name.name);
            wanted = model_next_name(&history->model, kind, prefix, after);
        }
        ck_assert_uint_eq(names.size, 0);
    }
    ck_assert_uint_eq(wanted.count, 0);
    buf_fini(&out);
}

static void
ask_time(struct history *history)
{
    const struct model *model = &history->model;
    uint64_t time_us = history->now_us, position;
    struct acta_err err;

    if (model->count > 0) {
        position = 1 + rnd_below(&history->rnd, model->count);
        time_us = model_at(model, position)->time_us +
                  rnd_below(&history->rnd, 3) - 1;
    }
    assert_ok(reader_find_time(history->db.reader, time_us, &position, &err),
              err);
    ck_assert_uint_eq(position, model_find_time(model, time_us));
}

/* ---- files ---- */

/* The bytes of all files: nftw() passes nothing on. */
static struct files {
    uint8_t *data; /* owned */
    size_t size;
} files;

static void
wait_for_erasures(struct history *history)
{
    struct database_stats stats;
    int looks = 0;

    do {
        ck_assert_int_lt(looks++, LOOKS_MAX);
        (void)poll(NULL, 0, LOOK_MS);
        database_stats(history->db.database, &stats);
    } while (stats.erasures_pending > 0);
}

static int
look_into_file(const char *path, const struct stat *stat, int type,
               struct FTW *ftw)
{
    FILE *file;

    (void)ftw;
    if (type == FTW_F && stat->st_size > 0) {
        file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        files.data = realloc(files.data, files.size + (size_t)stat->st_size);
        files.size +=
            fread(files.data + files.size, 1, (size_t)stat->st_size, file);
        fclose(file);
    }
    return 0;
}

static bool
is_in_files(const uint8_t *sample)
{
    return memmem(files.data, files.size, sample, HISTORY_ERASED_SIZE) != NULL;
}

/* The newest event that is to be read has its data in a file: else nothing is
 * said by what is not found.
 */
static void
look_for_newest(const struct history *history)
{
    const struct model *model = &history->model;

    for (uint64_t p = model->count; p > 0; p--) {
        const struct event *event = model_at(model, p);

        if (event->data.size >= HISTORY_ERASED_SIZE &&
            !model_hides(model, p, history->now_us)) {
            ck_assert(is_in_files(event->data.data));
            return;
        }
    }
}

void
ask_files(struct history *history)
{
    const struct history_erased *erased = &history->erased;
    size_t count =
        erased->count < HISTORY_ERASED ? erased->count : HISTORY_ERASED;

    db_reopen(&history->db); /* All goes to the store. */
    wait_for_erasures(history);
    files = (struct files){0};
    ck_assert_int_eq(nftw(history->db.path, look_into_file, 16, FTW_PHYS), 0);
    look_for_newest(history);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(!is_in_files(erased->samples[i]),
                      "erased data is still in a file");
    }
    free(files.data);
}

/* ---- all of them ---- */

void
ask(struct history *history)
{
    static void (*const questions[])(struct history *) = {
        ask_query,  ask_query,   ask_query,       ask_stream,
        ask_stream, ask_event,   ask_id,          ask_names,
        ask_time,   ask_streams, ask_description,
    };
    size_t count = sizeof(questions) / sizeof(questions[0]);

    reader_set_time(history->db.reader, history->now_us);
    questions[rnd_below(&history->rnd, count)](history);
}
