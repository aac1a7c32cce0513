/* The workloads: the same for every database. Each is run for one database at
 * a time, and finds connections closed and leaves them closed.
 */

#ifndef ACTA_PEERS_WORK_H
#define ACTA_PEERS_WORK_H

#include "../figures.h"
#include "../sample.h"
#include "peer.h"

#define WORK_SHORT 10  /* Events of a short stream, */
#define WORK_LONG  100 /* and of a long one. */

/* What all databases have, and how long each turn is. The streams that are
 * filled lie among each other, so that one's events are far apart.
 */
struct field {
    double seconds;   /* Of a turn. */
    bool settles;     /* What is filled moves to where it belongs. */
    uint64_t streams; /* That are appended to. */
    uint64_t shorts;
    uint64_t longs;
    struct sample appended; /* Names of these streams; and the payload. */
    struct sample short_ones;
    struct sample long_ones;
};

static inline uint64_t
field_events(const struct field *field)
{
    return field->shorts * WORK_SHORT + field->longs * WORK_LONG;
}

struct work;

typedef enum acta_code work_run(struct peer *peer, const struct work *work,
                                struct field *field, struct figures *figures,
                                struct acta_err *err);

struct work {
    const char *name;  /* "append-64" */
    const char *title; /* For people. */
    work_run *run;
    size_t conns;
    size_t pipeline;      /* Requests of a connection at a time. */
    size_t events;        /* Of an append, or of the stream that is loaded. */
    const char *category; /* Of a read; NULL: all. */
};

/* Figures, in this order: rate (of events, or of loads), p50, p99, server_cpu
 * and client_cpu (of an event, or of a load).
 */
work_run work_append;
work_run work_load;

/* Figures: rate, server_cpu, client_cpu. */
work_run work_read;

/* The first connection appends, the others follow. Half of the time the next
 * append waits until all have the one before: delivery_p50, delivery_p99, from
 * the start of the append. Then it does not wait: deliveries, writer (appends a
 * second), server_cpu (of a delivery).
 */
work_run work_live;

/* Store what loads and reads find: each append has one event, and need not be
 * durable yet. Then let the database settle. Figures: none.
 */
work_run work_fill;

/* What it takes with what work_fill() has stored, and nothing else: memory,
 * disk (of an event, with all that lies around), kept (without a log that is
 * recycled).
 */
work_run work_space;

#endif
