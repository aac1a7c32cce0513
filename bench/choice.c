#include "choice.h"

#include <stdlib.h>

static enum acta_code
read_skew(struct choice *choice, struct acta_err *err)
{
    const char *text = option_text(choice->bench->options, OPTION_ZIPF);
    double theta;
    char *end;

    if (text == NULL) {
        return ACTA_OK;
    }
    theta = strtod(text, &end);
    if (end == text || *end != '\0' || !(theta >= 0 && theta < 1)) {
        return acta_fail(err, ACTA_INVALID,
                         "--zipf is a number from 0 to below 1: %s", text);
    }
    choice->is_skewed = true;
    zipf_init(&choice->zipf, choice->bench->streams, theta);
    return ACTA_OK;
}

enum acta_code
choice_init(struct choice *choice, struct bench *bench, uint64_t salt,
            struct acta_err *err)
{
    *choice = (struct choice){
        .bench = bench,
        .random = sample_random_start(
            option_number(bench->options, OPTION_SEED) + (salt << 32)),
    };
    return read_skew(choice, err);
}

uint64_t
choice_stream(struct choice *choice)
{
    uint64_t random = sample_random(&choice->random);

    return choice->is_skewed ? zipf_number(&choice->zipf, random)
                             : (random >> 16) % choice->bench->streams;
}

uint64_t
choice_stream_of(struct choice *choice, size_t part, size_t parts)
{
    uint64_t streams = choice->bench->streams;
    uint64_t of_part = (streams - part + parts - 1) / parts;

    return choice_stream(choice) % of_part * parts + part;
}

void
choice_size(struct choice *choice)
{
    struct bench *bench = choice->bench;

    if (bench->sizes.count > 0) {
        bench->sample.payload_size =
            sizes_choose(&bench->sizes, sample_random(&choice->random) >> 16);
    }
}

bool
choice_once(struct choice *choice, uint64_t percent)
{
    return percent > 0 &&
           (sample_random(&choice->random) >> 16) % 100 < percent;
}
