#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "due.h"
#include "json.h"
#include "limit.h"
#include "line.h"
#include "load.h"
#include "many.h"
#include "out.h"
#include "out_named.h"
#include "refusal.h"
#include "terms.h"
#include "when.h"

/* An event as the command line gives it. */
struct request {
    const char *stream;
    int64_t expected;
    struct acta_draft draft;
    struct acta_id id, correlation_id, causation_id;
    const char *tags[ACTA_TAGS_MAX];
    bool has_format;
    bool atomic;      /* Events come from stdin. */
    const char *name; /* Of the schedule that is made of them; NULL: none. */
    struct due due;
    const char *of_one; /* The last option given that says of one event. */
    struct terms terms;
    char *data; /* owned; NULL: it was in the arguments */
    char *metadata;
};

enum {
    OPTION_EXPECT = TERMS_NEXT,
    OPTION_ID,
    OPTION_META,
    OPTION_TAG,
    OPTION_CORR,
    OPTION_CAUSE,
    OPTION_FORMAT,
    OPTION_ATOMIC,
    OPTION_NAME,
    OPTION_AT,
    OPTION_DELAY,
};

static const struct option options[] = {
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"id", required_argument, NULL, OPTION_ID},
    {"meta", required_argument, NULL, OPTION_META},
    {"tag", required_argument, NULL, OPTION_TAG},
    {"corr", required_argument, NULL, OPTION_CORR},
    {"cause", required_argument, NULL, OPTION_CAUSE},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"atomic", no_argument, NULL, OPTION_ATOMIC},
    {"ndjson", no_argument, NULL, OPTION_ATOMIC},
    {"name", required_argument, NULL, OPTION_NAME},
    {"at", required_argument, NULL, OPTION_AT},
    {"delay", required_argument, NULL, OPTION_DELAY},
    TERMS_LONG_OPTIONS,
    CLI_LONG_OPTIONS,
};

/* ---- the command line ---- */

/* Options that say of one event what the lines of many say for themselves. */
static const char *
name_of_one(int option)
{
    for (size_t i = 0; options[i].val != OPTION_ATOMIC; i++) {
        if (options[i].val == option) {
            return options[i].name;
        }
    }
    return NULL;
}

static int
take_option(struct request *request, const struct cli *cli, int option)
{
    struct acta_draft *draft = &request->draft;
    bool taken;
    int code = terms_option(&request->terms, cli, option, &taken);

    if (taken) {
        return code;
    }
    if (name_of_one(option) != NULL) {
        request->of_one = name_of_one(option);
    }
    switch (option) {
    case OPTION_EXPECT:
        if (!line_parse_expected(optarg, &request->expected)) {
            return cli_usage(cli, "--expect %s: not a version, any or exists",
                             optarg);
        }
        return EXIT_OK;
    case OPTION_ID:
        draft->id = &request->id;
        return cli_id("--id", optarg, &request->id) ? EXIT_OK : EXIT_USAGE;
    case OPTION_CORR:
        draft->correlation_id = &request->correlation_id;
        return cli_id("--corr", optarg, &request->correlation_id) ? EXIT_OK
                                                                  : EXIT_USAGE;
    case OPTION_CAUSE:
        draft->causation_id = &request->causation_id;
        return cli_id("--cause", optarg, &request->causation_id) ? EXIT_OK
                                                                 : EXIT_USAGE;
    case OPTION_META:
        return load_argument(optarg, &request->metadata, &draft->metadata,
                             &draft->metadata_size)
                   ? EXIT_OK
                   : EXIT_OTHER;
    case OPTION_TAG:
        if (draft->tags_count == ACTA_TAGS_MAX) {
            return cli_usage(cli, "more than %d tags", ACTA_TAGS_MAX);
        }
        request->tags[draft->tags_count++] = optarg;
        draft->tags = request->tags;
        return EXIT_OK;
    case OPTION_FORMAT:
        request->has_format = true;
        if (!line_parse_format(optarg, &draft->format)) {
            return cli_usage(cli, "--format %s: not json, binary or msgpack",
                             optarg);
        }
        return EXIT_OK;
    case OPTION_ATOMIC:
        request->atomic = true;
        return EXIT_OK;
    case OPTION_NAME:
        request->name = optarg;
        return EXIT_OK;
    case OPTION_AT:
    case OPTION_DELAY:
        return due_take(&request->due, cli, option == OPTION_DELAY, optarg);
    default:
        abort();
    }
}

/* What begins so was probably meant to be. */
static bool
looks_like_json(const struct acta_draft *draft)
{
    const char *data = draft->data;

    return draft->data_size > 0 &&
           (*data == '{' || *data == '[' || *data == '"');
}

/* JSON is stored without the white space around it, such as the line end that
 * echo adds. What is JSON and was not called anything else is stored as JSON.
 */
