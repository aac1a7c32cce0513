#include "drive.h"

#include <stdlib.h>

#include "../clock.h"

#define SEED 1

void
gauge_read(struct gauge *gauge, const struct peer *peer)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    gauge->client_us = (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
    gauge->server_us = host_cpu_us(&peer->host);
    gauge->read_ns = clock_ns();
}

const char *
drive_type(uint64_t number)
{
    static const char *const types[16] = {
        "T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7",
        "T8", "T9", "TA", "TB", "TC", "TD", "TE", "TF",
    };

    return types[number % 16];
}

uint64_t
drive_choose(struct drive *drive, const struct slot *slot, uint64_t streams)
{
    uint64_t random = sample_random(&drive->random) >> 16;
    uint64_t own =
        (streams - slot->index + drive->slots_count - 1) / drive->slots_count;

    return random % own * drive->slots_count + slot->index;
}

void
drive_append(struct drive *drive, struct slot *slot,
             const struct sample *sample, uint64_t number)
{
    char name[SAMPLE_NAME_SIZE];
    struct peer_append append = {
        .stream = name,
        .expected = drive->expected[slot->stream],
        .type = drive_type(drive->number++),
        .data = drive->field->appended.payload,
        .data_size = drive->field->appended.payload_size,
        .events_count = drive->work->events,
    };

    sample_stream(sample, number, name);
    drive->peer->kind->append(drive->peer, slot->conn, &append, &slot->ask);
}

static void
send_next(struct slot *slot)
{
    struct drive *drive = slot->drive;

    slot->start_ns = clock_ns();
    drive->under_way++;
    if (!drive->send(drive, slot)) {
        drive->under_way--;
    }
}

static void
on_answer(struct ask *ask)
{
    struct slot *slot = (struct slot *)ask;
    struct drive *drive = slot->drive;

    drive->under_way--;
    drive->answered++;
    if (drive->answer != NULL) {
        drive->answer(drive, slot);
    }
    if (drive->counts) {
        drive->counted++;
        hist_add(&drive->hist, clock_ns() - slot->start_ns);
    }
    if (!drive->over) {
        send_next(slot);
    }
}

static enum acta_code
make_slots(struct drive *drive, struct acta_err *err)
{
    drive->slots_count = drive->work->conns * drive->work->pipeline;
    drive->slots = calloc(drive->slots_count, sizeof(*drive->slots));
    if (drive->slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu requests", drive->slots_count);
    }
    for (size_t i = 0; i < drive->slots_count; i++) {
        drive->slots[i] = (struct slot){
            .ask.done = on_answer,
            .drive = drive,
            .index = i,
            .conn = i % drive->work->conns,
        };
    }
    return ACTA_OK;
}

static enum acta_code
measure(struct drive *drive, double seconds, struct acta_err *err)
{
    uint64_t begin_ns = clock_ns();
    uint64_t from_ns = begin_ns + (uint64_t)(seconds / 10 * 1e9);
    uint64_t to_ns = from_ns + (uint64_t)(seconds * 1e9);
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; i < drive->slots_count; i++) {
        send_next(&drive->slots[i]);
    }
    while (code == ACTA_OK && drive->under_way > 0) {
        uint64_t now_ns = clock_ns();

        if (seconds > 0 && !drive->over && now_ns >= to_ns) {
            gauge_read(&drive->end, drive->peer);
            drive->counts = false;
            drive->over = true;
        } else if (seconds > 0 && !drive->over && !drive->counts &&
                   now_ns >= from_ns) {
            gauge_read(&drive->start, drive->peer);
            drive->counts = true;
        }
        code = peer_turn(drive->peer, err);
    }
    if (code == ACTA_OK && seconds > 0 && drive->counted == 0) {
        code = acta_fail(err, ACTA_TIMEOUT, "nothing was answered in %g s",
                         seconds);
    }
    return code;
}

/* Measure, and keep what an echo has to do to be like it. */
static enum acta_code
measure_traffic(struct drive *drive, double seconds, struct acta_err *err)
{
    struct traffic before = {0}, after = {0};
    struct peer *peer = drive->peer;
    enum acta_code code;

    if (peer->kind->add_traffic == NULL) {
        return measure(drive, seconds, err);
    }
    peer->kind->add_traffic(peer, &before);
    code = measure(drive, seconds, err);
    peer->kind->add_traffic(peer, &after);
    peer->echo = (struct echo){
        .conns = drive->work->conns,
        .pipeline = drive->work->pipeline,
        .duration_ns = (uint64_t)(seconds * 1e9),
    };
    echo_sizes(&peer->echo, &before, &after, drive->answered);
    return code;
}

enum acta_code
drive_run(struct drive *drive, double seconds, bool durable,
          struct acta_err *err)
{
    enum acta_code code = make_slots(drive, err);

    drive->random = sample_random_start(SEED);
    hist_clear(&drive->hist);
    if (code == ACTA_OK) {
        code = peer_open(drive->peer, drive->work->conns, durable, err);
    }
    if (code == ACTA_OK) {
        code = measure_traffic(drive, seconds, err);
    }
    drive->over = true; /* What closing answers is not sent again. */
    peer_close(drive->peer);
    free(drive->slots);
    return code;
}

void
drive_tell(const struct drive *drive, double events, struct figures *figures)
{
    double count = (double)drive->counted * events;
    double ns = (double)(drive->end.read_ns - drive->start.read_ns);

    figures_add(figures, "rate", "/s", count / ns * 1e9);
    figures_add(figures, "p50", "us",
                (double)hist_percentile(&drive->hist, 50) / NS_PER_US);
    figures_add(figures, "p99", "us",
                (double)hist_percentile(&drive->hist, 99) / NS_PER_US);
    figures_add(figures, "server_cpu", "us",
                (drive->end.server_us - drive->start.server_us) / count);
    figures_add(figures, "client_cpu", "us",
                (drive->end.client_us - drive->start.client_us) / count);
}
