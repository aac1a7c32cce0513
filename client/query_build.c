/* Terms are collected as they come, each with the item and field it is for.
 * What is built from them goes once through the wire's encoding, because the
 * decoder knows all the rules.
 */

#include "query_build.h"

#include <stdlib.h>

#include "limit.h"

struct term {
    size_t item;
    enum query_field field;
    bool is_prefix;
    size_t start; /* In texts. */
    size_t size;
};

struct acta_query {
    struct buf texts;
    size_t items_count;
    size_t terms_count;
    struct term terms[ACTA_QUERY_TERMS_MAX];
    struct acta_err err; /* What was wrong first; OK: nothing. */
};

/* What a term and an item add to a frame besides the text. */
#define TERM_HEAD_SIZE 3
#define ITEM_HEAD_SIZE (1 + QUERY_FIELDS)

/* Longer texts are told apart as too long by the decoder. */
#define TEXT_SIZE_KEPT 256

struct acta_query *
acta_query_new(void)
{
    struct acta_query *query = calloc(1, sizeof(*query));

    if (query != NULL) {
        buf_init(&query->texts, ACTA_QUERY_TERMS_MAX * TEXT_SIZE_KEPT);
        query->items_count = 1;
    }
    return query;
}

void
acta_query_free(struct acta_query *query)
{
    if (query != NULL) {
        buf_fini(&query->texts);
        free(query);
    }
}

static void
add_term(struct acta_query *query, enum query_field field, bool is_prefix,
         struct slice text)
{
    if (query == NULL || query->err.code != ACTA_OK) {
        return;
    }
    if (query->terms_count == ACTA_QUERY_TERMS_MAX) {
        acta_fail(&query->err, ACTA_TOO_LARGE, "query names more than %d texts",
                  ACTA_QUERY_TERMS_MAX);
        return;
    }
    if (text.size > TEXT_SIZE_KEPT) {
        text.size = TEXT_SIZE_KEPT;
    }
    query->terms[query->terms_count++] = (struct term){
        .item = query->items_count - 1,
        .field = field,
        .is_prefix = is_prefix,
        .start = buf_size(&query->texts),
        .size = text.size,
    };
    buf_append_slice(&query->texts, text);
    if (buf_failed(&query->texts)) {
        acta_fail(&query->err, ACTA_MEMORY, "query");
    }
}

static void
add_text(struct acta_query *query, enum query_field field, const char *text)
{
    add_term(query, field, false, slice_of(text == NULL ? "" : text));
}

static void
add_prefix(struct acta_query *query, enum query_field field, const char *text)
{
    add_term(query, field, true, slice_of(text == NULL ? "" : text));
}

void
acta_query_category(struct acta_query *query, const char *category)
{
    add_text(query, QUERY_CATEGORIES, category);
}

void
acta_query_type(struct acta_query *query, const char *type)
{
    add_text(query, QUERY_TYPES, type);
}

void
acta_query_type_prefix(struct acta_query *query, const char *prefix)
{
    add_prefix(query, QUERY_TYPES, prefix);
}

void
acta_query_tag(struct acta_query *query, const char *tag)
{
    add_text(query, QUERY_TAGS, tag);
}

void
acta_query_stream(struct acta_query *query, const char *stream)
{
    add_text(query, QUERY_STREAMS, stream);
}

void
acta_query_stream_prefix(struct acta_query *query, const char *prefix)
{
    add_prefix(query, QUERY_STREAMS, prefix);
}

void
acta_query_correlation_id(struct acta_query *query, const struct acta_id *id)
{
    add_term(query, QUERY_CORRELATION_IDS, false,
             slice_make(id->bytes, sizeof(id->bytes)));
}

void
acta_query_or(struct acta_query *query)
{
    if (query == NULL || query->err.code != ACTA_OK) {
        return;
    }
    if (query->items_count == ACTA_QUERY_ITEMS_MAX) {
        acta_fail(&query->err, ACTA_TOO_LARGE, "query has over %d items",
                  ACTA_QUERY_ITEMS_MAX);
        return;
    }
    query->items_count++;
}

static bool
is_in(const struct term *term, size_t item, enum query_field field)
{
    return term->item == item && term->field == field;
}

static void
encode_field(const struct acta_query *filled, size_t item,
             enum query_field field, struct buf *buf)
{
    struct slice texts = buf_slice(&filled->texts);
    size_t count = 0;

    for (size_t i = 0; i < filled->terms_count; i++) {
        count += is_in(&filled->terms[i], item, field);
    }
    pack_array(buf, count);
    for (size_t i = 0; i < filled->terms_count && count > 0; i++) {
        const struct term *term = &filled->terms[i];
        struct slice text;

        if (!is_in(term, item, field)) {
            continue;
        }
        text = term->size == 0
                   ? SLICE_NONE
                   : slice_make(texts.data + term->start, term->size);
        if (field == QUERY_CORRELATION_IDS) {
            pack_bin(buf, text);
        } else {
            if (term->is_prefix) {
                pack_array(buf, 1);
            }
            pack_str(buf, text);
        }
    }
}

enum acta_code
query_build(const struct acta_query *filled, struct query *query,
            struct acta_err *err)
{
    struct pack_reader reader;
    struct buf buf;

    *query = QUERY_ALL;
    /* A query in which nothing was named has one item that wants all. */
    if (filled == NULL ||
        (filled->terms_count == 0 && filled->err.code == ACTA_OK)) {
        return ACTA_OK;
    }
    if (filled->err.code != ACTA_OK) {
        return acta_fail(err, filled->err.code, "%s", filled->err.text);
    }
    buf_init(&buf, 2 * filled->texts.size_max);
    pack_array(&buf, filled->items_count);
    for (size_t i = 0; i < filled->items_count; i++) {
        pack_array(&buf, QUERY_FIELDS);
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            encode_field(filled, i, f, &buf);
        }
    }
    if (buf_failed(&buf)) {
        buf_fini(&buf);
        return acta_fail(err, ACTA_MEMORY, "query");
    }
    pack_reader_init(&reader, buf_slice(&buf), err);
    query_decode(&reader, query);
    buf_fini(&buf);
    return pack_code(&reader);
}

enum acta_code
acta_query_check(const struct acta_query *query, struct acta_err *err)
{
    struct query built;
    enum acta_code code;

    if (query == NULL) {
        return acta_fail(err, ACTA_MEMORY, "query");
    }
    code = query_build(query, &built, err);
    query_fini(&built);
    return code;
}

size_t
query_wire_size(const struct acta_query *filled)
{
    return filled == NULL ? 0
                          : buf_size(&filled->texts) +
                                filled->terms_count * TERM_HEAD_SIZE +
                                filled->items_count * ITEM_HEAD_SIZE;
}

struct acta_query *
query_copy(const struct acta_query *filled)
{
    struct acta_query *copy = malloc(sizeof(*copy));

    if (copy == NULL) {
        return NULL;
    }
    *copy = *filled;
    buf_init(&copy->texts, filled->texts.size_max);
    buf_append_slice(&copy->texts, buf_slice(&filled->texts));
    if (buf_failed(&copy->texts)) {
        acta_query_free(copy);
        return NULL;
    }
    return copy;
}
