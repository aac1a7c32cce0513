/* Every sequence of so few operations, each on a database of its own, against
 * the model: small cases in which most mistakes show, and none of them left to
 * chance. All is done to one stream. Processes of the database end in two ways:
 * they close it, or are gone together with what they had not synced (the shim
 * in front of the journal's writes keeps that from the disk).
 *
 * A life is what happens between two ends, in a process of its own. Steps that
 * were done in lives before it are done to the model once more, and to nothing
 * else: it comes to the same, as times, ids and contents follow from the place
 * of a step.
 */

#include <check.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "fake_clock.h"
#include "frame.h"
#include "limit.h"
#include "model.h"
#include "msg.h"
#include "opcode.h"
#include "reader.h"
#include "rnd.h"
#include "run.h"
#include "sub.h"

#define START_US    1700000000000000u
#define STEP_US     1000000u
#define STREAM      "order-1"
#define PAGE_ROOM   ((size_t)1 << 20)
#define TEXT_SIZE   64
#define LENGTH      3
#define LENGTH_MAX  4
#define EVENTS_MANY 100 /* More than there can be. */
#define LIFE_ENDED  100 /* And the step that ended it: a process's status. */

enum step {
    APPEND,   /* What is expected is so. */
    CONFLICT, /* A version is expected that the stream does not have yet. */
    RETRY,    /* The last one of these, as it was. */
    TRUNCATE, /* All but the last event. */
    DELETE,
    TOMBSTONE,
    ERASE, /* All events. */
    READ,
    SUBSCRIBE, /* From the start, and from where it was after each end. */
    RESTART,
    CRASH,
    STEPS,
};

static const char *const step_names[STEPS] = {
    "append", "conflict", "retry",     "truncate", "delete", "tombstone",
    "erase",  "read",     "subscribe", "restart",  "crash",
};

struct sequence {
    enum step steps[LENGTH_MAX];
    size_t length;
    bool hurries; /* Each event begins a checkpoint; else only a stop does. */
};

struct life {
    struct base *base;
    struct model model;
    uint64_t now_us;
    bool is_memory; /* What is done was done before, by another life. */

    struct draft draft; /* Of the last append, */
    char data[TEXT_SIZE];
    int64_t expected; /* and what that expected. */

    struct reader *reader;
    struct named named;
    struct sub *sub;
    bool is_subscribed;
    uint64_t delivered; /* All up to this position, or it was hidden. */
};

static const struct query all = {NULL, 0, NULL};
static const struct read_bounds bounds = {.events_max = 100,
                                          .bytes_max = UINT64_MAX};

/* ---- what is asked ---- */

static void
compare_event(const struct event *got, const struct event *wanted)
{
    ck_assert_uint_eq(got->position, wanted->position);
    ck_assert_uint_eq(got->version, wanted->version);
    ck_assert_uint_eq(got->time_us, wanted->time_us);
    ck_assert(slice_equal(got->stream, wanted->stream));
    ck_assert(slice_equal(got->type, wanted->type));
    ck_assert_mem_eq(got->id, wanted->id, UUID_SIZE);
    ck_assert_int_eq(got->format, wanted->format);
    ck_assert(slice_equal(got->data, wanted->data));
}

/* The events are those that the model shows from @from on. Returns the position
 * of the last one, or @from.
 */
static uint64_t
compare_events(const struct life *life, struct slice events, size_t count,
               uint64_t from, bool backward)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t wanted =
            model_next(&life->model, &all, from, backward, life->now_us);
        struct event event;

        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        ck_assert_msg(event.position == wanted,
                      "position %" PRIu64 " is shown, not %" PRIu64,
                      event.position, wanted);
        compare_event(&event, model_at(&life->model, wanted));
        from = wanted;
    }
    ck_assert_uint_eq(events.size, 0);
    return from;
}

static void
compare_end(const struct life *life, uint64_t from, bool backward)
{
    uint64_t left =
        model_next(&life->model, &all, from, backward, life->now_us);

    ck_assert_msg(left == 0, "position %" PRIu64 " is not shown", left);
}

