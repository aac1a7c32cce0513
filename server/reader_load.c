/* A snapshot and what came behind it. */

#include <assert.h>

#include "reader.h"
#include "reader_view.h"
#include "snapshot.h"

static enum acta_code
fail_of_stream(struct acta_err *err, struct slice stream, const char *what)
{
    return acta_fail(err, ACTA_CORRUPT, "snapshot of stream %.*s %s",
                     (int)stream.size, (const char *)stream.data, what);
}

/* The snapshot of the stream, which is at @version; has_snapshot is false if
 * there is none that was made since it was last deleted.
 */
static enum acta_code
find_snapshot(struct reader *reader, struct slice stream, uint64_t version,
              struct msg_loaded *loaded, struct acta_err *err)
{
    struct retention retention;
    struct snapshot snapshot;
    enum acta_code code;
    struct slice value;
    bool found;

    code = reader_row(reader, ROW_SNAPSHOT, stream, &value, &found, err);
    if (code != ACTA_OK || !found) {
        return code;
    }
    if (snapshot_decode(&snapshot, value, err) != ACTA_OK) {
        return fail_of_stream(err, stream, "is damaged");
    }
    if (snapshot.version > version) {
        return fail_of_stream(err, stream, "is of a version that it has not");
    }
    code = reader_retention(reader, stream, &retention, err);
    if (code != ACTA_OK || retention.is_tombstoned ||
        retention.deleted_at >= snapshot.version) {
        return code;
    }
    loaded->has_snapshot = true;
    loaded->snapshot_version = snapshot.version;
    loaded->snapshot_schema = snapshot.schema;
    loaded->snapshot_time_us = snapshot.time_us;
    loaded->snapshot = snapshot.data;
    return ACTA_OK;
}

/* What the caller begins with: what it has, a snapshot, or nothing. *@from is
 * the version that this is of.
 */
static enum acta_code
find_start(struct reader *reader, const struct msg_load *load, uint64_t version,
           struct msg_loaded *loaded, uint64_t *from, struct acta_err *err)
{
    enum acta_code code;

    if (load->has_version && load->version > version) {
        return acta_fail(
            err, ACTA_INVALID, "stream %.*s is at version %ju, not yet at %ju",
            (int)load->stream.size, (const char *)load->stream.data,
            (uintmax_t)version, (uintmax_t)load->version);
    }
    if (load->has_version) {
        *from = load->version;
        return ACTA_OK;
    }
    code = find_snapshot(reader, load->stream, version, loaded, err);
    if (loaded->has_snapshot && load->has_schema &&
        loaded->snapshot_schema != load->schema) {
        *loaded = (struct msg_loaded){.has_snapshot = false};
    }
    *from = loaded->snapshot_version; /* 0 without one. */
    return code;
}

static enum acta_code
load_view(struct reader *reader, const struct msg_load *load,
          void (*begin)(void *user, const struct msg_loaded *loaded),
          void *user, struct page *page, struct read_result *result,
          struct acta_err *err)
{
    struct msg_loaded loaded = {.has_snapshot = false};
    enum acta_code code;
    uint64_t from = 0;

    if ((code = reader_version(reader, load->stream, &result->version, err)) !=
            ACTA_OK ||
        (code = find_start(reader, load, result->version, &loaded, &from,
                           err)) != ACTA_OK) {
        return code;
    }
    begin(user, &loaded);
    return reader_put_stream(reader, load->stream, from, false, page, result,
                             err);
}

enum acta_code
reader_load(struct reader *reader, const struct msg_load *load,
            const struct read_bounds *bounds,
            void (*begin)(void *user, const struct msg_loaded *loaded),
            void *user, struct buf *out, struct read_result *result,
            struct acta_err *err)
{
    struct page page = {.out = out, .bounds = *bounds};
    enum acta_code code;

    assert(bounds->events_max > 0);

    *result = (struct read_result){.next = 0};
    code = reader_begin(reader, err);
    if (code == ACTA_OK) {
        code = load_view(reader, load, begin, user, &page, result, err);
        reader_end(reader);
    }
    return code;
}
