/* What it does is a list of phases, each of which has a step. Erasures come
 * first; a pass over the streams that hide events begins when its time has come
 * and there is no erasure to carry out.
 */

#include "sweep.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "failpoint.h"
#include "sweep_work.h"

/* What a step writes at most, about. */
#define STEP_SIZE ((size_t)4 << 20)

enum phase {
    RESTING,
    GATHERING_ERASED,
    ERASING,
    WIPING,     /* The journal. */
    SCRUBBING,  /* The free pages of the store. */
    FORGETTING, /* Rows of erasures that were carried out. */
    GATHERING_HIDDEN,
    STUBBING,
};

struct sweeper {
    struct rooms *rooms;
    uint64_t interval_us;
    struct store_view *view; /* owned */
    enum phase phase;
    bool has_checkpoint;     /* There may be new erasures in the store. */
    bool has_rested;         /* It was told the time. */
    struct mono_time rested; /* When the last pass over streams was done. */
    struct sweep_work work;  /* Of this phase. */
    size_t edited;           /* Edits that are done. */
    uint64_t sequence;       /* Of the journal: to be gone up to here. */
    struct store_scrub scrub;
    bool is_scrubbing; /* It was begun. */

    _Atomic uint64_t swept; /* Counters, for any thread. */
    _Atomic uint64_t damaged;
};

enum acta_code
sweeper_new(struct sweeper **out, struct rooms *rooms, uint64_t interval_ms,
            struct acta_err *err)
{
    struct sweeper *sweeper = calloc(1, sizeof(*sweeper));
    enum acta_code code;

    *out = NULL;
    if (sweeper == NULL) {
        return acta_fail(err, ACTA_MEMORY, "sweep");
    }
    sweeper->rooms = rooms;
    sweeper->interval_us = interval_ms * 1000;
    sweeper->has_checkpoint = true;
    code = sweep_work_init(&sweeper->work, err);
    if (code == ACTA_OK) {
        code = store_view_open(&sweeper->view, rooms->store, err);
    }
    if (code != ACTA_OK) {
        sweeper_free(sweeper);
        return code;
    }
    *out = sweeper;
    return ACTA_OK;
}

void
sweeper_free(struct sweeper *sweeper)
{
    if (sweeper == NULL) {
        return;
    }
    store_view_close(sweeper->view);
    sweep_work_fini(&sweeper->work);
    free(sweeper);
}

void
sweeper_look(struct sweeper *sweeper)
{
    sweeper->has_checkpoint = true;
}

uint64_t
sweeper_swept(const struct sweeper *sweeper)
{
    return atomic_load(&sweeper->swept);
}

uint64_t
sweeper_damaged(const struct sweeper *sweeper)
{
    return atomic_load(&sweeper->damaged);
}

static void
begin_phase(struct sweeper *sweeper, enum phase phase)
{
    sweeper->phase = phase;
    sweeper->edited = 0;
    sweeper->is_scrubbing = false;
}

static void
count_damaged(struct sweeper *sweeper)
{
    atomic_fetch_add(&sweeper->damaged, sweeper->work.damaged);
    sweeper->work.damaged = 0;
}

/* ---- rewriting, of either kind ---- */

/* Carry out some of the edits. *@done says that all are. */
static enum acta_code
rewrite(struct sweeper *sweeper, bool *done, struct acta_err *err)
{
    const struct sweep_work *work = &sweeper->work;
    struct store_edited edited;
    enum acta_code code;

    *done = sweeper->edited == work->edits_count;
    if (*done) {
        return ACTA_OK;
    }
    code = store_rewrite(sweeper->rooms->store, work->edits + sweeper->edited,
                         work->edits_count - sweeper->edited, STEP_SIZE,
                         &edited, err);
    if (code != ACTA_OK) {
        return code;
    }
    sweeper->edited += edited.done;
    *done = sweeper->edited == work->edits_count;
    if (sweeper->phase == STUBBING) { /* Of others it is known already. */
        atomic_fetch_add(&sweeper->swept, edited.changed);
        atomic_fetch_add(&sweeper->damaged, edited.damaged);
    }
    return ACTA_OK;
}

/* ---- erasures ---- */

