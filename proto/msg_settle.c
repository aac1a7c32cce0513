/* settle and settled. */

#include "limit.h"
#include "msg_body.h"
#include "msg_consumer.h"
#include "msg_group.h"

#define SETTLE_FIELDS  2
#define ANSWER_FIELDS  3
#define SETTLED_FIELDS 2

static bool
has_value(enum msg_settle_kind kind)
{
    return kind == MSG_RETRY || kind == MSG_PARK;
}

size_t
msg_settle_begin(struct buf *buf, uint64_t request_id, uint64_t membership,
                 size_t answers_count)
{
    size_t start = frame_begin(buf, OP_SETTLE, request_id);

    pack_array(buf, SETTLE_FIELDS);
    pack_uint(buf, membership);
    pack_array(buf, answers_count);
    return start;
}

void
msg_settle_answer(struct buf *buf, const struct msg_answer *answer)
{
    pack_array(buf, ANSWER_FIELDS + (has_value(answer->kind) ? 1 : 0));
    pack_uint(buf, answer->kind);
    pack_uint(buf, answer->fence);
    pack_uint(buf, answer->position);
    if (answer->kind == MSG_RETRY) {
        pack_uint(buf, answer->delay_us);
    } else if (answer->kind == MSG_PARK) {
        pack_str(buf, answer->reason);
    }
}

void
msg_settle_end(struct buf *buf, size_t start)
{
    frame_end(buf, start);
}

/* The value must be there if the kind has one, and only then. */
static void
check_kind(struct pack_reader *reader, uint64_t kind, size_t fields)
{
    size_t wanted;

    if (reader->failed) {
        return;
    }
    if (kind > MSG_SKIP) {
        pack_fail(reader, ACTA_INVALID,
                  "kind of answer is %ju, must be 0 to %d", (uintmax_t)kind,
                  MSG_SKIP);
        return;
    }
    wanted = ANSWER_FIELDS + (has_value((enum msg_settle_kind)kind) ? 1 : 0);
    if (fields != wanted) {
        pack_fail(reader, fields > wanted ? ACTA_UNSUPPORTED : ACTA_INVALID,
                  "answer of kind %ju has %zu fields, must have %zu",
                  (uintmax_t)kind, fields, wanted);
    }
}

static struct msg_answer
read_answer(struct pack_reader *reader)
{
    struct msg_answer answer = {0};
    size_t fields = pack_get_array(reader, "answer");
    uint64_t kind = pack_get_uint(reader, "kind");

    check_kind(reader, kind, fields);
    answer.kind = (enum msg_settle_kind)kind;
    answer.fence = pack_get_uint(reader, "fence");
    answer.position = pack_get_uint(reader, "position");
    if (reader->failed) {
        return answer;
    }
    if (answer.kind == MSG_RETRY) {
        answer.delay_us = pack_get_uint(reader, "delay");
        msg_check_time(reader, answer.delay_us, 0, ACTA_RETRY_US_MAX, "delay");
    } else if (answer.kind == MSG_PARK) {
        answer.reason = pack_get_str(reader, "reason");
        msg_check_text(reader, answer.reason, "reason");
    }
    return answer;
}

enum acta_code
msg_settle_decode(struct msg_settle *settle, struct slice body,
                  struct acta_err *err)
{
    struct pack_reader reader;
    const uint8_t *from;

    msg_request_begin(&reader, body, SETTLE_FIELDS, err);
    settle->membership = pack_get_uint(&reader, "membership");
    settle->answers_count =
        pack_get_array_of(&reader, 1, ACTA_SETTLE_MAX, "answers");
    from = reader.at;
    for (size_t i = 0; i < settle->answers_count && !reader.failed; i++) {
        read_answer(&reader);
        if (reader.failed && err != NULL) {
            acta_wrap(err, err->code, "answer %zu", i);
        }
    }
    settle->answers = pack_since(&reader, from);
    return pack_code(&reader);
}

struct msg_answer
msg_next_answer(struct slice *answers)
{
    struct msg_answer answer;
    struct pack_reader reader;

    pack_reader_init(&reader, *answers, NULL);
    answer = read_answer(&reader);
    *answers = msg_rest(&reader);
    return answer;
}

void
msg_settled_encode(struct buf *buf, uint64_t request_id, uint64_t settled,
                   const uint32_t *refused, size_t refused_count)
{
    size_t start = frame_begin(buf, OP_SETTLED, request_id);

    pack_array(buf, SETTLED_FIELDS);
    pack_uint(buf, settled);
    pack_array(buf, refused_count);
    for (size_t i = 0; i < refused_count; i++) {
        pack_uint(buf, refused[i]);
    }
    frame_end(buf, start);
}

static void
take_index(struct pack_reader *reader)
{
    uint64_t index = pack_get_uint(reader, "index");

    if (!reader->failed && index >= ACTA_SETTLE_MAX) {
        pack_fail(reader, ACTA_PROTOCOL, "answer %ju was never sent",
                  (uintmax_t)index);
    }
}

enum acta_code
msg_settled_decode(struct msg_settled *settled, struct slice body,
                   struct acta_err *err)
{
    struct pack_reader reader;

    msg_reply_begin(&reader, body, SETTLED_FIELDS, err);
    settled->settled = pack_get_uint(&reader, "settled");
    settled->refused =
        msg_take_list(&reader, &settled->refused_count, take_index, "refused");
    return pack_code(&reader);
}
