/* Bytes that an author's function puts. */

#ifndef ACTA_SERVICE_OCTETS_H
#define ACTA_SERVICE_OCTETS_H

#include <acta/acta_upcast.h>

#include "buf.h"
#include "limit.h"

struct acta_bytes {
    struct buf buf;
};

/* Data of an event, or of a snapshot, and the zero byte behind it. */
#define BYTES_SIZE_MAX ((size_t)ACTA_EVENT_SIZE_MAX + 1)

#endif
