#include "json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* ---- the scanner ---- */

void
json_init(struct json *json, struct slice text)
{
    json->start = text.size == 0 ? "" : (const char *)text.data;
    json->at = json->start;
    json->end = json->start + text.size;
    json->error = NULL;
}

size_t
json_column(const struct json *json)
{
    return (size_t)(json->at - json->start) + 1;
}

static void
fail(struct json *json, const char *error)
{
    if (json->error == NULL) {
        json->error = error;
    }
}

/* The next byte; -1 at the end. */
static int
peek(const struct json *json)
{
    return json->at < json->end ? (unsigned char)*json->at : -1;
}

static void
skip_space(struct json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' ||
                                    *json->at == '\n' || *json->at == '\r')) {
        json->at++;
    }
}

static bool
take(struct json *json, char byte)
{
    if (json->at < json->end && *json->at == byte) {
        json->at++;
        return true;
    }
    return false;
}

static void
scan_word(struct json *json, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(json->end - json->at) < size ||
        memcmp(json->at, word, size) != 0) {
        fail(json, "a value is expected here");
        return;
    }
    json->at += size;
}

static bool
take_digits(struct json *json)
{
    const char *from = json->at;

    while (json->at < json->end && *json->at >= '0' && *json->at <= '9') {
        json->at++;
    }
    return json->at > from;
}

static void
scan_number(struct json *json)
{
    take(json, '-');
    if (!take(json, '0') && !take_digits(json)) {
        fail(json, "a number needs a digit here");
        return;
    }
    if (take(json, '.') && !take_digits(json)) {
        fail(json, "a number needs a digit here");
        return;
    }
    if (take(json, 'e') || take(json, 'E')) {
        if (!take(json, '+')) {
            take(json, '-');
        }
        if (!take_digits(json)) {
            fail(json, "a number needs a digit here");
        }
    }
}

static int
hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The number in four hex digits; -1 if they are none. */
static int32_t
hex4(const char *at, const char *end)
{
    int32_t number = 0;

    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(at[i]);

        if (digit < 0) {
            return -1;
        }
        number = number << 4 | digit;
    }
    return number;
}

static void
scan_escape(struct json *json)
{
    int byte = peek(json);

    if (byte == 'u') {
        if (hex4(json->at + 1, json->end) < 0) {
            fail(json, "\\u needs four hex digits");
            return;
        }
        json->at += 5;
    } else if (byte > 0 && strchr("\"\\/bfnrt", byte) != NULL) {
        json->at++;
    } else {
        fail(json, "there is no such escape");
    }
}

/* Size of the UTF-8 character at @at; 0 if it is none. */
static size_t
utf8_size(const char *at, const char *end)
{
    const uint8_t *bytes = (const uint8_t *)at;
    size_t left = (size_t)(end - at);
    size_t size = bytes[0] < 0xc2   ? 0
                  : bytes[0] < 0xe0 ? 2
                  : bytes[0] < 0xf0 ? 3
                  : bytes[0] < 0xf5 ? 4
                                    : 0;

    if (size == 0 || size > left) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    /* Not in the shortest form, a surrogate, beyond U+10FFFF. */
    if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
        (bytes[0] == 0xed && bytes[1] > 0x9f) ||
        (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
        (bytes[0] == 0xf4 && bytes[1] > 0x8f)) {
        return 0;
    }
    return size;
}

static void
scan_string(struct json *json)
{
    json->at++;
    while (!json_failed(json)) {
        int byte = peek(json);

        if (byte == '"') {
            json->at++;
            return;
        }
        if (byte == '\\') {
            json->at++;
            scan_escape(json);
        } else if (byte < 0) {
            fail(json, "the string has no end");
        } else if (byte < 0x20) {
            fail(json, "a control character in a string must be escaped");
        } else if (byte < 0x80) {
            json->at++;
        } else {
            size_t size = utf8_size(json->at, json->end);

            if (size == 0) {
                fail(json, "not UTF-8");
            }
            json->at += size;
        }
    }
}

static void
scan_simple(struct json *json)
{
    switch (peek(json)) {
    case '"':
        scan_string(json);
        break;
    case 't':
        scan_word(json, "true");
        break;
    case 'f':
        scan_word(json, "false");
        break;
    case 'n':
        scan_word(json, "null");
        break;
    default:
        scan_number(json);
        break;
    }
}

