/* Which events a command is about: a stream and the options --category,
 * --type, --tag, --stream and --corr, made into a query. One thread.
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
    FILTER_NEXT, /* The first that is free for others. */
};

#define FILTER_LONG_OPTIONS                                                    \
    {"all", no_argument, NULL, FILTER_ALL},                                    \
        {"category", required_argument, NULL, FILTER_CATEGORY},                \
        {"type", required_argument, NULL, FILTER_TYPE},                        \
        {"tag", required_argument, NULL, FILTER_TAG},                          \
        {"stream", required_argument, NULL, FILTER_STREAM},                    \
    {                                                                          \
        "corr", required_argument, NULL, FILTER_CORR                           \
    }

/* For the help of commands that take them. */
#define FILTER_HELP                                                            \
    "  --all              all events (the default without a STREAM)\n"         \
    "  --category NAME    streams whose name up to the first - is NAME\n"      \
    "  --type NAME        events of this type\n"                               \
    "  --tag TEXT         events with this tag\n"                              \
    "  --stream NAME      this stream; more than one may be named\n"           \
    "  --corr UUID        events with this correlation id\n"                   \
    "                     Of one kind, any that is given is enough (of tags\n" \
    "                     an event must have all); of different kinds, each\n" \
    "                     must be met.\n"

struct filter {
    struct acta_query *query; /* owned */
    const char *stream;       /* One alone, that can be read by version. */
    bool all;
    bool used; /* Something was named. */
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

/* NULL: all events. */
const struct acta_query *filter_query(const struct filter *filter);

/* What to read: a stream by version where it is all that is named, the
 * database by position else.
 */
struct acta_read filter_read(const struct filter *filter);

#endif
