#include "due.h"

#include <stdio.h>

#include "out.h"
#include "when.h"

int
due_take(struct due *due, const struct cli *cli, bool is_delay,
         const char *text)
{
    uint64_t span;

    if (due->is_given) {
        return cli_usage(cli, "--at or --delay, once");
    }
    due->is_given = true;
    due->is_delay = is_delay;
    if (is_delay) {
        return when_parse_span(text, NULL, &due->us)
                   ? EXIT_OK
                   : cli_usage(cli, "--delay %s: not a time such as 90s or 2h",
                               text);
    }
    /* A span would be one into the past. */
    return !when_parse_span(text, "us", &span) &&
                   when_parse_time(text, when_now_us(), &due->us)
               ? EXIT_OK
               : cli_usage(cli,
                           "--at %s: not a time such as 2026-11-21 or "
                           "2026-11-21T22:22:36Z",
                           text);
}

void
due_put(const struct due *due, struct acta_append *append, const char *name,
        const struct acta_append *what)
{
    if (what == NULL && due->is_delay) {
        acta_append_move_schedule_in(append, name, due->us / 1000);
    } else if (what == NULL) {
        acta_append_move_schedule(append, name, due->us);
    } else if (due->is_delay) {
        acta_append_schedule_in(append, name, due->us / 1000, what);
    } else {
        acta_append_schedule(append, name, due->us, what);
    }
}

void
due_describe(const struct due *due, char text[static DUE_TEXT_SIZE])
{
    char time[WHEN_SIZE];

    if (due->is_delay && due->us == 0) {
        snprintf(text, DUE_TEXT_SIZE, "at once");
    } else if (due->is_delay) {
        when_format_span(due->us, time);
        snprintf(text, DUE_TEXT_SIZE, "in %s", time);
    } else {
        out_time_short(due->us, time);
        snprintf(text, DUE_TEXT_SIZE, "at %s", time);
    }
}
