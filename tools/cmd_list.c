/* streams, categories, types and tags: what there is, by name. */

#include "cmd.h"
#include "list.h"
#include "out.h"

static enum acta_code
print_streams(struct cli *cli, struct list *list, struct acta_err *err)
{
    const struct acta_streams *streams;
    enum acta_code code =
        acta_sync_list(cli->sync, list->prefix, list_after(list),
                       list_page_count(list), &streams, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < streams->streams_count && list->count_max > 0; i++) {
        cli->out->stream(cli, streams->streams[i]);
        list_passed(list, streams->streams[i]->name);
    }
    list->at_end = streams->at_end;
    return ACTA_OK;
}

typedef enum acta_code list_names(struct acta_sync *sync, const char *prefix,
                                  const char *after, size_t count_max,
                                  const struct acta_names **names,
                                  struct acta_err *err);

static enum acta_code
print_names(struct cli *cli, struct list *list, list_names *ask,
            struct acta_err *err)
{
    const struct acta_names *names;
    enum acta_code code = ask(cli->sync, list->prefix, list_after(list),
                              list_page_count(list), &names, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < names->names_count && list->count_max > 0; i++) {
        cli->out->name(cli, names->names[i]);
        list_passed(list, names->names[i]->name);
    }
    list->at_end = names->at_end;
    return ACTA_OK;
}

static enum acta_code
print_categories(struct cli *cli, struct list *list, struct acta_err *err)
{
    return print_names(cli, list, acta_sync_list_categories, err);
}

static enum acta_code
print_types(struct cli *cli, struct list *list, struct acta_err *err)
{
    return print_names(cli, list, acta_sync_list_types, err);
}

static enum acta_code
print_tags(struct cli *cli, struct list *list, struct acta_err *err)
{
    return print_names(cli, list, acta_sync_list_tags, err);
}

int
cmd_streams(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, print_streams);
}

int
cmd_categories(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, print_categories);
}

int
cmd_types(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, print_types);
}

int
cmd_tags(struct cli *cli, int argc, char **argv)
{
    return list_command(cli, argc, argv, print_tags);
}
