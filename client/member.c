/* Joining, telling answers, leaving, and what the connection does to all that;
 * member_events.c has the events.
 */

#include "member.h"

#include <stdlib.h>

#include "given.h"
#include "name.h"

#define SLOTS_MIN 4

/* ---- its life ---- */

static void
drop_frames(struct acta_member *member)
{
    while (member->first != NULL) {
        struct handed_frame *frame = member->first;

        member->first = frame->next;
        free(frame);
    }
    member->last = NULL;
    member->waiting = 0;
}

/* It is no member now: nothing is in hand. */
static void
make_idle(struct acta_member *member)
{
    member->answers_lost |= member->hand.answered > 0 || member->settles > 0;
    drop_frames(member);
    hand_clear(&member->hand);
    taken_clear(&member->taken);
    member->settles = 0;
    member->told = 0;
    member->answer.handed.events_count = 0;
    member->event = NULL;
    member->has_joined = false;
    member->trouble.code = ACTA_OK;
    if (member->id != 0) {
        member->id = 0;
        member->core->members.idle++;
    }
}

static void
member_free(struct acta_member *member)
{
    drop_frames(member);
    hand_fini(&member->hand);
    taken_fini(&member->taken);
    answer_fini(&member->answer);
    free(member->group);
    free(member->name);
    free(member);
}

/* Take it from the core, and free it unless its callback is running: then it
 * is freed when that returns. What it has in hand stays until then.
 */
static void
remove_member(struct acta_member *member)
{
    struct core_members *members = &member->core->members;

    members->idle -= member->id == 0;
    members->slots[member->slot] = NULL;
    members->count--;
    member->dead = true;
    if (member->callbacks == 0) {
        member_free(member);
    }
}

bool
member_lives_on(struct acta_member *member)
{
    bool is_dead = member->dead;

    member->callbacks--;
    if (is_dead && member->callbacks == 0) {
        member_free(member);
    }
    return !is_dead;
}

static void
end(struct acta_member *member, const struct acta_err *why)
{
    struct acta_join join = member->join;

    remove_member(member);
    if (join.on_ended != NULL) {
        join.on_ended(join.user, why);
    }
}

static enum acta_code
find_slot(struct core_members *members, size_t *slot, struct acta_err *err)
{
    size_t capacity =
        members->capacity == 0 ? SLOTS_MIN : 2 * members->capacity;
    struct acta_member **slots;

    for (size_t i = 0; i < members->capacity; i++) {
        if (members->slots[i] == NULL) {
            *slot = i;
            return ACTA_OK;
        }
    }
    if (members->capacity == ACTA_MEMBERSHIPS_MAX) {
        return acta_fail(err, ACTA_BUSY,
                         "there are %d memberships, which is the limit",
                         ACTA_MEMBERSHIPS_MAX);
    }
    slots = realloc(members->slots, capacity * sizeof(struct acta_member *));
    if (slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "membership");
    }
    for (size_t i = members->capacity; i < capacity; i++) {
        slots[i] = NULL;
    }
    *slot = members->capacity;
    members->slots = slots;
    members->capacity = capacity;
    return ACTA_OK;
}

