/* A connection that has members in groups, and what is on its way there.
 *
 * During a turn of the thread all frames for it gather in one mail, and jobs of
 * its that are done behind it: at the end of the turn all of them go at once.
 * A mail only goes when the next one has been made, so that there always is one
 * to write to.
 *
 * What a peer was handed, and has not taken as far as is known, is bounded by
 * its output-high, whatever its memberships would allow: above that all its
 * members are held. How much it has taken is told by receipts. The mail with
 * which half of the bound is passed asks for one, and comes back when what the
 * connection has to send is below output-low; one is on its way at a time. So a
 * peer that takes what it is sent costs one more job for half of output-high,
 * and is hardly ever held. Internal to the groups' thread.
 */

#ifndef ACTA_GROUPS_PEER_H
#define ACTA_GROUPS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "buf.h"
#include "job.h"
#include "name_map.h"

struct seat;

struct peer {
    struct name_node node; /* By connection_id. */
    uint64_t connection_id;
    struct completions *completions;
    LIST_HEAD(, seat) seats; /* Its memberships. */
    size_t seats_count;
    struct job *mail;     /* owned */
    size_t mail_size;     /* Of the one before: the next may be alike. */
    struct seat *writing; /* Has a frame open at the end of the mail. */
    uint64_t output_high;
    uint64_t untaken; /* Bytes of records that it was handed. */
    uint64_t asked;   /* Of them, those that the receipt is for that is on its
                         way; 0: none is. */
    bool is_held;
    struct job *done_first;
    struct job *done_last;
    bool is_touched; /* Something is to go. */
    TAILQ_ENTRY(peer) in_touched;
};

/* All zeros but for peers_init(): none. */
struct peers {
    struct name_map map;
    TAILQ_HEAD(, peer) touched;
};

void peers_init(struct peers *peers);

/* Drop all of them. */
void peers_fini(struct peers *peers);

/* NULL if there is none. */
struct peer *peers_find(const struct peers *peers, uint64_t connection_id);

/* The peer that @job comes from, made if it is not there. NULL if there is no
 * memory.
 */
struct peer *peers_make(struct peers *peers, const struct job *job);

/* Free @peer, which has no seats; what was written to it is lost, and its jobs
 * that are done go back.
 */
void peers_drop(struct peers *peers, struct peer *peer);

/* Where frames for @peer are written: it has something to send. */
struct buf *peer_out(struct peers *peers, struct peer *peer);

/* Have @job, which is done, go back behind all that was written. */
void peer_give(struct peers *peers, struct peer *peer, struct job *job);

static inline bool
peer_is_full(const struct peer *peer)
{
    return peer->untaken > peer->output_high;
}

/* A receipt has come. */
void peer_take_receipt(struct peers *peers, struct peer *peer);

/* Send what there is. False if there is no memory, and some has to wait. */
bool peers_flush(struct peers *peers);

#endif
