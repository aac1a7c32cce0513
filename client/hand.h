/* What a member has in hand: events that its callback was given and that are
 * not yet settled, in the order in which they were handed out, and the answers
 * that are not yet told.
 *
 * Answers are gathered. Those to the first events in hand, without a gap, need
 * one "ack up to" for any number of acks.
 *
 * Nothing is allocated for an event once there is room for as many. One thread
 * at a time. A struct that is all zero holds nothing.
 */

#ifndef ACTA_CLIENT_HAND_H
#define ACTA_CLIENT_HAND_H

#include <stdbool.h>

#include "msg_group.h"

struct hand_entry {
    uint64_t number;   /* Grows with each handing out; 0: it is free. */
    uint64_t position; /* Of the event, */
    uint64_t fence;    /* and under which it was handed out. */
    uint64_t key;      /* Hash of it; the owner's; 0 at first. */
    uint64_t delay_us; /* MSG_RETRY */
    char *reason;      /* owned; MSG_PARK; NULL: none */
    uint32_t prev, next;
    uint32_t next_answered;
    uint8_t kind;     /* enum msg_settle_kind */
    bool is_answered; /* By the caller, not to the server yet. */
    bool is_told;
};

struct hand {
    struct hand_entry *entries; /* owned; 0 is none of them */
    uint32_t capacity;
    uint32_t used; /* Entries that were ever in use. */
    uint32_t free; /* A list over next. */
    uint32_t first, last;
    uint32_t first_answered, last_answered;
    size_t count;       /* In hand and not answered. */
    size_t answered;    /* And not told. */
    bool has_reasons;   /* Some that were told have one. */
    uint64_t lost_from; /* What was in hand when it was cleared, and has not */
    uint64_t lost_to;   /* been answered since: among these; 0: nothing was. */
    uint64_t serial;
    uint64_t
        exact_until; /* Serial number up to which each ack is told alone. */
    struct msg_answer *answers; /* owned: of one frame */
    size_t answers_count;
    size_t answers_capacity;
};

void hand_fini(struct hand *hand);

/* Nothing is in hand any more, and no answer will be told. */
void hand_clear(struct hand *hand);

/* True if an answer to @number comes too late, since that was in hand when it
 * was cleared; or to all up to it, since one of them was, which is told once.
 */
bool hand_has_lost(const struct hand *hand, uint64_t number);
bool hand_has_lost_up_to(struct hand *hand, uint64_t number);

/* An event is handed out: returns its number, or 0 if there is no memory. */
uint64_t hand_add(struct hand *hand, uint64_t position, uint64_t fence);

/* The event of this number, if it is in hand and not answered, or NULL. Valid
 * until another is added.
 */
struct hand_entry *hand_find(struct hand *hand, uint64_t number);

/* Answer for it; what belongs to the kind of answer is set in @entry before. */
void hand_answer(struct hand *hand, struct hand_entry *entry,
                 enum msg_settle_kind kind);

/* Of what is in hand now some may have been taken back by the server, which
 * refuses an "ack up to" such an event as a whole: tell each of these alone. It
 * is so by itself once one is retried or parked, and those of its key behind it
 * are taken back.
 */
void hand_be_exact(struct hand *hand);

/* Ack all that are in hand up to this number. */
void hand_ack_up_to(struct hand *hand, uint64_t number);

/* Give an event back to the server, which may have taken it already. */
void hand_give_back(struct hand *hand, struct hand_entry *entry);

/* True if there is no room for one more, whatever memory there is: many times
 * what the server hands out at once has not been answered. It has taken the
 * oldest back long ago; and here they are given back, to have room.
 */
bool hand_is_full(const struct hand *hand);
void hand_give_back_oldest(struct hand *hand);

/* Write a frame of settle with what was answered, as much as one takes. Returns
 * how many events that settles; 0: no memory, nothing was written.
 */
size_t hand_settle(struct hand *hand, struct buf *buf, uint64_t request_id,
                   uint64_t membership);

/* True if @answer was made by hand_give_back(). */
bool hand_was_given_back(const struct msg_answer *answer);

#endif
