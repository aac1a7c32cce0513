/* Texts that people and other programs give to acta: queries, times, lines of
 * events, JSON, base64. The first byte of the input says which.
 *
 * What is taken is written again by the function that is there for it, and that
 * is taken too and means the same.
 */

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "data_text.h"
#include "filter.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "json.h"
#include "line.h"
#include "query_build.h"
#include "query_text.h"
#include "when.h"

#define NOW_US   UINT64_C(1795299756000000)
#define WIRE_MAX ((size_t)1 << 20)

/* A text in memory: what is written to a FILE. */
struct written {
    FILE *file;
    char *text;
    size_t size;
};

static FILE *
begin(struct written *written)
{
    written->file = open_memstream(&written->text, &written->size);
    FUZZ_PROMISE(written->file != NULL);
    return written->file;
}

static struct slice
end(struct written *written)
{
    FUZZ_PROMISE(fclose(written->file) == 0);
    return slice_make(written->text, written->size);
}

/* ---- times ---- */

static void
check_span(const char *text)
{
    char again[WHEN_SIZE];
    uint64_t us, second;

    if (when_parse_span(text, NULL, &us)) {
        when_format_span(us, again);
        FUZZ_PROMISE(when_parse_span(again, NULL, &second));
        FUZZ_PROMISE(second == us);
        when_format_duration(us, again);
        when_format_delay(us, again);
    }
    (void)when_parse_span(text, "ms", &us);
}

static void
check_time(const char *text)
{
    char again[WHEN_SIZE];
    uint64_t us;

    if (when_parse_time(text, NOW_US, &us)) {
        when_format_age(us, again);
    }
}

/* ---- JSON ---- */

static void
check_string(struct slice string)
{
    char *decoded = malloc(string.size);
    char *second = malloc(string.size * 6 + 3);
    struct written written;
    size_t size, second_size;
    struct slice text;

    FUZZ_PROMISE(decoded != NULL && second != NULL);
    size = json_decode_string(string, decoded);
    FUZZ_PROMISE(size < string.size);
    FUZZ_PROMISE(decoded[size] == '\0');
    json_write_string(begin(&written), slice_make(decoded, size));
    text = end(&written);
    FUZZ_PROMISE(json_is_value(text));
    FUZZ_PROMISE(text.size <= size * 6 + 2);
    second_size = json_decode_string(text, second);
    FUZZ_PROMISE(slice_equal(slice_make(decoded, size),
                             slice_make(second, second_size)));
    free(written.text);
    free(decoded);
    free(second);
}

/* Strings in objects and arrays, as deep as they go. */
static void
check_strings(struct slice value)
{
    enum json_kind kind = json_kind(value);
    struct slice key, inner;
    struct json json;

    json_init(&json, value);
    if (kind == JSON_STRING) {
        check_string(value);
    } else if (kind == JSON_OBJECT) {
        json_open(&json, kind);
        for (bool first = true; json_member(&json, first, &key, &inner);
             first = false) {
            check_string(key);
            check_strings(inner);
        }
    } else if (kind == JSON_ARRAY) {
        json_open(&json, kind);
        for (bool first = true; json_element(&json, first, &inner);
             first = false) {
            check_strings(inner);
        }
    }
    FUZZ_PROMISE(!json_failed(&json));
}

static void
check_json(struct slice text)
{
    static const struct json_style plain = {"", "", ""};
    struct written written;
    struct slice value;
    struct json json;

    json_init(&json, text);
    value = json_value(&json);
    json_end(&json);
    FUZZ_PROMISE(json_column(&json) <= text.size + 1);
    if (json_failed(&json)) {
        return;
    }
    FUZZ_PROMISE(json_is_value(value));
    check_strings(value);
    json_write_pretty(begin(&written), value, 2, &plain);
    text = end(&written);
    json_init(&json, text);
    (void)json_value(&json);
    json_end(&json);
    FUZZ_PROMISE(!json_failed(&json));
    free(written.text);
}

/* ---- lines of events ---- */

static void
check_line(struct slice text)
{
    struct acta_append *append;
    struct acta_err err;
    struct line line;

    if (line_parse(&line, text, 1, "p-", &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_INVALID || err.code == ACTA_TOO_LARGE);
        return;
    }
    line_derive_id(&line, text, "source");
    FUZZ_PROMISE(line.draft.id != NULL);
    append = acta_append_new();
    FUZZ_PROMISE(append != NULL);
    acta_append_stream(append, line.stream, line.expected);
    acta_append_event(append, &line.draft);
    if (acta_append_check(append, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_INVALID || err.code == ACTA_TOO_LARGE);
    }
    acta_append_free(append);
    line_free(&line);
}

/* ---- base64, and bytes that are shown ---- */

