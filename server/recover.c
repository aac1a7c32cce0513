#include "recover.h"

#include <assert.h>
#include <stdlib.h>

#include "checkpoint.h"
#include "failpoint.h"
#include "heads.h"
#include "pack.h"

/* So many events or rows are looked at before it is asked again whether to go
 * on.
 */
#define ASKED_EVERY 256

struct recovery {
    struct rooms *rooms;
    const struct database_options *options;
    struct heads heads;
    uint64_t sequence;
    uint64_t last_time_us;
};

enum acta_code
recover_flush(struct rooms *rooms, const struct database_options *options,
              uint64_t sequence, uint64_t last_time_us, struct acta_err *err)
{
    struct memtable *active = tail_active(&rooms->tail);
    enum acta_code code;

    if (memtable_is_empty(active)) {
        return ACTA_OK;
    }
    if (!checkpoint_fits(options->dir, active)) {
        return acta_fail(err, ACTA_FULL, "no space for a checkpoint");
    }
    FAILPOINT("recover-flush");
    code = store_checkpoint(rooms->store, active, sequence, last_time_us, err);
    FAILPOINT("recover-flushed");
    if (code == ACTA_OK) {
        code = tail_seal(&rooms->tail, sequence, last_time_us, err);
    }
    if (code == ACTA_OK) {
        tail_drop_sealed(&rooms->tail);
        code = journal_release(rooms->journal, sequence, err);
    }
    return code;
}

static enum acta_code
go_on(const struct database_options *options, struct acta_err *err)
{
    return options->is_to_stop != NULL && options->is_to_stop(options->user)
               ? acta_fail(err, ACTA_STOPPING,
                           "told to stop before all was recovered")
               : ACTA_OK;
}

static enum acta_code
add_record(struct recovery *recovery, const struct block_record *record,
           struct acta_err *err)
{
    struct memtable *active = tail_active(&recovery->rooms->tail);
    struct stream_state state;
    struct pack_reader reader;
    struct memlist *list;
    struct event event;
    enum acta_code code;

    pack_reader_init(&reader, slice_make(record->data, record->size), err);
    event_decode_record(&reader, &event);
    if (reader.failed) {
        return pack_code(&reader);
    }
    code = heads_stream(&recovery->heads, event.stream, &state, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (event.version != state.version + 1) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju has version %ju, its stream "
                         "is at %ju",
                         (uintmax_t)event.position, (uintmax_t)event.version,
                         (uintmax_t)state.version);
    }
    list = memtable_add_stream(active, event.stream, state.version,
                               state.number, state.id_max);
    if (list == NULL || !memtable_add(active, list, &event)) {
        return acta_fail(err, ACTA_MEMORY, "recover");
    }
    return ACTA_OK;
}

static enum acta_code
add_block(struct recovery *recovery, const struct block *block,
          struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    heads_begin(&recovery->heads, recovery->sequence, recovery->last_time_us);
    for (uint64_t p = block->first_position;
         code == ACTA_OK && p < block_end(block); p++) {
        struct block_record record;

        if (p % ASKED_EVERY == 0) {
            code = go_on(recovery->options, err);
        }
        if (code == ACTA_OK) {
            code = block_get(block, p, &record, err);
        }
        if (code == ACTA_OK) {
            code = add_record(recovery, &record, err);
        }
    }
    heads_end(&recovery->heads);
    return code;
}

static bool
is_due(const struct recovery *recovery)
{
    const struct memtable *active = tail_active(&recovery->rooms->tail);
    const struct database_options *options = recovery->options;

    return memtable_count(active) >= options->checkpoint_events ||
           memtable_size(active) >= options->checkpoint_size;
}

/* Make room for the events of another entry. When there is no space for a
 * checkpoint the tail holds two memtables, as it does under the writer: one is
 * sealed, and goes to the store when there is space.
 */
static enum acta_code
make_room(struct recovery *recovery, size_t events, struct acta_err *err)
{
    struct rooms *rooms = recovery->rooms;
    enum acta_code code = ACTA_OK;

    if (is_due(recovery) && !tail_is_sealed(&rooms->tail)) {
        code = recover_flush(rooms, recovery->options, recovery->sequence,
                             recovery->last_time_us, err);
    }
    if (code != ACTA_OK && code != ACTA_FULL) {
        return code;
    }
    if (memtable_room(tail_active(&rooms->tail)) >= events) {
        return ACTA_OK;
    }
    if (tail_is_sealed(&rooms->tail)) {
        return acta_fail(err, ACTA_FULL,
                         "the journal has more than memory may hold, and there "
                         "is no space to move it to the store");
    }
    return tail_seal(&rooms->tail, recovery->sequence, recovery->last_time_us,
                     err);
}

static enum acta_code
add_events(struct recovery *recovery, const struct journal_entry *entry,
           struct acta_err *err)
{
    enum acta_code code;
    struct block block;

    code = block_open(&block, entry->block, err);
    if (code == ACTA_OK) {
        code = make_room(recovery, block.count, err);
    }
    if (code == ACTA_OK) {
        code = add_block(recovery, &block, err);
    }
    return code;
}

static enum acta_code
add_rows(struct recovery *recovery, const struct journal_entry *entry,
         struct acta_err *err)
{
    struct slice rows;
    enum acta_code code;
    struct row row;

