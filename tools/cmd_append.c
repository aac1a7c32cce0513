#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "json.h"
#include "limit.h"
#include "line.h"
#include "out.h"

/* An event as the command line gives it. */
struct request {
    const char *stream;
    int64_t expected;
    struct acta_draft draft;
    struct acta_id id, correlation_id, causation_id;
    const char *tags[ACTA_TAGS_MAX];
    bool has_format;
    bool ndjson;
    char *data; /* owned; NULL: it was in the arguments */
    char *metadata;
};

enum {
    OPTION_EXPECT = CLI_FIRST,
    OPTION_ID,
    OPTION_META,
    OPTION_TAG,
    OPTION_CORR,
    OPTION_CAUSE,
    OPTION_FORMAT,
    OPTION_NDJSON,
};

static const struct option options[] = {
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"id", required_argument, NULL, OPTION_ID},
    {"meta", required_argument, NULL, OPTION_META},
    {"tag", required_argument, NULL, OPTION_TAG},
    {"corr", required_argument, NULL, OPTION_CORR},
    {"cause", required_argument, NULL, OPTION_CAUSE},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"ndjson", no_argument, NULL, OPTION_NDJSON},
    CLI_LONG_OPTIONS,
};

/* ---- bytes from elsewhere ---- */

/* All of @file in memory that is the caller's; NULL, and told, if that fails or
 * is over @size_max.
 */
static char *
read_all(FILE *file, const char *name, size_t size_max, size_t *size)
{
    char *bytes = NULL;
    size_t capacity = 0;

    *size = 0;
    do {
        char *larger;

        capacity = capacity == 0 ? 65536 : capacity * 2;
        larger = realloc(bytes, capacity);
        if (larger == NULL) {
            cli_error("%s: out of memory", name);
            free(bytes);
            return NULL;
        }
        bytes = larger;
        *size += fread(bytes + *size, 1, capacity - *size, file);
    } while (*size == capacity && *size <= size_max);
    if (ferror(file) || *size > size_max) {
        cli_error("%s: %s", name,
                  ferror(file) ? strerror(errno) : "larger than an event");
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* What an argument stands for: itself, stdin for -, a file for @FILE. *@owned
 * is set where memory was needed.
 */
static bool
load_argument(const char *argument, char **owned, const void **bytes,
              size_t *size)
{
    FILE *file = stdin;

    if (strcmp(argument, "-") != 0 && *argument != '@') {
        *bytes = argument;
        *size = strlen(argument);
        return true;
    }
    if (*argument == '@') {
        file = fopen(argument + 1, "rb");
        if (file == NULL) {
            cli_error("%s: %s", argument + 1, strerror(errno));
            return false;
        }
    }
    *owned = read_all(file, file == stdin ? "stdin" : argument + 1,
                      ACTA_EVENT_SIZE_MAX, size);
    *bytes = *owned;
    if (file != stdin) {
        fclose(file);
    }
    return *owned != NULL;
}

/* ---- the command line ---- */

static int
take_option(struct request *request, const struct cli *cli, int option)
{
    struct acta_draft *draft = &request->draft;

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
    case OPTION_NDJSON:
        request->ndjson = true;
        return EXIT_OK;
    default:
        abort();
    }
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
    }
    return EXIT_OK;
}

