/* Records made readable: struct acta_event over bytes that a server sent.
 *
 * Nothing is copied. The texts of an event, its data and metadata are made to
 * end with a zero byte where they lie: that byte is the head of the msgpack
 * value behind, which has been read by then. So the bytes can be viewed once.
 *
 * One thread at a time. A view that is all zero is empty.
 */

#ifndef ACTA_CLIENT_VIEW_H
#define ACTA_CLIENT_VIEW_H

#include <acta/acta.h>

#include "slice.h"

struct view {
    struct acta_event *events;          /* owned */
    const struct acta_event **pointers; /* owned: to each of events */
    size_t capacity;                    /* Of both. */
    size_t count;
    const char **tags; /* owned: of all events */
    size_t tags_capacity;
    size_t tags_count;
};

/* View the @count records at the front of @size bytes at @records, which are
 * changed, and must stay as long as the events are used. Pointers and events
 * are valid until the next call. *@used is how many bytes the records take.
 *
 * PROTOCOL: these are no records. MEMORY.
 */
enum acta_code view_records(struct view *view, uint8_t *records, size_t size,
                            size_t count, size_t *used,
                            struct acta_err *err) ACTA_CHECKED;

void view_fini(struct view *view);

/* End @text, which lies in the bytes @base at @bytes, with a zero byte, as the
 * public header shows it: the byte behind it must have been read.
 */
static inline const char *
view_terminate(uint8_t *bytes, struct slice base, struct slice text)
{
    uint8_t *start = bytes + (text.data - base.data);

    start[text.size] = '\0';
    return (const char *)start;
}

#endif
