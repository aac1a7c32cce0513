/* A job for the writer, an append or a change of a stream, on its way from a
 * connection to the writer and back.
 *
 * An I/O thread makes it out of a frame, with everything checked that can be
 * checked without the streams, and hands it to the database. From then on it
 * is the writer's, which decides it, makes it durable, fills in the outcome and
 * gives it back through the completions it came with. The I/O thread then sends
 * the answer and frees it. It has one owner at any time.
 */

#ifndef ACTA_JOB_H
#define ACTA_JOB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "msg.h"
#include "slice.h"

struct completions;

/* What came of it. */
struct outcome {
    enum acta_code code; /* OK, or why it was refused: nothing was written. */
    char text[200];      /* What is wrong, for people; empty if OK. */
    bool repeated;
    struct msg_run *runs; /* owned, if OK and an append */
    size_t runs_count;
    struct msg_changed changed;   /* If OK and a change; but for head. */
    struct msg_failure *failures; /* owned, if refused; may be none */
    size_t failures_count;
};

enum job_kind {
    JOB_APPEND,
    JOB_CHANGE,
};

struct job {
    struct job *next; /* In whatever list it is at the time. */
    enum job_kind kind;
    struct msg_append append; /* JOB_APPEND; else empty. */
    struct msg_change change; /* JOB_CHANGE */
    size_t rows_size;         /* Of the rows that it may set, at most. */
    struct completions *completions;
    uint64_t connection_id; /* For the I/O thread to find its way back. */
    uint64_t request_id;
    size_t size; /* Memory that it holds: queues are bounded by it. */
    struct outcome outcome;
    uint8_t body[]; /* What the request's slices point into. */
};

/* Copy the body of a frame, an append's or a change-stream's as @kind says, and
 * decode it.
 *
 * OK: *@job is the caller's. Else it is NULL, and @err says what is wrong with
 * the request; MEMORY if there was none for it.
 */
enum acta_code job_new(struct job **job, enum job_kind kind, struct slice body,
                       struct acta_err *err) ACTA_CHECKED;

/* Free @job, which may be NULL. */
void job_free(struct job *job);

/* Note a refusal in the outcome. Returns @code. Writer thread. */
enum acta_code job_refuse(struct job *job, enum acta_code code, const char *fmt,
                          ...) ACTA_PRINTF(3, 4);

/* Add a reason to a refusal; those beyond MSG_FAILURES_MAX are not kept. */
void job_add_failure(struct job *job, const struct msg_failure *failure);

/* Where the appends of one I/O thread come back. The writer gives back all of
 * a commit at once, and wakes the thread once.
 */
struct completions {
    pthread_mutex_t lock; /* Guards first and last. */
    struct job *first;    /* In the order in which they were decided. */
    struct job *last;
    /* Called from the writer's thread when the list was empty before. It must
     * not block, and must not call completions_take().
     */
    void (*wake)(void *user);
    void *user;
};

void completions_init(struct completions *completions, void (*wake)(void *user),
                      void *user);
void completions_fini(struct completions *completions);

/* Give back a list of appends linked by next. Any thread. */
void completions_give(struct completions *completions, struct job *first,
                      struct job *last);

/* Take all that has come back, linked by next; NULL if nothing has. */
struct job *completions_take(struct completions *completions);

#endif
