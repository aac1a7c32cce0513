/* A job: what a connection wants of the writer, of the thread that looks after
 * groups, or of the verifier, on its way there and back.
 *
 * An I/O thread makes it out of a frame, with everything checked that can be
 * checked without the streams, and hands it to the database. From then on it
 * belongs to the thread that it is for, which decides it, fills in the outcome,
 * when that is durable, and gives it back through the completions it came with.
 * The I/O thread then sends the answer and frees it. It has one owner at any
 * time.
 */

#ifndef ACTA_JOB_H
#define ACTA_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "msg.h"
#include "msg_consumer.h"
#include "msg_group.h"
#include "msg_lease.h"
#include "msg_verify.h"
#include "slice.h"

struct completions;
struct schedule_slot;

/* What came of it. */
struct outcome {
    enum acta_code code; /* OK, or why it was refused: nothing was written. */
    char text[200];      /* What is wrong, for people; empty if OK. */
    bool repeated;
    struct msg_run *runs; /* If OK and an append: owned, or just this one. */
    struct msg_run only_run;
    size_t runs_count;
    uint64_t cancelled;           /* If OK and an append. */
    struct msg_failure *failures; /* owned, if refused; may be none */
    size_t failures_count;

    /* If OK, by kind. */
    struct msg_changed changed; /* But for head. */
    struct msg_consumer_changed consumer_changed;
    struct msg_lease_changed lease_changed;
    struct buf reply; /* owned: frames that are ready to be sent */
    uint64_t ticket;  /* Of a group: of the save that it waits for. */
};

enum job_kind {
    /* For the writer. */
    JOB_APPEND,
    JOB_CHANGE,
    JOB_CONSUMER,
    JOB_LEASE,       /* It may come back late: see wait_us. */
    JOB_LIST_LEASES, /* reply */
    JOB_AWAIT,       /* It may come back late, as an acquire may. */
    JOB_FORGET,      /* The connection is gone, its waiting jobs go. */
    JOB_SAVE,        /* Of a group, by the groups' thread. */

    JOB_VERIFY, /* For the verifier; reply. */

    /* For the groups' thread; all have a reply. */
    JOB_LIST_CONSUMERS,
    JOB_DESCRIBE_CONSUMER,
    JOB_LIST_PARKED,
    JOB_CHANGE_PARKED,
    JOB_JOIN,
    JOB_SETTLE,
    JOB_LEAVE,
    JOB_FORGET_MEMBERS, /* The connection is gone, its memberships go. */
    JOB_RECEIPT, /* What a mail brought is taken; this is the mail itself. */

    /* From the groups' thread, to what connection it says: reply. */
    JOB_MAIL,
};

/* Rows of one group, which are set if it is still in this epoch, and refused
 * with FENCED if not.
 */
struct job_save {
    struct slice name;
    uint64_t number;
    uint64_t epoch;
    struct buf rows; /* owned: as rows_add() and rows_end() build them */
};

struct job {
    struct job *next; /* In whatever list it is at the time. */
    enum job_kind kind;
    bool is_answered; /* False: nobody waits for an answer, and it is not
                         counted among those of its connection. */
    union {
        struct msg_append append; /* JOB_APPEND */
        struct msg_change change; /* JOB_CHANGE */
        struct msg_change_consumer consumer;
        struct msg_change_lease lease;
        struct msg_await await;
        struct msg_verify verify;
        struct msg_list list; /* JOB_LIST_LEASES, JOB_LIST_CONSUMERS */
        struct job_save save;
        struct slice name; /* JOB_DESCRIBE_CONSUMER */
        struct msg_list_parked list_parked;
        struct msg_change_parked change_parked;
        struct msg_join join;
        struct msg_settle settle;
        uint64_t membership; /* JOB_LEAVE */
        bool wants_receipt;  /* JOB_MAIL: it comes back as a JOB_RECEIPT. */
    };
    uint64_t stream_hash;            /* Of the first write: see list_hash(). */
    size_t events_count;             /* That it may add, at most, */
    size_t records_size;             /* the bytes of their records, */
    size_t rows_size;                /* and of the rows that it may set. */
    struct schedule_slot *schedule;  /* What it carries out, or NULL. */
    struct completions *completions; /* NULL: it does not come back. */
    uint64_t connection_id; /* For the I/O thread to find its way back. */
    uint64_t request_id;
    uint64_t output_high; /* Of its connection: see session_limits. */
    size_t size;          /* Memory that it holds: queues are bounded by it. */
    struct outcome outcome;
    uint8_t memory[]; /* What the request's slices point into; and in front of
                         that the arrays of an append that has few events. */
};

static inline bool
job_is_for_groups(const struct job *job)
{
    return job->kind >= JOB_LIST_CONSUMERS;
}

/* May it be kept until something happens, however long that takes? */
bool job_may_wait(const struct job *job);

/* Copy the body of a frame, of the request that @kind is for, and decode it.
 * Kinds that no frame is for get an empty body.
 *
 * OK: *@job is the caller's. Else it is NULL, and @err says what is wrong with
 * the request; MEMORY if there was none for it.
 */
enum acta_code job_new(struct job **job, enum job_kind kind, struct slice body,
                       struct acta_err *err) ACTA_CHECKED;

/* Free @job, which may be NULL. */
void job_free(struct job *job);

/* Note a refusal in the outcome. Returns @code. The thread that owns the job.
 */
enum acta_code job_refuse(struct job *job, enum acta_code code, const char *fmt,
                          ...) ACTA_PRINTF(3, 4);

/* Add a reason to a refusal; those beyond MSG_FAILURES_MAX are not kept. */
void job_add_failure(struct job *job, const struct msg_failure *failure);

/* Where the jobs of one I/O thread come back. Whoever gives back gives all of a
 * commit, or of a turn, at once, and wakes the thread once.
 */
struct completions {
    pthread_mutex_t lock; /* Guards first and last. */
    struct job *first;    /* In the order in which they were decided. */
    struct job *last;
    /* Called from the thread that gives when the list was empty before; several
     * may be at it at once. It must not block, and must not call
     * completions_take().
     */
    void (*wake)(void *user);
    void *user;
};

void completions_init(struct completions *completions, void (*wake)(void *user),
                      void *user);
void completions_fini(struct completions *completions);

/* Give back a list of jobs linked by next. Any thread. */
void completions_give(struct completions *completions, struct job *first,
                      struct job *last);

/* Take all that has come back, linked by next; NULL if nothing has. */
struct job *completions_take(struct completions *completions);

#endif