static int
take_arguments(struct request *request, const struct cli *cli, int argc,
               char **argv)
{
    if (request->ndjson) {
        return argc == 0 ? EXIT_OK
                         : cli_usage(cli, "--ndjson takes streams and types "
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

/* ---- what came of it ---- */

/* "3 s ago" */
static void
format_age(uint64_t time_us, char text[static 32])
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    struct timespec now;
    uint64_t age;
    size_t i = 0;

    clock_gettime(CLOCK_REALTIME, &now);
    age = (uint64_t)now.tv_sec - time_us / 1000000;
    if (time_us / 1000000 >= (uint64_t)now.tv_sec) {
        snprintf(text, 32, "just now");
        return;
    }
    while (age < units[i].seconds * (units[i].seconds > 1 ? 2 : 1)) {
        i++;
    }
    snprintf(text, 32, "%" PRIu64 " %s ago", age / units[i].seconds,
             units[i].unit);
}

/* What a stream is at: "version 3 (last event ...)". */
static void
describe_stream(struct cli *cli, const char *stream, uint64_t version,
                char *text, size_t size)
{
    const struct acta_event *event;
    char id[ACTA_ID_TEXT_SIZE];
    char age[32];

    if (version == 0) {
        snprintf(text, size, "no events");
    } else if (acta_sync_read_version(cli->sync, stream, version, &event,
                                      NULL) != ACTA_OK) {
        snprintf(text, size, "version %" PRIu64, version);
    } else {
        acta_id_format(event->id, id);
        format_age(event->time_us, age);
        snprintf(text, size, "version %" PRIu64 " (last event %s %s, id %s)",
                 version, event->type, age, id);
    }
}

static void
tell_conflict(struct cli *cli, const char *stream, int64_t expected,
              uint64_t actual)
{
    char found[512];

    describe_stream(cli, stream, actual, found, sizeof(found));
    if (expected == ACTA_EXPECT_EXISTS) {
        cli_error("%s: expected the stream to exist, found %s", stream, found);
        cli_hint("to begin it use --expect 0 or --expect any");
        return;
    }
    cli_error("%s: expected version %" PRId64 ", found %s", stream, expected,
              found);
    cli_hint("to append after it use --expect %" PRIu64
             "; to retry the same event safely pass the same --id",
             actual);
}

static int
tell_refusal(struct cli *cli, const char *const *streams,
             const struct acta_appended *appended, const struct acta_err *err)
{
    const struct acta_failure *failure;

    if (appended->failures_count == 0) {
        return cli_fail(NULL, err);
    }
    failure = appended->failures[0];
    if (err->code == ACTA_ID_REUSED) {
        cli_error("%s: the id is that of version %" PRIu64
                  ", which has other content",
                  streams[failure->index], failure->actual);
        cli_hint("every event needs an id of its own");
        return cli_exit_code(err->code);
    }
    if (err->code != ACTA_CONFLICT) {
        return cli_fail(NULL, err);
    }
    /* By value: the answer gives way to that of the next request. */
    tell_conflict(cli, streams[failure->index], failure->expected,
                  failure->actual);
    return EXIT_CONFLICT;
}

static uint64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Send, and print a line for every event: streams[i] is that of write i, and
 * counts[i] is how many events it has.
 */
static int
send_append(struct cli *cli, const struct acta_append *append,
            const char *const *streams)
{
    const struct acta_appended *appended;
    uint64_t took_us;
    struct acta_err err;
    size_t index = 0;
    int code = cli_connect(cli);

    if (code != EXIT_OK) {
        return code;
    }
    took_us = now_us();
    if (acta_sync_append(cli->sync, append, &appended, &err) != ACTA_OK) {
        return tell_refusal(cli, streams, appended, &err);
    }
    took_us = now_us() - took_us;
    for (size_t i = 0; i < appended->runs_count && !cli->quiet; i++) {
        const struct acta_run *run = appended->runs[i];

        for (uint64_t j = 0; j < run->count; j++) {
            cli->out->appended(cli, &(struct out_appended){
                                        .stream = streams[run->write],
                                        .version = run->first_version + j,
                                        .position = run->first_position + j,
                                        .id = acta_append_id(append, index++),
                                        .took_us = took_us,
                                        .repeated = appended->repeated,
                                    });
        }
    }
    return EXIT_OK;
}

/* ---- one event ---- */

static int
append_one(struct cli *cli, const struct request *request)
{
    struct acta_append *append = acta_append_new();
    struct acta_err err;
    int code;

    acta_append_stream(append, request->stream, request->expected);
    acta_append_event(append, &request->draft);
    code = acta_append_check(append, &err) == ACTA_OK
               ? send_append(cli, append, &request->stream)
               : cli_usage(cli, "%s", err.text);
    acta_append_free(append);
    return code;
}

/* ---- many events, all or none ---- */

struct many {
    struct acta_append *append;
    const char **streams; /* owned, as are the names: a write each */
    size_t writes;
    uint64_t lines;
};

/* A write ends where another stream comes or a version is expected anew. */
static bool
add_line(struct many *many, const struct line *line)
{
    if (many->writes == 0 || line->has_expected ||
        strcmp(many->streams[many->writes - 1], line->stream) != 0) {
        if (many->writes == ACTA_APPEND_EVENTS_MAX) {
            return false;
        }
        many->streams[many->writes] = strdup(line->stream);
        if (many->streams[many->writes] == NULL) {
            return false;
        }
        many->writes++;
        acta_append_stream(many->append, line->stream, line->expected);
    }
    acta_append_event(many->append, &line->draft);
    return true;
}

static int
read_lines(struct many *many)
{
    char *text = NULL;
    size_t capacity = 0;
    struct acta_err err = {ACTA_OK, ""};
    ssize_t size;

    while (err.code == ACTA_OK &&
           (size = getline(&text, &capacity, stdin)) >= 0) {
        struct line line;
        struct slice bytes = slice_make(text, (size_t)size);

        many->lines++;
        if (bytes.size > 0 && text[bytes.size - 1] == '\n') {
            bytes.size--;
        }
        if (bytes.size == 0 ||
            line_parse(&line, bytes, many->lines, "", &err) != ACTA_OK) {
            continue;
        }
        if (!add_line(many, &line)) {
            acta_fail(&err, ACTA_TOO_LARGE, "more than %d events",
                      ACTA_APPEND_EVENTS_MAX);
        } else {
            (void)acta_append_check(many->append, &err);
        }
        line_free(&line);
    }
    free(text);
    if (err.code != ACTA_OK) {
        cli_error("stdin:%" PRIu64 ": %s", many->lines, err.text);
        cli_hint("nothing was appended");
        return cli_exit_code(err.code);
    }
    return EXIT_OK;
}

static int
append_many(struct cli *cli)
{
    struct many many = {
        .append = acta_append_new(),
        .streams = calloc(ACTA_APPEND_EVENTS_MAX, sizeof(*many.streams)),
    };
    int code = EXIT_OTHER;

    if (many.streams == NULL) {
        cli_error("out of memory");
    } else {
        code = read_lines(&many);
    }
    if (code == EXIT_OK && many.writes > 0) {
        code = send_append(cli, many.append, many.streams);
    }
    for (size_t i = 0; i < many.writes; i++) {
        free((void *)(uintptr_t)many.streams[i]);
    }
    free(many.streams);
    acta_append_free(many.append);
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
            code =
                request.ndjson ? append_many(cli) : append_one(cli, &request);
        }
    }
    free(request.data);
    free(request.metadata);
    return code;
}
