#include "inventory.h"

#include <check.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "msg_consumer.h"
#include "msg_group.h"
#include "msg_lease.h"
#include "nap.h"
#include "notes.h"
#include "pack.h"
#include "require.h"

#define NAME_SIZE  48
#define STREAMS    4
#define EVENTS     12 /* In each, in a round. */
#define TYPE       "Kept"
#define GROUPS_MAX 1000
#define HOUR_US    UINT64_C(3600000000)
#define DAY_US     (24 * HOUR_US)
#define LINE_SIZE  4096
#define LOOK_US    1000
#define TIMEOUT_US (10 * HOUR_US)
#define HELD_MAX   256

/* What clients got in the last round. */
static struct {
    char consumer[NAME_SIZE];
    uint64_t epoch, position;
    char lease[NAME_SIZE];
    uint64_t fence;
} last;

/* ---- making ---- */

static struct slice
name_it(char name[static NAME_SIZE], const char *what, unsigned round,
        unsigned number)
{
    snprintf(name, NAME_SIZE, "%s-%u-%u", what, round, number);
    return slice_of(name);
}

static void
append_events(struct wire *wire, unsigned round)
{
    char name[NAME_SIZE], tag[NAME_SIZE];

    for (unsigned i = 0; i < STREAMS * EVENTS; i++) {
        (void)name_it(name, "stream", round, i % STREAMS);
        (void)name_it(tag, "tag", 0, i % 3);
        ck_assert_int_eq(
            wire_append(wire, name, i % 5 == 0 ? "Other" : TYPE, tag, "data"),
            ACTA_OK);
    }
}

static enum acta_code
append_effects(struct wire *wire, const struct msg_append_more *more)
{
    uint64_t request_id = wire_request(wire);
    size_t start = msg_append_begin(&wire->out, request_id, 0);
    struct frame frame;

    msg_append_end(&wire->out, start, more);
    return wire_call(wire, request_id, OP_APPENDED, &frame, NULL);
}

static enum acta_code
move_checkpoint(struct wire *wire, const char *consumer, uint64_t epoch,
                uint64_t from, uint64_t to)
{
    struct msg_checkpoint checkpoint = {
        .consumer = slice_of(consumer),
        .epoch = epoch,
        .has_from = true,
        .from = from,
        .to = to,
    };
    struct msg_append_more more = {
        .checkpoints = &checkpoint,
        .checkpoints_count = 1,
    };

    return append_effects(wire, &more);
}

static void
make_consumers(struct wire *wire, struct rnd *rnd, unsigned round)
{
    struct slice type = slice_of(TYPE);
    struct query_item item = {
        .fields = {[QUERY_TYPES] = {.texts = &type, .count = 1}},
    };
    uint64_t head = wire_head(wire);

    for (unsigned i = 0; i < 4; i++) {
        struct msg_change_consumer change = {
            .name = name_it(last.consumer, "plain", round, i),
            .kind = MSG_CONSUMER_CLAIM,
            .query = i % 2 == 0 ? QUERY_ALL : (struct query){&item, 1, NULL},
            .position = rnd_below(rnd, head / 2),
        };
        struct msg_consumer_changed changed =
            wire_change_consumer(wire, &change);

        last.epoch = changed.epoch;
        last.position = changed.position;
        if (i == 0) { /* One that was only claimed. */
            continue;
        }
        changed = wire_change_consumer(wire, &change);
        ck_assert_uint_gt(changed.epoch, last.epoch);
        last.epoch = changed.epoch;
        last.position += 1 + rnd_below(rnd, head / 2);
        ck_assert_int_eq(move_checkpoint(wire, last.consumer, last.epoch,
                                         changed.position, last.position),
                         ACTA_OK);
    }
    wire_change_consumer(wire, &(struct msg_change_consumer){
                                   .name = slice_of("gone"),
                                   .kind = MSG_CONSUMER_CLAIM,
                                   .query = QUERY_ALL,
                               });
    wire_change_consumer(wire, &(struct msg_change_consumer){
                                   .name = slice_of("gone"),
                                   .kind = MSG_CONSUMER_DELETE,
                               });
}

/* A member that takes what it is given, acks half of it, and parks the rest:
 * the last answer is a parking, which is durable when it is told, and so is all
 * that was answered before.
 */
