/* verify: is all whole that a server has on its disk? And, for a directory that
 * no server uses, verify and salvage are actad's.
 */

#include <acta/acta_verify.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "cmd.h"
#include "interrupt.h"
#include "out.h"
#include "progress.h"

#define RATE_MAX (UINT64_C(1) << 40)

enum { OPTION_RATE = CLI_FIRST };

struct verify {
    struct cli *cli;
    uint64_t told;                 /* Problems. */
    char file[400];                /* That they were last told of. */
    struct acta_verification last; /* Answer; what it points to is gone. */
};

/* ---- what is printed ---- */

/* Names of streams are in texts, whole or damaged: only what is ASCII and can
 * be seen is printed as it is.
 */
static void
print_text(const char *text, bool is_json)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') {
            putchar('?');
            continue;
        }
        if (is_json && (*text == '"' || *text == '\\')) {
            putchar('\\');
        }
        putchar(*text);
    }
}

static void
print_problem_json(struct verify *verify, const struct acta_problem *problem)
{
    fputs(verify->told == 0 ? "{\"file\":\"" : ",{\"file\":\"", stdout);
    print_text(problem->file, true);
    fputs("\",\"text\":\"", stdout);
    print_text(problem->text, true);
    fputs("\"}", stdout);
}

static void
print_problem(struct verify *verify, const struct acta_problem *problem)
{
    if (verify->cli->json) {
        print_problem_json(verify, problem);
    } else {
        if (strncmp(verify->file, problem->file, sizeof(verify->file) - 1) !=
            0) {
            snprintf(verify->file, sizeof(verify->file), "%s", problem->file);
            fputs("damage in ", stdout);
            print_text(problem->file, false);
            fputs(":\n", stdout);
        }
        fputs("  ", stdout);
        print_text(problem->text, false);
        putchar('\n');
    }
    verify->told++;
}

/* @err: why it did not come to its end; NULL: it did. */
static void
print_end_json(const struct acta_verification *v, const struct acta_err *err)
{
    printf("],\"problems_count\":%" PRIu64 ",\"head\":%" PRIu64
           ",\"store\":{\"pages\":%" PRIu64 ",\"has_tables\":%s"
           ",\"events\":%" PRIu64 ",\"streams\":%" PRIu64 ",\"lists\":%" PRIu64
           ",\"ids\":%" PRIu64 ",\"rows\":%" PRIu64 "}",
           v->problems_found, v->head, v->pages,
           v->has_tables ? "true" : "false", v->events, v->streams, v->lists,
           v->ids, v->rows);
    printf(",\"journal\":{\"segments\":%" PRIu64 ",\"entries\":%" PRIu64
           ",\"first_entry\":%" PRIu64 ",\"last_entry\":%" PRIu64 "}",
           v->segments, v->entries, v->first_entry, v->last_entry);
    if (err == NULL) {
        printf(",\"whole\":%s}\n", v->problems_found == 0 ? "true" : "false");
        return;
    }
    printf(",\"whole\":null,\"error\":{\"code\":\"%s\",\"text\":\"",
           acta_code_name(err->code));
    print_text(err->text, true);
    fputs("\"}}\n", stdout);
}

static void
print_end_text(const struct acta_verification *v)
{
    printf("store: pages %" PRIu64, v->pages);
    if (v->has_tables) {
        printf(", events %" PRIu64 ", streams %" PRIu64 ", lists %" PRIu64
               ", ids %" PRIu64 ", rows %" PRIu64 "\n",
               v->events, v->streams, v->lists, v->ids, v->rows);
    } else {
        fputs("; what is in them was not looked at\n", stdout);
    }
    printf("journal: segments %" PRIu64 ", whole entries %" PRIu64
           ", from %" PRIu64 " to %" PRIu64 "\n",
           v->segments, v->entries, v->first_entry, v->last_entry);
    if (v->problems_found == 0) {
        printf("whole, positions 1 to %" PRIu64 "\n", v->head);
    } else {
        printf("DAMAGED, problems found: %" PRIu64 "\n"
               "Nothing was changed.\n",
               v->problems_found);
    }
}

/* ---- on line ---- */

/* What was found so far is printed in any case, and so is the end of the
 * object that it is in.
 */
