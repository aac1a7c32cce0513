/* What holds for every message, shown on the samples: one test goes over all
 * kinds, so that a new kind is tested as soon as it has a sample.
 */

#include "msg.h"

#include <stdlib.h>

#include "hex.h"
#include "limit.h"
#include "msg_body.h"
#include "reencode.h"
#include "rnd.h"
#include "run.h"
#include "sample.h"

static struct buf buf;     /* The sample's frame. */
static struct buf again;   /* What came out of it. */
static struct frame frame; /* In buf. */
static struct acta_err err;

static void
setup(void)
{
    buf_init(&buf, 1 << 20);
    buf_init(&again, 1 << 20);
    err = (struct acta_err){ACTA_OK, ""};
}

static void
teardown(void)
{
    buf_fini(&buf);
    buf_fini(&again);
}

/* Decode @body in memory of its exact size, so that a sanitizer sees a read
 * beyond it, and write it again.
 */
static enum acta_code
decode(struct slice body)
{
    uint8_t *exact = malloc(body.size == 0 ? 1 : body.size);
    enum acta_code code;

    if (body.size > 0) {
        memcpy(exact, body.data, body.size);
    }
    buf_clear(&again);
    code = reencode(&again, frame.kind, frame.request_id,
                    slice_make(exact, body.size), &err);
    free(exact);
    return code;
}

static bool
is_request(void)
{
    return frame.kind < OP_REPLY_FIRST;
}

START_TEST(every_kind_has_a_sample)
{
    static const uint8_t kinds[] = {
#define X(name, number, text, since) number,
        ACTA_OPCODES(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(kinds); i++) {
        bool found = false;

        for (size_t j = 0; j < samples_count; j++) {
            sample_write(&buf, &samples[j], &frame);
            found = found || frame.kind == kinds[i];
        }
        ck_assert_msg(found, "kind 0x%02x has none", kinds[i]);
    }
}
END_TEST

START_TEST(unknown_kinds_have_no_name)
{
    ck_assert_ptr_null(opcode_text(0));
    ck_assert_ptr_null(opcode_text(0x7f));
    ck_assert_ptr_null(opcode_text(0xff));
    ck_assert_ptr_null(opcode_text(0x110));
    ck_assert_str_eq(opcode_text(OP_FELL_BEHIND), "fell-behind");
}
END_TEST

START_TEST(message_comes_out_as_it_went_in)
{
    sample_write(&buf, &samples[_i], &frame);
    ck_assert_msg(decode(frame.body) == ACTA_OK, "%s", err.text);
    assert_slice_eq(buf_slice(&again), buf_slice(&buf));
}
END_TEST

START_TEST(body_cut_anywhere_is_refused)
{
    sample_write(&buf, &samples[_i], &frame);
    for (size_t size = 0; size < frame.body.size; size++) {
        ck_assert_int_eq(decode(slice_make(frame.body.data, size)),
                         ACTA_PROTOCOL);
        ck_assert_int_eq(err.code, ACTA_PROTOCOL);
    }
}
END_TEST

START_TEST(bytes_behind_the_body_are_refused)
{
    sample_write(&buf, &samples[_i], &frame);
    buf_append(&buf, "\xc0", 1);
    ck_assert_int_eq(decode(slice_make(buf_slice(&buf).data + FRAME_HEADER_SIZE,
                                       frame.body.size + 1)),
                     ACTA_PROTOCOL);
}
END_TEST

START_TEST(body_that_is_no_array_is_refused)
{
    static const char *const bodies[] = {"c0",       "01", "a161",
                                         "81a16101", "c2", "c400"};

    sample_write(&buf, &samples[_i], &frame);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        ck_assert_int_eq(decode(hex(bodies[i])), ACTA_INVALID);
    }
}
END_TEST

/* How few fields a body may have, if it has @fields; and how many are known. */
static size_t
fields_min(size_t fields)
{
    return frame.kind == OP_APPEND ? 1 : fields;
}

static size_t
fields_max(size_t fields)
{
    return frame.kind == OP_APPEND      ? 10
           : frame.kind == OP_SUBSCRIBE ? 5
                                        : fields;
}

/* True if the message in frame means something without the fields behind
 * @keep: a subscription has a name or none, and an append does something.
 */
static bool
may_end_at(size_t keep, size_t fields)
{
    if (frame.kind == OP_SUBSCRIBE) {
        return keep == 3;
    }
    return keep >= fields_min(fields) &&
           (frame.kind != OP_APPEND || frame.body.data[1] != 0x90);
}

/* One field more than is known; those that may be left out are nil. All heads
 * are of one byte.
 */
