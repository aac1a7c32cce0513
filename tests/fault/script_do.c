#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "consumer.h"
#include "fake_clock.h"
#include "journal.h"
#include "lease.h"
#include "msg.h"
#include "nap.h"
#include "reader.h"
#include "row.h"
#include "script_inside.h"

#define ANY           MSG_EXPECT_ANY
#define START_US      UINT64_C(1700000000000000)
#define STEP_US       UINT64_C(1000000)
#define DUE_STEPS     3 /* From being scheduled to being due. */
#define FAR_US        UINT64_C(86400000000)
#define LOOK_US       200
#define CHECKPOINT_AT 24 /* Events. */
#define SWEEP_MS      20

/* ---- the database ---- */

void
script_init(struct base *base, const char *path)
{
    base_init_at(base, path);
    base->options.checkpoint_events = CHECKPOINT_AT;
    base->options.checkpoint_journal = 2 * JOURNAL_SEGMENT_SIZE_MIN;
    base->options.sweep_interval_ms = SWEEP_MS;
}

void
script_set_time(unsigned step)
{
    fake_clock_set(START_US + step * STEP_US);
}

/* ---- doing it ---- */

static enum acta_code
run(struct base *base, struct job *job)
{
    enum acta_code code = base_decide(base, job);

    job_free(job);
    return code;
}

/* Append the events of @step to one stream each, all in one append, with what
 * it carries besides.
 */
static enum acta_code
append(struct base *base, unsigned step, const struct msg_append_more *more)
{
    struct msg_append_more carried = {.command_id = NULL};
    struct draft_write writes[SCRIPT_JOBS];
    struct draft drafts[SCRIPT_JOBS];
    static struct line lines[SCRIPT_JOBS];
    unsigned count = 0, writes_count = 0;
    struct uuid command;

    if (more != NULL) {
        carried = *more;
    }
    if (script_command(step, &command)) {
        carried.command_id = command.bytes;
    }
    while (count < SCRIPT_JOBS && script_line(&lines[count], step, count)) {
        drafts[count] = (struct draft){
            .id = lines[count].id,
            .type = step % 2 == 0 ? "Placed" : "Paid",
            .tags = {step % 3 == 0 ? "customer:7" : NULL},
            .data = slice_make(lines[count].data, lines[count].size),
        };
        if (count > 0 &&
            strcmp(lines[count].stream, lines[count - 1].stream) == 0) {
            writes[writes_count - 1].count++;
        } else {
            writes[writes_count++] = (struct draft_write){
                lines[count].stream, ANY, &drafts[count], 1};
        }
        count++;
    }
    return run(base, draft_append_with(writes, writes_count, &carried));
}

/* Append each event of @step on its own, all at once. */
static enum acta_code
append_together(struct base *base, unsigned step,
                uint64_t cuts[static SCRIPT_JOBS], size_t *cuts_count)
{
    enum acta_code code = ACTA_OK;
    unsigned waiting = 0, done = 0;
    static struct line line;
    struct answers answers;

    answers_init(&answers);
    for (unsigned i = 0; script_line(&line, step, i); i++) {
        struct draft draft = {.id = line.id,
                              .data = slice_make(line.data, line.size)};
        struct draft_write write = {line.stream, ANY, &draft, 1};
        struct job *job = draft_append(&write, 1);

        job->completions = &answers.completions;
        code = database_submit(base->database, job);
        ck_assert_int_eq(code, ACTA_OK);
        waiting++;
    }
    while (waiting > 0) {
        struct job *job = answers_take(&answers);

        while (job != NULL) {
            struct job *next = job->next;

            if (job->outcome.code != ACTA_OK) {
                code = job->outcome.code;
            } else if (++done < SCRIPT_JOBS) {
                cuts[(*cuts_count)++] = job->outcome.runs[0].first_position;
            }
            job_free(job);
            waiting--;
            job = next;
        }
    }
    answers_fini(&answers);
    return done == SCRIPT_JOBS ? ACTA_OK : done == 0 ? code : ACTA_UNKNOWN;
}

/* Copy a row's value into @value. It is there, unless it cannot be read. */
static enum acta_code
get_row(struct base *base, enum row_kind kind, const char *name,
        struct buf *value)
{
    struct reader *reader;
    enum acta_code code;
    bool found = false;

