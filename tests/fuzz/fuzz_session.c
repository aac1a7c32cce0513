/* A session in front of a database in memory. The first byte of the input is
 * how many bytes arrive at a time (0: all), the rest is what the client sends.
 *
 * Whatever that is: all of it is used up or waits for more to come, what the
 * session says is whole frames of replies that decode, and every append and
 * change that was taken is answered.
 */

#include <string.h>

#include "fake_database.h"
#include "frame.h"
#include "fuzz.h"
#include "limit.h"
#include "opcode.h"
#include "reencode.h"
#include "session.h"

/* Inputs that have the database grow further take long, and find no more. */
#define INPUT_SIZE_MAX (64u << 10)
#define OUT_SIZE_MAX   (64u << 20)
#define PUMPS_MAX      100000

static struct outbox outbox;
static struct completions completions;
static struct counters counters;
static struct session session;
static struct buf out;

static const struct server_info info = {
    .version = "9.9.9", .counters = &counters, .threads_count = 1};

static void
wake(void *user)
{
    (void)user;
}

/* Marks that are low, so that they are reached. */
static struct session_host
make_host(void)
{
    return (struct session_host){
        .database = fake_database_handle(),
        .outbox = &outbox,
        .completions = &completions,
        .counters = &counters,
        .limits = {.requests_max = 3,
                   .requests_memory = 4 << 10,
                   .output_high = 2 << 10,
                   .output_low = 1 << 10,
                   .subscription_step = 512},
        .info = &info,
    };
}

/* The peer takes all that there is for it, and understands it. */
static void
take_output(void)
{
    while (buf_size(&out) > 0) {
        struct acta_err err = {ACTA_OK, ""};
        struct buf again;
        struct frame frame;
        size_t used;

        FUZZ_PROMISE(frame_decode(&frame, &used, buf_slice(&out),
                                  ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK);
        FUZZ_PROMISE(used > 0);
        FUZZ_PROMISE(frame.kind >= OP_REPLY_FIRST);
        buf_init(&again, OUT_SIZE_MAX);
        FUZZ_PROMISE(reencode(&again, frame.kind, frame.request_id, frame.body,
                              &err) == ACTA_OK);
        buf_fini(&again);
        buf_consume(&out, used);
    }
    FUZZ_PROMISE(!buf_failed(&out));
}

/* What happens between two arrivals of bytes: a commit, and turns of what takes
 * a read's time.
 */
static void
turn(struct database *database)
{
    struct job *job;
    unsigned pumps = 0;

    outbox_flush(&outbox, database);
    fake_database_commit();
    job = completions_take(&completions);
    while (job != NULL) {
        struct job *next = job->next;

        session_complete(&session, job);
        job = next;
    }
    take_output();
    session_wake(&session, database_head(database));
    while (session_pump(&session) > 0) {
        FUZZ_PROMISE(++pumps < PUMPS_MAX);
        take_output();
    }
    FUZZ_PROMISE(session.jobs_count == 0);
    FUZZ_PROMISE(session.jobs_size == 0);
    session_tick(&session);
    take_output();
}

/* Let the session have the bytes that have come, and go on with those that it
 * leaves, until it leaves only what may be the front of a frame. Returns how
 * many it used.
 */
static size_t
feed(struct database *database, struct slice bytes)
{
    size_t used = 0;

    do {
        size_t now = session_feed(
            &session, slice_make(bytes.data + used, bytes.size - used));

        FUZZ_PROMISE(now <= bytes.size - used);
        FUZZ_PROMISE(now > 0 || !session.left_frame || buf_size(&out) > 0);
        used += now;
        turn(database);
    } while (session.left_frame);
    return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session_host host = make_host();
    size_t step, come = 1, used = 1;

    if (size < 2 || size > INPUT_SIZE_MAX) {
        return 0;
    }
    step = data[0] == 0 ? size : data[0];
    fake_database_init();
    outbox_init(&outbox);
    completions_init(&completions, wake, NULL);
    memset(&counters, 0, sizeof(counters));
    buf_init(&out, OUT_SIZE_MAX);
    session_init(&session, &host, 42, &out);

    while (come < size) {
        come += size - come < step ? size - come : step;
        used += feed(host.database, slice_make(data + used, come - used));
    }
    FUZZ_PROMISE(session.state != SESSION_OVER || used == size);
    if (session.state != SESSION_OVER) {
        session_stop(&session);
        session_end_input(&session);
        take_output();
    }
    FUZZ_PROMISE(session.subs.count == 0);

    session_fini(&session);
    FUZZ_PROMISE(atomic_load(&counters.subscriptions) == 0);
    outbox_fini(&outbox);
    completions_fini(&completions);
    fake_database_fini();
    buf_fini(&out);
    return 0;
}
