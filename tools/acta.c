#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "filter.h"
#include "out.h"
#include "terms.h"

#define LIST_HELP                                                              \
    "  --prefix TEXT      the same as PREFIX: only names that begin so\n"      \
    "  -n, --count COUNT  this many at most\n"

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
     "  --atomic           many events from stdin, of one stream or several, "
     "a\n"
     "                     line each as acta import takes them: all are\n"
     "                     appended, or none\n"
     "  --ndjson           the same\n" TERMS_HELP "\n"
     "A decision is stored only if what it was made from still holds. Exit\n"
     "code 4 says that it does not, and what was found; read again and decide\n"
     "again.\n",
     cmd_append},
    {"read", "[STREAM]", "print events, from the first or backward",
     "  -n, --count COUNT  this many at most\n"
     "  --from NUMBER      begin at this version of STREAM, or at this\n"
     "                     position of the database\n"
     "  -r, --reverse      backward, from the last or from "
     "--from\n" FILTER_HELP,
     cmd_read},
    {"query", "[FILTER...]", "print what a decision is made from",
     "At the end stderr gets the position up to which these are all, or with\n"
     "-r and -n the last: append with --if-none and the same filter, --after\n"
     "that position, and it is refused if anything has come in between.\n"
     "\n"
     "  --after POSITION   only events behind it\n"
     "  -n, --count COUNT  this many at most\n"
     "  -r, --reverse      backward, from the last\n" FILTER_HELP,
     cmd_query},
    {"tail", "[STREAM]", "print the last events; follow with -f",
     "  -n, --count COUNT  begin with the last COUNT (20; with --since "
     "100000)\n"
     "  -f, --follow       go on with those that come, until Ctrl-C; each\n"
     "                     event once, also when the server is "
     "restarted\n" FILTER_HELP,
     cmd_tail},
    {"event", "ID | STREAM VERSION", "print all there is of one event", "",
     cmd_event},
    {"streams", "[PREFIX]", "list streams: version, last event, name",
     LIST_HELP, cmd_streams},
    {"categories", "[PREFIX]", "list categories: events, first, last",
     LIST_HELP, cmd_categories},
    {"types", "[PREFIX]", "list types: events, first, last", LIST_HELP,
     cmd_types},
    {"tags", "[PREFIX]", "list tags: events, first, last", LIST_HELP, cmd_tags},
    {"stream", "VERB STREAM", "show it, or say what is kept of it",
     "  show               what it is at, and what is kept of it\n"
     "  set                what is kept of it:\n"
     "    --truncate-before VERSION  hide what is before VERSION\n"
     "    --max-count COUNT          hide all but the last COUNT\n"
     "    --max-age TIME             hide what is older: 12h, 7d\n"
     "                               (COUNT or TIME 0: no such bound)\n"
     "  truncate           the same as set with --truncate-before:\n"
     "    --before VERSION           the first version that stays\n"
     "  delete             hide all its events; the next append begins it\n"
     "                     anew, and its versions go on\n"
     "  tombstone          the same, and never append to it again:\n"
     "    --yes                      without asking\n"
     "\n"
     "What is hidden never comes back. All but show take\n"
     "  --expect VERSION   only if it is at VERSION, or \"exists\"; exit code "
     "4\n"
     "                     if it is not\n",
     cmd_stream},
    {"erase", "STREAM VERSION|--all", "erase the data of events, for good",
     "Data and metadata of an event, or of all that STREAM has so far, are\n"
     "taken out of the server's files. The events stay, with their types, "
     "tags\n"
     "and ids, and are shown as erased.\n"
     "\n"
     "  --all              all events of STREAM\n"
     "  --expect VERSION   with --all: only if STREAM is at VERSION\n"
     "  --yes              without asking\n"
     "  --wait             until the bytes are gone from journal and store,\n"
     "                     which is the default\n"
     "  --no-wait          only until nobody reads them any more\n",
     cmd_erase},
    {"import", "FILE|-", "append NDJSON events; may be repeated",
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
    {"errors", "", "list the errors, and what to do", "", cmd_errors},
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
        cli_error(ACTA_IO, "stdout: %s", strerror(errno));
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

/* Also what is wrong with the words in front of --json is told to a program. */
static bool
wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

int
main(int argc, char **argv)
{
    struct cli cli;
    int code;

    signal(SIGPIPE, SIG_DFL);
    init(&cli);
    if (wants_json(argc, argv)) {
        cli_talk_json();
    }
    code = run(&cli, argc, argv);
    acta_sync_close(cli.sync);
    code = finish_output(code);
    cli_talk_end();
    return code;
}
