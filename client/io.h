/* The socket: makes connections for a core, loses them, and makes them again.
 *
 *     paused ── due ──> looking up ── addresses ──> connecting ──> up
 *       ^                   │  ^                     │  │          │
 *       │                   │  └──── next host ──────┘  │          │
 *       └── all have failed ┴───────────────────────────┘          │
 *       └────────────────────────── lost ──────────────────────────┘
 *
 * A round goes through the hosts, and the addresses of each, beginning with
 * the host that was there last. Pauses between rounds grow, until a connection
 * has been of use, and have some jitter, so that a thousand clients do not come
 * back to a server at the same moment.
 *
 * With a server near by, in the same process, there is one connection, which is
 * made at once: see near.h.
 *
 * Never blocks. Callbacks are called from io_ready() and io_tick(). One thread
 * at a time.
 */

#ifndef ACTA_CLIENT_IO_H
#define ACTA_CLIENT_IO_H

#include "core.h"
#include "near.h"

struct addrinfo;
struct lookup;

enum io_state {
    IO_PAUSED,
    IO_LOOKING_UP,
    IO_CONNECTING,
    IO_UP,
};

struct io {
    struct core *core;
    const struct options *options;
    struct near *near; /* In the place of sockets; NULL: not. */
    /* The descriptor that io_fd() has told last is about to be closed, and its
     * number may at once be another's. Called with the core's owner.
     */
    void (*on_close)(void *owner);
    enum io_state state;
    int fd; /* -1: none */

    size_t host;                /* That is tried, or was last. */
    size_t hosts_tried;         /* In this round. */
    struct lookup *lookup;      /* owned */
    struct addrinfo *addresses; /* owned: of the host */
    struct addrinfo *address;   /* That is tried. */

    uint64_t due_ms;     /* End of the pause, or of patience; UINT64_MAX:
                            none. */
    uint64_t backoff_ms; /* The next pause. */
    uint64_t jitter;     /* State of the random numbers. */
    char where[128];     /* "connect 127.0.0.1:2282", for errors. */
    struct acta_err why; /* The address that was no good last; OK: none was. */
};

/* Start in a pause that is over at once. */
void io_init(struct io *io, struct core *core, const struct options *options,
             void (*on_close)(void *owner), uint64_t now_ms);

/* Close everything. The core is not told. */
void io_fini(struct io *io);

/* The descriptor to watch, or -1, and what for: ACTA_READ, ACTA_WRITE. */
int io_fd(const struct io *io);
unsigned io_wants(const struct io *io);

/* When io_tick() has to be called; UINT64_MAX: never. */
uint64_t io_due(const struct io *io);

/* The descriptor is ready for @events. */
void io_ready(struct io *io, unsigned events, uint64_t now_ms);

/* Do what is due, for the core as well. */
void io_tick(struct io *io, uint64_t now_ms);

/* Write what the core has to say. */
void io_flush(struct io *io, uint64_t now_ms);

#endif
