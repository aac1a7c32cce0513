#include "checksum.h"

#include <isa-l/crc.h>
#include <limits.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* ISA-L's code for AVX returns with the upper halves of registers in use, and
 * whatever SSE code is run after that, as when a struct is copied, waits for
 * what the checksum waits for: its bytes, from memory. This is for the caller
 * to end (github.com/intel/isa-l/issues/24).
 */
__attribute__((target("avx"))) static void
release_registers(void)
{
    _mm256_zeroupper();
}

static void
end_avx(void)
{
    if (__builtin_cpu_supports("avx")) {
        release_registers();
    }
}
#else
static void
end_avx(void)
{
}
#endif

uint32_t
checksum_extend(uint32_t sum, const void *bytes, size_t size)
{
    /* ISA-L takes an int for the size, a pointer that is not const, and does
     * not invert; the pointer is only read from.
     */
    unsigned char *at = (unsigned char *)(uintptr_t)bytes;

    sum = ~sum;
    while (size > 0) {
        size_t part = size < INT_MAX ? size : INT_MAX;

        sum = crc32_iscsi(at, (int)part, sum);
        at += part;
        size -= part;
    }
    end_avx();
    return ~sum;
}

uint32_t
checksum_of(const void *bytes, size_t size)
{
    return checksum_extend(0, bytes, size);
}
