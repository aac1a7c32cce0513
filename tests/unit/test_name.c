#include "name.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "limit.h"
#include "run.h"

/* Both ends of each range of RFC 3629, section 4, and their neighbours. */
static const struct {
    const char *bytes;
    bool is_text;
} table[] = {
    {"", true},
    {"00", false},
    {"1f", false},
    {"20", true},
    {"09", false},
    {"0a", false},
    {"7e", true},
    {"7f", false},
    {"80", false}, /* A byte that only follows others. */
    {"bf", false},
    {"c0 80", false}, /* U+0000 in two bytes. */
    {"c1 bf", false},
    {"c2 7f", false},
    {"c2 80", false}, /* U+0080, a control character. */
    {"c2 9f", false}, /* U+009F, the last of them. */
    {"c2 a0", true},
    {"c2 bf", true},
    {"c2 c0", false},
    {"c3 80", true},
    {"c3 9f", true},
    {"df bf", true},
    {"df c0", false},
    {"e0 9f bf", false}, /* U+07FF in three bytes. */
    {"e0 a0 80", true},
    {"e0 bf bf", true},
    {"e1 80 80", true},
    {"e1 7f 80", false},
    {"e1 80 7f", false},
    {"e1 80 c0", false},
    {"ec bf bf", true},
    {"ed 80 80", true},
    {"ed 9f bf", true},  /* U+D7FF */
    {"ed a0 80", false}, /* U+D800, a surrogate. */
    {"ed bf bf", false}, /* U+DFFF, the last of them. */
    {"ee 80 80", true},
    {"ef bf bf", true},
    {"f0 8f bf bf", false}, /* U+FFFF in four bytes. */
    {"f0 90 80 80", true},
    {"f0 90 80 7f", false},
    {"f0 90 7f 80", false},
    {"f3 bf bf bf", true},
    {"f4 80 80 80", true},
    {"f4 8f bf bf", true},  /* U+10FFFF */
    {"f4 90 80 80", false}, /* One too far. */
    {"f5 80 80 80", false},
    {"f8 88 80 80 80", false},
    {"fe", false},
    {"ff", false},
    {"c3", false}, /* Cut short. */
    {"e1 80", false},
    {"f1 80 80", false},
    {"41 c3 a9 e2 82 ac f0 9f 98 80 42", true},
    {"41 c3 a9 e2 82 41", false},
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

/* In memory of the exact size, so that a sanitizer sees what is read too far.
 */
static bool
is_text(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.size == 0 ? 1 : bytes.size);
    bool result;

    memcpy(copy, bytes.data, bytes.size);
    result = name_is_text(slice_make(copy, bytes.size));
    free(copy);
    return result;
}

START_TEST(text_is_utf_8_without_control_characters)
{
    ck_assert_msg(is_text(hex(table[_i].bytes)) == table[_i].is_text, "%s",
                  table[_i].bytes);
}
END_TEST

/* Whatever stands anywhere in a longer text, between neighbours that would hide
 * a carry, is judged as it is alone.
 */
START_TEST(what_a_text_is_does_not_depend_on_where_in_it_a_character_stands)
{
    static const char neighbours[] = {' ', '~', 'a'};
    struct slice piece = hex(table[_i].bytes);
    uint8_t text[48];

    for (size_t size = piece.size; size <= 40; size++) {
        for (size_t place = 0; place + piece.size <= size; place++) {
            memset(text, neighbours[(size + place) % 3], sizeof(text));
            if (piece.size > 0) {
                memcpy(text + place, piece.data, piece.size);
            }
            ck_assert_msg(name_is_text(slice_make(text, size)) ==
                              table[_i].is_text,
                          "%s at %zu of %zu", table[_i].bytes, place, size);
        }
    }
}
END_TEST

/* A decoder made the slow way, from the definition, agrees on all texts of up
 * to three bytes, and of four that begin with a byte that may begin four.
 */
