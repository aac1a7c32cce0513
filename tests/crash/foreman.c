#include "foreman.h"

#include <check.h>
#include <inttypes.h>

#include "feeder.h"
#include "msg.h"
#include "nap.h"
#include "require.h"

#define DELIVERIES_MAX 4
#define LOOK_US        2000

/* ---- the group ---- */

static void
create_group(struct foreman *foreman, enum msg_on_park on_park)
{
    const struct workers *workers = foreman->workers;
    struct slice type = slice_of(FEEDER_TYPE);
    struct query_item item = {
        .fields = {[QUERY_TYPES] = {.texts = &type, .count = 1}},
    };
    struct msg_change_consumer change = {
        .name = slice_of(workers->group),
        .kind = MSG_CONSUMER_CREATE,
        .query = {&item, 1, NULL},
        .settings = {.key_tag = slice_of(workers->key_tag),
                     .ack_timeout_us = WORKER_TIMEOUT_US,
                     .deliveries_max = DELIVERIES_MAX,
                     .on_park = on_park},
        .given = MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX | MSG_HAS_ON_PARK,
    };

    (void)wire_change_consumer(&foreman->wire, &change);
    note(foreman->notes,
         "{\"group\":\"%s\",\"type\":\"%s\",\"key_tag\":\"%s\",\"waits\":%s,"
         "\"timeout\":%" PRIu64 ",\"deliveries_max\":%d}",
         workers->group, FEEDER_TYPE, workers->key_tag,
         on_park == MSG_PARK_WAITS ? "true" : "false", WORKER_TIMEOUT_US,
         DELIVERIES_MAX);
}

void
foreman_init(struct foreman *foreman, const struct daemon *daemon,
             const char *dir, const struct workers *workers,
             enum msg_on_park on_park)
{
    foreman->notes = notes_open(dir, "operator.log");
    foreman->workers = workers;
    foreman->parked_count = 0;
    foreman->rejected_count = 0;
    wire_init(&foreman->wire, daemon);
    wire_connect(&foreman->wire);
    create_group(foreman, on_park);
}

void
foreman_fini(struct foreman *foreman)
{
    wire_fini(&foreman->wire);
    notes_close(foreman->notes);
}

void
foreman_change(struct foreman *foreman, enum msg_consumer_change kind)
{
    struct msg_change_consumer change = {
        .name = slice_of(foreman->workers->group),
        .kind = kind,
    };

    (void)wire_change_consumer(&foreman->wire, &change);
}

struct msg_consumer
foreman_describe(struct foreman *foreman)
{
    uint64_t request_id = wire_request(&foreman->wire);
    struct msg_described described;
    struct frame frame;
    struct acta_err err;

    msg_describe_consumer_encode(&foreman->wire.out, request_id,
                                 slice_of(foreman->workers->group));
    frame = wire_must(&foreman->wire, request_id, OP_CONSUMER);
    ck_assert_msg(msg_consumer_decode(&described, frame.body, &err) == ACTA_OK,
                  "%s", err.text);
    return described.consumer;
}

/* ---- what is parked ---- */

static void
note_parked(struct foreman *foreman, const struct msg_parked *parked)
{
    require(foreman->parked_count < FOREMAN_PARKED_MAX);
    note_part(foreman->notes, "%s[%" PRIu64 ",%d,%" PRIu64 ",\"%s\"]",
              foreman->parked_count > 0 ? "," : "", parked->position,
              (int)parked->state, parked->deliveries, wire_text(parked->key));
    foreman->parked[foreman->parked_count++] = *parked;
    foreman->rejected_count +=
        slice_equal(parked->reason, slice_of(WORKER_REASON));
}

void
foreman_list(struct foreman *foreman)
{
    struct msg_list_parked list = {.group = slice_of(foreman->workers->group)};
    struct msg_parked_page page = {.at_end = false};

    foreman->parked_count = 0;
    foreman->rejected_count = 0;
    note_part(foreman->notes, "{\"list\":%" PRIu64 ",\"parked\":[",
              notes_time_us());
    while (!page.at_end) {
        uint64_t request_id = wire_request(&foreman->wire);
        struct frame frame;
        struct acta_err err;

        msg_list_parked_encode(&foreman->wire.out, request_id, &list);
        frame = wire_must(&foreman->wire, request_id, OP_PARKED);
        ck_assert_msg(msg_parked_decode(&page, frame.body, &err) == ACTA_OK,
                      "%s", err.text);
        for (size_t i = 0; i < page.parked_count; i++) {
            struct msg_parked parked = msg_next_parked(&page.parked);

            note_parked(foreman, &parked);
            list.after = parked.position;
        }
    }
    note_part(foreman->notes, "],\"at\":%" PRIu64 "}", notes_time_us());
    note_end(foreman->notes);
}

void
foreman_change_parked(struct foreman *foreman, enum msg_parked_change kind,
                      size_t index)
{
    uint64_t position = foreman->parked[index].position;
    uint64_t request_id = wire_request(&foreman->wire);
    uint64_t sent_us = notes_time_us();
    struct frame frame;
    struct acta_err err;
    uint64_t count = 0;

    msg_change_parked_encode(&foreman->wire.out, request_id,
                             slice_of(foreman->workers->group), kind, &position,
                             1, false);
    frame = wire_must(&foreman->wire, request_id, OP_PARKED_CHANGED);
    require(msg_number_decode(&count, OP_PARKED_CHANGED, frame.body, &err) ==
            ACTA_OK);
    note(foreman->notes,
         "{\"%s\":[%" PRIu64 "],\"sent\":%" PRIu64 ",\"count\":%" PRIu64
         ",\"at\":%" PRIu64 "}",
         kind == MSG_PARKED_DROP ? "drop" : "replay", position, sent_us, count,
         notes_time_us());
}

static void
replay_all(struct foreman *foreman)
{
    uint64_t request_id = wire_request(&foreman->wire);

    note(foreman->notes, "{\"replay\":null,\"sent\":%" PRIu64 "}",
         notes_time_us());
    msg_change_parked_encode(&foreman->wire.out, request_id,
                             slice_of(foreman->workers->group),
                             MSG_PARKED_REPLAY, NULL, 0, true);
    (void)wire_must(&foreman->wire, request_id, OP_PARKED_CHANGED);
}

/* ---- rest ---- */

static void
note_rest(struct foreman *foreman, const struct msg_consumer *group)
{
    note(foreman->notes,
         "{\"rest\":%" PRIu64 ",\"head\":%" PRIu64 ",\"events\":%" PRIu64
         ",\"matching\":%" PRIu64 ",\"in_hand\":%" PRIu64
         ",\"delayed\":%" PRIu64 ",\"parked\":%" PRIu64 ",\"position\":%" PRIu64
         "}",
         notes_time_us(), group->head, group->lag.events, group->lag.matching,
         group->in_hand, group->delayed, group->parked, group->position);
}

void
foreman_rest(struct foreman *foreman, uint64_t parked_max)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    struct msg_consumer group;

    for (;;) {
        group = foreman_describe(foreman);
        require(group.lag.is_counted);
        if (group.lag.matching == 0 && group.in_hand == 0 &&
            group.delayed == 0) {
            if (group.parked <= parked_max) {
                break;
            }
            replay_all(foreman);
        }
        ck_assert_msg(notes_time_us() < end,
                      "no rest: %" PRIu64 " matching, %" PRIu64
                      " in hand, %" PRIu64 " delayed, %" PRIu64 " parked",
                      group.lag.matching, group.in_hand, group.delayed,
                      group.parked);
        nap_us(LOOK_US);
    }
    note_rest(foreman, &group);
}