START_TEST(requests_refuse_more_fields_and_replies_pass_over_them)
{
    size_t fields;

    sample_write(&buf, &samples[_i], &frame);
    fields = frame.body.data[0] & 0x0f;
    for (; fields < fields_max(fields); fields++) {
        pack_nil(&buf);
    }
    buf_append_slice(&buf, hex("92c0a3657874"));
    buf.data[FRAME_HEADER_SIZE] = (uint8_t)(0x90 | (fields + 1));
    frame_end(&buf, 0);
    frame.body = slice_make(buf_slice(&buf).data + FRAME_HEADER_SIZE,
                            buf_size(&buf) - FRAME_HEADER_SIZE);
    if (is_request()) {
        ck_assert_int_eq(decode(frame.body), ACTA_UNSUPPORTED);
        return;
    }
    ck_assert_msg(decode(frame.body) == ACTA_OK, "%s", err.text);
    sample_write(&buf, &samples[_i], &frame);
    assert_slice_eq(buf_slice(&again), buf_slice(&buf));
}
END_TEST

START_TEST(missing_fields_are_refused)
{
    struct pack_reader reader;
    size_t fields;

    sample_write(&buf, &samples[_i], &frame);
    pack_reader_init(&reader, frame.body, NULL);
    fields = pack_get_array(&reader, "body");
    for (size_t keep = 0; keep < fields; keep++) {
        uint8_t head = (uint8_t)(0x90 | keep);
        struct slice kept;

        pack_reader_init(&reader, frame.body, NULL);
        pack_get_array(&reader, "body");
        kept = msg_take_elements(&reader, keep);
        buf_clear(&again);
        buf_append(&again, &head, 1);
        buf_append_slice(&again, kept);
        kept = buf_slice(&again);
        kept = hex(hex_of(kept));
        if (may_end_at(keep, fields)) {
            ck_assert_msg(decode(kept) == ACTA_OK, "%s", err.text);
            continue;
        }
        ck_assert_int_eq(decode(kept),
                         is_request() ? ACTA_INVALID : ACTA_PROTOCOL);
    }
}
END_TEST

/* ---- wrong types ---- */

static const char *const others[] = {
    "c0",   "c3",     "05",     "fd", "cb3ff0000000000000",
    "a178", "c40178", "d40178", "90", "80",
};

#define OTHERS_COUNT (sizeof(others) / sizeof(others[0]))

static enum pack_type
type_at(const uint8_t *at, const uint8_t *end)
{
    struct pack_reader reader;

    pack_reader_init(&reader, slice_make(at, (size_t)(end - at)), NULL);
    return pack_peek(&reader);
}

/* Numbers that may be of either sign; values that may be left out; prefixes of
 * queries. @allowed has those that a kind of message has.
 */
enum {
    SIGNED = 1,
    NUMBER_OR_NIL = 2,
    BYTES_OR_NIL = 4,
    ARRAY_OR_NIL = 8,
    PREFIX = 16,
    NUMBER_OR_TEXT = 32,
    ANY_OR_NIL = 64,
};

static unsigned
allowed(void)
{
    switch (frame.kind) {
    case OP_APPEND: /* Also fields that say nothing. */
        return SIGNED | PREFIX | ANY_OR_NIL;
    case OP_CHANGE_STREAM: /* Expected version; settings. */
        return SIGNED | NUMBER_OR_NIL;
    case OP_CHANGE_CONSUMER: /* Settings, and what is altered. */
        return NUMBER_OR_NIL | ARRAY_OR_NIL | PREFIX;
    case OP_LOAD:
        return NUMBER_OR_NIL;
    case OP_CHANGE_PARKED:
        return ARRAY_OR_NIL;
    case OP_READ_ALL:
    case OP_SUBSCRIBE:
        return PREFIX;
    case OP_ERROR: /* Expected version; unseen events; ids. */
        return SIGNED | ARRAY_OR_NIL | BYTES_OR_NIL;
    case OP_LOADED: /* Snapshot; ids. */
        return ARRAY_OR_NIL | BYTES_OR_NIL;
    case OP_PAGE:
    case OP_DELIVERY:
    case OP_HANDED:
    case OP_READ_EVENT:
    case OP_BEGIN_BACKUP:
    case OP_WELCOME: /* Ids. */
        return BYTES_OR_NIL;
    case OP_STATUS_REPLY:
        return NUMBER_OR_TEXT;
    default:
        return 0;
    }
}

static bool
are(enum pack_type from, enum pack_type to, enum pack_type a, enum pack_type b)
{
    return (from == a && to == b) || (from == b && to == a);
}

/* True if a field that holds a value of type @from may hold one of @to. */
static bool
may_become(enum pack_type from, enum pack_type to)
{
    unsigned may = allowed();

    return ((may & SIGNED) && are(from, to, PACK_UINT, PACK_INT)) ||
           ((may & NUMBER_OR_NIL) && are(from, to, PACK_UINT, PACK_NIL)) ||
           ((may & BYTES_OR_NIL) && are(from, to, PACK_BIN, PACK_NIL)) ||
           ((may & ARRAY_OR_NIL) && are(from, to, PACK_ARRAY, PACK_NIL)) ||
           ((may & PREFIX) && from == PACK_ARRAY && to == PACK_STR) ||
           ((may & NUMBER_OR_TEXT) && are(from, to, PACK_UINT, PACK_STR)) ||
           ((may & ANY_OR_NIL) &&
            (to == PACK_NIL || are(from, to, PACK_ARRAY, PACK_NIL) ||
             are(from, to, PACK_UINT, PACK_NIL)));
}

