#include "rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd_consumer.h"
#include "interrupt.h"
#include "out.h"
#include "out_named.h"
#include "progress.h"

#define LOOK_MS 200

/* What is to be known of it while it is watched. */
struct progress_of {
    uint64_t position;
    uint64_t head;
    uint64_t parked;
    bool is_paused;
    bool is_alone; /* Nobody is there to handle anything. */
};

static enum acta_code
look(struct cli *cli, const char *name, struct progress_of *now,
     struct acta_err *err)
{
    const struct acta_consumer_description *description;
    enum acta_code code =
        acta_sync_describe_consumer(cli->sync, name, &description, err);

    if (code == ACTA_OK) {
        *now = (struct progress_of){
            .position = description->consumer->position,
            .head = description->consumer->head,
            .parked = description->consumer->parked,
            .is_paused = description->consumer->is_paused,
            .is_alone = description->consumer->connected == 0,
        };
    }
    return code;
}

/* Why nothing may be going on, once. */
static void
tell_obstacle(const struct cli *cli, const struct progress_of *now, bool *told)
{
    if (*told || (!now->is_paused && !now->is_alone)) {
        return;
    }
    *told = true;
    cli_note(cli, now->is_paused ? "it is paused: acta consumer resume lets it "
                                   "go on"
                                 : "nobody is there who handles events: it "
                                   "begins when someone comes");
}

static void
tell_done(const struct cli *cli, const char *name,
          const struct progress_of *now, double seconds)
{
    if (cli->json) {
        cli_position(now->position, true);
    } else if (now->parked > 0) {
        cli_note(cli,
                 "%s: handled again up to position %" PRIu64
                 " (%.1f s), %" PRIu64 " parked",
                 name, now->position, seconds, now->parked);
    } else {
        cli_note(cli, "%s: handled again up to position %" PRIu64 " (%.1f s)",
                 name, now->position, seconds);
    }
}

static int
watch(struct cli *cli, const char *name, uint64_t from, uint64_t to)
{
    struct progress_of now = {0};
    struct progress progress;
    struct acta_err err;
    enum acta_code code;
    bool told = false;

    interrupt_catch();
    progress_start(&progress, !cli->quiet && !cli->json);
    while ((code = look(cli, name, &now, &err)) == ACTA_OK &&
           now.position < to && interrupt_caught() == 0) {
        tell_obstacle(cli, &now, &told);
        if (now.position > from) {
            progress_draw(&progress, now.position - from, now.position - from,
                          to - from);
        }
        interrupt_wait(NULL, 0, LOOK_MS);
    }
    progress_end(&progress);
    if (code != ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    if (now.position < to) {
        cli_note(cli,
                 "%s: is at position %" PRIu64 " of %" PRIu64
                 ", and goes on by itself",
                 name, now.position, to);
        return EXIT_INTERRUPTED;
    }
    tell_done(cli, name, &now, progress_seconds(&progress));
    return EXIT_OK;
}

int
rebuild_run(struct cli *cli, const struct rebuild *rebuild)
{
    const char *name = rebuild->consumer;
    const struct acta_consumer_changed *changed;
    struct progress_of before;
    struct acta_err err;

    if (look(cli, name, &before, &err) != ACTA_OK ||
        acta_sync_reset_consumer(cli->sync, name, rebuild->position, &changed,
                                 &err) != ACTA_OK) {
        return consumer_refuse(name, &err);
    }
    cli_note(cli,
             "%s: from position %" PRIu64 " back to %" PRIu64
             ", to handle again up to %" PRIu64,
             name, before.position, rebuild->position, before.head);
    return rebuild->no_wait ? EXIT_OK
                            : watch(cli, name, rebuild->position, before.head);
}
