/* A database's directory DIR has two others, store and journal. Beside it lies
 * DIR.lock, whose lock says that a process has the database open, and, while it
 * is being made, DIR.new: it gets its name when all of it is on disk, so that a
 * database is whole or not there.
 */

#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "clock.h"
#include "failpoint.h"
#include "file.h"
#include "groups.h"
#include "recover.h"
#include "rooms.h"
#include "verifier.h"
#include "verify.h"
#include "writer.h"

#define DIR_MODE  0700
#define FILE_MODE 0600

struct database {
    struct database_options options;
    char *dir;  /* owned */
    char *name; /* owned */
    struct uuid id;
    int lock_fd;
    struct rooms rooms;
    bool has_tail;
    struct named named;
    struct checkpointer *checkpointer;
    struct writer *writer;
    struct groups *groups;
    struct verifier *verifier;
    _Atomic bool is_stopping;
};

void
database_options_init(struct database_options *options)
{
    *options = (struct database_options){
        .journal_segment_size = (size_t)64 << 20,
        .store_map_size = (size_t)1 << 40,
        .disk_reserve = (size_t)256 << 20,
        .checkpoint_events = 128 << 10,
        .checkpoint_size = (size_t)48 << 20,
        .checkpoint_journal = (size_t)256 << 20,
        .checkpoint_pages = 32 << 10,
        .checkpoint_age_ms = 60000,
        .event_ids = true,
        .command_ids = true,
        .queue_size = (size_t)128 << 20,
        .sweep_interval_ms = 60000,
        .backup_keep = (size_t)1 << 30,
    };
}

/* ---- the directory ---- */

static enum acta_code
sibling(char path[static FILE_PATH_MAX], const char *dir, const char *suffix,
        struct acta_err *err)
{
    int size = snprintf(path, FILE_PATH_MAX, "%s%s", dir, suffix);

    if (size < 0 || size >= FILE_PATH_MAX) {
        return acta_fail(err, ACTA_IO, "path is too long: %s", dir);
    }
    return ACTA_OK;
}

/* The process that has the lock has written into its file who it is. */
static enum acta_code
fail_in_use(const char *dir, int fd, const char *path, struct acta_err *err)
{
    char holder[16] = "";
    size_t got;

    if (file_read_at(fd, holder, sizeof(holder) - 1, 0, &got, path, NULL) !=
        ACTA_OK) {
        holder[0] = '\0';
    }
    holder[strcspn(holder, "\n")] = '\0';
    return acta_fail(err, ACTA_IN_USE,
                     "%s is in use by another process (pid %s)", dir,
                     holder[0] == '\0' ? "?" : holder);
}

/* The lock is on the open file, and goes with the process however it ends. */
static enum acta_code
lock(struct database *database, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;

    code = sibling(path, database->dir, ".lock", err);
    if (code != ACTA_OK) {
        return code;
    }
    database->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (database->lock_fd < 0) {
        return file_fail(err, "open", path);
    }
    if (flock(database->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? fail_in_use(database->dir, database->lock_fd, path, err)
                   : file_fail(err, "lock", path);
    }
    /* For whom it may concern: the lock does not depend on what is in it. */
    if (ftruncate(database->lock_fd, 0) == 0) {
        (void)!dprintf(database->lock_fd, "%d\n", (int)getpid());
    }
    return ACTA_OK;
}

bool
database_is_free(const char *dir, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    bool is_free = true;
    int fd = sibling(path, dir, ".lock", NULL) == ACTA_OK
                 ? open(path, O_RDONLY | O_CLOEXEC)
                 : -1;

    if (fd < 0) {
        return true;
    }
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        is_free = false;
        (void)fail_in_use(dir, fd, path, err);
    }
    close(fd);
    return is_free;
}

static enum acta_code
make_dir(const char *path, struct acta_err *err)
{
    return mkdir(path, DIR_MODE) == 0 ? ACTA_OK : file_fail(err, "make", path);
}

enum acta_code
database_make_id(struct uuid *id, struct acta_err *err)
{
    struct uuid_source source = {0};
    uint8_t random[10];

    if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
        return acta_fail(err, ACTA_IO, "no random numbers");
    }
    uuid_v7(id, &source, clock_wall().us / 1000, random);
    return ACTA_OK;
}

