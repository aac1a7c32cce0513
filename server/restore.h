/* A database made from an archive: what a server then opens as if it had always
 * been there.
 *
 * It has the events, versions, positions, ids and rows that the backed up one
 * had after some commit, byte for byte; and an id of its own, since from there
 * on its history is another one: clients that know the old one see that, and
 * backups of the one are not continued with the other.
 */

#ifndef ACTA_RESTORE_H
#define ACTA_RESTORE_H

#include <stdint.h>

#include "archive.h"
#include "err.h"
#include "uuid.h"

struct restore_options {
    const char *dir; /* A server's data directory: it must not be there, or be
                        empty. */
    uint64_t position_max; /* Only commits that end at this position or before;
                              UINT64_MAX: all. */
    uint64_t time_max_us;  /* Only commits of this time or before. */
    size_t map_size;       /* Of the store, as when it will be opened. */

    /* Told of bytes of the archive that were read; may be NULL. */
    void (*progress)(void *user, uint64_t bytes);

    /* Told of what is wrong in the database that was made: never, if there is
     * no mistake in this program or in memory.
     */
    void (*problem)(void *user, const struct acta_err *what);
    void *user;
};

struct restore_report {
    struct uuid database;
    uint64_t position; /* Of its last event. */
    uint64_t sequence; /* Of the last commit. */
    uint64_t time_us;  /* Of that. */
};

/* Make the database in a directory beside @options->dir, look whether it is
 * whole (verify.h), and give it its name. For a process without other threads.
 *
 * INVALID  There is something in the directory; or the archive begins behind
 *          position_max or time_max_us.
 * IN_USE   Another process restores to it.
 * CORRUPT  The archive is damaged: the text says where.
 * FULL, IO, MEMORY
 */
enum acta_code restore_database(const struct archive *archive,
                                const struct restore_options *options,
                                struct restore_report *report,
                                struct acta_err *err) ACTA_CHECKED;

#endif
