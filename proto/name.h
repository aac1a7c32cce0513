/* Names of streams, types and tags: what is allowed, and what they say. Any
 * thread.
 */

#ifndef ACTA_NAME_H
#define ACTA_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "slice.h"

/* True if @text is UTF-8 (RFC 3629: shortest form, no surrogates) without the
 * control characters U+0000 to U+001F and U+007F to U+009F.
 */
bool name_is_text(struct slice text);

/* The same for a text that may be of several lines: tabs and the ends of lines
 * (U+0009, U+000A, U+000D) are allowed, too.
 */
bool name_is_lines(struct slice text);

/* INVALID, TOO_LARGE
 *     @name is empty, longer than @size_max bytes, or no text. The error says
 *     which, and calls it @what.
 */
enum acta_code name_check(struct slice name, size_t size_max, const char *what,
                          struct acta_err *err) ACTA_CHECKED;

/* The category of @stream: what is before the first '-', or all of it if there
 * is none.
 */
struct slice name_category(struct slice stream);

#endif
