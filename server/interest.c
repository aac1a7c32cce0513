/* A term is a text that some waiter's query names. It is there as long as such
 * a waiter is, and has a list of those that wait at the moment. A table finds
 * terms by kind and text.
 *
 * Prefixes are terms as well. A name is looked up by each of its beginnings
 * whose length some prefix has that is waited under.
 */

#include "interest.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"

#define BUCKETS_FIRST 64

/* The kind of the one term that every event has; those of lists are above. */
#define TERM_ALL 0

struct term {
    struct term *next; /* In its bucket. */
    uint64_t hash;
    unsigned kind; /* An enum list_kind, or TERM_ALL. */
    bool is_prefix;
    size_t links_count; /* Of all its waiters. */
    LIST_HEAD(, interest_link) waiting;
    size_t size;
    uint8_t text[];
};

/* That a waiter's query names a term. */
struct interest_link {
    LIST_ENTRY(interest_link) in_term; /* While the waiter waits. */
    struct term *term;
    struct waiter *waiter;
};

struct interest {
    struct term **buckets; /* owned */
    size_t buckets_count;  /* A power of two. */
    size_t terms_count;
    struct waiter_list waiting;
    size_t waiting_count;

    /* Links that wait: under texts of each kind; under prefixes by kind and
     * size. Names of other kinds are not looked up.
     */
    size_t texts[LIST_KINDS_END];
    size_t prefixes[LIST_KINDS_END];
    size_t prefix_sizes[LIST_KINDS_END][ACTA_STREAM_SIZE_MAX + 1];
};

_Static_assert(ACTA_TYPE_SIZE_MAX <= ACTA_STREAM_SIZE_MAX,
               "prefixes of types have a place in prefix_sizes");

/* ---- the table of terms ---- */

static uint64_t
hash_of(unsigned kind, struct slice text)
{
    return list_hash(&(struct list_name){(enum list_kind)kind, text});
}

static struct term *
find_term(const struct interest *interest, unsigned kind, bool is_prefix,
          struct slice text)
{
    uint64_t hash = hash_of(kind, text);
    struct term *term = interest->buckets[hash & (interest->buckets_count - 1)];

    while (term != NULL &&
           !(term->hash == hash && term->kind == kind &&
             term->is_prefix == is_prefix &&
             slice_equal(slice_make(term->text, term->size), text))) {
        term = term->next;
    }
    return term;
}

/* Without memory for more buckets the chains grow longer. */
static void
grow(struct interest *interest)
{
    size_t count = interest->buckets_count * 2;
    struct term **buckets = calloc(count, sizeof(struct term *));

    if (buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < interest->buckets_count; i++) {
        struct term *term = interest->buckets[i];

        while (term != NULL) {
            struct term *next = term->next;

            term->next = buckets[term->hash & (count - 1)];
            buckets[term->hash & (count - 1)] = term;
            term = next;
        }
    }
    free(interest->buckets);
    interest->buckets = buckets;
    interest->buckets_count = count;
}

static struct term *
make_term(struct interest *interest, unsigned kind, bool is_prefix,
          struct slice text)
{
    struct term *term = find_term(interest, kind, is_prefix, text);
    struct term **bucket;

    if (term != NULL) {
        return term;
    }
    if (interest->terms_count >= interest->buckets_count) {
        grow(interest);
    }
    term = calloc(1, sizeof(*term) + text.size);
    if (term == NULL) {
        return NULL;
    }
    term->hash = hash_of(kind, text);
    term->kind = kind;
    term->is_prefix = is_prefix;
    term->size = text.size;
    LIST_INIT(&term->waiting);
    if (text.size > 0) {
        memcpy(term->text, text.data, text.size);
    }
    bucket = &interest->buckets[term->hash & (interest->buckets_count - 1)];
    term->next = *bucket;
    *bucket = term;
    interest->terms_count++;
    return term;
}

