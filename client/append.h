/* An append as it is filled: see acta_append.h. */

#ifndef ACTA_CLIENT_APPEND_H
#define ACTA_CLIENT_APPEND_H

#include <acta/acta.h>

#include "append_effects.h"
#include "buf.h"
#include "id.h"
#include "msg.h"

struct write {
    size_t name_start; /* In names. */
    size_t name_size;
    int64_t expected;
    size_t events_count;
    size_t contents_end; /* In contents; the write before ends at its start. */
};

/* What is said besides the writes. */
struct append_terms {
    struct msg_check *checks; /* owned, and so are their names */
    size_t checks_count;
    size_t checks_capacity;
    struct msg_condition *conditions; /* owned */
    size_t conditions_count;
    size_t conditions_capacity;
    struct acta_id command_id;
    bool has_command_id;
    struct msg_bounds unseen; /* events_max 0: nothing was asked for. */
    size_t size;              /* On the wire, nearly. */
};

struct acta_append {
    struct write *writes; /* owned */
    size_t writes_count;
    size_t writes_capacity;
    struct acta_id *ids; /* owned: of all events */
    size_t ids_count;
    size_t ids_capacity;
    struct buf names;
    struct buf contents;
    struct append_terms terms;
    struct append_effects effects;
    struct id_source source;
    struct acta_err err; /* What was wrong first; OK: nothing. */
};

/* Write the append's frame to the end of @buf. It must have passed
 * acta_append_check().
 */
void append_encode(const struct acta_append *append, struct buf *buf,
                   uint64_t request_id);

/* Write its writes alone: those of an append that takes place later. */
void append_encode_writes(const struct acta_append *append, struct buf *buf);

/* True if it counts once by a command id. */
static inline bool
append_is_command(const struct acta_append *append)
{
    return append->terms.has_command_id;
}

/* Make room for one more element of an array. False: no memory. */
bool append_grow(void **array, size_t count, size_t *capacity,
                 size_t element_size);

/* Forget all terms; keep the memory of the arrays. */
void terms_clear(struct append_terms *terms);

/* OK if @stream and @expected can be asked for. INVALID, TOO_LARGE. */
enum acta_code expected_check(struct slice stream, int64_t expected,
                              struct acta_err *err) ACTA_CHECKED;

#endif
