/* What clients do, until trouble is over and all is done that they began. */

#ifndef ACTA_SIM_ROLES_H
#define ACTA_SIM_ROLES_H

#include "oracle.h"
#include "party.h"

/* Until when roles begin new things. */
void roles_end(uint64_t time_ns);
bool roles_go_on(void);

struct roles_counts {
    uint64_t followed; /* Events that subscribers were shown, */
    uint64_t handed;   /* and members of groups. */
    uint64_t leases;
    uint64_t scheduled;
    uint64_t cancelled;
};

struct roles_counts *roles_counts(void);

/* Send @append, which @attempt is, until its outcome is known. */
void role_append(struct party *party, struct attempt *attempt,
                 const struct acta_append *append);

/* Have all who append come to their end? */
bool roles_are_written(void);

/* One more begins to append: before its party starts. And has ended. */
void roles_begin_writing(void);
void roles_end_writing(void);

/* Appends, in all ways, and reads what it wrote. */
void role_writer(struct party *party);

/* Holds a lease and appends under it. */
void role_holder(struct party *party);

/* Schedules appends. */
void role_planner(struct party *party);

/* Follows; and, at the end: was every subscriber shown all it wants? */
void role_subscriber(struct party *party);
void role_subscriber_check(uint64_t head);

/* Works in a group; and, at the end: has somebody settled every event? */
void role_member(struct party *party);
void role_member_check(uint64_t head);

#endif
