#include "command.h"

#include <stdlib.h>

#include "limit.h"
#include "pack.h"

#define RUN_FIELDS 4

void
command_encode(struct buf *buf, const struct msg_run *runs, size_t count)
{
    pack_array(buf, count);
    for (size_t i = 0; i < count; i++) {
        pack_array(buf, RUN_FIELDS);
        pack_uint(buf, runs[i].write);
        pack_uint(buf, runs[i].first_version);
        pack_uint(buf, runs[i].first_position);
        pack_uint(buf, runs[i].count);
    }
}

enum acta_code
command_decode(struct msg_run **out, size_t *count, struct slice value,
               struct acta_err *err)
{
    struct pack_reader reader;
    struct msg_run *runs;

    *out = NULL;
    pack_reader_init(&reader, value, err);
    *count = pack_get_array_of(&reader, 0, ACTA_APPEND_EVENTS_MAX, "runs");
    if (reader.failed) {
        return acta_fail(err, ACTA_CORRUPT, "result of a command is damaged");
    }
    runs = calloc(*count + 1, sizeof(*runs));
    if (runs == NULL) {
        return acta_fail(err, ACTA_MEMORY, "result of a command");
    }
    for (size_t i = 0; i < *count; i++) {
        pack_get_array_of(&reader, RUN_FIELDS, RUN_FIELDS, "run");
        runs[i].write = pack_get_uint(&reader, "write");
        runs[i].first_version = pack_get_uint(&reader, "first version");
        runs[i].first_position = pack_get_uint(&reader, "first position");
        runs[i].count = pack_get_uint(&reader, "count");
    }
    if (reader.failed) {
        free(runs);
        return acta_fail(err, ACTA_CORRUPT, "result of a command is damaged");
    }
    *out = runs;
    return ACTA_OK;
}
