/* Many clients in one loop and one thread.
 *
 * A callback that finds something wrong calls fleet_fail(); the next
 * fleet_turn() then returns it, as it does with what watch_check() says. The
 * struct is the caller's.
 */

#ifndef ACTA_BENCH_FLEET_H
#define ACTA_BENCH_FLEET_H

#include <acta/acta_ev.h>

#include "echo.h"

struct fleet {
    struct ev_loop *loop;
    struct acta_ev *members; /* owned */
    size_t count;
    size_t answered; /* Pings, while the fleet gathers. */
    ev_timer tick;
    bool stays_awake; /* Look for what happens, and never sleep: the user's. */
    struct acta_err err; /* What was wrong first. */
};

/* Connect @count clients to @url, and wait until each has had an answer. */
enum acta_code fleet_open(struct fleet *fleet, const char *url, size_t count,
                          struct acta_err *err);

/* May be called whatever fleet_open() returned, on a struct that was zero
 * before.
 */
void fleet_close(struct fleet *fleet);

static inline struct acta_client *
fleet_client(const struct fleet *fleet, size_t index)
{
    return fleet->members[index].client;
}

/* Wait for something to happen, a tenth of a second at most, and let the
 * callbacks be called; or, if it is to stay awake, for what has happened.
 */
enum acta_code fleet_turn(struct fleet *fleet, struct acta_err *err);

/* Add to @traffic what the first @count have sent and received. */
void fleet_add_traffic(const struct fleet *fleet, size_t count,
                       struct traffic *traffic);

void fleet_fail(struct fleet *fleet, const struct acta_err *err);

#endif
