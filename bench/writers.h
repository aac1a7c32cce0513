/* Connections that append, each with so many requests under way: when one is
 * answered the next is sent (a closed loop), or with --rate when it is due.
 */

#ifndef ACTA_BENCH_WRITERS_H
#define ACTA_BENCH_WRITERS_H

#include "choice.h"
#include "fleet.h"
#include "pace.h"

/* What an append says about the version of its stream. */
enum writers_expect {
    EXPECT_ANY,
    EXPECT_OWN,  /* That which it has: the stream is one connection's alone. */
    EXPECT_SEEN, /* That which the last answer told: others may be faster. */
};

struct writers_slot;

struct writers {
    /* Set by the caller. */
    struct fleet *fleet;
    size_t count; /* The first so many of the fleet append. */
    /* An append is on disk, or was refused since another was faster: it took
     * so long.
     */
    void (*done)(void *user, uint64_t now_ns, uint64_t latency_ns,
                 bool is_stored);
    void *user;

    struct bench *bench;
    struct choice choice;
    enum writers_expect expect;
    uint64_t events_count; /* Of an append. */
    uint64_t conditions;   /* Of 100 appends so many have one. */
    bool has_commands;
    struct acta_append *append; /* owned: what is sent next */
    struct acta_query *query;   /* owned: its condition */
    uint64_t number;            /* Of the next event. */
    uint64_t head;              /* As the last answer told. */
    struct pace pace;
    bool is_paced;
    bool is_over;
    struct writers_slot *slots; /* owned */
    struct writers_slot *free; /* A list: that which waited longest is first. */
    struct writers_slot *free_last;
    size_t under_way;
};

/* As the options say, which are checked. */
enum acta_code writers_open(struct writers *writers, struct bench *bench,
                            struct acta_err *err);
void writers_close(struct writers *writers);

enum acta_code writers_start(struct writers *writers, struct acta_err *err);

/* Send no more. What is under way is still answered. */
void writers_stop(struct writers *writers);

#endif
