/* What is said when this process is about to end by a fault: SIGBUS, SIGSEGV,
 * SIGILL, SIGFPE or SIGABRT.
 *
 * Files of store and journal are mapped. A page of them that the disk does not
 * give, or that was cut off, ends who touches it with SIGBUS, in whatever
 * thread; and a page of LMDB's that is damaged may send it anywhere, or into an
 * assertion. So the log gets a last line, with the file and the offset if the
 * address is in one.
 *
 * A page of a file that cannot be had ends the process with @status: storage
 * has failed. Any other fault goes its usual way after that, to a core dump or
 * a sanitizer.
 */

#ifndef ACTA_FAULT_H
#define ACTA_FAULT_H

/* For all threads. Once, before there are others. */
void fault_watch(int status);

#endif
