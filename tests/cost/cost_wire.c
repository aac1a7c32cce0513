/* Bytes from a socket become an append in the server, and events in a client.
 */

#include <stdio.h>
#include <stdlib.h>

#include "core.h"
#include "cost.h"
#include "event.h"
#include "frame.h"
#include "limit.h"
#include "msg.h"
#include "run.h"

#define EVENTS     100
#define TIMES      50
#define BATCH_SIZE ((size_t)1 << 20)

static uint8_t payload[256];

static void
draft_batch(struct draft *drafts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        drafts[i] = (struct draft){
            .id = 1 + i,
            .type = "OrderPlaced",
            .tags = {"customer:7", "region:north", "channel:web"},
            .data = slice_make(payload, sizeof(payload)),
        };
    }
}

/* The frame of an append is found, scanned, decoded and checked. */
static void
take_frames(const char *path, size_t events)
{
    struct draft drafts[EVENTS];
    struct draft_write write = {"order-42", 0, drafts, events};
    struct buf bytes;

    draft_batch(drafts, events);
    buf_init(&bytes, BATCH_SIZE);
    (void)draft_body(&bytes, &write, 1);

    cost_begin();
    for (size_t i = 0; i < TIMES; i++) {
        struct msg_append append;
        struct frame frame;
        size_t used;

        if (frame_decode(&frame, &used, buf_slice(&bytes), ACTA_FRAME_SIZE_MAX,
                         NULL) != ACTA_OK ||
            msg_append_decode(&append, frame.body, NULL) != ACTA_OK ||
            append.events_count != events) {
            abort();
        }
        msg_append_fini(&append);
    }
    cost_end(path, TIMES * events);
    buf_fini(&bytes);
}

/* What was decided becomes a record; in the client it is an event again. */
static void
write_and_read_records(void)
{
    uint8_t record[2 * sizeof(payload)];
    struct draft draft;
    struct event event;
    struct buf content;

    draft_batch(&draft, 1);
    buf_init(&content, BATCH_SIZE);
    draft_event(&event, &content, "order-42", &draft);
    event.position = 1;
    event.version = 1;
    ck_assert_uint_le(event_record_size(&event), sizeof(record));

    cost_begin();
    for (size_t i = 0; i < TIMES; i++) {
        event_write_record(record, &event);
    }
    cost_end("record-write", TIMES);

    cost_begin();
    for (size_t i = 0; i < TIMES; i++) {
        struct pack_reader reader;
        struct event read;

        pack_reader_init(&reader, slice_make(record, event_record_size(&event)),
                         NULL);
        event_decode_record(&reader, &read);
        if (reader.failed || read.data.size != sizeof(payload)) {
            abort();
        }
    }
    cost_end("record-read", TIMES);
    buf_fini(&content);
}

void
cost_wire(void)
{
    take_frames("append-frame", 1);
    take_frames("append-frame-of-100", EVENTS);
    write_and_read_records();
}
