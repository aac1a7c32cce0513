/* What acta-bench makes of what it has measured. */

#include "figures.h"

#include "run.h"

static struct hist hist;

static void
setup(void)
{
    hist_clear(&hist);
}

/* ---- percentiles ---- */

START_TEST(percentiles_of_little_are_exact)
{
    ck_assert_uint_eq(hist_percentile(&hist, 50), 0);
    for (uint64_t value = 100; value > 0; value--) {
        hist_add(&hist, value);
    }
    ck_assert_uint_eq(hist_percentile(&hist, 0), 1);
    ck_assert_uint_eq(hist_percentile(&hist, 1), 1);
    ck_assert_uint_eq(hist_percentile(&hist, 50), 50);
    ck_assert_uint_eq(hist_percentile(&hist, 99), 99);
    ck_assert_uint_eq(hist_percentile(&hist, 99.9), 100);
    ck_assert_uint_eq(hist_percentile(&hist, 100), 100);
}
END_TEST

/* On both sides of each power of two, beside one that is larger than all. */
START_TEST(percentiles_are_exact_to_one_percent_at_any_scale)
{
    for (uint64_t value = 1; value < UINT64_MAX / 2; value += value / 2 + 1) {
        uint64_t told;

        hist_clear(&hist);
        hist_add(&hist, value);
        hist_add(&hist, UINT64_MAX);
        told = hist_percentile(&hist, 50);
        ck_assert_uint_ge(told, value);
        ck_assert_uint_le(told, value + value / 100);
        ck_assert_uint_eq(hist_percentile(&hist, 100), UINT64_MAX);
    }
}
END_TEST

/* ---- runs ---- */

START_TEST(a_median_is_of_the_runs_that_have_the_figure)
{
    static struct figures runs[3], median;

    for (size_t i = 0; i < 3; i++) {
        figures_add(&runs[i], "rate", "/s", (double)(i + 1));
        if (i == 1) {
            figures_add(&runs[i], "rare", "us", 70);
        }
        figures_add(&runs[i], "p50", "us", (double)(10 * (i + 1)));
    }
    figures_median(&median, runs, 3);

    ck_assert_uint_eq(median.count, 3);
    ck_assert_int_eq((int)figures_get(&median, "rate"), 2);
    ck_assert_int_eq((int)figures_get(&median, "p50"), 20);
    ck_assert_int_eq((int)figures_get(&median, "rare"), 70);
}
END_TEST

START_TEST(a_name_that_is_there_is_told_with_the_workload)
{
    static struct figures figures, more;
    char told[200] = "";
    FILE *out = fmemopen(told, sizeof(told), "w");

    figures_add(&figures, "events", "/s", 1);
    figures_add(&more, "events", "/s", 2);
    figures_add(&more, "data", "MB/s", 0.25);
    figures_merge(&figures, &more, "subscribe");
    figures_print_csv(&figures, "1", out);
    fclose(out);

    ck_assert_str_eq(told, "1,events,/s,1.000000\n"
                           "1,subscribe_events,/s,2.000000\n"
                           "1,data,MB/s,0.250000\n");
}
END_TEST

/* What was divided by nothing is no number, and would be no JSON. */
START_TEST(what_is_no_number_is_0)
{
    static struct figures figures;
    double nothing = 0;

    figures_add(&figures, "each", "us", nothing / nothing);
    figures_add(&figures, "rate", "/s", 1 / nothing);
    ck_assert(figures.list[0].value == 0);
    ck_assert(figures.list[1].value == 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("figures");
    TCase *tcase = tcase_create("figures");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, percentiles_of_little_are_exact);
    tcase_add_test(tcase, percentiles_are_exact_to_one_percent_at_any_scale);
    tcase_add_test(tcase, a_median_is_of_the_runs_that_have_the_figure);
    tcase_add_test(tcase, a_name_that_is_there_is_told_with_the_workload);
    tcase_add_test(tcase, what_is_no_number_is_0);
    return run_suite(suite);
}
