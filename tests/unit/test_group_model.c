/* A group against its model, in random histories: members join, stall, die,
 * answer twice, late and out of order; events are retried, parked, replayed,
 * dropped and hidden; the group is paused, altered and reset; and its server is
 * killed, with what was being saved lost or not.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "group.h"
#include "group_log.h"
#include "group_model.h"
#include "group_pending.h"
#include "rnd.h"
#include "row.h"
#include "run.h"

#define STEPS      150
#define KEYS       5
#define HEAD_MAX   120
#define RECENT     32
#define TIMEOUT_US 1000

/* What is on disk, or on its way there. */
struct rows {
    uint64_t epoch;
    uint64_t position;
    uint64_t moved_us;
    uint8_t pending[4096];
    size_t pending_size;
    struct model_event parked[HEAD_MAX + 1]; /* has_row: it is there. */
};

struct handed {
    unsigned member;
    uint64_t position;
    uint64_t fence;
};

static struct group_model model;
static struct event_log events;
static struct consumer consumer;
static struct group *group;
static struct group_member *members[MODEL_MEMBERS_MAX];
static struct rnd rnd;
static struct rows durable;
static struct rows saving;
static bool is_saving;
static bool saves_fences;          /* It has members that need some. */
static bool has_fences;            /* Such a save has come back. */
static bool has_row[HEAD_MAX + 1]; /* As far as the group was told. */
static struct handed recent[RECENT];
static size_t recent_count;

static const unsigned numbers[MODEL_MEMBERS_MAX] = {0, 1, 2, 3, 4, 5};

#define REQUIRE(claim, what) MODEL_REQUIRE(&model, claim, what)

/* It passes fast, so that kills are not more frequent than they can be. */
static uint64_t
wall_us(void)
{
    return 100000 * model.now_us;
}

static void
hold(unsigned m, bool is_held)
{
    if (members[m] != NULL) {
        model.members[m].is_held = is_held;
        group_hold(group, members[m], is_held);
    }
}

/* ---- ports ---- */

/* Now and then it is the last that somebody is handed. */
static void
hand(void *user, void *member, uint64_t fence, uint64_t deliveries,
     struct slice record)
{
    const unsigned *number = member;
    uint64_t position = event_record_position(record);

    (void)user;
    model_hand(&model, *number, position, fence, deliveries,
               has_row[position] ||
                   (is_saving && saving.parked[position].has_row));
    recent[recent_count++ % RECENT] = (struct handed){
        .member = *number,
        .position = position,
        .fence = fence,
    };
    if (rnd_once_in(&rnd, 20)) {
        hold(*number, true);
        hold((unsigned)rnd_below(&rnd, MODEL_MEMBERS_MAX), true);
    }
}

static enum acta_code
fetch(void *user, uint64_t position, struct slice *record, struct acta_err *err)
{
    enum acta_code code = log_fetch(&events, position, record);

    (void)user;
    (void)err;
    if (code == ACTA_NOT_FOUND) {
        model_hide(&model, position);
    }
    return code;
}

/* ---- rows ---- */

static void
stage_parked(const struct row *row)
{
    uint64_t position = parked_position(row->key);
    struct parked parked;

    saving.parked[position].has_row = row->value.size > 0;
    if (row->value.size == 0) {
        return;
    }
    REQUIRE(parked_decode(&parked, row->value, NULL) == ACTA_OK, "row");
    saving.parked[position].is_behind = parked.is_behind;
    saving.parked[position].deliveries = parked.deliveries;
}

static void
stage_checkpoint(const struct row *row)
{
    struct checkpoint_row checkpoint;

    REQUIRE(checkpoint_decode(&checkpoint, row->value, NULL) == ACTA_OK, "row");
    REQUIRE(checkpoint.pending.size <= sizeof(saving.pending), "row");
    REQUIRE(checkpoint.position >= saving.position ||
                checkpoint.epoch != saving.epoch,
            "goes back");
    saving.epoch = checkpoint.epoch;
    saving.position = checkpoint.position;
    saving.moved_us = checkpoint.moved_us;
    saving.pending_size = checkpoint.pending.size;
    memcpy(saving.pending, checkpoint.pending.data, checkpoint.pending.size);
}

