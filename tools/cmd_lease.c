/* lease: who holds what; and to run a program while a lease is held. */

#include <acta/acta_lease.h>
#include <acta/acta_poll.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "cmd.h"
#include "interrupt.h"
#include "listing.h"
#include "out.h"
#include "out_named.h"
#include "when.h"

#define DURATION_MS_DEFAULT 10000
#define PATIENCE_MS         500  /* Then it is told that it is waited for. */
#define GRACE_MS            5000 /* For a program that is told to end. */
#define FAREWELL_MS         2000 /* To let the server know that it is free. */

enum {
    OPTION_DURATION = CLI_FIRST,
    OPTION_WAIT,
    OPTION_HOLDER,
};

/* ---- ls ---- */

static enum acta_code
print_page(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    const struct acta_leases *page;
    enum acta_code code = acta_sync_list_leases(
        cli->sync, listing->prefix, listing_after(listing),
        listing_page_count(listing), &page, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < page->leases_count && listing->count_max > 0; i++) {
        cli->out->named->lease(cli, &listing->table, page->leases[i]);
        listing_passed(listing, page->leases[i]->name);
    }
    listing->at_end = page->at_end;
    return ACTA_OK;
}

static int
cmd_ls(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "leases", print_page);
}

/* ---- run ---- */

struct run {
    struct cli *cli;
    struct acta_acquire acquire;
    char *const *argv; /* Of the program. */
    struct acta_poll loop;
    struct acta_client *client; /* owned */
    struct acta_lease *lease;   /* owned; NULL: it is over. */
    struct child child;
    bool is_started;
    bool is_told_to_end;
    uint64_t kill_ms; /* When the program is ended, if it has not by itself. */
    struct acta_err err; /* Why it is over; code OK: it is not. */
};

/* It is held: the program may run, and gets to know the fence. */
static void
on_held(void *user, uint64_t fence)
{
    struct run *run = user;
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, fence);
    setenv("ACTA_LEASE", run->acquire.name, 1);
    setenv("ACTA_FENCE", text, 1);
    run->is_started =
        child_start_program(&run->child, run->argv, &run->err) == ACTA_OK;
}

static void
on_ended(void *user, const struct acta_err *err)
{
    struct run *run = user;

    run->lease = NULL;
    run->err = *err;
}

/* It may not go on: tell the program to end, and give it a while. */
static void
end_child(struct run *run)
{
    if (!run->is_told_to_end) {
        run->is_told_to_end = true;
        run->kill_ms = acta_poll_now_ms() + GRACE_MS;
        kill(run->child.pid, SIGTERM);
    }
}

/* Wait for what comes next: the server, the end of the program, a signal. */
static void
turn(struct run *run, uint64_t until_ms)
{
    uint64_t now_ms = acta_poll_now_ms();
    struct pollfd pollfd;
    int wait_ms = -1;

    if (until_ms != ACTA_NO_TIMER) {
        wait_ms = until_ms <= now_ms ? 0 : (int)(until_ms - now_ms);
    }
    wait_ms = acta_poll_prepare(&run->loop, &pollfd, wait_ms);
    interrupt_wait(&pollfd, 1, wait_ms);
    acta_poll_dispatch(&run->loop, &pollfd);
}

/* Until it is held, or will not be. */
static void
wait_for_lease(struct run *run)
{
    uint64_t told_ms = acta_poll_now_ms() + PATIENCE_MS;

    while (!run->is_started && run->err.code == ACTA_OK &&
           interrupt_caught() == 0) {
        turn(run, told_ms);
        if (!run->is_started && run->err.code == ACTA_OK &&
            acta_poll_now_ms() >= told_ms) {
            cli_note(run->cli, "waiting for lease %s", run->acquire.name);
            told_ms = ACTA_NO_TIMER;
        }
    }
}

/* Until it has ended: by itself, or since it may not go on. */
static void
wait_for_child(struct run *run)
{
    interrupt_note_all(true);
    while (!child_has_ended(&run->child)) {
        uint64_t until_ms = ACTA_NO_TIMER;

        if (interrupt_caught() != 0) {
            child_pass(&run->child, interrupt_caught());
            interrupt_forget();
        }
        if (run->lease == NULL) {
            end_child(run);
            until_ms = run->kill_ms;
            if (acta_poll_now_ms() >= until_ms) {
                kill(run->child.pid, SIGKILL);
                child_wait(&run->child);
                break;
            }
        }
        turn(run, until_ms);
    }
    interrupt_note_all(false);
}

/* Let the next one have it at once, if the server can be reached. */
static void
give_back(struct run *run)
{
    uint64_t until_ms = acta_poll_now_ms() + FAREWELL_MS;

    acta_lease_release(run->lease);
    while (acta_in_flight(run->client) > 0 && acta_poll_now_ms() < until_ms) {
        acta_poll_turn(&run->loop, (int)(until_ms - acta_poll_now_ms()));
    }
}

