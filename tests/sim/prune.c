#include "prune.h"

#include <assert.h>
#include <inttypes.h>

#include "oracle.h"
#include "task.h"

#define VERSIONS_MAX 4096

enum erasure {
    KEPT,
    MAY_BE_ERASED,
    ERASED,
};

static struct pruned {
    uint64_t may_hide; /* Versions below. */
    uint64_t hides;    /* The same. */
    bool fades;
    uint8_t erasures[VERSIONS_MAX]; /* enum erasure, by version */
} all[ORACLE_PRUNED];

static bool
is_pruned(unsigned stream)
{
    return stream >= ORACLE_STREAMS;
}

static struct pruned *
pruned_of(unsigned stream)
{
    assert(is_pruned(stream));
    return &all[stream - ORACLE_STREAMS];
}

static void
raise_to(uint64_t *bound, uint64_t to)
{
    *bound = *bound < to ? to : *bound;
}

void
prune_hide(unsigned stream, uint64_t before)
{
    raise_to(&pruned_of(stream)->may_hide, before);
}

void
prune_hidden(unsigned stream, uint64_t before)
{
    raise_to(&pruned_of(stream)->hides, before);
}

void
prune_fade(unsigned stream)
{
    pruned_of(stream)->fades = true;
}

bool
prune_fades(unsigned stream)
{
    return pruned_of(stream)->fades;
}

static void
mark(unsigned stream, uint64_t first, uint64_t last, enum erasure erasure)
{
    struct pruned *pruned = pruned_of(stream);

    for (uint64_t version = first; version <= last; version++) {
        assert(version < VERSIONS_MAX);
        if (pruned->erasures[version] < erasure) {
            pruned->erasures[version] = (uint8_t)erasure;
        }
    }
}

void
prune_erase(unsigned stream, uint64_t first, uint64_t last)
{
    mark(stream, first, last, MAY_BE_ERASED);
}

void
prune_erased(unsigned stream, uint64_t first, uint64_t last)
{
    mark(stream, first, last, ERASED);
}

bool
prune_may_hide(unsigned stream, uint64_t version)
{
    return is_pruned(stream) &&
           (pruned_of(stream)->fades || version < pruned_of(stream)->may_hide);
}

bool
prune_may_erase(unsigned stream, uint64_t version)
{
    return is_pruned(stream) && version < VERSIONS_MAX &&
           pruned_of(stream)->erasures[version] != KEPT;
}

uint64_t
prune_first(unsigned stream)
{
    return pruned_of(stream)->hides > 0 ? pruned_of(stream)->hides : 1;
}

void
prune_check(unsigned stream, const struct acta_event *event)
{
    if (!is_pruned(stream)) {
        return;
    }
    if (event->version < prune_first(stream)) {
        sim_fail("version %" PRIu64 " of %s is hidden, and shown",
                 event->version, event->stream);
    }
    assert(event->version < VERSIONS_MAX);
    if (pruned_of(stream)->erasures[event->version] == ERASED &&
        event->format != ACTA_FORMAT_ERASED) {
        sim_fail("version %" PRIu64 " of %s is erased, and shown",
                 event->version, event->stream);
    }
}
