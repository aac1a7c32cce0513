#include "worker.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg_group.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "wire.h"

#define SLOTS_MAX    40
#define HELD_MAX     64 /* No more than slots, and what is on its way. */
#define OLD_MAX      32
#define ACKS_MAX     8
#define KEY_SIZE     64
#define LOOK_MS      3
#define DELAY_US_MAX 20000
#define STALL_US     (WORKER_TIMEOUT_US + WORKER_TIMEOUT_US / 5)

/* An event in hand, as far as the worker knows. */
struct held {
    uint64_t position;
    uint64_t fence;
    char key[KEY_SIZE];
};

struct worker {
    pthread_t thread;
    struct workers *workers;
    struct wire wire;
    struct rnd rnd;
    struct notes *notes;
    uint64_t membership;        /* 0: none. */
    struct held held[HELD_MAX]; /* In the order in which it came. */
    size_t held_count;
    struct msg_answer old[OLD_MAX]; /* Given before: a ring. */
    size_t old_count;
};

/* ---- what it has in hand ---- */

/* The first tag that begins as the group says, or else the stream. */
static void
key_of(const struct worker *worker, const struct event *event,
       char key[static KEY_SIZE])
{
    struct slice prefix = slice_of(worker->workers->key_tag);
    struct slice tags = event->tags;
    struct slice found = event->stream;

    for (size_t i = 0; prefix.size > 0 && i < event->tags_count; i++) {
        struct slice tag = event_tag(&tags);

        if (slice_starts_with(tag, prefix)) {
            found = tag;
            break;
        }
    }
    snprintf(key, KEY_SIZE, "%s", wire_text(found));
}

static void
hold(struct worker *worker, const struct event *event, uint64_t fence)
{
    struct held *held;

    if (worker->held_count == HELD_MAX) { /* It may forget: its time ends. */
        memmove(worker->held, worker->held + 1,
                (HELD_MAX - 1) * sizeof(*worker->held));
        worker->held_count--;
    }
    held = &worker->held[worker->held_count++];
    held->position = event->position;
    held->fence = fence;
    key_of(worker, event, held->key);
}

static void
let_go(struct worker *worker, size_t index)
{
    worker->held_count--;
    memmove(worker->held + index, worker->held + index + 1,
            (worker->held_count - index) * sizeof(*worker->held));
}

/* What came behind @index with its key is taken back with it. */
static void
let_go_of_key(struct worker *worker, size_t index)
{
    char key[KEY_SIZE];

    memcpy(key, worker->held[index].key, sizeof(key));
    for (size_t i = worker->held_count; i-- > index;) {
        if (strcmp(worker->held[i].key, key) == 0) {
            let_go(worker, i);
        }
    }
}

/* ---- what it is told ---- */

static void
take_events(struct worker *worker, const struct frame *frame)
{
    struct msg_handed handed;
    struct slice counts;
    struct acta_err err;
    size_t counts_count;

    ck_assert_msg(msg_handed_decode(&handed, frame->body, &err) == ACTA_OK,
                  "%s", err.text);
    note_part(worker->notes,
              "{\"handed\":%" PRIu64 ",\"fence\":%" PRIu64 ",\"at\":%" PRIu64
              ",\"positions\":[",
              frame->request_id, handed.fence, notes_time_us());
    for (size_t i = 0; i < handed.events_count; i++) {
        struct event event;

        require(msg_next_event(&handed.events, &event, &err) == ACTA_OK);
        note_part(worker->notes, "%s%" PRIu64, i > 0 ? "," : "",
                  event.position);
        hold(worker, &event, handed.fence);
    }
    ck_assert_msg(msg_handed_counts(&handed, handed.events, &counts,
                                    &counts_count, &err) == ACTA_OK,
                  "%s", err.text);
    note_part(worker->notes, "],\"deliveries\":[");
    for (size_t i = 0; i < counts_count; i++) {
        struct msg_count count = msg_next_count(&counts);

        note_part(worker->notes, "%s[%" PRIu64 ",%" PRIu64 "]",
                  i > 0 ? "," : "", count.index, count.deliveries);
    }
    note_part(worker->notes, "]}");
    note_end(worker->notes);
}

static void
take_settled(struct worker *worker, const struct frame *frame)
{
    struct msg_settled settled;
    struct acta_err err;

    ck_assert_msg(msg_settled_decode(&settled, frame->body, &err) == ACTA_OK,
                  "%s", err.text);
    note_part(worker->notes,
              "{\"settled\":%" PRIu64 ",\"count\":%" PRIu64 ",\"refused\":[",
              frame->request_id, settled.settled);
    for (size_t i = 0; i < settled.refused_count; i++) {
        note_part(worker->notes, "%s%" PRIu64, i > 0 ? "," : "",
                  msg_next_position(&settled.refused));
    }
    note_part(worker->notes, "],\"at\":%" PRIu64 "}", notes_time_us());
    note_end(worker->notes);
}

