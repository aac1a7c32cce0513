#include "vector.h"

#include <assert.h>
#include <string.h>

#include "codes.h"
#include "err.h"
#include "frame.h"
#include "hex.h"
#include "limit.h"
#include "msg.h"
#include "opcode.h"
#include "reencode.h"
#include "sample.h"
#include "shape.h"

static void
write_hex(FILE *file, struct slice bytes)
{
    fputc('"', file);
    for (size_t i = 0; i < bytes.size; i++) {
        fprintf(file, "%02x", bytes.data[i]);
    }
    fputc('"', file);
}

static void
write_messages(FILE *file)
{
    struct frame frame;
    struct buf buf;

    buf_init(&buf, 1 << 20);
    fputs("[", file);
    for (size_t i = 0; i < samples_count; i++) {
        sample_write(&buf, &samples[i], &frame);
        fprintf(file, "%s\n  {\n    \"name\": \"%s\",\n    \"note\": ",
                i == 0 ? "" : ",", samples[i].name);
        shape_write_string(file, slice_of(samples[i].note));
        fprintf(file,
                ",\n    \"message\": \"%s\",\n    \"kind\": %u,\n"
                "    \"request_id\": %ju,\n    \"frame\": ",
                opcode_text(frame.kind), frame.kind,
                (uintmax_t)frame.request_id);
        write_hex(file, buf_slice(&buf));
        fputs(",\n    \"body\": ", file);
        shape_write_json(file, frame.kind, frame.body, 4);
        fputs("\n  }", file);
    }
    fputs("\n]\n", file);
    buf_fini(&buf);
}

