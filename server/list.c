#include "list.h"

#include <pthread.h>
#include <sys/random.h>

#include "hash.h"
#include "name.h"

size_t
list_names_of(const struct event *event,
              struct list_name names[static LIST_NAMES_MAX])
{
    struct slice tags = event->tags;
    size_t count = 0;

    names[count++] = (struct list_name){LIST_STREAM, event->stream};
    names[count++] =
        (struct list_name){LIST_CATEGORY, name_category(event->stream)};
    names[count++] = (struct list_name){LIST_TYPE, event->type};
    if (event->correlation_id != NULL) {
        names[count++] = (struct list_name){
            LIST_CORRELATION, slice_make(event->correlation_id, UUID_SIZE)};
    }
    for (size_t i = 0; i < event->tags_count; i++) {
        names[count++] = (struct list_name){LIST_TAG, event_tag(&tags)};
    }
    return count;
}

enum list_kind
list_kind_of(enum query_field field)
{
    static const enum list_kind kinds[QUERY_FIELDS] = {
        [QUERY_CATEGORIES] = LIST_CATEGORY,
        [QUERY_TYPES] = LIST_TYPE,
        [QUERY_TAGS] = LIST_TAG,
        [QUERY_STREAMS] = LIST_STREAM,
        [QUERY_CORRELATION_IDS] = LIST_CORRELATION,
    };

    return kinds[field];
}

static uint64_t seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void
make_seed(void)
{
    /* Without random numbers the seed stays 0: slower against an attacker,
     * not wrong.
     */
    (void)!getrandom(&seed, sizeof(seed), 0);
}

static uint64_t
hash_of(const void *bytes, size_t size, uint64_t kind)
{
    pthread_once(&seed_once, make_seed);
    return hash_bytes(slice_make(bytes, size), seed + kind);
}

uint64_t
list_hash(const struct list_name *name)
{
    return hash_of(name->name.data, name->name.size, (uint64_t)name->kind);
}

uint64_t
list_hash_id(const uint8_t id[static UUID_SIZE])
{
    return hash_of(id, UUID_SIZE, 0);
}

uint64_t
list_hash_row(unsigned kind, struct slice key)
{
    return hash_of(key.data, key.size, (uint64_t)0x100 + kind);
}
