#include "terms.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"

#define UNSEEN_MAX 1000

void
terms_init(struct terms *terms)
{
    *terms = (struct terms){0};
}

void
terms_fini(struct terms *terms)
{
    for (size_t i = 0; i < terms->conditions_count; i++) {
        filter_fini(&terms->conditions[i].filter);
    }
}

/* ---- options ---- */

/* Names of streams may have a = in them, versions have none. */
static int
take_check(struct terms *terms, const struct cli *cli, char *text)
{
    struct terms_check *check = &terms->checks[terms->checks_count];
    char *equals = strrchr(text, '=');

    if (terms->checks_count == ACTA_APPEND_CHECKS_MAX) {
        return cli_usage(cli, "more than %d checks", ACTA_APPEND_CHECKS_MAX);
    }
    if (equals == NULL || equals == text ||
        !line_parse_expected(equals + 1, &check->expected)) {
        return cli_usage(cli,
                         "--check %s: not STREAM=VERSION, with any or exists "
                         "for a version",
                         text);
    }
    *equals = '\0';
    check->stream = text;
    terms->checks_count++;
    return EXIT_OK;
}

static int
take_condition(struct terms *terms, const struct cli *cli, const char *text)
{
    struct terms_condition *condition;

    if (terms->conditions_count == ACTA_APPEND_CONDITIONS_MAX) {
        return cli_usage(cli, "more than %d times --if-none",
                         ACTA_APPEND_CONDITIONS_MAX);
    }
    condition = &terms->conditions[terms->conditions_count++];
    condition->text = text;
    filter_init(&condition->filter);
    return filter_parse(&condition->filter, "--if-none", text);
}

static int
take_after(struct terms *terms, const struct cli *cli, const char *text)
{
    if (terms->conditions_count == 0) {
        return cli_usage(cli, "--after belongs behind an --if-none");
    }
    return cli_number("--after", text, 0, INT64_MAX,
                      &terms->conditions[terms->conditions_count - 1].after)
               ? EXIT_OK
               : EXIT_USAGE;
}

int
terms_option(struct terms *terms, const struct cli *cli, int option,
             bool *taken)
{
    *taken = option >= TERMS_CHECK && option < TERMS_NEXT;
    if (!*taken) {
        return EXIT_OK;
    }
    switch (option) {
    case TERMS_CHECK:
        return take_check(terms, cli, optarg);
    case TERMS_IF_NONE:
        return take_condition(terms, cli, optarg);
    case TERMS_AFTER:
        return take_after(terms, cli, optarg);
    case TERMS_COMMAND:
        terms->has_command_id = true;
        return cli_id("--command", optarg, &terms->command_id) ? EXIT_OK
                                                               : EXIT_USAGE;
    case TERMS_UNSEEN:
        return cli_number("--unseen", optarg, 1, UNSEEN_MAX, &terms->unseen_max)
                   ? EXIT_OK
                   : EXIT_USAGE;
    default:
        abort();
    }
}

/* ---- use ---- */

bool
terms_judge(const struct terms *terms)
{
    return terms->checks_count > 0 || terms->conditions_count > 0;
}

void
terms_put(const struct terms *terms, struct acta_append *append)
{
    for (size_t i = 0; i < terms->checks_count; i++) {
        acta_append_check_stream(append, terms->checks[i].stream,
                                 terms->checks[i].expected);
    }
    for (size_t i = 0; i < terms->conditions_count; i++) {
        const struct terms_condition *condition = &terms->conditions[i];

        acta_append_condition(append, filter_query(&condition->filter),
                              condition->after);
    }
    if (terms->has_command_id) {
        acta_append_command_id(append, &terms->command_id);
    }
    if (terms->unseen_max > 0) {
        acta_append_unseen(append, terms->unseen_max, 0);
    }
}
