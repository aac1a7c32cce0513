#include "span.h"

#include <stdlib.h>

#include "run.h"

/* Both sides of where milliseconds become seconds, and zeros that say nothing.
 */
static const struct {
    uint64_t us;
    const char *text;
} table[] = {
    {0, "0 ms"},
    {1, "0.001 ms"},
    {500, "0.5 ms"},
    {999, "0.999 ms"},
    {1000, "1 ms"},
    {1010, "1.01 ms"},
    {100000, "100 ms"},
    {999999, "999.999 ms"},
    {1000000, "1 s"},
    {1000001, "1.000001 s"},
    {1500000, "1.5 s"},
    {10000000, "10 s"},
    {UINT64_C(86400000000), "86400 s"},
    {UINT64_MAX, "18446744073709.551615 s"},
};

START_TEST(spans_are_told_exactly_and_without_zeros_at_the_end)
{
    char text[SPAN_SIZE];

    span_format(table[_i].us, text);
    ck_assert_str_eq(text, table[_i].text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("span");
    TCase *tcase = tcase_create("span");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase,
                        spans_are_told_exactly_and_without_zeros_at_the_end, 0,
                        sizeof(table) / sizeof(table[0]));
    return run_suite(suite);
}
