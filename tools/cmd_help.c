#include <stdio.h>

#include "cmd.h"
#include "out.h"

static const char common_options[] =
    "  -s, --server URL   acta://HOST[:PORT] (else ACTA_SERVER, else\n"
    "                     acta://127.0.0.1:2282)\n"
    "  --timeout TIME     give up after this long, such as 500ms or 10s (30s)\n"
    "  --json             one JSON object a line, also of what goes to stderr\n"
    "  --no-color         no colours (nor with NO_COLOR, or without a "
    "terminal)\n"
    "  -q, --quiet        no talk but errors\n"
    "  --version          print the version\n"
    "  -h, --help         print help\n";

static const char exit_codes[] =
    "  0 ok            3 not found           6 cannot connect   9 not ready\n"
    "  1 other error   4 conflict            7 timeout\n"
    "  2 usage         5 no permission       8 damaged data\n";

static void
print_overview(void)
{
    puts("usage: acta [OPTION...] COMMAND [ARGUMENT...]\n");
    for (const struct cmd *cmd = cmds; cmd->name != NULL; cmd++) {
        printf("  %-10s %-26s %s\n", cmd->name, cmd->synopsis, cmd->summary);
    }
    printf("\nOptions of all commands:\n%s", common_options);
    printf("\nExit codes:\n%s", exit_codes);
    puts("\nMore: acta help COMMAND, man acta");
}

/* A verb and its arguments on one line, what it does on the next. */
static void
print_verbs(const struct cmd *cmd)
{
    putchar('\n');
    for (const struct cmd *verb = cmd->verbs; verb->name != NULL; verb++) {
        printf("  %s%s%s\n      %s\n", cmd_word(verb),
               *verb->synopsis == '\0' ? "" : " ", verb->synopsis,
               verb->summary);
    }
    printf("\nMore: acta help %s VERB\n", cmd->name);
}

static void
print_cmd(const struct cmd *cmd)
{
    printf("usage: acta %s%s%s%s\n\n%s: %s\n", cmd->name,
           cmd->verbs == NULL ? " [OPTION...]" : "",
           *cmd->synopsis == '\0' ? "" : " ", cmd->synopsis, cmd->name,
           cmd->summary);
    if (*cmd->help != '\0') {
        printf("\n%s", cmd->help);
    }
    if (cmd->verbs != NULL) {
        print_verbs(cmd);
    } else {
        printf("\nOptions of all commands:\n%s", common_options);
    }
}

void
help_print(const struct cmd *cmd)
{
    if (cmd == NULL) {
        print_overview();
    } else {
        print_cmd(cmd);
    }
}

int
cmd_help(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    const struct cmd *all = cmds;
    const struct cmd *cmd = NULL;

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    for (; optind < argc; optind++) {
        cmd = all == NULL ? NULL : cmd_find(all, argv[optind]);
        if (cmd == NULL) {
            return cli_usage(cli, "there is no command %s", argv[optind]);
        }
        all = cmd->verbs;
    }
    help_print(cmd);
    return EXIT_OK;
}

int
cmd_errors(struct cli *cli, int argc, char **argv)
{
    static const enum acta_code codes[] = {
#define X(name, number, remedy, text) ACTA_##name,
        ACTA_CODES(X)
#undef X
    };
    static const struct option options[] = {CLI_LONG_OPTIONS};

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    if (optind < argc) {
        return cli_usage(cli, "%s: no argument is expected", argv[optind]);
    }
    if (!cli->json) {
        puts("CODE  NAME             REMEDY   EXIT  MEANING");
    }
    for (size_t i = 1; i < sizeof(codes) / sizeof(codes[0]); i++) {
        cli->out->code(cli, codes[i]);
    }
    return EXIT_OK;
}
