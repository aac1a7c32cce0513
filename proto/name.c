#include "name.h"

#include <string.h>

/* How many bytes the character at @at takes, 0 if it is none or not allowed.
 * The second byte's range keeps out forms longer than needed, surrogates and
 * what is beyond U+10FFFF (RFC 3629, section 4).
 */
static size_t
character_size(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    uint8_t low = 0x80, high = 0xbf;
    size_t size;

    if (first < 0x80) {
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        size = 2;
        low = first == 0xc2 ? 0xa0 : 0x80; /* U+0080 to U+009F: controls. */
    } else if (first >= 0xe0 && first <= 0xef) {
        size = 3;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        size = 4;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < size || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

/* Are all eight bytes printable ASCII? Where one is below 0x20, the first sum
 * gets its highest bit; where one is 0x7f, the second.
 */
static bool
are_printable(const uint8_t *at)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t bytes;

    memcpy(&bytes, at, sizeof(bytes));
    return ((bytes | (bytes - 0x20 * each) | (bytes + each)) & 0x80 * each) ==
           0;
}

/* How many bytes at the front are printable ASCII, found eight at a time. */
static size_t
printable_size(struct slice text)
{
    size_t at = 0;

    while (text.size - at >= 8 && are_printable(text.data + at)) {
        at += 8;
    }
    if (at > 0 && text.size - at < 8 &&
        are_printable(text.data + text.size - 8)) {
        at = text.size;
    }
    return at;
}

static bool
is_text(struct slice text, const char *also)
{
    size_t at = printable_size(text);

    while (at < text.size) {
        size_t size = character_size(text.data + at, text.size - at);

        if (size == 0 && text.data[at] != 0 &&
            strchr(also, text.data[at]) != NULL) {
            size = 1;
        }
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

bool
name_is_text(struct slice text)
{
    return is_text(text, "");
}

bool
name_is_lines(struct slice text)
{
    return is_text(text, "\t\n\r");
}

enum acta_code
name_check(struct slice name, size_t size_max, const char *what,
           struct acta_err *err)
{
    if (name.size == 0) {
        return acta_fail(err, ACTA_INVALID, "%s is empty", what);
    }
    if (name.size > size_max) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "%s is %zu bytes, the limit is %zu", what, name.size,
                         size_max);
    }
    if (!name_is_text(name)) {
        return acta_fail(err, ACTA_INVALID,
                         "%s is not UTF-8 without control characters", what);
    }
    return ACTA_OK;
}

struct slice
name_category(struct slice stream)
{
    const void *dash = NULL;

    if (stream.size > 0) {
        dash = memchr(stream.data, '-', stream.size);
    }
    if (dash != NULL) {
        stream.size = (size_t)((const uint8_t *)dash - stream.data);
    }
    return stream;
}
