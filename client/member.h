/* Memberships of groups, each of which is joined again on every connection.
 *
 * What is handed out is read into an answer of the membership's own and told
 * from there, event by event, unless it is paused; frames that come meanwhile
 * are kept. The server hands out no more than there are slots.
 *
 * One thread at a time, that of the core.
 */

#ifndef ACTA_CLIENT_MEMBER_H
#define ACTA_CLIENT_MEMBER_H

#include <acta/acta_group.h>

#include "core.h"
#include "hand.h"
#include "limit.h"
#include "taken.h"

/* Their ids are of the slots above those of subscriptions. */
#define MEMBER_SLOT_FIRST (REQUEST_SLOTS_MAX + 1024)

/* A frame that came while the membership had events to tell. */
struct handed_frame {
    struct handed_frame *next;
    size_t size;
    uint8_t body[];
};

struct acta_member {
    struct core *core;
    size_t slot;
    uint64_t id;           /* Of the join; 0: it is to be joined. */
    struct acta_join join; /* group, member: owned */
    char *group;           /* owned */
    char *name;            /* owned */
    bool has_joined;       /* It was answered, on this connection. */
    char key_tag[ACTA_TAG_SIZE_MAX + 1];
    bool park_waits;

    struct hand hand; /* Keys of events are found when they are needed, or the
                         event goes without an answer; 0: not yet. */
    struct taken taken;
    size_t settles;    /* Requests that are not answered. */
    bool answers_lost; /* With a connection, or since what they were to was; for
                          its owner to clear. */

    const struct acta_event *event; /* The one that was told last, while it is
                                       valid, */
    uint64_t number;                /* and its number; or NULL. */
    struct answer answer;           /* The frame that is told now, */
    size_t told;                    /* up to here. */
    uint64_t next_count;        /* Index of the next event that has a count, */
    uint64_t count;             /* and that. */
    struct handed_frame *first; /* owned */
    struct handed_frame *last;
    size_t waiting; /* Events in these frames. */
    uint64_t fence; /* Of the frame that came last. */

    struct acta_err trouble; /* For members_catch_up(); code OK: none. */

    bool paused;
    unsigned callbacks; /* Of its own that run, one within the other. */
    bool dead;          /* To be freed when the last has returned. */
};

/* See acta_join(). */
struct acta_member *member_new(struct core *core, const struct acta_join *join,
                               struct acta_err *err);

/* Leave without a callback. */
void member_leave(struct acta_member *member);

void member_pause(struct acta_member *member);
void member_resume(struct acta_member *member);

/* The next event, for those who do not want to be called, if there is one here.
 * It is valid until the next call, or until the connection is lost. PROTOCOL:
 * what came is none. MEMORY.
 */
enum acta_code member_next(struct acta_member *member,
                           struct acta_handed *handed, bool *is_there,
                           struct acta_err *err) ACTA_CHECKED;

/* member_next() has failed: the connection is to be given up. */
void member_give_up(struct acta_member *member, const struct acta_err *why);

/* See acta_ack() and those behind it. */
void member_answer(struct acta_member *member, uint64_t number,
                   enum msg_settle_kind kind, uint64_t delay_ms,
                   const char *reason);
void member_ack_up_to(struct acta_member *member, uint64_t number);

/* ---- for member.c ---- */

/* A callback has returned. False if it, or what it called, has ended @member.
 */
bool member_lives_on(struct acta_member *member);

/* True if there are events to tell. */
static inline bool
member_has_events(const struct acta_member *member)
{
    return member->told < member->answer.handed.events_count ||
           member->first != NULL;
}

/* Read the frame whose events are told next, or keep it for later. */
enum acta_code member_read_frame(struct acta_member *member, uint8_t *body,
                                 size_t size,
                                 struct acta_err *err) ACTA_CHECKED;
enum acta_code member_keep_frame(struct acta_member *member,
                                 const uint8_t *body, size_t size,
                                 struct acta_err *err) ACTA_CHECKED;

/* Tell all that there are, as long as @member is there and wants it. */
enum acta_code member_tell_events(struct acta_member *member,
                                  struct acta_err *err) ACTA_CHECKED;

/* ---- for core.c ---- */

/* Whose join has this id; NULL: nobody's. */
struct acta_member *members_find(const struct core *core, uint64_t id);

/* Handle a frame for @member, whose body is changed. */
enum acta_code member_receive(struct acta_member *member, uint8_t kind,
                              uint8_t *body, size_t size, uint64_t now_ms,
                              struct acta_err *err) ACTA_CHECKED;

/* Join where it is to be done, and tell what was answered. */
void members_send(struct core *core);

/* True if there is something to be told to the server or to callbacks. */
bool members_are_due(const struct core *core);

/* Tell what waits for those that are resumed. */
enum acta_code members_catch_up(struct core *core,
                                struct acta_err *err) ACTA_CHECKED;

/* The connection is lost: nothing is in hand any more. */
void members_lost(struct core *core);

/* End all with @why. */
void members_end(struct core *core, const struct acta_err *why);

#endif
