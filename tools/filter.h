/* Which events a command is about: a stream and the options --category,
 * --type, --tag, --stream, --corr and --or, made into a query; and --since, the
 * time to begin at. The same options written as one text, without --since, are
 * what --if-none takes. One thread.
 */

#ifndef ACTA_FILTER_H
#define ACTA_FILTER_H

#include <acta/acta.h>
#include <stdbool.h>

#include "cmd.h"

enum filter_option {
    FILTER_ALL = CLI_FIRST,
    FILTER_CATEGORY,
    FILTER_TYPE,
    FILTER_TAG,
    FILTER_STREAM,
    FILTER_CORR,
    FILTER_OR,
    FILTER_SINCE,
    FILTER_NEXT, /* The first that is free for others. */
};

#define FILTER_LONG_OPTIONS                                                    \
    {"all", no_argument, NULL, FILTER_ALL},                                    \
        {"category", required_argument, NULL, FILTER_CATEGORY},                \
        {"type", required_argument, NULL, FILTER_TYPE},                        \
        {"tag", required_argument, NULL, FILTER_TAG},                          \
        {"stream", required_argument, NULL, FILTER_STREAM},                    \
        {"corr", required_argument, NULL, FILTER_CORR},                        \
        {"correlation", required_argument, NULL, FILTER_CORR},                 \
        {"or", no_argument, NULL, FILTER_OR},                                  \
    {                                                                          \
        "since", required_argument, NULL, FILTER_SINCE                         \
    }

/* For the help of commands that take them. */
#define FILTER_HELP                                                            \
    "  --all              all events (the default where nothing is named)\n"   \
    "  --category NAME    streams whose name up to the first - is NAME\n"      \
    "  --type NAME        this type; NAME* are all that begin so\n"            \
    "  --tag TEXT         events with this tag\n"                              \
    "  --stream NAME      this stream; NAME* are all that begin so\n"          \
    "  --corr UUID        this correlation id (also --correlation)\n"          \
    "  --or               or else what is named behind it\n"                   \
    "  --since TIME       stored then or later: 2h, 7d, 2026-11-21T22:22\n"    \
    "                     (UTC)\n"                                             \
    "Of one kind, any that is given is enough (of tags an event must have\n"   \
    "all); of different kinds, each must be met. A * that is itself the end\n" \
    "of a name is written \\*.\n"

struct filter {
    struct acta_query *query; /* owned */
    const char *stream;       /* One alone, that can be read by version. */
    bool all;
    bool used;      /* Something was named. */
    bool item_used; /* Behind the last --or, too. */
    bool has_or;
    bool has_since;
    uint64_t since_us; /* Since 1970. */
};

void filter_init(struct filter *filter);
void filter_fini(struct filter *filter);

/* Take @option, if it is one of these, with its value in optarg. *@taken says
 * whether it is. EXIT_OK, or what to exit with: that is told.
 */
int filter_option(struct filter *filter, int option, bool *taken);

/* Take the arguments behind the options: a stream or none. */
int filter_arguments(struct filter *filter, const struct cli *cli, int argc,
                     char **argv);

/* Take the options in @text, such as "--type OrderPaid --tag customer:7", which
 * @what was given. Blanks part them; quotes of either kind keep together what
 * has blanks. EXIT_OK, or what to exit with: that is told.
 */
int filter_parse(struct filter *filter, const char *what, const char *text);

/* NULL: all events. */
const struct acta_query *filter_query(const struct filter *filter);

/* What to read: a stream by version where it is all that is named, the
 * database by position else.
 */
struct acta_read filter_read(const struct filter *filter);

/* Ask the server behind which position --since begins; 0 without it. EXIT_OK,
 * or what to exit with: that is told.
 */
int filter_since(const struct filter *filter, struct cli *cli,
                 uint64_t *position);

/* Say why a stream that is all that is named has nothing to read. EXIT_OK if it
 * had events once, EXIT_NOT_FOUND if there is no such stream.
 */
int filter_tell_nothing(const struct filter *filter, struct cli *cli);

#endif