static void
work_once(struct wire *wire, struct slice group)
{
    struct msg_join join = {group, 10, slice_of("once")};
    uint64_t member = wire_request(wire), request_id;
    struct msg_answer answers[HELD_MAX];
    struct msg_handed handed;
    struct msg_settled settled;
    struct frame frame;
    struct acta_err err;
    size_t start;

    msg_join_encode(&wire->out, member, &join);
    (void)wire_must(wire, member, OP_JOINED);
    ck_assert_int_eq(
        wire_next(wire, &frame, (unsigned)(wire_patience_us() / 1000)),
        WIRE_FRAME);
    ck_assert_uint_eq(frame.kind, OP_HANDED);
    require(msg_handed_decode(&handed, frame.body, &err) == ACTA_OK);
    ck_assert_uint_gt(handed.events_count, 1);
    require(handed.events_count <= HELD_MAX);
    for (size_t i = 0; i < handed.events_count; i++) {
        struct event event;

        require(msg_next_event(&handed.events, &event, &err) == ACTA_OK);
        answers[i] = (struct msg_answer){
            .kind = MSG_ACK,
            .fence = handed.fence,
            .position = event.position,
        };
    }
    answers[handed.events_count - 1].kind = MSG_PARK;
    answers[handed.events_count - 1].reason = slice_of("cannot be done");
    request_id = wire_request(wire);
    start =
        msg_settle_begin(&wire->out, request_id, member, handed.events_count);
    for (size_t i = 0; i < handed.events_count; i++) {
        msg_settle_answer(&wire->out, &answers[i]);
    }
    msg_settle_end(&wire->out, start);
    frame = wire_must(wire, request_id, OP_SETTLED);
    require(msg_settled_decode(&settled, frame.body, &err) == ACTA_OK);
    ck_assert_uint_eq(settled.settled, handed.events_count);
    request_id = wire_request(wire);
    msg_number_encode(&wire->out, OP_LEAVE, request_id, member);
    (void)wire_must(wire, request_id, OP_LEFT);
}

static void
make_groups(struct wire *wire, struct rnd *rnd, unsigned round)
{
    struct slice type = slice_of(TYPE);
    struct query_item item = {
        .fields = {[QUERY_TYPES] = {.texts = &type, .count = 1}},
    };
    char name[NAME_SIZE];

    for (unsigned i = 0; i < 3; i++) {
        struct msg_change_consumer change = {
            .name = name_it(name, "group", round, i),
            .kind = MSG_CONSUMER_CREATE,
            .query = {&item, 1, NULL},
            .position = rnd_below(rnd, 10),
            .settings =
                {
                    .key_tag = slice_of(i == 0 ? "" : "tag"),
                    .ack_timeout_us = TIMEOUT_US + rnd_below(rnd, HOUR_US),
                    .deliveries_max = 1 + rnd_below(rnd, 20),
                    .on_park = i == 1 ? MSG_PARK_GOES_ON : MSG_PARK_WAITS,
                },
            .given =
                MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX | MSG_HAS_ON_PARK,
        };

        (void)wire_change_consumer(wire, &change);
        work_once(wire, change.name);
        change.kind = i == 2 ? MSG_CONSUMER_PAUSE : MSG_CONSUMER_ALTER;
        change.settings.deliveries_max = 7;
        change.given = MSG_HAS_DELIVERIES_MAX;
        (void)wire_change_consumer(wire, &change);
    }
}

static struct msg_lease_changed
change_lease(struct wire *wire, const struct msg_change_lease *change)
{
    uint64_t request_id = wire_request(wire);
    struct msg_lease_changed changed;
    struct frame frame;
    struct acta_err err;

    msg_change_lease_encode(&wire->out, request_id, change);
    frame = wire_must(wire, request_id, OP_LEASE_CHANGED);
    require(msg_lease_changed_decode(&changed, frame.body, &err) == ACTA_OK);
    return changed;
}

static void
make_leases(struct wire *wire, struct rnd *rnd, unsigned round)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t claim[UUID_SIZE];
        struct msg_change_lease change = {
            .name = name_it(last.lease, "lease", round, i),
            .kind = MSG_LEASE_ACQUIRE,
            .holder = slice_of("somebody"),
            .claim = claim,
            .duration_us = HOUR_US + rnd_below(rnd, HOUR_US),
        };

        rnd_bytes(rnd, claim, sizeof(claim));
        last.fence = change_lease(wire, &change).fence;
        if (i == 1) { /* Given back. */
            change.kind = MSG_LEASE_RELEASE;
            change.fence = last.fence;
            (void)change_lease(wire, &change);
        }
    }
}

