/* A line on the terminal that says how far a long work is: on stderr, if that
 * is a terminal, five times a second.
 */

#ifndef ACTA_BENCH_PROGRESS_H
#define ACTA_BENCH_PROGRESS_H

#include <stdint.h>

/* @what is being done, @done of @whole things are ("events"); @whole may be 0:
 * unknown. Cheap enough to be called at every turn of a loop.
 */
void progress_show(const char *what, const char *things, uint64_t done,
                   uint64_t whole);

/* The line goes away. */
void progress_clear(void);

#endif
