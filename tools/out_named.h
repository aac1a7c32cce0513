/* How what has a name is printed: consumers, parked events, leases, schedules,
 * snapshots; as in out.h. Rows for people are put into a table, which is
 * printed when all of a bunch are there; for programs each is an object of its
 * own, and the table stays empty. One thread.
 */

#ifndef ACTA_OUT_NAMED_H
#define ACTA_OUT_NAMED_H

#include <acta/acta_consumer.h>
#include <acta/acta_lease.h>
#include <acta/acta_schedule.h>
#include <acta/acta_snapshot.h>
#include <stdbool.h>
#include <stdint.h>

#include "due.h"
#include "table.h"

struct cli;

/* How far a consumer is, and how fast it goes: known from a second look on. */
struct out_lag {
    const struct acta_consumer *consumer;
    bool has_rate;
    double rate;  /* Events that it passes in a second. */
    bool has_eta; /* It comes nearer to the head. */
    double eta_s; /* Until it is there. */
};

/* What became of a consumer that was changed. */
struct out_consumer_changed {
    const char *name;
    const char *text; /* For people. */
    uint64_t position;
    uint64_t epoch;
    bool changed;
    bool has_before; /* It was moved, */
    uint64_t before; /* from here. */
};

/* What became of a schedule that was made, moved or cancelled. */
struct out_scheduled {
    const char *name;
    const char *state;     /* "waits", "moved", "cancelled" */
    const struct due *due; /* NULL: never. */
    const char *text;      /* For people. */
};

struct out_named {
    void (*consumer)(const struct cli *cli, struct table *table,
                     const struct acta_consumer *consumer);
    void (*lag)(const struct cli *cli, struct table *table,
                const struct out_lag *lag);
    void (*described)(const struct cli *cli,
                      const struct acta_consumer_description *description);
    void (*consumer_changed)(const struct cli *cli,
                             const struct out_consumer_changed *what);
    void (*parked)(const struct cli *cli, struct table *table,
                   const char *group, const struct acta_parked *parked);
    /* @event: NULL if it is hidden by now. */
    void (*parked_event)(const struct cli *cli, const char *group,
                         const struct acta_parked *parked,
                         const struct acta_event *event);
    /* So many of @group were changed; @text is for people. */
    void (*counted)(const struct cli *cli, const char *group, uint64_t count,
                    const char *text);
    void (*lease)(const struct cli *cli, struct table *table,
                  const struct acta_lease_info *lease);
    void (*schedule)(const struct cli *cli, struct table *table,
                     const struct acta_schedule *schedule);
    void (*scheduled)(const struct cli *cli, const struct out_scheduled *what);
    void (*snapshot)(const struct cli *cli, const char *stream,
                     const struct acta_snapshot *snapshot,
                     uint64_t stream_version);
};

extern const struct out_named out_named_text;
extern const struct out_named out_named_json;

/* In a word: "live", "paused", "catching up", "no members", "not connected". */
const char *out_consumer_state(const struct acta_consumer *consumer);

/* "parked", "behind", "replayed" */
const char *out_parked_state(enum acta_parked_state state);

#endif
