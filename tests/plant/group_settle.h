/* For mistakes that stand in for group_settle() (group.h). */

#ifndef ACTA_TEST_GROUP_SETTLE_H
#define ACTA_TEST_GROUP_SETTLE_H

#include "group_state.h"

enum acta_code __real_group_settle(struct group *group,
                                   struct group_member *member,
                                   const struct msg_answer *answer,
                                   uint64_t *settled, uint64_t *ticket);
enum acta_code __wrap_group_settle(struct group *group,
                                   struct group_member *member,
                                   const struct msg_answer *answer,
                                   uint64_t *settled, uint64_t *ticket);

#endif
