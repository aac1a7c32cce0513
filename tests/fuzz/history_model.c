#include "history_model.h"

#include <string.h>

#include "fuzz.h"

#define KNOWN_MAX  2000 /* Events that are remembered, */
#define SEEN_MAX   2000 /* and that are compared with one another. */
#define PAGE_MAX   ((size_t)1 << 26)
#define PAGE_COUNT 100

struct place {
    uint64_t position;
    uint64_t version;
    uint8_t stream;
    uint8_t id;
    bool is_read; /* By this check. */
};

struct seen {
    struct slice stream; /* In the copy of all pages. */
    uint64_t version;
    const uint8_t *id;
};

static struct place known[KNOWN_MAX];
static size_t known_count;
static bool may_hide;

struct slice
history_stream(uint8_t number)
{
    static const char *const names[HISTORY_STREAMS] = {"a-0", "a-1", "b-2",
                                                       "b-3"};

    return slice_of(names[number % HISTORY_STREAMS]);
}

void
history_id(uint8_t to[static 16], uint8_t number)
{
    memset(to, 0, 16);
    to[0] = 0xa7;
    to[15] = number;
}

void
history_clear(void)
{
    known_count = 0;
    may_hide = false;
}

void
history_may_hide(void)
{
    may_hide = true;
}

/* What is acknowledged a second time is where it was the first time. */
static void
remember(const struct place *place)
{
    for (size_t i = 0; i < known_count; i++) {
        if (known[i].position == place->position ||
            (known[i].stream == place->stream && known[i].id == place->id)) {
            FUZZ_PROMISE(memcmp(&known[i], place, sizeof(*place)) == 0);
            return;
        }
    }
    if (known_count < KNOWN_MAX) {
        known[known_count++] = *place;
    }
}

void
history_acknowledge(const struct history_append *append,
                    const struct msg_appended *appended)
{
    struct msg_appended left = *appended;
    uint8_t done = 0;

    for (size_t r = 0; r < appended->runs_count; r++) {
        struct msg_run run = msg_appended_next(&left);

        FUZZ_PROMISE(run.write == 0);
        FUZZ_PROMISE(run.count <= (uint64_t)(append->count - done));
        for (uint64_t i = 0; i < run.count; i++) {
            struct place place;

            memset(&place, 0, sizeof(place));
            place.position = run.first_position + i;
            place.version = run.first_version + i;
            place.stream = append->stream;
            place.id = (uint8_t)(append->id + done);
            remember(&place);
            done++;
        }
    }
    FUZZ_PROMISE(done == append->count);
}

static void
check_known(const struct event *event)
{
    for (size_t i = 0; i < known_count; i++) {
        struct place *place = &known[i];
        uint8_t id[16];

        if (place->position != event->position) {
            continue;
        }
        place->is_read = true;
        history_id(id, place->id);
        FUZZ_PROMISE(event->version == place->version);
        FUZZ_PROMISE(slice_equal(event->stream, history_stream(place->stream)));
        FUZZ_PROMISE(memcmp(event->id, id, sizeof(id)) == 0);
        if (event->format == EVENT_ERASED) {
            FUZZ_PROMISE(may_hide);
            FUZZ_PROMISE(event->data.size == 0);
        } else {
            FUZZ_PROMISE(slice_equal(event->data, slice_make(id, sizeof(id))));
        }
    }
}

/* Against all that came before: the last one of its stream, and all ids of it.
 */
static void
check_among(struct seen *seen, size_t count, const struct event *event)
{
    uint64_t version = 0;

    for (size_t i = 0; i < count; i++) {
        if (slice_equal(seen[i].stream, event->stream)) {
            version = seen[i].version;
            FUZZ_PROMISE(memcmp(seen[i].id, event->id, 16) != 0);
        }
    }
    FUZZ_PROMISE(event->version > version);
    FUZZ_PROMISE(may_hide || event->version == version + 1);
}

void
history_check(struct reader *reader)
{
    struct read_bounds bounds = {.events_max = PAGE_COUNT,
                                 .bytes_max = UINT64_MAX};
    static struct seen seen[SEEN_MAX];
    struct read_result result = {0};
    struct query all = QUERY_ALL;
    struct acta_err err;
    uint64_t position = 0;
    size_t count = 0;
    struct slice left;
    struct buf out;

    buf_init(&out, PAGE_MAX);
    do {
        FUZZ_PROMISE(reader_read_all(reader, &all, result.next, false, &bounds,
                                     &out, &result, &err) == ACTA_OK);
    } while (!result.at_end);
    for (size_t i = 0; i < known_count; i++) {
        known[i].is_read = false;
    }
    left = buf_slice(&out);
    while (left.size > 0) {
        struct event event;

        FUZZ_PROMISE(msg_next_event(&left, &event, &err) == ACTA_OK);
        FUZZ_PROMISE(event.position > position);
        FUZZ_PROMISE(may_hide || event.position == position + 1);
        position = event.position;
        check_known(&event);
        check_among(seen, count, &event);
        if (count < SEEN_MAX) {
            seen[count++] =
                (struct seen){event.stream, event.version, event.id};
        }
    }
    FUZZ_PROMISE(position <= result.head);
    FUZZ_PROMISE(may_hide || position == result.head);
    for (size_t i = 0; i < known_count; i++) {
        FUZZ_PROMISE(may_hide || known[i].is_read);
        known[i].is_read = false;
    }
    buf_fini(&out);
}
