#include "snapshot.h"

#include "pack.h"

#define FIELDS 4

void
snapshot_encode(struct buf *buf, const struct snapshot *snapshot)
{
    pack_array(buf, FIELDS);
    pack_uint(buf, snapshot->version);
    pack_uint(buf, snapshot->schema);
    pack_uint(buf, snapshot->time_us);
    pack_bin(buf, snapshot->data);
}

enum acta_code
snapshot_decode(struct snapshot *snapshot, struct slice value,
                struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, FIELDS, FIELDS, "snapshot");
    snapshot->version = pack_get_uint(&reader, "version");
    snapshot->schema = pack_get_uint(&reader, "schema");
    snapshot->time_us = pack_get_uint(&reader, "time");
    snapshot->data = pack_get_bin(&reader, "data");
    if (reader.failed || reader.at != reader.end) {
        return acta_fail(err, ACTA_CORRUPT, "snapshot of a stream is damaged");
    }
    return ACTA_OK;
}
