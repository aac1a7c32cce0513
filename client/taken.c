#include "taken.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

void
taken_fini(struct taken *taken)
{
    free(taken->keys);
    *taken = (struct taken){0};
}

void
taken_clear(struct taken *taken)
{
    if (taken->count > 0) {
        memset(taken->keys, 0, taken->capacity * sizeof(*taken->keys));
        taken->count = 0;
    }
    taken->has_settled = false;
}

/* Where the key of this hash is, or would be. */
static struct taken_key *
find(const struct taken *taken, uint64_t hash)
{
    size_t i = hash & (taken->capacity - 1);

    while (taken->keys[i].hash != 0 && taken->keys[i].hash != hash) {
        i = (i + 1) & (taken->capacity - 1);
    }
    return &taken->keys[i];
}

/* True if it may hold something that was handed out under @fence, or later. */
static bool
is_needed(const struct taken_key *key, uint64_t fence)
{
    return key->hash != 0 && key->fence >= fence;
}

static size_t
count_needed(const struct taken *taken, uint64_t fence)
{
    size_t count = 0;

    for (size_t i = 0; i < taken->capacity; i++) {
        count += is_needed(&taken->keys[i], fence);
    }
    return count;
}

/* Put those that are needed into a table of @capacity. False: no memory;
 * nothing has changed.
 */
static bool
rebuild(struct taken *taken, size_t capacity, uint64_t fence)
{
    struct taken made = {.capacity = capacity};

    made.keys = calloc(capacity, sizeof(*made.keys));
    if (made.keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < taken->capacity; i++) {
        const struct taken_key *key = &taken->keys[i];

        if (is_needed(key, fence)) {
            *find(&made, key->hash) = *key;
            made.count++;
            made.has_settled = made.has_settled || key->fence != UINT64_MAX;
        }
    }
    free(taken->keys);
    *taken = made;
    return true;
}

/* Room for one more. A table of which half is not needed stays as large. */
static bool
make_room(struct taken *taken, uint64_t fence)
{
    if (taken->capacity == 0) {
        return rebuild(taken, CAPACITY_MIN, fence);
    }
    if (2 * (taken->count + 1) <= taken->capacity) {
        return true;
    }
    return rebuild(taken,
                   4 * count_needed(taken, fence) < taken->capacity
                       ? taken->capacity
                       : 2 * taken->capacity,
                   fence);
}

bool
taken_add(struct taken *taken, uint64_t hash, uint64_t position, uint64_t fence)
{
    struct taken_key *key;

    if (!make_room(taken, fence)) {
        return false;
    }
    key = find(taken, hash);
    if (key->hash == 0) {
        *key = (struct taken_key){
            .hash = hash, .position = position, .fence = UINT64_MAX};
        taken->count++;
        return true;
    }
    key->settle = 0;
    key->fence = UINT64_MAX;
    key->is_dropping = false;
    if (position < key->position) {
        key->position = position;
    }
    return true;
}

void
taken_tell(struct taken *taken, uint64_t settle)
{
    for (size_t i = 0; taken->count > 0 && i < taken->capacity; i++) {
        if (taken->keys[i].hash != 0 && taken->keys[i].settle == 0) {
            taken->keys[i].settle = settle;
        }
    }
}

void
taken_settled(struct taken *taken, uint64_t settle, uint64_t fence)
{
    for (size_t i = 0; taken->count > 0 && i < taken->capacity; i++) {
        if (taken->keys[i].hash != 0 && taken->keys[i].settle == settle) {
            taken->keys[i].fence = fence;
            taken->has_settled = true;
        }
    }
}

void
taken_drop_settled(struct taken *taken)
{
    /* Without memory they stay: they hold nothing that comes. */
    if (taken->has_settled) {
        (void)rebuild(taken, taken->capacity, UINT64_MAX);
    }
}

bool
taken_holds(struct taken *taken, uint64_t hash, uint64_t position,
            uint64_t fence)
{
    struct taken_key *key;

    if (taken->count == 0) {
        return false;
    }
    key = find(taken, hash);
    if (key->hash == 0 || fence > key->fence) {
        return false;
    }
    if (position > key->position) {
        /* It is given back: what is behind it is the server's again until that
         * is answered, whatever became of the answer before.
         */
        if (!key->is_dropping) {
            key->is_dropping = true;
            key->position = position;
        }
        key->settle = 0;
        key->fence = UINT64_MAX;
        return true;
    }
    /* From here on nothing is behind it that is not to come: no position is
     * greater.
     */
    key->position = UINT64_MAX;
    return false;
}
