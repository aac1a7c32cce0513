#include <check.h>
#include <stdio.h>

#include "event.h"
#include "frame.h"
#include "limit.h"
#include "model_history.h"
#include "msg.h"
#include "pack.h"

#define WRITES_MAX     4
#define EVENTS_MAX     12
#define CHECKS_MAX     3
#define CONDITIONS_MAX 3
#define DATA_SIZE_MAX  600
#define HALF_SECOND_US 500000u

/* ---- names ---- */

struct slice
draw_stream(struct history *history, char text[static HISTORY_TEXT_SIZE])
{
    static const char *const categories[] = {"a", "ab", "order", "x"};

    snprintf(text, HISTORY_TEXT_SIZE, "%s%s%u",
             categories[rnd_below(&history->rnd, 4)],
             rnd_once_in(&history->rnd, 8) ? "" : "-",
             (unsigned)rnd_below(&history->rnd, 12));
    return slice_of(text);
}

static struct slice
draw_type(struct history *history)
{
    static const char *const types[] = {"Made", "Moved", "Paid", "Gone"};

    return slice_of(types[rnd_below(&history->rnd, 4)]);
}

/* The first tags are common, the last ones rare. */
static struct slice
draw_tag(struct history *history)
{
    static const char *const tags[] = {"red",        "blue",        "big",
                                       "customer:7", "customer:71", "rare"};
    uint64_t draw = rnd_below(&history->rnd, 40);

    return slice_of(tags[draw < 12   ? 0
                         : draw < 22 ? 1
                         : draw < 30 ? 2
                         : draw < 36 ? 3
                         : draw < 39 ? 4
                                     : 5]);
}

static struct slice
draw_prefix(struct history *history, enum query_field field)
{
    static const char *const types[] = {"M", "Mo", "Paid", "Nothing"};
    static const char *const streams[] = {"a", "a-", "order-1", "ab-1", "x-7"};

    return slice_of(field == QUERY_TYPES
                        ? types[rnd_below(&history->rnd, 4)]
                        : streams[rnd_below(&history->rnd, 5)]);
}

static const uint8_t *
draw_correlation(struct history *history)
{
    static const uint8_t ids[3][UUID_SIZE] = {{1}, {2}, {3}};

    return ids[rnd_below(&history->rnd, 3)];
}

static void
remember(struct history *history, struct uuid kept[static HISTORY_IDS],
         size_t *count, const struct uuid *id)
{
    size_t at = *count < HISTORY_IDS ? (*count)++
                                     : rnd_below(&history->rnd, HISTORY_IDS);

    kept[at] = *id;
}

struct uuid
draw_id(struct history *history)
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
    remember(history, history->ids, &history->ids_count, &id);
    return id;
}

static struct uuid
draw_command(struct history *history)
{
    struct uuid id;

    if (history->commands_count > 0 && rnd_once_in(&history->rnd, 3)) {
        return history
            ->commands[rnd_below(&history->rnd, history->commands_count)];
    }
    rnd_bytes(&history->rnd, &id, sizeof(id));
    remember(history, history->commands, &history->commands_count, &id);
    return id;
}

/* ---- queries ---- */

static void
write_term(struct history *history, struct buf *buf, enum query_field field)
{
    char text[HISTORY_TEXT_SIZE];

    switch (field) {
    case QUERY_CATEGORIES:
        pack_text(buf, rnd_once_in(&history->rnd, 2) ? "order" : "ab");
        break;
    case QUERY_TYPES:
        pack_str(buf, draw_type(history));
        break;
    case QUERY_TAGS:
        pack_str(buf, draw_tag(history));
        break;
    case QUERY_STREAMS:
        pack_str(buf, draw_stream(history, text));
        break;
    case QUERY_CORRELATION_IDS:
        pack_bin(buf, slice_make(draw_correlation(history), UUID_SIZE));
        break;
    case QUERY_FIELDS:
        break;
    }
}

static void
write_terms(struct history *history, struct buf *buf, enum query_field field)
{
    bool has_prefixes = field == QUERY_TYPES || field == QUERY_STREAMS;
    size_t count =
        rnd_once_in(&history->rnd, 2)
            ? 0
            : 1 + rnd_below(&history->rnd, field == QUERY_TAGS ? 2 : 3);

    pack_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        if (has_prefixes && rnd_once_in(&history->rnd, 3)) {
            pack_array(buf, 1);
            pack_str(buf, draw_prefix(history, field));
        } else {
            write_term(history, buf, field);
        }
    }
}

