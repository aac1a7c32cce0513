/* Changes of streams: settings, delete, tombstone, erase.
 *
 * What a bound hides when it is changed goes below truncate_before, so that it
 * stays hidden: its space may have been taken back already.
 */

#include "decider.h"
#include "erasure.h"
#include "record.h"

/* What it counts for to seek the event of a version and to look at it. */
#define LOOK_STEPS 8

/* One change on its way. */
struct change {
    struct decider *decider;
    struct job *job;
    const struct msg_change *wanted;
    struct stream_state state;
};

static void
refuse_none(struct change *change)
{
    job_refuse(change->job, ACTA_NOT_FOUND, "stream %.*s has no events",
               (int)change->wanted->stream.size,
               (const char *)change->wanted->stream.data);
}

/* The end of every change that is taken: @retention is what the stream has from
 * now on.
 */
static enum acta_code
keep(struct change *change, const struct retention *retention,
     struct acta_err *err)
{
    struct row row = {.kind = ROW_RETENTION, .key = change->wanted->stream};
    enum acta_code code;
    struct buf value;

    buf_init(&value, SIZE_MAX);
    retention_encode(&value, retention);
    if (buf_failed(&value)) {
        code = acta_fail(err, ACTA_MEMORY, "change stream");
    } else {
        row.value = buf_slice(&value);
        code = heads_set_row(change->decider->heads, &row, err);
    }
    buf_fini(&value);
    change->job->outcome.changed.changed = true;
    return code;
}

/* ---- settings ---- */

/* The first version that is not too old, by a binary search: times do not go
 * back.
 */
