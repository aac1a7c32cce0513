/* A member of a group: acks, tries again, parks, skips, is too slow, and dies.
 *
 * What must hold however often events come: of a key, which is the stream, each
 * comes only when all that are before it were settled once, or are in the same
 * hand. At the end all were.
 */

#include <assert.h>
#include <inttypes.h>

#include <acta/acta_group.h>

#include "prune.h"
#include "roles.h"
#include "task.h"

#define GROUP      "workers"
#define EVENTS_MAX 8192
#define SLOTS_MAX  8
#define PARKS_MAX  32

/* Of an event, by its position. */
struct handling {
    bool is_answered; /* By anybody, once. */
    uint64_t hands;   /* Of members, by owner, that were given it last. */
    uint64_t fence;   /* The greatest. */
    uint64_t parked;  /* Fence under which it was parked, as the server has
                         confirmed; 0: it was not. */
};

static struct handling handlings[EVENTS_MAX];

/* Of the group, and so of all its members. */
static struct {
    bool is_drawn;
    enum acta_on_park on_park;
    bool is_replayed; /* What was parked may come again. */
} group;

/* What a member has parked and does not know to be stored. */
struct parks {
    uint64_t positions[PARKS_MAX];
    uint64_t fences[PARKS_MAX];
    size_t count;
};

static uint64_t
hand_of(const struct party *party)
{
    assert(party->owner < 64);
    return UINT64_C(1) << party->owner;
}

static void
check_order(const struct party *party, const struct fact *fact, uint64_t fence)
{
    for (uint64_t p = 1; p < fact->position; p++) {
        const struct fact *before = oracle_at(p);

        if (before == NULL || before->stream != fact->stream) {
            continue;
        }
        if (!handlings[p].is_answered &&
            !prune_may_hide(before->stream, before->version) &&
            (handlings[p].hands & hand_of(party)) == 0) {
            sim_fail("a group hands out %" PRIu64 " before %" PRIu64
                     ", of the same key, is settled",
                     fact->position, p);
        }
    }
    /* One under a lower fence was on its way before. */
    if (handlings[fact->position].parked != 0 &&
        handlings[fact->position].parked < fence && !group.is_replayed) {
        sim_fail("a group hands out %" PRIu64 ", which is parked",
                 fact->position);
    }
    if (handlings[fact->position].fence == fence) {
        sim_fail("a fence was given twice");
    }
    if (handlings[fact->position].fence < fence) {
        handlings[fact->position].fence = fence;
    }
}

/* It has nothing in hand any more: what it was given comes again. */
static void
drop_hand(const struct party *party)
{
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        handlings[i].hands &= ~hand_of(party);
    }
}

/* The event, and with it those of its key behind it, is the server's again. */
static void
give_back(const struct party *party, const struct fact *fact)
{
    for (uint64_t p = fact->position; p < EVENTS_MAX; p++) {
        const struct fact *behind = oracle_at(p);

        if (behind != NULL && behind->stream == fact->stream) {
            handlings[p].hands &= ~hand_of(party);
        }
    }
}

static void
settle(struct party *party, struct acta_worker *worker,
       const struct acta_handed *handed, const struct fact *fact,
       struct parks *parks)
{
    struct handling *handling = &handlings[fact->position];
    bool is_calm = !roles_go_on();

    uint64_t how = is_calm ? 0 : sim_below(12);

    sim_say("settles it: %u", (unsigned)how);
    switch (how) {
    case 1:
        acta_worker_retry(worker, handed->number, sim_below(2000));
        give_back(party, fact);
        return;
    case 2:
        acta_worker_park(worker, handed->number, "trouble");
        if (parks->count < PARKS_MAX) {
            parks->positions[parks->count] = fact->position;
            parks->fences[parks->count++] = handed->fence;
        }
        /* Where others wait for it, it is not done with. */
        handling->is_answered |= group.on_park == ACTA_PARK_GOES_ON;
        give_back(party, fact);
        return;
    case 3:
        acta_worker_skip(worker, handed->number);
        break;
    case 4:
        task_sleep(sim_below(3 * SIM_S)); /* Its time may run out. */
        acta_worker_ack(worker, handed->number);
        break;
    case 5:
        return; /* Forgotten: its time runs out. */
    default:
        acta_worker_ack(worker, handed->number);
        break;
    }
    handling->is_answered = true;
    handling->hands &= ~hand_of(party);
}

