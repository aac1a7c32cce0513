/* What a server answers to frames that are wrong, one row each. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "msg.h"
#include "rig.h"
#include "run.h"

#define FRAME(kind, size) "ac " kind " 0000 " size " 0000000000000007 "

/* The frame of hello, request id 1: protocol 1 to 1, no name, "main". */
#define HELLO "ac 01 0000 00000009 0000000000000001 94 01 01 a0 a4 6d61696e"
#define PING  "ac 02 0000 00000001 0000000000000008 90"

/* The writes of an append: one event of type "T" to stream "s", whatever its
 * version is. The last byte of an event, its format, is left
 * to the user of EVENT.
 */
#define EVENT                                                                  \
    "98 a1 54 c4 10 00112233445566778899aabbccddeeff c0 c0 90 c4 00 c4 00 "
#define WRITE "91 93 a1 73 ff 91 " EVENT "01 "

enum after {
    GOES_ON, /* The connection is served as before. */
    CLOSED,
};

static const struct {
    const char *what;
    const char *bytes;
    bool hello;  /* Said before. */
    uint64_t id; /* Of the error. */
    enum acta_code code;
    enum after after;
} rows[] = {
    /* ---- before hello ---- */
    {"http", "474554202f20485454502f312e310d0a0d0a", false, 0, ACTA_PROTOCOL,
     CLOSED},
    {"tls", "16030100", false, 0, ACTA_PROTOCOL, CLOSED},
    {"a zero byte", "00", false, 0, ACTA_PROTOCOL, CLOSED},
    {"ping before hello", PING, false, 8, ACTA_PROTOCOL, CLOSED},
    {"append before hello", FRAME("10", "00000001") "90", false, 7,
     ACTA_PROTOCOL, CLOSED},
    {"unknown before hello", FRAME("6f", "00000001") "90", false, 7,
     ACTA_PROTOCOL, CLOSED},
    {"hello claims 4097 bytes", FRAME("01", "00001001"), false, 0,
     ACTA_TOO_LARGE, CLOSED},
    {"hello claims 4 GiB", FRAME("01", "ffffffff"), false, 0, ACTA_TOO_LARGE,
     CLOSED},
    {"hello with flags", "ac 01 0001 00000001 0000000000000007 90", false, 0,
     ACTA_PROTOCOL, CLOSED},
    {"hello without a body", FRAME("01", "00000000"), false, 7, ACTA_PROTOCOL,
     CLOSED},
    {"hello without fields", FRAME("01", "00000001") "90", false, 7,
     ACTA_INVALID, CLOSED},
    {"hello with a field too many", FRAME("01", "00000006") "95 01 01 a0 a0 c0",
     false, 7, ACTA_UNSUPPORTED, CLOSED},
    {"hello with a text for a number", FRAME("01", "00000005") "94 a0 01 a0 a0",
     false, 7, ACTA_INVALID, CLOSED},
    {"hello with a name that is no UTF-8",
     FRAME("01", "00000006") "94 01 01 a1ff a0", false, 7, ACTA_INVALID,
     CLOSED},
    {"hello for a newer protocol", FRAME("01", "00000005") "94 02 03 a0 a0",
     false, 7, ACTA_UNSUPPORTED, CLOSED},
    {"hello for another database",
     FRAME("01", "00000007") "94 01 01 a0 a2 7879", false, 7, ACTA_NOT_FOUND,
     CLOSED},
    {"hello with a claimed name of 4 GiB",
     FRAME("01", "00000008") "94 01 01 db ffffffff", false, 7, ACTA_PROTOCOL,
     CLOSED},
    /* ---- frames ---- */
    {"wrong magic", "ad 02 0000 00000001 0000000000000007 90", true, 0,
     ACTA_PROTOCOL, CLOSED},
    {"flags", "ac 02 8000 00000001 0000000000000007 90", true, 0, ACTA_PROTOCOL,
     CLOSED},
    {"body of 4 GiB", FRAME("10", "ffffffff"), true, 0, ACTA_TOO_LARGE, CLOSED},
    {"body one byte over the limit", FRAME("10", "04100001"), true, 0,
     ACTA_TOO_LARGE, CLOSED},
    {"garbage behind a frame", PING "00", true, 0, ACTA_PROTOCOL, CLOSED},
    {"kind 0", FRAME("00", "00000001") "90", true, 7, ACTA_UNSUPPORTED,
     GOES_ON},
    {"kind of a later version", FRAME("7f", "00000001") "90", true, 7,
     ACTA_UNSUPPORTED, GOES_ON},
    {"unknown kind with a body that is none", FRAME("7f", "00000001") "c1",
     true, 7, ACTA_UNSUPPORTED, GOES_ON},
    {"kind of a reply", FRAME("a0", "00000001") "90", true, 7, ACTA_PROTOCOL,
     GOES_ON},
    {"kind 0xff", FRAME("ff", "00000001") "90", true, 7, ACTA_PROTOCOL,
     GOES_ON},
    {"second hello", FRAME("01", "00000009") "94 01 01 a0 a4 6d61696e", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    /* ---- bodies ---- */
    {"no body", FRAME("02", "00000000"), true, 7, ACTA_PROTOCOL, GOES_ON},
    {"nil", FRAME("02", "00000001") "c0", true, 7, ACTA_INVALID, GOES_ON},
    {"the byte that msgpack never uses", FRAME("02", "00000001") "c1", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"a map", FRAME("02", "00000001") "80", true, 7, ACTA_INVALID, GOES_ON},
    {"two values", FRAME("02", "00000002") "90 90", true, 7, ACTA_PROTOCOL,
     GOES_ON},
    {"cut short", FRAME("02", "00000001") "91", true, 7, ACTA_PROTOCOL,
     GOES_ON},
    {"ping with a field", FRAME("02", "00000002") "91 c0", true, 7,
     ACTA_UNSUPPORTED, GOES_ON},
    {"status with a field", FRAME("03", "00000002") "91 c0", true, 7,
     ACTA_UNSUPPORTED, GOES_ON},
    {"array of 4 G elements", FRAME("02", "00000005") "dd ffffffff", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"map of 4 G elements", FRAME("02", "00000005") "df ffffffff", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"text of 4 GiB", FRAME("02", "00000006") "91 db ffffffff", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"bytes of 4 GiB", FRAME("02", "00000006") "91 c6 ffffffff", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"extension of 4 GiB", FRAME("02", "00000007") "91 c9 ffffffff 01", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"nested too deep", FRAME("02", "0000000a") "91919191919191919190", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    /* ---- append ---- */
    {"append without fields", FRAME("10", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"append of no writes", FRAME("10", "00000002") "91 90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"write that is a number", FRAME("10", "00000003") "91 91 01", true, 7,
     ACTA_INVALID, GOES_ON},
    {"write of two fields", FRAME("10", "00000006") "91 91 92 a1 73 00", true,
     7, ACTA_INVALID, GOES_ON},
    {"write of no events", FRAME("10", "00000007") "91 91 93 a1 73 00 90", true,
     7, ACTA_INVALID, GOES_ON},
    {"write to no stream", FRAME("10", "00000007") "91 91 93 a0 00 91 90", true,
     7, ACTA_INVALID, GOES_ON},
    {"stream with a line end",
     FRAME("10", "00000008") "91 91 93 a1 0a 00 91 90", true, 7, ACTA_INVALID,
     GOES_ON},
    {"expected version -3", FRAME("10", "00000008") "91 91 93 a1 73 fd 91 90",
     true, 7, ACTA_INVALID, GOES_ON},
    {"event of no fields", FRAME("10", "00000008") "91 91 93 a1 73 00 91 90",
     true, 7, ACTA_INVALID, GOES_ON},
    {"writes claimed and not there", FRAME("10", "00000006") "91 dd 00ffffff",
     true, 7, ACTA_PROTOCOL, GOES_ON},
    /* ---- append: what it says besides its writes ---- */
    {"append with eleven fields",
     FRAME("10", "0000002e") "9b " WRITE " c0 c0 c0 c0 c0 c0 c0 c0 c0 c0", true,
     7, ACTA_UNSUPPORTED, GOES_ON},
    {"checks that are a number", FRAME("10", "00000025") "92 " WRITE " 01",
     true, 7, ACTA_INVALID, GOES_ON},
    {"check of one field", FRAME("10", "00000028") "92 " WRITE " 91 91 a1 74",
     true, 7, ACTA_INVALID, GOES_ON},
    {"check of a stream that is written with another version",
     FRAME("10", "00000029") "92 " WRITE " 91 92 a1 73 00", true, 7,
     ACTA_INVALID, GOES_ON},
    {"check that fails", FRAME("10", "00000029") "92 " WRITE " 91 92 a1 74 05",
     true, 7, ACTA_CONFLICT, GOES_ON},
    {"condition of one field",
     FRAME("10", "00000028") "93 " WRITE " c0 91 91 90", true, 7, ACTA_INVALID,
     GOES_ON},
    {"condition whose query is nil",
     FRAME("10", "00000029") "93 " WRITE " c0 91 92 c0 00", true, 7,
     ACTA_INVALID, GOES_ON},
    {"condition after a negative position",
     FRAME("10", "00000029") "93 " WRITE " c0 91 92 90 ff", true, 7,
     ACTA_INVALID, GOES_ON},
    {"command id of one byte",
     FRAME("10", "00000029") "94 " WRITE " c0 c0 c4 01 00", true, 7,
     ACTA_INVALID, GOES_ON},
    {"unseen of one field",
     FRAME("10", "00000029") "95 " WRITE " c0 c0 c0 91 01", true, 7,
     ACTA_INVALID, GOES_ON},
    {"conditions claimed and not there",
     FRAME("10", "0000002a") "93 " WRITE " c0 dd 00ffffff", true, 7,
     ACTA_PROTOCOL, GOES_ON},
    {"event that says it is erased",
     FRAME("10", "00000024") "91 91 93 a1 73 ff 91 " EVENT "03", true, 7,
     ACTA_INVALID, GOES_ON},
    /* ---- change-stream ---- */
    {"change-stream without fields", FRAME("11", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"change-stream of no stream", FRAME("11", "00000005") "94 a0 ff 01 90",
     true, 7, ACTA_INVALID, GOES_ON},
    {"change-stream that expects -3",
     FRAME("11", "00000006") "94 a1 73 fd 01 90", true, 7, ACTA_INVALID,
     GOES_ON},
    {"change-stream of kind 4", FRAME("11", "00000006") "94 a1 73 ff 04 90",
     true, 7, ACTA_INVALID, GOES_ON},
    {"delete with a value", FRAME("11", "00000007") "94 a1 73 ff 01 91 00",
     true, 7, ACTA_UNSUPPORTED, GOES_ON},
    {"delete of what is not there", FRAME("11", "00000006") "94 a1 73 ff 01 90",
     true, 7, ACTA_NOT_FOUND, GOES_ON},
    {"delete at another version", FRAME("11", "00000006") "94 a1 73 05 01 90",
     true, 7, ACTA_CONFLICT, GOES_ON},
    {"set of nothing", FRAME("11", "00000009") "94 a1 73 ff 00 93 c0 c0 c0",
     true, 7, ACTA_INVALID, GOES_ON},
    {"set of two values", FRAME("11", "00000008") "94 a1 73 ff 00 92 c0 01",
     true, 7, ACTA_INVALID, GOES_ON},
    {"set of a text", FRAME("11", "00000009") "94 a1 73 ff 00 93 c0 a0 c0",
     true, 7, ACTA_INVALID, GOES_ON},
    {"set to truncate what is to come",
     FRAME("11", "00000009") "94 a1 73 ff 00 93 05 c0 c0", true, 7,
     ACTA_INVALID, GOES_ON},
    {"erase without a version", FRAME("11", "00000006") "94 a1 73 ff 03 90",
     true, 7, ACTA_INVALID, GOES_ON},
    {"erase of what is not there",
     FRAME("11", "00000007") "94 a1 73 ff 03 91 01", true, 7, ACTA_NOT_FOUND,
     GOES_ON},
    {"change-stream with a field too many",
     FRAME("11", "00000007") "95 a1 73 ff 01 90 c0", true, 7, ACTA_UNSUPPORTED,
     GOES_ON},
    /* ---- consumers, leases, schedules, groups ---- */
    {"checkpoint of two fields",
     FRAME("10", "0000002d") "96 " WRITE " c0 c0 c0 c0 91 92 a1 63 01", true, 7,
     ACTA_INVALID, GOES_ON},
    {"checkpoint of a consumer that is not there",
     FRAME("10", "0000002f") "96 " WRITE " c0 c0 c0 c0 91 94 a1 63 01 c0 01",
     true, 7, ACTA_FENCED, GOES_ON},
    {"append that only holds a lease",
     FRAME("10", "0000000c") "97 90 c0 c0 c0 c0 c0 91 92 a1 6c 01", true, 7,
     ACTA_INVALID, GOES_ON},
    {"change-consumer without fields", FRAME("12", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"change-consumer of kind 7", FRAME("12", "00000005") "93 a1 63 07 90",
     true, 7, ACTA_INVALID, GOES_ON},
    {"claim at a position above the head",
     FRAME("12", "00000007") "93 a1 63 00 92 90 09", true, 7, ACTA_INVALID,
     GOES_ON},
    {"reset of a consumer that is not there",
     FRAME("12", "00000006") "93 a1 63 06 91 00", true, 7, ACTA_NOT_FOUND,
     GOES_ON},
    {"change-lease without fields", FRAME("13", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"change-lease of kind 3", FRAME("13", "00000005") "93 a1 6c 03 90", true,
     7, ACTA_INVALID, GOES_ON},
    {"release of a lease without a name",
     FRAME("13", "00000005") "93 a0 02 91 01", true, 7, ACTA_INVALID, GOES_ON},
    {"renewal of a lease that nobody holds",
     FRAME("13", "00000007") "93 a1 6c 01 92 01 01", true, 7, ACTA_FENCED,
     GOES_ON},
    {"list-leases without fields", FRAME("2e", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"list-schedules with a field too many",
     FRAME("2f", "00000005") "94 a0 a0 00 00", true, 7, ACTA_UNSUPPORTED,
     GOES_ON},
    {"load of no stream", FRAME("24", "00000006") "95 a0 c0 c0 00 00", true, 7,
     ACTA_INVALID, GOES_ON},
    {"load behind a version that the stream has not",
     FRAME("24", "00000007") "95 a1 74 05 c0 00 00", true, 7, ACTA_INVALID,
     GOES_ON},
    {"subscription under an empty name",
     FRAME("30", "00000006") "95 90 00 01 a0 01", true, 7, ACTA_INVALID,
     GOES_ON},
    {"subscription under a name that is not there",
     FRAME("30", "00000007") "95 90 00 01 a1 63 01", true, 7, ACTA_NOT_FOUND,
     GOES_ON},
    {"join with no slots", FRAME("38", "00000005") "93 a1 67 00 a0", true, 7,
     ACTA_INVALID, GOES_ON},
    {"join of a group that is not there",
     FRAME("38", "00000005") "93 a1 67 01 a0", true, 7, ACTA_NOT_FOUND,
     GOES_ON},
    {"settle without answers", FRAME("39", "00000003") "92 09 90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"settle of a membership that is not there",
     FRAME("39", "00000007") "92 09 91 93 00 01 01", true, 7, ACTA_NOT_FOUND,
     GOES_ON},
    {"leave of a membership that is not there", FRAME("3a", "00000002") "91 09",
     true, 7, ACTA_NOT_FOUND, GOES_ON},
    {"change-parked of a group that is not there",
     FRAME("14", "00000005") "93 a1 67 00 c0", true, 7, ACTA_NOT_FOUND,
     GOES_ON},
    /* ---- reads ---- */
    {"read-all with a prefix for a tag",
     FRAME("21", "0000000f") "95 91 95 90 90 91 91 a1 78 90 90 00 c2 00 00",
     true, 7, ACTA_INVALID, GOES_ON},
    {"read-all with a prefix of two texts",
     FRAME("21",
           "00000011") "95 91 95 90 91 92 a1 78 a1 79 90 90 90 00 c2 00 00",
     true, 7, ACTA_UNSUPPORTED, GOES_ON},
    {"find-time without fields", FRAME("23", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"find-time of a text", FRAME("23", "00000002") "91 a0", true, 7,
     ACTA_INVALID, GOES_ON},
    {"find-time before 1970", FRAME("23", "00000002") "91 ff", true, 7,
     ACTA_INVALID, GOES_ON},
    {"describe-stream without fields", FRAME("29", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"describe-stream of no stream", FRAME("29", "00000002") "91 a0", true, 7,
     ACTA_INVALID, GOES_ON},
    {"describe-stream of a number", FRAME("29", "00000002") "91 01", true, 7,
     ACTA_INVALID, GOES_ON},
    {"list-names without fields", FRAME("2a", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"list-names of kind 3", FRAME("2a", "00000005") "94 03 a0 a0 00", true, 7,
     ACTA_INVALID, GOES_ON},
    {"list-names from a number", FRAME("2a", "00000005") "94 01 a0 01 00", true,
     7, ACTA_INVALID, GOES_ON},
    {"list-names with a field too many",
     FRAME("2a", "00000006") "95 01 a0 a0 00 c0", true, 7, ACTA_UNSUPPORTED,
     GOES_ON},
    {"read-stream without fields", FRAME("20", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"read-stream of no stream", FRAME("20", "00000006") "95 a0 00 c2 00 00",
     true, 7, ACTA_INVALID, GOES_ON},
    {"read-stream from a text", FRAME("20", "00000007") "95 a1 73 a0 c2 00 00",
     true, 7, ACTA_INVALID, GOES_ON},
    {"read-stream from -1", FRAME("20", "00000007") "95 a1 73 ff c2 00 00",
     true, 7, ACTA_INVALID, GOES_ON},
    {"read-all with a query that is none",
     FRAME("21", "00000006") "95 c0 00 c2 00 00", true, 7, ACTA_INVALID,
     GOES_ON},
    {"read-all with an item of one field",
     FRAME("21", "00000008") "95 91 91 90 00 c2 00 00", true, 7, ACTA_INVALID,
     GOES_ON},
    {"read-event with an id of one byte",
     FRAME("22", "00000006") "93 c4 01 00 a0 00", true, 7, ACTA_INVALID,
     GOES_ON},
    {"read-event that is not there", FRAME("22", "00000005") "93 c0 a1 73 01",
     true, 7, ACTA_NOT_FOUND, GOES_ON},
    {"list-streams without fields", FRAME("28", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"list-streams from a number", FRAME("28", "00000004") "93 a0 01 00", true,
     7, ACTA_INVALID, GOES_ON},
    /* ---- subscriptions ---- */
    {"subscribe without fields", FRAME("30", "00000001") "90", true, 7,
     ACTA_INVALID, GOES_ON},
    {"subscribe after what is not there", FRAME("30", "00000004") "93 90 05 01",
     true, 7, ACTA_INVALID, GOES_ON},
    {"credit of a text", FRAME("31", "00000002") "91 a0", true, 7, ACTA_INVALID,
     GOES_ON},
    {"unsubscribe from nothing", FRAME("32", "00000002") "91 05", true, 7,
     ACTA_NOT_FOUND, GOES_ON},
};

#define ROWS_COUNT (sizeof(rows) / sizeof(rows[0]))

static void
put_hex(struct peer *peer, const char *text)
{
    static uint8_t bytes[HEX_SIZE_MAX];

    buf_append_slice(&peer->out, hex_parse(bytes, sizeof(bytes), text));
}

static void
check_row(unsigned port, size_t row)
{
    struct frame frame;
    struct peer peer;

    printf("%s\n", rows[row].what);
    fflush(stdout);
    if (rows[row].hello) {
        peer_greet(&peer, port);
    } else {
        peer_connect(&peer, port);
    }
    put_hex(&peer, rows[row].bytes);
    peer_send(&peer);
    ck_assert(peer_next(&peer, &frame));
    /* Rows may begin with a right request, answered first. */
    if (frame.kind == OP_PONG) {
        ck_assert(peer_next(&peer, &frame));
    }
    {
        struct msg_error error;
        struct acta_err err;

        ck_assert_int_eq(frame.kind, OP_ERROR);
        ck_assert_uint_eq(frame.request_id, rows[row].id);
        ck_assert_int_eq(msg_error_decode(&error, frame.body, &err), ACTA_OK);
        ck_assert_str_eq(acta_code_name(error.code),
                         acta_code_name(rows[row].code));
        ck_assert_uint_gt(error.text.size, 0);
    }
    if (rows[row].after == GOES_ON) {
        put_hex(&peer, PING);
        peer_send(&peer);
        peer_expect(&peer, OP_PONG, 8);
    } else {
        peer_expect_close(&peer);
    }
    peer_close(&peer);
}

/* One server for all rows: what one peer does is not to matter to the next. */
START_TEST(malformed_frames_get_the_right_answer)
{
    struct rig rig;

    rig_start(&rig, NULL);
    for (size_t row = 0; row < ROWS_COUNT; row++) {
        check_row(rig.port, row);
    }
    rig_stop(&rig);
}
END_TEST

/* Every beginning of a right frame, and then the end of the connection. */
START_TEST(connection_may_end_anywhere)
{
    static uint8_t bytes[256];
    struct slice whole = hex_parse(bytes, sizeof(bytes), HELLO PING);
    struct peer witness;
    struct rig rig;

    rig_start(&rig, NULL);
    for (size_t size = 0; size < whole.size; size++) {
        struct peer peer;

        peer_connect(&peer, rig.port);
        buf_append(&peer.out, whole.data, size);
        peer_send(&peer);
        peer_close(&peer);
    }
    peer_greet(&witness, rig.port);
    put_hex(&witness, PING);
    peer_send(&witness);
    peer_expect(&witness, OP_PONG, 8);
    peer_close(&witness);
    rig_stop(&rig);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("malformed");
    TCase *tcase = tcase_create("malformed");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, malformed_frames_get_the_right_answer);
    tcase_add_test(tcase, connection_may_end_anywhere);
    return run_suite(suite);
}
