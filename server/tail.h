/* The tail: the newest events, in memory, as the journal has them.
 *
 * It has one memtable that grows, and at most one that is sealed: the
 * checkpoint thread moves it to the store and then drops it. The head is the
 * position of the last event that is durable; what is in the memtable beyond it
 * is not to be seen yet.
 *
 * Threads: the writer publishes and seals, the checkpoint thread drops. Any
 * thread may pin what is there, which keeps it readable until it is unpinned.
 */

#ifndef ACTA_TAIL_H
#define ACTA_TAIL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "memtable.h"

#define TAIL_TABLES_MAX 2

struct tail {
    size_t events_max; /* Of a memtable. */
    _Atomic uint64_t head;
    pthread_mutex_t lock; /* Guards what follows, and changes of head. */
    uint64_t sequence;    /* Of the last entry that is durable. */
    pthread_cond_t dropped;
    struct memtable *active; /* owned: a reference */
    struct memtable *sealed; /* owned: a reference, or NULL */
    uint64_t sealed_sequence;
    uint64_t stored_sequence; /* Entries up to this one were dropped. */
};

/* What was there at one moment: tables in the order of positions. */
struct tail_view {
    struct memtable *tables[TAIL_TABLES_MAX];
    size_t count;
    uint64_t head;
    uint64_t sequence; /* Rows of entries up to this one are to be seen. */
    uint64_t stored_sequence; /* The store has entries up to this one. */
};

/* An empty tail behind the position @head and the journal's entry @sequence. */
enum acta_code tail_init(struct tail *tail, uint64_t head, uint64_t sequence,
                         size_t events_max, struct acta_err *err) ACTA_CHECKED;
void tail_fini(struct tail *tail);

/* Positions up to @head, and rows of entries up to @sequence, are durable. */
void tail_publish(struct tail *tail, uint64_t head, uint64_t sequence);

uint64_t tail_head(const struct tail *tail);

/* Seal the active memtable, whose last event was in the journal's entry
 * @sequence, recorded at @last_time_us at the latest, and start a new one.
 * There must be no sealed one.
 */
enum acta_code tail_seal(struct tail *tail, uint64_t sequence,
                         uint64_t last_time_us,
                         struct acta_err *err) ACTA_CHECKED;

/* The sealed memtable, with a reference that the caller drops, and the sequence
 * number it was sealed with; NULL if there is none.
 */
struct memtable *tail_sealed(struct tail *tail, uint64_t *sequence);

/* The store has all of the sealed memtable. */
void tail_drop_sealed(struct tail *tail);

bool tail_is_sealed(struct tail *tail);

/* True if the store has all that is durable. */
bool tail_is_stored(struct tail *tail);

/* Wait until there is no sealed memtable, for @wait_ms at most. */
void tail_wait_dropped(struct tail *tail, unsigned wait_ms);

/* The writer's own view of the tables, which only it changes. */
struct memtable *tail_active(struct tail *tail);

void tail_pin(struct tail *tail, struct tail_view *view);
void tail_unpin(struct tail_view *view);

#endif
