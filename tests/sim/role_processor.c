/* Derives an event from each of a type, and moves the checkpoint of a consumer
 * in the same append: so each is derived from exactly once, whoever dies when,
 * and however many claim the consumer.
 */

#include <assert.h>
#include <inttypes.h>

#include <acta/acta_consumer.h>

#include "roles.h"
#include "task.h"

#define CONSUMER    "processor"
#define SOURCE_TYPE 0
#define EVENTS_MAX  8192

static bool
is_source(const struct fact *fact)
{
    return fact->type == SOURCE_TYPE && fact->attempt->source == 0 &&
           fact->stream < ORACLE_STREAMS; /* Others may be hidden. */
}

/* False: another has claimed the consumer, or it was done before. */
static bool
derive(struct party *party, uint64_t epoch, uint64_t from, uint64_t position)
{
    struct attempt *attempt = oracle_attempt();
    struct acta_append *append;

    attempt->source = position;
    oracle_write(attempt, (unsigned)sim_below(ORACLE_STREAMS), ACTA_EXPECT_ANY,
                 1);
    append = oracle_append(attempt);
    acta_append_checkpoint(append, CONSUMER, epoch, from, position);
    role_append(party, attempt, append);
    acta_append_free(append);
    return attempt->outcome == OUTCOME_STORED;
}

/* False: it has to claim the consumer anew. */
static bool
take_news(struct party *party, const struct acta_news *news, uint64_t epoch,
          uint64_t *checkpoint)
{
    uint64_t positions[EVENTS_MAX];
    size_t count = 0;

    /* The events are gone with the next call. */
    for (size_t i = 0; i < news->events_count; i++) {
        const struct fact *fact = oracle_saw(news->events[i]);

        if (is_source(fact) && fact->position > *checkpoint) {
            positions[count++] = fact->position;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (roles_go_on() && sim_once_in(20)) {
            party_die(party);
            return false;
        }
        if (!derive(party, epoch, *checkpoint, positions[i])) {
            return false;
        }
        *checkpoint = positions[i];
        roles_counts()->derived++;
    }
    return true;
}

static bool
is_complete(uint64_t position)
{
    return roles_have_sources() && position >= oracle_head();
}

/* True if it is done for good. */
static bool
process(struct party *party, const struct acta_query *query)
{
    struct acta_follower *follower;
    const struct acta_news *news;
    struct acta_err err;
    uint64_t checkpoint, epoch, position;
    enum acta_code code;
    bool is_done = false;

    code = acta_follower_claim(&follower, party_connect(party), CONSUMER, query,
                               0, &err);
    if (code != ACTA_OK) {
        if (!party_is_passing(code) && code != ACTA_FENCED) {
            sim_fail("a consumer cannot be claimed: %s", err.text);
        }
        return false;
    }
    epoch = acta_follower_epoch(follower);
    checkpoint = position = acta_follower_position(follower);
    do {
        is_done = is_complete(position);
        if (is_done) {
            break;
        }
        code = acta_follower_next(follower, (int)sim_below(1000), &news, &err);
        if (code == ACTA_OK) {
            uint64_t told = news->position;

            if (!take_news(party, news, epoch, &checkpoint)) {
                break;
            }
            position = told;
        }
    } while (code == ACTA_OK || code == ACTA_TIMEOUT);
    if (party->sync != NULL) {
        acta_follower_close(follower);
    }
    return is_done;
}

void
role_processor(struct party *party)
{
    struct acta_query *query = acta_query_new();

    acta_query_type(query, oracle_type_name(SOURCE_TYPE));
    while (!process(party, query)) {
        if (party->index > 0 && !roles_go_on()) {
            break; /* The first one does the rest, undisturbed. */
        }
        party_pause();
    }
    acta_query_free(query);
    roles_end_deriving();
}

void
role_processor_check(uint64_t head)
{
    static unsigned derived[EVENTS_MAX]; /* By position: how often. */

    assert(head < EVENTS_MAX);
    for (uint64_t p = 1; p <= head; p++) {
        derived[p] = 0;
    }
    for (uint64_t p = 1; p <= head; p++) {
        derived[oracle_at(p)->attempt->source]++;
    }
    for (uint64_t p = 1; p <= head; p++) {
        unsigned wanted = is_source(oracle_at(p)) ? 1 : 0;

        if (derived[p] != wanted) {
            sim_fail("from %" PRIu64 " was derived %u times, not %u", p,
                     derived[p], wanted);
        }
    }
}
