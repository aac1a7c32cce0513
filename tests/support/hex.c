#include "hex.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#define TURNS 4

static int
value_of(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, tolower((unsigned char)digit));

    assert(digit != '\0' && found != NULL);
    return (int)(found - digits);
}

struct slice
hex_parse(uint8_t *bytes, size_t size_max, const char *text)
{
    size_t size = 0;

    while (*text != '\0') {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        assert(size < size_max);
        bytes[size++] = (uint8_t)(value_of(text[0]) << 4 | value_of(text[1]));
        text += 2;
    }
    return slice_make(bytes, size);
}

struct slice
hex(const char *text)
{
    static uint8_t bytes[TURNS][HEX_SIZE_MAX];
    static unsigned turn;

    turn = (turn + 1) % TURNS;
    return hex_parse(bytes[turn], HEX_SIZE_MAX, text);
}

const char *
hex_of(struct slice bytes)
{
    static char texts[TURNS][2 * HEX_SIZE_MAX + 1];
    static const char digits[] = "0123456789abcdef";
    static unsigned turn;
    char *text;

    assert(bytes.size <= HEX_SIZE_MAX);
    turn = (turn + 1) % TURNS;
    text = texts[turn];
    for (size_t i = 0; i < bytes.size; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 0x0f];
    }
    text[2 * bytes.size] = '\0';
    return text;
}
