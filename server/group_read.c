/* Events come in: those that its row calls pending first, then what is read
 * behind it. Each finds its key and goes to a member at once, if it can.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "group_state.h"
#include "record.h"

/* So much is read at once, at most, */
#define READ_COUNT 2048
/* and so far ahead of members that have no room. */
#define READ_AHEAD_COUNT 256
/* and keeps so many bytes of what it has read; the rest is fetched later. */
#define HELD_SIZE_MAX (8u << 20)

/* Keys of so many events are fetched from memory at once. */
#define LOOK_AHEAD 16

uint64_t
group_wants(const struct group *group)
{
    uint64_t kept = group->counts[GROUP_WAITING] + group->counts[GROUP_DELAYED];
    uint64_t room = group_room(group);
    uint64_t wanted = room > READ_AHEAD_COUNT ? room : READ_AHEAD_COUNT;

    if (!group->is_open || kept >= ACTA_GROUP_PENDING_MAX ||
        group->counts[GROUP_PARKED] >= ACTA_GROUP_PARKED_MAX) {
        return 0;
    }
    if (room == 0) {
        return kept >= READ_AHEAD_COUNT || group->held_size >= HELD_SIZE_MAX
                   ? 0
                   : READ_AHEAD_COUNT - kept;
    }
    wanted = wanted < READ_COUNT ? wanted : READ_COUNT;
    return wanted < ACTA_GROUP_PENDING_MAX - kept
               ? wanted
               : ACTA_GROUP_PENDING_MAX - kept;
}

bool
group_is_loading(const struct group *group)
{
    return group->to_load.left > 0;
}

uint64_t
group_read_to(const struct group *group)
{
    return group->read_to;
}

void
group_pass(struct group *group, uint64_t position)
{
    assert(position >= group->read_to);

    if (position > group->read_to) {
        group->read_to = position;
        group->is_passed = true;
    }
}

/* ---- keys ---- */

/* The first tag that begins as keys do, or else the stream. */
static enum acta_code
key_by_tag(const struct group *group, struct slice record, struct slice *key,
           struct acta_err *err)
{
    struct pack_reader reader;
    struct event event;
    struct slice tags;

    pack_reader_init(&reader, record, err);
    event_decode_record(&reader, &event);
    if (reader.failed) {
        return ACTA_CORRUPT;
    }
    tags = event.tags;
    for (size_t i = 0; i < event.tags_count; i++) {
        *key = event_tag(&tags);
        if (slice_starts_with(*key, group->settings.key_tag)) {
            return ACTA_OK;
        }
    }
    *key = event.stream;
    return ACTA_OK;
}

/* A record has one, or is damaged. */
static enum acta_code
key_of(const struct group *group, struct slice record, struct slice *key,
       struct acta_err *err)
{
    if (record_position(record) == 0 || record_is_stub(record)) {
        return acta_fail(err, ACTA_CORRUPT, "a record is none");
    }
    if (group->settings.key_tag.size > 0) {
        return key_by_tag(group, record, key, err);
    }
    *key = record_stream(record);
    if (key->size == 0) {
        return acta_fail(err, ACTA_CORRUPT, "a record has no stream");
    }
    return ACTA_OK;
}

/* ---- events ---- */

/* An event in no ring of its key; NULL: no memory. */
static struct group_event *
make(struct group *group, struct slice bytes, uint64_t position)
{
    struct group_event *event;
    struct group_key *key;

    /* Every one could be delayed: an answer must not lack memory. */
    if (!group_table_reserve(&group->table) ||
        !group_heap_reserve(&group->delays, group->table.count + 1)) {
        return NULL;
    }
    event = group_pool_take(&group->events);
    if (event == NULL) {
        return NULL;
    }
    key = group_keys_get(&group->keys, bytes);
    if (key == NULL) {
        group_pool_give(&group->events, event);
        return NULL;
    }
    group_event_init(event, position, key);
    group->counts[GROUP_WAITING]++;
    group_table_add(&group->table, event);
    return event;
}

static void
keep_bytes(struct group *group, struct group_event *event, struct slice record)
{
    if (group->held_size + record.size > HELD_SIZE_MAX) {
        return;
    }
    event->bytes = group_pools_take(&group->records, record.size);
    if (event->bytes != NULL) { /* Or else it is fetched. */
        memcpy(event->bytes, record.data, record.size);
        group->held_size += record.size;
    }
}

/* Behind those of its key that wait, but for what is being replayed while there
 * is more to load: that was behind it.
 */
static void
line_up(struct group *group, struct group_event *event)
{
    struct group_key *key = event->key;
    struct ring *before = key->waiting.prev;

    while (group_is_loading(group) && before != &key->waiting &&
           ring_holder(before, struct group_event, in_key)->position >
               event->position) {
        before = before->prev;
    }
    ring_put_behind(before, &event->in_key);
    if (key->waiting.next == &event->in_key) {
        group_place_key(group, key);
    }
}

/* A new event: to a member, or behind those of its key that wait or are parked.
 */
static void
place(struct group *group, struct group_event *event, struct slice record)
{
    struct group_key *key = event->key;

    event->is_pending = true;
    event->size = (uint32_t)record.size;
    if (group_must_wait(group, key, event->position)) {
        group_park_behind(group, event);
        return;
    }
    if (group_hand_new(group, event, record)) {
        return;
    }
    keep_bytes(group, event, record);
    line_up(group, event);
}

/* It is parked since before a reset. Without a durable row it is pending, as
 * any other.
 */
