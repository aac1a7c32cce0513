#include <assert.h>
#include <stdlib.h>

#include "network_inside.h"

/* How long an end may not know that there is nobody at the other one. */
#define DEAF_MAX_NS (9 * SIM_S)

/* Bytes on their way, at least, when there is no more trouble. */
#define WINDOW_HEALED ((uint64_t)64 << 10)

static bool
stands(const struct link *link)
{
    return link->server.state == END_STANDS &&
           link->server.reset_ns == SIM_NEVER &&
           link->client->state == END_STANDS &&
           link->client->reset_ns == SIM_NEVER;
}

size_t
network_standing(void)
{
    size_t count = 0;

    for (size_t i = 0; i < network.links_count; i++) {
        count += stands(network.links[i]);
    }
    return count;
}

/* One of those that stand; NULL: there is none. */
static struct link *
choose(void)
{
    size_t count = network_standing(), at;

    if (count == 0) {
        return NULL;
    }
    at = sim_below(count);
    for (size_t i = 0;; i++) {
        if (stands(network.links[i]) && at-- == 0) {
            return network.links[i];
        }
    }
}

/* Nothing more arrives of what has not yet, or of its end. */
static void
lose_rest(struct way *way)
{
    struct piece **at = &way->first;

    way->is_silent = true;
    way->last = NULL;
    while (*at != NULL && (*at)->arrives_ns <= task_now_ns()) {
        way->last = *at;
        at = &(*at)->next;
    }
    while (*at != NULL) {
        struct piece *piece = *at;

        *at = piece->next;
        way->size -= piece->size - piece->taken;
        free(piece);
    }
}

static void
break_link(struct link *link)
{
    struct end *ends[] = {link->client, &link->server};

    link->up.is_silent = true;
    link->down.is_silent = true;
    if (sim_once_in(2)) {
        lose_rest(&link->up);
    }
    if (sim_once_in(2)) {
        lose_rest(&link->down);
    }
    for (size_t i = 0; i < 2; i++) {
        network_reset(ends[i], sim_once_in(4) ? sim_below(DEAF_MAX_NS)
                                              : network_delay());
    }
}

void
network_cut(void)
{
    struct link *link = choose();

    if (link != NULL) {
        sim_say("a connection is cut");
        network.counts.cuts++;
        break_link(link);
    }
}

void
network_half_close(void)
{
    struct link *link = choose();
    struct way *way;

    if (link == NULL) {
        return;
    }
    sim_say("a connection is half closed");
    network.counts.half_closes++;
    way = sim_once_in(2) ? &link->up : &link->down;
    way->is_silent = true;
    way->ends_ns = task_now_ns() + network_delay();
    if (way->ends_ns < way->last_ns) {
        way->ends_ns = way->last_ns;
    }
    network_until(way->ends_ns);
}

static void
break_later(void *a, uint64_t b)
{
    struct link *link = a;

    (void)b;
    if (stands(link)) {
        break_link(link);
    }
}

static void
stall(struct link *link, uint64_t for_ns, bool lost, unsigned ways)
{
    uint64_t until_ns = task_now_ns() + for_ns;

    if (ways & 1) {
        link->up.stalled_ns = until_ns;
    }
    if (ways & 2) {
        link->down.stalled_ns = until_ns;
    }
    network_until(until_ns);
    if (lost) {
        task_at(until_ns, break_later, link, 0);
    }
}

void
network_stall(uint64_t for_ns, bool lost)
{
    struct link *link = choose();

    if (link != NULL) {
        sim_say("a connection stalls");
        network.counts.stalls++;
        stall(link, for_ns, lost, 1 + (unsigned)sim_below(3));
    }
}

void
network_part(uint64_t for_ns, bool lost)
{
    sim_say("the network is parted");
    network.counts.partitions++;
    network.parted_ns = task_now_ns() + for_ns;
    network.is_lost = lost;
    for (size_t i = 0; i < network.links_count; i++) {
        if (stands(network.links[i])) {
            stall(network.links[i], for_ns, lost, 3);
        }
    }
}

void
network_heal(void)
{
    network.odds.slow_odds = 0;
    if (network.odds.window < WINDOW_HEALED) {
        network.odds.window = WINDOW_HEALED;
    }
    network.parted_ns = 0;
    for (size_t i = 0; i < network.links_count; i++) {
        struct link *link = network.links[i];

        if (link->up.stalled_ns > task_now_ns()) {
            link->up.stalled_ns = task_now_ns();
        }
        if (link->down.stalled_ns > task_now_ns()) {
            link->down.stalled_ns = task_now_ns();
        }
    }
}
