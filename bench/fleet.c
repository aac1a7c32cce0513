#include "fleet.h"

#include <stdlib.h>

#include "watch.h"

#define TICK_S 0.1

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)timer;
    (void)revents;
}

static void
on_pong(void *user, const struct acta_err *err, uint64_t head)
{
    struct fleet *fleet = user;

    (void)head;
    if (err != NULL) {
        fleet_fail(fleet, err);
    }
    fleet->answered++;
}

static enum acta_code
open_member(struct fleet *fleet, const struct acta_options *options,
            struct acta_err *err)
{
    struct acta_ev *member = &fleet->members[fleet->count];
    enum acta_code code =
        acta_ev_open(member, fleet->loop, &member->client, options, err);

    if (code != ACTA_OK) {
        return code;
    }
    fleet->count++;
    return acta_ping(member->client, 0, on_pong, fleet, err) == 0 ? err->code
                                                                  : ACTA_OK;
}

enum acta_code
fleet_open(struct fleet *fleet, const char *url, size_t count,
           struct acta_err *err)
{
    struct acta_options options = acta_options_of(url);
    enum acta_code code = ACTA_OK;

    watch_begin();
    *fleet = (struct fleet){.loop = ev_loop_new(EVFLAG_AUTO)};
    fleet->members = calloc(count, sizeof(*fleet->members));
    if (fleet->loop == NULL || fleet->members == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu clients", count);
    }
    ev_timer_init(&fleet->tick, on_tick, TICK_S, TICK_S);
    ev_timer_start(fleet->loop, &fleet->tick);
    options.name = "acta-bench";
    while (code == ACTA_OK && fleet->count < count) {
        code = open_member(fleet, &options, err);
    }
    while (code == ACTA_OK && fleet->answered < count) {
        code = fleet_turn(fleet, err);
    }
    return code;
}

void
fleet_close(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        acta_close(fleet->members[i].client);
    }
    free(fleet->members);
    if (fleet->loop != NULL) {
        ev_timer_stop(fleet->loop, &fleet->tick);
        ev_loop_destroy(fleet->loop);
    }
    *fleet = (struct fleet){0};
}

enum acta_code
fleet_turn(struct fleet *fleet, struct acta_err *err)
{
    ev_run(fleet->loop, fleet->stays_awake ? EVRUN_NOWAIT : EVRUN_ONCE);
    if (fleet->err.code != ACTA_OK) {
        *err = fleet->err;
        return err->code;
    }
    return watch_check(err);
}

void
fleet_add_traffic(const struct fleet *fleet, size_t count,
                  struct traffic *traffic)
{
    for (size_t i = 0; i < count; i++) {
        echo_add_traffic(traffic, fleet->members[i].io.fd);
    }
}

void
fleet_fail(struct fleet *fleet, const struct acta_err *err)
{
    /* Clients that are closed cancel what they have under way. */
    if (fleet->err.code == ACTA_OK && err->code != ACTA_CANCELLED) {
        fleet->err = *err;
    }
}
