/* Follows events, all or some, and remembers only what it has handled: after it
 * dies, and whenever the server does, it goes on behind that.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "prune.h"
#include "roles.h"
#include "task.h"

#define SUBSCRIBERS_MAX 8
#define EVENTS_MAX      8192

enum filter {
    FILTER_NONE,
    FILTER_STREAM,
    FILTER_TYPE,
    FILTER_TAG,
    FILTERS,
};

/* What is left of it when it dies: as if it were in a database of its own. */
struct subscriber {
    enum filter filter;
    unsigned of; /* Number of the stream, type or tag. */
    struct acta_query *query;
    uint64_t position;
    uint64_t shown[EVENTS_MAX]; /* Positions. */
    size_t shown_count;
};

static struct subscriber *subscribers[SUBSCRIBERS_MAX]; /* owned */
static size_t subscribers_count;

static bool
wants(const struct subscriber *subscriber, const struct fact *fact)
{
    switch (subscriber->filter) {
    case FILTER_STREAM:
        return fact->stream == subscriber->of;
    case FILTER_TYPE:
        return fact->type == subscriber->of;
    case FILTER_TAG:
        return fact->tag == subscriber->of;
    case FILTER_NONE:
    case FILTERS:
        break;
    }
    return true;
}

static struct subscriber *
subscriber_new(void)
{
    struct subscriber *subscriber = calloc(1, sizeof(*subscriber));
    struct acta_query *query = acta_query_new();

    assert(subscriber != NULL && query != NULL);
    assert(subscribers_count < SUBSCRIBERS_MAX);
    subscribers[subscribers_count++] = subscriber;
    subscriber->query = query;
    subscriber->filter = (enum filter)sim_below(FILTERS);
    switch (subscriber->filter) {
    case FILTER_STREAM:
        subscriber->of = (unsigned)sim_below(ORACLE_STREAMS);
        acta_query_stream(query, oracle_stream_name(subscriber->of));
        break;
    case FILTER_TYPE:
        subscriber->of = (unsigned)sim_below(ORACLE_TYPES);
        acta_query_type(query, oracle_type_name(subscriber->of));
        break;
    case FILTER_TAG:
        subscriber->of = (unsigned)sim_below(ORACLE_TAGS);
        acta_query_tag(query, oracle_tag_name(subscriber->of));
        break;
    case FILTER_NONE:
    case FILTERS:
        break;
    }
    return subscriber;
}

static void
take_event(struct subscriber *subscriber, const struct acta_event *event)
{
    size_t count = subscriber->shown_count;

    if (!wants(subscriber, oracle_saw(event))) {
        sim_fail("a subscriber is shown what it does not want");
    }
    if (event->position <= subscriber->position ||
        (count > 0 && event->position <= subscriber->shown[count - 1])) {
        sim_fail("a subscriber is shown %" PRIu64 " again", event->position);
    }
    assert(count < EVENTS_MAX);
    roles_counts()->followed++;
    subscriber->shown[subscriber->shown_count++] = event->position;
}

/* Between events and the word of their position it may die, and then is shown
 * them again.
 */
static void
take_news(struct subscriber *subscriber, const struct acta_news *news)
{
    for (size_t i = 0; i < news->events_count; i++) {
        take_event(subscriber, news->events[i]);
    }
    if (news->position < subscriber->position) {
        sim_fail("a subscription goes back, from %" PRIu64 " to %" PRIu64,
                 subscriber->position, news->position);
    }
    subscriber->position = news->position;
}

/* Follow until it is over, or the follower is to be opened anew. */
static void
follow(struct party *party, struct subscriber *subscriber)
{
    struct acta_follower *follower;
    const struct acta_news *news;
    struct acta_err err;
    enum acta_code code;

    code = acta_follower_open(&follower, party_connect(party),
                              subscriber->query, subscriber->position, &err);
    while (follower != NULL && (code == ACTA_OK || code == ACTA_TIMEOUT)) {
        if (roles_are_written() && subscriber->position >= oracle_head()) {
            acta_follower_close(follower);
            return;
        }
        if (roles_go_on() && sim_once_in(40)) {
            party_die(party);
            return;
        }
        if (sim_once_in(10)) {
            party_pause();
        }
        code = acta_follower_next(follower, (int)sim_below(1000), &news, &err);
        if (code == ACTA_OK) {
            take_news(subscriber, news);
        }
    }
    sim_say("follower is over: %s", err.text);
    acta_follower_close(follower);
    if (!party_is_passing(code)) {
        sim_fail("a subscription is over: %s", err.text);
    }
}

void
role_subscriber(struct party *party)
{
    struct subscriber *subscriber = subscriber_new();

    while (!roles_are_written() || subscriber->position < oracle_head()) {
        follow(party, subscriber);
        party_pause();
    }
}

void
role_subscriber_check(uint64_t head)
{
    for (size_t i = 0; i < subscribers_count; i++) {
        const struct subscriber *subscriber = subscribers[i];
        size_t at = 0;

        for (uint64_t p = 1; p <= head; p++) {
            const struct fact *fact = oracle_at(p);

            if (at < subscriber->shown_count && subscriber->shown[at] == p) {
                at++;
            } else if (wants(subscriber, fact) &&
                       !prune_may_hide(fact->stream, fact->version)) {
                sim_fail("a subscriber was not shown %" PRIu64, p);
            }
        }
    }
}
