#include "pack.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hex.h"
#include "rnd.h"
#include "run.h"

static struct buf buf;
static struct acta_err err;

static void
setup(void)
{
    buf_init(&buf, 1 << 20);
    err = (struct acta_err){ACTA_OK, ""};
    alloc_reset();
}

static void
teardown(void)
{
    buf_fini(&buf);
}

static bool
scans(const char *text)
{
    return pack_scan(hex(text), 8, &err) == ACTA_OK;
}

/* ---- writing ---- */

START_TEST(numbers_take_their_shortest_form)
{
    static const struct {
        uint64_t value;
        const char *bytes;
    } cases[] = {
        {0, "00"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {UINT32_MAX, "ceffffffff"},
        {(uint64_t)UINT32_MAX + 1, "cf0000000100000000"},
        {UINT64_MAX, "cfffffffffffffffff"},
    };

    pack_uint(&buf, cases[_i].value);
    assert_hex(buf_slice(&buf), cases[_i].bytes);
}
END_TEST

START_TEST(negative_numbers_take_their_shortest_form)
{
    static const struct {
        int64_t value;
        const char *bytes;
    } cases[] = {
        {-1, "ff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {-129, "d1ff7f"},
        {-32768, "d18000"},
        {-32769, "d2ffff7fff"},
        {INT32_MIN, "d280000000"},
        {(int64_t)INT32_MIN - 1, "d3ffffffff7fffffff"},
        {INT64_MIN, "d38000000000000000"},
        {5, "05"},
    };

    pack_int(&buf, cases[_i].value);
    assert_hex(buf_slice(&buf), cases[_i].bytes);
}
END_TEST

START_TEST(other_values_have_the_bytes_of_the_format)
{
    pack_nil(&buf);
    pack_bool(&buf, false);
    pack_bool(&buf, true);
    pack_text(&buf, "ab");
    pack_str(&buf, SLICE_NONE);
    pack_bin(&buf, slice_of("ab"));
    pack_bin(&buf, SLICE_NONE);
    pack_array(&buf, 2);
    pack_array(&buf, 16);
    pack_fixed(&buf, 7);
    assert_hex(buf_slice(&buf), "c0 c2 c3 a26162 a0 c4026162 c400 92 dc0010 "
                                "cf0000000000000007");
}
END_TEST

START_TEST(sizes_of_strings_grow_with_their_heads)
{
    static const size_t sizes[] = {31, 32, 255, 256, 65535, 65536};
    static const char *const heads[] = {"bf",     "d920",   "d9ff",
                                        "da0100", "daffff", "db00010000"};
    uint8_t *bytes = calloc(1, sizes[_i]);
    struct slice head = hex(heads[_i]);

    pack_str(&buf, slice_make(bytes, sizes[_i]));
    ck_assert_uint_eq(buf_size(&buf), head.size + sizes[_i]);
    ck_assert(slice_starts_with(buf_slice(&buf), head));
    free(bytes);
}
END_TEST

START_TEST(count_of_an_array_can_be_told_at_its_end)
{
    size_t offset;

    pack_nil(&buf);
    offset = pack_array_begin(&buf);
    pack_uint(&buf, 1);
    pack_uint(&buf, 2);
    pack_array_end(&buf, offset, 2);
    assert_hex(buf_slice(&buf), "c0 dd00000002 01 02");
}
END_TEST

START_TEST(full_buf_fails_once_and_is_asked_at_the_end)
{
    size_t offset;

    buf_fini(&buf);
    buf_init(&buf, 3);
    pack_array(&buf, 1);
    offset = pack_array_begin(&buf);
    pack_uint(&buf, 1);
    pack_array_end(&buf, offset, 1);
    ck_assert(buf_failed(&buf));
    ck_assert_uint_eq(buf_size(&buf), 1);
}
END_TEST

/* ---- scanning ---- */

/* One of each kind; every kind with a size also with none. */
static const char *const values[] = {
    "00",
    "7f",
    "80",
    "8101a0",
    "90",
    "91c0",
    "a0",
    "a161",
    "c0",
    "c2",
    "c3",
    "c400",
    "c40161",
    "c50000",
    "c5000161",
    "c600000000",
    "c60000000161",
    "c70001",
    "c7010161",
    "c8000001",
    "c800010161",
    "c90000000001",
    "c9000000010161",
    "ca3f800000",
    "cb3ff0000000000000",
    "cc80",
    "cd8000",
    "ce80000000",
    "cf8000000000000000",
    "d080",
    "d18000",
    "d280000000",
    "d38000000000000000",
    "d4 01 61",
    "d5 01 6161",
    "d6 01 61616161",
    "d7 01 6161616161616161",
    "d8 01 61616161616161616161616161616161",
    "d900",
    "d90161",
    "da0000",
    "da000161",
    "db00000000",
    "db0000000161",
    "dc0000",
    "dc0001c0",
    "dd00000000",
    "dd00000001c0",
    "de0000",
    "de000101c0",
    "df00000000",
    "df0000000101c0",
    "e0",
    "ff",
    "93 01 92 a161 c0 81 01 90",
};

#define VALUES_COUNT (sizeof(values) / sizeof(values[0]))

START_TEST(every_kind_of_value_is_accepted_whole)
{
    ck_assert_msg(scans(values[_i]), "%s: %s", values[_i], err.text);
}
END_TEST

/* In memory of the exact size, so that a sanitizer sees a read beyond it. */
START_TEST(every_kind_of_value_is_refused_when_cut)
{
    struct slice whole = hex(values[_i]);

    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut = malloc(size == 0 ? 1 : size);

        memcpy(cut, whole.data, size);
        ck_assert_int_eq(pack_scan(slice_make(cut, size), 8, &err),
                         ACTA_PROTOCOL);
        free(cut);
    }
}
END_TEST

START_TEST(every_kind_of_value_is_refused_when_more_follows)
{
    uint8_t bytes[64];
    struct slice whole = hex(values[_i]);

    memcpy(bytes, whole.data, whole.size);
    bytes[whole.size] = 0xc0;
    ck_assert_int_eq(pack_scan(slice_make(bytes, whole.size + 1), 8, &err),
                     ACTA_PROTOCOL);
    ck_assert_str_eq(err.text, "1 bytes follow the msgpack value");
}
END_TEST

START_TEST(byte_that_is_never_used_is_refused)
{
    ck_assert(!scans("c1"));
    ck_assert_str_eq(err.text, "msgpack is cut short or wrong at offset 0");
    ck_assert(!scans("9301c102"));
    ck_assert_str_eq(err.text, "msgpack is cut short or wrong at offset 2");
    ck_assert(!scans(""));
    ck_assert_str_eq(err.text, "msgpack is missing");
}
END_TEST

START_TEST(nesting_is_bounded)
{
    ck_assert_int_eq(pack_scan(hex("9191c0"), 2, &err), ACTA_OK);
    ck_assert_int_eq(pack_scan(hex("919191c0"), 2, &err), ACTA_PROTOCOL);
    ck_assert_str_eq(err.text, "msgpack is nested deeper than 2 at offset 3");
    ck_assert_int_eq(pack_scan(hex("8101 8101c0"), 1, NULL), ACTA_PROTOCOL);
    ck_assert_int_eq(pack_scan(hex("90"), 0, NULL), ACTA_PROTOCOL);
    ck_assert_int_eq(pack_scan(hex("c0"), 0, NULL), ACTA_OK);
    /* Breadth is not depth. */
    ck_assert_int_eq(pack_scan(hex("93 9190 91c0 90"), 3, NULL), ACTA_OK);
}
END_TEST

/* Few bytes that claim much: each is refused without spending memory. */
static const char *const bombs[] = {
    "ddffffffff",
    "ddffffffff c0",
    "dfffffffff",
    "dcffff",
    "deffff",
    "9f",
    "8f",
    "c9ffffffff 01",
    "c6ffffffff",
    "dbffffffff",
    "c8ffff 01 00",
    "daffff 00",
    "dd00ffffff dd00ffffff dd00ffffff dd00ffffff dd00ffffff dd00ffffff",
    "df80000000 c0 c0",
    "9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f",
};

#define BOMBS_COUNT (sizeof(bombs) / sizeof(bombs[0]))

START_TEST(bombs_are_refused_and_allocate_nothing)
{
    struct slice bytes = hex(bombs[_i]);
    enum acta_code code;
    size_t calls;

    alloc_reset();
    code = pack_scan(bytes, 32, &err);
    calls = alloc_calls;
    ck_assert_int_eq(code, ACTA_PROTOCOL);
    ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(a_million_levels_are_refused_and_use_no_stack)
{
    size_t size = 1000000;
    uint8_t *bytes = malloc(size);

    memset(bytes, _i, size);
    ck_assert_int_eq(pack_scan(slice_make(bytes, size), 32, &err),
                     ACTA_PROTOCOL);
    free(bytes);
}
END_TEST

START_TEST(sixteen_million_elements_are_scanned_in_constant_memory)
{
    size_t count = 16 << 20;
    uint8_t *bytes = calloc(1, count + 5);
    enum acta_code code;
    size_t calls;

    memcpy(bytes, "\xdd\x01\x00\x00\x00", 5);
    alloc_reset();
    code = pack_scan(slice_make(bytes, count + 5), 8, NULL);
    calls = alloc_calls;
    ck_assert_int_eq(code, ACTA_OK);
    ck_assert_uint_eq(calls, 0);
    ck_assert_int_eq(pack_scan(slice_make(bytes, count + 4), 8, NULL),
                     ACTA_PROTOCOL);
    free(bytes);
}
END_TEST

/* ---- reading ---- */

static struct pack_reader reader;

static void
read_from(const char *text)
{
    pack_reader_init(&reader, hex(text), &err);
}

START_TEST(getters_return_what_was_written)
{
    struct slice text;

    pack_bool(&buf, true);
    pack_uint(&buf, UINT64_MAX);
    pack_int(&buf, INT64_MIN);
    pack_int(&buf, 300);
    pack_text(&buf, "text");
    pack_bin(&buf, slice_of("bytes"));
    buf_append(&buf, (uint8_t[]){0x81}, 1); /* A map of one pair. */
    pack_array(&buf, 0);
    pack_array(&buf, 1);
    pack_nil(&buf);

    pack_reader_init(&reader, buf_slice(&buf), &err);
    ck_assert(pack_get_bool(&reader, "a"));
    ck_assert_uint_eq(pack_get_uint(&reader, "b"), UINT64_MAX);
    ck_assert_int_eq(pack_get_int(&reader, "c"), INT64_MIN);
    ck_assert_int_eq(pack_get_int(&reader, "d"), 300);
    text = pack_get_str(&reader, "e");
    assert_slice_eq(text, slice_of("text"));
    text = pack_get_bin(&reader, "f");
    assert_slice_eq(text, slice_of("bytes"));
    ck_assert_uint_eq(pack_get_map(&reader, "g"), 1);
    ck_assert_uint_eq(pack_get_array(&reader, "h"), 0);
    ck_assert_uint_eq(pack_get_array(&reader, "i"), 1);
    ck_assert(pack_skip_nil(&reader));
    ck_assert(!pack_skip_nil(&reader));
    ck_assert_int_eq(pack_peek(&reader), PACK_END);
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
}
END_TEST

START_TEST(signed_forms_of_positive_numbers_are_numbers)
{
    static const char *const forms[] = {"2a",
                                        "cc2a",
                                        "cd002a",
                                        "ce0000002a",
                                        "d02a",
                                        "d1002a",
                                        "d20000002a",
                                        "d3000000000000002a",
                                        "cf000000000000002a"};

    read_from(forms[_i]);
    ck_assert_int_eq(pack_peek(&reader), PACK_UINT);
    ck_assert_uint_eq(pack_get_uint(&reader, "n"), 42);
    read_from(forms[_i]);
    ck_assert_int_eq(pack_get_int(&reader, "n"), 42);
}
END_TEST

START_TEST(negative_numbers_are_read_from_every_form)
{
    static const char *const forms[] = {"fe", "d0fe", "d1fffe", "d2fffffffe",
                                        "d3fffffffffffffffe"};

    read_from(forms[_i]);
    ck_assert_int_eq(pack_peek(&reader), PACK_INT);
    ck_assert_int_eq(pack_get_int(&reader, "n"), -2);
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
}
END_TEST

START_TEST(number_over_the_signed_range_is_refused_by_get_int)
{
    read_from("cf7fffffffffffffff");
    ck_assert_int_eq(pack_get_int(&reader, "expected"), INT64_MAX);
    read_from("cf8000000000000000");
    ck_assert_int_eq(pack_get_int(&reader, "expected"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    ck_assert_str_eq(err.text, "expected is too large");
}
END_TEST

/* Every getter against a value of every type. */
static void
assert_none(struct slice bytes)
{
    ck_assert_ptr_null(bytes.data);
    ck_assert_uint_eq(bytes.size, 0);
}

START_TEST(value_of_another_type_fails_the_reader_and_says_so)
{
    static const struct {
        const char *bytes;
        const char *is;
    } types[] = {
        {"c0", "nil"},
        {"c3", "a boolean"},
        {"05", "a number"},
        {"ff", "a negative number"},
        {"ca00000000", "a float"},
        {"a161", "a string"},
        {"c40161", "bytes"},
        {"d40161", "an extension"},
        {"90", "an array"},
        {"80", "a map"},
        {"", "missing"},
    };
    static const char *const getters[] = {"a boolean", "a number", "a number",
                                          "a string",  "bytes",    "an array",
                                          "a map"};
    char expected[80];

    for (size_t getter = 0; getter < 7; getter++) {
        if (strcmp(getters[getter], types[_i].is) == 0 ||
            (getter == 2 && strcmp(types[_i].is, "a negative number") == 0)) {
            continue;
        }
        read_from(types[_i].bytes);
        switch (getter) {
        case 0:
            ck_assert(!pack_get_bool(&reader, "field"));
            break;
        case 1:
            ck_assert_uint_eq(pack_get_uint(&reader, "field"), 0);
            break;
        case 2:
            ck_assert_int_eq(pack_get_int(&reader, "field"), 0);
            break;
        case 3:
            assert_none(pack_get_str(&reader, "field"));
            break;
        case 4:
            assert_none(pack_get_bin(&reader, "field"));
            break;
        case 5:
            ck_assert_uint_eq(pack_get_array(&reader, "field"), 0);
            break;
        default:
            ck_assert_uint_eq(pack_get_map(&reader, "field"), 0);
            break;
        }
        ck_assert_int_eq(pack_code(&reader),
                         strcmp(types[_i].is, "missing") == 0 ? ACTA_PROTOCOL
                                                              : ACTA_INVALID);
        snprintf(expected, sizeof(expected), "field must be %s, is %s",
                 getters[getter], types[_i].is);
        ck_assert_str_eq(err.text, expected);
        ck_assert_ptr_eq(reader.at, reader.start);
    }
}
END_TEST

START_TEST(first_failure_is_kept_and_stops_all_reading)
{
    read_from("05 a161 c3 90 80 c40161 c0");
    pack_get_str(&reader, "first");
    ck_assert_uint_eq(pack_get_uint(&reader, "second"), 0);
    ck_assert_int_eq(pack_get_int(&reader, "second"), 0);
    ck_assert(!pack_get_bool(&reader, "second"));
    ck_assert_ptr_null(pack_get_bytes_or_nil(&reader, 1, "second"));
    ck_assert(!pack_skip_nil(&reader));
    pack_skip(&reader);
    pack_fail(&reader, ACTA_TOO_LARGE, "later");
    ck_assert_int_eq(pack_peek(&reader), PACK_END);
    ck_assert_ptr_eq(reader.at, reader.start);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    ck_assert_int_eq(err.code, ACTA_INVALID);
    ck_assert_str_eq(err.text, "first must be a string, is a number");
}
END_TEST

/* What getters read by themselves has to fit as well as what they leave to
 * others: nothing was scanned here.
 */
START_TEST(value_that_is_cut_short_anywhere_fails_the_reader)
{
    static const char *const wholes[] = {
        "cf0102030405060708",
        "cd0102",
        "a3616263",
        "d903616263",
        "da0003616263",
        "c40161",
        "c5000161",
        "c60000000161",
        "92c0c0",
        "9105",
        "dc0001c0",
    };

    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        struct slice whole = hex(wholes[i]);
        uint8_t *exact;

        for (size_t size = 0; size < whole.size; size++) {
            bool is_array = whole.data[0] >> 4 == 9 || whole.data[0] == 0xdc;

            /* Memory of its exact size, so that sanitizers see what is read
             * beyond it.
             */
            exact = malloc(size + 1);
            ck_assert_ptr_nonnull(exact);
            memcpy(exact + 1, whole.data, size);
            pack_reader_init(&reader, slice_make(exact + 1, size), &err);
            if (is_array) {
                ck_assert_uint_eq(pack_get_array(&reader, "cut"), 0);
            } else if (whole.data[0] >> 4 == 0xc && whole.data[0] < 0xc7) {
                ck_assert_uint_eq(pack_get_bin(&reader, "cut").size, 0);
            } else if (whole.data[0] == 0xcf || whole.data[0] == 0xcd) {
                ck_assert_uint_eq(pack_get_uint(&reader, "cut"), 0);
            } else {
                ck_assert_uint_eq(pack_get_str(&reader, "cut").size, 0);
            }
            ck_assert_int_eq(pack_code(&reader), ACTA_PROTOCOL);
            free(exact);
        }
    }
}
END_TEST

START_TEST(reader_needs_no_error_to_write_to)
{
    pack_reader_init(&reader, SLICE_NONE, NULL);
    pack_get_uint(&reader, "number");
    ck_assert_int_eq(pack_code(&reader), ACTA_PROTOCOL);
}
END_TEST

START_TEST(arrays_have_between_min_and_max_elements)
{
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 2, 3, "tags"), 2);
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 1, 2, "tags"), 2);
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 3, 4, "tags"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    ck_assert_str_eq(err.text, "2 tags, must be at least 3");
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 0, 1, "tags"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "2 tags, the limit is 1");
}
END_TEST

