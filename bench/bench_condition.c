/* Conditions of dynamic consistency boundaries: what does an append pay for
 * one, over lists that are short and new, and over lists that are long and old?
 *
 * All append the same, an event with a tag of its own. They differ in the
 * query of the condition, of two items as a decision about two entities has
 * them, each a type and a tag; and in the position behind which nothing may
 * match:
 *
 *     free    no condition
 *     new     tags of the two last appends; behind the last one
 *     old     tags that one event in --tags-of has; behind the last append
 *     behind  the same, behind what was the head before the measurement
 */

#include <stdio.h>

#include "turns.h"

struct conditions {
    struct acta_query *query; /* owned */
    uint64_t number;          /* Of the next event. */
    uint64_t head;            /* After the last append. */
    uint64_t head_before;
    uint64_t random;
};

#define NEW_TAG_SIZE 24

static void
put_new_tag(char tag[NEW_TAG_SIZE], uint64_t number)
{
    snprintf(tag, NEW_TAG_SIZE, "n:%jx", (uintmax_t)number);
}

static void
add_event(struct turns *turns, struct acta_append *append)
{
    struct conditions *conditions = turns->user;
    struct bench *bench = turns->bench;
    char name[SAMPLE_NAME_SIZE], tag[NEW_TAG_SIZE];
    const char *tags[1] = {tag};
    uint64_t stream =
        (sample_random(&conditions->random) >> 16) % bench->streams;
    struct acta_draft draft =
        acta_draft_of("T0", bench->sample.payload, bench->sample.payload_size);

    sample_stream(&bench->sample, stream, name);
    put_new_tag(tag, conditions->number++);
    draft.tags = tags;
    draft.tags_count = 1;
    acta_append_stream(append, name, ACTA_EXPECT_ANY);
    for (uint64_t i = 0; i < turns->events; i++) {
        acta_append_event(append, &draft);
        bench->versions[stream]++;
    }
}

static void
add_condition(struct conditions *conditions, const char *const tags[2],
              uint64_t after, struct acta_append *append)
{
    acta_query_free(conditions->query);
    conditions->query = acta_query_new();
    acta_query_type(conditions->query, "T0");
    acta_query_tag(conditions->query, tags[0]);
    acta_query_or(conditions->query);
    acta_query_type(conditions->query, "T0");
    acta_query_tag(conditions->query, tags[1]);
    acta_append_condition(append, conditions->query, after);
}

static void
make_free(struct turns *turns, struct acta_append *append)
{
    add_event(turns, append);
}

static void
make_new(struct turns *turns, struct acta_append *append)
{
    struct conditions *conditions = turns->user;
    char texts[2][NEW_TAG_SIZE];
    const char *tags[2] = {texts[0], texts[1]};

    put_new_tag(texts[0], conditions->number - 1);
    put_new_tag(texts[1], conditions->number - 2);
    add_condition(conditions, tags, conditions->head, append);
    add_event(turns, append);
}

static void
add_old(struct turns *turns, uint64_t after, struct acta_append *append)
{
    struct conditions *conditions = turns->user;
    const struct sample *sample = &turns->bench->sample;
    uint64_t value =
        (sample_random(&conditions->random) >> 16) % sample->tags_of;
    char texts[2][SAMPLE_TAG_SIZE];
    const char *tags[2] = {texts[0], texts[1]};

    sample_tag(sample, 0, value, texts[0]);
    sample_tag(sample, 0, (value + 1) % sample->tags_of, texts[1]);
    add_condition(conditions, tags, after, append);
    add_event(turns, append);
}

static void
make_old(struct turns *turns, struct acta_append *append)
{
    struct conditions *conditions = turns->user;

    add_old(turns, conditions->head, append);
}

static void
make_behind(struct turns *turns, struct acta_append *append)
{
    struct conditions *conditions = turns->user;

    add_old(turns, conditions->head_before, append);
}

static void
note_position(struct turns *turns, const struct acta_appended *appended)
{
    struct conditions *conditions = turns->user;

    conditions->head = appended->position;
}

enum acta_code
bench_condition(struct bench *bench, struct figures *figures,
                struct acta_err *err)
{
    static struct turns turns; /* Large. */
    struct conditions conditions = {
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
    };
    enum acta_code code;

    code = bench_head(bench, &conditions.head, err);
    conditions.head_before = conditions.head;
    conditions.number = conditions.head + 2; /* New to every run. */
    turns = (struct turns){
        .bench = bench,
        .user = &conditions,
        .clients = 1, /* One append at a time: it knows what came before. */
        .pipeline = 1,
        .appended = note_position,
        .events = option_number(bench->options, OPTION_EVENTS),
        .count = 4,
        .list =
            {
                {.figures = TURN_FIGURES("free"), .make = make_free},
                {.figures = TURN_FIGURES("new"), .make = make_new},
                {.figures = TURN_FIGURES("old"), .make = make_old},
                {.figures = TURN_FIGURES("behind"), .make = make_behind},
            },
    };
    if (code == ACTA_OK) {
        code = turns_run(&turns, err);
    }
    if (code == ACTA_OK) {
        turns_tell(&turns, figures);
    }
    acta_query_free(conditions.query);
    return code == ACTA_OK ? code : acta_wrap(err, code, "condition");
}
