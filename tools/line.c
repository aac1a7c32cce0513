#include "line.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "json.h"
#include "name.h"
#include "uuid.h"

/* Where a field's value is while the line is read. */
struct fields {
    struct slice stream, type, data, data_base64, metadata, metadata_base64,
        format, tags, id, correlation_id, causation_id, expected, version,
        position, time;
};

static const struct {
    const char *name;
    size_t offset;
} field_rows[] = {
#define ROW(field)                                                             \
    {                                                                          \
#field, offsetof(struct fields, field)                                 \
    }
    ROW(stream),         ROW(type),         ROW(data),
    ROW(data_base64),    ROW(metadata),     ROW(metadata_base64),
    ROW(format),         ROW(tags),         ROW(id),
    ROW(correlation_id), ROW(causation_id), ROW(expected),
    ROW(version),        ROW(position),     ROW(time),
#undef ROW
};

#define FIELDS_COUNT (sizeof(field_rows) / sizeof(field_rows[0]))

/* ---- words ---- */

bool
line_parse_expected(const char *text, int64_t *expected)
{
    unsigned long long number;
    char *end;

    if (strcmp(text, "any") == 0) {
        *expected = ACTA_EXPECT_ANY;
        return true;
    }
    if (strcmp(text, "exists") == 0) {
        *expected = ACTA_EXPECT_EXISTS;
        return true;
    }
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    *expected = (int64_t)number;
    return errno == 0 && *end == '\0' && number <= INT64_MAX;
}

bool
line_parse_format(const char *text, enum acta_format *format)
{
    static const char *const names[] = {
        [ACTA_FORMAT_BINARY] = "binary",
        [ACTA_FORMAT_JSON] = "json",
        [ACTA_FORMAT_MSGPACK] = "msgpack",
    };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *format = (enum acta_format)i;
            return true;
        }
    }
    return false;
}

/* ---- fields ---- */

/* The row of the field that @key, a checked string, names. */
static size_t
find_field(struct slice key)
{
    size_t row = 0;

    while (row < FIELDS_COUNT &&
           !slice_equal(slice_make(key.data + 1, key.size - 2),
                        slice_of(field_rows[row].name))) {
        row++;
    }
    return row;
}

static enum acta_code
find_fields(struct fields *fields, struct slice text, struct acta_err *err)
{
    struct json json;
    struct slice key, value;

    *fields = (struct fields){0};
    json_init(&json, text);
    json_open(&json, JSON_OBJECT);
    for (bool first = true; json_member(&json, first, &key, &value);
         first = false) {
        size_t row = find_field(key);
        struct slice *field;

        if (row == FIELDS_COUNT) {
            return acta_fail(err, ACTA_INVALID, "there is no field %.*s",
                             key.size > 100 ? 100 : (int)key.size,
                             (const char *)key.data);
        }
        field =
            (struct slice *)(void *)((char *)fields + field_rows[row].offset);
        if (field->size > 0) {
            return acta_fail(err, ACTA_INVALID, "%s comes twice",
                             field_rows[row].name);
        }
        *field = value;
    }
    json_end(&json);
    if (json_failed(&json)) {
        return acta_fail(err, ACTA_INVALID, "not JSON at column %zu: %s",
                         json_column(&json), json.error);
    }
    return ACTA_OK;
}

/* Decode a string into the line's memory. NULL, and told, if it is none. */
static const char *
take_string(struct line *line, struct slice value, const char *what,
            struct slice *decoded, struct acta_err *err)
{
    char *text = line->memory + line->used;

    if (json_kind(value) != JSON_STRING) {
        acta_fail(err, ACTA_INVALID, "%s: %s", what,
                  value.size == 0 ? "is missing" : "must be a string");
        return NULL;
    }
    *decoded = slice_make(text, json_decode_string(value, text));
    line->used += decoded->size + 1;
    return text;
}

static const char *
take_name(struct line *line, struct slice value, size_t size_max,
          const char *what, struct acta_err *err)
{
    struct slice decoded;
    const char *text = take_string(line, value, what, &decoded, err);

    if (text != NULL && name_check(decoded, size_max, what, err) != ACTA_OK) {
        return NULL;
    }
    return text;
}

static enum acta_code
take_stream(struct line *line, struct slice value, const char *prefix,
            struct acta_err *err)
{
    char *start = line->memory + line->used;
    struct slice decoded;

