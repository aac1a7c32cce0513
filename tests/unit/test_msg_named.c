/* Consumers, groups, leases, schedules, loading and verifying: the limits of
 * each message, on both sides, and what is special to one.
 */

#include <stdlib.h>

#include "alloc.h"
#include "hex.h"
#include "limit.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "msg_lease.h"
#include "msg_verify.h"
#include "run.h"

static struct buf buf;
static struct acta_err err;
static uint8_t letters[ACTA_TEXT_SIZE_MAX + 1];

static const uint8_t claim[UUID_SIZE] = {1, 2, 3};

static void
setup(void)
{
    buf_init(&buf, 8u << 20);
    err = (struct acta_err){ACTA_OK, ""};
    alloc_reset();
    memset(letters, 'x', sizeof(letters));
}

static void
teardown(void)
{
    buf_fini(&buf);
}

static struct slice
text_of(size_t size)
{
    return slice_make(letters, size);
}

/* The body of the frame in buf. */
static struct slice
body(void)
{
    struct slice bytes = buf_slice(&buf);

    ck_assert(!buf_failed(&buf));
    return slice_make(bytes.data + FRAME_HEADER_SIZE,
                      bytes.size - FRAME_HEADER_SIZE);
}

/* ---- consumers ---- */

static enum acta_code
try_change(struct msg_change_consumer *change)
{
    struct msg_change_consumer read;
    enum acta_code code;

    buf_clear(&buf);
    msg_change_consumer_encode(&buf, 1, change);
    code = msg_change_consumer_decode(&read, body(), &err);
    *change = read;
    return code;
}

static enum acta_code
try_create(struct msg_group_settings settings, unsigned given)
{
    struct msg_change_consumer change = {.name = slice_of("g"),
                                         .kind = MSG_CONSUMER_CREATE,
                                         .settings = settings,
                                         .given = given};

    return try_change(&change);
}

START_TEST(consumer_is_a_name)
{
    struct slice names[] = {SLICE_NONE, slice_of("\xff"), text_of(255),
                            text_of(256)};
    static const enum acta_code codes[] = {ACTA_INVALID, ACTA_INVALID, ACTA_OK,
                                           ACTA_TOO_LARGE};
    struct msg_change_consumer change = {.name = names[_i],
                                         .kind = MSG_CONSUMER_PAUSE};
    struct msg_list_parked list = {.group = names[_i]};
    struct msg_join join = {.group = names[_i], .slots = 1};
    struct msg_await await = {.consumer = names[_i]};
    struct slice name;

    ck_assert_int_eq(try_change(&change), codes[_i]);
    buf_clear(&buf);
    msg_describe_consumer_encode(&buf, 1, names[_i]);
    ck_assert_int_eq(msg_describe_consumer_decode(&name, body(), &err),
                     codes[_i]);
    buf_clear(&buf);
    msg_await_encode(&buf, 1, &await);
    ck_assert_int_eq(msg_await_decode(&await, body(), &err), codes[_i]);
    buf_clear(&buf);
    msg_list_parked_encode(&buf, 1, &list);
    ck_assert_int_eq(msg_list_parked_decode(&list, body(), &err), codes[_i]);
    buf_clear(&buf);
    msg_join_encode(&buf, 1, &join);
    ck_assert_int_eq(msg_join_decode(&join, body(), &err), codes[_i]);
    buf_clear(&buf);
    msg_change_parked_encode(&buf, 1, names[_i], MSG_PARKED_DROP, NULL, 0,
                             true);
    ck_assert_int_eq(
        msg_change_parked_decode(&(struct msg_change_parked){0}, body(), &err),
        codes[_i]);
}
END_TEST

