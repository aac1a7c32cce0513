/* A server in the same process, in the place of sockets: it is connected to,
 * and takes and gives bytes, at once. What is called is called from the thread
 * of the client that is connected; a server for clients of several threads
 * takes care of that by itself.
 */

#ifndef ACTA_CLIENT_NEAR_H
#define ACTA_CLIENT_NEAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct near {
    /* A connection: a descriptor that can be read from, as poll(2) says, when
     * there is something to be received, or the time has moved. -1 with errno.
     */
    int (*connect)(struct near *near);

    /* As recv(2) and send(2). Sending takes everything. */
    ssize_t (*receive)(struct near *near, int fd, void *bytes, size_t size);
    ssize_t (*send)(struct near *near, int fd, const void *bytes, size_t size);

    /* The connection is over, and its descriptor is closed. */
    void (*close)(struct near *near, int fd);

    /* The time that its clients live by, in milliseconds; and when a client has
     * to ask it, by receiving, what has become of a request that waits, as if
     * the time went on from now; UINT64_MAX: never.
     */
    uint64_t (*now_ms)(struct near *near);
    uint64_t (*due_ms)(struct near *near, int fd);
};

#endif