START_TEST(more_fields_than_known_are_unsupported_and_fewer_invalid)
{
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 2, 2, "write"), 2);
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 1, 1, "write"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_UNSUPPORTED);
    ck_assert_str_eq(err.text, "write has 2 fields, must have 1");
    read_from("92c0c0");
    ck_assert_uint_eq(pack_get_array_of(&reader, 3, 3, "write"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    read_from("05");
    ck_assert_uint_eq(pack_get_array_of(&reader, 0, 3, "write"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
}
END_TEST

START_TEST(count_is_bounded_by_the_bytes_even_without_a_scan)
{
    read_from("ddffffffff c0");
    ck_assert_uint_eq(pack_get_array(&reader, "list"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_PROTOCOL);
    read_from("df80000000 c0");
    ck_assert_uint_eq(pack_get_map(&reader, "map"), 0);
    ck_assert_int_eq(pack_code(&reader), ACTA_PROTOCOL);
}
END_TEST

START_TEST(bytes_of_a_fixed_size_may_be_nil)
{
    const uint8_t *bytes;

    read_from("c0 c4020102 c403010203");
    ck_assert_ptr_null(pack_get_bytes_or_nil(&reader, 2, "id"));
    ck_assert_int_eq(pack_code(&reader), ACTA_OK);
    bytes = pack_get_bytes_or_nil(&reader, 2, "id");
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(bytes[1], 2);
    ck_assert_ptr_null(pack_get_bytes_or_nil(&reader, 2, "id"));
    ck_assert_int_eq(pack_code(&reader), ACTA_INVALID);
    ck_assert_str_eq(err.text, "id must be 2 bytes, is 3");
}
END_TEST

START_TEST(skipping_goes_past_a_value_with_all_that_is_in_it)
{
    const uint8_t *from;

    read_from("93 01 92 a161 c0 81 01 90 2a");
    from = reader.at;
    pack_skip(&reader);
    assert_hex(pack_since(&reader, from), "9301 92a161c0 810190");
    ck_assert_uint_eq(pack_get_uint(&reader, "next"), 42);
    pack_skip(&reader);
    ck_assert_int_eq(pack_code(&reader), ACTA_PROTOCOL);
}
END_TEST

/* ---- against msgpack-c ---- */

/* Write a random value with msgpack-c, nested at most @depth deep. */
static void
pack_random(msgpack_packer *packer, struct rnd *rnd, unsigned depth)
{
    static const uint8_t bytes[70000];
    uint64_t kind = rnd_below(rnd, depth == 0 ? 9 : 11);
    size_t size = rnd_below(rnd, rnd_once_in(rnd, 50) ? 70000 : 40);

    switch (kind) {
    case 0:
        msgpack_pack_nil(packer);
        break;
    case 1:
        msgpack_pack_true(packer);
        break;
    case 2:
        msgpack_pack_uint64(packer, rnd_edgy(rnd));
        break;
    case 3:
        msgpack_pack_int64(packer, (int64_t)rnd_edgy(rnd));
        break;
    case 4:
        msgpack_pack_double(packer, (double)rnd_edgy(rnd));
        break;
    case 5:
        msgpack_pack_float(packer, (float)rnd_edgy(rnd));
        break;
    case 6:
        msgpack_pack_str(packer, size);
        msgpack_pack_str_body(packer, bytes, size);
        break;
    case 7:
        msgpack_pack_bin(packer, size);
        msgpack_pack_bin_body(packer, bytes, size);
        break;
    case 8:
        msgpack_pack_ext(packer, size, (int8_t)rnd_next(rnd));
        msgpack_pack_ext_body(packer, bytes, size);
        break;
    default:
        size %= 40;
        if (kind == 9) {
            msgpack_pack_array(packer, size);
        } else {
            msgpack_pack_map(packer, size / 2);
            size = size / 2 * 2;
        }
        for (size_t i = 0; i < size; i++) {
            pack_random(packer, rnd, depth - 1);
        }
        break;
    }
}

/* What msgpack-c says of the same bytes. What the scan refused is not asked:
 * that msgpack-c would allocate by its claims is why there is a scan.
 */
static void
assert_decodes(struct slice bytes)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t used = 0;

    ck_assert(msgpack_zone_init(&zone, 8192));
    ck_assert_int_eq(msgpack_unpack((const char *)bytes.data, bytes.size, &used,
                                    &zone, &object),
                     MSGPACK_UNPACK_SUCCESS);
    ck_assert_uint_eq(used, bytes.size);
    msgpack_zone_destroy(&zone);
}

START_TEST(what_msgpack_c_writes_is_accepted)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    struct rnd rnd;

    rnd_init(&rnd);
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    for (unsigned i = 0; i < rnd_effort(3000, 300000); i++) {
        struct slice bytes;

        msgpack_sbuffer_clear(&out);
        pack_random(&packer, &rnd, (unsigned)rnd_below(&rnd, 4));
        bytes = slice_make(out.data, out.size);
        ck_assert_msg(pack_scan(bytes, 4, &err) == ACTA_OK, "%s", err.text);
        assert_decodes(bytes);
    }
    msgpack_sbuffer_destroy(&out);
}
END_TEST

START_TEST(what_the_scan_accepts_msgpack_c_decodes)
{
    struct rnd rnd;
    unsigned accepted = 0;

    rnd_init(&rnd);
    for (unsigned i = 0; i < rnd_effort(200000, 20000000); i++) {
        uint8_t bytes[24];
        size_t size = 1 + rnd_below(&rnd, sizeof(bytes));

        rnd_bytes(&rnd, bytes, size);
        /* Otherwise most would be small numbers, with bytes behind them. */
        bytes[0] |= 0x80;
        if (pack_scan(slice_make(bytes, size), 8, NULL) == ACTA_OK) {
            assert_decodes(slice_make(bytes, size));
            accepted++;
        }
    }
    ck_assert_uint_gt(accepted, 10);
}
END_TEST

START_TEST(mutated_values_are_judged_alike)
{
    msgpack_sbuffer out;
    msgpack_packer packer;
    struct rnd rnd;

    rnd_init(&rnd);
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&packer, &out, msgpack_sbuffer_write);
    for (unsigned i = 0; i < rnd_effort(2000, 200000); i++) {
        msgpack_sbuffer_clear(&out);
        pack_random(&packer, &rnd, 3);
        for (int flips = 0; flips < 20; flips++) {
            size_t at = rnd_below(&rnd, out.size);
            char old = out.data[at];

            out.data[at] = (char)rnd_next(&rnd);
            if (pack_scan(slice_make(out.data, out.size), 8, NULL) == ACTA_OK) {
                assert_decodes(slice_make(out.data, out.size));
            }
            out.data[at] = old;
        }
    }
    msgpack_sbuffer_destroy(&out);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("pack");
    TCase *write = tcase_create("write");
    TCase *scan = tcase_create("scan");
    TCase *read = tcase_create("read");
    TCase *differential = tcase_create("differential");

    suite_add_tcase(suite, write);
    tcase_add_checked_fixture(write, setup, teardown);
    tcase_add_loop_test(write, numbers_take_their_shortest_form, 0, 10);
    tcase_add_loop_test(write, negative_numbers_take_their_shortest_form, 0,
                        11);
    tcase_add_test(write, other_values_have_the_bytes_of_the_format);
    tcase_add_loop_test(write, sizes_of_strings_grow_with_their_heads, 0, 6);
    tcase_add_test(write, count_of_an_array_can_be_told_at_its_end);
    tcase_add_test(write, full_buf_fails_once_and_is_asked_at_the_end);

    suite_add_tcase(suite, scan);
    tcase_add_checked_fixture(scan, setup, teardown);
    tcase_add_loop_test(scan, every_kind_of_value_is_accepted_whole, 0,
                        VALUES_COUNT);
    tcase_add_loop_test(scan, every_kind_of_value_is_refused_when_cut, 0,
                        VALUES_COUNT);
    tcase_add_loop_test(scan, every_kind_of_value_is_refused_when_more_follows,
                        0, VALUES_COUNT);
    tcase_add_test(scan, byte_that_is_never_used_is_refused);
    tcase_add_test(scan, nesting_is_bounded);
    tcase_add_loop_test(scan, bombs_are_refused_and_allocate_nothing, 0,
                        BOMBS_COUNT);
    tcase_add_loop_test(scan, a_million_levels_are_refused_and_use_no_stack,
                        0x91, 0xa0);
    tcase_add_loop_test(scan, a_million_levels_are_refused_and_use_no_stack,
                        0x81, 0x90);
    tcase_add_test(scan,
                   sixteen_million_elements_are_scanned_in_constant_memory);

    suite_add_tcase(suite, read);
    tcase_add_checked_fixture(read, setup, teardown);
    tcase_add_test(read, getters_return_what_was_written);
    tcase_add_loop_test(read, signed_forms_of_positive_numbers_are_numbers, 0,
                        9);
    tcase_add_loop_test(read, negative_numbers_are_read_from_every_form, 0, 5);
    tcase_add_test(read, number_over_the_signed_range_is_refused_by_get_int);
    tcase_add_loop_test(
        read, value_of_another_type_fails_the_reader_and_says_so, 0, 11);
    tcase_add_test(read, first_failure_is_kept_and_stops_all_reading);
    tcase_add_test(read, value_that_is_cut_short_anywhere_fails_the_reader);
    tcase_add_test(read, reader_needs_no_error_to_write_to);
    tcase_add_test(read, arrays_have_between_min_and_max_elements);
    tcase_add_test(read,
                   more_fields_than_known_are_unsupported_and_fewer_invalid);
    tcase_add_test(read, count_is_bounded_by_the_bytes_even_without_a_scan);
    tcase_add_test(read, bytes_of_a_fixed_size_may_be_nil);
    tcase_add_test(read, skipping_goes_past_a_value_with_all_that_is_in_it);

    suite_add_tcase(suite, differential);
    tcase_add_checked_fixture(differential, setup, teardown);
    tcase_add_test(differential, what_msgpack_c_writes_is_accepted);
    tcase_add_test(differential, what_the_scan_accepts_msgpack_c_decodes);
    tcase_add_test(differential, mutated_values_are_judged_alike);
    return run_suite(suite);
}
