/* A hash of bytes: XXH3, 64 bits, of xxHash. Whoever has to do with bytes that
 * others choose gives a seed that they do not know. No I/O, no memory. Any
 * thread.
 */

#ifndef ACTA_HASH_H
#define ACTA_HASH_H

#include <stdint.h>

#include "slice.h"

uint64_t hash_bytes(struct slice bytes, uint64_t seed);

#endif
