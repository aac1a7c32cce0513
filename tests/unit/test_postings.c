#include "postings.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"
#include "hex.h"
#include "rnd.h"
#include "run.h"

static const struct slice key = {(const uint8_t *)"a key", 5};

static struct postings
postings_of(const uint64_t *positions, size_t count, uint64_t first_ordinal)
{
    struct postings postings = {.first_ordinal = first_ordinal, .count = count};

    for (size_t i = 0; i < count; i++) {
        postings.positions[i] = positions[i];
        postings.size +=
            i == 0 ? 0 : varint_size(positions[i] - positions[i - 1]);
    }
    return postings;
}

static void
assert_same(const struct postings *got, const struct postings *expected)
{
    ck_assert_uint_eq(got->first_ordinal, expected->first_ordinal);
    ck_assert_uint_eq(got->count, expected->count);
    ck_assert_uint_eq(got->size, expected->size);
    ck_assert_mem_eq(got->positions, expected->positions,
                     expected->count * sizeof(uint64_t));
}

/* ---- chunks ---- */

START_TEST(a_chunk_comes_back_as_it_was)
{
    static const uint64_t positions[] = {7, 8, 300, 1000000};
    struct postings chunk = postings_of(positions, 4, 257), got;
    uint8_t value[POSTINGS_VALUE_MAX];
    size_t size = postings_encode(value, key, &chunk);

    /* checksum; 257; 4; 7; differences 1, 292, 999700 */
    assert_hex(slice_make(value + 4, size - 4), "8102 04 07 01 a402 94823d");
    ck_assert_uint_eq(
        get_u32(value),
        checksum_extend(checksum_of(key.data, key.size), value + 4, size - 4));
    ck_assert_int_eq(postings_decode(&got, key, slice_make(value, size), NULL),
                     ACTA_OK);
    assert_same(&got, &chunk);
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut_of_a_chunk_is_found)
{
    static const uint64_t positions[] = {7, 8, 300, 1000000};
    struct postings chunk = postings_of(positions, 4, 257), got;
    uint8_t value[POSTINGS_VALUE_MAX];
    size_t size = postings_encode(value, key, &chunk);

    for (size_t bit = 0; bit < 8 * size; bit++) {
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(
            postings_decode(&got, key, slice_make(value, size), NULL),
            ACTA_CORRUPT);
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++) {
        ck_assert_int_eq(
            postings_decode(&got, key, slice_make(value, cut), NULL),
            ACTA_CORRUPT);
    }
}
END_TEST

START_TEST(a_whole_chunk_under_another_key_is_found)
{
    static const uint64_t positions[] = {7, 8};
    struct postings chunk = postings_of(positions, 2, 1), got;
    uint8_t value[POSTINGS_VALUE_MAX];
    size_t size = postings_encode(value, key, &chunk);

    ck_assert_int_eq(
        postings_decode(&got, slice_of("a kez"), slice_make(value, size), NULL),
        ACTA_CORRUPT);
}
END_TEST

/* Values whose checksum is right and whose content is not. */
START_TEST(a_chunk_that_makes_no_sense_is_refused)
{
    static const char *const contents[] = {
        "01 8102 07",  /* 257 positions. */
        "01 02 07",    /* Two, and one is there. */
        "01 02 07 00", /* The second at the same position. */
        "01 01 07 01", /* One, and two are there. */
        "01",          /* No count. */
        "ffffffffffffffffffffff 01 07",
        "01 02 07 ffffffffffffffffff01", /* The second before the first. */
    };
    struct slice content = hex(contents[_i]);
    uint8_t value[64];
    struct postings got;

    memcpy(value + 4, content.data, content.size);
    put_u32(value, checksum_extend(checksum_of(key.data, key.size), value + 4,
                                   content.size));
    ck_assert_int_eq(
        postings_decode(&got, key, slice_make(value, 4 + content.size), NULL),
        ACTA_CORRUPT);
}
END_TEST