static void
scan_key(struct json *json)
{
    skip_space(json);
    if (peek(json) != '"') {
        fail(json, "a key in quotes is expected here");
        return;
    }
    scan_string(json);
    skip_space(json);
    if (!json_failed(json) && !take(json, ':')) {
        fail(json, "a colon is expected here");
    }
}

/* Behind a value in a container: go to the next one, or out of all containers
 * that end here. Returns how many are left.
 */
static size_t
scan_after(struct json *json, const char *closers, size_t depth)
{
    while (depth > 0) {
        skip_space(json);
        if (take(json, closers[depth - 1])) {
            depth--;
            continue;
        }
        if (!take(json, ',')) {
            fail(json, closers[depth - 1] == '}'
                           ? "a comma or } is expected here"
                           : "a comma or ] is expected here");
        } else if (closers[depth - 1] == '}') {
            scan_key(json);
        }
        break;
    }
    return depth;
}

/* Without recursion, so that depth costs no stack. */
static void
scan_value(struct json *json)
{
    char closers[JSON_DEPTH_MAX];
    size_t depth = 0;

    do {
        skip_space(json);
        if (peek(json) == '{' || peek(json) == '[') {
            char closer = *json->at == '{' ? '}' : ']';

            if (depth == JSON_DEPTH_MAX) {
                fail(json, "nested too deep");
                return;
            }
            json->at++;
            skip_space(json);
            closers[depth++] = closer;
            if (peek(json) != closer) {
                if (closer == '}') {
                    scan_key(json);
                }
                continue;
            }
        } else if (peek(json) < 0) {
            fail(json, "a value is expected here");
        } else {
            scan_simple(json);
        }
        if (!json_failed(json)) {
            depth = scan_after(json, closers, depth);
        }
    } while (depth > 0 && !json_failed(json));
}

/* ---- reading ---- */

enum json_kind
json_kind(struct slice value)
{
    switch (value.size == 0 ? '\0' : value.data[0]) {
    case '\0':
        return JSON_NONE;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

struct slice
json_value(struct json *json)
{
    const char *from;

    if (json_failed(json)) {
        return SLICE_NONE;
    }
    skip_space(json);
    from = json->at;
    scan_value(json);
    return json_failed(json) ? SLICE_NONE
                             : slice_make(from, (size_t)(json->at - from));
}

void
json_end(struct json *json)
{
    if (!json_failed(json)) {
        skip_space(json);
        if (json->at < json->end) {
            fail(json, "nothing more is expected here");
        }
    }
}

void
json_open(struct json *json, enum json_kind kind)
{
    if (json_failed(json)) {
        return;
    }
    skip_space(json);
    if (!take(json, kind == JSON_OBJECT ? '{' : '[')) {
        fail(json, kind == JSON_OBJECT ? "an object is expected here"
                                       : "an array is expected here");
    }
}

/* True if there is another value before @closer. */
static bool
next_in(struct json *json, bool first, char closer)
{
    if (json_failed(json)) {
        return false;
    }
    skip_space(json);
    if (take(json, closer)) {
        return false;
    }
    if (!first && !take(json, ',')) {
        fail(json, closer == '}' ? "a comma or } is expected here"
                                 : "a comma or ] is expected here");
    }
    return !json_failed(json);
}

bool
json_member(struct json *json, bool first, struct slice *key,
            struct slice *value)
{
    const char *from;

    if (!next_in(json, first, '}')) {
        return false;
    }
    skip_space(json);
    from = json->at;
    scan_key(json);
    if (json_failed(json)) {
        return false;
    }
    /* Without what stands between key and colon. */
    *key = slice_make(from, (size_t)(json->at - from));
    while (key->data[key->size - 1] != '"') {
        key->size--;
    }
    *value = json_value(json);
    return !json_failed(json);
}

bool
json_element(struct json *json, bool first, struct slice *value)
{
    if (!next_in(json, first, ']')) {
        return false;
    }
    *value = json_value(json);
    return !json_failed(json);
}

bool
json_is_value(struct slice text)
{
    struct json json;
    struct slice value;

    json_init(&json, text);
    value = json_value(&json);
    return value.size > 0 && value.size == text.size;
}

/* ---- strings ---- */

static char *
put_utf8(char *to, uint32_t character)
{
    if (character < 0x80) {
        *to++ = (char)character;
    } else if (character < 0x800) {
        *to++ = (char)(0xc0 | character >> 6);
        *to++ = (char)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *to++ = (char)(0xe0 | character >> 12);
        *to++ = (char)(0x80 | (character >> 6 & 0x3f));
        *to++ = (char)(0x80 | (character & 0x3f));
    } else {
        *to++ = (char)(0xf0 | character >> 18);
        *to++ = (char)(0x80 | (character >> 12 & 0x3f));
        *to++ = (char)(0x80 | (character >> 6 & 0x3f));
        *to++ = (char)(0x80 | (character & 0x3f));
    }
    return to;
}

/* The character of a \u at @*at, which is moved behind it and, for a pair of
 * surrogates, behind its second half.
 */
static uint32_t
take_unicode(const char **at, const char *end)
{
    uint32_t high = (uint32_t)hex4(*at, end);
    int32_t low;

    *at += 4;
    if (high < 0xd800 || high > 0xdfff) {
        return high;
    }
    if (high < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' &&
        (*at)[1] == 'u') {
        low = hex4(*at + 2, end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        }
    }
    return 0xfffd;
}

size_t
json_decode_string(struct slice string, char *to)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    const char *at = (const char *)string.data + 1;
    const char *end = (const char *)string.data + string.size - 1;
    const char *start = to;

    assert(string.size >= 2);
    while (at < end) {
        const char *escape;

        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++;
        if (*at == 'u') {
            at++;
            to = put_utf8(to, take_unicode(&at, end));
            continue;
        }
        escape = strchr(escapes, *at);
        *to++ = escape == NULL ? *at : escape[1];
        at++;
    }
    *to = '\0';
    return (size_t)(to - start);
}

/* ---- writing ---- */

/* A byte of a string, as it stands in its quotes. */
static void
write_byte(FILE *out, uint8_t byte)
{
    if (byte == '"' || byte == '\\') {
        putc('\\', out);
        putc(byte, out);
    } else if (byte < 0x20 || byte == 0x7f) {
        fprintf(out, "\\u%04x", byte);
    } else {
        putc(byte, out);
    }
}

void
json_write_string(FILE *out, struct slice text)
{
    putc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        write_byte(out, text.data[i]);
    }
    putc('"', out);
}

