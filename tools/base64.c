#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_write(FILE *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;

        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        putc(digits[group >> 18], out);
        putc(digits[group >> 12 & 63], out);
        putc(left > 1 ? digits[group >> 6 & 63] : '=', out);
        putc(left > 2 ? digits[group & 63] : '=', out);
    }
}

/* The value of a digit, 0 for the padding that may stand there. False if it is
 * neither.
 */
static bool
digit_value(uint8_t byte, bool may_pad, uint32_t *value)
{
    const char *digit = byte == '\0' ? NULL : strchr(digits, byte);

    *value = digit == NULL ? 0 : (uint32_t)(digit - digits);
    return digit != NULL || (may_pad && byte == '=');
}

bool
base64_decode(struct slice text, void *to, size_t *size)
{
    uint8_t *at = to;

    if (text.size % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i += 4) {
        const uint8_t *four = text.data + i;
        bool last = i + 4 == text.size;
        bool no_third = last && four[2] == '=';
        bool no_fourth = last && four[3] == '=';
        uint32_t group = 0;

        if (no_third && !no_fourth) {
            return false;
        }
        for (int j = 0; j < 4; j++) {
            uint32_t value;

            if (!digit_value(four[j], last && j >= 2, &value)) {
                return false;
            }
            group = group << 6 | value;
        }
        *at++ = (uint8_t)(group >> 16);
        if (!no_third) {
            *at++ = (uint8_t)(group >> 8);
        }
        if (!no_fourth) {
            *at++ = (uint8_t)group;
        }
    }
    *size = (size_t)(at - (uint8_t *)to);
    return true;
}
