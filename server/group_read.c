/* Events come in: those that its row calls pending first, then what is read
 * behind it. Each finds its key and goes to a member at once, if it can.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "group_state.h"
#include "record.h"

/* So many are read at once, at least and at most: to read one alone is dear. */
#define READ_MIN 256
#define READ_MAX 2048

/* So many bytes are kept of what was read and waits; the rest is read again. */
#define HELD_SIZE_MAX (8u << 20)

/* Keys of so many events are fetched from memory at once. */
#define LOOK_AHEAD 32

static uint64_t
min_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of those that wait to be read again there are fewer only if reading goes on.
 */
static bool
has_parked_enough(const struct group *group)
{
    return group->counts[GROUP_PARKED] >= ACTA_GROUP_PARKED_MAX &&
           group->ahead == UINT64_MAX;
}

/* How many more it may have in mind. What is to be loaded was there before, and
 * has to come however much waits: until then nothing that is replayed goes out.
 */
static uint64_t
left_to_read(const struct group *group)
{
    uint64_t kept = group->counts[GROUP_WAITING] + group->counts[GROUP_DELAYED];

    if (group_is_loading(group)) {
        return READ_MAX;
    }
    return kept >= ACTA_GROUP_PENDING_MAX || has_parked_enough(group)
               ? 0
               : ACTA_GROUP_PENDING_MAX - kept;
}

uint64_t
group_wants(const struct group *group)
{
    uint64_t room = group_room(group);

    if (!group->is_open || room == 0) {
        return 0;
    }
    room = room > READ_MIN ? min_of(room, READ_MAX) : READ_MIN;
    return min_of(room, left_to_read(group));
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
group_meet_parked(struct group *group)
{
    group->ahead = UINT64_MAX;
    for (struct ring *at = group->parked_keys.next; at != &group->parked_keys;
         at = at->next) {
        group_place_key(group, ring_holder(at, struct group_key, in_parked));
    }
}

enum acta_code
group_pass(struct group *group, uint64_t position, struct acta_err *err)
{
    assert(position >= group->read_to);

    if (position > group->read_to) {
        group->read_to = position;
        group->is_passed = true;
    }
    if (position < group->ahead) {
        return ACTA_OK;
    }
    group_meet_parked(group);
    return group->is_open ? group_hand_waiting(group, err) : ACTA_OK;
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

static struct group_event *
make_of(struct group *group, struct group_key *key, uint64_t position)
{
    struct group_event *event =
        group_reserve_event(group) ? group_pool_take(&group->events) : NULL;

    if (event != NULL) {
        group_event_init(event, position, key);
        group->counts[GROUP_WAITING]++;
        group_table_add(&group->table, event);
    }
    return event;
}

/* An event in no ring of its key; NULL: no memory. */
static struct group_event *
make(struct group *group, struct slice bytes, uint64_t position)
{
    struct group_key *key =
        group_keys_get(&group->keys, bytes, group_keys_hash(bytes));

    return key == NULL ? NULL : make_of(group, key, position);
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

/* An event that cannot go to a member now: behind those of its key that wait or
 * are parked.
 */
static void
place(struct group *group, struct group_event *event, struct slice record)
{
    ring_put_last(&group->pending, &event->in_pending);
    event->size = (uint32_t)record.size;
    if (group_must_wait(group, event->key, event->position)) {
        group_park_behind(group, event);
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
        ring_take_out(&event->in_pending); /* It may be so already. */
        ring_put_last(&group->pending, &event->in_pending);
    }
}

/* What the key of an event is called. */
struct named_key {
    struct slice bytes;
    uint64_t hash;
};

/* One that is not in mind. */
static enum acta_code
add_new(struct group *group, uint64_t position, struct slice record,
        const struct named_key *named, struct acta_err *err)
{
    struct group_key *key =
        group_keys_get(&group->keys, named->bytes, named->hash);
    struct group_member *member = NULL;
    struct group_event *event;
    bool is_there;

    if (key != NULL && !group_must_wait(group, key, position)) {
        member = group_member_for_new(group, key);
    }
    if (member != NULL) {
        is_there = group_hand_new(group, key, member, position, record);
    } else {
        event = key == NULL ? NULL : make_of(group, key, position);
        is_there = event != NULL;
        if (is_there) {
            place(group, event, record);
        }
    }
    return is_there ? ACTA_OK
                    : acta_fail(err, ACTA_MEMORY, "no memory for an event");
}

static enum acta_code
add(struct group *group, struct slice record, const struct named_key *named,
    struct acta_err *err)
{
    uint64_t position = record_position(record);
    struct group_event *event = position > group->met
                                    ? NULL
                                    : group_table_find(&group->table, position);
    enum acta_code code = ACTA_OK;

    assert(position > group->read_to);
    assert(!group_is_loading(group));

    if (event != NULL) {
        meet_again(group, event);
    } else {
        code = add_new(group, position, record, named, err);
    }
    if (code == ACTA_OK) {
        group->read_to = position;
    }
    return code;
}

static enum acta_code
name_key(const struct group *group, struct slice record,
         struct named_key *named, struct acta_err *err)
{
    enum acta_code code = key_of(group, record, &named->bytes, err);

    if (code == ACTA_OK) {
        named->hash = group_keys_hash(named->bytes);
    }
    return code;
}

enum acta_code
group_add(struct group *group, struct slice record, struct acta_err *err)
{
    struct named_key named;
    enum acta_code code = name_key(group, record, &named, err);

    return code == ACTA_OK ? add(group, record, &named, err) : code;
}

/* Look at the keys of some records. Returns how many have one: all, or *@code
 * says what is wrong with the next.
 */
static size_t
look_ahead(const struct group *group, const struct slice *records, size_t count,
           struct named_key keys[static LOOK_AHEAD], enum acta_code *code,
           struct acta_err *err)
{
    size_t known = 0;

    while (known < count && known < LOOK_AHEAD) {
        *code = name_key(group, records[known], &keys[known], err);
        if (*code != ACTA_OK) {
            break;
        }
        group_keys_fetch_place(&group->keys, keys[known].hash);
        known++;
    }
    for (size_t i = 0; i < known; i++) {
        group_keys_fetch(&group->keys, keys[i].hash);
        if (group->buckets != NULL) {
            __builtin_prefetch(&group->buckets[group_key_bucket(keys[i].hash)]);
        }
    }
    return known;
}

enum acta_code
group_add_all(struct group *group, const struct slice *records, size_t count,
              struct acta_err *err)
{
    enum acta_code looked = ACTA_OK;

    while (count > 0 && looked == ACTA_OK) {
        struct named_key keys[LOOK_AHEAD];
        size_t known = look_ahead(group, records, count, keys, &looked, err);

        for (size_t i = 0; i < known; i++) {
            enum acta_code code = add(group, records[i], &keys[i], err);

            if (code != ACTA_OK) {
                return code;
            }
        }
        records += known;
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
    ring_put_last(&group->pending, &event->in_pending);
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
    if (!group_is_loading(group)) {
        place_all(group);
    }
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
    group->met = position > group->met ? position : group->met;
    event->parked_us = parked->time_us;
    group_stay_parked(group, event);
    return ACTA_OK;
}
