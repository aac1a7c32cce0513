#include "row.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"

#define COUNT_AT 4
#define FRONT    (1 + 2 + 4) /* Of a row, before its key. */

const char *
row_kind_name(unsigned kind)
{
    static const char *const names[ROW_KINDS_END] = {
        [ROW_RETENTION] = "retentions", [ROW_ERASURE] = "erasures",
        [ROW_COMMAND] = "commands",     [ROW_SWEPT] = "swept streams",
        [ROW_CONSUMER] = "consumers",   [ROW_CHECKPOINT] = "checkpoints",
        [ROW_PARKED] = "parked events", [ROW_LEFT] = "deleted groups",
        [ROW_LEASE] = "leases",         [ROW_SNAPSHOT] = "snapshots",
        [ROW_SCHEDULE] = "schedules",   [ROW_SCHEDULED] = "writes of schedules",
        [ROW_COUNTER] = "counters",
    };

    return kind < ROW_KINDS_END && names[kind] != NULL ? names[kind]
                                                       : "another kind";
}

void
rows_add(struct buf *buf, const struct row *row)
{
    uint8_t front[FRONT];

    assert(row->key.size <= ROW_KEY_SIZE_MAX);
    assert(row->value.size <= UINT32_MAX);

    if (buf_size(buf) == 0) {
        buf_append(buf, (uint8_t[ROWS_HEADER_SIZE]){0}, ROWS_HEADER_SIZE);
    }
    front[0] = (uint8_t)row->kind;
    put_u16(front + 1, (uint16_t)row->key.size);
    put_u32(front + 3, (uint32_t)row->value.size);
    buf_append(buf, front, sizeof(front));
    buf_append(buf, row->key.data, row->key.size);
    buf_append(buf, row->value.data, row->value.size);
    if (!buf_failed(buf)) {
        uint8_t count[4];

        put_u32(count, get_u32(buf_slice(buf).data + COUNT_AT) + 1);
        buf_patch(buf, COUNT_AT, count, sizeof(count));
    }
}

void
rows_end(struct buf *buf)
{
    struct slice bytes = buf_slice(buf);

    if (!buf_failed(buf) && bytes.size > 0) {
        uint8_t sum[4];

        put_u32(sum, checksum_of(bytes.data + COUNT_AT, bytes.size - COUNT_AT));
        buf_patch(buf, 0, sum, sizeof(sum));
    }
}

bool
rows_next(struct slice *rows, struct row *row)
{
    size_t key_size, value_size;

    if (rows->size < FRONT) {
        return false;
    }
    key_size = get_u16(rows->data + 1);
    value_size = get_u32(rows->data + 3);
    if (key_size > rows->size - FRONT ||
        value_size > rows->size - FRONT - key_size) {
        return false;
    }
    *row = (struct row){
        .kind = rows->data[0],
        .key = slice_make(rows->data + FRONT, key_size),
        .value = slice_make(rows->data + FRONT + key_size, value_size),
    };
    *rows = slice_make(row->value.data + value_size,
                       rows->size - FRONT - key_size - value_size);
    return true;
}

enum acta_code
rows_open(struct slice *rows, struct slice bytes, struct acta_err *err)
{
    struct slice left;
    struct row row;
    uint32_t count;

    *rows = bytes;
    if (bytes.size == 0) {
        return ACTA_OK;
    }
    if (bytes.size <= ROWS_HEADER_SIZE ||
        get_u32(bytes.data) !=
            checksum_of(bytes.data + COUNT_AT, bytes.size - COUNT_AT)) {
        return acta_fail(err, ACTA_CORRUPT, "rows are damaged");
    }
    count = get_u32(bytes.data + COUNT_AT);
    *rows = slice_make(bytes.data + ROWS_HEADER_SIZE,
                       bytes.size - ROWS_HEADER_SIZE);
    left = *rows;
    while (count > 0 && rows_next(&left, &row)) {
        count--;
    }
    if (count > 0 || left.size > 0) {
        return acta_fail(err, ACTA_CORRUPT, "rows are not what they claim");
    }
    return ACTA_OK;
}
