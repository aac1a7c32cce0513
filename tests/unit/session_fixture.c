#include "session_fixture.h"

#include <check.h>
#include <string.h>

#include "fake_database.h"
#include "limit.h"

struct outbox outbox;
struct counters counters;
static struct completions completions;
static struct server_info info = {
    .version = "9.9.9", .counters = &counters, .threads_count = 1};
struct session_host host;
struct session session;
struct buf in;
struct buf out;
struct acta_err err;

static void
wake(void *user)
{
    (void)user;
}

void
session_setup(void)
{
    fake_database_init();
    outbox_init(&outbox);
    completions_init(&completions, wake, NULL);
    memset(&counters, 0, sizeof(counters));
    host = (struct session_host){
        .database = fake_database_handle(),
        .outbox = &outbox,
        .completions = &completions,
        .counters = &counters,
        .limits = {.requests_max = 100,
                   .requests_memory = 1 << 20,
                   .output_high = 64 << 10,
                   .output_low = 16 << 10,
                   .subscription_step = 4 << 10},
        .info = &info,
    };
    buf_init(&in, 1 << 28);
    buf_init(&out, 1 << 28);
    session_init(&session, &host, 42, &out);
}

void
session_teardown(void)
{
    struct job *job = completions_take(&completions);

    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
    session_fini(&session);
    outbox_fini(&outbox);
    completions_fini(&completions);
    fake_database_fini();
    buf_fini(&in);
    buf_fini(&out);
}

void
feed(void)
{
    buf_consume(&in, session_feed(&session, buf_slice(&in)));
}

void
commit(void)
{
    struct job *job;

    outbox_flush(&outbox, host.database);
    fake_database_commit();
    job = completions_take(&completions);
    while (job != NULL) {
        struct job *next = job->next;

        session_complete(&session, job);
        job = next;
    }
    session_wake(&session, database_head(host.database));
}

void
pump(void)
{
    for (int i = 0; session_pump(&session) > 0; i++) {
        ck_assert_int_lt(i, 100000);
    }
}

/* ---- what the client says ---- */

void
say_hello(void)
{
    struct msg_hello hello = {1, 1, slice_of("test"), slice_of("")};

    msg_hello_encode(&in, 1, &hello);
}

void
say_append_of(uint64_t id, const char *stream, int64_t expected, size_t events,
              size_t size)
{
    static uint8_t data[1 << 20];
    static uint64_t next;
    size_t start = msg_append_begin(&in, id, 1);

    msg_append_write(&in, slice_of(stream), expected, events);
    for (size_t i = 0; i < events; i++) {
        uint8_t event_id[16] = {0};
        struct event event = {.type = slice_of("T"),
                              .id = event_id,
                              .data = slice_make(data, size)};

        next++;
        memcpy(event_id, &next, sizeof(next));
        event_encode_content(&in, &event, NULL, 0);
    }
    frame_end(&in, start);
}

void
say_append(uint64_t id, const char *stream, int64_t expected)
{
    say_append_of(id, stream, expected, 1, 10);
}

void
say_read_all(uint64_t id)
{
    struct msg_read_all read = {.query = QUERY_ALL};

    msg_read_all_encode(&in, id, &read);
}

void
say_subscribe(uint64_t id, uint64_t after, uint64_t credit)
{
    struct msg_subscribe subscribe = {
        .query = QUERY_ALL, .after = after, .credit = credit};

    msg_subscribe_encode(&in, id, &subscribe);
}

/* ---- what the server answers ---- */

struct frame
next_frame(void)
{
    struct frame frame;
    size_t used;

    ck_assert_int_eq(
        frame_decode(&frame, &used, buf_slice(&out), ACTA_FRAME_SIZE_MAX, &err),
        ACTA_OK);
    ck_assert_msg(used > 0, "there is no answer");
    buf_consume(&out, used);
    return frame;
}

struct frame
expect(uint8_t kind, uint64_t id)
{
    struct frame frame = next_frame();

    ck_assert_msg(frame.kind == kind, "got %s, not %s", opcode_text(frame.kind),
                  opcode_text(kind));
    ck_assert_uint_eq(frame.request_id, id);
    return frame;
}

void
expect_nothing(void)
{
    ck_assert_uint_eq(buf_size(&out), 0);
}

struct msg_error
expect_error(uint64_t id, enum acta_code code)
{
    struct frame frame = expect(OP_ERROR, id);
    struct msg_error error;

    ck_assert_int_eq(msg_error_decode(&error, frame.body, &err), ACTA_OK);
    ck_assert_msg(error.code == code, "got %s, not %s: %.*s",
                  acta_code_name(error.code), acta_code_name(code),
                  (int)error.text.size, (const char *)error.text.data);
    ck_assert_uint_gt(error.text.size, 0);
    return error;
}

void
expect_delivery(uint64_t id, size_t events, uint64_t position)
{
    struct frame frame = expect(OP_DELIVERY, id);
    struct msg_delivery delivery;

    ck_assert_int_eq(msg_delivery_decode(&delivery, frame.body, &err), ACTA_OK);
    ck_assert_uint_eq(delivery.events_count, events);
    ck_assert_uint_eq(delivery.position, position);
}

void
greet(void)
{
    say_hello();
    feed();
    expect(OP_WELCOME, 1);
}

void
store(size_t count)
{
    say_append_of(9999, "order-1", MSG_EXPECT_ANY, count, 1000);
    feed();
    commit();
    expect(OP_APPENDED, 9999);
}