START_TEST(settings_that_are_not_given_are_the_defaults)
{
    struct msg_change_consumer change = {
        .name = slice_of("g"),
        .kind = MSG_CONSUMER_CREATE,
        .settings = {.ack_timeout_us = 5,
                     .deliveries_max = 0,
                     .on_park = (enum msg_on_park)9}};

    ck_assert_int_eq(try_change(&change), ACTA_OK);
    ck_assert_uint_eq(change.given, 0);
    ck_assert_uint_eq(change.settings.ack_timeout_us,
                      MSG_ACK_TIMEOUT_US_DEFAULT);
    ck_assert_uint_eq(change.settings.deliveries_max,
                      MSG_DELIVERIES_MAX_DEFAULT);
    ck_assert_int_eq(change.settings.on_park, MSG_PARK_WAITS);
    ck_assert_uint_eq(change.query.items_count, 0);
}
END_TEST

START_TEST(what_is_altered_is_what_is_given)
{
    for (unsigned given = 0; given < 16; given++) {
        struct msg_change_consumer change = {
            .name = slice_of("g"),
            .kind = MSG_CONSUMER_ALTER,
            .settings = {SLICE_NONE, 2000, 3, MSG_PARK_GOES_ON},
            .given = given};
        enum acta_code code = try_change(&change);

        ck_assert_int_eq(code, given == 0 ? ACTA_INVALID : ACTA_OK);
        ck_assert_uint_eq(change.given, given);
        ck_assert_uint_eq(change.settings.ack_timeout_us,
                          given & MSG_HAS_ACK_TIMEOUT ? 2000 : 0);
        ck_assert_uint_eq(change.settings.deliveries_max,
                          given & MSG_HAS_DELIVERIES_MAX ? 3 : 0);
        ck_assert_int_eq(change.settings.on_park,
                         given & MSG_HAS_ON_PARK ? MSG_PARK_GOES_ON : 0);
    }
}
END_TEST

START_TEST(settings_of_a_group_are_bounded)
{
    struct msg_group_settings settings = {.key_tag = text_of(255),
                                          .ack_timeout_us =
                                              MSG_ACK_TIMEOUT_US_MIN,
                                          .deliveries_max = 1};
    unsigned all =
        MSG_HAS_ACK_TIMEOUT | MSG_HAS_DELIVERIES_MAX | MSG_HAS_ON_PARK;

    ck_assert_int_eq(try_create(settings, all), ACTA_OK);
    settings.ack_timeout_us--;
    ck_assert_int_eq(try_create(settings, all), ACTA_INVALID);
    ck_assert_str_eq(err.text,
                     "ack time-out is 0.999 ms, must be at least 1 ms");
    settings.ack_timeout_us = MSG_ACK_TIMEOUT_US_MAX;
    settings.deliveries_max = UINT64_MAX;
    settings.on_park = MSG_PARK_GOES_ON;
    ck_assert_int_eq(try_create(settings, all), ACTA_OK);
    settings.ack_timeout_us++;
    ck_assert_int_eq(try_create(settings, all), ACTA_TOO_LARGE);
    settings.ack_timeout_us--;
    settings.deliveries_max = 0;
    ck_assert_int_eq(try_create(settings, all), ACTA_INVALID);
    settings.deliveries_max = 1;
    settings.key_tag = text_of(256);
    ck_assert_int_eq(try_create(settings, all), ACTA_TOO_LARGE);
    settings.key_tag = slice_of("\n");
    ck_assert_int_eq(try_create(settings, all), ACTA_INVALID);
}
END_TEST

static enum acta_code
try_note(uint64_t epoch, struct slice note)
{
    struct msg_change_consumer change = {.name = slice_of("c"),
                                         .kind = MSG_CONSUMER_NOTE,
                                         .epoch = epoch,
                                         .note = note};
    enum acta_code code = try_change(&change);

    if (code == ACTA_OK) {
        ck_assert_int_eq(change.kind, MSG_CONSUMER_NOTE);
        ck_assert_uint_eq(change.epoch, epoch);
        assert_slice_eq(change.note, note);
        ck_assert_uint_eq(change.query.items_count, 0);
    }
    return code;
}

