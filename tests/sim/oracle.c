#include "oracle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prune.h"
#include "task.h"

#define FACTS_MAX    8192
#define EVENTS_MAX   4
#define SMALL_SIZE   200
#define LARGE_SIZE   20000
#define STREAMS      (ORACLE_STREAMS + ORACLE_PRUNED)
#define LARGE_ODDS   25
#define ATTEMPTS_MAX 4096

static struct {
    struct fact facts[FACTS_MAX]; /* By number, from 1. */
    uint64_t facts_count;
    struct attempt *attempts[ATTEMPTS_MAX]; /* owned */
    size_t attempts_count;
    uint64_t at[FACTS_MAX]; /* By position: the number of the fact. */
    uint64_t versions[STREAMS][FACTS_MAX]; /* The same. */
    uint64_t heads[STREAMS];               /* Versions that are known. */
    uint64_t head;
    uint64_t last_time_us;
    struct oracle_counts counts;
} oracle;

struct oracle_counts *
oracle_counts(void)
{
    return &oracle.counts;
}

/* ---- names ---- */

static const char *const stream_names[STREAMS] = {"a-0", "b-1", "a-2", "b-3",
                                                  "a-4", "b-5", "c-6", "c-7"};
static const char *const type_names[ORACLE_TYPES] = {"Opened", "Moved",
                                                     "Closed"};
static const char *const tag_names[ORACLE_TAGS] = {"t:0", "t:1", "t:2", "t:3"};

const char *
oracle_stream_name(unsigned stream)
{
    return stream_names[stream];
}

const char *
oracle_type_name(unsigned type)
{
    return type_names[type];
}

const char *
oracle_tag_name(unsigned tag)
{
    return tag_names[tag];
}

/* ---- making ---- */

struct acta_id
oracle_id(uint64_t number)
{
    struct acta_id id = {{1, 2, 3, 4, 5, 6, 0x70, 0, 0x80}};

    for (int i = 0; i < 6; i++) {
        id.bytes[15 - i] = (uint8_t)(number >> 8 * i);
    }
    return id;
}

static uint64_t
number_of(const struct acta_id *id)
{
    uint64_t number = 0;

    for (int i = 10; i < 16; i++) {
        number = number << 8 | id->bytes[i];
    }
    return number;
}

static uint8_t
byte_of(uint64_t number, size_t at)
{
    return (uint8_t)((number * 131 + at * 7) ^ at >> 8);
}

struct attempt *
oracle_attempt(void)
{
    struct attempt *attempt = calloc(1, sizeof(*attempt));

    assert(attempt != NULL);
    assert(oracle.attempts_count < ATTEMPTS_MAX);
    attempt->first = oracle.facts_count + 1;
    oracle.attempts[oracle.attempts_count++] = attempt;
    return attempt;
}

void
oracle_write(struct attempt *attempt, unsigned stream, int64_t expected,
             size_t count)
{
    size_t at = attempt->writes_count++;

    assert(at < ORACLE_WRITES_MAX);
    assert(attempt->first + attempt->count == oracle.facts_count + 1);
    attempt->writes[at].stream = stream;
    attempt->writes[at].expected = expected;
    attempt->writes[at].count = count;
    attempt->count += count;
    for (size_t i = 0; i < count; i++) {
        assert(oracle.facts_count + 1 < FACTS_MAX);
        oracle.facts[++oracle.facts_count] = (struct fact){
            .stream = stream,
            .type = (unsigned)sim_below(ORACLE_TYPES),
            .tag = (unsigned)sim_below(ORACLE_TAGS),
            .size =
                sim_below(sim_once_in(LARGE_ODDS) ? LARGE_SIZE : SMALL_SIZE),
            .attempt = attempt,
        };
    }
}

static void
add_event(struct acta_append *append, uint64_t number)
{
    const struct fact *fact = &oracle.facts[number];
    struct acta_id id = oracle_id(number);
    const char *tags[] = {tag_names[fact->tag]};
    static uint8_t data[LARGE_SIZE];
    struct acta_draft draft;

    for (size_t i = 0; i < fact->size; i++) {
        data[i] = byte_of(number, i);
    }
    draft = acta_draft_of(type_names[fact->type], data, fact->size);
    draft.id = &id;
    draft.tags = tags;
    draft.tags_count = 1;
    acta_append_event(append, &draft);
}

