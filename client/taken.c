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

/* Put those that @settle does not tell of, or all if it is 0, into a table of
 * @capacity. False: no memory; nothing has changed.
 */
static bool
rebuild(struct taken *taken, size_t capacity, uint64_t settle)
{
    struct taken larger = {.capacity = capacity};

    larger.keys = calloc(capacity, sizeof(*larger.keys));
    if (larger.keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < taken->capacity; i++) {
        const struct taken_key *key = &taken->keys[i];

        if (key->hash != 0 && (settle == 0 || key->settle != settle)) {
            *find(&larger, key->hash) = *key;
            larger.count++;
        }
    }
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
                 0)) {
        return false;
    }
    key = find(taken, hash);
    if (key->hash == 0) {
        *key = (struct taken_key){.hash = hash, .position = position};
        taken->count++;
        return true;
    }
    key->settle = 0;
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
taken_settled(struct taken *taken, uint64_t settle)
{
    /* Without memory they stay, and drop what comes until it is given back. */
    if (taken->count > 0) {
        (void)rebuild(taken, taken->capacity, settle);
    }
}

bool
taken_holds(struct taken *taken, uint64_t hash, uint64_t position)
{
    struct taken_key *key;

    if (taken->count == 0) {
        return false;
    }
    key = find(taken, hash);
    if (key->hash == 0) {
        return false;
    }
    if (position > key->position) {
        return true;
    }
    /* From here on nothing is behind it that is not to come: no position is
     * greater.
     */
    key->position = UINT64_MAX;
    return false;
}
