/* Ctrl-C, and the other ways to be asked to end, for commands that have
 * something to put away or to tell before they do. One thread.
 */

#ifndef ACTA_INTERRUPT_H
#define ACTA_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP is only noted; the next one
 * ends the program, for those who do not want to wait. SIGCHLD wakes
 * interrupt_wait(). What was ignored stays so.
 */
void interrupt_catch(void);

/* The same signals end the program at once, with exit code 0: for commands that
 * would go on for ever and have printed all that they know.
 */
void interrupt_exits(void);

/* The signal that was noted; 0: none. interrupt_forget() says that it was dealt
 * with: the next one of its kind is noted as well.
 */
int interrupt_caught(void);
void interrupt_forget(void);

/* While @all, no signal ends the program: for as long as each is passed on to
 * another, which must not go on alone.
 */
void interrupt_note_all(bool all);

/* Wait until one of @pollfds (which may be NULL) is ready, a signal is noted, a
 * child has ended, or @timeout_ms has passed (negative: never). Does not wait
 * if a signal was noted before, or a child has ended since the last call. If
 * nothing is ready, revents are 0.
 */
void interrupt_wait(struct pollfd *pollfds, size_t count, int timeout_ms);

#endif
