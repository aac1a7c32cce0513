/* Ids that come out the same every time: of version 5 (RFC 9562), made from an
 * id and a name, so that any program can tell what they will be.
 *
 * Any thread.
 */

#ifndef ACTA_SERVICE_NAMED_ID_H
#define ACTA_SERVICE_NAMED_ID_H

#include <acta/acta_event.h>

/* The id of @name in the name space of @space. */
void named_id(struct acta_id *id, const struct acta_id *space,
              const char *name);

#endif
