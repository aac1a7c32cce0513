#include "query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "name.h"
#include "uuid.h"

/* What a name in each field may be. */
static const struct {
    const char *what;
    size_t size_max;
} fields[QUERY_FIELDS] = {
    [QUERY_CATEGORIES] = {"category", ACTA_STREAM_SIZE_MAX},
    [QUERY_TYPES] = {"type", ACTA_TYPE_SIZE_MAX},
    [QUERY_TAGS] = {"tag", ACTA_TAG_SIZE_MAX},
    [QUERY_STREAMS] = {"stream", ACTA_STREAM_SIZE_MAX},
    [QUERY_CORRELATION_IDS] = {"correlation id", UUID_SIZE},
};

static struct slice
decode_term(struct pack_reader *reader, enum query_field field)
{
    struct acta_err err;
    struct slice text;

    if (field == QUERY_CORRELATION_IDS) {
        text = pack_get_bin(reader, fields[field].what);
        if (!reader->failed && text.size != UUID_SIZE) {
            pack_fail(reader, ACTA_INVALID,
                      "correlation id must be %d bytes, is %zu", UUID_SIZE,
                      text.size);
        }
        return text;
    }
    text = pack_get_str(reader, fields[field].what);
    if (!reader->failed && name_check(text, fields[field].size_max,
                                      fields[field].what, &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
    return text;
}

struct counts {
    size_t items;
    size_t terms;
    size_t bytes;
};

/* Walk over a query that is checked on the way. With @query NULL only count,
 * else fill it: items, then slices, then texts, all in one piece of memory.
 */
static void
walk(struct pack_reader *reader, struct counts *counts,
     struct query_item *items, struct slice *terms, uint8_t *texts)
{
    *counts = (struct counts){0};
    counts->items =
        pack_get_array_of(reader, 0, ACTA_QUERY_ITEMS_MAX, "query items");
    for (size_t i = 0; i < counts->items && !reader->failed; i++) {
        pack_get_array_of(reader, QUERY_FIELDS, QUERY_FIELDS, "query item");
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            size_t count = pack_get_array(reader, fields[f].what);

            if (counts->terms + count > ACTA_QUERY_TERMS_MAX) {
                pack_fail(reader, ACTA_TOO_LARGE,
                          "query names more than %d texts",
                          ACTA_QUERY_TERMS_MAX);
                return;
            }
            if (items != NULL) {
                items[i].fields[f] =
                    (struct query_terms){terms + counts->terms, count};
            }
            for (size_t t = 0; t < count && !reader->failed; t++) {
                struct slice text = decode_term(reader, f);

                if (items != NULL && text.size > 0) {
                    memcpy(texts + counts->bytes, text.data, text.size);
                    terms[counts->terms] =
                        slice_make(texts + counts->bytes, text.size);
                }
                counts->terms++;
                counts->bytes += text.size;
            }
        }
    }
}

void
query_decode(struct pack_reader *reader, struct query *query)
{
    struct pack_reader again = *reader;
    struct query_item *items;
    struct counts counts;
    struct slice *terms;

    *query = QUERY_ALL;
    walk(reader, &counts, NULL, NULL, NULL);
    if (reader->failed || counts.items == 0) {
        return;
    }
    items = malloc(counts.items * sizeof(*items) +
                   counts.terms * sizeof(*terms) + counts.bytes);
    if (items == NULL) {
        pack_fail(reader, ACTA_MEMORY, "query");
        return;
    }
    terms = (struct slice *)(void *)(items + counts.items);
    walk(&again, &counts, items, terms, (uint8_t *)(terms + counts.terms));
    assert(!again.failed);
    *query = (struct query){items, counts.items, items};
}

void
query_encode(struct buf *buf, const struct query *query)
{
    pack_array(buf, query->items_count);
    for (size_t i = 0; i < query->items_count; i++) {
        pack_array(buf, QUERY_FIELDS);
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            const struct query_terms *terms = &query->items[i].fields[f];

            pack_array(buf, terms->count);
            for (size_t t = 0; t < terms->count; t++) {
                if (f == QUERY_CORRELATION_IDS) {
                    pack_bin(buf, terms->texts[t]);
                } else {
                    pack_str(buf, terms->texts[t]);
                }
            }
        }
    }
}

void
query_fini(struct query *query)
{
    free(query->memory);
    *query = QUERY_ALL;
}

static bool
is_one_of(const struct query_terms *terms, struct slice text)
{
    for (size_t i = 0; i < terms->count; i++) {
        if (slice_equal(terms->texts[i], text)) {
            return true;
        }
    }
    return terms->count == 0;
}

static bool
has_tag(const struct event *event, struct slice wanted)
{
    struct slice left = event->tags;

    for (size_t i = 0; i < event->tags_count; i++) {
        if (slice_equal(event_tag(&left), wanted)) {
            return true;
        }
    }
    return false;
}

static bool
item_matches(const struct query_item *item, const struct event *event)
{
    const struct query_terms *tags = &item->fields[QUERY_TAGS];

    if (!is_one_of(&item->fields[QUERY_CATEGORIES],
                   name_category(event->stream)) ||
        !is_one_of(&item->fields[QUERY_TYPES], event->type) ||
        !is_one_of(&item->fields[QUERY_STREAMS], event->stream)) {
        return false;
    }
    if (item->fields[QUERY_CORRELATION_IDS].count > 0 &&
        (event->correlation_id == NULL ||
         !is_one_of(&item->fields[QUERY_CORRELATION_IDS],
                    slice_make(event->correlation_id, UUID_SIZE)))) {
        return false;
    }
    for (size_t i = 0; i < tags->count; i++) {
        if (!has_tag(event, tags->texts[i])) {
            return false;
        }
    }
    return true;
}

bool
query_matches(const struct query *query, const struct event *event)
{
    for (size_t i = 0; i < query->items_count; i++) {
        if (item_matches(&query->items[i], event)) {
            return true;
        }
    }
    return query->items_count == 0;
}
