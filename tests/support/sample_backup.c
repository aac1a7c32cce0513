#include "sample_backup.h"

#include "msg_backup.h"
#include "uuid.h"

static const uint8_t database[UUID_SIZE] = {
    0xdb, 0xdb, 0xdb, 0xdb, 0xdb, 0xdb, 0xdb, 0xdb,
    0xdb, 0xdb, 0xdb, 0xdb, 0xdb, 0xdb, 0xdb, 0xdb,
};

void
sample_begin_backup(struct buf *buf)
{
    struct msg_begin_backup begin = {.after = 0};

    msg_begin_backup_encode(buf, 70, &begin);
}

void
sample_begin_backup_on(struct buf *buf)
{
    struct msg_begin_backup begin = {.after = 1200, .database = database};

    msg_begin_backup_encode(buf, 71, &begin);
}

void
sample_backup_begun(struct buf *buf)
{
    struct msg_backup_begun begun = {
        .has_base = true,
        .sequence = 1300,
        .position = 5000,
        .last = 1310,
        .head = 5020,
        .size = 1 << 20,
        .reason = slice_of("the journal does not reach back"),
    };

    msg_backup_begun_encode(buf, 71, &begun);
}

void
sample_read_backup(struct buf *buf)
{
    struct msg_read_backup read = {
        .part = MSG_BACKUP_ENTRIES, .size_max = 65536, .last = 1310};

    msg_read_backup_encode(buf, 72, &read);
}

void
sample_backup_chunk(struct buf *buf)
{
    struct msg_backup_chunk chunk = {
        .bytes = slice_of("123456789"),
        .checksum = 0xe3069283,
        .at_end = true,
        .sequence = 1310,
        .last = 1311,
        .grown = 4096,
    };

    msg_backup_chunk_encode(buf, 72, &chunk);
}

void
sample_end_backup(struct buf *buf)
{
    msg_number_encode(buf, OP_END_BACKUP, 73, 1310);
}

void
sample_backup_ended(struct buf *buf)
{
    msg_number_encode(buf, OP_BACKUP_ENDED, 73, 1310);
}
