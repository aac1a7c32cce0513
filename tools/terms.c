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

/* Part @text at its last =, as names may have one and numbers have none. NULL:
 * there is no name, or no =.
 */
static char *
part_name(char *text)
{
    char *equals = strrchr(text, '=');

    if (equals == NULL || equals == text) {
        return NULL;
    }
    *equals = '\0';
    return equals + 1;
}

static int
take_lease(struct terms *terms, const struct cli *cli, char *text)
{
    struct terms_lease *lease = &terms->leases[terms->leases_count];
    char *value = part_name(text);

    if (terms->leases_count == TERMS_EFFECTS_MAX) {
        return cli_usage(cli, "more than %d leases", TERMS_EFFECTS_MAX);
    }
    if (value == NULL) {
        return cli_usage(cli, "--lease %s: not NAME=FENCE", text);
    }
    lease->name = text;
    terms->leases_count++;
    return cli_number("--lease: fence", value, 1, INT64_MAX, &lease->fence)
               ? EXIT_OK
               : EXIT_USAGE;
}

/* NAME=EPOCH:TO or NAME=EPOCH:FROM:TO */
static int
take_checkpoint(struct terms *terms, const struct cli *cli, char *text)
{
    struct terms_checkpoint *checkpoint =
        &terms->checkpoints[terms->checkpoints_count];
    char *epoch = part_name(text);
    char *from = epoch == NULL ? NULL : strchr(epoch, ':');
    char *to = from == NULL ? NULL : strrchr(from, ':');

    if (terms->checkpoints_count == TERMS_EFFECTS_MAX) {
        return cli_usage(cli, "more than %d checkpoints", TERMS_EFFECTS_MAX);
    }
    if (to == NULL) {
        return cli_usage(cli, "--checkpoint %s: not NAME=EPOCH:[FROM:]TO",
                         text);
    }
    checkpoint->consumer = text;
    checkpoint->from = ACTA_FROM_ANY;
    *from = '\0';
    *to = '\0';
    terms->checkpoints_count++;
    return cli_number("--checkpoint: epoch", epoch, 0, INT64_MAX,
                      &checkpoint->epoch) &&
                   (from == to || cli_number("--checkpoint: from", from + 1, 0,
                                             INT64_MAX, &checkpoint->from)) &&
                   cli_number("--checkpoint: to", to + 1, 0, INT64_MAX,
                              &checkpoint->to)
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
    case TERMS_LEASE:
        return take_lease(terms, cli, optarg);
    case TERMS_CHECKPOINT:
        return take_checkpoint(terms, cli, optarg);
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
    return terms->checks_count > 0 || terms->conditions_count > 0 ||
           terms->checkpoints_count > 0;
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
    for (size_t i = 0; i < terms->leases_count; i++) {
        acta_append_lease(append, terms->leases[i].name,
                          terms->leases[i].fence);
    }
    for (size_t i = 0; i < terms->checkpoints_count; i++) {
        const struct terms_checkpoint *checkpoint = &terms->checkpoints[i];

        acta_append_checkpoint(append, checkpoint->consumer, checkpoint->epoch,
                               checkpoint->from, checkpoint->to);
    }
    if (terms->has_command_id) {
        acta_append_command_id(append, &terms->command_id);
    }
    if (terms->unseen_max > 0) {
        acta_append_unseen(append, terms->unseen_max, 0);
    }
}
