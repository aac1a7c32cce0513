/* The inside of one group, for the files that it is made of.
 *
 *     group.c          its life, its members, their answers, time
 *     group_read.c     events come in
 *     group_hand.c     events go to members
 *     group_live.c     events are taken back, or done
 *     group_parked.c   events are parked, replayed, dropped
 *     group_save.c     rows go out
 *
 * Everything an event or a key can be in is a ring, and every step between two
 * states takes it out of one and puts it into another: no step looks at more
 * events than it moves. A page that is read again after a reset, with parked
 * events on it, looks at all keys that have some.
 *
 * But most events are light: handed out once, and then acked. Of these the
 * member's lane has a few words, in place of a struct group_event, which they
 * are made into when anything else is to happen to one of the lane, or when
 * their member is handed one that has a past: its ring is before its lane, and
 * so are those of its keys. So each event is made heavy at most once. For this
 * there is always memory, as for all that becomes of answers.
 */

#ifndef ACTA_GROUP_STATE_H
#define ACTA_GROUP_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group.h"
#include "group_event.h"
#include "group_key.h"
#include "group_member.h"
#include "group_pending.h"
#include "group_pool.h"
#include "limit.h"
#include "ring.h"

/* One row of the save that is on its way. */
struct group_saving {
    struct group_event *event;
    uint64_t ticket; /* That it had then. */
    bool is_removal;
};

struct group {
    /* What it is. */
    uint64_t number;
    uint64_t epoch;
    bool is_paused;
    struct msg_group_settings settings; /* Its key tag is the one below. */
    uint8_t key_tag[ACTA_TAG_SIZE_MAX];
    struct group_ports ports;
    uint64_t now_us;
    uint64_t wall_us;

    /* What it has in mind. */
    uint64_t read_to;
    uint64_t touched; /* No event behind it was handed out, parked or done. */
    uint64_t met;     /* None behind it is in mind before it is read. */
    uint64_t ahead;   /* No key waits for what is read before it. */
    uint8_t *row_pending;                /* owned: of its row, */
    struct group_pending_reader to_load; /* and what is left of it. */
    struct group_pool events;
    struct group_pools records; /* Those that wait. */
    struct group_keys keys;
    struct group_table table;    /* All but those that are gone, or light. */
    struct group_heap delays;    /* Those that are delayed. */
    uint64_t light;              /* How many are in lanes instead. */
    uint64_t counts[GROUP_GONE]; /* By state. */
    uint64_t replaying; /* Parked ones that wait or are in hand again. */
    uint64_t held_size; /* Bytes of records that wait. */
    struct ring parked_keys;

    /* Who gets it. */
    struct ring members;
    uint64_t members_count;
    uint64_t awake_count;
    struct ring free;              /* Members with room that are awake, */
    struct ring free_asleep;       /* and those that are not. */
    struct ring overloaded;        /* Members with keys that others may take. */
    struct ring orphans;           /* Ready keys that are nobody's. */
    struct group_member **buckets; /* owned: GROUP_BUCKETS, when the first
                                      event has gone to a member, or NULL */
    uint64_t timeout_us;           /* No time-out passes before. */
    uint64_t fence;                /* The last that was given out. */
    uint64_t fences_reserved;
    bool is_open; /* Events may be handed out under it. */

    /* What is durable of it. */
    struct ring pending; /* Events that are pending, but for light ones. */
    struct ring dirty;   /* Events whose rows are to be saved, by ticket. */
    uint64_t ticket;     /* The last that was given to an event, */
    uint64_t told;       /* and the last that somebody waits for. */
    bool is_changed;
    bool is_passed; /* It has only read on. */
    bool is_saving;
    struct group_saving *saving; /* owned: what is on its way */
    size_t saving_count;
    size_t saving_room;
    uint64_t fences_saving;
    uint64_t saved_at_us;
    uint64_t saved_position;
    uint64_t moved_us;
};

/* Who has the bucket of @key; NULL: nobody. */
static inline struct group_member *
group_owner(const struct group *group, const struct group_key *key)
{
    return group->buckets == NULL ? NULL
                                  : group->buckets[group_key_bucket(key->hash)];
}

