/* restore: a server's data directory from a backup. No server is asked. */

#include <inttypes.h>
#include <stdio.h>

#include "archive.h"
#include "cmd.h"
#include "progress.h"
#include "restore.h"
#include "when.h"

/* Address space for the store: a multiple of the archive, since LMDB needs room
 * for pages that it writes anew, and its pages are not full.
 */
#define MAP_FACTOR 4
#define MAP_MORE   ((uint64_t)1 << 30)

static void
on_problem(void *user, const struct acta_err *what)
{
    (void)user;
    cli_error(what->code, "%s", what->text);
}

static void
print_restored(const struct cli *cli, const char *dir,
               const struct restore_report *report, double seconds)
{
    char id[UUID_TEXT_SIZE];

    uuid_format(report->database.bytes, id);
    if (cli->json) {
        printf("{\"database\":\"%s\",\"position\":%" PRIu64
               ",\"sequence\":%" PRIu64 ",\"time_us\":%" PRIu64
               ",\"seconds\":%.3f}\n",
               id, report->position, report->sequence, report->time_us,
               seconds);
        return;
    }
    if (report->position == 0) {
        printf("%s: restored, without events, in %.1f s\n", dir, seconds);
    } else {
        printf("%s: restored positions 1 to %" PRIu64 " in %.1f s\n", dir,
               report->position, seconds);
    }
    cli_note(cli,
             "it is database %s from now on: actad --data-dir %s serves it", id,
             dir);
}

static int
restore(struct cli *cli, const char *from, struct restore_options *options)
{
    struct restore_report report;
    struct progress progress;
    struct archive archive;
    struct acta_err err;
    enum acta_code code = archive_open(&archive, from, &err);

    if (code == ACTA_OK) {
        uint64_t whole = archive_size(&archive);

        options->map_size = (size_t)(MAP_FACTOR * whole + MAP_MORE);
        options->progress = progress_add;
        options->problem = on_problem;
        options->user = &progress;
        progress_start(&progress, !cli->quiet && !cli->json);
        progress_expect(&progress, archive_last(&archive)->position, whole);
        code = restore_database(&archive, options, &report, &err);
        progress_end(&progress);
    }
    archive_close(&archive);
    if (code == ACTA_FULL) { /* No server's disk is, which a hint would tell. */
        cli_error(code, "%s: %s", options->dir, err.text);
        return cli_exit_code(code);
    }
    if (code != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    print_restored(cli, options->dir, &report, progress_seconds(&progress));
    return EXIT_OK;
}

enum option_restore {
    OPTION_TO_POSITION = CLI_FIRST,
    OPTION_UNTIL,
};

int
cmd_restore(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"to-position", required_argument, NULL, OPTION_TO_POSITION},
        {"until", required_argument, NULL, OPTION_UNTIL},
        CLI_LONG_OPTIONS,
    };
    struct restore_options restoring = {.position_max = UINT64_MAX,
                                        .time_max_us = UINT64_MAX};
    int option;

    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (option == OPTION_TO_POSITION) {
            if (!cli_number("--to-position", optarg, 0, UINT64_MAX,
                            &restoring.position_max)) {
                return EXIT_USAGE;
            }
        } else if (!when_parse_time(optarg, when_now_us(),
                                    &restoring.time_max_us)) {
            return cli_usage(cli,
                             "--until %s: not a time such as 2h or "
                             "2026-11-21T22:22",
                             optarg);
        }
    }
    if (optind != argc - 2) {
        return cli_usage(cli, "a backup and a directory are expected");
    }
    restoring.dir = argv[optind + 1];
    return restore(cli, argv[optind], &restoring);
}
