/* Changes of streams. */

#include "memory_handle.h"
#include "verdict.h"

static const char *
text_of(struct slice name)
{
    return (const char *)name.data;
}

/* ---- settings ---- */

/* A bound that is given replaces the one there is; false if it is the same. */
static bool
replace(uint64_t *bound, uint64_t given, bool is_given)
{
    bool differs = is_given && *bound != given;

    *bound = is_given ? given : *bound;
    return differs;
}

static enum acta_code
set(struct acta_memory *memory, const struct msg_change *change, bool *changed,
    struct acta_err *err)
{
    static const struct memory_stream absent;
    const struct memory_stream *stream =
        memory_find_stream(memory, change->stream);
    const struct msg_settings *given = &change->settings;
    bool has_truncate = (change->given & MSG_HAS_TRUNCATE_BEFORE) != 0;
    struct msg_settings settings;
    bool bounds_differ, truncate_differs;

    stream = stream == NULL ? &absent : stream;
    settings = stream->settings;
    if (has_truncate && (given->truncate_before > stream->version + 1 ||
                         given->truncate_before < settings.truncate_before)) {
        return acta_fail(err, ACTA_INVALID,
                         "truncate before %ju: the stream is at version %ju, "
                         "and truncated before %ju",
                         (uintmax_t)given->truncate_before,
                         (uintmax_t)stream->version,
                         (uintmax_t)settings.truncate_before);
    }
    truncate_differs = replace(&settings.truncate_before,
                               given->truncate_before, has_truncate);
    bounds_differ = replace(&settings.max_count, given->max_count,
                            (change->given & MSG_HAS_MAX_COUNT) != 0);
    bounds_differ |= replace(&settings.max_age_us, given->max_age_us,
                             (change->given & MSG_HAS_MAX_AGE) != 0);
    if (bounds_differ) {
        uint64_t first = memory_first_version(memory, stream);

        /* What the old bounds hide does not come back. */
        if (first > 1 && first > settings.truncate_before) {
            settings.truncate_before = first;
        }
    }
    *changed = truncate_differs || bounds_differ;
    if (*changed) {
        memory_get_stream(memory, change->stream)->settings = settings;
    }
    return ACTA_OK;
}

/* ---- ends ---- */

static enum acta_code
fail_absent(const struct msg_change *change, struct acta_err *err)
{
    return acta_fail(err, ACTA_NOT_FOUND, "stream %.*s has no events",
                     (int)change->stream.size, text_of(change->stream));
}

/* Its snapshot ends with it: what comes after begins anew. */
static void
hide_all(struct memory_stream *stream)
{
    stream->settings.truncate_before = stream->version + 1;
    stream->is_deleted = true;
    stream->deleted_at = stream->version;
    memory_drop_snapshot(stream);
}

static enum acta_code
delete_stream(struct acta_memory *memory, const struct msg_change *change,
              bool *changed, struct acta_err *err)
{
    struct memory_stream *stream = memory_find_stream(memory, change->stream);

    if (stream == NULL || stream->version == 0) {
        return fail_absent(change, err);
    }
    *changed = !stream->is_deleted;
    if (*changed) {
        hide_all(stream);
    }
    return ACTA_OK;
}

static void
tombstone(struct acta_memory *memory, const struct msg_change *change,
          bool *changed)
{
    struct memory_stream *stream = memory_get_stream(memory, change->stream);

    *changed = !stream->is_tombstoned;
    if (*changed) {
        hide_all(stream);
    }
    stream->is_tombstoned = true;
}

/* ---- erasing ---- */

static bool
erase_all(struct memory_stream *stream)
{
    bool changed = stream->erased_to < stream->version;

    for (uint64_t v = 1; v <= stream->version; v++) {
        memory_erase_event(memory_version(stream, v));
    }
    stream->erased_to = stream->version;
    return changed;
}

/* Of an event that is hidden it is not told whether it was erased before. */
static bool
erase_one(struct acta_memory *memory, struct memory_stream *stream,
          uint64_t version)
{
    struct memory_event *kept = memory_version(stream, version);
    bool changed =
        version > stream->erased_to &&
        (kept->event.format != EVENT_ERASED || memory_hides(memory, kept));

    memory_erase_event(kept);
    return changed;
}

/* What was in an event may be in a snapshot, too. */
static enum acta_code
erase(struct acta_memory *memory, const struct msg_change *change,
      bool *changed, struct acta_err *err)
{
    struct memory_stream *stream = memory_find_stream(memory, change->stream);

    if (stream == NULL || stream->version == 0) {
        return fail_absent(change, err);
    }
    if (change->version > stream->version) {
        return acta_fail(err, ACTA_NOT_FOUND,
                         "stream %.*s has no event of version %ju",
                         (int)change->stream.size, text_of(change->stream),
                         (uintmax_t)change->version);
    }
    *changed = change->version == 0
                   ? erase_all(stream)
                   : erase_one(memory, stream, change->version);
    if (*changed && stream->snapshot_version >= change->version) {
        memory_drop_snapshot(stream);
    }
    return ACTA_OK;
}

/* ---- all of them ---- */

static enum acta_code
carry_out(struct acta_memory *memory, const struct msg_change *change,
          bool *changed, struct acta_err *err)
{
    switch (change->kind) {
    case MSG_SET:
        return set(memory, change, changed, err);
    case MSG_DELETE:
        return delete_stream(memory, change, changed, err);
    case MSG_TOMBSTONE:
        tombstone(memory, change, changed);
        break;
    case MSG_ERASE:
        return erase(memory, change, changed, err);
    }
    return ACTA_OK;
}

static void
refuse_version(struct memory_connection *connection, uint64_t id,
               const struct msg_change *change, uint64_t version)
{
    struct msg_error error = {
        .code = ACTA_CONFLICT,
        .text = slice_of("stream is at another version"),
        .failures_count = 1,
        .failures = {{.kind = MSG_FAILED_WRITE,
                      .expected = change->expected,
                      .actual = version}},
    };

    msg_error_encode(&connection->out, id, &error);
}

enum acta_code
handle_change_stream(struct memory_connection *connection, uint64_t id,
                     struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    const struct memory_stream *stream;
    struct msg_change change;
    struct msg_changed changed = {0};
    enum acta_code code = msg_change_decode(&change, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    stream = memory_find_stream(memory, change.stream);
    if (stream != NULL && stream->is_tombstoned &&
        (change.kind == MSG_SET || change.kind == MSG_DELETE)) {
        return acta_fail(err, ACTA_TOMBSTONED, "stream %.*s was tombstoned",
                         (int)change.stream.size, text_of(change.stream));
    }
    changed.version = stream == NULL ? 0 : stream->version;
    changed.head = memory_head(memory);
    if (!memory_expects(stream, change.expected)) {
        refuse_version(connection, id, &change, changed.version);
        return ACTA_OK;
    }
    code = carry_out(memory, &change, &changed.changed, err);
    if (code == ACTA_OK) {
        msg_changed_encode(&connection->out, id, &changed);
    }
    return code;
}