static void
begin_save(void)
{
    struct slice left;
    struct row row;
    struct buf buf;

    saving = durable;
    buf_init(&buf, 1 << 20);
    REQUIRE(group_take_save(group, slice_of("g"), &buf, NULL) == ACTA_OK,
            "save");
    rows_end(&buf);
    REQUIRE(rows_open(&left, buf_slice(&buf), NULL) == ACTA_OK, "rows");
    while (rows_next(&left, &row)) {
        if (row.kind == ROW_PARKED) {
            stage_parked(&row);
        } else {
            stage_checkpoint(&row);
        }
    }
    buf_fini(&buf);
    is_saving = true;
    saves_fences = group_figures(group).members > 0;
    has_fences = has_fences && saves_fences;
}

/* It is durable, or refused since its epoch is over. */
static void
end_save(void)
{
    bool is_refused = saving.epoch != durable.epoch;

    is_saving = false;
    if (!is_refused) {
        durable = saving;
        for (size_t p = 1; p <= HEAD_MAX; p++) {
            has_row[p] = durable.parked[p].has_row;
        }
        has_fences = saves_fences;
    }
    group_saved(group, !is_refused);
}

/* What was promised is there. */
static void
check_durable(void)
{
    for (uint64_t p = 1; p <= events.head; p++) {
        const struct model_event *event = &model.events[p];

        if (event->ticket > 0 && event->ticket <= group_ticket(group)) {
            REQUIRE(durable.parked[p].has_row == event->has_row,
                    "was promised, and is not durable");
        }
    }
}

/* ---- a life of the group ---- */

static void
open_group(void)
{
    struct checkpoint_row row = {
        .epoch = durable.epoch,
        .position = durable.position,
        .moved_us = durable.moved_us,
        .pending = slice_make(durable.pending, durable.pending_size),
    };
    struct group_ports ports = {.hand = hand, .fetch = fetch};

    REQUIRE(group_new(&group, &consumer, &row, &ports, NULL) == ACTA_OK, "new");
    group_see_time(group, model.now_us, wall_us());
    for (uint64_t p = 1; p <= events.head; p++) {
        char key[32];

        if (!durable.parked[p].has_row) {
            continue;
        }
        snprintf(key, sizeof(key), "key-%u", events.events[p].key);
        REQUIRE(
            group_load_parked(group, p,
                              &(struct parked){
                                  .is_behind = durable.parked[p].is_behind,
                                  .deliveries = durable.parked[p].deliveries,
                                  .key = slice_of(key),
                              },
                              NULL) == ACTA_OK,
            "load");
    }
    has_fences = false;
}

/* What the model knows after a kill: what rows say. Whatever they say is done
 * must be.
 */
static void
forget_unsaved(void)
{
    struct group_pending_reader reader;
    struct group_pending pending;
    uint64_t fences;

    REQUIRE(
        group_pending_open(&reader, &fences,
                           slice_make(durable.pending, durable.pending_size),
                           durable.position, NULL) == ACTA_OK,
        "pending");
    for (uint64_t p = 1; p <= events.head; p++) {
        struct model_event *event = &model.events[p];
        const struct model_event *row = &durable.parked[p];
        bool is_pending =
            group_pending_peek(&reader, &pending) && pending.position == p;

        if (is_pending) {
            group_pending_skip(&reader);
        }
        if (!is_pending && !row->has_row && p <= durable.position) {
            REQUIRE(!events.events[p].is_matching || event->is_passed ||
                        event->state == MODEL_DONE,
                    "is lost");
            event->state = MODEL_DONE;
            event->has_row = false;
            continue;
        }
        *event = (struct model_event){
            .state = row->has_row ? MODEL_PARKED : MODEL_UNREAD,
            .has_row = row->has_row,
            .is_behind = row->is_behind && row->has_row,
            .deliveries = row->has_row ? row->deliveries
                          : is_pending ? pending.deliveries
                                       : 0,
        };
        event->tries = event->deliveries;
        has_row[p] = row->has_row;
    }
    model.read_to = durable.position;
}

static void
kill_server(void)
{
    check_durable();
    if (is_saving && saving.epoch == durable.epoch && rnd_once_in(&rnd, 2)) {
        durable = saving; /* Nobody was told. */
    }
    is_saving = false;
    group_free(group);
    memset(model.members, 0, sizeof(model.members));
    memset(members, 0, sizeof(members));
    forget_unsaved();
    open_group();
}

