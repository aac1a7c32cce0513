/* consumer lag: one look at all consumers, or one after another, which also
 * tell how fast each goes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "cmd_consumer.h"
#include "interrupt.h"
#include "listing.h"
#include "out.h"
#include "out_named.h"
#include "out_text.h"
#include "when.h"

#define INTERVAL_US_DEFAULT 2000000
#define INTERVAL_US_MAX     UINT64_C(86400000000)

/* Where a consumer was. */
struct seen {
    char *name; /* owned */
    uint64_t position;
    uint64_t head;
};

/* One look: consumers in the order of their names. */
struct look {
    double time_s;
    struct seen *seen; /* owned */
    size_t count;
    size_t capacity;
};

struct lag_request {
    struct listing listing;
    struct look now;
    struct look before;
    size_t passed; /* Those of before that cannot come any more. */
    bool watches;
    uint64_t interval_us;
};

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- looks ---- */

static void
forget(struct look *look)
{
    for (size_t i = 0; i < look->count; i++) {
        free(look->seen[i].name);
    }
    look->count = 0;
}

static enum acta_code
remember(struct look *look, const struct acta_consumer *consumer,
         struct acta_err *err)
{
    struct seen *seen = look->seen;

    if (look->count == look->capacity) {
        look->capacity = look->capacity * 2 + 64;
        seen = reallocarray(seen, look->capacity, sizeof(*seen));
        if (seen == NULL) {
            look->capacity = look->count;
            return acta_fail(err, ACTA_MEMORY, "out of memory");
        }
        look->seen = seen;
    }
    seen[look->count] = (struct seen){
        .name = strdup(consumer->name),
        .position = consumer->position,
        .head = consumer->head,
    };
    if (seen[look->count].name == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    look->count++;
    return ACTA_OK;
}

/* Where @name was at the look before; NULL: there was none. Both looks are in
 * order, so all are found in one pass.
 */
static const struct seen *
find_before(struct lag_request *request, const char *name)
{
    const struct look *before = &request->before;

    while (request->passed < before->count) {
        const struct seen *seen = &before->seen[request->passed];
        int order = strcmp(seen->name, name);

        if (order >= 0) {
            return order == 0 ? seen : NULL;
        }
        request->passed++;
    }
    return NULL;
}

/* The head moves, too: it is there when it has caught up with that. */
static struct out_lag
measure(struct lag_request *request, const struct acta_consumer *consumer)
{
    const struct seen *seen = find_before(request, consumer->name);
    double seconds = request->now.time_s - request->before.time_s;
    struct out_lag lag = {.consumer = consumer};
    double nearer;

    if (seen == NULL || consumer->position < seen->position || seconds <= 0) {
        return lag;
    }
    lag.has_rate = true;
    lag.rate = (double)(consumer->position - seen->position) / seconds;
    nearer = lag.rate - (double)(consumer->head - seen->head) / seconds;
    if (nearer > 0) {
        lag.has_eta = true;
        lag.eta_s = (double)consumer->lag_events / nearer;
    }
    return lag;
}

/* ---- printing ---- */

static enum acta_code
print_page(struct cli *cli, struct lag_request *request, struct acta_err *err)
{
    struct listing *listing = &request->listing;
    const struct acta_consumers *page;
    enum acta_code code = acta_sync_list_consumers(
        cli->sync, listing->prefix, listing_after(listing),
        listing_page_count(listing), &page, err);

    for (size_t i = 0; code == ACTA_OK && i < page->consumers_count; i++) {
        struct out_lag lag = measure(request, page->consumers[i]);

        cli->out->named->lag(cli, &listing->table, &lag);
        listing_passed(listing, page->consumers[i]->name);
        code = remember(&request->now, page->consumers[i], err);
    }
    listing->at_end = code != ACTA_OK || page->at_end;
    return code;
}

/* On a terminal each look takes the place of the one before, with a title of
 * its own; elsewhere the rows go on under the first one.
 */
static void
clear_screen(const struct cli *cli, struct lag_request *request)
{
    if (request->watches && !cli->json && isatty(STDOUT_FILENO)) {
        fputs("\033[H\033[J", stdout);
        request->listing.table.is_titled = false;
    }
}

static enum acta_code
look(struct cli *cli, struct lag_request *request, struct acta_err *err)
{
    struct listing *listing = &request->listing;
    enum acta_code code = ACTA_OK;
    struct look swap = request->before;

    request->before = request->now;
    request->now = swap;
    forget(&request->now);
    request->now.time_s = now_s();
    request->passed = 0;
    *listing->last = '\0';
    listing->at_end = false;
    listing->count_max = UINT64_MAX;
    while (code == ACTA_OK && !listing->at_end) {
        code = print_page(cli, request, err);
    }
    if (code == ACTA_OK) {
        clear_screen(cli, request);
        table_print(&listing->table, dim(cli), plain(cli));
    }
    return code;
}

static int
watch(struct cli *cli, struct lag_request *request)
{
    struct acta_err err;
    enum acta_code code;

    if (request->watches) {
        interrupt_exits();
    }
    table_init(&request->listing.table);
    code = look(cli, request, &err);
    while (code == ACTA_OK && cli_flush() == EXIT_OK && request->watches) {
        interrupt_wait(NULL, 0, (int)(request->interval_us / 1000));
        code = look(cli, request, &err);
    }
    table_fini(&request->listing.table);
    if (code == ACTA_OK && request->now.count == 0) {
        cli_note(cli, "there are no consumers");
    }
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}

/* ---- the command line ---- */

static int
take_option(struct lag_request *request, const struct cli *cli, int option)
{
    switch (option) {
    case 'w':
        request->watches = true;
        return EXIT_OK;
    case CLI_FIRST:
        listing_take_prefix(&request->listing, optarg);
        return EXIT_OK;
    default:
        request->watches = true;
        return when_parse_span(optarg, NULL, &request->interval_us) &&
                       request->interval_us >= 1000 &&
                       request->interval_us <= INTERVAL_US_MAX
                   ? EXIT_OK
                   : cli_usage(cli, "--interval %s: not a time such as 2s",
                               optarg);
    }
}

int
cmd_consumer_lag(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"watch", no_argument, NULL, 'w'},
        {"prefix", required_argument, NULL, CLI_FIRST},
        {"interval", required_argument, NULL, CLI_FIRST + 1},
        CLI_LONG_OPTIONS,
    };
    struct lag_request request = {.interval_us = INTERVAL_US_DEFAULT};
    int code = EXIT_OK;
    int option;

    while (code == EXIT_OK &&
           (option = cli_option(cli, argc, argv, "w" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        code = take_option(&request, cli, option);
    }
    if (code == EXIT_OK &&
        argc - optind + (request.listing.prefix != NULL) > 1) {
        code = cli_usage(cli, "one prefix at a time");
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (optind < argc) {
        listing_take_prefix(&request.listing, argv[optind]);
    }
    code = cli_connect(cli);
    if (code == EXIT_OK) {
        code = watch(cli, &request);
    }
    forget(&request.now);
    forget(&request.before);
    free(request.now.seen);
    free(request.before.seen);
    return code;
}
