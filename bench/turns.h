/* Appends in several ways, measured in turns on one server: what the machine
 * does to one of them in the meantime it does to all. So the ratio of two is
 * worth more than either.
 *
 * A turn lasts as long as --duration over --rounds; then all that is under way
 * is awaited, and the next way has its turn. The first round does not count.
 *
 * The structs are the caller's, zero but for what it sets; one thread.
 */

#ifndef ACTA_BENCH_TURNS_H
#define ACTA_BENCH_TURNS_H

#include "bench.h"
#include "fleet.h"

#define TURNS_MAX 5

/* Names of a way's figures, in this order. */
#define TURN_FIGURES(name)                                                     \
    {                                                                          \
        name "_rate", name "_p50", name "_p99", name "_max", name "_cpu",      \
            name "_written", name "_ratio",                                    \
    }
#define TURN_FIGURES_COUNT 7

struct turns;

/* A way to append. */
struct turn {
    const char *figures[TURN_FIGURES_COUNT];

    /* Put the next append into @append, which is empty. */
    void (*make)(struct turns *turns, struct acta_append *append);

    /* Its turn begins, or has ended. May be NULL. */
    void (*begin)(struct turns *turns);
    void (*end)(struct turns *turns);

    /* What was measured. */
    struct hist hist;
    uint64_t appends;
    double seconds;
    double cpu_us; /* Of the server, with what it does behind. */
    double written;
};

struct turns {
    struct bench *bench;
    void *user;
    struct turn list[TURNS_MAX];
    size_t count;
    size_t clients;
    size_t pipeline; /* Appends of a client at a time. */
    uint64_t events; /* Of an append. */
    bool settles;    /* A turn ends when the store has all. */

    /* Called with each answer. May be NULL. */
    void (*appended)(struct turns *turns, const struct acta_appended *appended);

    struct fleet fleet;
    struct acta_append *append; /* owned */
    struct turn *now;           /* NULL: send no more. */
    bool counts;
    size_t under_way;
};

/* Measure. Whatever it returns, the clients are gone then. */
enum acta_code turns_run(struct turns *turns, struct acta_err *err);

/* Of each way: appends a second, latencies, and of each append's events the
 * server's time and bytes; and its median over that of the first way.
 */
void turns_tell(const struct turns *turns, struct figures *figures);

#endif
