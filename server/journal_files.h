/* The files of a journal: segments, and spares that are to become segments.
 * Internal to the journal.
 *
 * The keeper is a thread that makes spare files of the full size with every
 * block written once: a sync then has only data to write, no metadata, which
 * halves its time. Released segments become spares as they are, with what is
 * written in them, so that nothing is written twice.
 *
 * Until somebody wants it gone for good. So each file knows which entries may
 * still be in it: those from a sequence number on, in its first bytes. A file
 * that has none is clean.
 *
 * The lists are shared under a lock by the writer, who takes spares, the
 * checkpoint thread, which releases segments and wipes spares, and the keeper.
 */

#ifndef ACTA_JOURNAL_FILES_H
#define ACTA_JOURNAL_FILES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "file.h"
#include "segment.h"
#include "uuid.h"

#define JOURNAL_SEGMENT_PREFIX "segment-"
#define JOURNAL_SPARE_PREFIX   "spare-"
#define JOURNAL_FILE_MODE      0640
#define JOURNAL_SPARES_READY   1 /* The keeper makes files until there are. */

/* What may be in a file besides zeros. */
struct leftover {
    uint64_t oldest; /* No entry with a lower sequence number. */
    uint64_t size;   /* Only in so many bytes from the beginning. */
};

#define LEFTOVER_NONE    ((struct leftover){UINT64_MAX, 0})
#define LEFTOVER_UNKNOWN ((struct leftover){0, UINT64_MAX})

static inline bool
leftover_is_none(struct leftover leftover)
{
    return leftover.oldest == UINT64_MAX;
}

struct segment {
    struct segment *next; /* In the order of their numbers. */
    struct segment_header header;
    struct leftover leftover; /* Its own entries, and of its former life. */
};

struct spare {
    struct spare *next;
    uint64_t number; /* In its name: spare-NUMBER. */
    struct leftover leftover;
};

struct journal_files {
    /* These never change after journal_files_open(). */
    char *dir; /* owned */
    struct uuid id;
    size_t segment_size;
    unsigned spares_max;

    pthread_mutex_t lock; /* Guards all below. */
    pthread_cond_t changed;
    struct segment *segments; /* owned: oldest first */
    struct spare *spares;     /* owned */
    unsigned spares_count;
    struct leftover taken;  /* Of a file that is becoming a segment. */
    uint64_t size;          /* Of all files. */
    uint64_t spare_number;  /* Last one used in a name. */
    bool no_space;          /* The keeper could not make a spare. */
    _Atomic bool is_urgent; /* The spare that it makes is waited for. */
    uint64_t read_after; /* Somebody reads the entries behind it: they are not
                            released. UINT64_MAX: nobody does. */
    uint64_t kept_after; /* Those behind it are kept for the next backup, as
                            long as that takes no more than */
    uint64_t kept_size_max;   /* so many bytes. UINT64_MAX: none are. */
    _Atomic bool wants_clean; /* The next segment is to begin in a clean file.
                                 Changed with the lock held. */
    bool stopping;
    bool started;
    pthread_t keeper;
};

struct journal;

/* Those of @journal. */
struct journal_files *journal_files_of(struct journal *journal);

/* ---- journal_files.c ---- */

/* See what is there. @files is to be closed, whatever this returns. */
enum acta_code journal_files_open(struct journal_files *files,
                                  const struct journal_options *options,
                                  struct acta_err *err) ACTA_CHECKED;
void journal_files_close(struct journal_files *files);

void journal_files_path(const struct journal_files *files, const char *prefix,
                        uint64_t number, char path[static FILE_PATH_MAX]);

/* True if all of the segment's entries are up to @sequence. */
bool segment_is_before(const struct segment *segment, uint64_t sequence);

/* Make a file the segment of @header, but for its salt and size, with room for
 * @size bytes of entries, and open it. Of the newest one so far @used bytes
 * were written.
 */
enum acta_code journal_files_begin(struct journal_files *files,
                                   struct segment_header *header, size_t size,
                                   uint64_t used, int *fd,
                                   struct acta_err *err) ACTA_CHECKED;

/* As journal_release(). */
enum acta_code journal_files_release(struct journal_files *files,
                                     uint64_t sequence,
                                     struct acta_err *err) ACTA_CHECKED;

/* Remove spares, but for the one that the keeper would make again. */
void journal_files_drop_spares(struct journal_files *files);

/* ---- journal_spares.c ---- */

enum acta_code journal_files_start_keeper(struct journal_files *files,
                                          struct acta_err *err) ACTA_CHECKED;
void journal_files_stop_keeper(struct journal_files *files);

/* With the lock held. False if there is no memory. */
bool journal_files_add_spare(struct journal_files *files, uint64_t number,
                             struct leftover leftover) ACTA_CHECKED;

/* Take a file of @size bytes out of the list, or make one that is larger than
 * those there. *@number is that in its name.
 */
enum acta_code journal_files_take(struct journal_files *files, size_t size,
                                  uint64_t *number, struct leftover *leftover,
                                  struct acta_err *err) ACTA_CHECKED;

/* Give back what journal_files_take() gave: it has become no segment. */
void journal_files_give_back(struct journal_files *files, size_t size,
                             uint64_t number, struct leftover leftover);

/* Is a clean file wanted for the next segment, and there? */
bool journal_files_has_wanted(struct journal_files *files);

/* Overwrite up to @size_max bytes of spares that may have entries up to
 * @sequence. True if nothing is left to overwrite, or what is left cannot be.
 */
bool journal_files_wipe(struct journal_files *files, uint64_t sequence,
                        size_t size_max);

#endif
