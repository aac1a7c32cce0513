#include "uuid.h"

#include <string.h>

#define COUNTER_MAX 0x0fff

void
uuid_v7(struct uuid *uuid, struct uuid_source *source, uint64_t now_ms,
        const uint8_t random[static 10])
{
    if (now_ms > source->last_ms) {
        source->last_ms = now_ms;
        /* Leave the top bit free, so that there is room to count. */
        source->counter =
            (uint16_t)((unsigned)(random[0] << 8 | random[1]) & 0x07ff);
    } else if (source->counter < COUNTER_MAX) {
        source->counter++;
    } else {
        source->last_ms++;
        source->counter = 0;
    }

    for (int i = 0; i < 6; i++) {
        uuid->bytes[i] = (uint8_t)(source->last_ms >> (40 - 8 * i));
    }
    uuid->bytes[6] = (uint8_t)(0x70 | source->counter >> 8);
    uuid->bytes[7] = (uint8_t)source->counter;
    memcpy(uuid->bytes + 8, random + 2, 8);
    uuid->bytes[8] = (uint8_t)(0x80 | (uuid->bytes[8] & 0x3f));
}

void
uuid_v8(struct uuid *uuid, const uint8_t digest[static UUID_SIZE])
{
    memcpy(uuid->bytes, digest, UUID_SIZE);
    uuid->bytes[6] = (uint8_t)(0x80 | (uuid->bytes[6] & 0x0f));
    uuid->bytes[8] = (uint8_t)(0x80 | (uuid->bytes[8] & 0x3f));
}

static bool
is_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

void
uuid_format(const uint8_t bytes[static UUID_SIZE],
            char text[static UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < UUID_SIZE; i++) {
        if (is_dash(at)) {
            text[at++] = '-';
        }
        text[at++] = digits[bytes[i] >> 4];
        text[at++] = digits[bytes[i] & 0x0f];
    }
    text[at] = '\0';
}

static int
digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit |= 0x20; /* To lower case. */
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool
uuid_parse(struct uuid *uuid, struct slice text)
{
    size_t at = 0;

    if (text.size != UUID_TEXT_SIZE - 1) {
        return false;
    }
    for (size_t i = 0; i < UUID_SIZE; i++) {
        int high, low;

        if (is_dash(at) && text.data[at++] != '-') {
            return false;
        }
        high = digit_value(text.data[at++]);
        low = digit_value(text.data[at++]);
        if (high < 0 || low < 0) {
            return false;
        }
        uuid->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
