/* Keys whose events are the server's again: a member has retried or parked an
 * event, and what was handed out behind it with the same key, and is still on
 * its way to the callback, will come again.
 *
 * A key is known by its hash. That two have the same is so unlikely that it may
 * cost a delivery: what is dropped without need is given back.
 *
 * One thread at a time. A struct that is all zero has no keys.
 */

#ifndef ACTA_CLIENT_TAKEN_H
#define ACTA_CLIENT_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taken_key {
    uint64_t hash;     /* 0: there is none here. */
    uint64_t position; /* Of the event that was retried or parked, or of the
                          first behind it that was dropped. */
    uint64_t settle;   /* Request that tells so; 0: it was not made yet. */
    uint64_t fence;    /* What was handed out up to this one is meant, since the
                          answer; UINT64_MAX: there is none yet. */
    bool is_dropping;  /* Some behind it were dropped. */
};

struct taken {
    struct taken_key *keys; /* owned: a hash table */
    size_t capacity;
    size_t count;
    bool has_settled; /* Some of them were answered. */
};

void taken_fini(struct taken *taken);
void taken_clear(struct taken *taken);

/* The event at @position, and what is behind it. What is told now was handed
 * out under @fence, and what is still to be told under no lesser one: keys that
 * hold nothing any more make room. False: no memory.
 */
bool taken_add(struct taken *taken, uint64_t hash, uint64_t position,
               uint64_t fence);

/* The request @settle tells the server of all that were added since the last
 * one.
 */
void taken_tell(struct taken *taken, uint64_t settle);

/* It was answered: what comes from now on was handed out after. What came
 * before, up to @fence, may still wait to be looked at here.
 */
void taken_settled(struct taken *taken, uint64_t settle, uint64_t fence);

/* Nothing waits any more: those that were answered go. */
void taken_drop_settled(struct taken *taken);

/* True if the event at @position, handed out under @fence, is to be dropped and
 * given back. If the server has not taken it back itself, since the retry or
 * park was refused, it does then: so what is behind it is dropped as well,
 * until that is answered. One that is handed out again ends it.
 */
bool taken_holds(struct taken *taken, uint64_t hash, uint64_t position,
                 uint64_t fence);

#endif
