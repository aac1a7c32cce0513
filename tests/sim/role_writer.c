#include <stdlib.h>

#include "roles.h"
#include "task.h"

#define REMEMBERED 8

/* What it has sent before, to be sent again. */
struct memory {
    struct attempt *attempts[REMEMBERED];
    struct acta_append *appends[REMEMBERED];
    size_t count;
};

void
role_append(struct party *party, struct attempt *attempt,
            const struct acta_append *append)
{
    do {
        const struct acta_appended *appended;
        struct acta_sync *sync = party_connect(party);
        struct acta_err err;
        enum acta_code code = acta_sync_append(sync, append, &appended, &err);

        sim_say("append %ju+%zu: %s", (uintmax_t)attempt->first, attempt->count,
                code == ACTA_OK ? "stored" : err.text);
        oracle_ended(attempt, code, appended);
        if (attempt->outcome == OUTCOME_OPEN) {
            party_pause();
        }
        if (attempt->outcome == OUTCOME_OPEN && code == ACTA_UNKNOWN &&
            party->is_free && !roles_go_on()) {
            party_wait_longer(party);
        }
    } while (attempt->outcome == OUTCOME_OPEN);
}

static void
remember(struct memory *memory, struct attempt *attempt,
         struct acta_append *append)
{
    size_t at = memory->count++ % REMEMBERED;

    acta_append_free(memory->appends[at]);
    memory->attempts[at] = attempt;
    memory->appends[at] = append;
}

static int64_t
draw_expected(unsigned stream)
{
    uint64_t version = oracle_version(stream);

    switch (sim_below(4)) {
    case 0:
        return version == 0 ? 0 : (int64_t)(version - 1);
    case 1:
        return (int64_t)version;
    default:
        return ACTA_EXPECT_ANY;
    }
}

static void
draw_write(struct attempt *attempt, unsigned stream)
{
    int64_t expected = draw_expected(stream);

    oracle_write(attempt, stream, expected, 1 + sim_below(4));
}

static void
append_new(struct party *party, struct memory *memory)
{
    struct attempt *attempt = oracle_attempt();
    unsigned stream = (unsigned)sim_below(ORACLE_STREAMS);
    unsigned other =
        (stream + 1 + (unsigned)sim_below(ORACLE_STREAMS - 1)) % ORACLE_STREAMS;
    struct acta_append *append;

    draw_write(attempt, stream);
    if (sim_once_in(4)) {
        draw_write(attempt, other);
    }
    if (sim_once_in(4)) {
        attempt->has_condition = true;
        attempt->tag = (unsigned)sim_below(ORACLE_TAGS);
        attempt->after = oracle_head();
    }
    append = oracle_append(attempt);
    role_append(party, attempt, append);
    remember(memory, attempt, append);
}

static void
append_again(struct party *party, const struct memory *memory)
{
    size_t count = memory->count < REMEMBERED ? memory->count : REMEMBERED;

    if (count > 0) {
        size_t at = sim_below(count);
        struct attempt *attempt = memory->attempts[at];
        enum outcome before = attempt->outcome;

        attempt->outcome = OUTCOME_OPEN;
        role_append(party, attempt, memory->appends[at]);
        if (attempt->outcome != before && !oracle_may_clear(attempt)) {
            sim_fail("what was sent again has another outcome");
        }
    }
}

/* Who reads is shown what anybody was told before. */
static void
read_stream(struct party *party)
{
    unsigned stream = (unsigned)sim_below(ORACLE_STREAMS);
    struct acta_read read = acta_read_of_stream(oracle_stream_name(stream));
    uint64_t known = oracle_version(stream);
    const struct acta_page *page;
    struct acta_err err;
    enum acta_code code;

    read.backward = sim_once_in(2);
    read.events_max = 1 + sim_below(20);
    code = acta_sync_read(party_connect(party), &read, &page, &err);
    if (code != ACTA_OK) {
        if (!party_is_passing(code)) {
            sim_fail("a stream cannot be read: %s", err.text);
        }
        return;
    }
    if (page->version < known) {
        sim_fail("%s is read at version %ju, and was at %ju before",
                 oracle_stream_name(stream), (uintmax_t)page->version,
                 (uintmax_t)known);
    }
    for (size_t i = 0; i < page->events_count; i++) {
        uint64_t version = read.backward ? page->version - i : 1 + i;

        (void)oracle_saw(page->events[i]);
        if (page->events[i]->version != version) {
            sim_fail("a stream is read with a gap");
        }
    }
}

static void
read_tagged(struct party *party)
{
    unsigned tag = (unsigned)sim_below(ORACLE_TAGS);
    struct acta_query *query = acta_query_new();
    struct acta_read read = acta_read_of_query(query);
    uint64_t known = oracle_head();
    const struct acta_page *page;
    struct acta_err err;
    enum acta_code code;

    acta_query_tag(query, oracle_tag_name(tag));
    read.backward = sim_once_in(2);
    read.from = sim_once_in(2) ? sim_below(known + 1) : 0;
    code = acta_sync_read(party_connect(party), &read, &page, &err);
    acta_query_free(query);
    if (code != ACTA_OK) {
        if (!party_is_passing(code)) {
            sim_fail("a query cannot be read: %s", err.text);
        }
        return;
    }
    if (page->head < known) {
        sim_fail("the head is read at %ju, and was at %ju before",
                 (uintmax_t)page->head, (uintmax_t)known);
    }
    for (size_t i = 0; i < page->events_count; i++) {
        if (oracle_saw(page->events[i])->tag != tag) {
            sim_fail("a query is shown what it does not ask for");
        }
    }
}

void
role_writer(struct party *party)
{
    struct memory memory = {.count = 0};

    party->is_free = true;
    while (roles_go_on()) {
        switch (sim_below(10)) {
        case 0:
            append_again(party, &memory);
            break;
        case 1:
            read_stream(party);
            break;
        case 2:
            read_tagged(party);
            break;
        case 3:
            if (sim_once_in(3)) {
                party_die(party);
            }
            break;
        default:
            append_new(party, &memory);
            break;
        }
        party_pause();
    }
    for (size_t i = 0; i < REMEMBERED; i++) {
        acta_append_free(memory.appends[i]);
    }
    roles_end_writing();
}
