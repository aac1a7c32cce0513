#include "msg_verify.h"

#include "frame.h"
#include "msg_body.h"
#include "opcode.h"

#define VERIFY_FIELDS   2
#define VERIFIED_FIELDS 9
#define STORE_FIELDS    7
#define JOURNAL_FIELDS  4
#define PROBLEM_FIELDS  2

void
msg_verify_encode(struct buf *buf, uint64_t request_id,
                  const struct msg_verify *verify)
{
    size_t start = frame_begin(buf, OP_VERIFY, request_id);

    pack_array(buf, VERIFY_FIELDS);
    pack_uint(buf, verify->id);
    pack_uint(buf, verify->rate);
    frame_end(buf, start);
}

enum acta_code
msg_verify_decode(struct msg_verify *verify, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;

    msg_request_begin(&reader, body, VERIFY_FIELDS, err);
    verify->id = pack_get_uint(&reader, "id");
    verify->rate = pack_get_uint(&reader, "rate");
    return pack_code(&reader);
}

void
msg_verified_encode(struct buf *buf, uint64_t request_id,
                    const struct msg_verified *verified)
{
    size_t start = frame_begin(buf, OP_VERIFIED, request_id);

    pack_array(buf, VERIFIED_FIELDS);
    pack_uint(buf, verified->id);
    pack_bool(buf, verified->is_done);
    pack_uint(buf, verified->read);
    pack_uint(buf, verified->size);
    pack_uint(buf, verified->problems_found);
    pack_uint(buf, verified->head);
    pack_array(buf, STORE_FIELDS);
    pack_uint(buf, verified->pages);
    pack_bool(buf, verified->has_tables);
    pack_uint(buf, verified->events);
    pack_uint(buf, verified->streams);
    pack_uint(buf, verified->lists);
    pack_uint(buf, verified->ids);
    pack_uint(buf, verified->rows);
    pack_array(buf, JOURNAL_FIELDS);
    pack_uint(buf, verified->segments);
    pack_uint(buf, verified->entries);
    pack_uint(buf, verified->first_entry);
    pack_uint(buf, verified->last_entry);
    pack_array(buf, verified->problems_count);
    for (size_t i = 0; i < verified->problems_count; i++) {
        pack_array(buf, PROBLEM_FIELDS);
        pack_str(buf, verified->problems[i].file);
        pack_str(buf, verified->problems[i].text);
    }
    frame_end(buf, start);
}

static void
decode_counts(struct pack_reader *reader, struct msg_verified *verified)
{
    size_t left = msg_part_begin(reader, STORE_FIELDS, "store");

    verified->pages = pack_get_uint(reader, "pages");
    verified->has_tables = pack_get_bool(reader, "has tables");
    verified->events = pack_get_uint(reader, "events");
    verified->streams = pack_get_uint(reader, "streams");
    verified->lists = pack_get_uint(reader, "lists");
    verified->ids = pack_get_uint(reader, "ids");
    verified->rows = pack_get_uint(reader, "rows");
    msg_part_end(reader, left);

    left = msg_part_begin(reader, JOURNAL_FIELDS, "journal");
    verified->segments = pack_get_uint(reader, "segments");
    verified->entries = pack_get_uint(reader, "entries");
    verified->first_entry = pack_get_uint(reader, "first entry");
    verified->last_entry = pack_get_uint(reader, "last entry");
    msg_part_end(reader, left);
}

static void
decode_problems(struct pack_reader *reader, struct msg_verified *verified)
{
    size_t count = pack_get_array_of(reader, 0, MSG_PROBLEMS_MAX, "problems");

    verified->problems_count = reader->failed ? 0 : count;
    for (size_t i = 0; i < verified->problems_count; i++) {
        size_t left = msg_part_begin(reader, PROBLEM_FIELDS, "problem");

        verified->problems[i].file = pack_get_str(reader, "file");
        verified->problems[i].text = pack_get_str(reader, "text");
        msg_part_end(reader, left);
    }
}

enum acta_code
msg_verified_decode(struct msg_verified *verified, struct slice body,
                    struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, VERIFIED_FIELDS, err);
    verified->id = pack_get_uint(&reader, "id");
    verified->is_done = pack_get_bool(&reader, "is done");
    verified->read = pack_get_uint(&reader, "read");
    verified->size = pack_get_uint(&reader, "size");
    verified->problems_found = pack_get_uint(&reader, "problems found");
    verified->head = pack_get_uint(&reader, "head");
    decode_counts(&reader, verified);
    decode_problems(&reader, verified);
    return pack_code(&reader);
}
