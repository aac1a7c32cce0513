#include "query.h"

#include <stdlib.h>

#include "alloc.h"
#include "hex.h"
#include "limit.h"
#include "rnd.h"
#include "run.h"

static struct buf buf;
static struct acta_err err;
static struct query query;

static void
setup(void)
{
    buf_init(&buf, 1 << 20);
    err = (struct acta_err){ACTA_OK, ""};
    query = QUERY_ALL;
    alloc_reset();
}

static void
teardown(void)
{
    query_fini(&query);
    buf_fini(&buf);
}

/* Decode bytes in memory that is gone when this returns: a query that kept a
 * slice of it is seen by the sanitizers.
 */
static enum acta_code
decode(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.size == 0 ? 1 : bytes.size);
    struct pack_reader reader;

    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    query_fini(&query);
    pack_reader_init(&reader, slice_make(copy, bytes.size), &err);
    query_decode(&reader, &query);
    free(copy);
    if (reader.failed) {
        ck_assert_ptr_null(query.memory);
        ck_assert_uint_eq(query.items_count, 0);
    }
    return pack_code(&reader);
}

START_TEST(query_comes_out_as_it_went_in)
{
    static const char whole[] =
        "92"
        "95 91a56162636465 92a154a155 92a163a164 91a173 90"
        "95 90 90 90 90 91c410 00112233445566778899aabbccddeeff";

    ck_assert_msg(decode(hex(whole)) == ACTA_OK, "%s", err.text);
    ck_assert_uint_eq(query.items_count, 2);
    ck_assert_uint_eq(query.items[0].fields[QUERY_TYPES].count, 2);
    assert_slice_eq(query.items[0].fields[QUERY_CATEGORIES].texts[0],
                    slice_of("abcde"));
    query_encode(&buf, &query);
    assert_hex(buf_slice(&buf), whole);
}
END_TEST

START_TEST(query_for_all_needs_no_memory)
{
    struct slice bytes = hex("90");
    struct pack_reader reader;
    size_t calls;

    pack_reader_init(&reader, bytes, &err);
    alloc_reset();
    query_decode(&reader, &query);
    calls = alloc_calls;
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
    ck_assert_uint_eq(calls, 0);
    query_encode(&buf, &query);
    assert_hex(buf_slice(&buf), "90");
}
END_TEST

START_TEST(query_without_memory_is_refused)
{
    struct slice bytes = hex("91 95 90 91a154 90 90 90");
    struct pack_reader reader;

    pack_reader_init(&reader, bytes, &err);
    alloc_fail_after = 0;
    query_decode(&reader, &query);
    alloc_reset();
    ck_assert_int_eq(pack_code(&reader), ACTA_MEMORY);
    ck_assert_ptr_null(query.memory);
}
END_TEST

static void
write_query(size_t items, size_t types)
{
    buf_clear(&buf);
    pack_array(&buf, items);
    for (size_t i = 0; i < items; i++) {
        pack_array(&buf, QUERY_FIELDS);
        for (int f = 0; f < QUERY_FIELDS; f++) {
            size_t count = f == QUERY_TYPES ? types : 0;

            pack_array(&buf, count);
            for (size_t t = 0; t < count; t++) {
                pack_text(&buf, "T");
            }
        }
    }
}

START_TEST(items_and_texts_are_bounded)
{
    write_query(ACTA_QUERY_ITEMS_MAX, 0);
    ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_OK);
    write_query(ACTA_QUERY_ITEMS_MAX + 1, 0);
    ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "129 query items, the limit is 128");
    write_query(1, ACTA_QUERY_TERMS_MAX);
    ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_OK);
    write_query(1, ACTA_QUERY_TERMS_MAX + 1);
    ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_TOO_LARGE);
    write_query(ACTA_QUERY_ITEMS_MAX, ACTA_QUERY_TERMS_MAX / 128);
    ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_OK);
    write_query(ACTA_QUERY_ITEMS_MAX, ACTA_QUERY_TERMS_MAX / 128 + 1);
    ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_TOO_LARGE);
}
END_TEST

