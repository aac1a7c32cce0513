/* consumer parked: events that a group has laid aside. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "cmd_consumer.h"
#include "limit.h"
#include "listing.h"
#include "out.h"
#include "out_named.h"
#include "out_text.h"

/* ---- ls ---- */

/* Print @count_max at most, page after page. */
static enum acta_code
print_all(struct cli *cli, const char *group, uint64_t count_max,
          struct acta_err *err)
{
    const struct acta_parked_page *page;
    enum acta_code code;
    struct table table;
    uint64_t after = 0;

    table_init(&table);
    do {
        code = acta_sync_list_parked(
            cli->sync, group, after,
            count_max < ACTA_PAGE_ROWS_MAX ? count_max : 0, &page, err);
        for (size_t i = 0; code == ACTA_OK && i < page->parked_count; i++) {
            cli->out->named->parked(cli, &table, group, page->parked[i]);
            after = page->parked[i]->position;
            if (--count_max == 0) {
                break;
            }
        }
        table_print(&table, dim(cli), plain(cli));
    } while (code == ACTA_OK && !page->at_end && count_max > 0);
    table_fini(&table);
    if (code == ACTA_OK && after == 0) {
        listing_tell_none(cli, "parked events", NULL);
    }
    return code;
}

static int
cmd_ls(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        CLI_LONG_OPTIONS,
    };
    uint64_t count_max = UINT64_MAX;
    struct acta_err err;
    int option, code;

    while ((option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (!cli_number("-n", optarg, 1, UINT64_MAX, &count_max)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "the name of one group is needed");
    }
    code = cli_connect(cli);
    if (code == EXIT_OK &&
        print_all(cli, argv[optind], count_max, &err) != ACTA_OK) {
        return consumer_refuse(argv[optind], &err);
    }
    return code;
}

/* ---- show ---- */

/* The event at @position, the caller's to free; NULL if it is hidden. */
static enum acta_code
fetch(struct cli *cli, uint64_t position, struct acta_event **event,
      struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_page *page;
    enum acta_code code;

    *event = NULL;
    read.from = position - 1;
    read.events_max = 1;
    code = acta_sync_read(cli->sync, &read, &page, err);
    if (code == ACTA_OK && page->events_count > 0 &&
        page->events[0]->position == position) {
        *event = acta_event_copy(page->events[0]);
        if (*event == NULL) {
            return acta_fail(err, ACTA_MEMORY, "out of memory");
        }
    }
    return code;
}

static int
show(struct cli *cli, const char *group, uint64_t position)
{
    const struct acta_parked_page *page;
    struct acta_event *event;
    struct acta_err err;
    int code = EXIT_OK;

    if (fetch(cli, position, &event, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    if (acta_sync_list_parked(cli->sync, group, position - 1, 1, &page, &err) !=
        ACTA_OK) {
        code = consumer_refuse(group, &err);
    } else if (page->parked_count == 0 ||
               page->parked[0]->position != position) {
        cli_error(ACTA_NOT_FOUND, "%s: position %" PRIu64 " is not parked",
                  group, position);
        cli_hint("acta consumer parked ls %s lists what is", group);
        code = EXIT_NOT_FOUND;
    } else {
        cli->out->named->parked_event(cli, group, page->parked[0], event);
    }
    acta_event_free(event);
    return code;
}

static int
cmd_show(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    uint64_t position;
    int code;

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "a group and a position are needed");
    }
    if (!cli_number("position", argv[optind + 1], 1, INT64_MAX, &position)) {
        return EXIT_USAGE;
    }
    code = cli_connect(cli);
    return code == EXIT_OK ? show(cli, argv[optind], position) : code;
}

/* ---- replay, drop ---- */

typedef enum acta_code change(struct acta_sync *sync, const char *group,
                              const uint64_t *positions, size_t count,
                              uint64_t *changed, struct acta_err *err);

struct parked_request {
    const char *group;
    uint64_t *positions; /* owned; NULL: all */
    size_t count;
    bool all;
    bool yes;
    change *make;
    const char *now; /* What has become of them. */
};

