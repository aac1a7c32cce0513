/* A run has RUN_SIZE lists, or a few more when an event brings many at once. So
 * a memtable has a hundred runs or two when all its events are for new streams:
 * finding where a walk begins costs a binary search in each, and a step costs
 * the way down a heap of them. Merging runs into larger ones would save steps
 * of that way, at the price of a writer that stops for milliseconds.
 */

#include "name_runs.h"

#include <assert.h>
#include <stdlib.h>

#include "memtable.h"

#define RUN_SIZE 1024

struct name_run {
    struct name_run *next;
    size_t count;
    struct memlist *lists[];
};

/* ---- the writer ---- */

void
name_runs_add(struct name_runs *runs, struct memlist *list)
{
    list->next = runs->newest;
    runs->newest = list;
    runs->unsorted_count++;
}

static int
compare_lists(const void *a, const void *b)
{
    struct memlist *const *left = a, *const *right = b;

    return slice_compare((*left)->name.name, (*right)->name.name);
}

struct name_run *
name_runs_sort(const struct name_runs *runs)
{
    struct memlist *list = runs->newest;
    size_t count = runs->unsorted_count;
    struct name_run *run;

    if (count < RUN_SIZE) {
        return NULL;
    }
    run = malloc(sizeof(*run) + count * sizeof(run->lists[0]));
    if (run == NULL) {
        return NULL;
    }
    run->count = count;
    for (size_t i = 0; i < count; i++, list = list->next) {
        run->lists[i] = list;
    }
    qsort(run->lists, count, sizeof(run->lists[0]), compare_lists);
    return run;
}

void
name_runs_publish(struct name_runs *runs, struct name_run *run)
{
    assert(run->count == runs->unsorted_count);

    run->next = runs->runs;
    runs->runs = run;
    runs->runs_count++;
    runs->unsorted_count = 0;
}

void
name_runs_fini(struct name_runs *runs)
{
    while (runs->runs != NULL) {
        struct name_run *run = runs->runs;

        runs->runs = run->next;
        free(run);
    }
}

/* ---- walking ---- */

static bool
is_before(const struct name_spot *a, const struct name_spot *b)
{
    return slice_compare(a->list->name.name, b->list->name.name) < 0;
}

/* Put @spot in the place of the one on top, or where below it belongs. */
static void
sift_down(struct name_walk *walk, struct name_spot spot)
{
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < walk->count &&
            is_before(&walk->spots[child + 1], &walk->spots[child])) {
            child++;
        }
        if (child >= walk->count || !is_before(&walk->spots[child], &spot)) {
            break;
        }
        walk->spots[at] = walk->spots[child];
        at = child;
    }
    walk->spots[at] = spot;
}

static void
sift_up(struct name_walk *walk, struct name_spot spot)
{
    size_t at = walk->count++;

    while (at > 0 && is_before(&spot, &walk->spots[(at - 1) / 2])) {
        walk->spots[at] = walk->spots[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    walk->spots[at] = spot;
}

static bool
is_ahead(const struct memlist *list, struct slice from, bool inclusive)
{
    int order = slice_compare(list->name.name, from);

    return order > 0 || (inclusive && order == 0);
}

/* The first list of the run from which the walk starts. */
static struct memlist *const *
find_start(const struct name_run *run, struct slice from, bool inclusive)
{
    size_t low = 0, high = run->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (is_ahead(run->lists[middle], from, inclusive)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return run->lists + low;
}

static bool
reserve(struct name_walk *walk, size_t more)
{
    size_t capacity = walk->count + more;
    struct name_spot *spots;

    if (capacity <= walk->capacity) {
        return true;
    }
    spots = realloc(walk->spots, capacity * sizeof(*spots));
    if (spots == NULL) {
        return false;
    }
    walk->spots = spots;
    walk->capacity = capacity;
    return true;
}

bool
name_walk_add(struct name_walk *walk, const struct name_runs *runs,
              size_t source, struct slice from, bool inclusive)
{
    struct memlist *list = runs->newest;

    if (!reserve(walk, runs->runs_count + runs->unsorted_count)) {
        return false;
    }
    for (size_t i = 0; i < runs->unsorted_count; i++, list = list->next) {
        if (is_ahead(list, from, inclusive)) {
            sift_up(walk, (struct name_spot){.list = list, .source = source});
        }
    }
    for (struct name_run *run = runs->runs; run != NULL; run = run->next) {
        struct memlist *const *start = find_start(run, from, inclusive);
        struct memlist *const *end = run->lists + run->count;

        if (start < end) {
            sift_up(walk, (struct name_spot){*start, start + 1, end, source});
        }
    }
    return true;
}

const struct memlist *
name_walk_list(const struct name_walk *walk, size_t *source)
{
    if (walk->count == 0) {
        return NULL;
    }
    *source = walk->spots[0].source;
    return walk->spots[0].list;
}

void
name_walk_step(struct name_walk *walk)
{
    struct name_spot spot = walk->spots[0];

    assert(walk->count > 0);

    if (spot.next < spot.end) {
        spot.list = *spot.next++;
    } else {
        spot = walk->spots[--walk->count];
    }
    if (walk->count > 0) {
        sift_down(walk, spot);
    }
}

void
name_walk_fini(struct name_walk *walk)
{
    free(walk->spots);
}
