/* Descriptors of the simulated system: what they stand for is told by a kind,
 * whose functions are called. Numbers below DESCRIPTOR_FIRST are the real
 * system's. They belong to the owner of the task that made them.
 */

#ifndef ACTA_SIM_DESCRIPTOR_H
#define ACTA_SIM_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DESCRIPTOR_FIRST 64

/* Those that are NULL fail with EINVAL. */
struct descriptor_kind {
    short (*events)(void *of); /* As poll() tells them; NULL: always ready. */
    ssize_t (*read)(void *of, void *bytes, size_t size);
    ssize_t (*write)(void *of, const void *bytes, size_t size);
    void (*close)(void *of); /* May be NULL. */
};

int descriptor_new(const struct descriptor_kind *kind, void *of);

/* What @fd stands for; NULL, and EBADF, if it is none of this kind. */
void *descriptor_get(int fd, const struct descriptor_kind *kind);

/* The process has ended. */
void descriptor_close_all(unsigned owner);

/* How many it has. */
size_t descriptor_count(unsigned owner);

#endif