static int
settle_format(struct request *request, const struct cli *cli)
{
    struct acta_draft *draft = &request->draft;
    struct json json;
    struct slice value;

    if (request->has_format && draft->format != ACTA_FORMAT_JSON) {
        return EXIT_OK;
    }
    json_init(&json, slice_make(draft->data, draft->data_size));
    value = json_value(&json);
    json_end(&json);
    if (!json_failed(&json)) {
        draft->format = ACTA_FORMAT_JSON;
        draft->data = value.data;
        draft->data_size = value.size;
    } else if (request->has_format) {
        return cli_usage(cli, "data is not JSON at byte %zu: %s",
                         json_column(&json), json.error);
    } else if (looks_like_json(draft)) {
        cli_note(cli,
                 "data is not JSON at byte %zu: %s; it is stored as it is "
                 "(--format json refuses that, --format binary means it)",
                 json_column(&json), json.error);
    }
    return EXIT_OK;
}

static int
take_arguments(struct request *request, const struct cli *cli, int argc,
               char **argv)
{
    if ((request->name != NULL) != request->due.is_given) {
        return cli_usage(cli, "what is to take place later needs a --name, and "
                              "--at or --delay");
    }
    if (request->atomic && request->of_one != NULL) {
        return cli_usage(cli,
                         "--%s is of one event: with --atomic it stands "
                         "in the line",
                         request->of_one);
    }
    if (request->atomic) {
        return argc == 0 ? EXIT_OK
                         : cli_usage(cli, "--atomic takes streams and types "
                                          "from the lines");
    }
    if (argc < 2 || argc > 3) {
        return cli_usage(cli, argc < 2 ? "a stream and a type are needed"
                                       : "too many arguments: is the data in "
                                         "quotes?");
    }
    request->stream = argv[0];
    request->draft.type = argv[1];
    if (argc == 3 &&
        !load_argument(argv[2], &request->data, &request->draft.data,
                       &request->draft.data_size)) {
        return EXIT_OTHER;
    }
    return settle_format(request, cli);
}

/* ---- sending ---- */

/* What is sent, with what is needed to tell how it ended. */
struct sending {
    struct acta_append *append;
    struct refusal_of of;
    const struct due *due; /* NULL: the events are to be stored now. */
};

/* Print a line for every event of the append, which are where @appended says.
 */
static int
print_appended(const struct cli *cli, const struct sending *sending,
               const struct acta_appended *appended, uint64_t took_us)
{
    size_t left = acta_append_count(sending->append);
    size_t index = 0;

    for (size_t i = 0; i < appended->runs_count; i++) {
        const struct acta_run *run = appended->runs[i];

        if (run->write >= sending->of.writes || run->count > left) {
            cli_error(ACTA_PROTOCOL,
                      "the server tells of events that were not sent");
            return EXIT_OTHER;
        }
        left -= run->count;
        for (uint64_t j = 0; j < run->count; j++) {
            cli->out->appended(
                cli, &(struct out_appended){
                         .stream = sending->of.streams[run->write],
                         .version = run->first_version + j,
                         .position = run->first_position + j,
                         .id = acta_append_id(sending->append, index++),
                         .took_us = took_us,
                         .repeated = appended->repeated,
                     });
        }
    }
    return EXIT_OK;
}

/* The command was done before, by events that may have been others: print what
 * is stored where its first answer says. What is hidden by now is left out.
 */
static int
print_done_before(struct cli *cli, const struct acta_appended *appended,
                  uint64_t took_us)
{
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_event *event = NULL;
    uint64_t last = appended->position;
    struct acta_cursor *cursor;
    enum acta_code code;
    struct acta_err err;

    if (appended->runs_count == 0) {
        return EXIT_OK;
    }
    read.from = appended->runs[0]->first_position - 1;
    read.events_max = ACTA_APPEND_EVENTS_MAX;
    code = acta_cursor_open(&cursor, cli->sync, &read, &err);
    while (code == ACTA_OK &&
           (code = acta_cursor_next(cursor, &event, &err)) == ACTA_OK &&
           event != NULL && event->position <= last) {
        cli->out->appended(cli, &(struct out_appended){
                                    .stream = event->stream,
                                    .version = event->version,
                                    .position = event->position,
                                    .id = event->id,
                                    .took_us = took_us,
                                    .repeated = true,
                                });
    }
    acta_cursor_close(cursor);
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}

/* That a schedule of the events was made, or was there just so. */
static void
print_scheduled(const struct cli *cli, const struct sending *sending)
{
    char when[DUE_TEXT_SIZE];
    char text[512];

    due_describe(sending->due, when);
    snprintf(text, sizeof(text), "%s: takes place %s", sending->of.schedule,
             when);
    cli->out->named->scheduled(cli, &(struct out_scheduled){
                                        .name = sending->of.schedule,
                                        .state = "waits",
                                        .due = sending->due,
                                        .text = text,
                                    });
}

