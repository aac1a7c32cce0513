/* replay: events of the past once more, to a command or to a consumer. */

#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "cmd_consumer.h"
#include "feed.h"
#include "filter.h"
#include "interrupt.h"
#include "out.h"
#include "place.h"
#include "query_text.h"
#include "rebuild.h"

enum {
    OPTION_FROM = FILTER_NEXT,
    OPTION_TO,
    OPTION_EXEC,
    OPTION_EACH,
    OPTION_TO_CONSUMER,
    OPTION_NO_WAIT,
    OPTION_DRY_RUN,
    OPTION_RATE,
};

struct replay {
    struct filter filter;
    struct place from;
    struct place to;
    const char *line; /* NULL: to stdout. */
    struct rebuild rebuild;
    uint64_t rate; /* 0: as fast as it goes. */
    bool has_from;
    bool is_each;
    bool is_dry;

    /* The range: (after, last]. */
    uint64_t after;
    uint64_t last;
};

/* Told of each event; not OK: go no further. */
typedef enum acta_code on_event(void *user, const struct acta_event *event,
                                struct acta_err *err);

/* ---- the range ---- */

static int
find_range(struct replay *replay, struct cli *cli)
{
    uint64_t since;
    int code = filter_since(&replay->filter, cli, &since);

    if (code == EXIT_OK) {
        code = place_find_range(&replay->from, &replay->to, cli, &replay->after,
                                &replay->last);
    }
    if (replay->after < since) {
        replay->after = since;
    }
    return code;
}

/* Go through the range, page by page. Nothing is asked for ahead: whoever is
 * given the events may take any time.
 */
static enum acta_code
go_through(struct cli *cli, const struct replay *replay,
           const struct acta_query *query, on_event *give, void *user,
           struct acta_err *err)
{
    struct acta_read read = acta_read_of_query(query);
    const struct acta_page *page;
    enum acta_code code;

    read.from = replay->after;
    do {
        code = acta_sync_read(cli->sync, &read, &page, err);
        if (code != ACTA_OK) {
            return code;
        }
        for (size_t i = 0; i < page->events_count; i++) {
            if (page->events[i]->position > replay->last) {
                return ACTA_OK;
            }
            code = give(user, page->events[i], err);
            if (code != ACTA_OK) {
                return code;
            }
        }
        read.from = page->next;
    } while (!page->at_end && read.from < replay->last);
    return ACTA_OK;
}

/* ---- only counted ---- */

static enum acta_code
count_event(void *user, const struct acta_event *event, struct acta_err *err)
{
    struct out_counted *counted = user;

    if (counted->events == 0) {
        counted->first_position = event->position;
        counted->first_time_us = event->time_us;
    }
    counted->events++;
    counted->size += event->data_size + event->metadata_size;
    counted->last_position = event->position;
    counted->last_time_us = event->time_us;
    return interrupt_caught() == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_CANCELLED, "interrupted");
}

static int
count(struct cli *cli, const struct replay *replay,
      const struct acta_query *query)
{
    struct out_counted counted = {0};
    struct acta_err err;

    interrupt_catch();
    if (go_through(cli, replay, query, count_event, &counted, &err) !=
        ACTA_OK) {
        return interrupt_caught() == 0 ? cli_fail(NULL, &err)
                                       : EXIT_INTERRUPTED;
    }
    cli->out->counted(cli, &counted);
    return EXIT_OK;
}

/* What the consumer would be given, by its own query. */
static int
count_for_consumer(struct cli *cli, const struct replay *replay)
{
    const struct acta_consumer_description *description;
    struct acta_query *query;
    struct acta_err err;
    int code;

    if (acta_sync_describe_consumer(cli->sync, replay->rebuild.consumer,
                                    &description, &err) != ACTA_OK) {
        return consumer_refuse(replay->rebuild.consumer, &err);
    }
    query = query_again(description->consumer->query,
                        description->consumer->query_count);
    code = count(cli, replay, query);
    acta_query_free(query);
    return code;
}

/* ---- to a command, or stdout ---- */

static enum acta_code
give_event(void *user, const struct acta_event *event, struct acta_err *err)
{
    return feed_give(user, event, err);
}

/* How far it has gone, and how to go on. */
static void
tell_reached(const struct cli *cli, const struct feed *feed, bool complete)
{
    const char *events = feed->count == 1 ? "event" : "events";

    if (cli->json) {
        cli_position(feed->position, complete);
    } else if (complete) {
        cli_note(cli, "%" PRIu64 " %s, the last at position %" PRIu64,
                 feed->count, events, feed->position);
    } else {
        cli_note(cli, "%" PRIu64 " %s, up to position %" PRIu64, feed->count,
                 events, feed->position);
    }
}

/* Why the command takes no more: one that fails on an event stands in front of
 * it, of the other it is known what it was given.
 */
static void
tell_failed(const struct feed *feed)
{
    char how[CHILD_TEXT_SIZE];

    child_describe(&feed->child, how);
    if (feed->is_each) {
        cli_error(ACTA_CANCELLED,
                  "the command %s for the event at position %" PRIu64, how,
                  feed->next);
        cli_hint("--from %" PRIu64 " goes on with it, --from %" PRIu64
                 " behind it",
                 feed->next, feed->next + 1);
    } else {
        cli_error(ACTA_CANCELLED,
                  "the command %s; it was given events up to position %" PRIu64,
                  how, feed->position);
        cli_hint("what it has made of them it alone knows; --from %" PRIu64
                 " goes on behind them",
                 feed->position + 1);
    }
}

