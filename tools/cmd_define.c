/* consumer create, alter and claim: what a consumer is to be like. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "cmd_consumer.h"
#include "filter.h"
#include "place.h"
#include "query_text.h"
#include "when.h"

enum {
    OPTION_FROM = FILTER_NEXT,
    OPTION_KEY_TAG,
    OPTION_ACK_TIMEOUT,
    OPTION_DELIVERIES,
    OPTION_ON_PARK,
};

struct definition {
    const char *name;
    struct filter filter;
    struct acta_group group;
    struct place from;
    bool has_from;
};

static int
take_on_park(struct definition *definition, const struct cli *cli)
{
    definition->group.given |= ACTA_GROUP_ON_PARK;
    if (strcmp(optarg, "wait") == 0) {
        definition->group.on_park = ACTA_PARK_WAITS;
    } else if (strcmp(optarg, "go-on") == 0) {
        definition->group.on_park = ACTA_PARK_GOES_ON;
    } else {
        return cli_usage(cli, "--on-park %s: not wait or go-on", optarg);
    }
    return EXIT_OK;
}

static int
take_option(struct definition *definition, const struct cli *cli, int option)
{
    struct acta_group *group = &definition->group;
    bool taken;
    int code = filter_option(&definition->filter, option, &taken);

    if (taken) {
        return code;
    }
    switch (option) {
    case OPTION_FROM:
        definition->has_from = true;
        return place_parse(&definition->from, "--from", optarg) ? EXIT_OK
                                                                : EXIT_USAGE;
    case OPTION_KEY_TAG:
        group->key_tag = optarg;
        return EXIT_OK;
    case OPTION_ACK_TIMEOUT:
        group->given |= ACTA_GROUP_ACK_TIMEOUT;
        return when_parse_span(optarg, NULL, &group->ack_timeout_us)
                   ? EXIT_OK
                   : cli_usage(cli, "--ack-timeout %s: not a time such as 30s",
                               optarg);
    case OPTION_DELIVERIES:
        group->given |= ACTA_GROUP_DELIVERIES_MAX;
        return cli_number("--deliveries", optarg, 1, UINT32_MAX,
                          &group->deliveries_max)
                   ? EXIT_OK
                   : EXIT_USAGE;
    default:
        return take_on_park(definition, cli);
    }
}

/* What the options have come to, with the name. */
static int
settle(struct definition *definition, const struct cli *cli, int argc,
       char **argv)
{
    if (argc != 1) {
        return cli_usage(cli, "the name of one consumer is needed; streams are "
                              "named with --stream");
    }
    if (definition->filter.has_since && definition->has_from) {
        return cli_usage(cli, "--from or --since, not both");
    }
    if (definition->filter.has_since) {
        definition->from.kind = PLACE_TIME;
        definition->from.number = definition->filter.since_us;
    }
    definition->name = argv[0];
    if (definition->filter.used || definition->filter.all) {
        definition->group.given |= ACTA_GROUP_QUERY;
    }
    definition->group.query = filter_query(&definition->filter);
    return filter_arguments(&definition->filter, cli, 0, NULL);
}

typedef int define(struct cli *cli, struct definition *definition);

/* Read the command line by @options, connect, find where it is to begin, and
 * let @make do the rest.
 */
static int
define_command(struct cli *cli, int argc, char **argv,
               const struct option *options, define *make)
{
    struct definition definition = {.group = acta_group_of(0)};
    int code = EXIT_OK;
    int option;

    filter_init(&definition.filter);
    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
               CLI_END) {
        if (option == CLI_STOP) {
            filter_fini(&definition.filter);
            return cli_option_exit();
        }
        code = take_option(&definition, cli, option);
    }
    if (code == EXIT_OK) {
        code = settle(&definition, cli, argc - optind, argv + optind);
    }
    if (code == EXIT_OK) {
        code = cli_connect(cli);
    }
    if (code == EXIT_OK) {
        code = place_find(&definition.from, cli, &definition.group.position);
    }
    if (code == EXIT_OK) {
        code = make(cli, &definition);
    }
    filter_fini(&definition.filter);
    return code;
}