/* Is it, in a group whose events wait for parked ones, one that was parked
 * before a reset and is still to be read again? What is read before it goes
 * first.
 */
static inline bool
group_is_ahead(const struct group *group, uint64_t position)
{
    return position > group->read_to &&
           group->settings.on_park == MSG_PARK_WAITS;
}

static inline void
group_touch(struct group *group, uint64_t position)
{
    if (position > group->touched) {
        group->touched = position;
    }
}

/* ---- group_read.c ---- */

/* Keys that have parked events are looked at again: what is read up to, or what
 * on_park says, is another now.
 */
void group_meet_parked(struct group *group);

/* ---- group_live.c ---- */

void group_change_state(struct group *group, struct group_event *event,
                        enum group_event_state state);
void group_free_bytes(struct group *group, struct group_event *event);

/* Take an event that is in hand from its member; what it is then, and in which
 * ring of its key, the caller says.
 */
void group_out_of_hand(struct group *group, struct group_event *event);

/* Make all light events that a member has in hand what others are. */
void group_make_heavy(struct group *group, struct group_member *member);

/* Have memory for one more event, whatever is to become of it and of the light
 * ones. False: there is none.
 */
bool group_reserve_event(struct group *group);

/* An event in a lane is done; group_place_member() is the caller's. */
void group_light_done(struct group *group, struct group_member *member,
                      struct group_light *light);

/* Take back an event that is in hand, and those of its key behind it: they wait
 * in front of all others. For those behind it, this delivery does not count.
 */
void group_take_back(struct group *group, struct group_event *event);

/* It is done, wherever it is. Returns the ticket with which the removal of its
 * row is durable; 0: it has none.
 */
uint64_t group_done(struct group *group, struct group_event *event);

/* ---- group_hand.c ---- */

/* After any change of what a key has: see that it is among the ready ones if it
 * has something to hand out.
 */
void group_place_key(struct group *group, struct group_key *key);

/* After any change of what a member has: see that it is among the free ones if
 * it has room.
 */
void group_place_member(struct group *group, struct group_member *member);

/* Let a member sleep, or wake it. */
void group_let_sleep(struct group *group, struct group_member *member,
                     bool is_asleep);

/* How many more events these may have in hand. */
uint64_t group_room(const struct group *group);

/* Hand out what waits, as far as members have room. */
enum acta_code group_hand_waiting(struct group *group,
                                  struct acta_err *err) ACTA_CHECKED;

/* The member to which a new event of @key can be handed now; NULL: it has to
 * wait.
 */
struct group_member *group_member_for_new(struct group *group,
                                          const struct group_key *key);

/* Hand it out, as a light one. False: no memory. */
bool group_hand_new(struct group *group, struct group_key *key,
                    struct group_member *member, uint64_t position,
                    struct slice record) ACTA_CHECKED;

/* ---- group_parked.c ---- */

/* Park an event that is in hand, waits, or was behind another; if events wait
 * for parked ones, those behind it are parked, too. Returns its ticket.
 */
uint64_t group_park(struct group *group, struct group_event *event,
                    struct slice reason);
uint64_t group_park_for(struct group *group, struct group_event *event,
                        const char *fmt, ...) ACTA_PRINTF(3, 4);

/* Put a new event, in no ring yet, behind the parked ones of its key. */
void group_park_behind(struct group *group, struct group_event *event);

/* Does a new event of @key at @position have to go there? */
bool group_must_wait(const struct group *group, const struct group_key *key,
                     uint64_t position);

/* An event that was behind another has its turn: it is the first that waits. */
void group_release(struct group *group, struct group_event *event);

/* A new event that has a row, or one that was replayed, rests among the parked
 * ones. It is in no ring.
 */
void group_stay_parked(struct group *group, struct group_event *event);
void group_stop_replay(struct group *group, struct group_event *event);

/* ---- group_save.c ---- */

/* Its row is to be saved, or removed if it is gone. Returns the ticket. */
uint64_t group_save_row(struct group *group, struct group_event *event);

/* The first event in mind that is pending. False: there is none. It looks at
 * all of them.
 */
bool group_first_pending(const struct group *group, uint64_t *position);

/* When a save is due at the latest, if nothing happens. */
uint64_t group_save_time(const struct group *group);

#endif
