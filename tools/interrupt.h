/* Ctrl-C, and the other ways to be asked to end, for commands that have
 * something to put away or to tell before they do. One thread.
 */

#ifndef ACTA_INTERRUPT_H
#define ACTA_INTERRUPT_H

#include <poll.h>
#include <stddef.h>

/* From now on SIGINT, SIGTERM and SIGHUP are only noted, and SIGCHLD wakes
 * interrupt_wait(). What was ignored stays so.
 */
void interrupt_catch(void);

/* Undo what a program that this process is about to become would inherit. */
void interrupt_release(void);

/* The first signal that was noted; 0: none. */
int interrupt_caught(void);

/* Wait until one of @pollfds (which may be NULL) is ready, a signal is noted, a
 * child has ended, or @timeout_ms has passed (negative: never). If a signal was
 * noted before, or nothing is ready, revents are 0.
 */
void interrupt_wait(struct pollfd *pollfds, size_t count, int timeout_ms);

#endif
