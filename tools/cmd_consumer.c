/* consumer: what follows under a name, and groups of those who share events. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "cmd_consumer.h"
#include "filter.h"
#include "listing.h"
#include "out.h"
#include "out_named.h"
#include "place.h"

/* ---- ls, show ---- */

static enum acta_code
print_page(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    const struct acta_consumers *page;
    enum acta_code code = acta_sync_list_consumers(
        cli->sync, listing->prefix, listing_after(listing),
        listing_page_count(listing), &page, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < page->consumers_count && listing->count_max > 0;
         i++) {
        cli->out->named->consumer(cli, &listing->table, page->consumers[i]);
        listing_passed(listing, page->consumers[i]->name);
    }
    listing->at_end = page->at_end;
    return ACTA_OK;
}

static int
cmd_ls(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "consumers", print_page);
}

/* The command line of verbs that take a name and nothing else. EXIT_OK, with
 * the program connected, or what to exit with; *@stop is set if that was only
 * help.
 */
static int
take_name(struct cli *cli, int argc, char **argv, const char **name, bool *stop)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};

    *stop = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END;
    if (*stop) {
        return cli_option_exit();
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "the name of one consumer is needed");
    }
    *name = argv[optind];
    return cli_connect(cli);
}

static int
cmd_show(struct cli *cli, int argc, char **argv)
{
    const struct acta_consumer_description *description;
    struct acta_err err;
    const char *name;
    bool stop;
    int code = take_name(cli, argc, argv, &name, &stop);

    if (stop || code != EXIT_OK) {
        return code;
    }
    if (acta_sync_describe_consumer(cli->sync, name, &description, &err) !=
        ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    cli->out->named->described(cli, description);
    return EXIT_OK;
}

/* ---- changes ---- */

int
consumer_tell(const struct cli *cli, const char *name,
              const struct acta_consumer_changed *changed, const char *text)
{
    if (!cli->quiet) {
        cli->out->named->consumer_changed(cli,
                                          &(struct out_consumer_changed){
                                              .name = name,
                                              .text = text,
                                              .position = changed->position,
                                              .epoch = changed->epoch,
                                              .changed = changed->changed,
                                          });
    }
    return EXIT_OK;
}

int
consumer_refuse(const char *name, const struct acta_err *err)
{
    int code;

    if (err->code == ACTA_NOT_FOUND) {
        cli_error(ACTA_NOT_FOUND, "%s: there is no such consumer", name);
        cli_hint("acta consumer ls lists those that there are");
        return EXIT_NOT_FOUND;
    }
    code = cli_fail(NULL, err);
    if (err->code == ACTA_EXISTS) {
        cli_hint("acta consumer show %s tells what it is like", name);
    }
    return code;
}

typedef enum acta_code change(struct acta_sync *sync, const char *name,
                              const struct acta_consumer_changed **changed,
                              struct acta_err *err);

/* A change that needs no more than a name; @now and @before tell what the
 * consumer is now, or was already.
 */
static int
change_by_name(struct cli *cli, int argc, char **argv, change *make,
               const char *now, const char *before)
{
    const struct acta_consumer_changed *changed;
    char text[CONSUMER_TEXT_SIZE];
    struct acta_err err;
    const char *name;
    bool stop;
    int code = take_name(cli, argc, argv, &name, &stop);

    if (stop || code != EXIT_OK) {
        return code;
    }
    if (make(cli->sync, name, &changed, &err) != ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    snprintf(text, sizeof(text), "%s: %s", name,
             changed->changed ? now : before);
    return consumer_tell(cli, name, changed, text);
}

static int
cmd_pause(struct cli *cli, int argc, char **argv)
{
    return change_by_name(cli, argc, argv, acta_sync_pause_group,
                          "is paused; what members have in hand they can still "
                          "settle",
                          "was paused already");
}

static int
cmd_resume(struct cli *cli, int argc, char **argv)
{
    return change_by_name(cli, argc, argv, acta_sync_resume_group,
                          "hands out events again", "was not paused");
}

/* ---- reset, rm ---- */

/* From where to where, and what that means. */
static void
describe_move(const char *name, uint64_t before, uint64_t position,
              char text[static CONSUMER_TEXT_SIZE])
{
    if (position == before) {
        snprintf(text, CONSUMER_TEXT_SIZE,
                 "%s: stays at position %" PRIu64 ", in a new epoch", name,
                 position);
    } else if (position > before) {
        snprintf(text, CONSUMER_TEXT_SIZE,
                 "%s: from position %" PRIu64 " on to %" PRIu64
                 "; what is between is passed over",
                 name, before, position);
    } else {
        snprintf(text, CONSUMER_TEXT_SIZE,
                 "%s: from position %" PRIu64 " back to %" PRIu64
                 "; position %" PRIu64 " comes next",
                 name, before, position, position + 1);
    }
}

/* Move it, and tell from where to where. */
static int
reset(struct cli *cli, const char *name, const struct place *place)
{
    const struct acta_consumer_description *description;
    const struct acta_consumer_changed *changed;
    uint64_t before, position;
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];
    int code = place_find(place, cli, &position);

    if (code != EXIT_OK) {
        return code;
    }
    if (acta_sync_describe_consumer(cli->sync, name, &description, &err) !=
        ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    before = description->consumer->position;
    if (acta_sync_reset_consumer(cli->sync, name, position, &changed, &err) !=
        ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    describe_move(name, before, position, text);
    if (!cli->quiet) {
        cli->out->named->consumer_changed(cli,
                                          &(struct out_consumer_changed){
                                              .name = name,
                                              .text = text,
                                              .position = changed->position,
                                              .epoch = changed->epoch,
                                              .changed = changed->changed,
                                              .has_before = true,
                                              .before = before,
                                          });
    }
    return EXIT_OK;
}

static int
cmd_reset(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {CLI_LONG_OPTIONS};
    struct place place;
    int code;

    if (cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options) != CLI_END) {
        return cli_option_exit();
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "a consumer and a place are needed");
    }
    if (!place_parse(&place, "reset", argv[optind + 1])) {
        return EXIT_USAGE;
    }
    code = cli_connect(cli);
    return code == EXIT_OK ? reset(cli, argv[optind], &place) : code;
}

/* Parked events are found nowhere else: who removes them must mean it. */
static int
confirm(struct cli *cli, const char *name)
{
    const struct acta_consumer_description *description;
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];
    uint64_t parked;

    if (acta_sync_describe_consumer(cli->sync, name, &description, &err) !=
        ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    parked = description->consumer->parked;
    if (parked == 0) {
        return EXIT_OK;
    }
    snprintf(text, sizeof(text), "remove %s, with %" PRIu64 " parked %s", name,
             parked, parked == 1 ? "event" : "events");
    return cli_confirm(text);
}

static int
cmd_rm(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"yes", no_argument, NULL, CLI_FIRST},
        CLI_LONG_OPTIONS,
    };
    const struct acta_consumer_changed *changed;
    struct acta_err err;
    char text[CONSUMER_TEXT_SIZE];
    bool yes = false;
    int option, code;

    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        yes = true;
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "the name of one consumer is needed");
    }
    code = cli_connect(cli);
    if (code == EXIT_OK && !yes) {
        code = confirm(cli, argv[optind]);
    }
    if (code != EXIT_OK) {
        return code;
    }
    if (acta_sync_delete_consumer(cli->sync, argv[optind], &changed, &err) !=
        ACTA_OK) {
        return consumer_refuse(argv[optind], &err);
    }
    if (!changed->changed) {
        err = (struct acta_err){.code = ACTA_NOT_FOUND};
        return consumer_refuse(argv[optind], &err);
    }
    snprintf(text, sizeof(text), "%s: is removed", argv[optind]);
    return consumer_tell(cli, argv[optind], changed, text);
}

