#include "text.h"

#include <stdint.h>
#include <stdio.h>

/* How many bytes a character takes that begins with this one; of what begins
 * none, 1.
 */
static size_t
size_by(uint8_t first)
{
    if (first < 0xc0) {
        return 1;
    }
    if (first < 0xe0) {
        return 2;
    }
    return first < 0xf0 ? 3 : 4;
}

/* Take the last character off a text of @size bytes if its end is missing. */
static void
end_whole(char *text, size_t size)
{
    size_t behind = 0;

    while (behind < 3 && behind + 1 < size &&
           ((uint8_t)text[size - 1 - behind] & 0xc0) == 0x80) {
        behind++;
    }
    if (size > 0 && size_by((uint8_t)text[size - 1 - behind]) > behind + 1) {
        text[size - 1 - behind] = '\0';
    }
}

void
text_format(char *text, size_t size, const char *fmt, va_list args)
{
    int wanted = vsnprintf(text, size, fmt, args);

    if ((size_t)wanted >= size) {
        end_whole(text, size - 1);
    }
}

void
text_print(char *text, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    text_format(text, size, fmt, args);
    va_end(args);
}
