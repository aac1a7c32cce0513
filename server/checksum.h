/* CRC32C (Castagnoli), as in RFC 3720, by ISA-L: with the processor's own
 * instructions where it has them. Any thread.
 */

#ifndef ACTA_CHECKSUM_H
#define ACTA_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of @size bytes. checksum_of("123456789", 9) is 0xe3069283. */
uint32_t checksum_of(const void *bytes, size_t size);

/* The checksum of bytes whose first part has the checksum @sum, and which go
 * on with @bytes. Of nothing it is 0.
 */
uint32_t checksum_extend(uint32_t sum, const void *bytes, size_t size);

#endif
