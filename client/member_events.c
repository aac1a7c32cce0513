/* What a membership is handed, event by event, and what is answered. */

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "member.h"
#include "name.h"

#define US_PER_MS 1000

/* ---- keys ---- */

/* Never 0. */
static uint64_t
hash_of(const char *text)
{
    uint64_t hash = hash_bytes(slice_of(text), 0);

    return hash == 0 ? 1 : hash;
}

static uint64_t
key_of(const struct acta_member *member, const struct acta_event *event)
{
    size_t size = strlen(member->key_tag);

    for (size_t i = 0; size > 0 && i < event->tags_count; i++) {
        if (strncmp(event->tags[i], member->key_tag, size) == 0) {
            return hash_of(event->tags[i]);
        }
    }
    return hash_of(event->stream);
}

/* An event that is not answered yet may be retried when it is not here any
 * more.
 */
static void
keep_key(struct acta_member *member)
{
    struct hand_entry *entry =
        member->event == NULL ? NULL : hand_find(&member->hand, member->number);

    if (entry != NULL && entry->key == 0) {
        entry->key = key_of(member, member->event);
    }
    member->event = NULL;
}

/* ---- answers ---- */

/* A reason as it may be told: cut to what is allowed, between two characters,
 * and what is no text made visible. NULL: no memory, or none was given.
 */
static char *
copy_reason(const char *reason)
{
    size_t size = reason == NULL ? 0 : strnlen(reason, ACTA_TEXT_SIZE_MAX + 1);
    char *copy;

    if (size == 0) {
        return NULL;
    }
    if (size > ACTA_TEXT_SIZE_MAX) {
        size = ACTA_TEXT_SIZE_MAX;
        while (size > 0 && ((unsigned char)reason[size] & 0xC0) == 0x80) {
            size--;
        }
    }
    copy = strndup(reason, size);
    if (copy != NULL && !name_is_lines(slice_of(copy))) {
        for (size_t i = 0; i < size; i++) {
            if (!(copy[i] >= ' ' && copy[i] <= '~')) {
                copy[i] = '?';
            }
        }
    }
    return copy;
}

void
member_answer(struct acta_member *member, uint64_t number,
              enum msg_settle_kind kind, uint64_t delay_ms, const char *reason)
{
    struct hand_entry *entry = hand_find(&member->hand, number);
    uint64_t delay_max_ms = ACTA_RETRY_US_MAX / US_PER_MS;

    if (entry == NULL) {
        member->answers_lost |= hand_has_lost(&member->hand, number);
        return;
    }
    if (kind == MSG_RETRY) {
        entry->delay_us =
            (delay_ms < delay_max_ms ? delay_ms : delay_max_ms) * US_PER_MS;
    }
    if (kind == MSG_PARK) {
        entry->reason = copy_reason(reason);
    }
    if (kind == MSG_RETRY || (kind == MSG_PARK && member->park_waits)) {
        keep_key(member); /* If it is the event that was told last. */
        /* Without memory for it answers to those behind it are refused. */
        (void)taken_add(&member->taken, entry->key, entry->position,
                        member->answer.handed.fence);
    }
    hand_answer(&member->hand, entry, kind);
}

void
member_ack_up_to(struct acta_member *member, uint64_t number)
{
    member->answers_lost |= hand_has_lost_up_to(&member->hand, number);
    hand_ack_up_to(&member->hand, number);
}

/* ---- events ---- */

static void
next_count(struct acta_member *member)
{
    struct answer *answer = &member->answer;
    struct msg_count count = {.index = UINT64_MAX};

    if (answer->counts_count > 0) {
        answer->counts_count--;
        count = msg_next_count(&answer->counts);
    }
    member->next_count = count.index;
    member->count = count.deliveries;
}

enum acta_code
member_read_frame(struct acta_member *member, uint8_t *body, size_t size,
                  struct acta_err *err)
{
    enum acta_code code =
        answer_read(&member->answer, OP_HANDED, body, size, NULL, err);

    member->told = 0;
    if (code != ACTA_OK) {
        member->answer.handed.events_count = 0;
        return code;
    }
    if (member->answer.handed.fence > member->fence) {
        member->fence = member->answer.handed.fence;
    }
    next_count(member);
    return ACTA_OK;
}

