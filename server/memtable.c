/* Records and names lie in an arena, which is freed as a whole. Events are in
 * an array of fixed size, which is memory only as far as it is used. Lists hang
 * in buckets, ids in an open-addressed table of event numbers; both have their
 * full size from the start, so that nothing is ever rebuilt under the lock.
 */

#include "memtable.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "bigmap.h"
#include "checksum.h"

#define LISTS_AN_EVENT   2 /* Buckets: more lists than that share some. */
#define SLOTS_AN_EVENT   2 /* Of the table of ids: at most half are used. */
#define EVENTS_MAX_LIMIT ((size_t)1 << 28)
#define CACHE_LINE       64

/* Fewer events than one in so many that there is room for have not touched all
 * of the tables: to clear them would.
 */
#define USED_PART 8

struct mem_event {
    const uint8_t *record;
    struct memlist *stream;
    uint32_t size;
    uint32_t checksum;
    uint32_t id_at; /* Offset of the id in the record. */
};

struct memtable {
    atomic_uint references;
    _Atomic uint64_t sealed_at; /* 0: not yet. */
    uint64_t last_time_us;      /* Then it is set. */
    uint64_t first_position;
    size_t events_max;
    size_t buckets_mask;
    size_t slots_mask;

    /* Written by the writer; entries of published events by nobody any more. */
    struct mem_event *events; /* owned: mapped */
    size_t count;             /* The writer's alone. */
    size_t records_size;      /* The writer's alone. */
    size_t lists_count;       /* The writer's alone. */
    struct arena arena;       /* The writer's alone. */

    pthread_rwlock_t lock;    /* Guards all below against the writer. */
    struct memlist **buckets; /* owned: mapped */
    uint32_t *slots;          /* owned: mapped; event number + 1, 0: empty */
    struct name_runs names[LIST_KINDS_END]; /* Of lists that have events. */
    struct rowtable rows;
};

/* In large pages: tables are looked into anywhere, and each small page would
 * have to be found first. What is kept is all zeros.
 */
static struct bigmaps tables;

static void
free_table(const struct memtable *memtable, void *table, size_t size)
{
    if (table == NULL) {
        return;
    }
    if (memtable->count < memtable->events_max / USED_PART) {
        bigmap_unmap(table, size);
        return;
    }
    memset(table, 0, size);
    bigmap_give(&tables, table, size);
}

static size_t
power_of_two(size_t at_least)
{
    size_t power = 64;

    while (power < at_least) {
        power *= 2;
    }
    return power;
}

static void
destroy(struct memtable *memtable)
{
    free_table(memtable, memtable->events,
               memtable->events_max * sizeof(*memtable->events));
    free_table(memtable, memtable->buckets,
               (memtable->buckets_mask + 1) * sizeof(struct memlist *));
    free_table(memtable, memtable->slots,
               (memtable->slots_mask + 1) * sizeof(*memtable->slots));
    for (size_t kind = 0; kind < LIST_KINDS_END; kind++) {
        for (struct memlist *list = memtable->names[kind].newest; list != NULL;
             list = list->next) {
            if (list->offsets != list->inline_offsets) {
                free(list->offsets);
            }
        }
        name_runs_fini(&memtable->names[kind]);
    }
    arena_free(&memtable->arena);
    rowtable_fini(&memtable->rows);
    pthread_rwlock_destroy(&memtable->lock);
    free(memtable);
}

struct memtable *
memtable_new(uint64_t first_position, size_t events_max)
{
    struct memtable *memtable;
    pthread_rwlockattr_t attr;

    assert(events_max > 0);
    assert(events_max <= EVENTS_MAX_LIMIT);

    memtable = calloc(1, sizeof(*memtable));
    if (memtable == NULL) {
        return NULL;
    }
    atomic_init(&memtable->references, 1);
    atomic_init(&memtable->sealed_at, 0);
    memtable->first_position = first_position;
    memtable->events_max = events_max;
    memtable->buckets_mask = power_of_two(events_max * LISTS_AN_EVENT) - 1;
    memtable->slots_mask = power_of_two(events_max * SLOTS_AN_EVENT) - 1;

    /* Readers come and go: the writer must not starve. */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr,
                                  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&memtable->lock, &attr);
    pthread_rwlockattr_destroy(&attr);

    memtable->events =
        bigmap_take(&tables, events_max * sizeof(*memtable->events));
    memtable->buckets = bigmap_take(&tables, (memtable->buckets_mask + 1) *
                                                 sizeof(struct memlist *));
    memtable->slots = bigmap_take(&tables, (memtable->slots_mask + 1) *
                                               sizeof(*memtable->slots));
    if (memtable->events == NULL || memtable->buckets == NULL ||
        memtable->slots == NULL) {
        destroy(memtable);
        return NULL;
    }
    return memtable;
}

struct memtable *
memtable_ref(struct memtable *memtable)
{
    atomic_fetch_add_explicit(&memtable->references, 1, memory_order_relaxed);
    return memtable;
}

void
memtable_unref(struct memtable *memtable)
{
    if (memtable != NULL &&
        atomic_fetch_sub_explicit(&memtable->references, 1,
                                  memory_order_acq_rel) == 1) {
        destroy(memtable);
    }
}

void
memtable_drop_kept(void)
{
    bigmap_drop(&tables);
    arena_drop_kept();
}

uint64_t
memtable_first_position(const struct memtable *memtable)
{
    return memtable->first_position;
}

size_t
memtable_room(const struct memtable *memtable)
{
    return memtable->events_max - memtable->count;
}

size_t
memtable_count(const struct memtable *memtable)
{
    return memtable->count;
}

size_t
memtable_size(const struct memtable *memtable)
{
    return memtable->records_size + memtable->rows.size;
}

size_t
memtable_lists_count(const struct memtable *memtable)
{
    return memtable->lists_count;
}

static struct memlist *
find_list(const struct memtable *memtable, const struct list_name *name,
          uint64_t hash)
{
    struct memlist *list = memtable->buckets[hash & memtable->buckets_mask];

    while (list != NULL &&
           (list->hash != hash || !list_name_equal(&list->name, name))) {
        list = list->next_in_bucket;
    }
    return list;
}

/* The name is copied, unless it lies in a record of this memtable already. */
static struct memlist *
add_list(struct memtable *memtable, const struct list_name *name, uint64_t hash,
         bool copy_name)
{
    struct memlist **bucket = &memtable->buckets[hash & memtable->buckets_mask];
    struct memlist *list = arena_take(&memtable->arena, sizeof(*list));

    if (list == NULL) {
        return NULL;
    }
    *list = (struct memlist){.name = *name, .hash = hash};
    list->offsets = list->inline_offsets;
    list->capacity =
        sizeof(list->inline_offsets) / sizeof(list->inline_offsets[0]);
    if (copy_name &&
        !arena_copy(&memtable->arena, name->name, &list->name.name)) {
        return NULL;
    }
    list->next_in_bucket = *bucket;
    *bucket = list;
    return list;
}

struct memlist *
memtable_add_stream(struct memtable *memtable, struct slice stream,
                    uint64_t base_count, uint64_t number,
                    const uint8_t id_max[static UUID_SIZE])
{
    struct list_name name = {LIST_STREAM, stream};
    uint64_t hash = list_hash(&name);
    struct memlist *list = find_list(memtable, &name, hash);

    if (list != NULL) {
        return list;
    }
    pthread_rwlock_wrlock(&memtable->lock);
    list = add_list(memtable, &name, hash, true);
    if (list != NULL) {
        list->base_count = base_count;
        list->number = number;
        memcpy(list->id_max, id_max, UUID_SIZE);
    }
    pthread_rwlock_unlock(&memtable->lock);
    return list;
}

static bool
list_append(struct memtable *memtable, struct memlist *list, uint32_t offset)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity * 4;
        uint32_t *offsets;

        offsets = list->offsets == list->inline_offsets
                      ? malloc(capacity * sizeof(*offsets))
                      : realloc(list->offsets, capacity * sizeof(*offsets));
        if (offsets == NULL) {
            return false;
        }
        if (list->offsets == list->inline_offsets) {
            memcpy(offsets, list->inline_offsets, sizeof(list->inline_offsets));
        }
        list->offsets = offsets;
        list->capacity = capacity;
    }
    list->offsets[list->count++] = offset;
    if (list->count == 1) {
        memtable->lists_count++;
        name_runs_add(&memtable->names[list->name.kind], list);
    }
    return true;
}

/* NULL if there is no memory. The name has to lie in memory of the memtable. */
static struct memlist *
find_or_add(struct memtable *memtable, const struct list_name *name)
{
    uint64_t hash = list_hash(name);
    struct memlist *list = find_list(memtable, name, hash);

    return list != NULL ? list : add_list(memtable, name, hash, false);
}

