/* One consumer group: who gets which event, and what became of it. A state
 * machine: no I/O, no clock, no threads. Events, answers and the time come in;
 * events that are handed out, and rows to be saved, go out.
 *
 * An event is one of its key's: its first tag that begins with the group's key
 * tag or, without one, its stream. A key's events are handed out in order, and
 * are in the hand of one member at a time; several may be, one behind the
 * other. What is taken back (by a delay, a time-out, the member's end, a
 * parking) takes what was handed out behind it back as well, so that the order
 * stays. A key goes to the member that has its bucket, one of 4096; a bucket
 * moves when its member leaves, or has no free slot while another has one. A
 * member that lets time-outs pass is asleep: it gets nothing until it answers,
 * unless all are.
 *
 * What is durable: all up to a position is done, but for the events that are
 * pending (ROW_CHECKPOINT), and those that are parked (a ROW_PARKED each).
 * Saving is behind: after a kill, events that were settled since the last save
 * are handed out again, delays are forgotten, and a parked event that was being
 * replayed is just parked. Nothing is lost, and each key's order holds.
 *
 * Life of one:
 *
 *     group_new(), group_load_parked() for each row, then in a loop:
 *         group_see_time(), then what has happened, in any order:
 *             group_join(), group_leave(), group_hold(), group_settle(),
 *             group_tick(), group_set(), group_reset(), group_replay(),
 *             group_drop(), group_saved()
 *         if group_begin() is OK, while group_wants() something:
 *             if group_is_loading(), group_load(), else read behind
 *             group_read_to(): group_add() for each match, group_pass()
 *         send what was handed out; if group_save_is_due(), group_take_save()
 *     group_free()
 *
 * Memory: arguments are borrowed until the call returns. All but group_begin()
 * with the calls that may follow it, and group_new(), work without memory to be
 * had: an answer is never lost.
 */

#ifndef ACTA_GROUP_H
#define ACTA_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "consumer.h"
#include "err.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "slice.h"

struct group;
struct group_member;

struct group_ports {
    /* @record is handed to the member that joined with @member, the
     * @deliveries'th time, under @fence. Called in the order in which the
     * member is to handle them; the fence is the same until the next
     * group_begin(). It may call group_hold(), and nothing else of the group.
     */
    void (*hand)(void *user, void *member, uint64_t fence, uint64_t deliveries,
                 struct slice record);
    /* Read one event, which stays until the next call. NOT_FOUND: it is not to
     * be seen any more, and is done. CORRUPT: it is parked. Others end
     * group_begin() or group_load(), which can be called again.
     */
    enum acta_code (*fetch)(void *user, uint64_t position, struct slice *record,
                            struct acta_err *err);
    void *user;
};

/* A group as its rows say, without members. CORRUPT, MEMORY. */
enum acta_code group_new(struct group **group, const struct consumer *consumer,
                         const struct checkpoint_row *row,
                         const struct group_ports *ports,
                         struct acta_err *err) ACTA_CHECKED;

/* One of its ROW_PARKED, which come in order of position, before all else.
 * MEMORY.
 */
enum acta_code group_load_parked(struct group *group, uint64_t position,
                                 const struct parked *parked,
                                 struct acta_err *err) ACTA_CHECKED;

/* Nobody is told; what is not saved will be handed out again. NULL is fine. */
void group_free(struct group *group);

/* The time from now on, monotonic and since 1970, until the next call. The
 * monotonic one never goes back.
 */
void group_see_time(struct group *group, uint64_t now_us, uint64_t wall_us);

/* Its definition was changed. Its time-out and its limits are those of all
 * events from now on, its query and on_park of those that are read from now on.
 * While it is paused nothing is handed out; answers are taken as ever.
 */
void group_set(struct group *group, const struct consumer *consumer);

/* It was set to a position, and has a new epoch: what members have is taken
 * back, what is parked stays so. An event that is parked is not handed out
 * again by being read again; but if events wait for parked ones, it is not
 * handed out before that either.
 */
void group_reset(struct group *group, uint64_t epoch, uint64_t position);

/* ---- members ---- */

/* @user is what group_ports.hand() gets. NULL: no memory. The member is there
 * until group_leave() or group_free().
 */
struct group_member *group_join(struct group *group, uint64_t slots,
                                struct slice name, void *user) ACTA_CHECKED;

/* What it has in hand is taken back. If it died, that counts as a delivery:
 * with the last one events are parked.
 */
void group_leave(struct group *group, struct group_member *member, bool died);

/* Hand it nothing more, or go on. What it has in hand stays there, and keys of
 * which it has events wait for it; others go to other members.
 */
void group_hold(struct group *group, struct group_member *member, bool is_held);

/* An answer. OK: *@settled more events are settled. FENCED: the event is not in
 * this member's hand under that fence. *@ticket is not 0 if it parked the event
 * or was about a parked one: the answer may be told once group_ticket() is
 * there.
 */