struct acta_append *
oracle_append(const struct attempt *attempt)
{
    struct acta_append *append = acta_append_new();
    uint64_t number = attempt->first;

    for (size_t i = 0; i < attempt->writes_count; i++) {
        acta_append_stream(append, stream_names[attempt->writes[i].stream],
                           attempt->writes[i].expected);
        for (size_t j = 0; j < attempt->writes[i].count; j++) {
            add_event(append, number++);
        }
    }
    if (attempt->has_condition) {
        struct acta_query *query = acta_query_new();

        acta_query_tag(query, tag_names[attempt->tag]);
        acta_append_condition(append, query, attempt->after);
        acta_query_free(query);
    }
    return append;
}

/* ---- being told ---- */

uint64_t
oracle_head(void)
{
    return oracle.head;
}

uint64_t
oracle_version(unsigned stream)
{
    return oracle.heads[stream];
}

/* The fact @number is at @position, as @version of its stream. */
static void
place(uint64_t number, uint64_t position, uint64_t version)
{
    struct fact *fact = &oracle.facts[number];

    assert(position > 0 && position < FACTS_MAX && version < FACTS_MAX);
    if (fact->position != 0 &&
        (fact->position != position || fact->version != version)) {
        sim_fail("event %" PRIu64 " was at %" PRIu64 ", version %" PRIu64
                 ", and now is at %" PRIu64 ", version %" PRIu64,
                 number, fact->position, fact->version, position, version);
    }
    if (oracle.at[position] != 0 && oracle.at[position] != number) {
        sim_fail("position %" PRIu64 " had event %" PRIu64
                 ", and now has event %" PRIu64,
                 position, oracle.at[position], number);
    }
    if (oracle.versions[fact->stream][version] != 0 &&
        oracle.versions[fact->stream][version] != number) {
        sim_fail("version %" PRIu64 " of %s was event %" PRIu64
                 ", and now is event %" PRIu64,
                 version, stream_names[fact->stream],
                 oracle.versions[fact->stream][version], number);
    }
    if (fact->attempt->outcome == OUTCOME_REFUSED) {
        sim_fail("event %" PRIu64 " was refused, and is at %" PRIu64, number,
                 position);
    }
    fact->position = position;
    fact->version = version;
    oracle.at[position] = number;
    oracle.versions[fact->stream][version] = number;
    if (position > oracle.head) {
        oracle.head = position;
    }
    if (version > oracle.heads[fact->stream]) {
        oracle.heads[fact->stream] = version;
    }
}

static void
compare(const struct fact *fact, uint64_t number,
        const struct acta_event *event)
{
    const uint8_t *data = event->data;

    if (strcmp(event->stream, stream_names[fact->stream]) != 0 ||
        strcmp(event->type, type_names[fact->type]) != 0 ||
        event->tags_count != 1 ||
        strcmp(event->tags[0], tag_names[fact->tag]) != 0) {
        sim_fail("event %" PRIu64 " at %" PRIu64 " is not what was appended",
                 number, event->position);
    }
    if (event->format == ACTA_FORMAT_ERASED && event->data_size == 0 &&
        prune_may_erase(fact->stream, event->version)) {
        return;
    }
    if (event->format != ACTA_FORMAT_BINARY || event->data_size != fact->size) {
        sim_fail("event %" PRIu64 " at %" PRIu64
                 " has not the bytes that it was appended with",
                 number, event->position);
    }
    for (size_t i = 0; i < fact->size; i++) {
        if (data[i] != byte_of(number, i)) {
            sim_fail("event %" PRIu64 " at %" PRIu64
                     " has other bytes than it was appended with, from %zu on",
                     number, event->position, i);
        }
    }
}