static enum acta_code
read_next_frame(struct acta_member *member, struct acta_err *err)
{
    struct handed_frame *frame = member->first;
    enum acta_code code;

    member->first = frame->next;
    if (member->first == NULL) {
        member->last = NULL;
    }
    code = member_read_frame(member, frame->body, frame->size, err);
    member->waiting -= member->answer.handed.events_count;
    free(frame);
    return code;
}

enum acta_code
member_keep_frame(struct acta_member *member, const uint8_t *body, size_t size,
                  struct acta_err *err)
{
    struct handed_frame *frame = malloc(sizeof(*frame) + size);
    struct msg_handed handed;
    enum acta_code code =
        msg_handed_decode(&handed, slice_make(body, size), err);

    if (code != ACTA_OK || frame == NULL) {
        free(frame);
        return code != ACTA_OK
                   ? code
                   : acta_fail(err, ACTA_MEMORY, "what a member is handed");
    }
    frame->next = NULL;
    frame->size = size;
    memcpy(frame->body, body, size);
    if (member->first == NULL) {
        member->first = frame;
    } else {
        member->last->next = frame;
    }
    member->last = frame;
    member->waiting += handed.events_count;
    if (handed.fence > member->fence) {
        member->fence = handed.fence;
    }
    return ACTA_OK;
}

/* Take the next event of the frame into the hand. Its number is 0 if it is not
 * to be told, since it is the server's again.
 */
static enum acta_code
take_event(struct acta_member *member, struct acta_handed *handed,
           struct acta_err *err)
{
    struct answer *answer = &member->answer;
    const struct acta_event *event = answer->view.pointers[member->told];
    bool is_taken = member->taken.count > 0 &&
                    taken_holds(&member->taken, key_of(member, event),
                                event->position, answer->handed.fence);
    uint64_t deliveries = 1;

    if (member->told == member->next_count) {
        deliveries = member->count;
        next_count(member);
    }
    member->told++;
    *handed = (struct acta_handed){
        .event = event,
        .number =
            hand_add(&member->hand, event->position, answer->handed.fence),
        .fence = answer->handed.fence,
        .deliveries = deliveries,
        .head = answer->handed.head,
        .behind = answer->handed.events_count - member->told + member->waiting,
    };
    if (handed->number == 0) {
        return acta_fail(err, ACTA_MEMORY, "what a member has in hand");
    }
    if (is_taken) {
        hand_give_back(&member->hand, hand_find(&member->hand, handed->number));
        handed->number = 0;
    } else {
        member->event = event;
        member->number = handed->number;
    }
    return ACTA_OK;
}

enum acta_code
member_next(struct acta_member *member, struct acta_handed *handed,
            bool *is_there, struct acta_err *err)
{
    keep_key(member);
    *handed = (struct acta_handed){0};
    *is_there = false;
    while (member_has_events(member)) {
        enum acta_code code;

        if (hand_is_full(&member->hand)) {
            hand_give_back_oldest(&member->hand);
            return ACTA_OK; /* There is room when that was told. */
        }
        code = member->told < member->answer.handed.events_count
                   ? take_event(member, handed, err)
                   : read_next_frame(member, err);

        if (code != ACTA_OK) {
            return code;
        }
        if (handed->number != 0) {
            *is_there = true;
            return ACTA_OK;
        }
    }
    taken_drop_settled(&member->taken);
    return ACTA_OK;
}

void
member_give_up(struct acta_member *member, const struct acta_err *why)
{
    member->trouble = *why;
}

enum acta_code
member_tell_events(struct acta_member *member, struct acta_err *err)
{
    while (!member->paused) {
        struct acta_handed handed;
        bool is_there;
        enum acta_code code = member_next(member, &handed, &is_there, err);

        if (code != ACTA_OK || !is_there) {
            return code;
        }
        member->callbacks++;
        member->join.on_event(member->join.user, &handed);
        keep_key(member);
        if (!member_lives_on(member)) {
            return ACTA_OK;
        }
    }
    return ACTA_OK;
}

enum acta_code
members_catch_up(struct core *core, struct acta_err *err)
{
    for (size_t i = 0; i < core->members.capacity; i++) {
        struct acta_member *member = core->members.slots[i];

        if (member != NULL && member->trouble.code != ACTA_OK) {
            return acta_fail(err, member->trouble.code, "%s",
                             member->trouble.text);
        }
        if (member != NULL && !member->paused && member_has_events(member)) {
            enum acta_code code = member_tell_events(member, err);

            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    return ACTA_OK;
}
