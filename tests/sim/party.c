#include "party.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "descriptor.h"
#include "life.h"
#include "task.h"

#define PARTIES_MAX 32

#define PAUSE_NS (60 * SIM_MS)

static struct {
    struct party *parties[PARTIES_MAX]; /* owned */
    unsigned count;
} all;

struct start {
    struct party *party;
    void (*role)(struct party *party);
};

static void *
run(void *user)
{
    struct start *start = user;

    start->role(start->party);
    acta_sync_close(start->party->sync);
    start->party->sync = NULL;
    start->party->is_done = true;
    return NULL;
}

struct party *
party_start(const char *name, unsigned index, void (*role)(struct party *party))
{
    struct party *party = calloc(1, sizeof(*party));
    struct start *start = calloc(1, sizeof(*start));

    assert(party != NULL && start != NULL);
    assert(all.count < PARTIES_MAX);
    all.parties[all.count++] = party;
    party->name = name;
    party->index = index;
    party->owner = all.count;
    party->timeout_ms = 1000 + sim_below(10000);
    *start = (struct start){party, role};
    (void)task_start(name, party->owner, run, start);
    return party;
}

bool
party_all_done(const char **name)
{
    for (unsigned i = 0; i < all.count; i++) {
        if (!all.parties[i]->is_done) {
            *name = all.parties[i]->name;
            return false;
        }
    }
    return true;
}

unsigned
party_count(void)
{
    return all.count;
}

bool
party_is_passing(enum acta_code code)
{
    switch ((int)code) {
    case ACTA_TIMEOUT:
    case ACTA_UNREACHABLE:
    case ACTA_STOPPING:
    case ACTA_BUSY:
    case ACTA_FULL:
    case ACTA_UNKNOWN:
        return true;
    default:
        return false;
    }
}

struct acta_sync *
party_connect(struct party *party)
{
    struct acta_options options;
    struct acta_err err;
    char url[40];

    snprintf(url, sizeof(url), "acta://127.0.0.1:%d", LIFE_PORT);
    options = acta_options_of(url);
    options.name = party->name;
    options.timeout_ms = party->timeout_ms;
    options.connect_timeout_ms = 3000;
    options.silence_ms = 4000;
    options.backoff_max_ms = 1000;
    while (party->sync == NULL) {
        enum acta_code code = acta_sync_open(&party->sync, &options, &err);

        if (code != ACTA_OK && !party_is_passing(code)) {
            sim_fail("a client cannot connect: %s", err.text);
        }
        party_pause();
    }
    return party->sync;
}

void
party_wait_longer(struct party *party)
{
    acta_sync_close(party->sync);
    party->sync = NULL;
    party->timeout_ms *= 2;
}

void
party_die(struct party *party)
{
    sim_say("dies");
    descriptor_close_all(party->owner);
    party->sync = NULL;
}

void
party_pause(void)
{
    task_sleep(sim_below(sim_once_in(8) ? 20 * PAUSE_NS : PAUSE_NS));
}
