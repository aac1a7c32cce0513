/* Metadata as services have it: a JSON object whose values are texts.
 *
 * It is made here, and looked into; objects that others have made may hold
 * values of any kind besides. Any thread.
 */

#ifndef ACTA_SERVICE_METADATA_H
#define ACTA_SERVICE_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Put the text @value under @key into the object that stands in @object, which
 * is begun if that is empty. A buffer that has no room says so.
 */
void metadata_put(struct buf *object, const char *key, const char *value);

/* Append the text under @key in the object, with the zero byte that ends it, to
 * @value. False: there is none, or this is no object. Of a key that is there
 * twice the first counts.
 */
bool metadata_get(const void *object, size_t size, const char *key,
                  struct buf *value);

#endif
