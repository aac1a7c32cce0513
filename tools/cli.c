#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"
#include "when.h"

#define TIMEOUT_MAX_US UINT64_C(60000000000000) /* Nearly two years. */

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

    if (!when_parse_span(text, NULL, &us) || us < 1000 || us > TIMEOUT_MAX_US) {
        cli_error(ACTA_INVALID,
                  "--timeout %s: not a time such as 500ms, 10s or 2min", text);
        return stop_with(EXIT_USAGE);
    }
    ms = us / 1000;
    cli->options.timeout_ms = ms;
    if (cli->options.connect_timeout_ms > ms) {
        cli->options.connect_timeout_ms = ms;
    }
    return 0;
}

/* What getopt would say itself, if it could say it to programs. @word was read
 * last.
 */
static void
tell_option(const char *word)
{
    static const char wrong[] =
        "there is no such option, or its value is missing";

    if (optopt > 0 && optopt < 128 && strncmp(word, "--", 2) != 0) {
        cli_error(ACTA_INVALID, "-%c: %s", optopt, wrong);
    } else {
        cli_error(ACTA_INVALID, "%s: %s", word, wrong);
    }
}

/* Deal with an option of all, of which @word was read last; 0 if there is more
 * to read.
 */
static int
common_option(struct cli *cli, int option, const char *word)
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
        cli_talk_json();
        return 0;
    case CLI_NO_COLOR:
        cli->color = false;
        return 0;
    case CLI_VERSION:
        printf("acta %s\n", acta_version());
        return stop_with(EXIT_OK);
    case 'h':
        help_print(cli->cmd);
        return stop_with(EXIT_OK);
    case '?':
        if (opterr == 0) {
            tell_option(word);
        }
        cli_hint_help(cli);
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
        option = common_option(cli, option, argv[optind - 1]);
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
        cli_error(ACTA_INVALID,
                  "%s %s: not a number from %" PRIu64 " to %" PRIu64, what,
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
    cli_error(ACTA_INVALID,
              "%s %s: not a UUID such as "
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
        cli_error(ACTA_INVALID, "%s: this is for ever", what);
        cli_hint("--yes says that it is meant");
        return EXIT_USAGE;
    }
    fprintf(stderr, "%s? This is for ever. [y/N] ", what);
    if (fgets(answer, sizeof(answer), stdin) != NULL &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0)) {
        return EXIT_OK;
    }
    cli_error(ACTA_CANCELLED, "nothing was done");
    return EXIT_OTHER;
}

/* ---- output ---- */

int
cli_flush(void)
{
    static bool told;
    int error = fflush(stdout) == 0 ? 0 : errno;

    if (error == 0 && !ferror(stdout)) {
        return EXIT_OK;
    }
    if (!told) {
        told = true;
        /* That some of it was lost before is all that is known else. */
        cli_error(ACTA_IO, "stdout: %s", strerror(error == 0 ? EIO : error));
    }
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
