/* What is written and read next: which stream, and how large an event. What is
 * chosen depends on the seed alone.
 */

#ifndef ACTA_BENCH_CHOICE_H
#define ACTA_BENCH_CHOICE_H

#include "bench.h"
#include "zipf.h"

struct choice {
    struct bench *bench;
    uint64_t random;
    bool is_skewed; /* Some streams are hotter than others. */
    struct zipf zipf;
};

/* As the options say. @salt keeps those of one seed apart. INVALID. */
enum acta_code choice_init(struct choice *choice, struct bench *bench,
                           uint64_t salt, struct acta_err *err);

/* Any stream. */
uint64_t choice_stream(struct choice *choice);

/* One that belongs to part @part of @parts. */
uint64_t choice_stream_of(struct choice *choice, size_t part, size_t parts);

/* Give the sample the size of the next event. */
void choice_size(struct choice *choice);

/* True @percent times in a hundred. */
bool choice_once(struct choice *choice, uint64_t percent);

#endif
