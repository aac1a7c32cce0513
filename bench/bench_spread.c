/* Does an append cost the same with one tag or ten, and to ten streams or to
 * all that there are?
 *
 *     one   one tag, ten streams
 *     ten   ten tags, ten streams
 *     all   one tag, any of --streams streams
 *     both  ten tags, any of --streams streams
 *
 * An append has --batch events, each for a stream of its own choice.
 * Every turn ends when the store has all that was appended in it, so that the
 * server's time and bytes are those of journal and checkpoint.
 */

#include "turns.h"

#define FEW_STREAMS 10
#define MANY_TAGS   10

struct spread {
    uint64_t number;
    uint64_t random;
};

static void
add_events(struct turns *turns, uint64_t streams, size_t tags_count,
           struct acta_append *append)
{
    struct spread *spread = turns->user;
    struct bench *bench = turns->bench;
    struct sample sample = bench->sample;
    char name[SAMPLE_NAME_SIZE];

    if (streams > bench->streams) {
        streams = bench->streams;
    }
    sample.tags_count = tags_count;
    for (uint64_t i = 0; i < turns->events; i++) {
        uint64_t stream = (sample_random(&spread->random) >> 16) % streams;

        sample_stream(&sample, stream, name);
        acta_append_stream(append, name, ACTA_EXPECT_ANY);
        sample_event(&sample, spread->number++, append);
        bench->versions[stream]++;
    }
}

static void
make_one(struct turns *turns, struct acta_append *append)
{
    add_events(turns, FEW_STREAMS, 1, append);
}

static void
make_ten(struct turns *turns, struct acta_append *append)
{
    add_events(turns, FEW_STREAMS, MANY_TAGS, append);
}

static void
make_all(struct turns *turns, struct acta_append *append)
{
    add_events(turns, turns->bench->streams, 1, append);
}

static void
make_both(struct turns *turns, struct acta_append *append)
{
    add_events(turns, turns->bench->streams, MANY_TAGS, append);
}

enum acta_code
bench_spread(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct turns turns; /* Large. */
    struct spread spread = {
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
    };
    enum acta_code code;

    turns = (struct turns){
        .bench = bench,
        .user = &spread,
        .clients = option_number(bench->options, OPTION_CLIENTS),
        .pipeline = option_number(bench->options, OPTION_PIPELINE),
        .settles = true,
        .events = option_number(bench->options, OPTION_BATCH),
        .count = 4,
        .list =
            {
                {.figures = TURN_FIGURES("one"), .make = make_one},
                {.figures = TURN_FIGURES("ten"), .make = make_ten},
                {.figures = TURN_FIGURES("all"), .make = make_all},
                {.figures = TURN_FIGURES("both"), .make = make_both},
            },
    };
    code = turns_run(&turns, err);
    if (code == ACTA_OK) {
        turns_tell(&turns, figures);
    }
    return code == ACTA_OK ? code : acta_wrap(err, code, "spread");
}