static void
take_error(struct worker *worker, const struct frame *frame)
{
    struct msg_error error;
    struct acta_err err;

    ck_assert_msg(msg_error_decode(&error, frame->body, &err) == ACTA_OK, "%s",
                  err.text);
    note(worker->notes,
         "{\"error\":%" PRIu64 ",\"code\":\"%s\",\"at\":%" PRIu64 "}",
         frame->request_id, acta_code_name(error.code), notes_time_us());
}

/* The membership is over, in order or not. */
static void
part(struct worker *worker, const char *how)
{
    if (worker->membership != 0) {
        note(worker->notes, "{\"%s\":%" PRIu64 ",\"at\":%" PRIu64 "}", how,
             worker->membership, notes_time_us());
    }
    worker->membership = 0;
    worker->held_count = 0;
}

static void
take(struct worker *worker, const struct frame *frame)
{
    switch (frame->kind) {
    case OP_HANDED:
        take_events(worker, frame);
        break;
    case OP_SETTLED:
        take_settled(worker, frame);
        break;
    case OP_LEFT:
        part(worker, "left");
        break;
    case OP_ERROR:
        take_error(worker, frame);
        break;
    default:
        ck_abort_msg("a member was sent %s", opcode_text(frame->kind));
    }
}

/* Take all that has come, and wait for more for @wait_ms. */
static void
listen_for(struct worker *worker, unsigned wait_ms)
{
    struct frame frame;
    enum wire_got got;

    while ((got = wire_next(&worker->wire, &frame, wait_ms)) == WIRE_FRAME) {
        take(worker, &frame);
        wait_ms = 0;
    }
    if (got == WIRE_GONE) {
        part(worker, "gone");
    }
}

/* ---- what it says ---- */

static void
note_answer(struct worker *worker, const struct msg_answer *answer, bool more)
{
    static const char *const names[] = {"ack", "up_to", "retry", "park",
                                        "skip"};

    note_part(worker->notes, "%s[\"%s\",%" PRIu64 ",%" PRIu64 "]",
              more ? "," : "", names[answer->kind], answer->fence,
              answer->position);
}

static void
answer_all(struct worker *worker, const struct msg_answer *answers,
           size_t count)
{
    struct buf *out = &worker->wire.out;
    uint64_t request_id = wire_request(&worker->wire);
    size_t start = msg_settle_begin(out, request_id, worker->membership, count);

    note_part(worker->notes,
              "{\"answer\":%" PRIu64 ",\"membership\":%" PRIu64
              ",\"at\":%" PRIu64 ",\"items\":[",
              request_id, worker->membership, notes_time_us());
    for (size_t i = 0; i < count; i++) {
        msg_settle_answer(out, &answers[i]);
        note_answer(worker, &answers[i], i > 0);
        worker->old[worker->old_count++ % OLD_MAX] = answers[i];
    }
    msg_settle_end(out, start);
    note_part(worker->notes, "]}");
    note_end(worker->notes);
    (void)wire_send(&worker->wire); /* If it is gone, it is seen later. */
}

static struct msg_answer
answer_to(const struct held *held, enum msg_settle_kind kind)
{
    return (struct msg_answer){
        .kind = kind,
        .fence = held->fence,
        .position = held->position,
        .reason = kind == MSG_PARK ? slice_of(WORKER_REASON) : SLICE_NONE,
    };
}

/* Acknowledge what came first; sometimes twice. */
static void
ack_some(struct worker *worker, bool is_calm)
{
    struct msg_answer answers[ACKS_MAX];
    size_t count = 1 + rnd_below(&worker->rnd, ACKS_MAX);

    if (count > worker->held_count) {
        count = worker->held_count;
    }
    for (size_t i = 0; i < count; i++) {
        answers[i] = answer_to(&worker->held[0], MSG_ACK);
        let_go(worker, 0);
    }
    answer_all(worker, answers, count);
    if (!is_calm && rnd_once_in(&worker->rnd, 10)) {
        answer_all(worker, answers, count);
    }
}

static void
answer_one(struct worker *worker, enum msg_settle_kind kind)
{
    size_t index = rnd_below(&worker->rnd, worker->held_count);
    struct msg_answer answer;

    /* Events of a key are acked and skipped in order. */
    if (kind == MSG_SKIP) {
        index = 0;
    }
    answer = answer_to(&worker->held[index], kind);
    answer.delay_us =
        kind == MSG_RETRY ? rnd_below(&worker->rnd, DELAY_US_MAX) : 0;
    answer_all(worker, &answer, 1);
    if (kind == MSG_ACK_UP_TO) {
        for (size_t i = 0; i <= index; i++) {
            let_go(worker, 0);
        }
    } else if (kind == MSG_SKIP) {
        let_go(worker, 0);
    } else if (!rnd_once_in(&worker->rnd, 4)) { /* Else it is not careful. */
        let_go_of_key(worker, index);
    } else {
        let_go(worker, index);
    }
}

