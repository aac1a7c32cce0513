/* Records on their way into a page. Internal to client/memory/. */

#ifndef ACTA_MEMORY_PAGE_H
#define ACTA_MEMORY_PAGE_H

#include "memory_store.h"

struct page {
    struct buf *out;
    uint64_t events_left;
    uint64_t bytes_left;
    size_t count;
    bool is_full;
};

/* Begin one within what is asked for, and what a server gives. */
void page_begin(struct page *page, struct buf *out,
                const struct msg_bounds *bounds);

/* Put a record on it, or mark it as full. One fits always. */
void page_put(struct page *page, const struct memory_event *kept);

/* Put the events of a stream, which may be NULL, and say in @told where that
 * ends.
 */
void page_put_stream(struct page *page, const struct acta_memory *memory,
                     const struct memory_stream *stream, uint64_t from,
                     bool backward, struct msg_page *told);

#endif
