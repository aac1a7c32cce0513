#include "msg_group.h"

#include "group_model.h"

/* All positions of a key that were read, and may be looked at. */
#define EACH_EVENT(model, p)                                                   \
    uint64_t p = 1;                                                            \
    (p) <= (model)->log->head;                                                 \
    (p)++

static bool
same_key(const struct group_model *model, uint64_t a, uint64_t b)
{
    return model->log->events[a].key == model->log->events[b].key;
}

static bool
waits_for_parked(const struct group_model *model)
{
    return model->settings.on_park == MSG_PARK_WAITS;
}

static bool
is_live(const struct model_event *event)
{
    return event->state == MODEL_WAITS || event->state == MODEL_IN_HAND ||
           event->state == MODEL_DELAYED;
}

uint64_t
model_count(const struct group_model *model, enum model_state state)
{
    uint64_t count = 0;

    for (EACH_EVENT(model, p)) {
        count += model->events[p].state == state;
    }
    return count;
}

uint64_t
model_rows(const struct group_model *model)
{
    uint64_t count = 0;

    for (EACH_EVENT(model, p)) {
        count += model->events[p].has_row;
    }
    return count;
}

/* ---- events come in ---- */

/* Is one before it at rest, so that it has to wait? */
static bool
is_blocked(const struct group_model *model, uint64_t position)
{
    for (uint64_t p = 1; p < position; p++) {
        if (same_key(model, p, position) &&
            model->events[p].state == MODEL_PARKED) {
            return true;
        }
    }
    return false;
}

/* It has a row from now on. A ticket that it may have is of the removal of the
 * one before.
 */
static void
begin_row(struct model_event *event)
{
    if (!event->has_row) {
        event->has_row = true;
        event->ticket = 0;
    }
}

void
model_read(struct group_model *model, uint64_t position)
{
    struct model_event *event = &model->events[position];

    if (event->has_row) {
        return;
    }
    MODEL_REQUIRE(model, event->state == MODEL_UNREAD, "is read twice");
    event->state = MODEL_WAITS;
    if (waits_for_parked(model) && is_blocked(model, position)) {
        event->state = MODEL_PARKED;
        begin_row(event);
        event->is_behind = true;
    }
}

/* A parked one may be done before it is read again after a reset. */
static void
finish(struct group_model *model, uint64_t position)
{
    struct model_event *event = &model->events[position];

    event->state = MODEL_DONE;
    if (position > model->read_to) {
        event->state = MODEL_UNREAD;
        event->deliveries = 0;
        event->tries = 0;
    }
    event->has_row = false;
    event->is_behind = false;
    event->ticket = 0;
}

void
model_hide(struct group_model *model, uint64_t position)
{
    finish(model, position);
}

/* ---- handing out ---- */

static uint64_t
held_by(const struct group_model *model, unsigned member)
{
    uint64_t count = 0;

    for (EACH_EVENT(model, p)) {
        count += model->events[p].state == MODEL_IN_HAND &&
                 model->events[p].member == member;
    }
    return count;
}

/* Who has events of the key. */
static unsigned
holder_of(const struct group_model *model, uint64_t position)
{
    for (EACH_EVENT(model, p)) {
        if (same_key(model, p, position) &&
            model->events[p].state == MODEL_IN_HAND) {
            return model->events[p].member;
        }
    }
    return MODEL_NOBODY;
}

/* Must @p, of the same key, be done or in hand before @position is handed out?
 */
static bool
goes_before(const struct group_model *model, uint64_t p, uint64_t position)
{
    const struct model_event *event = &model->events[p];

    if (p >= position || !same_key(model, p, position) ||
        !model->log->events[p].is_matching || event->state == MODEL_DONE) {
        return false;
    }
    return waits_for_parked(model) ||
           (!event->has_row && !model->events[position].has_row);
}

