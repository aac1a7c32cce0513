/* Reading a database: store and tail as one, seen at one commit.
 *
 * A reader belongs to one thread; a thread that reads opens one of its own.
 * Each call sees everything that was acknowledged before it, takes a bounded
 * number of steps, and pins nothing when it has returned.
 *
 * Records are put at the end of a buf as they are stored, one behind the other,
 * so that they can go to a socket. A record whose checksum is wrong is never
 * put, nor what is listed where something is damaged: what lies before it is,
 * as a page that is not at its end, and the call that begins with it returns
 * CORRUPT with the position in the text.
 */

#ifndef ACTA_READER_H
#define ACTA_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "database.h"
#include "err.h"
#include "msg.h"
#include "msg_lease.h"
#include "query.h"
#include "row.h"
#include "slice.h"

struct reader;

enum acta_code reader_open(struct reader **reader, struct database *database,
                           struct acta_err *err) ACTA_CHECKED;

/* What time it is: events that are too old by their stream's settings are
 * hidden. Microseconds since 1970; if that is earlier than what another reader
 * of the database was told, or than its last commit, the latter counts.
 */
void reader_set_time(struct reader *reader, uint64_t now_us);

/* Close @reader, which may be NULL. */
void reader_close(struct reader *reader);

/* How much one call may put. It stops before the event that would go over, but
 * puts one at least.
 */
struct read_bounds {
    uint64_t events_max; /* At least 1. */
    uint64_t bytes_max;
    uint64_t last; /* Going up by position: the end is here, if the head is not
                      before it. 0: the end is the head. */
};

struct read_result {
    size_t events_count; /* Put at the end of the buf. */
    uint64_t next; /* From where to go on: what lies up to here (backward: down
                      to here) was put or is not wanted. */
    bool at_end;   /* Nothing lay behind it at the time. */
    uint64_t head; /* The database's, as seen by this call. */
    uint64_t version; /* reader_read_stream(): the stream's. */
};

/* Events of one stream, from the version after @from up, or backward from the
 * version before @from (0: from the end) down. A stream that has no events
 * reads as empty.
 */
enum acta_code reader_read_stream(struct reader *reader, struct slice stream,
                                  uint64_t from, bool backward,
                                  const struct read_bounds *bounds,
                                  struct buf *out, struct read_result *result,
                                  struct acta_err *err) ACTA_CHECKED;

/* Events that @query wants, from the position after @from up, or backward from
 * the one before @from (0: from the end) down. It may put none and still not
 * be at the end: then it has used up its steps, and result->next says how far
 * it came.
 */
enum acta_code reader_read_all(struct reader *reader, const struct query *query,
                               uint64_t from, bool backward,
                               const struct read_bounds *bounds,
                               struct buf *out, struct read_result *result,
                               struct acta_err *err) ACTA_CHECKED;

/* As reader_read_all(), going up, but nothing is put: @show is called with the
 * records where they are, and ends the call if it fails. It is not called if
 * there are none. They are valid until it returns, and it must not use the
 * reader.
 */
struct reader_show {
    enum acta_code (*show)(void *user, const struct slice *records,
                           size_t count, struct acta_err *err);
    void *user;
    struct slice *records; /* Room for bounds->events_max. */
    struct buf *erased;    /* Cleared, and used for what is erased in them. */
};

enum acta_code reader_show_all(struct reader *reader, const struct query *query,
                               uint64_t from, const struct read_bounds *bounds,
                               const struct reader_show *show,
                               struct read_result *result,
                               struct acta_err *err) ACTA_CHECKED;

/* How many events lie before a consumer. */
struct count_result {
    uint64_t count;          /* From @after up to @next. */
    uint64_t next;           /* How far it came: from there it can go on. */
    bool complete;           /* It came to the end. */
    uint64_t first_position; /* Of the first one; 0: there is none so far. */
    uint64_t first_time_us;  /* When it was recorded. */
    uint64_t head;           /* The database's, as seen by this call. */
};

/* Count the events from the position behind @after up that reader_read_all()
 * would put for @query. What the lists tell is not looked at; else a call takes
 * a bounded number of steps, and may come to nothing and not be complete.
 */
enum acta_code reader_count(struct reader *reader, const struct query *query,
                            uint64_t after, struct count_result *result,
                            struct acta_err *err) ACTA_CHECKED;

/* A stream's state and what came behind it, seen at one commit: the snapshot,
 * if there is one that serves @load, then the events behind it or behind the
 * version that the caller has, as reader_read_stream() puts them. A snapshot
 * does not serve if the stream was deleted at its version or later.
 *
 * @begin is called once, before the first event is put: with the snapshot,
 * which is valid until it returns, and no page.
 *
 * INVALID  The stream is not as far as load->version.
 * CORRUPT  The snapshot is damaged: it is named.
 */
