#include "err.h"

#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "run.h"
#include "text.h"

/* What clients in the field were told: must never change. */
static const struct {
    unsigned number;
    const char *name;
    enum acta_remedy remedy;
} told[] = {
    {0, "OK", ACTA_REMEDY_NONE},
    {1, "CONFLICT", ACTA_REMEDY_RELOAD},
    {2, "INVALID", ACTA_REMEDY_FIX},
    {3, "BUSY", ACTA_REMEDY_RETRY},
    {4, "MEMORY", ACTA_REMEDY_RETRY},
    {5, "FULL", ACTA_REMEDY_RETRY},
    {6, "IO", ACTA_REMEDY_STOP},
    {7, "CORRUPT", ACTA_REMEDY_STOP},
    {8, "TOO_LARGE", ACTA_REMEDY_FIX},
    {9, "NOT_FOUND", ACTA_REMEDY_FIX},
    {10, "PARTIAL_REPEAT", ACTA_REMEDY_FIX},
    {11, "ID_REUSED", ACTA_REMEDY_FIX},
    {12, "PROTOCOL", ACTA_REMEDY_FIX},
    {13, "UNSUPPORTED", ACTA_REMEDY_FIX},
    {14, "STOPPING", ACTA_REMEDY_RETRY},
    {15, "UNKNOWN", ACTA_REMEDY_RESEND},
    {16, "UNREACHABLE", ACTA_REMEDY_RETRY},
    {17, "TIMEOUT", ACTA_REMEDY_RETRY},
    {18, "CANCELLED", ACTA_REMEDY_NONE},
    {19, "IN_USE", ACTA_REMEDY_STOP},
    {20, "TOMBSTONED", ACTA_REMEDY_FIX},
    {21, "UNDECIDED", ACTA_REMEDY_RELOAD},
};

#define TOLD_COUNT (sizeof(told) / sizeof(told[0]))

START_TEST(codes_keep_their_numbers_names_and_remedies)
{
    enum acta_code code = (enum acta_code)told[_i].number;

    ck_assert_str_eq(acta_code_name(code), told[_i].name);
    ck_assert_int_eq(acta_code_remedy(code), told[_i].remedy);
}
END_TEST

START_TEST(every_code_has_a_text)
{
    ck_assert_uint_gt(strlen(acta_code_text((enum acta_code)_i)), 0);
    ck_assert_str_ne(acta_code_text((enum acta_code)_i), "unknown error");
}
END_TEST

START_TEST(code_of_a_newer_server_means_stop)
{
    static const unsigned numbers[] = {1000, 0x7fffffff, 0xffffffff};
    enum acta_code code = (enum acta_code)numbers[_i];

    ck_assert_str_eq(acta_code_name(code), "UNKNOWN_CODE");
    ck_assert_str_eq(acta_code_text(code), "unknown error");
    ck_assert_int_eq(acta_code_remedy(code), ACTA_REMEDY_STOP);
}
END_TEST

START_TEST(remedies_have_names)
{
    ck_assert_str_eq(acta_remedy_name(ACTA_REMEDY_NONE), "none");
    ck_assert_str_eq(acta_remedy_name(ACTA_REMEDY_RETRY), "retry");
    ck_assert_str_eq(acta_remedy_name(ACTA_REMEDY_RELOAD), "reload");
    ck_assert_str_eq(acta_remedy_name(ACTA_REMEDY_FIX), "fix");
    ck_assert_str_eq(acta_remedy_name(ACTA_REMEDY_STOP), "stop");
    ck_assert_str_eq(acta_remedy_name(ACTA_REMEDY_RESEND), "resend");
}
END_TEST

START_TEST(failure_is_described_where_it_is_found)
{
    struct acta_err err;

    ck_assert_int_eq(acta_fail(&err, ACTA_FULL, "%d bytes left", 7), ACTA_FULL);
    ck_assert_int_eq(err.code, ACTA_FULL);
    ck_assert_str_eq(err.text, "7 bytes left");
}
END_TEST

