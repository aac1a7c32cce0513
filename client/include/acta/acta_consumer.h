/* Named consumers: their place is kept by the server, with the events.
 *
 * A consumer that follows alone has a checkpoint: everything up to there has
 * been handled. Whoever claims it begins a new epoch, and everybody else's is
 * over: only the last one who came moves the checkpoint, and goes on. So two
 * programs that both believe to be the one never undo each other's work. This
 * one prints events, and goes on where it was whenever it is started:
 *
 *     #include <acta/acta_consumer.h>
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_follower *follower = NULL;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *         const struct acta_news *news;
 *
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK) {
 *             acta_follower_claim(&follower, sync, "printer", NULL, 0, &err);
 *         }
 *         while (err.code == ACTA_OK &&
 *                acta_follower_next(follower, -1, &news, &err) == ACTA_OK) {
 *             for (size_t i = 0; i < news->events_count; i++) {
 *                 printf("%s %s\n", news->events[i]->stream,
 *                        news->events[i]->type);
 *             }
 *             fflush(stdout);
 *             acta_follower_checkpoint(follower, news->position, &err);
 *         }
 *         fprintf(stderr, "%s\n", err.text); // FENCED: another has claimed it
 *         acta_follower_close(follower);
 *         acta_sync_close(sync);
 *         return 1;
 *     }
 *
 * The same in a loop of one's own:
 *
 *     struct acta_follow follow = acta_follow_of(query, 0);
 *
 *     follow.consumer = "invoices";    // claimed, made if it is not there
 *     follow.on_events = on_events;    // calls acta_checkpoint() at its end
 *     follow.on_ended = on_ended;      // FENCED: another has claimed it
 *     sub = acta_subscribe(client, &follow, &err);
 *
 * The checkpoint is moved either by acta_checkpoint(), which needs no answer;
 * or, if what came of the events is events too, together with these by
 * acta_append_checkpoint(): then each is handled exactly once.
 *
 * A group is a consumer whose events are shared out among members, see
 * acta_group.h: made, altered and looked after here.
 *
 * What is said of connections, errors, memory, names, threads and compatibility
 * in acta.h, which this header includes, holds here. The names of consumers are
 * like those of streams. All changes here can be sent again, and are after a
 * broken connection: then changed may be false though the first time did it.
 */

#ifndef ACTA_ACTA_CONSUMER_H
#define ACTA_ACTA_CONSUMER_H

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- following under a name ---- */

/* With follow.consumer set acta_subscribe() claims the consumer, once, then
 * follows from its checkpoint, through any number of connections. follow.after
 * counts only if the consumer is made by that: its place is there then. Its
 * query becomes that of the subscription, for its lag.
 *
 * on_ended is told FENCED soon after another has claimed the consumer, or it
 * was reset or deleted; and EXISTS if there is a group of this name.
 */

/* Move the checkpoint of the subscription's consumer to @position, soon and
 * without waiting: one move is under way at a time, and the newest position is
 * next. It is sent again until it is stored, which on_checkpoint is told, or
 * the subscription is over: on_ended is told FENCED then, here as well. It
 * never goes back: a position that it is beyond is passed over. Does nothing
 * for a subscription without a consumer, and before on_claimed.
 */
ACTA_API void acta_checkpoint(struct acta_sub *sub, uint64_t position);

/* The epoch of its claim; 0: there is none yet, or no consumer. */
ACTA_API uint64_t acta_sub_epoch(const struct acta_sub *sub);

/* ---- changes ---- */

/* How a consumer's change ended. Never NULL; @done may be NULL. */
struct acta_consumer_changed {
    uint64_t position; /* Its checkpoint. */
    uint64_t epoch;
    bool changed; /* False: it was like that already. */
};

typedef void
acta_on_consumer_changed(void *user, const struct acta_err *err,
                         const struct acta_consumer_changed *changed);

/* Claim a consumer that follows alone, and begin its new epoch, without
 * following: for those who move its checkpoint by appends only. It is made if
 * it is not there, at @position, which may not be above the head (INVALID).
 * @query, or all events if it is NULL, becomes the consumer's, by which its lag
 * is counted. EXISTS: it is a group.
 */
ACTA_API uint64_t acta_claim(struct acta_client *client, const char *consumer,
                             const struct acta_query *query, uint64_t position,
                             uint64_t timeout_ms,
                             acta_on_consumer_changed *done, void *user,
                             struct acta_err *err);

/* What becomes of the events behind a parked one of the same key. */
enum acta_on_park {
    ACTA_PARK_WAITS = 0,   /* They are parked behind it, until it is acked or
                              dropped; then they come, in order. */
    ACTA_PARK_GOES_ON = 1, /* Nothing waits. */
};

