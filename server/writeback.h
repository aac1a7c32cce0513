/* Writing out what of a file is in memory only, in a way that leaves room for
 * the syncs of others.
 *
 * A commit of LMDB writes a hundred megabytes to the page cache and syncs them
 * at once. Whoever syncs another file of that disk meanwhile waits for all of
 * it: the appends do. So work that is spread (spread.h) first writes out a
 * megabyte at a time, with pauses as long as that took, and syncs when little
 * is left.
 *
 * LMDB calls fdatasync() and has no setting for how. The program's own
 * fdatasync() is found before the C library's (fdatasync.c), and comes here.
 */

#ifndef ACTA_WRITEBACK_H
#define ACTA_WRITEBACK_H

/* Write out as much of @fd as there is time for. 0, or -1 with errno: something
 * could not be written. The kernel tells that once, so the caller must not sync
 * the file then and believe the answer.
 */
int writeback(int fd);

#endif
