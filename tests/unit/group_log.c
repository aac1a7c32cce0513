#include "group_log.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "event.h"

/* The record of an event, in memory of its own. */
static void
make_record(struct log_event *made, uint64_t position)
{
    static const uint8_t id[UUID_SIZE];
    char stream[32];
    char tag[32];
    struct slice tags[1];
    struct pack_reader reader;
    struct event event = {
        .type = slice_of("happened"),
        .id = id,
        .data = slice_of("data"),
    };
    struct buf content;

    snprintf(stream, sizeof(stream), "key-%u", made->key);
    snprintf(tag, sizeof(tag), "tag:%u", made->key);
    tags[0] = slice_of(tag);
    buf_init(&content, 1024);
    event_encode_content(&content, &event, tags, 1);
    pack_reader_init(&reader, buf_slice(&content), NULL);
    event_decode_content(&reader, &event);
    ck_assert(!reader.failed);

    event.position = position;
    event.version = position;
    event.time_us = position;
    event.stream = slice_of(stream);
    made->size = event_record_size(&event);
    made->record = malloc(made->size);
    ck_assert_ptr_nonnull(made->record);
    event_write_record(made->record, &event);
    buf_fini(&content);
}

void
log_append(struct event_log *log, unsigned key, bool is_matching)
{
    struct log_event *event = &log->events[log->head + 1];

    ck_assert_uint_lt(log->head, LOG_EVENTS_MAX);

    *event = (struct log_event){.key = key, .is_matching = is_matching};
    make_record(event, ++log->head);
}

void
log_free(struct event_log *log)
{
    for (uint64_t i = 1; i <= log->head; i++) {
        free(log->events[i].record);
    }
    log->head = 0;
}

enum acta_code
log_fetch(const struct event_log *log, uint64_t position, struct slice *record)
{
    const struct log_event *event = &log->events[position];

    ck_assert_uint_ge(position, 1);
    ck_assert_uint_le(position, log->head);

    *record = log_record(log, position);
    if (event->is_hidden) {
        return ACTA_NOT_FOUND;
    }
    return event->is_damaged ? ACTA_CORRUPT : ACTA_OK;
}