/* What the store is to do without. */
static uint32_t
without_of(const struct database_options *options)
{
    return (options->event_ids ? 0 : STORE_WITHOUT_EVENT_IDS) |
           (options->command_ids ? 0 : STORE_WITHOUT_COMMAND_IDS);
}

static enum acta_code
fill(const char *dir, const struct database_options *options,
     struct acta_err *err)
{
    char store[FILE_PATH_MAX], journal[FILE_PATH_MAX];
    enum acta_code code;
    struct uuid id;

    if ((code = file_join(store, dir, "store", err)) != ACTA_OK ||
        (code = file_join(journal, dir, "journal", err)) != ACTA_OK ||
        (code = database_make_id(&id, err)) != ACTA_OK ||
        (code = make_dir(dir, err)) != ACTA_OK ||
        (code = make_dir(store, err)) != ACTA_OK ||
        (code = make_dir(journal, err)) != ACTA_OK) {
        return code;
    }
    FAILPOINT("store-create");
    if ((code = store_create(store, options->store_map_size, &id,
                             without_of(options), err)) != ACTA_OK ||
        (code = file_sync_dir(store, err)) != ACTA_OK) {
        return code;
    }
    FAILPOINT("database-sync");
    return file_sync_dir(dir, err);
}

/* Make the database under another name, and give it its own when it is whole.
 */
static enum acta_code
create(const char *dir, const struct database_options *options,
       struct acta_err *err)
{
    char fresh[FILE_PATH_MAX], parent[FILE_PATH_MAX];
    enum acta_code code;

    if ((code = sibling(fresh, dir, ".new", err)) != ACTA_OK ||
        (code = sibling(parent, dir, "", err)) != ACTA_OK ||
        (code = file_remove_tree(fresh, err)) != ACTA_OK ||
        (code = fill(fresh, options, err)) != ACTA_OK) {
        return acta_wrap(err, code, "create database");
    }
    FAILPOINT("database-name");
    code = file_rename(fresh, dir, dirname(parent), err);
    FAILPOINT("database-named");
    return code == ACTA_OK ? ACTA_OK : acta_wrap(err, code, "create database");
}

/* That the directory is there was perhaps seen by nobody but this machine's
 * memory: who made it may have ended before its name was durable.
 */
static enum acta_code
sync_names(const char *dir, struct acta_err *err)
{
    char parent[FILE_PATH_MAX];
    enum acta_code code = sibling(parent, dir, "", err);

    return code == ACTA_OK ? file_sync_dir(dirname(parent), err) : code;
}

/* True if there is no directory, or nothing in it. */
static bool
is_missing(const char *dir)
{
    /* rmdir() removes only what is empty. */
    return !file_exists(dir) || rmdir(dir) == 0;
}

/* ---- opening ---- */

static enum acta_code
open_rooms(struct database *database, struct acta_err *err)
{
    const struct database_options *options = &database->options;
    struct journal_options journal = {
        .segment_size = options->journal_segment_size,
        .spares_max = 1 + (unsigned)(options->checkpoint_journal /
                                     options->journal_segment_size),
    };
    char store_dir[FILE_PATH_MAX], journal_dir[FILE_PATH_MAX];
    struct rooms *rooms = &database->rooms;
    struct store_meta meta;
    enum acta_code code;

    if ((code = file_join(store_dir, database->dir, "store", err)) != ACTA_OK ||
        (code = file_join(journal_dir, database->dir, "journal", err)) !=
            ACTA_OK) {
        return code;
    }
    if (!file_exists(store_dir) || !file_exists(journal_dir)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "it is no database: store or journal is missing");
    }
    if ((code = verify_is_not_cut(store_dir, err)) != ACTA_OK ||
        (code = store_open(&rooms->store, store_dir, options->store_map_size,
                           err)) != ACTA_OK ||
        (code = store_meta(rooms->store, &meta, err)) != ACTA_OK) {
        return code;
    }
    if (meta.without != without_of(options)) {
        return acta_fail(err, ACTA_INVALID,
                         "it was made with event-ids %s and command-ids %s, "
                         "which cannot be changed",
                         meta.without & STORE_WITHOUT_EVENT_IDS ? "off" : "on",
                         meta.without & STORE_WITHOUT_COMMAND_IDS ? "off"
                                                                  : "on");
    }
    rooms->without = meta.without;
    database->id = meta.id;
    journal.dir = journal_dir;
    journal.id = meta.id;
    if ((code = journal_open(&rooms->journal, &journal, err)) != ACTA_OK ||
        (code = tail_init(&rooms->tail, meta.position, meta.sequence,
                          writer_memtable_events(options->checkpoint_events),
                          err)) != ACTA_OK) {
        return code;
    }
    database->has_tail = true;
    return ACTA_OK;
}