static enum acta_code
gather_erased(struct sweeper *sweeper, struct acta_err *err)
{
    struct sweep_work *work = &sweeper->work;
    enum acta_code code = store_view_begin(sweeper->view, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = sweep_gather_erased(work, sweeper->view, err);
    sweeper->sequence = store_view_meta(sweeper->view)->sequence;
    store_view_end(sweeper->view);
    count_damaged(sweeper);
    if (code != ACTA_OK) {
        return code;
    }
    sweep_work_sort(work);
    if (work->edits_count > 0) {
        begin_phase(sweeper, ERASING);
    } else {
        begin_phase(sweeper, work->rows_count > 0 ? WIPING : RESTING);
    }
    return ACTA_OK;
}

static enum acta_code
erase(struct sweeper *sweeper, struct acta_err *err)
{
    struct sweep_work *work = &sweeper->work;
    enum acta_code code;
    bool done;

    code = rewrite(sweeper, &done, err);
    if (code != ACTA_OK || !done) {
        return code;
    }
    sweep_work_clear_edits(work); /* The rows stay, to be forgotten. */
    begin_phase(sweeper, GATHERING_ERASED);
    return ACTA_OK;
}

/* The journal has the erased events in entries up to that of the last erasure,
 * all of which the store has. Segments are released up to what the store has
 * now: one that was begun for this is not waited for by a checkpoint.
 */
static enum acta_code
wipe_journal(struct sweeper *sweeper, enum sweeper_next *next,
             struct acta_err *err)
{
    struct journal *journal = sweeper->rooms->journal;
    struct store_meta meta;
    enum acta_code code;

    code = store_meta(sweeper->rooms->store, &meta, err);
    if (code != ACTA_OK) {
        return code;
    }
    FAILPOINT("erase-wipe");
    code = journal_release(journal, meta.sequence, err);
    if (code != ACTA_OK) {
        return code;
    }
    switch (journal_wipe(journal, sweeper->sequence, STEP_SIZE)) {
    case JOURNAL_WIPED:
        begin_phase(sweeper, SCRUBBING);
        break;
    case JOURNAL_WIPES_ON:
        break;
    case JOURNAL_WAITS:
        *next = SWEEPER_WAITS;
        break;
    }
    return ACTA_OK;
}

static enum acta_code
scrub(struct sweeper *sweeper, enum sweeper_next *next, struct acta_err *err)
{
    struct store *store = sweeper->rooms->store;
    enum store_scrubbed scrubbed;
    enum acta_code code;

    if (!sweeper->is_scrubbing) {
        code = store_scrub_begin(store, &sweeper->scrub, err);
        sweeper->is_scrubbing = code == ACTA_OK;
        return code;
    }
    FAILPOINT("erase-scrub");
    code = store_scrub(store, &sweeper->scrub, STEP_SIZE, &scrubbed, err);
    FAILPOINT("erase-scrubbed");
    if (code != ACTA_OK) {
        return code;
    }
    switch (scrubbed) {
    case STORE_SCRUBBED:
        begin_phase(sweeper, FORGETTING);
        break;
    case STORE_SCRUBS_ON:
        break;
    case STORE_SCRUB_WAITS:
        store_check_readers(store);
        *next = SWEEPER_WAITS;
        break;
    }
    return ACTA_OK;
}

/* Leave, of the rows that were carried out, those that still say the same, made
 * rows that remove them.
 */
static enum acta_code
find_forgotten(struct sweeper *sweeper, struct acta_err *err)
{
    struct sweep_work *work = &sweeper->work;
    enum acta_code code = ACTA_OK;
    size_t count = 0;

    for (size_t i = 0; code == ACTA_OK && i < work->rows_count; i++) {
        struct row *row = &work->rows[i];
        struct slice value;
        bool found;

        code = store_view_row(sweeper->view, row->kind, row->key, &value,
                              &found, err);
        if (code == ACTA_OK && found && slice_equal(value, row->value)) {
            work->rows[count] = *row;
            work->rows[count++].value = SLICE_NONE;
        }
    }
    work->rows_count = count;
    return code;
}

static size_t
count_in_tail(struct sweeper *sweeper)
{
    struct tail_view view;
    size_t count = 0;

    tail_pin(&sweeper->rooms->tail, &view);
    for (size_t i = 0; i < view.count; i++) {
        count += memtable_erasures(view.tables[i]);
    }
    tail_unpin(&view);
    return count;
}

static enum acta_code
is_any_in_store(struct sweeper *sweeper, bool *found, struct acta_err *err)
{
    enum acta_code code = store_view_begin(sweeper->view, err);
    struct row row;

    if (code == ACTA_OK) {
        code = store_view_next_row(sweeper->view, ROW_ERASURE, SLICE_NONE, &row,
                                   found, err);
        store_view_end(sweeper->view);
    }
    return code;
}

/* The writer counts each time that an erasure is asked for, after its row is in
 * the tail. So the count is never too low, which readers rely on, and when no
 * row is left it can be put right: unless the writer has counted meanwhile.
 */
static enum acta_code
recount(struct sweeper *sweeper, struct acta_err *err)
{
    _Atomic uint64_t *pending = &sweeper->rooms->erasures_pending;
    uint64_t before = atomic_load(pending);
    enum acta_code code;
    bool found;

    code = is_any_in_store(sweeper, &found, err);
    if (code == ACTA_OK && !found) {
        (void)atomic_compare_exchange_strong(pending, &before,
                                             count_in_tail(sweeper));
    }
    return code;
}

static enum acta_code
forget(struct sweeper *sweeper, struct acta_err *err)
{
    struct sweep_work *work = &sweeper->work;
    enum acta_code code = store_view_begin(sweeper->view, err);

    if (code == ACTA_OK) {
        code = find_forgotten(sweeper, err);
        store_view_end(sweeper->view);
    }
    FAILPOINT("erase-forget");
    if (code == ACTA_OK) {
        code = store_set_rows(sweeper->rooms->store, work->rows,
                              work->rows_count, err);
    }
    FAILPOINT("erase-forgotten");
    if (code == ACTA_OK) {
        atomic_fetch_sub(&sweeper->rooms->erasures_pending, work->rows_count);
        code = recount(sweeper, err);
    }
    sweeper->has_checkpoint = true; /* There may be more of them. */
    begin_phase(sweeper, RESTING);
    return code;
}

/* ---- hidden events ---- */

static enum acta_code
gather_hidden(struct sweeper *sweeper, struct mono_time now,
              struct acta_err *err)
{
    struct sweep_work *work = &sweeper->work;
    enum acta_code code = store_view_begin(sweeper->view, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = sweep_gather_hidden(work, sweeper->view, err);
    store_view_end(sweeper->view);
    count_damaged(sweeper);
    if (code != ACTA_OK) {
        return code;
    }
    sweep_work_sort(work);
    if (work->edits_count > 0) {
        begin_phase(sweeper, STUBBING);
    } else if (work->is_last) {
        sweeper->rested = now;
        begin_phase(sweeper, RESTING);
    }
    return ACTA_OK;
}

static enum acta_code
make_stubs(struct sweeper *sweeper, struct acta_err *err)
{
    struct sweep_work *work = &sweeper->work;
    enum acta_code code;
    bool done;

    code = rewrite(sweeper, &done, err);
    if (code != ACTA_OK || !done) {
        return code;
    }
    code = store_set_rows(sweeper->rooms->store, work->rows, work->rows_count,
                          err);
    if (code == ACTA_OK) {
        sweep_work_clear(work);
        begin_phase(sweeper, GATHERING_HIDDEN);
    }
    return code;
}

/* ---- all of it ---- */

/* Is there something to begin with? */
static enum acta_code
begin_work(struct sweeper *sweeper, struct mono_time now,
           enum sweeper_next *next, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    bool found = false;

    if (!sweeper->has_rested) {
        sweeper->has_rested = true;
        sweeper->rested = now;
    }
    if (sweeper->has_checkpoint) {
        code = is_any_in_store(sweeper, &found, err);
        sweeper->has_checkpoint = code != ACTA_OK;
    }
    if (found) {
        sweep_work_restart(&sweeper->work);
        begin_phase(sweeper, GATHERING_ERASED);
    } else if (code == ACTA_OK &&
               now.us - sweeper->rested.us >= sweeper->interval_us) {
        sweep_work_restart(&sweeper->work);
        begin_phase(sweeper, GATHERING_HIDDEN);
    } else {
        *next = SWEEPER_RESTS;
    }
    return code;
}

static enum acta_code
step(struct sweeper *sweeper, struct mono_time now, enum sweeper_next *next,
     struct acta_err *err)
{
    switch (sweeper->phase) {
    case RESTING:
        return begin_work(sweeper, now, next, err);
    case GATHERING_ERASED:
        return gather_erased(sweeper, err);
    case ERASING:
        return erase(sweeper, err);
    case WIPING:
        return wipe_journal(sweeper, next, err);
    case SCRUBBING:
        return scrub(sweeper, next, err);
    case FORGETTING:
        return forget(sweeper, err);
    case GATHERING_HIDDEN:
        return gather_hidden(sweeper, now, err);
    case STUBBING:
        return make_stubs(sweeper, err);
    }
    return ACTA_OK;
}

enum acta_code
sweeper_step(struct sweeper *sweeper, struct mono_time now,
             enum sweeper_next *next, struct acta_err *err)
{
    enum acta_code code;

    *next = SWEEPER_GOES_ON;
    code = step(sweeper, now, next, err);
    if (code == ACTA_CORRUPT) {
        sweeper->rested = now;
        begin_phase(sweeper, RESTING);
    }
    return code;
}
