/* What a subscription of a named consumer does besides following: it claims the
 * consumer once, and moves its checkpoint.
 *
 * A claim or a move whose answer got lost is made anew on the next connection:
 * one more epoch begins, or the newest position is stored. Neither does harm.
 */

#include "sub.h"

static void
sub_set_moving(struct acta_sub *sub, bool is_moving)
{
    struct core_subs *subs = &sub->core->subs;

    subs->moving += is_moving;
    subs->moving -= sub->is_moving;
    sub->is_moving = is_moving;
}

/* True if what was refused with @err is to be tried again; else the
 * subscription is over, unless all is over.
 */
static bool
is_tried_again(struct acta_sub *sub, const struct acta_err *err)
{
    enum acta_remedy remedy = acta_code_remedy(err->code);

    if (err->code == ACTA_CANCELLED) {
        return false; /* subs_end() follows. */
    }
    if (remedy == ACTA_REMEDY_RETRY || remedy == ACTA_REMEDY_RESEND) {
        core_hold(sub->core, err, sub->core->now_ms);
        return true;
    }
    sub_stop(sub);
    sub_end(sub, err);
    return false;
}

/* ---- claiming ---- */

static void
on_claimed(void *user, const struct request *request,
           const struct acta_err *err, const struct answer *answer)
{
    struct acta_sub *sub = user;

    (void)request;
    sub->request = 0;
    if (err != NULL) {
        (void)is_tried_again(sub, err);
        return;
    }
    sub->epoch = answer->consumer_changed.epoch;
    sub->position = answer->consumer_changed.position;
    sub->wanted = sub->position;
    sub->asked = sub->position;
    sub->in_callback = true;
    if (sub->follow.on_claimed != NULL) {
        sub->follow.on_claimed(sub->follow.user, sub->position, sub->epoch);
    }
    (void)sub_lives_on(sub);
}

void
sub_claim(struct acta_sub *sub)
{
    struct msg_change_consumer change = {
        .name = slice_of(sub->consumer),
        .kind = MSG_CONSUMER_CLAIM,
        .query = sub->query,
        .position = sub->follow.after,
    };
    struct request *request;
    struct buf *buf;
    uint64_t id;

    if (sub->request != 0) {
        return;
    }
    buf = core_begin(sub->core, &id, NULL);
    if (buf != NULL) {
        msg_change_consumer_encode(buf, id, &change);
        request =
            core_submit_own(sub->core, OP_CHANGE_CONSUMER, on_claimed, sub);
        sub->request = request == NULL ? 0 : request->id;
    }
}

/* ---- moving ---- */

static void
on_moved(void *user, const struct request *request, const struct acta_err *err,
         const struct answer *answer)
{
    struct acta_sub *sub = user;
    uint64_t position = request->note;

    (void)answer;
    sub->request = 0;
    /* It is beyond already: by an append that carried it. */
    if (err != NULL && err->code != ACTA_CONFLICT) {
        if (is_tried_again(sub, err)) {
            sub->asked = 0;
            sub_set_moving(sub, true);
        }
        return;
    }
    sub_set_moving(sub, sub->wanted > sub->asked);
    sub->in_callback = true;
    if (sub->follow.on_checkpoint != NULL) {
        sub->follow.on_checkpoint(sub->follow.user, position);
    }
    (void)sub_lives_on(sub);
}

void
sub_move(struct acta_sub *sub)
{
    struct msg_checkpoint checkpoint = {
        .consumer = slice_of(sub->consumer),
        .epoch = sub->epoch,
        .to = sub->wanted,
    };
    struct msg_append_more more = {
        .checkpoints = &checkpoint,
        .checkpoints_count = 1,
    };
    struct request *request;
    struct buf *buf;
    uint64_t id;

    buf = core_begin(sub->core, &id, NULL);
    if (buf == NULL) {
        return;
    }
    msg_append_end(buf, msg_append_begin(buf, id, 0), &more);
    request = core_submit_own(sub->core, OP_APPEND, on_moved, sub);
    if (request != NULL) {
        request->note = sub->wanted;
        sub->request = request->id;
        sub->asked = sub->wanted;
        sub_set_moving(sub, false);
    }
}

void
sub_checkpoint(struct acta_sub *sub, uint64_t position)
{
    if (sub->epoch != 0 && position > sub->wanted) {
        sub->wanted = position;
        sub_set_moving(sub, sub->request == 0);
    }
}

/* ---- the connection ---- */

void
sub_consumer_lost(struct acta_sub *sub)
{
    if (sub->request != 0) {
        sub->request = 0;
        sub->asked = 0;
    }
    sub_set_moving(sub, sub->epoch != 0 && sub->wanted > sub->asked);
}

void
sub_consumer_leave(struct acta_sub *sub)
{
    if (sub->request != 0) {
        core_drop(sub->core, sub->request);
        sub->request = 0;
    }
    sub_set_moving(sub, false);
}
