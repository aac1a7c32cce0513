/* How many instructions a hot path takes. Under callgrind what lies between
 * cost_begin() and cost_end() is counted, and nothing else: the same every
 * time, however busy the machine is. cost.py compares the counts with those in
 * the repository. Run by itself, a path only does what it does.
 */

#ifndef ACTA_TEST_COST_H
#define ACTA_TEST_COST_H

#include <stdint.h>

#include <valgrind/callgrind.h>

#define cost_begin() CALLGRIND_TOGGLE_COLLECT

/* What was counted since is that of doing it @count times. */
void cost_end(const char *path, uint64_t count);

/* The paths, by what they are about. */
void cost_wire(void);
void cost_decide(void);
void cost_read(void);
void cost_group(void);

#endif
