/* Lives of a server: it starts, as actad does, and then stops in order, is
 * killed, or ends itself because its disk fails. One at a time.
 */

#ifndef ACTA_SIM_LIFE_H
#define ACTA_SIM_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#define LIFE_PORT 2282

/* The bounds of a server that is small, so that much happens in little time. */
struct life_options {
    unsigned io_threads;
    unsigned checkpoint_events;
    unsigned checkpoint_age_ms;
    unsigned sweep_interval_ms;
    unsigned output_high; /* Bytes. */
    unsigned subscription_step;
    unsigned queue_size;
};

enum life_state {
    LIFE_NONE,
    LIFE_STARTS,
    LIFE_RUNS,
    LIFE_STOPS,
    LIFE_HAS_STOPPED,
    LIFE_HAS_FAILED, /* It did not start, or its disk has failed. */
    LIFE_WAS_KILLED,
};

void life_init(const struct life_options *options);

/* Begin the next one: it runs, or has failed, some time later. The one before
 * must be over.
 */
void life_start(void);

/* Ask it to stop, as SIGTERM does. */
void life_stop(void);

/* End it at once. */
void life_kill(void);

enum life_state life_state(void);
bool life_is_over(void);

/* Whose tasks those of the server are. */
unsigned life_owner(void);

/* How many there were. */
uint64_t life_count(void);

#endif
