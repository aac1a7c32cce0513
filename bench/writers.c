#include "writers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* One append that is under way, or may be. */
struct writers_slot {
    struct writers *writers;
    size_t client;
    uint64_t stream;
    uint64_t start_ns;
    struct writers_slot *next;
};

static void on_appended(void *user, const struct acta_err *err,
                        const struct acta_appended *appended);

static int64_t
expected_of(const struct writers *writers, uint64_t stream)
{
    return writers->expect == EXPECT_ANY
               ? ACTA_EXPECT_ANY
               : (int64_t)writers->bench->versions[stream];
}

/* Nobody has used a tag of the first kind, of some value, since the last
 * answer.
 */
static void
add_condition(struct writers *writers)
{
    const struct sample *sample = &writers->bench->sample;
    uint64_t value =
        (sample_random(&writers->choice.random) >> 16) % sample->tags_of;
    char tag[SAMPLE_TAG_SIZE];

    sample_tag(sample, 0, value, tag);
    acta_query_free(writers->query);
    writers->query = acta_query_new();
    acta_query_tag(writers->query, tag);
    acta_append_condition(writers->append, writers->query, writers->head);
}

static enum acta_code
make_append(struct writers *writers, const struct writers_slot *slot,
            struct acta_err *err)
{
    struct sample *sample = &writers->bench->sample;
    char name[SAMPLE_NAME_SIZE];
    struct acta_id command;

    sample_stream(sample, slot->stream, name);
    acta_append_clear(writers->append);
    acta_append_stream(writers->append, name,
                       expected_of(writers, slot->stream));
    for (uint64_t i = 0; i < writers->events_count; i++) {
        choice_size(&writers->choice);
        sample_stamped(sample, writers->number++, slot->start_ns,
                       writers->append);
    }
    if (choice_once(&writers->choice, writers->conditions)) {
        add_condition(writers);
    }
    if (writers->has_commands) {
        if (acta_id_new(&command, err) != ACTA_OK) {
            return err->code;
        }
        acta_append_command_id(writers->append, &command);
    }
    return ACTA_OK;
}

static void
send_append(struct writers_slot *slot, uint64_t start_ns)
{
    struct writers *writers = slot->writers;
    struct acta_err err;

    slot->stream =
        writers->expect == EXPECT_OWN
            ? choice_stream_of(&writers->choice, slot->client, writers->count)
            : choice_stream(&writers->choice);
    slot->start_ns = start_ns;
    if (make_append(writers, slot, &err) != ACTA_OK ||
        acta_append(fleet_client(writers->fleet, slot->client), writers->append,
                    0, on_appended, slot, &err) == 0) {
        fleet_fail(writers->fleet, &err);
        return;
    }
    writers->under_way++;
    if (writers->expect == EXPECT_OWN) {
        /* One connection's appends arrive in the order they are sent in. */
        writers->bench->versions[slot->stream] +=
            (uint32_t)writers->events_count;
    }
}

/* Each in turn, so that all connections have their part of what is due. */
static void
set_free(struct writers_slot *slot)
{
    struct writers *writers = slot->writers;

    slot->next = NULL;
    if (writers->free == NULL) {
        writers->free = slot;
    } else {
        writers->free_last->next = slot;
    }
    writers->free_last = slot;
}

static struct writers_slot *
take_free(struct writers *writers)
{
    struct writers_slot *slot = writers->free;

    if (slot != NULL) {
        writers->free = slot->next;
    }
    return slot;
}

static bool
send_due(void *user, uint64_t due_ns)
{
    struct writers_slot *slot = take_free(user);

    if (slot == NULL) {
        return false;
    }
    send_append(slot, due_ns);
    return true;
}

