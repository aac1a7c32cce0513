/* Entries are numbered from 1 and linked by their numbers, so that the array
 * may move when it grows. An entry that was answered stays in the order until
 * it is told: what is handed out behind it cannot be acked along with it
 * before.
 */

#include "hand.h"

#include <stdlib.h>

#include "limit.h"

#define NONE         0u
#define CAPACITY_MIN 64u

/* A number is a serial number and the entry. */
#define ENTRY_BITS   16
#define CAPACITY_MAX ((1u << ENTRY_BITS) - 1)

/* What is given back is tried again at once. Delays of callers are of whole
 * milliseconds, so this one tells the two apart.
 */
#define GIVEN_BACK_US  1
#define GIVEN_BACK_MAX 1000 /* At once, to have room. */

void
hand_fini(struct hand *hand)
{
    hand_clear(hand);
    free(hand->entries);
    free(hand->answers);
    *hand = (struct hand){0};
}

/* From the first that was not answered on: those behind it that were are not
 * answered twice by anybody who keeps to the rules.
 */
static void
note_lost(struct hand *hand)
{
    uint32_t i = hand->first;

    while (i != NONE && hand->entries[i].is_answered) {
        i = hand->entries[i].next;
    }
    if (i == NONE) {
        return;
    }
    if (hand->lost_to == 0) {
        hand->lost_from = hand->entries[i].number;
    }
    hand->lost_to = hand->serial << ENTRY_BITS | CAPACITY_MAX;
}

bool
hand_has_lost(const struct hand *hand, uint64_t number)
{
    return hand->lost_to > 0 && number >= hand->lost_from &&
           number <= hand->lost_to;
}

bool
hand_has_lost_up_to(struct hand *hand, uint64_t number)
{
    bool has_lost = hand->lost_to > 0 && number >= hand->lost_from;

    if (has_lost && number >= hand->lost_to) {
        hand->lost_to = 0;
    } else if (has_lost) {
        hand->lost_from = number + 1;
    }
    return has_lost;
}

void
hand_clear(struct hand *hand)
{
    note_lost(hand);
    for (uint32_t i = 1; i <= hand->used; i++) {
        free(hand->entries[i].reason);
        hand->entries[i] = (struct hand_entry){0};
    }
    hand->used = 0;
    hand->free = NONE;
    hand->first = NONE;
    hand->last = NONE;
    hand->first_answered = NONE;
    hand->last_answered = NONE;
    hand->count = 0;
    hand->answered = 0;
}

bool
hand_is_full(const struct hand *hand)
{
    return hand->free == NONE && hand->used == CAPACITY_MAX;
}

static bool
grow(struct hand *hand)
{
    uint32_t capacity = hand->capacity == 0 ? CAPACITY_MIN : 2 * hand->capacity;
    struct hand_entry *larger;

    if (capacity > CAPACITY_MAX) {
        capacity = CAPACITY_MAX;
    }
    larger =
        realloc(hand->entries, ((size_t)capacity + 1) * sizeof(*hand->entries));
    if (larger == NULL) {
        return false;
    }
    hand->entries = larger;
    hand->capacity = capacity;
    return true;
}

/* An entry that is free, or NONE. */
static uint32_t
take_entry(struct hand *hand)
{
    uint32_t entry = hand->free;

    if (entry != NONE) {
        hand->free = hand->entries[entry].next;
        return entry;
    }
    if (hand->used == CAPACITY_MAX ||
        (hand->used == hand->capacity && !grow(hand))) {
        return NONE;
    }
    return ++hand->used;
}

uint64_t
hand_add(struct hand *hand, uint64_t position, uint64_t fence)
{
    uint32_t entry = take_entry(hand);

    if (entry == NONE) {
        return 0;
    }
    hand->entries[entry] = (struct hand_entry){
        .number = ++hand->serial << ENTRY_BITS | entry,
        .position = position,
        .fence = fence,
        .prev = hand->last,
    };
    if (hand->last == NONE) {
        hand->first = entry;
    } else {
        hand->entries[hand->last].next = entry;
    }
    hand->last = entry;
    hand->count++;
    return hand->entries[entry].number;
}

struct hand_entry *
hand_find(struct hand *hand, uint64_t number)
{
    uint32_t i = (uint32_t)(number & CAPACITY_MAX);
    struct hand_entry *entry;

    if (i == NONE || i > hand->used) {
        return NULL;
    }
    entry = &hand->entries[i];
    return entry->number == number && !entry->is_answered ? entry : NULL;
}

void
hand_answer(struct hand *hand, struct hand_entry *entry,
            enum msg_settle_kind kind)
{
    uint32_t i = (uint32_t)(entry - hand->entries);

    entry->kind = (uint8_t)kind;
    entry->is_answered = true;
    entry->next_answered = NONE;
    if (hand->last_answered == NONE) {
        hand->first_answered = i;
    } else {
        hand->entries[hand->last_answered].next_answered = i;
    }
    hand->last_answered = i;
    hand->answered++;
    hand->count--;
    if (kind == MSG_RETRY || kind == MSG_PARK) {
        hand_be_exact(hand);
    }
}

void
hand_be_exact(struct hand *hand)
{
    hand->exact_until = hand->serial;
}

void
hand_ack_up_to(struct hand *hand, uint64_t number)
{
    uint32_t i = hand->first;

    while (i != NONE && hand->entries[i].number <= number) {
        struct hand_entry *entry = &hand->entries[i];

        if (!entry->is_answered) {
            hand_answer(hand, entry, MSG_ACK);
        }
        i = entry->next;
    }
}

