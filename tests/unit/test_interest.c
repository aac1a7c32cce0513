#include "interest.h"

#include <stddef.h>

#include "pack.h"
#include "rnd.h"
#include "run.h"

static struct interest *interest;
static struct waiter_list woken;

static void
setup(void)
{
    interest = interest_new();
    TAILQ_INIT(&woken);
}

static void
teardown(void)
{
    interest_free(interest);
}

/* ---- words ---- */

/* Nothing is looked at but the names. */
struct told {
    struct event event;
    struct buf tags;
};

static void
tell(struct told *told, const char *stream, const char *type, const char *tag)
{
    *told = (struct told){
        .event = {.stream = slice_of(stream), .type = slice_of(type)}};
    buf_init(&told->tags, 1000);
    if (tag != NULL) {
        pack_text(&told->tags, tag);
        told->event.tags_count = 1;
        told->event.tags = buf_slice(&told->tags);
    }
}

/* How many an event wakes. */
static size_t
wakes(const char *stream, const char *type, const char *tag)
{
    struct waiter *waiter;
    struct told told;
    size_t count = 0;

    tell(&told, stream, type, tag);
    interest_wake(interest, &told.event, &woken);
    buf_fini(&told.tags);
    while ((waiter = TAILQ_FIRST(&woken)) != NULL) {
        TAILQ_REMOVE(&woken, waiter, in_list);
        ck_assert(!waiter->is_waiting);
        count++;
    }
    return count;
}

/* ---- tests ---- */

START_TEST(event_wakes_who_wants_it_once)
{
    struct slice order = slice_of("order");
    struct query_item item = {.fields[QUERY_CATEGORIES] = {&order, 1, NULL, 0}};
    struct query query = {&item, 1, NULL};
    struct waiter waiter = {0};

    ck_assert(waiter_init(&waiter, interest, &query));
    ck_assert_uint_eq(wakes("order-1", "T", NULL), 0);
    waiter_wait(&waiter);
    waiter_wait(&waiter);
    ck_assert_uint_eq(interest_count(interest), 1);
    ck_assert_uint_eq(wakes("other-1", "T", NULL), 0);
    ck_assert_uint_eq(wakes("order-1", "T", NULL), 1);
    ck_assert_uint_eq(interest_count(interest), 0);
    ck_assert_uint_eq(wakes("order-2", "T", NULL), 0);
    waiter_wait(&waiter);
    waiter_stop(&waiter);
    waiter_stop(&waiter);
    ck_assert_uint_eq(wakes("order-3", "T", NULL), 0);
    waiter_fini(&waiter);
}
END_TEST

/* It is found by its stream, but the type is not what it wants. */
START_TEST(event_that_has_only_the_term_wakes_nobody)
{
    struct slice stream = slice_of("order-1"), type = slice_of("Placed");
    struct query_item item = {.fields[QUERY_STREAMS] = {&stream, 1, NULL, 0},
                              .fields[QUERY_TYPES] = {&type, 1, NULL, 0}};
    struct query query = {&item, 1, NULL};
    struct waiter waiter = {0};

    ck_assert(waiter_init(&waiter, interest, &query));
    waiter_wait(&waiter);
    ck_assert_uint_eq(wakes("order-1", "Paid", NULL), 0);
    ck_assert_uint_eq(wakes("order-1", "Placed", NULL), 1);
    waiter_fini(&waiter);
}
END_TEST

START_TEST(empty_query_waits_for_anything)
{
    struct query query = QUERY_ALL;
    struct waiter waiter = {0};

    ck_assert(waiter_init(&waiter, interest, &query));
    waiter_wait(&waiter);
    ck_assert_uint_eq(wakes("a", "b", "c"), 1);
    waiter_fini(&waiter);
}
END_TEST

/* One beginning is the other's, and one is a whole name as well. */
START_TEST(prefixes_are_found_by_every_length)
{
    struct slice prefixes[] = {slice_of("or"), slice_of("order-")};
    struct query_item items[2] = {0};
    struct query queries[2];
    struct waiter waiters[2] = {0};

    for (size_t i = 0; i < 2; i++) {
        items[i].fields[QUERY_STREAMS] =
            (struct query_terms){NULL, 0, &prefixes[i], 1};
        queries[i] = (struct query){&items[i], 1, NULL};
        ck_assert(waiter_init(&waiters[i], interest, &queries[i]));
        waiter_wait(&waiters[i]);
    }
    ck_assert_uint_eq(wakes("o", "T", NULL), 0);
    ck_assert_uint_eq(wakes("or", "T", NULL), 1);
    waiter_wait(&waiters[0]);
    ck_assert_uint_eq(wakes("order-7", "T", NULL), 2);
    for (size_t i = 0; i < 2; i++) {
        waiter_fini(&waiters[i]);
    }
}
END_TEST

START_TEST(all_that_wait_can_be_woken)
{
    struct slice names[] = {slice_of("a"), slice_of("b"), slice_of("c")};
    struct query_item items[3] = {0};
    struct query queries[3];
    struct waiter waiters[3] = {0};
    size_t count = 0;

    for (size_t i = 0; i < 3; i++) {
        items[i].fields[QUERY_TYPES] =
            (struct query_terms){&names[i], 1, NULL, 0};
        queries[i] = (struct query){&items[i], 1, NULL};
        ck_assert(waiter_init(&waiters[i], interest, &queries[i]));
    }
    waiter_wait(&waiters[0]);
    waiter_wait(&waiters[2]);
    interest_wake_all(interest, &woken);
    while (!TAILQ_EMPTY(&woken)) {
        TAILQ_REMOVE(&woken, TAILQ_FIRST(&woken), in_list);
        count++;
    }
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(interest_count(interest), 0);
    for (size_t i = 0; i < 3; i++) {
        waiter_fini(&waiters[i]);
    }
}
END_TEST