/* A name of the largest size, and one byte more, in each of the fields. */
START_TEST(names_are_bounded_in_every_field)
{
    uint8_t name[256];

    memset(name, 'n', sizeof(name));
    for (size_t size = 255; size <= 256; size++) {
        buf_clear(&buf);
        pack_array(&buf, 1);
        pack_array(&buf, QUERY_FIELDS);
        for (int f = 0; f < QUERY_FIELDS; f++) {
            pack_array(&buf, f == _i ? 1 : 0);
            if (f == _i) {
                pack_str(&buf, slice_make(name, size));
            }
        }
        ck_assert_int_eq(decode(buf_slice(&buf)),
                         size == 255 ? ACTA_OK : ACTA_TOO_LARGE);
    }
}
END_TEST

START_TEST(malformed_queries_are_refused)
{
    static const struct {
        const char *bytes;
        enum acta_code code;
    } cases[] = {
        {"", ACTA_PROTOCOL},
        {"c0", ACTA_INVALID},
        {"80", ACTA_INVALID},
        {"91 c0", ACTA_INVALID},
        {"91 94 90 90 90 90", ACTA_INVALID},
        {"91 96 90 90 90 90 90 90", ACTA_UNSUPPORTED},
        {"91 95 a161 90 90 90 90", ACTA_INVALID},
        {"91 95 91a0 90 90 90 90", ACTA_INVALID},
        {"91 95 9101 90 90 90 90", ACTA_INVALID},
        {"91 95 91a10a 90 90 90 90", ACTA_INVALID},
        {"91 95 90 90 91c40161 90 90", ACTA_INVALID},
        {"91 95 90 90 90 90 91a161", ACTA_INVALID},
        {"91 95 90 90 90 90 91c400", ACTA_INVALID},
        {"91 95 90 90 90 90 91c40f 0102030405060708090a0b0c0d0e0f",
         ACTA_INVALID},
        {"91 95 90 90 90 90 91c411 0102030405060708090a0b0c0d0e0f1011",
         ACTA_INVALID},
        {"91 95 90 90 90 90 91c0", ACTA_INVALID},
        {"ddffffffff", ACTA_PROTOCOL},
        {"91 95 ddffffffff 90 90 90 90", ACTA_PROTOCOL},
    };

    ck_assert_msg(decode(hex(cases[_i].bytes)) == cases[_i].code, "%s: %s",
                  cases[_i].bytes, err.text);
}
END_TEST

START_TEST(finished_query_wants_all)
{
    struct event event = {.stream = slice_of("a"), .type = slice_of("T")};

    ck_assert_int_eq(decode(hex("91 95 90 91a155 90 90 90")), ACTA_OK);
    ck_assert(!query_matches(&query, &event));
    query_fini(&query);
    ck_assert(query_matches(&query, &event));
    query_fini(&query);
}
END_TEST

/* ---- matching ---- */

static const uint8_t id_1[UUID_SIZE] = {1};
static const uint8_t id_2[UUID_SIZE] = {2};

/* order-42, OrderPaid, tags a and b, correlation 1 */
static struct event
sample_event(void)
{
    return (struct event){
        .stream = slice_of("order-42"),
        .type = slice_of("OrderPaid"),
        .correlation_id = id_1,
        .tags_count = 2,
        .tags = slice_of("\xa1"
                         "a"
                         "\xa1"
                         "b"),
    };
}

/* One item: a field with up to two texts, and maybe a second such field. */
static bool
item_wants(enum query_field f1, const char *a, const char *b,
           enum query_field f2, const char *c)
{
    struct event event = sample_event();
    struct slice texts[3];
    struct query_item item = {0};
    struct query one = {&item, 1, NULL};

    texts[0] = slice_of(a);
    texts[1] = b == NULL ? SLICE_NONE : slice_of(b);
    texts[2] = c == NULL ? SLICE_NONE : slice_of(c);
    if (c != NULL) {
        item.fields[f2] = (struct query_terms){texts + 2, 1};
    }
    item.fields[f1] = (struct query_terms){texts, b == NULL ? 1 : 2};
    return query_matches(&one, &event);
}

