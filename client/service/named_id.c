/* SHA-1 as of FIPS 180-4: what version 5 asks for. Nothing here depends on that
 * nobody can find two texts with one digest.
 */

#include "named_id.h"

#include <endian.h>
#include <string.h>

#define BLOCK_SIZE 64
#define WORDS      5

struct sha1 {
    uint32_t state[WORDS];
    uint8_t block[BLOCK_SIZE];
    size_t filled; /* Bytes in the block. */
    uint64_t size; /* All bytes. */
};

static uint32_t
rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

/* What step @i mixes of three words, and adds. */
static uint32_t
mix(unsigned i, uint32_t b, uint32_t c, uint32_t d)
{
    if (i < 20) {
        return ((b & c) | (~b & d)) + UINT32_C(0x5a827999);
    }
    if (i < 40) {
        return (b ^ c ^ d) + UINT32_C(0x6ed9eba1);
    }
    if (i < 60) {
        return ((b & c) | (b & d) | (c & d)) + UINT32_C(0x8f1bbcdc);
    }
    return (b ^ c ^ d) + UINT32_C(0xca62c1d6);
}

static void
take_block(struct sha1 *sha1)
{
    uint32_t words[80], now[WORDS];

    memcpy(words, sha1->block, BLOCK_SIZE);
    memcpy(now, sha1->state, sizeof(now));
    for (unsigned i = 0; i < 80; i++) {
        uint32_t next;

        words[i] = i < 16 ? be32toh(words[i])
                          : rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^
                                       words[i - 16],
                                   1);
        next = rotate(now[0], 5) + mix(i, now[1], now[2], now[3]) + now[4] +
               words[i];
        now[4] = now[3];
        now[3] = now[2];
        now[2] = rotate(now[1], 30);
        now[1] = now[0];
        now[0] = next;
    }
    for (unsigned i = 0; i < WORDS; i++) {
        sha1->state[i] += now[i];
    }
    sha1->filled = 0;
}

static void
take(struct sha1 *sha1, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    sha1->size += size;
    while (size-- > 0) {
        sha1->block[sha1->filled++] = *byte++;
        if (sha1->filled == BLOCK_SIZE) {
            take_block(sha1);
        }
    }
}

/* One bit, zeros, and the number of bits in the last 8 bytes of a block. */
static void
end(struct sha1 *sha1)
{
    static const uint8_t one_bit = 0x80, zero = 0;
    uint64_t bits = htobe64(sha1->size * 8);

    take(sha1, &one_bit, 1);
    while (sha1->filled != BLOCK_SIZE - sizeof(bits)) {
        take(sha1, &zero, 1);
    }
    take(sha1, &bits, sizeof(bits));
}

void
named_id(struct acta_id *id, const struct acta_id *space, const char *name)
{
    struct sha1 sha1 = {
        .state = {UINT32_C(0x67452301), UINT32_C(0xefcdab89),
                  UINT32_C(0x98badcfe), UINT32_C(0x10325476),
                  UINT32_C(0xc3d2e1f0)},
    };
    uint32_t digest[WORDS];

    take(&sha1, space->bytes, sizeof(space->bytes));
    take(&sha1, name, strlen(name));
    end(&sha1);
    for (unsigned i = 0; i < WORDS; i++) {
        digest[i] = htobe32(sha1.state[i]);
    }
    memcpy(id->bytes, digest, sizeof(id->bytes));
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | 0x50);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
}