START_TEST(note_is_lines_for_people)
{
    ck_assert_int_eq(try_note(0, SLICE_NONE), ACTA_OK);
    ck_assert_int_eq(try_note(UINT64_MAX, text_of(ACTA_TEXT_SIZE_MAX)),
                     ACTA_OK);
    ck_assert_int_eq(try_note(1, slice_of("one\n\ttwo \xc3\xbc")), ACTA_OK);
    ck_assert_int_eq(try_note(1, text_of(ACTA_TEXT_SIZE_MAX + 1)),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "note is 1025 bytes, the limit is 1024");
    ck_assert_int_eq(try_note(1, slice_of("red \x1b[31m")), ACTA_INVALID);
    ck_assert_int_eq(try_note(1, slice_of("\xc3")), ACTA_INVALID);
    ck_assert_int_eq(try_note(1, slice_make("a\0b", 3)), ACTA_INVALID);
}
END_TEST

static enum acta_code
try_await(uint64_t position, uint64_t timeout_us)
{
    struct msg_await await = {slice_of("c"), position, timeout_us};
    struct msg_await read;
    enum acta_code code;

    buf_clear(&buf);
    msg_await_encode(&buf, 1, &await);
    code = msg_await_decode(&read, body(), &err);
    if (code == ACTA_OK) {
        assert_slice_eq(read.consumer, await.consumer);
        ck_assert_uint_eq(read.position, position);
        ck_assert_uint_eq(read.timeout_us, timeout_us);
    }
    return code;
}

START_TEST(nobody_waits_for_a_consumer_for_more_than_a_day)
{
    ck_assert_int_eq(try_await(0, 0), ACTA_OK);
    ck_assert_int_eq(try_await(UINT64_MAX, MSG_AWAIT_US_MAX), ACTA_OK);
    ck_assert_int_eq(try_await(1, MSG_AWAIT_US_MAX + 1), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "time-out is 86400.000001 s, the limit is "
                               "86400 s");
}
END_TEST

/* A field behind the query is wrong, or there is no memory for it. */
START_TEST(refused_change_of_a_consumer_frees_its_query)
{
    static const char *const bodies[] = {
        "93 a163 00 92 9195 90 91a154 90 90 90 c0",
        "93 a163 01 96 9195 90 91a154 90 90 90 00 a0 c0 c0 05",
        "93 a163 02 94 9195 90 91a154 90 90 90 c0 00 c0",
    };
    struct slice bytes = hex(bodies[_i]);
    struct msg_change_consumer change;
    enum acta_code code;

    code = msg_change_consumer_decode(&change, bytes, &err);
    ck_assert_int_eq(code, ACTA_INVALID);
    ck_assert_ptr_null(change.query.memory);
    alloc_fail_after = 0;
    code = msg_change_consumer_decode(&change, bytes, &err);
    alloc_reset();
    ck_assert_int_eq(code, ACTA_MEMORY);
    ck_assert_ptr_null(change.query.memory);
}
END_TEST

START_TEST(consumer_that_is_listed_has_a_query)
{
    struct msg_consumers list;

    buf_clear(&buf);
    for (int good = 0; good <= 1; good++) {
        struct msg_consumer consumer = {.name = slice_of("c"),
                                        .query = hex(good ? "90" : "9190")};
        struct msg_open open;

        buf_clear(&buf);
        open = msg_consumers_begin(&buf, 1);
        msg_consumers_add(&buf, &open, &consumer);
        msg_consumers_end(&buf, open, true);
        ck_assert_int_eq(msg_consumers_decode(&list, body(), &err),
                         good ? ACTA_OK : ACTA_INVALID);
    }
    ck_assert_uint_eq(list.consumers_count, 1);
    ck_assert(list.at_end);
}
END_TEST

START_TEST(prefix_and_after_of_lists_are_as_long_as_names)
{
    static const uint8_t kinds[] = {OP_LIST_CONSUMERS, OP_LIST_LEASES,
                                    OP_LIST_SCHEDULES};
    struct msg_list list = {text_of(255), text_of(255), UINT64_MAX};

    msg_list_encode(&buf, kinds[_i], 1, &list);
    ck_assert_int_eq(msg_list_decode(&list, kinds[_i], body(), &err), ACTA_OK);
    buf_clear(&buf);
    list.after = text_of(256);
    msg_list_encode(&buf, kinds[_i], 1, &list);
    ck_assert_int_eq(msg_list_decode(&list, kinds[_i], body(), &err),
                     ACTA_TOO_LARGE);
    buf_clear(&buf);
    list = (struct msg_list){text_of(256), SLICE_NONE, 0};
    msg_list_encode(&buf, kinds[_i], 1, &list);
    ck_assert_int_eq(msg_list_decode(&list, kinds[_i], body(), &err),
                     ACTA_TOO_LARGE);
}
END_TEST

/* ---- parked events ---- */

static enum acta_code
try_positions(size_t count)
{
    uint64_t *positions = calloc(count + 1, sizeof(*positions));
    struct msg_change_parked change;
    enum acta_code code;

    for (size_t i = 0; i < count; i++) {
        positions[i] = UINT64_MAX - i;
    }
    buf_clear(&buf);
    msg_change_parked_encode(&buf, 1, slice_of("g"), MSG_PARKED_REPLAY,
                             positions, count, false);
    code = msg_change_parked_decode(&change, body(), &err);
    for (size_t i = 0; code == ACTA_OK && i < count; i++) {
        ck_assert_uint_eq(msg_next_position(&change.positions), positions[i]);
    }
    free(positions);
    return code;
}

START_TEST(positions_of_parked_events_are_bounded)
{
    ck_assert_int_eq(try_positions(0), ACTA_INVALID);
    ck_assert_int_eq(try_positions(1), ACTA_OK);
    ck_assert_int_eq(try_positions(ACTA_SETTLE_MAX), ACTA_OK);
    ck_assert_int_eq(try_positions(ACTA_SETTLE_MAX + 1), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "10001 positions, the limit is 10000");
}
END_TEST

/* ---- groups ---- */

static enum acta_code
try_join(uint64_t slots, struct slice member)
{
    struct msg_join join = {slice_of("g"), slots, member};

    buf_clear(&buf);
    msg_join_encode(&buf, 1, &join);
    return msg_join_decode(&join, body(), &err);
}

START_TEST(member_has_slots_and_perhaps_a_name)
{
    ck_assert_int_eq(try_join(1, SLICE_NONE), ACTA_OK);
    ck_assert_int_eq(try_join(ACTA_SLOTS_MAX, text_of(255)), ACTA_OK);
    ck_assert_int_eq(try_join(0, SLICE_NONE), ACTA_INVALID);
    ck_assert_int_eq(try_join(ACTA_SLOTS_MAX + 1, SLICE_NONE), ACTA_TOO_LARGE);
    ck_assert_int_eq(try_join(1, text_of(256)), ACTA_TOO_LARGE);
    ck_assert_int_eq(try_join(1, slice_of("a\tb")), ACTA_INVALID);
}
END_TEST

static enum acta_code
try_answers(size_t count, struct msg_answer answer)
{
    struct msg_settle settle;
    enum acta_code code;
    size_t start;

    buf_clear(&buf);
    start = msg_settle_begin(&buf, 1, 9, count);
    for (size_t i = 0; i < count; i++) {
        msg_settle_answer(&buf, &answer);
    }
    msg_settle_end(&buf, start);
    code = msg_settle_decode(&settle, body(), &err);
    if (code == ACTA_OK) {
        ck_assert_uint_eq(settle.membership, 9);
        ck_assert_uint_eq(settle.answers_count, count);
    }
    return code;
}

