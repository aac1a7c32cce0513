/* How results are printed: a table of functions for people, and one for
 * programs. All print to stdout. One thread.
 */

#ifndef ACTA_OUT_H
#define ACTA_OUT_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cli;
struct out_named;

/* What became of an event that was appended. */
struct out_appended {
    const char *stream;
    uint64_t version;
    uint64_t position;
    const struct acta_id *id;
    uint64_t took_us;
    bool repeated; /* It was stored before. */
};

/* Round trips, in microseconds. */
struct out_ping {
    uint64_t head;
    uint64_t count;
    uint64_t min_us, p50_us, p90_us, p99_us, max_us;
};

/* What became of a stream that was changed. */
struct out_changed {
    const char *stream;
    const char *text;  /* For people: "order-42: deleted" */
    uint64_t version;  /* The stream's. */
    uint64_t position; /* The database's last. */
    bool changed;      /* It was not like that already. */
};

/* What a replay would bring. */
struct out_counted {
    uint64_t events;
    uint64_t size; /* Bytes of data and metadata. */
    uint64_t first_position;
    uint64_t last_position;
    uint64_t first_time_us;
    uint64_t last_time_us;
};

struct out_format {
    /* One of many events. */
    void (*event)(const struct cli *cli, const struct acta_event *event);
    /* One event, which is all that was asked for. */
    void (*single)(const struct cli *cli, const struct acta_event *event);
    void (*appended)(const struct cli *cli, const struct out_appended *what);
    void (*changed)(const struct cli *cli, const struct out_changed *what);
    void (*stream)(const struct cli *cli, const struct acta_stream *stream);
    void (*description)(const struct cli *cli,
                        const struct acta_description *description);
    void (*name)(const struct cli *cli, const struct acta_name *name);
    void (*status)(const struct cli *cli, const struct acta_server *server,
                   const struct acta_status *status);
    void (*ping)(const struct cli *cli, const struct out_ping *ping);
    void (*counted)(const struct cli *cli, const struct out_counted *counted);
    void (*code)(const struct cli *cli, enum acta_code code);
    const struct out_named *named; /* For what has a name: out_named.h */
};

extern const struct out_format out_text;
extern const struct out_format out_json;

/* An event as a line that acta import takes, with its end. */
void out_event_line(FILE *out, const struct acta_event *event);

/* "live", "deleted", "tombstoned" */
const char *out_state(enum acta_stream_state state);

#define OUT_TIME_SIZE 32

/* "2026-11-21T22:22:36.123456Z" for programs, "2026-11-21 22:22:36.123" for
 * people; UTC both.
 */
void out_time(uint64_t time_us, char text[OUT_TIME_SIZE]);
void out_time_short(uint64_t time_us, char text[OUT_TIME_SIZE]);

#endif
