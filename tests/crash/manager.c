#include "manager.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "msg_consumer.h"
#include "nap.h"
#include "pack.h"
#include "require.h"
#include "rnd.h"
#include "wire.h"

#define CREDIT       (64 << 20) /* For all orders that there will be. */
#define LOOK_MS      5
#define DELAY_US_MAX 30000

#define REST_US_MAX 30000

struct manager {
    struct wire reader; /* Its subscription, and nothing else. */
    struct wire writer;
    struct rnd rnd;
    const atomic_bool *stopping;
    uint64_t epoch;
    uint64_t position; /* Its checkpoint, as it knows it. */
    bool is_following; /* Else it has to claim its turn. */
};

static bool
has_to_stop(const struct manager *manager)
{
    return atomic_load(manager->stopping);
}

/* A new epoch begins, and with it where to go on. */
static bool
claim(struct manager *manager, const struct query *query)
{
    struct msg_change_consumer change = {
        .name = slice_of(MANAGER_CONSUMER),
        .kind = MSG_CONSUMER_CLAIM,
        .query = *query,
    };
    uint64_t request_id = wire_request(&manager->writer);
    struct msg_consumer_changed changed;
    struct frame frame;
    struct acta_err err;
    enum acta_code code;

    msg_change_consumer_encode(&manager->writer.out, request_id, &change);
    code = wire_call(&manager->writer, request_id, OP_CONSUMER_CHANGED, &frame,
                     NULL);
    if (code != ACTA_OK) {
        ck_assert_int_eq(code, ACTA_UNKNOWN);
        return false;
    }
    require(msg_consumer_changed_decode(&changed, frame.body, &err) == ACTA_OK);
    manager->epoch = changed.epoch;
    manager->position = changed.position;
    return true;
}

static void
begin(struct manager *manager)
{
    struct slice type = slice_of(MANAGER_ORDER);
    struct query_item item = {
        .fields = {[QUERY_TYPES] = {.texts = &type, .count = 1}},
    };
    struct msg_subscribe subscribe = {
        .query = {&item, 1, NULL},
        .credit = CREDIT,
        .consumer = slice_of(MANAGER_CONSUMER),
    };
    uint64_t request_id;
    struct frame frame;
    enum acta_code code;

    wire_connect(&manager->reader);
    wire_connect(&manager->writer);
    if (!claim(manager, &subscribe.query)) {
        return;
    }
    subscribe.after = manager->position;
    subscribe.epoch = manager->epoch;
    request_id = wire_request(&manager->reader);
    msg_subscribe_encode(&manager->reader.out, request_id, &subscribe);
    code = wire_call(&manager->reader, request_id, OP_SUBSCRIBED, &frame, NULL);
    manager->is_following = code == ACTA_OK;
    ck_assert_msg(code == ACTA_OK || code == ACTA_UNKNOWN ||
                      code == ACTA_FENCED,
                  "%s", acta_code_name(code));
}

/* Its turn is over, or the server is gone. Another may want to work. */
static void
rest(struct manager *manager)
{
    manager->is_following = false;
    nap_us(rnd_below(&manager->rnd, REST_US_MAX));
}

/* All that comes of an order, at once. */
static void
put_effects(struct manager *manager, uint64_t request_id, uint64_t order)
{
    struct buf *out = &manager->writer.out;
    char name[40], data[32];
    struct buf writes;
    struct msg_checkpoint checkpoint = {
        .consumer = slice_of(MANAGER_CONSUMER),
        .epoch = manager->epoch,
        /* It is enough to say the epoch, or where it has to be. */
        .has_from = rnd_once_in(&manager->rnd, 2),
        .from = manager->position,
        .to = order,
    };
    struct msg_schedule schedule = {
        .due_us = rnd_below(&manager->rnd, DELAY_US_MAX),
        .is_delay = true,
    };
    struct msg_append_more more = {
        .checkpoints = &checkpoint,
        .checkpoints_count = 1,
        .schedules = &schedule,
        .schedules_count = 1,
    };
    size_t start;

    if (!checkpoint.has_from) {
        checkpoint.from = 0;
    }
    snprintf(data, sizeof(data), "%" PRIu64, order);
    /* A name of its own each time: a second one would not be taken for the
     * first.
     */
    snprintf(name, sizeof(name), "deadline-%" PRIu64 "-%" PRIx64, order,
             rnd_next(&manager->rnd));
    schedule.name = slice_of(name);
    buf_init(&writes, 4096);
    pack_array(&writes, 1);
    msg_append_write(&writes, slice_of("deadlines"), MSG_EXPECT_ANY, 1);
    wire_put_event(&writes, MANAGER_DEADLINE, NULL, data);
    schedule.writes = buf_slice(&writes);
    start = msg_append_begin(out, request_id, 1);
    msg_append_write(out, slice_of("commands"), MSG_EXPECT_ANY, 1);
    wire_put_event(out, MANAGER_COMMAND, NULL, data);
    msg_append_end(out, start, &more);
    buf_fini(&writes);
}

static enum acta_code
append(struct manager *manager, uint64_t order)
{
    uint64_t request_id = wire_request(&manager->writer);
    struct frame frame;

    put_effects(manager, request_id, order);
    return wire_call(&manager->writer, request_id, OP_APPENDED, &frame, NULL);
}

/* False if its turn is over: then the checkpoint tells what was done. Where
 * that is not known, it sometimes tries again at once, with other ids: if it
 * was done, the checkpoint is no longer where this append has it from.
 */
static bool
handle(struct manager *manager, uint64_t order)
{
    enum acta_code code = append(manager, order);

    if (code == ACTA_UNKNOWN && rnd_once_in(&manager->rnd, 2)) {
        wire_connect(&manager->writer);
        code = append(manager, order);
    }
    if (code != ACTA_OK) {
        ck_assert_msg(code == ACTA_UNKNOWN || code == ACTA_FENCED ||
                          code == ACTA_CONFLICT,
                      "%s", acta_code_name(code));
        return false;
    }
    manager->position = order;
    return true;
}

/* Handle the orders of a delivery. False as handle(). */
static bool
take(struct manager *manager, struct slice body)
{
    struct msg_delivery delivery;
    struct acta_err err;

    require(msg_delivery_decode(&delivery, body, &err) == ACTA_OK);
    for (size_t i = 0; i < delivery.events_count; i++) {
        struct event event;

        require(msg_next_event(&delivery.events, &event, &err) == ACTA_OK);
        if (has_to_stop(manager) || !handle(manager, event.position)) {
            return false;
        }
    }
    return true;
}

static void
follow(struct manager *manager)
{
    struct frame frame;

    switch (wire_next(&manager->reader, &frame, LOOK_MS)) {
    case WIRE_NOTHING:
        return;
    case WIRE_GONE:
        rest(manager);
        return;
    case WIRE_FRAME:
        break;
    }
    if (frame.kind == OP_UNSUBSCRIBED ||
        (frame.kind == OP_DELIVERY && !take(manager, frame.body))) {
        rest(manager);
    }
}

pid_t
manager_start(const struct daemon *daemon, uint64_t seed,
              const atomic_bool *stopping)
{
    struct manager manager = {.stopping = stopping};
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid != 0) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rnd_seed(&manager.rnd, seed);
    wire_init(&manager.reader, daemon);
    wire_init(&manager.writer, daemon);
    while (!has_to_stop(&manager)) {
        if (!manager.is_following) {
            begin(&manager);
        }
        if (manager.is_following) {
            follow(&manager);
        }
    }
    wire_fini(&manager.reader);
    wire_fini(&manager.writer);
    _exit(EXIT_SUCCESS);
}
