#include "retention.h"

#include "pack.h"

#define FIELDS 6

void
retention_encode(struct buf *buf, const struct retention *retention)
{
    pack_array(buf, FIELDS);
    pack_uint(buf, retention->settings.truncate_before);
    pack_uint(buf, retention->settings.max_count);
    pack_uint(buf, retention->settings.max_age_us);
    pack_uint(buf, retention->deleted_at);
    pack_bool(buf, retention->is_tombstoned);
    pack_uint(buf, retention->erased_to);
}

enum acta_code
retention_decode(struct retention *retention, struct slice value,
                 struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, FIELDS, FIELDS, "retention");
    retention->settings.truncate_before =
        pack_get_uint(&reader, "truncate before");
    retention->settings.max_count = pack_get_uint(&reader, "max count");
    retention->settings.max_age_us = pack_get_uint(&reader, "max age");
    retention->deleted_at = pack_get_uint(&reader, "deleted at");
    retention->is_tombstoned = pack_get_bool(&reader, "is tombstoned");
    retention->erased_to = pack_get_uint(&reader, "erased to");
    if (reader.failed) {
        return acta_fail(err, ACTA_CORRUPT, "retention of a stream is damaged");
    }
    return ACTA_OK;
}

enum msg_stream_state
retention_state(const struct retention *retention, uint64_t version)
{
    if (retention->is_tombstoned) {
        return MSG_STREAM_TOMBSTONED;
    }
    return retention->deleted_at > 0 && retention->deleted_at == version
               ? MSG_STREAM_DELETED
               : MSG_STREAM_LIVE;
}

uint64_t
retention_first(const struct retention *retention, uint64_t version)
{
    const struct msg_settings *settings = &retention->settings;
    uint64_t first = settings->truncate_before;

    if (settings->max_count > 0 && version > settings->max_count &&
        version - settings->max_count + 1 > first) {
        first = version - settings->max_count + 1;
    }
    return first > 0 ? first : 1;
}
