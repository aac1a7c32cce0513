/* What fuzz targets share. */

#ifndef ACTA_TEST_FUZZ_H
#define ACTA_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's name for a target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that must hold for any input. Unlike assert() it says what. */
#define FUZZ_PROMISE(claim)                                                    \
    do {                                                                       \
        if (!(claim)) {                                                        \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, \
                    #claim);                                                   \
            abort();                                                           \
        }                                                                      \
    } while (0)

#endif
