/* What is durable of a group: rows go out, and word of them comes back.
 *
 * Rows of parked events and the checkpoint that does not call them pending any
 * more are in one save, which is one entry of the journal: there is no moment
 * at which an event is in neither.
 *
 * The checkpoint's position is as far as it has read, but not behind what was
 * never touched: the rest can be read again and need not be told. So what a
 * group with one busy key has read ahead costs nothing.
 *
 * Fences are given out only as far as a durable row says that they may have
 * been: a restarted group begins behind that. A reset keeps what was reserved.
 * A new group begins behind the time at which it is made, and behind its
 * number, which is greater than what a deleted one has reserved beyond that
 * time.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "group_state.h"
#include "row.h"

#define SAVE_US        UINT64_C(100000)  /* Between saves of a busy group, */
#define SAVE_PASSED_US UINT64_C(5000000) /* and of one that only reads on. */

#define FENCES_RESERVE 16384

/* Rows in one save take about so many bytes at most. */
#define ROWS_SIZE_MAX (4u << 20)

#define ROW_SIZE_MIN 64

#define PENDING_SIZE_MAX (32u << 20)

uint64_t
group_save_row(struct group *group, struct group_event *event)
{
    ring_take_out(&event->dirty);
    ring_put_last(&group->dirty, &event->dirty);
    event->ticket = ++group->ticket;
    return event->ticket;
}

static struct group_event *
first_dirty(const struct group *group)
{
    return ring_is_empty(&group->dirty)
               ? NULL
               : ring_holder(group->dirty.next, struct group_event, dirty);
}

uint64_t
group_ticket(const struct group *group)
{
    const struct group_event *dirty = first_dirty(group);

    if (group->saving_count > 0) {
        return group->saving[0].ticket - 1;
    }
    return dirty == NULL ? group->ticket : dirty->ticket - 1;
}

/* ---- when ---- */

/* Without members it gives out none, so that its next life begins right there.
 */
static uint64_t
fences_to_reserve(const struct group *group)
{
    return group->fence + (group->members_count > 0 ? FENCES_RESERVE : 0);
}

static bool
lacks_fences(const struct group *group)
{
    return group->members_count > 0 &&
           group->fences_reserved - group->fence < FENCES_RESERVE / 2;
}

static bool
is_at_rest(const struct group *group)
{
    return group->counts[GROUP_IN_HAND] == 0 &&
           (group->counts[GROUP_WAITING] == 0 || group->members_count == 0);
}

/* When it is due at the latest. */
uint64_t
group_save_time(const struct group *group)
{
    if (group->is_saving) {
        return UINT64_MAX;
    }
    if (lacks_fences(group) || group->told > group_ticket(group)) {
        return 0;
    }
    if (group->is_changed || !ring_is_empty(&group->dirty)) {
        return is_at_rest(group) ? 0 : group->saved_at_us + SAVE_US;
    }
    if (group->is_passed) {
        return group->members_count == 0 ? 0
                                         : group->saved_at_us + SAVE_PASSED_US;
    }
    return UINT64_MAX;
}

void
group_save_soon(struct group *group)
{
    group->is_changed = true;
}

bool
group_save_is_due(const struct group *group)
{
    return group->now_us >= group_save_time(group);
}

bool
group_is_idle(const struct group *group)
{
    return group->members_count == 0 && group->replaying == 0 &&
           !group->is_saving && !group->is_changed && !group->is_passed &&
           ring_is_empty(&group->dirty);
}

/* ---- what ---- */

/* Room for one more. */
static bool
reserve(struct group *group)
{
    size_t room = group->saving_room == 0 ? 16 : 2 * group->saving_room;
    struct group_saving *saving;

    if (group->saving_count < group->saving_room) {
        return true;
    }
    saving = malloc(room * sizeof(struct group_saving));
    if (saving == NULL) {
        return false;
    }
    if (group->saving_count > 0) {
        memcpy(saving, group->saving,
               group->saving_count * sizeof(struct group_saving));
    }
    free(group->saving);
    group->saving = saving;
    group->saving_room = room;
    return true;
}