/* A group that is to be made or altered: acta_group_of(). */
struct acta_group {
    size_t size;    /* Of this struct. */
    unsigned given; /* ACTA_GROUP_...: fields that are to be set; others get
                       their defaults, or stay as they are. */
    const struct acta_query *query; /* NULL: all events. */
    uint64_t ack_timeout_us; /* 30 s: an event that is not settled for so long
                                is taken back. 1 ms to 24 h. */
    uint64_t deliveries_max; /* 10: handed out so often in vain it is parked. */
    enum acta_on_park on_park; /* ACTA_PARK_WAITS */

    /* Of a new group only. */
    uint64_t position;   /* Behind which it begins; at most the head. */
    const char *key_tag; /* Events whose first tag that begins so is the same
                            have one key, such as "customer:"; of an event
                            without one, and if this is NULL, the key is its
                            stream. */
};

#define ACTA_GROUP_QUERY          1u
#define ACTA_GROUP_ACK_TIMEOUT    2u
#define ACTA_GROUP_DELIVERIES_MAX 4u
#define ACTA_GROUP_ON_PARK        8u

/* A group in which what is @given is 0, to be set by the caller. */
static inline struct acta_group
acta_group_of(unsigned given)
{
    struct acta_group group;

    memset(&group, 0, sizeof(group));
    group.size = sizeof(group);
    group.given = given;
    return group;
}

/* Make a group. EXISTS: there is a consumer of this name, and it is not a group
 * that was made just so (then changed is false). INVALID: a position above the
 * head, a time or number out of bounds.
 */
ACTA_API uint64_t acta_create_group(struct acta_client *client,
                                    const char *name,
                                    const struct acta_group *group,
                                    uint64_t timeout_ms,
                                    acta_on_consumer_changed *done, void *user,
                                    struct acta_err *err);

/* Change what is given, for events that are read from now on. Its members stay.
 * NOT_FOUND: there is no such consumer. INVALID: it is no group; nothing is
 * given.
 */
ACTA_API uint64_t acta_alter_group(struct acta_client *client, const char *name,
                                   const struct acta_group *group,
                                   uint64_t timeout_ms,
                                   acta_on_consumer_changed *done, void *user,
                                   struct acta_err *err);

/* Let a group hand nothing out, or again. Its members stay, and what they have
 * in hand they can settle. NOT_FOUND; INVALID: it is no group.
 */
ACTA_API uint64_t acta_pause_group(struct acta_client *client, const char *name,
                                   uint64_t timeout_ms,
                                   acta_on_consumer_changed *done, void *user,
                                   struct acta_err *err);
ACTA_API uint64_t acta_resume_group(struct acta_client *client,
                                    const char *name, uint64_t timeout_ms,
                                    acta_on_consumer_changed *done, void *user,
                                    struct acta_err *err);

/* Let a consumer of either kind go on behind @position, which may lie before or
 * behind where it is, in a new epoch. A group takes back what is in hand, keeps
 * what is parked, and keeps its members. For a time see acta_find_time().
 * NOT_FOUND. INVALID: @position is above the head.
 */
ACTA_API uint64_t acta_reset_consumer(struct acta_client *client,
                                      const char *name, uint64_t position,
                                      uint64_t timeout_ms,
                                      acta_on_consumer_changed *done,
                                      void *user, struct acta_err *err);

/* Delete a consumer of either kind, with all that is kept for it, parked events
 * included. Its subscriptions and memberships end. If there is none of this
 * name, changed is false.
 */
ACTA_API uint64_t acta_delete_consumer(struct acta_client *client,
                                       const char *name, uint64_t timeout_ms,
                                       acta_on_consumer_changed *done,
                                       void *user, struct acta_err *err);

/* Keep a text of up to 1,024 bytes, which may have lines, with a plain consumer
 * whose epoch is @epoch, in the place of the one before; "" removes it. It is
 * for people and tools: see struct acta_consumer. FENCED: the epoch is over.
 * NOT_FOUND. INVALID: it is a group.
 */
ACTA_API uint64_t acta_note_consumer(struct acta_client *client,
                                     const char *name, uint64_t epoch,
                                     const char *text, uint64_t timeout_ms,
                                     acta_on_consumer_changed *done, void *user,
                                     struct acta_err *err);

/* Wait, for @wait_ms at most, until a consumer of either kind has handled all
 * up to @position, so that what was appended there can be read from what it
 * makes. The answer says where it is. With 0 it is only looked at, and the
 * time-out of the options counts; 24 hours are the most.
 *
 * TIMEOUT: it is not there yet. NOT_FOUND: there is no such consumer.
 */
