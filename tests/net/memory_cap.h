/* A cap on the memory of processes, what they map of files included: a control
 * group of the test's own. Who needs more gives back pages of files, and is
 * killed when there are none. It takes root, and a kernel that has control
 * groups of memory, of either version.
 */

#ifndef ACTA_TEST_MEMORY_CAP_H
#define ACTA_TEST_MEMORY_CAP_H

#include <stdbool.h>
#include <stdint.h>

struct memory_cap {
    char dir[64];  /* Of the group; empty: there is none. */
    bool is_first; /* Of the first version of control groups. */
};

/* Make one of @size bytes. False if this machine does not permit it, or if
 * files of tests would be memory themselves; why is printed.
 */
bool memory_cap_make(struct memory_cap *cap, uint64_t size);

/* Remove it when its processes have ended. */
void memory_cap_remove(struct memory_cap *cap);

/* The file that a process is put in by writing its number to it, in memory that
 * the next call overwrites.
 */
const char *memory_cap_members(const struct memory_cap *cap);

/* How often its processes had to give something back, and how often one was
 * killed.
 */
uint64_t memory_cap_reached(const struct memory_cap *cap);
uint64_t memory_cap_kills(const struct memory_cap *cap);

#endif