enum acta_code group_settle(struct group *group, struct group_member *member,
                            const struct msg_answer *answer, uint64_t *settled,
                            uint64_t *ticket) ACTA_CHECKED;

/* Take back what is not answered in time, end the delays that are over. Returns
 * when to call it again, and ask whether a save is due, at the latest, if
 * nothing happens before; UINT64_MAX: never.
 */
uint64_t group_tick(struct group *group);

/* ---- handing out ---- */

/* Begin to hand out under a new fence, which is greater than all before, also
 * in former lives of the group; what has waited and may go, goes at once. As
 * fetch() fails.
 */
enum acta_code group_begin(struct group *group,
                           struct acta_err *err) ACTA_CHECKED;

/* The following are for between group_begin() and what happens next. */

/* How many matching events, at most, it can make use of. 0: stop reading, until
 * something has happened.
 */
uint64_t group_wants(const struct group *group);

/* Events from its row have to be fetched before reading goes on. */
bool group_is_loading(const struct group *group);

/* Fetch up to @count of them. As fetch() fails; MEMORY. */
enum acta_code group_load(struct group *group, uint64_t count,
                          struct acta_err *err) ACTA_CHECKED;

/* The last position that was read: go on behind it. */
uint64_t group_read_to(const struct group *group);

/* The next event that its query wants, in order of positions. CORRUPT, MEMORY:
 * it was not taken, nor passed.
 */
enum acta_code group_add(struct group *group, struct slice record,
                         struct acta_err *err) ACTA_CHECKED;

/* The same for @count events. If it fails, those before were taken. */
enum acta_code group_add_all(struct group *group, const struct slice *records,
                             size_t count, struct acta_err *err) ACTA_CHECKED;

/* What was read goes up to @position: nothing else up to there matched. As
 * fetch() fails.
 */
enum acta_code group_pass(struct group *group, uint64_t position,
                          struct acta_err *err) ACTA_CHECKED;

/* ---- parked events ---- */

/* Hand out a parked event again, or drop it, also while it is being handed out
 * again. False: it is not parked, waits behind another of its key, or is to be
 * handed out again and is already. *@ticket as in group_settle(). What waited
 * behind a dropped event goes on by itself. One that is still to be read again
 * since a reset waits for that, if events wait for parked ones: it is behind
 * what comes before it.
 */
bool group_replay(struct group *group, uint64_t position);
bool group_drop(struct group *group, uint64_t position, uint64_t *ticket);

/* The same for all that are parked and not behind another. Returns how many. */
uint64_t group_replay_all(struct group *group);
uint64_t group_drop_all(struct group *group, uint64_t *ticket);

/* What became of an event that has a row: rows may be older than this. False:
 * it is parked no more.
 */
bool group_parked_state(const struct group *group, uint64_t position,
                        enum msg_parked_state *state);

/* ---- saving ---- */

/* Have a save, though nothing may have changed but how far it has read. */
void group_save_soon(struct group *group);

/* At most one save is on its way at a time. */
bool group_save_is_due(const struct group *group);

/* Put the rows of a save behind those in @rows: rows_add(), without an end.
 * @name is the group's. MEMORY: nothing was taken.
 */
enum acta_code group_take_save(struct group *group, struct slice name,
                               struct buf *rows,
                               struct acta_err *err) ACTA_CHECKED;

/* The save that was taken is durable, or else was refused: what was in it will
 * be in the next.
 */
void group_saved(struct group *group, bool is_durable);

/* All up to this ticket is durable. */
uint64_t group_ticket(const struct group *group);

/* It has no members, nothing is being replayed, and all is saved: it may be
 * freed and made anew.
 */
bool group_is_idle(const struct group *group);

/* ---- for lists ---- */

struct group_figures {
    uint64_t position; /* All that matches up to here is done or parked; if
                          nothing waits, how far it has read. */
    uint64_t epoch;
    uint64_t members;
    uint64_t in_hand;
    uint64_t delayed;
    uint64_t parked;
    uint64_t waiting;  /* Read, and not handed out. */
    uint64_t unloaded; /* Pending in its row, and not fetched yet. */
    uint64_t moved_us;
};

struct group_figures group_figures(const struct group *group);

/* figures.in_hand, which is there at once: the position has to be searched for
 * among the events in mind.
 */
uint64_t group_in_hand(const struct group *group);

/* The member behind @member, or the first; NULL: there is none. */
struct group_member *group_next_member(const struct group *group,
                                       const struct group_member *member);
struct msg_member group_describe_member(const struct group_member *member);

/* Of a group that is not there, by its row: as group_figures.position. CORRUPT.
 */
enum acta_code group_row_position(const struct checkpoint_row *row,
                                  uint64_t *position,
                                  struct acta_err *err) ACTA_CHECKED;

#endif