ACTA_API uint64_t acta_wait_for(struct acta_client *client, const char *name,
                                uint64_t position, uint64_t wait_ms,
                                acta_on_consumer_changed *done, void *user,
                                struct acta_err *err);

/* ---- what there is ---- */

enum acta_consumer_kind {
    ACTA_CONSUMER_PLAIN = 0, /* It follows alone. */
    ACTA_CONSUMER_GROUP = 1,
};

struct acta_consumer {
    const char *name;
    enum acta_consumer_kind kind;

    const struct acta_query_text *const *query; /* What its query names. */
    size_t query_count;                         /* 0: it wants all events. */

    uint64_t position; /* Everything up to here that it wants has been handled
                          (of groups: acked, skipped or parked). */
    uint64_t epoch;
    uint64_t head; /* The database's last position. */

    /* Its lag. */
    uint64_t lag_events;   /* Of any kind, behind its position. */
    uint64_t lag_matching; /* Those of them that it wants and that are not
                              handled. */
    bool lag_is_counted;   /* False: there are more of the latter; counting all
                              would have taken too long. */
    uint64_t lag_us; /* Age of the oldest that is not handled; 0: none is. */

    uint64_t changed_us; /* When its checkpoint last moved, since 1970; 0:
                            never. */
    uint64_t connected;  /* Subscriptions, or members. */

    /* Groups only. */
    bool is_paused;
    const char *key_tag; /* "" if streams are the keys. */
    uint64_t ack_timeout_us;
    uint64_t deliveries_max;
    enum acta_on_park on_park;
    uint64_t in_hand; /* Events that members have. */
    uint64_t delayed; /* Events that wait to be tried again. */
    uint64_t parked;  /* With those that wait behind a parked one. */

    /* Plain ones only: see acta_note_consumer(). */
    const char *note; /* "" if there is none. */
    uint64_t note_us; /* When it was noted, since 1970; 0: there is none. */
};

struct acta_consumers {
    const struct acta_consumer *const *consumers;
    size_t consumers_count;
    bool at_end; /* Else list again, after the last name here. */
};

/* List consumers of both kinds by name, as acta_list() does streams: 1,000 at
 * most at once.
 */
typedef void acta_on_consumers(void *user, const struct acta_err *err,
                               const struct acta_consumers *consumers);
ACTA_API uint64_t acta_list_consumers(struct acta_client *client,
                                      const char *prefix, const char *after,
                                      size_t count_max, uint64_t timeout_ms,
                                      acta_on_consumers *done, void *user,
                                      struct acta_err *err);

/* One who is a member of a group. */
struct acta_member_info {
    const char *name; /* As it joined; may be "". */
    uint64_t slots;
    uint64_t in_hand;
    uint64_t joined_us; /* Since 1970. */
    uint64_t acked;     /* Since it joined. */
};

struct acta_consumer_description {
    const struct acta_consumer *consumer; /* NULL if it failed. */
    const struct acta_member_info *const *members;
    size_t members_count;
};

/* Describe one consumer. NOT_FOUND: there is none. */
typedef void acta_on_consumer_description(
    void *user, const struct acta_err *err,
    const struct acta_consumer_description *description);
ACTA_API uint64_t acta_describe_consumer(struct acta_client *client,
                                         const char *name, uint64_t timeout_ms,
                                         acta_on_consumer_description *done,
                                         void *user, struct acta_err *err);

/* ---- parked events ---- */

enum acta_parked_state {
    ACTA_PARKED = 0,
    ACTA_PARKED_BEHIND = 1,   /* Waits for a parked one of its key. */
    ACTA_PARKED_REPLAYED = 2, /* To be handed out again, or in hand. */
};

struct acta_parked {
    uint64_t position; /* Read the event behind position - 1. */
    const char *key;
    enum acta_parked_state state;
    uint64_t deliveries;
    uint64_t time_us;   /* When it was parked, since 1970. */
    const char *reason; /* What the member said, or why the server did it. */
};

struct acta_parked_page {
    const struct acta_parked *const *parked;
    size_t parked_count;
    bool at_end; /* Else list again, after the last position here. */
};

/* List the events that are parked in a group, in the order of positions, from
 * behind @after; @count_max at most (0: as many as the server gives at once,
 * 1,000 at most). NOT_FOUND: there is no such group.
 */
typedef void acta_on_parked(void *user, const struct acta_err *err,
                            const struct acta_parked_page *page);
ACTA_API uint64_t acta_list_parked(struct acta_client *client,
                                   const char *group, uint64_t after,
                                   size_t count_max, uint64_t timeout_ms,
                                   acta_on_parked *done, void *user,
                                   struct acta_err *err);

