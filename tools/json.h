/* JSON (RFC 8259), read where it stands: what is wanted is the exact bytes of
 * a value, which a parser that makes a tree of it would not give back: 90.0, an
 * escape, a number of thirty digits.
 *
 * A struct json walks over a text and keeps the first failure; after it every
 * call returns nothing, so that a text is read without a check at every step
 * and json_failed() is asked once. Nothing is allocated, and nesting is
 * bounded. Any thread.
 */

#ifndef ACTA_JSON_H
#define ACTA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "slice.h"

#define JSON_DEPTH_MAX 512

struct json {
    const char *at;
    const char *start;
    const char *end;
    const char *error; /* NULL: none yet. */
};

enum json_kind {
    JSON_NONE, /* Nothing is there, or nothing that is JSON. */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

void json_init(struct json *json, struct slice text);

static inline bool
json_failed(const struct json *json)
{
    return json->error != NULL;
}

/* Where it failed, or stands: bytes from the start, from 1. */
size_t json_column(const struct json *json);

/* The kind of a value by its first byte. */
enum json_kind json_kind(struct slice value);

/* Check the next value, go past it, and return its bytes without what stands
 * around them.
 */
struct slice json_value(struct json *json);

/* Nothing but white space may follow. */
void json_end(struct json *json);

/* Go into an object or array that is next. Then json_member() or json_element()
 * until it returns false: at its end, which it goes past, or after a failure.
 *
 *     json_open(&json, JSON_OBJECT);
 *     for (bool first = true; json_member(&json, first, &key, &value);
 *          first = false) {
 */
void json_open(struct json *json, enum json_kind kind);
bool json_member(struct json *json, bool first, struct slice *key,
                 struct slice *value);
bool json_element(struct json *json, bool first, struct slice *value);

/* Decode a checked string to @to, which has room for @string.size bytes, and
 * end it with a zero byte. Returns the size without it. A lone surrogate
 * becomes U+FFFD.
 */
size_t json_decode_string(struct slice string, char *to);

/* True if @text is one value and nothing else, not even white space. */
bool json_is_value(struct slice text);

/* ---- writing ---- */

/* Write @text, which is UTF-8, as a string, with its quotes. */
void json_write_string(FILE *out, struct slice text);

/* The same of a text that may be any bytes, such as the name of a file: for
 * each that is not part of a character stands U+FFFD.
 */
void json_write_any(FILE *out, struct slice text);

/* How json_write_pretty() writes: colours of keys and of texts, each ended by
 * @plain; empty for none.
 */
struct json_style {
    const char *key;
    const char *text;
    const char *plain;
};

/* Write a checked value over several lines, those after the first indented by
 * @indent spaces and more. Numbers and strings stay as they are.
 */
void json_write_pretty(FILE *out, struct slice value, int indent,
                       const struct json_style *style);

#endif
