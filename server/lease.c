#include "lease.h"

#include "pack.h"

#define FIELDS 5

void
lease_encode(struct buf *buf, const struct lease *lease)
{
    pack_array(buf, FIELDS);
    pack_uint(buf, lease->fence);
    pack_uint(buf, lease->duration_us);
    pack_uint(buf, lease->since_us);
    pack_bin(buf, slice_make(lease->claim, UUID_SIZE));
    pack_str(buf, lease->holder);
}

enum acta_code
lease_decode(struct lease *lease, struct slice value, struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, FIELDS, FIELDS, "lease");
    lease->fence = pack_get_uint(&reader, "fence");
    lease->duration_us = pack_get_uint(&reader, "duration");
    lease->since_us = pack_get_uint(&reader, "since");
    lease->claim = pack_get_bytes_or_nil(&reader, UUID_SIZE, "claim");
    lease->holder = pack_get_str(&reader, "holder");
    if (reader.failed || reader.at != reader.end || lease->claim == NULL) {
        return acta_fail(err, ACTA_CORRUPT, "lease is damaged");
    }
    return ACTA_OK;
}
