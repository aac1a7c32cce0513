#include "consumer.h"

#include "bytes.h"
#include "pack.h"

#define CONSUMER_FIELDS   11
#define CHECKPOINT_FIELDS 4
#define PARKED_FIELDS     5

/* True if what was read is the whole value and nothing else. */
static bool
is_whole(const struct pack_reader *reader)
{
    return !reader->failed && reader->at == reader->end;
}

/* ---- definition ---- */

void
consumer_encode(struct buf *buf, const struct consumer *consumer)
{
    const struct msg_group_settings *settings = &consumer->settings;

    pack_array(buf, CONSUMER_FIELDS);
    pack_uint(buf, consumer->number);
    pack_uint(buf, consumer->kind);
    pack_uint(buf, consumer->created_us);
    pack_bool(buf, consumer->is_paused);
    pack_str(buf, settings->key_tag);
    pack_uint(buf, settings->ack_timeout_us);
    pack_uint(buf, settings->deliveries_max);
    pack_uint(buf, settings->on_park);
    pack_bin(buf, consumer->query);
    pack_str(buf, consumer->note);
    pack_uint(buf, consumer->note_us);
}

enum acta_code
consumer_decode(struct consumer *consumer, struct slice value,
                struct acta_err *err)
{
    struct msg_group_settings *settings = &consumer->settings;
    struct pack_reader reader;
    uint64_t kind, on_park;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, CONSUMER_FIELDS, CONSUMER_FIELDS, "consumer");
    consumer->number = pack_get_uint(&reader, "number");
    kind = pack_get_uint(&reader, "kind");
    consumer->created_us = pack_get_uint(&reader, "created");
    consumer->is_paused = pack_get_bool(&reader, "is paused");
    settings->key_tag = pack_get_str(&reader, "key tag");
    settings->ack_timeout_us = pack_get_uint(&reader, "ack time-out");
    settings->deliveries_max = pack_get_uint(&reader, "deliveries max");
    on_park = pack_get_uint(&reader, "on park");
    consumer->query = pack_get_bin(&reader, "query");
    consumer->note = pack_get_str(&reader, "note");
    consumer->note_us = pack_get_uint(&reader, "note set");
    if (!is_whole(&reader) || kind > MSG_CONSUMER_GROUP ||
        on_park > MSG_PARK_GOES_ON) {
        return acta_fail(err, ACTA_CORRUPT, "consumer is damaged");
    }
    consumer->kind = (enum msg_consumer_kind)kind;
    settings->on_park = (enum msg_on_park)on_park;
    return ACTA_OK;
}

/* ---- checkpoint ---- */

void
checkpoint_encode(struct buf *buf, const struct checkpoint_row *row)
{
    pack_array(buf, CHECKPOINT_FIELDS);
    pack_uint(buf, row->epoch);
    pack_uint(buf, row->position);
    pack_uint(buf, row->moved_us);
    pack_bin(buf, row->pending);
}

enum acta_code
checkpoint_decode(struct checkpoint_row *row, struct slice value,
                  struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, CHECKPOINT_FIELDS, CHECKPOINT_FIELDS,
                      "checkpoint");
    row->epoch = pack_get_uint(&reader, "epoch");
    row->position = pack_get_uint(&reader, "position");
    row->moved_us = pack_get_uint(&reader, "moved");
    row->pending = pack_get_bin(&reader, "pending");
    if (!is_whole(&reader)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "checkpoint of a consumer is damaged");
    }
    return ACTA_OK;
}

/* ---- parked events ---- */

struct slice
parked_key(uint8_t bytes[static PARKED_KEY_SIZE], uint64_t number,
           uint64_t position)
{
    put_key_u64(bytes, number);
    put_key_u64(bytes + 8, position);
    return slice_make(bytes, PARKED_KEY_SIZE);
}

uint64_t
parked_position(struct slice key)
{
    return key.size == PARKED_KEY_SIZE ? get_key_u64(key.data + 8) : 0;
}

void
parked_encode(struct buf *buf, const struct parked *parked)
{
    pack_array(buf, PARKED_FIELDS);
    pack_bool(buf, parked->is_behind);
    pack_uint(buf, parked->deliveries);
    pack_uint(buf, parked->time_us);
    pack_str(buf, parked->key);
    pack_str(buf, parked->reason);
}

enum acta_code
parked_decode(struct parked *parked, struct slice value, struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, PARKED_FIELDS, PARKED_FIELDS, "parked");
    parked->is_behind = pack_get_bool(&reader, "is behind");
    parked->deliveries = pack_get_uint(&reader, "deliveries");
    parked->time_us = pack_get_uint(&reader, "time");
    parked->key = pack_get_str(&reader, "key");
    parked->reason = pack_get_str(&reader, "reason");
    if (!is_whole(&reader)) {
        return acta_fail(err, ACTA_CORRUPT, "parked event is damaged");
    }
    return ACTA_OK;
}
