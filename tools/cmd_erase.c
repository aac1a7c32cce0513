/* erase: the data of events, for good. That nobody reads it any more is so at
 * once; that its bytes are gone from the server's files takes a while, which is
 * waited for.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "line.h"
#include "out.h"
#include "refusal.h"

#define POLL_MS 20

enum {
    OPTION_ALL = CLI_FIRST,
    OPTION_EXPECT,
    OPTION_YES,
    OPTION_WAIT,
    OPTION_NO_WAIT,
};

struct erase_request {
    const char *stream;
    uint64_t version; /* 0: all. */
    int64_t expected;
    bool all;
    bool has_expected;
    bool yes;
    bool no_wait;
};

/* ---- waiting ---- */

/* How many erasures the server has still to carry out. */
static enum acta_code
count_pending(struct cli *cli, uint64_t *pending, struct acta_err *err)
{
    const struct acta_status *status;
    enum acta_code code = acta_sync_status(cli->sync, &status, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < status->entries_count; i++) {
        const struct acta_status_entry *entry = status->entries[i];

        if (strcmp(entry->name, "database.erasures_pending") == 0) {
            *pending = entry->number;
            return ACTA_OK;
        }
    }
    return acta_fail(err, ACTA_UNSUPPORTED,
                     "the server does not tell what is still to be erased");
}

/* Wait until nothing is left to be erased, as long as it gets less within the
 * time that a request has.
 */
static int
wait_for_bytes(struct cli *cli)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
    uint64_t before = UINT64_MAX;
    uint64_t waited_ms = 0;
    uint64_t pending = 0;
    struct acta_err err;

    while (waited_ms <= cli->options.timeout_ms) {
        if (count_pending(cli, &pending, &err) != ACTA_OK) {
            return cli_fail(NULL, &err);
        }
        if (pending == 0) {
            return EXIT_OK;
        }
        waited_ms = pending < before ? 0 : waited_ms + POLL_MS;
        before = pending;
        nanosleep(&pause, NULL);
    }
    cli_error(ACTA_TIMEOUT,
              "nobody reads it any more, but its bytes are still in the "
              "server's files: %" PRIu64 " erasures are to be carried out",
              pending);
    cli_hint("acta status has erasures_pending; the same command waits again");
    return EXIT_TIMEOUT;
}

/* ---- erasing ---- */

static void
tell(const struct cli *cli, const struct erase_request *request,
     const struct acta_changed *changed)
{
    const char *already = changed->changed ? "" : " already";
    char text[512];

    if (request->all) {
        snprintf(text, sizeof(text),
                 "%s: all events up to version %" PRIu64 " are erased%s",
                 request->stream, changed->version, already);
    } else {
        snprintf(text, sizeof(text), "%s@%" PRIu64 ": is erased%s",
                 request->stream, request->version, already);
    }
    cli->out->changed(cli, &(struct out_changed){
                               .stream = request->stream,
                               .text = text,
                               .version = changed->version,
                               .position = changed->head,
                               .changed = changed->changed,
                           });
}

static int
confirm(const struct erase_request *request)
{
    char text[512];

    if (request->all) {
        snprintf(text, sizeof(text), "erase all of %s", request->stream);
    } else {
        snprintf(text, sizeof(text), "erase %s@%" PRIu64, request->stream,
                 request->version);
    }
    return cli_confirm(text);
}

static int
erase(struct cli *cli, const struct erase_request *request)
{
    const struct acta_changed *changed;
    struct acta_err err;
    enum acta_code code;
    int exit_code = cli_connect(cli);

    if (exit_code == EXIT_OK && !request->yes) {
        exit_code = confirm(request);
    }
    if (exit_code != EXIT_OK) {
        return exit_code;
    }
    code = request->all
               ? acta_sync_erase_stream(cli->sync, request->stream,
                                        request->expected, &changed, &err)
               : acta_sync_erase_event(cli->sync, request->stream,
                                       request->version, &changed, &err);
    if (code != ACTA_OK) {
        return refusal_tell_change(cli, request->stream, request->expected,
                                   &err);
    }
    if (!cli->quiet) {
        tell(cli, request, changed);
        fflush(stdout);
    }
    return request->no_wait ? EXIT_OK : wait_for_bytes(cli);
}

/* ---- the command line ---- */

static int
take_option(struct erase_request *request, const struct cli *cli, int option)
{
    switch (option) {
    case OPTION_ALL:
        request->all = true;
        return EXIT_OK;
    case OPTION_YES:
        request->yes = true;
        return EXIT_OK;
    case OPTION_EXPECT:
        request->has_expected = true;
        return line_parse_expected(optarg, &request->expected)
                   ? EXIT_OK
                   : cli_usage(cli, "--expect %s: not a version, any or exists",
                               optarg);
    default:
        request->no_wait = option == OPTION_NO_WAIT;
        return EXIT_OK;
    }
}

static int
take_arguments(struct erase_request *request, const struct cli *cli, int argc,
               char **argv)
{
    if (argc != (request->all ? 1 : 2)) {
        return cli_usage(cli, "a stream is needed, and a version or --all");
    }
    if (request->has_expected && !request->all) {
        return cli_usage(cli, "--expect goes with --all: an event of a version "
                              "is always the same");
    }
    request->stream = argv[0];
    return request->all || cli_number("version", argv[1], 1, INT64_MAX,
                                      &request->version)
               ? EXIT_OK
               : EXIT_USAGE;
}

int
cmd_erase(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, OPTION_ALL},
        {"expect", required_argument, NULL, OPTION_EXPECT},
        {"yes", no_argument, NULL, OPTION_YES},
        {"wait", no_argument, NULL, OPTION_WAIT},
        {"no-wait", no_argument, NULL, OPTION_NO_WAIT},
        CLI_LONG_OPTIONS,
    };
    struct erase_request request = {.expected = ACTA_EXPECT_ANY};
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
    if (code == EXIT_OK) {
        code = take_arguments(&request, cli, argc - optind, argv + optind);
    }
    return code == EXIT_OK ? erase(cli, &request) : code;
}
