/* A backup that is being taken of an open database, as the server sees it: who
 * takes it asks for one piece after the other.
 *
 * First, unless it goes on from an earlier one, the base: the store as of one
 * checkpoint (store_dump.h). While that is read, the pages it had are kept: the
 * store's file grows by what checkpoints write meanwhile. Then, or beside it,
 * the journal's entries behind that checkpoint, as far as they are durable
 * (journal_cursor.h); those that were not read yet are kept. Together they are
 * the database as it was after its last commit, whatever that was when the last
 * piece was read.
 *
 * A database has one backup at a time. Any thread, one at a time for each.
 */

#ifndef ACTA_BACKUP_H
#define ACTA_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "database.h"
#include "err.h"
#include "msg_backup.h"

struct backup;

/* Begin one, as @begin asks for. @begun is valid as long as the backup is.
 *
 * BUSY     Another one is under way.
 * FULL     There is not much space on the disk: see backup_must_end().
 * INVALID  What it is to go on from is not of this database.
 */
enum acta_code backup_begin(struct backup **backup, struct database *database,
                            const struct msg_begin_backup *begin,
                            struct msg_backup_begun *begun,
                            struct acta_err *err) ACTA_CHECKED;

/* The next piece: @chunk->bytes are valid until the next call. It reads at most
 * what @read asks for, and does not wait for anything but the disk.
 *
 * CORRUPT  What has to be read is damaged.
 */
enum acta_code backup_read(struct backup *backup,
                           const struct msg_read_backup *read,
                           struct msg_backup_chunk *chunk,
                           struct acta_err *err) ACTA_CHECKED;

/* End it and free it: who took it has all up to the entry @sequence, and may go
 * on from there. 0, or one that was not read: he has not. Returns behind which
 * entry the journal is kept for that; 0: it is not.
 */
uint64_t backup_end(struct backup *backup, uint64_t sequence);

/* End it in vain. @backup may be NULL. */
void backup_close(struct backup *backup);

/* So that what it keeps does not become too much: was nothing asked for so long
 * that whoever takes it must be taken for dead, or has the disk become so full
 * that the space is needed? Then *@why says so.
 */
bool backup_must_end(const struct backup *backup, struct mono_time now,
                     const char **why);

#endif