/* The names begin with the stream's and its category's, which is the same for
 * all events of the stream: it is sought for the first one only.
 */
static bool
add_to_lists(struct memtable *memtable, struct memlist *stream,
             const struct event *event, uint32_t offset)
{
    struct list_name names[LIST_NAMES_MAX];
    size_t count = list_names_of(event, names);

    if (stream->category == NULL) {
        stream->category = find_or_add(memtable, &names[1]);
    }
    if (stream->category == NULL || !list_append(memtable, stream, offset) ||
        !list_append(memtable, stream->category, offset)) {
        return false;
    }
    for (size_t i = 2; i < count; i++) {
        struct memlist *list = find_or_add(memtable, &names[i]);

        if (list == NULL || !list_append(memtable, list, offset)) {
            return false;
        }
    }
    return true;
}

static void
add_id(struct memtable *memtable, size_t slot, uint32_t number)
{
    while (memtable->slots[slot] != 0) {
        slot = (slot + 1) & memtable->slots_mask;
    }
    memtable->slots[slot] = number + 1;
}

/* Correlation ids are never listed by name. */
static void
sort_names(struct memtable *memtable)
{
    for (enum list_kind kind = LIST_STREAM; kind <= LIST_TAG; kind++) {
        struct name_run *run = name_runs_sort(&memtable->names[kind]);

        if (run != NULL) {
            pthread_rwlock_wrlock(&memtable->lock);
            name_runs_publish(&memtable->names[kind], run);
            pthread_rwlock_unlock(&memtable->lock);
        }
    }
}

/* Point all that @event borrows into the copy of its content at @content. */
static void
move_event(struct event *event, const uint8_t *content)
{
    const uint8_t *from = event->content.data;

    event->type.data = content + (event->type.data - from);
    event->id = content + (event->id - from);
    if (event->correlation_id != NULL) {
        event->correlation_id = content + (event->correlation_id - from);
    }
    event->tags.data = content + (event->tags.data - from);
}

bool
memtable_add(struct memtable *memtable, struct memlist *stream,
             const struct event *event)
{
    struct mem_event *mem = &memtable->events[memtable->count];
    size_t size = event_record_size(event);
    size_t slot = list_hash_id(event->id) & memtable->slots_mask;
    size_t lists_before = memtable->lists_count;
    struct event stored = *event;
    uint8_t *record;
    bool added;

    assert(memtable_room(memtable) > 0);
    assert(event->position == memtable->first_position + memtable->count);
    assert(event->version == stream->base_count + stream->count + 1);

    /* It is anywhere, and is there when it is needed. */
    __builtin_prefetch(&memtable->slots[slot], 1);
    record = arena_take(&memtable->arena, size);
    if (record == NULL) {
        return false;
    }
    event_write_record(record, event);
    stored.stream = stream->name.name;
    move_event(&stored, record + size - event->content.size);
    *mem = (struct mem_event){
        .record = record,
        .stream = stream,
        .size = (uint32_t)size,
        .checksum = checksum_of(record, size),
        .id_at = (uint32_t)(stored.id - record),
    };

    pthread_rwlock_wrlock(&memtable->lock);
    added = add_to_lists(memtable, stream, &stored, (uint32_t)memtable->count);
    add_id(memtable, slot, (uint32_t)memtable->count);
    pthread_rwlock_unlock(&memtable->lock);
    if (memtable->lists_count > lists_before) {
        sort_names(memtable);
    }

    if (memcmp(stored.id, stream->id_max, UUID_SIZE) > 0) {
        memcpy(stream->id_max, stored.id, UUID_SIZE);
    }
    memtable->count++;
    memtable->records_size += size;
    return added;
}

bool
memtable_set_row(struct memtable *memtable, const struct row *row,
                 uint64_t sequence)
{
    bool is_set;

    pthread_rwlock_wrlock(&memtable->lock);
    is_set = rowtable_set(&memtable->rows, row, sequence);
    pthread_rwlock_unlock(&memtable->lock);
    return is_set;
}

void
memtable_seal(struct memtable *memtable, uint64_t sequence,
              uint64_t last_time_us)
{
    memtable->last_time_us = last_time_us;
    atomic_store(&memtable->sealed_at, sequence);
}

uint64_t
memtable_sealed_at(const struct memtable *memtable)
{
    return atomic_load(&memtable->sealed_at);
}

uint64_t
memtable_last_time(const struct memtable *memtable)
{
    return memtable->last_time_us;
}

