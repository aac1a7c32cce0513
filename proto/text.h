/* Texts for people, in memory of a fixed size. What does not fit is cut off
 * behind a whole character, so that UTF-8 stays UTF-8: texts go over the wire.
 * Any thread.
 */

#ifndef ACTA_TEXT_H
#define ACTA_TEXT_H

#include <stdarg.h>
#include <stddef.h>

#include "err.h"

/* Write to @text, which has room for @size bytes, at least 1. */
void text_format(char *text, size_t size, const char *fmt, va_list args)
    ACTA_PRINTF(3, 0);
void text_print(char *text, size_t size, const char *fmt, ...)
    ACTA_PRINTF(3, 4);

#endif