static enum acta_code
check_join(const struct acta_join *join, const char *name, struct acta_err *err)
{
    struct slice group = slice_of(join->group == NULL ? "" : join->group);
    enum acta_code code = name_check(group, ACTA_NAME_SIZE_MAX, "group", err);

    if (code == ACTA_OK && name[0] != '\0') {
        code = name_check(slice_of(name), ACTA_NAME_SIZE_MAX, "member", err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (join->slots == 0) {
        return acta_fail(err, ACTA_INVALID, "member has no slots");
    }
    if (join->slots > ACTA_SLOTS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE, "%zu slots, the limit is %d",
                         join->slots, ACTA_SLOTS_MAX);
    }
    return ACTA_OK;
}

struct acta_member *
member_new(struct core *core, const struct acta_join *join,
           struct acta_err *err)
{
    struct acta_member *member = calloc(1, sizeof(*member));
    const char *name;

    if (member == NULL) {
        acta_fail(err, ACTA_MEMORY, "membership");
        return NULL;
    }
    if (core->closing) {
        acta_fail(err, ACTA_CANCELLED, "client is closed");
        goto fail;
    }
    if (!given_copy(&member->join, sizeof(member->join), join) ||
        member->join.on_event == NULL) {
        acta_fail(err, ACTA_INVALID,
                  "membership is not of acta_join_of(), or has no on_event");
        goto fail;
    }
    name =
        member->join.member == NULL ? core->options->name : member->join.member;
    if (check_join(&member->join, name, err) != ACTA_OK) {
        goto fail;
    }
    member->group = strdup(member->join.group);
    member->name = strdup(name);
    if (member->group == NULL || member->name == NULL) {
        acta_fail(err, ACTA_MEMORY, "membership");
        goto fail;
    }
    if (find_slot(&core->members, &member->slot, err) != ACTA_OK) {
        goto fail;
    }
    member->core = core;
    member->answer.keeps = true;
    core->members.slots[member->slot] = member;
    core->members.count++;
    core->members.idle++;
    return member;

fail:
    member_free(member);
    return NULL;
}

struct acta_member *
members_find(const struct core *core, uint64_t id)
{
    size_t slot = REQUEST_SLOT(id) - MEMBER_SLOT_FIRST;
    struct acta_member *member =
        slot < core->members.capacity ? core->members.slots[slot] : NULL;

    return member != NULL && member->id == id ? member : NULL;
}

void
member_pause(struct acta_member *member)
{
    member->paused = true;
}

void
member_resume(struct acta_member *member)
{
    member->paused = false;
}

/* ---- telling the server ---- */

static void
send_join(struct acta_member *member)
{
    struct core *core = member->core;
    struct msg_join join = {
        .group = slice_of(member->group),
        .slots = member->join.slots,
        .member = slice_of(member->name),
    };

    member->id = ++core->requests.serial << REQUEST_SLOT_BITS |
                 (MEMBER_SLOT_FIRST + member->slot);
    core->members.idle--;
    msg_join_encode(&core->out, member->id, &join);
}

/* False if @member is no more. A position of 0: it is not known which. */
static bool
tell_refused(struct acta_member *member, uint64_t position, uint64_t fence)
{
    struct acta_refused refused = {.position = position, .fence = fence};

    member->callbacks++;
    if (member->join.on_refused != NULL) {
        member->join.on_refused(member->join.user, &refused);
    }
    return member_lives_on(member);
}

/* Tell which of the answers in @settle were refused. What was settled by acks
 * up to an event is counted only: if it is less than was meant some of these
 * had been taken back.
 */
static void
tell_all_refused(struct acta_member *member, struct msg_settle settle,
                 struct msg_settled settled, uint64_t meant)
{
    size_t refused_left = settled.refused_count;
    uint64_t accounted = settled.settled + settled.refused_count;
    uint64_t refused =
        refused_left > 0 ? msg_next_position(&settled.refused) : 0;

    if (refused_left > 0) {
        hand_be_exact(&member->hand);
    }
    for (uint64_t i = 0; i < settle.answers_count && refused_left > 0; i++) {
        struct msg_answer answer = msg_next_answer(&settle.answers);

        if (i != refused) {
            continue;
        }
        refused_left--;
        if (refused_left > 0) {
            refused = msg_next_position(&settled.refused);
        }
        if (!hand_was_given_back(&answer) &&
            !tell_refused(member, answer.position, answer.fence)) {
            return;
        }
    }
    if (accounted < meant) {
        (void)tell_refused(member, 0, 0);
    }
}

static void
on_settled(void *user, const struct request *request,
           const struct acta_err *err, const struct answer *answer)
{
    struct msg_settle settle;
    struct acta_member *member;

    if (err != NULL && err->code == ACTA_CANCELLED) {
        return;
    }
    if (msg_settle_decode(&settle,
                          slice_make(request->frame + FRAME_HEADER_SIZE,
                                     request->size - FRAME_HEADER_SIZE),
                          NULL) != ACTA_OK) {
        return;
    }
    member = members_find(user, settle.membership);
    if (member == NULL) {
        return; /* It has left. */
    }
    member->settles--;
    taken_settled(&member->taken, request->id, member->fence);
    if (err != NULL) {
        (void)tell_refused(member, 0, 0);
    } else {
        tell_all_refused(member, settle, answer->settled, request->note);
    }
}

/* Tell what was answered, if that can be told now. False if not. */
static bool
send_answers(struct acta_member *member)
{
    struct core *core = member->core;
    struct request *request;
    struct buf *buf;
    uint64_t id, count;

    buf = core_begin(core, &id, NULL);
    if (buf == NULL) {
        return false;
    }
    count = hand_settle(&member->hand, buf, id, member->id);
    if (count == 0) {
        return false;
    }
    request = core_submit_own(core, OP_SETTLE, on_settled, core);
    if (request == NULL) {
        /* They will be taken back, and handed out again. */
        (void)tell_refused(member, 0, 0);
        return true;
    }
    request->note = count;
    member->settles++;
    taken_tell(&member->taken, id);
    return true;
}

void
members_send(struct core *core)
{
    struct core_members *members = &core->members;

    for (size_t i = 0; i < members->capacity && !members->is_stuck; i++) {
        struct acta_member *member = members->slots[i];

        if (member != NULL && member->id == 0) {
            send_join(member);
        } else if (member != NULL && member->hand.answered > 0) {
            members->is_stuck = !send_answers(member);
        }
    }
}

bool
members_are_due(const struct core *core)
{
    const struct core_members *members = &core->members;

    for (size_t i = 0; i < members->capacity; i++) {
        const struct acta_member *member = members->slots[i];

        if (member != NULL &&
            (member->trouble.code != ACTA_OK ||
             (member->hand.answered > 0 && !members->is_stuck) ||
             (!member->paused && member_has_events(member)))) {
            return true;
        }
    }
    return false;
}

/* Leaving is told behind the last answers; if there is no room for a request it
 * is told at once.
 */
static void
send_leave(struct acta_member *member)
{
    struct core *core = member->core;
    struct request *request = NULL;
    struct buf *buf;
    uint64_t id;

    while (member->hand.answered > 0 && send_answers(member)) {
    }
    buf = core_begin(core, &id, NULL);
    if (buf != NULL) {
        msg_number_encode(buf, OP_LEAVE, id, member->id);
        request = core_submit(core, 0, core->now_ms, NULL);
    }
    if (request != NULL) {
        request->kind = OP_LEAVE;
        request->is_own = true;
        request->is_bound = true;
    } else {
        msg_number_encode(&core->out, OP_LEAVE, CORE_ID_LEAVE, member->id);
    }
}

void
member_leave(struct acta_member *member)
{
    /* It must not be told of answers that are refused. */
    member->join.on_refused = NULL;
    member->join.on_ended = NULL;
    if (member->id != 0 && member->core->state == CORE_READY) {
        send_leave(member);
    }
    remove_member(member);
}

/* ---- frames ---- */

static enum acta_code
joined(struct acta_member *member, struct slice body, struct acta_err *err)
{
    struct msg_joined said;
    enum acta_code code = msg_joined_decode(&said, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (said.key_tag.size >= sizeof(member->key_tag)) {
        return acta_fail(err, ACTA_PROTOCOL, "tag of the key is too long");
    }
    memcpy(member->key_tag, said.key_tag.data, said.key_tag.size);
    member->key_tag[said.key_tag.size] = '\0';
    member->park_waits = said.on_park == MSG_PARK_WAITS;
    member->has_joined = true;
    member->callbacks++;
    if (member->join.on_joined != NULL) {
        member->join.on_joined(member->join.user);
    }
    (void)member_lives_on(member);
    return ACTA_OK;
}

/* The server has ended the membership, or refused to begin it: try again later
 * if that may help.
 */
static enum acta_code
ended(struct acta_member *member, uint8_t kind, uint8_t *body, size_t size,
      uint64_t now_ms, struct acta_err *err)
{
    struct core *core = member->core;
    struct msg_left left;
    struct acta_err why;
    enum acta_code code;

    if (kind == OP_ERROR) {
        code = answer_read(&core->answer, kind, body, size, &why, err);
    } else {
        code = msg_left_decode(&left, slice_make(body, size), err);
        if (code == ACTA_OK) {
            /* What nobody here asked for is no end. */
            acta_fail(&why, left.code == ACTA_OK ? ACTA_BUSY : left.code,
                      "%.*s", (int)left.text.size,
                      (const char *)left.text.data);
        }
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (core_is_passing(why.code)) {
        make_idle(member);
        core_hold(core, &why, now_ms);
    } else {
        end(member, &why);
    }
    return ACTA_OK;
}

enum acta_code
member_receive(struct acta_member *member, uint8_t kind, uint8_t *body,
               size_t size, uint64_t now_ms, struct acta_err *err)
{
    enum acta_code code;

    switch (kind) {
    case OP_ERROR:
    case OP_LEFT:
        return ended(member, kind, body, size, now_ms, err);
    case OP_JOINED:
        core_is_well(member->core);
        return joined(member, slice_make(body, size), err);
    case OP_HANDED:
        core_is_well(member->core);
        if (member->paused || member_has_events(member)) {
            return member_keep_frame(member, body, size, err);
        }
        code = member_read_frame(member, body, size, err);
        return code == ACTA_OK ? member_tell_events(member, err) : code;
    default:
        return acta_fail(err, ACTA_PROTOCOL,
                         "frame of kind 0x%02x for a membership", kind);
    }
}

void
members_lost(struct core *core)
{
    for (size_t i = 0; i < core->members.capacity; i++) {
        if (core->members.slots[i] != NULL) {
            make_idle(core->members.slots[i]);
        }
    }
}

void
members_end(struct core *core, const struct acta_err *why)
{
    /* Callbacks may end others; what they begin may be ended too. */
    size_t capacity = core->members.capacity;

    for (size_t i = 0; i < capacity; i++) {
        if (core->members.slots[i] != NULL) {
            end(core->members.slots[i], why);
        }
    }
}
