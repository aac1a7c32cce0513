#include "life.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "database.h"
#include "descriptor.h"
#include "file.h"
#include "log.h"
#include "server.h"
#include "task.h"

#define FIRST_OWNER 64u

#define DATA_DIR     "/data"
#define DATABASE_DIR DATA_DIR "/main"

#define ARGUMENTS_MAX 40
#define ARGUMENT_SIZE 64

static struct {
    struct life_options options;
    enum life_state state;
    unsigned owner;
    uint64_t count;
    bool is_asked; /* To stop. */
    struct database *database;
    struct server *server;
} life;

void
life_init(const struct life_options *options)
{
    life.options = *options;
    life.owner = FIRST_OWNER - 1;
}

enum life_state
life_state(void)
{
    return life.state;
}

bool
life_is_over(void)
{
    return life.state == LIFE_NONE || life.state >= LIFE_HAS_STOPPED;
}

unsigned
life_owner(void)
{
    return life.owner;
}

uint64_t
life_count(void)
{
    return life.count;
}

/* ---- as main.c ---- */

/* The process ends here and now. */
static void
end_process(enum life_state state)
{
    life.state = state;
    descriptor_close_all(life.owner);
    task_kill(life.owner);
}

static void
on_fatal(void *user, const struct acta_err *err)
{
    (void)user;
    sim_say("storage failed: %s", err->text);
    end_process(LIFE_HAS_FAILED);
}

static void
load_config(struct config *config)
{
    const struct life_options *options = &life.options;
    char texts[ARGUMENTS_MAX][ARGUMENT_SIZE];
    char *argv[ARGUMENTS_MAX + 1] = {texts[0]};
    char *environment[] = {NULL};
    struct acta_err err;
    int argc = 0;

#define ADD(...) snprintf(texts[argc++], ARGUMENT_SIZE, __VA_ARGS__)
    ADD("actad");
    ADD("--data-dir=%s", DATA_DIR);
    ADD("--listen=127.0.0.1:%d", LIFE_PORT);
    ADD("--log-level=error");
    ADD("--io-threads=%u", options->io_threads);
    ADD("--connections-max=64");
    ADD("--journal-segment-size=1MiB");
    ADD("--store-map-size=32MiB");
    ADD("--disk-reserve=1MiB");
    ADD("--checkpoint-events=%u", options->checkpoint_events);
    ADD("--checkpoint-age=%ums", options->checkpoint_age_ms);
    ADD("--sweep-interval=%ums", options->sweep_interval_ms);
    ADD("--output-high=%u", options->output_high);
    ADD("--output-low=%u", options->output_high / 4);
    ADD("--subscription-step=%u", options->subscription_step);
    ADD("--queue-size=%u", options->queue_size);
#undef ADD
    for (int i = 0; i < argc; i++) {
        argv[i] = texts[i];
    }
    argv[argc] = NULL;
    if (config_load(config, argc, argv, environment, &err) != ACTA_OK) {
        sim_fail("configuration: %s", err.text);
    }
    log_set_level(sim_verbose ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
}

static enum acta_code
open_database(const struct config *config, struct acta_err *err)
{
    struct database_options options;
    enum acta_code code;

    code = file_make_dir(DATA_DIR, 0700, err);
    if (code != ACTA_OK) {
        return code;
    }
    database_options_init(&options);
    options.dir = DATABASE_DIR;
    options.name = "main";
    options.journal_segment_size =
        config_number(config, CONFIG_JOURNAL_SEGMENT_SIZE);
    options.store_map_size = config_number(config, CONFIG_STORE_MAP_SIZE);
    options.disk_reserve = config_number(config, CONFIG_DISK_RESERVE);
    options.checkpoint_events = config_number(config, CONFIG_CHECKPOINT_EVENTS);
    options.checkpoint_age_ms = config_number(config, CONFIG_CHECKPOINT_AGE);
    options.sweep_interval_ms = config_number(config, CONFIG_SWEEP_INTERVAL);
    options.queue_size = config_number(config, CONFIG_QUEUE_SIZE);
    options.fatal = on_fatal;
    return database_open(&life.database, &options, err);
}

/* Does a start that has failed for this reason say that something is lost? */
static bool
is_damage(enum acta_code code)
{
    return code != ACTA_IO && code != ACTA_FULL && code != ACTA_MEMORY;
}

static bool
is_asked(void *arg)
{
    (void)arg;
    return life.is_asked;
}

static void
stop(bool is_serving)
{
    if (is_serving) {
        server_stop(life.server);
    }
    database_close(life.database);
    server_free(life.server);
    if (descriptor_count(life.owner) > 0) {
        sim_fail("the server has left %zu descriptors open",
                 descriptor_count(life.owner));
    }
}

static void *
run(void *user)
{
    static struct config config; /* Large. */
    struct acta_err err;
    enum acta_code code;

    (void)user;
    load_config(&config);
    if ((code = server_listen(&life.server, &config, &err)) == ACTA_OK &&
        (code = open_database(&config, &err)) == ACTA_OK) {
        code = server_start(life.server, &config, life.database, &err);
    }
    if (code != ACTA_OK) {
        sim_say("the server does not start: %s", err.text);
        if (is_damage(code)) {
            sim_fail("the server does not start: %s", err.text);
        }
        stop(false);
        end_process(LIFE_HAS_FAILED);
    }
    if (life.state == LIFE_STARTS) {
        life.state = LIFE_RUNS;
    }
    sim_say("the server runs, head %llu",
            (unsigned long long)database_head(life.database));
    (void)task_wait(is_asked, NULL, SIM_NEVER);
    life.state = LIFE_STOPS;
    stop(true);
    sim_say("the server has stopped");
    end_process(LIFE_HAS_STOPPED);
    return NULL;
}

/* ---- the world's side ---- */

void
life_start(void)
{
    assert(life_is_over());
    life.state = LIFE_STARTS;
    life.owner++;
    life.count++;
    life.is_asked = false;
    life.database = NULL;
    life.server = NULL;
    sim_trace(30, life.owner, 0);
    (void)task_start("actad", life.owner, run, NULL);
}

void
life_stop(void)
{
    life.is_asked = true;
}

void
life_kill(void)
{
    assert(!life_is_over());
    sim_trace(31, life.owner, 0);
    end_process(LIFE_WAS_KILLED);
}
