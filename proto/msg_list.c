/* list-streams and streams; describe-stream and description; list-names and
 * names.
 */

#include "msg.h"

#include "msg_body.h"

#define LIST_STREAMS_FIELDS    3
#define LIST_NAMES_FIELDS      4
#define DESCRIBE_STREAM_FIELDS 1
#define DESCRIPTION_FIELDS     2
#define STREAM_FIELDS          7
#define SETTINGS_FIELDS        3
#define NAME_FIELDS            5

/* ---- streams ---- */

void
msg_list_streams_encode(struct buf *buf, uint64_t request_id,
                        const struct msg_list_streams *list)
{
    size_t start = frame_begin(buf, OP_LIST_STREAMS, request_id);

    pack_array(buf, LIST_STREAMS_FIELDS);
    pack_str(buf, list->prefix);
    pack_str(buf, list->after);
    pack_uint(buf, list->count_max);
    frame_end(buf, start);
}

enum acta_code
msg_list_streams_decode(struct msg_list_streams *list, struct slice body,
                        struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, LIST_STREAMS_FIELDS, err);
    list->prefix = pack_get_str(&reader, "prefix");
    list->after = pack_get_str(&reader, "after");
    list->count_max = pack_get_uint(&reader, "count_max");
    msg_check_prefix(&reader, list->prefix, list->after);
    return pack_code(&reader);
}

static void
write_stream(struct buf *buf, const struct msg_stream *stream)
{
    pack_array(buf, STREAM_FIELDS);
    pack_str(buf, stream->name);
    pack_uint(buf, stream->version);
    pack_uint(buf, stream->first_time_us);
    pack_uint(buf, stream->last_time_us);
    pack_uint(buf, stream->last_position);
    pack_uint(buf, stream->state);
    pack_array(buf, SETTINGS_FIELDS);
    pack_uint(buf, stream->settings.truncate_before);
    pack_uint(buf, stream->settings.max_count);
    pack_uint(buf, stream->settings.max_age_us);
}

static void
read_settings(struct pack_reader *reader, struct msg_settings *settings)
{
    size_t left = msg_part_begin(reader, SETTINGS_FIELDS, "settings");

    settings->truncate_before = pack_get_uint(reader, "truncate_before");
    settings->max_count = pack_get_uint(reader, "max_count");
    settings->max_age_us = pack_get_uint(reader, "max_age");
    msg_part_end(reader, left);
}

static struct msg_stream
read_stream(struct pack_reader *reader)
{
    struct msg_stream stream;
    size_t left = msg_part_begin(reader, STREAM_FIELDS, "stream fields");

    stream.name = pack_get_str(reader, "name");
    stream.version = pack_get_uint(reader, "version");
    stream.first_time_us = pack_get_uint(reader, "first time");
    stream.last_time_us = pack_get_uint(reader, "last time");
    stream.last_position = pack_get_uint(reader, "last position");
    stream.state = (enum msg_stream_state)pack_get_uint(reader, "state");
    read_settings(reader, &stream.settings);
    msg_part_end(reader, left);
    return stream;
}

static void
take_stream(struct pack_reader *reader)
{
    read_stream(reader);
}

struct msg_open
msg_streams_begin(struct buf *buf, uint64_t request_id)
{
    return msg_list_begin(buf, OP_STREAMS, request_id);
}

void
msg_streams_add(struct buf *buf, const struct msg_stream *stream)
{
    write_stream(buf, stream);
}

void
msg_streams_end(struct buf *buf, struct msg_open open,
                const struct msg_streams *streams)
{
    msg_list_end(buf, open, streams->streams_count, streams->at_end);
}

enum acta_code
msg_streams_decode(struct msg_streams *streams, struct slice body,
                   struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, MSG_LIST_FIELDS, err);
    streams->streams =
        msg_take_list(&reader, &streams->streams_count, take_stream, "streams");
    streams->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_stream
msg_next_stream(struct slice *streams)
{
    struct pack_reader reader;
    struct msg_stream stream;

    pack_reader_init(&reader, *streams, NULL);
    stream = read_stream(&reader);
    *streams = msg_rest(&reader);
    return stream;
}

/* ---- one stream ---- */

