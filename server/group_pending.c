#include "group_pending.h"

#include <assert.h>

#include "bytes.h"

static void
add_varint(struct buf *buf, uint64_t value)
{
    uint8_t bytes[VARINT_SIZE_MAX];

    buf_append(buf, bytes, (size_t)(put_varint(bytes, value) - bytes));
}

static void
write_run(struct group_pending_writer *writer)
{
    if (writer->count == 0) {
        return;
    }
    add_varint(writer->buf, writer->first - writer->last);
    add_varint(writer->buf, writer->deliveries);
    add_varint(writer->buf, writer->count);
    writer->last = writer->first + writer->count - 1;
    writer->count = 0;
}

void
group_pending_begin(struct group_pending_writer *writer, struct buf *buf,
                    uint64_t fences)
{
    *writer = (struct group_pending_writer){.buf = buf};
    add_varint(buf, fences);
}

void
group_pending_add(struct group_pending_writer *writer,
                  struct group_pending pending)
{
    if (writer->count > 0 && writer->deliveries == pending.deliveries &&
        writer->first + writer->count == pending.position) {
        writer->count++;
        return;
    }
    write_run(writer);
    assert(pending.position > writer->last);
    writer->first = pending.position;
    writer->deliveries = pending.deliveries;
    writer->count = 1;
}

void
group_pending_end(struct group_pending_writer *writer)
{
    write_run(writer);
}

/* The run behind what was read. False if there is none, or it is not whole. */
static bool
read_run(struct group_pending_reader *reader)
{
    uint64_t last = reader->next.position;
    uint64_t step;

    if (!get_varint(&reader->at, reader->end, &step) ||
        !get_varint(&reader->at, reader->end, &reader->next.deliveries) ||
        !get_varint(&reader->at, reader->end, &reader->left)) {
        return false;
    }
    reader->next.position = last + step;
    return step > 0 && step <= UINT64_MAX - last && reader->left > 0 &&
           reader->left - 1 <= UINT64_MAX - reader->next.position &&
           reader->next.deliveries <= UINT32_MAX;
}

static bool
is_whole(struct group_pending_reader reader, uint64_t position)
{
    while (reader.at < reader.end) {
        if (!read_run(&reader)) {
            return false;
        }
        reader.next.position += reader.left - 1;
        if (reader.next.position > position) {
            return false;
        }
    }
    return true;
}

enum acta_code
group_pending_open(struct group_pending_reader *reader, uint64_t *fences,
                   struct slice bytes, uint64_t position, struct acta_err *err)
{
    *reader = (struct group_pending_reader){0};
    *fences = 0;
    if (bytes.size == 0) {
        return ACTA_OK;
    }
    reader->at = bytes.data;
    reader->end = bytes.data + bytes.size;
    if (!get_varint(&reader->at, reader->end, fences) ||
        !is_whole(*reader, position)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "pending events of a group are not whole");
    }
    if (reader->at < reader->end) {
        (void)read_run(reader); /* It is whole. */
    }
    return ACTA_OK;
}

void
group_pending_skip(struct group_pending_reader *reader)
{
    assert(reader->left > 0);

    reader->left--;
    if (reader->left > 0) {
        reader->next.position++;
    } else if (reader->at < reader->end) {
        (void)read_run(reader); /* It is whole. */
    }
}

uint64_t
group_pending_count(const struct group_pending_reader *reader)
{
    struct group_pending_reader rest = *reader;
    uint64_t count = rest.left;

    while (rest.at < rest.end) {
        rest.next.position += rest.left - 1;
        (void)read_run(&rest); /* It is whole. */
        count += rest.left;
    }
    return count;
}
