/* Items and entries are taken whole: what has not come wholly waits. */

#include "archive.h"

#include <inttypes.h>

#include "bytes.h"
#include "journal_cursor.h"
#include "row.h"
#include "segment.h"

/* Nothing that a server writes is as large: the largest batch is of appends of
 * 64 MiB that were queued together.
 */
#define ITEM_SIZE_MAX ((size_t)1 << 31)

void
archive_scan_init(struct archive_scan *scan, enum archive_kind kind,
                  uint64_t after, uint64_t position)
{
    *scan = (struct archive_scan){
        .kind = kind, .sequence = after, .position = position, .due = 1};
    buf_init(&scan->bytes, ITEM_SIZE_MAX);
}

void
archive_scan_fini(struct archive_scan *scan)
{
    buf_fini(&scan->bytes);
}

/* ---- a base ---- */

static enum acta_code
see_item(struct archive_scan *scan, const struct store_item *item,
         struct acta_err *err)
{
    struct store_meta meta;
    enum acta_code code;

    if (scan->ended) {
        return acta_fail(err, ACTA_CORRUPT, "something follows its end");
    }
    code = store_item_check(item, &scan->due, err);
    if (code == ACTA_OK && item->table == STORE_META) {
        code = store_item_meta(item, &meta, err);
        if (code == ACTA_OK && (meta.sequence != scan->sequence ||
                                meta.position + 1 != scan->due)) {
            code = acta_fail(err, ACTA_CORRUPT,
                             "events are missing from position %" PRIu64 " on",
                             scan->due);
        }
        if (code != ACTA_OK) {
            return code;
        }
        scan->position = meta.position;
        scan->time_us = meta.last_time_us;
    }
    if (code == ACTA_OK && scan->on_item != NULL) {
        code = scan->on_item(scan->user, item, err);
    }
    scan->items++;
    scan->ended = item->table == STORE_META;
    scan->events = scan->due - 1;
    return code;
}

static enum acta_code
take_item(struct archive_scan *scan, size_t *used, size_t *wanted,
          struct acta_err *err)
{
    struct store_item item;

    *used = store_item_take(&item, buf_slice(&scan->bytes), wanted);
    return *used == 0 ? ACTA_OK : see_item(scan, &item, err);
}

/* ---- entries ---- */

static bool
erases(const struct journal_entry *entry)
{
    bool found = false;
    struct slice rows;
    struct row row;

    if (rows_open(&rows, entry->rows, NULL) != ACTA_OK) {
        return false;
    }
    while (rows_next(&rows, &row)) {
        found |= row.kind == ROW_ERASURE && row.value.size > 0;
    }
    return found;
}

static enum acta_code
see_entry(struct archive_scan *scan, const struct journal_entry *entry,
          struct acta_err *err)
{
    struct block block = {.count = 0};

    if (entry->sequence != scan->sequence + 1 ||
        entry->first_position != scan->position + 1) {
        return acta_fail(err, ACTA_CORRUPT,
                         "entry %" PRIu64 " at position %" PRIu64 " is missing",
                         scan->sequence + 1, scan->position + 1);
    }
    if (!segment_check_body(entry) ||
        (entry->block.size > 0 &&
         block_open(&block, entry->block, NULL) != ACTA_OK)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "entry %" PRIu64 " at position %" PRIu64 " is damaged",
                         entry->sequence, entry->first_position);
    }
    scan->items++;
    scan->sequence = entry->sequence;
    scan->position += block.count;
    scan->events += block.count;
    if (entry->time_us > scan->time_us) {
        scan->time_us = entry->time_us;
    }
    scan->erases |= erases(entry);
    return scan->on_entry == NULL ? ACTA_OK
                                  : scan->on_entry(scan->user, entry, err);
}

static enum acta_code
take_entry(struct archive_scan *scan, size_t *used, size_t *wanted,
           struct acta_err *err)
{
    struct slice bytes = buf_slice(&scan->bytes);
    struct journal_entry entry;
    size_t block_size, rows_size;

    *used = 0;
    *wanted = JOURNAL_CURSOR_HEADER;
    if (bytes.size < JOURNAL_CURSOR_HEADER) {
        return ACTA_OK;
    }
    block_size = get_u32(bytes.data + 24);
    rows_size = get_u32(bytes.data + 28);
    *wanted += block_size + rows_size;
    if (bytes.size < *wanted) {
        return ACTA_OK;
    }
    entry = (struct journal_entry){
        .sequence = get_u64(bytes.data),
        .first_position = get_u64(bytes.data + 8),
        .time_us = get_u64(bytes.data + 16),
        .block = slice_make(bytes.data + JOURNAL_CURSOR_HEADER, block_size),
        .rows = slice_make(bytes.data + JOURNAL_CURSOR_HEADER + block_size,
                           rows_size),
    };
    *used = *wanted;
    return see_entry(scan, &entry, err);
}

/* ---- both ---- */

enum acta_code
archive_scan_take(struct archive_scan *scan, struct slice bytes,
                  struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    size_t used, wanted;

    buf_append_slice(&scan->bytes, bytes);
    if (buf_failed(&scan->bytes)) {
        return acta_fail(err, buf_failure(&scan->bytes),
                         "an item is larger than any can be");
    }
    do {
        code = scan->kind == ARCHIVE_BASE
                   ? take_item(scan, &used, &wanted, err)
                   : take_entry(scan, &used, &wanted, err);
        buf_consume(&scan->bytes, used);
    } while (code == ACTA_OK && used > 0);
    if (code == ACTA_OK && wanted > ITEM_SIZE_MAX) {
        return acta_fail(err, ACTA_CORRUPT,
                         "an item is larger than any can be");
    }
    buf_trim(&scan->bytes, ARCHIVE_CHUNK_MAX);
    return code;
}

enum acta_code
archive_scan_end(struct archive_scan *scan, struct acta_err *err)
{
    if (buf_size(&scan->bytes) > 0 ||
        (scan->kind == ARCHIVE_BASE && !scan->ended)) {
        return acta_fail(err, ACTA_CORRUPT, "it ends in the middle");
    }
    return ACTA_OK;
}