    memcpy(start, prefix, strlen(prefix));
    line->used += strlen(prefix);
    if (take_string(line, value, "stream", &decoded, err) == NULL) {
        return ACTA_INVALID;
    }
    line->stream = start;
    return name_check(slice_make(start, strlen(prefix) + decoded.size),
                      ACTA_STREAM_SIZE_MAX, "stream", err);
}

static enum acta_code
take_tags(struct line *line, struct slice value, struct acta_err *err)
{
    struct json json;
    struct slice element;

    if (value.size == 0) {
        return ACTA_OK;
    }
    if (json_kind(value) != JSON_ARRAY) {
        return acta_fail(err, ACTA_INVALID, "tags: must be an array");
    }
    json_init(&json, value);
    json_open(&json, JSON_ARRAY);
    for (bool first = true; json_element(&json, first, &element);
         first = false) {
        const char *tag;

        if (line->draft.tags_count == ACTA_TAGS_MAX) {
            return acta_fail(err, ACTA_TOO_LARGE, "tags: more than %d",
                             ACTA_TAGS_MAX);
        }
        tag = take_name(line, element, ACTA_TAG_SIZE_MAX, "tag", err);
        if (tag == NULL) {
            return ACTA_INVALID;
        }
        for (size_t i = 0; i < line->draft.tags_count; i++) {
            if (strcmp(line->tags[i], tag) == 0) {
                return acta_fail(err, ACTA_INVALID, "tags: %s comes twice",
                                 tag);
            }
        }
        line->tags[line->draft.tags_count++] = tag;
    }
    line->draft.tags = line->tags;
    return ACTA_OK;
}

static enum acta_code
take_id(struct line *line, struct slice value, const char *what,
        struct acta_id *id, const struct acta_id **field, struct acta_err *err)
{
    struct slice decoded;
    const char *text;

    if (value.size == 0 || json_kind(value) == JSON_NULL) {
        return ACTA_OK;
    }
    text = take_string(line, value, what, &decoded, err);
    if (text == NULL) {
        return ACTA_INVALID;
    }
    if (decoded.size != strlen(text) || !acta_id_parse(id, text)) {
        return acta_fail(err, ACTA_INVALID, "%s: not a UUID", what);
    }
    *field = id;
    return ACTA_OK;
}

/* The bytes of data or metadata: those of the JSON in the line, or what is
 * there in base64.
 */
static enum acta_code
take_bytes(struct line *line, struct slice json, struct slice base64,
           const char *what, const void **bytes, size_t *size,
           struct acta_err *err)
{
    char *to = line->memory + line->used;
    struct slice decoded;

    if (json.size > 0 && base64.size > 0) {
        return acta_fail(err, ACTA_INVALID, "%s and %s_base64: both are there",
                         what, what);
    }
    *bytes = to;
    if (base64.size == 0) {
        if (json.size > 0) {
            memcpy(to, json.data, json.size);
        }
        *size = json.size;
    } else {
        if (take_string(line, base64, what, &decoded, err) == NULL) {
            return ACTA_INVALID;
        }
        if (!base64_decode(decoded, to, size)) {
            return acta_fail(err, ACTA_INVALID, "%s_base64: not base64", what);
        }
    }
    line->used = (size_t)(to - line->memory) + *size;
    return ACTA_OK;
}

static enum acta_code
take_format(struct line *line, const struct fields *fields,
            struct acta_err *err)
{
    struct slice decoded;
    const char *text;

    line->draft.format =
        fields->data.size > 0 ? ACTA_FORMAT_JSON : ACTA_FORMAT_BINARY;
    if (fields->format.size == 0) {
        return ACTA_OK;
    }
    text = take_string(line, fields->format, "format", &decoded, err);
    if (text == NULL) {
        return ACTA_INVALID;
    }
    if (!line_parse_format(text, &line->draft.format)) {
        return acta_fail(err, ACTA_INVALID,
                         "format: must be json, binary or msgpack");
    }
    if (fields->data.size > 0 && line->draft.format != ACTA_FORMAT_JSON) {
        return acta_fail(err, ACTA_INVALID,
                         "format: what is not json is given as data_base64");
    }
    return ACTA_OK;
}

static enum acta_code
take_expected(struct line *line, struct slice value, struct acta_err *err)
{
    char text[32] = "";

    line->expected = ACTA_EXPECT_ANY;
    if (value.size == 0 || json_kind(value) == JSON_NULL) {
        return ACTA_OK;
    }
    line->has_expected = true;
    if (value.size < sizeof(text)) {
        if (json_kind(value) == JSON_STRING) {
            json_decode_string(value, text);
        } else {
            memcpy(text, value.data, value.size);
        }
    }
    if (!line_parse_expected(text, &line->expected)) {
        return acta_fail(err, ACTA_INVALID,
                         "expected: must be a version, \"any\" or \"exists\"");
    }
    return ACTA_OK;
}

