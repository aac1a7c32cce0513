/* Data and metadata of events, made readable. One thread. */

#ifndef ACTA_DATA_TEXT_H
#define ACTA_DATA_TEXT_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdio.h>

#include "slice.h"

/* Print @data with line ends, every line indented by @indent spaces: JSON, and
 * msgpack as JSON, in one line if it is short and over several if it is not;
 * other bytes by their size and as hex, with the text in them beside it.
 */
void data_text_print(FILE *out, struct slice data, enum acta_format format,
                     int indent, bool color);

#endif