static void
drop_term(struct interest *interest, struct term *term)
{
    struct term **at =
        &interest->buckets[term->hash & (interest->buckets_count - 1)];

    while (*at != term) {
        at = &(*at)->next;
    }
    *at = term->next;
    free(term);
    interest->terms_count--;
}

/* ---- the set ---- */

struct interest *
interest_new(void)
{
    struct interest *interest = calloc(1, sizeof(*interest));

    if (interest == NULL) {
        return NULL;
    }
    TAILQ_INIT(&interest->waiting);
    interest->buckets_count = BUCKETS_FIRST;
    interest->buckets = calloc(BUCKETS_FIRST, sizeof(struct term *));
    if (interest->buckets == NULL) {
        free(interest);
        return NULL;
    }
    return interest;
}

void
interest_free(struct interest *interest)
{
    if (interest == NULL) {
        return;
    }
    assert(interest->terms_count == 0);
    free(interest->buckets);
    free(interest);
}

size_t
interest_count(const struct interest *interest)
{
    return interest->waiting_count;
}

/* ---- waiters ---- */

/* The terms that an item is entered under. */
struct choice {
    unsigned kind;
    const struct slice *texts;
    size_t texts_count;
    const struct slice *prefixes;
    size_t prefixes_count;
};

static struct choice
choose(const struct query_item *item)
{
    /* Those first that fewest events have. */
    static const enum query_field order[] = {
        QUERY_CORRELATION_IDS, QUERY_STREAMS,    QUERY_TAGS,
        QUERY_TYPES,           QUERY_CATEGORIES,
    };
    static const struct slice nothing = {NULL, 0};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct query_terms *terms = &item->fields[order[i]];

        if (terms->count + terms->prefixes_count > 0) {
            return (struct choice){
                .kind = list_kind_of(order[i]),
                .texts = terms->texts,
                /* An event must have all of the tags: one will do. */
                .texts_count = order[i] == QUERY_TAGS ? 1 : terms->count,
                .prefixes = terms->prefixes,
                .prefixes_count = terms->prefixes_count};
        }
    }
    return (struct choice){
        .kind = TERM_ALL, .texts = &nothing, .texts_count = 1};
}

static bool
enter(struct waiter *waiter, unsigned kind, bool is_prefix, struct slice text)
{
    struct term *term = make_term(waiter->interest, kind, is_prefix, text);

    if (term == NULL) {
        return false;
    }
    term->links_count++;
    waiter->links[waiter->links_count++] =
        (struct interest_link){.term = term, .waiter = waiter};
    return true;
}

static bool
enter_item(struct waiter *waiter, const struct query_item *item)
{
    struct choice choice = choose(item);
    bool entered = true;

    for (size_t i = 0; i < choice.texts_count && entered; i++) {
        entered = enter(waiter, choice.kind, false, choice.texts[i]);
    }
    for (size_t i = 0; i < choice.prefixes_count && entered; i++) {
        entered = enter(waiter, choice.kind, true, choice.prefixes[i]);
    }
    return entered;
}

bool
waiter_init(struct waiter *waiter, struct interest *interest,
            const struct query *query)
{
    static const struct query_item anything = {0};
    bool is_all = query->items_count == 0;
    const struct query_item *items = is_all ? &anything : query->items;
    size_t count = is_all ? 1 : query->items_count;
    bool entered = true;

    assert(waiter->interest == NULL);
    waiter->query = query;
    waiter->interest = interest;
    /* At most so many: an item without any text has one link. */
    waiter->links =
        calloc(query_terms_count(query) + count, sizeof(struct interest_link));
    if (waiter->links == NULL) {
        waiter_fini(waiter);
        return false;
    }
    for (size_t i = 0; i < count && entered; i++) {
        entered = enter_item(waiter, &items[i]);
    }
    if (!entered) {
        waiter_fini(waiter);
    }
    return entered;
}

