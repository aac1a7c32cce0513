/* What a database must answer, written down as plainly as can be: arrays of
 * events, streams and commands, searched from end to end. Whatever the real one
 * says is compared with it. It shares no code with the server, and matches
 * queries in its own way.
 *
 * Time is an argument: that of the commit for what is decided, the reader's for
 * what is read.
 */

#ifndef ACTA_TEST_MODEL_H
#define ACTA_TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "msg.h"
#include "query.h"
#include "slice.h"

/* An event as it was taken, or erased. event.position, version and time_us are
 * set; all slices are in memory of the model's. Events are never removed, those
 * that are hidden neither.
 */
struct model_event {
    struct event event;
    size_t stream;   /* Its index in streams. */
    uint8_t *memory; /* owned */
};

/* A stream that has events, or was changed before it had any. */
struct model_stream {
    struct slice name; /* owned */
    uint64_t version;
    struct msg_settings settings;
    bool is_deleted; /* Also if it was closed by a tombstone. */
    bool is_tombstoned;
    uint64_t erased_to; /* The version at which all of it was last erased. */
};

/* An append that had a command id, and where its events went. */
struct model_command {
    struct uuid id;
    struct msg_run *runs; /* owned */
    size_t runs_count;
};

struct model {
    struct model_event *events; /* owned: position 1 is at index 0 */
    size_t count;
    size_t capacity;
    struct model_stream *streams; /* owned */
    size_t streams_count;
    struct model_command *commands; /* owned */
    size_t commands_count;
};

void model_init(struct model *model);
void model_fini(struct model *model);

/* ---- what there is ---- */

static inline const struct event *
model_at(const struct model *model, uint64_t position)
{
    return &model->events[position - 1].event;
}

/* The version of @stream, and the event of a version, hidden or not: NULL if
 * there is none.
 */
uint64_t model_version(const struct model *model, struct slice stream);
const struct event *model_event_of(const struct model *model,
                                   struct slice stream, uint64_t version);

/* The event with @id in @stream, hidden or not, or NULL. */
const struct event *model_find_id(const struct model *model,
                                  struct slice stream, const uint8_t *id);

/* True if the event at @position is not to be read at @now_us. */
bool model_hides(const struct model *model, uint64_t position, uint64_t now_us);

/* All that is said of a stream: version 0 if there is none of this name. */
struct msg_description model_describe(const struct model *model,
                                      struct slice stream, uint64_t now_us);

/* True if the query wants the event. */
bool model_matches(const struct query *query, const struct event *event);

/* The next position behind @from (backward: before it; 0: from the end) that
 * @query wants and that is not hidden; 0 if there is none.
 */
uint64_t model_next(const struct model *model, const struct query *query,
                    uint64_t from, bool backward, uint64_t now_us);

/* The position before the first event recorded at @time_us or later. */
uint64_t model_find_time(const struct model *model, uint64_t time_us);

/* The first name of @kind behind @after that begins with @prefix, in the order
 * of their bytes, with what is told of it; count 0 if there is none.
 */
struct msg_name model_next_name(const struct model *model,
                                enum msg_name_kind kind, struct slice prefix,
                                struct slice after);

/* ---- appends ---- */

/* What an append comes to. */
struct model_verdict {
    enum acta_code code;
    bool repeated;
    struct msg_run *runs; /* owned, if OK */
    size_t runs_count;
    struct msg_failure failures[MSG_FAILURES_MAX]; /* The first ones. */
    size_t failures_count;
};

/* Decide an append that is recorded at @now_us if it is taken. Nothing is
 * changed. Free the verdict with model_verdict_fini().
 */
void model_decide(const struct model *model, const struct msg_append *append,
                  uint64_t now_us, struct model_verdict *verdict);
void model_verdict_fini(struct model_verdict *verdict);

/* Take the events of an append that was decided with OK and is no repeat. */
void model_take(struct model *model, const struct msg_append *append,
                uint64_t now_us, const struct model_verdict *verdict);

/* The next position behind @from of an event that the sender of a refused
 * append has not seen; 0 if there is none.
 */
uint64_t model_next_unseen(const struct model *model,
                           const struct msg_append *append, uint64_t from,
                           uint64_t now_us);

/* ---- changes ---- */

/* Do what @change asks for, or say why not. *@changed is set if it is OK. */
enum acta_code model_change(struct model *model,
                            const struct msg_change *change, uint64_t now_us,
                            struct msg_changed *changed);

#endif
