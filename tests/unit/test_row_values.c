/* What the values of rows say: of consumers, parked events, leases, snapshots
 * and schedules.
 */

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "consumer.h"
#include "lease.h"
#include "pack.h"
#include "run.h"
#include "schedule.h"
#include "snapshot.h"
#include "store_lmdb.h"

#define BIG (UINT64_MAX - 5)

static struct buf buf;

static void
setup(void)
{
    buf_init(&buf, 1 << 20);
}

static void
teardown(void)
{
    buf_fini(&buf);
}

/* ---- damage ---- */

typedef enum acta_code decode_fn(struct slice value);

/* A copy of its own size, so that a sanitizer sees a read behind its end. */
static enum acta_code
decode_copy(decode_fn *decode, const uint8_t *from, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));
    enum acta_code code;

    memcpy(copy, from, size);
    code = decode(slice_make(copy, size));
    free(copy);
    return code;
}

/* What is in buf is refused cut short at any place, with a byte too many, with
 * a field too many, and as a value of another type.
 */
static void
assert_refuses(decode_fn *decode)
{
    size_t size = buf_size(&buf);
    uint8_t *bytes = malloc(size + 1);

    memcpy(bytes, buf_slice(&buf).data, size);
    ck_assert_int_eq(decode_copy(decode, bytes, size), ACTA_OK);
    for (size_t part = 0; part < size; part++) {
        ck_assert_int_eq(decode_copy(decode, bytes, part), ACTA_CORRUPT);
    }
    bytes[size] = 0xc0;
    ck_assert_int_eq(decode_copy(decode, bytes, size + 1), ACTA_CORRUPT);
    bytes[0]++;
    ck_assert_int_eq(decode_copy(decode, bytes, size + 1), ACTA_CORRUPT);
    bytes[0] = 0xc0;
    ck_assert_int_eq(decode_copy(decode, bytes, size), ACTA_CORRUPT);
    free(bytes);
}

/* ---- consumers ---- */

static enum acta_code
decode_consumer(struct slice value)
{
    struct consumer out;

    return consumer_decode(&out, value, NULL);
}

static const struct consumer group = {
    .number = BIG,
    .kind = MSG_CONSUMER_GROUP,
    .created_us = 17,
    .is_paused = true,
    .settings = {.key_tag = {(const uint8_t *)"order:", 6},
                 .ack_timeout_us = MSG_ACK_TIMEOUT_US_MAX,
                 .deliveries_max = 3,
                 .on_park = MSG_PARK_GOES_ON},
    .query = {(const uint8_t *)"\x90", 1},
};

START_TEST(a_consumer_comes_out_as_it_went_in)
{
    struct consumer out;

    consumer_encode(&buf, &group);
    ck_assert_int_eq(consumer_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert_uint_eq(out.number, group.number);
    ck_assert_int_eq(out.kind, MSG_CONSUMER_GROUP);
    ck_assert_uint_eq(out.created_us, 17);
    ck_assert(out.is_paused);
    ck_assert(slice_equal(out.settings.key_tag, group.settings.key_tag));
    ck_assert_uint_eq(out.settings.ack_timeout_us, MSG_ACK_TIMEOUT_US_MAX);
    ck_assert_uint_eq(out.settings.deliveries_max, 3);
    ck_assert_int_eq(out.settings.on_park, MSG_PARK_GOES_ON);
    ck_assert(slice_equal(out.query, group.query));
    assert_refuses(decode_consumer);
}
END_TEST

START_TEST(a_consumer_of_a_kind_that_is_not_known_is_refused)
{
    struct consumer strange = group;

    strange.kind = 2;
    consumer_encode(&buf, &strange);
    ck_assert_int_eq(decode_consumer(buf_slice(&buf)), ACTA_CORRUPT);
    buf_clear(&buf);
    strange = group;
    strange.settings.on_park = 2;
    consumer_encode(&buf, &strange);
    ck_assert_int_eq(decode_consumer(buf_slice(&buf)), ACTA_CORRUPT);
}
END_TEST

static enum acta_code
decode_checkpoint(struct slice value)
{
    struct checkpoint_row out;

    return checkpoint_decode(&out, value, NULL);
}

START_TEST(a_checkpoint_comes_out_as_it_went_in)
{
    struct checkpoint_row in = {3, BIG, 12, slice_of("pending")};
    struct checkpoint_row out;

    checkpoint_encode(&buf, &in);
    ck_assert_int_eq(checkpoint_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert_uint_eq(out.epoch, 3);
    ck_assert_uint_eq(out.position, BIG);
    ck_assert_uint_eq(out.moved_us, 12);
    ck_assert(slice_equal(out.pending, in.pending));
    assert_refuses(decode_checkpoint);
}
END_TEST

static enum acta_code
decode_parked(struct slice value)
{
    struct parked out;

    return parked_decode(&out, value, NULL);
}

START_TEST(a_parked_event_comes_out_as_it_went_in)
{
    struct parked in = {true, 11, BIG, slice_of("order-1"), slice_of("why")};
    struct parked out;

    parked_encode(&buf, &in);
    ck_assert_int_eq(parked_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert(out.is_behind);
    ck_assert_uint_eq(out.deliveries, 11);
    ck_assert_uint_eq(out.time_us, BIG);
    ck_assert(slice_equal(out.key, in.key));
    ck_assert(slice_equal(out.reason, in.reason));
    assert_refuses(decode_parked);
}
END_TEST

START_TEST(parked_events_of_a_group_lie_together_in_the_order_of_positions)
{
    static const struct {
        uint64_t number;
        uint64_t position;
    } in_order[] = {{1, 2}, {1, 255}, {1, 256}, {1, BIG}, {2, 1}, {256, 1}};
    uint8_t a[PARKED_KEY_SIZE], b[PARKED_KEY_SIZE];

    for (size_t i = 1; i < sizeof(in_order) / sizeof(in_order[0]); i++) {
        struct slice left =
            parked_key(a, in_order[i - 1].number, in_order[i - 1].position);
        struct slice right =
            parked_key(b, in_order[i].number, in_order[i].position);

        ck_assert_int_lt(slice_compare(left, right), 0);
        ck_assert_uint_eq(parked_position(right), in_order[i].position);
    }
    ck_assert_uint_eq(parked_position(slice_of("short")), 0);
}
END_TEST

/* ---- leases, snapshots, schedules ---- */

static enum acta_code
decode_lease(struct slice value)
{
    struct lease out;

    return lease_decode(&out, value, NULL);
}

START_TEST(a_lease_comes_out_as_it_went_in)
{
    static const uint8_t claim[UUID_SIZE] = "0123456789abcdef";
    struct lease in = {BIG, 30, 40, claim, slice_of("worker 7")};
    struct lease out;

    lease_encode(&buf, &in);
    ck_assert_int_eq(lease_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert_uint_eq(out.fence, BIG);
    ck_assert_uint_eq(out.duration_us, 30);
    ck_assert_uint_eq(out.since_us, 40);
    ck_assert_mem_eq(out.claim, claim, UUID_SIZE);
    ck_assert(slice_equal(out.holder, in.holder));
    assert_refuses(decode_lease);
}
END_TEST

START_TEST(a_lease_without_a_claim_is_refused)
{
    pack_array(&buf, 5);
    pack_uint(&buf, 1);
    pack_uint(&buf, 1);
    pack_uint(&buf, 1);
    pack_nil(&buf);
    pack_text(&buf, "worker 7");
    ck_assert_int_eq(decode_lease(buf_slice(&buf)), ACTA_CORRUPT);
}
END_TEST

static enum acta_code
decode_snapshot(struct slice value)
{
    struct snapshot out;

    return snapshot_decode(&out, value, NULL);
}

START_TEST(a_snapshot_comes_out_as_it_went_in)
{
    struct snapshot in = {BIG, 2, 3, slice_of("state")};
    struct snapshot out;

    snapshot_encode(&buf, &in);
    ck_assert_int_eq(snapshot_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert_uint_eq(out.version, BIG);
    ck_assert_uint_eq(out.schema, 2);
    ck_assert_uint_eq(out.time_us, 3);
    ck_assert(slice_equal(out.data, in.data));
    assert_refuses(decode_snapshot);
}
END_TEST

static enum acta_code
decode_schedule(struct slice value)
{
    struct schedule out;

    return schedule_decode(&out, value, NULL);
}

START_TEST(a_schedule_comes_out_as_it_went_in)
{
    struct schedule in = {BIG, 2, 3, true, slice_of("CONFLICT")};
    struct schedule out;

    schedule_encode(&buf, &in);
    ck_assert_int_eq(schedule_decode(&out, buf_slice(&buf), NULL), ACTA_OK);
    ck_assert_uint_eq(out.due_us, BIG);
    ck_assert_uint_eq(out.number, 2);
    ck_assert_uint_eq(out.created_us, 3);
    ck_assert(out.has_failed);
    ck_assert(slice_equal(out.text, in.text));
    assert_refuses(decode_schedule);
}
END_TEST

/* ---- rows as they are stored ---- */

START_TEST(a_value_is_no_larger_than_what_is_stored)
{
    struct slice key = slice_of("\012name"); /* A snapshot: has a size. */
    uint8_t stored[ROW_PADDED_FRONT + 12] = {0};
    struct slice whole = slice_make(stored + ROW_PADDED_FRONT, 12), value;

    ck_assert(row_has_events(key.data[0]));
    put_u32(stored, store_row_checksum(key, whole));
    put_u32(stored + ROW_VALUE_FRONT, 12);
    ck_assert_int_eq(
        store_read_row(key, slice_make(stored, sizeof(stored)), &value, NULL),
        ACTA_OK);
    ck_assert_uint_eq(value.size, 12);
    for (size_t size = 0; size < sizeof(stored); size++) {
        ck_assert_int_eq(
            store_read_row(key, slice_make(stored, size), &value, NULL),
            ACTA_CORRUPT);
    }
}
END_TEST

START_TEST(a_damaged_row_is_named_with_dots_for_what_is_no_text)
{
    static const uint8_t stored[ROW_PADDED_FRONT + 12];
    struct slice key = slice_of("\011a \037\177!~z");
    struct slice value;
    struct acta_err err;

    ck_assert_int_eq(
        store_read_row(key, slice_make(stored, sizeof(stored)), &value, &err),
        ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "row a...!~z of the "));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("row_values");
    TCase *tcase = tcase_create("row_values");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_consumer_comes_out_as_it_went_in);
    tcase_add_test(tcase, a_consumer_of_a_kind_that_is_not_known_is_refused);
    tcase_add_test(tcase, a_checkpoint_comes_out_as_it_went_in);
    tcase_add_test(tcase, a_parked_event_comes_out_as_it_went_in);
    tcase_add_test(
        tcase, parked_events_of_a_group_lie_together_in_the_order_of_positions);
    tcase_add_test(tcase, a_lease_comes_out_as_it_went_in);
    tcase_add_test(tcase, a_lease_without_a_claim_is_refused);
    tcase_add_test(tcase, a_snapshot_comes_out_as_it_went_in);
    tcase_add_test(tcase, a_schedule_comes_out_as_it_went_in);
    tcase_add_test(tcase, a_value_is_no_larger_than_what_is_stored);
    tcase_add_test(tcase, a_damaged_row_is_named_with_dots_for_what_is_no_text);
    return run_suite(suite);
}
