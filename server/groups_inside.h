/* What the parts of the groups' thread have in common. Internal to
 * server/groups*.c.
 *
 * A turn of the thread: take what has come; do what jobs, changes and saves ask
 * for; give every group that is busy a step, in which it hands out events; and
 * send to each connection what has gathered for it.
 */

#ifndef ACTA_GROUPS_INSIDE_H
#define ACTA_GROUPS_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "consumer.h"
#include "group.h"
#include "groups.h"
#include "groups_inbox.h"
#include "groups_peer.h"
#include "heap.h"
#include "interest.h"
#include "limit.h"
#include "name_map.h"
#include "query.h"
#include "reader.h"

/* Events of one step of a group: some two milliseconds of work. */
#define GROUPS_STEP_EVENTS 4096

/* A group that is in memory. */
struct hosted {
    struct groups *groups;
    struct name_node node;
    LIST_ENTRY(hosted) in_all;
    uint8_t name[ACTA_NAME_SIZE_MAX];
    struct buf row;           /* owned: the bytes of its definition, */
    struct consumer consumer; /* which this points into. */
    struct query query;       /* owned */
    uint64_t epoch;
    struct group *group;  /* owned; NULL: it is gone, but for a save. */
    bool is_stale;        /* Its rows have to be read again. */
    struct waiter waiter; /* While it has read all that there is. */
    uint64_t passed;      /* Nothing up to here has woken it. */
    uint64_t not_before;  /* After a failure: when to try again. */
    bool is_saving;       /* A save is on its way. */
    uint64_t in_hand;     /* As counted in that of all groups. */
    struct heap_node timer;
    bool is_busy; /* To have a step. */
    TAILQ_ENTRY(hosted) in_busy;
    LIST_HEAD(, seat) seats;
    struct job *waiting_first; /* owned: answered when a save is durable */
    struct job *waiting_last;
};

TAILQ_HEAD(hosted_list, hosted);

/* A membership: what a member is to the group that it is in, and to the
 * connection that it came by.
 */
struct seat {
    LIST_ENTRY(seat) in_peer;
    LIST_ENTRY(seat) in_hosted;
    struct peer *peer;
    struct hosted *hosted;
    struct group_member *member;
    uint64_t request_id;

    /* The frame of this step. */
    TAILQ_ENTRY(seat) in_open;
    struct buf *out; /* Where it is written; NULL: there is none. */
    struct buf own;  /* owned: if another of the peer's is being written */
    struct msg_open frame;
    size_t frame_count; /* Events in it. */
    struct buf counts;  /* owned: struct msg_count each */
};

/* How many parked events a group has that is not in memory. */
struct parked_count {
    uint64_t number; /* Of the group; 0: of none. */
    uint64_t count;
};

/* Groups of which that is kept. */
#define GROUPS_COUNTED 64

struct groups {
    struct database *database;
    struct writer *writer;
    pthread_t thread;
    bool is_started;
    struct inbox inbox;        /* Shared with all threads. */
    struct completions saves;  /* What the writer gives back. */
    struct watcher watcher;    /* Of commits, */
    _Atomic bool wants_commit; /* if it waits for one. */

    /* The thread's own. */
    struct reader *reader;     /* owned */
    struct interest *interest; /* owned */
    uint64_t seen; /* All up to here was shown to those that wait. */
    struct name_map hosted;
    LIST_HEAD(, hosted) all;
    struct hosted_list busy;
    struct heap timers;
    struct peers peers;
    TAILQ_HEAD(, seat) open; /* Seats that have a frame open. */
    uint64_t head;           /* Of the database, as of this step. */
    uint64_t now_us;         /* Monotonic, as of this turn. */
    uint64_t wall_us;
    struct buf records;                     /* owned: what is being read, */
    struct slice shown[GROUPS_STEP_EVENTS]; /* where they are. */
    struct buf fetched; /* owned: the event that was fetched last */
    struct parked_count counted[GROUPS_COUNTED]; /* In turns: */
    size_t counted_next;
    uint32_t refused[ACTA_SETTLE_MAX];
    bool has_left;        /* There may be deleted groups with parked events, */
    bool is_sweeping;     /* whose removal is on its way, */
    uint64_t sweep_at_us; /* or is to be tried not before this. */
    bool is_ending;     /* What the next start can do as well is left to it. */
    size_t saves_count; /* That are on their way. */

