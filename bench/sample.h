/* The events that a benchmark writes, each made from a number.
 *
 * Event n has one of sixteen types, T0 to TF; tags t00:xxx, t01:xxx, ..., each
 * with one of so many values, in three hexadecimal digits or as many as it
 * takes; and data that does not compress. Streams are c07-NAMES-NUMBER: their
 * category is the number modulo the number of categories.
 */

#ifndef ACTA_BENCH_SAMPLE_H
#define ACTA_BENCH_SAMPLE_H

#include <acta/acta.h>

#define SAMPLE_NAME_SIZE 32
#define SAMPLE_TAGS_MAX  32
#define SAMPLE_TAG_SIZE  16
#define SAMPLE_TYPES     16

/* Set by the caller, but for what sample_init() sets. */
struct sample {
    uint64_t categories;
    size_t tags_count;
    uint64_t tags_of;    /* Values of each tag. */
    uint64_t correlated; /* Events that share a correlation id, or 0. */
    size_t payload_size;
    uint64_t first; /* Number of the first stream. */
    uint32_t names; /* Keeps the streams of two runs on one server apart; 0: it
                       is chosen. */

    uint8_t *payload; /* owned */
};

enum acta_code sample_init(struct sample *sample, uint64_t seed,
                           struct acta_err *err);
void sample_fini(struct sample *sample);

/* Put the name of stream @number, counted from the first, into @name. */
void sample_stream(const struct sample *sample, uint64_t number,
                   char name[SAMPLE_NAME_SIZE]);

/* Put the text of tag @index with value @value into @tag. */
void sample_tag(const struct sample *sample, size_t index, uint64_t value,
                char tag[SAMPLE_TAG_SIZE]);

/* Add event @number to @append. */
void sample_event(const struct sample *sample, uint64_t number,
                  struct acta_append *append);

/* The same, with @stamp in place of the first bytes of its data. */
void sample_stamped(const struct sample *sample, uint64_t number,
                    uint64_t stamp, struct acta_append *append);

/* What sample_stamped() has put there. The data has 8 bytes at least. */
uint64_t sample_stamp(const struct acta_event *event);

/* xorshift64*: random enough to choose streams by, and no cost. */
static inline uint64_t
sample_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t
sample_random_start(uint64_t seed)
{
    return (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

#endif
