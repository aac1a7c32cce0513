/* Lines go from the input to lanes, those of a stream always to the same one,
 * and each lane sends in order: so every stream's order is kept, and with one
 * lane that of the whole file. Only as much is read as lanes have room for.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "input.h"
#include "interrupt.h"
#include "lane.h"
#include "line.h"
#include "progress.h"

#define CLIENTS_MAX 64
#define REDRAW_MS   100

struct import {
    const char *prefix;
    const char *source;
    uint64_t clients;
    uint64_t batch;
    bool dry_run;
    bool goes_on; /* After wrong lines. */

    struct input input;
    struct lane lanes[CLIENTS_MAX];
    struct progress progress;
    uint64_t good;       /* Lines that were read and are right. */
    uint64_t wrong;      /* Lines that are wrong, or were refused. */
    bool stopped;        /* No more is read. */
    bool dropped;        /* Nor is sent what was read. */
    struct acta_err err; /* Why it cannot go on. */
};

static void
report(struct import *import, uint64_t line, const struct acta_err *err)
{
    bool shown = import->progress.shown;

    progress_end(&import->progress);
    cli_error(err->code, "%s:%" PRIu64 ": %s", import->input.name, line,
              err->text);
    import->progress.shown = shown;
    import->wrong++;
    import->stopped |= !import->goes_on;
}

static void
on_refused(void *user, const struct line *line, const struct acta_err *err)
{
    struct import *import = user;

    report(import, line->number, err);
    import->dropped |= !import->goes_on;
}

/* ---- reading ---- */

/* FNV-1a: which lane a stream has. */
static struct lane *
lane_of(struct import *import, const char *stream)
{
    uint32_t hash = 2166136261u;

    for (; *stream != '\0'; stream++) {
        hash = (hash ^ (uint8_t)*stream) * 16777619u;
    }
    return &import->lanes[hash % import->clients];
}

static void
take_line(struct import *import, struct slice text)
{
    struct line *line;
    struct acta_err err;

    if (text.size == 0) {
        return;
    }
    line = malloc(sizeof(*line));
    if (line == NULL) {
        abort();
    }
    if (line_parse(line, text, import->input.lines, import->prefix, &err) !=
        ACTA_OK) {
        report(import, import->input.lines, &err);
        free(line);
        return;
    }
    import->good++;
    if (import->dry_run) {
        line_free(line);
        free(line);
        return;
    }
    line_derive_id(line, text, import->source);
    lane_add(lane_of(import, line->stream), line);
}

static bool
any_lane_is_full(const struct import *import)
{
    for (size_t i = 0; i < import->clients; i++) {
        if (!import->dry_run && lane_is_full(&import->lanes[i])) {
            return true;
        }
    }
    return false;
}

/* Read from the input and tell if that worked. A line that is too long is
 * wrong; that the input cannot be read is the fault of none.
 */
static bool
read_more(struct import *import)
{
    struct acta_err err;
    enum acta_code code = input_read(&import->input, &err);

    if (code == ACTA_OK) {
        return true;
    }
    if (code == ACTA_TOO_LARGE) {
        report(import, import->input.lines + 1, &err);
        input_skip_line(&import->input);
        return !import->stopped;
    }
    acta_fail(&import->err, code, "%s:%" PRIu64 ": %s", import->input.name,
              import->input.lines + 1, err.text);
    import->stopped = true;
    return false;
}

/* Take lines while lanes have room. Returns true if there would be room, but
 * the input has to be waited for.
 */
static bool
take_lines(struct import *import)
{
    struct slice text;

    while (!import->stopped && interrupt_caught() == 0 &&
           !any_lane_is_full(import)) {
        if (input_line(&import->input, &text)) {
            take_line(import, text);
        } else if (import->input.at_end) {
            import->stopped = true;
        } else if (!import->input.is_file || !read_more(import)) {
            return !import->stopped;
        }
        if (import->dry_run) {
            progress_draw(&import->progress, import->good,
                          import->input.consumed, import->input.size);
        }
    }
    return false;
}

/* ---- sending ---- */

