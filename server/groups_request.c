/* join, settle, leave, change-parked, and what is left when a connection goes.
 *
 * Answers to members are written to the mail of their connection, so that they
 * come in order with what is handed out.
 */

#include "groups_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "msg.h"
#include "msg_group.h"

/* ---- giving back ---- */

static void
give(struct groups *groups, struct job *job)
{
    struct peer *peer = peers_find(&groups->peers, job->connection_id);

    job->next = NULL;
    if (peer != NULL) {
        peer_give(&groups->peers, peer, job);
    } else {
        completions_give(job->completions, job, job);
    }
}

/* Have @job answered when its ticket is durable: tickets grow, so those that
 * wait are in order.
 */
static void
keep(struct hosted *hosted, struct job *job, uint64_t ticket)
{
    job->next = NULL;
    job->outcome.ticket = ticket;
    if (hosted->waiting_first == NULL) {
        hosted->waiting_first = job;
    } else {
        hosted->waiting_last->next = job;
    }
    hosted->waiting_last = job;
    hosted_make_busy(hosted);
}

static void
give_or_keep(struct hosted *hosted, struct job *job, uint64_t ticket)
{
    if (ticket > group_ticket(hosted->group)) {
        keep(hosted, job, ticket);
    } else {
        give(hosted->groups, job);
    }
}

/* ---- seats ---- */

static struct seat *
find_seat(const struct groups *groups, const struct job *job,
          uint64_t request_id)
{
    struct peer *peer = peers_find(&groups->peers, job->connection_id);
    struct seat *seat = NULL;

    if (peer != NULL) {
        LIST_FOREACH(seat, &peer->seats, in_peer)
        {
            if (seat->request_id == request_id) {
                break;
            }
        }
    }
    return seat;
}

/* The same, of a group that is refreshed. */
static struct seat *
find_fresh_seat(const struct groups *groups, const struct job *job,
                uint64_t request_id)
{
    struct seat *seat = find_seat(groups, job, request_id);

    if (seat != NULL && seat->hosted->is_stale) {
        hosted_refresh(seat->hosted);
        seat = find_seat(groups, job, request_id);
    }
    return seat;
}

static struct seat *
take_seat(struct hosted *hosted, struct peer *peer, const struct job *job)
{
    struct seat *seat = calloc(1, sizeof(*seat));

    if (seat == NULL) {
        return NULL;
    }
    seat->member =
        group_join(hosted->group, job->join.slots, job->join.member, seat);
    if (seat->member == NULL) {
        free(seat);
        return NULL;
    }
    seat->peer = peer;
    seat->hosted = hosted;
    seat->request_id = job->request_id;
    buf_init(&seat->own, SIZE_MAX);
    buf_init(&seat->counts, SIZE_MAX);
    LIST_INSERT_HEAD(&peer->seats, seat, in_peer);
    peer->seats_count++;
    LIST_INSERT_HEAD(&hosted->seats, seat, in_hosted);
    if (peer->is_held) {
        group_hold(hosted->group, seat->member, true);
    }
    atomic_fetch_add(&hosted->groups->members_count, 1);
    return seat;
}

void
seat_leave(struct seat *seat, bool died)
{
    struct hosted *hosted = seat->hosted;

    group_leave(hosted->group, seat->member, died);
    LIST_REMOVE(seat, in_peer);
    seat->peer->seats_count--;
    LIST_REMOVE(seat, in_hosted);
    buf_fini(&seat->own);
    buf_fini(&seat->counts);
    free(seat);
    atomic_fetch_sub(&hosted->groups->members_count, 1);
    hosted_make_busy(hosted);
}

/* ---- join ---- */

static enum acta_code
check_join(const struct groups *groups, const struct job *job,
           struct acta_err *err)
{
    struct peer *peer = peers_find(&groups->peers, job->connection_id);

    if (peer != NULL && peer->seats_count >= ACTA_MEMBERSHIPS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "connection has %d memberships, the limit",
                         ACTA_MEMBERSHIPS_MAX);
    }
    if (find_seat(groups, job, job->request_id) != NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "request id is that of a membership");
    }
    return ACTA_OK;
}

static enum acta_code
join(struct groups *groups, struct job *job, struct acta_err *err)
{
    struct hosted *hosted;
    struct peer *peer;
    struct msg_joined joined;
    enum acta_code code;

    if ((code = check_join(groups, job, err)) != ACTA_OK ||
        (code = hosted_find(groups, job->join.group, &hosted, err)) !=
            ACTA_OK) {
        return code;
    }
    group_see_time(hosted->group, groups->now_us, groups->wall_us);
    peer = peers_make(&groups->peers, job);
    if (peer == NULL || take_seat(hosted, peer, job) == NULL) {
        return acta_fail(err, ACTA_MEMORY, "join");
    }
    joined =
        (struct msg_joined){.position = group_figures(hosted->group).position,
                            .epoch = hosted->epoch,
                            .key_tag = hosted->consumer.settings.key_tag,
                            .on_park = hosted->consumer.settings.on_park};
    msg_joined_encode(peer_out(&groups->peers, peer), job->request_id, &joined);
    hosted_make_busy(hosted);
    return ACTA_OK;
}

/* ---- settle ---- */