void
hand_give_back(struct hand *hand, struct hand_entry *entry)
{
    entry->delay_us = GIVEN_BACK_US;
    hand_answer(hand, entry, MSG_RETRY);
}

void
hand_give_back_oldest(struct hand *hand)
{
    uint32_t left = GIVEN_BACK_MAX;

    for (uint32_t i = hand->first; i != NONE && left > 0;
         i = hand->entries[i].next) {
        if (!hand->entries[i].is_answered) {
            hand_give_back(hand, &hand->entries[i]);
            left--;
        }
    }
}

bool
hand_was_given_back(const struct msg_answer *answer)
{
    return answer->kind == MSG_RETRY && answer->delay_us == GIVEN_BACK_US;
}

/* ---- telling ---- */

static void
unlink_entry(struct hand *hand, struct hand_entry *entry)
{
    if (entry->prev == NONE) {
        hand->first = entry->next;
    } else {
        hand->entries[entry->prev].next = entry->next;
    }
    if (entry->next == NONE) {
        hand->last = entry->prev;
    } else {
        hand->entries[entry->next].prev = entry->prev;
    }
}

static void
tell(struct hand *hand, struct hand_entry *entry, enum msg_settle_kind kind)
{
    hand->has_reasons |= entry->reason != NULL;
    hand->answers[hand->answers_count++] = (struct msg_answer){
        .kind = kind,
        .fence = entry->fence,
        .position = entry->position,
        .delay_us = entry->delay_us,
        .reason = slice_of(entry->reason == NULL ? "" : entry->reason),
    };
}

/* A run of acks that is told by its last event. */
struct run {
    struct hand_entry *last; /* NULL: there is none. */
    size_t count;
};

static void
tell_run(struct hand *hand, struct run *run)
{
    if (run->last != NULL) {
        tell(hand, run->last, run->count == 1 ? MSG_ACK : MSG_ACK_UP_TO);
    }
    *run = (struct run){0};
}

static bool
is_alone(const struct hand *hand, const struct hand_entry *entry)
{
    return entry->kind != MSG_ACK ||
           entry->number >> ENTRY_BITS <= hand->exact_until;
}

/* Tell the answers to the first events in hand, up to the first that has none:
 * each run of acks at once. Returns how many events that are.
 */
static size_t
tell_first(struct hand *hand, size_t answers_max)
{
    struct run run = {0};
    size_t count = 0;

    while (hand->first != NONE &&
           hand->answers_count + (run.last != NULL) < answers_max) {
        struct hand_entry *entry = &hand->entries[hand->first];

        if (!entry->is_answered) {
            break;
        }
        if (is_alone(hand, entry)) {
            tell_run(hand, &run);
            tell(hand, entry, (enum msg_settle_kind)entry->kind);
        } else {
            run.last = entry;
            run.count++;
        }
        unlink_entry(hand, entry);
        entry->is_told = true;
        count++;
    }
    tell_run(hand, &run);
    return count;
}

/* Tell the answers to others, one by one. */
static size_t
tell_others(struct hand *hand, size_t answers_max)
{
    size_t count = 0;

    for (uint32_t i = hand->first_answered;
         i != NONE && hand->answers_count < answers_max;
         i = hand->entries[i].next_answered) {
        struct hand_entry *entry = &hand->entries[i];

        if (!entry->is_told) {
            tell(hand, entry, (enum msg_settle_kind)entry->kind);
            unlink_entry(hand, entry);
            entry->is_told = true;
            count++;
        }
    }
    return count;
}

/* All were told: begin anew with the first entry. */
static void
free_all(struct hand *hand)
{
    hand->used = 0;
    hand->free = NONE;
    hand->first_answered = NONE;
    hand->last_answered = NONE;
}

static void
free_told(struct hand *hand)
{
    if (hand->first == NONE && !hand->has_reasons) {
        free_all(hand);
        return;
    }
    while (hand->first_answered != NONE) {
        uint32_t i = hand->first_answered;
        struct hand_entry *entry = &hand->entries[i];

        if (!entry->is_told) {
            return;
        }
        hand->first_answered = entry->next_answered;
        free(entry->reason);
        *entry = (struct hand_entry){.next = hand->free};
        hand->free = i;
    }
    hand->last_answered = NONE;
    hand->has_reasons = false;
}

static bool
reserve_answers(struct hand *hand, size_t wanted)
{
    struct msg_answer *larger;

    if (wanted <= hand->answers_capacity) {
        return true;
    }
    larger = realloc(hand->answers, 2 * wanted * sizeof(*larger));
    if (larger == NULL) {
        return false;
    }
    hand->answers = larger;
    hand->answers_capacity = 2 * wanted;
    return true;
}

size_t
hand_settle(struct hand *hand, struct buf *buf, uint64_t request_id,
            uint64_t membership)
{
    size_t answers_max =
        hand->answered < ACTA_SETTLE_MAX ? hand->answered : ACTA_SETTLE_MAX;
    size_t start;
    size_t count;

    if (!reserve_answers(hand, answers_max)) {
        return 0;
    }
    hand->answers_count = 0;
    count = tell_first(hand, answers_max);
    count += tell_others(hand, answers_max);
    hand->answered -= count;
    start = msg_settle_begin(buf, request_id, membership, hand->answers_count);
    for (size_t i = 0; i < hand->answers_count; i++) {
        msg_settle_answer(buf, &hand->answers[i]);
    }
    msg_settle_end(buf, start);
    free_told(hand);
    return count;
}
