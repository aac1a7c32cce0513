/* To people an error is said at once, and a hint behind it. To programs it is
 * one object with its hint in it, so it is held until the hint can have come:
 * until the next is said, or cli_talk_end().
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"

static bool as_json;

/* What is held; the strings are owned. */
static struct {
    bool is_error;
    enum acta_code code;
    char *text;
    char *failures; /* A JSON array; NULL: none. */
    char *hint;
} held;

void
cli_talk_json(void)
{
    as_json = true;
    opterr = 0; /* getopt speaks to people only. */
}

/* ---- to programs ---- */

/* NULL if there is no memory. */
static char *format(const char *fmt, va_list args) ACTA_PRINTF(1, 0);

static char *
format(const char *fmt, va_list args)
{
    char *text;

    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

static void
put_text(const char *name, const char *text)
{
    fprintf(stderr, "\"%s\":", name);
    /* There may be arguments in it, which are any bytes. */
    json_write_any(stderr, slice_of(text == NULL ? "" : text));
}

void
cli_talk_end(void)
{
    /* What was printed comes first, also where both go to one place. */
    fflush(stdout);
    if (held.is_error) {
        fprintf(stderr, "{\"error\":\"%s\",", acta_code_name(held.code));
        put_text("text", held.text);
        if (held.failures != NULL) {
            fprintf(stderr, ",\"failures\":%s", held.failures);
        }
        if (held.hint != NULL) {
            fputc(',', stderr);
            put_text("hint", held.hint);
        }
        fputs("}\n", stderr);
    }
    free(held.text);
    free(held.failures);
    free(held.hint);
    memset(&held, 0, sizeof(held));
}

static void
hold(enum acta_code code, char *text)
{
    cli_talk_end();
    held.is_error = true;
    held.code = code;
    held.text = text;
}

/* Say what is no error. */
static void
say_alone(const char *name, char *text)
{
    cli_talk_end();
    fputc('{', stderr);
    put_text(name, text);
    fputs("}\n", stderr);
    free(text);
}

/* ---- to people ---- */

static void say(const char *before, const char *fmt, va_list args)
    ACTA_PRINTF(2, 0);

static void
say(const char *before, const char *fmt, va_list args)
{
    fflush(stdout);
    fputs(before, stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

/* ---- to both ---- */

void
cli_error(enum acta_code code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (as_json) {
        hold(code, format(fmt, args));
    } else {
        say("acta: ", fmt, args);
    }
    va_end(args);
}

void
cli_error_failures(const struct acta_err *err, char *failures)
{
    cli_error(err->code, "%s", err->text);
    held.failures = failures;
}

void
cli_hint(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (!as_json) {
        say("hint: ", fmt, args);
    } else if (held.is_error && held.hint == NULL) {
        held.hint = format(fmt, args);
    } else {
        say_alone("hint", format(fmt, args));
    }
    va_end(args);
}

void
cli_note(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (cli->quiet) {
        /* Nothing is said. */
    } else if (as_json) {
        say_alone("note", format(fmt, args));
    } else {
        say("", fmt, args);
    }
    va_end(args);
}

void
cli_position(uint64_t position, bool complete)
{
    cli_talk_end();
    fprintf(stderr, "{\"position\":%" PRIu64 ",\"complete\":%s}\n", position,
            complete ? "true" : "false");
}

int
cli_usage(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (as_json) {
        hold(ACTA_INVALID, format(fmt, args));
    } else {
        say("acta: ", fmt, args);
        if (cli->cmd != NULL) {
            fprintf(stderr, "usage: acta %s%s%s\n", cli->cmd->name,
                    *cli->cmd->synopsis == '\0' ? "" : " ", cli->cmd->synopsis);
        }
    }
    va_end(args);
    cli_hint_help(cli);
    return EXIT_USAGE;
}

void
cli_hint_help(const struct cli *cli)
{
    if (cli->cmd != NULL) {
        cli_hint("acta help %s", cli->cmd->name);
    } else {
        cli_hint("acta help");
    }
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
    case ACTA_FENCED:
    case ACTA_EXISTS:
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
    case ACTA_HELD:
    case ACTA_IN_USE:
        return EXIT_NOT_READY;
    case ACTA_MEMORY:
    case ACTA_IO:
    case ACTA_PARTIAL_REPEAT:
    case ACTA_ID_REUSED:
    case ACTA_TOMBSTONED:
    case ACTA_PROTOCOL:
    case ACTA_UNSUPPORTED:
    case ACTA_CANCELLED:
        break;
    }
    return EXIT_OTHER;
}

int
cli_fail(const char *what, const struct acta_err *err)
{
    if (what != NULL) {
        cli_error(err->code, "%s: %s", what, err->text);
    } else {
        cli_error(err->code, "%s", err->text);
    }
    if (err->code == ACTA_UNREACHABLE) {
        cli_hint("is a server running there? actad --dev starts one to try "
                 "out, -s acta://HOST:PORT names another");
    } else if (err->code == ACTA_PROTOCOL) {
        cli_hint("is it a server of Acta? -s acta://HOST:PORT names another");
    } else if (err->code == ACTA_UNKNOWN) {
        cli_hint("look whether it was, before it is done again");
    } else if (err->code == ACTA_TOMBSTONED) {
        cli_hint("it takes no event any more, for ever; acta erase still works "
                 "on those it has");
    } else if (err->code == ACTA_FULL) {
        cli_hint("reading goes on; appends work again when there is room");
    }
    return cli_exit_code(err->code);
}