void
json_write_any(FILE *out, struct slice text)
{
    const char *at = (const char *)text.data;
    const char *end = at + text.size;

    putc('"', out);
    while (at < end) {
        size_t size = utf8_size(at, end); /* 0 of ASCII, too. */

        if (size > 0) {
            fwrite(at, 1, size, out);
            at += size;
        } else if ((uint8_t)*at < 0x80) {
            write_byte(out, (uint8_t)*at++);
        } else {
            fputs("\xef\xbf\xbd", out);
            at++;
        }
    }
    putc('"', out);
}

static void
new_line(FILE *out, int indent)
{
    fprintf(out, "\n%*s", indent, "");
}

/* The end of the string or the number that begins at @at. */
static const char *
token_end(const char *at, const char *end)
{
    if (*at != '"') {
        while (at < end && strchr(",]} \t\r\n", *at) == NULL) {
            at++;
        }
        return at;
    }
    for (at++; *at != '"'; at++) {
        if (*at == '\\') {
            at++;
        }
    }
    return at + 1;
}

void
json_write_pretty(FILE *out, struct slice value, int indent,
                  const struct json_style *style)
{
    struct json json;
    bool is_key = false;

    json_init(&json, value);
    for (skip_space(&json); json.at < json.end; skip_space(&json)) {
        char byte = *json.at;
        const char *from = json.at++;

        if (byte == '{' || byte == '[') {
            skip_space(&json);
            putc(byte, out);
            if (take(&json, byte == '{' ? '}' : ']')) {
                putc(byte == '{' ? '}' : ']', out);
                continue;
            }
            indent += 2;
            new_line(out, indent);
        } else if (byte == '}' || byte == ']') {
            indent -= 2;
            new_line(out, indent);
            putc(byte, out);
        } else if (byte == ',') {
            putc(byte, out);
            new_line(out, indent);
        } else if (byte == ':') {
            fputs(": ", out);
        } else {
            json.at = token_end(from, json.end);
            /* What a string is shows in what comes behind it. */
            skip_space(&json);
            is_key = byte == '"' && peek(&json) == ':';
            json.at = token_end(from, json.end);
            if (byte == '"') {
                fputs(is_key ? style->key : style->text, out);
            }
            fwrite(from, 1, (size_t)(json.at - from), out);
            if (byte == '"') {
                fputs(style->plain, out);
            }
        }
    }
}
