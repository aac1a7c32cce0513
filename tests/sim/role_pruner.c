/* Has a stream of its own, of which it hides and erases events in all ways, and
 * keeps snapshots. It does one thing at a time, and each until it is done, so
 * it knows what there is to be read.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <acta/acta_snapshot.h>

#include "prune.h"
#include "roles.h"
#include "task.h"

#define COUNT_MAX    10 /* What max_count is set to, at most. */
#define AGE_US_MAX   UINT64_C(4000000)
#define SNAPSHOT_MAX 32 /* Bytes. */

/* What it knows of its stream, in itself: it does not die. */
struct garden {
    struct party *party;
    unsigned stream;
    uint64_t max_count; /* 0: none */
    uint64_t snapshot;  /* Its version; 0: there is none. */
    bool is_doubtful;   /* It may be gone. */
    uint64_t erased_to; /* All events up to here. */
    bool is_deleted;
    bool may_come_late; /* A change of this version that was sent before. */
    bool may_erase_late;
};

static const char *
name_of(const struct garden *garden)
{
    return oracle_stream_name(garden->stream);
}

static uint64_t
version_of(const struct garden *garden)
{
    return oracle_version(garden->stream);
}

/* ---- appending ---- */

/* What the count hides when the stream is at @version. */
static uint64_t
first_by_count(const struct garden *garden, uint64_t version)
{
    return garden->max_count > 0 && version > garden->max_count
               ? version - garden->max_count + 1
               : 0;
}

static void
append(struct garden *garden)
{
    struct attempt *attempt = oracle_attempt();
    bool expects = !garden->is_deleted && sim_once_in(3);
    size_t count = 1 + sim_below(4);
    struct acta_append *what;

    oracle_write(attempt, garden->stream,
                 expects ? (int64_t)version_of(garden) : ACTA_EXPECT_ANY,
                 count);
    prune_hide(garden->stream,
               first_by_count(garden, version_of(garden) + count));
    what = oracle_append(attempt);
    role_append(garden->party, attempt, what);
    acta_append_free(what);
    if (attempt->outcome != OUTCOME_STORED) {
        sim_fail("an append to %s is refused", name_of(garden));
    }
    prune_hidden(garden->stream, first_by_count(garden, version_of(garden)));
    garden->is_deleted = false;
}

/* ---- changing ---- */

enum change {
    CHANGE_SET,
    CHANGE_DELETE,
    CHANGE_TOMBSTONE,
    CHANGE_ERASE,
    CHANGE_ERASE_ALL,
};

static enum acta_code
try_change(struct garden *garden, enum change change,
           const struct acta_settings *settings, uint64_t version,
           const struct acta_changed **changed, struct acta_err *err)
{
    struct acta_sync *sync = party_connect(garden->party);
    int64_t expected = (int64_t)version_of(garden);
    const char *name = name_of(garden);

    switch (change) {
    case CHANGE_DELETE:
        return acta_sync_delete_stream(sync, name, expected, changed, err);
    case CHANGE_TOMBSTONE:
        return acta_sync_tombstone_stream(sync, name, expected, changed, err);
    case CHANGE_ERASE:
        return acta_sync_erase_event(sync, name, version, changed, err);
    case CHANGE_ERASE_ALL:
        return acta_sync_erase_stream(sync, name, expected, changed, err);
    case CHANGE_SET:
        break;
    }
    return acta_sync_set_stream(sync, name, expected, settings, changed, err);
}

/* Until it is done. One of which no answer came may be done later, and again:
 * once the stream is at another version it is refused, but for an erasure of
 * one event, which names no version that is expected.
 */
static void
change(struct garden *garden, enum change kind,
       const struct acta_settings *settings, uint64_t version)
{
    const struct acta_changed *changed;
    struct acta_err err;
    enum acta_code code;

    do {
        code = try_change(garden, kind, settings, version, &changed, &err);
        sim_say("change %d of %s: %s", (int)kind, name_of(garden),
                code == ACTA_OK ? "done" : err.text);
        if (code != ACTA_OK) {
            if (!party_is_passing(code)) {
                sim_fail("%s cannot be changed: %s", name_of(garden), err.text);
            }
            garden->may_come_late = true;
            garden->may_erase_late |= kind == CHANGE_ERASE;
            party_pause();
        }
    } while (code != ACTA_OK);
    if (changed->version != version_of(garden)) {
        sim_fail("%s is changed at version %ju, and was at %ju",
                 name_of(garden), (uintmax_t)changed->version,
                 (uintmax_t)version_of(garden));
    }
    roles_counts()->pruned++;
}

static void
truncate_before(struct garden *garden)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_TRUNCATE_BEFORE);
    uint64_t version = version_of(garden);
    uint64_t first =
        prune_fades(garden->stream) ? version + 1 : prune_first(garden->stream);

    settings.truncate_before = first + sim_below(version + 2 - first);
    prune_hide(garden->stream, settings.truncate_before);
    change(garden, CHANGE_SET, &settings, 0);
    prune_hidden(garden->stream, settings.truncate_before);
}

static void
set_count(struct garden *garden)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_MAX_COUNT);

    settings.max_count = sim_once_in(3) ? 0 : 1 + sim_below(COUNT_MAX);
    garden->max_count = settings.max_count;
    prune_hide(garden->stream, first_by_count(garden, version_of(garden)));
    change(garden, CHANGE_SET, &settings, 0);
    prune_hidden(garden->stream, first_by_count(garden, version_of(garden)));
}

static void
set_age(struct garden *garden)
{
    struct acta_settings settings = acta_settings_of(ACTA_SET_MAX_AGE);

    settings.max_age_us = 1 + sim_below(AGE_US_MAX);
    prune_fade(garden->stream);
    change(garden, CHANGE_SET, &settings, 0);
}

static void
hide_all(struct garden *garden, enum change kind)
{
    prune_hide(garden->stream, version_of(garden) + 1);
    change(garden, kind, NULL, 0);
    prune_hidden(garden->stream, version_of(garden) + 1);
    garden->snapshot = 0;
    garden->is_deleted = true;
}

/* What is erased takes the snapshot along that it may be in. Of one event that
 * was erased before, and is hidden, the server may not know that it was.
 */
static void
erase_one(struct garden *garden)
{
    uint64_t version = 1 + sim_below(version_of(garden));
    bool again = prune_may_erase(garden->stream, version);

    prune_erase(garden->stream, version, version);
    change(garden, CHANGE_ERASE, NULL, version);
    prune_erased(garden->stream, version, version);
    if (again) {
        garden->is_doubtful = true;
    } else if (version <= garden->snapshot) {
        garden->snapshot = 0;
    }
}

static void
erase_all(struct garden *garden)
{
    uint64_t version = version_of(garden);

    prune_erase(garden->stream, 1, version);
    change(garden, CHANGE_ERASE_ALL, NULL, 0);
    prune_erased(garden->stream, 1, version);
    if (garden->erased_to < version) {
        garden->snapshot = 0;
    }
    garden->erased_to = version;
}

/* ---- snapshots ---- */

static size_t
snapshot_of(uint64_t version, char text[static SNAPSHOT_MAX])
{
    return (size_t)snprintf(text, SNAPSHOT_MAX, "state at %" PRIu64, version);
}

static void
keep_snapshot(struct garden *garden)
{
    uint64_t version = version_of(garden);
    struct acta_append *order = acta_append_new();
    struct acta_id id = role_command_id();
    char text[SNAPSHOT_MAX];
    struct acta_err err;
    enum acta_code code;

    acta_append_command_id(order, &id);
    acta_append_snapshot(order, name_of(garden), version, 1, text,
                         snapshot_of(version, text));
    while ((code = acta_sync_append(party_connect(garden->party), order, NULL,
                                    &err)) != ACTA_OK) {
        if (!party_is_passing(code)) {
            sim_fail("a snapshot is refused: %s", err.text);
        }
        party_pause();
    }
    acta_append_free(order);
    garden->snapshot = version;
    garden->is_doubtful = garden->may_erase_late;
    sim_say("snapshot of %s at %" PRIu64, name_of(garden), version);
}

/* ---- reading ---- */

/* Events of the stream from version @from on, without those that are hidden. */
static void
look_at(const struct garden *garden, const struct acta_page *page,
        uint64_t from)
{
    uint64_t due = prune_first(garden->stream);
    uint64_t version = version_of(garden);

    due = due < from ? from : due;
    if (page->version != version) {
        sim_fail("%s is read at version %ju, and is at %ju", name_of(garden),
                 (uintmax_t)page->version, (uintmax_t)version);
    }
    for (size_t i = 0; i < page->events_count; i++) {
        const struct acta_event *event = page->events[i];

        (void)oracle_saw(event);
        prune_check(garden->stream, event);
        if (i == 0 && prune_fades(garden->stream) && event->version > due) {
            due = event->version;
        }
        if (event->version != due) {
            sim_fail("%s is read with version %ju where %ju is due",
                     name_of(garden), (uintmax_t)event->version,
                     (uintmax_t)due);
        }
        due++;
    }
    if (page->at_end && due <= version && !prune_fades(garden->stream)) {
        sim_fail("%s is read to version %ju, and is at %ju", name_of(garden),
                 (uintmax_t)(due - 1), (uintmax_t)version);
    }
}

static void
must_pass(const struct garden *garden, enum acta_code code,
          const struct acta_err *err)
{
    if (!party_is_passing(code)) {
        sim_fail("%s cannot be read: %s", name_of(garden), err->text);
    }
}

static void
read_all(struct garden *garden)
{
    struct acta_read read = acta_read_of_stream(name_of(garden));
    const struct acta_page *page;
    struct acta_err err;
    enum acta_code code =
        acta_sync_read(party_connect(garden->party), &read, &page, &err);

    if (code == ACTA_OK) {
        look_at(garden, page, 1);
    } else {
        must_pass(garden, code, &err);
    }
}

static void
load(struct garden *garden)
{
    struct acta_load what = acta_load_of(name_of(garden));
    const struct acta_loaded *loaded;
    char text[SNAPSHOT_MAX];
    struct acta_err err;
    enum acta_code code =
        acta_sync_load(party_connect(garden->party), &what, &loaded, &err);

    if (code != ACTA_OK) {
        must_pass(garden, code, &err);
        return;
    }
    if (loaded->snapshot == NULL && garden->is_doubtful) {
        garden->snapshot = 0;
    }
    if ((loaded->snapshot == NULL ? 0 : loaded->snapshot->version) !=
        garden->snapshot) {
        sim_fail("the snapshot of %s is not that of version %ju",
                 name_of(garden), (uintmax_t)garden->snapshot);
    }
    if (loaded->snapshot != NULL &&
        (snapshot_of(garden->snapshot, text) != loaded->snapshot->data_size ||
         memcmp(text, loaded->snapshot->data, loaded->snapshot->data_size) !=
             0)) {
        sim_fail("a snapshot of %s has other bytes", name_of(garden));
    }
    look_at(garden, loaded->page, garden->snapshot + 1);
}

/* ---- the role ---- */

/* Hides nothing, so that all that was not erased, and should be, would be seen.
 */
static void
erase_only(struct garden *garden)
{
    switch (sim_below(8)) {
    case 0:
    case 1:
        erase_one(garden);
        break;
    case 2:
        if (sim_once_in(4)) {
            erase_all(garden);
        }
        break;
    default:
        append(garden);
        break;
    }
}

static void
prune(struct garden *garden)
{
    switch (sim_below(16)) {
    case 0:
    case 1:
        truncate_before(garden);
        break;
    case 2:
    case 3:
        set_count(garden);
        break;
    case 4:
        hide_all(garden, CHANGE_DELETE);
        break;
    case 5:
    case 6:
        erase_one(garden);
        break;
    case 7:
        if (sim_once_in(3)) {
            erase_all(garden);
        }
        break;
    case 8:
        if (!garden->is_deleted) {
            keep_snapshot(garden);
        }
        break;
    case 9:
        if (sim_once_in(8)) {
            set_age(garden);
        }
        break;
    default:
        append(garden);
        break;
    }
}

static void
tend(struct party *party, void (*change_something)(struct garden *garden),
     bool hides)
{
    struct garden garden = {.party = party,
                            .stream = ORACLE_STREAMS + party->index};
    assert(party->index < ORACLE_PRUNED);
    party->is_free = true;
    append(&garden);
    while (roles_go_on()) {
        change_something(&garden);
        if (garden.may_come_late) {
            append(&garden);
            garden.may_come_late = false;
        }
        if (sim_once_in(2)) {
            read_all(&garden);
        } else {
            load(&garden);
        }
        party_pause();
    }
    if (hides && sim_once_in(4)) {
        hide_all(&garden, CHANGE_TOMBSTONE);
        read_all(&garden);
    }
    roles_end_writing();
}

void
role_pruner(struct party *party)
{
    tend(party, prune, true);
}

void
role_eraser(struct party *party)
{
    tend(party, erase_only, false);
}
