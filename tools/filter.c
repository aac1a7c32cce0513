#include "filter.h"

#include <stdlib.h>

void
filter_init(struct filter *filter)
{
    *filter = (struct filter){.query = acta_query_new()};
}

void
filter_fini(struct filter *filter)
{
    acta_query_free(filter->query);
}

int
filter_option(struct filter *filter, int option, bool *taken)
{
    struct acta_id id;

    *taken = option >= FILTER_ALL && option < FILTER_NEXT;
    if (!*taken) {
        return EXIT_OK;
    }
    filter->used |= option != FILTER_ALL;
    switch (option) {
    case FILTER_ALL:
        filter->all = true;
        break;
    case FILTER_CATEGORY:
        acta_query_category(filter->query, optarg);
        break;
    case FILTER_TYPE:
        acta_query_type(filter->query, optarg);
        break;
    case FILTER_TAG:
        acta_query_tag(filter->query, optarg);
        break;
    case FILTER_STREAM:
        acta_query_stream(filter->query, optarg);
        break;
    case FILTER_CORR:
        if (!cli_id("--corr", optarg, &id)) {
            return EXIT_USAGE;
        }
        acta_query_correlation_id(filter->query, &id);
        break;
    default:
        abort();
    }
    return EXIT_OK;
}

int
filter_arguments(struct filter *filter, const struct cli *cli, int argc,
                 char **argv)
{
    struct acta_err err;

    if (argc > 1) {
        return cli_usage(cli,
                         "%s: one stream at a time; --stream may be given "
                         "more than once",
                         argv[1]);
    }
    if (argc == 1 && filter->all) {
        return cli_usage(cli, "--all or a stream, not both");
    }
    if (argc == 1) {
        if (!filter->used) {
            filter->stream = argv[0];
        }
        acta_query_stream(filter->query, argv[0]);
        filter->used = true;
    }
    if (acta_query_check(filter->query, &err) != ACTA_OK) {
        return cli_usage(cli, "%s", err.text);
    }
    return EXIT_OK;
}

const struct acta_query *
filter_query(const struct filter *filter)
{
    return filter->used ? filter->query : NULL;
}

struct acta_read
filter_read(const struct filter *filter)
{
    return filter->stream != NULL ? acta_read_of_stream(filter->stream)
                                  : acta_read_of_query(filter_query(filter));
}
