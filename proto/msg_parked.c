/* list-parked and parked; change-parked. */

#include "limit.h"
#include "msg_body.h"
#include "msg_consumer.h"

#define LIST_FIELDS   3
#define PARKED_FIELDS 6
#define CHANGE_FIELDS 3

void
msg_list_parked_encode(struct buf *buf, uint64_t request_id,
                       const struct msg_list_parked *list)
{
    size_t start = frame_begin(buf, OP_LIST_PARKED, request_id);

    pack_array(buf, LIST_FIELDS);
    pack_str(buf, list->group);
    pack_uint(buf, list->after);
    pack_uint(buf, list->count_max);
    frame_end(buf, start);
}

enum acta_code
msg_list_parked_decode(struct msg_list_parked *list, struct slice body,
                       struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, LIST_FIELDS, err);
    list->group = pack_get_str(&reader, "group");
    list->after = pack_get_uint(&reader, "after");
    list->count_max = pack_get_uint(&reader, "count_max");
    msg_check_name(&reader, list->group, "group");
    return pack_code(&reader);
}

struct msg_open
msg_parked_begin(struct buf *buf, uint64_t request_id)
{
    return msg_list_begin(buf, OP_PARKED, request_id);
}

void
msg_parked_add(struct buf *buf, struct msg_open *open,
               const struct msg_parked *parked)
{
    pack_array(buf, PARKED_FIELDS);
    pack_uint(buf, parked->position);
    pack_str(buf, parked->key);
    pack_uint(buf, parked->state);
    pack_uint(buf, parked->deliveries);
    pack_uint(buf, parked->time_us);
    pack_str(buf, parked->reason);
    open->listed++;
}

void
msg_parked_end(struct buf *buf, struct msg_open open, bool at_end)
{
    msg_list_end(buf, open, open.listed, at_end);
}

static struct msg_parked
read_parked(struct pack_reader *reader)
{
    struct msg_parked parked = {0};
    size_t left = msg_part_begin(reader, PARKED_FIELDS, "parked fields");

    parked.position = pack_get_uint(reader, "position");
    parked.key = pack_get_str(reader, "key");
    parked.state = (enum msg_parked_state)pack_get_uint(reader, "state");
    parked.deliveries = pack_get_uint(reader, "deliveries");
    parked.time_us = pack_get_uint(reader, "time");
    parked.reason = pack_get_str(reader, "reason");
    msg_part_end(reader, left);
    return parked;
}

static void
take_parked(struct pack_reader *reader)
{
    read_parked(reader);
}

enum acta_code
msg_parked_decode(struct msg_parked_page *page, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, MSG_LIST_FIELDS, err);
    page->parked =
        msg_take_list(&reader, &page->parked_count, take_parked, "parked");
    page->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_parked
msg_next_parked(struct slice *parked)
{
    struct pack_reader reader;
    struct msg_parked next;

    pack_reader_init(&reader, *parked, NULL);
    next = read_parked(&reader);
    *parked = msg_rest(&reader);
    return next;
}

void
msg_change_parked_encode(struct buf *buf, uint64_t request_id,
                         struct slice group, enum msg_parked_change kind,
                         const uint64_t *positions, size_t count, bool all)
{
    size_t start = frame_begin(buf, OP_CHANGE_PARKED, request_id);

    pack_array(buf, CHANGE_FIELDS);
    pack_str(buf, group);
    pack_uint(buf, kind);
    if (all) {
        pack_nil(buf);
    } else {
        pack_array(buf, count);
        for (size_t i = 0; i < count; i++) {
            pack_uint(buf, positions[i]);
        }
    }
    frame_end(buf, start);
}

enum acta_code
msg_change_parked_decode(struct msg_change_parked *change, struct slice body,
                         struct acta_err *err)
{
    struct pack_reader reader;
    const uint8_t *from;
    uint64_t kind;

    *change = (struct msg_change_parked){0};
    msg_request_begin(&reader, body, CHANGE_FIELDS, err);
    change->group = pack_get_str(&reader, "group");
    kind = pack_get_uint(&reader, "kind");
    msg_check_name(&reader, change->group, "group");
    if (!reader.failed && kind > MSG_PARKED_DROP) {
        pack_fail(&reader, ACTA_INVALID,
                  "kind of change is %ju, must be 0 to %d", (uintmax_t)kind,
                  MSG_PARKED_DROP);
    }
    change->kind = (enum msg_parked_change)kind;
    change->all = pack_skip_nil(&reader);
    if (change->all) {
        return pack_code(&reader);
    }
    change->positions_count =
        pack_get_array_of(&reader, 1, ACTA_SETTLE_MAX, "positions");
    from = reader.at;
    for (size_t i = 0; i < change->positions_count && !reader.failed; i++) {
        pack_get_uint(&reader, "position");
    }
    change->positions = pack_since(&reader, from);
    return pack_code(&reader);
}

uint64_t
msg_next_position(struct slice *positions)
{
    struct pack_reader reader;
    uint64_t position;

    pack_reader_init(&reader, *positions, NULL);
    position = pack_get_uint(&reader, "position");
    *positions = msg_rest(&reader);
    return position;
}
