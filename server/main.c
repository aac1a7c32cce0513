/* actad: starts what there is in order, waits for signals, and stops it in the
 * reverse order. The only exit() of the server is here, and so are the exit
 * codes, which actad.8 lists.
 *
 * Signals are blocked in every thread and taken by the main one, which does
 * nothing else once all is started; until then it looks now and then whether
 * one has come.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "database.h"
#include "fault.h"
#include "file.h"
#include "log.h"
#include "salvage_command.h"
#include "server.h"
#include "verify_command.h"

#define DATABASE_NAME "main"

enum exit_code {
    EXIT_USAGE = 2,         /* Options or configuration. */
    EXIT_DAMAGED = 65,      /* Stored data is damaged. */
    EXIT_STORAGE = 74,      /* Storage failed. */
    EXIT_TEMPORARY = 75,    /* In use, or no memory or space: try again. */
    EXIT_NEWER_FORMAT = 78, /* The data is of a newer version of Acta. */
};

struct daemon {
    struct config config;
    struct database *database;
    struct server *server;
    bool is_serving; /* It was started, and not only made to listen. */
    struct mono_time started;
    char dev_dir[64]; /* Empty, unless in dev mode: removed at the end. */
    int argc;
    char **argv;
};

static enum exit_code
exit_code_of(enum acta_code code)
{
    /* What the others mean at a start is that something has to be set right. */
    switch ((int)code) {
    case ACTA_INVALID:
    case ACTA_EXISTS: /* Of a directory that is to be new. */
        return EXIT_USAGE;
    case ACTA_CORRUPT:
        return EXIT_DAMAGED;
    case ACTA_UNSUPPORTED:
        return EXIT_NEWER_FORMAT;
    case ACTA_IN_USE:
    case ACTA_MEMORY:
    case ACTA_FULL:
        return EXIT_TEMPORARY;
    default:
        return EXIT_STORAGE;
    }
}

/* ---- small files that tell others about this process ---- */

