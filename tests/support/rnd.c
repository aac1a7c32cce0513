/* splitmix64: every seed is as good as any other, and one word is the state. */

#include "rnd.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void
rnd_init(struct rnd *rnd)
{
    const char *wanted = getenv("ACTA_SEED");
    uint32_t seed;

    if (wanted != NULL && wanted[0] != '\0') {
        rnd->state = strtoull(wanted, NULL, 0);
    } else {
        ck_assert_int_eq(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
        rnd->state = seed;
    }
    printf("ACTA_SEED=%ju\n", (uintmax_t)rnd->state);
    fflush(stdout); /* The test may end the process. */
}

void
rnd_seed(struct rnd *rnd, uint64_t seed)
{
    rnd->state = seed;
}

uint64_t
rnd_next(struct rnd *rnd)
{
    uint64_t mixed = rnd->state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

uint64_t
rnd_below(struct rnd *rnd, uint64_t end)
{
    return rnd_next(rnd) % end;
}

uint64_t
rnd_edgy(struct rnd *rnd)
{
    uint64_t power = (uint64_t)1 << rnd_below(rnd, 64);

    switch (rnd_below(rnd, 4)) {
    case 0:
        return rnd_below(rnd, 40);
    case 1:
        return power - 2 + rnd_below(rnd, 4);
    case 2:
        return rnd_next(rnd) & (power - 1);
    default:
        return rnd_next(rnd);
    }
}

bool
rnd_once_in(struct rnd *rnd, uint64_t times)
{
    return rnd_below(rnd, times) == 0;
}

void
rnd_bytes(struct rnd *rnd, void *to, size_t size)
{
    uint8_t *bytes = to;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)rnd_next(rnd);
    }
}

static bool
is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && value[0] == '1';
}

unsigned
rnd_effort(unsigned usual, unsigned much)
{
    if (is_set("ACTA_TEST_LONG")) {
        return much;
    }
    return is_set("ACTA_TEST_SHORT") ? usual / 20 + 1 : usual;
}
