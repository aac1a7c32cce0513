#include "listing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "out_text.h"

#define PAGE_COUNT_MAX 1000
#define NO_LIMIT       UINT64_MAX

void
listing_take_prefix(struct listing *listing, char *text)
{
    size_t size = strlen(text);

    if (size > 0 && text[size - 1] == '*') {
        text[size - 1] = '\0';
    }
    listing->prefix = text;
}

/* EXIT_OK, with the program connected, or what to exit with; *@stop is set if
 * that was only help.
 */
static int
take_arguments(struct cli *cli, int argc, char **argv, struct listing *listing,
               bool *stop)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"prefix", required_argument, NULL, CLI_FIRST},
        CLI_LONG_OPTIONS,
    };
    int option;

    *listing = (struct listing){.count_max = NO_LIMIT};
    *stop = false;
    while ((option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            *stop = true;
            return cli_option_exit();
        }
        if (option == CLI_FIRST) {
            listing_take_prefix(listing, optarg);
        } else if (!cli_number("-n", optarg, 1, NO_LIMIT,
                               &listing->count_max)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind + (listing->prefix != NULL) > 1) {
        return cli_usage(cli, "one prefix at a time");
    }
    if (optind < argc) {
        listing_take_prefix(listing, argv[optind]);
    }
    return cli_connect(cli);
}

const char *
listing_after(const struct listing *listing)
{
    return *listing->last == '\0' ? NULL : listing->last;
}

size_t
listing_page_count(const struct listing *listing)
{
    return listing->count_max < PAGE_COUNT_MAX ? listing->count_max : 0;
}

void
listing_passed(struct listing *listing, const char *name)
{
    snprintf(listing->last, sizeof(listing->last), "%s", name);
    listing->count_max--;
}

void
listing_tell_none(const struct cli *cli, const char *what, const char *prefix)
{
    if (cli->json || !isatty(STDOUT_FILENO)) {
        return;
    }
    if (prefix == NULL || *prefix == '\0') {
        cli_note(cli, "there are no %s", what);
    } else {
        cli_note(cli, "there are no %s that begin with %s", what, prefix);
    }
}

int
listing_command(struct cli *cli, int argc, char **argv, const char *what,
                listing_page *page)
{
    enum acta_code code = ACTA_OK;
    struct acta_err err;
    struct listing listing;
    uint64_t count_max;
    bool stop;
    int exit_code = take_arguments(cli, argc, argv, &listing, &stop);

    if (stop || exit_code != EXIT_OK) {
        return exit_code;
    }
    count_max = listing.count_max;
    table_init(&listing.table);
    while (code == ACTA_OK && !listing.at_end && listing.count_max > 0) {
        code = page(cli, &listing, &err);
        table_print(&listing.table, dim(cli), plain(cli));
    }
    table_fini(&listing.table);
    if (code == ACTA_OK && listing.count_max == count_max) {
        listing_tell_none(cli, what, listing.prefix);
    }
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}
