#include "backup.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "journal_cursor.h"
#include "rooms.h"
#include "store_dump.h"

/* Who asks for nothing for so long has gone, or is stopped. */
#define IDLE_US UINT64_C(60000000)

/* With less than this many times disk-reserve free it has to end: it is not the
 * reason for which appends are refused.
 */
#define RESERVES 2

struct backup {
    struct database *database;
    struct rooms *rooms;
    struct store_dump *dump; /* owned; NULL: there is no base, or it was read */
    struct journal_cursor *cursor; /* owned */
    struct buf bytes;              /* Of the last piece. */
    uint64_t store_size;           /* When it began. */
    struct mono_time asked;        /* When something was asked for last. */
};

/* The last entry that is durable, and the position it came to. */
static uint64_t
last_entry(struct rooms *rooms, uint64_t *head)
{
    struct tail_view view;

    tail_pin(&rooms->tail, &view);
    tail_unpin(&view);
    *head = view.head;
    return view.sequence;
}

static bool
is_short_of_space(struct database *database)
{
    struct database_stats stats;

    database_stats(database, &stats);
    return stats.disk_free <
           RESERVES * (uint64_t)database_options(database)->disk_reserve;
}

bool
backup_must_end(const struct backup *backup, struct mono_time now,
                const char **why)
{
    if (now.us - backup->asked.us > IDLE_US) {
        *why = "nothing was asked for in a minute";
        return true;
    }
    if (is_short_of_space(backup->database)) {
        *why = "the disk is short of space, and it keeps files from being used "
               "again";
        return true;
    }
    return false;
}

/* ---- beginning ---- */

static enum acta_code
check_begin(struct database *database, const struct msg_begin_backup *begin,
            uint64_t last, struct acta_err *err)
{
    struct uuid id = database_id(database);

    if (begin->database != NULL &&
        memcmp(begin->database, id.bytes, UUID_SIZE) != 0) {
        return acta_fail(err, ACTA_INVALID,
                         "the backup is of another database");
    }
    if (begin->after > last) {
        return acta_fail(err, ACTA_INVALID,
                         "the backup has commits that this database has not: "
                         "%ju are in it, %ju here",
                         (uintmax_t)begin->after, (uintmax_t)last);
    }
    if (is_short_of_space(database)) {
        return acta_fail(err, ACTA_FULL,
                         "there is too little space on the server's disk: %d "
                         "times disk-reserve must be free",
                         RESERVES);
    }
    return ACTA_OK;
}

/* Nothing is released from before the dump is opened on: so the journal goes on
 * where the dump ends.
 */
static enum acta_code
begin_base(struct backup *backup, struct msg_backup_begun *begun,
           struct acta_err *err)
{
    struct store_meta meta;
    enum acta_code code;

    journal_read_after(backup->rooms->journal, 0);
    code = store_dump_open(&backup->dump, backup->rooms->store, &meta, err);
    if (code != ACTA_OK) {
        return code;
    }
    begun->has_base = true;
    begun->sequence = meta.sequence;
    begun->position = meta.position;
    begun->size = backup->store_size;
    return ACTA_OK;
}

static enum acta_code
begin_parts(struct backup *backup, const struct msg_begin_backup *begin,
            struct msg_backup_begun *begun, struct acta_err *err)
{
    struct journal *journal = backup->rooms->journal;
    enum acta_code code = ACTA_OK;

    begun->reason = SLICE_NONE;
    begun->has_base = false;
    begun->sequence = begin->after;
    begun->size = 0;
    journal_read_after(journal, begin->after);
    if (begin->after == 0 || !journal_has_after(journal, begin->after)) {
        code = begin_base(backup, begun, err);
        if (begin->after > 0) {
            begun->reason = slice_of("the journal does not reach back to the "
                                     "last one any more");
        }
    }
    if (code != ACTA_OK) {
        return code;
    }
    journal_read_after(journal, begun->sequence);
    backup->cursor = journal_cursor_open(journal, begun->sequence);
    return backup->cursor == NULL ? acta_fail(err, ACTA_MEMORY, "begin backup")
                                  : ACTA_OK;
}

