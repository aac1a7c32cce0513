/* A line of NDJSON that is an event:
 *
 *     {"stream":"order-42","type":"OrderPlaced","data":{"total":12.50},
 *      "metadata":{"by":"ann"},"tags":["customer:7"],
 *      "id":UUID,"correlation_id":UUID,"causation_id":UUID,"expected":0}
 *
 * stream, type and data are needed; data and metadata are any JSON, and are
 * stored as the bytes that stand in the line, or as data_base64 and
 * metadata_base64 any bytes, with format "binary" (the default then),
 * "msgpack" or "json". expected is a version, "any" or "exists". version,
 * position and time, which the server gives, are passed over. Other fields are
 * refused, so that a misspelt one is not lost.
 *
 * One thread per object.
 */

#ifndef ACTA_LINE_H
#define ACTA_LINE_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limit.h"
#include "slice.h"

struct line {
    uint64_t number; /* Of the line in its file, from 1. */
    const char *stream;
    struct acta_draft draft; /* Its id is NULL if the line has none. */
    int64_t expected;        /* ACTA_EXPECT_ANY if the line has none. */
    bool has_expected;

    struct acta_id id, correlation_id, causation_id; /* Of the draft. */
    const char *tags[ACTA_TAGS_MAX];
    char *memory; /* owned: all texts */
    size_t used;
};

/* Read @text; @prefix is put in front of the stream's name. The line keeps no
 * pointer to either. INVALID, TOO_LARGE: the error says at which column or in
 * which field. MEMORY. After a failure there is nothing to free.
 */
enum acta_code line_parse(struct line *line, struct slice text, uint64_t number,
                          const char *prefix,
                          struct acta_err *err) ACTA_CHECKED;

void line_free(struct line *line);

/* Give the line an id if it has none: one that comes out the same whenever the
 * same @text stands at the same place of a file that is imported as @source.
 */
void line_derive_id(struct line *line, struct slice text, const char *source);

/* "any", "exists", or a version. */
bool line_parse_expected(const char *text, int64_t *expected);

/* "binary", "json", "msgpack". */
bool line_parse_format(const char *text, enum acta_format *format);

#endif