enum acta_code
reader_load(struct reader *reader, const struct msg_load *load,
            const struct read_bounds *bounds,
            void (*begin)(void *user, const struct msg_loaded *loaded),
            void *user, struct buf *out, struct read_result *result,
            struct acta_err *err) ACTA_CHECKED;

/* What is known of a stream: of one that never was, version 0. @stream is its
 * name in the description.
 */
enum acta_code reader_describe_stream(struct reader *reader,
                                      struct slice stream,
                                      struct msg_description *description,
                                      struct acta_err *err) ACTA_CHECKED;

/* One event. NOT_FOUND if the stream has none of this version. */
enum acta_code reader_read_event(struct reader *reader, struct slice stream,
                                 uint64_t version, struct buf *out,
                                 struct read_result *result,
                                 struct acta_err *err) ACTA_CHECKED;

/* The event of every stream that has one of this id, in no order, up to
 * @bounds. NOT_FOUND if there is none.
 */
enum acta_code reader_read_id(struct reader *reader, const uint8_t id[16],
                              const struct read_bounds *bounds, struct buf *out,
                              struct read_result *result,
                              struct acta_err *err) ACTA_CHECKED;

/* Streams whose name begins with @prefix, behind the name @after, in byte
 * order: up to @count_max of them, or as many as one call may list, are written
 * with msg_streams_add(). *@at_end is true if there are no more.
 */
enum acta_code reader_list_streams(struct reader *reader, struct slice prefix,
                                   struct slice after, size_t count_max,
                                   struct buf *out, size_t *count, bool *at_end,
                                   struct acta_err *err) ACTA_CHECKED;

/* The same for the names of categories, types or tags, which are written with
 * msg_names_add(): each with the events that ever had it. The category of
 * streams that begin with '-' has no name, and is not listed.
 */
enum acta_code reader_list_names(struct reader *reader, enum msg_name_kind kind,
                                 struct slice prefix, struct slice after,
                                 size_t count_max, struct buf *out,
                                 size_t *count, bool *at_end,
                                 struct acta_err *err) ACTA_CHECKED;

/* Call @visit for each row of @kind, which must not be ROW_COMMAND, whose key
 * begins with @prefix and is behind @after, in the order of keys: for up to
 * @count_max of them, or as many as one call may list. The row is valid until
 * it returns; what it returns but OK ends the call. *@at_end is true if there
 * are no more; else there was one at least.
 *
 * CORRUPT  The first of them is damaged: it is named. (Another one ends the
 *          call before it, also if @visit says so.)
 */
enum acta_code
reader_list_rows(struct reader *reader, enum row_kind kind, struct slice prefix,
                 struct slice after, size_t count_max,
                 enum acta_code (*visit)(void *user, const struct row *row,
                                         struct acta_err *err),
                 void *user, bool *at_end, struct acta_err *err) ACTA_CHECKED;

/* Put the value of a row at the end of @copy. *@found is false if there is
 * none.
 */
enum acta_code reader_get_row(struct reader *reader, enum row_kind kind,
                              struct slice key, struct buf *copy, bool *found,
                              struct acta_err *err) ACTA_CHECKED;

/* Call @visit for each schedule whose name begins with @prefix and is behind
 * @after, as reader_list_rows() does for rows.
 */
enum acta_code reader_list_schedules(
    struct reader *reader, struct slice prefix, struct slice after,
    size_t count_max,
    void (*visit)(void *user, const struct msg_scheduled *scheduled),
    void *user, bool *at_end, struct acta_err *err) ACTA_CHECKED;

/* The position before the first event that was recorded at @time_us or later:
 * the head's if there is none.
 */
enum acta_code reader_find_time(struct reader *reader, uint64_t time_us,
                                uint64_t *position,
                                struct acta_err *err) ACTA_CHECKED;

/* What a refused append has not seen. */
struct unseen_result {
    size_t events_count; /* Put at the end of the buf. */
    bool complete; /* There was nothing else up to head. Else there may be, in
                      streams and conditions alike, behind the last of them. */
    uint64_t head; /* The database's, as seen by this call. */
};

/* Of every stream that @append writes or checks at an expected version, the
 * events behind that version; of every condition, those that match behind its
 * position. Each once, in the order of positions, up to @bounds, which are
 * within ACTA_UNSEEN_...; as all else that is read, without those that are
 * hidden.
 */
enum acta_code reader_read_unseen(struct reader *reader,
                                  const struct msg_append *append,
                                  const struct read_bounds *bounds,
                                  struct buf *out, struct unseen_result *result,
                                  struct acta_err *err) ACTA_CHECKED;

#endif