    code = rows_open(&rows, entry->rows, err);
    heads_begin(&recovery->heads, entry->sequence, entry->time_us);
    while (code == ACTA_OK && rows_next(&rows, &row)) {
        code = heads_set_row(&recovery->heads, &row, err);
    }
    heads_end(&recovery->heads);
    return code;
}

/* Mark the streams that have rows of @kind in the store. */
static enum acta_code
mark_stored(struct recovery *recovery, struct store_view *view,
            enum row_kind kind, struct acta_err *err)
{
    struct rooms *rooms = recovery->rooms;
    struct slice after = SLICE_NONE;
    enum acta_code code = ACTA_OK;
    bool found = true;
    struct row row;

    for (size_t i = 0; code == ACTA_OK && found; i++) {
        if (i % ASKED_EVERY == 0) {
            code = go_on(recovery->options, err);
        }
        if (code == ACTA_OK) {
            code = store_view_next_row(view, kind, after, &row, &found, err);
        }
        if (code == ACTA_OK && found) {
            after = row.key;
            rooms->erasures_pending += kind == ROW_ERASURE;
            if (!marks_add(&rooms->marks, row_stream(&row))) {
                code = acta_fail(err, ACTA_MEMORY, "recover");
            }
        }
    }
    return code;
}

static enum acta_code
mark_all_stored(struct recovery *recovery, struct acta_err *err)
{
    struct store_view *view;
    enum acta_code code;

    code = store_view_open(&view, recovery->rooms->store, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = store_view_begin(view, err);
    if (code == ACTA_OK) {
        code = mark_stored(recovery, view, ROW_RETENTION, err);
        if (code == ACTA_OK) {
            code = mark_stored(recovery, view, ROW_ERASURE, err);
        }
        store_view_end(view);
    }
    store_view_close(view);
    return code;
}

enum acta_code
recovery_add(struct recovery *recovery, const struct journal_entry *entry,
             struct acta_err *err)
{
    enum acta_code code = go_on(recovery->options, err);

    if (code != ACTA_OK) {
        return code;
    }
    FAILPOINT("recover-entry");
    if (entry->first_position != tail_head(&recovery->rooms->tail) + 1) {
        return acta_fail(err, ACTA_CORRUPT,
                         "entry %ju begins at position %ju and not at %ju",
                         (uintmax_t)entry->sequence,
                         (uintmax_t)entry->first_position,
                         (uintmax_t)tail_head(&recovery->rooms->tail) + 1);
    }
    /* An entry goes into one memtable as a whole. */
    if (entry->block.size > 0) {
        code = add_events(recovery, entry, err);
    } else {
        code = make_room(recovery, 0, err);
    }
    if (code == ACTA_OK && entry->rows.size > 0) {
        code = add_rows(recovery, entry, err);
    }
    if (code == ACTA_OK) {
        const struct memtable *active = tail_active(&recovery->rooms->tail);

        tail_publish(&recovery->rooms->tail,
                     memtable_first_position(active) + memtable_count(active) -
                         1,
                     entry->sequence);
    }
    recovery->sequence = entry->sequence;
    if (entry->time_us > recovery->last_time_us) {
        recovery->last_time_us = entry->time_us;
    }
    return code;
}

enum acta_code
recovery_begin(struct recovery **out, struct rooms *rooms,
               const struct database_options *options, struct acta_err *err)
{
    struct recovery *recovery = calloc(1, sizeof(*recovery));
    struct store_meta meta;
    enum acta_code code;

    *out = NULL;
    if (recovery == NULL) {
        return acta_fail(err, ACTA_MEMORY, "recover");
    }
    recovery->rooms = rooms;
    recovery->options = options;
    code = store_meta(rooms->store, &meta, err);
    if (code == ACTA_OK) {
        assert(tail_head(&rooms->tail) == meta.position);
        recovery->sequence = meta.sequence;
        recovery->last_time_us = meta.last_time_us;
        code = mark_all_stored(recovery, err);
    }
    if (code == ACTA_OK) {
        code = heads_open(&recovery->heads, rooms, err);
    }
    if (code != ACTA_OK) {
        free(recovery);
        return code;
    }
    *out = recovery;
    return ACTA_OK;
}

void
recovery_end(struct recovery *recovery, uint64_t *sequence,
             uint64_t *last_time_us)
{
    if (recovery == NULL) {
        return;
    }
    *sequence = recovery->sequence;
    *last_time_us = recovery->last_time_us;
    (void)rooms_see_time(recovery->rooms, recovery->last_time_us);
    heads_close(&recovery->heads);
    free(recovery);
}

static enum acta_code
visit(void *user, const struct journal_entry *entry, struct acta_err *err)
{
    return recovery_add(user, entry, err);
}

enum acta_code
recover(struct rooms *rooms, const struct database_options *options,
        uint64_t *sequence, uint64_t *last_time_us, struct acta_err *err)
{
    struct recovery *recovery;
    enum acta_code code;
    uint64_t last;

    code = recovery_begin(&recovery, rooms, options, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = journal_replay(rooms->journal, recovery->sequence, visit, recovery,
                          &last, err);
    recovery_end(recovery, sequence, last_time_us);
    assert(code != ACTA_OK || *sequence == last);
    return code;
}
