/* snapshot: the state of a stream that the server keeps for those who load it.
 */

#include <inttypes.h>
#include <stdlib.h>

#include "cmd.h"
#include "load.h"
#include "out.h"
#include "out_named.h"
#include "refusal.h"

/* ---- show ---- */

static int
show(struct cli *cli, const char *stream)
{
    struct acta_load load = acta_load_of(stream);
    const struct acta_loaded *loaded;
    struct acta_err err;

    load.events_max = 1; /* None is of interest. */
    if (acta_sync_load(cli->sync, &load, &loaded, &err) != ACTA_OK) {
        return cli_fail(stream, &err);
    }
    if (loaded->snapshot == NULL) {
        cli_error(ACTA_NOT_FOUND, "%s: has no snapshot", stream);
        return EXIT_NOT_FOUND;
    }
    cli->out->named->snapshot(cli, stream, loaded->snapshot,
                              loaded->page->version);
    return EXIT_OK;
}

/* ---- put, rm ---- */

/* Send @append, which keeps or removes the snapshot of @stream. */
static int
carry_out(struct cli *cli, const char *stream, const struct acta_append *append)
{
    static const struct terms none;
    const struct refusal_of of = {.terms = &none, .snapshot = stream};
    const struct acta_appended *appended;
    struct acta_err err;

    if (acta_append_check(append, &err) != ACTA_OK) {
        return cli_usage(cli, "%s", err.text);
    }
    if (acta_sync_append(cli->sync, append, &appended, &err) != ACTA_OK) {
        return refusal_tell(cli, &of, appended, &err);
    }
    return EXIT_OK;
}

static int
put(struct cli *cli, const char *stream, uint64_t version, uint64_t schema,
    const char *argument)
{
    struct acta_append *append = acta_append_new();
    char *owned = NULL;
    const void *data;
    size_t size;
    int code = EXIT_OTHER;

    if (load_argument(argument, &owned, &data, &size)) {
        acta_append_snapshot(append, stream, version, schema, data, size);
        code = carry_out(cli, stream, append);
    }
    if (code == EXIT_OK) {
        cli_note(cli,
                 "%s: snapshot of version %" PRIu64 ", schema %" PRIu64
                 ", %zu B; it is kept unless there is a newer one",
                 stream, version, schema, size);
    }
    free(owned);
    acta_append_free(append);
    return code;
}

static int
rm(struct cli *cli, const char *stream)
{
    struct acta_append *append = acta_append_new();
    int code;

    acta_append_remove_snapshot(append, stream);
    code = carry_out(cli, stream, append);
    if (code == EXIT_OK) {
        cli_note(cli, "%s: has no snapshot any more", stream);
    }
    acta_append_free(append);
    return code;
}

/* ---- the command line ---- */

/* Of verbs that take a stream and nothing else. */
static int
run_on_stream(struct cli *cli, int argc, char **argv,
              int (*verb)(struct cli *cli, const char *stream))
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    int code;

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "one stream is needed");
    }
    code = cli_connect(cli);
    return code == EXIT_OK ? verb(cli, argv[optind]) : code;
}

static int
cmd_show(struct cli *cli, int argc, char **argv)
{
    return run_on_stream(cli, argc, argv, show);
}

static int
cmd_rm(struct cli *cli, int argc, char **argv)
{
    return run_on_stream(cli, argc, argv, rm);
}

static int
cmd_put(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"schema", required_argument, NULL, CLI_FIRST},
        CLI_LONG_OPTIONS,
    };
    uint64_t schema = 0;
    uint64_t version;
    int option, code;

    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (!cli_number("--schema", optarg, 0, INT64_MAX, &schema)) {
            return EXIT_USAGE;
        }
    }
    if (argc - optind != 3) {
        return cli_usage(cli, "a stream, its version and data are needed");
    }
    if (!cli_number("version", argv[optind + 1], 1, INT64_MAX, &version)) {
        return EXIT_USAGE;
    }
    code = cli_connect(cli);
    return code == EXIT_OK
               ? put(cli, argv[optind], version, schema, argv[optind + 2])
               : code;
}

const struct cmd snapshot_verbs[] = {
    {"snapshot show", "STREAM", "print it, and what it is of", "", cmd_show,
     NULL},
    {"snapshot put", "STREAM VERSION DATA|-|@FILE",
     "keep DATA as the state of STREAM as of VERSION",
     "Of two snapshots the one of the greater schema is kept, and of the same\n"
     "schema that of the greater version.\n"
     "\n"
     "  --schema NUMBER    what the data means; counts up when that changes "
     "(0)\n",
     cmd_put, NULL},
    {"snapshot rm", "STREAM", "remove it; the events stay", "", cmd_rm, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
