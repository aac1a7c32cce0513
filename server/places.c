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
    if (places->state != state && places->state != 0) {
        memset(places->slots, 0, sizeof(places->slots));
    }
    places->state = state;
}
