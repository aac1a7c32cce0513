/* One database: an independent order of positions in a directory of its own.
 *
 * It owns the four rooms (journal, tail, store, and through struct reader the
 * readers) and their threads: the writer, the checkpoint thread, the one that
 * keeps journal segments ready, and the one of the consumer groups. Between
 * database_open() and database_close() every function here may be called from
 * any thread.
 */

#ifndef ACTA_DATABASE_H
#define ACTA_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "job.h"
#include "named.h"
#include "uuid.h"

struct database;

struct database_options {
    const char *dir;  /* Of this database; made if it is not there. */
    const char *name; /* For messages. */

    size_t journal_segment_size; /* Bytes of a segment file: 1 MiB and more. */
    size_t store_map_size;       /* Address space: the store's largest size. */

    /* Said when it is made, and for ever: event ids are kept, by which an
     * append that is sent again is known; command ids are kept.
     */
    bool event_ids;
    bool command_ids;
    size_t disk_reserve; /* With less free, appends are refused. */

    /* A checkpoint begins when the tail has this much. */
    size_t checkpoint_events;
    size_t checkpoint_size;     /* Bytes of records. */
    size_t checkpoint_journal;  /* Bytes of the journal. */
    size_t checkpoint_pages;    /* Pages of the store that it would change. */
    uint64_t checkpoint_age_ms; /* Of the oldest event in the tail. */

    size_t queue_size; /* Bytes of appends that may wait for the writer. */

    uint64_t sweep_interval_ms; /* Space of hidden events is taken back. */

    /* Of the journal, bytes that are kept for the next backup to go on from the
     * last one.
     */
    size_t backup_keep;

    /* Called, from a thread of the database's, when it cannot go on: a write
     * to the journal has failed, and what it would have made durable has an
     * unknown outcome. It must end the process without answering anyone.
     */
    void (*fatal)(void *user, const struct acta_err *err);

    /* Asked again and again while it is opened, which takes long if there is
     * much to recover: true ends that, with STOPPING. NULL: never.
     */
    bool (*is_to_stop)(void *user);
    void *user;
};

/* The defaults, with dir, name, fatal, is_to_stop and user left to be filled
 * in.
 */
void database_options_init(struct database_options *options);

/* An id for a database that is to be made. IO */
enum acta_code database_make_id(struct uuid *id,
                                struct acta_err *err) ACTA_CHECKED;

/* False, with IN_USE and the process in the text, if another process has the
 * database in @dir open just now. Makes nothing.
 */
bool database_is_free(const char *dir, struct acta_err *err);

/* Open the database, making it first if the directory is missing or empty, and
 * recover what the journal has beyond the store.
 *
 * OK       *@database is the caller's to close.
 * IN_USE   Another process has it open.
 * CORRUPT  What was acknowledged is damaged: the text names file and offset.
 *          Nothing was changed.
 * UNSUPPORTED  Its format is newer than this program's.
 * INVALID  It was made with other event_ids or command_ids.
 * STOPPING  It was told to stop; the next start recovers what is left.
 * FULL, IO, MEMORY  The text says what could not be done.
 */
enum acta_code database_open(struct database **database,
                             const struct database_options *options,
                             struct acta_err *err) ACTA_CHECKED;

/* Decide and answer what is queued, bring the store up to date, and close. No
 * reader may be open. @database may be NULL.
 */
void database_close(struct database *database);

/* Refuse jobs from now on (STOPPING); those queued are still decided and given
 * back, memberships end, and what groups have done is saved. Verifications end
 * where they are: requests that wait for them are refused. Returns at once.
 */
void database_stop_appends(struct database *database);

/* Hand a job to the thread that it is for: the writer, or that of the groups.
 *
 * OK        It is that thread's, and comes back through its completions.
 * BUSY      The queue is full. It is still the caller's, who may try again
 *           when some job of its own has come back.
 * STOPPING  It is still the caller's.
 */
enum acta_code database_submit(struct database *database,
                               struct job *job) ACTA_CHECKED;

struct watcher;

/* Commit @job in the calling thread, which spares it the way to the writer's
 * and back, if it is a small append, and nothing waits for the writer or is
 * under way there. True: jobs that are decided now are in *@done, linked by
 * next; they are the caller's. They are those of the completions of @job, whose
 * thread must be the caller's; @watcher, also of the caller, is not woken.
 * False: nothing has happened.
 *
 * The caller waits for the disk meanwhile. Any thread.
 */
bool database_commit_now(struct database *database, struct job *job,
                         const struct watcher *watcher,
                         struct job **done) ACTA_CHECKED;

/* The position of the last event that is durable and visible. */
uint64_t database_head(const struct database *database);

/* Grows whenever consumers were changed, after that can be seen: while it stays
 * as it was before their rows were read, no epoch is over.
 */
uint64_t database_consumer_changes(const struct database *database);

/* Who subscribes under which consumer's name. The database's. */
struct named *database_named(struct database *database);

struct uuid database_id(const struct database *database);
const char *database_name(const struct database *database);

/* Was it made to keep command ids? */
bool database_keeps_commands(const struct database *database);

/* Be told of every commit. @watcher stays the caller's and must stay where it
 * is until database_unwatch() has returned; then wake() will not be called
 * again.
 */
struct watcher {
    void (*wake)(void *user); /* From whoever commits; must not block. */
    void *user;
    struct watcher *next; /* The database's. */
};

void database_watch(struct database *database, struct watcher *watcher);
void database_unwatch(struct database *database, struct watcher *watcher);

struct database_stats {
    uint64_t head;
    uint64_t stored;   /* Position that the store has. */
    uint64_t commits;  /* Since the start: entries of the journal. */
    uint64_t events;   /* Since the start. */
    uint64_t refusals; /* Appends refused since the start. */
    uint64_t repeats;  /* Appends answered as repeats since the start. */
    uint64_t checkpoints;
    uint64_t checkpoint_last_ms; /* How long the last one took. */
    uint64_t tail_events;
    uint64_t tail_size;       /* Bytes of records. */
    uint64_t journal_written; /* Bytes of commits since the start. */
    uint64_t journal_size;    /* Bytes of segment files on disk. */
    uint64_t store_size;      /* Bytes of the store's file that are in use. */
    uint64_t queue_size;      /* Bytes of appends that wait. */
    uint64_t leases;          /* That are held. */
    uint64_t lease_waiters;
    uint64_t schedules; /* Scheduled appends that wait to be due. */
    uint64_t groups;    /* Consumer groups that are in memory, */
    uint64_t group_members;
    uint64_t group_in_hand; /* and events that their members have. */
    uint64_t disk_free;     /* Bytes, when last looked. */

    /* Erasures whose bytes are still to be taken out of the files. */
    uint64_t erasures_pending;
    uint64_t swept;   /* Events whose space was taken back since the start. */
    uint64_t unswept; /* Records that should have changed since the start, but
                         are damaged. */
    bool full;        /* Appends are refused for want of space. */
    uint64_t journal_kept; /* Bytes of segments that are there only for a
                              backup. */
};

void database_stats(struct database *database, struct database_stats *stats);

#endif
