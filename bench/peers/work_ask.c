/* Requests and answers: appends, loads, and what fills the database first. */

#include "drive.h"

#include <stdlib.h>

/* ---- append ---- */

static bool
send_append(struct drive *drive, struct slot *slot)
{
    slot->stream = drive_choose(drive, slot, drive->field->streams);
    drive_append(drive, slot, &drive->field->appended, slot->stream);
    return true;
}

static void
keep_expectation(struct drive *drive, struct slot *slot)
{
    drive->expected[slot->stream] = slot->ask.answer;
}

enum acta_code
work_append(struct peer *peer, const struct work *work, struct field *field,
            struct figures *figures, struct acta_err *err)
{
    static struct drive drive; /* Large. */
    enum acta_code code;

    drive = (struct drive){
        .peer = peer,
        .work = work,
        .field = field,
        .send = send_append,
        .answer = keep_expectation,
        .expected = peer->expected,
    };
    code = drive_run(&drive, field->seconds, true, err);
    drive_tell(&drive, (double)work->events, figures);
    return code;
}

/* ---- load ---- */

static bool
send_load(struct drive *drive, struct slot *slot)
{
    bool is_short = drive->work->events == WORK_SHORT;
    const struct sample *sample =
        is_short ? &drive->field->short_ones : &drive->field->long_ones;
    uint64_t streams = is_short ? drive->field->shorts : drive->field->longs;
    char name[SAMPLE_NAME_SIZE];

    sample_stream(sample, (sample_random(&drive->random) >> 16) % streams,
                  name);
    drive->peer->kind->load(drive->peer, slot->conn, name, &slot->ask);
    return true;
}

static void
check_loaded(struct drive *drive, struct slot *slot)
{
    if (slot->ask.answer != drive->work->events) {
        peer_fail(drive->peer, "a stream of %zu events has %ju",
                  drive->work->events, (uintmax_t)slot->ask.answer);
    }
}

enum acta_code
work_load(struct peer *peer, const struct work *work, struct field *field,
          struct figures *figures, struct acta_err *err)
{
    static struct drive drive; /* Large. */
    enum acta_code code;

    drive = (struct drive){
        .peer = peer,
        .work = work,
        .field = field,
        .send = send_load,
        .answer = check_loaded,
    };
    code = drive_run(&drive, field->seconds, true, err);
    drive_tell(&drive, 1, figures);
    return code;
}

/* ---- fill ---- */

/* How many of @streams belong to @slot. */
static uint64_t
own_streams(const struct slot *slot, uint64_t streams)
{
    uint64_t slots = slot->drive->slots_count;

    return (streams - slot->index + slots - 1) / slots;
}

/* Each slot goes round its streams, and gives each one event at a time: to the
 * long ones in every pass, to the short ones in one of ten.
 */
static bool
send_fill(struct drive *drive, struct slot *slot)
{
    struct field *field = drive->field;
    uint64_t longs = own_streams(slot, field->longs);
    uint64_t shorts = own_streams(slot, field->shorts);
    uint64_t ten = 10 * longs + shorts; /* Events of ten passes. */
    uint64_t place = slot->place++;
    uint64_t in_ten, number;

    if (ten == 0 || place / ten == WORK_LONG / 10) {
        return false;
    }
    in_ten = place % ten;
    if (in_ten < shorts) {
        number = in_ten * drive->slots_count + slot->index;
        slot->stream = number;
        drive_append(drive, slot, &field->short_ones, number);
    } else {
        number = (in_ten - shorts) % longs * drive->slots_count + slot->index;
        slot->stream = field->shorts + number;
        drive_append(drive, slot, &field->long_ones, number);
    }
    return true;
}

static void
on_settled(struct ask *ask)
{
    ask->answer = 1;
}

static enum acta_code
settle(struct peer *peer, struct acta_err *err)
{
    struct ask ask = {.done = on_settled};
    enum acta_code code;

    if (peer->kind->settle == NULL) {
        return ACTA_OK;
    }
    code = peer_open(peer, 1, true, err);
    if (code == ACTA_OK) {
        ask.answer = 0;
        peer->kind->settle(peer, &ask);
    }
    while (code == ACTA_OK && ask.answer == 0) {
        code = peer_turn(peer, err);
    }
    peer_close(peer);
    return code;
}

enum acta_code
work_fill(struct peer *peer, const struct work *work, struct field *field,
          struct figures *figures, struct acta_err *err)
{
    static struct drive drive; /* Large. */
    enum acta_code code;

    (void)figures;
    drive = (struct drive){
        .peer = peer,
        .work = work,
        .field = field,
        .send = send_fill,
        .answer = keep_expectation,
        .expected = calloc(field->shorts + field->longs, sizeof(uint64_t)),
    };
    if (drive.expected == NULL) {
        return acta_fail(err, ACTA_MEMORY, "fill");
    }
    code = drive_run(&drive, 0, false, err);
    free(drive.expected);
    return code == ACTA_OK && field->settles ? settle(peer, err) : code;
}

enum acta_code
work_space(struct peer *peer, const struct work *work, struct field *field,
           struct figures *figures, struct acta_err *err)
{
    double events = (double)field_events(field);
    struct peer_disk disk = peer_disk(peer);

    (void)work;
    (void)err;
    figures_add(figures, "memory", "MiB", host_memory_mib(&peer->host));
    figures_add(figures, "disk", "bytes", disk.all / events);
    figures_add(figures, "kept", "bytes",
                (disk.kept - peer->empty.kept) / events);
    return ACTA_OK;
}
