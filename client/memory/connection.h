/* Connections of clients to the store in memory: what struct near has. Any
 * thread: they take the lock. Internal to client/memory/.
 */

#ifndef ACTA_MEMORY_CONNECTION_H
#define ACTA_MEMORY_CONNECTION_H

#include "memory_store.h"

int memory_connect(struct near *near);
ssize_t memory_send(struct near *near, int fd, const void *bytes, size_t size);
ssize_t memory_receive(struct near *near, int fd, void *bytes, size_t size);
void memory_close(struct near *near, int fd);
uint64_t memory_now_ms(struct near *near);
uint64_t memory_due_ms(struct near *near, int fd);

/* Let the client look around. Under the lock. */
void memory_wake(struct memory_connection *connection);

#endif
