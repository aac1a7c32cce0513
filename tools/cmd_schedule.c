/* schedule: appends that take place later. They are made by append. */

#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "due.h"
#include "listing.h"
#include "out.h"
#include "out_named.h"

#define TEXT_SIZE 512

enum {
    OPTION_AT = CLI_FIRST,
    OPTION_DELAY,
};

static enum acta_code
print_page(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    const struct acta_schedules *page;
    enum acta_code code = acta_sync_list_schedules(
        cli->sync, listing->prefix, listing_after(listing),
        listing_page_count(listing), &page, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < page->schedules_count && listing->count_max > 0;
         i++) {
        cli->out->named->schedule(cli, &listing->table, page->schedules[i]);
        listing_passed(listing, page->schedules[i]->name);
    }
    listing->at_end = page->at_end;
    return ACTA_OK;
}

static int
cmd_ls(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "schedules", print_page);
}

static int
tell_none(const char *name)
{
    cli_error(ACTA_NOT_FOUND, "schedule %s: there is none, or not any more",
              name);
    cli_hint("acta schedule ls lists those that there are");
    return EXIT_NOT_FOUND;
}

static int
cancel(struct cli *cli, const char *name, struct acta_append *append)
{
    const struct acta_appended *appended;
    struct acta_err err;
    char text[TEXT_SIZE];

    acta_append_cancel(append, name);
    if (acta_sync_append(cli->sync, append, &appended, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    if (appended->cancelled == 0) {
        return tell_none(name);
    }
    snprintf(text, sizeof(text), "%s: does not take place", name);
    if (!cli->quiet) {
        cli->out->named->scheduled(cli, &(struct out_scheduled){
                                            .name = name,
                                            .state = "cancelled",
                                            .text = text,
                                        });
    }
    return EXIT_OK;
}

static int
move(struct cli *cli, const char *name, const struct due *due,
     struct acta_append *append)
{
    char when[DUE_TEXT_SIZE];
    struct acta_err err;
    char text[TEXT_SIZE];

    due_put(due, append, name, NULL);
    switch ((int)acta_sync_append(cli->sync, append, NULL, &err)) {
    case ACTA_OK:
        break;
    case ACTA_CONFLICT:
        return tell_none(name);
    default:
        return cli_fail(NULL, &err);
    }
    due_describe(due, when);
    snprintf(text, sizeof(text), "%s: takes place %s", name, when);
    if (!cli->quiet) {
        cli->out->named->scheduled(cli, &(struct out_scheduled){
                                            .name = name,
                                            .state = "moved",
                                            .due = due,
                                            .text = text,
                                        });
    }
    return EXIT_OK;
}

/* Cancel it, or move it if something is due. */
static int
change(struct cli *cli, int argc, char **argv, const struct due *due)
{
    struct acta_append *append;
    int code;

    if (argc != 1) {
        return cli_usage(cli, "the name of one schedule is needed");
    }
    code = cli_connect(cli);
    if (code != EXIT_OK) {
        return code;
    }
    append = acta_append_new();
    code = due == NULL ? cancel(cli, argv[0], append)
                       : move(cli, argv[0], due, append);
    acta_append_free(append);
    return code;
}

static int
cmd_cancel(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    return change(cli, argc - optind, argv + optind, NULL);
}

static int
cmd_move(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"at", required_argument, NULL, OPTION_AT},
        {"delay", required_argument, NULL, OPTION_DELAY},
        CLI_LONG_OPTIONS,
    };
    struct due due = {0};
    int code = EXIT_OK;
    int option;

    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
               CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        code = due_take(&due, cli, option == OPTION_DELAY, optarg);
    }
    if (code == EXIT_OK && !due.is_given) {
        code = cli_usage(cli, "--at or --delay says when");
    }
    return code == EXIT_OK ? change(cli, argc - optind, argv + optind, &due)
                           : code;
}

const struct cmd schedule_verbs[] = {
    {"schedule ls", "[PREFIX]", "list them: when each is due, or why it failed",
     LISTING_HELP, cmd_ls, NULL},
    {"schedule cancel", "NAME", "let it not take place", "", cmd_cancel, NULL},
    {"schedule move", "NAME --at TIME|--delay TIME",
     "let it take place at another time",
     "One that has failed is tried again then.\n"
     "\n" DUE_HELP,
     cmd_move, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
