/* change-stream and changed. */

#include "msg.h"

#include "msg_body.h"

#define CHANGE_FIELDS  4
#define SET_VALUES     3
#define ERASE_VALUES   1
#define CHANGED_FIELDS 3

static void
encode_setting(struct buf *buf, bool given, uint64_t value)
{
    if (given) {
        pack_uint(buf, value);
    } else {
        pack_nil(buf);
    }
}

static void
encode_values(struct buf *buf, const struct msg_change *change)
{
    const struct msg_settings *settings = &change->settings;
    unsigned given = change->given;

    switch (change->kind) {
    case MSG_SET:
        pack_array(buf, SET_VALUES);
        encode_setting(buf, given & MSG_HAS_TRUNCATE_BEFORE,
                       settings->truncate_before);
        encode_setting(buf, given & MSG_HAS_MAX_COUNT, settings->max_count);
        encode_setting(buf, given & MSG_HAS_MAX_AGE, settings->max_age_us);
        break;
    case MSG_ERASE:
        pack_array(buf, ERASE_VALUES);
        pack_uint(buf, change->version);
        break;
    case MSG_DELETE:
    case MSG_TOMBSTONE:
        pack_array(buf, 0);
        break;
    }
}

void
msg_change_encode(struct buf *buf, uint64_t request_id,
                  const struct msg_change *change)
{
    size_t start = frame_begin(buf, OP_CHANGE_STREAM, request_id);

    pack_array(buf, CHANGE_FIELDS);
    pack_str(buf, change->stream);
    pack_int(buf, change->expected);
    pack_uint(buf, change->kind);
    encode_values(buf, change);
    frame_end(buf, start);
}

static uint64_t
decode_setting(struct pack_reader *reader, const char *what, unsigned flag,
               unsigned *given)
{
    if (pack_skip_nil(reader)) {
        return 0;
    }
    *given |= flag;
    return pack_get_uint(reader, what);
}

static void
decode_settings(struct pack_reader *reader, struct msg_change *change)
{
    struct msg_settings *settings = &change->settings;

    pack_get_array_of(reader, SET_VALUES, SET_VALUES, "settings");
    settings->truncate_before = decode_setting(
        reader, "truncate_before", MSG_HAS_TRUNCATE_BEFORE, &change->given);
    settings->max_count =
        decode_setting(reader, "max_count", MSG_HAS_MAX_COUNT, &change->given);
    settings->max_age_us =
        decode_setting(reader, "max_age", MSG_HAS_MAX_AGE, &change->given);
    if (!reader->failed && change->given == 0) {
        pack_fail(reader, ACTA_INVALID, "none of the settings is given");
    }
}

static void
decode_values(struct pack_reader *reader, struct msg_change *change)
{
    switch (change->kind) {
    case MSG_SET:
        decode_settings(reader, change);
        break;
    case MSG_ERASE:
        pack_get_array_of(reader, ERASE_VALUES, ERASE_VALUES, "values");
        change->version = pack_get_uint(reader, "version");
        break;
    case MSG_DELETE:
    case MSG_TOMBSTONE:
        pack_get_array_of(reader, 0, 0, "values");
        break;
    }
}

enum acta_code
msg_change_decode(struct msg_change *change, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;
    uint64_t kind;

    *change = (struct msg_change){0};
    msg_request_begin(&reader, body, CHANGE_FIELDS, err);
    change->stream = pack_get_str(&reader, "stream");
    change->expected = pack_get_int(&reader, "expected version");
    kind = pack_get_uint(&reader, "kind");
    msg_check_stream(&reader, change->stream);
    msg_check_expected(&reader, change->expected);
    if (!reader.failed && kind > MSG_ERASE) {
        pack_fail(&reader, ACTA_INVALID,
                  "kind of change is %ju, must be 0 to %d", (uintmax_t)kind,
                  MSG_ERASE);
    }
    if (!reader.failed) {
        change->kind = (enum msg_change_kind)kind;
        decode_values(&reader, change);
    }
    return pack_code(&reader);
}

void
msg_changed_encode(struct buf *buf, uint64_t request_id,
                   const struct msg_changed *changed)
{
    size_t start = frame_begin(buf, OP_CHANGED, request_id);

    pack_array(buf, CHANGED_FIELDS);
    pack_uint(buf, changed->version);
    pack_uint(buf, changed->head);
    pack_bool(buf, changed->changed);
    frame_end(buf, start);
}

enum acta_code
msg_changed_decode(struct msg_changed *changed, struct slice body,
                   struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, CHANGED_FIELDS, err);
    changed->version = pack_get_uint(&reader, "version");
    changed->head = pack_get_uint(&reader, "head");
    changed->changed = pack_get_bool(&reader, "changed");
    return pack_code(&reader);
}
