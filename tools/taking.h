/* Taking a backup: from a connection into an archive. One thread. */

#ifndef ACTA_TAKING_H
#define ACTA_TAKING_H

#include <acta/acta_sync.h>
#include <stdbool.h>
#include <stdint.h>

#include "archive.h"

struct taking_options {
    bool anew;     /* All of it, whatever the archive has. */
    bool verify;   /* Read back what was written before it counts. */
    uint64_t rate; /* Bytes a second at most; 0: as fast as it goes. */

    /* Told how far it is, of @whole bytes, about; 0: nobody knows. */
    void (*progress)(void *user, uint64_t events, uint64_t done,
                     uint64_t whole);
    void *user;
};

struct taken_backup {
    bool has_base;
    char reason[256];  /* Why it has one, if there was one; else "". */
    uint64_t commits;  /* That were added, besides the base. */
    uint64_t events;   /* That were added, the base's included. */
    uint64_t bytes;    /* That were written. */
    uint64_t position; /* The archive has all up to here. */
    uint64_t sequence;
    uint64_t grown; /* Bytes of the server's store: see acta_backup.h. */
    bool is_kept;   /* The next one can go on from here. */
};

/* Take one into @archive, which was opened by archive_open_writer(). On failure
 * the archive has what it had.
 *
 * CANCELLED  It was interrupted: see interrupt.h.
 * INVALID    The archive is of another database.
 * CORRUPT    What the server has, or what was sent or written, is damaged.
 */
enum acta_code taking_run(struct acta_sync *sync, struct archive *archive,
                          const struct taking_options *options,
                          struct taken_backup *taken,
                          struct acta_err *err) ACTA_CHECKED;

#endif