static int
tell(const struct cli *cli, const struct parked_request *request,
     uint64_t changed)
{
    uint64_t others = request->count - changed;
    char text[CONSUMER_TEXT_SIZE];

    snprintf(text, sizeof(text), "%s: %" PRIu64 " %s %s", request->group,
             changed, changed == 1 ? "event" : "events", request->now);
    if (!cli->quiet && (changed > 0 || request->all)) {
        cli->out->named->counted(cli, request->group, changed, text);
    }
    if (request->all || changed == request->count) {
        return EXIT_OK;
    }
    if (request->count == 1) {
        cli_error(ACTA_NOT_FOUND,
                  "%s: position %" PRIu64 " is not parked, or waits behind "
                  "one that is",
                  request->group, request->positions[0]);
    } else {
        cli_error(ACTA_NOT_FOUND,
                  "%s: %" PRIu64 " of these %zu positions %s not parked, or "
                  "%s behind one that is",
                  request->group, others, request->count,
                  others == 1 ? "is" : "are", others == 1 ? "waits" : "wait");
    }
    cli_hint("acta consumer parked ls %s lists what is", request->group);
    return EXIT_NOT_FOUND;
}

static int
carry_out(struct cli *cli, const struct parked_request *request)
{
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];
    uint64_t changed;
    int code = cli_connect(cli);

    if (code == EXIT_OK && request->all &&
        request->make == acta_sync_drop_parked && !request->yes) {
        snprintf(text, sizeof(text), "drop all that is parked in %s",
                 request->group);
        code = cli_confirm(text);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (request->make(cli->sync, request->group, request->positions,
                      request->count, &changed, &err) != ACTA_OK) {
        return consumer_refuse(request->group, &err);
    }
    return tell(cli, request, changed);
}

/* Positions in their order, each once. */
static int
compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static int
take_positions(struct parked_request *request, const struct cli *cli, int argc,
               char **argv)
{
    size_t kept = 0;

    if (argc == 0 || (argc > 1) == request->all) {
        return cli_usage(cli,
                         "a group is needed, and positions or --all of them");
    }
    if (argc - 1 > ACTA_SETTLE_MAX) {
        return cli_usage(cli, "more than %d positions", ACTA_SETTLE_MAX);
    }
    request->group = argv[0];
    if (request->all) {
        return EXIT_OK;
    }
    request->count = (size_t)argc - 1;
    request->positions = calloc(request->count, sizeof(uint64_t));
    if (request->positions == NULL) {
        cli_error(ACTA_MEMORY, "out of memory");
        return EXIT_OTHER;
    }
    for (size_t i = 0; i < request->count; i++) {
        if (!cli_number("position", argv[i + 1], 1, INT64_MAX,
                        &request->positions[i])) {
            return EXIT_USAGE;
        }
    }
    qsort(request->positions, request->count, sizeof(uint64_t), compare);
    for (size_t i = 0; i < request->count; i++) {
        if (kept == 0 ||
            request->positions[kept - 1] != request->positions[i]) {
            request->positions[kept++] = request->positions[i];
        }
    }
    request->count = kept;
    return EXIT_OK;
}

static int
change_command(struct cli *cli, int argc, char **argv,
               const struct option *options, struct parked_request *request)
{
    int option, code;

    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (option == CLI_FIRST) {
            request->all = true;
        } else {
            request->yes = true;
        }
    }
    code = take_positions(request, cli, argc - optind, argv + optind);
    if (code == EXIT_OK) {
        code = carry_out(cli, request);
    }
    free(request->positions);
    return code;
}

static int
cmd_replay_parked(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, CLI_FIRST},
        CLI_LONG_OPTIONS,
    };
    struct parked_request request = {
        .make = acta_sync_replay_parked,
        .now = "to be handed out again",
    };

    return change_command(cli, argc, argv, options, &request);
}

static int
cmd_drop(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"all", no_argument, NULL, CLI_FIRST},
        {"yes", no_argument, NULL, CLI_FIRST + 1},
        CLI_LONG_OPTIONS,
    };
    struct parked_request request = {
        .make = acta_sync_drop_parked,
        .now = "dropped",
    };

    return change_command(cli, argc, argv, options, &request);
}

/* ---- the table ---- */

const struct cmd parked_verbs[] = {
    {"consumer parked ls", "GROUP", "list them: where, which key, why",
     "Their state is parked; behind, if an event of the same key in front of\n"
     "it is parked; or replayed, until it is acked.\n"
     "\n"
     "  -n, --count COUNT  this many at most\n",
     cmd_ls, NULL},
    {"consumer parked show", "GROUP POSITION", "all there is of one", "",
     cmd_show, NULL},
    {"consumer parked replay", "GROUP POSITION...|--all", "hand them out again",
     "Each stays parked until it is acked; what waits behind it follows then.\n"
     "\n"
     "  --all              all that are parked\n",
     cmd_replay_parked, NULL},
    {"consumer parked drop", "GROUP POSITION...|--all",
     "be done with them; what waits behind them goes on",
     "  --all              all that are parked\n"
     "  --yes              with --all: without asking\n",
     cmd_drop, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