static void
check_base64(struct slice text)
{
    size_t room = text.size / 4 * 3 + 1, size, again_size;
    uint8_t *bytes = malloc(room), *again = malloc(room);
    struct written written;

    FUZZ_PROMISE(bytes != NULL && again != NULL);
    if (base64_decode(text, bytes, &size)) {
        FUZZ_PROMISE(size < room);
        base64_write(begin(&written), slice_make(bytes, size));
        FUZZ_PROMISE(base64_decode(end(&written), again, &again_size));
        FUZZ_PROMISE(slice_equal(slice_make(bytes, size),
                                 slice_make(again, again_size)));
        free(written.text);
    }
    free(bytes);
    free(again);
}

static void
check_data(struct slice bytes, enum acta_format format)
{
    struct written written;

    data_text_print(begin(&written), bytes, format, 4, false);
    (void)end(&written);
    free(written.text);
}

/* ---- queries ---- */

/* In memory of its own, with an end. (The sanitizers have strndup() look for
 * one behind the text.)
 */
static char *
copy_of(struct slice text)
{
    char *copy = malloc(text.size + 1);

    FUZZ_PROMISE(copy != NULL);
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    return copy;
}

/* As a server would tell it: the texts of a query, item by item. */
static size_t
tell(const struct query *query, struct acta_query_text *texts, size_t max)
{
    static const enum acta_query_field told[] = {
        [QUERY_CATEGORIES] = ACTA_QUERY_CATEGORY,
        [QUERY_TYPES] = ACTA_QUERY_TYPE,
        [QUERY_TAGS] = ACTA_QUERY_TAG,
        [QUERY_STREAMS] = ACTA_QUERY_STREAM,
    };
    size_t count = 0;

    for (size_t i = 0; i < query->items_count; i++) {
        for (size_t f = 0; f < sizeof(told) / sizeof(told[0]); f++) {
            const struct query_terms *terms = &query->items[i].fields[f];

            for (size_t t = 0; t < terms->count + terms->prefixes_count; t++) {
                bool is_prefix = t >= terms->count;
                struct slice text = is_prefix
                                        ? terms->prefixes[t - terms->count]
                                        : terms->texts[t];

                FUZZ_PROMISE(count < max);
                texts[count++] = (struct acta_query_text){
                    .item = i,
                    .field = told[f],
                    .is_prefix = is_prefix,
                    .text = copy_of(text),
                };
            }
        }
    }
    return count;
}

static void
put_query(struct buf *buf, const struct acta_query *filled)
{
    struct query query;

    buf_clear(buf);
    FUZZ_PROMISE(query_build(filled, &query, NULL) == ACTA_OK);
    query_encode(buf, &query);
    query_fini(&query);
}

/* A query of these options, told as texts, is made into options again, which
 * are read as the same query.
 */
static void
check_told(const struct acta_query *filled, const struct query *query)
{
    enum { TEXTS_MAX = 256 };
    const struct acta_query_text *pointers[TEXTS_MAX];
    struct acta_query_text texts[TEXTS_MAX];
    size_t count = tell(query, texts, TEXTS_MAX);
    struct filter filter;
    struct buf one, other;
    char *text;

    for (size_t i = 0; i < count; i++) {
        pointers[i] = &texts[i];
    }
    text = query_text(pointers, count);
    FUZZ_PROMISE(text != NULL);
    buf_init(&one, WIRE_MAX);
    buf_init(&other, WIRE_MAX);
    put_query(&one, filled);
    filter_init(&filter);
    FUZZ_PROMISE(filter_parse(&filter, "again", text) == EXIT_OK);
    put_query(&other, filter_query(&filter));
    FUZZ_PROMISE(slice_equal(buf_slice(&one), buf_slice(&other)));
    filter_fini(&filter);
    buf_fini(&one);
    buf_fini(&other);
    free(text);
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)texts[i].text);
    }
}

static void
check_query(const char *text)
{
    struct filter filter;
    struct query query;
    bool has_ids = false;

    filter_init(&filter);
    if (filter_parse(&filter, "--if-none", text) == EXIT_OK &&
        query_build(filter_query(&filter), &query, NULL) == ACTA_OK) {
        for (size_t i = 0; i < query.items_count; i++) {
            has_ids = has_ids ||
                      query.items[i].fields[QUERY_CORRELATION_IDS].count > 0;
        }
        if (!has_ids) {
            check_told(filter_query(&filter), &query);
        }
        query_fini(&query);
    }
    filter_fini(&filter);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {slice_make(data, size)};
    uint8_t what = fuzz_take_byte(&input);
    char *text = malloc(input.left.size + 1);

    FUZZ_PROMISE(text != NULL);
    memcpy(text, input.left.data, input.left.size);
    text[input.left.size] = '\0';
    switch (what % 8) {
    case 0:
        check_span(text);
        break;
    case 1:
        check_time(text);
        break;
    case 2:
    case 3:
        check_query(text);
        break;
    case 4:
        check_json(input.left);
        break;
    case 5:
        check_line(input.left);
        break;
    case 6:
        check_base64(input.left);
        break;
    case 7:
        check_data(input.left, (enum acta_format)(what / 8 % 3));
        break;
    }
    free(text);
    return 0;
}
