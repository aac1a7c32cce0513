#include "groups_peer.h"

#include <assert.h>
#include <stdlib.h>

#include "outer.h"

void
peers_init(struct peers *peers)
{
    *peers = (struct peers){0};
    TAILQ_INIT(&peers->touched);
}

static struct slice
name_of(const uint64_t *connection_id)
{
    return slice_make(connection_id, sizeof(*connection_id));
}

struct peer *
peers_find(const struct peers *peers, uint64_t connection_id)
{
    struct name_node *node =
        name_map_find(&peers->map, name_of(&connection_id));

    return node == NULL ? NULL : OUTER(struct peer, node, node);
}

static struct job *
make_mail(const struct peer *peer)
{
    struct job *mail;

    if (job_new(&mail, JOB_MAIL, SLICE_NONE, NULL) != ACTA_OK) {
        return NULL;
    }
    mail->is_answered = false;
    mail->completions = peer->completions;
    mail->connection_id = peer->connection_id;
    return mail;
}

struct peer *
peers_make(struct peers *peers, const struct job *job)
{
    struct peer *peer = peers_find(peers, job->connection_id);

    if (peer != NULL) {
        return peer;
    }
    peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    peer->connection_id = job->connection_id;
    peer->completions = job->completions;
    peer->output_high = job->output_high;
    peer->node.name = name_of(&peer->connection_id);
    LIST_INIT(&peer->seats);
    peer->mail = make_mail(peer);
    if (peer->mail == NULL || !name_map_reserve(&peers->map, 1)) {
        job_free(peer->mail);
        free(peer);
        return NULL;
    }
    name_map_put(&peers->map, &peer->node);
    return peer;
}

static void
touch(struct peers *peers, struct peer *peer)
{
    if (!peer->is_touched) {
        peer->is_touched = true;
        TAILQ_INSERT_TAIL(&peers->touched, peer, in_touched);
    }
}

static void
give_done(struct peer *peer)
{
    if (peer->done_first != NULL) {
        completions_give(peer->completions, peer->done_first, peer->done_last);
        peer->done_first = NULL;
    }
}

static void
free_peer(struct peer *peer)
{
    assert(peer->seats_count == 0);

    give_done(peer);
    job_free(peer->mail);
    free(peer);
}

static void
let_go(struct name_node *node)
{
    free_peer(OUTER(struct peer, node, node));
}

void
peers_fini(struct peers *peers)
{
    name_map_fini(&peers->map, let_go);
}

void
peers_drop(struct peers *peers, struct peer *peer)
{
    if (peer->is_touched) {
        TAILQ_REMOVE(&peers->touched, peer, in_touched);
    }
    name_map_remove(&peers->map, &peer->node);
    free_peer(peer);
}

struct buf *
peer_out(struct peers *peers, struct peer *peer)
{
    struct buf *out = &peer->mail->outcome.reply;

    touch(peers, peer);
    if (buf_size(out) == 0) {
        (void)buf_reserve(out, peer->mail_size); /* Instead of growing. */
    }
    return out;
}

void
peer_give(struct peers *peers, struct peer *peer, struct job *job)
{
    touch(peers, peer);
    job->next = NULL;
    if (peer->done_first == NULL) {
        peer->done_first = job;
    } else {
        peer->done_last->next = job;
    }
    peer->done_last = job;
}

/* Half of what it may have at most has been handed out without a receipt. */
static bool
wants_receipt(const struct peer *peer)
{
    return peer->asked == 0 && peer->untaken > peer->output_high / 2;
}

void
peer_take_receipt(struct peers *peers, struct peer *peer)
{
    assert(peer->asked <= peer->untaken);

    peer->untaken -= peer->asked;
    peer->asked = 0;
    /* It may be full still, of what was written behind: then no more mail
     * would go that could ask.
     */
    if (wants_receipt(peer)) {
        touch(peers, peer);
    }
}

/* Put the mail in front of the jobs that are done, if there is any and another
 * can be made.
 */
static bool
send_mail(struct peer *peer)
{
    struct job *next, *mail = peer->mail;

    if (buf_size(&mail->outcome.reply) == 0 &&
        !buf_failed(&mail->outcome.reply) && !wants_receipt(peer)) {
        return true;
    }
    next = make_mail(peer);
    if (next == NULL) {
        return false;
    }
    if (wants_receipt(peer)) {
        mail->wants_receipt = true;
        peer->asked = peer->untaken;
    }
    peer->mail = next;
    peer->mail_size = buf_size(&mail->outcome.reply);
    mail->next = peer->done_first;
    if (peer->done_first == NULL) {
        peer->done_last = mail;
    }
    peer->done_first = mail;
    return true;
}

bool
peers_flush(struct peers *peers)
{
    struct peer *next = TAILQ_FIRST(&peers->touched);
    bool all = true;

    while (next != NULL) {
        struct peer *peer = next;
        bool sent = send_mail(peer);

        next = TAILQ_NEXT(peer, in_touched);
        give_done(peer);
        if (sent) {
            TAILQ_REMOVE(&peers->touched, peer, in_touched);
            peer->is_touched = false;
        }
        all = all && sent;
    }
    return all;
}
