#include "list.h"

#include <stdio.h>
#include <string.h>

#include "out_text.h"

#define PAGE_COUNT_MAX 1000
#define NO_LIMIT       UINT64_MAX

void
list_take_prefix(struct list *list, char *text)
{
    size_t size = strlen(text);

    if (size > 0 && text[size - 1] == '*') {
        text[size - 1] = '\0';
    }
    list->prefix = text;
}

/* EXIT_OK, with the program connected, or what to exit with; *@stop is set if
 * that was only help.
 */
static int
take_arguments(struct cli *cli, int argc, char **argv, struct list *list,
               bool *stop)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'n'},
        {"prefix", required_argument, NULL, CLI_FIRST},
        CLI_LONG_OPTIONS,
    };
    int option;

    *list = (struct list){.count_max = NO_LIMIT};
    *stop = false;
    while ((option = cli_option(cli, argc, argv, "n:" CLI_SHORT_OPTIONS,
                                options)) != CLI_END) {
        if (option == CLI_STOP) {
            *stop = true;
            return cli_option_exit();
        }
        if (option == CLI_FIRST) {
            list_take_prefix(list, optarg);
        } else if (!cli_number("-n", optarg, 1, NO_LIMIT, &list->count_max)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind + (list->prefix != NULL) > 1) {
        return cli_usage(cli, "one prefix at a time");
    }
    if (optind < argc) {
        list_take_prefix(list, argv[optind]);
    }
    return cli_connect(cli);
}

const char *
list_after(const struct list *list)
{
    return *list->last == '\0' ? NULL : list->last;
}

size_t
list_page_count(const struct list *list)
{
    return list->count_max < PAGE_COUNT_MAX ? list->count_max : 0;
}

void
list_passed(struct list *list, const char *name)
{
    snprintf(list->last, sizeof(list->last), "%s", name);
    list->count_max--;
}

int
list_command(struct cli *cli, int argc, char **argv, list_page *page)
{
    enum acta_code code = ACTA_OK;
    struct acta_err err;
    struct list list;
    bool stop;
    int exit_code = take_arguments(cli, argc, argv, &list, &stop);

    if (stop || exit_code != EXIT_OK) {
        return exit_code;
    }
    table_init(&list.table);
    while (code == ACTA_OK && !list.at_end && list.count_max > 0) {
        code = page(cli, &list, &err);
        table_print(&list.table, dim(cli), plain(cli));
    }
    table_fini(&list.table);
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}
