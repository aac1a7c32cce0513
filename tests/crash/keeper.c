#include "keeper.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_consumer.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "wire.h"

#define NAMES_COUNT 3
#define MOVES_MAX   12
#define PAUSE_US    2000
#define TYPE        "Moved"

struct keeper {
    pthread_t thread;
    const atomic_bool *stopping;
    struct wire wire;
    struct rnd rnd;
    struct notes *notes;
    unsigned number;
    uint64_t asked;    /* Questions so far. */
    uint64_t head;     /* As far as it knows. */
    char name[16];     /* Of the consumer at hand; */
    uint64_t epoch;    /* of the claim, */
    uint64_t position; /* and where its checkpoint is, if no other claimed. */
};

static void
note_answer(struct keeper *keeper, enum acta_code code, uint64_t epoch,
            uint64_t position)
{
    note(keeper->notes,
         "{\"told\":%" PRIu64 ",\"code\":\"%s\",\"epoch\":%" PRIu64
         ",\"position\":%" PRIu64 ",\"at\":%" PRIu64 "}",
         keeper->asked, acta_code_name(code), epoch, position, notes_time_us());
}

static enum acta_code
claim(struct keeper *keeper)
{
    struct msg_change_consumer change = {
        .name = slice_of(keeper->name),
        .kind = MSG_CONSUMER_CLAIM,
        .query = QUERY_ALL,
    };
    struct msg_consumer_changed changed = {.epoch = 0};
    uint64_t request_id = wire_request(&keeper->wire);
    struct frame frame;
    struct acta_err err;
    enum acta_code code;

    note(keeper->notes,
         "{\"ask\":%" PRIu64 ",\"kind\":\"claim\",\"name\":\"%s\",\"epoch\":0,"
         "\"at\":%" PRIu64 "}",
         ++keeper->asked, keeper->name, notes_time_us());
    msg_change_consumer_encode(&keeper->wire.out, request_id, &change);
    code =
        wire_call(&keeper->wire, request_id, OP_CONSUMER_CHANGED, &frame, NULL);
    if (code == ACTA_OK) {
        require(msg_consumer_changed_decode(&changed, frame.body, &err) ==
                ACTA_OK);
        keeper->epoch = changed.epoch;
        keeper->position = changed.position;
        if (keeper->head < changed.position) {
            keeper->head = changed.position;
        }
    }
    note_answer(keeper, code, changed.epoch, changed.position);
    return code;
}

static void
note_move(struct keeper *keeper, uint64_t to)
{
    note(keeper->notes,
         "{\"ask\":%" PRIu64 ",\"kind\":\"move\",\"name\":\"%s\","
         "\"epoch\":%" PRIu64 ",\"from\":%" PRIu64 ",\"to\":%" PRIu64
         ",\"at\":%" PRIu64 "}",
         ++keeper->asked, keeper->name, keeper->epoch, keeper->position, to,
         notes_time_us());
}

/* Append an event that tells the move which it comes with. */
static enum acta_code
move(struct keeper *keeper)
{
    uint64_t span = keeper->head - keeper->position + 1;
    struct msg_checkpoint checkpoint = {
        .consumer = slice_of(keeper->name),
        .epoch = keeper->epoch,
        .has_from = true,
        .from = keeper->position,
        .to = keeper->position + rnd_below(&keeper->rnd, span),
    };
    struct msg_append_more more = {
        .checkpoints = &checkpoint,
        .checkpoints_count = 1,
    };
    struct buf *out = &keeper->wire.out;
    uint64_t request_id = wire_request(&keeper->wire);
    char stream[32], data[128];
    struct msg_appended appended;
    struct frame frame;
    struct acta_err err;
    enum acta_code code;
    size_t start;

    note_move(keeper, checkpoint.to);
    snprintf(stream, sizeof(stream), "moved-%s", keeper->name);
    snprintf(data, sizeof(data),
             "%u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, keeper->number,
             keeper->asked, keeper->epoch, checkpoint.from, checkpoint.to);
    start = msg_append_begin(out, request_id, 1);
    msg_append_write(out, slice_of(stream), MSG_EXPECT_ANY, 1);
    wire_put_event(out, TYPE, NULL, data);
    msg_append_end(out, start, &more);
    code = wire_call(&keeper->wire, request_id, OP_APPENDED, &frame, NULL);
    if (code == ACTA_OK) {
        require(msg_appended_decode(&appended, frame.body, &err) == ACTA_OK);
        keeper->head = msg_appended_next(&appended).first_position;
        keeper->position = checkpoint.to;
    }
    note_answer(keeper, code, 0, 0);
    return code;
}

/* Until it is refused, or enough was done. */
static void
keep(struct keeper *keeper)
{
    uint64_t moves = rnd_below(&keeper->rnd, MOVES_MAX);
    enum acta_code code = ACTA_OK;

    snprintf(keeper->name, sizeof(keeper->name), "consumer-%u",
             (unsigned)rnd_below(&keeper->rnd, NAMES_COUNT));
    if (claim(keeper) != ACTA_OK) {
        return;
    }
    while (code == ACTA_OK && moves-- > 0) {
        nap_us(rnd_below(&keeper->rnd, PAUSE_US));
        code = move(keeper);
    }
    if (code == ACTA_UNKNOWN && rnd_once_in(&keeper->rnd, 2)) {
        /* It may be where it was, or where it was to go. */
        wire_connect(&keeper->wire);
        (void)move(keeper);
    }
}

static void *
run(void *arg)
{
    struct keeper *keeper = arg;

    while (!atomic_load(keeper->stopping)) {
        if (keeper->wire.fd < 0) {
            wire_connect(&keeper->wire);
        }
        keep(keeper);
    }
    return NULL;
}

struct keeper *
keeper_start(const struct daemon *daemon, const char *dir, unsigned number,
             uint64_t seed, const atomic_bool *stopping)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    char name[40];

    ck_assert_ptr_nonnull(keeper);
    keeper->number = number;
    keeper->stopping = stopping;
    rnd_seed(&keeper->rnd, seed + number);
    snprintf(name, sizeof(name), "keeper-%u.log", number);
    keeper->notes = notes_open(dir, name);
    wire_init(&keeper->wire, daemon);
    ck_assert_int_eq(pthread_create(&keeper->thread, NULL, run, keeper), 0);
    return keeper;
}

void
keeper_join(struct keeper *keeper)
{
    ck_assert_int_eq(pthread_join(keeper->thread, NULL), 0);
    wire_fini(&keeper->wire);
    notes_close(keeper->notes);
    free(keeper);
}
