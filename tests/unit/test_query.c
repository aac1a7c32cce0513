#include "query.h"

#include <malloc.h>
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

START_TEST(prefixes_and_names_may_come_in_any_order)
{
    const struct query_terms *types, *streams;

    ck_assert_msg(
        decode(hex("91 95 90 93 91a161 a162 91a163 90 91 91a164 90")) ==
            ACTA_OK,
        "%s", err.text);
    types = &query.items[0].fields[QUERY_TYPES];
    ck_assert_uint_eq(types->count, 1);
    ck_assert_uint_eq(types->prefixes_count, 2);
    assert_slice_eq(types->texts[0], slice_of("b"));
    assert_slice_eq(types->prefixes[0], slice_of("a"));
    assert_slice_eq(types->prefixes[1], slice_of("c"));
    streams = &query.items[0].fields[QUERY_STREAMS];
    ck_assert_uint_eq(streams->count, 0);
    ck_assert_uint_eq(streams->prefixes_count, 1);
    assert_slice_eq(streams->prefixes[0], slice_of("d"));
    query_encode(&buf, &query);
    assert_hex(buf_slice(&buf),
               "91 95 90 93 a162 91a161 91a163 90 91 91a164 90");
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

/* Every other type is a prefix. */
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
                if (t % 2 == 1) {
                    pack_array(&buf, 1);
                }
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

START_TEST(texts_that_end_early_are_refused)
{
    ck_assert_int_eq(decode(hex("91 95 92 a5 61")), ACTA_PROTOCOL);
}
END_TEST

static bool
may_have_prefixes(int f)
{
    return f == QUERY_TYPES || f == QUERY_STREAMS;
}

/* A name of the largest size, and one byte more, in each of the fields: by
 * itself, and as a prefix.
 */
START_TEST(names_are_bounded_in_every_field)
{
    bool is_prefix = _i >= QUERY_FIELDS;
    int field = _i % QUERY_FIELDS;
    uint8_t name[256];

    if (field == QUERY_CORRELATION_IDS ||
        (is_prefix && !may_have_prefixes(field))) {
        return;
    }

    memset(name, 'n', sizeof(name));
    for (size_t size = 255; size <= 256; size++) {
        buf_clear(&buf);
        pack_array(&buf, 1);
        pack_array(&buf, QUERY_FIELDS);
        for (int f = 0; f < QUERY_FIELDS; f++) {
            pack_array(&buf, f == field ? 1 : 0);
            if (f == field) {
                if (is_prefix) {
                    pack_array(&buf, 1);
                }
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
        {"91 95 91 91a161 90 90 90 90", ACTA_INVALID},
        {"91 95 90 90 91 91a161 90 90", ACTA_INVALID},
        {"91 95 90 90 90 90 91 91c410 00112233445566778899aabbccddeeff",
         ACTA_INVALID},
        {"91 95 90 91 90 90 90 90", ACTA_INVALID},
        {"91 95 90 91 91a0 90 90 90", ACTA_INVALID},
        {"91 95 90 91 91c40161 90 90 90", ACTA_INVALID},
        {"91 95 90 90 90 91 92a161a162 90", ACTA_UNSUPPORTED},
        {"91 95 90 90 90 91 9191a161 90", ACTA_INVALID},
        {"91 95 90 91 91a10a 90 90 90", ACTA_INVALID},
        {"91 95 90 91 91", ACTA_PROTOCOL},
        {"91 95 90 91 ddffffffff", ACTA_PROTOCOL},
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
        item.fields[f2] = (struct query_terms){.texts = texts + 2, .count = 1};
    }
    item.fields[f1] =
        (struct query_terms){.texts = texts, .count = b == NULL ? 1 : 2};
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

static bool
prefix_wants(enum query_field field, const char *name, const char *prefix)
{
    struct event event = sample_event();
    struct slice texts[] = {slice_of(name), slice_of(prefix)};
    struct query_item item = {0};
    struct query one = {&item, 1, NULL};

    item.fields[field] =
        (struct query_terms){texts, name[0] != '\0', texts + 1, 1};
    return query_matches(&one, &event);
}

START_TEST(types_and_streams_are_wanted_by_how_they_begin)
{
    ck_assert(prefix_wants(QUERY_TYPES, "", "O"));
    ck_assert(prefix_wants(QUERY_TYPES, "", "OrderPaid"));
    ck_assert(!prefix_wants(QUERY_TYPES, "", "OrderPaid2"));
    ck_assert(!prefix_wants(QUERY_TYPES, "", "rderPaid"));
    ck_assert(!prefix_wants(QUERY_TYPES, "", "o"));
    ck_assert(prefix_wants(QUERY_STREAMS, "", "order-4"));
    ck_assert(prefix_wants(QUERY_STREAMS, "", "or"));
    ck_assert(!prefix_wants(QUERY_STREAMS, "", "order-43"));
}
END_TEST

START_TEST(a_name_or_a_prefix_is_enough)
{
    ck_assert(prefix_wants(QUERY_TYPES, "OrderPaid", "x"));
    ck_assert(prefix_wants(QUERY_TYPES, "x", "Order"));
    ck_assert(!prefix_wants(QUERY_TYPES, "Order", "x"));
    ck_assert(!prefix_wants(QUERY_STREAMS, "order-4", "b"));
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

/* Who holds many queries bounds them by this. */
START_TEST(size_is_that_of_the_memory)
{
    ck_assert_int_eq(
        decode(hex("92 95 91a161 92a16291a163 91a164 91a165 90 95 90 90 90 90 "
                   "91c410 00112233445566778899aabbccddeeff")),
        ACTA_OK);
    ck_assert_uint_le(query_size(&query), malloc_usable_size(query.memory));
    ck_assert_uint_ge(query_size(&query) + 64,
                      malloc_usable_size(query.memory));
}
END_TEST

START_TEST(correlation_ids_are_compared_whole)
{
    struct event event = sample_event();
    struct slice texts[] = {slice_make(id_2, UUID_SIZE),
                            slice_make(id_1, UUID_SIZE)};
    struct query_item item = {0};
    struct query one = {&item, 1, NULL};

    item.fields[QUERY_CORRELATION_IDS] =
        (struct query_terms){.texts = texts, .count = 2};
    ck_assert(query_matches(&one, &event));
    item.fields[QUERY_CORRELATION_IDS] =
        (struct query_terms){.texts = texts, .count = 1};
    ck_assert(!query_matches(&one, &event));
    event.correlation_id = NULL;
    ck_assert(!query_matches(&one, &event));
    item.fields[QUERY_CORRELATION_IDS] =
        (struct query_terms){.texts = NULL, .count = 0};
    ck_assert(query_matches(&one, &event));
}
END_TEST

START_TEST(any_item_is_enough_and_an_empty_item_wants_all)
{
    struct event event = sample_event();
    struct slice text = slice_of("x");
    struct query_item items[2] = {{{{0}}}};
    struct query two = {items, 2, NULL};

    items[0].fields[QUERY_TYPES] =
        (struct query_terms){.texts = &text, .count = 1};
    ck_assert(query_matches(&two, &event));
    items[1].fields[QUERY_TAGS] =
        (struct query_terms){.texts = &text, .count = 1};
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

/* The streams that begin with each of these are a mask. */
static const char *const prefixes[] = {"a", "a-2", "b-", "d"};
static const unsigned begin_so[] = {0x3, 0x2, 0x4, 0x0};

struct masks {
    unsigned fields[QUERY_FIELDS];
    unsigned prefixes; /* Of streams. */
};

static bool
stream_is_wanted(const struct masks *wanted, unsigned stream)
{
    unsigned mask = wanted->fields[QUERY_STREAMS];

    for (unsigned bit = 0; bit < LETTERS; bit++) {
        if (wanted->prefixes >> bit & 1) {
            mask |= begin_so[bit];
        }
    }
    return (wanted->fields[QUERY_STREAMS] | wanted->prefixes) == 0 ||
           (mask >> stream & 1);
}

static bool
masks_want(const struct masks *wanted, unsigned stream, unsigned type,
           unsigned tags, unsigned correlation)
{
    const unsigned *f = wanted->fields;

    return stream_is_wanted(wanted, stream) &&
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
            unsigned begin = f == QUERY_STREAMS ? items[i].prefixes : 0;

            pack_array(&buf, (size_t)(__builtin_popcount(mask) +
                                      __builtin_popcount(begin)));
            for (unsigned bit = 0; bit < LETTERS; bit++) {
                if (begin >> bit & 1) {
                    pack_array(&buf, 1);
                    pack_text(&buf, prefixes[bit]);
                }
            }
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
            items[item].prefixes =
                rnd_once_in(&rnd, 2) ? 0
                                     : (unsigned)rnd_below(&rnd, 1 << LETTERS);
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
    tcase_add_test(tcase, prefixes_and_names_may_come_in_any_order);
    tcase_add_test(tcase, query_for_all_needs_no_memory);
    tcase_add_test(tcase, query_without_memory_is_refused);
    tcase_add_test(tcase, items_and_texts_are_bounded);
    tcase_add_test(tcase, texts_that_end_early_are_refused);
    tcase_add_loop_test(tcase, names_are_bounded_in_every_field, 0,
                        2 * QUERY_FIELDS);
    tcase_add_loop_test(tcase, malformed_queries_are_refused, 0, 29);
    tcase_add_test(tcase, finished_query_wants_all);
    tcase_add_test(tcase, any_of_categories_types_and_streams_is_enough);
    tcase_add_test(tcase, types_and_streams_are_wanted_by_how_they_begin);
    tcase_add_test(tcase, a_name_or_a_prefix_is_enough);
    tcase_add_test(tcase, all_tags_are_needed);
    tcase_add_test(tcase, all_fields_of_an_item_are_needed);
    tcase_add_test(tcase, size_is_that_of_the_memory);
    tcase_add_test(tcase, correlation_ids_are_compared_whole);
    tcase_add_test(tcase, any_item_is_enough_and_an_empty_item_wants_all);
    tcase_add_test(tcase, random_queries_agree_with_a_match_by_bit_masks);
    return run_suite(suite);
}