static void
make_snapshots(struct wire *wire, struct rnd *rnd, unsigned round)
{
    char names[STREAMS][NAME_SIZE], data[STREAMS][32];
    struct msg_snapshot snapshots[STREAMS];
    struct msg_append_more more = {
        .snapshots = snapshots,
        .snapshots_count = STREAMS,
    };

    for (unsigned i = 0; i < STREAMS; i++) {
        snprintf(data[i], sizeof(data[i]), "state %" PRIu64,
                 rnd_below(rnd, 1000));
        snapshots[i] = (struct msg_snapshot){
            .stream = name_it(names[i], "stream", round, i),
            .version = 1 + rnd_below(rnd, EVENTS),
            .schema = rnd_below(rnd, 3),
            .data = slice_of(data[i]),
        };
    }
    ck_assert_int_eq(append_effects(wire, &more), ACTA_OK);
    snapshots[0] =
        (struct msg_snapshot){.stream = slice_of(names[0]), .is_removed = true};
    more.snapshots_count = 1;
    ck_assert_int_eq(append_effects(wire, &more), ACTA_OK);
}

static void
schedule(struct wire *wire, struct slice name, uint64_t due_us,
         const char *stream, int64_t expected)
{
    struct msg_schedule schedule = {.name = name, .due_us = due_us};
    struct msg_append_more more = {
        .schedules = &schedule,
        .schedules_count = 1,
    };
    struct buf writes;

    buf_init(&writes, 4096);
    if (stream != NULL) {
        pack_array(&writes, 1);
        msg_append_write(&writes, slice_of(stream), expected, 2);
        wire_put_event(&writes, "Due", NULL, "one");
        wire_put_event(&writes, "Due", NULL, "two");
        schedule.writes = buf_slice(&writes);
    }
    ck_assert_int_eq(append_effects(wire, &more), ACTA_OK);
    buf_fini(&writes);
}

static bool take_schedules(struct wire *wire, struct slice prefix,
                           void (*take)(void *user,
                                        const struct msg_scheduled *schedule),
                           void *user);

static void
see_failure(void *user, const struct msg_scheduled *schedule)
{
    *(bool *)user |= schedule->state == MSG_SCHEDULE_FAILED;
}

/* Until the one that is due at once, and cannot be done, has failed. */
static void
wait_for_failure(struct wire *wire, const char *name)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    bool has_failed = false;

    while (!has_failed) {
        ck_assert_uint_lt(notes_time_us(), end);
        (void)take_schedules(wire, slice_of(name), see_failure, &has_failed);
        nap_us(LOOK_US);
    }
}

static void
make_schedules(struct wire *wire, struct rnd *rnd, unsigned round)
{
    struct timespec now;
    char name[NAME_SIZE], stream[NAME_SIZE];
    struct slice cancelled = slice_of("cancelled");
    struct msg_append_more more = {
        .cancellations = &cancelled,
        .cancellations_count = 1,
    };
    uint64_t day_us;

    clock_gettime(CLOCK_REALTIME, &now);
    day_us = (uint64_t)now.tv_sec * 1000000 + DAY_US;
    (void)name_it(stream, "stream", round, 0);
    for (unsigned i = 0; i < 4; i++) {
        schedule(wire, name_it(name, "schedule", round, i),
                 day_us + rnd_below(rnd, DAY_US), stream, MSG_EXPECT_ANY);
    }
    schedule(wire, slice_of(name), day_us + rnd_below(rnd, DAY_US), NULL, 0);
    schedule(wire, cancelled, day_us, stream, MSG_EXPECT_ANY);
    ck_assert_int_eq(append_effects(wire, &more), ACTA_OK);
    schedule(wire, name_it(name, "failed", round, 0), 1, stream, 999999);
    wait_for_failure(wire, name);
}

void
inventory_make(struct wire *wire, struct rnd *rnd, unsigned round)
{
    append_events(wire, round);
    make_consumers(wire, rnd, round);
    make_groups(wire, rnd, round);
    make_leases(wire, rnd, round);
    make_snapshots(wire, rnd, round);
    make_schedules(wire, rnd, round);
}

/* ---- telling ---- */

static void say(struct buf *text, const char *fmt, ...) ACTA_PRINTF(2, 3);

static void
say(struct buf *text, const char *fmt, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int size;

    va_start(arguments, fmt);
    size = vsnprintf(line, sizeof(line), fmt, arguments);
    va_end(arguments);
    require(size >= 0 && size < LINE_SIZE);
    buf_append(text, line, (size_t)size);
}

