#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "filter.h"
#include "out.h"

const struct cmd cmds[] = {
    {"ping", "[-n COUNT]", "is the server there, and how far away",
     "  -n, --count COUNT  round trips to measure (1)\n", cmd_ping},
    {"status", "", "how the server is", "", cmd_status},
    {"append", "STREAM TYPE [DATA|-|@FILE]", "append an event, durably",
     "DATA that is JSON is stored as JSON, other data as it is; - is stdin.\n"
     "\n"
     "  --expect VERSION   append only if the stream is at VERSION (0: has no\n"
     "                     events), or \"exists\", or \"any\" (the default);\n"
     "                     exit code 4 if it is not\n"
     "  --id UUID          the event's id: appended again with the same id it\n"
     "                     counts once\n"
     "  --meta JSON|@FILE  metadata\n"
     "  --tag TEXT         a tag; may be given up to 32 times\n"
     "  --corr UUID        correlation id\n"
     "  --cause UUID       causation id\n"
     "  --format FORMAT    json, binary or msgpack, whatever it looks like\n"
     "  --ndjson           many events from stdin, a line each as acta import\n"
     "                     takes them: all are appended, or none\n",
     cmd_append},
    {"read", "[STREAM]", "print events, from the first or backward",
     "  -n, --count COUNT  this many at most\n"
     "  --from NUMBER      begin at this version of STREAM, or at this\n"
     "                     position of the database\n"
     "  -r, --reverse      backward, from the last or from "
     "--from\n" FILTER_HELP,
     cmd_read},
    {"tail", "[STREAM]", "print the last events, and follow with -f",
     "  -n, --count COUNT  begin with the last COUNT (20)\n"
     "  -f, --follow       go on with those that come, until Ctrl-C; each\n"
     "                     event once, also when the server is "
     "restarted\n" FILTER_HELP,
     cmd_tail},
    {"event", "ID | STREAM VERSION", "print all there is of one event", "",
     cmd_event},
    {"streams", "[PREFIX]", "list streams: version, last event, name",
     "  -n, --count COUNT  this many at most\n", cmd_streams},
    {"import", "FILE|-", "append events from NDJSON; may be repeated",
     "A line is an object with stream, type and data, and if wanted tags,\n"
     "metadata, id, correlation_id, causation_id and expected. data and\n"
     "metadata are stored byte for byte as they stand in the line; bytes that\n"
     "are no JSON are data_base64, with format.\n"
     "\n"
     "Imported twice, or again after it was cut short, every event is there\n"
     "once: a line without an id gets one made of its text and its number,\n"
     "whatever the file is called. Files of which lines may be equal and yet\n"
     "other events, such as two days' logs, are told apart by --source.\n"
     "\n"
     "  --dry-run          check all lines, append nothing\n"
     "  --clients COUNT    connections (1); with one, positions follow the\n"
     "                     order of the file; with more, only versions do\n"
     "  --batch COUNT      events an append at most (1000)\n"
     "  --prefix TEXT      put TEXT in front of the streams' names\n"
     "  --source NAME      name of what is imported, for the ids (none)\n"
     "  --continue         go on after lines that are wrong; the exit code is\n"
     "                     1 all the same\n",
     cmd_import},
    {"export", "[STREAM]", "write events as NDJSON that import takes",
     FILTER_HELP, cmd_export},
    {"errors", "", "list the errors, and what to do about each", "",
     cmd_errors},
    {"help", "[COMMAND]", "explain a command", "", cmd_help},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct cmd *
cmd_find(const char *name)
{
    for (const struct cmd *cmd = cmds; cmd->name != NULL; cmd++) {
        if (strcmp(cmd->name, name) == 0) {
            return cmd;
        }
    }
    return NULL;
}

/* Colours are for a terminal that wants them: no-color.org. */
static bool
wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

static void
init(struct cli *cli)
{
    const char *server = getenv("ACTA_SERVER");

    *cli = (struct cli){.out = &out_text, .color = wants_color()};
    cli->options = acta_options_of(
        server != NULL && *server != '\0' ? server : "acta://127.0.0.1:2282");
    cli->options.name = "acta";
}

/* Output that could not be written is a failure, except to a pipe whose reader
 * has enough: that ends the program by SIGPIPE, without a word.
 */
static int
finish_output(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("acta: stdout");
        return code == EXIT_OK ? EXIT_OTHER : code;
    }
    return code;
}

static int
run(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    static char program[] = "acta"; /* In getopt's own messages. */
    const char *name;

    argv[0] = program;
    /* Up to the first that is no option: the subcommand. */
    if (cli_option(cli, argc, argv, "+" CLI_SHORT_OPTIONS, options) !=
        CLI_END) {
        return cli_option_exit();
    }
    if (optind == argc) {
        help_overview();
        return EXIT_USAGE;
    }
    name = argv[optind];
    cli->cmd = cmd_find(name);
    if (cli->cmd == NULL) {
        return cli_usage(cli, "there is no command %s", name);
    }
    argc -= optind;
    argv += optind;
    argv[0] = program;
    optind = 0; /* Let getopt start anew. */
    return cli->cmd->run(cli, argc, argv);
}

int
main(int argc, char **argv)
{
    struct cli cli;
    int code;

    signal(SIGPIPE, SIG_DFL);
    init(&cli);
    code = run(&cli, argc, argv);
    acta_sync_close(cli.sync);
    return finish_output(code);
}
