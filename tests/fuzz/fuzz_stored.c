/* The values of the store and the bodies of the journal's entries: blocks,
 * rows, postings, heads of lists, and what the rows of each kind hold. The
 * first byte of the input says which; where a checksum stands in front it is
 * made right, so that what lies behind it is reached.
 *
 * What is decoded is written again, and that decodes to the same.
 */

#include <string.h>

#include "block.h"
#include "bytes.h"
#include "checksum.h"
#include "command.h"
#include "consumer.h"
#include "erasure.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "lease.h"
#include "postings.h"
#include "record.h"
#include "retention.h"
#include "row.h"
#include "schedule.h"
#include "snapshot.h"

#define SIZE_MAX_AGAIN ((size_t)1 << 20)

static struct buf again; /* What was decoded, written again. */

/* The input's, with the checksum over @key and what is behind its first
 * @offset + 4 bytes put at @offset. The caller's to free.
 */
static uint8_t *
with_checksum(struct slice key, struct slice value, size_t offset)
{
    uint8_t *bytes = malloc(value.size + 1);

    FUZZ_PROMISE(bytes != NULL);
    memcpy(bytes, value.data, value.size);
    if (value.size >= offset + 4) {
        put_u32(bytes + offset,
                checksum_extend(checksum_of(key.data, key.size),
                                bytes + offset + 4, value.size - offset - 4));
    }
    return bytes;
}

static void
check_postings(const struct postings *postings)
{
    for (size_t i = 1; i < postings->count; i++) {
        size_t found = postings_find(postings, postings->positions[i]);

        FUZZ_PROMISE(found <= i);
        FUZZ_PROMISE(postings->positions[found] >= postings->positions[i]);
    }
}

static void
decode_postings(struct slice key, struct slice value)
{
    static struct postings postings, second;
    uint8_t written[POSTINGS_VALUE_MAX];
    struct acta_err err;
    size_t size;

    if (postings_decode(&postings, key, value, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_CORRUPT);
        return;
    }
    check_postings(&postings);
    size = postings_encode(written, key, &postings);
    FUZZ_PROMISE(postings_decode(&second, key, slice_make(written, size),
                                 &err) == ACTA_OK);
    FUZZ_PROMISE(second.count == postings.count);
    FUZZ_PROMISE(second.first_ordinal == postings.first_ordinal);
    FUZZ_PROMISE(memcmp(second.positions, postings.positions,
                        postings.count * sizeof(*postings.positions)) == 0);
}

static void
decode_head(struct slice key, struct slice value)
{
    uint8_t written[LIST_HEAD_VALUE_MAX];
    static struct list_head head, second;
    struct acta_err err;
    size_t size;

    if (list_head_decode(&head, key, value, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_CORRUPT || err.code == ACTA_UNSUPPORTED);
        return;
    }
    check_postings(&head.newest);
    size = list_head_encode(written, key, &head);
    FUZZ_PROMISE(list_head_decode(&second, key, slice_make(written, size),
                                  &err) == ACTA_OK);
    FUZZ_PROMISE(second.number == head.number);
    FUZZ_PROMISE(second.count == head.count);
    FUZZ_PROMISE(second.last_position == head.last_position);
    FUZZ_PROMISE(second.last_time_us == head.last_time_us);
    FUZZ_PROMISE(second.newest.count == head.newest.count);
}

static void
decode_block(struct slice bytes)
{
    struct block_record record;
    struct acta_err err;
    struct block block;

    if (block_open(&block, bytes, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_CORRUPT);
        return;
    }
    FUZZ_PROMISE(block.size <= bytes.size);
    for (uint64_t p = block.first_position; p < block_end(&block); p++) {
        if (block_find(&block, p, &record)) {
            FUZZ_PROMISE(record.data >= block.records);
            FUZZ_PROMISE(record.data + record.size <= bytes.data + block.size);
        }
        if (block_get(&block, p, &record, &err) == ACTA_OK) {
            FUZZ_PROMISE(checksum_of(record.data, record.size) ==
                         record.checksum);
            FUZZ_PROMISE(
                record_position(slice_make(record.data, record.size)) == p);
        }
    }
}

