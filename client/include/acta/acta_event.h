/* Ids, and events as they are stored and as they are to be stored: acta_sync.h
 * shows a program.
 *
 * What is said of memory, names and compatibility in acta.h, which includes
 * this header, holds here. Any thread.
 */

#ifndef ACTA_ACTA_EVENT_H
#define ACTA_ACTA_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codes.h"
#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- ids: UUIDs ---- */

struct acta_id {
    uint8_t bytes[16];
};

#define ACTA_ID_TEXT_SIZE 37 /* 36 characters and the end of the string. */

/* Make a new id, of version 7: ids sort by the millisecond they were made in.
 * IO: the system has no randomness to give.
 */
ACTA_API enum acta_code acta_id_new(struct acta_id *id, struct acta_err *err);

/* "0190163d-8694-739b-aea5-966c26f8ad91" */
ACTA_API void acta_id_format(const struct acta_id *id,
                             char text[ACTA_ID_TEXT_SIZE]);

/* Read the text form, in either case. False if it is none. */
ACTA_API bool acta_id_parse(struct acta_id *id, const char *text);

/* ---- events ---- */

enum acta_format {
    ACTA_FORMAT_BINARY = 0,
    ACTA_FORMAT_JSON = 1,
    ACTA_FORMAT_MSGPACK = 2,

    /* Data and metadata were erased: they are empty, and gone for good. No
     * event is appended with it.
     */
    ACTA_FORMAT_ERASED = 3,
};

/* An event as it is stored. Texts, data and metadata end with a zero byte that
 * does not count, so JSON is a C string.
 */
struct acta_event {
    uint64_t position; /* In the database: 1, 2, 3, ... */
    uint64_t version;  /* In its stream: 1, 2, 3, ... */
    uint64_t time_us;  /* When it was stored: since 1970, UTC. */
    const char *stream;
    const char *type;
    const struct acta_id *id;
    const struct acta_id *correlation_id; /* NULL: none */
    const struct acta_id *causation_id;   /* NULL: none */
    const char *const *tags;
    size_t tags_count;
    const void *metadata;
    size_t metadata_size;
    const void *data;
    size_t data_size;
    enum acta_format format;
};

/* A copy that is the caller's, to keep beyond a callback; NULL if there is no
 * memory. Free it with acta_event_free().
 */
ACTA_API struct acta_event *acta_event_copy(const struct acta_event *event);
ACTA_API void acta_event_free(struct acta_event *event);

/* An event that is to be appended: start with acta_draft_of(), then set what
 * else it has.
 */
struct acta_draft {
    size_t size; /* Of this struct. */
    const char *type;
    const void *data;
    size_t data_size;
    enum acta_format format;              /* ACTA_FORMAT_BINARY */
    const struct acta_id *id;             /* NULL: a new one is made. */
    const struct acta_id *correlation_id; /* NULL: none */
    const struct acta_id *causation_id;   /* NULL: none */
    const char *const *tags;              /* Each at most once. */
    size_t tags_count;
    const void *metadata;
    size_t metadata_size;
};

static inline struct acta_draft
acta_draft_of(const char *type, const void *data, size_t data_size)
{
    struct acta_draft draft;

    memset(&draft, 0, sizeof(draft));
    draft.size = sizeof(draft);
    draft.type = type;
    draft.data = data;
    draft.data_size = data_size;
    return draft;
}

#ifdef __cplusplus
}
#endif

#endif