/* ---- what happens ---- */

static void
join_or_leave(void)
{
    unsigned m = (unsigned)rnd_below(&rnd, MODEL_MEMBERS_MAX);
    bool died = rnd_once_in(&rnd, 2);

    if (members[m] != NULL) {
        model_leave(&model, m, died);
        group_leave(group, members[m], died);
        members[m] = NULL;
        return;
    }
    model.members[m] = (struct model_member){
        .is_there = true,
        .slots = 1 + rnd_below(&rnd, 6),
    };
    members[m] = group_join(group, model.members[m].slots, slice_of("member"),
                            (void *)(uintptr_t)&numbers[m]);
}

static void
let_some_go_on(void)
{
    for (unsigned m = 0; m < MODEL_MEMBERS_MAX; m++) {
        if (rnd_once_in(&rnd, 2)) {
            hold(m, false);
        }
    }
}

/* Note when what was done to an event's row is durable. */
static void
note_ticket(uint64_t position, uint64_t ticket)
{
    if (ticket > 0) {
        model.events[position].ticket = ticket;
    }
}

static void
answer_one(const struct handed *handed)
{
    enum msg_settle_kind kinds[] = {MSG_ACK,   MSG_ACK,  MSG_ACK_UP_TO,
                                    MSG_RETRY, MSG_PARK, MSG_SKIP};
    struct msg_answer answer = {
        .kind = kinds[rnd_below(&rnd, 6)],
        .position = handed->position,
        .fence = handed->fence,
        .reason = slice_of("why not"),
        .delay_us = rnd_below(&rnd, 3) * 100,
    };
    uint64_t expected;
    uint64_t settled;
    uint64_t ticket;
    enum acta_code code;

    if (members[handed->member] == NULL) {
        return;
    }
    expected = model_answer(&model, handed->member, &answer);
    code = group_settle(group, members[handed->member], &answer, &settled,
                        &ticket);
    REQUIRE((code == ACTA_OK) == (expected > 0),
            expected > 0 ? "must be taken" : "must be refused");
    REQUIRE(settled == expected, "settles another number");
    if (answer.kind != MSG_ACK_UP_TO) {
        note_ticket(answer.position, ticket);
    }
}

static void
answer_some(void)
{
    for (uint64_t n = rnd_below(&rnd, 6); n > 0 && recent_count > 0; n--) {
        size_t known = recent_count < RECENT ? recent_count : RECENT;

        answer_one(&recent[rnd_below(&rnd, known)]);
    }
}

static void
change_parked(void)
{
    uint64_t position = 1 + rnd_below(&rnd, events.head);
    uint64_t expected = 0;
    uint64_t ticket;

    switch (rnd_below(&rnd, 6)) {
    case 0:
        for (uint64_t p = 1; p <= events.head; p++) {
            expected += model_replay(&model, p);
        }
        REQUIRE(group_replay_all(group) == expected, "replays others");
        break;
    case 1:
        for (uint64_t p = 1; p <= events.head; p++) {
            expected +=
                model.events[p].state == MODEL_PARKED && model_drop(&model, p);
        }
        REQUIRE(group_drop_all(group, &ticket) == expected, "drops others");
        break;
    default:
        for (uint64_t p = 1; p <= events.head; p++) { /* Rather one that is. */
            position =
                model.events[p].has_row && rnd_once_in(&rnd, 2) ? p : position;
        }
        if (rnd_once_in(&rnd, 3)) {
            REQUIRE(group_drop(group, position, &ticket) ==
                        model_drop(&model, position),
                    "drops another");
            note_ticket(position, ticket);
        } else {
            REQUIRE(group_replay(group, position) ==
                        model_replay(&model, position),
                    "replays another");
        }
    }
}

static void
alter(void)
{
    consumer.settings.ack_timeout_us = TIMEOUT_US + rnd_below(&rnd, 2) * 500;
    consumer.settings.deliveries_max = 1 + rnd_below(&rnd, 5);
    consumer.is_paused = rnd_once_in(&rnd, 3);
    model.settings = consumer.settings;
    model.is_paused = consumer.is_paused;
    group_set(group, &consumer);
}

