/* Requests in a closed loop: each slot has one under way, and sends the next
 * when it has the answer.
 *
 * The struct is the caller's; one thread.
 */

#ifndef ACTA_PEERS_DRIVE_H
#define ACTA_PEERS_DRIVE_H

#include "../hist.h"
#include "work.h"

struct drive;

/* One request that is under way, or may be. */
struct slot {
    struct ask ask; /* First: an answer finds its slot by it. */
    struct drive *drive;
    size_t index;
    size_t conn;
    uint64_t stream; /* That it appends to, among drive->expected. */
    uint64_t place;  /* Of what is filled. */
    uint64_t start_ns;
};

/* Send the next request of @slot by drive_append() or the kind's load. False:
 * there is none any more.
 */
typedef bool drive_send(struct drive *drive, struct slot *slot);

/* An answer has come. May be NULL. */
typedef void drive_answer(struct drive *drive, struct slot *slot);

/* Time on processors and the clock, at one moment. */
struct gauge {
    uint64_t read_ns;
    double client_us;
    double server_us;
};

void gauge_read(struct gauge *gauge, const struct peer *peer);

struct drive {
    struct peer *peer;
    const struct work *work;
    struct field *field;
    drive_send *send;
    drive_answer *answer;
    uint64_t *expected; /* Of streams, what the next append expects. */
    struct slot *slots; /* owned */
    size_t slots_count;
    size_t under_way;
    uint64_t random;
    uint64_t number; /* Of the next event. */
    uint64_t answered;
    uint64_t counted; /* Of them. */
    bool counts;
    bool over;
    struct hist hist;
    struct gauge start;
    struct gauge end;
};

/* Open connections, and send until all senders have no more or, if @seconds is
 * not 0, for that time, behind a tenth of it that does not count. Then all is
 * answered, and the connections are closed, whatever this returns. What an echo
 * is to be like beside it is then in the peer.
 */
enum acta_code drive_run(struct drive *drive, double seconds, bool durable,
                         struct acta_err *err);

/* A stream that only this slot uses, of @streams. */
uint64_t drive_choose(struct drive *drive, const struct slot *slot,
                      uint64_t streams);

/* Append the work's number of events to stream @number of @sample, whose
 * expectation is drive->expected[slot->stream].
 */
void drive_append(struct drive *drive, struct slot *slot,
                  const struct sample *sample, uint64_t number);

/* rate, p50, p99, server_cpu, client_cpu; @events of each request. */
void drive_tell(const struct drive *drive, double events,
                struct figures *figures);

/* The type of event @number. */
const char *drive_type(uint64_t number);

#endif