void
model_hand(struct group_model *model, unsigned member, uint64_t position,
           uint64_t fence, uint64_t deliveries, bool keeps_row)
{
    struct model_event *event = &model->events[position];
    unsigned holder = holder_of(model, position);

    MODEL_REQUIRE(model, model->log->events[position].is_matching,
                  "does not match");
    MODEL_REQUIRE(model, !model->is_paused, "is paused");
    MODEL_REQUIRE(model, model->members[member].is_there, "is no member");
    MODEL_REQUIRE(model, !model->members[member].is_held, "is held");
    MODEL_REQUIRE(model, held_by(model, member) < model->members[member].slots,
                  "has no free slot");
    MODEL_REQUIRE(model, event->state != MODEL_DONE, "is done");
    MODEL_REQUIRE(model, event->state != MODEL_IN_HAND, "is in hand");
    MODEL_REQUIRE(model, event->state != MODEL_DELAYED, "is delayed");
    MODEL_REQUIRE(model,
                  event->state == MODEL_WAITS ||
                      (event->state == MODEL_PARKED && event->is_behind),
                  "is parked");
    MODEL_REQUIRE(model, holder == MODEL_NOBODY || holder == member,
                  "another member has the key");
    for (EACH_EVENT(model, p)) {
        if (goes_before(model, p, position)) {
            MODEL_REQUIRE(model,
                          model->events[p].state == MODEL_IN_HAND &&
                              model->events[p].member == member,
                          "is out of order");
        }
    }
    MODEL_REQUIRE(model, fence > model->round_start, "has an old fence");
    MODEL_REQUIRE(model,
                  model->fence == model->round_start || fence == model->fence,
                  "has another fence than its round");
    MODEL_REQUIRE(model, deliveries == event->deliveries + 1,
                  "has a wrong count of deliveries");

    if (event->state == MODEL_PARKED && !keeps_row) {
        event->has_row = false;
        event->is_behind = false;
    }
    model->fence = fence;
    event->state = MODEL_IN_HAND;
    event->member = member;
    event->fence = fence;
    event->turn = ++model->turns;
    event->handed_us = model->now_us;
    event->deliveries++;
    event->tries++;
}

/* ---- answers, time-outs and ends ---- */

/* It, and what of its key was handed out behind it. */
static void
take_back(struct group_model *model, uint64_t position)
{
    uint64_t turn = model->events[position].turn;

    for (EACH_EVENT(model, p)) {
        struct model_event *event = &model->events[p];

        if (event->state == MODEL_IN_HAND && same_key(model, p, position) &&
            event->turn >= turn) {
            event->state = MODEL_WAITS;
            event->tries -= p == position ? 0 : 1;
        }
    }
}

static void
park(struct group_model *model, uint64_t position)
{
    struct model_event *event = &model->events[position];

    if (waits_for_parked(model)) {
        if (event->state == MODEL_IN_HAND) {
            take_back(model, position);
        }
        for (uint64_t p = position + 1; p <= model->log->head; p++) {
            struct model_event *behind = &model->events[p];

            if (same_key(model, p, position) && is_live(behind)) {
                behind->state = MODEL_PARKED;
                behind->is_behind = behind->is_behind || !behind->has_row;
                begin_row(behind);
            }
        }
    }
    event->state = MODEL_PARKED;
    begin_row(event);
    event->is_behind = false;
}

static uint64_t
ack_up_to(struct group_model *model, unsigned member, uint64_t position)
{
    uint64_t turn = model->events[position].turn;
    uint64_t count = 0;

    for (EACH_EVENT(model, p)) {
        const struct model_event *event = &model->events[p];

        if (event->state == MODEL_IN_HAND && event->member == member &&
            event->turn <= turn) {
            finish(model, p);
            count++;
        }
    }
    return count;
}

uint64_t
model_answer(struct group_model *model, unsigned member,
             const struct msg_answer *answer)
{
    struct model_event *event = &model->events[answer->position];

    model->members[member].is_asleep = false;
    if (event->state != MODEL_IN_HAND || event->member != member ||
        event->fence != answer->fence) {
        return 0;
    }
    switch (answer->kind) {
    case MSG_ACK:
    case MSG_SKIP:
        finish(model, answer->position);
        break;
    case MSG_ACK_UP_TO:
        return ack_up_to(model, member, answer->position);
    case MSG_PARK:
        park(model, answer->position);
        break;
    case MSG_RETRY:
        if (event->tries >= model->settings.deliveries_max) {
            park(model, answer->position);
            break;
        }
        take_back(model, answer->position);
        if (answer->delay_us > 0) {
            event->state = MODEL_DELAYED;
            event->due_us = model->now_us + answer->delay_us;
        }
        break;
    }
    return 1;
}

/* The one that a member has had for longest; 0: none. */
static uint64_t
oldest_of(const struct group_model *model, unsigned member)
{
    uint64_t oldest = 0;

    for (EACH_EVENT(model, p)) {
        if (model->events[p].state == MODEL_IN_HAND &&
            model->events[p].member == member &&
            (oldest == 0 ||
             model->events[p].turn < model->events[oldest].turn)) {
            oldest = p;
        }
    }
    return oldest;
}

static bool
is_overdue(const struct group_model *model, uint64_t position)
{
    return position > 0 &&
           model->events[position].handed_us + model->settings.ack_timeout_us <=
               model->now_us;
}

void
model_tick(struct group_model *model)
{
    for (unsigned m = 0; m < MODEL_MEMBERS_MAX; m++) {
        uint64_t oldest;

        while (is_overdue(model, oldest = oldest_of(model, m))) {
            model->members[m].is_asleep = true;
            if (model->events[oldest].tries >= model->settings.deliveries_max) {
                park(model, oldest);
            } else {
                take_back(model, oldest);
            }
        }
    }
    for (EACH_EVENT(model, p)) {
        struct model_event *event = &model->events[p];

        if (event->state == MODEL_DELAYED && event->due_us <= model->now_us) {
            event->state = MODEL_WAITS;
        }
    }
}

void
model_leave(struct group_model *model, unsigned member, bool died)
{
    uint64_t taken[LOG_EVENTS_MAX];
    size_t count = 0;
    uint64_t oldest;

    while ((oldest = oldest_of(model, member)) > 0) {
        taken[count++] = oldest;
        model->events[oldest].state = MODEL_WAITS;
        model->events[oldest].tries -= died ? 0 : 1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct model_event *event = &model->events[taken[i]];

        if (died && event->state == MODEL_WAITS &&
            event->tries >= model->settings.deliveries_max) {
            park(model, taken[i]);
        }
    }
    model->members[member].is_there = false;
}

/* ---- parked events ---- */

bool
model_replay(struct group_model *model, uint64_t position)
{
    struct model_event *event = &model->events[position];

    if (event->state != MODEL_PARKED || event->is_behind ||
        (waits_for_parked(model) && is_blocked(model, position))) {
        return false;
    }
    event->tries = 0;
    if (waits_for_parked(model) && position > model->read_to) {
        event->is_behind = true; /* Of what is still to be read again. */
        return true;
    }
    event->state = MODEL_WAITS;
    return true;
}

bool
model_drop(struct group_model *model, uint64_t position)
{
    struct model_event *event = &model->events[position];

    if (!event->has_row || (event->state == MODEL_PARKED && event->is_behind)) {
        return false;
    }
    finish(model, position);
    return true;
}

/* ---- at rest ---- */

static bool
takes_events(const struct group_model *model, unsigned member)
{
    bool is_one_awake = false;

    for (unsigned m = 0; m < MODEL_MEMBERS_MAX; m++) {
        is_one_awake = is_one_awake || (model->members[m].is_there &&
                                        !model->members[m].is_asleep);
    }
    return model->members[member].is_there &&
           (!is_one_awake || !model->members[member].is_asleep) &&
           !model->members[member].is_held &&
           held_by(model, member) < model->members[member].slots;
}

static bool
anyone_takes(const struct group_model *model, unsigned holder)
{
    if (holder != MODEL_NOBODY) {
        return takes_events(model, holder);
    }
    for (unsigned m = 0; m < MODEL_MEMBERS_MAX; m++) {
        if (takes_events(model, m)) {
            return true;
        }
    }
    return false;
}

/* Is it the next of its key, and nothing in its way? Not all that may go is
 * found: of keys that go on past parked ones, only those that have none.
 */
static bool
may_go(const struct group_model *model, uint64_t position)
{
    const struct model_event *event = &model->events[position];

    if (event->state != MODEL_WAITS &&
        !(event->state == MODEL_PARKED && event->is_behind)) {
        return false;
    }
    if (waits_for_parked(model) && position > model->read_to) {
        return false;
    }
    for (EACH_EVENT(model, p)) {
        const struct model_event *other = &model->events[p];

        if (!same_key(model, p, position) || other->state == MODEL_DONE ||
            p == position) {
            continue;
        }
        if (!waits_for_parked(model) && (other->has_row || event->has_row ||
                                         other->state == MODEL_DELAYED)) {
            return false;
        }
        if (p < position && (other->state != MODEL_IN_HAND ||
                             (other->has_row && !other->is_behind))) {
            return false;
        }
    }
    return true;
}

void
model_check_rest(const struct group_model *model)
{
    for (EACH_EVENT(model, p)) {
        if (may_go(model, p)) {
            MODEL_REQUIRE(model, !anyone_takes(model, holder_of(model, p)),
                          "was left lying");
        }
    }
    if (model->read_to < model->log->head) {
        MODEL_REQUIRE(model, !anyone_takes(model, MODEL_NOBODY),
                      "was not read");
    }
}