static void
decode_rows(struct slice bytes)
{
    struct acta_err err;
    struct slice rows, left;
    struct row row;

    if (rows_open(&rows, bytes, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_CORRUPT);
        return;
    }
    left = rows;
    while (rows_next(&left, &row)) {
        FUZZ_PROMISE(row_stream(&row).size <= row.key.size);
        rows_add(&again, &row);
    }
    rows_end(&again);
    FUZZ_PROMISE(!buf_failed(&again));
    FUZZ_PROMISE(slice_equal(buf_slice(&again), bytes));
}

/* Decode a value of @type, write it, and decode that: both are written the
 * same.
 */
#define CHECK_VALUE(type, name)                                                \
    do {                                                                       \
        struct type first, second;                                             \
        struct buf twice;                                                      \
                                                                               \
        if (name##_decode(&first, value, &err) != ACTA_OK) {                   \
            FUZZ_PROMISE(err.code == ACTA_CORRUPT);                            \
            break;                                                             \
        }                                                                      \
        name##_encode(&again, &first);                                         \
        FUZZ_PROMISE(!buf_failed(&again));                                     \
        FUZZ_PROMISE(name##_decode(&second, buf_slice(&again), &err) ==        \
                     ACTA_OK);                                                 \
        buf_init(&twice, SIZE_MAX_AGAIN);                                      \
        name##_encode(&twice, &second);                                        \
        FUZZ_PROMISE(slice_equal(buf_slice(&again), buf_slice(&twice)));       \
        buf_fini(&twice);                                                      \
    } while (0)

static void
decode_command(struct slice value)
{
    struct msg_run *runs, *second;
    size_t count, second_count;
    struct acta_err err;

    if (command_decode(&runs, &count, value, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_CORRUPT);
        return;
    }
    command_encode(&again, runs, count);
    FUZZ_PROMISE(command_decode(&second, &second_count, buf_slice(&again),
                                &err) == ACTA_OK);
    FUZZ_PROMISE(second_count == count);
    free(runs);
    free(second);
}

static void
decode_erasure(struct slice key, struct slice value)
{
    uint8_t written[ERASURE_KEY_SIZE_MAX];
    struct erasure erasure = {0};
    struct acta_err err;

    if (key.size <= sizeof(written) &&
        erasure_decode(&erasure, key, value, &err) == ACTA_OK) {
        FUZZ_PROMISE(slice_equal(
            erasure_key(written, erasure.stream, erasure.version), key));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {slice_make(data, size)};
    uint8_t what = fuzz_take_byte(&input) % 12;
    struct slice key = SLICE_NONE, value;
    uint8_t *bytes = NULL;
    struct acta_err err;

    if (what <= 1 || what == 4) {
        key = fuzz_take(&input, fuzz_take_byte(&input));
    }
    value = input.left;
    buf_init(&again, SIZE_MAX_AGAIN);
    switch (what) {
    case 0:
        bytes = with_checksum(key, value, 0);
        decode_postings(key, slice_make(bytes, value.size));
        break;
    case 1:
        bytes = with_checksum(key, value, 0);
        decode_head(key, slice_make(bytes, value.size));
        break;
    case 2: /* Its checksums are over parts: see fuzz_journal.c. */
        decode_block(value);
        break;
    case 3:
        bytes = with_checksum(SLICE_NONE, value, 0);
        decode_rows(slice_make(bytes, value.size));
        break;
    case 4:
        decode_erasure(key, value);
        break;
    case 5:
        decode_command(value);
        break;
    case 6:
        CHECK_VALUE(retention, retention);
        break;
    case 7:
        CHECK_VALUE(consumer, consumer);
        break;
    case 8:
        CHECK_VALUE(checkpoint_row, checkpoint);
        break;
    case 9:
        CHECK_VALUE(parked, parked);
        break;
    case 10:
        CHECK_VALUE(lease, lease);
        break;
    case 11:
        CHECK_VALUE(snapshot, snapshot);
        CHECK_VALUE(schedule, schedule);
        break;
    }
    buf_fini(&again);
    free(bytes);
    return 0;
}