enum acta_code
backup_begin(struct backup **out, struct database *database,
             const struct msg_begin_backup *begin,
             struct msg_backup_begun *begun, struct acta_err *err)
{
    struct rooms *rooms = database_rooms(database);
    struct backup *backup;
    enum acta_code code;

    *out = NULL;
    *begun = (struct msg_backup_begun){0};
    begun->last = last_entry(rooms, &begun->head);
    code = check_begin(database, begin, begun->last, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (atomic_exchange(&rooms->is_backed_up, true)) {
        return acta_fail(err, ACTA_BUSY, "another backup is under way");
    }
    backup = calloc(1, sizeof(*backup));
    if (backup == NULL) {
        atomic_store(&rooms->is_backed_up, false);
        return acta_fail(err, ACTA_MEMORY, "begin backup");
    }
    backup->database = database;
    backup->rooms = rooms;
    backup->store_size = store_size(rooms->store);
    backup->asked = clock_mono();
    buf_init(&backup->bytes, ACTA_BACKUP_CHUNK_MAX);
    code = begin_parts(backup, begin, begun, err);
    if (code != ACTA_OK) {
        backup_close(backup);
        return code;
    }
    *out = backup;
    return ACTA_OK;
}

/* ---- reading ---- */

static enum acta_code
read_base(struct backup *backup, size_t size_max, bool *at_end,
          struct acta_err *err)
{
    enum acta_code code;

    *at_end = true;
    if (backup->dump == NULL) {
        return ACTA_OK;
    }
    code = store_dump_read(backup->dump, size_max, &backup->bytes, at_end, err);
    if (code == ACTA_OK && *at_end) {
        store_dump_close(backup->dump);
        backup->dump = NULL;
    }
    return code;
}

enum acta_code
backup_read(struct backup *backup, const struct msg_read_backup *read,
            struct msg_backup_chunk *chunk, struct acta_err *err)
{
    uint64_t size = store_size(backup->rooms->store);
    enum acta_code code;
    uint64_t head, end;

    backup->asked = clock_mono();
    *chunk = (struct msg_backup_chunk){0};
    chunk->last = last_entry(backup->rooms, &head);
    end = read->last > 0 && read->last < chunk->last ? read->last : chunk->last;
    buf_clear(&backup->bytes);
    if (read->part == MSG_BACKUP_BASE) {
        code = read_base(backup, read->size_max, &chunk->at_end, err);
    } else {
        code = journal_cursor_read(backup->cursor, end, read->size_max,
                                   &backup->bytes, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    chunk->sequence = journal_cursor_done(backup->cursor);
    if (read->part == MSG_BACKUP_ENTRIES) {
        chunk->at_end = chunk->sequence >= end;
        journal_read_after(backup->rooms->journal, chunk->sequence);
    }
    chunk->bytes = buf_slice(&backup->bytes);
    chunk->checksum = checksum_of(chunk->bytes.data, chunk->bytes.size);
    chunk->grown = size > backup->store_size ? size - backup->store_size : 0;
    return ACTA_OK;
}

/* ---- ending ---- */

uint64_t
backup_end(struct backup *backup, uint64_t sequence)
{
    size_t keep = database_options(backup->database)->backup_keep;
    struct journal *journal = backup->rooms->journal;

    if (keep == 0 || sequence > journal_cursor_done(backup->cursor)) {
        sequence = 0;
    }
    if (sequence > 0) {
        journal_keep_after(journal, sequence, keep);
        sequence = journal_has_after(journal, sequence) ? sequence : 0;
    }
    backup_close(backup);
    return sequence;
}

void
backup_close(struct backup *backup)
{
    if (backup == NULL) {
        return;
    }
    store_dump_close(backup->dump);
    journal_cursor_close(backup->cursor);
    buf_fini(&backup->bytes);
    journal_read_after(backup->rooms->journal, UINT64_MAX);
    atomic_store(&backup->rooms->is_backed_up, false);
    free(backup);
}
