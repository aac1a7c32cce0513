/* schedules: appends that will take place. */

#include "msg_body.h"
#include "msg_lease.h"

#define SCHEDULED_FIELDS 8

struct msg_open
msg_schedules_begin(struct buf *buf, uint64_t request_id)
{
    return msg_list_begin(buf, OP_SCHEDULES, request_id);
}

void
msg_schedules_add(struct buf *buf, struct msg_open *open,
                  const struct msg_scheduled *schedule)
{
    pack_array(buf, SCHEDULED_FIELDS);
    pack_str(buf, schedule->name);
    pack_uint(buf, schedule->due_us);
    pack_uint(buf, schedule->created_us);
    pack_uint(buf, schedule->state);
    pack_str(buf, schedule->text);
    pack_str(buf, schedule->stream);
    pack_str(buf, schedule->type);
    pack_uint(buf, schedule->events_count);
    open->listed++;
}

void
msg_schedules_end(struct buf *buf, struct msg_open open, bool at_end)
{
    msg_list_end(buf, open, open.listed, at_end);
}

static struct msg_scheduled
read_scheduled(struct pack_reader *reader)
{
    struct msg_scheduled schedule = {0};
    size_t left = msg_part_begin(reader, SCHEDULED_FIELDS, "schedule fields");

    schedule.name = pack_get_str(reader, "name");
    schedule.due_us = pack_get_uint(reader, "due");
    schedule.created_us = pack_get_uint(reader, "created");
    schedule.state = (enum msg_schedule_state)pack_get_uint(reader, "state");
    schedule.text = pack_get_str(reader, "text");
    schedule.stream = pack_get_str(reader, "stream");
    schedule.type = pack_get_str(reader, "type");
    schedule.events_count = pack_get_uint(reader, "events count");
    msg_part_end(reader, left);
    return schedule;
}

static void
take_scheduled(struct pack_reader *reader)
{
    read_scheduled(reader);
}

enum acta_code
msg_schedules_decode(struct msg_schedules *schedules, struct slice body,
                     struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, MSG_LIST_FIELDS, err);
    schedules->schedules = msg_take_list(&reader, &schedules->schedules_count,
                                         take_scheduled, "schedules");
    schedules->at_end = pack_get_bool(&reader, "at end");
    return pack_code(&reader);
}

struct msg_scheduled
msg_next_scheduled(struct slice *schedules)
{
    struct msg_scheduled schedule;
    struct pack_reader reader;

    pack_reader_init(&reader, *schedules, NULL);
    schedule = read_scheduled(&reader);
    *schedules = msg_rest(&reader);
    return schedule;
}
