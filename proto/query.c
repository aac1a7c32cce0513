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

static bool
may_have_prefixes(enum query_field field)
{
    return field == QUERY_TYPES || field == QUERY_STREAMS;
}

static struct slice
decode_id(struct pack_reader *reader)
{
    struct slice id = pack_get_bin(reader, fields[QUERY_CORRELATION_IDS].what);

    if (!reader->failed && id.size != UUID_SIZE) {
        pack_fail(reader, ACTA_INVALID,
                  "correlation id must be %d bytes, is %zu", UUID_SIZE,
                  id.size);
    }
    return id;
}

/* A name, or how names begin: then it is alone in an array. */
static struct slice
decode_name(struct pack_reader *reader, enum query_field field)
{
    const char *what = fields[field].what;
    struct acta_err err;
    struct slice name;

    if (may_have_prefixes(field) && pack_peek(reader) == PACK_ARRAY) {
        pack_get_array_of(reader, 1, 1, "prefix");
    }
    name = pack_get_str(reader, what);
    if (!reader->failed &&
        name_check(name, fields[field].size_max, what, &err) != ACTA_OK) {
        pack_fail(reader, err.code, "%s", err.text);
    }
    return name;
}

/* How many of the next @count terms, which are good, are prefixes. */
static size_t
count_prefixes(struct pack_reader reader, size_t count)
{
    size_t prefixes = 0;

    for (size_t i = 0; i < count; i++) {
        prefixes += pack_peek(&reader) == PACK_ARRAY;
        pack_skip(&reader);
    }
    return prefixes;
}

struct counts {
    size_t items;
    size_t terms;
    size_t bytes;
};

/* Where a query is put: items, then slices, then texts, in one piece of memory.
 */
struct room {
    struct query_item *items;
    struct slice *terms;
    uint8_t *texts;
};

/* Walk over the terms of a field. The texts of a field are in front of its
 * prefixes, in whatever order they come.
 */
static void
walk_field(struct pack_reader *reader, enum query_field field, size_t count,
           struct counts *counts, struct query_terms *into,
           const struct room *room)
{
    size_t prefixes = count_prefixes(*reader, count);
    size_t at[2] = {counts->terms, counts->terms + count - prefixes};

    if (into != NULL) {
        *into = (struct query_terms){room->terms + at[false], count - prefixes,
                                     room->terms + at[true], prefixes};
    }
    for (size_t i = 0; i < count && !reader->failed; i++) {
        bool is_prefix = pack_peek(reader) == PACK_ARRAY;
        struct slice text = field == QUERY_CORRELATION_IDS
                                ? decode_id(reader)
                                : decode_name(reader, field);

        if (into != NULL) {
            memcpy(room->texts + counts->bytes, text.data, text.size);
            room->terms[at[is_prefix]++] =
                slice_make(room->texts + counts->bytes, text.size);
        }
        counts->bytes += text.size;
    }
    counts->terms += count;
}

/* Walk over a query that is checked on the way. With @room NULL only count,
 * else fill it.
 */
static void
walk(struct pack_reader *reader, struct counts *counts, const struct room *room)
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
            walk_field(reader, f, count, counts,
                       room == NULL ? NULL : &room->items[i].fields[f], room);
        }
    }
}

void
query_decode(struct pack_reader *reader, struct query *query)
{
    struct pack_reader again = *reader;
    struct counts counts;
    struct room room;

    *query = QUERY_ALL;
    walk(reader, &counts, NULL);
    if (reader->failed || counts.items == 0) {
        return;
    }
    room.items = malloc(counts.items * sizeof(*room.items) +
                        counts.terms * sizeof(*room.terms) + counts.bytes);
    if (room.items == NULL) {
        pack_fail(reader, ACTA_MEMORY, "query");
        return;
    }
    room.terms = (struct slice *)(void *)(room.items + counts.items);
    room.texts = (uint8_t *)(room.terms + counts.terms);
    walk(&again, &counts, &room);
    assert(!again.failed);
    *query = (struct query){room.items, counts.items, room.items};
}

void
query_encode(struct buf *buf, const struct query *query)
{
    pack_array(buf, query->items_count);
    for (size_t i = 0; i < query->items_count; i++) {
        pack_array(buf, QUERY_FIELDS);
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            const struct query_terms *terms = &query->items[i].fields[f];

            pack_array(buf, terms->count + terms->prefixes_count);
            for (size_t t = 0; t < terms->count; t++) {
                if (f == QUERY_CORRELATION_IDS) {
                    pack_bin(buf, terms->texts[t]);
                } else {
                    pack_str(buf, terms->texts[t]);
                }
            }
            for (size_t t = 0; t < terms->prefixes_count; t++) {
                pack_array(buf, 1);
                pack_str(buf, terms->prefixes[t]);
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

size_t
query_terms_count(const struct query *query)
{
    size_t count = 0;

    for (size_t i = 0; i < query->items_count; i++) {
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            const struct query_terms *terms = &query->items[i].fields[f];

            count += terms->count + terms->prefixes_count;
        }
    }
    return count;
}

size_t
query_size(const struct query *query)
{
    size_t size = query->items_count * sizeof(*query->items);

    for (size_t i = 0; i < query->items_count; i++) {
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            const struct query_terms *terms = &query->items[i].fields[f];

            for (size_t t = 0; t < terms->count; t++) {
                size += sizeof(*terms->texts) + terms->texts[t].size;
            }
            for (size_t t = 0; t < terms->prefixes_count; t++) {
                size += sizeof(*terms->prefixes) + terms->prefixes[t].size;
            }
        }
    }
    return size;
}

static bool
is_one_of(const struct query_terms *terms, struct slice text)
{
    for (size_t i = 0; i < terms->count; i++) {
        if (slice_equal(terms->texts[i], text)) {
            return true;
        }
    }
    for (size_t i = 0; i < terms->prefixes_count; i++) {
        if (slice_starts_with(text, terms->prefixes[i])) {
            return true;
        }
    }
    return terms->count + terms->prefixes_count == 0;
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
