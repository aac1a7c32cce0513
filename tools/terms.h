/* On what terms an append is made, as the options say it: --check, --if-none
 * with --after, --lease, --checkpoint, --command and --unseen. One thread.
 */

#ifndef ACTA_TERMS_H
#define ACTA_TERMS_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"
#include "limit.h"

enum terms_option {
    TERMS_CHECK = FILTER_NEXT,
    TERMS_IF_NONE,
    TERMS_AFTER,
    TERMS_COMMAND,
    TERMS_UNSEEN,
    TERMS_LEASE,
    TERMS_CHECKPOINT,
    TERMS_NEXT, /* The first that is free for others. */
};

#define TERMS_LONG_OPTIONS                                                     \
    {"check", required_argument, NULL, TERMS_CHECK},                           \
        {"if-none", required_argument, NULL, TERMS_IF_NONE},                   \
        {"after", required_argument, NULL, TERMS_AFTER},                       \
        {"command", required_argument, NULL, TERMS_COMMAND},                   \
        {"lease", required_argument, NULL, TERMS_LEASE},                       \
        {"checkpoint", required_argument, NULL, TERMS_CHECKPOINT},             \
    {                                                                          \
        "unseen", required_argument, NULL, TERMS_UNSEEN                        \
    }

#define TERMS_HELP                                                             \
    "  --check STREAM=VERSION\n"                                               \
    "                     refuse it unless this other stream is at VERSION,\n" \
    "                     as with --expect; may be repeated\n"                 \
    "  --if-none QUERY    refuse it if an event matches QUERY, which is "      \
    "what\n"                                                                   \
    "                     acta query takes, as one text: '--type SeatTaken\n"  \
    "                     --tag seat:7'; may be repeated\n"                    \
    "  --after POSITION   let the --if-none before it leave out the events "   \
    "up\n"                                                                     \
    "                     to POSITION, which acta query has told\n"            \
    "  --command UUID     count once by this id, whatever the events are\n"    \
    "  --unseen COUNT     if it is refused, print up to COUNT events that "    \
    "the\n"                                                                    \
    "                     versions and positions given did not know of\n"      \
    "  --lease NAME=FENCE refuse it unless the lease is held under FENCE\n"    \
    "  --checkpoint NAME=EPOCH:[FROM:]TO\n"                                    \
    "                     move the consumer's checkpoint to TO in the same\n"  \
    "                     moment; refuse it if the epoch is over, or it is\n"  \
    "                     not at FROM\n"

struct terms_check {
    const char *stream; /* In the program's arguments. */
    int64_t expected;
};

struct terms_condition {
    const char *text;
    struct filter filter;
    uint64_t after;
};

struct terms_lease {
    const char *name;
    uint64_t fence;
};

struct terms_checkpoint {
    const char *consumer;
    uint64_t epoch;
    uint64_t from; /* ACTA_FROM_ANY */
    uint64_t to;
};

#define TERMS_EFFECTS_MAX 100 /* Of a kind. */

struct terms {
    struct terms_check checks[ACTA_APPEND_CHECKS_MAX];
    size_t checks_count;
    struct terms_condition conditions[ACTA_APPEND_CONDITIONS_MAX];
    size_t conditions_count;
    struct terms_lease leases[TERMS_EFFECTS_MAX];
    size_t leases_count;
    struct terms_checkpoint checkpoints[TERMS_EFFECTS_MAX];
    size_t checkpoints_count;
    struct acta_id command_id;
    bool has_command_id;
    uint64_t unseen_max; /* Events; 0: none are wanted. */
};

void terms_init(struct terms *terms);
void terms_fini(struct terms *terms);

/* Take @option, if it is one of these, with its value in optarg. *@taken says
 * whether it is. EXIT_OK, or what to exit with: that is told.
 */
int terms_option(struct terms *terms, const struct cli *cli, int option,
                 bool *taken);

/* True if there is a check, a condition or a checkpoint. */
bool terms_judge(const struct terms *terms);

/* Make @append on these terms. */
void terms_put(const struct terms *terms, struct acta_append *append);

#endif
