#include "postings.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "checksum.h"

#define HAS_ID_MAX 0x01

size_t
postings_find(const struct postings *postings, uint64_t position)
{
    size_t low = 0, high = postings->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (postings->positions[middle] < position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint8_t *
put_postings(uint8_t *to, const struct postings *postings)
{
    to = put_varint(to, postings->first_ordinal);
    to = put_varint(to, postings->count);
    if (postings->count > 0) {
        to = put_varint(to, postings->positions[0]);
    }
    for (size_t i = 1; i < postings->count; i++) {
        assert(postings->positions[i] > postings->positions[i - 1]);
        to =
            put_varint(to, postings->positions[i] - postings->positions[i - 1]);
    }
    return to;
}

static bool
get_postings(const uint8_t **at, const uint8_t *end, struct postings *postings)
{
    uint64_t count, difference;

    if (!get_varint(at, end, &postings->first_ordinal) ||
        !get_varint(at, end, &count) || count > POSTINGS_CHUNK_MAX) {
        return false;
    }
    postings->count = (size_t)count;
    postings->size = 0;
    if (count > 0 && !get_varint(at, end, &postings->positions[0])) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (!get_varint(at, end, &difference) || difference == 0 ||
            difference > UINT64_MAX - postings->positions[i - 1]) {
            return false;
        }
        postings->positions[i] = postings->positions[i - 1] + difference;
        postings->size += varint_size(difference);
    }
    /* The last one may have gone over the bound, none behind it. */
    return postings->size < POSTINGS_CHUNK_SIZE_MAX + VARINT_SIZE_MAX;
}

/* The checksum is in the first four bytes of a value. */
static uint32_t
value_checksum(struct slice key, const uint8_t *value, size_t size)
{
    return checksum_extend(checksum_of(key.data, key.size), value + 4,
                           size - 4);
}

static bool
checksum_is_right(struct slice key, struct slice value)
{
    return value.size > 4 &&
           get_u32(value.data) == value_checksum(key, value.data, value.size);
}

size_t
postings_encode(uint8_t to[static POSTINGS_VALUE_MAX], struct slice key,
                const struct postings *postings)
{
    size_t size = (size_t)(put_postings(to + 4, postings) - to);

    assert(size <= POSTINGS_VALUE_MAX);
    put_u32(to, value_checksum(key, to, size));
    return size;
}

enum acta_code
postings_decode(struct postings *postings, struct slice key, struct slice value,
                struct acta_err *err)
{
    const uint8_t *at = value.data + 4;
    const uint8_t *end = value.data + value.size;

    if (!checksum_is_right(key, value) || !get_postings(&at, end, postings) ||
        at != end) {
        return acta_fail(err, ACTA_CORRUPT, "postings of a list are damaged");
    }
    return ACTA_OK;
}

size_t
list_head_encode(uint8_t to[static LIST_HEAD_VALUE_MAX], struct slice key,
                 const struct list_head *head)
{
    uint8_t *at = to + 4;
    size_t size;

    *at++ = head->has_id_max ? HAS_ID_MAX : 0;
    at = put_varint(at, head->number);
    at = put_varint(at, head->count);
    at = put_varint(at, head->last_position);
    at = put_varint(at, head->first_time_us);
    at = put_varint(at, head->last_time_us - head->first_time_us);
    if (head->has_id_max) {
        memcpy(at, head->id_max, UUID_SIZE);
        at += UUID_SIZE;
    }
    at = put_postings(at, &head->newest);
    size = (size_t)(at - to);
    assert(size <= LIST_HEAD_VALUE_MAX);
    put_u32(to, value_checksum(key, to, size));
    return size;
}

enum acta_code
list_head_decode(struct list_head *head, struct slice key, struct slice value,
                 struct acta_err *err)
{
    const uint8_t *end = value.data + value.size;
    const uint8_t *at = value.data + 5;
    uint64_t last_time_more;

    if (!checksum_is_right(key, value)) {
        goto damaged;
    }
    if ((value.data[4] & ~HAS_ID_MAX) != 0) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "head of a list has flags 0x%02x that are not known "
                         "to this version",
                         value.data[4]);
    }
    head->has_id_max = (value.data[4] & HAS_ID_MAX) != 0;
    if (!get_varint(&at, end, &head->number) ||
        !get_varint(&at, end, &head->count) ||
        !get_varint(&at, end, &head->last_position) ||
        !get_varint(&at, end, &head->first_time_us) ||
        !get_varint(&at, end, &last_time_more)) {
        goto damaged;
    }
    head->last_time_us = head->first_time_us + last_time_more;
    memset(head->id_max, 0, UUID_SIZE);
    if (head->has_id_max) {
        if (end - at < UUID_SIZE) {
            goto damaged;
        }
        memcpy(head->id_max, at, UUID_SIZE);
        at += UUID_SIZE;
    }
    if (get_postings(&at, end, &head->newest) && at == end &&
        head->newest.first_ordinal + head->newest.count == head->count + 1) {
        return ACTA_OK;
    }

damaged:
    return acta_fail(err, ACTA_CORRUPT, "head of a list is damaged");
}

void
list_head_init(struct list_head *head, uint64_t number)
{
    *head = (struct list_head){.number = number};
    head->newest.first_ordinal = 1;
}

bool
list_head_add(struct list_head *head, uint64_t position)
{
    struct postings *newest = &head->newest;

    assert(newest->count < POSTINGS_CHUNK_MAX);
    assert(position > head->last_position);

    if (newest->count > 0) {
        newest->size += varint_size(position - head->last_position);
    }
    newest->positions[newest->count++] = position;
    head->count++;
    head->last_position = position;
    return newest->count == POSTINGS_CHUNK_MAX ||
           newest->size > POSTINGS_CHUNK_SIZE_MAX - VARINT_SIZE_MAX;
}

void
list_head_start_next(struct list_head *head)
{
    head->newest.count = 0;
    head->newest.size = 0;
    head->newest.first_ordinal = head->count + 1;
}