/* Each start begins a segment of the journal. So that a server that is started
 * again and again does not keep them all, those go whose entries the store has.
 * The checkpoint thread, which does that from then on, is not there yet: two at
 * a time could leave a gap in the numbers of the segments.
 */
static enum acta_code
let_go_of_journal(struct rooms *rooms, struct acta_err *err)
{
    struct store_meta meta;
    enum acta_code code;

    if ((code = store_meta(rooms->store, &meta, err)) == ACTA_OK &&
        (code = store_sync(rooms->store, err)) == ACTA_OK) {
        code = journal_release(rooms->journal, meta.sequence, err);
    }
    return code;
}

/* What was recovered is moved to the store at once, in the background. */
static enum acta_code
move_recovered(struct database *database, uint64_t sequence,
               uint64_t last_time_us, struct acta_err *err)
{
    struct rooms *rooms = &database->rooms;
    enum acta_code code = ACTA_OK;

    if (tail_is_stored(&rooms->tail)) {
        return ACTA_OK;
    }
    if (!tail_is_sealed(&rooms->tail)) {
        code = tail_seal(&rooms->tail, sequence, last_time_us, err);
    }
    if (code == ACTA_OK) {
        checkpointer_wake(database->checkpointer);
    }
    return code;
}

static enum acta_code
start(struct database *database, struct acta_err *err)
{
    uint64_t sequence, last_time_us;
    enum acta_code code;

    FAILPOINT("recover");
    code = recover(&database->rooms, &database->options, &sequence,
                   &last_time_us, err);
    if (code != ACTA_OK) {
        return code;
    }
    FAILPOINT("recovered");
    database->groups = groups_new(database->options.queue_size);
    if (database->groups == NULL) {
        return acta_fail(err, ACTA_MEMORY, "start groups");
    }
    database->rooms.consumers.changed = groups_changed;
    database->rooms.consumers.user = database->groups;
    if ((code = journal_start(database->rooms.journal, sequence + 1,
                              tail_head(&database->rooms.tail) + 1, err)) !=
            ACTA_OK ||
        (code = let_go_of_journal(&database->rooms, err)) != ACTA_OK ||
        (code = checkpointer_start(&database->checkpointer, &database->rooms,
                                   &database->options, err)) != ACTA_OK ||
        (code = move_recovered(database, sequence, last_time_us, err)) !=
            ACTA_OK) {
        return code;
    }
    code = writer_start(&database->writer, &database->rooms,
                        database->checkpointer, &database->options, sequence,
                        last_time_us, err);
    if (code == ACTA_OK) {
        code = groups_start(database->groups, database, database->writer, err);
    }
    if (code == ACTA_OK) {
        code = verifier_start(&database->verifier, &database->rooms,
                              database->dir, err);
    }
    return code;
}

enum acta_code
database_open(struct database **out, const struct database_options *options,
              struct acta_err *err)
{
    struct database *database;
    enum acta_code code;

    *out = NULL;
    database = calloc(1, sizeof(*database));
    if (database == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open database");
    }
    database->lock_fd = -1;
    named_init(&database->named);
    database->options = *options;
    database->dir = strdup(options->dir);
    database->name = strdup(options->name);
    if (database->dir == NULL || database->name == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "out of memory");
        goto fail;
    }
    database->options.dir = database->dir;
    database->options.name = database->name;

    code = lock(database, err);
    if (code == ACTA_OK && is_missing(database->dir)) {
        code = create(database->dir, options, err);
    }
    if (code == ACTA_OK) {
        code = sync_names(database->dir, err);
    }
    if (code == ACTA_OK) {
        code = open_rooms(database, err);
    }
    if (code == ACTA_OK) {
        code = start(database, err);
    }
    if (code != ACTA_OK) {
        goto fail;
    }
    *out = database;
    return ACTA_OK;