/* Choose what goes into this save: the oldest changes, up to its size. */
static enum acta_code
choose(struct group *group, struct acta_err *err)
{
    size_t size = 0;

    for (struct ring *at = group->dirty.next;
         at != &group->dirty && size < ROWS_SIZE_MAX; at = at->next) {
        struct group_event *event = ring_holder(at, struct group_event, dirty);

        if (!reserve(group)) {
            return acta_fail(err, ACTA_MEMORY, "no memory for a save");
        }
        group->saving[group->saving_count++] = (struct group_saving){
            .event = event,
            .ticket = event->ticket,
            .is_removal = event->state == GROUP_GONE,
        };
        event->is_saving = true;
        size += ROW_SIZE_MIN + event->reason_size +
                (event->key == NULL ? 0 : event->key->size);
    }
    return ACTA_OK;
}

static void
unchoose(struct group *group)
{
    for (size_t i = 0; i < group->saving_count; i++) {
        group->saving[i].event->is_saving = false;
    }
    group->saving_count = 0;
}

bool
group_first_pending(const struct group *group, uint64_t *position)
{
    *position = UINT64_MAX;
    for (struct ring *at = group->pending.next; at != &group->pending;
         at = at->next) {
        const struct group_event *event =
            ring_holder(at, struct group_event, in_pending);

        if (event->position < *position) {
            *position = event->position;
        }
    }
    for (struct ring *at = group->members.next; at != &group->members;
         at = at->next) {
        const struct group_lane *lane =
            &ring_holder(at, struct group_member, in_members)->lane;

        for (size_t i = lane->first; i < lane->end; i++) {
            const struct group_light *light = group_lane_at(lane, i);

            if (light->key != NULL && light->position < *position) {
                *position = light->position;
            }
        }
    }
    return *position != UINT64_MAX;
}

static int
compare_positions(const void *a, const void *b)
{
    const struct group_pending *left = a;
    const struct group_pending *right = b;

    return (left->position > right->position) -
           (left->position < right->position);
}

static void
collect_light(const struct group *group, struct group_pending *pending,
              size_t *count)
{
    for (struct ring *at = group->members.next; at != &group->members;
         at = at->next) {
        const struct group_lane *lane =
            &ring_holder(at, struct group_member, in_members)->lane;

        for (size_t i = lane->first; i < lane->end; i++) {
            const struct group_light *light = group_lane_at(lane, i);

            if (light->key != NULL) {
                pending[(*count)++] = (struct group_pending){
                    .position = light->position, .deliveries = 1};
            }
        }
    }
}

/* Those that will be pending when this save is durable, by position; they are
 * many more than saves, so that it is cheaper to order them here than to keep
 * them in order. NULL: no memory.
 */
static struct group_pending *
collect_pending(const struct group *group, size_t *count)
{
    struct group_pending *pending =
        malloc((group->table.count + group->light + 1) * sizeof(*pending));

    *count = 0;
    if (pending == NULL) {
        return NULL;
    }
    for (struct ring *at = group->pending.next; at != &group->pending;
         at = at->next) {
        const struct group_event *event =
            ring_holder(at, struct group_event, in_pending);

        if (!event->is_saving) {
            pending[(*count)++] = (struct group_pending){
                .position = event->position, .deliveries = event->deliveries};
        }
    }
    collect_light(group, pending, count);
    qsort(pending, *count, sizeof(*pending), compare_positions);
    return pending;
}

/* How far the checkpoint goes, with what is pending up to there. */
static uint64_t
write_pending(const struct group *group, const struct group_pending *events,
              size_t count, struct buf *buf)
{
    struct group_pending_reader to_load = group->to_load;
    struct group_pending_writer writer;
    struct group_pending pending;
    uint64_t position = group->read_to;

    group_pending_begin(&writer, buf, fences_to_reserve(group));
    for (size_t i = 0; i < count; i++) {
        if (events[i].position > group->touched) {
            position = events[i].position - 1;
            break;
        }
        group_pending_add(&writer, events[i]);
    }
    while (group_pending_peek(&to_load, &pending)) {
        group_pending_add(&writer, pending);
        group_pending_skip(&to_load);
    }
    group_pending_end(&writer);
    return position;
}

static void
write_parked(const struct group *group, const struct group_saving *saving,
             struct buf *value, struct buf *rows)
{
    const struct group_event *event = saving->event;
    uint8_t key[PARKED_KEY_SIZE];
    struct row row = {
        .kind = ROW_PARKED,
        .key = parked_key(key, group->number, event->position),
    };

    buf_clear(value);
    if (!saving->is_removal) {
        parked_encode(
            value, &(struct parked){
                       .is_behind = event->is_behind,
                       .deliveries = event->deliveries,
                       .time_us = event->parked_us,
                       .key = group_key_bytes(event->key),
                       .reason = slice_make(event->reason, event->reason_size),
                   });
        row.value = buf_slice(value);
    }
    rows_add(rows, &row);
}

static enum acta_code
write_rows(const struct group *group, struct slice name, uint64_t moved_us,
           struct buf *rows, struct acta_err *err)
{
    struct group_pending *events;
    struct buf pending;
    struct buf value;
    size_t count;
    bool failed;
    struct checkpoint_row row = {
        .epoch = group->epoch,
        .moved_us = moved_us,
    };

    events = collect_pending(group, &count);
    if (events == NULL) {
        return acta_fail(err, ACTA_MEMORY, "no memory for a save");
    }
    buf_init(&pending, PENDING_SIZE_MAX);
    buf_init(&value, PENDING_SIZE_MAX + ROW_SIZE_MIN);
    row.position = write_pending(group, events, count, &pending);
    free(events);
    row.pending = buf_slice(&pending);
    checkpoint_encode(&value, &row);
    rows_add(rows, &(struct row){
                       .kind = ROW_CHECKPOINT,
                       .key = name,
                       .value = buf_slice(&value),
                   });
    failed = buf_failed(&pending) || buf_failed(&value);
    for (size_t i = 0; i < group->saving_count && !failed; i++) {
        write_parked(group, &group->saving[i], &value, rows);
        failed = buf_failed(&value);
    }
    buf_fini(&value);
    buf_fini(&pending);
    if (failed || buf_failed(rows)) {
        return acta_fail(err, ACTA_MEMORY, "no memory for a save");
    }
    return ACTA_OK;
}

enum acta_code
group_take_save(struct group *group, struct slice name, struct buf *rows,
                struct acta_err *err)
{
    uint64_t position = group_figures(group).position;
    uint64_t moved_us =
        position == group->saved_position ? group->moved_us : group->wall_us;
    enum acta_code code;

    assert(!group->is_saving);

    code = choose(group, err);
    if (code == ACTA_OK) {
        code = write_rows(group, name, moved_us, rows, err);
    }
    if (code != ACTA_OK) {
        unchoose(group);
        return code;
    }
    for (size_t i = 0; i < group->saving_count; i++) {
        ring_take_out(&group->saving[i].event->dirty);
    }
    group->is_saving = true;
    group->fences_saving = fences_to_reserve(group);
    if (group->fences_saving < group->fences_reserved) {
        group->fences_reserved = group->fences_saving; /* It is given up. */
    }
    group->saved_at_us = group->now_us;
    group->saved_position = position;
    group->moved_us = moved_us;
    group->is_changed = false;
    group->is_passed = false;
    return ACTA_OK;
}

/* ---- and back ---- */

static void
keep_saved(struct group *group, const struct group_saving *saving)
{
    struct group_event *event = saving->event;

    event->has_row = !saving->is_removal;
    ring_take_out(&event->in_pending);
    if (!ring_is_empty(&event->dirty)) {
        return; /* It has changed since. */
    }
    if (event->state == GROUP_GONE) {
        group_pool_give(&group->events, event);
        return;
    }
    free(event->reason);
    event->reason = NULL;
    event->reason_size = 0;
}

/* It goes into the next save, unless it needs no row any more. */
static void
keep_unsaved(struct group *group, const struct group_saving *saving)
{
    struct group_event *event = saving->event;

    ring_take_out(&event->dirty);
    if (!event->has_row && event->is_behind && event->state != GROUP_PARKED &&
        event->state != GROUP_GONE) {
        group->replaying--;
        event->is_parked = false;
        event->is_behind = false;
        return;
    }
    ring_put_first(&group->dirty, &event->dirty);
    event->ticket = saving->ticket;
}

void
group_saved(struct group *group, bool is_durable)
{
    assert(group->is_saving);

    group->is_saving = false;
    for (size_t i = group->saving_count; i-- > 0;) {
        struct group_saving *saving = &group->saving[i];

        saving->event->is_saving = false;
        if (is_durable) {
            keep_saved(group, saving);
        } else {
            keep_unsaved(group, saving);
        }
    }
    group->saving_count = 0;
    if (is_durable) {
        group->fences_reserved = group->fences_saving;
    } else {
        group->is_changed = true;
    }
}