START_TEST(answers_are_bounded)
{
    struct msg_answer ack = {.kind = MSG_ACK_UP_TO};

    ck_assert_int_eq(try_answers(0, ack), ACTA_INVALID);
    ck_assert_int_eq(try_answers(ACTA_SETTLE_MAX, ack), ACTA_OK);
    ck_assert_int_eq(try_answers(ACTA_SETTLE_MAX + 1, ack), ACTA_TOO_LARGE);
}
END_TEST

START_TEST(delays_and_reasons_are_bounded)
{
    struct msg_answer retry = {.kind = MSG_RETRY,
                               .delay_us = ACTA_RETRY_US_MAX};
    struct msg_answer park = {.kind = MSG_PARK,
                              .reason = text_of(ACTA_TEXT_SIZE_MAX)};
    struct msg_settle settle;

    ck_assert_int_eq(try_answers(2, retry), ACTA_OK);
    retry.delay_us++;
    ck_assert_int_eq(try_answers(2, retry), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "answer 0: delay is 86400.000001 s, the limit "
                               "is 86400 s");
    ck_assert_int_eq(msg_settle_decode(&settle, body(), NULL),
                     ACTA_TOO_LARGE); /* Whoever does not ask why. */
    retry.delay_us = 0;
    ck_assert_int_eq(try_answers(1, retry), ACTA_OK);
    ck_assert_int_eq(try_answers(1, park), ACTA_OK);
    park.reason.size++;
    ck_assert_int_eq(try_answers(1, park), ACTA_TOO_LARGE);
    park.reason = SLICE_NONE;
    ck_assert_int_eq(try_answers(1, park), ACTA_OK);
}
END_TEST

START_TEST(reason_may_be_of_several_lines)
{
    struct msg_answer park = {.kind = MSG_PARK,
                              .reason = slice_of("at a:1\r\n\tat b:2\n")};

    ck_assert_int_eq(try_answers(1, park), ACTA_OK);
    park.reason = slice_of("red \x1b[31m");
    ck_assert_int_eq(try_answers(1, park), ACTA_INVALID);
    park.reason = slice_make("a\0b", 3);
    ck_assert_int_eq(try_answers(1, park), ACTA_INVALID);
    park.reason = slice_of("\xc3");
    ck_assert_int_eq(try_answers(1, park), ACTA_INVALID);
}
END_TEST

START_TEST(settled_names_answers_that_can_have_been_sent)
{
    uint32_t refused[] = {0, ACTA_SETTLE_MAX - 1, 7};
    struct msg_settled settled;

    msg_settled_encode(&buf, 1, UINT64_MAX, refused, 3);
    ck_assert_int_eq(msg_settled_decode(&settled, body(), &err), ACTA_OK);
    ck_assert_uint_eq(settled.settled, UINT64_MAX);
    ck_assert_uint_eq(settled.refused_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(msg_next_position(&settled.refused), refused[i]);
    }
    buf_clear(&buf);
    refused[2] = ACTA_SETTLE_MAX;
    msg_settled_encode(&buf, 1, 0, refused, 3);
    ck_assert_int_eq(msg_settled_decode(&settled, body(), &err), ACTA_PROTOCOL);
}
END_TEST

/* Two events would be there; only what is said of them is looked at. */
static enum acta_code
try_counts(struct slice counts, size_t fields)
{
    struct msg_handed handed = {.events_count = 2, .fields_left = fields};
    struct slice read;
    size_t count;

    return msg_handed_counts(&handed, counts, &read, &count, &err);
}

START_TEST(counts_are_of_events_in_order)
{
    ck_assert_int_eq(try_counts(hex("90"), 1), ACTA_OK);
    ck_assert_int_eq(try_counts(hex("91 92 01 02"), 1), ACTA_OK);
    ck_assert_int_eq(try_counts(hex("92 92 00 02 92 01 03"), 1), ACTA_OK);
    ck_assert_int_eq(try_counts(hex("91 92 02 02"), 1), ACTA_PROTOCOL);
    ck_assert_str_eq(err.text, "count 0 is of event 2 and of 2 deliveries");
    ck_assert_int_eq(try_counts(hex("91 92 01 01"), 1), ACTA_PROTOCOL);
    ck_assert_int_eq(try_counts(hex("92 92 01 02 92 00 02"), 1), ACTA_PROTOCOL);
    ck_assert_int_eq(try_counts(hex("92 92 01 02 92 01 02"), 1), ACTA_PROTOCOL);
    ck_assert_int_eq(try_counts(hex("c0"), 1), ACTA_INVALID);
    ck_assert_int_eq(try_counts(hex("92 90 92 01 02"), 1), ACTA_INVALID);
}
END_TEST

