/* A client that subscribes and writes down all it gets. Each runs in a thread
 * of its own.
 */

#ifndef ACTA_TEST_WATCHER_H
#define ACTA_TEST_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

struct watcher;

struct watcher_options {
    const char *url;
    const char *dir;  /* For its history. */
    unsigned number;  /* Of the history. */
    const char *type; /* Follow this type only; NULL: all. */
    bool restarts;    /* Close now and then, and resume from the checkpoint. */
    uint64_t seed;
    unsigned patience_ms; /* As an appender's. */
};

/* Start one that follows from the beginning. Strings must outlive it. */
struct watcher *watcher_start(const struct watcher_options *options);

/* Let it go on up to @position, give it a minute for that, and free it. */
void watcher_finish(struct watcher *watcher, uint64_t position);

#endif
