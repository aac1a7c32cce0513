/* error: why a request was refused, and what an append has not seen. */

#include "msg.h"

#include "msg_body.h"

#define ERROR_FIELDS   4
#define FAILURE_FIELDS 5
#define UNSEEN_FIELDS  3

static void
encode_failure(struct buf *buf, const struct msg_failure *failure)
{
    pack_array(buf, FAILURE_FIELDS);
    pack_uint(buf, failure->kind);
    pack_uint(buf, failure->index);
    pack_uint(buf, failure->event);
    pack_int(buf, failure->expected);
    pack_uint(buf, failure->actual);
}

/* All fields but the last. */
static size_t
begin(struct buf *buf, uint64_t request_id, const struct msg_error *error)
{
    size_t start = frame_begin(buf, OP_ERROR, request_id);

    pack_array(buf, ERROR_FIELDS);
    pack_uint(buf, error->code);
    pack_str(buf, error->text);
    pack_array(buf, error->failures_count);
    for (size_t i = 0; i < error->failures_count; i++) {
        encode_failure(buf, &error->failures[i]);
    }
    return start;
}

/* What is known only when the events have been put stands before them, so that
 * it is read before them, and is patched: how far it is from the head of their
 * array.
 */
#define HEAD_BEFORE     PACK_FIXED_SIZE
#define COMPLETE_BEFORE (HEAD_BEFORE + 1)

struct msg_open
msg_error_begin(struct buf *buf, uint64_t request_id,
                const struct msg_error *error)
{
    struct msg_open open = {.frame = begin(buf, request_id, error)};

    pack_array(buf, UNSEEN_FIELDS);
    pack_bool(buf, false);
    pack_fixed(buf, 0);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_error_end(struct buf *buf, struct msg_open open,
              const struct msg_error *error)
{
    pack_patch_bool(buf, open.count - COMPLETE_BEFORE, error->unseen_complete);
    pack_patch_fixed(buf, open.count - HEAD_BEFORE, error->unseen_head);
    pack_array_end(buf, open.count, error->unseen_count);
    frame_end(buf, open.frame);
}

void
msg_error_encode(struct buf *buf, uint64_t request_id,
                 const struct msg_error *error)
{
    struct msg_open open;
    size_t start;

    if (error->has_unseen) {
        open = msg_error_begin(buf, request_id, error);
        buf_append_slice(buf, error->unseen);
        msg_error_end(buf, open, error);
        return;
    }
    start = begin(buf, request_id, error);
    pack_nil(buf);
    frame_end(buf, start);
}

static struct msg_failure
decode_failure(struct pack_reader *reader)
{
    struct msg_failure failure;
    size_t left = msg_part_begin(reader, FAILURE_FIELDS, "failure fields");

    failure.kind = (enum msg_failure_kind)pack_get_uint(reader, "kind");
    failure.index = pack_get_uint(reader, "index");
    failure.event = pack_get_uint(reader, "event");
    failure.expected = pack_get_int(reader, "expected");
    failure.actual = pack_get_uint(reader, "actual");
    msg_part_end(reader, left);
    return failure;
}

static void
decode_unseen(struct pack_reader *reader, struct msg_error *error)
{
    struct event event;
    const uint8_t *from;
    size_t left;

    error->has_unseen = !pack_skip_nil(reader);
    if (!error->has_unseen) {
        return;
    }
    left = msg_part_begin(reader, UNSEEN_FIELDS, "unseen fields");
    error->unseen_complete = pack_get_bool(reader, "complete");
    error->unseen_head = pack_get_uint(reader, "head");
    error->unseen_count = pack_get_array(reader, "events");
    from = reader->at;
    for (size_t i = 0; i < error->unseen_count && !reader->failed; i++) {
        event_decode_record(reader, &event);
    }
    error->unseen = pack_since(reader, from);
    msg_part_end(reader, left);
}

enum acta_code
msg_error_decode(struct msg_error *error, struct slice body,
                 struct acta_err *err)
{
    struct pack_reader reader;
    size_t count;

    *error = (struct msg_error){0};
    msg_reply_begin(&reader, body, ERROR_FIELDS, err);
    error->code = (enum acta_code)pack_get_uint(&reader, "code");
    error->text = pack_get_str(&reader, "text");
    count = pack_get_array(&reader, "failures");
    for (size_t i = 0; i < count && !reader.failed; i++) {
        struct msg_failure failure = decode_failure(&reader);

        if (!reader.failed && error->failures_count < MSG_FAILURES_MAX) {
            error->failures[error->failures_count++] = failure;
        }
    }
    decode_unseen(&reader, error);
    if (!reader.failed && error->code == ACTA_OK) {
        pack_fail(&reader, ACTA_PROTOCOL, "error has code 0");
    }
    return pack_code(&reader);
}