static uint64_t
sent_lines(const struct import *import)
{
    uint64_t sent = 0;

    for (size_t i = 0; i < import->clients; i++) {
        sent += import->lanes[i].stored + import->lanes[i].repeated;
    }
    return sent;
}

/* Wait until a lane or, if @for_input, the input has something to do. After an
 * interruption that is what lanes have under way.
 */
static void
wait_and_dispatch(struct import *import, bool for_input)
{
    struct pollfd fds[CLIENTS_MAX + 1];
    int wait_ms = import->progress.shown ? REDRAW_MS : -1;
    size_t count = import->clients;

    for (size_t i = 0; i < count; i++) {
        wait_ms = acta_poll_prepare(&import->lanes[i].loop, &fds[i], wait_ms);
    }
    fds[count] = (struct pollfd){
        .fd = for_input ? import->input.fd : -1,
        .events = POLLIN,
    };
    if (interrupt_caught() == 0) {
        interrupt_wait(fds, count + 1, wait_ms);
    } else if (poll(fds, count + 1, wait_ms) < 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        acta_poll_dispatch(&import->lanes[i].loop, &fds[i]);
    }
    if (for_input && fds[count].revents != 0) {
        read_more(import);
    }
}

/* One lane that cannot go on ends all. */
static void
look_for_failures(struct import *import)
{
    for (size_t i = 0; i < import->clients; i++) {
        if (import->lanes[i].err.code != ACTA_OK) {
            import->err = import->lanes[i].err;
            import->dropped = true;
        }
    }
    import->dropped |= interrupt_caught() != 0;
    import->stopped |= import->dropped;
}

/* Returns true when nothing is left to do. */
static bool
send_lines(struct import *import, bool waits_for_input)
{
    bool idle = true;

    for (size_t i = 0; i < import->clients; i++) {
        struct lane *lane = &import->lanes[i];

        if (import->dropped) {
            lane_drop(lane);
        }
        lane_send(lane, import->stopped || waits_for_input);
        idle &= lane->count == 0;
    }
    return idle && import->stopped;
}

static void
run(struct import *import)
{
    for (;;) {
        bool waits_for_input = take_lines(import);

        look_for_failures(import);
        if (send_lines(import, waits_for_input)) {
            break;
        }
        wait_and_dispatch(import, waits_for_input);
        progress_draw(&import->progress, sent_lines(import),
                      import->input.consumed, import->input.size);
    }
}

static void
run_dry(struct import *import)
{
    while (!import->stopped && interrupt_caught() == 0) {
        struct pollfd input = {.fd = import->input.fd, .events = POLLIN};

        if (!take_lines(import)) {
            continue;
        }
        interrupt_wait(&input, 1, -1);
        if (input.revents != 0) {
            read_more(import);
        }
    }
}

/* ---- the command ---- */

static int
open_lanes(struct import *import, struct cli *cli, size_t *opened)
{
    struct acta_err err;

    *opened = 0;
    while (*opened < import->clients) {
        enum acta_code code =
            lane_open(&import->lanes[*opened], &cli->options, import->batch,
                      on_refused, import, &err);

        (*opened)++;
        if (code != ACTA_OK) {
            return cli_fail(NULL, &err);
        }
    }
    return EXIT_OK;
}

static void
print_summary(const struct import *import, const struct cli *cli)
{
    double seconds = progress_seconds(&import->progress);
    uint64_t stored = 0, repeated = 0;

    for (size_t i = 0; i < import->clients; i++) {
        stored += import->lanes[i].stored;
        repeated += import->lanes[i].repeated;
    }
    if (cli->json) {
        printf("{\"lines\":%" PRIu64 ",\"good\":%" PRIu64 ",\"stored\":%" PRIu64
               ",\"repeated\":%" PRIu64 ",\"wrong\":%" PRIu64
               ",\"seconds\":%.3f}\n",
               import->input.lines, import->good, stored, repeated,
               import->wrong, seconds);
    } else if (!cli->quiet && import->dry_run) {
        fprintf(stderr, "right: %" PRIu64 ", wrong: %" PRIu64 "\n",
                import->good, import->wrong);
    } else if (!cli->quiet) {
        fprintf(stderr, "%" PRIu64 " event%s imported", stored,
                stored == 1 ? "" : "s");
        if (repeated > 0) {
            fprintf(stderr, ", %" PRIu64 " %s there before", repeated,
                    repeated == 1 ? "was" : "were");
        }
        if (import->wrong > 0) {
            fprintf(stderr, ", %" PRIu64 " wrong", import->wrong);
        }
        fprintf(stderr, "  (%.2f s, %.0f/s)\n", seconds,
                (double)(stored + repeated) / seconds);
    }
}