static void
reset(void)
{
    uint64_t position = rnd_below(&rnd, model.read_to + 1);

    if (is_saving && rnd_once_in(&rnd, 2)) {
        end_save();
    }
    durable.epoch++;
    durable.position = position;
    durable.pending_size = 0;
    durable.moved_us = wall_us();
    for (uint64_t p = 1; p <= events.head; p++) {
        struct model_event *event = &model.events[p];

        if (event->has_row) {
            event->state = MODEL_PARKED;
            event->is_passed = p <= position;
        } else {
            *event = (struct model_event){
                .state = p > position ? MODEL_UNREAD : MODEL_DONE,
            };
        }
    }
    model.read_to = position;
    group_reset(group, durable.epoch, position);
    has_fences = false;
}

static void
append_some(void)
{
    for (uint64_t n = rnd_below(&rnd, 8); n > 0 && events.head < HEAD_MAX;
         n--) {
        log_append(&events, (unsigned)rnd_below(&rnd, KEYS),
                   !rnd_once_in(&rnd, 4));
    }
}

static void
hide_one(void)
{
    if (events.head > 0) {
        events.events[1 + rnd_below(&rnd, events.head)].is_hidden = true;
    }
}

/* ---- what the groups' thread does then ---- */

static void
load_one(void)
{
    for (uint64_t p = 1; p <= events.head; p++) {
        if (model.events[p].state == MODEL_UNREAD &&
            events.events[p].is_matching) {
            model_read(&model, p);
            break;
        }
    }
    REQUIRE(group_load(group, 1, NULL) == ACTA_OK, "load");
}

static void
read_one(void)
{
    uint64_t position = ++model.read_to;

    REQUIRE(group_read_to(group) == position - 1, "reads elsewhere");
    if (events.events[position].is_matching &&
        !events.events[position].is_hidden) {
        model_read(&model, position);
        REQUIRE(group_add(group, log_record(&events, position), NULL) ==
                    ACTA_OK,
                "add");
    } else {
        model.events[position].state = model.events[position].has_row
                                           ? model.events[position].state
                                           : MODEL_DONE;
    }
    REQUIRE(group_pass(group, position, NULL) == ACTA_OK, "pass");
}

static void
run_group(void)
{
    model_tick(&model);
    (void)group_tick(group);
    if (is_saving && !rnd_once_in(&rnd, 3)) {
        end_save();
    }
    if (!is_saving && group_save_is_due(group)) {
        begin_save();
    }
    model.round_start = model.fence;
    REQUIRE(group_begin(group, NULL) == ACTA_OK, "begin");
    while (group_wants(group) > 0) {
        if (group_is_loading(group)) {
            load_one();
        } else if (model.read_to < events.head) {
            read_one();
        } else {
            break;
        }
    }
}

/* The lowest that is neither done nor durably parked, or what is read. */
static uint64_t
model_position(void)
{
    for (uint64_t p = 1; p <= model.read_to; p++) {
        if (events.events[p].is_matching &&
            model.events[p].state != MODEL_DONE && !model.events[p].is_passed &&
            !(model.events[p].has_row && has_row[p])) {
            return p - 1;
        }
    }
    return model.read_to;
}

static void
check_figures(void)
{
    struct group_figures figures = group_figures(group);

    REQUIRE(figures.in_hand == model_count(&model, MODEL_IN_HAND), "in hand");
    REQUIRE(figures.delayed == model_count(&model, MODEL_DELAYED), "delayed");
    REQUIRE(figures.waiting == model_count(&model, MODEL_WAITS), "waiting");
    REQUIRE(figures.parked == model_rows(&model), "parked");
    for (uint64_t p = 1; p <= events.head; p++) {
        const struct model_event *event = &model.events[p];
        enum msg_parked_state expected = event->state != MODEL_PARKED
                                             ? MSG_PARKED_REPLAYED
                                         : event->is_behind ? MSG_PARKED_BEHIND
                                                            : MSG_PARKED;
        enum msg_parked_state state;

        REQUIRE(group_parked_state(group, p, &state) == event->has_row,
                "is parked or not");
        REQUIRE(!event->has_row || state == expected, "is parked otherwise");
    }
}