/* No answer has come: tell what it takes to send the same again. */
static int
tell_unknown(const struct sending *sending, const struct acta_err *err)
{
    size_t count = acta_append_count(sending->append);
    char id[ACTA_ID_TEXT_SIZE];

    cli_error(err->code, "%s", err->text);
    if (count > 0) {
        acta_id_format(acta_append_id(sending->append, 0), id);
    }
    if (sending->of.terms->has_command_id) {
        cli_hint("the same again with the same --command counts once");
    } else if (count == 1) {
        cli_hint("the same again with --id %s counts once", id);
    } else if (count > 1) {
        cli_hint("acta event %s tells whether it was; lines that have an id "
                 "count once when they are sent again",
                 id);
    } else if (sending->due != NULL) {
        cli_hint("acta schedule ls %s tells whether it was",
                 sending->of.schedule);
    } else {
        cli_hint("the same again changes nothing more");
    }
    return cli_exit_code(err->code);
}

/* Send the append on its terms, and tell how it ended. */
static int
send_append(struct cli *cli, const struct sending *sending)
{
    const struct acta_appended *appended;
    uint64_t took_us;
    struct acta_err err;
    enum acta_code sent;
    int code;

    terms_put(sending->of.terms, sending->append);
    if (acta_append_check(sending->append, &err) != ACTA_OK) {
        return cli_usage(cli, "%s", err.text);
    }
    code = cli_connect(cli);
    if (code != EXIT_OK) {
        return code;
    }
    took_us = when_mono_us();
    sent = acta_sync_append(cli->sync, sending->append, &appended, &err);
    if (sent == ACTA_UNKNOWN) {
        return tell_unknown(sending, &err);
    }
    if (sent != ACTA_OK) {
        return refusal_tell(cli, &sending->of, appended, &err);
    }
    took_us = when_mono_us() - took_us;
    if (cli->quiet) {
        return EXIT_OK;
    }
    if (sending->due != NULL) {
        print_scheduled(cli, sending);
        return EXIT_OK;
    }
    if (appended->by_command) {
        return print_done_before(cli, appended, took_us);
    }
    return print_appended(cli, sending, appended, took_us);
}

/* Send it, or one that schedules it: the versions that it expects are judged
 * when it is due, all other terms now.
 */
static int
send_or_schedule(struct cli *cli, const struct sending *sending)
{
    struct sending later = {
        .of = {.terms = sending->of.terms, .schedule = sending->of.schedule},
        .due = sending->due,
    };
    int code;

    if (sending->due == NULL) {
        return send_append(cli, sending);
    }
    later.append = acta_append_new();
    due_put(sending->due, later.append, sending->of.schedule, sending->append);
    code = send_append(cli, &later);
    acta_append_free(later.append);
    return code;
}

/* ---- one event, or many: all or none ---- */

static int
append_one(struct cli *cli, const struct request *request,
           struct sending *sending)
{
    acta_append_stream(sending->append, request->stream, request->expected);
    acta_append_event(sending->append, &request->draft);
    sending->of.streams = &request->stream;
    sending->of.writes = 1;
    return send_or_schedule(cli, sending);
}

static int
append_many(struct cli *cli, struct sending *sending)
{
    struct many many;
    int code;

    if (!many_init(&many, sending->append)) {
        return EXIT_OTHER;
    }
    code = many_read(&many);
    /* No events are no mistake, unless something was to be judged. */
    if (code == EXIT_OK &&
        (many.writes > 0 || terms_judge(sending->of.terms))) {
        sending->of.streams = many.streams;
        sending->of.writes = many.writes;
        sending->of.has_lines = true;
        code = send_or_schedule(cli, sending);
    }
    many_fini(&many);
    return code;
}

static int
append(struct cli *cli, const struct request *request)
{
    struct sending sending = {
        .append = acta_append_new(),
        .of = {.terms = &request->terms, .schedule = request->name},
        .due = request->name == NULL ? NULL : &request->due,
    };
    int code = request->atomic ? append_many(cli, &sending)
                               : append_one(cli, request, &sending);

    acta_append_free(sending.append);
    return code;
}

int
cmd_append(struct cli *cli, int argc, char **argv)
{
    struct request request = {
        .expected = ACTA_EXPECT_ANY,
        .draft = acta_draft_of(NULL, NULL, 0),
    };
    int code = EXIT_OK;
    int option;

    terms_init(&request.terms);
    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
               CLI_END) {
        code = option == CLI_STOP ? -1 : take_option(&request, cli, option);
    }
    if (code == -1) {
        code = cli_option_exit();
    } else if (code == EXIT_OK) {
        code = take_arguments(&request, cli, argc - optind, argv + optind);
        if (code == EXIT_OK) {
            code = append(cli, &request);
        }
    }
    terms_fini(&request.terms);
    free(request.data);
    free(request.metadata);
    return code;
}