/* By position and, as there is only one stream, by version. */
static void
read_events(struct life *life, bool of_stream, bool backward)
{
    struct read_result result;
    enum acta_code code;
    struct acta_err err;
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    code = of_stream
               ? reader_read_stream(life->reader, slice_of(STREAM), 0, backward,
                                    &bounds, &out, &result, &err)
               : reader_read_all(life->reader, &all, 0, backward, &bounds, &out,
                                 &result, &err);
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
    ck_assert(result.at_end);
    ck_assert_uint_eq(result.head, life->model.count);
    compare_end(
        life,
        compare_events(life, buf_slice(&out), result.events_count, 0, backward),
        backward);
    buf_fini(&out);
}

static void
read_id(struct life *life, uint64_t position)
{
    const struct event *wanted = model_at(&life->model, position);
    bool is_hidden = model_hides(&life->model, position, life->now_us);
    struct read_result result;
    struct event event;
    struct slice events;
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    ck_assert_int_eq(
        reader_read_id(life->reader, wanted->id, &bounds, &out, &result, NULL),
        is_hidden ? ACTA_NOT_FOUND : ACTA_OK);
    if (!is_hidden) {
        events = buf_slice(&out);
        ck_assert_uint_eq(result.events_count, 1);
        ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
        compare_event(&event, wanted);
    }
    buf_fini(&out);
}

