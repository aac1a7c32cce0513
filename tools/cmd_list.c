/* streams, categories, types and tags: what there is, by name. */

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "limit.h"
#include "out.h"

#define PAGE_COUNT_MAX 4096
#define NO_LIMIT       UINT64_MAX

struct list_request {
    char *prefix; /* NULL: all. */
    uint64_t count_max;
    char last[ACTA_STREAM_SIZE_MAX + 1]; /* What was printed last. */
    bool at_end;
};

/* ---- the command line ---- */

/* A * says what a prefix says anyhow. */
static void
take_prefix(struct list_request *request, char *text)
{
    size_t size = strlen(text);

    if (size > 0 && text[size - 1] == '*') {
        text[size - 1] = '\0';
    }
    request->prefix = text;
}

/* EXIT_OK, with the program connected, or what to exit with; *@stop is set if
 * that was only help.
 */
static int
list_arguments(struct cli *cli, int argc, char **argv,
               struct list_request *request, bool *stop)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"prefix", required_argument, NULL, CLI_FIRST},
        CLI_LONG_OPTIONS,
    };
    int option;

    *request = (struct list_request){.count_max = NO_LIMIT};
    *stop = false;
    while ((option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            *stop = true;
            return cli_option_exit();
        }
        if (option == CLI_FIRST) {
            take_prefix(request, optarg);
        } else if (!cli_number("-n", optarg, 1, NO_LIMIT,
                               &request->count_max)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind + (request->prefix != NULL) > 1) {
        return cli_usage(cli, "one prefix at a time");
    }
    if (optind < argc) {
        take_prefix(request, argv[optind]);
    }
    return cli_connect(cli);
}

/* ---- pages ---- */

static const char *
after(const struct list_request *request)
{
    return *request->last == '\0' ? NULL : request->last;
}

static size_t
page_count(const struct list_request *request)
{
    return request->count_max < PAGE_COUNT_MAX ? request->count_max : 0;
}

/* @name was printed: the next page comes behind it. */
static void
passed(struct list_request *request, const char *name)
{
    snprintf(request->last, sizeof(request->last), "%s", name);
    request->count_max--;
}

static enum acta_code
print_streams(struct cli *cli, struct list_request *request,
              struct acta_err *err)
{
    const struct acta_streams *streams;
    enum acta_code code =
        acta_sync_list(cli->sync, request->prefix, after(request),
                       page_count(request), &streams, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < streams->streams_count && request->count_max > 0;
         i++) {
        cli->out->stream(cli, streams->streams[i]);
        passed(request, streams->streams[i]->name);
    }
    request->at_end = streams->at_end;
    return ACTA_OK;
}

typedef enum acta_code list_names(struct acta_sync *sync, const char *prefix,
                                  const char *after, size_t count_max,
                                  const struct acta_names **names,
                                  struct acta_err *err);

static enum acta_code
print_names(struct cli *cli, struct list_request *request, list_names *list,
            struct acta_err *err)
{
    const struct acta_names *names;
    enum acta_code code = list(cli->sync, request->prefix, after(request),
                               page_count(request), &names, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < names->names_count && request->count_max > 0; i++) {
        cli->out->name(cli, names->names[i]);
        passed(request, names->names[i]->name);
    }
    request->at_end = names->at_end;
    return ACTA_OK;
}

/* All pages: of names by @list, of streams if that is NULL. */
static int
list_command(struct cli *cli, int argc, char **argv, list_names *list)
{
    struct list_request request;
    enum acta_code code = ACTA_OK;
    struct acta_err err;
    bool stop;
    int exit_code = list_arguments(cli, argc, argv, &request, &stop);

    if (stop || exit_code != EXIT_OK) {
        return exit_code;
    }
    while (code == ACTA_OK && !request.at_end && request.count_max > 0) {
        code = list == NULL ? print_streams(cli, &request, &err)
                            : print_names(cli, &request, list, &err);
    }
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}

int
cmd_streams(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, NULL);
}

int
cmd_categories(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, acta_sync_list_categories);
}

int
cmd_types(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, acta_sync_list_types);
}

int
cmd_tags(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, acta_sync_list_tags);
}
