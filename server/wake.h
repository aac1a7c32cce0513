/* Threads that have little to do at a time, and for which others wait.
 *
 * A processor that is busy goes on with what it does for some milliseconds
 * before it turns to what was woken meanwhile. That is longer than an append
 * takes, so the threads between socket and disk ask to come first: for short
 * turns, which is all they need.
 */

#ifndef ACTA_WAKE_H
#define ACTA_WAKE_H

/* Have the calling thread run soon whenever it is woken. It needs no privilege.
 * Linux has this from 6.12 on; elsewhere nothing changes, nor if it fails.
 */
void wake_soon(void);

#endif