fail:
    acta_wrap(err, code, "open database %s", options->dir);
    database_close(database);
    return code;
}

/* Bring the store up to date, so that the next start has nothing to replay. */
static void
flush(struct database *database)
{
    uint64_t sequence, last_time_us;
    enum acta_code code = ACTA_OK;

    writer_last(database->writer, &sequence, &last_time_us);
    if (!tail_is_sealed(&database->rooms.tail)) {
        code = recover_flush(&database->rooms, &database->options, sequence,
                             last_time_us, NULL);
    }
    (void)code; /* A failure is no loss: the journal has it all. */
}

void
database_close(struct database *database)
{
    if (database == NULL) {
        return;
    }
    verifier_stop(database->verifier);
    groups_stop(database->groups);
    writer_stop(database->writer);
    groups_free(database->groups);
    checkpointer_stop(database->checkpointer);
    if (database->writer != NULL) {
        FAILPOINT("flush");
        flush(database);
        FAILPOINT("journal-end");
        journal_end(database->rooms.journal);
        FAILPOINT("journal-ended");
        writer_free(database->writer);
    }
    journal_close(database->rooms.journal);
    if (database->has_tail) {
        tail_fini(&database->rooms.tail);
    }
    store_close(database->rooms.store);
    marks_fini(&database->rooms.marks);
    if (database->lock_fd >= 0) {
        close(database->lock_fd);
    }
    named_fini(&database->named);
    free(database->name);
    free(database->dir);
    free(database);
}

/* ---- for those who use it ---- */

struct rooms *
database_rooms(struct database *database)
{
    return &database->rooms;
}

const struct database_options *
database_options(const struct database *database)
{
    return &database->options;
}

void
database_stop_appends(struct database *database)
{
    atomic_store(&database->is_stopping, true);
    /* Groups have something to save first; then the writer refuses as well. */
    groups_refuse(database->groups);
    verifier_refuse(database->verifier);
}

enum acta_code
database_submit(struct database *database, struct job *job)
{
    if (atomic_load(&database->is_stopping)) {
        return ACTA_STOPPING;
    }
    if (job->kind == JOB_VERIFY) {
        return verifier_submit(database->verifier, job);
    }
    return job_is_for_groups(job) ? groups_submit(database->groups, job)
                                  : writer_submit(database->writer, job);
}

bool
database_commit_now(struct database *database, struct job *job,
                    const struct watcher *watcher, struct job **done)
{
    return !atomic_load(&database->is_stopping) &&
           writer_commit_now(database->writer, job, watcher, done);
}

uint64_t
database_head(const struct database *database)
{
    return tail_head(&database->rooms.tail);
}

uint64_t
database_consumer_changes(const struct database *database)
{
    return atomic_load(&database->rooms.consumers.changes);
}

struct named *
database_named(struct database *database)
{
    return &database->named;
}

struct uuid
database_id(const struct database *database)
{
    return database->id;
}

const char *
database_name(const struct database *database)
{
    return database->name;
}

bool
database_keeps_commands(const struct database *database)
{
    return (database->rooms.without & STORE_WITHOUT_COMMAND_IDS) == 0;
}

void
database_watch(struct database *database, struct watcher *watcher)
{
    writer_watch(database->writer, watcher);
}

void
database_unwatch(struct database *database, struct watcher *watcher)
{
    writer_unwatch(database->writer, watcher);
}

void
database_stats(struct database *database, struct database_stats *stats)
{
    struct tail_view view;
    uint64_t stored;

    *stats = (struct database_stats){0};
    tail_pin(&database->rooms.tail, &view);
    stored = view.stored_sequence;
    stats->head = view.head;
    stats->stored = memtable_first_position(view.tables[0]) - 1;
    tail_unpin(&view);
    writer_stats(database->writer, stats);
    groups_stats(database->groups, stats);
    checkpointer_stats(database->checkpointer, stats);
    stats->journal_size = journal_size(database->rooms.journal);
    stats->journal_kept = journal_kept(database->rooms.journal, stored);
    stats->store_size = store_size(database->rooms.store);
    stats->erasures_pending = atomic_load(&database->rooms.erasures_pending);
}