/* ---- against asking everybody ---- */

#define WAITERS 60
#define ITEMS   3
#define TERMS   2

/* A query of few letters, so that much is shared. */
struct asker {
    struct slice texts[ITEMS][QUERY_FIELDS][TERMS];
    struct slice prefixes[ITEMS][QUERY_FIELDS][TERMS];
    struct query_item items[ITEMS];
    struct query query;
    struct waiter waiter;
};

static const char *const streams[] = {"a",   "a-1", "a-2", "a-22",
                                      "b-1", "b-2", "b",   "ab-1"};
static const char *const types[] = {"T", "Ta", "Tab", "U"};
static const char *const tags[] = {"x:1", "x:2", "y:1"};
static const char *const categories[] = {"a", "b", "ab"};
static const char *const beginnings[] = {"a", "a-", "T", "Ta", "b-", "a-2"};
static const uint8_t ids[2][16] = {{1}, {2}};

#define ANY_OF(rnd, names)                                                     \
    slice_of(names[rnd_below(rnd, sizeof(names) / sizeof(names[0]))])

static struct slice
draw_text(struct rnd *rnd, size_t field)
{
    switch (field) {
    case QUERY_CATEGORIES:
        return ANY_OF(rnd, categories);
    case QUERY_TYPES:
        return ANY_OF(rnd, types);
    case QUERY_TAGS:
        return ANY_OF(rnd, tags);
    case QUERY_STREAMS:
        return ANY_OF(rnd, streams);
    default:
        return slice_make(ids[rnd_below(rnd, 2)], 16);
    }
}

static void
draw_query(struct asker *asker, struct rnd *rnd)
{
    size_t count = rnd_below(rnd, ITEMS + 1);

    *asker = (struct asker){0};
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < QUERY_FIELDS; f++) {
            struct query_terms *terms = &asker->items[i].fields[f];

            terms->texts = asker->texts[i][f];
            terms->prefixes = asker->prefixes[i][f];
            if (rnd_once_in(rnd, 3)) {
                terms->count = rnd_below(rnd, TERMS + 1);
            }
            if (rnd_once_in(rnd, 4) &&
                (f == QUERY_TYPES || f == QUERY_STREAMS)) {
                terms->prefixes_count = rnd_below(rnd, TERMS + 1);
            }
            for (size_t t = 0; t < TERMS; t++) {
                asker->texts[i][f][t] = draw_text(rnd, f);
                asker->prefixes[i][f][t] = ANY_OF(rnd, beginnings);
            }
        }
    }
    asker->query = (struct query){asker->items, count, NULL};
}

static void
draw_event(struct told *told, struct rnd *rnd)
{
    size_t count = rnd_below(rnd, 3);

    tell(told, streams[rnd_below(rnd, 8)], types[rnd_below(rnd, 4)], NULL);
    for (size_t i = 0; i < count; i++) {
        pack_str(&told->tags, ANY_OF(rnd, tags));
    }
    told->event.tags_count = count;
    told->event.tags = buf_slice(&told->tags);
    if (rnd_once_in(rnd, 2)) {
        told->event.correlation_id = ids[rnd_below(rnd, 2)];
    }
}

START_TEST(those_are_woken_whose_query_matches_and_who_wait)
{
    static struct asker askers[WAITERS];
    unsigned rounds = rnd_effort(2000, 100000);
    size_t count = 0;
    struct rnd rnd;

    rnd_init(&rnd);
    for (size_t i = 0; i < WAITERS; i++) {
        draw_query(&askers[i], &rnd);
        ck_assert(waiter_init(&askers[i].waiter, interest, &askers[i].query));
    }
    for (unsigned round = 0; round < rounds; round++) {
        size_t at = rnd_below(&rnd, WAITERS);
        struct waiter *waiter = &askers[at].waiter;
        bool expected[WAITERS];
        struct told told;

        if (rnd_once_in(&rnd, 20)) {
            waiter_fini(waiter);
            draw_query(&askers[at], &rnd);
            ck_assert(waiter_init(waiter, interest, &askers[at].query));
        } else if (rnd_once_in(&rnd, 4)) {
            waiter_stop(waiter);
        } else {
            waiter_wait(waiter);
        }
        if (!rnd_once_in(&rnd, 4)) {
            continue;
        }
        draw_event(&told, &rnd);
        for (size_t i = 0; i < WAITERS; i++) {
            expected[i] = askers[i].waiter.is_waiting &&
                          query_matches(&askers[i].query, &told.event);
        }
        interest_wake(interest, &told.event, &woken);
        buf_fini(&told.tags);
        while ((waiter = TAILQ_FIRST(&woken)) != NULL) {
            struct asker *asker =
                (struct asker *)(void *)((char *)waiter -
                                         offsetof(struct asker, waiter));

            TAILQ_REMOVE(&woken, waiter, in_list);
            ck_assert(expected[asker - askers]);
            expected[asker - askers] = false;
            count++;
        }
        for (size_t i = 0; i < WAITERS; i++) {
            ck_assert(!expected[i]);
        }
    }
    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < WAITERS; i++) {
        waiter_fini(&askers[i].waiter);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("interest");
    TCase *tcase = tcase_create("interest");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, event_wakes_who_wants_it_once);
    tcase_add_test(tcase, event_that_has_only_the_term_wakes_nobody);
    tcase_add_test(tcase, empty_query_waits_for_anything);
    tcase_add_test(tcase, prefixes_are_found_by_every_length);
    tcase_add_test(tcase, all_that_wait_can_be_woken);
    tcase_add_test(tcase, those_are_woken_whose_query_matches_and_who_wait);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