static enum acta_code
take_all(struct line *line, const struct fields *fields, const char *prefix,
         struct acta_err *err)
{
    struct acta_draft *draft = &line->draft;
    enum acta_code code = take_stream(line, fields->stream, prefix, err);

    if (code == ACTA_OK) {
        draft->type =
            take_name(line, fields->type, ACTA_TYPE_SIZE_MAX, "type", err);
        code = draft->type == NULL ? ACTA_INVALID : ACTA_OK;
    }
    if (code == ACTA_OK &&
        slice_equal(fields->format, slice_of("\"erased\""))) {
        code = acta_fail(err, ACTA_INVALID,
                         "the event was erased: there is nothing to append");
    }
    if (code == ACTA_OK && fields->data.size == 0 &&
        fields->data_base64.size == 0) {
        code = acta_fail(err, ACTA_INVALID, "data: is missing");
    }
    if (code == ACTA_OK) {
        code = take_format(line, fields, err);
    }
    if (code == ACTA_OK) {
        code = take_tags(line, fields->tags, err);
    }
    if (code == ACTA_OK) {
        code = take_id(line, fields->id, "id", &line->id, &draft->id, err);
    }
    if (code == ACTA_OK) {
        code = take_id(line, fields->correlation_id, "correlation_id",
                       &line->correlation_id, &draft->correlation_id, err);
    }
    if (code == ACTA_OK) {
        code = take_id(line, fields->causation_id, "causation_id",
                       &line->causation_id, &draft->causation_id, err);
    }
    if (code == ACTA_OK) {
        code = take_expected(line, fields->expected, err);
    }
    if (code == ACTA_OK) {
        code = take_bytes(line, fields->data, fields->data_base64, "data",
                          &draft->data, &draft->data_size, err);
    }
    if (code == ACTA_OK) {
        code = take_bytes(line, fields->metadata, fields->metadata_base64,
                          "metadata", &draft->metadata, &draft->metadata_size,
                          err);
    }
    if (code == ACTA_OK &&
        draft->data_size + draft->metadata_size > ACTA_EVENT_SIZE_MAX) {
        code = acta_fail(err, ACTA_TOO_LARGE,
                         "data and metadata: more than %u bytes",
                         ACTA_EVENT_SIZE_MAX);
    }
    return code;
}

enum acta_code
line_parse(struct line *line, struct slice text, uint64_t number,
           const char *prefix, struct acta_err *err)
{
    struct fields fields;
    enum acta_code code = find_fields(&fields, text, err);

    if (code != ACTA_OK) {
        return code;
    }
    *line = (struct line){.number = number};
    line->draft = acta_draft_of(NULL, NULL, 0);
    /* Decoded, no value is larger than in the line, where it has quotes that
     * make room for the zero byte behind it.
     */
    line->memory = malloc(strlen(prefix) + text.size + 1);
    if (line->memory == NULL) {
        return acta_fail(err, ACTA_MEMORY, "line of %zu bytes", text.size);
    }
    code = take_all(line, &fields, prefix, err);
    if (code != ACTA_OK) {
        line_free(line);
    }
    return code;
}

void
line_free(struct line *line)
{
    free(line->memory);
    line->memory = NULL;
}

void
line_derive_id(struct line *line, struct slice text, const char *source)
{
    EVP_MD_CTX *digest;
    uint8_t bytes[EVP_MAX_MD_SIZE] = {0};
    struct uuid id;
    char number[32];

    if (line->draft.id != NULL) {
        return;
    }
    snprintf(number, sizeof(number), "%" PRIu64, line->number);
    digest = EVP_MD_CTX_new();
    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(digest, source, strlen(source) + 1) != 1 ||
        EVP_DigestUpdate(digest, number, strlen(number) + 1) != 1 ||
        EVP_DigestUpdate(digest, text.data, text.size) != 1 ||
        EVP_DigestFinal_ex(digest, bytes, NULL) != 1) {
        abort(); /* Only for want of memory; a wrong id would be worse. */
    }
    EVP_MD_CTX_free(digest);
    uuid_v8(&id, bytes);
    memcpy(line->id.bytes, id.bytes, sizeof(line->id.bytes));
    line->draft.id = &line->id;
}
