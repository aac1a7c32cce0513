/* What must hold, known from what the clients asked for and were told.
 *
 * Every event that a client makes is a fact, with a number that its id has, so
 * that whoever sees an event knows what it must look like. Facts are made in
 * attempts: the appends, which are sent until their outcome is known. What is
 * seen once, by anybody, is there for ever: at this position, in this version,
 * byte for byte. A promise that is broken ends the run.
 */

#ifndef ACTA_SIM_ORACLE_H
#define ACTA_SIM_ORACLE_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_STREAMS    6u
#define ORACLE_PRUNED     2u /* Streams behind those: see prune.h. */
#define ORACLE_TYPES      3u
#define ORACLE_TAGS       4u
#define ORACLE_WRITES_MAX 2u

enum outcome {
    OUTCOME_OPEN,    /* It may be stored, now or later. */
    OUTCOME_STORED,  /* As the server has said. */
    OUTCOME_REFUSED, /* For good. */
};

struct fact {
    unsigned stream;
    unsigned type;
    unsigned tag;
    size_t size;
    struct attempt *attempt;
    uint64_t position; /* 0: not seen yet */
    uint64_t version;
    uint64_t time_us; /* 0: not shown yet */
};

/* The events of one attempt have numbers one behind the other. */
struct attempt {
    uint64_t first; /* Its first event's number. */
    size_t count;
    enum outcome outcome;

    size_t writes_count;
    struct {
        unsigned stream;
        int64_t expected;
        size_t count;
    } writes[ORACLE_WRITES_MAX];

    bool has_condition; /* No event with this tag after this position. */
    unsigned tag;
    uint64_t after;

    uint64_t fence; /* Of the lease that it is done under; 0: of none. */

    uint64_t source; /* Position of the event that it is derived from, and of
                        which it is the checkpoint; 0: of none. */

    uint64_t due_us;  /* Of one that is scheduled: not before; 0: at once. */
    bool is_doubtful; /* It may have been cancelled. */
};

/* ---- making ---- */

/* A new attempt without events, and a write to @stream, with events of the
 * world's chance. The oracle's.
 */
struct attempt *oracle_attempt(void);
void oracle_write(struct attempt *attempt, unsigned stream, int64_t expected,
                  size_t count);

/* The same as an append, which is the caller's. */
struct acta_append *oracle_append(const struct attempt *attempt);

const char *oracle_stream_name(unsigned stream);
const char *oracle_type_name(unsigned type);
const char *oracle_tag_name(unsigned tag);

/* The id of the event @number. */
struct acta_id oracle_id(uint64_t number);

/* ---- being told ---- */

/* Somebody was shown @event. Returns the fact that it is. */
const struct fact *oracle_saw(const struct acta_event *event);

/* An append has ended, with @code. */
void oracle_ended(struct attempt *attempt, enum acta_code code,
                  const struct acta_appended *appended);

/* May a condition that refused it hold by now, since events were hidden? */
bool oracle_may_clear(const struct attempt *attempt);

/* A scheduled append was cancelled. */
void oracle_cancelled(struct attempt *attempt);

/* The largest position, and version of a stream, that somebody knows of: who
 * asks after this must be told of it.
 */
uint64_t oracle_head(void);
uint64_t oracle_version(unsigned stream);

/* ---- at the end ---- */

/* All that is stored has been shown, up to @head: does it fit together? */
void oracle_check(uint64_t head);

/* The fact at @position; NULL: it was not seen. */
const struct fact *oracle_at(uint64_t position);

struct oracle_counts {
    uint64_t stored;
    uint64_t refused;
    uint64_t unknown; /* Answers that left it open. */
    uint64_t repeated;
    uint64_t events;
    uint64_t shown; /* Events that were shown to somebody. */
};

struct oracle_counts *oracle_counts(void);

#endif