static int
fail(const struct verify *verify, const struct acta_err *err)
{
    if (verify->cli->json) {
        print_end_json(&verify->last, err);
    }
    return err->code == ACTA_CANCELLED ? EXIT_INTERRUPTED : cli_fail(NULL, err);
}

/* Ask until it is through, and print what is found on the way. */
static enum acta_code
ask(struct verify *verify, uint64_t rate, struct progress *progress,
    struct acta_err *err)
{
    const struct acta_verification *v;
    enum acta_code code;

    do {
        if (interrupt_caught() != 0) {
            return acta_fail(err, ACTA_CANCELLED, "interrupted");
        }
        code =
            acta_sync_verify(verify->cli->sync, verify->last.id, rate, &v, err);
        if (code != ACTA_OK) {
            return code;
        }
        verify->last = *v;
        if (v->problems_count > 0) {
            progress_end(progress);
        }
        for (size_t i = 0; i < v->problems_count; i++) {
            print_problem(verify, v->problems[i]);
        }
        progress_draw(progress, v->events, v->read, v->size);
    } while (!v->is_done);
    return ACTA_OK;
}

static int
verify_server(struct cli *cli, uint64_t rate)
{
    struct verify verify = {.cli = cli};
    struct progress progress;
    enum acta_code code;
    struct acta_err err;

    interrupt_catch();
    if (cli->json) {
        fputs("{\"problems\":[", stdout);
    }
    progress_start(&progress, !cli->quiet && !cli->json);
    code = ask(&verify, rate, &progress, &err);
    progress_end(&progress);
    if (code != ACTA_OK) {
        return fail(&verify, &err);
    }
    if (cli->json) {
        print_end_json(&verify.last, NULL);
    } else {
        print_end_text(&verify.last);
    }
    return verify.last.problems_found == 0 ? EXIT_OK : EXIT_CORRUPT;
}

/* ---- off line ---- */

/* What actad exits with: see actad.8. */
enum {
    ACTAD_USAGE = 2,
    ACTAD_DAMAGED = 65,
    ACTAD_TEMPORARY = 75,
};

static int
exit_code_of(const struct child *child)
{
    char how[CHILD_TEXT_SIZE];
    int code = child_exit_code(child);

    switch (code) {
    case 0:
        return EXIT_OK;
    case ACTAD_USAGE:
        return EXIT_USAGE;
    case ACTAD_DAMAGED:
        return EXIT_CORRUPT;
    case ACTAD_TEMPORARY:
        return EXIT_NOT_READY;
    default:
        break;
    }
    if (interrupt_caught() != 0) {
        return EXIT_INTERRUPTED;
    }
    if (code > 128) { /* It could not say why itself. */
        child_describe(child, how);
        cli_error(ACTA_IO, "actad %s", how);
    }
    return EXIT_OTHER;
}

/* Run actad, which has the command of that name. */
static int
run_actad(const char *command, bool is_json, char **arguments, int count)
{
    char *argv[8] = {"actad"};
    struct child child;
    struct acta_err err;
    char name[16];
    size_t at = 2;

    snprintf(name, sizeof(name), "%s", command);
    argv[1] = name;
    if (is_json) {
        argv[at++] = "--json";
    }
    for (int i = 0; i < count && at < 7; i++) {
        argv[at++] = arguments[i];
    }
    interrupt_catch();
    if (child_start_program(&child, argv, &err) != ACTA_OK) {
        cli_error(ACTA_IO, "run %s", err.text);
        cli_hint("a directory is looked at by the server's program, on the "
                 "machine that has both");
        return EXIT_OTHER;
    }
    child_wait(&child);
    return exit_code_of(&child);
}

int
cmd_verify(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"rate", required_argument, NULL, OPTION_RATE},
        CLI_LONG_OPTIONS,
    };
    uint64_t rate = 0;
    int option, code;

    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (!cli_number("--rate", optarg, 1, RATE_MAX, &rate)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "%s: one directory is expected",
                         argv[optind + 1]);
    }
    if (optind < argc && rate > 0) {
        return cli_usage(cli, "--rate goes without a directory: that is read "
                              "as fast as it can be");
    }
    if (optind < argc) {
        return run_actad("verify", cli->json, argv + optind, 1);
    }
    code = cli_connect(cli);
    return code == EXIT_OK ? verify_server(cli, rate) : code;
}

int
cmd_salvage(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "a directory and a new one are expected");
    }
    return run_actad("salvage", cli->json, argv + optind, 2);
}
