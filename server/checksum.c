#include "checksum.h"

#include <isa-l/crc.h>
#include <limits.h>

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
    return ~sum;
}

uint32_t
checksum_of(const void *bytes, size_t size)
{
    return checksum_extend(0, bytes, size);
}