/* Bodies of requests that a server refuses, by the error that it answers. */
static const struct {
    uint8_t kind;
    const char *note;
    const char *body;
} refused[] = {
    {OP_PING, "no body at all", ""},
    {OP_PING, "a body that is nil", "c0"},
    {OP_PING, "a body that is a map", "80"},
    {OP_PING, "a field more than ping has", "91c0"},
    {OP_PING, "a byte that msgpack never uses", "c1"},
    {OP_PING, "bytes behind the body", "9000"},
    {OP_PING, "an array that claims four billion elements", "ddffffffff"},
    {OP_PING, "nesting deeper than 8", "9191919191919191 91c0"},
    {OP_HELLO, "a field less", "93 01 01 a0"},
    {OP_HELLO, "a field more", "95 01 01 a0 a0 c0"},
    {OP_HELLO, "lowest version above the highest", "94 02 01 a0 a0"},
    {OP_HELLO, "a version that is a string", "94 a131 01 a0 a0"},
    {OP_HELLO, "a name that is bytes", "94 01 01 c400 a0"},
    {OP_HELLO, "a database's name with a line feed", "94 01 01 a0 a10a"},
    {OP_APPEND, "no writes", "91 90"},
    {OP_APPEND, "a write without events", "91 91 93 a173 00 90"},
    {OP_APPEND, "a write of four fields", "91 91 94 a173 00 90 c0"},
    {OP_APPEND, "a stream without a name", "91 91 93 a0 00 91 90"},
    {OP_APPEND, "a stream whose name is not UTF-8", "91 91 93 a1ff 00 91 90"},
    {OP_APPEND, "an expected version of -3", "91 91 93 a173 fd 91 90"},
    {OP_APPEND, "an event that is nil", "91 91 93 a173 00 91 c0"},
    {OP_APPEND, "an event of seven fields",
     "91 91 93 a173 00 91 97 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400"},
    {OP_APPEND, "an event of nine fields",
     "91 91 93 a173 00 91 99 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0"},
    {OP_APPEND, "an event without an id",
     "91 91 93 a173 00 91 98 a154 c0 c0 c0 90 c400 c400 00"},
    {OP_APPEND, "an id of 15 bytes",
     "91 91 93 a173 00 91 98 a154 c40f000000000000000000000000000000 c0 c0 90 "
     "c400 c400 00"},
    {OP_APPEND, "a type that is empty",
     "91 91 93 a173 00 91 98 a0 c41000000000000000000000000000000000 c0 c0 90 "
     "c400 c400 00"},
    {OP_APPEND, "a tag given twice",
     "91 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "92 a161 a161 c400 c400 00"},
    {OP_APPEND, "data that is a string",
     "91 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 a0 00"},
    {OP_APPEND, "a format that does not exist",
     "91 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 04"},
    {OP_APPEND, "an event that is erased, as only a server makes it",
     "91 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 03"},
    {OP_APPEND, "10,001 writes claimed, one there",
     "91 dd00002711 93 a173 00 90"},
    {OP_APPEND, "checks that are a number",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 01"},
    {OP_APPEND, "a check of three fields",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 91 93 a163 00 c0"},
    {OP_APPEND, "a check of a stream without a name",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 91 92 a0 00"},
    {OP_APPEND, "a check that expects -3",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 91 92 a163 fd"},
    {OP_APPEND,
     "a check of a stream that is written with another expected version",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 91 92 a173 01"},
    {OP_APPEND, "two checks of one stream that expect different versions",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 92 92 a163 00 92 a163 01"},
    {OP_APPEND, "1,001 checks claimed, one there",
     "92 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 dd000003e9 92 a163 00"},
    {OP_APPEND, "a condition of one field",
     "93 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 91 91 90"},
    {OP_APPEND, "a condition whose query is nil",
     "93 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 91 92 c0 00"},
    {OP_APPEND, "a condition after a negative position",
     "93 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 91 92 90 ff"},
    {OP_APPEND, "33 conditions claimed, one there",
     "93 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 dd00000021 92 90 00"},
    {OP_APPEND, "a command id of 15 bytes",
     "94 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 c0 c40f000000000000000000000000000000"},
    {OP_APPEND, "unseen of one field",
     "95 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 c0 c0 91 01"},
    {OP_APPEND, "unseen of three fields",
     "95 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 c0 c0 93 01 01 01"},
    {OP_APPEND, "a field more than are known",
     "9b 91 93 a173 00 91 98 a154 c41000000000000000000000000000000000 c0 c0 "
     "90 c400 c400 00 c0 c0 c0 c0 c0 c0 c0 c0 c0 c0"},
    {OP_APPEND, "only a lease, which is a check",
     "97 90 c0 c0 c0 c0 c0 91 92 a16c 01"},
    {OP_APPEND, "a checkpoint of three fields",
     "96 90 c0 c0 c0 c0 91 93 a163 01 02"},
    {OP_APPEND, "a checkpoint of five fields",
     "96 90 c0 c0 c0 c0 91 95 a163 01 02 03 04"},
    {OP_APPEND, "a checkpoint of a consumer without a name",
     "96 90 c0 c0 c0 c0 91 94 a0 01 02 03"},
    {OP_APPEND, "a checkpoint that goes back",
     "96 90 c0 c0 c0 c0 91 94 a163 01 03 02"},
    {OP_APPEND, "a checkpoint twice",
     "96 90 c0 c0 c0 c0 92 94 a163 01 02 03 94 a163 01 03 04"},
    {OP_APPEND, "1,001 checkpoints claimed, one there",
     "96 90 c0 c0 c0 c0 dd000003e9 94 a163 01 02 03"},
    {OP_APPEND, "a snapshot of version 0",
     "98 90 c0 c0 c0 c0 c0 c0 91 94 a173 00 01 c400"},
    {OP_APPEND, "a snapshot whose data is text",
     "98 90 c0 c0 c0 c0 c0 c0 91 94 a173 01 01 a0"},
    {OP_APPEND, "a snapshot that is removed of version 1",
     "98 90 c0 c0 c0 c0 c0 c0 91 94 a173 01 00 c0"},
    {OP_APPEND, "a schedule without writes",
     "99 90 c0 c0 c0 c0 c0 c0 c0 91 94 a173 01 c2 90"},
    {OP_APPEND, "a schedule of a write without events",
     "99 90 c0 c0 c0 c0 c0 c0 c0 91 94 a173 01 c2 91 93 a173 00 90"},
    {OP_APPEND, "a schedule after the end of time",
     "99 90 c0 c0 c0 c0 c0 c0 c0 91 94 a173 cfffffffffffffffff c2 c0"},
    {OP_APPEND, "a schedule with a name with a line feed",
     "99 90 c0 c0 c0 c0 c0 c0 c0 91 94 a10a 01 c2 c0"},
    {OP_APPEND, "a cancellation without a name",
     "9a 90 c0 c0 c0 c0 c0 c0 c0 c0 91 a0"},
    {OP_APPEND, "a cancellation twice",
     "9a 90 c0 c0 c0 c0 c0 c0 c0 c0 92 a161 a161"},
    {OP_CHANGE_STREAM, "a stream without a name", "94 a0 00 01 90"},
    {OP_CHANGE_STREAM, "an expected version of -3", "94 a173 fd 01 90"},
    {OP_CHANGE_STREAM, "a kind of change that does not exist",
     "94 a173 00 04 90"},
    {OP_CHANGE_STREAM, "a set that gives nothing", "94 a173 00 00 93 c0 c0 c0"},
    {OP_CHANGE_STREAM, "a set of two values", "94 a173 00 00 92 01 01"},
    {OP_CHANGE_STREAM, "a set of four values", "94 a173 00 00 94 01 01 01 01"},
    {OP_CHANGE_STREAM, "a setting that is negative",
     "94 a173 00 00 93 ff c0 c0"},
    {OP_CHANGE_STREAM, "a delete with a value", "94 a173 00 01 91 01"},
    {OP_CHANGE_STREAM, "a tombstone whose values are nil", "94 a173 00 02 c0"},
    {OP_CHANGE_STREAM, "an erase without a version", "94 a173 00 03 90"},
    {OP_CHANGE_STREAM, "an erase whose version is nil", "94 a173 00 03 91 c0"},
    {OP_READ_STREAM, "a stream without a name", "95 a0 00 c2 00 00"},
    {OP_READ_STREAM, "backward that is a number", "95 a173 00 01 00 00"},
    {OP_READ_STREAM, "a negative from", "95 a173 ff c2 00 00"},
    {OP_READ_ALL, "a query that is nil", "95 c0 00 c2 00 00"},
    {OP_READ_ALL, "an item of four lists", "95 91 94 90 90 90 90 00 c2 00 00"},
    {OP_READ_ALL, "an item of six lists",
     "95 91 96 90 90 90 90 90 90 00 c2 00 00"},
    {OP_READ_ALL, "a correlation id that is text",
     "95 91 95 90 90 90 90 91a178 00 c2 00 00"},
    {OP_READ_ALL, "a prefix of a category",
     "95 91 95 91 91a161 90 90 90 90 00 c2 00 00"},
    {OP_READ_ALL, "a prefix of a tag",
     "95 91 95 90 90 91 91a161 90 90 00 c2 00 00"},
    {OP_READ_ALL, "a prefix of a correlation id",
     "95 91 95 90 90 90 90 91 91c40161 00 c2 00 00"},
    {OP_READ_ALL, "a prefix that is empty",
     "95 91 95 90 91 91a0 90 90 90 00 c2 00 00"},
    {OP_READ_ALL, "a prefix of two texts",
     "95 91 95 90 91 92a161a162 90 90 90 00 c2 00 00"},
    {OP_READ_ALL, "a prefix without a text",
     "95 91 95 90 90 90 91 90 90 00 c2 00 00"},
    {OP_READ_ALL, "a prefix of a prefix",
     "95 91 95 90 90 90 91 9191a161 90 00 c2 00 00"},
    {OP_READ_EVENT, "neither id nor stream", "93 c0 a0 01"},
    {OP_READ_EVENT, "an id of 1 byte", "93 c40100 a0 00"},
    {OP_LIST_STREAMS, "a prefix that is nil", "93 c0 a0 00"},
    {OP_FIND_TIME, "a time that is negative", "91 ff"},
    {OP_FIND_COMMAND, "a command id that is nil", "91 c0"},
    {OP_FIND_COMMAND, "a command id of 15 bytes",
     "91 c40f000000000000000000000000000000"},
    {OP_DESCRIBE_STREAM, "a stream without a name", "91 a0"},
    {OP_LIST_NAMES, "a kind of names that does not exist", "94 03 a0 a0 00"},
    {OP_LIST_NAMES, "an after that is nil", "94 00 a0 c0 00"},
    {OP_SUBSCRIBE, "credit that is negative", "93 90 00 ff"},
    {OP_SUBSCRIBE, "a consumer without an epoch", "94 90 00 00 a163"},
    {OP_SUBSCRIBE, "a consumer without a name", "95 90 00 00 a0 01"},
    {OP_CREDIT, "credit that is nil", "91 c0"},
    {OP_UNSUBSCRIBE, "a subscription that is text", "91 a133"},
    {OP_CHANGE_CONSUMER, "a consumer without a name", "93 a0 03 90"},
    {OP_CHANGE_CONSUMER, "a kind of change that does not exist",
     "93 a163 08 90"},
    {OP_CHANGE_CONSUMER, "a claim without a position", "93 a163 00 91 90"},
    {OP_CHANGE_CONSUMER, "a group with two values too many",
     "93 a163 01 98 90 00 a0 c0 c0 c0 c0 c0"},
    {OP_CHANGE_CONSUMER, "an ack time-out of 999 us",
     "93 a163 01 96 90 00 a0 cd03e7 c0 c0"},
    {OP_CHANGE_CONSUMER, "an ack time-out of more than a day",
     "93 a163 01 96 90 00 a0 cf000000141dd76001 c0 c0"},
    {OP_CHANGE_CONSUMER, "no delivery at all",
     "93 a163 01 96 90 00 a0 c0 00 c0"},
    {OP_CHANGE_CONSUMER, "an on park that does not exist",
     "93 a163 01 96 90 00 a0 c0 c0 02"},
    {OP_CHANGE_CONSUMER, "an alter that gives nothing",
     "93 a163 02 94 c0 c0 c0 c0"},
    {OP_CHANGE_CONSUMER, "a pause with a value", "93 a163 04 91 01"},
    {OP_CHANGE_CONSUMER, "a note without an epoch", "93 a163 07 91 a174"},
    {OP_CHANGE_CONSUMER, "a note that is nil", "93 a163 07 92 01 c0"},
    {OP_CHANGE_CONSUMER, "a note with an escape character",
     "93 a163 07 92 01 a11b"},
    {OP_VERIFY, "an id that is nil", "92 c0 00"},
    {OP_VERIFY, "a rate that is negative", "92 00 ff"},
    {OP_AWAIT, "a consumer without a name", "93 a0 01 00"},
    {OP_AWAIT, "a position that is negative", "93 a163 ff 00"},
    {OP_AWAIT, "a time-out that is nil", "93 a163 01 c0"},
    {OP_AWAIT, "a time-out of more than a day",
     "93 a163 01 cf000000141dd76001"},
    {OP_DESCRIBE_CONSUMER, "a consumer without a name", "91 a0"},
    {OP_LIST_PARKED, "a group without a name", "93 a0 00 00"},
    {OP_CHANGE_PARKED, "a kind of change that does not exist", "93 a167 02 c0"},
    {OP_CHANGE_PARKED, "no positions", "93 a167 00 90"},
    {OP_CHANGE_PARKED, "10,001 positions claimed, one there",
     "93 a167 00 dd00002711 01"},
    {OP_JOIN, "no slots", "93 a167 00 a0"},
    {OP_JOIN, "10,001 slots", "93 a167 cd2711 a0"},
    {OP_SETTLE, "no answers", "92 01 90"},
    {OP_SETTLE, "a kind of answer that does not exist", "92 01 91 93 05 01 01"},
    {OP_SETTLE, "an ack with a value", "92 01 91 94 00 01 01 01"},
    {OP_SETTLE, "a retry without a delay", "92 01 91 93 02 01 01"},
    {OP_SETTLE, "a retry after more than a day",
     "92 01 91 94 02 01 01 cf000000141dd76001"},
    {OP_SETTLE, "a reason that is a number", "92 01 91 94 03 01 01 01"},
    {OP_SETTLE, "a reason with an escape character",
     "92 01 91 94 03 01 01 a11b"},
    {OP_LEAVE, "a membership that is nil", "91 c0"},
    {OP_CHANGE_LEASE, "a lease without a name", "93 a0 02 91 01"},
    {OP_CHANGE_LEASE, "a kind of change that does not exist",
     "93 a16c 03 91 01"},
    {OP_CHANGE_LEASE, "an acquire without a claim",
     "93 a16c 00 94 a0 c0 01 00"},
    {OP_CHANGE_LEASE, "a claim of 15 bytes",
     "93 a16c 00 94 a0 c40f000000000000000000000000000000 01 00"},
    {OP_CHANGE_LEASE, "a lease for no time", "93 a16c 01 92 01 00"},
    {OP_CHANGE_LEASE, "a lease for more than a day",
     "93 a16c 01 92 01 cf000000141dd76001"},
    {OP_CHANGE_LEASE, "a release with a duration", "93 a16c 02 92 01 01"},
    {OP_LIST_LEASES, "a prefix that is nil", "93 c0 a0 00"},
    {OP_LOAD, "a stream without a name", "95 a0 c0 c0 00 00"},
    {OP_LOAD, "a version that is negative", "95 a173 ff c0 00 00"},
    {OP_BEGIN_BACKUP, "one that goes on, of no database", "92 01 c0"},
    {OP_BEGIN_BACKUP, "a database id of 1 byte", "92 01 c40100"},
    {OP_READ_BACKUP, "a part that does not exist", "93 02 01 00"},
    {OP_READ_BACKUP, "no bytes at all", "93 00 00 00"},
    {OP_READ_BACKUP, "more than a chunk may have", "93 00 ce00100001 00"},
    {OP_END_BACKUP, "a sequence that is negative", "91 ff"},
};

static void
write_refused(FILE *file)
{
    struct buf buf;

    buf_init(&buf, 1 << 20);
    fputs("[", file);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct slice body = hex(refused[i].body);
        struct acta_err err;
        enum acta_code code;

        buf_clear(&buf);
        code = reencode(&buf, refused[i].kind, 1, body, &err);
        assert(code != ACTA_OK);
        fprintf(file,
                "%s\n  {\n    \"message\": \"%s\",\n    \"kind\": %u,\n"
                "    \"note\": \"%s\",\n    \"body\": ",
                i == 0 ? "" : ",", opcode_text(refused[i].kind),
                refused[i].kind, refused[i].note);
        write_hex(file, body);
        fprintf(file, ",\n    \"code\": %u,\n    \"code_name\": \"%s\"\n  }",
                code, acta_code_name(code));
    }
    fputs("\n]\n", file);
    buf_fini(&buf);
}

static void
write_catalogue(FILE *file)
{
    const char *comma = "";

    fputs("{\n  \"messages\": [", file);
#define X(name, number, text, since)                                           \
    fprintf(file, "%s\n    {\"kind\": %d, \"name\": \"%s\", \"since\": %d}",   \
            comma, number, text, since);                                       \
    comma = ",";
    ACTA_OPCODES(X)
#undef X
    fputs("\n  ],\n  \"codes\": [", file);
    comma = "";
#define X(name, number, remedy, text)                                          \
    fprintf(file,                                                              \
            "%s\n    {\"code\": %d, \"name\": \"%s\", \"remedy\": \"%s\", "    \
            "\"text\": \"%s\"}",                                               \
            comma, number, #name, acta_remedy_name(ACTA_REMEDY_##remedy),      \
            text);                                                             \
    comma = ",";
    ACTA_CODES(X)
#undef X
    fputs("\n  ]\n}\n", file);
}

const struct vector_file vector_files[] = {
    {"messages.json", write_messages},
    {"refused.json", write_refused},
    {"catalogue.json", write_catalogue},
};

const size_t vector_files_count =
    sizeof(vector_files) / sizeof(vector_files[0]);
