/* The server waits until a peer has taken all that it is sent. */

#include <poll.h>
#include <sys/socket.h>

ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);

ssize_t
__wrap_send(int fd, const void *bytes, size_t size, int flags)
{
    struct pollfd polled = {.fd = fd, .events = POLLOUT};
    const char *at = bytes;
    size_t left = size;

    while (left > 0) {
        ssize_t sent = __real_send(fd, at, left, flags);

        if (sent >= 0) {
            at += sent;
            left -= (size_t)sent;
        } else if (poll(&polled, 1, -1) <= 0 || (polled.revents & POLLERR)) {
            return -1;
        }
    }
    return (ssize_t)size;
}
