#include "sub_set.h"

#include <assert.h>
#include <stdlib.h>

/* A quarter of the most subscriptions that there can be (limit.h): chains stay
 * short, and a session with one subscription does not pay for a thousand.
 */
#define BUCKETS_COUNT 256

void
sub_set_init(struct sub_set *set)
{
    *set = (struct sub_set){0};
}

void
sub_set_fini(struct sub_set *set)
{
    while (set->all != NULL) {
        struct sub *sub = set->all;

        set->all = sub->next;
        sub_free(sub);
    }
    free(set->buckets);
    sub_set_init(set);
}

/* Clients count their ids up, or not: all bits take part. */
static size_t
bucket_of(uint64_t request_id)
{
    return (request_id * UINT64_C(0x9e3779b97f4a7c15)) >> 56;
}

_Static_assert(BUCKETS_COUNT == 1 << (64 - 56), "bucket_of() has 8 bits");

struct sub *
sub_set_find(const struct sub_set *set, uint64_t request_id)
{
    struct sub *sub;

    if (set->buckets == NULL) {
        return NULL;
    }
    sub = set->buckets[bucket_of(request_id)];
    while (sub != NULL && sub->request_id != request_id) {
        sub = sub->bucket_next;
    }
    return sub;
}

enum acta_code
sub_set_add(struct sub_set *set, struct sub *sub)
{
    struct sub **bucket;

    assert(sub_set_find(set, sub->request_id) == NULL);
    if (set->buckets == NULL) {
        set->buckets = calloc(BUCKETS_COUNT, sizeof(struct sub *));
        if (set->buckets == NULL) {
            return ACTA_MEMORY;
        }
    }
    bucket = &set->buckets[bucket_of(sub->request_id)];
    sub->bucket_next = *bucket;
    *bucket = sub;
    sub->prev = NULL;
    sub->next = set->all;
    if (set->all != NULL) {
        set->all->prev = sub;
    }
    set->all = sub;
    set->count++;
    set->size += sub->size;
    sub_set_make_ready(set, sub);
    return ACTA_OK;
}

static void
leave_bucket(struct sub_set *set, struct sub *sub)
{
    struct sub **at = &set->buckets[bucket_of(sub->request_id)];

    while (*at != sub) {
        at = &(*at)->bucket_next;
    }
    *at = sub->bucket_next;
}

static void
leave_ready(struct sub_set *set, struct sub *sub)
{
    struct sub *before = NULL;
    struct sub *at = set->ready_first;

    while (at != sub) {
        before = at;
        at = at->ready_next;
    }
    if (before == NULL) {
        set->ready_first = sub->ready_next;
    } else {
        before->ready_next = sub->ready_next;
    }
    if (set->ready_last == sub) {
        set->ready_last = before;
    }
}

void
sub_set_remove(struct sub_set *set, struct sub *sub)
{
    leave_bucket(set, sub);
    if (sub->is_ready) {
        leave_ready(set, sub);
    }
    if (sub->prev == NULL) {
        set->all = sub->next;
    } else {
        sub->prev->next = sub->next;
    }
    if (sub->next != NULL) {
        sub->next->prev = sub->prev;
    }
    set->size -= sub->size;
    sub_free(sub);
    set->count--;
    if (set->count == 0) {
        free(set->buckets);
        set->buckets = NULL;
    }
}

void
sub_set_make_ready(struct sub_set *set, struct sub *sub)
{
    if (sub->is_ready) {
        return;
    }
    sub->is_ready = true;
    sub->ready_next = NULL;
    if (set->ready_first == NULL) {
        set->ready_first = sub;
    } else {
        set->ready_last->ready_next = sub;
    }
    set->ready_last = sub;
}

struct sub *
sub_set_take_ready(struct sub_set *set)
{
    struct sub *sub = set->ready_first;

    if (sub != NULL) {
        set->ready_first = sub->ready_next;
        sub->is_ready = false;
    }
    return sub;
}

void
sub_set_wake(struct sub_set *set, uint64_t head)
{
    for (struct sub *sub = set->all; sub != NULL; sub = sub->next) {
        if (sub->position < head && sub->credit > 0) {
            sub_set_make_ready(set, sub);
        }
    }
}

void
sub_set_tell(struct sub_set *set, uint64_t head, struct buf *out)
{
    for (struct sub *sub = set->all; sub != NULL; sub = sub->next) {
        sub_tell_position(sub, head, out);
    }
}

void
sub_set_end(struct sub_set *set, enum acta_code code, const char *text,
            struct buf *out)
{
    for (struct sub *sub = set->all; sub != NULL; sub = sub->next) {
        sub_tell_end(sub, code, text, out);
    }
    sub_set_fini(set);
}
