/* read, query and export: events from history, up to what is there. */

#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "filter.h"
#include "out.h"

#define NO_LIMIT       UINT64_MAX
#define PAGE_COUNT_MAX 65536

enum {
    OPTION_FROM = FILTER_NEXT,
    OPTION_AFTER,
};

struct read_request {
    struct filter filter;
    uint64_t count_max;
    uint64_t from;  /* Inclusive; 0: not given. */
    uint64_t after; /* A position that is below all that is wanted. */
    bool backward;
    bool is_query;
};

/* How far it went. */
struct reached {
    uint64_t count;
    uint64_t position; /* Nothing that matches up to here was passed over, but
                          backward what is before the last event printed. */
    bool complete;     /* All that match up to there were printed. */
};

static int
print_events(struct cli *cli, const struct acta_read *read,
             const struct read_request *request, struct reached *reached)
{
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor;
    struct acta_err err;
    enum acta_code code = acta_cursor_open(&cursor, cli->sync, read, &err);

    while (code == ACTA_OK && reached->count < request->count_max) {
        code = acta_cursor_next(cursor, &event, &err);
        if (code != ACTA_OK) {
            break;
        }
        if (event == NULL) {
            reached->complete = true;
            if (!request->backward) {
                reached->position = acta_cursor_head(cursor);
            }
            break;
        }
        if (event->position <= request->after) {
            reached->complete = true;
            break;
        }
        cli->out->event(cli, event);
        if (ferror(stdout)) {
            break;
        }
        if (!request->backward) {
            reached->position = event->position;
        }
        reached->count++;
    }
    acta_cursor_close(cursor);
    return code == ACTA_OK ? cli_flush() : cli_fail(NULL, &err);
}

/* A read's from is exclusive, the command line's is not. Forward it is as well
 * the lower end; backward that is looked out for while reading.
 */
static uint64_t
exclusive_from(const struct read_request *request)
{
    if (request->backward) {
        return request->from == 0 ? 0 : request->from + 1;
    }
    return request->from == 0 ? request->after : request->from - 1;
}

/* A query is what a decision is made from: say up to where it holds. */
static void
tell_reached(const struct cli *cli, bool backward,
             const struct reached *reached)
{
    const char *events = reached->count == 1 ? "event" : "events";

    if (cli->json) {
        cli_position(reached->position, reached->complete);
    } else if (reached->complete) {
        cli_note(cli, "%" PRIu64 " %s, all up to position %" PRIu64,
                 reached->count, events, reached->position);
    } else if (backward) {
        cli_note(cli, "%" PRIu64 " %s, the last up to position %" PRIu64,
                 reached->count, events, reached->position);
    } else {
        cli_note(cli, "%" PRIu64 " %s; to go on: --after %" PRIu64,
                 reached->count, events, reached->position);
    }
}

/* Let a query backward begin at a position that can be told: pages that have
 * nothing are passed over, so what the first event's page says is too late.
 */
static int
begin_at_head(struct cli *cli, struct acta_read *read, struct reached *reached)
{
    struct acta_err err;

    if (acta_sync_ping(cli->sync, &reached->position, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    read->from = reached->position + 1;
    return EXIT_OK;
}

static int
read_all(struct cli *cli, struct read_request *request)
{
    struct acta_read read = filter_read(&request->filter);
    struct reached reached = {0};
    uint64_t since;
    int code = cli_connect(cli);

    if (code == EXIT_OK) {
        code = filter_since(&request->filter, cli, &since);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (since > request->after) {
        request->after = since;
    }
    read.from = exclusive_from(request);
    read.backward = request->backward;
    reached.position = request->after;
    if (request->is_query && request->backward) {
        code = begin_at_head(cli, &read, &reached);
        if (code != EXIT_OK) {
            return code;
        }
    }
    /* What is more than wanted need not come over the wire. */
    if (request->count_max > 0 && request->count_max < PAGE_COUNT_MAX) {
        read.events_max = request->count_max;
    }
    code = print_events(cli, &read, request, &reached);
    if (code == EXIT_OK && request->is_query) {
        tell_reached(cli, request->backward, &reached);
    }
    if (code == EXIT_OK && reached.count == 0 && request->count_max > 0 &&
        read.stream != NULL && request->from == 0) {
        return filter_tell_nothing(&request->filter, cli);
    }
    return code;
}

/* ---- the command line ---- */

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
    case OPTION_AFTER:
        return cli_number("--after", optarg, 0, INT64_MAX, &request->after)
                   ? EXIT_OK
                   : EXIT_USAGE;
    default:
        return cli_number("--from", optarg, 0, INT64_MAX, &request->from)
                   ? EXIT_OK
                   : EXIT_USAGE;
    }
}

static int
check(struct read_request *request, const struct cli *cli, int argc,
      char **argv)
{
    if (request->is_query && argc > 0) {
        return cli_usage(cli, "%s: streams are named with --stream", argv[0]);
    }
    if (request->from > 0 && request->filter.has_since && !request->backward) {
        return cli_usage(cli, "--from or --since, not both");
    }
    return filter_arguments(&request->filter, cli, argc, argv);
}

static int
read_command(struct cli *cli, int argc, char **argv, const char *letters,
             const struct option *options, bool is_query)
{
    struct read_request request = {
        .count_max = NO_LIMIT,
        .is_query = is_query,
    };
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
        code = check(&request, cli, argc - optind, argv + optind);
    }
    if (code == EXIT_OK) {
        code = read_all(cli, &request);
    }
    filter_fini(&request.filter);
    return code;
}

int
cmd_read(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, OPTION_FROM},
        {"reverse", no_argument, NULL, 'r'},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    return read_command(cli, argc, argv, "n:r" CLI_SHORT_OPTIONS, options,
                        false);
}

int
cmd_query(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"after", required_argument, NULL, OPTION_AFTER},
        {"reverse", no_argument, NULL, 'r'},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    return read_command(cli, argc, argv, "n:r" CLI_SHORT_OPTIONS, options,
                        true);
}

int
cmd_export(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };

    cli->out = &out_json;
    return read_command(cli, argc, argv, CLI_SHORT_OPTIONS, options, false);
}
