#include "sub.h"

#include <assert.h>
#include <stdlib.h>

#include "given.h"
#include "limit.h"
#include "name.h"
#include "query_build.h"

#define CREDIT_PARTS 8 /* Granted again by this part of the whole. */

#define SLOTS_MIN 8

static void
free_held(struct held *held)
{
    while (held != NULL) {
        struct held *next = held->next;

        free(held);
        held = next;
    }
}

static void
drop_held(struct acta_sub *sub)
{
    struct core_subs *subs = &sub->core->subs;

    if (sub->first != NULL && !sub->paused) {
        subs->behind--;
    }
    free_held(sub->first);
    sub->first = NULL;
    sub->last = NULL;
}

static void
make_idle(struct acta_sub *sub)
{
    drop_held(sub);
    sub->credit_due = 0;
    if (sub->id != 0) {
        sub->id = 0;
        sub->core->subs.idle++;
    }
}

static void
sub_free(struct acta_sub *sub)
{
    query_fini(&sub->query);
    free(sub->consumer);
    free(sub);
}

/* Take it from the core, and free it unless its callback is running: then it
 * is freed when that returns.
 */
static void
leave(struct acta_sub *sub)
{
    struct core_subs *subs = &sub->core->subs;

    make_idle(sub);
    sub_consumer_leave(sub);
    subs->idle--;
    subs->slots[sub->slot] = NULL;
    subs->count--;
    sub->dead = true;
    if (!sub->in_callback) {
        sub_free(sub);
    }
}

bool
sub_lives_on(struct acta_sub *sub)
{
    sub->in_callback = false;
    if (sub->dead) {
        sub_free(sub);
        return false;
    }
    return true;
}

void
sub_end(struct acta_sub *sub, const struct acta_err *why)
{
    struct acta_follow follow = sub->follow;
    uint64_t position = sub->position;

    leave(sub);
    if (follow.on_ended != NULL) {
        follow.on_ended(follow.user, why, position);
    }
}

static enum acta_code
find_slot(struct core_subs *subs, size_t *slot, struct acta_err *err)
{
    size_t capacity = subs->capacity == 0 ? SLOTS_MIN : 2 * subs->capacity;
    struct acta_sub **slots;

    for (size_t i = 0; i < subs->capacity; i++) {
        if (subs->slots[i] == NULL) {
            *slot = i;
            return ACTA_OK;
        }
    }
    if (subs->capacity == SUBS_MAX) {
        return acta_fail(err, ACTA_BUSY,
                         "there are %d subscriptions, which is the limit",
                         SUBS_MAX);
    }
    slots = realloc(subs->slots, capacity * sizeof(struct acta_sub *));
    if (slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "subscription");
    }
    for (size_t i = subs->capacity; i < capacity; i++) {
        slots[i] = NULL;
    }
    *slot = subs->capacity;
    subs->slots = slots;
    subs->capacity = capacity;
    return ACTA_OK;
}

static enum acta_code
take_consumer(struct acta_sub *sub, struct acta_err *err)
{
    const char *name = sub->follow.consumer;
    enum acta_code code;

    if (name == NULL) {
        return ACTA_OK;
    }
    code = name_check(slice_of(name), ACTA_NAME_SIZE_MAX, "consumer", err);
    if (code != ACTA_OK) {
        return code;
    }
    sub->consumer = strdup(name);
    return sub->consumer == NULL ? acta_fail(err, ACTA_MEMORY, "subscription")
                                 : ACTA_OK;
}

struct acta_sub *
sub_new(struct core *core, const struct acta_follow *follow,
        struct acta_err *err)
{
    struct acta_sub *sub = calloc(1, sizeof(*sub));

    if (sub == NULL) {
        acta_fail(err, ACTA_MEMORY, "subscription");
        return NULL;
    }
    if (core->closing) {
        acta_fail(err, ACTA_CANCELLED, "client is closed");
        goto fail;
    }
    if (!given_copy(&sub->follow, sizeof(sub->follow), follow) ||
        sub->follow.on_events == NULL) {
        acta_fail(err, ACTA_INVALID,
                  "subscription is not of acta_follow_of(), or has no "
                  "on_events");
        goto fail;
    }
    if (take_consumer(sub, err) != ACTA_OK ||
        find_slot(&core->subs, &sub->slot, err) != ACTA_OK ||
        query_build(sub->follow.query, &sub->query, err) != ACTA_OK) {
        goto fail;
    }
    sub->core = core;
    sub->position = sub->follow.after;
    core->subs.slots[sub->slot] = sub;
    core->subs.count++;
    core->subs.idle++;
    return sub;

fail:
    sub_free(sub);
    return NULL;
}

