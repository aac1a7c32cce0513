#include "schedule.h"

#include "pack.h"

#define FIELDS 5

void
schedule_encode(struct buf *buf, const struct schedule *schedule)
{
    pack_array(buf, FIELDS);
    pack_uint(buf, schedule->due_us);
    pack_uint(buf, schedule->number);
    pack_uint(buf, schedule->created_us);
    pack_bool(buf, schedule->has_failed);
    pack_str(buf, schedule->text);
}

enum acta_code
schedule_decode(struct schedule *schedule, struct slice value,
                struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, value, err);
    pack_get_array_of(&reader, FIELDS, FIELDS, "schedule");
    schedule->due_us = pack_get_uint(&reader, "due");
    schedule->number = pack_get_uint(&reader, "number");
    schedule->created_us = pack_get_uint(&reader, "created");
    schedule->has_failed = pack_get_bool(&reader, "has failed");
    schedule->text = pack_get_str(&reader, "text");
    if (reader.failed || reader.at != reader.end) {
        return acta_fail(err, ACTA_CORRUPT, "schedule is damaged");
    }
    return ACTA_OK;
}