void
draw_query(struct history *history, struct query *query)
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

/* ---- appends ---- */

static void
write_event(struct history *history, struct buf *buf)
{
    struct uuid id = draw_id(history);
    struct slice tags[3];
    size_t tags_count = 0;
    uint8_t data[DATA_SIZE_MAX];
    struct event event = {
        .type = draw_type(history),
        .id = id.bytes,
        .format = EVENT_BINARY,
        .metadata = slice_of("{}"),
    };

    rnd_bytes(&history->rnd, data, sizeof(data));
    event.data = slice_make(data, rnd_below(&history->rnd, sizeof(data)));
    if (rnd_once_in(&history->rnd, 2)) {
        event.correlation_id = draw_correlation(history);
    }
    for (uint64_t i = rnd_below(&history->rnd, 4); i > 0; i--) {
        struct slice tag = draw_tag(history);
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

/* How an append repeats what is stored. */
enum retry { RETRY_WHOLE, RETRY_WITH_NEW, RETRY_REORDERED, RETRY_CHANGED };

/* A stored event once more, or other data under its id. */
static void
write_stored(struct history *history, struct buf *buf,
             const struct event *stored, bool is_changed)
{
    struct event event = *stored;
    struct slice tags[ACTA_TAGS_MAX], left = event.tags;
    uint8_t data[8];

    for (size_t i = 0; i < event.tags_count; i++) {
        tags[i] = event_tag(&left);
    }
    if (is_changed || event.format == EVENT_ERASED) {
        rnd_bytes(&history->rnd, data, sizeof(data));
        event.data = slice_make(data, sizeof(data));
        event.format = EVENT_BINARY;
    }
    event_encode_content(buf, &event, tags, event.tags_count);
}

static size_t
swapped(size_t i, bool is_swapped)
{
    return is_swapped && i < 2 ? 1 - i : i;
}

/* A write of events that are stored one behind the other in a stream. */
static void
write_retry(struct history *history, struct buf *buf)
{
    const struct model *model = &history->model;
    enum retry retry = (enum retry)rnd_below(&history->rnd, 4);
    const struct event *first =
        model_at(model, 1 + rnd_below(&history->rnd, model->count));
    uint64_t left = model_version(model, first->stream) - first->version;
    size_t count = 1 + rnd_below(&history->rnd, left < 4 ? left + 1 : 4);
    bool is_swapped = retry == RETRY_REORDERED && count > 1;

    msg_append_write(buf, first->stream, MSG_EXPECT_ANY,
                     count + (retry == RETRY_WITH_NEW));
    for (size_t i = 0; i < count; i++) {
        uint64_t version = first->version + swapped(i, is_swapped);

        write_stored(history, buf,
                     model_event_of(model, first->stream, version),
                     retry == RETRY_CHANGED && i + 1 == count);
    }
    if (retry == RETRY_WITH_NEW) {
        write_event(history, buf);
    }
}

static int64_t
draw_expected(struct history *history, struct slice stream)
{
    int64_t version = (int64_t)model_version(&history->model, stream);

    switch (rnd_below(&history->rnd, 10)) {
    case 0:
        return MSG_EXPECT_EXISTS;
    case 1:
        return version + 1;
    case 2:
        return version > 0 ? version - 1 : 0;
    case 3:
        return 0;
    case 4:
    case 5:
        return version;
    default:
        return MSG_EXPECT_ANY;
    }
}

/* A write of new events, but for an id now and then. */
static void
write_new(struct history *history, struct buf *buf)
{
    char text[HISTORY_TEXT_SIZE];
    struct slice stream = draw_stream(history, text);
    size_t events = 1 + rnd_below(&history->rnd, EVENTS_MAX);

    msg_append_write(buf, stream, draw_expected(history, stream), events);
    for (size_t e = 0; e < events; e++) {
        write_event(history, buf);
    }
}

/* Mostly around the last event that matches, where right and wrong meet. */
static uint64_t
draw_after(struct history *history, const struct query *query)
{
    uint64_t last =
        model_next(&history->model, query, 0, true, history->now_us);

    switch (rnd_below(&history->rnd, 8)) {
    case 0:
        return rnd_below(&history->rnd, history->model.count + 3);
    case 1:
        return last > 0 ? last - 1 : 0;
    case 2:
        return UINT64_MAX;
    default:
        return last;
    }
}

/* What an append says besides its writes, and the memory of it. */
struct more {
    struct msg_append_more more;
    struct uuid command;
    struct msg_check checks[CHECKS_MAX];
    char names[CHECKS_MAX][HISTORY_TEXT_SIZE];
    struct msg_condition conditions[CONDITIONS_MAX];
};

static void
draw_more(struct history *history, struct more *drawn)
{
    struct msg_append_more *more = &drawn->more;

    *more = (struct msg_append_more){
        .checks = drawn->checks,
        .conditions = drawn->conditions,
    };
    if (rnd_once_in(&history->rnd, 5)) {
        more->checks_count = 1 + rnd_below(&history->rnd, CHECKS_MAX);
    }
    for (size_t i = 0; i < more->checks_count; i++) {
        struct slice stream = draw_stream(history, drawn->names[i]);

        drawn->checks[i] =
            (struct msg_check){stream, draw_expected(history, stream)};
    }
    if (rnd_once_in(&history->rnd, 4)) {
        more->conditions_count = 1 + rnd_below(&history->rnd, CONDITIONS_MAX);
    }
    for (size_t i = 0; i < more->conditions_count; i++) {
        struct msg_condition *condition = &drawn->conditions[i];

        draw_query(history, &condition->query);
        condition->after = draw_after(history, &condition->query);
    }
    if (rnd_once_in(&history->rnd, 5)) {
        drawn->command = draw_command(history);
        more->command_id = drawn->command.bytes;
    }
}

void
draw_append(struct history *history, struct buf *body)
{
    size_t writes = rnd_once_in(&history->rnd, 3)
                        ? 1 + rnd_below(&history->rnd, WRITES_MAX)
                        : 1;
    struct more drawn;
    size_t start;

    buf_clear(body);
    start = msg_append_begin(body, 1, writes);
    for (size_t w = 0; w < writes; w++) {
        if (history->model.count > 0 && rnd_once_in(&history->rnd, 8)) {
            write_retry(history, body);
        } else {
            write_new(history, body);
        }
    }
    draw_more(history, &drawn);
    msg_append_end(body, start, &drawn.more);
    ck_assert(!buf_failed(body));
    buf_consume(body, FRAME_HEADER_SIZE);
    for (size_t i = 0; i < drawn.more.conditions_count; i++) {
        query_fini(&drawn.conditions[i].query);
    }
}

/* ---- changes ---- */

static enum msg_change_kind
draw_kind(struct history *history)
{
    uint64_t draw = rnd_below(&history->rnd, 20);

    return draw < 1    ? MSG_TOMBSTONE
           : draw < 5  ? MSG_DELETE
           : draw < 10 ? MSG_ERASE
                       : MSG_SET;
}

void
draw_change(struct history *history, struct buf *body)
{
    char text[HISTORY_TEXT_SIZE];
    struct slice stream = draw_stream(history, text);
    uint64_t version = model_version(&history->model, stream);
    struct msg_change change = {
        .kind = draw_kind(history),
        .stream = stream,
        .expected = rnd_once_in(&history->rnd, 3)
                        ? draw_expected(history, stream)
                        : MSG_EXPECT_ANY,
    };

    if (change.kind == MSG_SET) {
        change.given = 1 + (unsigned)rnd_below(&history->rnd, 7);
    } else if (change.kind == MSG_ERASE) {
        change.version = rnd_below(&history->rnd, version + 2);
    }
    if (change.given & MSG_HAS_TRUNCATE_BEFORE) {
        change.settings.truncate_before = rnd_below(&history->rnd, version + 3);
    }
    if (change.given & MSG_HAS_MAX_COUNT) {
        change.settings.max_count = rnd_below(&history->rnd, 12);
    }
    if (change.given & MSG_HAS_MAX_AGE) {
        change.settings.max_age_us =
            rnd_below(&history->rnd, 200) * HALF_SECOND_US;
    }
    buf_clear(body);
    msg_change_encode(body, 1, &change);
    ck_assert(!buf_failed(body));
    buf_consume(body, FRAME_HEADER_SIZE);
}
