/* Clients that append and watch, in a process of their own, so that a signal
 * can stop them all; what they see they write down for tests/check/check.py.
 *
 * They soon give up a connection on which nothing comes.
 */

#ifndef ACTA_TEST_CLIENTS_H
#define ACTA_TEST_CLIENTS_H

#include <stdint.h>
#include <sys/types.h>

#define CLIENTS_PATIENCE_MS 150

struct clients {
    pid_t pid;
    int words; /* owned: to and from them */
};

/* Start them. The calling process has no threads. */
void clients_start(struct clients *clients, const char *url, const char *dir,
                   uint64_t seed);

/* Have them append no more, and wait until all is answered. */
void clients_rest(struct clients *clients);

/* Have them see all up to @head, and wait for their end. */
void clients_finish(struct clients *clients, uint64_t head);

#endif
