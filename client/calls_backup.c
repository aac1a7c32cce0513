/* The calls of acta_backup.h. */

#include <acta/acta_backup.h>

#include "client.h"
#include "msg_backup.h"

_Static_assert(ACTA_BACKUP_CHUNK_SIZE_MAX == ACTA_BACKUP_CHUNK_MAX,
               "what may be asked for is what the server takes");
_Static_assert((int)ACTA_BACKUP_BASE == (int)MSG_BACKUP_BASE, "as on the wire");
_Static_assert((int)ACTA_BACKUP_ENTRIES == (int)MSG_BACKUP_ENTRIES,
               "as on the wire");

uint64_t
acta_begin_backup(struct acta_client *client, uint64_t after,
                  const struct acta_id *database, uint64_t timeout_ms,
                  acta_on_backup_begun *done, void *user, struct acta_err *err)
{
    struct msg_begin_backup message = {
        .after = after,
        .database = database == NULL ? NULL : database->bytes,
    };
    struct buf *buf;
    uint64_t id;

    if (after > 0 && database == NULL) {
        acta_fail(err, ACTA_INVALID, "a backup goes on without a database");
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_begin_backup_encode(buf, id, &message);
    return client_submit(client, OP_BEGIN_BACKUP, timeout_ms,
                         (union request_done){.backup_begun = done}, user, err);
}

uint64_t
acta_read_backup(struct acta_client *client, enum acta_backup_part part,
                 size_t size_max, uint64_t last, uint64_t timeout_ms,
                 acta_on_backup_chunk *done, void *user, struct acta_err *err)
{
    struct msg_read_backup message = {.size_max = size_max, .last = last};
    struct buf *buf;
    uint64_t id;

    message.part =
        part == ACTA_BACKUP_BASE ? MSG_BACKUP_BASE : MSG_BACKUP_ENTRIES;
    if (size_max == 0 || size_max > ACTA_BACKUP_CHUNK_MAX) {
        acta_fail(err, ACTA_INVALID, "size max is not from 1 to %d",
                  ACTA_BACKUP_CHUNK_SIZE_MAX);
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_read_backup_encode(buf, id, &message);
    return client_submit(client, OP_READ_BACKUP, timeout_ms,
                         (union request_done){.backup_chunk = done}, user, err);
}

uint64_t
acta_end_backup(struct acta_client *client, uint64_t sequence,
                uint64_t timeout_ms, acta_on_backup_ended *done, void *user,
                struct acta_err *err)
{
    uint64_t id;
    struct buf *buf = core_begin(&client->core, &id, err);

    if (buf == NULL) {
        return 0;
    }
    msg_number_encode(buf, OP_END_BACKUP, id, sequence);
    return client_submit(client, OP_END_BACKUP, timeout_ms,
                         (union request_done){.backup_ended = done}, user, err);
}
