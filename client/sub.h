/* Subscriptions, each of which goes on behind the last position that its
 * callback has been given, over all connections of its core.
 *
 * Credit. The server is granted options.credit_size bytes when it is asked to
 * deliver, and what a callback has taken is granted again, a good part at a
 * time, when it has returned. What comes while a subscription is paused is
 * kept; it is no more than the credit and one event. Of what costs no credit,
 * positions and that it fell behind and has caught up, only what is needed is
 * kept: the last position in a row, and the last time that it has caught up.
 *
 * One thread at a time, that of the core.
 */

#ifndef ACTA_CLIENT_SUB_H
#define ACTA_CLIENT_SUB_H

#include "core.h"
#include "query.h"

#define SUBS_MAX 1024

/* A frame that came while the subscription was paused, or that waits for what
 * came with it.
 */
struct held {
    struct held *next;
    uint8_t kind;
    size_t size;
    uint8_t body[];
};

struct acta_sub {
    struct core *core;
    size_t slot;
    uint64_t id; /* Of the request that subscribed it; 0: it is idle. */
    struct query query;
    struct acta_follow follow; /* query: not to be used. */
    struct answer *answer; /* Where batches are read to; NULL: the core's. */
    uint64_t position;
    size_t credit_due; /* Bytes taken and not yet granted again. */
    bool paused;
    bool merges; /* What came in by now is handed out as one delivery. */
    bool in_callback;
    bool dead; /* To be freed when the callback has returned. */

    /* Of a named consumer. */
    char *consumer;   /* owned; NULL: it has no name. */
    uint64_t epoch;   /* 0: it is not claimed yet. */
    uint64_t request; /* The claim or move that is not answered; 0: none. */
    uint64_t wanted;  /* Where the checkpoint is to be, */
    uint64_t asked;   /* and where the last move was to. */
    bool is_moving;   /* A move is to be sent. */

    struct held *first; /* owned */
    struct held *last;
};

/* See acta_subscribe(). */
struct acta_sub *sub_new(struct core *core, const struct acta_follow *follow,
                         struct acta_err *err);

/* End it without a callback. */
void sub_cancel(struct acta_sub *sub);

void sub_pause(struct acta_sub *sub);
void sub_resume(struct acta_sub *sub);

/* Tell the server that it is to end. */
void sub_stop(struct acta_sub *sub);

/* End it with @why, here only. */
void sub_end(struct acta_sub *sub, const struct acta_err *why);

/* A callback has returned. False if it, or what it called, has ended @sub. */
bool sub_lives_on(struct acta_sub *sub);

/* See acta_checkpoint(). */
void sub_checkpoint(struct acta_sub *sub, uint64_t position);

/* ---- sub_merge.c, for sub.c ---- */

/* Make the deliveries that are held first one, as far as that is of use. */
void sub_merge(struct acta_sub *sub);

/* ---- sub_consumer.c, for sub.c ---- */

/* Send a claim, or a move of the checkpoint, if there is room for a request. */
void sub_claim(struct acta_sub *sub);
void sub_move(struct acta_sub *sub);

/* The connection is lost; the subscription ends. */
void sub_consumer_lost(struct acta_sub *sub);
void sub_consumer_leave(struct acta_sub *sub);

/* ---- for core.c ---- */

/* Whose request has this id; NULL: nobody's. */
struct acta_sub *subs_find(const struct core *core, uint64_t id);

/* Handle a frame for @sub, whose body is changed. */
enum acta_code sub_receive(struct acta_sub *sub, uint8_t kind, uint8_t *body,
                           size_t size, uint64_t now_ms,
                           struct acta_err *err) ACTA_CHECKED;

/* Ask for all that are idle. */
void subs_send(struct core *core);

/* Hand out what was held for those that are resumed. */
enum acta_code subs_catch_up(struct core *core,
                             struct acta_err *err) ACTA_CHECKED;

/* The connection is lost: all become idle. */
void subs_lost(struct core *core);

/* End all with @why. */
void subs_end(struct core *core, const struct acta_err *why);

#endif
