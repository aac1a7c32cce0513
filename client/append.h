/* An append as it is filled: see acta.h. */

#ifndef ACTA_CLIENT_APPEND_H
#define ACTA_CLIENT_APPEND_H

#include <acta/acta.h>

#include "buf.h"

/* Write the append's frame to the end of @buf. It must have passed
 * acta_append_check().
 */
void append_encode(const struct acta_append *append, struct buf *buf,
                   uint64_t request_id);

#endif
