#include "diary.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"

#define BATCH_MAX     200
#define TERMS_AT_MOST 3
#define ITEMS_AT_MOST 3

/* In each, what comes first is the most frequent; the last never occurs. */
static const char *const streams[] = {"a-1", "a-2", "b-1", "b", "c-1", "d-1"};
static const char *const categories[] = {"a", "b", "c", "d"};
static const char *const types[] = {"Added", "Moved", "Taken", "Lost"};
static const char *const tags[] = {"red", "big", "old", "odd", "new"};

#define COUNT(names)     (sizeof(names) / sizeof(names[0]))
#define CORRELATIONS_MAX 40 /* The last one never occurs. */

/* 0 to @end - 1, each four times as often as the next. */
static size_t
skewed(struct rnd *rnd, size_t end)
{
    size_t at = 0;

    while (at + 1 < end && rnd_once_in(rnd, 4)) {
        at++;
    }
    return at;
}

void
diary_open(struct diary *diary)
{
    *diary = (struct diary){0};
    core_open(&diary->core);
    rnd_init(&diary->rnd);
    diary->events = calloc(DIARY_EVENTS_MAX + 1, sizeof(*diary->events));
    diary->contents = calloc(DIARY_EVENTS_MAX + 1, sizeof(*diary->contents));
}

void
diary_close(struct diary *diary)
{
    for (size_t i = 1; i <= diary->count; i++) {
        buf_fini(&diary->contents[i]);
    }
    free(diary->contents);
    free(diary->events);
    core_close(&diary->core);
}

bool
diary_has_room(const struct diary *diary, size_t count)
{
    return count <= DIARY_EVENTS_MAX - diary->count;
}

static struct draft
random_draft(struct diary *diary)
{
    struct rnd *rnd = &diary->rnd;
    struct draft draft = {
        .id = diary->count + 1,
        .type = types[skewed(rnd, COUNT(types) - 1)],
    };
    size_t count = 0;

    if (rnd_once_in(rnd, 2)) {
        draft.correlation = 1 + rnd_below(rnd, CORRELATIONS_MAX - 1);
    }
    for (size_t i = 0; i + 1 < COUNT(tags); i++) {
        if (rnd_once_in(rnd, (uint64_t)2 << (2 * i))) {
            draft.tags[count++] = tags[i];
        }
    }
    return draft;
}

/* One append of events to one stream. */
static void
add_batch(struct diary *diary, size_t count)
{
    const char *stream = streams[skewed(&diary->rnd, COUNT(streams) - 1)];
    struct draft drafts[BATCH_MAX];

    ck_assert(diary_has_room(diary, count));
    for (size_t i = 0; i < count; i++) {
        struct event *event = &diary->events[diary->count + 1];
        struct buf *content = &diary->contents[diary->count + 1];

        drafts[i] = random_draft(diary);
        buf_init(content, 1000);
        draft_event(event, content, stream, &drafts[i]);
        event->position = ++diary->count;
    }
    ck_assert_int_eq(
        core_append(&diary->core, stream, MSG_EXPECT_ANY, drafts, count),
        ACTA_OK);
}

void
diary_add(struct diary *diary, size_t count)
{
    while (count > 0) {
        size_t part = 1 + skewed(&diary->rnd, 3) * rnd_below(&diary->rnd, 99);

        part = part < count ? part : count;
        add_batch(diary, part);
        count -= part;
    }
    ck_assert_uint_eq(core_head(&diary->core), diary->count);
}

void
diary_store(struct diary *diary)
{
    core_checkpoint(&diary->core);
    diary->stored = diary->count;
}

struct list_name
diary_name(struct diary *diary)
{
    static struct uuid id;
    struct rnd *rnd = &diary->rnd;

    switch (rnd_below(rnd, 5)) {
    case 0:
        return (struct list_name){
            LIST_STREAM, slice_of(streams[rnd_below(rnd, COUNT(streams))])};
    case 1:
        return (struct list_name){
            LIST_CATEGORY,
            slice_of(categories[rnd_below(rnd, COUNT(categories))])};
    case 2:
        return (struct list_name){
            LIST_TYPE, slice_of(types[rnd_below(rnd, COUNT(types))])};
    case 3:
        return (struct list_name){LIST_TAG,
                                  slice_of(tags[rnd_below(rnd, COUNT(tags))])};
    default:
        id = draft_id(1 + rnd_below(rnd, CORRELATIONS_MAX));
        return (struct list_name){LIST_CORRELATION,
                                  slice_make(id.bytes, UUID_SIZE)};
    }
}

/* Up to TERMS_AT_MOST of the names with blanks between them, often none. */
static const char *
random_terms(struct rnd *rnd, char text[static 64], const char *const *names,
             size_t count)
{
    text[0] = '\0';
    for (uint64_t n = rnd_below(rnd, 3) * rnd_below(rnd, TERMS_AT_MOST); n > 0;
         n--) {
        strcat(text, names[rnd_below(rnd, count)]);
        strcat(text, " ");
    }
    return text;
}

static struct query
random_item(struct diary *diary)
{
    static const char *const correlations[] = {"1", "2", "17", "40"};
    char texts[QUERY_FIELDS][64];
    struct rnd *rnd = &diary->rnd;

    return core_query(
        random_terms(rnd, texts[0], categories, COUNT(categories)),
        random_terms(rnd, texts[1], types, COUNT(types)),
        random_terms(rnd, texts[2], tags, COUNT(tags)),
        random_terms(rnd, texts[3], streams, COUNT(streams)),
        rnd_once_in(rnd, 4)
            ? random_terms(rnd, texts[4], correlations, COUNT(correlations))
            : NULL);
}

static bool
has_terms(const struct query_item *item)
{
    for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
        if (item->fields[f].count > 0) {
            return true;
        }
    }
    return false;
}

struct query
diary_query(struct diary *diary)
{
    struct query queries[ITEMS_AT_MOST];
    size_t count = 1 + rnd_below(&diary->rnd, ITEMS_AT_MOST);

    for (size_t i = 0; i < count; i++) {
        queries[i] = random_item(diary);
        while (!has_terms(&queries[i].items[0])) {
            query_fini(&queries[i]);
            queries[i] = random_item(diary);
        }
    }
    return core_query_or(queries, count);
}

bool
diary_is_in(const struct diary *diary, uint64_t position,
            const struct list_name *name)
{
    struct list_name names[LIST_NAMES_MAX];
    size_t count = list_names_of(&diary->events[position], names);

    for (size_t i = 0; i < count; i++) {
        if (list_name_equal(&names[i], name)) {
            return true;
        }
    }
    return false;
}
