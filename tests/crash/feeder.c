#include "feeder.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "nap.h"
#include "require.h"
#include "rnd.h"
#include "wire.h"

#define STREAMS    40
#define LOTS       13
#define EVENTS_MAX 12 /* In one append. */
#define PAUSE_US   4000

struct feeder {
    pthread_t thread;
    struct wire wire;
    struct rnd rnd;
    unsigned events_left;
};

static void
put_append(struct feeder *feeder, struct buf *buf, uint64_t request_id,
           unsigned count)
{
    struct rnd *rnd = &feeder->rnd;
    char stream[32], tag[32];
    size_t start = msg_append_begin(buf, request_id, 1);

    snprintf(stream, sizeof(stream), "order-%u",
             (unsigned)rnd_below(rnd, STREAMS));
    msg_append_write(buf, slice_of(stream), MSG_EXPECT_ANY, count);
    while (count-- > 0) {
        snprintf(tag, sizeof(tag), FEEDER_KEY_TAG "%u",
                 (unsigned)rnd_below(rnd, LOTS));
        wire_put_event(buf, rnd_once_in(rnd, 4) ? "Noise" : FEEDER_TYPE,
                       rnd_once_in(rnd, 4) ? "other" : tag, "");
    }
    msg_append_end(buf, start, NULL);
}

/* Send these bytes until they are answered: their ids count once. */
static void
send_for_sure(struct feeder *feeder, const struct buf *append,
              uint64_t request_id)
{
    struct frame frame;
    enum acta_code code;

    do {
        if (feeder->wire.fd < 0) {
            wire_connect(&feeder->wire);
        }
        buf_append_slice(&feeder->wire.out, buf_slice(append));
        code = wire_call(&feeder->wire, request_id, OP_APPENDED, &frame, NULL);
    } while (code == ACTA_UNKNOWN || code == ACTA_BUSY);
    ck_assert_msg(code == ACTA_OK, "%s", acta_code_name(code));
}

static void *
run(void *arg)
{
    struct feeder *feeder = arg;
    struct buf append;

    buf_init(&append, (size_t)1 << 20);
    while (feeder->events_left > 0) {
        uint64_t request_id = wire_request(&feeder->wire);
        unsigned count = 1 + (unsigned)rnd_below(&feeder->rnd, EVENTS_MAX);

        if (count > feeder->events_left) {
            count = feeder->events_left;
        }
        buf_clear(&append);
        put_append(feeder, &append, request_id, count);
        send_for_sure(feeder, &append, request_id);
        feeder->events_left -= count;
        nap_us(PAUSE_US);
    }
    buf_fini(&append);
    return NULL;
}

struct feeder *
feeder_start(const struct daemon *daemon, unsigned events, uint64_t seed)
{
    struct feeder *feeder = calloc(1, sizeof(*feeder));

    ck_assert_ptr_nonnull(feeder);
    rnd_seed(&feeder->rnd, seed);
    feeder->events_left = events;
    wire_init(&feeder->wire, daemon);
    ck_assert_int_eq(pthread_create(&feeder->thread, NULL, run, feeder), 0);
    return feeder;
}

void
feeder_join(struct feeder *feeder)
{
    ck_assert_int_eq(pthread_join(feeder->thread, NULL), 0);
    wire_fini(&feeder->wire);
    free(feeder);
}
