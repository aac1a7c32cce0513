#include "holder.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "msg_lease.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "wire.h"

#define NAMES_COUNT     3
#define DURATION_US_MIN 20000
#define WAIT_US_MAX     300000
#define WORK_US_MAX     20000
#define STEPS_MAX       6

struct holder {
    struct wire wire;
    struct rnd rnd;
    struct notes *notes;
    unsigned number;
    uint64_t asked; /* Questions so far. */
    char name[16];  /* Of the lease at hand; */
    uint8_t claim[UUID_SIZE];
    uint64_t duration_us;
    uint64_t fence; /* 0: it is not known to be ours. */
};

/* ---- asking, with notes ---- */

static void
note_question(struct holder *holder, const char *kind, uint64_t wait_us)
{
    note(holder->notes,
         "{\"ask\":%" PRIu64 ",\"kind\":\"%s\",\"name\":\"%s\","
         "\"fence\":%" PRIu64 ",\"duration\":%" PRIu64 ",\"wait\":%" PRIu64
         ",\"at\":%" PRIu64 "}",
         ++holder->asked, kind, holder->name, holder->fence,
         holder->duration_us, wait_us, notes_time_us());
}

static void
note_answer(struct holder *holder, enum acta_code code, uint64_t fence)
{
    note(holder->notes,
         "{\"told\":%" PRIu64 ",\"code\":\"%s\",\"fence\":%" PRIu64
         ",\"at\":%" PRIu64 "}",
         holder->asked, acta_code_name(code), fence, notes_time_us());
}

static enum acta_code
change(struct holder *holder, const char *text, enum msg_lease_change kind,
       uint64_t wait_us)
{
    struct msg_change_lease change = {
        .name = slice_of(holder->name),
        .kind = kind,
        .holder = slice_of("holder"),
        .claim = holder->claim,
        .duration_us = holder->duration_us,
        .wait_us = wait_us,
        .fence = holder->fence,
    };
    struct msg_lease_changed changed = {.fence = 0};
    uint64_t request_id = wire_request(&holder->wire);
    struct frame frame;
    struct acta_err err;
    enum acta_code code;

    note_question(holder, text, wait_us);
    msg_change_lease_encode(&holder->wire.out, request_id, &change);
    code = wire_call(&holder->wire, request_id, OP_LEASE_CHANGED, &frame, NULL);
    if (code == ACTA_OK) {
        ck_assert_msg(msg_lease_changed_decode(&changed, frame.body, &err) ==
                          ACTA_OK,
                      "%s", err.text);
    }
    note_answer(holder, code, changed.fence);
    if (code == ACTA_OK && kind == MSG_LEASE_ACQUIRE) {
        holder->fence = changed.fence;
    }
    return code;
}

/* Append an event that tells the fence it was written under. */
static enum acta_code
use(struct holder *holder)
{
    struct msg_fence fence = {slice_of(holder->name), holder->fence};
    struct msg_append_more more = {.leases = &fence, .leases_count = 1};
    struct buf *out = &holder->wire.out;
    uint64_t request_id = wire_request(&holder->wire);
    char stream[32], data[64];
    struct frame frame;
    enum acta_code code;
    size_t start;

    note_question(holder, "append", 0);
    snprintf(stream, sizeof(stream), "work-%s", holder->name);
    snprintf(data, sizeof(data), "%u %" PRIu64 " %" PRIu64, holder->number,
             holder->asked, holder->fence);
    start = msg_append_begin(out, request_id, 1);
    msg_append_write(out, slice_of(stream), MSG_EXPECT_ANY, 1);
    wire_put_event(out, "Worked", NULL, data);
    msg_append_end(out, start, &more);
    code = wire_call(&holder->wire, request_id, OP_APPENDED, &frame, NULL);
    note_answer(holder, code, holder->fence);
    return code;
}

/* ---- what it does with a lease ---- */

static void
work(struct holder *holder)
{
    struct rnd *rnd = &holder->rnd;
    uint64_t steps = rnd_below(rnd, STEPS_MAX);
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && steps-- > 0) {
        nap_us(rnd_below(rnd, WORK_US_MAX));
        code = rnd_once_in(rnd, 2)
                   ? use(holder)
                   : change(holder, "renew", MSG_LEASE_RENEW, 0);
    }
}

/* Be late, as a program that was away without knowing it, and try. */
static void
overstay(struct holder *holder)
{
    nap_us(holder->duration_us + rnd_below(&holder->rnd, WORK_US_MAX));
    if (rnd_once_in(&holder->rnd, 2)) {
        (void)use(holder);
    } else {
        (void)change(holder, "renew", MSG_LEASE_RENEW, 0);
    }
}

static void
want(struct holder *holder)
{
    struct rnd *rnd = &holder->rnd;
    uint64_t wait_us = rnd_once_in(rnd, 2) ? 0 : rnd_below(rnd, WAIT_US_MAX);
    enum acta_code code;

    snprintf(holder->name, sizeof(holder->name), "lease-%u",
             (unsigned)rnd_below(rnd, NAMES_COUNT));
    rnd_bytes(rnd, holder->claim, sizeof(holder->claim));
    holder->duration_us =
        DURATION_US_MIN +
        rnd_below(rnd, HOLDER_DURATION_US_MAX - DURATION_US_MIN);
    holder->fence = 0;
    code = change(holder, "acquire", MSG_LEASE_ACQUIRE, wait_us);
    if (code == ACTA_UNKNOWN) { /* The same again: it may be ours. */
        wire_connect(&holder->wire);
        code = change(holder, "acquire", MSG_LEASE_ACQUIRE, wait_us);
    }
    if (code != ACTA_OK) {
        nap_us(rnd_below(rnd, WORK_US_MAX));
        return;
    }
    work(holder);
    if (rnd_once_in(rnd, 4)) {
        overstay(holder);
    } else if (!rnd_once_in(rnd, 4)) {
        (void)change(holder, "release", MSG_LEASE_RELEASE, 0);
    }
}

pid_t
holder_start(const struct daemon *daemon, const char *dir, unsigned number,
             uint64_t seed, const atomic_bool *stopping)
{
    struct holder holder = {.number = number};
    char name[40];
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid != 0) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rnd_seed(&holder.rnd, seed + number);
    snprintf(name, sizeof(name), "holder-%u.log", number);
    holder.notes = notes_open(dir, name);
    wire_init(&holder.wire, daemon);
    while (!atomic_load(stopping)) {
        if (holder.wire.fd < 0) {
            wire_connect(&holder.wire);
        }
        want(&holder);
    }
    wire_fini(&holder.wire);
    notes_close(holder.notes);
    _exit(EXIT_SUCCESS);
}