static int
result(const struct import *import)
{
    if (import->err.code != ACTA_OK) {
        int code = cli_fail(NULL, &import->err);

        cli_hint("import again to go on: what is there counts once");
        return code;
    }
    if (interrupt_caught() != 0) {
        cli_hint("import again to go on: what is there counts once");
        return EXIT_INTERRUPTED;
    }
    if (import->wrong > 0 && !import->goes_on) {
        cli_hint("%s; correct the line and import again, or pass over it with "
                 "--continue",
                 import->clients == 1 ? "all before is there"
                                      : "what is there counts once");
    }
    return import->wrong > 0 ? EXIT_OTHER : EXIT_OK;
}

static int
import_lines(struct import *import, struct cli *cli)
{
    size_t opened = 0;
    int code = EXIT_OK;

    if (!import->dry_run) {
        code = cli_connect(cli); /* Or say at once that it cannot. */
        acta_sync_close(cli->sync);
        cli->sync = NULL;
        if (code == EXIT_OK) {
            code = open_lanes(import, cli, &opened);
        }
    }
    if (code == EXIT_OK) {
        interrupt_catch();
        progress_start(&import->progress, !cli->quiet && !cli->json);
        if (import->dry_run) {
            run_dry(import);
        } else {
            run(import);
        }
        progress_end(&import->progress);
        print_summary(import, cli);
        code = result(import);
    }
    for (size_t i = 0; i < opened; i++) {
        lane_close(&import->lanes[i]);
    }
    return code;
}

enum {
    OPTION_DRY_RUN = CLI_FIRST,
    OPTION_CLIENTS,
    OPTION_BATCH,
    OPTION_PREFIX,
    OPTION_SOURCE,
    OPTION_CONTINUE,
};

static int
take_option(struct import *import, int option)
{
    bool good = true;

    switch (option) {
    case OPTION_DRY_RUN:
        import->dry_run = true;
        break;
    case OPTION_CLIENTS:
        good =
            cli_number("--clients", optarg, 1, CLIENTS_MAX, &import->clients);
        break;
    case OPTION_BATCH:
        good = cli_number("--batch", optarg, 1, ACTA_APPEND_EVENTS_MAX,
                          &import->batch);
        break;
    case OPTION_PREFIX:
        import->prefix = optarg;
        break;
    case OPTION_SOURCE:
        import->source = optarg;
        break;
    case OPTION_CONTINUE:
        import->goes_on = true;
        break;
    default:
        abort();
    }
    return good ? EXIT_OK : EXIT_USAGE;
}

int
cmd_import(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"clients", required_argument, NULL, OPTION_CLIENTS},
        {"batch", required_argument, NULL, OPTION_BATCH},
        {"prefix", required_argument, NULL, OPTION_PREFIX},
        {"source", required_argument, NULL, OPTION_SOURCE},
        {"continue", no_argument, NULL, OPTION_CONTINUE},
        CLI_LONG_OPTIONS,
    };
    static struct import import; /* Large, and there is one. */
    struct acta_err err;
    int option, code;

    import = (struct import){
        .prefix = "", .source = "", .clients = 1, .batch = 1000};
    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (take_option(&import, option) != EXIT_OK) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "one file is needed, - for stdin");
    }
    if (input_open(&import.input, argv[optind], &err) != ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    code = import_lines(&import, cli);
    input_close(&import.input);
    return code;
}
