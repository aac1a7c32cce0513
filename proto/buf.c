#include "buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256

/* Fewer bytes are copied faster than memory is found for the next ones. */
#define MOVE_MIN 4096

void
buf_init(struct buf *buf, size_t size_max)
{
    *buf = (struct buf){.size_max = size_max};
}

void
buf_fini(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->size_max);
}

void
buf_clear(struct buf *buf)
{
    buf->start = 0;
    buf->end = 0;
    buf->failed = false;
    buf->is_starved = false;
}

void
buf_trim(struct buf *buf, size_t keep)
{
    if (buf_size(buf) == 0 && buf->capacity > keep) {
        bool failed = buf->failed;
        bool is_starved = buf->is_starved;

        buf_fini(buf);
        buf->failed = failed;
        buf->is_starved = is_starved;
    }
}

/* Move what is there to the front if that frees at least half, else allocate
 * twice as much: so the cost per byte written is constant.
 */
static bool
make_room(struct buf *buf, size_t size)
{
    size_t used = buf_size(buf);
    size_t capacity = buf->capacity == 0 ? CAPACITY_MIN : buf->capacity * 2;
    uint8_t *data;

    if (buf->data != NULL && used <= buf->capacity / 2 &&
        size <= buf->capacity - used) {
        memmove(buf->data, buf->data + buf->start, used);
        buf->start = 0;
        buf->end = used;
        return true;
    }
    while (capacity < used + size) {
        capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : used + size;
    }
    data = malloc(capacity);
    if (data == NULL) {
        return false;
    }
    if (used > 0) {
        memcpy(data, buf->data + buf->start, used);
    }
    free(buf->data);
    buf->data = data;
    buf->capacity = capacity;
    buf->start = 0;
    buf->end = used;
    return true;
}

uint8_t *
buf_grow(struct buf *buf, size_t size)
{
    if (buf->failed) {
        return NULL;
    }
    if (size > buf->size_max - buf_size(buf)) {
        buf->failed = true;
        return NULL;
    }
    if (!make_room(buf, size)) {
        buf->failed = true;
        buf->is_starved = true;
        return NULL;
    }
    return buf->data + buf->end;
}

void
buf_advance(struct buf *buf, size_t size)
{
    assert(size <= buf->capacity - buf->end);
    buf->end += size;
}

void
buf_move(struct buf *to, struct buf *from)
{
    size_t size = buf_size(from);

    assert(!from->failed);

    if (buf_size(to) > 0 || to->failed || size < MOVE_MIN ||
        size > to->size_max) {
        buf_append_slice(to, buf_slice(from));
    } else {
        struct buf had = *to;

        *to = *from;
        to->size_max = had.size_max;
        had.size_max = from->size_max;
        *from = had;
    }
    buf_clear(from);
}

void
buf_truncate(struct buf *buf, size_t size)
{
    assert(size <= buf_size(buf));
    buf->end = buf->start + size;
}

void
buf_consume(struct buf *buf, size_t size)
{
    assert(size <= buf_size(buf));
    buf->start += size;
    if (buf->start == buf->end) {
        buf->start = 0;
        buf->end = 0;
    }
}

void
buf_patch(struct buf *buf, size_t offset, const void *bytes, size_t size)
{
    if (buf->failed) {
        return;
    }
    assert(offset <= buf_size(buf));
    assert(size <= buf_size(buf) - offset);
    memcpy(buf->data + buf->start + offset, bytes, size);
}