/* ---- the changes ---- */

static int
create(struct cli *cli, struct definition *definition)
{
    const char *name = definition->name;
    const struct acta_consumer_changed *changed;
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];

    definition->group.given |= ACTA_GROUP_QUERY;
    if (acta_sync_create_group(cli->sync, name, &definition->group, &changed,
                               &err) != ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    if (changed->changed) {
        snprintf(text, sizeof(text),
                 "%s: is made; begins with position %" PRIu64, name,
                 changed->position + 1);
    } else {
        snprintf(text, sizeof(text), "%s: was made just so already", name);
    }
    return consumer_tell(cli, name, changed, text);
}

static int
alter(struct cli *cli, struct definition *definition)
{
    const char *name = definition->name;
    const struct acta_consumer_changed *changed;
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];

    if (definition->filter.has_since) {
        return cli_usage(cli, "--since: acta consumer reset moves it");
    }
    if (definition->group.given == 0) {
        return cli_usage(cli, "nothing is to be altered");
    }
    if (acta_sync_alter_group(cli->sync, name, &definition->group, &changed,
                              &err) != ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    snprintf(text, sizeof(text), "%s: %s", name,
             changed->changed ? "altered, for what is read from now on"
                              : "was like this already");
    return consumer_tell(cli, name, changed, text);
}

/* A claim says what the consumer wants: who names nothing means what it wanted
 * before. *@query is the caller's to free; NULL: all events, or there is none
 * of this name.
 */
static int
query_before(struct cli *cli, const char *name, struct acta_query **query)
{
    const struct acta_consumer_description *description;
    struct acta_err err;

    *query = NULL;
    switch (
        (int)acta_sync_describe_consumer(cli->sync, name, &description, &err)) {
    case ACTA_OK:
        *query = query_again(description->consumer->query,
                             description->consumer->query_count);
        return EXIT_OK;
    case ACTA_NOT_FOUND:
        return EXIT_OK;
    default:
        return cli_fail(NULL, &err);
    }
}

static int
claim(struct cli *cli, struct definition *definition)
{
    const char *name = definition->name;
    const struct acta_consumer_changed *changed;
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];
    struct acta_query *before = NULL;
    enum acta_code claimed;
    int code = EXIT_OK;

    if ((definition->group.given & ACTA_GROUP_QUERY) == 0) {
        code = query_before(cli, name, &before);
        definition->group.query = before;
    }
    if (code != EXIT_OK) {
        return code;
    }
    claimed = acta_sync_claim(cli->sync, name, definition->group.query,
                              definition->group.position, &changed, &err);
    acta_query_free(before);
    if (claimed != ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    snprintf(text, sizeof(text),
             "%s: claimed, epoch %" PRIu64 ", at position %" PRIu64, name,
             changed->epoch, changed->position);
    return consumer_tell(cli, name, changed, text);
}

/* ---- the commands ---- */

int
cmd_consumer_create(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, OPTION_FROM},
        {"key-tag", required_argument, NULL, OPTION_KEY_TAG},
        {"ack-timeout", required_argument, NULL, OPTION_ACK_TIMEOUT},
        {"deliveries", required_argument, NULL, OPTION_DELIVERIES},
        {"on-park", required_argument, NULL, OPTION_ON_PARK},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    return define_command(cli, argc, argv, options, create);
}

int
cmd_consumer_alter(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"ack-timeout", required_argument, NULL, OPTION_ACK_TIMEOUT},
        {"deliveries", required_argument, NULL, OPTION_DELIVERIES},
        {"on-park", required_argument, NULL, OPTION_ON_PARK},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    return define_command(cli, argc, argv, options, alter);
}

int
cmd_consumer_claim(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, OPTION_FROM},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    return define_command(cli, argc, argv, options, claim);
}