static enum acta_code
settle(struct groups *groups, struct job *job, struct acta_err *err)
{
    struct seat *seat = find_fresh_seat(groups, job, job->settle.membership);
    struct slice answers = job->settle.answers;
    uint64_t settled = 0, last_ticket = 0;
    size_t refused_count = 0;

    if (seat == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no membership %" PRIu64,
                         job->settle.membership);
    }
    group_see_time(seat->hosted->group, groups->now_us, groups->wall_us);
    for (uint32_t i = 0; i < job->settle.answers_count; i++) {
        struct msg_answer answer = msg_next_answer(&answers);
        uint64_t count = 0, ticket = 0;

        if (group_settle(seat->hosted->group, seat->member, &answer, &count,
                         &ticket) != ACTA_OK) {
            groups->refused[refused_count++] = i;
        }
        settled += count;
        last_ticket = ticket > last_ticket ? ticket : last_ticket;
    }
    hosted_make_busy(seat->hosted);
    /* What waits is answered by itself, as its member may be gone by then. */
    msg_settled_encode(last_ticket > group_ticket(seat->hosted->group)
                           ? &job->outcome.reply
                           : peer_out(&groups->peers, seat->peer),
                       job->request_id, settled, groups->refused,
                       refused_count);
    give_or_keep(seat->hosted, job, last_ticket);
    return ACTA_OK;
}

/* ---- leave, and going ---- */

static enum acta_code
leave(struct groups *groups, struct job *job, struct acta_err *err)
{
    struct seat *seat = find_fresh_seat(groups, job, job->membership);
    struct msg_left left = {.code = ACTA_OK};

    if (seat == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no membership %" PRIu64,
                         job->membership);
    }
    msg_left_encode(peer_out(&groups->peers, seat->peer), job->request_id,
                    &left);
    group_see_time(seat->hosted->group, groups->now_us, groups->wall_us);
    seat_leave(seat, false);
    return ACTA_OK;
}

static void
forget(struct groups *groups, const struct job *job)
{
    struct peer *peer = peers_find(&groups->peers, job->connection_id);
    struct seat *seat;

    if (peer == NULL) {
        return;
    }
    while ((seat = LIST_FIRST(&peer->seats)) != NULL) {
        group_see_time(seat->hosted->group, groups->now_us, groups->wall_us);
        seat_leave(seat, true);
    }
    peers_drop(&groups->peers, peer);
}

/* The connection may be gone meanwhile. */
static void
take_receipt(struct groups *groups, struct job *job)
{
    struct peer *peer = peers_find(&groups->peers, job->connection_id);

    if (peer != NULL) {
        groups_take_receipt(groups, peer);
    }
    job_free(job);
}

/* ---- change-parked ---- */

static uint64_t
change_all(struct hosted *hosted, enum msg_parked_change kind, uint64_t *ticket)
{
    return kind == MSG_PARKED_REPLAY ? group_replay_all(hosted->group)
                                     : group_drop_all(hosted->group, ticket);
}

static uint64_t
change_some(struct hosted *hosted, const struct msg_change_parked *change,
            uint64_t *last_ticket)
{
    struct slice positions = change->positions;
    uint64_t count = 0;

    for (size_t i = 0; i < change->positions_count; i++) {
        uint64_t position = msg_next_position(&positions);
        uint64_t ticket = 0;
        bool changed = change->kind == MSG_PARKED_REPLAY
                           ? group_replay(hosted->group, position)
                           : group_drop(hosted->group, position, &ticket);

        count += changed;
        *last_ticket = ticket > *last_ticket ? ticket : *last_ticket;
    }
    return count;
}

static enum acta_code
change_parked(struct groups *groups, struct job *job, struct acta_err *err)
{
    const struct msg_change_parked *change = &job->change_parked;
    struct hosted *hosted;
    uint64_t count, ticket = 0;
    enum acta_code code =
        hosted_find(groups, job->change_parked.group, &hosted, err);

    if (code != ACTA_OK) {
        return code;
    }
    group_see_time(hosted->group, groups->now_us, groups->wall_us);
    count = change->all ? change_all(hosted, change->kind, &ticket)
                        : change_some(hosted, change, &ticket);
    hosted_make_busy(hosted);
    msg_number_encode(&job->outcome.reply, OP_PARKED_CHANGED, job->request_id,
                      count);
    give_or_keep(hosted, job, ticket);
    return ACTA_OK;
}

/* ---- all of them ---- */

void
groups_do(struct groups *groups, struct job *job)
{
    enum acta_code code = ACTA_OK;
    bool is_given = false;
    struct acta_err err;

    switch (job->kind) {
    case JOB_JOIN:
        code = join(groups, job, &err);
        break;
    case JOB_SETTLE:
        code = settle(groups, job, &err);
        is_given = true;
        break;
    case JOB_LEAVE:
        code = leave(groups, job, &err);
        break;
    case JOB_FORGET_MEMBERS:
        forget(groups, job);
        break;
    case JOB_RECEIPT:
        take_receipt(groups, job);
        return;
    case JOB_CHANGE_PARKED:
        code = change_parked(groups, job, &err);
        is_given = true;
        break;
    case JOB_LIST_CONSUMERS:
        code = groups_list(groups, job, &err);
        break;
    case JOB_DESCRIBE_CONSUMER:
        code = groups_describe(groups, job, &err);
        break;
    case JOB_LIST_PARKED:
        code = groups_list_parked(groups, job, &err);
        break;
    case JOB_APPEND:
    case JOB_CHANGE:
    case JOB_CONSUMER:
    case JOB_LEASE:
    case JOB_LIST_LEASES:
    case JOB_AWAIT:
    case JOB_FORGET:
    case JOB_SAVE:
    case JOB_VERIFY:
    case JOB_MAIL:
        assert(!job_is_for_groups(job));
        break;
    }
    if (code != ACTA_OK) {
        buf_clear(&job->outcome.reply);
        job_refuse(job, code, "%s", err.text);
    }
    if (code != ACTA_OK || !is_given) {
        give(groups, job);
    }
}
