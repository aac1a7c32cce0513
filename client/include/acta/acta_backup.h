/* Backups, for programs that take them: acta backup is one, and for nearly
 * everybody the right one.
 *
 * A backup is bytes that acta restore makes a database of, if they are put away
 * as the program acta does (server/STORAGE.md). They come in two parts: the
 * base, which is all that the server's store has, and entries, one for each
 * commit behind that. A backup that goes on from an earlier one has entries
 * only, if the server still has them: it keeps them for whoever has said up to
 * where he has all, within the bound backup-keep.
 *
 * This program tells how many bytes a backup takes now:
 *
 *     #include <acta/acta_backup.h>
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         const struct acta_backup_begun *begun;
 *         const struct acta_backup_chunk *chunk;
 *         enum acta_backup_part part = ACTA_BACKUP_BASE;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *         enum acta_code code;
 *         size_t size = 0;
 *
 *         code = acta_sync_open(&sync, &options, &err);
 *         if (code == ACTA_OK) {
 *             code = acta_sync_begin_backup(sync, 0, NULL, &begun, &err);
 *         }
 *         while (code == ACTA_OK) {
 *             code = acta_sync_read_backup(sync, part, 65536, 0, &chunk,
 *                                          &err);
 *             size += code == ACTA_OK ? chunk->bytes_size : 0;
 *             if (code == ACTA_OK && chunk->at_end) {
 *                 if (part == ACTA_BACKUP_ENTRIES) {
 *                     break;
 *                 }
 *                 part = ACTA_BACKUP_ENTRIES;
 *             }
 *         }
 *         if (code == ACTA_OK) {
 *             code = acta_sync_end_backup(sync, 0, NULL, &err);
 *             printf("%s\n", size > 0 ? "it takes some bytes" : "none");
 *         }
 *         acta_sync_close(sync);
 *         return code == ACTA_OK ? 0 : 1;
 *     }
 *
 * A database has one backup at a time. It ends with the connection, or when
 * nothing was asked for in a minute, or when the server's disk gets short of
 * space: what it reads is kept, and takes space, until it is at its end. Calls
 * for a backup that has ended are refused with NOT_FOUND.
 *
 * What is said of connections, errors, memory, threads and compatibility in
 * acta.h, which this header includes, holds here.
 */

#ifndef ACTA_ACTA_BACKUP_H
#define ACTA_ACTA_BACKUP_H

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The largest chunk that may be asked for. */
#define ACTA_BACKUP_CHUNK_SIZE_MAX 1048576

struct acta_backup_begun {
    bool has_base;      /* There is a base to be read, and entries behind it. */
    uint64_t sequence;  /* Of the commit that the entries come behind, */
    uint64_t position;  /* and if it has a base the last position in that. */
    uint64_t last;      /* The last commit now: the backup will have it, */
    uint64_t head;      /* and its position. */
    uint64_t size;      /* Bytes of the base, about. */
    const char *reason; /* Why it has a base, if it was to go on; else "". */
};

/* Begin a backup: from the beginning if @after is 0, else behind the commit
 * @after of an earlier one, of the database @database, which may be NULL with 0
 * only.
 *
 * BUSY: another one is under way. FULL: the server's disk is short of space.
 * INVALID: the earlier one is of another database, or has commits that this one
 * has not.
 */
typedef void acta_on_backup_begun(void *user, const struct acta_err *err,
                                  const struct acta_backup_begun *begun);
ACTA_API uint64_t acta_begin_backup(struct acta_client *client, uint64_t after,
                                    const struct acta_id *database,
                                    uint64_t timeout_ms,
                                    acta_on_backup_begun *done, void *user,
                                    struct acta_err *err);

enum acta_backup_part {
    ACTA_BACKUP_BASE = 0,
    ACTA_BACKUP_ENTRIES = 1,
};

struct acta_backup_chunk {
    const void *bytes; /* Those that come next in the part. */
    size_t bytes_size;
    uint32_t checksum; /* CRC32C of them. */
    bool at_end;       /* Of the base: that was all. Of entries: there are no
                          others up to last, or by now. */
    uint64_t sequence; /* The last commit whose entry was read wholly, */
    uint64_t last;     /* and the last of all, now. */
    uint64_t grown;    /* Bytes by which the server's store has grown since the
                          backup began: it keeps what is read. */
};

/* Read the next bytes of a part, @size_max at most; of entries only those up to
 * the commit @last, or all if it is 0. Both parts may be read in turns: entries
 * that were read are not kept any more.
 */
typedef void acta_on_backup_chunk(void *user, const struct acta_err *err,
                                  const struct acta_backup_chunk *chunk);
ACTA_API uint64_t acta_read_backup(struct acta_client *client,
                                   enum acta_backup_part part, size_t size_max,
                                   uint64_t last, uint64_t timeout_ms,
                                   acta_on_backup_chunk *done, void *user,
                                   struct acta_err *err);

/* End it. @sequence: all up to this commit is on disk, and the next backup is
 * to go on from there; 0: it is not. The callback is told behind which commit
 * entries are kept; 0: none are.
 */
typedef void acta_on_backup_ended(void *user, const struct acta_err *err,
                                  uint64_t sequence);
ACTA_API uint64_t acta_end_backup(struct acta_client *client, uint64_t sequence,
                                  uint64_t timeout_ms,
                                  acta_on_backup_ended *done, void *user,
                                  struct acta_err *err);

/* ---- the same, waited for: see acta_sync.h ---- */

struct acta_sync;

ACTA_API enum acta_code acta_sync_begin_backup(
    struct acta_sync *sync, uint64_t after, const struct acta_id *database,
    const struct acta_backup_begun **begun, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_read_backup(struct acta_sync *sync, enum acta_backup_part part,
                      size_t size_max, uint64_t last,
                      const struct acta_backup_chunk **chunk,
                      struct acta_err *err);

/* @kept, which may be NULL, becomes what the callback is told. */
ACTA_API enum acta_code acta_sync_end_backup(struct acta_sync *sync,
                                             uint64_t sequence, uint64_t *kept,
                                             struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif
