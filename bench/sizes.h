/* How many bytes of data events have: of several sizes, some more often than
 * others.
 */

#ifndef ACTA_BENCH_SIZES_H
#define ACTA_BENCH_SIZES_H

#include <stddef.h>
#include <stdint.h>

#include <acta/acta.h>

#define SIZES_MAX 16

struct sizes {
    struct {
        size_t size;
        uint64_t weight;
    } list[SIZES_MAX];
    size_t count;
    uint64_t weights; /* All together. */
    size_t largest;
};

/* Read "64:50,256:40,4k:10": sizes of @least to @largest bytes, with weights.
 * INVALID.
 */
enum acta_code sizes_read(struct sizes *sizes, const char *text, size_t least,
                          size_t largest, struct acta_err *err);

/* The size for @random, any 64 bits. */
size_t sizes_choose(const struct sizes *sizes, uint64_t random);

#endif
