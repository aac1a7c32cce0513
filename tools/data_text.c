#include "data_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json.h"
#include "pack.h"

#define LINE_SIZE_MAX     72
#define HEX_LINE_SIZE     16
#define HEX_SIZE_MAX      256
#define MSGPACK_DEPTH_MAX 32

static const struct json_style plain_style = {"", "", ""};
static const struct json_style color_style = {"\033[34m", "\033[32m",
                                              "\033[0m"};

/* ---- bytes ---- */

static void
print_hex(FILE *out, struct slice bytes, int indent)
{
    size_t shown = bytes.size < HEX_SIZE_MAX ? bytes.size : HEX_SIZE_MAX;

    fprintf(out, "%*s%zu bytes\n", indent, "", bytes.size);
    for (size_t i = 0; i < shown; i += HEX_LINE_SIZE) {
        fprintf(out, "%*s%06zx ", indent, "", i);
        for (size_t j = i; j < i + HEX_LINE_SIZE; j++) {
            if (j < shown) {
                fprintf(out, " %02x", bytes.data[j]);
            } else {
                fputs("   ", out);
            }
        }
        fputs("  ", out);
        for (size_t j = i; j < i + HEX_LINE_SIZE && j < shown; j++) {
            putc(bytes.data[j] >= 0x20 && bytes.data[j] < 0x7f ? bytes.data[j]
                                                               : '.',
                 out);
        }
        putc('\n', out);
    }
    if (shown < bytes.size) {
        fprintf(out, "%*s... and %zu bytes more\n", indent, "",
                bytes.size - shown);
    }
}

/* ---- JSON ---- */

/* The control characters that may stand in a string as they are, DEL and U+0080
 * to U+009F: a terminal would do what they say. The second byte of the latter
 * is at @at + 1.
 */
static bool
is_control(struct slice json, size_t at)
{
    return json.data[at] == 0x7f ||
           (json.data[at] == 0xc2 && json.data[at + 1] < 0xa0);
}

/* Checked JSON with these escaped, which says the same, in memory that is the
 * caller's to free; NULL: there are none, or no memory.
 */
static char *
escape_controls(struct slice json, size_t *size)
{
    char *text = NULL;
    FILE *out = NULL;
    size_t from = 0;

    for (size_t at = 0; at < json.size; at++) {
        if (!is_control(json, at)) {
            continue;
        }
        if (out == NULL && (out = open_memstream(&text, size)) == NULL) {
            return NULL;
        }
        fwrite(json.data + from, 1, at - from, out);
        at += json.data[at] == 0xc2;
        fprintf(out, "\\u%04x", json.data[at]);
        from = at + 1;
    }
    if (out != NULL) {
        fwrite(json.data + from, 1, json.size - from, out);
        fclose(out);
    }
    return text;
}

static void
print_json(FILE *out, struct slice json, int indent, bool color)
{
    size_t size;
    char *escaped = escape_controls(json, &size);

    if (escaped != NULL) {
        json = slice_make(escaped, size);
    }
    fprintf(out, "%*s", indent, "");
    if (json.size <= LINE_SIZE_MAX &&
        memchr(json.data, '\n', json.size) == NULL &&
        memchr(json.data, '\r', json.size) == NULL) {
        fwrite(json.data, 1, json.size, out);
    } else {
        json_write_pretty(out, json, indent,
                          color ? &color_style : &plain_style);
    }
    putc('\n', out);
    free(escaped);
}

/* ---- msgpack ---- */

static void write_msgpack(FILE *out, struct pack_reader *reader);

static void
write_hex_string(FILE *out, struct slice bytes)
{
    fputs("\"0x", out);
    for (size_t i = 0; i < bytes.size; i++) {
        fprintf(out, "%02x", bytes.data[i]);
    }
    putc('"', out);
}

static void
write_float(FILE *out, struct slice packed)
{
    union {
        uint64_t bits;
        double number;
    } wide = {0};
    union {
        uint32_t bits;
        float number;
    } narrow = {0};

    for (size_t i = 1; i < packed.size; i++) {
        wide.bits = wide.bits << 8 | packed.data[i];
        narrow.bits = narrow.bits << 8 | packed.data[i];
    }
    if (packed.size == 5) {
        fprintf(out, "%.9g", (double)narrow.number);
    } else {
        fprintf(out, "%.17g", wide.number);
    }
}

static void
write_elements(FILE *out, struct pack_reader *reader)
{
    size_t count = pack_get_array(reader, "array");

    putc('[', out);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        fputs(i == 0 ? "" : ", ", out);
        write_msgpack(out, reader);
    }
    putc(']', out);
}

/* Keys that are no strings become strings of what they are. */
static void
write_members(FILE *out, struct pack_reader *reader)
{
    size_t count = pack_get_map(reader, "map");

    putc('{', out);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        bool is_string = pack_peek(reader) == PACK_STR;

        fputs(i == 0 ? "" : ", ", out);
        fputs(is_string ? "" : "\"", out);
        write_msgpack(out, reader);
        fputs(is_string ? ": " : "\": ", out);
        write_msgpack(out, reader);
    }
    putc('}', out);
}

static void
write_msgpack(FILE *out, struct pack_reader *reader)
{
    const uint8_t *from = reader->at;

    switch (pack_peek(reader)) {
    case PACK_NIL:
        pack_skip(reader);
        fputs("null", out);
        break;
    case PACK_BOOL:
        fputs(pack_get_bool(reader, "bool") ? "true" : "false", out);
        break;
    case PACK_UINT:
        fprintf(out, "%" PRIu64, pack_get_uint(reader, "number"));
        break;
    case PACK_INT:
        fprintf(out, "%" PRId64, pack_get_int(reader, "number"));
        break;
    case PACK_FLOAT:
        pack_skip(reader);
        write_float(out, pack_since(reader, from));
        break;
    case PACK_STR:
        json_write_string(out, pack_get_str(reader, "string"));
        break;
    case PACK_BIN:
        write_hex_string(out, pack_get_bin(reader, "bytes"));
        break;
    case PACK_EXT:
        pack_skip(reader);
        write_hex_string(out, pack_since(reader, from));
        break;
    case PACK_ARRAY:
        write_elements(out, reader);
        break;
    case PACK_MAP:
        write_members(out, reader);
        break;
    case PACK_END:
        break;
    }
}

/* As JSON text in memory that is the caller's to free; NULL if it is not
 * msgpack, or not such that it can be shown as JSON.
 */
static char *
msgpack_to_json(struct slice data, size_t *size)
{
    struct pack_reader reader;
    char *text = NULL;
    FILE *out;

    if (pack_scan(data, MSGPACK_DEPTH_MAX, NULL) != ACTA_OK) {
        return NULL;
    }
    out = open_memstream(&text, size);
    if (out == NULL) {
        return NULL;
    }
    pack_reader_init(&reader, data, NULL);
    write_msgpack(out, &reader);
    if (fclose(out) != 0 || !json_is_value(slice_make(text, *size))) {
        free(text);
        return NULL;
    }
    return text;
}

void
data_text_print(FILE *out, struct slice data, enum acta_format format,
                int indent, bool color)
{
    char *text = NULL;
    size_t size;

    if (data.size == 0) {
        return;
    }
    if (format == ACTA_FORMAT_JSON && json_is_value(data)) {
        print_json(out, data, indent, color);
        return;
    }
    if (format == ACTA_FORMAT_MSGPACK) {
        text = msgpack_to_json(data, &size);
    }
    if (text != NULL) {
        print_json(out, slice_make(text, size), indent, color);
        free(text);
    } else {
        print_hex(out, data, indent);
    }
}
