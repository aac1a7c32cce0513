/* Base64 (RFC 4648, section 4, with padding). Any thread. */

#ifndef ACTA_BASE64_H
#define ACTA_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "slice.h"

void base64_write(FILE *out, struct slice bytes);

/* Decode to @to, which has room for 3 bytes for every 4 in @text. False if
 * @text is not base64. @to may be where @text is.
 */
bool base64_decode(struct slice text, void *to, size_t *size);

#endif
