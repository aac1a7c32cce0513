/* A database with its groups' thread, what sessions ask of that, and what it
 * sends to the members of one group.
 *
 * Whatever fails, fails the test. One thread.
 */

#ifndef ACTA_TEST_GROUPS_FIXTURE_H
#define ACTA_TEST_GROUPS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "core.h"
#include "db.h"
#include "job.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "query.h"

#define GROUP     "workers"
#define HANDS_MAX 20000
#define LEFT_MAX  16
#define ANN       ((uint64_t)7) /* Connections, */
#define BOB       ((uint64_t)8)
#define HER       ((uint64_t)1000) /* and joins. */
#define HIS       ((uint64_t)1001)
#define HOUR_US   UINT64_C(3600000000)

struct hand {
    uint64_t connection_id;
    uint64_t membership;
    uint64_t fence;
    uint64_t position;
    uint64_t deliveries;
};

extern struct db db;
extern struct hand hands[HANDS_MAX]; /* What was handed out, in order. */
extern size_t hands_count;
extern size_t ann_size;      /* Bytes of records that she was handed, */
extern size_t record_max;    /* and the largest of all. */
extern bool sends_receipts;  /* Of what comes in mails. */
extern uint64_t output_high; /* Of connections whose jobs are handed in. */
extern enum acta_code lefts[LEFT_MAX]; /* Why memberships were ended. */
extern size_t lefts_count;

extern uint64_t asked;     /* The request that is waited for, */
extern bool is_back;       /* its job. */
extern struct buf request; /* The frame of the next one. */

void setup(void);
void teardown(void);

/* Take what has come back, and wait for that if nothing has; or for so many
 * events that were handed out; or throw away what came.
 */
void take_some(void);
void wait_for_hands(size_t count);
void free_what_came(void);

/* ---- what is asked for ---- */

/* A job of what stands in request, if anything does. */
struct job *job_of_request(enum job_kind kind);

/* Hand it in; and wait until it is done, or do so later. */
void hand_in(enum job_kind kind, uint64_t connection_id, uint64_t request_id,
             bool is_answered);
enum acta_code ask(enum job_kind kind, uint64_t connection_id,
                   uint64_t request_id);
enum acta_code wait_for_answer(void);

void append(const char *stream, size_t count);
void change(const struct msg_change_consumer *change);
void create(struct query query, uint64_t ack_timeout_us);
void change_to(enum msg_consumer_change kind, uint64_t position);

/* Join; begin_to_join() is for wait_for_answer(). */
enum acta_code join(uint64_t connection_id, uint64_t join_id, uint64_t slots);
void begin_to_join(uint64_t connection_id, uint64_t join_id, uint64_t slots);

/* Answer one that was handed out, and be told that it is settled; in one go, or
 * in two.
 */
enum acta_code settle(uint64_t connection_id, const struct hand *hand,
                      enum msg_settle_kind kind, uint64_t *settled);
void begin_to_settle(uint64_t connection_id, const struct hand *hand,
                     enum msg_settle_kind kind);
enum acta_code wait_for_settled(uint64_t *settled);
void acknowledge_all(uint64_t connection_id, size_t from);

void leave(uint64_t connection_id, uint64_t join_id);

/* The connection is gone. */
void hang_up(uint64_t connection_id);

/* What is told of the group; in one go, or in two. */
struct msg_described describe(void);
void begin_to_describe(void);
struct msg_described wait_for_description(void);

struct msg_parked_page list_parked(void);
uint64_t change_parked(enum msg_parked_change kind);

/* Hold the groups' thread in a turn: all that comes until it is released is of
 * its next one.
 */
void hold_groups(void);
void release_groups(void);

#endif