static void
describe(struct life *life)
{
    struct msg_description wanted =
        model_describe(&life->model, slice_of(STREAM), life->now_us);
    struct msg_description got;
    struct acta_err err;

    ck_assert_msg(reader_describe_stream(life->reader, slice_of(STREAM), &got,
                                         &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_uint_eq(got.stream.version, wanted.stream.version);
    ck_assert_uint_eq(got.stream.last_position, wanted.stream.last_position);
    ck_assert_int_eq(got.stream.state, wanted.stream.state);
    ck_assert_uint_eq(got.stream.settings.truncate_before,
                      wanted.stream.settings.truncate_before);
    ck_assert_uint_eq(got.first_version, wanted.first_version);
}

static void
read_everything(struct life *life)
{
    for (int i = 0; i < 4; i++) {
        read_events(life, (i & 1) != 0, (i & 2) != 0);
    }
    for (uint64_t position = 1; position <= life->model.count; position++) {
        read_id(life, position);
    }
    describe(life);
}

/* ---- the subscription ---- */

static void
subscribe(struct life *life, uint64_t after)
{
    struct msg_subscribe wanted = {
        .query = QUERY_ALL, .after = after, .credit = UINT32_MAX};

    sub_free(life->sub);
    life->sub = sub_new(1, &wanted, &life->named);
    ck_assert_ptr_nonnull(life->sub);
}

static void
take_delivery(struct life *life, struct slice body)
{
    struct msg_delivery delivery;
    struct acta_err err;

    ck_assert_msg(msg_delivery_decode(&delivery, body, &err) == ACTA_OK, "%s",
                  err.text);
    (void)compare_events(life, delivery.events, delivery.events_count,
                         life->delivered, false);
    life->delivered = delivery.position;
}

/* Take what is delivered until it waits: that is all there is. */
static void
follow(struct life *life)
{
    struct slice bytes;
    struct acta_err err;
    enum sub_next next;
    struct buf out;

    buf_init(&out, PAGE_ROOM);
    do {
        next = sub_step(life->sub, life->reader, &bounds, &out, &err);
        ck_assert_msg(next != SUB_FAILED, "%s", err.text);
    } while (next != SUB_WAIT);
    bytes = buf_slice(&out);
    while (bytes.size > 0) {
        struct frame frame;
        size_t used;

        ck_assert_int_eq(
            frame_decode(&frame, &used, bytes, ACTA_FRAME_SIZE_MAX, NULL),
            ACTA_OK);
        ck_assert_uint_gt(used, 0);
        if (frame.kind == OP_DELIVERY) {
            take_delivery(life, frame.body);
        }
        bytes = slice_make(bytes.data + used, bytes.size - used);
    }
    compare_end(life, life->delivered, false);
    buf_fini(&out);
}

/* ---- what is done ---- */

static void
compare_outcome(const struct outcome *got, enum acta_code wanted)
{
    ck_assert_msg(got->code == wanted, "%s instead of %s: %s",
                  acta_code_name(got->code), acta_code_name(wanted), got->text);
}

static void
compare_verdict(const struct outcome *got, const struct model_verdict *wanted)
{
    compare_outcome(got, wanted->code);
    ck_assert_int_eq(got->repeated, wanted->repeated);
    if (wanted->code == ACTA_OK) {
        ck_assert_uint_eq(got->runs_count, 1);
        ck_assert_uint_eq(wanted->runs_count, 1);
        ck_assert_uint_eq(got->runs[0].first_version,
                          wanted->runs[0].first_version);
        ck_assert_uint_eq(got->runs[0].first_position,
                          wanted->runs[0].first_position);
    } else if (wanted->failures_count > 0) {
        ck_assert_uint_ge(got->failures_count, 1);
        ck_assert_uint_eq(got->failures[0].actual, wanted->failures[0].actual);
    }
}

/* The bytes of a new append; of one that is repeated they are there. */
static void
make_append(struct life *life, enum step step)
{
    uint64_t version = model_version(&life->model, slice_of(STREAM));

    life->draft.id++;
    snprintf(life->data, sizeof(life->data), "what came as number %" PRIu64,
             life->draft.id);
    life->draft.data = slice_of(life->data);
    life->draft.format = EVENT_BINARY;
    life->expected = (int64_t)version + (step == CONFLICT);
}

static void
append(struct life *life, enum step step)
{
    struct draft_write write = {STREAM, 0, &life->draft, 1};
    struct model_verdict verdict;
    struct job *job;

    if (step != RETRY) {
        make_append(life, step);
    }
    write.expected = life->expected;
    job = draft_append(&write, 1);
    model_decide(&life->model, &job->append, life->now_us, &verdict);
    if (!life->is_memory) {
        (void)base_decide(life->base, job);
        compare_verdict(&job->outcome, &verdict);
    }
    if (verdict.code == ACTA_OK && !verdict.repeated) {
        model_take(&life->model, &job->append, life->now_us, &verdict);
    }
    model_verdict_fini(&verdict);
    job_free(job);
}

static void
change(struct life *life, enum step step)
{
    struct msg_change change = {
        .kind = step == TRUNCATE ? MSG_SET
                : step == DELETE ? MSG_DELETE
                : step == ERASE  ? MSG_ERASE
                                 : MSG_TOMBSTONE,
        .stream = slice_of(STREAM),
        .expected = MSG_EXPECT_ANY,
        .given = step == TRUNCATE ? MSG_HAS_TRUNCATE_BEFORE : 0,
        .settings.truncate_before =
            step == TRUNCATE ? model_version(&life->model, slice_of(STREAM))
                             : 0,
    };
    struct msg_changed changed;
    enum acta_code wanted =
        model_change(&life->model, &change, life->now_us, &changed);
    struct job *job;

    if (!life->is_memory) {
        job = draft_change(&change);
        (void)base_decide(life->base, job);
        compare_outcome(&job->outcome, wanted);
        if (wanted == ACTA_OK) {
            ck_assert_uint_eq(job->outcome.changed.version, changed.version);
            ck_assert_int_eq(job->outcome.changed.changed, changed.changed);
        }
        job_free(job);
    }
}

static void
set_time(struct life *life)
{
    fake_clock_set(life->now_us);
    reader_set_time(life->reader, life->now_us);
}

static void
take_step(struct life *life, enum step step)
{
    life->now_us += STEP_US;
    if (!life->is_memory) {
        set_time(life);
    }
    if (step <= RETRY) {
        append(life, step);
    } else if (step <= ERASE) {
        change(life, step);
    } else if (step == SUBSCRIBE) {
        life->is_subscribed = true;
        life->delivered = 0;
        if (!life->is_memory) {
            subscribe(life, 0);
        }
    } else if (step == READ && !life->is_memory) {
        read_everything(life);
    }
    if (life->is_memory) {
        life->delivered = life->model.count;
    } else if (life->is_subscribed) {
        follow(life);
    }
}

/* ---- lives ---- */

static void
wake_up(struct life *life)
{
    struct acta_err err;

    life->is_memory = false;
    fake_clock_set(life->now_us);
    base_open(life->base);
    ck_assert_msg(reader_open(&life->reader, life->base->database, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    set_time(life);
    named_init(&life->named);
    if (life->is_subscribed) {
        subscribe(life, life->delivered);
        follow(life);
    }
}

/* Go on with what is left of @sequence behind the first @done steps. Returns
 * what the process ends with.
 */
static int
live(struct base *base, const struct sequence *sequence, size_t done)
{
    struct life life = {.base = base, .now_us = START_US, .is_memory = true};

    model_init(&life.model);
    for (size_t i = 0; i < done; i++) {
        take_step(&life, sequence->steps[i]);
    }
    wake_up(&life);
    for (size_t i = done; i < sequence->length; i++) {
        enum step step = sequence->steps[i];

        if (step == RESTART) {
            sub_free(life.sub);
            reader_close(life.reader);
            base_close(base);
        }
        if (step >= RESTART) {
            return LIFE_ENDED + (int)i;
        }
        take_step(&life, step);
    }
    read_everything(&life);
    return EXIT_SUCCESS;
}

static void
tell_sequence(const struct sequence *sequence)
{
    for (size_t i = 0; i < sequence->length; i++) {
        printf("%s%s", i == 0 ? "" : ", ", step_names[sequence->steps[i]]);
    }
    printf(sequence->hurries ? "; with a checkpoint for each event\n" : "\n");
    fflush(stdout);
}

/* How many steps are done when a life has come to its end; more than there are
 * if it was the last one. Of one that failed nothing is left: it can be had
 * again.
 */
static size_t
steps_done(struct base *base, const struct sequence *sequence, int status)
{
    int ended = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    if (ended >= LIFE_ENDED) {
        return (size_t)(ended - LIFE_ENDED) + 1;
    }
    if (ended != EXIT_SUCCESS) {
        tell_sequence(sequence);
        base_fini(base);
    }
    /* What was asserted there is on its way to who runs the tests. */
    if (ended == EXIT_FAILURE) {
        _exit(EXIT_FAILURE);
    }
    ck_assert_int_eq(status, 0);
    return LENGTH_MAX + 1;
}

/* Returns how many lives it took. */
static unsigned
go_through(const struct sequence *sequence)
{
    unsigned lives = 0;
    size_t done = 0;
    struct base base;

    base_init(&base);
    base.options.checkpoint_events = sequence->hurries ? 1 : EVENTS_MANY;
    while (done <= LENGTH_MAX) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            _exit(live(&base, sequence, done));
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        done = steps_done(&base, sequence, status);
        lives++;
    }
    base_fini(&base);
    return lives;
}

/* ---- sequences ---- */

static unsigned
sequences_count(size_t length)
{
    unsigned count = 2;

    for (size_t i = 0; i < length; i++) {
        count *= STEPS;
    }
    return count;
}

static struct sequence
sequence_of(unsigned number, size_t length)
{
    struct sequence sequence = {.length = length, .hurries = number % 2 == 1};

    number /= 2;
    for (size_t i = 0; i < length; i++) {
        sequence.steps[i] = (enum step)(number % STEPS);
        number /= STEPS;
    }
    return sequence;
}

/* With nothing to repeat it is a shorter one, and that is part of others. */
static bool
is_complete(const struct sequence *sequence)
{
    size_t i = 0;

    while (i < sequence->length && sequence->steps[i] > RETRY) {
        i++;
    }
    return i == sequence->length || sequence->steps[i] != RETRY;
}

/* Those of @length, or, if they are too many, about @wanted that are drawn. */
static void
go_through_some(struct rnd *rnd, size_t length, unsigned wanted)
{
    unsigned count = sequences_count(length);
    unsigned all_count = 0, taken = 0, lives = 0;

    for (unsigned number = 0; number < count; number++) {
        struct sequence sequence = sequence_of(number, length);

        if (!is_complete(&sequence)) {
            continue;
        }
        all_count++;
        if (rnd_below(rnd, count) < wanted) {
            lives += go_through(&sequence);
            taken++;
        }
    }
    ck_assert_uint_gt(taken, 0);
    printf("{\"test\": \"sequences\", \"length\": %zu, \"sequences\": %u, "
           "\"of\": %u, \"lives\": %u}\n",
           length, taken, all_count, lives);
    fflush(stdout);
}

START_TEST(after_any_few_operations_a_database_is_as_the_model)
{
    struct rnd rnd;

    rnd_init(&rnd);
    go_through_some(&rnd, LENGTH, rnd_effort(250, UINT32_MAX));
    if (rnd_effort(0, 1) == 1) {
        go_through_some(&rnd, LENGTH_MAX, 8000);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sequences");
    TCase *tcase = tcase_create("sequences");

    /* Of what a database allocates nearly nothing is used here: to fill it, as
     * meson would have it, takes longer than all else.
     */
    (void)mallopt(M_PERTURB, 0);
    if (access("/dev/shm", W_OK) == 0) {
        setenv("TMPDIR", "/dev/shm", 0);
    }
    tcase_add_test(tcase, after_any_few_operations_a_database_is_as_the_model);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
