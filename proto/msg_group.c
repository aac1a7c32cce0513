/* join and joined; handed; left. */

#include "msg_group.h"

#include "limit.h"
#include "msg_body.h"

#define JOIN_FIELDS   3
#define JOINED_FIELDS 4
#define HANDED_FIELDS 4
#define COUNT_FIELDS  2
#define LEFT_FIELDS   2

/* An event that was handed out once has no count. */
#define DELIVERIES_MIN 2

void
msg_join_encode(struct buf *buf, uint64_t request_id,
                const struct msg_join *join)
{
    size_t start = frame_begin(buf, OP_JOIN, request_id);

    pack_array(buf, JOIN_FIELDS);
    pack_str(buf, join->group);
    pack_uint(buf, join->slots);
    pack_str(buf, join->member);
    frame_end(buf, start);
}

enum acta_code
msg_join_decode(struct msg_join *join, struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, JOIN_FIELDS, err);
    join->group = pack_get_str(&reader, "group");
    join->slots = pack_get_uint(&reader, "slots");
    join->member = pack_get_str(&reader, "member");
    msg_check_name(&reader, join->group, "group");
    if (join->member.size > 0) {
        msg_check_name(&reader, join->member, "member");
    }
    if (!reader.failed && join->slots == 0) {
        pack_fail(&reader, ACTA_INVALID, "slots must be at least 1");
    }
    if (!reader.failed && join->slots > ACTA_SLOTS_MAX) {
        pack_fail(&reader, ACTA_TOO_LARGE, "%ju slots, the limit is %d",
                  (uintmax_t)join->slots, ACTA_SLOTS_MAX);
    }
    return pack_code(&reader);
}

void
msg_joined_encode(struct buf *buf, uint64_t request_id,
                  const struct msg_joined *joined)
{
    size_t start = frame_begin(buf, OP_JOINED, request_id);

    pack_array(buf, JOINED_FIELDS);
    pack_uint(buf, joined->position);
    pack_uint(buf, joined->epoch);
    pack_str(buf, joined->key_tag);
    pack_uint(buf, joined->on_park);
    frame_end(buf, start);
}

enum acta_code
msg_joined_decode(struct msg_joined *joined, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, JOINED_FIELDS, err);
    joined->position = pack_get_uint(&reader, "position");
    joined->epoch = pack_get_uint(&reader, "epoch");
    joined->key_tag = pack_get_str(&reader, "key tag");
    joined->on_park = (enum msg_on_park)pack_get_uint(&reader, "on park");
    return pack_code(&reader);
}

/* ---- handed ---- */

struct msg_open
msg_handed_begin(struct buf *buf, uint64_t request_id, uint64_t fence,
                 uint64_t head)
{
    struct msg_open open = {.frame = frame_begin(buf, OP_HANDED, request_id)};

    pack_array(buf, HANDED_FIELDS);
    pack_uint(buf, fence);
    pack_uint(buf, head);
    open.count = pack_array_begin(buf);
    return open;
}

void
msg_handed_end(struct buf *buf, struct msg_open open, size_t events_count,
               const struct msg_count *counts, size_t counts_count)
{
    pack_array_end(buf, open.count, events_count);
    pack_array(buf, counts_count);
    for (size_t i = 0; i < counts_count; i++) {
        pack_array(buf, COUNT_FIELDS);
        pack_uint(buf, counts[i].index);
        pack_uint(buf, counts[i].deliveries);
    }
    frame_end(buf, open.frame);
}

enum acta_code
msg_handed_decode(struct msg_handed *handed, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    /* The counts are behind the events, too. */
    handed->fields_left =
        msg_events_begin(&reader, body, HANDED_FIELDS, err) + 1;
    handed->fence = pack_get_uint(&reader, "fence");
    handed->head = pack_get_uint(&reader, "head");
    handed->events_count = msg_take_events(&reader, &handed->events);
    return pack_code(&reader);
}

static struct msg_count
read_count(struct pack_reader *reader)
{
    struct msg_count count = {0};
    size_t left = msg_part_begin(reader, COUNT_FIELDS, "count fields");

    count.index = pack_get_uint(reader, "index");
    count.deliveries = pack_get_uint(reader, "deliveries");
    msg_part_end(reader, left);
    return count;
}

/* Counts are in the order of the events, and say something. */
static void
check_counts(struct pack_reader *reader, size_t counts_count,
             size_t events_count)
{
    uint64_t next = 0; /* The lowest index that may come. */

    for (size_t i = 0; i < counts_count && !reader->failed; i++) {
        struct msg_count count = read_count(reader);

        if (!reader->failed &&
            (count.index < next || count.index >= events_count ||
             count.deliveries < DELIVERIES_MIN)) {
            pack_fail(reader, ACTA_PROTOCOL,
                      "count %zu is of event %ju and of %ju deliveries", i,
                      (uintmax_t)count.index, (uintmax_t)count.deliveries);
        }
        next = count.index + 1;
    }
}

enum acta_code
msg_handed_counts(const struct msg_handed *handed, struct slice events,
                  struct slice *counts, size_t *counts_count,
                  struct acta_err *err)
{
    struct pack_reader reader;
    const uint8_t *from;

    pack_reader_init(&reader, events, err);
    *counts_count = pack_get_array(&reader, "counts");
    from = reader.at;
    check_counts(&reader, *counts_count, handed->events_count);
    *counts = pack_since(&reader, from);
    if (reader.failed) {
        return pack_code(&reader);
    }
    return msg_events_end(msg_rest(&reader), handed->fields_left - 1, err);
}

struct msg_count
msg_next_count(struct slice *counts)
{
    struct pack_reader reader;
    struct msg_count count;

    pack_reader_init(&reader, *counts, NULL);
    count = read_count(&reader);
    *counts = msg_rest(&reader);
    return count;
}

/* ---- left ---- */

void
msg_left_encode(struct buf *buf, uint64_t request_id,
                const struct msg_left *left)
{
    size_t start = frame_begin(buf, OP_LEFT, request_id);

    pack_array(buf, LEFT_FIELDS);
    pack_uint(buf, left->code);
    pack_str(buf, left->text);
    frame_end(buf, start);
}

enum acta_code
msg_left_decode(struct msg_left *left, struct slice body, struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, LEFT_FIELDS, err);
    left->code = (enum acta_code)pack_get_uint(&reader, "code");
    left->text = pack_get_str(&reader, "text");
    return pack_code(&reader);
}