START_TEST(counts_may_have_fields_of_a_newer_server)
{
    ck_assert_int_eq(try_counts(hex("91 93 01 02 a178 c0"), 2), ACTA_OK);
    ck_assert_int_eq(try_counts(hex("91 92 01 02 c0"), 1), ACTA_PROTOCOL);
    ck_assert_int_eq(try_counts(hex("91 92 01 02"), 2), ACTA_PROTOCOL);
}
END_TEST

/* ---- leases ---- */

static enum acta_code
try_lease(struct msg_change_lease change)
{
    struct msg_change_lease read;
    enum acta_code code;

    buf_clear(&buf);
    msg_change_lease_encode(&buf, 1, &change);
    code = msg_change_lease_decode(&read, body(), &err);
    if (code == ACTA_OK) {
        ck_assert_uint_eq(read.duration_us, change.duration_us);
        ck_assert_uint_eq(read.fence, change.fence);
        ck_assert_uint_eq(read.wait_us, change.wait_us);
    }
    return code;
}

START_TEST(times_of_a_lease_are_bounded)
{
    struct msg_change_lease acquire = {
        .name = slice_of("l"),
        .kind = MSG_LEASE_ACQUIRE,
        .claim = claim,
        .duration_us = ACTA_LEASE_US_MAX,
        .wait_us = ACTA_LEASE_US_MAX,
    };
    struct msg_change_lease renew = {.name = slice_of("l"),
                                     .kind = MSG_LEASE_RENEW,
                                     .duration_us = 1,
                                     .fence = UINT64_MAX};

    ck_assert_int_eq(try_lease(acquire), ACTA_OK);
    acquire.wait_us++;
    ck_assert_int_eq(try_lease(acquire), ACTA_TOO_LARGE);
    acquire.wait_us = 0;
    acquire.duration_us++;
    ck_assert_int_eq(try_lease(acquire), ACTA_TOO_LARGE);
    acquire.duration_us = 0;
    ck_assert_int_eq(try_lease(acquire), ACTA_INVALID);
    ck_assert_int_eq(try_lease(renew), ACTA_OK);
    renew.duration_us = 0;
    ck_assert_int_eq(try_lease(renew), ACTA_INVALID);
    renew.duration_us = ACTA_LEASE_US_MAX + 1;
    ck_assert_int_eq(try_lease(renew), ACTA_TOO_LARGE);
}
END_TEST

START_TEST(holder_of_a_lease_is_a_text_for_people)
{
    struct msg_change_lease acquire = {
        .name = slice_of("l"),
        .kind = MSG_LEASE_ACQUIRE,
        .holder = text_of(ACTA_TEXT_SIZE_MAX),
        .claim = claim,
        .duration_us = 1,
    };

    ck_assert_int_eq(try_lease(acquire), ACTA_OK);
    acquire.holder.size++;
    ck_assert_int_eq(try_lease(acquire), ACTA_TOO_LARGE);
    acquire.holder = slice_of("\x7f");
    ck_assert_int_eq(try_lease(acquire), ACTA_INVALID);
    acquire.holder = SLICE_NONE;
    acquire.name = text_of(256);
    ck_assert_int_eq(try_lease(acquire), ACTA_TOO_LARGE);
}
END_TEST

