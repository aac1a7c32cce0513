#include "twins_level.h"

#include "fuzz.h"
#include "msg.h"
#include "msg_lease.h"
#include "record.h"

/* Texts are for people. */
static void
level_error(struct buf *to, uint64_t id, struct slice body)
{
    static struct msg_error error; /* Large. */
    struct msg_open open;
    struct acta_err err;

    FUZZ_PROMISE(msg_error_decode(&error, body, &err) == ACTA_OK);
    FUZZ_PROMISE(error.text.size > 0);
    error.text = SLICE_NONE;
    if (!error.has_unseen) {
        msg_error_encode(to, id, &error);
        return;
    }
    open = msg_error_begin(to, id, &error);
    buf_append_slice(to, error.unseen);
    msg_error_end(to, open, &error);
}

/* Leases run by a clock that nobody sets. */
static void
level_lease(struct buf *to, uint64_t id, struct slice body)
{
    struct msg_lease_changed changed;
    struct acta_err err;

    FUZZ_PROMISE(msg_lease_changed_decode(&changed, body, &err) == ACTA_OK);
    changed.remaining_us = changed.remaining_us > 0;
    msg_lease_changed_encode(to, id, &changed);
}

static void
level_leases(struct buf *to, uint64_t id, struct slice body)
{
    struct msg_leases leases;
    struct msg_open open = msg_leases_begin(to, id);
    struct acta_err err;

    FUZZ_PROMISE(msg_leases_decode(&leases, body, &err) == ACTA_OK);
    for (size_t i = 0; i < leases.leases_count; i++) {
        struct msg_lease lease = msg_next_lease(&leases.leases);

        lease.remaining_us = lease.remaining_us > 0;
        msg_leases_add(to, &open, &lease);
    }
    msg_leases_end(to, open, leases.at_end);
}

/* The first of @count records behind @after, in the order of positions. */
static struct slice
record_behind(struct slice records, size_t count, uint64_t after)
{
    uint64_t position = UINT64_MAX;
    struct slice found = SLICE_NONE;
    struct acta_err err;

    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = records.data;
        struct event event;

        FUZZ_PROMISE(msg_next_event(&records, &event, &err) == ACTA_OK);
        if (event.position > after && event.position < position) {
            position = event.position;
            found = slice_make(at, (size_t)(records.data - at));
        }
    }
    return found;
}

/* What of a page is the same in both: its events, of one id in any order, and
 * the version of a stream.
 */
static void
level_events(struct buf *to, struct msg_page *page, uint8_t asked,
             struct twins_end *end)
{
    struct slice left = page->events;
    struct event event;
    struct acta_err err;
    uint64_t last = 0;

    for (size_t i = 0; i < page->events_count; i++) {
        const uint8_t *at = left.data;
        struct slice record;

        FUZZ_PROMISE(msg_next_event(&left, &event, &err) == ACTA_OK);
        record = slice_make(at, (size_t)(left.data - at));
        if (asked == OP_READ_EVENT) {
            record = record_behind(page->events, page->events_count, last);
            last = record_position(record);
        }
        buf_append_slice(to, record);
    }
    FUZZ_PROMISE(msg_events_end(left, page->fields_left, &err) == ACTA_OK);
    *end = (struct twins_end){page->next, page->at_end};
    page->next = 0;
    page->at_end = false;
    page->version = asked == OP_READ_STREAM ? page->version : 0;
}

static void
level_page(struct buf *to, uint64_t id, struct slice body, uint8_t asked,
           struct twins_end *end)
{
    struct msg_page page;
    struct acta_err err;
    struct msg_open open = msg_page_begin(to, id);

    FUZZ_PROMISE(msg_page_decode(&page, body, &err) == ACTA_OK);
    level_events(to, &page, asked, end);
    msg_page_end(to, open, &page);
}

static void
level_loaded(struct buf *to, uint64_t id, struct slice body, uint8_t asked,
             struct twins_end *end)
{
    struct msg_loaded loaded;
    struct msg_open open;
    struct acta_err err;

    FUZZ_PROMISE(msg_loaded_decode(&loaded, body, &err) == ACTA_OK);
    open = msg_loaded_begin(to, id, &loaded);
    level_events(to, &loaded.page, asked, end);
    msg_loaded_end(to, open, &loaded.page);
}

void
twins_level(struct buf *to, const struct frame *frame, uint8_t asked,
            struct twins_end *end)
{
    size_t start;

    switch (frame->kind) {
    case OP_PAGE:
        level_page(to, frame->request_id, frame->body, asked, end);
        break;
    case OP_LOADED:
        level_loaded(to, frame->request_id, frame->body, asked, end);
        break;
    case OP_ERROR:
        level_error(to, frame->request_id, frame->body);
        break;
    case OP_LEASE_CHANGED:
        level_lease(to, frame->request_id, frame->body);
        break;
    case OP_LEASES:
        level_leases(to, frame->request_id, frame->body);
        break;
    case OP_WELCOME: /* Names and ids of its own. */
        break;
    default:
        start = frame_begin(to, frame->kind, frame->request_id);
        buf_append_slice(to, frame->body);
        frame_end(to, start);
    }
}
