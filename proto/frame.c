#include "frame.h"

#include <endian.h>
#include <string.h>

#include "limit.h"

struct header {
    uint8_t magic;
    uint8_t kind;
    uint16_t flags;
    uint32_t body_size;
    uint64_t request_id;
};

_Static_assert(sizeof(struct header) == FRAME_HEADER_SIZE,
               "the header has no gaps");

size_t
frame_begin(struct buf *buf, uint8_t kind, uint64_t request_id)
{
    size_t start = buf_size(buf);
    struct header header = {
        .magic = FRAME_MAGIC,
        .kind = kind,
        .request_id = htobe64(request_id),
    };

    buf_append(buf, &header, sizeof(header));
    return start;
}

void
frame_end(struct buf *buf, size_t start)
{
    size_t body_size;
    uint32_t size_be;

    if (buf_failed(buf)) {
        return;
    }
    body_size = buf_size(buf) - start - FRAME_HEADER_SIZE;
    if (body_size > ACTA_FRAME_SIZE_MAX) {
        buf->failed = true;
        return;
    }
    size_be = htobe32((uint32_t)body_size);
    buf_patch(buf, start + offsetof(struct header, body_size), &size_be,
              sizeof(size_be));
}

enum acta_code
frame_decode(struct frame *frame, size_t *used, struct slice bytes,
             size_t body_size_max, struct acta_err *err)
{
    struct header header;
    size_t body_size;

    *used = 0;
    if (bytes.size > 0 && bytes.data[0] != FRAME_MAGIC) {
        return acta_fail(err, ACTA_PROTOCOL,
                         "frame begins with byte 0x%02x, not 0x%02x",
                         bytes.data[0], FRAME_MAGIC);
    }
    if (bytes.size < FRAME_HEADER_SIZE) {
        return ACTA_OK;
    }
    memcpy(&header, bytes.data, sizeof(header));
    if (header.flags != 0) {
        return acta_fail(err, ACTA_PROTOCOL, "frame has flags 0x%04x, not 0",
                         be16toh(header.flags));
    }
    body_size = be32toh(header.body_size);
    if (body_size > body_size_max) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "frame of %zu bytes is over the limit of %zu",
                         body_size, body_size_max);
    }
    if (bytes.size - FRAME_HEADER_SIZE < body_size) {
        return ACTA_OK;
    }
    frame->kind = header.kind;
    frame->request_id = be64toh(header.request_id);
    frame->body = slice_make(bytes.data + FRAME_HEADER_SIZE, body_size);
    *used = FRAME_HEADER_SIZE + body_size;
    return ACTA_OK;
}