START_TEST(lease_names_the_first_of_those_who_wait)
{
    struct slice entry;
    struct msg_lease lease;

    pack_array(&buf, 8);
    pack_text(&buf, "l");
    pack_text(&buf, "me");
    for (uint64_t i = 1; i <= 4; i++) {
        pack_uint(&buf, i);
    }
    pack_uint(&buf, 1000);
    pack_array(&buf, MSG_WAITERS_MAX + 2);
    for (int i = 0; i < MSG_WAITERS_MAX + 2; i++) {
        pack_text(&buf, i == MSG_WAITERS_MAX - 1 ? "last" : "w");
    }
    entry = buf_slice(&buf);
    lease = msg_next_lease(&entry);
    ck_assert_uint_eq(entry.size, 0);
    ck_assert_uint_eq(lease.waiters_count, 1000);
    ck_assert_uint_eq(lease.waiters_named, MSG_WAITERS_MAX);
    assert_slice_eq(lease.waiters[MSG_WAITERS_MAX - 1], slice_of("last"));
    ck_assert_uint_eq(lease.since_us, 4);
}
END_TEST

START_TEST(parts_of_replies_may_have_fields_of_a_newer_server)
{
    struct slice list;

    list = hex("97 07 a16b 01 02 03 a172 c0");
    ck_assert_uint_eq(msg_next_parked(&list).deliveries, 2);
    ck_assert_uint_eq(list.size, 0);
    list = hex("96 a16d 01 02 03 04 90");
    ck_assert_uint_eq(msg_next_member(&list).acked, 4);
    ck_assert_uint_eq(list.size, 0);
    list = hex("99 a16e 01 02 01 a0 a173 a174 05 c0");
    ck_assert_uint_eq(msg_next_scheduled(&list).events_count, 5);
    ck_assert_uint_eq(list.size, 0);
    list = hex("dc0011 a163 00 90 01 02 c2 95a000000000 950000c30000 01 02 03 "
               "04 05 06 a174 07 c0");
    ck_assert_uint_eq(msg_next_consumer(&list).note_us, 7);
    ck_assert_uint_eq(list.size, 0);
}
END_TEST

/* ---- loading ---- */

START_TEST(load_says_what_the_caller_has)
{
    for (unsigned has = 0; has < 4; has++) {
        struct msg_load load = {.stream = text_of(255),
                                .has_version = has & 1,
                                .version = 7,
                                .has_schema = has & 2,
                                .schema = 8};
        struct msg_load read;

        buf_clear(&buf);
        msg_load_encode(&buf, 1, &load);
        ck_assert_int_eq(msg_load_decode(&read, body(), &err), ACTA_OK);
        ck_assert_int_eq(read.has_version, load.has_version);
        ck_assert_uint_eq(read.version, has & 1 ? 7 : 0);
        ck_assert_int_eq(read.has_schema, load.has_schema);
        ck_assert_uint_eq(read.schema, has & 2 ? 8 : 0);
    }
}
END_TEST

START_TEST(loaded_may_have_fields_of_a_newer_server)
{
    struct msg_loaded loaded;

    ck_assert_int_eq(
        msg_loaded_decode(
            &loaded, hex("97 95 01 02 03 c40178 c0 04 c3 05 06 90 a178"), &err),
        ACTA_OK);
    ck_assert(loaded.has_snapshot);
    ck_assert_uint_eq(loaded.snapshot.size, 1);
    ck_assert_uint_eq(loaded.page.version, 6);
    ck_assert_uint_eq(loaded.page.fields_left, 1);
    ck_assert_int_eq(
        msg_events_end(loaded.page.events, loaded.page.fields_left, &err),
        ACTA_OK);
    ck_assert_int_eq(
        msg_loaded_decode(&loaded, hex("96 c0 04 c3 05 06 91"), &err),
        ACTA_PROTOCOL);
}
END_TEST

/* ---- verifying ---- */

