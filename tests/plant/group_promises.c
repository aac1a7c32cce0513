/* A group that says that a park is durable when it is not. */

#include "group_state.h"

uint64_t __wrap_group_ticket(const struct group *group);

uint64_t
__wrap_group_ticket(const struct group *group)
{
    return group->ticket;
}
