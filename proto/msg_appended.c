/* appended: where the events of an append are; find-command, which asks for it
 * again.
 */

#include "msg.h"

#include <assert.h>

#include "msg_body.h"

#define APPENDED_FIELDS 3
#define RUN_FIELDS      4
#define FIND_FIELDS     1

size_t
msg_appended_begin(struct buf *buf, uint64_t request_id, bool repeated,
                   size_t runs_count)
{
    size_t start = frame_begin(buf, OP_APPENDED, request_id);

    pack_array(buf, APPENDED_FIELDS);
    pack_bool(buf, repeated);
    pack_array(buf, runs_count);
    return start;
}

void
msg_appended_run(struct buf *buf, const struct msg_run *run)
{
    pack_array(buf, RUN_FIELDS);
    pack_uint(buf, run->write);
    pack_uint(buf, run->first_version);
    pack_uint(buf, run->first_position);
    pack_uint(buf, run->count);
}

void
msg_appended_end(struct buf *buf, size_t start, uint64_t cancelled)
{
    pack_uint(buf, cancelled);
    frame_end(buf, start);
}

static struct msg_run
read_run(struct pack_reader *reader)
{
    struct msg_run run = {0};
    size_t left = msg_part_begin(reader, RUN_FIELDS, "run fields");

    run.write = pack_get_uint(reader, "write");
    run.first_version = pack_get_uint(reader, "first version");
    run.first_position = pack_get_uint(reader, "first position");
    run.count = pack_get_uint(reader, "count");
    msg_part_end(reader, left);
    return run;
}

static void
take_run(struct pack_reader *reader)
{
    read_run(reader);
}

enum acta_code
msg_appended_decode(struct msg_appended *appended, struct slice body,
                    struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, APPENDED_FIELDS, err);
    appended->repeated = pack_get_bool(&reader, "repeated");
    appended->runs =
        msg_take_list(&reader, &appended->runs_count, take_run, "runs");
    appended->cancelled = pack_get_uint(&reader, "cancelled");
    return pack_code(&reader);
}

struct msg_run
msg_appended_next(struct msg_appended *appended)
{
    struct pack_reader reader;
    struct msg_run run;

    assert(appended->runs_count > 0);
    pack_reader_init(&reader, appended->runs, NULL);
    run = read_run(&reader);
    appended->runs = msg_rest(&reader);
    appended->runs_count--;
    return run;
}

void
msg_find_command_encode(struct buf *buf, uint64_t request_id, const uint8_t *id)
{
    size_t start = frame_begin(buf, OP_FIND_COMMAND, request_id);

    pack_array(buf, FIND_FIELDS);
    pack_bin(buf, slice_make(id, UUID_SIZE));
    frame_end(buf, start);
}

enum acta_code
msg_find_command_decode(const uint8_t **id, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;
    struct slice bytes;

    msg_request_begin(&reader, body, FIND_FIELDS, err);
    bytes = pack_get_bin(&reader, "command id");
    if (!reader.failed && bytes.size != UUID_SIZE) {
        pack_fail(&reader, ACTA_INVALID, "command id must be %d bytes, is %zu",
                  UUID_SIZE, bytes.size);
    }
    *id = reader.failed ? NULL : bytes.data;
    return pack_code(&reader);
}