static void
assert_verified(size_t problems_count)
{
    struct msg_verified verified = {.problems_found = problems_count,
                                    .problems_count = problems_count};
    struct msg_verified read;

    for (size_t i = 0; i < problems_count; i++) {
        verified.problems[i].file = text_of(1);
        verified.problems[i].text = text_of(i);
    }
    buf_clear(&buf);
    msg_verified_encode(&buf, 1, &verified);
    ck_assert_int_eq(msg_verified_decode(&read, body(), &err), ACTA_OK);
    ck_assert_uint_eq(read.problems_count, problems_count);
    for (size_t i = 0; i < problems_count; i++) {
        ck_assert(slice_equal(read.problems[i].text, text_of(i)));
    }
}

START_TEST(verified_has_none_to_a_hundred_problems)
{
    assert_verified(0);
    assert_verified(MSG_PROBLEMS_MAX);
}
END_TEST

/* ---- subscriptions with a name ---- */

START_TEST(subscription_has_a_name_and_an_epoch_or_neither)
{
    struct msg_subscribe subscribe = {.consumer = text_of(255),
                                      .epoch = UINT64_MAX};

    msg_subscribe_encode(&buf, 1, &subscribe);
    ck_assert_int_eq(msg_subscribe_decode(&subscribe, body(), &err), ACTA_OK);
    ck_assert_uint_eq(subscribe.epoch, UINT64_MAX);
    ck_assert_uint_eq(subscribe.consumer.size, 255);
    ck_assert_int_eq(msg_subscribe_decode(&subscribe, hex("93 90 00 00"), &err),
                     ACTA_OK);
    ck_assert_uint_eq(subscribe.consumer.size, 0);
    ck_assert_uint_eq(subscribe.epoch, 0);
    ck_assert_int_eq(
        msg_subscribe_decode(&subscribe, hex("94 90 00 00 a163"), &err),
        ACTA_INVALID);
    ck_assert_str_eq(err.text, "consumer has no epoch");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("msg_named");
    TCase *tcase = tcase_create("msg_named");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, consumer_is_a_name, 0, 4);
    tcase_add_test(tcase, settings_that_are_not_given_are_the_defaults);
    tcase_add_test(tcase, what_is_altered_is_what_is_given);
    tcase_add_test(tcase, settings_of_a_group_are_bounded);
    tcase_add_test(tcase, note_is_lines_for_people);
    tcase_add_test(tcase, nobody_waits_for_a_consumer_for_more_than_a_day);
    tcase_add_loop_test(tcase, refused_change_of_a_consumer_frees_its_query, 0,
                        3);
    tcase_add_test(tcase, consumer_that_is_listed_has_a_query);
    tcase_add_loop_test(tcase, prefix_and_after_of_lists_are_as_long_as_names,
                        0, 3);
    tcase_add_test(tcase, positions_of_parked_events_are_bounded);
    tcase_add_test(tcase, member_has_slots_and_perhaps_a_name);
    tcase_add_test(tcase, answers_are_bounded);
    tcase_add_test(tcase, delays_and_reasons_are_bounded);
    tcase_add_test(tcase, reason_may_be_of_several_lines);
    tcase_add_test(tcase, settled_names_answers_that_can_have_been_sent);
    tcase_add_test(tcase, counts_are_of_events_in_order);
    tcase_add_test(tcase, counts_may_have_fields_of_a_newer_server);
    tcase_add_test(tcase, times_of_a_lease_are_bounded);
    tcase_add_test(tcase, holder_of_a_lease_is_a_text_for_people);
    tcase_add_test(tcase, lease_names_the_first_of_those_who_wait);
    tcase_add_test(tcase, parts_of_replies_may_have_fields_of_a_newer_server);
    tcase_add_test(tcase, load_says_what_the_caller_has);
    tcase_add_test(tcase, loaded_may_have_fields_of_a_newer_server);
    tcase_add_test(tcase, verified_has_none_to_a_hundred_problems);
    tcase_add_test(tcase, subscription_has_a_name_and_an_epoch_or_neither);
    return run_suite(suite);
}
