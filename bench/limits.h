/* The machine: what it is, and how fast its disk, its memory and its loopback
 * are on their own, so that every figure can stand beside its limit.
 */

#ifndef ACTA_BENCH_LIMITS_H
#define ACTA_BENCH_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <acta/acta.h>

#include "hist.h"

struct machine {
    char cpu[96];
    long cpus;
    char kernel[96];
    double memory_gib;
    char filesystem[32];
};

/* @dir is where data goes. What cannot be found out is "unknown" or 0. */
void limits_describe(struct machine *machine, const char *dir);

/* @count times in a row: write the next @size bytes of a file in @dir that was
 * written before, and wait until they are on disk (fdatasync). @direct: around
 * the page cache (O_DIRECT), where the file system can do that; then @size is
 * a multiple of 4,096.
 */
enum acta_code limits_sync(const char *dir, bool direct, size_t size,
                           size_t count, struct hist *hist,
                           struct acta_err *err);

/* @count times: send 64 bytes over a TCP connection on loopback to another
 * thread that waits for them, and wait for its 64 bytes.
 */
enum acta_code limits_round_trip(size_t count, struct hist *hist,
                                 struct acta_err *err);

/* Copy @size bytes through such a connection; and from memory to memory, in
 * pieces that no cache holds. Bytes a second.
 */
enum acta_code limits_loopback(uint64_t size, double *bytes_s,
                               struct acta_err *err);
enum acta_code limits_memory(uint64_t size, double *bytes_s,
                             struct acta_err *err);

#endif
