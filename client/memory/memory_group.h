/* Groups: the events that are read and not done, and who has them. Internal to
 * client/memory/.
 */

#ifndef ACTA_MEMORY_MEMORY_GROUP_H
#define ACTA_MEMORY_MEMORY_GROUP_H

#include <sys/queue.h>

#include "memory_store.h"
#include "msg_group.h"

enum item_state {
    ITEM_WAITING,
    ITEM_DELAYED,
    ITEM_IN_HAND,
    ITEM_AT_REST, /* Parked, and not being replayed. */
};

struct group_member {
    TAILQ_ENTRY(group_member) in_group;
    struct memory_group *group;
    struct memory_connection *connection;
    uint64_t request_id; /* Of its join. */
    uint64_t slots;
    struct slice name; /* owned */
    uint64_t joined_us;
    uint64_t acked;
    uint64_t in_hand;
    uint64_t in_hand_size; /* Of their records. */
    bool is_late;          /* It has let time pass, and said nothing since. */
};

struct group_key {
    struct table_entry named;
    size_t items_count;
    size_t in_hand;
    struct group_member *holder; /* Of those in hand. */
    uint64_t blocked;            /* In this turn nothing more is handed out. */
};

struct group_item {
    TAILQ_ENTRY(group_item) in_group;
    struct memory_event *kept;
    uint64_t position;
    struct group_key *key;
    enum item_state state;
    uint64_t handed; /* How often, and how often that counts. */
    uint64_t tries;
    struct group_member *member; /* ITEM_IN_HAND: who, */
    uint64_t fence;              /* under what, */
    uint64_t handed_us;          /* since when. */
    uint64_t until_us;           /* ITEM_DELAYED */

    bool is_parked; /* Also while it is replayed. */
    bool is_behind; /* Because another one of its key is. */
    uint64_t parked_us;
    struct slice reason; /* owned */
};

TAILQ_HEAD(group_items, group_item);
TAILQ_HEAD(group_members, group_member);

struct memory_group {
    struct acta_memory *memory;
    struct memory_consumer *consumer;
    struct group_items items; /* By position. */
    size_t items_count;
    size_t parked_count; /* Of them. */
    struct table keys;
    struct group_members members;
    uint64_t turn;
    uint64_t told_position;
};

struct memory_group *group_new(struct acta_memory *memory,
                               struct memory_consumer *consumer);
/* Memberships end with NOT_FOUND. */
void group_free(struct memory_group *group);

/* Everything is taken back, and what is not parked forgotten. */
void group_reset(struct memory_group *group);

/* Everything up to here is done, or parked. */
uint64_t group_position(const struct memory_group *group);

/* ---- members ---- */

struct group_member *group_join(struct memory_group *group,
                                struct memory_connection *connection,
                                uint64_t request_id,
                                const struct msg_join *join);
void group_leave(struct group_member *member, bool died);

/* False: it is refused. *@settled events are settled by it. */
bool group_settle(struct group_member *member, const struct msg_answer *answer,
                  uint64_t *settled);

/* ---- parked events ---- */

bool group_replay(struct memory_group *group, struct group_item *item);
bool group_drop(struct memory_group *group, struct group_item *item);

/* ---- items.c ---- */

/* The item of a position, or NULL. */
struct group_item *group_find(const struct memory_group *group,
                              uint64_t position);

/* Make one of an event that was read. */
struct group_item *group_add(struct memory_group *group,
                             struct memory_event *kept);

/* Forget it: it is done with. What waits behind it goes on. */
void group_done(struct memory_group *group, struct group_item *item);

/* Take it from its member, with those of its key behind it. */
void group_take_back(struct group_item *item);

/* Put it aside, and those behind it if they have to wait. */
void group_park(struct memory_group *group, struct group_item *item,
                struct slice reason);

/* The same, if it was tried too often. True if so. */
bool group_park_if_tried(struct memory_group *group, struct group_item *item,
                         const char *what);

/* Would an event of this key have to wait behind a parked one? */
bool group_must_wait(const struct memory_group *group,
                     const struct group_item *item);
void group_park_behind(struct memory_group *group, struct group_item *item);

/* ---- turn.c ---- */

/* The next time at which something is due in a group. */
uint64_t memory_groups_due(const struct acta_memory *memory);

/* Do what is due by the time, and hand out what can be. */
void memory_turn_groups(struct acta_memory *memory);

/* ---- members.c ---- */

/* The members of a connection that is over. */
void memory_drop_members(struct memory_connection *connection);

/* Tell a member what it was handed under @fence; that its group is gone. */
void member_tell_handed(struct group_member *member, uint64_t fence);
void member_tell_gone(struct group_member *member);

#endif