void
msg_describe_stream_encode(struct buf *buf, uint64_t request_id,
                           struct slice stream)
{
    size_t start = frame_begin(buf, OP_DESCRIBE_STREAM, request_id);

    pack_array(buf, DESCRIBE_STREAM_FIELDS);
    pack_str(buf, stream);
    frame_end(buf, start);
}

enum acta_code
msg_describe_stream_decode(struct slice *stream, struct slice body,
                           struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, DESCRIBE_STREAM_FIELDS, err);
    *stream = pack_get_str(&reader, "stream");
    msg_check_stream(&reader, *stream);
    return pack_code(&reader);
}

void
msg_description_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_description *description)
{
    size_t start = frame_begin(buf, OP_DESCRIPTION, request_id);

    pack_array(buf, DESCRIPTION_FIELDS);
    write_stream(buf, &description->stream);
    pack_uint(buf, description->first_version);
    frame_end(buf, start);
}

enum acta_code
msg_description_decode(struct msg_description *description, struct slice body,
                       struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, DESCRIPTION_FIELDS, err);
    description->stream = read_stream(&reader);
    description->first_version = pack_get_uint(&reader, "first version");
    return pack_code(&reader);
}

/* ---- names ---- */

void
msg_list_names_encode(struct buf *buf, uint64_t request_id,
                      const struct msg_list_names *list)
{
    size_t start = frame_begin(buf, OP_LIST_NAMES, request_id);

    pack_array(buf, LIST_NAMES_FIELDS);
    pack_uint(buf, list->kind);
    pack_str(buf, list->prefix);
    pack_str(buf, list->after);
    pack_uint(buf, list->count_max);
    frame_end(buf, start);
}

enum acta_code
msg_list_names_decode(struct msg_list_names *list, struct slice body,
                      struct acta_err *err)
{
    struct pack_reader reader;
    uint64_t kind;

    msg_request_begin(&reader, body, LIST_NAMES_FIELDS, err);
    kind = pack_get_uint(&reader, "kind");
    list->kind = (enum msg_name_kind)kind;
    list->prefix = pack_get_str(&reader, "prefix");
    list->after = pack_get_str(&reader, "after");
    list->count_max = pack_get_uint(&reader, "count_max");
    if (!reader.failed && kind > MSG_NAME_TAG) {
        pack_fail(&reader, ACTA_INVALID,
                  "kind of names is %ju, must be 0 to %d", (uintmax_t)kind,
                  MSG_NAME_TAG);
    }
    msg_check_prefix(&reader, list->prefix, list->after);
    return pack_code(&reader);
}

struct msg_open
msg_names_begin(struct buf *buf, uint64_t request_id)
{
    return msg_list_begin(buf, OP_NAMES, request_id);
}

void
msg_names_add(struct buf *buf, const struct msg_name *name)
{
    pack_array(buf, NAME_FIELDS);
    pack_str(buf, name->name);
    pack_uint(buf, name->count);
    pack_uint(buf, name->first_time_us);
    pack_uint(buf, name->last_time_us);
    pack_uint(buf, name->last_position);
}

void
msg_names_end(struct buf *buf, struct msg_open open,
              const struct msg_names *names)
{
    msg_list_end(buf, open, names->names_count, names->at_end);
}

static struct msg_name
read_name(struct pack_reader *reader)
{
    struct msg_name name;
    size_t left = msg_part_begin(reader, NAME_FIELDS, "name fields");

    name.name = pack_get_str(reader, "name");
    name.count = pack_get_uint(reader, "count");
    name.first_time_us = pack_get_uint(reader, "first time");
    name.last_time_us = pack_get_uint(reader, "last time");
    name.last_position = pack_get_uint(reader, "last position");
    msg_part_end(reader, left);
    return name;
}

static void
take_name(struct pack_reader *reader)
{
    read_name(reader);
}

enum acta_code
msg_names_decode(struct msg_names *names, struct slice body,
                 struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, MSG_LIST_FIELDS, err);
    names->names =
        msg_take_list(&reader, &names->names_count, take_name, "names");
    names->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_name
msg_next_name(struct slice *names)
{
    struct pack_reader reader;
    struct msg_name name;

    pack_reader_init(&reader, *names, NULL);
    name = read_name(&reader);
    *names = msg_rest(&reader);
    return name;
}
