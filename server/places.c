#include "places.h"

#include <stdlib.h>
#include <string.h>

struct places *
places_new(void)
{
    return calloc(1, sizeof(struct places));
}

void
places_for(struct places *places, size_t state)
{
    if (places->state != state) {
        places_forget(places);
    }
    places->state = state;
}

void
places_forget(struct places *places)
{
    if (places->state != 0) { /* Else the memory has not been used yet. */
        memset(places->slots, 0, sizeof(places->slots));
    }
    places->state = 0;
}

static size_t
slot_of(uint64_t position)
{
    return (position >> PLACES_SHIFT) & (PLACES_COUNT - 1);
}

static bool
has(const struct place *place, uint64_t position)
{
    return position >= place->first && position - place->first < place->count;
}

bool
places_find(const struct places *places, uint64_t position, struct place *place)
{
    size_t slot = slot_of(position);
    const struct place *found = &places->slots[slot];

    if (!has(found, position)) {
        found = &places->slots[(slot + 1) & (PLACES_COUNT - 1)];
    }
    if (!has(found, position)) {
        found = &places->slots[(slot - 1) & (PLACES_COUNT - 1)];
    }
    *place = *found;
    return has(found, position);
}

void
places_keep(struct places *places, uint64_t position, const struct place *place)
{
    places->slots[slot_of(position)] = *place;
}
