/* An archive: a directory with the backup of a database.
 *
 *     DIR/manifest      which parts there are: see below
 *     DIR/part-NUMBER   16 hexadecimal digits
 *
 * A part is a base (store_dump.h) or entries (journal_cursor.h), in chunks with
 * checksums. The manifest names a base and the entries behind it, in order,
 * with their sizes and checksums. Parts never change. What a backup adds is
 * written to new parts, synced, and then named by a new manifest, which takes
 * the place of the old one at once: an archive is what it was or what it will
 * be, whenever it is looked at. Files that the manifest does not name are what
 * a backup left that came to no end; the next one removes them.
 *
 * STORAGE.md has the bytes. One thread at a time; one writer at a time, others
 * are refused.
 */

#ifndef ACTA_ARCHIVE_H
#define ACTA_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "file.h"
#include "journal.h"
#include "slice.h"
#include "store_dump.h"
#include "uuid.h"

#define ARCHIVE_VERSION   1
#define ARCHIVE_PARTS_MAX 100000
#define ARCHIVE_CHUNK_MAX ((size_t)1 << 20)

enum archive_kind {
    ARCHIVE_BASE = 1,
    ARCHIVE_ENTRIES = 2,
};

/* What the manifest says of a part. */
struct archive_part {
    enum archive_kind kind;
    uint64_t number;   /* In its name. */
    uint64_t size;     /* Of the file. */
    uint32_t checksum; /* Of all that is in it. */
    bool erases;       /* An entry of it erases events, whose data are in it or
                          in parts before. */
    uint64_t after;    /* Entries behind this one are in it; of a base the one
                          it has all up to. */
    uint64_t sequence; /* Its last one; of a base the same. */
    uint64_t position; /* Of the last event then. */
    uint64_t time_us;  /* Of the last commit then. */
};

struct archive {
    char *dir;  /* owned */
    int dir_fd; /* owned: locked by a writer */
    struct uuid database;
    uint64_t number;            /* Last one given to a part. */
    uint64_t made_us;           /* When the last backup was complete. */
    struct archive_part *parts; /* owned: the base first */
    size_t parts_count;         /* 0: there is no backup. */
};

/* Open the archive in @dir to read it.
 *
 * NOT_FOUND    There is none, or no backup in it came to its end.
 * CORRUPT      The manifest is damaged.
 * UNSUPPORTED  It is of another version.
 */
enum acta_code archive_open(struct archive *archive, const char *dir,
                            struct acta_err *err) ACTA_CHECKED;

/* The same to add to it: it is made if it is not there, and what was left over
 * is removed. IN_USE: another process adds to it. INVALID: there are other
 * files in the directory, and no archive; or parts of one, whose manifest is
 * lost.
 */
enum acta_code archive_open_writer(struct archive *archive, const char *dir,
                                   struct acta_err *err) ACTA_CHECKED;

/* Whatever opening returned. */
void archive_close(struct archive *archive);

/* The last part; NULL: there is no backup. */
const struct archive_part *archive_last(const struct archive *archive);

/* Bytes of all parts. */
uint64_t archive_size(const struct archive *archive);

/* Are all parts there, and of the sizes that the manifest says? What is in them
 * is not looked at. CORRUPT says which one is not.
 */
enum acta_code archive_check_files(const struct archive *archive,
                                   struct acta_err *err) ACTA_CHECKED;

/* Path of a part. */
enum acta_code archive_path(const struct archive *archive, uint64_t number,
                            char path[static FILE_PATH_MAX],
                            struct acta_err *err) ACTA_CHECKED;

/* ---- what is in a part ---- */

/* Takes the bytes of a part, in pieces of any size, and finds what is in them:
 * items of a base, or entries, each checked by its own checksums and that
 * nothing is missing between it and the one before.
 */
struct archive_scan {
    enum archive_kind kind;
    uint64_t sequence; /* Of the last entry; before the first the one that they
                          come behind. Of a base that, at its end, as the rest.
                        */
    uint64_t position; /* Of the last event. */
    uint64_t time_us;  /* Of the last commit. */
    uint64_t events;   /* That were seen. */
    uint64_t items;    /* Items or entries that were seen. */
    bool erases;       /* An entry erases events. */
    bool ended;        /* Of a base: its last item was seen. */
    uint64_t due;      /* Of a base: the next position of the log. */
    struct buf bytes;  /* What is left of an item. */

    /* Told of each; either may be NULL. */
    enum acta_code (*on_item)(void *user, const struct store_item *item,
                              struct acta_err *err);
    enum acta_code (*on_entry)(void *user, const struct journal_entry *entry,
                               struct acta_err *err);
    void *user;
};

/* Of entries: behind @after, in which the database came to @position. */
void archive_scan_init(struct archive_scan *scan, enum archive_kind kind,
                       uint64_t after, uint64_t position);
void archive_scan_fini(struct archive_scan *scan);

/* CORRUPT says what is damaged, and at which position or entry. */
enum acta_code archive_scan_take(struct archive_scan *scan, struct slice bytes,
                                 struct acta_err *err) ACTA_CHECKED;

/* CORRUPT if it ended in the middle of something. */
enum acta_code archive_scan_end(struct archive_scan *scan,
                                struct acta_err *err) ACTA_CHECKED;

/* ---- writing a part ---- */

struct archive_writer {
    struct archive *archive;
    struct archive_part part;
    int fd;          /* owned */
    uint64_t offset; /* Of the bytes in chunks. */
    uint64_t synced; /* Bytes of the file that were asked to be written out. */
    char path[FILE_PATH_MAX];
};

/* Begin a part behind the entry @after; of a base, the one that it has all up
 * to. It must be ended by archive_writer_finish() or archive_writer_abort().
 */
enum acta_code archive_writer_begin(struct archive_writer *writer,
                                    struct archive *archive,
                                    enum archive_kind kind, uint64_t after,
                                    struct uuid database,
                                    struct acta_err *err) ACTA_CHECKED;

/* Put @bytes, at most ARCHIVE_CHUNK_MAX, as a chunk. */
enum acta_code archive_writer_put(struct archive_writer *writer,
                                  struct slice bytes,
                                  struct acta_err *err) ACTA_CHECKED;

/* Sync it; @scan has seen all that was put, and tells what is in it. The part
 * counts when archive_commit() was told of it.
 */
enum acta_code archive_writer_finish(struct archive_writer *writer,
                                     struct archive_scan *scan,
                                     struct acta_err *err) ACTA_CHECKED;
void archive_writer_abort(struct archive_writer *writer);

/* The backup is complete: let the archive have the @count parts at @added
 * behind those it has, or in their place if the first of them is a base. When
 * this returns it is on disk; parts that are not in it any more are removed.
 * After a failure the archive has what it had before.
 */
enum acta_code archive_commit(struct archive *archive,
                              const struct archive_part *added, size_t count,
                              struct uuid database, uint64_t made_us,
                              struct acta_err *err) ACTA_CHECKED;

/* ---- reading ---- */

/* Read a part from its beginning to its end and show all of it to @scan, which
 * was begun for it. CORRUPT says what is damaged, at which offset. @progress,
 * which may be NULL, is told of bytes.
 */
enum acta_code archive_read(const struct archive *archive,
                            const struct archive_part *part,
                            struct archive_scan *scan,
                            void (*progress)(void *user, uint64_t bytes),
                            void *user, struct acta_err *err) ACTA_CHECKED;

/* Read all parts, with nobody told but @progress. */
enum acta_code archive_verify(const struct archive *archive,
                              void (*progress)(void *user, uint64_t bytes),
                              void *user, struct acta_err *err) ACTA_CHECKED;

#endif
