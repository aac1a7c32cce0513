/* read, export, event and streams: what ends by itself. */

#include <stdio.h>

#include "cmd.h"
#include "filter.h"
#include "out.h"

#define NO_LIMIT UINT64_MAX

/* ---- read and export ---- */

static int
print_events(struct cli *cli, const struct acta_read *read, uint64_t count_max)
{
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    struct acta_err err;
    enum acta_code code = acta_cursor_open(&cursor, cli->sync, read, &err);
    uint64_t count = 0;

    while (code == ACTA_OK && count < count_max) {
        code = acta_cursor_next(cursor, &event, &err);
        if (code != ACTA_OK || event == NULL) {
            break;
        }
        cli->out->event(cli, event);
        count++;
    }
    acta_cursor_close(cursor);
    if (code != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    if (count == 0 && count_max > 0 && read->stream != NULL &&
        read->from == 0) {
        cli_error("%s: there is no such stream", read->stream);
        return EXIT_NOT_FOUND;
    }
    return EXIT_OK;
}

/* A read's from is exclusive, the command line's is not. */
static uint64_t
exclusive(uint64_t from, bool backward)
{
    if (from == 0) {
        return 0;
    }
    return backward ? from + 1 : from - 1;
}

struct read_request {
    struct filter filter;
    uint64_t count_max;
    uint64_t from;
    bool backward;
};

static int
read_option(struct read_request *request, int option)
{
    bool taken;
    int code = filter_option(&request->filter, option, &taken);

    if (taken) {
        return code;
    }
    switch (option) {
    case 'n':
        return cli_number("-n", optarg, 0, NO_LIMIT, &request->count_max)
                   ? EXIT_OK
                   : EXIT_USAGE;
    case 'r':
        request->backward = true;
        return EXIT_OK;
    default:
        return cli_number("--from", optarg, 0, INT64_MAX, &request->from)
                   ? EXIT_OK
                   : EXIT_USAGE;
    }
}

static int
read_command(struct cli *cli, int argc, char **argv, const char *letters,
             const struct option *options)
{
    struct read_request request = {.count_max = NO_LIMIT};
    struct acta_read read;
    int code = EXIT_OK;
    int option;

    filter_init(&request.filter);
    while (code == EXIT_OK && (option = cli_option(cli, argc, argv, letters,
                                                   options)) != CLI_END) {
        if (option == CLI_STOP) {
            filter_fini(&request.filter);
            return cli_option_exit();
        }
        code = read_option(&request, option);
    }
    if (code == EXIT_OK) {
        code = filter_arguments(&request.filter, cli, argc - optind,
                                argv + optind);
    }
    if (code == EXIT_OK) {
        code = cli_connect(cli);
    }
    if (code == EXIT_OK) {
        read = filter_read(&request.filter);
        read.from = exclusive(request.from, request.backward);
        read.backward = request.backward;
        /* What is more than wanted need not come over the wire. */
        if (request.count_max > 0 && request.count_max < 65536) {
            read.events_max = request.count_max;
        }
        code = print_events(cli, &read, request.count_max);
    }
    filter_fini(&request.filter);
    return code;
}

int
cmd_read(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, FILTER_NEXT},
        {"reverse", no_argument, NULL, 'r'},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    return read_command(cli, argc, argv, "n:r" CLI_SHORT_OPTIONS, options);
}

int
cmd_export(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    cli->out = &out_json;
    return read_command(cli, argc, argv, CLI_SHORT_OPTIONS, options);
}

/* ---- event ---- */

static int
print_by_id(struct cli *cli, const char *text)
{
    const struct acta_page *page;
    struct acta_id id;
    struct acta_err err;

    if (!cli_id("event", text, &id)) {
        return EXIT_USAGE;
    }
    if (acta_sync_read_id(cli->sync, &id, &page, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    for (size_t i = 0; i < page->events_count; i++) {
        cli->out->single(cli, page->events[i]);
    }
    return EXIT_OK;
}

static int
print_by_version(struct cli *cli, const char *stream, const char *text)
{
    const struct acta_event *event;
    uint64_t version;
    struct acta_err err;

    if (!cli_number("version", text, 1, INT64_MAX, &version)) {
        return EXIT_USAGE;
    }
    if (acta_sync_read_version(cli->sync, stream, version, &event, &err) !=
        ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    cli->out->single(cli, event);
    return EXIT_OK;
}

int
cmd_event(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    int code;

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    argc -= optind;
    argv += optind;
    if (argc < 1 || argc > 2) {
        return cli_usage(cli, "an id is needed, or a stream and a version");
    }
    code = cli_connect(cli);
    if (code != EXIT_OK) {
        return code;
    }
    return argc == 1 ? print_by_id(cli, argv[0])
                     : print_by_version(cli, argv[0], argv[1]);
}

/* ---- streams ---- */

static int
print_streams(struct cli *cli, const char *prefix, uint64_t count_max)
{
    const struct acta_streams *streams;
    char last[256] = "";
    struct acta_err err;

    do {
        if (acta_sync_list(cli->sync, prefix, *last == '\0' ? NULL : last,
                           count_max < 4096 ? count_max : 0, &streams,
                           &err) != ACTA_OK) {
            return cli_fail(NULL, &err);
        }
        for (size_t i = 0; i < streams->streams_count && count_max > 0; i++) {
            cli->out->stream(cli, streams->streams[i]);
            snprintf(last, sizeof(last), "%s", streams->streams[i]->name);
            count_max--;
        }
    } while (!streams->at_end && count_max > 0);
    return EXIT_OK;
}

int
cmd_streams(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        CLI_LONG_OPTIONS,
    };
    uint64_t count_max = NO_LIMIT;
    int option, code;

    while ((option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (!cli_number("-n", optarg, 1, NO_LIMIT, &count_max)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "one prefix at a time");
    }
    code = cli_connect(cli);
    return code == EXIT_OK
               ? print_streams(cli, optind < argc ? argv[optind] : NULL,
                               count_max)
               : code;
}
