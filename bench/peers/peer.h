/* A database that is measured, in one form for all: Acta, PostgreSQL, Redis or
 * NATS JetStream.
 *
 * One thread drives all connections in one loop of libev, through the
 * database's own client library in its asynchronous form. A request is made
 * with a struct of the caller's that stays where it is until the answer has
 * come; the answer is a call from within peer_turn(). What goes wrong is kept,
 * and returned by the next peer_turn().
 */

#ifndef ACTA_PEERS_PEER_H
#define ACTA_PEERS_PEER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <acta/acta.h>

#include "../echo.h"
#include "host.h"

#define PEER_TEXT_SIZE 128

struct peer;

/* A request that is under way, and its answer. */
struct ask {
    void (*done)(struct ask *ask);

    /* Of an append: what the next one to this stream is to expect. Of a load:
     * how many events there were.
     */
    uint64_t answer;
};

/* Events that come one after the other. */
struct sink {
    void (*event)(struct sink *sink, const void *data, size_t size);

    /* Of a read: the end is reached, no more comes. Of a follower: from here
     * on it is live.
     */
    void (*arrived)(struct sink *sink);
};

/* One transaction: events for one stream, all alike. */
struct peer_append {
    const char *stream; /* CATEGORY-..., a C string. */
    uint64_t expected;  /* What the last answer said; 0: there is no event. */
    const char *type;
    const void *data;
    size_t data_size;
    size_t events_count;
    bool told; /* Somebody follows: where writers have to tell, they do. */
};

struct peer_kind {
    const char *name;  /* "postgres" */
    const char *title; /* "PostgreSQL" */

    /* What an answer to an append means for the event, and how followers and
     * readers get theirs: for people.
     */
    const char *durability;
    const char *reading;

    bool is_durable;   /* Acknowledged events survive a loss of power. */
    bool only_appends; /* Of another kind that differs in appends only. */
    size_t append_max; /* Events of a transaction. */
    const char *log;   /* Directory of the log that is recycled, or NULL. */
    const char *user;  /* Does not run as root but as this; or NULL. */

    /* Put its version into @text. Start the server on the host, which has been
     * made, with tables and streams made.
     */
    enum acta_code (*start)(struct peer *peer, char text[PEER_TEXT_SIZE],
                            struct acta_err *err);

    /* Connect @count times: peer->durable says whether appends are to be
     * durable as promised, or as fast as may be. Close in any state.
     */
    enum acta_code (*open)(struct peer *peer, size_t count,
                           struct acta_err *err);
    void (*close)(struct peer *peer);

    /* On connection @conn. load may be NULL: there is no such thing. */
    void (*append)(struct peer *peer, size_t conn,
                   const struct peer_append *append, struct ask *ask);
    void (*load)(struct peer *peer, size_t conn, const char *stream,
                 struct ask *ask);
    /* All events up to the present end, or those of a category. */
    void (*read)(struct peer *peer, size_t conn, const char *category,
                 struct sink *sink);
    /* All events from now on. */
    void (*follow)(struct peer *peer, size_t conn, struct sink *sink);

    /* Add to @traffic what all connections have sent and received. NULL: that
     * is not known.
     */
    void (*add_traffic)(struct peer *peer, struct traffic *traffic);

    /* Move to where it belongs what is in a log or in memory, so that disk and
     * memory can be compared; one connection is open. May be NULL.
     */
    void (*settle)(struct peer *peer, struct ask *ask);
};

/* Bytes on disk, all and without the log that is recycled. */
struct peer_disk {
    double all;
    double kept;
};

struct peer {
    const struct peer_kind *kind;
    struct host host;
    char version[PEER_TEXT_SIZE];
    const char *settings; /* Directory of configuration files. */
    const char *actad;    /* Path of the program. */

    struct ev_loop *loop;
    ev_timer tick;
    struct acta_err err; /* What was wrong first. */
    uint64_t until_ns;   /* When what is under way takes too long. */
    bool failed;         /* It has no turns any more. */
    bool stays_awake;    /* Turns of the loop do not sleep. */
    bool durable;
    void *conns; /* owned: what the kind makes of it */
    size_t conns_count;
    size_t ready; /* Of them, those that have answered, while they open. */

    /* Of each stream that is appended to, what the next append expects. */
    uint64_t *expected;     /* owned */
    struct peer_disk empty; /* Before the first event. */

    /* What an echo is to be like beside what was measured last; of its own
     * sizes, if they are known.
     */
    struct echo echo;
};

/* All kinds that this program was built with; ends with NULL. */
extern const struct peer_kind *const peer_kinds[];

/* Start the server of @peer, which has its kind and paths, in a directory of
 * its own in @parent. The caller calls peer_stop(), whatever this returns.
 */
enum acta_code peer_start(struct peer *peer, const char *parent,
                          uint64_t streams, struct acta_err *err);
void peer_stop(struct peer *peer);

enum acta_code peer_open(struct peer *peer, size_t count, bool durable,
                         struct acta_err *err);
void peer_close(struct peer *peer);

struct peer_disk peer_disk(const struct peer *peer);

/* Wait for something to happen, a tenth of a second at most, and let it be
 * told: the first failure, TIMEOUT if it was opened ten minutes ago,
 * UNREACHABLE if the server has ended, CANCELLED by Ctrl-C.
 */
enum acta_code peer_turn(struct peer *peer, struct acta_err *err);

/* For kinds: this is wrong. Nothing is called for requests that fail. */
void peer_fail(struct peer *peer, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* For kinds: run `PROGRAM --version` and keep the first line. */
void peer_version(const char *program, char text[PEER_TEXT_SIZE]);

#endif