START_TEST(finding_is_the_first_that_is_not_before)
{
    static const uint64_t positions[] = {5, 9, 10};
    struct postings chunk = postings_of(positions, 3, 1);
    static const size_t expected[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3};

    for (uint64_t p = 0; p < 12; p++) {
        ck_assert_uint_eq(postings_find(&chunk, p), expected[p]);
    }
    ck_assert_uint_eq(postings_find(&chunk, UINT64_MAX), 3);
    chunk.count = 0;
    ck_assert_uint_eq(postings_find(&chunk, 1), 0);
}
END_TEST

/* ---- heads ---- */

static struct list_head
sample_head(void)
{
    struct list_head head;

    list_head_init(&head, 77);
    list_head_add(&head, 3);
    list_head_add(&head, 500);
    head.first_time_us = 1700000000000000;
    head.last_time_us = 1700000000000009;
    head.has_id_max = true;
    memset(head.id_max, 0xab, UUID_SIZE);
    return head;
}

START_TEST(a_head_comes_back_as_it_was)
{
    struct list_head head = sample_head(), got;
    uint8_t value[LIST_HEAD_VALUE_MAX];
    size_t size;

    head.has_id_max = _i == 1;
    if (!head.has_id_max) {
        memset(head.id_max, 0, UUID_SIZE);
    }
    size = list_head_encode(value, key, &head);
    ck_assert_int_eq(list_head_decode(&got, key, slice_make(value, size), NULL),
                     ACTA_OK);
    ck_assert_uint_eq(got.number, 77);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_uint_eq(got.last_position, 500);
    ck_assert_uint_eq(got.first_time_us, head.first_time_us);
    ck_assert_uint_eq(got.last_time_us, head.last_time_us);
    ck_assert_int_eq(got.has_id_max, head.has_id_max);
    ck_assert_mem_eq(got.id_max, head.id_max, UUID_SIZE);
    assert_same(&got.newest, &head.newest);
}
END_TEST

