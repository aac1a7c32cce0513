/* Base into the store, then entries as a start after a kill would take them
 * from the journal. All of it happens in DIR.restoring, which becomes DIR at
 * the end: what a restore that was killed has left is removed by the next.
 */

#include "restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "file.h"
#include "recover.h"
#include "rooms.h"
#include "verify_apart.h"
#include "writer.h"

#define DATABASE_NAME "main"
#define WORK_SUFFIX   ".restoring"
#define DIR_MODE      0700

struct restore {
    const struct archive *archive;
    const struct restore_options *options;
    struct restore_report *report;
    char work[FILE_PATH_MAX]; /* DIR.restoring, */
    char dir[FILE_PATH_MAX];  /* the database in it, */
    char store[FILE_PATH_MAX];
    char journal[FILE_PATH_MAX];
    int work_fd; /* owned: its lock */

    struct database_options database;
    struct store_load *load; /* owned */
    struct rooms rooms;      /* From when there is a store on. */
    bool has_tail;
    struct recovery *recovery; /* owned */
    bool done;                 /* What follows is not wanted. */
};

/* ---- directories ---- */

static enum acta_code
make_dir(const char *path, struct acta_err *err)
{
    return mkdir(path, DIR_MODE) == 0 ? ACTA_OK : file_fail(err, "make", path);
}