const struct fact *
oracle_saw(const struct acta_event *event)
{
    uint64_t number = number_of(event->id);

    if (number == 0 || number > oracle.facts_count) {
        sim_fail("position %" PRIu64 " has an event that nobody has made",
                 event->position);
    }
    oracle.counts.shown++;
    compare(&oracle.facts[number], number, event);
    place(number, event->position, event->version);
    if (oracle.facts[number].time_us != 0 &&
        oracle.facts[number].time_us != event->time_us) {
        sim_fail("event %" PRIu64 " is shown with another time", number);
    }
    oracle.facts[number].time_us = event->time_us;
    if (oracle.facts[number].attempt->due_us > event->time_us) {
        sim_fail("event %" PRIu64 " was stored %" PRIu64
                 " us before it was due",
                 number, oracle.facts[number].attempt->due_us - event->time_us);
    }
    return &oracle.facts[number];
}

static void
take_runs(const struct attempt *attempt, const struct acta_appended *appended)
{
    size_t count = 0;

    for (size_t i = 0; i < appended->runs_count; i++) {
        const struct acta_run *run = appended->runs[i];

        for (uint64_t j = 0; j < run->count; j++) {
            place(attempt->first + count++, run->first_position + j,
                  run->first_version + j);
        }
    }
    if (count != attempt->count) {
        sim_fail("of %zu events %zu were acknowledged", attempt->count, count);
    }
}

/* Who is refused was beaten by somebody. */
static void
check_refusal(const struct attempt *attempt,
              const struct acta_appended *appended)
{
    if (appended->failures_count == 0) {
        sim_fail("a conflict without a reason");
    }
    for (size_t i = 0; i < appended->failures_count; i++) {
        const struct acta_failure *failure = appended->failures[i];

        if (failure->kind == ACTA_FAILED_WRITE) {
            unsigned stream = attempt->writes[failure->index].stream;

            if (failure->actual ==
                (uint64_t)attempt->writes[failure->index].expected) {
                sim_fail("a conflict with the version that was expected");
            }
            if (failure->actual > oracle.heads[stream]) {
                oracle.heads[stream] = failure->actual;
            }
        } else if (failure->kind == ACTA_FAILED_CONDITION) {
            if (failure->actual <= attempt->after) {
                sim_fail("a condition was met too early");
            }
            if (failure->actual > oracle.head) {
                oracle.head = failure->actual;
            }
        } else if (failure->kind != ACTA_FAILED_CHECKPOINT ||
                   attempt->source == 0) {
            sim_fail("refused for a reason that it does not have");
        }
    }
}

void
oracle_ended(struct attempt *attempt, enum acta_code code,
             const struct acta_appended *appended)
{
    switch ((int)code) {
    case ACTA_OK:
        oracle.counts.repeated += appended->repeated;
        take_runs(attempt, appended);
        if (attempt->outcome == OUTCOME_REFUSED) {
            sim_fail("an append was refused, and then done");
        }
        oracle.counts.stored += attempt->outcome == OUTCOME_OPEN;
        attempt->outcome = OUTCOME_STORED;
        break;
    case ACTA_CONFLICT:
        check_refusal(attempt, appended);
        if (attempt->outcome == OUTCOME_STORED ||
            oracle.facts[attempt->first].position != 0) {
            sim_fail("an append was done, and then refused");
        }
        oracle.counts.refused += attempt->outcome == OUTCOME_OPEN;
        attempt->outcome = OUTCOME_REFUSED;
        break;
    case ACTA_FENCED:
        if ((attempt->fence == 0 && attempt->source == 0) ||
            oracle.facts[attempt->first].position != 0) {
            sim_fail("an append is refused for what it does not have");
        }
        oracle.counts.refused++;
        attempt->outcome = OUTCOME_REFUSED;
        break;
    case ACTA_UNKNOWN:
    case ACTA_TIMEOUT:
    case ACTA_UNREACHABLE:
    case ACTA_FULL:
    case ACTA_BUSY:
    case ACTA_STOPPING:
        oracle.counts.unknown++;
        break;
    default:
        sim_fail("an append has ended with %s", acta_code_name(code));
    }
}