START_TEST(any_of_categories_types_and_streams_is_enough)
{
    ck_assert(item_wants(QUERY_CATEGORIES, "order", NULL, 0, NULL));
    ck_assert(item_wants(QUERY_CATEGORIES, "x", "order", 0, NULL));
    ck_assert(!item_wants(QUERY_CATEGORIES, "x", "orde", 0, NULL));
    ck_assert(!item_wants(QUERY_CATEGORIES, "order-42", NULL, 0, NULL));
    ck_assert(item_wants(QUERY_TYPES, "OrderPaid", "x", 0, NULL));
    ck_assert(!item_wants(QUERY_TYPES, "OrderPai", "OrderPaid2", 0, NULL));
    ck_assert(item_wants(QUERY_STREAMS, "order-42", NULL, 0, NULL));
    ck_assert(!item_wants(QUERY_STREAMS, "order-4", "order", 0, NULL));
}
END_TEST

START_TEST(all_tags_are_needed)
{
    ck_assert(item_wants(QUERY_TAGS, "a", NULL, 0, NULL));
    ck_assert(item_wants(QUERY_TAGS, "b", "a", 0, NULL));
    ck_assert(!item_wants(QUERY_TAGS, "a", "c", 0, NULL));
    ck_assert(!item_wants(QUERY_TAGS, "c", "a", 0, NULL));
    ck_assert(!item_wants(QUERY_TAGS, "ab", NULL, 0, NULL));
}
END_TEST

START_TEST(all_fields_of_an_item_are_needed)
{
    ck_assert(item_wants(QUERY_TYPES, "OrderPaid", NULL, QUERY_TAGS, "a"));
    ck_assert(!item_wants(QUERY_TYPES, "OrderPaid", NULL, QUERY_TAGS, "c"));
    ck_assert(!item_wants(QUERY_TYPES, "x", NULL, QUERY_TAGS, "a"));
}
END_TEST

START_TEST(correlation_ids_are_compared_whole)
{
    struct event event = sample_event();
    struct slice texts[] = {slice_make(id_2, UUID_SIZE),
                            slice_make(id_1, UUID_SIZE)};
    struct query_item item = {0};
    struct query one = {&item, 1, NULL};

    item.fields[QUERY_CORRELATION_IDS] = (struct query_terms){texts, 2};
    ck_assert(query_matches(&one, &event));
    item.fields[QUERY_CORRELATION_IDS] = (struct query_terms){texts, 1};
    ck_assert(!query_matches(&one, &event));
    event.correlation_id = NULL;
    ck_assert(!query_matches(&one, &event));
    item.fields[QUERY_CORRELATION_IDS] = (struct query_terms){NULL, 0};
    ck_assert(query_matches(&one, &event));
}
END_TEST

START_TEST(any_item_is_enough_and_an_empty_item_wants_all)
{
    struct event event = sample_event();
    struct slice text = slice_of("x");
    struct query_item items[2] = {{{{NULL, 0}}}};
    struct query two = {items, 2, NULL};

    items[0].fields[QUERY_TYPES] = (struct query_terms){&text, 1};
    ck_assert(query_matches(&two, &event));
    items[1].fields[QUERY_TAGS] = (struct query_terms){&text, 1};
    ck_assert(!query_matches(&two, &event));
    two.items_count = 0;
    ck_assert(query_matches(&two, &event));
}
END_TEST

/* Names and tags are single letters; a set of them is a bit mask. The match by
 * masks has nothing in common with the one under test.
 */
#define LETTERS 4

static const char *const streams[] = {"a-1", "a-2", "b-1", "c"};
static const unsigned category_of[] = {0, 0, 1, 2};
static const char *const categories[] = {"a", "b", "c", "d"};
static const char *const letters[] = {"p", "q", "r", "s"};

struct masks {
    unsigned fields[QUERY_FIELDS];
};

static bool
masks_want(const struct masks *wanted, unsigned stream, unsigned type,
           unsigned tags, unsigned correlation)
{
    const unsigned *f = wanted->fields;

    return (f[QUERY_STREAMS] == 0 || (f[QUERY_STREAMS] >> stream & 1)) &&
           (f[QUERY_CATEGORIES] == 0 ||
            (f[QUERY_CATEGORIES] >> category_of[stream] & 1)) &&
           (f[QUERY_TYPES] == 0 || (f[QUERY_TYPES] >> type & 1)) &&
           (f[QUERY_TAGS] & ~tags) == 0 &&
           (f[QUERY_CORRELATION_IDS] == 0 ||
            (correlation < LETTERS &&
             (f[QUERY_CORRELATION_IDS] >> correlation & 1)));
}

