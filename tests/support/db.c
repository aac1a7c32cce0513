#include "db.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rooms.h"

#define CHECKPOINT_EVENTS 100
#define SWEEP_MS          10
#define COPIES_MAX        100

static void
fatal(void *user, const struct acta_err *err)
{
    (void)user;
    fprintf(stderr, "database failed: %s\n", err->text);
    abort();
}

static void
open_database(struct db *db)
{
    struct acta_err err;

    db->options.dir = db->path;
    ck_assert_msg(database_open(&db->database, &db->options, &err) == ACTA_OK,
                  "%s", err.text);
    ck_assert_msg(reader_open(&db->reader, db->database, &err) == ACTA_OK, "%s",
                  err.text);
}

static void
close_database(struct db *db)
{
    reader_close(db->reader);
    database_close(db->database);
}

void
db_make(struct db *db)
{
    db_make_with(db, CHECKPOINT_EVENTS);
}

void
db_make_with(struct db *db, size_t checkpoint_events)
{
    *db = (struct db){0};
    tempdir_make(&db->dir);
    snprintf(db->path, sizeof(db->path), "%s/main", db->dir.path);
    answers_init(&db->answers);

    database_options_init(&db->options);
    db->options.name = "main";
    db->options.journal_segment_size = 1 << 20;
    db->options.store_map_size = 1 << 28;
    db->options.disk_reserve = 0;
    db->options.checkpoint_events = checkpoint_events;
    db->options.sweep_interval_ms = SWEEP_MS;
    db->options.fatal = fatal;
    open_database(db);
}

void
db_remove(struct db *db)
{
    close_database(db);
    answers_fini(&db->answers);
    tempdir_remove(&db->dir);
}

void
db_reopen(struct db *db)
{
    close_database(db);
    open_database(db);
}

void
db_wait_checkpoint(struct db *db)
{
    while (tail_is_sealed(&database_rooms(db->database)->tail)) {
        tail_wait_dropped(&database_rooms(db->database)->tail, 1000);
    }
}

/* Copy what is on disk as it is at one moment, although the background may be
 * at work: a copy that equals the original after it was made is what was there
 * when it was made. (The lock file of the store is memory that threads share.)
 */
static void
copy_files(const char *from, const char *to)
{
    char command[2000];
    bool copied = false;

    snprintf(command, sizeof(command),
             "rm -rf %s && cp -r %s %s 2>/dev/null && "
             "diff -rq -x lock.mdb %s %s >/dev/null 2>&1",
             to, from, to, from, to);
    for (int tries = 0; tries < COPIES_MAX && !copied; tries++) {
        copied = system(command) == 0;
    }
    ck_assert_msg(copied, "the files never stand still");
}

void
db_reopen_as_killed(struct db *db)
{
    char command[1000], copy[sizeof(db->path)];

    db_wait_checkpoint(db);
    db->copies++;
    ck_assert_int_lt(
        snprintf(copy, sizeof(copy), "%s/copy%u", db->dir.path, db->copies),
        (int)sizeof(copy));
    copy_files(db->path, copy);
    close_database(db);
    snprintf(command, sizeof(command), "rm -r %s", db->path);
    ck_assert_int_eq(system(command), 0);
    memcpy(db->path, copy, sizeof(copy));
    open_database(db);
}

void
db_run(struct db *db, struct job *const *jobs, size_t count)
{
    size_t back = 0;

    for (size_t i = 0; i < count; i++) {
        jobs[i]->completions = &db->answers.completions;
        ck_assert_int_eq(database_submit(db->database, jobs[i]), ACTA_OK);
    }
    while (back < count) {
        struct job *job = answers_take(&db->answers);

        while (job != NULL) { /* In the order in which they were handed in. */
            struct job *next = job->next;

            ck_assert_uint_lt(back, count);
            ck_assert_ptr_eq(job, jobs[back]);
            job->next = NULL;
            job = next;
            back++;
        }
    }
}

void
db_append(struct db *db, struct job *job)
{
    db_run(db, &job, 1);
}