void
waiter_fini(struct waiter *waiter)
{
    waiter_stop(waiter);
    for (size_t i = 0; i < waiter->links_count; i++) {
        struct term *term = waiter->links[i].term;

        term->links_count--;
        if (term->links_count == 0) {
            drop_term(waiter->interest, term);
        }
    }
    free(waiter->links);
    *waiter = (struct waiter){0};
}

/* Count a link as waiting, or no more: @by is 1 or -1, and as sizes wrap it is
 * added in either case.
 */
static void
count(struct interest *interest, const struct term *term, size_t by)
{
    if (term->is_prefix) {
        interest->prefixes[term->kind] += by;
        interest->prefix_sizes[term->kind][term->size] += by;
    } else {
        interest->texts[term->kind] += by;
    }
}

void
waiter_wait(struct waiter *waiter)
{
    if (waiter->is_waiting) {
        return;
    }
    waiter->is_waiting = true;
    for (size_t i = 0; i < waiter->links_count; i++) {
        struct interest_link *link = &waiter->links[i];

        LIST_INSERT_HEAD(&link->term->waiting, link, in_term);
        count(waiter->interest, link->term, 1);
    }
    TAILQ_INSERT_TAIL(&waiter->interest->waiting, waiter, in_list);
    waiter->interest->waiting_count++;
}

void
waiter_stop(struct waiter *waiter)
{
    if (!waiter->is_waiting) {
        return;
    }
    waiter->is_waiting = false;
    for (size_t i = 0; i < waiter->links_count; i++) {
        struct interest_link *link = &waiter->links[i];

        LIST_REMOVE(link, in_term);
        count(waiter->interest, link->term, SIZE_MAX);
    }
    TAILQ_REMOVE(&waiter->interest->waiting, waiter, in_list);
    waiter->interest->waiting_count--;
}

/* ---- waking ---- */

static void
wake_under(struct interest *interest, unsigned kind, bool is_prefix,
           struct slice text, const struct event *event,
           struct waiter_list *woken)
{
    struct term *term = find_term(interest, kind, is_prefix, text);
    struct interest_link *link =
        term == NULL ? NULL : LIST_FIRST(&term->waiting);

    while (link != NULL) {
        struct waiter *waiter = link->waiter;

        /* A query may name the term twice, and its waiter be linked so. */
        do {
            link = LIST_NEXT(link, in_term);
        } while (link != NULL && link->waiter == waiter);
        if (query_matches(waiter->query, event)) {
            waiter_stop(waiter);
            TAILQ_INSERT_TAIL(woken, waiter, in_list);
        }
    }
}

static void
wake_by_name(struct interest *interest, const struct list_name *name,
             const struct event *event, struct waiter_list *woken)
{
    if (interest->texts[name->kind] > 0) {
        wake_under(interest, name->kind, false, name->name, event, woken);
    }
    for (size_t size = 0;
         interest->prefixes[name->kind] > 0 && size <= name->name.size;
         size++) {
        if (interest->prefix_sizes[name->kind][size] > 0) {
            wake_under(interest, name->kind, true,
                       slice_make(name->name.data, size), event, woken);
        }
    }
}

void
interest_wake(struct interest *interest, const struct event *event,
              struct waiter_list *woken)
{
    struct list_name names[LIST_NAMES_MAX];
    size_t names_count = list_names_of(event, names);

    if (interest->texts[TERM_ALL] > 0) {
        wake_under(interest, TERM_ALL, false, SLICE_NONE, event, woken);
    }
    for (size_t i = 0; i < names_count && interest->waiting_count > 0; i++) {
        wake_by_name(interest, &names[i], event, woken);
    }
}

void
interest_wake_all(struct interest *interest, struct waiter_list *woken)
{
    struct waiter *waiter;

    while ((waiter = TAILQ_FIRST(&interest->waiting)) != NULL) {
        waiter_stop(waiter);
        TAILQ_INSERT_TAIL(woken, waiter, in_list);
    }
}