/* Put each of the other types in the place of the value from @at to @end. */
static unsigned
replace(struct slice body, const uint8_t *at, const uint8_t *end)
{
    const uint8_t *body_end = body.data + body.size;
    enum pack_type type = type_at(at, body_end);
    struct buf changed;
    unsigned refused = 0;

    buf_init(&changed, 1 << 20);
    for (size_t i = 0; i < OTHERS_COUNT; i++) {
        struct slice other = hex(others[i]);
        enum pack_type other_type =
            type_at(other.data, other.data + other.size);
        enum acta_code code;

        if (other_type == type) {
            continue;
        }
        buf_clear(&changed);
        buf_append(&changed, body.data, (size_t)(at - body.data));
        buf_append_slice(&changed, other);
        buf_append(&changed, end, (size_t)(body_end - end));
        code = decode(buf_slice(&changed));
        if (code != ACTA_OK) {
            ck_assert_int_eq(err.code, code);
            ck_assert_uint_gt(strlen(err.text), 0);
            refused++;
            continue;
        }
        ck_assert_msg(may_become(type, other_type), "%s instead of %s",
                      others[i], hex_of(slice_make(at, (size_t)(end - at))));
    }
    buf_fini(&changed);
    return refused;
}

/* Visit every value in the body, the deepest too. */
static unsigned
replace_all(struct slice body, struct pack_reader *reader)
{
    enum pack_type type = pack_peek(reader);
    const uint8_t *at = reader->at;
    struct pack_reader whole = *reader;
    unsigned refused;
    size_t count = 0;

    pack_skip(&whole);
    refused = replace(body, at, whole.at);
    if (type != PACK_ARRAY) {
        pack_skip(reader);
        return refused;
    }
    count = pack_get_array(reader, "array");
    for (size_t i = 0; i < count; i++) {
        refused += replace_all(body, reader);
    }
    return refused;
}

START_TEST(value_of_another_type_is_refused_wherever_it_stands)
{
    struct pack_reader reader;

    sample_write(&buf, &samples[_i], &frame);
    pack_reader_init(&reader, frame.body, NULL);
    ck_assert_uint_ge(replace_all(frame.body, &reader), OTHERS_COUNT - 1);
    ck_assert(!reader.failed);
}
END_TEST

/* ---- anything ---- */

/* Whatever is accepted is understood: written anew it is the same message. */
START_TEST(mutated_body_is_refused_or_means_one_thing)
{
    uint8_t body[1024];
    struct buf third;
    struct rnd rnd;

    rnd_init(&rnd);
    buf_init(&third, 1 << 20);
    for (unsigned i = 0; i < rnd_effort(1500, 150000); i++) {
        struct frame second;
        size_t used;

        sample_write(&buf, &samples[_i], &frame);
        ck_assert_uint_le(frame.body.size, sizeof(body));
        memcpy(body, frame.body.data, frame.body.size);
        for (uint64_t flips = 1 + rnd_below(&rnd, 3); flips > 0; flips--) {
            body[rnd_below(&rnd, frame.body.size)] = (uint8_t)rnd_next(&rnd);
        }
        if (decode(slice_make(body, frame.body.size)) != ACTA_OK) {
            continue;
        }
        ck_assert_int_eq(frame_decode(&second, &used, buf_slice(&again),
                                      ACTA_FRAME_SIZE_MAX, NULL),
                         ACTA_OK);
        buf_clear(&third);
        ck_assert_msg(reencode(&third, second.kind, second.request_id,
                               second.body, &err) == ACTA_OK,
                      "%s", err.text);
        assert_slice_eq(buf_slice(&third), buf_slice(&again));
    }
    buf_fini(&third);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("msg");
    TCase *tcase = tcase_create("msg");
    int count = (int)samples_count;

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, every_kind_has_a_sample);
    tcase_add_test(tcase, unknown_kinds_have_no_name);
    tcase_add_loop_test(tcase, message_comes_out_as_it_went_in, 0, count);
    tcase_add_loop_test(tcase, body_cut_anywhere_is_refused, 0, count);
    tcase_add_loop_test(tcase, bytes_behind_the_body_are_refused, 0, count);
    tcase_add_loop_test(tcase, body_that_is_no_array_is_refused, 0, count);
    tcase_add_loop_test(tcase,
                        requests_refuse_more_fields_and_replies_pass_over_them,
                        0, count);
    tcase_add_loop_test(tcase, missing_fields_are_refused, 0, count);
    tcase_add_loop_test(
        tcase, value_of_another_type_is_refused_wherever_it_stands, 0, count);
    tcase_add_loop_test(tcase, mutated_body_is_refused_or_means_one_thing, 0,
                        count);
    return run_suite(suite);
}
