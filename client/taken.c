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

/* Put all, or those that were not answered, into a table of @capacity. False:
 * no memory; nothing has changed.
 */
static bool
rebuild(struct taken *taken, size_t capacity, bool with_settled)
{
    struct taken larger = {.capacity = capacity};

    larger.keys = calloc(capacity, sizeof(*larger.keys));
    if (larger.keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < taken->capacity; i++) {
        const struct taken_key *key = &taken->keys[i];

        if (key->hash != 0 && (with_settled || key->fence == UINT64_MAX)) {
            *find(&larger, key->hash) = *key;
            larger.count++;
        }
    }
    larger.has_settled = with_settled && taken->has_settled;
    free(taken->keys);
    *taken = larger;
    return true;
}

bool
taken_add(struct taken *taken, uint64_t hash, uint64_t position)
{
    struct taken_key *key;

    if (2 * (taken->count + 1) > taken->capacity &&
        !rebuild(taken,
                 taken->capacity == 0 ? CAPACITY_MIN : 2 * taken->capacity,
                 true)) {
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
        (void)rebuild(taken, taken->capacity, false);
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
