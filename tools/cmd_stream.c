/* stream: what a stream is like, and its life. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "line.h"
#include "out.h"
#include "refusal.h"
#include "when.h"

enum {
    OPTION_TRUNCATE_BEFORE = CLI_FIRST,
    OPTION_MAX_COUNT,
    OPTION_MAX_AGE,
    OPTION_BEFORE,
    OPTION_EXPECT,
    OPTION_YES,
};

#define BIT(option) (1u << ((option)-CLI_FIRST))

static const struct option options[] = {
    {"truncate-before", required_argument, NULL, OPTION_TRUNCATE_BEFORE},
    {"max-count", required_argument, NULL, OPTION_MAX_COUNT},
    {"max-age", required_argument, NULL, OPTION_MAX_AGE},
    {"before", required_argument, NULL, OPTION_BEFORE},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"yes", no_argument, NULL, OPTION_YES},
    CLI_LONG_OPTIONS,
};

struct stream_request {
    const char *stream;
    int64_t expected;
    struct acta_settings settings;
    unsigned given; /* BIT()s of the options. */
};

/* ---- the verbs ---- */

static int
show(struct cli *cli, const struct stream_request *request)
{
    const struct acta_description *description;
    const struct acta_stream *stream;
    struct acta_err err;

    if (acta_sync_describe_stream(cli->sync, request->stream, &description,
                                  &err) != ACTA_OK) {
        return cli_fail(request->stream, &err);
    }
    stream = description->stream;
    if (stream->version == 0 && stream->state == ACTA_STREAM_LIVE &&
        stream->truncate_before == 0 && stream->max_count == 0 &&
        stream->max_age_us == 0) {
        cli_error(ACTA_NOT_FOUND, "%s: there is no such stream",
                  request->stream);
        return EXIT_NOT_FOUND;
    }
    cli->out->description(cli, description);
    return EXIT_OK;
}

/* Tell how a change ended: what has become of the stream, or was so already.
 */
static int
finish(struct cli *cli, const struct stream_request *request,
       const struct acta_changed *changed, enum acta_code code,
       const struct acta_err *err, const char *text)
{
    if (code != ACTA_OK) {
        return refusal_tell_change(cli, request->stream, request->expected,
                                   err);
    }
    if (!cli->quiet) {
        cli->out->changed(cli, &(struct out_changed){
                                   .stream = request->stream,
                                   .text = text,
                                   .version = changed->version,
                                   .position = changed->head,
                                   .changed = changed->changed,
                               });
    }
    return EXIT_OK;
}

/* Give the stream the settings of the request, and tell what @what has come to.
 */
static int
give_settings(struct cli *cli, const struct stream_request *request,
              const char *what, const char *now, const char *before)
{
    const struct acta_changed *changed;
    struct acta_err err;
    enum acta_code code;
    char text[512];

    code = acta_sync_set_stream(cli->sync, request->stream, request->expected,
                                &request->settings, &changed, &err);
    snprintf(text, sizeof(text), "%s: %s %s", request->stream, what,
             code == ACTA_OK && changed->changed ? now : before);
    return finish(cli, request, changed, code, &err, text);
}

static int
set(struct cli *cli, const struct stream_request *request)
{
    return give_settings(cli, request, "settings", "changed",
                         "were like this already");
}

static int
truncate_before(struct cli *cli, const struct stream_request *request)
{
    char what[64];

    snprintf(what, sizeof(what), "events before version %" PRIu64,
             request->settings.truncate_before);
    return give_settings(cli, request, what, "are hidden",
                         "were hidden already");
}

static int
delete_stream(struct cli *cli, const struct stream_request *request)
{
    const struct acta_changed *changed;
    struct acta_err err;
    enum acta_code code = acta_sync_delete_stream(
        cli->sync, request->stream, request->expected, &changed, &err);
    char text[512];

    if (code == ACTA_OK && changed->changed) {
        snprintf(text, sizeof(text),
                 "%s: deleted; the next append begins it anew, at version "
                 "%" PRIu64,
                 request->stream, changed->version + 1);
    } else {
        snprintf(text, sizeof(text), "%s: was deleted already",
                 request->stream);
    }
    return finish(cli, request, changed, code, &err, text);
}

