#include "planner.h"

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "nap.h"
#include "notes.h"
#include "pack.h"
#include "require.h"
#include "rnd.h"
#include "wire.h"

#define BATCH_MAX  200 /* Schedules in one append. */
#define EVENTS_MAX 3   /* In one schedule. */
#define STREAMS    37
#define NAME_SIZE  32
#define GRAIN_US   1000 /* Many are due at once. */

struct planner {
    pthread_t thread;
    struct wire wire;
    struct rnd rnd;
    struct notes *notes;
    struct planner_options options;
    uint64_t asked;
    uint64_t began_us;
};

uint64_t
planner_time_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
name_of(const struct planner *planner, uint64_t index, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "plan-%u-%" PRIu64, planner->options.number,
             index);
}

/* In the time that it was given, or what is left of that. */
static uint64_t
choose_due(struct planner *planner)
{
    uint64_t span_us = planner->options.last_us - planner->options.first_us;
    uint64_t due_us = planner->began_us + planner->options.first_us +
                      rnd_below(&planner->rnd, span_us);

    return due_us / GRAIN_US * GRAIN_US;
}

/* ---- asking ---- */

/* Send an append that has effects only, until it is answered. */
static void
ask(struct planner *planner, const struct msg_append_more *more)
{
    struct buf *out = &planner->wire.out;
    enum acta_code code;

    do {
        struct msg_appended appended = {.cancelled = 0};
        uint64_t request_id;
        struct frame frame;
        struct acta_err err;
        size_t start;

        if (planner->wire.fd < 0) {
            wire_connect(&planner->wire);
        }
        request_id = wire_request(&planner->wire);
        start = msg_append_begin(out, request_id, 0);
        msg_append_end(out, start, more);
        code = wire_call(&planner->wire, request_id, OP_APPENDED, &frame, NULL);
        if (code == ACTA_OK) {
            require(msg_appended_decode(&appended, frame.body, &err) ==
                    ACTA_OK);
        }
        note(planner->notes,
             "{\"told\":%" PRIu64 ",\"code\":\"%s\",\"cancelled\":%" PRIu64
             ",\"wall\":%" PRIu64 "}",
             planner->asked, acta_code_name(code), appended.cancelled,
             planner_time_us());
    } while (code == ACTA_UNKNOWN || code == ACTA_BUSY);
}

static void
put_writes(struct planner *planner, struct buf *writes, const char *name,
           uint64_t index, unsigned events)
{
    char stream[32];

    snprintf(stream, sizeof(stream), "due-%" PRIu64, index % STREAMS);
    buf_init(writes, 4096);
    pack_array(writes, 1);
    msg_append_write(writes, slice_of(stream), MSG_EXPECT_ANY, events);
    while (events-- > 0) {
        wire_put_event(writes, PLANNER_TYPE, NULL, name);
    }
    require(!buf_failed(writes));
    (void)planner;
}

static void
plan(struct planner *planner, uint64_t first, size_t count)
{
    static _Thread_local struct msg_schedule schedules[BATCH_MAX];
    static _Thread_local char names[BATCH_MAX][NAME_SIZE];
    static _Thread_local struct buf writes[BATCH_MAX];
    struct msg_append_more more = {
        .schedules = schedules,
        .schedules_count = count,
    };

    note_part(planner->notes, "{\"ask\":%" PRIu64 ",\"plan\":[",
              ++planner->asked);
    for (size_t i = 0; i < count; i++) {
        unsigned events = 1 + (unsigned)rnd_below(&planner->rnd, EVENTS_MAX);

        name_of(planner, first + i, names[i]);
        put_writes(planner, &writes[i], names[i], first + i, events);
        schedules[i] = (struct msg_schedule){
            .name = slice_of(names[i]),
            .due_us = choose_due(planner),
            .writes = buf_slice(&writes[i]),
        };
        note_part(planner->notes, "%s[\"%s\",%" PRIu64 ",%u]", i > 0 ? "," : "",
                  names[i], schedules[i].due_us, events);
    }
    note_part(planner->notes, "]}");
    note_end(planner->notes);
    ask(planner, &more);
    for (size_t i = 0; i < count; i++) {
        buf_fini(&writes[i]);
    }
}

static void
move(struct planner *planner, const char *name)
{
    struct msg_schedule schedule = {
        .name = slice_of(name),
        .due_us = choose_due(planner),
    };
    struct msg_append_more more = {
        .schedules = &schedule,
        .schedules_count = 1,
    };

    note(planner->notes,
         "{\"ask\":%" PRIu64 ",\"move\":\"%s\",\"due\":%" PRIu64 "}",
         ++planner->asked, name, schedule.due_us);
    ask(planner, &more);
}

static void
cancel(struct planner *planner, const char *name)
{
    struct slice cancellation = slice_of(name);
    struct msg_append_more more = {
        .cancellations = &cancellation,
        .cancellations_count = 1,
    };

    note(planner->notes, "{\"ask\":%" PRIu64 ",\"cancel\":\"%s\"}",
         ++planner->asked, name);
    ask(planner, &more);
}

static void *
run(void *arg)
{
    struct planner *planner = arg;
    const struct planner_options *options = &planner->options;

    planner->began_us = planner_time_us();
    for (unsigned i = 0; i < options->count; i += BATCH_MAX) {
        unsigned left = options->count - i;

        plan(planner, i, left < BATCH_MAX ? left : BATCH_MAX);
    }
    for (unsigned i = 0; i < options->changes; i++) {
        char name[NAME_SIZE];

        nap_us(rnd_below(&planner->rnd, options->pace_us));
        name_of(planner, rnd_below(&planner->rnd, options->count), name);
        if (rnd_once_in(&planner->rnd, 3)) {
            cancel(planner, name);
        } else {
            move(planner, name);
        }
    }
    return NULL;
}

struct planner *
planner_start(const struct daemon *daemon, const char *dir,
              const struct planner_options *options)
{
    struct planner *planner = calloc(1, sizeof(*planner));
    char name[40];

    ck_assert_ptr_nonnull(planner);
    planner->options = *options;
    rnd_seed(&planner->rnd, options->seed + options->number);
    snprintf(name, sizeof(name), "planner-%u.log", options->number);
    planner->notes = notes_open(dir, name);
    wire_init(&planner->wire, daemon);
    ck_assert_int_eq(pthread_create(&planner->thread, NULL, run, planner), 0);
    return planner;
}

void
planner_join(struct planner *planner)
{
    ck_assert_int_eq(pthread_join(planner->thread, NULL), 0);
    wire_fini(&planner->wire);
    notes_close(planner->notes);
    free(planner);
}