/* /dev/stdout, say: root could put a file in its place, or remove it. */
static bool
is_special(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

/* Written under another name first: who sees the file sees all of it. */
static enum acta_code
write_number(const char *path, uint64_t number, struct acta_err *err)
{
    char draft[CONFIG_TEXT_SIZE + 8];
    FILE *file;
    bool ok;

    if (*path == '\0') {
        return ACTA_OK;
    }
    if (is_special(path)) {
        return acta_fail(err, ACTA_INVALID,
                         "%s is not a file, and would be replaced", path);
    }
    snprintf(draft, sizeof(draft), "%s.new", path);
    file = fopen(draft, "we");
    ok = file != NULL && fprintf(file, "%" PRIu64 "\n", number) > 0;
    if (file != NULL && fclose(file) != 0) {
        ok = false;
    }
    if (!ok || rename(draft, path) != 0) {
        return acta_fail(err, ACTA_IO, "write %s: %s", path, strerror(errno));
    }
    return ACTA_OK;
}

static void
remove_number(const char *path)
{
    if (*path != '\0' && !is_special(path)) {
        unlink(path);
    }
}

static enum acta_code
write_numbers(const struct daemon *daemon, struct acta_err *err)
{
    const struct config *config = &daemon->config;
    enum acta_code code = write_number(config_text(config, CONFIG_PID_FILE),
                                       (uint64_t)getpid(), err);

    if (code == ACTA_OK) {
        code = write_number(config_text(config, CONFIG_PORT_FILE),
                            address_port(server_address(daemon->server)), err);
    }
    return code;
}

/* ---- dev mode ---- */

/* What --dev means for settings that nobody has set. */
static void
set_dev_defaults(struct config *config)
{
    config_set_default(config, CONFIG_JOURNAL_SEGMENT_SIZE, "8MiB", "--dev");
    config_set_default(config, CONFIG_STORE_MAP_SIZE, "64GiB", "--dev");
    config_set_default(config, CONFIG_DISK_RESERVE, "64MiB", "--dev");
    config_set_default(config, CONFIG_LOG_LEVEL, "warning", "--dev");
}

static enum acta_code
prepare_dev(struct daemon *daemon, struct acta_err *err)
{
    const char *parent = getenv("TMPDIR");
    struct config *config = &daemon->config;

    if (parent == NULL || strlen(parent) > sizeof(daemon->dev_dir) - 20) {
        parent = "/tmp";
    }
    snprintf(daemon->dev_dir, sizeof(daemon->dev_dir), "%s/actad-dev-XXXXXX",
             parent);
    if (mkdtemp(daemon->dev_dir) == NULL) {
        *daemon->dev_dir = '\0';
        return acta_fail(err, ACTA_IO, "make a directory in %s: %s", parent,
                         strerror(errno));
    }
    config_set(config, CONFIG_DATA_DIR, daemon->dev_dir, "--dev");
    set_dev_defaults(config);
    return ACTA_OK;
}

static void
remove_dev(struct daemon *daemon)
{
    struct acta_err err;

    if (*daemon->dev_dir != '\0' &&
        file_remove_tree(daemon->dev_dir, &err) != ACTA_OK) {
        log_warning(log_event("data left behind"),
                    log_text("reason", err.text));
    }
}

/* ---- start ---- */

static void
set_log_level(const struct config *config)
{
    log_set_level((enum log_level)config_number(config, CONFIG_LOG_LEVEL));
}

/* As many descriptors as the system lets us have. */
static void
raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Called from a thread of the database. What is in flight has an unknown
 * outcome, which only reading the journal anew can settle; so nobody is
 * answered, and nothing is closed in order.
 */
static void
on_fatal(void *user, const struct acta_err *err)
{
    (void)user;
    log_error(log_event("storage failed"), log_text("reason", err->text));
    _exit(EXIT_STORAGE);
}

/* Has a signal come that asks for the end? It is taken later. */
static bool
is_to_stop(void *user)
{
    sigset_t came;

    (void)user;
    return sigpending(&came) == 0 && (sigismember(&came, SIGTERM) == 1 ||
                                      sigismember(&came, SIGINT) == 1);
}

/* One level too deep, a new database would be made inside of another. */
static enum acta_code
check_is_above(const char *data_dir, struct acta_err *err)
{
    char store[FILE_PATH_MAX], journal[FILE_PATH_MAX];
    enum acta_code code;

    if ((code = file_join(store, data_dir, "store", err)) != ACTA_OK ||
        (code = file_join(journal, data_dir, "journal", err)) != ACTA_OK) {
        return code;
    }
    return file_exists(store) && file_exists(journal)
               ? acta_fail(err, ACTA_INVALID,
                           "%s is a database itself: data-dir is the directory "
                           "that it is in",
                           data_dir)
               : ACTA_OK;
}

/* Who is started a second time has neither the address nor the data: then it is
 * told of the data, and of the process that has them.
 */
static enum acta_code
listen_first(struct daemon *daemon, const char *dir, struct acta_err *err)
{
    enum acta_code code = server_listen(&daemon->server, &daemon->config, err);

    return code == ACTA_IN_USE && !database_is_free(dir, err) ? ACTA_IN_USE
                                                              : code;
}

static enum acta_code
open_database(struct daemon *daemon, const char *data_dir, const char *dir,
              struct acta_err *err)
{
    const struct config *config = &daemon->config;
    struct database_options options;
    enum acta_code code = file_make_dir(data_dir, 0700, err);

    if (code != ACTA_OK) {
        return code;
    }
    database_options_init(&options);
    options.dir = dir;
    options.name = DATABASE_NAME;
    options.journal_segment_size =
        config_number(config, CONFIG_JOURNAL_SEGMENT_SIZE);
    options.store_map_size = config_number(config, CONFIG_STORE_MAP_SIZE);
    options.event_ids = config_number(config, CONFIG_EVENT_IDS) != 0;
    options.command_ids = config_number(config, CONFIG_COMMAND_IDS) != 0;
    options.disk_reserve = config_number(config, CONFIG_DISK_RESERVE);
    options.checkpoint_events = config_number(config, CONFIG_CHECKPOINT_EVENTS);
    options.checkpoint_size = config_number(config, CONFIG_CHECKPOINT_SIZE);
    options.checkpoint_journal =
        config_number(config, CONFIG_CHECKPOINT_JOURNAL);
    options.checkpoint_pages = config_number(config, CONFIG_CHECKPOINT_PAGES);
    options.checkpoint_age_ms = config_number(config, CONFIG_CHECKPOINT_AGE);
    options.sweep_interval_ms = config_number(config, CONFIG_SWEEP_INTERVAL);
    options.backup_keep = config_number(config, CONFIG_BACKUP_KEEP);
    options.queue_size = config_number(config, CONFIG_QUEUE_SIZE);
    options.fatal = on_fatal;
    options.is_to_stop = is_to_stop;
    return database_open(&daemon->database, &options, err);
}

static void
tell_ready(const struct daemon *daemon)
{
    uint64_t took_us = clock_us_since(daemon->started);
    char address[ADDRESS_TEXT_SIZE];

    address_format(server_address(daemon->server), address);
    log_info(log_event("ready"), log_text("address", address),
             log_number("head", database_head(daemon->database)),
             log_number("took_ms", took_us / 1000));
    if (*daemon->dev_dir != '\0') {
        printf("acta %s  dev mode: data in a temporary directory (deleted on "
               "exit), no auth, loopback only\n"
               "ready in %" PRIu64 " ms   acta://%s\n",
               ACTA_VERSION, (took_us + 999) / 1000, address);
        fflush(stdout);
    }
}

static void
tell_not_started(const struct acta_err *err)
{
    log_error(log_event("not started"),
              log_text("code", acta_code_name(err->code)),
              log_text("reason", err->text));
    if (err->code == ACTA_CORRUPT) {
        log_error(log_event("stored data is damaged"),
                  log_text("hint", "actad verify tells what is, actad salvage "
                                   "makes a new directory of the rest"));
    }
}

/* In this order: with an address that is taken, nothing is made. */
static enum acta_code
start_all(struct daemon *daemon, struct acta_err *err)
{
    const char *data_dir = config_text(&daemon->config, CONFIG_DATA_DIR);
    char dir[FILE_PATH_MAX];
    enum acta_code code;

    if ((code = check_is_above(data_dir, err)) != ACTA_OK ||
        (code = file_join(dir, data_dir, DATABASE_NAME, err)) != ACTA_OK ||
        (code = listen_first(daemon, dir, err)) != ACTA_OK ||
        (code = open_database(daemon, data_dir, dir, err)) != ACTA_OK ||
        (code = server_start(daemon->server, &daemon->config, daemon->database,
                             err)) != ACTA_OK) {
        return code;
    }
    daemon->is_serving = true;
    return write_numbers(daemon, err);
}

static enum acta_code
start(struct daemon *daemon, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    daemon->started = clock_mono();
    if (daemon->config.action == CONFIG_RUN_DEV) {
        code = prepare_dev(daemon, err);
    }
    set_log_level(&daemon->config);
    raise_descriptors();
    log_info(
        log_event("starting"), log_text("version", ACTA_VERSION),
        log_text("data_dir", config_text(&daemon->config, CONFIG_DATA_DIR)));
    return code == ACTA_OK ? start_all(daemon, err) : code;
}

/* ---- wait and stop ---- */

static void
block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void
read_log_level_again(struct daemon *daemon, char **environment)
{
    static struct config config; /* Large, and only used here. */
    struct acta_err err;

    if (config_load(&config, daemon->argc, daemon->argv, environment, &err) !=
        ACTA_OK) {
        log_error(log_event("configuration not read again"),
                  log_text("reason", err.text));
        return;
    }
    if (*daemon->dev_dir != '\0') {
        set_dev_defaults(&config);
    }
    set_log_level(&config);
    log_info(log_event("configuration read again"),
             log_text("log_level", config_text(&config, CONFIG_LOG_LEVEL)));
}

/* Returns with the signal that asks for the end: at once, if it has come. */
static int
wait_for_end(struct daemon *daemon, const sigset_t *signals, char **environment)
{
    int number;

    for (;;) {
        if (sigwait(signals, &number) != 0) {
            continue;
        }
        if (number != SIGHUP) {
            return number;
        }
        read_log_level_again(daemon, environment);
    }
}

/* From here on a signal ends the process at once: what is acknowledged is
 * durable already.
 */
static void
unblock_signals(const sigset_t *signals)
{
    signal(SIGHUP, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void
stop(struct daemon *daemon)
{
    if (daemon->is_serving) {
        server_stop(daemon->server);
        remove_number(config_text(&daemon->config, CONFIG_PORT_FILE));
        remove_number(config_text(&daemon->config, CONFIG_PID_FILE));
    }
    database_close(daemon->database);
    server_free(daemon->server);
    remove_dev(daemon);
}

static int
serve(struct daemon *daemon, char **environment)
{
    struct acta_err err;
    enum acta_code code;
    sigset_t signals;
    int number;

    block_signals(&signals);
    fault_watch(EXIT_STORAGE);
    code = start(daemon, &err);
    if (code != ACTA_OK && code != ACTA_STOPPING) {
        tell_not_started(&err);
        stop(daemon);
        return (int)exit_code_of(code);
    }
    if (code == ACTA_OK) {
        tell_ready(daemon);
    }
    number = wait_for_end(daemon, &signals, environment);
    log_info(log_event("stopping"), log_text("signal", strsignal(number)));
    unblock_signals(&signals);
    stop(daemon);
    log_info(log_event("stopped"));
    return EXIT_SUCCESS;
}

typedef enum acta_code run_command(int argc, char **argv, FILE *out,
                                   struct acta_err *err);

/* Of damage all is said already. */
static int
run_offline(run_command *command, int argc, char **argv)
{
    struct acta_err err;
    enum acta_code code = command(argc, argv, stdout, &err);

    if (code != ACTA_OK && code != ACTA_CORRUPT) {
        fprintf(stderr, "actad: %s\n", err.text);
    }
    return code == ACTA_OK ? EXIT_SUCCESS : (int)exit_code_of(code);
}

int
main(int argc, char **argv, char **environment)
{
    static struct daemon daemon; /* Large. */
    struct acta_err err;

    if (argc > 1 && strcmp(argv[1], "verify") == 0) {
        exit(run_offline(verify_command, argc - 2, argv + 2));
    }
    if (argc > 1 && strcmp(argv[1], "salvage") == 0) {
        exit(run_offline(salvage_command, argc - 2, argv + 2));
    }
    daemon.argc = argc;
    daemon.argv = argv;
    if (config_load(&daemon.config, argc, argv, environment, &err) != ACTA_OK) {
        fprintf(stderr, "actad: %s\n", err.text);
        exit(EXIT_USAGE);
    }
    switch (daemon.config.action) {
    case CONFIG_HELP:
        config_print_help(stdout);
        break;
    case CONFIG_VERSION:
        printf("actad %s\n", ACTA_VERSION);
        break;
    case CONFIG_CHECK:
        config_print_values(&daemon.config, stdout);
        break;
    case CONFIG_PRINT_MANUAL:
        config_print_manual(stdout);
        break;
    case CONFIG_RUN:
    case CONFIG_RUN_DEV:
        exit(serve(&daemon, environment));
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("actad: it could not be printed\n", stderr);
        exit(EXIT_STORAGE);
    }
    exit(EXIT_SUCCESS);
}