static void
say_bytes(struct buf *text, const char *name, struct slice bytes)
{
    say(text, " %s=", name);
    for (size_t i = 0; i < bytes.size; i++) {
        say(text, "%02x", bytes.data[i]);
    }
}

static void
tell_parked(struct wire *wire, struct buf *text, const char *group)
{
    struct msg_list_parked list = {.group = slice_of(group)};
    struct msg_parked_page page = {.at_end = false};

    while (!page.at_end) {
        uint64_t request_id = wire_request(wire);
        struct frame frame;
        struct acta_err err;

        msg_list_parked_encode(&wire->out, request_id, &list);
        frame = wire_must(wire, request_id, OP_PARKED);
        require(msg_parked_decode(&page, frame.body, &err) == ACTA_OK);
        for (size_t i = 0; i < page.parked_count; i++) {
            struct msg_parked parked = msg_next_parked(&page.parked);

            say(text,
                "parked %s position=%" PRIu64 " state=%d deliveries=%" PRIu64
                " time=%" PRIu64,
                group, parked.position, (int)parked.state, parked.deliveries,
                parked.time_us);
            say_bytes(text, "key", parked.key);
            say_bytes(text, "reason", parked.reason);
            say(text, "\n");
            list.after = parked.position;
        }
    }
}

static void
tell_consumer(struct buf *text, const struct msg_consumer *consumer)
{
    const struct msg_group_settings *settings = &consumer->settings;

    say(text,
        "consumer %s kind=%d position=%" PRIu64 " epoch=%" PRIu64
        " paused=%d timeout=%" PRIu64 " deliveries_max=%" PRIu64 " on_park=%d",
        wire_text(consumer->name), (int)consumer->kind, consumer->position,
        consumer->epoch, consumer->is_paused, settings->ack_timeout_us,
        settings->deliveries_max, (int)settings->on_park);
    say(text,
        " events=%" PRIu64 " matching=%" PRIu64 " counted=%d head=%" PRIu64
        " changed=%" PRIu64 " connected=%" PRIu64 " in_hand=%" PRIu64
        " delayed=%" PRIu64 " parked=%" PRIu64,
        consumer->lag.events, consumer->lag.matching, consumer->lag.is_counted,
        consumer->head, consumer->changed_us, consumer->connected,
        consumer->in_hand, consumer->delayed, consumer->parked);
    say_bytes(text, "query", consumer->query);
    say_bytes(text, "key_tag", settings->key_tag);
    say(text, "\n");
}

static void
tell_consumers(struct wire *wire, struct buf *text)
{
    struct msg_list list = {.prefix = SLICE_NONE};
    struct msg_consumers page = {.at_end = false};
    static char groups[GROUPS_MAX][NAME_SIZE];
    size_t groups_count = 0;
    char after[NAME_SIZE];

    while (!page.at_end) { /* What is slow to tell makes a page short. */
        uint64_t request_id = wire_request(wire);
        struct frame frame;
        struct acta_err err;

        msg_list_encode(&wire->out, OP_LIST_CONSUMERS, request_id, &list);
        frame = wire_must(wire, request_id, OP_CONSUMERS);
        require(msg_consumers_decode(&page, frame.body, &err) == ACTA_OK);
        for (size_t i = 0; i < page.consumers_count; i++) {
            struct msg_consumer consumer = msg_next_consumer(&page.consumers);

            tell_consumer(text, &consumer);
            snprintf(after, sizeof(after), "%s", wire_text(consumer.name));
            list.after = slice_of(after);
            if (consumer.kind == MSG_CONSUMER_GROUP) {
                require(groups_count < GROUPS_MAX);
                memcpy(groups[groups_count++], after, NAME_SIZE);
            }
        }
    }
    for (size_t i = 0; i < groups_count; i++) {
        tell_parked(wire, text, groups[i]);
    }
}

static void
tell_leases(struct wire *wire, struct buf *text)
{
    struct msg_list list = {.prefix = SLICE_NONE};
    struct msg_leases page;
    uint64_t request_id = wire_request(wire);
    struct frame frame;
    struct acta_err err;

    msg_list_encode(&wire->out, OP_LIST_LEASES, request_id, &list);
    frame = wire_must(wire, request_id, OP_LEASES);
    require(msg_leases_decode(&page, frame.body, &err) == ACTA_OK);
    require(page.at_end);
    for (size_t i = 0; i < page.leases_count; i++) {
        struct msg_lease lease = msg_next_lease(&page.leases);

        say(text,
            "lease %s fence=%" PRIu64 " duration=%" PRIu64 " since=%" PRIu64
            " waiters=%" PRIu64,
            wire_text(lease.name), lease.fence, lease.duration_us,
            lease.since_us, lease.waiters_count);
        say_bytes(text, "holder", lease.holder);
        say(text, "\n");
        require(lease.remaining_us > 0);
        require(lease.remaining_us <= lease.duration_us);
    }
}

