/* A database in memory in place of the real one, for tests of what stands in
 * front of it: it commits when it is told to, and its queue is full when it is
 * told to be.
 *
 * It defines the functions of database.h and reader.h that sessions use. A test
 * that links it does not get the real ones from the library.
 */

#ifndef ACTA_TEST_FAKE_DATABASE_H
#define ACTA_TEST_FAKE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "database.h"

#define FAKE_EVENTS_MAX 20000

struct fake_database {
    size_t queue_max; /* Jobs that may wait; more are BUSY. */
    size_t queue_count;
    size_t submits;     /* Calls of database_submit(). */
    size_t reads;       /* Calls of any reader_ function. */
    uint64_t broken_at; /* Position whose record is damaged; 0: none. */

    bool lease_is_held;   /* By somebody else: who may wait for it does. */
    uint64_t fence;       /* The last one given. */
    bool is_group;        /* Whatever its name, the consumer is one. */
    uint64_t epoch;       /* Of the one consumer there is; 0: there is none. */
    uint64_t changes;     /* Of consumers, that are told. */
    uint64_t snapshot_at; /* Version of the one of every stream; 0: none. */
    size_t schedules_count; /* "s1", "s2", ...: up to 9. */
};

extern struct fake_database fake_database;

/* Empty, with a queue for all. */
void fake_database_init(void);
void fake_database_fini(void);

/* What database_ functions are to be given. */
struct database *fake_database_handle(void);

/* Decide what is queued, give it back, and wake who watches. Those who wait for
 * a lease are given back when they are forgotten. What groups are asked for is
 * answered as if there were nothing to tell.
 */
void fake_database_commit(void);

#endif