    code = reader_open(&reader, base->database, NULL);
    if (code != ACTA_OK) {
        return code;
    }
    code = reader_get_row(reader, kind, slice_of(name), value, &found, NULL);
    ck_assert_msg(found || code != ACTA_OK, "there is no %s", name);
    reader_close(reader);
    return code;
}

static enum acta_code
claim(struct base *base, unsigned step)
{
    char name[32];
    struct msg_change_consumer change = {
        .kind = MSG_CONSUMER_CLAIM,
        .query = QUERY_ALL,
    };

    snprintf(name, sizeof(name), "reader-%u", script_round(step));
    change.name = slice_of(name);
    return run(base, draft_consumer(&change));
}

static enum acta_code
move(struct base *base, unsigned step)
{
    struct msg_checkpoint checkpoint = {.to = step};
    struct msg_append_more more = {.checkpoints = &checkpoint,
                                   .checkpoints_count = 1};
    struct checkpoint_row row;
    enum acta_code code;
    struct buf value;
    char name[32];

    snprintf(name, sizeof(name), "reader-%u", script_round(step));
    buf_init(&value, SIZE_MAX);
    code = get_row(base, ROW_CHECKPOINT, name, &value);
    if (code == ACTA_OK) {
        ck_assert_int_eq(checkpoint_decode(&row, buf_slice(&value), NULL),
                         ACTA_OK);
        checkpoint.consumer = slice_of(name);
        checkpoint.epoch = row.epoch;
        code = append(base, step, &more);
    }
    buf_fini(&value);
    return code;
}

static const char *
group_of(unsigned step)
{
    static char name[32];

    snprintf(name, sizeof(name), "group-%u", script_round(step));
    return name;
}

static enum acta_code
create_group(struct base *base, unsigned step)
{
    struct slice category = slice_of(SCRIPT_WORK);
    struct query_item item = {
        .fields = {[QUERY_CATEGORIES] = {.texts = &category, .count = 1}},
    };
    struct msg_change_consumer change = {
        .name = slice_of(group_of(step)),
        .kind = MSG_CONSUMER_CREATE,
        .query = {&item, 1, NULL},
        .settings = {.deliveries_max = step, .on_park = MSG_PARK_GOES_ON},
        .given = MSG_HAS_DELIVERIES_MAX | MSG_HAS_ON_PARK,
    };

    return run(base, draft_consumer(&change));
}

static enum acta_code
acquire(struct base *base, unsigned step)
{
    uint8_t claim[UUID_SIZE];
    char name[32];
    struct msg_change_lease change = {
        .kind = MSG_LEASE_ACQUIRE,
        .holder = slice_of("somebody"),
        .claim = claim,
        .duration_us = FAR_US,
    };

    memset(claim, (int)step, sizeof(claim));
    snprintf(name, sizeof(name), "lease-%u", script_round(step));
    change.name = slice_of(name);
    return run(base, draft_lease(&change));
}

static enum acta_code
release(struct base *base, unsigned step)
{
    struct msg_change_lease change = {.kind = MSG_LEASE_RELEASE};
    enum acta_code code;
    struct lease lease;
    struct buf value;
    char name[32];

    snprintf(name, sizeof(name), "lease-%u", script_round(step));
    buf_init(&value, SIZE_MAX);
    code = get_row(base, ROW_LEASE, name, &value);
    if (code == ACTA_OK) {
        ck_assert_int_eq(lease_decode(&lease, buf_slice(&value), NULL),
                         ACTA_OK);
        change.name = slice_of(name);
        change.fence = lease.fence;
        code = run(base, draft_lease(&change));
    }
    buf_fini(&value);
    return code;
}

static enum acta_code
put_snapshot(struct base *base, unsigned step)
{
    static struct line line;
    struct msg_snapshot snapshot = {.stream = slice_of("order-1"),
                                    .version = 1};
    struct msg_append_more more = {.snapshots = &snapshot,
                                   .snapshots_count = 1};

    script_write_line(&line, step, 0, "none", 0, SCRIPT_SMALL_MAX);
    snapshot.data = slice_make(line.data, line.size);
    return run(base, draft_append_with(NULL, 0, &more));
}

/* Schedule what @step adds, for @due_us. */
static enum acta_code
schedule(struct base *base, const char *name, unsigned step, uint64_t due_us)
{
    struct msg_schedule schedule = {.name = slice_of(name), .due_us = due_us};
    struct msg_append_more more = {.schedules = &schedule,
                                   .schedules_count = 1};
    struct draft draft;
    struct draft_write write = {NULL, ANY, &draft, 1};
    static struct line line;
    enum acta_code code;
    struct buf writes;

    if (!script_line(&line, step, 0)) {
        script_write_line(&line, step, 0, "late", 0,
                          script_small_size(step, 0));
    }
    draft =
        (struct draft){.id = line.id, .data = slice_make(line.data, line.size)};
    write.stream = line.stream;
    buf_init(&writes, SIZE_MAX);
    schedule.writes = draft_writes(&writes, &write, 1);
    code = run(base, draft_append_with(NULL, 0, &more));
    buf_fini(&writes);
    return code;
}

static enum acta_code
cancel(struct base *base)
{
    struct slice name = slice_of("far");
    struct msg_append_more more = {.cancellations = &name,
                                   .cancellations_count = 1};

    return run(base, draft_append_with(NULL, 0, &more));
}

/* Can the stream be read, and does it have events? */
static bool
has_events(struct base *base, const char *stream)
{
    struct msg_description description;
    struct reader *reader;
    enum acta_code code;

    if (reader_open(&reader, base->database, NULL) != ACTA_OK) {
        return false;
    }
    code = reader_describe_stream(reader, slice_of(stream), &description, NULL);
    reader_close(reader);
    return code == ACTA_OK && description.stream.version > 0;
}

/* The clock has come to where it is due. */
static enum acta_code
be_due(struct base *base, unsigned step, unsigned patience_ms)
{
    static struct line line;
    uint64_t looks = patience_ms * UINT64_C(1000) / LOOK_US;

    (void)script_line(&line, step, 0);
    while (!has_events(base, line.stream) && looks > 0) {
        nap_us(LOOK_US);
        looks--;
    }
    return looks > 0 ? ACTA_OK : ACTA_UNKNOWN;
}

static enum acta_code
change(struct base *base, unsigned step, struct msg_change change)
{
    char name[32];

    snprintf(name, sizeof(name), "changed-%u", script_round(step));
    change.stream = slice_of(name);
    change.expected = ANY;
    return run(base, draft_change(&change));
}

enum acta_code
script_do(struct base *base, unsigned step, unsigned patience_ms,
          uint64_t cuts[static SCRIPT_JOBS], size_t *cuts_count)
{
    enum acta_code code = ACTA_INVALID;

    *cuts_count = 0;
    script_set_time(step);
    switch (script_kind(step)) {
    case APPEND:
    case APPEND_LARGE:
    case APPEND_TO_TWO:
    case ADD_WORK:
    case ADD_TO_CHANGED:
        code = append(base, step, NULL);
        break;
    case APPEND_TOGETHER:
        code = append_together(base, step, cuts, cuts_count);
        break;
    case CLAIM:
        code = claim(base, step);
        break;
    case MOVE:
        code = move(base, step);
        break;
    case CREATE_GROUP:
        code = create_group(base, step);
        break;
    case HANDLE:
        code = script_handle(base, step, group_of(step), patience_ms);
        break;
    case DROP_PARKED:
        code = script_drop_parked(base, group_of(step), patience_ms);
        break;
    case ACQUIRE:
        code = acquire(base, step);
        break;
    case RELEASE:
        code = release(base, step);
        break;
    case SNAPSHOT:
        code = put_snapshot(base, step);
        break;
    case SCHEDULE:
        code = schedule(base, "soon", step + DUE_STEPS,
                        START_US + (step + DUE_STEPS) * STEP_US);
        break;
    case SCHEDULE_FAR:
        code = schedule(base, "far", step, START_US + FAR_US);
        break;
    case CANCEL:
        code = cancel(base);
        break;
    case BE_DUE:
        code = be_due(base, step, patience_ms);
        break;
    case TRUNCATE:
        code = change(base, step,
                      (struct msg_change){.kind = MSG_SET,
                                          .settings = {.max_count = 2},
                                          .given = MSG_HAS_MAX_COUNT});
        break;
    case ERASE:
        code = change(base, step,
                      (struct msg_change){.kind = MSG_ERASE,
                                          .version = SCRIPT_ERASED_VERSION});
        break;
    case DELETE:
        code = change(base, step, (struct msg_change){.kind = MSG_DELETE});
        break;
    }
    return code;
}
