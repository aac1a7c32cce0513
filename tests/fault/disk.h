/* A disk under a trace: what is on it for good, what is only on its way, and
 * the states that a power cut may leave of that.
 *
 * What a file system promises here is what POSIX does, and no more: what was
 * written to a file, and its size, is there when the file was synced; a name is
 * there, or gone, when its directory was synced; a rename is whole. All else
 * that was done may be there or not, each piece for itself: of a write each
 * block of 512 or of 4096 bytes, of the names each change.
 *
 * One thread. A trace that makes no sense fails the test.
 */

#ifndef ACTA_TEST_DISK_H
#define ACTA_TEST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnd.h"
#include "trace.h"

struct disk;

/* Which syncs the disk does not carry out, as if the program had forgotten
 * them: that of creation before the first note, the others behind it. All but
 * the first are controls.
 */
enum disk_lie {
    DISK_HONEST,
    DISK_NO_ENTRY_SYNC,    /* Of segments, when an entry was written. */
    DISK_NO_HEADER_SYNC,   /* Of a spare that is to become a segment. */
    DISK_NO_JOURNAL_NAMES, /* Of the journal's directory. */
    DISK_NO_STORE_SYNC,    /* Of the store's pages. */
    DISK_NO_META_SYNC,     /* Of the store's meta pages. */
    DISK_NO_CREATION_SYNC, /* Of the directories of a database that is made. */
    DISK_LIES,             /* Those about a database are below; about an archive
                              these: */
    DISK_NO_PART_SYNC,     /* Of its parts. */
    DISK_NO_MANIFEST_SYNC, /* Of its manifests. */
    DISK_NO_ARCHIVE_NAMES, /* Of its directory. */
    DISK_LIES_END,
};

const char *disk_lie_name(enum disk_lie lie);

/* A disk with an empty directory. */
struct disk *disk_open(enum disk_lie lie);
void disk_close(struct disk *disk);

/* Put all that is in the directory @dir on it, for good: before the trace of
 * what is then done to that directory, which knows its files by their numbers.
 */
void disk_load(struct disk *disk, const char *dir);

/* The trace in the file at @path is what is done next. Once. */
void disk_follow(struct disk *disk, const char *path);

/* Do the next operation of the trace. False if there is none. */
bool disk_step(struct disk *disk);

/* The operation that disk_step() has just done; and if it was a note, its
 * bytes.
 */
const struct trace_op *disk_last(const struct disk *disk, const char **bytes);

/* Has it left out a sync? */
bool disk_has_lied(const struct disk *disk);

/* How many changes are on their way, but for those of lock files, which are
 * never synced and mean nothing to the next start.
 */
size_t disk_pending(const struct disk *disk);

/* How a state is drawn. */
enum disk_draw {
    DISK_NOTHING,    /* No block that was on its way has arrived; some names. */
    DISK_EVERYTHING, /* As after a kill. */
    DISK_ANY,        /* Some blocks, and some names. */
    DISK_ALL_BUT_ONE, /* Of the blocks, and all names. */
    DISK_ONLY_ONE,    /* Of the blocks, and some names. */
    DISK_DRAWS,
};

/* Write a state that may be left if the power goes now to the directory @to,
 * which is empty. @names_in_order: of the names, what was changed first arrives
 * first, as on file systems that have a journal.
 */
void disk_write(struct disk *disk, const char *to, enum disk_draw draw,
                size_t block_size, bool names_in_order, struct rnd *rnd);

#endif