/* ---- the table ---- */

#define GROUP_HELP                                                             \
    "  --ack-timeout TIME an event that is not settled for so long is "        \
    "handed\n"                                                                 \
    "                     out again (30s)\n"                                   \
    "  --deliveries COUNT handed out so often in vain it is parked (10)\n"     \
    "  --on-park WHAT     wait: what is behind a parked event in its key is\n" \
    "                     parked, too, until that is done with (default);\n"   \
    "                     go-on: nothing waits\n"

const struct cmd consumer_verbs[] = {
    {"consumer ls", "[PREFIX]", "list them: how far they are, who is there",
     LISTING_HELP, cmd_ls, NULL},
    {"consumer show", "NAME", "all there is of one, with its members", "",
     cmd_show, NULL},
    {"consumer lag", "[PREFIX]", "what is before them: events and time",
     "Once, or with --watch again and again until Ctrl-C; then it is also "
     "told\n"
     "how fast each goes, and when it will be at the head.\n"
     "\n"
     "  -w, --watch        look again and again\n"
     "  --interval TIME    so often (2s)\n"
     "  --prefix TEXT      the same as PREFIX: only names that begin so\n",
     cmd_consumer_lag, NULL},
    {"consumer create", "NAME [FILTER...]", "make a group",
     "Its members share the events that match. Made again just so it stays as\n"
     "it is; exit code 4 if there is another one of this name.\n" PLACE_HELP
     "\n"
     "  --from PLACE       begin with (start)\n" GROUP_HELP
     "  --key-tag TEXT     events whose first tag that begins with TEXT is "
     "the\n"
     "                     same come one after another; others, and all\n"
     "                     without this option, by stream\n" FILTER_HELP,
     cmd_consumer_create, NULL},
    {"consumer alter", "NAME [FILTER...]", "alter a group; its members stay",
     "What is not given stays as it is.\n"
     "\n" GROUP_HELP FILTER_HELP,
     cmd_consumer_alter, NULL},
    {"consumer claim", "NAME [FILTER...]", "begin a new epoch of a plain one",
     "It is made if it is not there. Whoever follows under this name is done;\n"
     "only who has the new epoch moves its checkpoint: acta append\n"
     "--checkpoint. It goes on with its query if none is named.\n" PLACE_HELP
     "\n"
     "  --from PLACE       if it is made, begin with (start)\n" FILTER_HELP,
     cmd_consumer_claim, NULL},
    {"consumer reset", "NAME PLACE", "let it begin again, or pass over events",
     "The event at PLACE is the next that it gets: it is start, end, the\n"
     "position of an event, or a time: 2h (ago), 7d, 2026-11-21T22:22 (UTC).\n"
     "Those who follow under this name alone have to begin anew; members of a\n"
     "group stay, and what is parked stays parked.\n",
     cmd_reset, NULL},
    {"consumer pause", "NAME", "hand out nothing more", "", cmd_pause, NULL},
    {"consumer resume", "NAME", "hand out again", "", cmd_resume, NULL},
    {"consumer rm", "NAME", "remove it, with its place and what is parked",
     "  --yes              without asking, which is done if events are "
     "parked\n",
     cmd_rm, NULL},
    {"consumer parked", "VERB GROUP [ARGUMENT...]",
     "events that were laid aside", "", NULL, parked_verbs},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};
