#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"

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
    int flushed = cli_flush();

    return code == EXIT_OK ? flushed : code;
}

/* Go from word to word, "consumer", "parked", "ls", until one has no verbs but
 * something to run. Options of all may stand in front of each.
 */
static int
run(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    static char program[] = "acta"; /* In getopt's own messages. */
    const struct cmd *all = cmds;
    const struct cmd *cmd;

    do {
        argv[0] = program;
        optind = 0; /* Let getopt start anew. */
        if (cli_option(cli, argc, argv, "+" CLI_SHORT_OPTIONS, options) !=
            CLI_END) {
            return cli_option_exit();
        }
        if (optind == argc) {
            help_print(cli->cmd);
            return EXIT_USAGE;
        }
        cmd = cmd_find(all, argv[optind]);
        if (cmd == NULL) {
            return cli_usage(cli, "there is no command %s%s%s",
                             cli->cmd == NULL ? "" : cli->cmd->name,
                             cli->cmd == NULL ? "" : " ", argv[optind]);
        }
        cli->cmd = cmd;
        all = cmd->verbs;
        argc -= optind;
        argv += optind;
    } while (all != NULL);
    argv[0] = program;
    optind = 0;
    return cmd->run(cli, argc, argv);
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
