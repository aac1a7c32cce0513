/* The inside of the network, for network.c, which has the calls, and trouble.c,
 * which breaks connections.
 *
 * What is to happen later is written down with its time; whoever looks compares
 * it with the time that it is. So that time stops at these moments when nobody
 * can run, each is told to task_at() as well: see network_until().
 */

#ifndef ACTA_SIM_NETWORK_INSIDE_H
#define ACTA_SIM_NETWORK_INSIDE_H

#include "network.h"
#include "task.h"

/* Bytes on their way, or arrived and not read. */
struct piece {
    struct piece *next;
    uint64_t arrives_ns;
    size_t size;
    size_t taken; /* Of its beginning. */
    uint8_t bytes[];
};

/* One direction of a connection. */
struct way {
    struct piece *first; /* owned */
    struct piece *last;
    size_t size;         /* Of all that is in it. */
    uint64_t last_ns;    /* Nothing arrives before this. */
    uint64_t stalled_ns; /* Nothing is seen to arrive until then. */
    uint64_t ends_ns;    /* When its end arrives; SIM_NEVER: not yet. */
    bool is_silent;      /* What is sent from now on goes nowhere. */
};

enum end_state {
    END_NEW,
    END_LISTENS,
    END_CONNECTS,
    END_STANDS,
    END_CLOSED,
};

/* A socket. */
struct end {
    enum end_state state;
    unsigned port;
    unsigned owner;
    struct end *peer;
    struct way *in;
    struct way *out;
    int error;            /* Of connecting. */
    uint64_t settled_ns;  /* When connecting has ended. */
    uint64_t reset_ns;    /* When it learns that the connection is lost. */
    bool is_told;         /* It has been told of that. */
    bool is_shut;         /* It has said that it sends no more. */
    struct end *accepted; /* Of one that listens: the first to be accepted; of
                             those, the next. */
};

/* A connection: the client's end and the server's. */
struct link {
    struct end *client;
    struct end server;
    struct way up; /* To the server. */
    struct way down;
};

#define LINKS_MAX 4096

struct network {
    struct network_odds odds;
    struct network_counts counts;
    struct link *links[LINKS_MAX]; /* owned: all that there were */
    size_t links_count;
    uint64_t parted_ns; /* Nobody reaches anybody until then, */
    bool is_lost;       /* and what was sent is lost. */
};

extern struct network network;

/* How long the next piece takes. */
uint64_t network_delay(void);

/* Time must stop at @time_ns, since something changes. */
void network_until(uint64_t time_ns);

/* @end learns, after @delay_ns, that the connection is lost. */
void network_reset(struct end *end, uint64_t delay_ns);

#endif
