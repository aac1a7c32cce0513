/* Writes down what a program does and sees, one line of JSON each, for
 * check.py; README.md says what the lines mean.
 *
 * Each line is with the kernel when note() returns: a process that is killed
 * has written down all that it did before. One thread at a time.
 */

#ifndef ACTA_TEST_NOTES_H
#define ACTA_TEST_NOTES_H

#include <stdint.h>

#include "err.h"
#include "slice.h"

struct notes;

/* Begin, or go on with, the file @dir/@name. Fails the test if that is not
 * possible.
 */
struct notes *notes_open(const char *dir, const char *name);
void notes_close(struct notes *notes);

/* Add a line: an object, without its end of line. */
void note(struct notes *notes, const char *fmt, ...) ACTA_PRINTF(2, 3);

/* A line in pieces: any number of note_part(), then note_end(). */
void note_part(struct notes *notes, const char *fmt, ...) ACTA_PRINTF(2, 3);
void note_end(struct notes *notes);

/* Time that is the same for all processes of this machine, and never set. Where
 * it begins anew with each boot, ACTA_TEST_TIME_US in the environment says
 * when.
 */
uint64_t notes_time_us(void);

#endif