/* An empty directory is taken over by the renaming at the end. */
static enum acta_code
check_target(const char *dir, struct acta_err *err)
{
    struct dirent *entry;
    enum acta_code code = ACTA_OK;
    bool is_empty = true;
    DIR *list;

    list = opendir(dir);
    if (list == NULL) {
        return errno == ENOENT ? ACTA_OK : file_fail(err, "open", dir);
    }
    while (is_empty && (code = file_next(list, dir, &entry, err)) == ACTA_OK &&
           entry != NULL) {
        is_empty =
            strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    closedir(list);
    return is_empty ? code
                    : acta_fail(err, ACTA_INVALID,
                                "%s has something in it already", dir);
}

static enum acta_code
make_paths(struct restore *restore, struct acta_err *err)
{
    int size = snprintf(restore->work, sizeof(restore->work), "%s%s",
                        restore->options->dir, WORK_SUFFIX);
    enum acta_code code;

    if (size < 0 || (size_t)size >= sizeof(restore->work)) {
        return acta_fail(err, ACTA_INVALID, "path is too long");
    }
    if ((code = file_join(restore->dir, restore->work, DATABASE_NAME, err)) !=
            ACTA_OK ||
        (code = file_join(restore->store, restore->dir, "store", err)) !=
            ACTA_OK) {
        return code;
    }
    return file_join(restore->journal, restore->dir, "journal", err);
}

static enum acta_code
lock_work(struct restore *restore, struct acta_err *err)
{
    const char *work = restore->work;

    if (mkdir(work, DIR_MODE) != 0 && errno != EEXIST) {
        return file_fail(err, "make", work);
    }
    restore->work_fd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (restore->work_fd < 0) {
        return file_fail(err, "open", work);
    }
    if (flock(restore->work_fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? acta_fail(err, ACTA_IN_USE,
                                                "another process restores to "
                                                "%s",
                                                restore->options->dir)
                                    : file_fail(err, "lock", work);
    }
    return ACTA_OK;
}

static enum acta_code
make_dirs(struct restore *restore, struct acta_err *err)
{
    enum acta_code code;

    if ((code = file_remove_tree(restore->dir, err)) != ACTA_OK ||
        (code = make_dir(restore->dir, err)) != ACTA_OK ||
        (code = make_dir(restore->store, err)) != ACTA_OK) {
        return code;
    }
    return make_dir(restore->journal, err);
}

static enum acta_code
give_name(struct restore *restore, struct acta_err *err)
{
    char parent[FILE_PATH_MAX];
    enum acta_code code;

    snprintf(parent, sizeof(parent), "%s", restore->work);
    if ((code = file_sync_dir(restore->store, err)) != ACTA_OK ||
        (code = file_sync_dir(restore->journal, err)) != ACTA_OK ||
        (code = file_sync_dir(restore->dir, err)) != ACTA_OK ||
        (code = file_sync_dir(restore->work, err)) != ACTA_OK) {
        return code;
    }
    return file_rename(restore->work, restore->options->dir, dirname(parent),
                       err);
}

/* ---- the base ---- */

static enum acta_code
on_item(void *user, const struct store_item *item, struct acta_err *err)
{
    struct restore *restore = user;

    return store_load_put(restore->load, item, err);
}

static enum acta_code
load_base(struct restore *restore, struct acta_err *err)
{
    const struct archive_part *base = &restore->archive->parts[0];
    struct archive_scan scan;
    struct store_meta meta;
    enum acta_code code;

    if (base->position > restore->options->position_max ||
        base->time_us > restore->options->time_max_us) {
        return acta_fail(err, ACTA_INVALID,
                         "the backup begins with position %" PRIu64
                         ": it cannot be restored to before that",
                         base->position);
    }
    code = store_load_begin(&restore->load, restore->store,
                            restore->options->map_size, err);
    if (code != ACTA_OK) {
        return code;
    }
    archive_scan_init(&scan, base->kind, base->after, 0);
    scan.on_item = on_item;
    scan.user = restore;
    code =
        archive_read(restore->archive, base, &scan, restore->options->progress,
                     restore->options->user, err);
    archive_scan_fini(&scan);
    if (code == ACTA_OK) {
        code = database_make_id(&restore->report->database, err);
    }
    if (code == ACTA_OK) {
        code = store_load_end(restore->load, &restore->report->database, &meta,
                              err);
    }
    store_load_close(restore->load);
    restore->load = NULL;
    return code;
}

/* ---- entries ---- */

static enum acta_code
open_rooms(struct restore *restore, struct acta_err *err)
{
    struct journal_options journal = {
        .dir = restore->journal,
        .id = restore->report->database,
        .segment_size = restore->database.journal_segment_size,
    };
    struct rooms *rooms = &restore->rooms;
    struct store_meta meta;
    enum acta_code code;

    if ((code = store_open(&rooms->store, restore->store,
                           restore->options->map_size, err)) != ACTA_OK ||
        (code = store_meta(rooms->store, &meta, err)) != ACTA_OK ||
        (code = journal_open(&rooms->journal, &journal, err)) != ACTA_OK) {
        return code;
    }
    rooms->without = meta.without;
    code = tail_init(
        &rooms->tail, meta.position, meta.sequence,
        writer_memtable_events(restore->database.checkpoint_events), err);
    restore->has_tail = code == ACTA_OK;
    return code == ACTA_OK ? recovery_begin(&restore->recovery, rooms,
                                            &restore->database, err)
                           : code;
}

static bool
is_wanted(const struct restore *restore, const struct journal_entry *entry)
{
    uint64_t end = entry->first_position;
    struct block block;

    if (entry->block.size > 0 &&
        block_open(&block, entry->block, NULL) == ACTA_OK) {
        end = block_end(&block);
    }
    return end - 1 <= restore->options->position_max &&
           entry->time_us <= restore->options->time_max_us;
}

static enum acta_code
on_entry(void *user, const struct journal_entry *entry, struct acta_err *err)
{
    struct restore *restore = user;

    restore->done = restore->done || !is_wanted(restore, entry);
    return restore->done ? ACTA_OK
                         : recovery_add(restore->recovery, entry, err);
}

static enum acta_code
add_entries(struct restore *restore, struct acta_err *err)
{
    const struct archive *archive = restore->archive;
    enum acta_code code = ACTA_OK;

    for (size_t i = 1;
         code == ACTA_OK && i < archive->parts_count && !restore->done; i++) {
        const struct archive_part *part = &archive->parts[i];
        struct archive_scan scan;

        archive_scan_init(&scan, part->kind, part->after,
                          archive->parts[i - 1].position);
        scan.on_entry = on_entry;
        scan.user = restore;
        code = archive_read(archive, part, &scan, restore->options->progress,
                            restore->options->user, err);
        archive_scan_fini(&scan);
    }
    return code;
}

/* Move to the store what is in memory, all of it. */
static enum acta_code
flush(struct restore *restore, struct acta_err *err)
{
    struct restore_report *report = restore->report;
    struct rooms *rooms = &restore->rooms;
    struct store_meta meta;
    enum acta_code code;

    recovery_end(restore->recovery, &report->sequence, &report->time_us);
    restore->recovery = NULL;
    if (tail_is_sealed(&rooms->tail)) {
        return acta_fail(err, ACTA_FULL, "no space for a checkpoint");
    }
    code = recover_flush(rooms, &restore->database, report->sequence,
                         report->time_us, err);
    if (code == ACTA_OK) {
        code = store_meta(rooms->store, &meta, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    /* Entries that had nothing in them need not be behind the store. */
    report->position = meta.position;
    code = journal_start(rooms->journal, meta.sequence + 1, meta.position + 1,
                         err);
    if (code == ACTA_OK && !journal_has_after(rooms->journal, meta.sequence)) {
        return acta_fail(err, ACTA_FULL, "no space for the journal");
    }
    return code;
}

static void
close_rooms(struct restore *restore, bool is_whole)
{
    struct rooms *rooms = &restore->rooms;
    uint64_t ignored;

    recovery_end(restore->recovery, &ignored, &ignored);
    if (is_whole) {
        journal_end(rooms->journal);
    }
    journal_close(rooms->journal);
    if (restore->has_tail) {
        tail_fini(&rooms->tail);
    }
    store_close(rooms->store);
    marks_fini(&rooms->marks);
}

/* ---- all of it ---- */

static enum acta_code
check_made(struct restore *restore, struct acta_err *err)
{
    struct verify_options options = {
        .dir = restore->dir,
        .map_size = restore->options->map_size,
        .problem = restore->options->problem,
        .user = restore->options->user,
    };
    static struct verify_report report; /* Large. */
    enum acta_code code = verify_apart(&options, &report, err);

    if (code == ACTA_OK &&
        (report.problems > 0 || report.head != restore->report->position)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "what was made is damaged, and was removed");
    }
    return code;
}

static enum acta_code
make_database(struct restore *restore, struct acta_err *err)
{
    enum acta_code code = load_base(restore, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = open_rooms(restore, err);
    if (code == ACTA_OK) {
        code = add_entries(restore, err);
    }
    if (code == ACTA_OK) {
        code = flush(restore, err);
    }
    close_rooms(restore, code == ACTA_OK);
    return code == ACTA_OK ? check_made(restore, err) : code;
}

enum acta_code
restore_database(const struct archive *archive,
                 const struct restore_options *options,
                 struct restore_report *report, struct acta_err *err)
{
    static struct restore restore; /* Large. */
    enum acta_code code;

    *report = (struct restore_report){0};
    restore = (struct restore){.archive = archive,
                               .options = options,
                               .report = report,
                               .work_fd = -1};
    database_options_init(&restore.database);
    restore.database.dir = restore.dir;
    restore.database.store_map_size = options->map_size;
    code = check_target(options->dir, err);
    if (code == ACTA_OK) {
        code = make_paths(&restore, err);
    }
    if (code == ACTA_OK) {
        code = lock_work(&restore, err);
    }
    if (code == ACTA_OK) {
        code = make_dirs(&restore, err);
        if (code == ACTA_OK) {
            code = make_database(&restore, err);
        }
        if (code == ACTA_OK) {
            code = give_name(&restore, err);
        } else if (file_remove_tree(restore.work, NULL) != ACTA_OK) {
            acta_wrap(err, code, "%s was left behind", restore.work);
        }
    }
    if (restore.work_fd >= 0) {
        close(restore.work_fd);
    }
    return code;
}
