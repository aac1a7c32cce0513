#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"
#include "when.h"

#define TIMEOUT_MAX_US UINT64_C(60000000000000) /* Nearly two years. */

/* ---- talk ---- */

static void say(const char *before, const char *fmt, va_list args)
    ACTA_PRINTF(2, 0);

static void
say(const char *before, const char *fmt, va_list args)
{
    /* What was printed comes first, also where both go to one place. */
    fflush(stdout);
    fputs(before, stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

void
cli_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say("acta: ", fmt, args);
    va_end(args);
}

void
cli_hint(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say("hint: ", fmt, args);
    va_end(args);
}

void
cli_note(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (!cli->quiet) {
        say("", fmt, args);
    }
    va_end(args);
}

int
cli_usage(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say("acta: ", fmt, args);
    va_end(args);
    if (cli->cmd != NULL) {
        fprintf(stderr, "usage: acta %s %s\n", cli->cmd->name,
                cli->cmd->synopsis);
        cli_hint("acta help %s", cli->cmd->name);
    } else {
        cli_hint("acta help");
    }
    return EXIT_USAGE;
}

int
cli_exit_code(enum acta_code code)
{
    switch (code) {
    case ACTA_OK:
        return EXIT_OK;
    case ACTA_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case ACTA_CONFLICT:
    case ACTA_UNDECIDED:
        return EXIT_CONFLICT;
    case ACTA_INVALID:
    case ACTA_TOO_LARGE:
        return EXIT_USAGE;
    case ACTA_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case ACTA_TIMEOUT:
    case ACTA_UNKNOWN:
        return EXIT_TIMEOUT;
    case ACTA_CORRUPT:
        return EXIT_CORRUPT;
    case ACTA_BUSY:
    case ACTA_FULL:
    case ACTA_STOPPING:
        return EXIT_NOT_READY;
    case ACTA_MEMORY:
    case ACTA_IO:
    case ACTA_PARTIAL_REPEAT:
    case ACTA_ID_REUSED:
    case ACTA_TOMBSTONED:
    case ACTA_PROTOCOL:
    case ACTA_UNSUPPORTED:
    case ACTA_CANCELLED:
    case ACTA_IN_USE:
        break;
    }
    return EXIT_OTHER;
}

int
cli_fail(const char *what, const struct acta_err *err)
{
    if (what != NULL) {
        cli_error("%s: %s", what, err->text);
    } else {
        cli_error("%s", err->text);
    }
    if (err->code == ACTA_UNREACHABLE) {
        cli_hint("is a server running there? actad --dev starts one to try "
                 "out, -s acta://HOST:PORT names another");
    } else if (err->code == ACTA_UNKNOWN) {
        cli_hint("it may have been done: the same again with the same --id "
                 "counts once");
    } else if (err->code == ACTA_TOMBSTONED) {
        cli_hint("it takes no event any more, for ever; acta erase still works "
                 "on those it has");
    } else if (err->code == ACTA_FULL) {
        cli_hint("reading goes on; appends work again when there is room");
    }
    return cli_exit_code(err->code);
}

/* ---- options ---- */

static int option_exit;

static int
stop_with(int code)
{
    option_exit = code;
    return CLI_STOP;
}

int
cli_option_exit(void)
{
    return option_exit;
}

static int
set_timeout(struct cli *cli, const char *text)
{
    uint64_t us, ms;

    if (!when_parse_span(text, "ms", &us) || us < 1000 || us > TIMEOUT_MAX_US) {
        cli_error("--timeout %s: not a time such as 500ms, 10s or 2min", text);
        return stop_with(EXIT_USAGE);
    }
    ms = us / 1000;
    cli->options.timeout_ms = ms;
    if (cli->options.connect_timeout_ms > ms) {
        cli->options.connect_timeout_ms = ms;
    }
    return 0;
}

/* Deal with an option of all; 0 if there is more to read. */
static int
common_option(struct cli *cli, int option)
{
    switch (option) {
    case 's':
        cli->options.url = optarg;
        return 0;
    case 'q':
        cli->quiet = true;
        return 0;
    case CLI_TIMEOUT:
        return set_timeout(cli, optarg);
    case CLI_JSON:
        cli->json = true;
        cli->out = &out_json;
        return 0;
    case CLI_NO_COLOR:
        cli->color = false;
        return 0;
    case CLI_VERSION:
        printf("acta %s\n", acta_version());
        return stop_with(EXIT_OK);
    case 'h':
        if (cli->cmd != NULL) {
            help_cmd(cli->cmd);
        } else {
            help_overview();
        }
        return stop_with(EXIT_OK);
    case '?':
        cli_hint(cli->cmd != NULL ? "acta help %s" : "acta help",
                 cli->cmd != NULL ? cli->cmd->name : "");
        return stop_with(EXIT_USAGE);
    default:
        return option;
    }
}

int
cli_option(struct cli *cli, int argc, char **argv, const char *letters,
           const struct option *options)
{
    int option;

    while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        option = common_option(cli, option);
        if (option != 0) {
            return option;
        }
    }
    return CLI_END;
}

bool
cli_number(const char *what, const char *text, uint64_t min, uint64_t max,
           uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text < '0' ||
        *text > '9' || *number < min || *number > max) {
        cli_error("%s %s: not a number from %" PRIu64 " to %" PRIu64, what,
                  text, min, max);
        return false;
    }
    return true;
}

bool
cli_id(const char *what, const char *text, struct acta_id *id)
{
    if (acta_id_parse(id, text)) {
        return true;
    }
    cli_error("%s %s: not a UUID such as "
              "0190163d-8694-739b-aea5-966c26f8ad91",
              what, text);
    return false;
}

/* ---- questions ---- */

int
cli_confirm(const char *what)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        cli_error("%s: this is for ever", what);
        cli_hint("--yes says that it is meant");
        return EXIT_USAGE;
    }
    fprintf(stderr, "%s? This is for ever. [y/N] ", what);
    if (fgets(answer, sizeof(answer), stdin) != NULL &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0)) {
        return EXIT_OK;
    }
    cli_error("nothing was done");
    return EXIT_OTHER;
}

/* ---- connection ---- */

int
cli_connect(struct cli *cli)
{
    struct acta_err err;

    if (cli->sync != NULL) {
        return EXIT_OK;
    }
    if (acta_sync_open(&cli->sync, &cli->options, &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    return EXIT_OK;
}
