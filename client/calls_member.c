/* The calls of acta_group.h that do not wait. Answers are told when the loop
 * turns: the client sees then that there are some.
 */

#include "client.h"
#include "member.h"

struct acta_member *
acta_join(struct acta_client *client, const struct acta_join *join,
          struct acta_err *err)
{
    uint64_t now_ms = client_now_ms(client);
    struct acta_member *member;

    client_enter(client);
    member = member_new(&client->core, join, err);
    if (member != NULL) {
        core_pump(&client->core, now_ms);
    }
    client_leave(client, now_ms);
    return member;
}

void
acta_leave(struct acta_member *member)
{
    struct acta_client *client;
    uint64_t now_ms;

    if (member == NULL) {
        return;
    }
    client = member->core->owner;
    now_ms = client_now_ms(client);
    client_enter(client);
    member_leave(member);
    core_pump(&client->core, now_ms);
    client_leave(client, now_ms);
}

void
acta_member_pause(struct acta_member *member)
{
    member_pause(member);
}

void
acta_member_resume(struct acta_member *member)
{
    struct acta_client *client = member->core->owner;

    client_enter(client);
    member_resume(member);
    client_leave(client, client_now_ms(client));
}

size_t
acta_member_in_hand(const struct acta_member *member)
{
    return member->hand.count;
}

/* ---- settling ---- */

/* Let the loop turn soon, if this was the first answer since it turned last. */
static void
answered(struct acta_member *member, size_t answered_before)
{
    struct acta_client *client = member->core->owner;

    if (answered_before == 0 && member->hand.answered > 0 &&
        client->depth == 0) {
        client_enter(client);
        client_leave(client, client_now_ms(client));
    }
}

static void
settle(struct acta_member *member, uint64_t number, enum msg_settle_kind kind,
       uint64_t delay_ms, const char *reason)
{
    size_t before = member->hand.answered;

    member_answer(member, number, kind, delay_ms, reason);
    answered(member, before);
}

void
acta_ack(struct acta_member *member, uint64_t number)
{
    settle(member, number, MSG_ACK, 0, NULL);
}

void
acta_ack_up_to(struct acta_member *member, uint64_t number)
{
    size_t before = member->hand.answered;

    member_ack_up_to(member, number);
    answered(member, before);
}

void
acta_retry(struct acta_member *member, uint64_t number, uint64_t delay_ms)
{
    settle(member, number, MSG_RETRY, delay_ms, NULL);
}

void
acta_park(struct acta_member *member, uint64_t number, const char *reason)
{
    settle(member, number, MSG_PARK, 0, reason);
}

void
acta_skip(struct acta_member *member, uint64_t number)
{
    settle(member, number, MSG_SKIP, 0, NULL);
}