/* How it ended. */
static int
finish(const struct cli *cli, struct feed *feed, enum acta_code code,
       const struct acta_err *err)
{
    bool has_failed = feed_end(feed) != 0;
    bool is_interrupted = interrupt_caught() != 0;
    int exit_code = cli_flush();

    if (exit_code != EXIT_OK) {
        return exit_code; /* How much has arrived is not known. */
    }
    if (is_interrupted) {
        exit_code = EXIT_INTERRUPTED;
    } else if (has_failed) {
        tell_failed(feed);
        exit_code = EXIT_OTHER;
    } else if (code != ACTA_OK && code != ACTA_CANCELLED) {
        exit_code = cli_fail(NULL, err);
    }
    tell_reached(cli, feed, code == ACTA_OK && exit_code == EXIT_OK);
    return exit_code;
}

static int
feed_events(struct cli *cli, const struct replay *replay)
{
    struct acta_err err;
    enum acta_code code;
    struct feed feed;

    interrupt_catch();
    if (feed_open(&feed, replay->line, replay->is_each, replay->rate, &err) !=
        ACTA_OK) {
        return cli_fail(NULL, &err);
    }
    feed.position = replay->after;
    code = go_through(cli, replay, filter_query(&replay->filter), give_event,
                      &feed, &err);
    return finish(cli, &feed, code, &err);
}

static int
run(struct cli *cli, struct replay *replay)
{
    int code = cli_connect(cli);

    if (code == EXIT_OK) {
        code = find_range(replay, cli);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (replay->rebuild.consumer != NULL && replay->is_dry) {
        return count_for_consumer(cli, replay);
    }
    if (replay->rebuild.consumer != NULL) {
        replay->rebuild.position = replay->after;
        return rebuild_run(cli, &replay->rebuild);
    }
    return replay->is_dry ? count(cli, replay, filter_query(&replay->filter))
                          : feed_events(cli, replay);
}

/* ---- the command line ---- */

static int
take_option(struct replay *replay, int option)
{
    bool right = true;
    bool taken;
    int code = filter_option(&replay->filter, option, &taken);

    if (taken) {
        return code;
    }
    switch (option) {
    case OPTION_FROM:
        replay->has_from = true;
        right = place_parse(&replay->from, "--from", optarg);
        break;
    case OPTION_TO:
        right = place_parse(&replay->to, "--to", optarg);
        break;
    case OPTION_EXEC:
        replay->line = optarg;
        break;
    case OPTION_EACH:
        replay->line = optarg;
        replay->is_each = true;
        break;
    case OPTION_TO_CONSUMER:
        replay->rebuild.consumer = optarg;
        break;
    case OPTION_NO_WAIT:
        replay->rebuild.no_wait = true;
        break;
    case OPTION_DRY_RUN:
        replay->is_dry = true;
        break;
    default:
        right = cli_number("--rate", optarg, 1, 1000000, &replay->rate);
        break;
    }
    return right ? EXIT_OK : EXIT_USAGE;
}

static int
check(struct replay *replay, const struct cli *cli, int argc, char **argv)
{
    bool is_filtered = replay->filter.used || replay->filter.all || argc > 0;

    if (replay->has_from && replay->filter.has_since) {
        return cli_usage(cli, "--from or --since, not both");
    }
    if (replay->rebuild.consumer != NULL &&
        (replay->line != NULL || replay->rate > 0)) {
        return cli_usage(cli, "--to-consumer goes without --exec, --each and "
                              "--rate: it handles them at its own pace");
    }
    if (replay->rebuild.consumer != NULL &&
        (is_filtered || replay->to.kind != PLACE_END)) {
        return cli_usage(cli, "--to-consumer: it handles what its own query "
                              "wants, up to the end");
    }
    if (replay->rebuild.no_wait && replay->rebuild.consumer == NULL) {
        return cli_usage(cli, "--no-wait goes with --to-consumer");
    }
    return filter_arguments(&replay->filter, cli, argc, argv);
}

int
cmd_replay(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, OPTION_FROM},
        {"to", required_argument, NULL, OPTION_TO},
        {"exec", required_argument, NULL, OPTION_EXEC},
        {"each", required_argument, NULL, OPTION_EACH},
        {"to-consumer", required_argument, NULL, OPTION_TO_CONSUMER},
        {"no-wait", no_argument, NULL, OPTION_NO_WAIT},
        {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
        {"rate", required_argument, NULL, OPTION_RATE},
        FILTER_LONG_OPTIONS,
        CLI_LONG_OPTIONS,
    };
    struct replay replay = {.to = {.kind = PLACE_END}};
    int code = EXIT_OK;
    int option;

    filter_init(&replay.filter);
    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
               CLI_END) {
        if (option == CLI_STOP) {
            filter_fini(&replay.filter);
            return cli_option_exit();
        }
        code = take_option(&replay, option);
    }
    if (code == EXIT_OK) {
        code = check(&replay, cli, argc - optind, argv + optind);
    }
    if (code == EXIT_OK) {
        code = run(cli, &replay);
    }
    filter_fini(&replay.filter);
    return code;
}
