/* What a reader may show: events that their stream hides are passed over, those
 * that are to be erased are shown without their data. Most streams have no rows
 * and are no question; of those that have, what their rows say is looked up
 * once a view.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "erasure.h"
#include "list_cursor.h"
#include "reader_view.h"
#include "record.h"

#define SIGHTS 256 /* Streams that are remembered: a power of two. */

/* What is known of a stream in one view. */
struct sight {
    uint64_t view; /* Which one; 0: none. */
    struct slice stream;
    struct retention retention;
    uint64_t version; /* Only if it has a max count. */
};

struct sights {
    struct sight sights[SIGHTS];
};

struct sights *
sights_new(void)
{
    return calloc(1, sizeof(struct sights));
}

/* ---- streams ---- */

static enum acta_code
read_retention(struct reader *reader, struct slice stream,
               struct retention *retention, struct acta_err *err)
{
    struct slice value;
    enum acta_code code;
    bool found;

    *retention = RETENTION_NONE;
    code = reader_row(reader, ROW_RETENTION, stream, &value, &found, err);
    return code == ACTA_OK && found ? retention_decode(retention, value, err)
                                    : code;
}

static enum acta_code
look_at_stream(struct reader *reader, struct slice stream,
               const struct sight **found, struct acta_err *err)
{
    struct list_name name = {LIST_STREAM, stream};
    struct sight *sight =
        &reader->sights->sights[list_hash(&name) & (SIGHTS - 1)];
    enum acta_code code;

    *found = sight;
    if (sight->view == reader->view_number &&
        slice_equal(sight->stream, stream)) {
        return ACTA_OK;
    }
    sight->view = 0;
    code = read_retention(reader, stream, &sight->retention, err);
    if (code == ACTA_OK && sight->retention.settings.max_count > 0) {
        code = reader_version(reader, stream, &sight->version, err);
    }
    if (code == ACTA_OK) {
        sight->view = reader->view_number;
        sight->stream = stream; /* Its bytes stay as long as the view. */
    }
    return code;
}

enum acta_code
reader_retention(struct reader *reader, struct slice stream,
                 struct retention *retention, struct acta_err *err)
{
    *retention = RETENTION_NONE;
    if (!marks_has(&reader->rooms->marks, stream)) {
        return ACTA_OK;
    }
    return read_retention(reader, stream, retention, err);
}

/* ---- events ---- */

static enum acta_code
find_erasure(struct reader *reader, struct slice stream, uint64_t version,
             bool *found, struct acta_err *err)
{
    uint8_t key[ERASURE_KEY_SIZE_MAX];
    struct slice value;

    *found = false;
    /* While a view is open whose log has the event as it was, the erasure is
     * not carried out, and counts as pending.
     */
    if (atomic_load(&reader->rooms->erasures_pending) == 0) {
        return ACTA_OK;
    }
    return reader_row(reader, ROW_ERASURE, erasure_key(key, stream, version),
                      &value, found, err);
}

enum acta_code
reader_look(struct reader *reader, struct slice record,
            enum reader_shows *shows, struct acta_err *err)
{
    const struct sight *sight;
    struct slice stream;
    enum acta_code code;
    uint64_t version;
    bool is_erased;

    *shows = READER_SHOWS_IT;
    if (record_is_stub(record)) {
        *shows = READER_HIDES_IT;
        return ACTA_OK;
    }
    if (marks_none(&reader->rooms->marks)) {
        return ACTA_OK;
    }
    stream = record_stream(record);
    if (!marks_has(&reader->rooms->marks, stream)) {
        return ACTA_OK;
    }
    reader->judged = true;
    code = look_at_stream(reader, stream, &sight, err);
    if (code != ACTA_OK) {
        return code;
    }
    version = record_version(record);
    if (retention_hides(&sight->retention, version, record_time(record),
                        sight->version, reader->now_us)) {
        *shows = READER_HIDES_IT;
        return ACTA_OK;
    }
    is_erased = version <= sight->retention.erased_to;
    if (!is_erased) {
        code = find_erasure(reader, stream, version, &is_erased, err);
    }
    if (is_erased) {
        *shows = READER_SHOWS_ERASED;
    }
    return code;
}
