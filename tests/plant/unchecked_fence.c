/* An answer is about what its member has in hand, under whatever fence. */

#include "group_settle.h"

enum acta_code
__wrap_group_settle(struct group *group, struct group_member *member,
                    const struct msg_answer *answer, uint64_t *settled,
                    uint64_t *ticket)
{
    const struct group_event *event =
        group_table_find(&group->table, answer->position);
    struct msg_answer mistaken = *answer;

    if (event != NULL && event->state == GROUP_IN_HAND) {
        mistaken.fence = event->fence;
    }
    return __real_group_settle(group, member, &mistaken, settled, ticket);
}