START_TEST(callers_put_in_front_what_they_were_doing)
{
    struct acta_err err;

    acta_fail(&err, ACTA_IO, "no such file");
    ck_assert_int_eq(acta_wrap(&err, ACTA_IO, "open %s", "main"), ACTA_IO);
    acta_wrap(&err, ACTA_IO, "start");
    ck_assert_str_eq(err.text, "start: open main: no such file");
    ck_assert_int_eq(err.code, ACTA_IO);
}
END_TEST

START_TEST(nobody_has_to_ask_for_the_text)
{
    ck_assert_int_eq(acta_fail(NULL, ACTA_BUSY, "queue"), ACTA_BUSY);
    ck_assert_int_eq(acta_wrap(NULL, ACTA_BUSY, "append"), ACTA_BUSY);
}
END_TEST

START_TEST(texts_are_cut_at_the_end_and_stay_strings)
{
    char text[sizeof(((struct acta_err *)NULL)->text) + 100];
    struct acta_err err;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    acta_fail(&err, ACTA_INVALID, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
    acta_wrap(&err, ACTA_INVALID, "first");
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
    ck_assert_int_eq(memcmp(err.text, "first: xxx", 10), 0);
    acta_wrap(&err, ACTA_INVALID, "%s", text);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

/* @text again and again behind @from letters, longer than an error's. */
static void
fill(char *to, size_t size, size_t from, const char *text)
{
    memset(to, 'x', from);
    to[from] = '\0';
    while (strlen(to) + strlen(text) < size) {
        strcat(to, text);
    }
}

static const char *const characters[] = {"x", "\u00e9", "\u6ce8", "\U0001f600"};

START_TEST(texts_are_cut_behind_a_character)
{
    char text[sizeof(((struct acta_err *)NULL)->text) + 100];
    struct acta_err err;

    for (size_t from = 0; from < 4; from++) {
        fill(text, sizeof(text), from, characters[_i]);
        acta_fail(&err, ACTA_INVALID, "%s", text);
        ck_assert_uint_gt(strlen(err.text), sizeof(err.text) - 5);
        ck_assert(name_is_text(slice_of(err.text)));
        acta_wrap(&err, ACTA_INVALID, "at");
        ck_assert_uint_gt(strlen(err.text), sizeof(err.text) - 5);
        ck_assert(name_is_text(slice_of(err.text)));
        acta_wrap(&err, ACTA_INVALID, "%s", text);
        ck_assert(name_is_text(slice_of(err.text)));
    }
}
END_TEST

START_TEST(what_is_no_utf8_is_cut_all_the_same)
{
    char text[8];

    text_print(text, sizeof(text), "%s",
               "\x80\x80\x80\x80\x80\x80\x80\x80\x80");
    ck_assert_uint_eq(strlen(text), sizeof(text) - 1);
    text_print(text, 1, "%s", "a");
    ck_assert_str_eq(text, "");
    text_print(text, sizeof(text), "%s", "1234567");
    ck_assert_str_eq(text, "1234567");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("err");
    TCase *tcase = tcase_create("err");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, codes_keep_their_numbers_names_and_remedies, 0,
                        TOLD_COUNT);
    tcase_add_loop_test(tcase, every_code_has_a_text, 0, TOLD_COUNT);
    tcase_add_loop_test(tcase, code_of_a_newer_server_means_stop, 0, 3);
    tcase_add_test(tcase, remedies_have_names);
    tcase_add_test(tcase, failure_is_described_where_it_is_found);
    tcase_add_test(tcase, callers_put_in_front_what_they_were_doing);
    tcase_add_test(tcase, nobody_has_to_ask_for_the_text);
    tcase_add_test(tcase, texts_are_cut_at_the_end_and_stay_strings);
    tcase_add_loop_test(tcase, texts_are_cut_behind_a_character, 0, 4);
    tcase_add_test(tcase, what_is_no_utf8_is_cut_all_the_same);
    return run_suite(suite);
}
