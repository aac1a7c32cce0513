/* One client's protocol state, without I/O and without a clock: bytes come in,
 * bytes go to a buf, jobs (appends, changes, what groups are asked for) go to
 * an outbox and come back with their outcomes.
 *
 * A session begins with hello and may end itself, after an error that cannot be
 * answered in any other way. Requests are handled in the order in which they
 * come; answers to jobs come when they are durable, so after answers to
 * requests that came later. One thread.
 */

#ifndef ACTA_SESSION_H
#define ACTA_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup.h"
#include "buf.h"
#include "clock.h"
#include "counters.h"
#include "database.h"
#include "frame.h"
#include "job.h"
#include "outbox.h"
#include "reader.h"
#include "slice.h"
#include "sub_set.h"
#include "uuid.h"

/* Of the whole server, the same for all threads. */
struct session_limits {
    uint64_t requests_max;    /* Jobs in flight that do not wait. */
    uint64_t requests_memory; /* Bytes of them. */
    uint64_t output_high;     /* Bytes of output above which it waits, */
    uint64_t output_low;      /* and below which it goes on. */
    uint64_t subscription_step;
};

/* Of the whole server, for hello and status. */
struct server_info {
    const char *version;
    struct uuid id;
    struct mono_time started;
    const struct counters *counters; /* One for each I/O thread. */
    size_t threads_count;
};

/* What the sessions of one thread have in common. All of it is borrowed and
 * outlives them.
 */
struct session_host {
    struct database *database;
    struct reader *reader;
    struct outbox *outbox;
    struct completions *completions;
    struct counters *counters;
    struct session_limits limits;
    const struct server_info *info;
};

enum session_state {
    SESSION_NEW,   /* Hello has to come. */
    SESSION_READY, /* Any request may come. */
    SESSION_OVER,  /* Nothing more is taken in; answers may still go out. */
};

struct session {
    struct session_host *host;
    struct buf *out;
    uint64_t id;
    enum session_state state;
    bool stopping;   /* New requests are refused. */
    bool over_high;  /* Output has been over the high mark, and not yet below
                        the low one. */
    bool left_frame; /* The last session_feed() left what may be a whole frame
                        for later. */
    unsigned reads_left; /* Before it lets others have their turn. */
    size_t jobs_count;   /* That are not answered, */
    size_t waits_count;  /* and of them those that may wait for something. */
    size_t jobs_size;
    struct job *waiting_first; /* owned, as are those behind it: decided jobs
                                  whose answers take a read. */
    struct job *waiting_last;
    struct sub_set subs;
    uint64_t live_to;          /* The head of the last session_wake(). */
    uint64_t consumer_changes; /* As of when their epochs were looked at. */

    struct backup *backup;    /* owned: that the peer takes; NULL: none */
    const char *backup_ended; /* Why the last one was ended here; NULL: it was
                                 not. */

    struct job *receipt; /* owned: a mail that is to come back when what it
                            brought is sent; NULL: none */

    /* owned: sent when the peer is gone, see session_leave_farewell(). */
    struct job *forget;
    struct job *forget_members;
};

/* @id is what its jobs carry, and @out, the caller's, gets all output. */
void session_init(struct session *session, struct session_host *host,
                  uint64_t id, struct buf *out);
void session_fini(struct session *session);

/* Take whole frames off the front of @bytes and handle them, as far as it takes
 * any now, and up to SESSION_READS reads. Returns how many bytes were used:
 * all, when it is over.
 */
size_t session_feed(struct session *session, struct slice bytes);

/* Requests that read, in one call: each may take a good part of a millisecond,
 * and other connections wait meanwhile.
 */
#define SESSION_READS 8

/* False if it would not handle a whole frame now: because it is over, or since
 * output, or answers to jobs, are waiting.
 */
bool session_takes_input(struct session *session);

/* True if there is something to do without anything new: frames that were left
 * by session_feed(), or what session_pump() does.
 */
bool session_has_work(struct session *session);

/* Answer a job whose outcome has come back, now or, if that takes a read, in a
 * later turn: see session_pump(). Of a job that nobody waits for, such as
 * JOB_MAIL, what it brings is sent. The job is the session's.
 */
void session_complete(struct session *session, struct job *job);

/* Some output was taken, or none is left: what has to be told of that goes to
 * the outbox.
 */
void session_sent(struct session *session);

/* Do one piece of what takes a read's time: answer a job that waits for that,
 * or give a subscription its turn, one step. Returns the bytes of work that
 * this was, at least 1; 0 if there is nothing to do now.
 */
size_t session_pump(struct session *session);

/* The database has a new head: subscriptions that live get what is up to @head,
 * and nothing behind it before the next call.
 */
void session_wake(struct session *session, uint64_t head);

/* To be called a few times in a second: see sub_tell_position(); and ends
 * subscriptions whose consumer has gone on without them, see sub_check(), and
 * a backup that must end, see backup_must_end().
 */
void session_tick(struct session *session);

/* Take no more requests, and tell subscribers so. */
void session_stop(struct session *session);

/* The peer sends nothing more: what is in flight is still answered. */
void session_end_input(struct session *session);

/* Decode the request of @frame as a job of @kind, and hand it over: it is in
 * flight until session_complete(). If it is wrong, or one too many that wait,
 * an error is sent instead. For handlers.
 */
void session_hand_over(struct session *session, const struct frame *frame,
                       enum job_kind kind);

/* Have a job of @kind, JOB_FORGET or JOB_FORGET_MEMBERS, sent when the peer is
 * gone or sends nothing more, behind all that was handed over before: so that
 * nothing is kept for who does not wait for it any more. It is made now, since
 * then there might be no memory. Does nothing if it was said before. MEMORY:
 * what would have to be forgotten must not begin. For handlers.
 */
enum acta_code session_leave_farewell(struct session *session,
                                      enum job_kind kind,
                                      struct acta_err *err) ACTA_CHECKED;

/* Send an error without reasons. For handlers and answers. */
void session_error(struct session *session, uint64_t request_id,
                   enum acta_code code, const char *text);

#endif