void
sub_stop(struct acta_sub *sub)
{
    struct core *core = sub->core;

    if (sub->id != 0 && core->state == CORE_READY) {
        msg_number_encode(&core->out, OP_UNSUBSCRIBE, CORE_ID_UNSUBSCRIBE,
                          sub->id);
    }
}

void
sub_cancel(struct acta_sub *sub)
{
    sub_stop(sub);
    leave(sub);
}

void
sub_pause(struct acta_sub *sub)
{
    if (!sub->paused) {
        sub->paused = true;
        sub->core->subs.behind -= sub->first != NULL;
    }
}

void
sub_resume(struct acta_sub *sub)
{
    if (sub->paused) {
        sub->paused = false;
        sub->core->subs.behind += sub->first != NULL;
    }
}

struct acta_sub *
subs_find(const struct core *core, uint64_t id)
{
    size_t slot = REQUEST_SLOT(id) - REQUEST_SLOTS_MAX;
    struct acta_sub *sub =
        slot < core->subs.capacity ? core->subs.slots[slot] : NULL;

    return sub != NULL && sub->id == id ? sub : NULL;
}

/* Grant again what callbacks have taken, once it is worth a frame. */
static void
return_credit(struct acta_sub *sub)
{
    struct core *core = sub->core;

    if (sub->credit_due >= core->options->given.credit_size / CREDIT_PARTS) {
        msg_number_encode(&core->out, OP_CREDIT, sub->id, sub->credit_due);
        sub->credit_due = 0;
    }
}

/* A batch has to lie behind what was delivered before, in order: else events
 * would come twice, or late.
 */
static enum acta_code
check_batch(const struct acta_sub *sub, const struct acta_batch *batch,
            struct acta_err *err)
{
    uint64_t before = sub->position;

    for (size_t i = 0; i < batch->events_count; i++) {
        uint64_t position = batch->events[i]->position;

        if (position <= before) {
            return acta_fail(err, ACTA_PROTOCOL,
                             "event of position %ju was delivered after %ju",
                             (uintmax_t)position, (uintmax_t)before);
        }
        before = position;
    }
    if (batch->position < before) {
        return acta_fail(err, ACTA_PROTOCOL,
                         "delivery ends at position %ju, before its last, %ju",
                         (uintmax_t)batch->position, (uintmax_t)before);
    }
    return ACTA_OK;
}