static int
finish(struct run *run)
{
    const char *name = run->acquire.name;

    if (run->is_started && run->err.code == ACTA_OK) {
        return child_exit_code(&run->child);
    }
    if (run->is_started) {
        cli_error(run->err.code, "lease %s was lost: %s; the program was ended",
                  name, run->err.text);
        return EXIT_CONFLICT;
    }
    if (run->err.code == ACTA_HELD) {
        return cli_fail(NULL, &run->err); /* It names the lease itself. */
    }
    if (run->err.code != ACTA_OK) {
        return cli_fail(name, &run->err);
    }
    return EXIT_INTERRUPTED;
}

/* Is the server there? The client that asks for the lease connects again and
 * again, for ever: that is for when it has gone away.
 */
static int
look_for_server(struct cli *cli)
{
    int code = cli_connect(cli);

    acta_sync_close(cli->sync);
    cli->sync = NULL;
    return code;
}

static int
run_program(struct run *run)
{
    struct acta_err err;
    int code = look_for_server(run->cli);

    if (code != EXIT_OK) {
        return code;
    }
    if (acta_poll_open(&run->loop, &run->client, &run->cli->options, &err) !=
        ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    run->acquire.user = run;
    run->acquire.on_held = on_held;
    run->acquire.on_ended = on_ended;
    run->lease = acta_lease_acquire(run->client, &run->acquire, &err);
    if (run->lease == NULL) {
        acta_close(run->client);
        return cli_fail(run->acquire.name, &err);
    }
    interrupt_catch();
    wait_for_lease(run);
    if (run->is_started) {
        wait_for_child(run);
    }
    if (run->lease != NULL) {
        give_back(run);
    }
    acta_close(run->client);
    return finish(run);
}

/* ---- the command line of run ---- */

static bool
take_span(const char *what, uint64_t *ms)
{
    uint64_t us;

    if (!when_parse_span(optarg, NULL, &us) && strcmp(optarg, "0") != 0) {
        cli_error(ACTA_INVALID, "%s %s: not a time such as 10s", what, optarg);
        return false;
    }
    *ms = strcmp(optarg, "0") == 0 ? 0 : us / 1000;
    return true;
}

/* "machine:1234", the name and the process's number. */
static void
name_holder(char holder[static HOST_NAME_MAX + 32])
{
    char host[HOST_NAME_MAX + 1] = "";

    gethostname(host, sizeof(host) - 1);
    snprintf(holder, HOST_NAME_MAX + 32, "%s:%d", host, (int)getpid());
}

static int
cmd_run(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"duration", required_argument, NULL, OPTION_DURATION},
        {"wait", required_argument, NULL, OPTION_WAIT},
        {"holder", required_argument, NULL, OPTION_HOLDER},
        CLI_LONG_OPTIONS,
    };
    struct run run = {
        .cli = cli,
        .acquire = acta_acquire_of(NULL, DURATION_MS_DEFAULT),
    };
    char holder[HOST_NAME_MAX + 32];
    bool right = true;
    int option;

    name_holder(holder);
    run.acquire.holder = holder;
    run.acquire.wait_ms = ACTA_WAIT_FOR_EVER;
    while (right && (option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS,
                                         options)) != CLI_END) {
        switch (option) {
        case CLI_STOP:
            return cli_option_exit();
        case OPTION_DURATION:
            right = take_span("--duration", &run.acquire.duration_ms);
            break;
        case OPTION_WAIT:
            right = take_span("--wait", &run.acquire.wait_ms);
            break;
        default:
            run.acquire.holder = optarg;
            break;
        }
    }
    if (!right) {
        return EXIT_USAGE;
    }
    if (argc - optind < 2) {
        return cli_usage(cli, "the name of a lease and a program are needed");
    }
    run.acquire.name = argv[optind];
    run.argv = argv + optind + 1;
    return run_program(&run);
}

const struct cmd lease_verbs[] = {
    {"lease ls", "[PREFIX]", "list those that are held, and who waits",
     LISTING_HELP, cmd_ls, NULL},
    {"lease run", "NAME -- PROGRAM [ARGUMENT...]",
     "run a program while the lease is held",
     "The lease is waited for, held and renewed while the program runs, and\n"
     "given back then; the exit code is the program's. If it is lost, since "
     "the\n"
     "server could not be reached for its duration, the program is told to "
     "end\n"
     "by SIGTERM, is killed if it has not after 5 s, and the exit code is 4. "
     "It\n"
     "is 9 if others hold the lease for all of the time that is waited. The\n"
     "program finds the lease's name in ACTA_LEASE and its fence in "
     "ACTA_FENCE:\n"
     "acta append --lease \"$ACTA_LEASE=$ACTA_FENCE\" is refused once another\n"
     "holds it.\n"
     "\n"
     "  --wait TIME        how long to wait for it (for ever); 0: not at all\n"
     "  --duration TIME    how long it is held without being renewed (10s)\n"
     "  --holder TEXT      who holds it, for people (the name of the machine\n"
     "                     and the number of this process)\n",
     cmd_run, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