static void
meet_again(struct group *group, struct group_event *event)
{
    if (!event->has_row) {
        group_touch(group, event->position);
        event->is_pending = true;
    }
}

static enum acta_code
add(struct group *group, struct slice record, struct slice key,
    struct acta_err *err)
{
    uint64_t position = record_position(record);
    struct group_event *event = group_table_find(&group->table, position);

    assert(position > group->read_to);
    assert(!group_is_loading(group));

    if (event != NULL) {
        meet_again(group, event);
    } else {
        event = make(group, key, position);
        if (event == NULL) {
            return acta_fail(err, ACTA_MEMORY, "no memory for an event");
        }
        place(group, event, record);
    }
    group->read_to = position;
    return ACTA_OK;
}

enum acta_code
group_add(struct group *group, struct slice record, struct acta_err *err)
{
    struct slice key;
    enum acta_code code = key_of(group, record, &key, err);

    return code == ACTA_OK ? add(group, record, key, err) : code;
}

/* Look at the keys of some records. Returns how many have one: all, or *@code
 * says what is wrong with the next.
 */
static size_t
look_ahead(const struct group *group, const uint8_t *records,
           const uint32_t *sizes, size_t count,
           struct slice keys[static LOOK_AHEAD], enum acta_code *code,
           struct acta_err *err)
{
    size_t i = 0;

    while (i < count && i < LOOK_AHEAD) {
        *code = key_of(group, slice_make(records, sizes[i]), &keys[i], err);
        if (*code != ACTA_OK) {
            break;
        }
        group_keys_expect(&group->keys, keys[i]);
        records += sizes[i];
        i++;
    }
    return i;
}

enum acta_code
group_add_all(struct group *group, const uint8_t *records,
              const uint32_t *sizes, size_t count, struct acta_err *err)
{
    enum acta_code looked = ACTA_OK;

    while (count > 0 && looked == ACTA_OK) {
        struct slice keys[LOOK_AHEAD];
        size_t known =
            look_ahead(group, records, sizes, count, keys, &looked, err);

        for (size_t i = 0; i < known; i++) {
            enum acta_code code =
                add(group, slice_make(records, sizes[i]), keys[i], err);

            if (code != ACTA_OK) {
                return code;
            }
            records += sizes[i];
        }
        sizes += known;
        count -= known;
    }
    return looked;
}

/* ---- what its row calls pending ---- */

static enum acta_code
load_one(struct group *group, struct group_pending pending,
         struct acta_err *err)
{
    struct group_event *event;
    struct slice record;
    struct slice key;
    enum acta_code code;

    if (group_table_find(&group->table, pending.position) != NULL) {
        return ACTA_OK; /* It is parked. */
    }
    code =
        group->ports.fetch(group->ports.user, pending.position, &record, err);
    if (code == ACTA_NOT_FOUND) {
        group->is_changed = true;
        return ACTA_OK;
    }
    if (code == ACTA_OK) {
        code = key_of(group, record, &key, err);
    }
    if (code == ACTA_CORRUPT) { /* Nobody knows its key: it is parked later. */
        key = slice_of("");
        record = SLICE_NONE;
    } else if (code != ACTA_OK) {
        return code;
    }
    event = make(group, key, pending.position);
    if (event == NULL) {
        return acta_fail(err, ACTA_MEMORY, "no memory for an event");
    }
    event->deliveries = (uint32_t)pending.deliveries;
    event->tries = event->deliveries;
    if (code == ACTA_OK) {
        place(group, event, record);
        return ACTA_OK;
    }
    event->is_pending = true;
    ring_put_last(&event->key->waiting, &event->in_key);
    group_park_for(group, event, "its record is damaged");
    return ACTA_OK;
}

/* What is behind nothing goes on, and what is replayed: all that is before it
 * is here.
 */
static void
place_all(struct group *group)
{
    for (size_t i = 0; i < group->keys.size; i++) {
        for (struct group_key *key = group->keys.places[i]; key != NULL;
             key = key->next) {
            group_place_key(group, key);
        }
    }
}

enum acta_code
group_load(struct group *group, uint64_t count, struct acta_err *err)
{
    struct group_pending pending;

    for (; count > 0 && group_pending_peek(&group->to_load, &pending);
         count--) {
        enum acta_code code = load_one(group, pending, err);

        if (code != ACTA_OK) {
            return code;
        }
        group_pending_skip(&group->to_load);
    }
    if (group_is_loading(group)) {
        return ACTA_OK;
    }
    place_all(group);
    return group->is_open ? group_hand_waiting(group, err) : ACTA_OK;
}

enum acta_code
group_load_parked(struct group *group, uint64_t position,
                  const struct parked *parked, struct acta_err *err)
{
    struct group_event *event;

    if (group_table_find(&group->table, position) != NULL ||
        parked->key.size > ACTA_STREAM_SIZE_MAX ||
        parked->deliveries > UINT32_MAX) {
        return acta_fail(err, ACTA_CORRUPT, "row of a parked event is wrong");
    }
    event = make(group, parked->key, position);
    if (event == NULL) {
        return acta_fail(err, ACTA_MEMORY, "no memory for a parked event");
    }
    event->deliveries = (uint32_t)parked->deliveries;
    event->tries = event->deliveries;
    group_event_begin_row(event);
    event->is_behind = parked->is_behind;
    event->has_row = true;
    event->parked_us = parked->time_us;
    group_stay_parked(group, event);
    return ACTA_OK;
}
