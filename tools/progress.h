/* A line on stderr that tells how far long work is: redrawn in place, if
 * stderr is a terminal, and else not there at all. One thread.
 */

#ifndef ACTA_PROGRESS_H
#define ACTA_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;
    uint64_t started_us;
    uint64_t drawn_us;
    uint64_t count; /* Of work whose bytes are told: progress_expect(). */
    uint64_t whole;
    uint64_t done;
};

/* @wanted: false for none, terminal or not. */
void progress_start(struct progress *progress, bool wanted);

/* @count things are done, which took @done of @whole bytes; 0: nobody knows how
 * many there are. Draws at most ten times a second.
 */
void progress_draw(struct progress *progress, uint64_t count, uint64_t done,
                   uint64_t whole);

/* For work on @count things in @whole bytes that tells how many bytes it has
 * done: to progress_add(), with the progress as its @user.
 */
void progress_expect(struct progress *progress, uint64_t count, uint64_t whole);
void progress_add(void *user, uint64_t bytes);

/* Wipe the line. */
void progress_end(struct progress *progress);

/* Since progress_start(). */
double progress_seconds(const struct progress *progress);

#endif
