/* libacta for programs that want to be simple: every call waits for its answer.
 *
 * A program that appends an event and prints the stream it is in:
 *
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         static const char json[] = "{\"total\": 12}";
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_draft draft =
 *             acta_draft_of("OrderPlaced", json, sizeof(json) - 1);
 *         struct acta_read read = acta_read_of_stream("order-42");
 *         struct acta_append *append = acta_append_new();
 *         struct acta_cursor *cursor = NULL;
 *         struct acta_sync *sync = NULL;
 *         const struct acta_event *event;
 *         struct acta_err err = {ACTA_OK, ""};
 *
 *         draft.format = ACTA_FORMAT_JSON;
 *         acta_append_stream(append, "order-42", ACTA_EXPECT_ANY);
 *         acta_append_event(append, &draft);
 *         if (acta_sync_open(&sync, &options, &err) != ACTA_OK ||
 *             acta_sync_append(sync, append, NULL, &err) != ACTA_OK ||
 *             acta_cursor_open(&cursor, sync, &read, &err) != ACTA_OK) {
 *             goto done;
 *         }
 *         while (acta_cursor_next(cursor, &event, &err) == ACTA_OK &&
 *                event != NULL) {
 *             printf("%s: %s\n", event->type, (const char *)event->data);
 *         }
 *     done:
 *         if (err.code != ACTA_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *         }
 *         acta_cursor_close(cursor);
 *         acta_sync_close(sync);
 *         acta_append_free(append);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * All that acta.h says of connections, deadlines, errors, memory and limits
 * holds here: a call ends with its answer, or when options.timeout_ms has
 * passed, through any number of connections. Errors are returned, and told in
 * @err, which may be NULL.
 *
 * Consumers, groups, leases, snapshots and schedules have headers of their own,
 * with the calls that wait at the end of each.
 *
 * Memory. What a call hands out belongs to the acta_sync (or to the cursor or
 * follower it came from) and is valid until the next call on it.
 *
 * Threads. An acta_sync, with its cursors and followers, is used by one thread
 * at a time.
 */

#ifndef ACTA_ACTA_SYNC_H
#define ACTA_ACTA_SYNC_H

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_cursor;
struct acta_follower;
struct acta_sync;

/* Connect. *@sync is the caller's, to be closed by acta_sync_close(); it is
 * NULL if this fails.
 *
 * UNREACHABLE: no host could be reached: each was tried once, or timeout_ms is
 *     over. (A connection that is lost later is made again by the calls that
 *     need it.)
 * INVALID: the URL or an option is wrong. NOT_FOUND: there is no such database.
 * UNSUPPORTED: the server speaks another protocol. TIMEOUT, MEMORY, IO.
 *
 * options.on_link is called within the calls that wait.
 */
ACTA_API enum acta_code acta_sync_open(struct acta_sync **sync,
                                       const struct acta_options *options,
                                       struct acta_err *err);

/* Its cursors, followers, workers and leases are closed with it. May be NULL.
 */
ACTA_API void acta_sync_close(struct acta_sync *sync);

/* The server that it is connected to, or was last. */
ACTA_API const struct acta_server *
acta_sync_server(const struct acta_sync *sync);

/* *@head is the database's last position; @head may be NULL. */
ACTA_API enum acta_code acta_sync_ping(struct acta_sync *sync, uint64_t *head,
                                       struct acta_err *err);

ACTA_API enum acta_code acta_sync_status(struct acta_sync *sync,
                                         const struct acta_status **status,
                                         struct acta_err *err);

/* @appended may be NULL; it is set for a failure too, and then has the reasons,
 * and the unseen events if they were asked for. UNKNOWN: send the same append
 * again.
 */
ACTA_API enum acta_code acta_sync_append(struct acta_sync *sync,
                                         const struct acta_append *append,
                                         const struct acta_appended **appended,
                                         struct acta_err *err);

/* See acta_find_command(). NOT_FOUND: nothing was stored under this id. */
ACTA_API enum acta_code
acta_sync_find_command(struct acta_sync *sync, const struct acta_id *id,
                       const struct acta_appended **appended,
                       struct acta_err *err);

/* One page: see acta_read(). For more than one use a cursor. */
ACTA_API enum acta_code acta_sync_read(struct acta_sync *sync,
                                       const struct acta_read *read,
                                       const struct acta_page **page,
                                       struct acta_err *err);

/* NOT_FOUND: the stream has no event of this version. */
ACTA_API enum acta_code acta_sync_read_version(struct acta_sync *sync,
                                               const char *stream,
                                               uint64_t version,
                                               const struct acta_event **event,
                                               struct acta_err *err);

/* The events that have this id, one a stream at most. NOT_FOUND: none has. */
ACTA_API enum acta_code acta_sync_read_id(struct acta_sync *sync,
                                          const struct acta_id *id,
                                          const struct acta_page **page,
                                          struct acta_err *err);

