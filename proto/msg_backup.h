/* Messages about backups. As in msg.h.
 *
 * A backup is taken in the order of a base and then entries. The base is the
 * database as its store had it after some commit; entries are what commits
 * behind that have changed. A later backup goes on with entries alone, if the
 * server still has them. There is one backup of a database at a time; it ends
 * with the connection.
 */

#ifndef ACTA_MSG_BACKUP_H
#define ACTA_MSG_BACKUP_H

#include "msg.h"

/* ---- begin-backup, backup-begun ---- */

/* begin-backup [after, database]: go on behind the commit @after; 0: from the
 * beginning.
 */
struct msg_begin_backup {
    uint64_t after;
    const uint8_t *database; /* 16 bytes: whose backup is to go on; NULL: it is
                                a new one. */
};

void msg_begin_backup_encode(struct buf *buf, uint64_t request_id,
                             const struct msg_begin_backup *begin);
enum acta_code msg_begin_backup_decode(struct msg_begin_backup *begin,
                                       struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;

/* backup-begun [has base, sequence, position, last, head, size, reason]. */
struct msg_backup_begun {
    bool has_base;       /* It begins with a base. */
    uint64_t sequence;   /* Of the commit that the entries come behind, */
    uint64_t position;   /* at which the database was there. */
    uint64_t last;       /* The last commit when this was sent, */
    uint64_t head;       /* and its position. */
    uint64_t size;       /* Bytes that the base takes, about. */
    struct slice reason; /* Why it has a base, if @after was asked for. */
};

void msg_backup_begun_encode(struct buf *buf, uint64_t request_id,
                             const struct msg_backup_begun *begun);
enum acta_code msg_backup_begun_decode(struct msg_backup_begun *begun,
                                       struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;

/* ---- read-backup, backup-chunk ---- */

enum msg_backup_part {
    MSG_BACKUP_BASE = 0,
    MSG_BACKUP_ENTRIES = 1,
};

/* read-backup [part, size max, last]. */
struct msg_read_backup {
    enum msg_backup_part part;
    uint64_t size_max; /* 1 to ACTA_BACKUP_CHUNK_MAX */
    uint64_t last;     /* Entries up to this commit only; 0: all. */
};

void msg_read_backup_encode(struct buf *buf, uint64_t request_id,
                            const struct msg_read_backup *read);
enum acta_code msg_read_backup_decode(struct msg_read_backup *read,
                                      struct slice body,
                                      struct acta_err *err) ACTA_CHECKED;

/* backup-chunk [bytes, checksum, at end, sequence, last, grown]: the bytes that
 * come next in the part.
 */
struct msg_backup_chunk {
    struct slice bytes;
    uint32_t checksum; /* CRC32C of them. */
    bool at_end;       /* Of the base: that was all. Of entries: there are no
                          others up to last, or now. */
    uint64_t sequence; /* The last commit whose entry was sent wholly. */
    uint64_t last;     /* The last commit of all, when this was sent. */
    uint64_t grown;    /* Bytes that the store's file has grown since the
                          backup began, which keeps what it reads. */
};

void msg_backup_chunk_encode(struct buf *buf, uint64_t request_id,
                             const struct msg_backup_chunk *chunk);
enum acta_code msg_backup_chunk_decode(struct msg_backup_chunk *chunk,
                                       struct slice body,
                                       struct acta_err *err) ACTA_CHECKED;

/* ---- end-backup, backup-ended ---- */

/* end-backup [sequence]: the caller has all up to this commit on disk, and the
 * server is to keep the entries behind it, within bounds of its own, for the
 * next backup; 0: it is not. Answered by backup-ended [sequence], after which
 * entries are kept: 0: none are.
 */

#endif