static enum acta_code
deliver(struct acta_sub *sub, uint8_t *body, size_t size, struct acta_err *err)
{
    struct core *core = sub->core;
    struct answer *answer = sub->answer == NULL ? &core->answer : sub->answer;
    const struct acta_batch *batch = &answer->batch;
    enum acta_code code;

    code = answer_read(answer, OP_DELIVERY, body, size, NULL, err);
    if (code == ACTA_OK) {
        code = check_batch(sub, batch, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    sub->in_callback = true;
    if (batch->events_count > 0) {
        sub->follow.on_events(sub->follow.user, batch);
    } else if (sub->follow.on_moved != NULL) {
        sub->follow.on_moved(sub->follow.user, batch->position, batch->head);
    }
    if (sub_lives_on(sub)) {
        sub->position = batch->position;
        sub->credit_due += answer->batch_size;
        return_credit(sub);
    }
    return ACTA_OK;
}

static enum acta_code
tell_position(struct acta_sub *sub, uint8_t kind, const uint8_t *body,
              size_t size, struct acta_err *err)
{
    void (*told)(void *, uint64_t) = kind == OP_CAUGHT_UP
                                         ? sub->follow.on_caught_up
                                         : sub->follow.on_fell_behind;
    uint64_t position;
    enum acta_code code =
        msg_number_decode(&position, kind, slice_make(body, size), err);

    if (code != ACTA_OK) {
        return code;
    }
    if (position < sub->position) {
        return acta_fail(err, ACTA_PROTOCOL, "position %ju was told after %ju",
                         (uintmax_t)position, (uintmax_t)sub->position);
    }
    sub->in_callback = true;
    if (told != NULL) {
        told(sub->follow.user, position);
    }
    if (sub_lives_on(sub)) {
        sub->position = position;
    }
    return ACTA_OK;
}

/* The server has ended it, or refused to begin: try again later if that may
 * help.
 */
static enum acta_code
ended(struct acta_sub *sub, uint8_t kind, uint8_t *body, size_t size,
      uint64_t now_ms, struct acta_err *err)
{
    struct core *core = sub->core;
    struct msg_unsubscribed said;
    struct acta_err why;
    enum acta_code code;

    if (kind == OP_ERROR) {
        code = answer_read(&core->answer, kind, body, size, &why, err);
    } else {
        code = msg_unsubscribed_decode(&said, slice_make(body, size), err);
        if (code == ACTA_OK) {
            /* What nobody here asked for is no end. */
            acta_fail(&why, said.code == ACTA_OK ? ACTA_BUSY : said.code,
                      "%.*s", (int)said.text.size,
                      (const char *)said.text.data);
        }
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (core_is_passing(why.code)) {
        make_idle(sub);
        core_hold(core, &why, now_ms);
    } else {
        sub_end(sub, &why);
    }
    return ACTA_OK;
}

static enum acta_code
hand_out(struct acta_sub *sub, uint8_t kind, uint8_t *body, size_t size,
         struct acta_err *err)
{
    switch (kind) {
    case OP_DELIVERY:
        return deliver(sub, body, size, err);
    case OP_CAUGHT_UP:
    case OP_FELL_BEHIND:
        return tell_position(sub, kind, body, size, err);
    default:
        return acta_fail(err, ACTA_PROTOCOL,
                         "frame of kind 0x%02x for a subscription", kind);
    }
}

/* True if both are deliveries without events, so that the later one says all.
 * Such cost no credit: they come as long as others append, and all that are
 * kept would be without end.
 */
static bool
says_all_of(const struct held *held, uint8_t kind, struct slice body)
{
    struct msg_delivery before, next;
    struct acta_err why;

    return held != NULL && held->kind == OP_DELIVERY && kind == OP_DELIVERY &&
           held->size == body.size &&
           msg_delivery_decode(&next, body, &why) == ACTA_OK &&
           next.events_count == 0 &&
           msg_delivery_decode(&before, slice_make(held->body, held->size),
                               &why) == ACTA_OK &&
           before.events_count == 0 && next.position >= before.position;
}

/* True if @held is more than news of where the subscription is. */
static bool
has_events(const struct held *held)
{
    struct msg_delivery said;
    struct acta_err why;

    if (held->kind == OP_CAUGHT_UP || held->kind == OP_FELL_BEHIND) {
        return false;
    }
    return held->kind != OP_DELIVERY ||
           msg_delivery_decode(&said, slice_make(held->body, held->size),
                               &why) != ACTA_OK ||
           said.events_count > 0;
}

/* Where it is held that the subscription has caught up, for the first time
 * behind all events: catching up again says all of what is held from there on,
 * which costs no credit either. NULL: that is not held.
 */
static struct held **
find_caught_up(struct acta_sub *sub)
{
    struct held **found = NULL;

    for (struct held **at = &sub->first; *at != NULL; at = &(*at)->next) {
        if (has_events(*at)) {
            found = NULL;
        } else if (found == NULL && (*at)->kind == OP_CAUGHT_UP) {
            found = at;
        }
    }
    return found;
}

/* Put @held behind what is held, or in the place of what it says all of. */
static void
add_held(struct acta_sub *sub, struct held *held)
{
    struct held **place =
        held->kind == OP_CAUGHT_UP ? find_caught_up(sub) : NULL;

    held->next = NULL;
    if (place != NULL) {
        free_held(*place);
        *place = held;
    } else if (sub->first == NULL) {
        sub->first = held;
        sub->core->subs.behind += !sub->paused;
    } else {
        sub->last->next = held;
    }
    sub->last = held;
}

static enum acta_code
hold(struct acta_sub *sub, uint8_t kind, const uint8_t *body, size_t size,
     struct acta_err *err)
{
    struct held *held;

    if (says_all_of(sub->last, kind, slice_make(body, size))) {
        memcpy(sub->last->body, body, size);
        return ACTA_OK;
    }
    held = malloc(sizeof(*held) + size);
    if (held == NULL) {
        return acta_fail(err, ACTA_MEMORY, "what a paused subscription gets");
    }
    held->kind = kind;
    held->size = size;
    memcpy(held->body, body, size);
    add_held(sub, held);
    return ACTA_OK;
}

enum acta_code
sub_receive(struct acta_sub *sub, uint8_t kind, uint8_t *body, size_t size,
            uint64_t now_ms, struct acta_err *err)
{
    uint64_t head;

    if (kind == OP_ERROR || kind == OP_UNSUBSCRIBED) {
        return ended(sub, kind, body, size, now_ms, err);
    }
    core_is_well(sub->core);
    if (kind == OP_SUBSCRIBED) {
        return msg_number_decode(&head, kind, slice_make(body, size), err);
    }
    if (sub->paused || sub->first != NULL || sub->merges) {
        return hold(sub, kind, body, size, err);
    }
    return hand_out(sub, kind, body, size, err);
}

static void
subscribe(struct acta_sub *sub)
{
    struct core *core = sub->core;
    struct msg_subscribe subscribe = {
        .query = sub->query,
        .after = sub->position,
        .credit = core->options->given.credit_size,
        .consumer = slice_of(sub->consumer == NULL ? "" : sub->consumer),
        .epoch = sub->epoch,
    };

    sub->id = ++core->requests.serial << REQUEST_SLOT_BITS |
              (REQUEST_SLOTS_MAX + sub->slot);
    core->subs.idle--;
    msg_subscribe_encode(&core->out, sub->id, &subscribe);
}

void
subs_send(struct core *core)
{
    struct core_subs *subs = &core->subs;

    for (size_t i = 0;
         i < subs->capacity && (subs->idle > 0 || subs->moving > 0); i++) {
        struct acta_sub *sub = subs->slots[i];

        if (sub == NULL) {
            continue;
        }
        if (sub->is_moving) {
            sub_move(sub);
        }
        if (sub->id == 0 && sub->consumer != NULL && sub->epoch == 0) {
            sub_claim(sub);
        } else if (sub->id == 0) {
            subscribe(sub);
        }
    }
}

/* Hand out what is held, as long as @sub is there and wants it. */
static enum acta_code
catch_up(struct core *core, size_t slot, struct acta_err *err)
{
    for (;;) {
        struct acta_sub *sub = core->subs.slots[slot];
        struct held *held;
        enum acta_code code;

        if (sub == NULL || sub->paused || sub->first == NULL) {
            return ACTA_OK;
        }
        if (sub->merges) {
            sub_merge(sub);
        }
        held = sub->first;
        sub->first = held->next;
        if (sub->first == NULL) {
            sub->last = NULL;
            core->subs.behind--;
        }
        code = hand_out(sub, held->kind, held->body, held->size, err);
        free(held);
        if (code != ACTA_OK) {
            return code;
        }
    }
}

enum acta_code
subs_catch_up(struct core *core, struct acta_err *err)
{
    for (size_t i = 0; i < core->subs.capacity && core->subs.behind > 0; i++) {
        enum acta_code code = catch_up(core, i, err);

        if (code != ACTA_OK) {
            return code;
        }
    }
    return ACTA_OK;
}

void
subs_lost(struct core *core)
{
    for (size_t i = 0; i < core->subs.capacity; i++) {
        struct acta_sub *sub = core->subs.slots[i];

        if (sub != NULL) {
            make_idle(sub);
            sub_consumer_lost(sub);
        }
    }
}

void
subs_end(struct core *core, const struct acta_err *why)
{
    /* Callbacks may end others; what they begin may be ended too. */
    size_t capacity = core->subs.capacity;

    for (size_t i = 0; i < capacity; i++) {
        if (core->subs.slots[i] != NULL) {
            sub_end(core->subs.slots[i], why);
        }
    }
}
