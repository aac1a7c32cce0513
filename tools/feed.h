/* Where replayed events go: to stdout, to a command, or each to a command of
 * its own; a line each, as acta import takes them, and at no more than a rate.
 *
 * interrupt_catch() comes first. One thread.
 */

#ifndef ACTA_FEED_H
#define ACTA_FEED_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "child.h"

struct feed {
    const char *line; /* The shell runs it; NULL: stdout. */
    bool is_each;     /* Once for each event. */
    uint64_t rate;    /* Events a second at most; 0: as fast as it goes. */
    uint64_t due_us;  /* When the next one may go. */
    struct child child;
    FILE *out; /* owned: collects a line */
    char *text;
    size_t size;
    uint64_t count;    /* Events that were taken, */
    uint64_t position; /* and the position of the last of them. */
    uint64_t next;     /* Position of the one that was given last, taken or
                          not. */
};

/* @line, @is_each and @rate are as in the struct. IO, MEMORY. */
enum acta_code feed_open(struct feed *feed, const char *line, bool is_each,
                         uint64_t rate, struct acta_err *err) ACTA_CHECKED;

/* Hand over @event, when its time has come. CANCELLED: the command takes no
 * more, it has failed if it is one for each, or interrupt_caught(). IO.
 */
enum acta_code feed_give(struct feed *feed, const struct acta_event *event,
                         struct acta_err *err) ACTA_CHECKED;

/* Let the command see the end, and wait for its own. Returns what it exited
 * with, as child_exit_code(); 0 if there was none, or none was started.
 */
int feed_end(struct feed *feed);

#endif
