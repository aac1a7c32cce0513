/* Marks in the log of dm-log-writes: what was done to the disk before a mark
 * stands before it in the log. No libdevmapper, which is not there everywhere:
 * a mark is one call of the kernel.
 */

#ifndef ACTA_TEST_MARK_H
#define ACTA_TEST_MARK_H

/* Write @text to the log of the device-mapper device @name. Whatever fails,
 * fails the test. Any thread.
 */
void mark(const char *name, const char *text);

#endif
