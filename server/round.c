#include "round.h"

#include <assert.h>

/* A rest takes as many times as long as the round before it as there were
 * events during that, but for the first, and so many times at most: then
 * delivering has a ninth of the thread's time, and who appends meanwhile loses
 * less than that. A round for a hundred subscribers takes about a millisecond,
 * so that up to a thousand events a second they do not wait.
 */
#define REST_ROUNDS_MAX 8

/* An event waits for one rest and one round, so a rest has a bound. Below the
 * other one it is not worth it: the loop's timers have milliseconds.
 */
#define REST_US_MAX 40000
#define REST_US_MIN 1000

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

/* How long to rest behind a round of @round_us, during which there were
 * @events.
 */
static uint64_t
rest_after(uint64_t round_us, uint64_t events)
{
    uint64_t rounds = events < 2 ? 0 : events - 1;
    uint64_t rest_us =
        round_us * (rounds < REST_ROUNDS_MAX ? rounds : REST_ROUNDS_MAX);

    if (rest_us < REST_US_MIN) {
        return 0;
    }
    return rest_us < REST_US_MAX ? rest_us : REST_US_MAX;
}

void
round_leave(struct round *round, uint64_t head, struct mono_time now)
{
    assert(round->left > 0);
    round->left--;
    if (round->left == 0) {
        round->rested.us =
            now.us + rest_after(now.us - round->began.us, head - round->head);
    }
}

uint64_t
round_rest_us(const struct round *round, uint64_t head, struct mono_time now)
{
    return round->left > 0 || head == round->head || now.us >= round->rested.us
               ? 0
               : round->rested.us - now.us;
}