static bool
create_group(struct party *party)
{
    struct acta_group options =
        acta_group_of(ACTA_GROUP_ACK_TIMEOUT | ACTA_GROUP_DELIVERIES_MAX |
                      ACTA_GROUP_ON_PARK);
    struct acta_err err;
    enum acta_code code;

    if (!group.is_drawn) {
        group.is_drawn = true;
        group.on_park = sim_once_in(2) ? ACTA_PARK_GOES_ON : ACTA_PARK_WAITS;
    }
    options.ack_timeout_us = 2000000;
    options.deliveries_max = 1000;
    options.on_park = group.on_park;
    code = acta_sync_create_group(party_connect(party), GROUP, &options, NULL,
                                  &err);
    if (code != ACTA_OK && !party_is_passing(code)) {
        sim_fail("a group is not made: %s", err.text);
    }
    return code == ACTA_OK;
}

/* Tell the server what was settled: what was parked then is so for good. */
static void
tell_settled(struct acta_worker *worker, struct parks *parks)
{
    struct acta_err err;
    enum acta_code code = acta_worker_settle(worker, &err);

    if (code != ACTA_OK && code != ACTA_FENCED && !party_is_passing(code)) {
        sim_fail("settling fails: %s", err.text);
    }
    for (size_t i = 0; code == ACTA_OK && i < parks->count; i++) {
        handlings[parks->positions[i]].parked = parks->fences[i];
    }
    parks->count = 0;
}

/* Is all settled that was ever stored? */
static bool
is_complete(struct party *party)
{
    const struct acta_consumer_description *description;
    const struct acta_consumer *consumer;
    struct acta_err err;

    if (!roles_are_written() ||
        acta_sync_describe_consumer(party_connect(party), GROUP, &description,
                                    &err) != ACTA_OK) {
        return false;
    }
    consumer = description->consumer;
    if (consumer->parked > 0 && group.on_park == ACTA_PARK_WAITS) {
        group.is_replayed = true;
        (void)acta_sync_replay_parked(party->sync, GROUP, NULL, 0, NULL, &err);
        return false;
    }
    return consumer->head >= oracle_head() && consumer->lag_is_counted &&
           consumer->lag_matching == 0 && consumer->in_hand == 0 &&
           consumer->delayed == 0;
}

static void
work(struct party *party)
{
    struct acta_join join = acta_join_of(GROUP, 1 + sim_below(SLOTS_MAX));
    const struct acta_handed *handed;
    struct parks parks = {.count = 0};
    struct acta_worker *worker;
    struct acta_err err;
    enum acta_code code;

    code = acta_worker_open(&worker, party_connect(party), &join, &err);
    while (worker != NULL && (code == ACTA_OK || code == ACTA_TIMEOUT)) {
        code = acta_worker_next(worker, (int)sim_below(500), &handed, &err);
        if (code == ACTA_OK) {
            const struct fact *fact = oracle_saw(handed->event);

            roles_counts()->handed++;
            sim_say("is handed %" PRIu64 " of %s", fact->position,
                    oracle_stream_name(fact->stream));
            check_order(party, fact, handed->fence);
            handlings[fact->position].hands |= hand_of(party);
            settle(party, worker, handed, fact, &parks);
        } else if (code == ACTA_TIMEOUT && is_complete(party)) {
            acta_worker_close(worker);
            return;
        }
        if (roles_go_on() && sim_once_in(30)) {
            party_die(party);
            drop_hand(party);
            return;
        }
        if (sim_once_in(20)) {
            tell_settled(worker, &parks);
        }
    }
    sim_say("worker is over: %s", err.text);
    acta_worker_close(worker);
    drop_hand(party);
    if (!party_is_passing(code)) {
        sim_fail("a membership is over: %s", err.text);
    }
}

void
role_member(struct party *party)
{
    while (!create_group(party)) {
        party_pause();
    }
    do {
        work(party);
        party_pause();
    } while (!is_complete(party));
}

void
role_member_check(uint64_t head)
{
    assert(head < EVENTS_MAX);
    for (uint64_t p = 1; p <= head; p++) {
        const struct fact *fact = oracle_at(p);

        if (!handlings[p].is_answered &&
            !prune_may_hide(fact->stream, fact->version)) {
            sim_fail("nobody in the group has settled %" PRIu64, p);
        }
    }
}
