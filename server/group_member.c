#include "group_member.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct group_member *
group_member_new(uint64_t slots, struct slice name, void *user)
{
    struct group_member *member = malloc(sizeof(*member));

    assert(slots > 0);
    assert(name.size <= ACTA_NAME_SIZE_MAX);

    if (member == NULL) {
        return NULL;
    }
    *member = (struct group_member){
        .user = user,
        .slots = slots,
        .slots_now = slots,
        .name_size = (uint16_t)name.size,
    };
    if (name.size > 0) {
        memcpy(member->name, name.data, name.size);
    }
    ring_init(&member->in_hand);
    ring_init(&member->in_members);
    ring_init(&member->in_free);
    ring_init(&member->ready);
    ring_init(&member->held_ready);
    ring_init(&member->in_overloaded);
    return member;
}

void
group_member_free(struct group_member *member)
{
    group_lane_fini(&member->lane);
    free(member);
}

struct msg_member
group_describe_member(const struct group_member *member)
{
    return (struct msg_member){
        .name = slice_make(member->name, member->name_size),
        .slots = member->slots,
        .in_hand = member->in_hand_count,
        .joined_us = member->joined_us,
        .acked = member->acked,
    };
}
