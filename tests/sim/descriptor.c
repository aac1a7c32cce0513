#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "reach.h"
#include "task.h"

#define DESCRIPTORS_MAX 1024

struct descriptor {
    const struct descriptor_kind *kind; /* NULL: free */
    void *of;
    unsigned owner;
};

static struct descriptor all[DESCRIPTORS_MAX];

int
descriptor_new(const struct descriptor_kind *kind, void *of)
{
    for (int i = 0; i < DESCRIPTORS_MAX; i++) {
        if (all[i].kind == NULL) {
            all[i] = (struct descriptor){kind, of, task_owner()};
            return i + DESCRIPTOR_FIRST;
        }
    }
    errno = EMFILE;
    return -1;
}

static struct descriptor *
find(int fd)
{
    int at = fd - DESCRIPTOR_FIRST;

    if (at < 0 || at >= DESCRIPTORS_MAX || all[at].kind == NULL) {
        errno = EBADF;
        return NULL;
    }
    if (all[at].owner != task_owner()) {
        sim_fail("descriptor %d is of another process", fd);
    }
    return &all[at];
}

void *
descriptor_get(int fd, const struct descriptor_kind *kind)
{
    struct descriptor *descriptor = find(fd);

    if (descriptor == NULL || descriptor->kind != kind) {
        errno = EBADF;
        return NULL;
    }
    return descriptor->of;
}

static void
end(struct descriptor *descriptor)
{
    const struct descriptor_kind *kind = descriptor->kind;

    descriptor->kind = NULL;
    if (kind->close != NULL) {
        kind->close(descriptor->of);
    }
}

void
descriptor_close_all(unsigned owner)
{
    for (size_t i = 0; i < DESCRIPTORS_MAX; i++) {
        if (all[i].kind != NULL && all[i].owner == owner) {
            end(&all[i]);
        }
    }
}

size_t
descriptor_count(unsigned owner)
{
    size_t count = 0;

    for (size_t i = 0; i < DESCRIPTORS_MAX; i++) {
        count += all[i].kind != NULL && all[i].owner == owner;
    }
    return count;
}

/* ---- calls ---- */

SIM_CALL int
close(int fd)
{
    struct descriptor *descriptor;

    if (fd < DESCRIPTOR_FIRST) {
        return real_close(fd);
    }
    task_yield();
    descriptor = find(fd);
    if (descriptor == NULL) {
        sim_fail("descriptor %d is closed twice", fd);
    }
    end(descriptor);
    return 0;
}

SIM_CALL ssize_t
read(int fd, void *bytes, size_t size)
{
    struct descriptor *descriptor;

    if (fd < DESCRIPTOR_FIRST) {
        return real_read(fd, bytes, size);
    }
    task_yield();
    descriptor = find(fd);
    if (descriptor == NULL || descriptor->kind->read == NULL) {
        errno = EBADF;
        return -1;
    }
    return descriptor->kind->read(descriptor->of, bytes, size);
}

SIM_CALL ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);

SIM_CALL ssize_t
__read_chk(int fd, void *bytes, size_t size, size_t room)
{
    (void)room;
    return read(fd, bytes, size);
}

SIM_CALL ssize_t
write(int fd, const void *bytes, size_t size)
{
    struct descriptor *descriptor;

    if (fd < DESCRIPTOR_FIRST) {
        return real_write(fd, bytes, size);
    }
    task_yield();
    descriptor = find(fd);
    if (descriptor == NULL || descriptor->kind->write == NULL) {
        errno = EBADF;
        return -1;
    }
    return descriptor->kind->write(descriptor->of, bytes, size);
}

/* ---- waiting for them ---- */

struct wanted {
    struct pollfd *fds;
    nfds_t count;
};

static short
events_of(const struct pollfd *wanted)
{
    const struct descriptor *descriptor;
    short events;

    if (wanted->fd < DESCRIPTOR_FIRST) {
        return 0;
    }
    descriptor = &all[wanted->fd - DESCRIPTOR_FIRST];
    if (descriptor->kind == NULL) {
        return POLLNVAL;
    }
    events = descriptor->kind->events == NULL
                 ? POLLIN | POLLOUT
                 : descriptor->kind->events(descriptor->of);
    return (short)(events & (wanted->events | POLLERR | POLLHUP));
}

static bool
any_ready(void *arg)
{
    const struct wanted *wanted = arg;

    for (nfds_t i = 0; i < wanted->count; i++) {
        if (events_of(&wanted->fds[i]) != 0) {
            return true;
        }
    }
    return false;
}

SIM_CALL int
poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct wanted wanted = {fds, count};
    uint64_t until_ns = timeout_ms < 0
                            ? SIM_NEVER
                            : task_now_ns() + (uint64_t)timeout_ms * SIM_MS;
    int ready = 0;

    task_yield();
    if (timeout_ms != 0 && !any_ready(&wanted)) {
        (void)task_wait(any_ready, &wanted, until_ns);
    }
    for (nfds_t i = 0; i < count; i++) {
        fds[i].revents = events_of(&fds[i]);
        ready += fds[i].revents != 0;
    }
    return ready;
}

/* ---- descriptors that only wake ---- */

static short
bell_events(void *of)
{
    const uint64_t *rung = of;

    return (short)(POLLOUT | (*rung > 0 ? POLLIN : 0));
}

static ssize_t
bell_read(void *of, void *bytes, size_t size)
{
    uint64_t *rung = of, *to = bytes;

    (void)size;
    if (*rung == 0) {
        errno = EAGAIN;
        return -1;
    }
    *to = *rung;
    *rung = 0;
    return (ssize_t)sizeof(*to);
}

static ssize_t
bell_write(void *of, const void *bytes, size_t size)
{
    uint64_t *rung = of;
    const uint64_t *from = bytes;

    (void)size;
    *rung += *from;
    return (ssize_t)sizeof(*from);
}

static const struct descriptor_kind bell = {
    .events = bell_events,
    .read = bell_read,
    .write = bell_write,
    .close = free,
};

SIM_CALL int
eventfd(unsigned count, int flags)
{
    uint64_t *rung = calloc(1, sizeof(*rung));

    (void)flags;
    if (rung == NULL) {
        errno = ENOMEM;
        return -1;
    }
    *rung = count;
    return descriptor_new(&bell, rung);
}

/* ---- numbers of descriptors: all that is asked of a copy ---- */

static const struct descriptor_kind copy = {.events = NULL};

SIM_CALL int
dup(int fd)
{
    return find(fd) == NULL ? -1 : descriptor_new(&copy, NULL);
}
