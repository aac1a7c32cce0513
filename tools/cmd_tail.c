#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd.h"
#include "filter.h"
#include "out.h"

#define COUNT_DEFAULT 20
#define COUNT_MAX     100000 /* They are held until the first is found. */

static struct acta_follower *follower; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_follower_interrupt(follower);
}

/* Print the last @count events behind position @since, in their order.
 * *@position is set to that of the newest, to go on behind it; @since if there
 * is none.
 */
static enum acta_code
print_last(struct cli *cli, const struct filter *filter, uint64_t count,
           uint64_t since, uint64_t *position, struct acta_err *err)
{
    struct acta_event **events = calloc(count + 1, sizeof(struct acta_event *));
    struct acta_read read = filter_read(filter);
    const struct acta_event *event = NULL;
    struct acta_cursor *cursor = NULL;
    uint64_t found = 0;
    enum acta_code code;

    *position = since;
    if (events == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    read.backward = true;
    read.events_max = count < 1000 ? count + (count == 0) : 1000;
    code = acta_cursor_open(&cursor, cli->sync, &read, err);
    /* One is looked at even if none is to be printed: to know where to go on.
     */
    do {
        if (code == ACTA_OK) {
            code = acta_cursor_next(cursor, &event, err);
        }
        if (code != ACTA_OK || event == NULL || event->position <= since) {
            break;
        }
        if (*position == since) {
            *position = event->position;
        }
        if (found < count) {
            events[found] = acta_event_copy(event);
            if (events[found++] == NULL) {
                code = acta_fail(err, ACTA_MEMORY, "out of memory");
            }
        }
    } while (found < count);
    acta_cursor_close(cursor);
    for (uint64_t i = found; i > 0; i--) {
        if (code == ACTA_OK) {
            cli->out->event(cli, events[i - 1]);
        }
        acta_event_free(events[i - 1]);
    }
    free(events);
    return code;
}

static enum acta_code
follow(struct cli *cli, const struct filter *filter, uint64_t position,
       struct acta_err *err)
{
    const struct acta_news *news;
    enum acta_code code = acta_follower_open(
        &follower, cli->sync, filter_query(filter), position, err);

    if (code != ACTA_OK) {
        return code;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    /* What comes behind events that were lost is not to be taken for all. */
    while (cli_flush() == EXIT_OK &&
           (code = acta_follower_next(follower, -1, &news, err)) == ACTA_OK) {
        for (size_t i = 0; i < news->events_count; i++) {
            cli->out->event(cli, news->events[i]);
        }
    }
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    acta_follower_close(follower);
    return code == ACTA_CANCELLED ? ACTA_OK : code;
}

/* Tell that the server has gone, and that it has come back, once each. */
static void
on_link(void *user, bool up, const struct acta_err *err)
{
    struct cli *cli = user;
    static bool lost;

    if (cli->sync == NULL || cli->quiet || lost == !up) {
        return;
    }
    lost = !up;
    if (lost) {
        cli_error(err->code, "%s; trying again", err->text);
        cli_talk_end(); /* It may be for long. */
    } else {
        cli_note(cli, "connected again");
    }
}

static int
tail(struct cli *cli, const struct filter *filter, uint64_t count, bool follows)
{
    uint64_t since, position;
    struct acta_err err;
    enum acta_code code;
    int exit_code;

    cli->options.on_link = on_link;
    cli->options.user = cli;
    exit_code = cli_connect(cli);
    if (exit_code == EXIT_OK) {
        exit_code = filter_since(filter, cli, &since);
    }
    if (exit_code != EXIT_OK) {
        return exit_code;
    }
    code = print_last(cli, filter, count, since, &position, &err);
    if (code == ACTA_OK && follows) {
        code = follow(cli, filter, position, &err);
    } else if (code == ACTA_OK && position == 0 && filter->stream != NULL) {
        return filter_tell_nothing(filter, cli);
    }
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}

int
cmd_tail(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"follow", no_argument, NULL, 'f'},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };
    struct filter filter;
    uint64_t count = 0;
    bool has_count = false;
    bool follows = false;
    bool taken;
    int code = EXIT_OK;
    int option;

    filter_init(&filter);
    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, "n:f" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            filter_fini(&filter);
            return cli_option_exit();
        }
        code = filter_option(&filter, option, &taken);
        if (!taken && option == 'f') {
            follows = true;
        } else if (!taken) {
            has_count = true;
            code = cli_number("-n", optarg, 0, COUNT_MAX, &count) ? EXIT_OK
                                                                  : EXIT_USAGE;
        }
    }
    if (code == EXIT_OK) {
        code = filter_arguments(&filter, cli, argc - optind, argv + optind);
    }
    if (!has_count) {
        count = filter.has_since ? COUNT_MAX : COUNT_DEFAULT;
    }
    if (code == EXIT_OK) {
        code = tail(cli, &filter, count, follows);
    }
    filter_fini(&filter);
    return code;
}
