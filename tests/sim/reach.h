/* The system's own functions, for those that have taken their names. */

#ifndef ACTA_SIM_REACH_H
#define ACTA_SIM_REACH_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Look for them: once, before all else. */
void reach_init(void);

int real_close(int fd);
ssize_t real_read(int fd, void *bytes, size_t size);
ssize_t real_write(int fd, const void *bytes, size_t size);
void *real_mmap(void *at, size_t size, int protection, int flags, int fd,
                off_t offset);
int real_munmap(void *at, size_t size);
void *real_calloc(size_t count, size_t size);
uint64_t real_random(void);
void real_exit(int status) __attribute__((noreturn));

#endif
