/* streams, categories, types and tags: what there is, by name. */

#include "cmd.h"
#include "listing.h"
#include "out.h"

static enum acta_code
print_streams(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    const struct acta_streams *streams;
    enum acta_code code =
        acta_sync_list(cli->sync, listing->prefix, listing_after(listing),
                       listing_page_count(listing), &streams, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < streams->streams_count && listing->count_max > 0;
         i++) {
        cli->out->stream(cli, streams->streams[i]);
        listing_passed(listing, streams->streams[i]->name);
    }
    listing->at_end = streams->at_end;
    return ACTA_OK;
}

typedef enum acta_code list_names(struct acta_sync *sync, const char *prefix,
                                  const char *after, size_t count_max,
                                  const struct acta_names **names,
                                  struct acta_err *err);

static enum acta_code
print_names(struct cli *cli, struct listing *listing, list_names *ask,
            struct acta_err *err)
{
    const struct acta_names *names;
    enum acta_code code =
        ask(cli->sync, listing->prefix, listing_after(listing),
            listing_page_count(listing), &names, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < names->names_count && listing->count_max > 0; i++) {
        cli->out->name(cli, names->names[i]);
        listing_passed(listing, names->names[i]->name);
    }
    listing->at_end = names->at_end;
    return ACTA_OK;
}

static enum acta_code
print_categories(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    return print_names(cli, listing, acta_sync_list_categories, err);
}

static enum acta_code
print_types(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    return print_names(cli, listing, acta_sync_list_types, err);
}

static enum acta_code
print_tags(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    return print_names(cli, listing, acta_sync_list_tags, err);
}

int
cmd_streams(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "streams", print_streams);
}

int
cmd_categories(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "categories", print_categories);
}

int
cmd_types(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "types", print_types);
}

int
cmd_tags(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "tags", print_tags);
}
