#include <stdint.h>

#include "cmd.h"
#include "out.h"

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
