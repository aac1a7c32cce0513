/* The rooms of a database without threads and without a journal, for tests of
 * what decides, keeps and finds events; and appends written down in a line.
 *
 * Whatever fails, fails the test. One thread.
 */

#ifndef ACTA_TEST_CORE_H
#define ACTA_TEST_CORE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "decide.h"
#include "event.h"
#include "heads.h"
#include "job.h"
#include "query.h"
#include "rooms.h"
#include "tempdir.h"

#define CORE_EVENTS_MAX 20000 /* Of a memtable. */
#define CORE_MAP_SIZE   ((size_t)1 << 30)
#define CORE_TIME_US    1700000000000000u

/* An event to be. What is left out is empty. */
struct draft {
    uint64_t id; /* Ids are ordered as these numbers are. */
    const char *type;
    uint64_t correlation; /* 0: none */
    uint64_t causation;   /* 0: none */
    const char *tags[4];  /* Up to the first NULL. */
    struct slice metadata;
    struct slice data;
    enum event_format format;
};

struct draft_write {
    const char *stream;
    int64_t expected;
    const struct draft *drafts;
    size_t count;
};

/* The UUID of a number. */
struct uuid draft_id(uint64_t number);

/* Write the content of @draft to @content, which is cleared first, and decode
 * it: @event borrows from both. It has no position, version and time yet.
 */
void draft_event(struct event *event, struct buf *content, const char *stream,
                 const struct draft *draft);

/* The append of these writes, as it comes from a connection: the caller's. */
struct job *draft_append(const struct draft_write *writes, size_t count);

/* The same with checks, conditions or a command id. */
struct job *draft_append_with(const struct draft_write *writes, size_t count,
                              const struct msg_append_more *more);

/* A change of a stream, as it comes from a connection: the caller's. */
struct job *draft_change(const struct msg_change *change);

/* A change of a consumer or of a lease, likewise. */
struct job *draft_consumer(const struct msg_change_consumer *change);
struct job *draft_lease(const struct msg_change_lease *change);

/* Who waits for a consumer, likewise. */
struct job *draft_await(const struct msg_await *wanted);

/* The bytes of writes alone, as a schedule has them, put at the end of @buf. */
struct slice draft_writes(struct buf *buf, const struct draft_write *writes,
                          size_t count);

/* The body of an append's frame alone, put at the end of @frame. */
struct slice draft_body(struct buf *frame, const struct draft_write *writes,
                        size_t count);

struct core {
    struct tempdir dir;
    struct rooms rooms; /* Its journal is NULL. */
    struct heads heads;
    struct decider *decider;
    uint64_t sequence; /* Counts batches. */
    uint64_t time_us;  /* One second a batch. */
    uint64_t mono_us;  /* What the monotonic clock says: the test's to set. */
};

/* A new store in a directory of its own, and an empty tail. */
void core_open(struct core *core);
void core_close(struct core *core);

/* Move what is in the tail to the store, close it, and open it again. */
void core_reopen(struct core *core);

/* Decide the append as a batch of its own, and publish it. Returns the
 * outcome's code.
 */
enum acta_code core_decide(struct core *core, struct job *job);

/* A batch of several: begin, decide each, end it and publish. False if the job
 * is kept waiting.
 */
void core_begin(struct core *core);
bool core_decide_next(struct core *core, struct job *job);
void core_end(struct core *core);

/* Append to one stream, forgetting the outcome but for its code. */
enum acta_code core_append(struct core *core, const char *stream,
                           int64_t expected, const struct draft *drafts,
                           size_t count);

/* Change a stream, forgetting the outcome but for its code. */
enum acta_code core_change(struct core *core, const struct msg_change *change);

/* Seal the active memtable; move the sealed one to the store; both. */
void core_seal(struct core *core);
void core_store(struct core *core);
void core_checkpoint(struct core *core);

uint64_t core_head(struct core *core);

/* The query of one item with these terms, in the order of enum query_field. A
 * text is a list of terms with blanks between them; NULL: none. Correlations
 * are numbers of draft_id(). Free it with query_fini().
 */
struct query core_query(const char *categories, const char *types,
                        const char *tags, const char *streams,
                        const char *correlations);

/* All items of @queries in one query, joined by OR. They are freed. */
struct query core_query_or(struct query *queries, size_t count);

#endif