bool
oracle_may_clear(const struct attempt *attempt)
{
    for (uint64_t p = attempt->after + 1;
         attempt->has_condition && p <= oracle.head; p++) {
        const struct fact *fact = oracle_at(p);

        if (fact != NULL && fact->tag == attempt->tag &&
            prune_may_hide(fact->stream, fact->version)) {
            return true;
        }
    }
    return false;
}

void
oracle_cancelled(struct attempt *attempt)
{
    if (oracle.facts[attempt->first].position != 0) {
        sim_fail("what was done is cancelled");
    }
    attempt->outcome = OUTCOME_REFUSED;
}

/* ---- at the end ---- */

const struct fact *
oracle_at(uint64_t position)
{
    uint64_t number = position < FACTS_MAX ? oracle.at[position] : 0;

    return number == 0 ? NULL : &oracle.facts[number];
}

static void
check_condition(const struct attempt *attempt)
{
    uint64_t position = oracle.facts[attempt->first].position;

    for (uint64_t p = attempt->after + 1; p < position; p++) {
        const struct fact *fact = &oracle.facts[oracle.at[p]];

        if (fact->tag == attempt->tag &&
            !prune_may_hide(fact->stream, fact->version)) {
            sim_fail("an append at %" PRIu64
                     " has a condition that is met at %" PRIu64,
                     position, p);
        }
    }
}

/* All of it is there, or nothing, in one piece and as expected. */
static void
check_attempt(const struct attempt *attempt)
{
    bool is_there =
        attempt->count > 0 && oracle.facts[attempt->first].position != 0;
    uint64_t number = attempt->first;

    if (is_there != (attempt->outcome == OUTCOME_STORED) &&
        attempt->count > 0 && !attempt->is_doubtful) {
        sim_fail("an append's outcome is %d, and it is %s",
                 (int)attempt->outcome, is_there ? "there" : "not there");
    }
    if (!is_there) {
        return;
    }
    for (size_t i = 0; i < attempt->writes_count; i++) {
        int64_t expected = attempt->writes[i].expected;

        if (expected >= 0 &&
            oracle.facts[number].version != (uint64_t)expected + 1) {
            sim_fail("event %" PRIu64 " expected version %" PRId64
                     " and has version %" PRIu64,
                     number, expected, oracle.facts[number].version);
        }
        number += attempt->writes[i].count;
    }
    for (size_t i = 0; i < attempt->count; i++) {
        if (oracle.facts[attempt->first + i].position !=
            oracle.facts[attempt->first].position + i) {
            sim_fail("an append is not in one piece");
        }
    }
    if (attempt->has_condition) {
        check_condition(attempt);
    }
}

void
oracle_check(uint64_t head)
{
    uint64_t versions[STREAMS] = {0};
    uint64_t fence = 0, time_us = 0;

    if (head != oracle.head) {
        sim_fail("the head is %" PRIu64 ", and was known to be %" PRIu64, head,
                 oracle.head);
    }
    for (uint64_t p = 1; p <= head; p++) {
        const struct fact *fact = oracle_at(p);

        if (fact == NULL) {
            sim_fail("there is no event at %" PRIu64, p);
        }
        if (fact->time_us < time_us && fact->time_us != 0) {
            sim_fail("time goes back at %" PRIu64, p);
        }
        time_us = fact->time_us != 0 ? fact->time_us : time_us;
        if (fact->version != ++versions[fact->stream]) {
            sim_fail("%s has no version %" PRIu64, stream_names[fact->stream],
                     versions[fact->stream]);
        }
        if (fact->attempt->fence != 0) {
            if (fact->attempt->fence < fence) {
                sim_fail("who held the lease before has appended behind who "
                         "holds it, at %" PRIu64,
                         p);
            }
            fence = fact->attempt->fence;
        }
    }
    for (unsigned s = 0; s < STREAMS; s++) {
        if (versions[s] != oracle.heads[s]) {
            sim_fail("%s is at version %" PRIu64
                     ", and was known to be at %" PRIu64,
                     stream_names[s], versions[s], oracle.heads[s]);
        }
    }
    for (size_t i = 0; i < oracle.attempts_count; i++) {
        check_attempt(oracle.attempts[i]);
    }
    oracle.counts.events = head;
}
