#include "history_db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "journal.h"
#include "rooms.h"
#include "scratch.h"
#include "store_lmdb.h"

#define MAP_SIZE          ((size_t)1 << 26)
#define CHECKPOINT_EVENTS 8
#define COPY_TRIES_MAX    1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards is_woken. */
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static bool is_woken;
static unsigned lives; /* Of the database's directory: part of its name. */

static void
fatal(void *user, const struct acta_err *err)
{
    (void)user;
    fprintf(stderr, "database failed: %s\n", err->text);
    abort();
}

static void
wake(void *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    is_woken = true;
    pthread_cond_signal(&woken);
    pthread_mutex_unlock(&lock);
}

/* Nothing here outlives the system: what is written is as good as synced. */
static int
no_sync(int fd)
{
    (void)fd;
    return 0;
}

static const char *
life_path(char path[static SCRATCH_PATH_MAX], unsigned life)
{
    char name[32];

    snprintf(name, sizeof(name), "main%u", life);
    return scratch_path(path, name);
}

static void
start(struct history_db *db)
{
    struct database_options options;
    char path[SCRATCH_PATH_MAX];
    struct acta_err err;

    database_options_init(&options);
    options.dir = life_path(path, lives);
    options.name = "main";
    options.journal_segment_size = JOURNAL_SEGMENT_SIZE_MIN;
    options.store_map_size = MAP_SIZE;
    options.checkpoint_events = CHECKPOINT_EVENTS;
    options.disk_reserve = 0;
    options.fatal = fatal;
    if (database_open(&db->database, &options, &err) != ACTA_OK ||
        reader_open(&db->reader, db->database, &err) != ACTA_OK) {
        fatal(NULL, &err);
    }
}

static void
stop(struct history_db *db)
{
    reader_close(db->reader);
    database_close(db->database);
}

void
history_db_open(struct history_db *db)
{
    journal_sync = no_sync;
    lives = 0;
    is_woken = false;
    completions_init(&db->completions, wake, NULL);
    start(db);
}

void
history_db_close(struct history_db *db)
{
    struct job *job;

    stop(db);
    job = completions_take(&db->completions);
    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
    completions_fini(&db->completions);
    scratch_clear();
}

struct job *
history_db_take(struct history_db *db)
{
    return completions_take(&db->completions);
}

struct job *
history_db_wait(struct history_db *db)
{
    struct job *job = completions_take(&db->completions);

    while (job == NULL) {
        pthread_mutex_lock(&lock);
        while (!is_woken) {
            pthread_cond_wait(&woken, &lock);
        }
        is_woken = false;
        pthread_mutex_unlock(&lock);
        job = completions_take(&db->completions);
    }
    return job;
}

/* ---- dying ---- */

static void
copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t copied;

    FUZZ_PROMISE(out >= 0);
    if (in < 0) { /* A spare that was removed meanwhile. */
        close(out);
        unlink(to);
        return;
    }
    do {
        copied = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0);
    } while (copied > 0 || (copied < 0 && errno == EINTR));
    FUZZ_PROMISE(copied == 0);
    close(in);
    close(out);
}

static void
copy_dir(const char *from, const char *to)
{
    char from_path[SCRATCH_PATH_MAX * 2], to_path[SCRATCH_PATH_MAX * 2];
    DIR *dir = opendir(from);
    struct dirent *entry;

    FUZZ_PROMISE(dir != NULL);
    FUZZ_PROMISE(mkdir(to, 0700) == 0);
    while ((entry = readdir(dir)) != NULL) {
        struct stat stat_of;

        snprintf(from_path, sizeof(from_path), "%s/%s", from, entry->d_name);
        snprintf(to_path, sizeof(to_path), "%s/%s", to, entry->d_name);
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock.mdb") == 0 ||
            stat(from_path, &stat_of) != 0) {
            continue;
        }
        if (S_ISDIR(stat_of.st_mode)) {
            copy_dir(from_path, to_path);
        } else {
            copy_file(from_path, to_path);
        }
    }
    closedir(dir);
}

/* The last transaction that the store has ended. One that is under way has
 * touched no page that those before it need, and takes nothing away from the
 * journal before it ends: until it does, copied files are as a power cut would
 * leave them.
 */
static size_t
last_transaction(struct history_db *db)
{
    MDB_envinfo info;

    FUZZ_PROMISE(
        mdb_env_info(database_rooms(db->database)->store->env, &info) == 0);
    return info.me_last_txnid;
}

static void
remove_life(unsigned life)
{
    char command[SCRATCH_PATH_MAX * 2], path[SCRATCH_PATH_MAX];

    snprintf(command, sizeof(command), "rm -rf %s %s.lock",
             life_path(path, life), path);
    FUZZ_PROMISE(system(command) == 0);
}

static void
copy_between_transactions(struct history_db *db)
{
    char from[SCRATCH_PATH_MAX], to[SCRATCH_PATH_MAX];
    bool same = false;

    for (unsigned tries = 0; tries < COPY_TRIES_MAX && !same; tries++) {
        size_t before = last_transaction(db);

        if (tries > 0) {
            remove_life(lives + 1);
        }
        copy_dir(life_path(from, lives), life_path(to, lives + 1));
        same = last_transaction(db) == before;
    }
    FUZZ_PROMISE(same);
}

void
history_db_restart(struct history_db *db, bool killed)
{
    if (killed) {
        copy_between_transactions(db);
    }
    stop(db);
    if (killed) {
        lives++;
    }
    start(db);
}