static void
write_masks(const struct masks *items, size_t count,
            const uint8_t ids[LETTERS][UUID_SIZE])
{
    buf_clear(&buf);
    pack_array(&buf, count);
    for (size_t i = 0; i < count; i++) {
        pack_array(&buf, QUERY_FIELDS);
        for (int f = 0; f < QUERY_FIELDS; f++) {
            unsigned mask = items[i].fields[f];

            pack_array(&buf, (size_t)__builtin_popcount(mask));
            for (unsigned bit = 0; bit < LETTERS; bit++) {
                if ((mask >> bit & 1) == 0) {
                    continue;
                }
                if (f == QUERY_CORRELATION_IDS) {
                    pack_bin(&buf, slice_make(ids[bit], UUID_SIZE));
                } else if (f == QUERY_STREAMS) {
                    pack_text(&buf, streams[bit]);
                } else if (f == QUERY_CATEGORIES) {
                    pack_text(&buf, categories[bit]);
                } else {
                    pack_text(&buf, letters[bit]);
                }
            }
        }
    }
}

START_TEST(random_queries_agree_with_a_match_by_bit_masks)
{
    static const uint8_t ids[LETTERS][UUID_SIZE] = {{1}, {2}, {3}, {4}};
    unsigned matches = 0, misses = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    for (unsigned i = 0; i < rnd_effort(50000, 5000000); i++) {
        size_t count = rnd_below(&rnd, 4);
        struct masks items[3];
        unsigned stream = (unsigned)rnd_below(&rnd, LETTERS);
        unsigned type = (unsigned)rnd_below(&rnd, LETTERS);
        unsigned tags = (unsigned)rnd_below(&rnd, 1 << LETTERS);
        unsigned correlation = (unsigned)rnd_below(&rnd, LETTERS + 1);
        uint8_t packed[2 * LETTERS];
        struct event event = {.stream = slice_of(streams[stream]),
                              .type = slice_of(letters[type])};
        bool wanted = count == 0;

        for (size_t item = 0; item < count; item++) {
            for (int f = 0; f < QUERY_FIELDS; f++) {
                items[item].fields[f] =
                    rnd_once_in(&rnd, 2)
                        ? 0
                        : (unsigned)rnd_below(&rnd, 1 << LETTERS);
            }
            wanted = wanted ||
                     masks_want(&items[item], stream, type, tags, correlation);
        }
        for (unsigned bit = 0; bit < LETTERS; bit++) {
            if (tags >> bit & 1) {
                packed[2 * event.tags_count] = 0xa1;
                packed[2 * event.tags_count + 1] = (uint8_t)letters[bit][0];
                event.tags_count++;
            }
        }
        event.tags = slice_make(packed, 2 * event.tags_count);
        event.correlation_id = correlation < LETTERS ? ids[correlation] : NULL;

        write_masks(items, count, ids);
        ck_assert_int_eq(decode(buf_slice(&buf)), ACTA_OK);
        if (query_matches(&query, &event) != wanted) {
            ck_abort_msg("query %s, stream %u, type %u, tags %x, id %u",
                         hex_of(buf_slice(&buf)), stream, type, tags,
                         correlation);
        }
        matches += wanted;
        misses += !wanted;
    }
    ck_assert_uint_gt(matches, 100);
    ck_assert_uint_gt(misses, 100);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("query");
    TCase *tcase = tcase_create("query");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, query_comes_out_as_it_went_in);
    tcase_add_test(tcase, query_for_all_needs_no_memory);
    tcase_add_test(tcase, query_without_memory_is_refused);
    tcase_add_test(tcase, items_and_texts_are_bounded);
    tcase_add_loop_test(tcase, names_are_bounded_in_every_field, 0,
                        QUERY_CORRELATION_IDS);
    tcase_add_loop_test(tcase, malformed_queries_are_refused, 0, 18);
    tcase_add_test(tcase, finished_query_wants_all);
    tcase_add_test(tcase, any_of_categories_types_and_streams_is_enough);
    tcase_add_test(tcase, all_tags_are_needed);
    tcase_add_test(tcase, all_fields_of_an_item_are_needed);
    tcase_add_test(tcase, correlation_ids_are_compared_whole);
    tcase_add_test(tcase, any_item_is_enough_and_an_empty_item_wants_all);
    tcase_add_test(tcase, random_queries_agree_with_a_match_by_bit_masks);
    return run_suite(suite);
}