static bool
is_text_by_definition(const uint8_t *at, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    while (size > 0) {
        uint8_t first = at[0];
        size_t length = first < 0x80           ? 1
                        : (first >> 5) == 0x06 ? 2
                        : (first >> 4) == 0x0e ? 3
                        : (first >> 3) == 0x1e ? 4
                                               : 0;
        uint32_t point = length == 1 ? first : first & (0xffu >> (length + 1));

        if (length == 0 || length > size) {
            return false;
        }
        for (size_t i = 1; i < length; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (at[i] & 0x3f);
        }
        if (point < least[length] || point > 0x10ffff ||
            (point >= 0xd800 && point <= 0xdfff) || point < 0x20 ||
            (point >= 0x7f && point <= 0x9f)) {
            return false;
        }
        at += length;
        size -= length;
    }
    return true;
}

START_TEST(all_short_texts_are_judged_by_the_definition)
{
    uint8_t first = (uint8_t)_i;

    for (unsigned rest = 0; rest < 0x10000; rest++) {
        uint8_t bytes[4] = {first, (uint8_t)(rest >> 8), (uint8_t)rest, 0xbf};

        for (size_t size = 1; size <= 4; size++) {
            if (name_is_text(slice_make(bytes, size)) !=
                is_text_by_definition(bytes, size)) {
                ck_abort_msg("%s", hex_of(slice_make(bytes, size)));
            }
        }
    }
}
END_TEST

/* Of the characters of one byte it allows three more than a name does. */
START_TEST(lines_may_have_tabs_and_ends)
{
    for (unsigned byte = 0; byte < 0x80; byte++) {
        const uint8_t text[] = {'a', (uint8_t)byte, 'b'};
        struct slice slice = slice_make(text, sizeof(text));
        bool is_more = byte == '\t' || byte == '\n' || byte == '\r';

        ck_assert_int_eq(name_is_lines(slice), name_is_text(slice) || is_more);
    }
    ck_assert(name_is_lines(SLICE_NONE));
    ck_assert(name_is_lines(slice_of("\n\xc3\xa9\t")));
    ck_assert(!name_is_lines(slice_of("\xc3\n")));
    ck_assert(!name_is_lines(slice_of("\xc2\x85")));
}
END_TEST

START_TEST(names_have_one_byte_to_the_maximum)
{
    char text[257];
    struct acta_err err;

    memset(text, 'n', sizeof(text));
    ck_assert_int_eq(name_check(slice_make(text, 0), 255, "stream", &err),
                     ACTA_INVALID);
    ck_assert_str_eq(err.text, "stream is empty");
    ck_assert_int_eq(name_check(slice_make(text, 1), 255, "stream", &err),
                     ACTA_OK);
    ck_assert_int_eq(name_check(slice_make(text, 255), 255, "stream", &err),
                     ACTA_OK);
    ck_assert_int_eq(name_check(slice_make(text, 256), 255, "stream", &err),
                     ACTA_TOO_LARGE);
    ck_assert_str_eq(err.text, "stream is 256 bytes, the limit is 255");
}
END_TEST

START_TEST(name_that_is_no_text_is_refused)
{
    struct acta_err err;

    ck_assert_int_eq(name_check(slice_of("a\nb"), 255, "tag", &err),
                     ACTA_INVALID);
    ck_assert_str_eq(err.text, "tag is not UTF-8 without control characters");
}
END_TEST

START_TEST(category_ends_before_the_first_dash)
{
    static const struct {
        const char *stream;
        const char *category;
    } cases[] = {
        {"order-42", "order"}, {"order-42-7", "order"},
        {"order", "order"},    {"order-", "order"},
        {"-42", ""},           {"", ""},
        {"a-", "a"},           {"é-1", "é"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_slice_eq(name_category(slice_of(cases[i].stream)),
                        slice_of(cases[i].category));
    }
    ck_assert_uint_eq(name_category(SLICE_NONE).size, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("name");
    TCase *tcase = tcase_create("name");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, text_is_utf_8_without_control_characters, 0,
                        TABLE_COUNT);
    tcase_add_loop_test(
        tcase, what_a_text_is_does_not_depend_on_where_in_it_a_character_stands,
        0, TABLE_COUNT);
    tcase_add_loop_test(tcase, all_short_texts_are_judged_by_the_definition, 0,
                        256);
    tcase_add_test(tcase, lines_may_have_tabs_and_ends);
    tcase_add_test(tcase, names_have_one_byte_to_the_maximum);
    tcase_add_test(tcase, name_that_is_no_text_is_refused);
    tcase_add_test(tcase, category_ends_before_the_first_dash);
    return run_suite(suite);
}
