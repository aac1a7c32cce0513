/* What the parts of acta say to people, said to nobody: for targets that give
 * them millions of wrong texts.
 */

#include "cmd.h"
#include "fuzz.h"
#include "out.h"

void
cli_error(enum acta_code code, const char *fmt, ...)
{
    (void)fmt;
    FUZZ_PROMISE(code != ACTA_OK);
}

void
cli_hint(const char *fmt, ...)
{
    (void)fmt;
}

void
cli_note(const struct cli *cli, const char *fmt, ...)
{
    (void)cli;
    (void)fmt;
}

int
cli_usage(const struct cli *cli, const char *fmt, ...)
{
    (void)cli;
    (void)fmt;
    return EXIT_USAGE;
}

int
cli_fail(const char *what, const struct acta_err *err)
{
    (void)what;
    FUZZ_PROMISE(err->code != ACTA_OK);
    return EXIT_OTHER;
}

bool
cli_id(const char *what, const char *text, struct acta_id *id)
{
    (void)what;
    return acta_id_parse(id, text);
}

const char *
out_state(enum acta_stream_state state)
{
    (void)state;
    return "live";
}