/* An answer of long ago, maybe to another membership. */
static void
answer_again(struct worker *worker)
{
    size_t count = worker->old_count < OLD_MAX ? worker->old_count : OLD_MAX;

    if (count > 0) {
        struct msg_answer answer = worker->old[rnd_below(&worker->rnd, count)];

        answer_all(worker, &answer, 1);
    }
}

/* An answer to what it has in hand again, under the fence of the time before.
 */
static void
answer_late(struct worker *worker)
{
    size_t count = worker->old_count < OLD_MAX ? worker->old_count : OLD_MAX;

    for (size_t i = 0; i < worker->held_count; i++) {
        for (size_t k = 0; k < count; k++) {
            struct msg_answer answer = worker->old[k];

            if (answer.position == worker->held[i].position &&
                answer.fence != worker->held[i].fence) {
                answer_all(worker, &answer, 1);
                return;
            }
        }
    }
}

static void
leave(struct worker *worker)
{
    uint64_t request_id = wire_request(&worker->wire);

    msg_number_encode(&worker->wire.out, OP_LEAVE, request_id,
                      worker->membership);
    if (!wire_send(&worker->wire)) {
        part(worker, "gone");
    }
    while (worker->membership != 0) {
        listen_for(worker, LOOK_MS);
    }
}

static void
die(struct worker *worker)
{
    wire_cut(&worker->wire);
    part(worker, "gone");
}

static void
join(struct worker *worker)
{
    struct msg_join join = {
        .group = slice_of(worker->workers->group),
        .slots = 1 + rnd_below(&worker->rnd, SLOTS_MAX),
        .member = slice_of("worker"),
    };
    uint64_t request_id = wire_request(&worker->wire);
    struct frame frame;

    note(worker->notes,
         "{\"join\":%" PRIu64 ",\"life\":\"%s\",\"at\":%" PRIu64 "}",
         request_id, worker->wire.life, notes_time_us());
    msg_join_encode(&worker->wire.out, request_id, &join);
    if (wire_call(&worker->wire, request_id, OP_JOINED, &frame, NULL) ==
        ACTA_OK) {
        worker->membership = request_id;
    }
}

/* ---- its life ---- */

static void
act_wildly(struct worker *worker)
{
    uint64_t dice = rnd_below(&worker->rnd, 100);

    if (rnd_once_in(&worker->rnd, 3)) {
        answer_late(worker);
    }
    if (dice < 4) {
        answer_again(worker);
    } else if (dice < 6) {
        leave(worker);
    } else if (dice < 8) {
        die(worker);
    } else if (dice < 10) {
        nap_us(STALL_US);
    } else if (worker->held_count == 0) {
        return;
    } else if (dice < 60) {
        ack_some(worker, false);
    } else if (dice < 70) {
        answer_one(worker, MSG_ACK_UP_TO);
    } else if (dice < 80) {
        answer_one(worker, MSG_RETRY);
    } else if (dice < 84) {
        answer_one(worker, MSG_PARK);
    } else if (dice < 87) {
        answer_one(worker, MSG_SKIP);
    }
}

static void *
run(void *arg)
{
    struct worker *worker = arg;

    while (!atomic_load(&worker->workers->stopping)) {
        bool is_calm = atomic_load(&worker->workers->calm);

        if (worker->wire.fd < 0) {
            part(worker, "gone"); /* Only a send may have met it. */
            wire_connect(&worker->wire);
        }
        if (worker->membership == 0) {
            join(worker);
        }
        if (worker->membership == 0) {
            continue;
        }
        listen_for(worker, LOOK_MS);
        if (worker->membership == 0) {
            continue;
        }
        if (!is_calm) {
            act_wildly(worker);
        } else if (worker->held_count > 0) {
            ack_some(worker, true);
        }
    }
    die(worker);
    return NULL;
}

struct worker *
worker_start(const struct daemon *daemon, const char *dir,
             struct workers *workers, unsigned number, uint64_t seed)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    char name[40];

    ck_assert_ptr_nonnull(worker);
    worker->workers = workers;
    rnd_seed(&worker->rnd, seed + number);
    snprintf(name, sizeof(name), "worker-%u.log", number);
    worker->notes = notes_open(dir, name);
    wire_init(&worker->wire, daemon);
    ck_assert_int_eq(pthread_create(&worker->thread, NULL, run, worker), 0);
    return worker;
}

void
worker_join(struct worker *worker)
{
    ck_assert_int_eq(pthread_join(worker->thread, NULL), 0);
    wire_fini(&worker->wire);
    notes_close(worker->notes);
    free(worker);
}
