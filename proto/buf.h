/* Bytes we own: growable, up to a maximum given at the start.
 *
 * Writing never fails on its own: the first write that would go over the
 * maximum, or for which there is no memory, marks the buf as failed, and from
 * then on writes do nothing. So a message is built without a check at every
 * field, and buf_failed() is asked once at its end.
 *
 * One thread at a time. A buf that is all zero is empty and has a maximum of 0.
 */

#ifndef ACTA_BUF_H
#define ACTA_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "err.h"
#include "slice.h"

struct buf {
    uint8_t *data;   /* owned */
    size_t start;    /* First byte not yet consumed. */
    size_t end;      /* Behind the last byte written. */
    size_t capacity; /* Allocated. */
    size_t size_max;
    bool failed;
    bool is_starved; /* That is for want of memory. */
};

/* Start empty. Nothing is allocated yet. */
void buf_init(struct buf *buf, size_t size_max);

/* Free the bytes; the buf may be initialised again. */
void buf_fini(struct buf *buf);

/* Forget all bytes and a failure; keep the memory. */
void buf_clear(struct buf *buf);

/* Give back memory beyond @keep bytes if the buf is empty. */
void buf_trim(struct buf *buf, size_t keep);

static inline size_t
buf_size(const struct buf *buf)
{
    return buf->end - buf->start;
}

static inline bool
buf_failed(const struct buf *buf)
{
    return buf->failed;
}

/* Why it has failed: TOO_LARGE or MEMORY; OK: it has not. */
static inline enum acta_code
buf_failure(const struct buf *buf)
{
    if (!buf->failed) {
        return ACTA_OK;
    }
    return buf->is_starved ? ACTA_MEMORY : ACTA_TOO_LARGE;
}

/* What is in it, until the next write. */
static inline struct slice
buf_slice(const struct buf *buf)
{
    return slice_make(buf->data == NULL ? NULL : buf->data + buf->start,
                      buf_size(buf));
}

/* What buf_reserve() does if there is no room yet. */
uint8_t *buf_grow(struct buf *buf, size_t size);

/* Room for @size more bytes at the end, uninitialised, for the caller to fill
 * before the next write; NULL if the buf has failed. The bytes count only
 * after buf_advance().
 *
 * In line: messages are written a field at a time, of which most are of one
 * byte, and nearly always there is room.
 */
static inline uint8_t *
buf_reserve(struct buf *buf, size_t size)
{
    /* The maximum is for what is in the buf, not for what it has allocated. */
    if (buf->failed || buf->data == NULL || size > buf->capacity - buf->end ||
        size > buf->size_max - buf_size(buf)) {
        return buf_grow(buf, size);
    }
    return buf->data + buf->end;
}

/* Count @size bytes that were filled after buf_reserve(). */
void buf_advance(struct buf *buf, size_t size);

static inline void
buf_append(struct buf *buf, const void *bytes, size_t size)
{
    uint8_t *room = buf_reserve(buf, size);

    if (room != NULL && size > 0) {
        memcpy(room, bytes, size);
        buf->end += size;
    }
}

static inline void
buf_append_slice(struct buf *buf, struct slice bytes)
{
    buf_append(buf, bytes.data, bytes.size);
}

/* Put all that is in @from, which has not failed, behind what is in @to, and
 * empty it. Many bytes are not copied if @to is empty: the two change memory.
 */
void buf_move(struct buf *to, struct buf *from);

/* Drop everything behind the first @size bytes. */
void buf_truncate(struct buf *buf, size_t size);

/* Drop @size bytes at the front. */
void buf_consume(struct buf *buf, size_t size);

/* Overwrite bytes that were written before, at @offset from the front. */
void buf_patch(struct buf *buf, size_t offset, const void *bytes, size_t size);

#endif