bool
memtable_is_empty(const struct memtable *memtable)
{
    return memtable->count == 0 && memtable->rows.count == 0;
}

struct block_record
memtable_record(const struct memtable *memtable, uint64_t position)
{
    const struct mem_event *mem =
        &memtable->events[position - memtable->first_position];

    assert(position >= memtable->first_position);
    assert(position - memtable->first_position < memtable->events_max);
    return (struct block_record){mem->record, mem->size, mem->checksum};
}

void
memtable_lock(struct memtable *memtable)
{
    pthread_rwlock_rdlock(&memtable->lock);
}

void
memtable_unlock(struct memtable *memtable)
{
    pthread_rwlock_unlock(&memtable->lock);
}

void
memtable_fetch_bucket(const struct memtable *memtable, uint64_t hash)
{
    __builtin_prefetch(&memtable->buckets[hash & memtable->buckets_mask]);
}

bool
memtable_fetch_list(const struct memtable *memtable, uint64_t hash)
{
    const struct memlist *list =
        memtable->buckets[hash & memtable->buckets_mask];

    if (list == NULL) {
        return false;
    }
    __builtin_prefetch(list);
    __builtin_prefetch((const uint8_t *)list + CACHE_LINE);
    return true;
}

struct memlist *
memtable_find(const struct memtable *memtable, const struct list_name *name)
{
    return find_list(memtable, name, list_hash(name));
}

uint64_t
memtable_find_id(const struct memtable *memtable,
                 const uint8_t id[static UUID_SIZE],
                 const struct memlist *stream, uint64_t after)
{
    size_t slot = list_hash_id(id) & memtable->slots_mask;

    for (; memtable->slots[slot] != 0;
         slot = (slot + 1) & memtable->slots_mask) {
        size_t number = memtable->slots[slot] - 1;
        const struct mem_event *mem = &memtable->events[number];

        if (memtable->first_position + number > after &&
            (stream == NULL || mem->stream == stream) &&
            memcmp(mem->record + mem->id_at, id, UUID_SIZE) == 0) {
            return memtable->first_position + number;
        }
    }
    return 0;
}

bool
memtable_row(struct memtable *memtable, enum row_kind kind, struct slice key,
             uint64_t sequence, struct slice *value)
{
    bool found;

    pthread_rwlock_rdlock(&memtable->lock);
    found = rowtable_find(&memtable->rows, kind, key, sequence, value);
    pthread_rwlock_unlock(&memtable->lock);
    return found;
}

bool
memtable_next_row(struct memtable *memtable, enum row_kind kind,
                  struct slice from, bool inclusive, uint64_t sequence,
                  struct row_slot **slot, struct row *row)
{
    struct row_slot *at = *slot;

    pthread_rwlock_rdlock(&memtable->lock);
    at = at == NULL ? rowtable_behind(&memtable->rows, kind, from, inclusive)
                    : rowtable_next(at);
    /* Few are newer than what is being looked at: those of a view's time. */
    while (at != NULL && !rowtable_value(at, sequence, &row->value)) {
        at = rowtable_next(at);
    }
    pthread_rwlock_unlock(&memtable->lock);
    *slot = at;
    if (at == NULL) {
        return false;
    }
    row->kind = kind;
    row->key = at->key;
    return true;
}

size_t
memtable_erasures(struct memtable *memtable)
{
    size_t count;

    pthread_rwlock_rdlock(&memtable->lock);
    count = memtable->rows.erasures;
    pthread_rwlock_unlock(&memtable->lock);
    return count;
}

const struct rowtable *
memtable_rows(const struct memtable *memtable)
{
    return &memtable->rows;
}

const struct memlist *
memtable_stream_of(const struct memtable *memtable, uint64_t position)
{
    return memtable->events[position - memtable->first_position].stream;
}

const uint8_t *
memtable_id_of(const struct memtable *memtable, uint64_t position)
{
    const struct mem_event *mem =
        &memtable->events[position - memtable->first_position];

    return mem->record + mem->id_at;
}

struct memlist *
memtable_lists(const struct memtable *memtable, enum list_kind kind)
{
    return memtable->names[kind].newest;
}

struct name_runs
memtable_names(struct memtable *memtable, enum list_kind kind)
{
    struct name_runs names;

    pthread_rwlock_rdlock(&memtable->lock);
    names = memtable->names[kind];
    pthread_rwlock_unlock(&memtable->lock);
    return names;
}
