#include "lane.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of lines that wait, and that one append takes: either may be passed by
 * one line.
 */
#define LINES_SIZE_MAX  (32u << 20)
#define APPEND_SIZE_MAX (8u << 20)

enum acta_code
lane_open(struct lane *lane, const struct acta_options *options, size_t batch,
          lane_on_refused *on_refused, void *user, struct acta_err *err)
{
    *lane = (struct lane){
        .capacity = 2 * batch, /* One in flight, one gathering. */
        .batch = batch,
        .limit = batch,
        .on_refused = on_refused,
        .user = user,
    };
    lane->lines = calloc(lane->capacity, sizeof(struct line *));
    lane->append = acta_append_new();
    if (lane->lines == NULL || lane->append == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    return acta_poll_open(&lane->loop, &lane->client, options, err);
}

static struct line *
line_at(const struct lane *lane, size_t index)
{
    return lane->lines[(lane->first + index) % lane->capacity];
}

static size_t
line_size(const struct line *line)
{
    return line->draft.data_size + line->draft.metadata_size;
}

/* Take the line at the front away and free it. */
static void
pop(struct lane *lane)
{
    struct line *line = line_at(lane, 0);

    lane->size -= line_size(line);
    lane->first = (lane->first + 1) % lane->capacity;
    lane->count--;
    line_free(line);
    free(line);
}

void
lane_close(struct lane *lane)
{
    acta_close(lane->client);
    while (lane->count > 0) {
        pop(lane);
    }
    acta_append_free(lane->append);
    free(lane->lines);
}

bool
lane_is_full(const struct lane *lane)
{
    return lane->count == lane->capacity || lane->size > LINES_SIZE_MAX;
}

void
lane_add(struct lane *lane, struct line *line)
{
    assert(!lane_is_full(lane));
    lane->lines[(lane->first + lane->count++) % lane->capacity] = line;
    lane->size += line_size(line);
}

void
lane_drop(struct lane *lane)
{
    while (lane->count > lane->flying) {
        struct line *line = line_at(lane, --lane->count);

        lane->size -= line_size(line);
        line_free(line);
        free(line);
    }
}

/* ---- sending ---- */

/* What the stream of line @index must be expected to be at, for the line to go
 * into one append with those before it: all writes to a stream expect the same,
 * what it was before the append. False: it has to wait for the next.
 */
static bool
expectation(const struct lane *lane, size_t index, bool any_expected,
            int64_t *expected)
{
    const struct line *line = line_at(lane, index);

    *expected = line->expected;
    if (!any_expected) {
        return true;
    }
    for (size_t i = 0; i < index; i++) {
        const struct line *before = line_at(lane, i);

        if (strcmp(before->stream, line->stream) == 0) {
            *expected = before->expected;
            return !line->has_expected;
        }
    }
    return true;
}

/* Fill the append with lines from the front. Returns how many. */
static size_t
fill(struct lane *lane)
{
    bool any_expected = false;
    size_t filled = 0;

    acta_append_clear(lane->append);
    while (filled < lane->count && filled < lane->limit) {
        const struct line *line = line_at(lane, filled);
        int64_t expected;

        any_expected |= line->has_expected;
        if (!expectation(lane, filled, any_expected, &expected) ||
            (filled > 0 && acta_append_size(lane->append) + line_size(line) >
                               APPEND_SIZE_MAX)) {
            break;
        }
        if (filled == 0 ||
            strcmp(line_at(lane, filled - 1)->stream, line->stream) != 0) {
            acta_append_stream(lane->append, line->stream, expected);
        }
        acta_append_event(lane->append, &line->draft);
        filled++;
    }
    return filled;
}

static bool
is_about_events(enum acta_code code)
{
    return code == ACTA_CONFLICT || code == ACTA_PARTIAL_REPEAT ||
           code == ACTA_ID_REUSED || code == ACTA_TOMBSTONED ||
           code == ACTA_INVALID || code == ACTA_TOO_LARGE;
}

/* The append was refused for what is in it. */
static void
refused(struct lane *lane, size_t count, const struct acta_err *err)
{
    if (count > 1) {
        lane->limit = count / 2;
        return;
    }
    lane->on_refused(lane->user, line_at(lane, 0), err);
    pop(lane);
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    struct lane *lane = user;
    size_t count = lane->flying;

    lane->flying = 0;
    if (err != NULL && is_about_events(err->code)) {
        struct acta_err told = *err;

        if (err->code == ACTA_ID_REUSED && appended->failures_count > 0) {
            acta_fail(&told, err->code,
                      "id: is that of version %ju of stream %s, which has "
                      "other content",
                      (uintmax_t)appended->failures[0]->actual,
                      line_at(lane, 0)->stream);
        }
        refused(lane, count, &told);
        return;
    }
    if (err != NULL) {
        lane->err = *err;
        return;
    }
    *(appended->repeated ? &lane->repeated : &lane->stored) += count;
    for (size_t i = 0; i < count; i++) {
        pop(lane);
    }
    lane->limit = lane->limit < lane->batch / 2 ? lane->limit * 2 : lane->batch;
}

void
lane_send(struct lane *lane, bool now)
{
    struct acta_err err = {ACTA_OK, ""};

    if (lane->flying > 0 || lane->count == 0 || lane->err.code != ACTA_OK ||
        (lane->count < lane->limit && !now && !lane_is_full(lane))) {
        return;
    }
    lane->flying = fill(lane);
    if (acta_append(lane->client, lane->append, 0, on_appended, lane, &err) ==
        0) {
        size_t count = lane->flying;

        lane->flying = 0;
        if (is_about_events(err.code)) {
            refused(lane, count, &err);
        } else {
            lane->err = err;
        }
        return;
    }
    acta_flush(lane->client);
}