static int
tombstone(struct cli *cli, const struct stream_request *request)
{
    const struct acta_changed *changed;
    struct acta_err err;
    enum acta_code code;
    char text[512];

    if ((request->given & BIT(OPTION_YES)) == 0) {
        int exit_code;

        snprintf(text, sizeof(text), "give %s a tombstone", request->stream);
        exit_code = cli_confirm(text);
        if (exit_code != EXIT_OK) {
            return exit_code;
        }
    }
    code = acta_sync_tombstone_stream(cli->sync, request->stream,
                                      request->expected, &changed, &err);
    snprintf(text, sizeof(text), "%s: %s", request->stream,
             code == ACTA_OK && changed->changed
                 ? "has a tombstone; it takes no event any more"
                 : "had a tombstone already");
    return finish(cli, request, changed, code, &err, text);
}

/* ---- the command line ---- */

#define SETTINGS                                                               \
    (BIT(OPTION_TRUNCATE_BEFORE) | BIT(OPTION_MAX_COUNT) | BIT(OPTION_MAX_AGE))

static const struct verb {
    const char *name;
    unsigned takes; /* BIT()s of the options. */
    unsigned needs; /* Of which one must be given. */
    int (*run)(struct cli *cli, const struct stream_request *request);
} verbs[] = {
    {"show", 0, 0, show},
    {"set", SETTINGS | BIT(OPTION_EXPECT), SETTINGS, set},
    {"truncate", BIT(OPTION_BEFORE) | BIT(OPTION_EXPECT), BIT(OPTION_BEFORE),
     truncate_before},
    {"delete", BIT(OPTION_EXPECT), 0, delete_stream},
    {"tombstone", BIT(OPTION_EXPECT) | BIT(OPTION_YES), 0, tombstone},
};

#define VERBS_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static bool
take_age(const char *text, uint64_t *us)
{
    if (strcmp(text, "0") == 0) {
        *us = 0;
        return true;
    }
    if (!when_parse_span(text, NULL, us)) {
        cli_error(ACTA_INVALID,
                  "--max-age %s: not a time such as 12h or 7d; 0 is for ever",
                  text);
        return false;
    }
    return true;
}

static int
take_option(struct stream_request *request, const struct cli *cli, int option)
{
    struct acta_settings *settings = &request->settings;
    bool right = true;

    request->given |= BIT(option);
    switch (option) {
    case OPTION_TRUNCATE_BEFORE:
    case OPTION_BEFORE:
        settings->given |= ACTA_SET_TRUNCATE_BEFORE;
        right = cli_number(option == OPTION_BEFORE ? "--before"
                                                   : "--truncate-before",
                           optarg, 0, INT64_MAX, &settings->truncate_before);
        break;
    case OPTION_MAX_COUNT:
        settings->given |= ACTA_SET_MAX_COUNT;
        right = cli_number("--max-count", optarg, 0, INT64_MAX,
                           &settings->max_count);
        break;
    case OPTION_MAX_AGE:
        settings->given |= ACTA_SET_MAX_AGE;
        right = take_age(optarg, &settings->max_age_us);
        break;
    case OPTION_EXPECT:
        if (!line_parse_expected(optarg, &request->expected)) {
            return cli_usage(cli, "--expect %s: not a version, any or exists",
                             optarg);
        }
        break;
    default:
        break;
    }
    return right ? EXIT_OK : EXIT_USAGE;
}

static const struct verb *
find_verb(const char *name)
{
    for (size_t i = 0; i < VERBS_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static int
check_options(const struct cli *cli, const struct verb *verb, unsigned given)
{
    for (const struct option *option = options; option->val != 's'; option++) {
        if ((given & ~verb->takes & BIT(option->val)) != 0) {
            return cli_usage(cli, "stream %s takes no --%s", verb->name,
                             option->name);
        }
    }
    if (verb->needs != 0 && (given & verb->needs) == 0) {
        return cli_usage(cli,
                         verb->needs == SETTINGS
                             ? "stream %s: nothing is to be set"
                             : "stream %s: --before says which version is the "
                               "first to stay",
                         verb->name);
    }
    return EXIT_OK;
}

int
cmd_stream(struct cli *cli, int argc, char **argv)
{
    struct stream_request request = {
        .expected = ACTA_EXPECT_ANY,
        .settings = acta_settings_of(0),
    };
    const struct verb *verb;
    int code = EXIT_OK;
    int option;

    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
               CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        code = take_option(&request, cli, option);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "what to do and one stream are needed");
    }
    request.stream = argv[optind + 1];
    verb = find_verb(argv[optind]);
    if (verb == NULL) {
        return cli_usage(
            cli, "stream %s: not show, set, truncate, delete or tombstone",
            argv[optind]);
    }
    code = check_options(cli, verb, request.given);
    if (code == EXIT_OK) {
        code = cli_connect(cli);
    }
    return code == EXIT_OK ? verb->run(cli, &request) : code;
}
