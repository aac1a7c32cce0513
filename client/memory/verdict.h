/* What an append is answered with. Internal to client/memory/. */

#ifndef ACTA_MEMORY_VERDICT_H
#define ACTA_MEMORY_VERDICT_H

#include "memory_store.h"

struct verdict {
    struct acta_err err; /* Code OK: it is appended, or a repeat. */
    struct msg_failure failures[MSG_FAILURES_MAX];
    size_t failures_count;
    bool repeated;
    struct msg_run *runs; /* owned */
    size_t runs_count;
    size_t runs_capacity;
    uint64_t cancelled;
};

/* Decide an append, and do what it says if the verdict is OK. */
void memory_append(struct acta_memory *memory, const struct msg_append *append,
                   struct verdict *verdict);
void verdict_fini(struct verdict *verdict);

/* Add a failure. What @code says counts for all unless something else that says
 * more was found before; @fmt, for people, is of the one whose code it is.
 */
void verdict_fail(struct verdict *verdict, enum acta_code code,
                  const struct msg_failure *failure, const char *fmt, ...)
    ACTA_PRINTF(4, 5);

/* Does the stream, which may be NULL, have a version that is expected? */
bool memory_expects(const struct memory_stream *stream, int64_t expected);

/* ---- judge.c: whether an append may be, as things are ---- */

void memory_judge(struct acta_memory *memory, const struct msg_append *append,
                  struct verdict *verdict);

/* ---- effects.c ---- */

void memory_judge_effects(struct acta_memory *memory,
                          const struct msg_append *append,
                          struct verdict *verdict);

/* Returns how many schedules were cancelled. */
uint64_t memory_apply_effects(struct acta_memory *memory,
                              const struct msg_append *append);

/* ---- unseen.c ---- */

/* Write the error of a refused append, with what it has not seen. */
void memory_tell_unseen(struct memory_connection *connection, uint64_t id,
                        const struct msg_append *append,
                        struct msg_error *error);

#endif
