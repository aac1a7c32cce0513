/* Rows of the store: their checksums, whether each is what its kind says, and
 * whether those that belong together are there.
 */

#include <stdlib.h>

#include "command.h"
#include "consumer.h"
#include "erasure.h"
#include "group_pending.h"
#include "lease.h"
#include "retention.h"
#include "schedule.h"
#include "snapshot.h"
#include "store_lmdb.h"
#include "verify_contents.h"
#include "verify_inside.h"

static void
fail_row(struct verify *verify, const struct row *row, const char *why)
{
    verify_problem(verify, "store: row %.*s of the %s %s", (int)row->key.size,
                   (const char *)row->key.data, row_kind_name(row->kind), why);
}

static bool
is_checkpoint(const struct row *row)
{
    struct group_pending_reader reader;
    struct checkpoint_row checkpoint;
    uint64_t fences;

    return checkpoint_decode(&checkpoint, row->value, NULL) == ACTA_OK &&
           group_pending_open(&reader, &fences, checkpoint.pending,
                              checkpoint.position, NULL) == ACTA_OK;
}

static bool
is_command(const struct row *row)
{
    struct msg_run *runs;
    size_t count;

    if (row->key.size != UUID_SIZE ||
        command_decode(&runs, &count, row->value, NULL) != ACTA_OK) {
        return false;
    }
    free(runs);
    return true;
}

/* Is the value what the kind says? Of kinds that are not known, anything is. */
static bool
is_what_it_says(const struct row *row)
{
    union {
        struct retention retention;
        struct erasure erasure;
        struct consumer consumer;
        struct parked parked;
        struct lease lease;
        struct snapshot snapshot;
        struct schedule schedule;
    } as;

    switch (row->kind) {
    case ROW_RETENTION:
        return retention_decode(&as.retention, row->value, NULL) == ACTA_OK;
    case ROW_ERASURE:
        return erasure_decode(&as.erasure, row->key, row->value, NULL) ==
               ACTA_OK;
    case ROW_SWEPT:
    case ROW_COUNTER:
        return row->value.size == 8;
    case ROW_COMMAND:
        return is_command(row);
    case ROW_CONSUMER:
        return consumer_decode(&as.consumer, row->value, NULL) == ACTA_OK;
    case ROW_CHECKPOINT:
        return is_checkpoint(row);
    case ROW_PARKED:
        return row->key.size == PARKED_KEY_SIZE &&
               parked_decode(&as.parked, row->value, NULL) == ACTA_OK;
    case ROW_LEFT:
        return row->key.size == 8;
    case ROW_LEASE:
        return lease_decode(&as.lease, row->value, NULL) == ACTA_OK;
    case ROW_SNAPSHOT:
        return snapshot_decode(&as.snapshot, row->value, NULL) == ACTA_OK;
    case ROW_SCHEDULE:
        return schedule_decode(&as.schedule, row->value, NULL) == ACTA_OK;
    case ROW_SCHEDULED:
        return row->value.size > 0;
    }
    return true;
}

/* The kind of the row that is there under the same name; 0: it stands alone. */
static enum row_kind
partner_of(enum row_kind kind)
{
    static const enum row_kind partners[ROW_KINDS_END] = {
        [ROW_CONSUMER] = ROW_CHECKPOINT,
        [ROW_CHECKPOINT] = ROW_CONSUMER,
        [ROW_SCHEDULE] = ROW_SCHEDULED,
        [ROW_SCHEDULED] = ROW_SCHEDULE,
    };

    return kind < ROW_KINDS_END ? partners[kind] : 0;
}

/* The key, in the store, of the row that @row needs; empty if it stands alone.
 */
static struct slice
partner_key(uint8_t to[static ROW_STORE_KEY_MAX], const struct row *row)
{
    enum row_kind partner = partner_of(row->kind);

    return partner == 0 ? SLICE_NONE : store_row_key(to, partner, row->key);
}

static struct row
row_of(struct slice key, struct slice value)
{
    return (struct row){.kind = key.data[0],
                        .key = slice_make(key.data + 1, key.size - 1),
                        .value = value};
}

bool
verify_is_row(struct slice key, struct slice value)
{
    struct row row = row_of(key, value);

    return is_what_it_says(&row);
}

struct slice
verify_partner(uint8_t *to, struct slice key)
{
    struct row row = row_of(key, SLICE_NONE);

    return partner_key(to, &row);
}

void
verify_row(struct verify *verify, struct slice key, struct slice stored,
           bool (*has)(void *user, struct slice key), void *user)
{
    struct row row = {.kind = key.data[0],
                      .key = slice_make(key.data + 1, key.size - 1)};
    uint8_t bytes[ROW_STORE_KEY_MAX];
    struct slice partner;
    struct acta_err why;

    verify->report->rows++;
    if (row.key.size > ROW_KEY_SIZE_MAX) {
        verify_problem(verify, "store: a row is damaged");
        return;
    }
    partner = partner_key(bytes, &row);
    if (store_read_row(key, stored, &row.value, &why) != ACTA_OK) {
        verify_problem(verify, "%s", why.text);
    } else if (!is_what_it_says(&row)) {
        fail_row(verify, &row, "is none");
    } else if (partner.size > 0 && !has(user, partner)) {
        fail_row(verify, &row, "lacks another that belongs to it");
    }
}

static bool
has_in_view(void *user, struct slice wanted)
{
    struct store_view *view = user;
    MDB_val key = val_of(wanted), val;

    return mdb_get(view->txn, view->store->rows, &key, &val) == 0;
}

enum acta_code
verify_rows(struct verify *verify, struct store_view *view,
            struct acta_err *err)
{
    MDB_val key, val;
    int rc;

    rc = store_cursor_get(view, &view->rows, &key, &val, MDB_FIRST);
    while (rc == 0) {
        verify_row(verify, slice_of_val(key), slice_of_val(val), has_in_view,
                   view);
        rc = store_cursor_get(view, &view->rows, &key, &val, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? ACTA_OK : store_fail(err, rc, "verify rows");
}
