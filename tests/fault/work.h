/* A process that works through steps of the script, to be recorded, hindered
 * and killed. What it does is told by its environment, what came of it by its
 * notes and its exit code.
 */

#ifndef ACTA_TEST_WORK_H
#define ACTA_TEST_WORK_H

#include <stdbool.h>

/* It has tried for as long as it may, and was always refused. */
#define WORK_GAVE_UP_STATUS 34

/* The database could not be opened, which it said so in order. */
#define WORK_NOT_OPENED_STATUS 35

struct work {
    const char *program;  /* NULL: fault_work; or one with a mistake in it. */
    const char *path;     /* Of the database. */
    const char *notes;    /* A file that it adds lines to, see past.h. */
    const char *texts;    /* NULL, or a directory: gets what is told after each
                             step, in a file with the step's number as its name. */
    unsigned from, to;    /* Steps; with @to below @from it only opens. */
    bool closes;          /* In order, at the end; else it dies. */
    unsigned patience_ms; /* How long it tries a step that is refused. */
    const char *const *extra; /* NULL, or "NAME=value" for its environment, up
                                 to a NULL: shims and what they are told. */
    const char *said;         /* The file that has what it prints. */
};

/* In the extra environment: plants a mistake, that of a program that tries a
 * sync again when it has failed.
 */
#define WORK_SYNCS_AGAIN "WORK_SYNCS_AGAIN=1"

/* The other one: when something could not be written out, what the sync behind
 * that says is believed.
 */
#define WORK_BELIEVES_SYNC "WORK_BELIEVES_SYNC=1"

/* Run it and wait for its end: its wait status. Whatever else fails, fails the
 * test.
 */
int work_run(const struct work *work);

/* In the process itself: do what its environment says. Returns the status to
 * end with, or ends.
 */
int work_do(void);

#endif