    /* Written by the thread, read by any. */
    _Atomic uint64_t groups_count;
    _Atomic uint64_t members_count;
    _Atomic uint64_t in_hand;
};

static inline struct slice
hosted_name(const struct hosted *hosted)
{
    return hosted->node.name;
}

/* ---- groups_hosted.c ---- */

/* If its rows have to be read again, do so: who asks for something may have
 * heard that they were changed. It may be gone then, and its seats.
 */
void hosted_refresh(struct hosted *hosted);

/* The group of this name, refreshed, if it is in memory; NULL: it is not. */
struct hosted *hosted_look_up(struct groups *groups, struct slice name);

/* The same, brought into memory if it is not there. NOT_FOUND; INVALID: it is a
 * plain consumer.
 */
enum acta_code hosted_find(struct groups *groups, struct slice name,
                           struct hosted **hosted,
                           struct acta_err *err) ACTA_CHECKED;

/* The rows of @name are not what they were. */
void hosted_changed(struct groups *groups, struct slice name);

/* Give @hosted a step in this turn. */
void hosted_make_busy(struct hosted *hosted);

/* Free it, if it has nothing to do any more. */
void hosted_let_go_if_idle(struct hosted *hosted);

/* Free it whatever it has to do; it has no members and no save on its way. */
void hosted_discard(struct hosted *hosted);

/* End all its memberships, and tell the members why. */
void hosted_end(struct hosted *hosted, enum acta_code code, const char *text);

/* Something failed that may not fail for ever: try again later. */
void hosted_trouble(struct hosted *hosted, const struct acta_err *err);
void hosted_wait_until(struct hosted *hosted, uint64_t time_us);

/* Read a consumer's row. *@found is false if there is none. */
enum acta_code hosted_read_row(struct groups *groups, enum row_kind kind,
                               struct slice name, struct buf *row, bool *found,
                               struct acta_err *err) ACTA_CHECKED;

/* The query of a consumer, which is to be freed with query_fini(). */
enum acta_code hosted_decode_query(struct query *query, struct slice bytes,
                                   struct acta_err *err) ACTA_CHECKED;

/* A walk over the parked events of a group, as their rows say. */
struct parked_visit {
    uint64_t number; /* Of the group. */
    uint64_t last;   /* Position of the last one that was visited. */
    bool at_end;
    enum acta_code (*visit)(void *user, uint64_t position,
                            const struct parked *parked, struct acta_err *err);
    void *user;
};

/* Visit up to @count_max more. */
enum acta_code parked_visit_some(struct groups *groups,
                                 struct parked_visit *visit, size_t count_max,
                                 struct acta_err *err) ACTA_CHECKED;

/* ---- groups_hand.c ---- */

/* What a group gets as its ports. */
struct group_ports hosted_ports(struct hosted *hosted);

/* Hand out what there is, as far as it goes in one step. */
void hosted_step(struct hosted *hosted);

/* @peer has taken what it was handed. */
void groups_take_receipt(struct groups *groups, struct peer *peer);

/* Wake those that wait for an event that has come. */
void groups_look_at_head(struct groups *groups);

/* ---- groups_request.c ---- */

/* Do what @job asks for; it goes back when that is done. */
void groups_do(struct groups *groups, struct job *job);

/* End a membership; it is freed. @died as in group_leave(). */
void seat_leave(struct seat *seat, bool died);

/* ---- groups_save.c ---- */

/* Have the writer save if that is due, and answer what waits for it. */
void hosted_save(struct hosted *hosted);

/* Give back the jobs that wait for a save: it will not be. */
void hosted_refuse_waiting(struct hosted *hosted, enum acta_code code,
                           const char *text);

/* Take the saves that have come back. */
void groups_take_saves(struct groups *groups);

/* Remove some of the parked events of groups that were deleted. */
void groups_sweep(struct groups *groups);

/* ---- groups_list.c ---- */

/* The group of this number comes into memory, where its parked events change.
 */
void groups_forget_count(struct groups *groups, uint64_t number);

/* The reply is written to the job's outcome. */
enum acta_code groups_list(struct groups *groups, struct job *job,
                           struct acta_err *err) ACTA_CHECKED;
enum acta_code groups_describe(struct groups *groups, struct job *job,
                               struct acta_err *err) ACTA_CHECKED;
enum acta_code groups_list_parked(struct groups *groups, struct job *job,
                                  struct acta_err *err) ACTA_CHECKED;

#endif
