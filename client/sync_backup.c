/* The calls of acta_backup.h that wait. */

#include <acta/acta_backup.h>

#include "client.h"
#include "sync.h"

static void
on_begun(void *user, const struct acta_err *err,
         const struct acta_backup_begun *begun)
{
    (void)begun;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_begin_backup(struct acta_sync *sync, uint64_t after,
                       const struct acta_id *database,
                       const struct acta_backup_begun **begun,
                       struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_begin_backup(client, after, database, 0, on_begun, &call,
                                    &call.err);

    *begun = &sync->answer.backup_begun;
    return sync_wait(sync, id, &call, err);
}

static void
on_chunk(void *user, const struct acta_err *err,
         const struct acta_backup_chunk *chunk)
{
    (void)chunk;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_read_backup(struct acta_sync *sync, enum acta_backup_part part,
                      size_t size_max, uint64_t last,
                      const struct acta_backup_chunk **chunk,
                      struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_read_backup(client, part, size_max, last, 0, on_chunk,
                                   &call, &call.err);

    *chunk = &sync->answer.backup_chunk;
    return sync_wait(sync, id, &call, err);
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t sequence)
{
    (void)sequence;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_end_backup(struct acta_sync *sync, uint64_t sequence, uint64_t *kept,
                     struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_end_backup(client, sequence, 0, on_ended, &call, &call.err);
    enum acta_code code = sync_wait(sync, id, &call, err);

    if (kept != NULL) {
        *kept = code == ACTA_OK ? sync->answer.number : 0;
    }
    return code;
}
