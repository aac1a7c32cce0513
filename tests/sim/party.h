/* A client: a process with tasks of its own that plays a role, connects, loses
 * its connection, dies and comes back.
 */

#ifndef ACTA_SIM_PARTY_H
#define ACTA_SIM_PARTY_H

#include <acta/acta_sync.h>
#include <stdbool.h>
#include <stdint.h>

struct party {
    const char *name;
    unsigned owner;
    unsigned index; /* Among those of its role. */
    struct acta_sync *sync;
    uint64_t timeout_ms;
    bool is_free; /* Nothing but requests depends on its connection. */
    bool is_done;
};

/* Start one more that plays @role, which ends with all that it began. */
struct party *party_start(const char *name, unsigned index,
                          void (*role)(struct party *party));

/* Are all done? And which is not? */
bool party_all_done(const char **name);

/* Clients there are; their owners are from 1 to this. */
unsigned party_count(void);

/* Does this come from trouble that passes? */
bool party_is_passing(enum acta_code code);

/* A connection, however long it takes. */
struct acta_sync *party_connect(struct party *party);

/* Connect anew, and wait twice as long for answers: through a narrow network
 * much takes its time, and who gives up too early does so each time.
 */
void party_wait_longer(struct party *party);

/* Forget everything that was in memory, as a process that is killed. */
void party_die(struct party *party);

/* Pause for a while, short mostly. */
void party_pause(void);

#endif
