/* Random numbers that can be had again.
 *
 * A test that uses them prints its seed. ACTA_SEED=n in the environment makes
 * all of it repeat.
 */

#ifndef ACTA_TEST_RND_H
#define ACTA_TEST_RND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rnd {
    uint64_t state;
};

/* Start with the seed in ACTA_SEED, or a new one, and print it. */
void rnd_init(struct rnd *rnd);

/* Start with @seed and print nothing: for one of many parts of a test. */
void rnd_seed(struct rnd *rnd, uint64_t seed);

/* Any number. */
uint64_t rnd_next(struct rnd *rnd);

/* 0 to @end - 1. @end is not 0. */
uint64_t rnd_below(struct rnd *rnd, uint64_t end);

/* Any number, but small ones, and those around powers of two, more often. */
uint64_t rnd_edgy(struct rnd *rnd);

/* True once in @times. */
bool rnd_once_in(struct rnd *rnd, uint64_t times);

void rnd_bytes(struct rnd *rnd, void *to, size_t size);

/* How often a test does something: @usual times; @much if ACTA_TEST_LONG=1 is
 * in the environment; a twentieth of @usual with ACTA_TEST_SHORT=1, where every
 * step is slow, as under valgrind.
 */
unsigned rnd_effort(unsigned usual, unsigned much);

#endif
