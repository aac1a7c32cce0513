#include "sample_stream.h"

#include "msg.h"

/* ---- changes ---- */

void
sample_change_set(struct buf *buf)
{
    struct msg_change change = {
        .stream = slice_of("order-42"),
        .expected = 8,
        .kind = MSG_SET,
        .settings = {.truncate_before = 3, .max_age_us = 86400000000},
        .given = MSG_HAS_TRUNCATE_BEFORE | MSG_HAS_MAX_AGE,
    };

    msg_change_encode(buf, 20, &change);
}

void
sample_change_delete(struct buf *buf)
{
    struct msg_change change = {
        .stream = slice_of("order-42"),
        .expected = MSG_EXPECT_EXISTS,
        .kind = MSG_DELETE,
    };

    msg_change_encode(buf, 21, &change);
}

void
sample_change_tombstone(struct buf *buf)
{
    struct msg_change change = {
        .stream = slice_of("order-43"),
        .expected = MSG_EXPECT_ANY,
        .kind = MSG_TOMBSTONE,
    };

    msg_change_encode(buf, 22, &change);
}

void
sample_change_erase(struct buf *buf)
{
    struct msg_change change = {
        .stream = slice_of("customer-7"),
        .expected = MSG_EXPECT_ANY,
        .kind = MSG_ERASE,
        .version = 2,
    };

    msg_change_encode(buf, 23, &change);
}

void
sample_changed(struct buf *buf)
{
    struct msg_changed changed = {.version = 8, .head = 4711, .changed = true};

    msg_changed_encode(buf, 20, &changed);
}

/* ---- times ---- */

void
sample_find_time(struct buf *buf)
{
    msg_number_encode(buf, OP_FIND_TIME, 24, SAMPLE_TIME_US);
}

void
sample_found_time(struct buf *buf)
{
    msg_number_encode(buf, OP_FOUND_TIME, 24, 6);
}

/* ---- streams and names ---- */

void
sample_list_streams(struct buf *buf)
{
    struct msg_list_streams list = {slice_of("order-"), slice_of("order-41"),
                                    2};

    msg_list_streams_encode(buf, 14, &list);
}

static struct msg_stream
stream_of_two(void)
{
    return (struct msg_stream){
        .name = slice_of("order-42"),
        .version = 2,
        .first_time_us = SAMPLE_TIME_US + 7,
        .last_time_us = SAMPLE_TIME_US + 8,
        .last_position = 8,
        .settings = {.max_count = 100},
    };
}

void
sample_streams(struct buf *buf)
{
    struct msg_open open = msg_streams_begin(buf, 14);
    struct msg_stream stream = stream_of_two();
    struct msg_streams streams = {.streams_count = 2, .at_end = true};

    msg_streams_add(buf, &stream);
    stream.name = slice_of("order-43");
    stream.state = MSG_STREAM_TOMBSTONED;
    stream.settings = (struct msg_settings){.truncate_before = 3};
    msg_streams_add(buf, &stream);
    msg_streams_end(buf, open, &streams);
}

void
sample_describe_stream(struct buf *buf)
{
    msg_describe_stream_encode(buf, 25, slice_of("order-42"));
}

void
sample_description(struct buf *buf)
{
    struct msg_description description = {stream_of_two(), 1};

    description.stream.state = MSG_STREAM_DELETED;
    description.stream.settings.truncate_before = 3;
    description.first_version = 3;
    msg_description_encode(buf, 25, &description);
}

void
sample_description_absent(struct buf *buf)
{
    struct msg_description description = {
        .stream.name = slice_of("order-44"),
        .first_version = 1,
    };

    msg_description_encode(buf, 26, &description);
}

void
sample_list_names(struct buf *buf)
{
    struct msg_list_names list = {
        .kind = MSG_NAME_TAG,
        .prefix = slice_of("customer:"),
        .after = slice_of("customer:6"),
        .count_max = 10,
    };

    msg_list_names_encode(buf, 27, &list);
}

void
sample_names(struct buf *buf)
{
    struct msg_open open = msg_names_begin(buf, 27);
    struct msg_name name = {
        .name = slice_of("customer:7"),
        .count = 300,
        .first_time_us = SAMPLE_TIME_US + 8,
        .last_time_us = SAMPLE_TIME_US + 4000,
        .last_position = 4000,
    };
    struct msg_names names = {.names_count = 1};

    msg_names_add(buf, &name);
    msg_names_end(buf, open, &names);
}
