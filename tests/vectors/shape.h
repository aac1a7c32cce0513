/* The fields of messages by name, to show the arrays of msgpack as JSON. */

#ifndef ACTA_TEST_SHAPE_H
#define ACTA_TEST_SHAPE_H

#include <stdint.h>
#include <stdio.h>

#include "slice.h"

/* Write the body of a message of @kind as a JSON object that begins at column
 * @indent: fields by name, bytes as hex digits. The body must be one that its
 * decoder accepts.
 */
void shape_write_json(FILE *file, uint8_t kind, struct slice body,
                      unsigned indent);

/* Write @text as a JSON string. */
void shape_write_string(FILE *file, struct slice text);

#endif
