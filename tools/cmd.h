/* The subcommands of acta, and what they share: the options that all of them
 * take, the connection, and how a failure is told.
 *
 * A subcommand prints data on stdout and talks on stderr. It returns the exit
 * code of the program; what it opened through its struct cli is closed by
 * main(). One thread.
 */

#ifndef ACTA_CMD_H
#define ACTA_CMD_H

#include <acta/acta_sync.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the program exits with. acta.1 tells them. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_CONFLICT = 4,
    EXIT_DENIED = 5, /* Reserved for authentication. */
    EXIT_UNREACHABLE = 6,
    EXIT_TIMEOUT = 7,
    EXIT_CORRUPT = 8,
    EXIT_NOT_READY = 9,
    EXIT_INTERRUPTED = 130, /* Ctrl-C cut the work short. */
};

struct out_format;

struct cli {
    struct acta_options options; /* With the server's address. */
    const struct out_format *out;
    bool json;
    bool quiet; /* No talk but errors. */
    bool color; /* Of stdout. */
    const struct cmd *cmd;
    struct acta_sync *sync; /* owned; NULL: not connected */
};

/* A command, or a verb of one, which has all words up to its own in its name:
 * "consumer parked ls".
 */
struct cmd {
    const char *name;
    const char *synopsis; /* Of its arguments. */
    const char *summary;  /* A line. */
    const char *help;     /* Its options and what else is to be known. */
    int (*run)(struct cli *cli, int argc, char **argv); /* NULL: has verbs. */
    const struct cmd *verbs; /* As cmds; NULL: none. */
};

extern const struct cmd cmds[]; /* The last one has no name. */

/* The one of @all that is called @word; NULL if there is none. */
const struct cmd *cmd_find(const struct cmd *all, const char *word);

/* What a command is called among its like: "ls". */
const char *cmd_word(const struct cmd *cmd);

/* ---- options ---- */

/* The options of all subcommands, for the end of a table of getopt_long(). */
#define CLI_LONG_OPTIONS                                                       \
    {"server", required_argument, NULL, 's'},                                  \
        {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'},   \
        {"timeout", required_argument, NULL, CLI_TIMEOUT},                     \
        {"json", no_argument, NULL, CLI_JSON},                                 \
        {"no-color", no_argument, NULL, CLI_NO_COLOR},                         \
        {"version", no_argument, NULL, CLI_VERSION},                           \
    {                                                                          \
        NULL, 0, NULL, 0                                                       \
    }
#define CLI_SHORT_OPTIONS "s:qh"

enum cli_option {
    CLI_TIMEOUT = 1000,
    CLI_JSON,
    CLI_NO_COLOR,
    CLI_VERSION,
    CLI_END = -1,    /* No more options. */
    CLI_STOP = -2,   /* Return cli_option_exit(). */
    CLI_FIRST = 256, /* Of a subcommand's own long options. */
};

/* The next option of the subcommand's own, or CLI_END or CLI_STOP. Those of
 * all are dealt with on the way.
 */
int cli_option(struct cli *cli, int argc, char **argv, const char *letters,
               const struct option *options);

/* What to exit with after CLI_STOP: EXIT_OK after --help and --version,
 * EXIT_USAGE after a mistake.
 */
int cli_option_exit(void);

/* Read a number from @min to @max, or say that @what is wrong. */
bool cli_number(const char *what, const char *text, uint64_t min, uint64_t max,
                uint64_t *number);

/* Read a UUID, or say that @what is wrong. */
bool cli_id(const char *what, const char *text, struct acta_id *id);

/* ---- connection ---- */

/* Connect, unless it is. Failures are told; returns EXIT_OK or what to exit
 * with.
 */
int cli_connect(struct cli *cli);

/* ---- talk ---- */

/* All talk is on stderr: sentences to people or, after cli_talk_json(), an
 * object a line to programs:
 *
 *     {"error":"CONFLICT","text":"...","failures":[...],"hint":"..."}
 *     {"note":"..."}
 *     {"position":12,"complete":true}
 *
 * An error is held then until the next talk, or cli_talk_end(): a hint that
 * comes behind it becomes a part of it.
 */
void cli_talk_json(void);
void cli_talk_end(void);

void cli_error(enum acta_code code, const char *fmt, ...) ACTA_PRINTF(2, 3);
void cli_hint(const char *fmt, ...) ACTA_PRINTF(1, 2);
void cli_hint_help(const struct cli *cli);

/* An error with what the server has named: @failures is a JSON array on the
 * heap, which is taken. To programs only.
 */
void cli_error_failures(const struct acta_err *err, char *failures);

/* Up to where what was printed holds, and whether it is all. To programs only,
 * who need it also with --quiet.
 */
void cli_position(uint64_t position, bool complete);

/* A line on stderr, unless --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) ACTA_PRINTF(2, 3);

/* Say what is wrong with the command line, and where help is. EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) ACTA_PRINTF(2, 3);

/* Say what failed, with a hint where one helps; @what may be NULL. Returns what
 * to exit with.
 */
int cli_fail(const char *what, const struct acta_err *err);

int cli_exit_code(enum acta_code code);

/* Ask on the terminal whether @what, which is for ever, is meant. EXIT_OK if it
 * is; else, or where nobody can be asked, what to exit with: that is told.
 */
int cli_confirm(const char *what);

/* ---- output ---- */

/* Write out what was printed, before anything is told that is only so if it
 * has arrived, or before more is asked for. EXIT_OK, or EXIT_OTHER if any of it
 * could not be written, ever: that is told, once.
 */
int cli_flush(void);

/* ---- help ---- */

/* Of all, if @cmd is NULL. */
void help_print(const struct cmd *cmd);

/* ---- the subcommands ---- */

extern const struct cmd consumer_verbs[];
extern const struct cmd lease_verbs[];
extern const struct cmd parked_verbs[];
extern const struct cmd projection_verbs[];
extern const struct cmd schedule_verbs[];
extern const struct cmd snapshot_verbs[];

int cmd_append(struct cli *cli, int argc, char **argv);
int cmd_backup(struct cli *cli, int argc, char **argv);
int cmd_categories(struct cli *cli, int argc, char **argv);
int cmd_erase(struct cli *cli, int argc, char **argv);
int cmd_errors(struct cli *cli, int argc, char **argv);
int cmd_event(struct cli *cli, int argc, char **argv);
int cmd_export(struct cli *cli, int argc, char **argv);
int cmd_help(struct cli *cli, int argc, char **argv);
int cmd_import(struct cli *cli, int argc, char **argv);
int cmd_verify(struct cli *cli, int argc, char **argv);
int cmd_salvage(struct cli *cli, int argc, char **argv);
int cmd_ping(struct cli *cli, int argc, char **argv);
int cmd_query(struct cli *cli, int argc, char **argv);
int cmd_read(struct cli *cli, int argc, char **argv);
int cmd_replay(struct cli *cli, int argc, char **argv);
int cmd_restore(struct cli *cli, int argc, char **argv);
int cmd_status(struct cli *cli, int argc, char **argv);
int cmd_stream(struct cli *cli, int argc, char **argv);
int cmd_streams(struct cli *cli, int argc, char **argv);
int cmd_tags(struct cli *cli, int argc, char **argv);
int cmd_tail(struct cli *cli, int argc, char **argv);
int cmd_trace(struct cli *cli, int argc, char **argv);
int cmd_types(struct cli *cli, int argc, char **argv);

#endif
