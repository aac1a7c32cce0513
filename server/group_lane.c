#include "group_lane.h"

#include <assert.h>
#include <stdlib.h>

#define ROOM_MIN 16

void
group_lane_fini(struct group_lane *lane)
{
    free(lane->places);
}

static bool
grow(struct group_lane *lane)
{
    struct group_lane larger = {
        .room = lane->room == 0 ? ROOM_MIN : 2 * lane->room,
    };

    larger.places = malloc(larger.room * sizeof(struct group_light));
    if (larger.places == NULL) {
        return false;
    }
    for (size_t i = lane->first; i < lane->end; i++) {
        *group_lane_at(&larger, larger.end++) = *group_lane_at(lane, i);
    }
    free(lane->places);
    *lane = larger;
    return true;
}

/* Those that had to wait, under one fence, are all the same here. */
static bool
is_before(const struct group_light *a, const struct group_light *b)
{
    if (a->fence != b->fence) {
        return a->fence < b->fence;
    }
    if (a->has_waited != b->has_waited) {
        return a->has_waited;
    }
    return !a->has_waited && a->position < b->position;
}

bool
group_lane_is_next(const struct group_lane *lane,
                   const struct group_light *light)
{
    return group_lane_is_empty(lane) ||
           !is_before(light, group_lane_at(lane, lane->end - 1));
}

bool
group_lane_put(struct group_lane *lane, const struct group_light *light)
{
    assert(group_lane_is_next(lane, light));

    if (lane->end - lane->first == lane->room && !grow(lane)) {
        return false;
    }
    *group_lane_at(lane, lane->end++) = *light;
    return true;
}

/* The first place at which there is none before @light. */
static size_t
find_place(const struct group_lane *lane, const struct group_light *light)
{
    size_t first = lane->first;
    size_t end = lane->end;

    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (is_before(group_lane_at(lane, middle), light)) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

static struct group_light *
find_from(const struct group_lane *lane, size_t place,
          const struct group_light *light)
{
    for (; place < lane->end; place++) {
        struct group_light *at = group_lane_at(lane, place);

        if (is_before(light, at)) {
            break;
        }
        if (at->position == light->position) {
            return at->key == NULL ? NULL : at;
        }
    }
    return NULL;
}

struct group_light *
group_lane_find(const struct group_lane *lane, uint64_t position,
                uint64_t fence)
{
    struct group_light wanted = {.position = position, .fence = fence};
    struct group_light *light =
        find_from(lane, find_place(lane, &wanted), &wanted);

    if (light == NULL) {
        wanted.has_waited = true;
        light = find_from(lane, find_place(lane, &wanted), &wanted);
    }
    return light;
}

void
group_lane_take(struct group_lane *lane, struct group_light *light)
{
    light->key = NULL;
    while (lane->first < lane->end &&
           group_lane_at(lane, lane->first)->key == NULL) {
        lane->first++;
    }
}
