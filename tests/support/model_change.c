/* Changes of streams. */

#include "limit.h"
#include "model_stream.h"
#include "pack.h"

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
set(struct model *model, const struct msg_change *change, uint64_t now_us,
    bool *changed)
{
    const struct model_stream *stream = model_stream(model, change->stream);
    const struct msg_settings *given = &change->settings;
    struct msg_settings settings = stream->settings;
    bool has_truncate = (change->given & MSG_HAS_TRUNCATE_BEFORE) != 0;
    bool has_count = (change->given & MSG_HAS_MAX_COUNT) != 0;
    bool has_age = (change->given & MSG_HAS_MAX_AGE) != 0;
    bool count_differs, age_differs, truncate_differs;

    if (has_truncate && (given->truncate_before > stream->version + 1 ||
                         given->truncate_before < settings.truncate_before)) {
        return ACTA_INVALID;
    }
    truncate_differs = replace(&settings.truncate_before,
                               given->truncate_before, has_truncate);
    count_differs = replace(&settings.max_count, given->max_count, has_count);
    age_differs = replace(&settings.max_age_us, given->max_age_us, has_age);
    if (count_differs || age_differs) {
        uint64_t first = model_first_version(model, stream, now_us);

        /* What the old bounds hide does not come back. */
        if (first > 1 && first > settings.truncate_before) {
            settings.truncate_before = first;
        }
    }
    *changed = truncate_differs || count_differs || age_differs;
    if (*changed) {
        model_make_stream(model, change->stream)->settings = settings;
    }
    return ACTA_OK;
}

/* ---- deleting ---- */

static void
hide_all(struct model_stream *stream)
{
    stream->settings.truncate_before = stream->version + 1;
    stream->is_deleted = true;
}

static enum acta_code
delete_stream(struct model *model, const struct msg_change *change,
              bool *changed)
{
    struct model_stream *stream;

    if (model_version(model, change->stream) == 0) {
        return ACTA_NOT_FOUND;
    }
    stream = model_make_stream(model, change->stream);
    *changed = !stream->is_deleted;
    hide_all(stream);
    return ACTA_OK;
}

static enum acta_code
tombstone(struct model *model, const struct msg_change *change, bool *changed)
{
    struct model_stream *stream = model_make_stream(model, change->stream);

    *changed = !stream->is_tombstoned;
    hide_all(stream);
    stream->is_tombstoned = true;
    return ACTA_OK;
}

/* ---- erasing ---- */

/* Everything but data and metadata stays. */
static void
erase_event(struct model_event *kept)
{
    struct event event = kept->event;
    struct slice tags[ACTA_TAGS_MAX], left = event.tags;
    struct slice packed;
    struct buf buf;

    for (size_t i = 0; i < event.tags_count; i++) {
        tags[i] = event_tag(&left);
    }
    event.data = SLICE_NONE;
    event.metadata = SLICE_NONE;
    event.format = EVENT_ERASED;
    buf_init(&buf, 1 << 20);
    event_encode_content(&buf, &event, tags, event.tags_count);
    packed = buf_slice(&buf);
    event.content = slice_make(packed.data + 1, packed.size - 1);
    model_keep(kept, &event);
    buf_fini(&buf);
}

/* Of an event that is hidden it is not told whether it was erased before, and
 * of a stream not whether its events were, one by one: erasing them once more
 * counts as a change.
 */
static enum acta_code
erase(struct model *model, const struct msg_change *change, uint64_t now_us,
      bool *changed)
{
    uint64_t version = model_version(model, change->stream);
    struct model_stream *stream;

    if (version == 0 || change->version > version) {
        return ACTA_NOT_FOUND;
    }
    stream = model_make_stream(model, change->stream);
    *changed = change->version == 0 && stream->erased_to < version;
    for (size_t i = 0; i < model->count; i++) {
        struct model_event *kept = &model->events[i];

        if (&model->streams[kept->stream] != stream ||
            (change->version != 0 && kept->event.version != change->version)) {
            continue;
        }
        if (change->version > stream->erased_to) {
            *changed = kept->event.format != EVENT_ERASED ||
                       model_hides(model, kept->event.position, now_us);
        }
        erase_event(kept);
    }
    if (change->version == 0) {
        stream->erased_to = version;
    }
    return ACTA_OK;
}

/* ---- all of them ---- */

enum acta_code
model_change(struct model *model, const struct msg_change *change,
             uint64_t now_us, struct msg_changed *changed)
{
    const struct model_stream *stream = model_stream(model, change->stream);
    enum acta_code code = ACTA_OK;

    *changed = (struct msg_changed){0};
    if (stream->is_tombstoned &&
        (change->kind == MSG_SET || change->kind == MSG_DELETE)) {
        return ACTA_TOMBSTONED;
    }
    if (!model_expects(change->expected, stream)) {
        return ACTA_CONFLICT;
    }
    switch (change->kind) {
    case MSG_SET:
        code = set(model, change, now_us, &changed->changed);
        break;
    case MSG_DELETE:
        code = delete_stream(model, change, &changed->changed);
        break;
    case MSG_TOMBSTONE:
        code = tombstone(model, change, &changed->changed);
        break;
    case MSG_ERASE:
        code = erase(model, change, now_us, &changed->changed);
        break;
    }
    changed->version = model_version(model, change->stream);
    return code;
}