static bool
take_schedules(struct wire *wire, struct slice prefix,
               void (*take)(void *user, const struct msg_scheduled *schedule),
               void *user)
{
    struct msg_list list = {.prefix = prefix};
    struct msg_schedules page;
    uint64_t request_id = wire_request(wire);
    struct frame frame;
    struct acta_err err;

    msg_list_encode(&wire->out, OP_LIST_SCHEDULES, request_id, &list);
    frame = wire_must(wire, request_id, OP_SCHEDULES);
    require(msg_schedules_decode(&page, frame.body, &err) == ACTA_OK);
    for (size_t i = 0; i < page.schedules_count; i++) {
        struct msg_scheduled scheduled = msg_next_scheduled(&page.schedules);

        take(user, &scheduled);
    }
    return page.at_end;
}

static void
tell_schedule(void *user, const struct msg_scheduled *schedule)
{
    say(user,
        "schedule %s due=%" PRIu64 " created=%" PRIu64 " state=%d"
        " events=%" PRIu64,
        wire_text(schedule->name), schedule->due_us, schedule->created_us,
        (int)schedule->state, schedule->events_count);
    say_bytes(user, "text", schedule->text);
    say_bytes(user, "stream", schedule->stream);
    say_bytes(user, "type", schedule->type);
    say(user, "\n");
}

/* The streams are those of the rounds so far, up to one that is not there. */
static void
tell_snapshots(struct wire *wire, struct buf *text)
{
    for (unsigned i = 0;; i++) {
        char name[NAME_SIZE];
        struct msg_load load = {
            .stream = name_it(name, "stream", i / STREAMS, i % STREAMS),
        };
        uint64_t request_id = wire_request(wire);
        struct msg_loaded loaded;
        struct frame frame;
        struct acta_err err;

        msg_load_encode(&wire->out, request_id, &load);
        frame = wire_must(wire, request_id, OP_LOADED);
        require(msg_loaded_decode(&loaded, frame.body, &err) == ACTA_OK);
        if (loaded.page.version == 0) {
            return;
        }
        say(text,
            "snapshot %s there=%d version=%" PRIu64 " schema=%" PRIu64
            " time=%" PRIu64 " behind=%zu of=%" PRIu64,
            name, loaded.has_snapshot, loaded.snapshot_version,
            loaded.snapshot_schema, loaded.snapshot_time_us,
            loaded.page.events_count, loaded.page.version);
        say_bytes(text, "data", loaded.snapshot);
        say(text, "\n");
    }
}

void
inventory_tell(struct wire *wire, struct buf *text)
{
    buf_clear(text);
    tell_consumers(wire, text);
    tell_leases(wire, text);
    require(take_schedules(wire, SLICE_NONE, tell_schedule, text));
    tell_snapshots(wire, text);
    buf_append(text, "", 1);
    require(!buf_failed(text));
}

/* ---- using ---- */

void
inventory_use(struct wire *wire)
{
    struct msg_fence fence = {slice_of(last.lease), last.fence};
    struct msg_checkpoint checkpoint = {
        .consumer = slice_of(last.consumer),
        .epoch = last.epoch,
        .has_from = true,
        .from = last.position,
        .to = last.position + 1,
    };
    struct msg_append_more more = {
        .checkpoints = &checkpoint,
        .checkpoints_count = 1,
        .leases = &fence,
        .leases_count = 1,
    };

    ck_assert_int_eq(move_checkpoint(wire, last.consumer, last.epoch - 1,
                                     last.position, last.position + 1),
                     ACTA_FENCED);
    ck_assert_int_eq(move_checkpoint(wire, last.consumer, last.epoch,
                                     last.position - 1, last.position + 1),
                     ACTA_CONFLICT);
    fence.fence--;
    ck_assert_int_eq(append_effects(wire, &more), ACTA_FENCED);
    fence.fence++;
    ck_assert_int_eq(append_effects(wire, &more), ACTA_OK);
    last.position++;
}