/* What the answer tells of the stream and the database. */
static void
learn(struct writers *writers, uint64_t stream,
      const struct acta_appended *appended)
{
    uint64_t version = appended->version;

    for (size_t i = 0; i < appended->failures_count; i++) {
        if (appended->failures[i]->kind == ACTA_FAILED_WRITE) {
            version = appended->failures[i]->actual;
        } else if (appended->failures[i]->kind == ACTA_FAILED_CONDITION &&
                   appended->failures[i]->actual > writers->head) {
            writers->head = appended->failures[i]->actual;
        }
    }
    if (writers->expect == EXPECT_SEEN &&
        version > writers->bench->versions[stream]) {
        writers->bench->versions[stream] = (uint32_t)version;
    }
    if (appended->position > writers->head) {
        writers->head = appended->position;
    }
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    struct writers_slot *slot = user;
    struct writers *writers = slot->writers;
    bool is_refused = err != NULL && err->code == ACTA_CONFLICT &&
                      (writers->expect == EXPECT_SEEN || writers->conditions);
    uint64_t now_ns = clock_ns();

    writers->under_way--;
    if (err != NULL && !is_refused) {
        fleet_fail(writers->fleet, err);
        return;
    }
    learn(writers, slot->stream, appended);
    writers->done(writers->user, now_ns, now_ns - slot->start_ns, !is_refused);
    if (writers->is_over) {
        return;
    }
    if (!writers->is_paced) {
        send_append(slot, now_ns);
        return;
    }
    set_free(slot);
    if (writers->free == slot) {
        pace_go(&writers->pace); /* It may have waited for a free one. */
    }
}

/* ---- options ---- */

static enum acta_code
read_expect(struct writers *writers, struct acta_err *err)
{
    static const char *const names[] = {
        [EXPECT_ANY] = "any",
        [EXPECT_OWN] = "version",
        [EXPECT_SEEN] = "seen",
    };
    const char *text = option_text(writers->bench->options, OPTION_EXPECT);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text != NULL && strcmp(text, names[i]) == 0) {
            writers->expect = (enum writers_expect)i;
            return ACTA_OK;
        }
    }
    return acta_fail(err, ACTA_INVALID, "--expect is any, version or seen");
}

static enum acta_code
read_options(struct writers *writers, struct acta_err *err)
{
    const struct options *options = writers->bench->options;
    enum acta_code code = read_expect(writers, err);

    writers->events_count = option_number(options, OPTION_EVENTS);
    writers->conditions = option_number(options, OPTION_CONDITIONS);
    writers->has_commands = option_number(options, OPTION_COMMANDS) != 0;
    writers->is_paced = option_number(options, OPTION_RATE) > 0;
    if (code != ACTA_OK) {
        return code;
    }
    if (writers->expect == EXPECT_OWN &&
        writers->bench->streams < writers->count) {
        return acta_fail(err, ACTA_INVALID,
                         "with --expect version, each connection needs a "
                         "stream: there are fewer");
    }
    if (writers->expect == EXPECT_OWN && writers->conditions > 0) {
        return acta_fail(err, ACTA_INVALID,
                         "an append with a condition may be refused: that "
                         "needs --expect any or seen");
    }
    if (writers->conditions > 0 && writers->bench->sample.tags_count == 0) {
        return acta_fail(err, ACTA_INVALID,
                         "--conditions are about tags: give --tags");
    }
    return ACTA_OK;
}

static enum acta_code
make_slots(struct writers *writers, struct acta_err *err)
{
    size_t pipeline = option_number(writers->bench->options, OPTION_PIPELINE);
    size_t count = writers->count * pipeline;

    writers->slots = calloc(count, sizeof(*writers->slots));
    if (writers->slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu requests", count);
    }
    for (size_t i = 0; i < count; i++) {
        struct writers_slot *slot = &writers->slots[i];

        slot->writers = writers;
        slot->client = i % writers->count;
        set_free(slot);
    }
    return ACTA_OK;
}

enum acta_code
writers_open(struct writers *writers, struct bench *bench, struct acta_err *err)
{
    enum acta_code code;

    writers->bench = bench;
    writers->append = acta_append_new();
    code = read_options(writers, err);
    if (code == ACTA_OK) {
        code = choice_init(&writers->choice, bench, 0, err);
    }
    return code == ACTA_OK ? make_slots(writers, err) : code;
}

void
writers_close(struct writers *writers)
{
    free(writers->slots);
    acta_query_free(writers->query);
    acta_append_free(writers->append);
}

enum acta_code
writers_start(struct writers *writers, struct acta_err *err)
{
    double rate = (double)option_number(writers->bench->options, OPTION_RATE);

    if (writers->is_paced) {
        return pace_start(&writers->pace, writers->fleet->loop, rate, send_due,
                          writers)
                   ? ACTA_OK
                   : acta_fail(err, ACTA_IO, "timerfd: %s", strerror(errno));
    }
    for (struct writers_slot *slot; (slot = take_free(writers)) != NULL;) {
        send_append(slot, clock_ns());
    }
    return ACTA_OK;
}

void
writers_stop(struct writers *writers)
{
    writers->is_over = true;
    pace_stop(&writers->pace);
}
