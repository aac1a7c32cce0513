/* The bytes of an input as a list of commands: what is missing at the end reads
 * as zero, so that any bytes are a list.
 */

#ifndef ACTA_TEST_FUZZ_INPUT_H
#define ACTA_TEST_FUZZ_INPUT_H

#include <stdbool.h>

#include "slice.h"

struct fuzz_input {
    struct slice left;
};

static inline bool
fuzz_input_is_over(const struct fuzz_input *input)
{
    return input->left.size == 0;
}

/* The next @size bytes, or as many as there are. */
static inline struct slice
fuzz_take(struct fuzz_input *input, size_t size)
{
    struct slice taken = input->left;

    if (taken.size > size) {
        taken.size = size;
    }
    input->left.data += taken.size;
    input->left.size -= taken.size;
    return taken;
}

static inline uint8_t
fuzz_take_byte(struct fuzz_input *input)
{
    struct slice byte = fuzz_take(input, 1);

    return byte.size == 0 ? 0 : byte.data[0];
}

/* A number of two bytes, little-endian. */
static inline uint16_t
fuzz_take_short(struct fuzz_input *input)
{
    unsigned low = fuzz_take_byte(input);

    return (uint16_t)(low | (unsigned)fuzz_take_byte(input) << 8);
}

/* Bytes with their size in front of them, a short. */
static inline struct slice
fuzz_take_bytes(struct fuzz_input *input)
{
    return fuzz_take(input, fuzz_take_short(input));
}

#endif
