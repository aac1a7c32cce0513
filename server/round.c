#include "round.h"

#include <assert.h>

/* A rest takes so many times as long as the round before it: so delivering has
 * a quarter of the thread's time. A round for a hundred subscribers takes about
 * a millisecond.
 */
#define REST_ROUNDS 3

/* An event waits for one rest and one round, so a rest has a bound. Below the
 * other one it is not worth it: the loop's timers have milliseconds.
 */
#define REST_US_MAX 25000
#define REST_US_MIN 200

void
round_init(struct round *round)
{
    *round = (struct round){0};
}

bool
round_begin(struct round *round, uint64_t head, struct mono_time now)
{
    if (round->left > 0 || head == round->head || now.us < round->rested.us) {
        return false;
    }
    round->head = head;
    round->began = now;
    return true;
}

void
round_join(struct round *round)
{
    round->left++;
}

void
round_leave(struct round *round, uint64_t head, struct mono_time now)
{
    uint64_t rest_us = (now.us - round->began.us) * REST_ROUNDS;

    assert(round->left > 0);
    round->left--;
    if (round->left == 0 && head != round->head && rest_us >= REST_US_MIN) {
        round->rested.us =
            now.us + (rest_us < REST_US_MAX ? rest_us : REST_US_MAX);
    }
}

uint64_t
round_rest_us(const struct round *round, uint64_t head, struct mono_time now)
{
    return round->left > 0 || head == round->head || now.us >= round->rested.us
               ? 0
               : round->rested.us - now.us;
}
