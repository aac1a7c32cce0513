/* All that a program can ask of libacta, by number, with callbacks that look at
 * every byte they are given.
 */

#ifndef ACTA_TEST_CLIENT_ASKS_H
#define ACTA_TEST_CLIENT_ASKS_H

#include <acta/acta.h>
#include <acta/acta_group.h>
#include <acta/acta_lease.h>

#define ASKED_MAX 64

/* Something that was asked for and is not over. */
struct asked {
    bool is_open;
    uint64_t request;           /* The request's number, or 0 and one of: */
    struct acta_sub *sub;       /* a subscription, */
    struct acta_member *member; /* a membership, */
    struct acta_lease *lease;   /* a lease. */
    uint64_t position;          /* The subscription's. */
    uint64_t numbers[8];        /* Of what the member has in hand, the */
    size_t numbers_count;       /* last ones. */
    unsigned acts;              /* What the callback does by itself. */
    struct acta_client **client;
};

extern struct asked asked[ASKED_MAX];

/* Nothing was asked. */
void asks_clear(void);

/* Ask for what @number says, if there is room for it. @acts is what callbacks
 * do besides looking: close the client, ask again, settle.
 */
void asks_begin(struct acta_client **client, uint8_t number, unsigned acts);

/* Do something with what was asked: cancel, pause, settle, leave. */
void asks_touch(struct asked *one, uint8_t what, uint8_t which);

/* How many are not over. */
size_t asks_open(void);

#endif