/* See acta_list(). */
ACTA_API enum acta_code acta_sync_list(struct acta_sync *sync,
                                       const char *prefix, const char *after,
                                       size_t count_max,
                                       const struct acta_streams **streams,
                                       struct acta_err *err);

/* See acta_describe_stream(). A stream that there is none of is described, too.
 */
ACTA_API enum acta_code
acta_sync_describe_stream(struct acta_sync *sync, const char *stream,
                          const struct acta_description **description,
                          struct acta_err *err);

/* See acta_list_categories(). */
ACTA_API enum acta_code acta_sync_list_categories(
    struct acta_sync *sync, const char *prefix, const char *after,
    size_t count_max, const struct acta_names **names, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_list_types(struct acta_sync *sync, const char *prefix,
                     const char *after, size_t count_max,
                     const struct acta_names **names, struct acta_err *err);
ACTA_API enum acta_code acta_sync_list_tags(struct acta_sync *sync,
                                            const char *prefix,
                                            const char *after, size_t count_max,
                                            const struct acta_names **names,
                                            struct acta_err *err);

/* *@position is the one before the first event at or after @time_us: see
 * acta_find_time().
 */
ACTA_API enum acta_code acta_sync_find_time(struct acta_sync *sync,
                                            uint64_t time_us,
                                            uint64_t *position,
                                            struct acta_err *err);

/* ---- the life of a stream: see acta_set_stream() and those behind it ---- */

/* @changed may be NULL. UNKNOWN: call it again. */
ACTA_API enum acta_code
acta_sync_set_stream(struct acta_sync *sync, const char *stream,
                     int64_t expected, const struct acta_settings *settings,
                     const struct acta_changed **changed, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_delete_stream(struct acta_sync *sync, const char *stream,
                        int64_t expected, const struct acta_changed **changed,
                        struct acta_err *err);
ACTA_API enum acta_code acta_sync_tombstone_stream(
    struct acta_sync *sync, const char *stream, int64_t expected,
    const struct acta_changed **changed, struct acta_err *err);
ACTA_API enum acta_code
acta_sync_erase_event(struct acta_sync *sync, const char *stream,
                      uint64_t version, const struct acta_changed **changed,
                      struct acta_err *err);
ACTA_API enum acta_code
acta_sync_erase_stream(struct acta_sync *sync, const char *stream,
                       int64_t expected, const struct acta_changed **changed,
                       struct acta_err *err);

/* ---- cursors: all events of a read, page after page ---- */

/* Read events one by one, up to the end that is there when it is reached. The
 * next page is asked for while one is gone through. The sizes in @read are
 * those of a page; from and backward are as in acta_read().
 */
ACTA_API enum acta_code acta_cursor_open(struct acta_cursor **cursor,
                                         struct acta_sync *sync,
                                         const struct acta_read *read,
                                         struct acta_err *err);

/* Set *@event, or set it to NULL at the end. The event is valid until the next
 * call on this cursor. After a failure it may be called again, and goes on
 * where it was; but with FENCED it is over, since another database answers at
 * the address by now.
 */
ACTA_API enum acta_code acta_cursor_next(struct acta_cursor *cursor,
                                         const struct acta_event **event,
                                         struct acta_err *err);

/* The database's last position, when the page was read that the last event
 * came from. Forward, at the end, every event that matches up to here was
 * handed out: it is what a condition over the same query is given.
 */
ACTA_API uint64_t acta_cursor_head(const struct acta_cursor *cursor);

ACTA_API void acta_cursor_close(struct acta_cursor *cursor);

/* ---- followers: a subscription that is waited for ---- */

/* What acta_follower_next() returns. */
struct acta_news {
    const struct acta_event *const *events; /* May be none: then position or
                                               live has changed. */
    size_t events_count;
    uint64_t position; /* All up to here has been handed out. */
    uint64_t head;     /* head - position is the lag. */
    bool live;         /* It has caught up with what is stored. */
};

/* Follow events, for ever: @query may be NULL for all of them, @after is a
 * position, 0 for the start.
 */
ACTA_API enum acta_code acta_follower_open(struct acta_follower **follower,
                                           struct acta_sync *sync,
                                           const struct acta_query *query,
                                           uint64_t after,
                                           struct acta_err *err);

/* Wait for news, @timeout_ms at most (0: do not wait; negative: for ever).
 * Asking for the next says that the news before are done with.
 *
 * TIMEOUT: there is none yet. CANCELLED: acta_follower_interrupt() was called.
 * others: it is over; it will say the same again.
 */
ACTA_API enum acta_code acta_follower_next(struct acta_follower *follower,
                                           int timeout_ms,
                                           const struct acta_news **news,
                                           struct acta_err *err);

/* Let acta_follower_next() return CANCELLED: the call that waits now, or the
 * next one, once. Any thread, and signal handlers too.
 */
ACTA_API void acta_follower_interrupt(struct acta_follower *follower);

ACTA_API void acta_follower_close(struct acta_follower *follower);

#ifdef __cplusplus
}
#endif

#endif
