/* An erasure: a request to erase events that has been acknowledged and is still
 * to be carried out in the log. Until it is, its row makes readers see the
 * events as erased.
 *
 * The key is the stream and a version (8 bytes, big-endian), or 0 for all
 * events of the stream up to one; the value is the last version that is meant
 * (8 bytes, little-endian). No I/O. Any thread.
 */

#ifndef ACTA_ERASURE_H
#define ACTA_ERASURE_H

#include <string.h>

#include "bytes.h"
#include "err.h"
#include "row.h"
#include "slice.h"

#define ERASURE_KEY_SIZE_MAX ROW_KEY_SIZE_MAX
#define ERASURE_VALUE_SIZE   8

struct erasure {
    struct slice stream;
    uint64_t version; /* 0: all up to last. */
    uint64_t last;
};

static inline struct slice
erasure_key(uint8_t to[static ERASURE_KEY_SIZE_MAX], struct slice stream,
            uint64_t version)
{
    memcpy(to, stream.data, stream.size);
    put_key_u64(to + stream.size, version);
    return slice_make(to, stream.size + 8);
}

static inline struct slice
erasure_value(uint8_t to[static ERASURE_VALUE_SIZE], uint64_t last)
{
    put_u64(to, last);
    return slice_make(to, ERASURE_VALUE_SIZE);
}

static inline enum acta_code
erasure_decode(struct erasure *erasure, struct slice key, struct slice value,
               struct acta_err *err)
{
    if (key.size <= 8 || value.size != ERASURE_VALUE_SIZE) {
        return acta_fail(err, ACTA_CORRUPT, "erasure of a stream is damaged");
    }
    erasure->stream = slice_make(key.data, key.size - 8);
    erasure->version = get_key_u64(key.data + key.size - 8);
    erasure->last = get_u64(value.data);
    return ACTA_OK;
}

#endif