static enum acta_code
first_in_time(struct change *change, uint64_t *first, struct acta_err *err)
{
    struct heads *heads = change->decider->heads;
    uint64_t low = 1, end = change->state.version + 1;

    while (low < end) {
        uint64_t middle = low + (end - low) / 2;
        struct block_record record;
        enum acta_code code;
        uint64_t position;

        change->decider->steps_spent += LOOK_STEPS;
        code = heads_position(heads, change->wanted->stream, &change->state,
                              middle, &position, err);
        if (code == ACTA_OK) {
            code = heads_record(heads, position, &record, err);
        }
        if (code != ACTA_OK) {
            return code;
        }
        if (retention_is_old(&change->state.retention,
                             record_time(slice_make(record.data, record.size)),
                             heads->time_us)) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    *first = low;
    return ACTA_OK;
}

/* Put what the old bounds hide below truncate_before. */
static enum acta_code
fold(struct change *change, struct msg_settings *settings, struct acta_err *err)
{
    const struct retention *old = &change->state.retention;
    uint64_t first = retention_first(old, change->state.version);
    enum acta_code code = ACTA_OK;
    uint64_t in_time = 1;

    if (old->settings.max_age_us > 0) {
        code = first_in_time(change, &in_time, err);
    }
    if (in_time > first) {
        first = in_time;
    }
    if (first > 1 && first > settings->truncate_before) {
        settings->truncate_before = first;
    }
    return code;
}

static bool
may_truncate(struct change *change, uint64_t before)
{
    uint64_t old = change->state.retention.settings.truncate_before;
    uint64_t version = change->state.version;

    if (before > version + 1) {
        job_refuse(change->job, ACTA_INVALID,
                   "truncate before %ju: the stream is at version %ju",
                   (uintmax_t)before, (uintmax_t)version);
        return false;
    }
    if (before < old) {
        job_refuse(change->job, ACTA_INVALID,
                   "truncate before %ju: it is truncated before %ju already, "
                   "and what is gone does not come back",
                   (uintmax_t)before, (uintmax_t)old);
        return false;
    }
    return true;
}

static enum acta_code
set(struct change *change, struct acta_err *err)
{
    const struct msg_change *wanted = change->wanted;
    struct retention fresh = change->state.retention;
    struct msg_settings *settings = &fresh.settings;
    const struct msg_settings *old = &change->state.retention.settings;
    struct acta_err why;
    enum acta_code code;

    if ((wanted->given & MSG_HAS_TRUNCATE_BEFORE) != 0) {
        if (!may_truncate(change, wanted->settings.truncate_before)) {
            return ACTA_OK;
        }
        settings->truncate_before = wanted->settings.truncate_before;
    }
    if ((wanted->given & MSG_HAS_MAX_COUNT) != 0) {
        settings->max_count = wanted->settings.max_count;
    }
    if ((wanted->given & MSG_HAS_MAX_AGE) != 0) {
        settings->max_age_us = wanted->settings.max_age_us;
    }
    if (settings->max_count != old->max_count ||
        settings->max_age_us != old->max_age_us) {
        code = fold(change, settings, &why);
        if (code != ACTA_OK) {
            job_refuse(change->job, code, "%s", why.text);
            return ACTA_OK;
        }
    } else if (settings->truncate_before == old->truncate_before) {
        return ACTA_OK; /* It is so already. */
    }
    return keep(change, &fresh, err);
}

/* ---- the end of a stream ---- */

/* Its snapshot ends with it: what comes after begins anew. */
static enum acta_code
end(struct change *change, struct acta_err *err)
{
    enum acta_code code;

    struct retention fresh = change->state.retention;
    uint64_t version = change->state.version;

    if (change->wanted->kind == MSG_DELETE) {
        if (version == 0) {
            refuse_none(change);
            return ACTA_OK;
        }
        if (decider_state(&change->state) == MSG_STREAM_DELETED) {
            return ACTA_OK;
        }
        fresh.deleted_at = version;
    }
    fresh.is_tombstoned = change->wanted->kind == MSG_TOMBSTONE;
    fresh.settings.truncate_before = version + 1;
    code = keep(change, &fresh, err);
    return code == ACTA_OK
               ? effects_drop_snapshot(change->decider, change->wanted->stream,
                                       0, err)
               : code;
}

/* ---- erasing ---- */

/* What was in an event may be in a snapshot, too. */
static enum acta_code
add_erasure(struct change *change, uint64_t version, uint64_t last,
            struct acta_err *err)
{
    uint8_t key[ERASURE_KEY_SIZE_MAX], value[ERASURE_VALUE_SIZE];
    struct row row = {
        .kind = ROW_ERASURE,
        .key = erasure_key(key, change->wanted->stream, version),
        .value = erasure_value(value, last),
    };

    enum acta_code code;

    change->job->outcome.changed.changed = true;
    code = heads_set_row(change->decider->heads, &row, err);
    return code == ACTA_OK
               ? effects_drop_snapshot(change->decider, change->wanted->stream,
                                       version, err)
               : code;
}

static enum acta_code
erase_all(struct change *change, struct acta_err *err)
{
    struct retention fresh = change->state.retention;
    uint64_t version = change->state.version;
    enum acta_code code;

    if (fresh.erased_to == version) {
        return ACTA_OK;
    }
    fresh.erased_to = version;
    code = keep(change, &fresh, err);
    return code == ACTA_OK ? add_erasure(change, 0, version, err) : code;
}

/* Is the event of this version erased already? Of one that is hidden it is not
 * asked: what is left of it may not tell.
 */
static enum acta_code
find_erased(struct change *change, uint64_t version, bool *is_erased,
            struct acta_err *err)
{
    struct heads *heads = change->decider->heads;
    struct slice stream = change->wanted->stream;
    struct block_record found;
    enum acta_code code;
    struct slice record;
    uint64_t position;

    *is_erased = version <= change->state.retention.erased_to;
    if (*is_erased) {
        return ACTA_OK;
    }
    code =
        heads_position(heads, stream, &change->state, version, &position, err);
    if (code == ACTA_OK) {
        code = heads_record(heads, position, &found, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    record = slice_make(found.data, found.size);
    if (heads_hides(heads, &change->state, record)) {
        return ACTA_OK;
    }
    return heads_is_erased(heads, stream, &change->state, record, is_erased,
                           err);
}

static enum acta_code
erase(struct change *change, struct acta_err *err)
{
    uint64_t version = change->wanted->version;
    struct acta_err why;
    enum acta_code code;
    bool is_erased;

    if (change->state.version == 0) {
        refuse_none(change);
        return ACTA_OK;
    }
    if (version == 0) {
        return erase_all(change, err);
    }
    if (version > change->state.version) {
        job_refuse(change->job, ACTA_NOT_FOUND,
                   "stream %.*s has no event of version %ju",
                   (int)change->wanted->stream.size,
                   (const char *)change->wanted->stream.data,
                   (uintmax_t)version);
        return ACTA_OK;
    }
    code = find_erased(change, version, &is_erased, &why);
    if (code != ACTA_OK) {
        job_refuse(change->job, code, "%s", why.text);
        return ACTA_OK;
    }
    return is_erased ? ACTA_OK : add_erasure(change, version, version, err);
}

/* ---- all of them ---- */

/* A stream that was tombstoned can only be erased, or tombstoned again. */
static bool
is_closed(struct change *change)
{
    enum msg_change_kind kind = change->wanted->kind;

    if (decider_state(&change->state) != MSG_STREAM_TOMBSTONED ||
        kind == MSG_ERASE || kind == MSG_TOMBSTONE) {
        return false;
    }
    job_refuse(change->job, ACTA_TOMBSTONED, "stream %.*s was tombstoned",
               (int)change->wanted->stream.size,
               (const char *)change->wanted->stream.data);
    return true;
}

enum acta_code
change_stream(struct decider *decider, struct job *job, struct acta_err *err)
{
    struct change change = {
        .decider = decider, .job = job, .wanted = &job->change};
    struct acta_err why;
    enum acta_code code;

    code = heads_stream(decider->heads, change.wanted->stream, &change.state,
                        &why);
    if (code != ACTA_OK) {
        job_refuse(job, code, "%s", why.text);
        return ACTA_OK;
    }
    job->outcome.changed.version = change.state.version;
    if (is_closed(&change)) {
        return ACTA_OK;
    }
    if (!judge_version(change.wanted->expected, &change.state)) {
        judge_refuse_version(job, MSG_FAILED_WRITE, 0, change.wanted->stream,
                             change.wanted->expected, &change.state);
        return ACTA_OK;
    }
    switch (change.wanted->kind) {
    case MSG_SET:
        return set(&change, err);
    case MSG_TOMBSTONE:
        if (change.state.retention.is_tombstoned) {
            return ACTA_OK;
        }
        return end(&change, err);
    case MSG_DELETE:
        return end(&change, err);
    case MSG_ERASE:
        return erase(&change, err);
    }
    return ACTA_OK;
}