/* An event that was met again after a reset may be parked anew while the row of
 * before is still there: to the group it is pending until its own is durable.
 */
static bool
position_is_true(void)
{
    uint64_t position = group_figures(group).position;
    uint64_t expected = model_position();

    return position == expected ||
           (position < expected && model.events[position + 1].has_row);
}

static void
check_group(void)
{
    check_figures();
    REQUIRE(position_is_true(), "position");
    if (has_fences && !model.is_paused && !group_is_loading(group)) {
        model_check_rest(&model);
    }
}

/* ---- histories ---- */

static void
step(void)
{
    model.now_us += 1 + rnd_below(&rnd, 200);
    group_see_time(group, model.now_us, wall_us());
    switch (rnd_below(&rnd, 24)) {
    case 0:
        alter();
        break;
    case 1:
        kill_server();
        break;
    case 2:
        reset();
        break;
    case 3:
        hide_one();
        break;
    case 4:
    case 5:
    case 6:
        join_or_leave();
        break;
    case 7:
    case 8:
        if (events.head > 0) {
            change_parked();
        }
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        append_some();
        break;
    case 13:
        model.now_us += rnd_below(&rnd, 2 * TIMEOUT_US);
        group_see_time(group, model.now_us, wall_us());
        break;
    default:
        answer_some();
    }
    if (rnd_once_in(&rnd, 3)) {
        let_some_go_on();
    }
    run_group();
    check_group();
}

/* Everybody does what is asked of them, until nothing is left. */
static void
drain(void)
{
    uint64_t ticket;

    consumer.is_paused = false;
    model.is_paused = false;
    group_set(group, &consumer);
    if (members[0] == NULL) {
        model.members[0] = (struct model_member){.is_there = true, .slots = 3};
        members[0] = group_join(group, 3, slice_of("last"),
                                (void *)(uintptr_t)&numbers[0]);
    }
    for (unsigned i = 0; i < 20 * HEAD_MAX && model_position() < events.head;
         i++) {
        for (uint64_t p = 1; p <= events.head; p++) {
            const struct model_event *event = &model.events[p];
            struct msg_answer answer = {
                .kind = MSG_ACK,
                .fence = event->fence,
                .position = p,
            };
            unsigned member = event->member;
            uint64_t settled;

            if (event->state == MODEL_IN_HAND) {
                REQUIRE(model_answer(&model, member, &answer) == 1, "ack");
                REQUIRE(group_settle(group, members[member], &answer, &settled,
                                     &ticket) == ACTA_OK,
                        "ack");
            }
        }
        model.now_us += 200;
        group_see_time(group, model.now_us, wall_us());
        let_some_go_on();
        run_group();
        check_group();
    }
    REQUIRE(model_position() == events.head, "does not come to rest");
    REQUIRE(group_figures(group).position == events.head, "has a wrong lag");
}

static void
start_history(uint64_t seed)
{
    rnd_seed(&rnd, seed);
    memset(&model, 0, sizeof(model));
    memset(&durable, 0, sizeof(durable));
    memset(members, 0, sizeof(members));
    memset(has_row, 0, sizeof(has_row));
    is_saving = false;
    recent_count = 0;
    consumer = (struct consumer){
        .number = 1,
        .kind = MSG_CONSUMER_GROUP,
        .settings =
            {
                .ack_timeout_us = TIMEOUT_US,
                .deliveries_max = 3,
                .on_park =
                    rnd_once_in(&rnd, 2) ? MSG_PARK_WAITS : MSG_PARK_GOES_ON,
            },
    };
    model.seed = seed;
    model.log = &events;
    model.settings = consumer.settings;
    model.now_us = 1;
    durable.epoch = 1;
    open_group();
}

START_TEST(a_group_does_what_its_model_says)
{
    unsigned histories = rnd_effort(1000, 100000);
    struct rnd seeds;

    rnd_init(&seeds);
    for (unsigned i = 0; i < histories; i++) {
        start_history(rnd_next(&seeds));
        for (model.step = 0; model.step < STEPS; model.step++) {
            step();
        }
        drain();
        group_free(group);
        log_free(&events);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("group_model");
    TCase *tcase = tcase_create("group_model");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_group_does_what_its_model_says);
    return run_suite(suite);
}
