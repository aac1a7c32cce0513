/* What a database must show after each step of the script, and so what it may
 * show after a fault: all that was acknowledged, and of the step that was under
 * way nothing, or all, or whole appends of it from the front.
 *
 * The texts come from a run in which nothing went wrong. That their events are
 * those of the script is checked against the script alone.
 */

#ifndef ACTA_TEST_PAST_H
#define ACTA_TEST_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script.h"

struct past {
    char *texts[SCRIPT_STEPS + 1]; /* owned: by step, of tell() */
    uint64_t cuts[SCRIPT_STEPS + 1][SCRIPT_JOBS];
    size_t cuts_count[SCRIPT_STEPS + 1];
};

/* Make one, by a run in @dir, which is empty. */
void past_make(struct past *past, const char *dir);
void past_free(struct past *past);

/* How far the work had come, by its notes, a line each:
 *
 *     begin N         Step N was about to be done: the one before it is done.
 *     done N CUT...   It was acknowledged; the cuts are those of script_do().
 *     refused N       It was not done, whenever it was tried.
 */
struct progress {
    unsigned done;
    unsigned begun;
    bool is_refused; /* The step that was begun. */
};

/* Note one line of notes. */
void progress_note(struct progress *progress, const char *line, size_t size);

/* The progress of notes in a file; none if it is not there. */
void progress_read(struct progress *progress, const char *path);

/* Is @text what a database may show then? *@step is the last one that is done
 * in it as a whole.
 */
bool past_allows(const struct past *past, const struct progress *progress,
                 const char *text, unsigned *step);

/* In what @text differs from what it should be after @step, for people. */
void past_compare(const struct past *past, unsigned step, const char *text,
                  char *to, size_t size);

#endif
