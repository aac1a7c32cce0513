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
    uint64_t derived;
    uint64_t pruned; /* Changes of streams. */
};

struct roles_counts *roles_counts(void);

/* Send @append, which @attempt is, until its outcome is known. */
void role_append(struct party *party, struct attempt *attempt,
                 const struct acta_append *append);

/* A new id for what has no events that it could be known by. */
struct acta_id role_command_id(void);

/* Have all who append come to their end? And all but those who derive? */
bool roles_are_written(void);
bool roles_have_sources(void);

/* One more begins to append: before its party starts. And has ended. */
void roles_begin_writing(void);
void roles_end_writing(void);
void roles_begin_deriving(void);
void roles_end_deriving(void);

/* Appends, in all ways, and reads what it wrote. */
void role_writer(struct party *party);

/* Holds a lease and appends under it. */
void role_holder(struct party *party);

/* Hides and erases what it has appended, and keeps snapshots. */
void role_pruner(struct party *party);

/* The same, but hides nothing: what should be erased, and is not, is seen. */
void role_eraser(struct party *party);

/* Schedules appends. */
void role_planner(struct party *party);

/* Derives events from others; and, at the end: from each once? */
void role_processor(struct party *party);
void role_processor_check(uint64_t head);

/* Follows; and, at the end: was every subscriber shown all it wants? */
void role_subscriber(struct party *party);
void role_subscriber_check(uint64_t head);

/* Works in a group; and, at the end: has somebody settled every event? */
void role_member(struct party *party);
void role_member_check(uint64_t head);

#endif
