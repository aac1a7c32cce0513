/* A disk in memory, with one file system: what is on it for good, what is only
 * on its way, and what a power cut leaves of that.
 *
 * What was written to a file, and its size, is there for good when the file was
 * synced; a name is there, or gone, when its directory was synced; a rename is
 * whole. All else may be there after a power cut or not, each piece for itself:
 * of a write each block of 512 or 4096 bytes, of the names each change.
 *
 * The bytes of a file lie in one piece of memory, which is also what mmap()
 * gives: nothing here calls the system.
 */

#ifndef ACTA_SIM_DRIVE_H
#define ACTA_SIM_DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drive_odds {
    uint64_t sync_ns;    /* What most syncs take, at most. */
    uint64_t slow_odds;  /* Once in so many: much longer. */
    uint64_t slow_ns;    /* At most. */
    bool names_in_order; /* Names reach the disk in the order of changes. */
    bool writes_out;     /* Parts of a file can be written out. */
    bool loses_syncs;    /* A control: what was synced may be lost. */
};

void drive_init(const struct drive_odds *odds);

struct drive_counts {
    uint64_t writes;
    uint64_t syncs;
    uint64_t write_outs; /* Of parts of which something was on its way. */
    uint64_t bytes;
    uint64_t failures;
    uint64_t lost; /* Blocks and names that were on their way at a cut. */
};

const struct drive_counts *drive_counts(void);

/* The power goes. What was on its way is there, in part, or not. Descriptors
 * must be closed, and nothing mapped be used any more.
 */
void drive_cut_power(void);

/* Let one of the next @calls calls that write or sync fail, or the next one
 * that writes out: with an I/O error, and what was on its way lost in part.
 */
void drive_fail_soon(uint64_t calls);

/* No call fails any more. */
void drive_mend(void);

/* There is no room left; or there is again. */
void drive_fill(bool full);

#endif
