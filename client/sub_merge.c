/* Deliveries that have come in one behind the other are made one. It says what
 * they say: all their events, and the last one's position and head.
 */

#include <stdlib.h>

#include "frame.h"
#include "sub.h"

/* Of records: what is handed out at once should not keep others waiting. */
#define MERGED_SIZE_MAX (1u << 20)

/* True if @held is a delivery that may be put behind @merged, which is read to
 * @next. If anything is wrong with it, or new, it is left for who reads it.
 */
static bool
can_follow(const struct msg_delivery *merged, const struct held *held,
           struct msg_delivery *next)
{
    struct slice body = slice_make(held->body, held->size);
    struct acta_err why;

    return held->kind == OP_DELIVERY &&
           msg_delivery_decode(next, body, &why) == ACTA_OK &&
           next->fields_left == 0 && next->position >= merged->position;
}

/* Put what is in @frame in the place of the first @count that are held. Without
 * memory these stay as they are.
 */
static void
replace(struct acta_sub *sub, size_t count, struct slice frame)
{
    size_t size = frame.size - FRAME_HEADER_SIZE;
    struct held *made = malloc(sizeof(*made) + size);

    if (made == NULL) {
        return;
    }
    made->kind = OP_DELIVERY;
    made->size = size;
    memcpy(made->body, frame.data + FRAME_HEADER_SIZE, size);
    while (count-- > 0) {
        struct held *held = sub->first;

        sub->first = held->next;
        free(held);
    }
    made->next = sub->first;
    if (sub->first == NULL) {
        sub->last = made;
    }
    sub->first = made;
}

void
sub_merge(struct acta_sub *sub)
{
    struct msg_delivery merged = {0}, next;
    struct msg_open open;
    struct buf frame;
    size_t count = 0;

    if (sub->first == sub->last) {
        return;
    }
    buf_init(&frame, ACTA_FRAME_SIZE_MAX);
    open = msg_delivery_begin(&frame, sub->id);
    for (const struct held *held = sub->first;
         held != NULL && can_follow(&merged, held, &next) &&
         (count == 0 || buf_size(&frame) + next.events.size <= MERGED_SIZE_MAX);
         held = held->next) {
        buf_append_slice(&frame, next.events);
        merged.position = next.position;
        merged.head = next.head;
        merged.events_count += next.events_count;
        count++;
    }
    msg_delivery_end(&frame, open, &merged);
    if (count > 1 && !buf_failed(&frame)) {
        replace(sub, count, buf_slice(&frame));
    }
    buf_fini(&frame);
}
