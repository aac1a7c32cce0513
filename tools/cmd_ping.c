/* ping and status. */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd.h"
#include "out.h"

#define COUNT_MAX 1000000

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;

    return (*left > *right) - (*left < *right);
}

/* Measure @count round trips to @times_us. */
static enum acta_code
measure(struct acta_sync *sync, uint64_t *times_us, uint64_t count,
        uint64_t *head, struct acta_err *err)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t before_ns = now_ns();
        enum acta_code code = acta_sync_ping(sync, head, err);

        if (code != ACTA_OK) {
            return code;
        }
        times_us[i] = (now_ns() - before_ns) / 1000;
    }
    return ACTA_OK;
}

static int
ping(struct cli *cli, uint64_t count)
{
    uint64_t *times_us = calloc(count, sizeof(*times_us));
    uint64_t head = 0;
    struct acta_err err;
    int code = EXIT_OK;

    if (times_us == NULL) {
        cli_error(ACTA_MEMORY, "out of memory");
        return EXIT_OTHER;
    }
    if (measure(cli->sync, times_us, count, &head, &err) != ACTA_OK) {
        code = cli_fail(NULL, &err);
    } else {
        qsort(times_us, count, sizeof(*times_us), compare);
        cli->out->ping(cli, &(struct out_ping){
                                .head = head,
                                .count = count,
                                .min_us = times_us[0],
                                .p50_us = times_us[count / 2],
                                .p90_us = times_us[count * 90 / 100],
                                .p99_us = times_us[count * 99 / 100],
                                .max_us = times_us[count - 1],
                            });
    }
    free(times_us);
    return code;
}

int
cmd_ping(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        CLI_LONG_OPTIONS,
    };
    uint64_t count = 1;
    int option, code;

    while ((option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (!cli_number("-n", optarg, 1, COUNT_MAX, &count)) {
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        return cli_usage(cli, "%s: no argument is expected", argv[optind]);
    }
    code = cli_connect(cli);
    return code == EXIT_OK ? ping(cli, count) : code;
}

int
cmd_status(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    const struct acta_status *status;
    struct acta_err err;
    int code;

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    if (optind < argc) {
        return cli_usage(cli, "%s: no argument is expected", argv[optind]);
    }
    code = cli_connect(cli);
    if (code != EXIT_OK) {
        return code;
    }
    if (acta_sync_status(cli->sync, &status, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    cli->out->status(cli, acta_sync_server(cli->sync), status);
    return EXIT_OK;
}
