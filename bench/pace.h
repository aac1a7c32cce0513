/* Sends at a fixed rate, whatever the answers do: an open loop.
 *
 * Each sending is told when it was due. A latency counted from there includes
 * what it had to wait because those before it were slow, which a closed loop
 * leaves out. The kernel wakes the loop when one is due; libev's own timers
 * count milliseconds.
 */

#ifndef ACTA_BENCH_PACE_H
#define ACTA_BENCH_PACE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "hist.h"

/* Send what was due at @due_ns. False: it cannot be sent now; it stays due,
 * and pace_go() has to be called when it can.
 */
typedef bool pace_send(void *user, uint64_t due_ns);

struct pace {
    struct ev_loop *loop;
    ev_io io;
    int fd;
    double interval_ns;
    uint64_t start_ns;
    uint64_t sent;
    pace_send *send;
    void *user;
};

/* Send @rate times a second from now on. False: errno says why not. */
bool pace_start(struct pace *pace, struct ev_loop *loop, double rate,
                pace_send *send, void *user);

/* Send no more. May be called on a struct that was zero, and twice. */
void pace_stop(struct pace *pace);

/* Send what is due by now. */
void pace_go(struct pace *pace);

/* Add to @hist what was due from @from_ns on and before @until_ns, but could
 * not be sent, with what it had waited by then. After pace_stop().
 */
void pace_add_unsent(struct pace *pace, uint64_t from_ns, uint64_t until_ns,
                     struct hist *hist);

#endif