/* Hand parked events out again: each stays parked until it is acked. Or drop
 * them, for good; what waited behind them goes on. @positions are up to 10,000,
 * NULL: all that are parked. Those that are not parked, or only wait behind
 * another one, are passed over; @count is how many were not. Sent again after a
 * broken connection, @count is that of the second time.
 */
typedef void acta_on_count(void *user, const struct acta_err *err,
                           uint64_t count);
ACTA_API uint64_t acta_replay_parked(struct acta_client *client,
                                     const char *group,
                                     const uint64_t *positions,
                                     size_t positions_count,
                                     uint64_t timeout_ms, acta_on_count *done,
                                     void *user, struct acta_err *err);
ACTA_API uint64_t acta_drop_parked(struct acta_client *client,
                                   const char *group, const uint64_t *positions,
                                   size_t positions_count, uint64_t timeout_ms,
                                   acta_on_count *done, void *user,
                                   struct acta_err *err);

/* ---- the same, waited for: see acta_sync.h ---- */

struct acta_follower;
struct acta_sync;

/* Claim @consumer and follow it from its checkpoint, as acta_follower_open()
 * does without a name. @position counts if it is made by that. Waits for the
 * claim. acta_follower_next() returns FENCED when another has claimed it.
 */
ACTA_API enum acta_code
acta_follower_claim(struct acta_follower **follower, struct acta_sync *sync,
                    const char *consumer, const struct acta_query *query,
                    uint64_t position, struct acta_err *err);

/* Move its checkpoint to @position, and wait until that is stored. The position
 * of the last news is that of all that was handed out. FENCED: another has
 * claimed it. INVALID: it has no consumer.
 */
ACTA_API enum acta_code acta_follower_checkpoint(struct acta_follower *follower,
                                                 uint64_t position,
                                                 struct acta_err *err);

/* The epoch of its claim, for acta_append_checkpoint(); and where it is: that
 * of the news that were handed out last, or where it began.
 */
ACTA_API uint64_t acta_follower_epoch(const struct acta_follower *follower);
ACTA_API uint64_t acta_follower_position(const struct acta_follower *follower);

/* @changed may be NULL. */
ACTA_API enum acta_code
acta_sync_claim(struct acta_sync *sync, const char *consumer,
                const struct acta_query *query, uint64_t position,
                const struct acta_consumer_changed **changed,
                struct acta_err *err);
ACTA_API enum acta_code acta_sync_create_group(
    struct acta_sync *sync, const char *name, const struct acta_group *group,
    const struct acta_consumer_changed **changed, struct acta_err *err);
ACTA_API enum acta_code acta_sync_alter_group(
    struct acta_sync *sync, const char *name, const struct acta_group *group,
    const struct acta_consumer_changed **changed, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_pause_group(struct acta_sync *sync, const char *name,
                      const struct acta_consumer_changed **changed,
                      struct acta_err *err);
ACTA_API enum acta_code
acta_sync_resume_group(struct acta_sync *sync, const char *name,
                       const struct acta_consumer_changed **changed,
                       struct acta_err *err);
ACTA_API enum acta_code acta_sync_reset_consumer(
    struct acta_sync *sync, const char *name, uint64_t position,
    const struct acta_consumer_changed **changed, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_delete_consumer(struct acta_sync *sync, const char *name,
                          const struct acta_consumer_changed **changed,
                          struct acta_err *err);

ACTA_API enum acta_code
acta_sync_note_consumer(struct acta_sync *sync, const char *name,
                        uint64_t epoch, const char *text, struct acta_err *err);
ACTA_API enum acta_code acta_sync_wait_for(struct acta_sync *sync,
                                           const char *name, uint64_t position,
                                           uint64_t wait_ms,
                                           struct acta_err *err);

ACTA_API enum acta_code
acta_sync_list_consumers(struct acta_sync *sync, const char *prefix,
                         const char *after, size_t count_max,
                         const struct acta_consumers **consumers,
                         struct acta_err *err);
ACTA_API enum acta_code acta_sync_describe_consumer(
    struct acta_sync *sync, const char *name,
    const struct acta_consumer_description **description, struct acta_err *err);

ACTA_API enum acta_code
acta_sync_list_parked(struct acta_sync *sync, const char *group, uint64_t after,
                      size_t count_max, const struct acta_parked_page **page,
                      struct acta_err *err);

/* @count may be NULL. */
ACTA_API enum acta_code
acta_sync_replay_parked(struct acta_sync *sync, const char *group,
                        const uint64_t *positions, size_t positions_count,
                        uint64_t *count, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_drop_parked(struct acta_sync *sync, const char *group,
                      const uint64_t *positions, size_t positions_count,
                      uint64_t *count, struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif
