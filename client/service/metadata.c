#include "metadata.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- making ---- */

static void
put_text(struct buf *to, const char *text)
{
    buf_append(to, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[8];

        if (byte == '"' || byte == '\\') {
            escaped[0] = '\\';
            escaped[1] = *text;
            buf_append(to, escaped, 2);
        } else if (byte < 0x20) {
            snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
            buf_append(to, escaped, 6);
        } else {
            buf_append(to, text, 1);
        }
    }
    buf_append(to, "\"", 1);
}

void
metadata_put(struct buf *object, const char *key, const char *value)
{
    if (buf_size(object) == 0) {
        buf_append(object, "{", 1);
    } else {
        buf_truncate(object, buf_size(object) - 1);
        buf_append(object, ", ", 2);
    }
    put_text(object, key);
    buf_append(object, ": ", 2);
    put_text(object, value);
    buf_append(object, "}", 1);
}

/* ---- looking into it ---- */

/* What is left to read. Reading fails by coming to the end. */
struct text {
    const char *at;
    const char *end;
};

static void
fail(struct text *text)
{
    text->at = text->end;
}

static char
peek(struct text *text)
{
    while (text->at < text->end && strchr(" \t\r\n", *text->at) != NULL &&
           *text->at != '\0') {
        text->at++;
    }
    return text->at < text->end ? *text->at : '\0';
}

static bool
take(struct text *text, char wanted)
{
    if (peek(text) != wanted || wanted == '\0') {
        return false;
    }
    text->at++;
    return true;
}

static void
put_utf8(struct buf *to, uint32_t code)
{
    uint8_t bytes[4];
    size_t size;

    if (code < 0x80) {
        bytes[0] = (uint8_t)code;
        size = 1;
    } else if (code < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | code >> 6);
        size = 2;
    } else if (code < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | code >> 12);
        size = 3;
    } else {
        bytes[0] = (uint8_t)(0xf0 | code >> 18);
        size = 4;
    }
    for (size_t i = 1; i < size; i++) {
        bytes[i] = (uint8_t)(0x80 | (code >> (6 * (size - 1 - i)) & 0x3f));
    }
    buf_append(to, bytes, size);
}

/* The four digits behind \u; UINT32_MAX: there are none. */
static uint32_t
take_digits(struct text *text)
{
    uint32_t code = 0;

    if (text->end - text->at < 4) {
        return UINT32_MAX;
    }
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit =
            *text->at == '\0' ? NULL : strchr(digits, *text->at | 0x20);

        if (digit == NULL) {
            return UINT32_MAX;
        }
        code = code << 4 | (uint32_t)(digit - digits);
        text->at++;
    }
    return code;
}

/* A character that does not fit into 16 bits is written as two. */
static bool
take_unicode(struct text *text, struct buf *to)
{
    uint32_t code = take_digits(text);
    uint32_t low;

    if (code >= 0xd800 && code < 0xdc00 && text->end - text->at >= 6 &&
        text->at[0] == '\\' && text->at[1] == 'u') {
        text->at += 2;
        low = take_digits(text);
        if (low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
    }
    if (code == UINT32_MAX || code == 0 || (code >= 0xd800 && code < 0xe000)) {
        return false;
    }
    put_utf8(to, code);
    return true;
}

static bool
take_escape(struct text *text, struct buf *to)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    char letter = text->at < text->end ? *text->at++ : '\0';
    const char *found = letter == '\0' ? NULL : strchr(from, letter);

    if (letter == 'u') {
        return take_unicode(text, to);
    }
    if (found != NULL) {
        buf_append(to, &into[found - from], 1);
    }
    return found != NULL;
}

/* A text, behind what stands in @to. */
static bool
take_text(struct text *text, struct buf *to)
{
    if (!take(text, '"')) {
        return false;
    }
    while (text->at < text->end) {
        char byte = *text->at++;

        if (byte == '"') {
            return true;
        }
        if (byte != '\\') {
            buf_append(to, &byte, 1);
        } else if (!take_escape(text, to)) {
            break;
        }
    }
    fail(text);
    return false;
}

/* Pass over a value of any kind. Texts go to @to, which is left as it was. */
static void
skip_value(struct text *text, struct buf *to)
{
    size_t before = buf_size(to);
    size_t depth = 0;

    do {
        char next = peek(text);

        if (next == '"') {
            if (!take_text(text, to)) {
                return;
            }
            buf_truncate(to, before);
        } else if (text->at < text->end) {
            depth += next == '{' || next == '[';
            if (depth == 0 && (next == ',' || next == '}')) {
                return;
            }
            depth -= next == '}' || next == ']';
            text->at++;
        }
    } while (text->at < text->end && (depth > 0 || peek(text) != ','));
}

bool
metadata_get(const void *object, size_t size, const char *key,
             struct buf *value)
{
    struct text text = {object, (const char *)object + size};
    size_t before = buf_size(value);

    if (object == NULL || !take(&text, '{')) {
        return false;
    }
    do {
        bool is_it;

        if (!take_text(&text, value) || !take(&text, ':')) {
            break;
        }
        is_it = buf_size(value) - before == strlen(key) &&
                memcmp(buf_slice(value).data + before, key, strlen(key)) == 0;
        buf_truncate(value, before);
        if (is_it) {
            bool found = take_text(&text, value);

            if (found) {
                buf_append(value, "", 1);
            } else {
                buf_truncate(value, before);
            }
            return found && !buf_failed(value);
        }
        skip_value(&text, value);
    } while (take(&text, ','));
    buf_truncate(value, before);
    return false;
}
