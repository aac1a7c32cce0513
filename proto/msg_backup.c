/* begin-backup, backup-begun, read-backup and backup-chunk. */

#include "msg_backup.h"

#include "limit.h"
#include "msg_body.h"

#define BEGIN_FIELDS 2
#define BEGUN_FIELDS 7
#define READ_FIELDS  3
#define CHUNK_FIELDS 6

void
msg_begin_backup_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_begin_backup *begin)
{
    size_t start = frame_begin(buf, OP_BEGIN_BACKUP, request_id);

    pack_array(buf, BEGIN_FIELDS);
    pack_uint(buf, begin->after);
    if (begin->database == NULL) {
        pack_nil(buf);
    } else {
        pack_bin(buf, slice_make(begin->database, UUID_SIZE));
    }
    frame_end(buf, start);
}

enum acta_code
msg_begin_backup_decode(struct msg_begin_backup *begin, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, BEGIN_FIELDS, err);
    begin->after = pack_get_uint(&reader, "after");
    begin->database = pack_get_bytes_or_nil(&reader, UUID_SIZE, "database");
    if (!reader.failed && begin->after > 0 && begin->database == NULL) {
        pack_fail(&reader, ACTA_INVALID, "a backup goes on without a database");
    }
    return pack_code(&reader);
}

void
msg_backup_begun_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_backup_begun *begun)
{
    size_t start = frame_begin(buf, OP_BACKUP_BEGUN, request_id);

    pack_array(buf, BEGUN_FIELDS);
    pack_bool(buf, begun->has_base);
    pack_uint(buf, begun->sequence);
    pack_uint(buf, begun->position);
    pack_uint(buf, begun->last);
    pack_uint(buf, begun->head);
    pack_uint(buf, begun->size);
    pack_str(buf, begun->reason);
    frame_end(buf, start);
}

enum acta_code
msg_backup_begun_decode(struct msg_backup_begun *begun, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, BEGUN_FIELDS, err);
    begun->has_base = pack_get_bool(&reader, "has base");
    begun->sequence = pack_get_uint(&reader, "sequence");
    begun->position = pack_get_uint(&reader, "position");
    begun->last = pack_get_uint(&reader, "last");
    begun->head = pack_get_uint(&reader, "head");
    begun->size = pack_get_uint(&reader, "size");
    begun->reason = pack_get_str(&reader, "reason");
    return pack_code(&reader);
}

void
msg_read_backup_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_read_backup *read)
{
    size_t start = frame_begin(buf, OP_READ_BACKUP, request_id);

    pack_array(buf, READ_FIELDS);
    pack_uint(buf, read->part);
    pack_uint(buf, read->size_max);
    pack_uint(buf, read->last);
    frame_end(buf, start);
}

enum acta_code
msg_read_backup_decode(struct msg_read_backup *read, struct slice body,
                       struct acta_err *err)
{
    struct pack_reader reader;
    uint64_t part;

    msg_request_begin(&reader, body, READ_FIELDS, err);
    part = pack_get_uint(&reader, "part");
    read->size_max = pack_get_uint(&reader, "size max");
    read->last = pack_get_uint(&reader, "last");
    if (!reader.failed && part > MSG_BACKUP_ENTRIES) {
        pack_fail(&reader, ACTA_UNSUPPORTED, "a backup has no part %ju",
                  (uintmax_t)part);
    }
    if (!reader.failed &&
        (read->size_max == 0 || read->size_max > ACTA_BACKUP_CHUNK_MAX)) {
        pack_fail(&reader, ACTA_INVALID, "size max is not from 1 to %u",
                  ACTA_BACKUP_CHUNK_MAX);
    }
    read->part =
        part == MSG_BACKUP_ENTRIES ? MSG_BACKUP_ENTRIES : MSG_BACKUP_BASE;
    return pack_code(&reader);
}

void
msg_backup_chunk_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_backup_chunk *chunk)
{
    size_t start = frame_begin(buf, OP_BACKUP_CHUNK, request_id);

    pack_array(buf, CHUNK_FIELDS);
    pack_bin(buf, chunk->bytes);
    pack_uint(buf, chunk->checksum);
    pack_bool(buf, chunk->at_end);
    pack_uint(buf, chunk->sequence);
    pack_uint(buf, chunk->last);
    pack_uint(buf, chunk->grown);
    frame_end(buf, start);
}

enum acta_code
msg_backup_chunk_decode(struct msg_backup_chunk *chunk, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;
    uint64_t checksum;

    msg_reply_begin(&reader, body, CHUNK_FIELDS, err);
    chunk->bytes = pack_get_bin(&reader, "bytes");
    checksum = pack_get_uint(&reader, "checksum");
    if (!reader.failed && checksum > UINT32_MAX) {
        pack_fail(&reader, ACTA_INVALID, "checksum is over 32 bits");
    }
    chunk->checksum = (uint32_t)checksum;
    chunk->at_end = pack_get_bool(&reader, "at end");
    chunk->sequence = pack_get_uint(&reader, "sequence");
    chunk->last = pack_get_uint(&reader, "last");
    chunk->grown = pack_get_uint(&reader, "grown");
    return pack_code(&reader);
}