START_TEST(every_flipped_bit_and_every_cut_of_a_head_is_found)
{
    struct list_head head = sample_head(), got;
    uint8_t value[LIST_HEAD_VALUE_MAX];
    size_t size = list_head_encode(value, key, &head);

    for (size_t bit = 0; bit < 8 * size; bit++) {
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(
            list_head_decode(&got, key, slice_make(value, size), NULL),
            ACTA_CORRUPT);
        value[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++) {
        ck_assert_int_eq(
            list_head_decode(&got, key, slice_make(value, cut), NULL),
            ACTA_CORRUPT);
    }
    ck_assert_int_eq(list_head_decode(&got, slice_of("other"),
                                      slice_make(value, size), NULL),
                     ACTA_CORRUPT);
}
END_TEST

static void
reseal(uint8_t *value, size_t size)
{
    put_u32(value, checksum_extend(checksum_of(key.data, key.size), value + 4,
                                   size - 4));
}

START_TEST(a_head_that_is_cut_and_sealed_anew_is_found)
{
    struct list_head head = sample_head(), got;
    uint8_t value[LIST_HEAD_VALUE_MAX];
    size_t size;

    for (unsigned with_id_max = 0; with_id_max < 2; with_id_max++) {
        head.has_id_max = with_id_max != 0;
        size = list_head_encode(value, key, &head);
        for (size_t cut = 4; cut < size; cut++) {
            uint8_t *bytes = malloc(cut); /* So that no byte behind is read. */

            memcpy(bytes, value, cut);
            reseal(bytes, cut);
            ck_assert_int_eq(
                list_head_decode(&got, key, slice_make(bytes, cut), NULL),
                ACTA_CORRUPT);
            free(bytes);
        }
    }
}
END_TEST

START_TEST(a_head_of_a_newer_version_is_not_taken_for_damage)
{
    struct list_head head = sample_head(), got;
    uint8_t value[LIST_HEAD_VALUE_MAX];
    size_t size = list_head_encode(value, key, &head);

    value[4] |= 0x02;
    reseal(value, size);
    ck_assert_int_eq(list_head_decode(&got, key, slice_make(value, size), NULL),
                     ACTA_UNSUPPORTED);
}
END_TEST

START_TEST(a_head_whose_count_and_postings_disagree_is_refused)
{
    struct list_head head = sample_head(), got;
    uint8_t value[LIST_HEAD_VALUE_MAX];
    size_t size;

    head.count = 3;
    size = list_head_encode(value, key, &head);
    ck_assert_int_eq(list_head_decode(&got, key, slice_make(value, size), NULL),
                     ACTA_CORRUPT);
}
END_TEST

/* Whatever the steps between positions, chunks and heads fit in their bounds,
 * and no position is lost where one chunk ends and the next begins.
 */
START_TEST(adding_fills_one_chunk_behind_the_other)
{
    static const uint64_t steps[] = {1, 127, 128, 100000, UINT64_C(1) << 40, 0};
    uint64_t step = steps[_i], position = 0, ordinal = 1;
    struct list_head head;
    struct rnd rnd;

    rnd_init(&rnd);
    list_head_init(&head, 1);
    for (int i = 0; i < 5000; i++) {
        uint8_t chunk_value[POSTINGS_VALUE_MAX];
        uint8_t head_value[LIST_HEAD_VALUE_MAX];
        struct list_head same;
        bool is_full;

        position += step != 0 ? step : 1 + rnd_below(&rnd, 1u << 20);
        is_full = list_head_add(&head, position);
        ck_assert_uint_eq(head.count, (uint64_t)i + 1);
        ck_assert_uint_eq(head.last_position, position);
        ck_assert_uint_eq(head.newest.first_ordinal, ordinal);
        ck_assert_uint_le(head.newest.size, POSTINGS_CHUNK_SIZE_MAX);
        if (is_full) {
            struct postings chunk;
            size_t size = postings_encode(chunk_value, key, &head.newest);

            ck_assert_int_eq(postings_decode(&chunk, key,
                                             slice_make(chunk_value, size),
                                             NULL),
                             ACTA_OK);
            assert_same(&chunk, &head.newest);
            ordinal += head.newest.count;
            list_head_start_next(&head);
        }
        ck_assert_int_eq(
            list_head_decode(
                &same, key,
                slice_make(head_value,
                           list_head_encode(head_value, key, &head)),
                NULL),
            ACTA_OK);
        assert_same(&same.newest, &head.newest);
    }
    ck_assert_uint_gt(ordinal, 1);
}
END_TEST

START_TEST(a_chunk_is_full_at_its_number_of_positions_or_at_its_size)
{
    struct list_head head;

    list_head_init(&head, 1);
    for (uint64_t p = 1; p < POSTINGS_CHUNK_MAX; p++) {
        ck_assert(!list_head_add(&head, p));
    }
    ck_assert(list_head_add(&head, POSTINGS_CHUNK_MAX));

    list_head_init(&head, 1);
    for (uint64_t i = 1; head.newest.size <= POSTINGS_CHUNK_SIZE_MAX - 10;
         i++) {
        bool is_full = list_head_add(&head, i << 35); /* Steps of 6 bytes. */

        ck_assert_int_eq(is_full,
                         head.newest.size > POSTINGS_CHUNK_SIZE_MAX - 10);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("postings");
    TCase *chunks = tcase_create("chunks");
    TCase *heads = tcase_create("heads");

    suite_add_tcase(suite, chunks);
    tcase_add_test(chunks, a_chunk_comes_back_as_it_was);
    tcase_add_test(chunks, every_flipped_bit_and_every_cut_of_a_chunk_is_found);
    tcase_add_test(chunks, a_whole_chunk_under_another_key_is_found);
    tcase_add_loop_test(chunks, a_chunk_that_makes_no_sense_is_refused, 0, 7);
    tcase_add_test(chunks, finding_is_the_first_that_is_not_before);

    suite_add_tcase(suite, heads);
    tcase_add_loop_test(heads, a_head_comes_back_as_it_was, 0, 2);
    tcase_add_test(heads, every_flipped_bit_and_every_cut_of_a_head_is_found);
    tcase_add_test(heads, a_head_that_is_cut_and_sealed_anew_is_found);
    tcase_add_test(heads, a_head_of_a_newer_version_is_not_taken_for_damage);
    tcase_add_test(heads, a_head_whose_count_and_postings_disagree_is_refused);
    tcase_add_loop_test(heads, adding_fills_one_chunk_behind_the_other, 0, 6);
    tcase_add_test(heads,
                   a_chunk_is_full_at_its_number_of_positions_or_at_its_size);
    return run_suite(suite);
}
