/* trace: what caused an event, and what it has caused. */

#include <inttypes.h>
#include <string.h>

#include "cmd.h"
#include "out.h"
#include "trace_print.h"
#include "trace_search.h"

#define COUNT_DEFAULT 1000
#define COUNT_MAX     1000000

enum {
    OPTION_FORMAT = CLI_FIRST,
    OPTION_FROM,
    OPTION_TO,
    OPTION_SCAN,
};

typedef void print_trace(const struct cli *cli, const struct trace *trace);

struct request {
    struct trace_search search;
    print_trace *print; /* NULL: as --json says. */
};

static uint64_t
count_events(const struct trace *trace)
{
    uint64_t count = 0;

    for (size_t i = 0; i < trace->count; i++) {
        count += trace->nodes[i].kind == TRACE_EVENT;
    }
    return count;
}

static bool
has_circle(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        if (trace->nodes[i].is_cut) {
            return true;
        }
    }
    return false;
}

/* How far it goes, and what there may be beyond. */
static void
tell_reach(const struct cli *cli, const struct trace *trace,
           const struct trace_reach *reach)
{
    uint64_t count = count_events(trace);
    const char *events = count == 1 ? "event" : "events";

    if (has_circle(trace)) {
        cli_note(cli, "circle: an event whose causation id leads back to it");
    }
    if (reach->scanned > 0) {
        cli_note(cli, "looked at %" PRIu64 " %s one by one", reach->scanned,
                 reach->scanned == 1 ? "event" : "events");
    }
    if (reach->is_unasked) {
        cli_note(cli,
                 "more than %d causes are no events of this trace; the "
                 "others are not looked up",
                 TRACE_LOOKUPS_MAX);
    }
    if (cli->json) {
        cli_position(reach->head, !reach->is_cut && !reach->is_unasked);
    } else if (reach->is_cut) {
        cli_note(cli, "%" PRIu64 " %s, and there are more: -n COUNT", count,
                 events);
    } else {
        cli_note(cli, "%" PRIu64 " %s, all up to position %" PRIu64, count,
                 events, reach->head);
    }
}

static int
run(struct cli *cli, const struct request *request)
{
    struct trace_reach reach;
    struct trace trace;
    int code = cli_connect(cli);

    if (code != EXIT_OK) {
        return code;
    }
    trace_init(&trace);
    code = trace_search_run(&request->search, cli, &trace, &reach);
    if (code == EXIT_OK) {
        request->print(cli, &trace);
        code = cli_flush();
    }
    if (code == EXIT_OK) {
        tell_reach(cli, &trace, &reach);
    }
    trace_fini(&trace);
    return code;
}

/* ---- the command line ---- */

static int
take_format(struct request *request, struct cli *cli, const char *name)
{
    static const struct {
        const char *name;
        print_trace *print;
    } formats[] = {
        {"text", trace_print_text},
        {"json", trace_print_json},
        {"dot", trace_print_dot},
    };

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(name, formats[i].name) == 0) {
            request->print = formats[i].print;
            return EXIT_OK;
        }
    }
    return cli_usage(cli, "--format %s: not text, json or dot", name);
}

static int
take_option(struct request *request, struct cli *cli, int option)
{
    struct trace_search *search = &request->search;
    bool right = true;

    switch (option) {
    case OPTION_FORMAT:
        return take_format(request, cli, optarg);
    case OPTION_FROM:
        right = place_parse(&search->from, "--from", optarg);
        break;
    case OPTION_TO:
        right = place_parse(&search->to, "--to", optarg);
        break;
    case OPTION_SCAN:
        search->has_scan = true;
        right = cli_number("--scan", optarg, 0, INT64_MAX, &search->scan);
        break;
    default:
        right = cli_number("-n", optarg, 1, COUNT_MAX, &search->count_max);
        break;
    }
    return right ? EXIT_OK : EXIT_USAGE;
}

/* --json is --format json, and talk to programs as well; --format json does not
 * say how to talk, unless --json does.
 */
static int
check(struct request *request, const struct cli *cli, int argc, char **argv)
{
    if (argc != 1) {
        return cli_usage(cli, "one id, position or STREAM@VERSION is needed");
    }
    if (cli->json && request->print != NULL &&
        request->print != trace_print_json) {
        return cli_usage(cli, "--json or another --format, not both");
    }
    if (request->print == NULL) {
        request->print = cli->json ? trace_print_json : trace_print_text;
    }
    return trace_search_parse(&request->search, argv[0]) ? EXIT_OK : EXIT_USAGE;
}

int
cmd_trace(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, OPTION_FORMAT},
        {"count", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, OPTION_FROM},
        {"to", required_argument, NULL, OPTION_TO},
        {"scan", required_argument, NULL, OPTION_SCAN},
        CLI_LONG_OPTIONS,
    };
    struct request request = {
        .search = {.to = {.kind = PLACE_END},
                   .count_max = COUNT_DEFAULT,
                   .scan = TRACE_SCAN_DEFAULT},
    };
    int code = EXIT_OK;
    int option;

    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        code = take_option(&request, cli, option);
    }
    if (code == EXIT_OK) {
        code = check(&request, cli, argc - optind, argv + optind);
    }
    if (code == EXIT_OK) {
        code = run(cli, &request);
    }
    trace_search_fini(&request.search);
    return code;
}
