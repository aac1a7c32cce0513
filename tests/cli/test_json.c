#include "json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static bool
is_value(const char *text)
{
    return json_is_value(slice_of(text));
}

START_TEST(every_kind_of_value_is_one)
{
    static const char *const values[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "90.0",
        "1E+2",
        "1e-2",
        "-0.5e10",
        "123456789012345678901234567890",
        "1e400",
        "\"\"",
        "\"a\\\"b\\\\\"",
        "\"\\u00e9\\ud83d\\ude00\\u0000\"",
        "\"\xc3\xa9\xf0\x9f\x98\x80\"",
        "\"\x7f\"",
        "[]",
        "{}",
        "[[],{}]",
        "[1,2 , 3]",
        "{\"a\":1}",
        "{ \"a\" : { \"a\" : [ ] } , \"\" : null }",
        "{\"a\":1,\"a\":2}",
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ck_assert_msg(is_value(values[i]), "%s", values[i]);
    }
}
END_TEST

START_TEST(what_is_no_value_is_refused)
{
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "-",
        "0x1",
        "NaN",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u123\"",
        "\"a\nb\"",
        "\"\x1f\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xc3\"",
        "\"\xe2\x82\"",
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{\"a\":1]",
        "{\"a\" 1}",
        "{,}",
        "'a'",
        "1 2",
        " 1",
        "1 ",
        "1\n",
        "//",
        "[1]//",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_msg(!is_value(texts[i]), "%s", texts[i]);
    }
}
END_TEST

/* Cut anywhere, and put where a byte too far is found by the sanitizers. */
START_TEST(no_beginning_of_a_value_is_one)
{
    static const char whole[] =
        "{\"a\":[1.5e+3,\"\\ud83d\\ude00\xf0\x9f\x98\x80\",true],\"b\":null}";

    ck_assert(is_value(whole));
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        char *cut = malloc(size + (size == 0));

        memcpy(cut, whole, size);
        ck_assert_msg(!json_is_value(slice_make(cut, size)), "%zu", size);
        free(cut);
    }
}
END_TEST

START_TEST(depth_is_bounded)
{
    char deep[2 * (JSON_DEPTH_MAX + 1)];

    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    ck_assert(json_is_value(slice_make(deep, 2 * JSON_DEPTH_MAX)));
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    ck_assert(!json_is_value(slice_make(deep, sizeof(deep))));
}
END_TEST

START_TEST(members_are_the_bytes_that_stand_there)
{
    static const char *const wanted[] = {
        "\"a\"", "90.0", "\"b\"", "[ {} ]", "\"\\u0063\"", "\"\\u0064\""};
    struct json json;
    struct slice key, value;
    size_t at = 0;

    json_init(&json, slice_of(" {\"a\" : 90.0 ,\"b\":[ {} ], "
                              "\"\\u0063\"\t:\"\\u0064\" } "));
    json_open(&json, JSON_OBJECT);
    for (bool first = true; json_member(&json, first, &key, &value);
         first = false) {
        ck_assert_uint_lt(at, 6);
        ck_assert(slice_equal(key, slice_of(wanted[at++])));
        ck_assert(slice_equal(value, slice_of(wanted[at++])));
    }
    json_end(&json);
    ck_assert(!json_failed(&json));
    ck_assert_uint_eq(at, 6);
}
END_TEST

START_TEST(a_failure_is_told_by_column)
{
    struct json json;

    json_init(&json, slice_of("{\"a\": tru}"));
    (void)json_value(&json);
    ck_assert(json_failed(&json));
    ck_assert_uint_eq(json_column(&json), 7);
}
END_TEST

START_TEST(strings_are_decoded)
{
    static const struct {
        const char *text;
        const char *decoded;
    } rows[] = {
        {"\"\"", ""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
         "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"\\ud83d\"", "\xef\xbf\xbd"},
        {"\"\\ude00\\ud83dx\"", "\xef\xbf\xbd\xef\xbf\xbdx"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                               "A"},
    };
    char decoded[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = json_decode_string(slice_of(rows[i].text), decoded);

        ck_assert_str_eq(decoded, rows[i].decoded);
        ck_assert_uint_eq(size, strlen(rows[i].decoded));
    }
}
END_TEST

START_TEST(written_prettily_it_says_the_same)
{
    static const struct json_style style = {"<", "(", ">"};
    static const char wanted[] = "{\n"
                                 "    <\"a\">: [\n"
                                 "      90.0,\n"
                                 "      (\"b,:\\\"\">\n"
                                 "    ],\n"
                                 "    <\"c\">: {}\n"
                                 "  }";
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    json_write_pretty(out, slice_of("{\"a\":[90.0,\"b,:\\\"\"], \"c\" :{ }}"),
                      2, &style);
    fclose(out);
    ck_assert_str_eq(text, wanted);
    free(text);
}
END_TEST

START_TEST(what_is_no_utf8_is_written_as_such)
{
    static const char bytes[] = "\xff"
                                "a\xc3(\xed\xa0\x80\xc3\xa9\n\"\xf0\x9f";
    static const char wanted[] =
        "\"\xef\xbf\xbd"
        "a\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
        "\xc3\xa9\\u000a\\\"\xef\xbf\xbd\xef\xbf\xbd\"";
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    json_write_any(out, slice_of(bytes));
    fclose(out);
    ck_assert_str_eq(text, wanted);
    ck_assert(is_value(text));
    free(text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, every_kind_of_value_is_one);
    tcase_add_test(tcase, what_is_no_value_is_refused);
    tcase_add_test(tcase, no_beginning_of_a_value_is_one);
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, members_are_the_bytes_that_stand_there);
    tcase_add_test(tcase, a_failure_is_told_by_column);
    tcase_add_test(tcase, strings_are_decoded);
    tcase_add_test(tcase, written_prettily_it_says_the_same);
    tcase_add_test(tcase, what_is_no_utf8_is_written_as_such);
    return run_suite(suite);
}
