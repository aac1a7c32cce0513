/* libacta: the client of the event store Acta, without an event loop of its
 * own.
 *
 * A program that appends an event and prints the stream it is in:
 *
 *     #include <acta/acta.h>
 *     #include <acta/acta_poll.h>
 *     #include <stdio.h>
 *
 *     static bool done;
 *
 *     static void
 *     on_page(void *user, const struct acta_err *err,
 *             const struct acta_page *page)
 *     {
 *         (void)user;
 *         if (err != NULL) {
 *             fprintf(stderr, "read: %s\n", err->text);
 *         } else {
 *             for (size_t i = 0; i < page->events_count; i++) {
 *                 printf("%s: %s\n", page->events[i]->type,
 *                        (const char *)page->events[i]->data);
 *             }
 *         }
 *         done = true;
 *     }
 *
 *     static void
 *     on_appended(void *user, const struct acta_err *err,
 *                 const struct acta_appended *appended)
 *     {
 *         struct acta_client *client = *(struct acta_client **)user;
 *         struct acta_read read = acta_read_of_stream("order-42");
 *
 *         if (err != NULL) {
 *             fprintf(stderr, "append: %s\n", err->text);
 *             done = true;
 *             return;
 *         }
 *         printf("order-42 is now at version %ju\n",
 *                (uintmax_t)appended->version);
 *         done = acta_read(client, &read, 0, on_page, NULL, NULL) == 0;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         static const char json[] = "{\"total\": 12}";
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_draft draft =
 *             acta_draft_of("OrderPlaced", json, sizeof(json) - 1);
 *         struct acta_append *append = acta_append_new();
 *         struct acta_client *client;
 *         struct acta_poll loop;
 *         struct acta_err err;
 *
 *         draft.format = ACTA_FORMAT_JSON;
 *         acta_append_stream(append, "order-42", ACTA_EXPECT_ANY);
 *         acta_append_event(append, &draft);
 *         if (acta_poll_open(&loop, &client, &options, &err) != ACTA_OK ||
 *             acta_append(client, append, 0, on_appended, &client,
 *                         &err) == 0) {
 *             fprintf(stderr, "%s\n", err.text);
 *             done = true;
 *         }
 *         while (!done) {
 *             acta_poll_turn(&loop, -1);
 *         }
 *         acta_close(client);
 *         acta_append_free(append);
 *         return 0;
 *     }
 *
 * Replies come in any order. Who needs one starts the next request in the
 * callback of the first, as here, or uses acta_sync.h, whose calls wait.
 *
 * What the library does, and its caller need not:
 *
 * - It connects, and connects again with a growing pause when a connection is
 *   lost or a server is stopping, to any of the hosts it was given.
 * - It sends again what was not answered: reads, and appends too, in their
 *   order and before newer ones, since the server counts an event once by its
 *   id; changes of streams too, since they change nothing when done twice. So
 *   a request ends only with an answer or at its deadline. (A database that was
 *   made with event-ids off takes only appends that expect a version or have a
 *   command id. One that expects a version may there end with CONFLICT because
 *   it was taken before its answer was lost.)
 * - A subscription goes on behind the last position that its callback has been
 *   given: no event is missed and none comes twice, whatever is restarted.
 * - The server sends a subscription no more than its callbacks have taken.
 *
 * Results. A call that starts something returns the request's number, and its
 * callback is then called exactly once; or it returns 0 and says why in @err,
 * and the callback is not called. Callbacks get what went wrong as @err, which
 * is NULL if all went well. What a code asks of the caller: acta_code_remedy()
 * in codes.h. @err may always be NULL.
 *
 *     TIMEOUT      The deadline has passed; nothing was done.
 *     UNKNOWN      An append or another change was sent, and its
 *                  deadline has passed without an answer, or it was sent again
 *                  after a broken connection and then refused for a reason
 *                  that does not tell (a full disk; of a change of a stream a
 *                  conflict, which may be with itself; any, of an append
 *                  without events and command id): it may have been done.
 *                  Send the same again: an append has the same ids, so it
 *                  counts once, and a change changes nothing twice.
 *     CANCELLED    acta_cancel() or acta_close(). An append or a change may
 *                  have been done.
 *     FENCED       Another database answers at the address by now, as one that
 *                  was restored: a change that was asked for before is not made
 *                  there, nor is a position of the first waited for
 *                  (acta_wait_for()). Read again, and decide again. What was
 *                  sent to the first ends with UNKNOWN. The server has other
 *                  reasons, too.
 *     BUSY         Too many requests wait already: see acta_options.
 *     MEMORY       There is none. Nothing was started, nothing else is hurt.
 *     UNREACHABLE  Of acta_on_link: why there is no connection.
 *     others       The server's answer: codes.h.
 *
 * Times are in milliseconds unless their names say otherwise. A request's
 * @timeout_ms of 0 means that of the options.
 *
 * Memory. Arguments are borrowed until the call returns; what is kept is
 * copied. What a callback is given belongs to the library and is valid until
 * the callback returns: see acta_event_copy(). Handles are the caller's to
 * free, each by the function named with it; all of these accept NULL.
 *
 * Threads. A client, with all that was made from it, is used by one thread at
 * a time, the one that runs its loop; different clients share nothing. Queries,
 * appends and ids may be made by any thread. A process that was forked uses no
 * client that was made before; an append may be used by both if it is empty.
 * The library installs no signal handler, raises no SIGPIPE, and has no global
 * state. It starts a thread for as long as it looks up a host name; addresses
 * in figures need none. In its own threads, this one and those of a pool
 * (acta_dispatch.h), all signals are blocked but those of faults, as SIGSEGV:
 * the program's threads take them.
 *
 * Callbacks may call everything here, acta_close() and acta_unsubscribe()
 * included. They must not longjmp or throw out.
 *
 * Names of streams, types and tags are UTF-8 without control characters, so
 * they are C strings: 1 to 255 bytes, at most 32 tags an event. Data and
 * metadata are any bytes, together 16 MiB an event at most. An append has at
 * most 10,000 events and 64 MiB.
 *
 * Queries are described in acta_query.h, appends in acta_append.h, events and
 * ids in acta_event.h: this header includes them. What only some programs need
 * has headers of its own, which include this one: acta_consumer.h (consumers
 * whose place the server keeps), acta_group.h (members of groups, who share
 * events), acta_lease.h, acta_snapshot.h and acta_schedule.h. Calls that wait
 * are in acta_sync.h, and at the end of each of the other headers.
 *
 * Compatibility. Structs that the caller makes begin with their size and are
 * made by the function named with them (acta_options_of() and so on): new
 * fields may be added at the end. Structs that the library makes are reached
 * by pointer only, and grow at the end too: do not copy them by value or take
 * their size. No function of the library takes or returns a struct by value, so
 * other languages bind to it as it is; what is inline is for them to write. In
 * C++ a struct that shares its name with a function, such as
 * acta_append, is named with the word struct in front.
 */

#ifndef ACTA_ACTA_H
#define ACTA_ACTA_H

#include "acta_append.h"
#include "acta_event.h"
#include "acta_query.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_client;
struct acta_sub;

#define ACTA_PORT_DEFAULT 2282 /* A-C-T-A on a telephone. */

/* The version of the library that runs: "0.1.0". */
ACTA_API const char *acta_version(void);

/* ---- the client ---- */

/* Told with up = true when a connection stands, and with up = false and the
 * reason when it is lost, or could not be made at any host. The library goes
 * on trying either way.
 */
typedef void acta_on_link(void *user, bool up, const struct acta_err *err);

struct acta_options {
    size_t size; /* Of this struct. */

    /* acta://HOST[:PORT][,HOST[:PORT]...][/DATABASE]: hosts of one database,
     * tried in turn; a host is a name, 192.0.2.1 or [2001:db8::1].
     */
    const char *url;

    const char *name; /* Of the program, for the server's log; may be NULL. */

    uint64_t timeout_ms;         /* 30,000: of requests that give none. */
    uint64_t connect_timeout_ms; /* 5,000: look-up, connection and hello. */

    /* 20 and 5,000: the first pause before trying again, and the longest. Each
     * is twice the one before, until a connection has been of use, and lasts
     * from half of that to all of it, at random: a thousand clients of a server
     * that was away do not come back in the same moment.
     */
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;

    /* 10,000: if something is awaited and nothing came for so long the server
     * is pinged, and if that brings nothing in the same time, the connection is
     * given up.
     */
    uint64_t silence_ms;

    /* 4,096: not yet answered, and those that are not yet sent; besides 1,024
     * that wait for a lease or a consumer, which are not counted.
     */
    size_t requests_max;
    size_t requests_size_max; /* 256 MiB: bytes of all of them. */

    /* 4 MiB: bytes of events that a subscription may be sent before its
     * callbacks have taken the ones before.
     */
    size_t credit_size;

    acta_on_link *on_link; /* May be NULL. */
    void *user;            /* For on_link. */

    /* 0: microseconds, 1,000 at most, for which a turn of acta_poll.h, and so
     * a call of acta_sync.h that waits, looks for what comes before it sleeps.
     * An answer that comes within that does not wait until a processor has
     * woken, which takes 5 to 20 in a virtual machine; this one is busy
     * meanwhile.
     */
    uint64_t busy_poll_us;
};

/* Options with the defaults named above. */
static inline struct acta_options
acta_options_of(const char *url)
{
    struct acta_options options;

    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    options.url = url;
    options.timeout_ms = 30000;
    options.connect_timeout_ms = 5000;
    options.backoff_min_ms = 20;
    options.backoff_max_ms = 5000;
    options.silence_ms = 10000;
    options.requests_max = 4096;
    options.requests_size_max = 256u << 20;
    options.credit_size = 4u << 20;
    return options;
}

/* What the event loop is asked to do. Both are called by the library's
 * functions, from the thread that calls these; acta_ev.h and acta_poll.h have
 * them ready.
 */
struct acta_loop {
    size_t size; /* Of this struct. */

    void *data; /* Passed to the functions below. */

    /* Call acta_handle_ready() when @fd can be read (if ACTA_READ is in
     * @events) or written (ACTA_WRITE), level-triggered, until told otherwise;
     * 0: never again: the descriptor is about to be closed. One descriptor at a
     * time.
     */
    void (*watch)(void *data, int fd, unsigned events);

    /* Call acta_handle_timer() once in @delay_ms, or never if it is
     * ACTA_NO_TIMER. It takes the place of what was asked for before.
     */
    void (*timer)(void *data, uint64_t delay_ms);
};

#define ACTA_READ     1u
#define ACTA_WRITE    2u
#define ACTA_NO_TIMER UINT64_MAX

/* Make a client, which starts to connect at once. Requests may be made before
 * it is connected. *@client is the caller's, to be closed by acta_close().
 *
 * INVALID: the URL or an option is wrong. MEMORY, IO.
 */
ACTA_API enum acta_code acta_open(struct acta_client **client,
                                  const struct acta_options *options,
                                  const struct acta_loop *loop,
                                  struct acta_err *err);

/* End what is under way with CANCELLED, calling the callbacks, then free the
 * client. Calls made by these callbacks are refused with CANCELLED. Within a
 * callback of the client, memory is freed when that callback has returned. May
 * be NULL.
 */
ACTA_API void acta_close(struct acta_client *client);

/* The loop tells that the descriptor is ready: for ACTA_READ, ACTA_WRITE or
 * both (an error or hang-up counts as both); or that the timer has fired.
 */
ACTA_API void acta_handle_ready(struct acta_client *client, unsigned events);
ACTA_API void acta_handle_timer(struct acta_client *client);

/* Write at once what was asked for since the loop last turned, rather than
 * when it turns next. Never needed; it saves a turn to those who then wait.
 */
ACTA_API void acta_flush(struct acta_client *client);

/* Requests that are not yet answered. */
ACTA_API size_t acta_in_flight(const struct acta_client *client);

/* What the server takes; the sizes are in bytes. */
struct acta_limits {
    uint64_t frame_size_max;
    uint64_t event_size_max; /* Data and metadata together. */
    uint64_t append_size_max;
    uint64_t append_events_max;
    uint64_t append_checks_max;
    uint64_t append_conditions_max;
    uint64_t unseen_events_max;
    uint64_t stream_size_max;
    uint64_t type_size_max;
    uint64_t tag_size_max;
    uint64_t tags_max; /* Of an event. */
    uint64_t page_size_max;
    uint64_t query_items_max;
    uint64_t query_terms_max;
    uint64_t requests_max; /* Of a connection, as the next. */
    uint64_t subscriptions_max;
};

/* What the server said of itself. */
struct acta_server {
    const char *version;
    const char *database;
    const struct acta_id *server_id;   /* New at every start of the server. */
    const struct acta_id *database_id; /* The same for ever. */
    uint64_t head;                     /* When the connection was made. */
    const struct acta_limits *limits;
};

/* The server of the last connection, or NULL if there was none yet. Valid
 * until the loop turns.
 */
ACTA_API const struct acta_server *
acta_server(const struct acta_client *client);

/* End a request: its callback is called with CANCELLED before this returns. An
 * append may then have been done, or not. NOT_FOUND: there is no such request
 * any more.
 */
ACTA_API enum acta_code acta_cancel(struct acta_client *client,
                                    uint64_t request);

/* ---- requests ---- */

/* Is the server there? @head is the database's last position. */
typedef void acta_on_pong(void *user, const struct acta_err *err,
                          uint64_t head);
ACTA_API uint64_t acta_ping(struct acta_client *client, uint64_t timeout_ms,
                            acta_on_pong *done, void *user,
                            struct acta_err *err);

/* How is the server? A list of names with a number or a text each. */
struct acta_status_entry {
    const char *name;
    const char *text; /* NULL: it is a number. */
    uint64_t number;
};

struct acta_status {
    const struct acta_status_entry *const *entries;
    size_t entries_count;
};

typedef void acta_on_status(void *user, const struct acta_err *err,
                            const struct acta_status *status);
ACTA_API uint64_t acta_status(struct acta_client *client, uint64_t timeout_ms,
                              acta_on_status *done, void *user,
                              struct acta_err *err);

/* Append events: all, durably, or none. @appended is never NULL; when @err is
 * not, it says what was in the way. @done may be NULL.
 *
 * CONFLICT: a stream is at another version than was expected, or an event meets
 *     a condition; all that were in the way are named.
 * UNDECIDED: a condition has too many events to look at above its position.
 * FENCED: a checkpoint's epoch is over, or a lease is not held any more; or see
 *     above.
 * TOMBSTONED: a stream is closed for ever.
 * PARTIAL_REPEAT, ID_REUSED: events of these ids are stored already, but not
 *     all, not in this order, or with other content.
 */
typedef void acta_on_appended(void *user, const struct acta_err *err,
                              const struct acta_appended *appended);
ACTA_API uint64_t acta_append(struct acta_client *client,
                              const struct acta_append *append,
                              uint64_t timeout_ms, acta_on_appended *done,
                              void *user, struct acta_err *err);

/* What came of the command @id: answered as an append of this command that is
 * sent again, and changes nothing. NOT_FOUND: nothing was stored under this id,
 * though an append that is on its way may still be.
 */
ACTA_API uint64_t acta_find_command(struct acta_client *client,
                                    const struct acta_id *id,
                                    uint64_t timeout_ms, acta_on_appended *done,
                                    void *user, struct acta_err *err);

/* What to read: made by acta_read_of_stream() or acta_read_of_query(). */
struct acta_read {
    size_t size;                    /* Of this struct. */
    const char *stream;             /* NULL: of all streams. */
    const struct acta_query *query; /* NULL: all events; if stream is NULL. */
    /* Exclusive: the version (of a stream) or position (else) before the first
     * event that is wanted, 0: from the start; or backward, the one behind it,
     * 0: from the end.
     */
    uint64_t from;
    bool backward;
    size_t events_max; /* A page; 0: as many as the server gives. */
    size_t bytes_max;  /* A page; 0 as before. One event comes always. */
};

static inline struct acta_read
acta_read_of_stream(const char *stream)
{
    struct acta_read read;

    memset(&read, 0, sizeof(read));
    read.size = sizeof(read);
    read.stream = stream;
    return read;
}

static inline struct acta_read
acta_read_of_query(const struct acta_query *query)
{
    struct acta_read read;

    memset(&read, 0, sizeof(read));
    read.size = sizeof(read);
    read.query = query;
    return read;
}

/* A page of events: the server gives at most 65,536 events or 4 MiB. */
struct acta_page {
    const struct acta_event *const *events;
    size_t events_count;
    uint64_t next;    /* Give this as from, to read on. */
    bool at_end;      /* There is nothing behind it. */
    uint64_t head;    /* The database's last position. */
    uint64_t version; /* The stream's; 0 if not one stream was read. */
};

typedef void acta_on_page(void *user, const struct acta_err *err,
                          const struct acta_page *page);
ACTA_API uint64_t acta_read(struct acta_client *client,
                            const struct acta_read *read, uint64_t timeout_ms,
                            acta_on_page *done, void *user,
                            struct acta_err *err);

/* Read the event that has version @version in @stream, or the events that have
 * @id, one a stream at most. A page without events: there are none.
 */
ACTA_API uint64_t acta_read_version(struct acta_client *client,
                                    const char *stream, uint64_t version,
                                    uint64_t timeout_ms, acta_on_page *done,
                                    void *user, struct acta_err *err);
ACTA_API uint64_t acta_read_id(struct acta_client *client,
                               const struct acta_id *id, uint64_t timeout_ms,
                               acta_on_page *done, void *user,
                               struct acta_err *err);

/* See acta_delete_stream(), acta_tombstone_stream(). */
enum acta_stream_state {
    ACTA_STREAM_LIVE = 0,
    ACTA_STREAM_DELETED = 1,    /* Until it is appended to. */
    ACTA_STREAM_TOMBSTONED = 2, /* For ever. */
};

/* List streams by name, in the order of bytes: those that begin with @prefix
 * and come after @after (both may be NULL), @count_max at most (0: as many as
 * the server gives at once, 4,096 at most).
 */
struct acta_stream {
    const char *name;
    uint64_t version;       /* How many events it ever had. */
    uint64_t first_time_us; /* Of the first that it ever had. */
    uint64_t last_time_us;
    uint64_t last_position;
    enum acta_stream_state state;
    uint64_t truncate_before; /* See struct acta_settings. */
    uint64_t max_count;
    uint64_t max_age_us;
};

struct acta_streams {
    const struct acta_stream *const *streams;
    size_t streams_count;
    bool at_end; /* Else list again, after the last name here. */
};

typedef void acta_on_streams(void *user, const struct acta_err *err,
                             const struct acta_streams *streams);
ACTA_API uint64_t acta_list(struct acta_client *client, const char *prefix,
                            const char *after, size_t count_max,
                            uint64_t timeout_ms, acta_on_streams *done,
                            void *user, struct acta_err *err);

/* Describe one stream. Version 0 and a state of live: nothing is known of it
 * but, it may be, its settings.
 */
struct acta_description {
    const struct acta_stream *stream;
    uint64_t first_version; /* The first that is not hidden; version + 1 if
                               all are. */
};

typedef void acta_on_description(void *user, const struct acta_err *err,
                                 const struct acta_description *description);
ACTA_API uint64_t acta_describe_stream(struct acta_client *client,
                                       const char *stream, uint64_t timeout_ms,
                                       acta_on_description *done, void *user,
                                       struct acta_err *err);

/* List the categories, types or tags that events ever had, as acta_list() does
 * streams.
 */
struct acta_name {
    const char *name;
    uint64_t count; /* Events that ever had it, hidden ones too. */
    uint64_t first_time_us;
    uint64_t last_time_us;
    uint64_t last_position;
};

struct acta_names {
    const struct acta_name *const *names;
    size_t names_count;
    bool at_end; /* Else list again, after the last name here. */
};

typedef void acta_on_names(void *user, const struct acta_err *err,
                           const struct acta_names *names);
ACTA_API uint64_t acta_list_categories(struct acta_client *client,
                                       const char *prefix, const char *after,
                                       size_t count_max, uint64_t timeout_ms,
                                       acta_on_names *done, void *user,
                                       struct acta_err *err);
ACTA_API uint64_t acta_list_types(struct acta_client *client,
                                  const char *prefix, const char *after,
                                  size_t count_max, uint64_t timeout_ms,
                                  acta_on_names *done, void *user,
                                  struct acta_err *err);
ACTA_API uint64_t acta_list_tags(struct acta_client *client, const char *prefix,
                                 const char *after, size_t count_max,
                                 uint64_t timeout_ms, acta_on_names *done,
                                 void *user, struct acta_err *err);

/* Find where a time begins: @position is the one before the first event that
 * was stored at or after @time_us, in microseconds since 1970, UTC; the last
 * position if there is none. Read or follow from there.
 */
typedef void acta_on_position(void *user, const struct acta_err *err,
                              uint64_t position);
ACTA_API uint64_t acta_find_time(struct acta_client *client, uint64_t time_us,
                                 uint64_t timeout_ms, acta_on_position *done,
                                 void *user, struct acta_err *err);

/* ---- the life of a stream ---- */

/* Each of these changes a stream that is at version @expected, which is judged
 * as in an append, and at once for all who read. What is hidden is in no read
 * and no subscription, meets no condition and never comes back; but it counts
 * for versions, and its ids stay known.
 *
 * @changed is never NULL. @done may be NULL.
 *
 * Done twice in a row they change nothing more, so they are sent again after a
 * broken connection. Then the answer is that of the second time: changed may be
 * false although the first time did it; and it is CONFLICT if others have
 * appended in between, or if the stream was expected to exist and the first
 * time has deleted it. With ACTA_EXPECT_ANY a second time takes what others
 * have appended in between along: expect a version where that matters.
 *
 * CONFLICT: the stream is at another version. TOMBSTONED: it is closed for
 * ever, which only erasing and one more tombstone do not mind. INVALID.
 */
struct acta_changed {
    uint64_t version; /* The stream's. */
    uint64_t head;    /* The database's last position. */
    bool changed;     /* False: it was like that already. */
};

typedef void acta_on_changed(void *user, const struct acta_err *err,
                             const struct acta_changed *changed);

/* Which events of a stream are kept: an event is hidden if its version is below
 * truncate_before, if max_count events came after it, or if it is older than
 * max_age_us. 0: no bound.
 */
struct acta_settings {
    size_t size;    /* Of this struct. */
    unsigned given; /* ACTA_SET_...: those that are to be set. */
    uint64_t truncate_before;
    uint64_t max_count;
    uint64_t max_age_us;
};

#define ACTA_SET_TRUNCATE_BEFORE 1u
#define ACTA_SET_MAX_COUNT       2u
#define ACTA_SET_MAX_AGE         4u

/* Settings in which those that are @given are 0, to be set by the caller, and
 * all others stay as they are.
 */
static inline struct acta_settings
acta_settings_of(unsigned given)
{
    struct acta_settings settings;

    memset(&settings, 0, sizeof(settings));
    settings.size = sizeof(settings);
    settings.given = given;
    return settings;
}

/* Set what is given in @settings, also of a stream that has no events yet.
 *
 * INVALID: nothing is given; truncate_before is above version + 1, or below
 * what it is.
 */
ACTA_API uint64_t acta_set_stream(struct acta_client *client,
                                  const char *stream, int64_t expected,
                                  const struct acta_settings *settings,
                                  uint64_t timeout_ms, acta_on_changed *done,
                                  void *user, struct acta_err *err);

/* Hide all events that the stream has. It is appended to as if it was new, and
 * its versions go on. NOT_FOUND: it never had an event.
 */
ACTA_API uint64_t acta_delete_stream(struct acta_client *client,
                                     const char *stream, int64_t expected,
                                     uint64_t timeout_ms, acta_on_changed *done,
                                     void *user, struct acta_err *err);

/* The same, and refuse every append to it for ever. A name that no stream has
 * can be reserved so.
 */
ACTA_API uint64_t acta_tombstone_stream(struct acta_client *client,
                                        const char *stream, int64_t expected,
                                        uint64_t timeout_ms,
                                        acta_on_changed *done, void *user,
                                        struct acta_err *err);

/* Erase the data and metadata of one event, hidden or not, or of all that the
 * stream has so far. The events stay, with their types and tags, in the format
 * ACTA_FORMAT_ERASED. The bytes leave the server's disk in the background: see
 * erasures_pending in its status. NOT_FOUND: there is no such event, no such
 * stream.
 */
ACTA_API uint64_t acta_erase_event(struct acta_client *client,
                                   const char *stream, uint64_t version,
                                   uint64_t timeout_ms, acta_on_changed *done,
                                   void *user, struct acta_err *err);
ACTA_API uint64_t acta_erase_stream(struct acta_client *client,
                                    const char *stream, int64_t expected,
                                    uint64_t timeout_ms, acta_on_changed *done,
                                    void *user, struct acta_err *err);

/* ---- subscriptions ---- */

/* Events that came together: all that match the query between the position
 * told before and this one.
 */
struct acta_batch {
    const struct acta_event *const *events;
    size_t events_count;
    uint64_t position; /* All up to here is handled once the callback returns:
                          the checkpoint to resume from. */
    uint64_t head;     /* The database's last: head - position is the lag. */
};

/* What to follow, and who is told: made by acta_follow_of(). */
struct acta_follow {
    size_t size;                    /* Of this struct. */
    const struct acta_query *query; /* NULL: all events. */
    uint64_t after;                 /* Position; 0: from the start. */
    void *user;                     /* Passed to all of the functions: */

    /* Here are events. */
    void (*on_events)(void *user, const struct acta_batch *batch);

    /* There was nothing that matches up to @position. May be NULL. */
    void (*on_moved)(void *user, uint64_t position, uint64_t head);

    /* All that was stored has been delivered: from here on it is live. Comes
     * again after it fell behind, or a connection was lost. May be NULL.
     */
    void (*on_caught_up)(void *user, uint64_t position);

    /* Events are stored faster than they are taken: history again. May be
     * NULL.
     */
    void (*on_fell_behind)(void *user, uint64_t position);

    /* The subscription is over, for another reason than acta_unsubscribe(),
     * and its handle is gone. @position is where to resume. A lost connection
     * is no such reason, another database at the same address is (INVALID).
     */
    void (*on_ended)(void *user, const struct acta_err *err, uint64_t position);

    /* The consumer that follows, if it has a name: see acta_consumer.h. NULL:
     * it has none.
     */
    const char *consumer;

    /* The consumer is claimed: it goes on behind @position, and moves its
     * checkpoint under @epoch. Comes once, before all others. May be NULL.
     */
    void (*on_claimed)(void *user, uint64_t position, uint64_t epoch);

    /* The checkpoint that acta_checkpoint() asked for is stored. May be NULL.
     */
    void (*on_checkpoint)(void *user, uint64_t position);
};

static inline struct acta_follow
acta_follow_of(const struct acta_query *query, uint64_t after)
{
    struct acta_follow follow;

    memset(&follow, 0, sizeof(follow));
    follow.size = sizeof(follow);
    follow.query = query;
    follow.after = after;
    return follow;
}

/* Follow events: history first, then live, each once and in order. Callbacks
 * come from the loop, not from within this call. The handle is the caller's, to
 * be ended by acta_unsubscribe(), or until on_ended is called.
 *
 * NULL: INVALID, TOO_LARGE (the query), BUSY (over 1,024), MEMORY.
 */
ACTA_API struct acta_sub *acta_subscribe(struct acta_client *client,
                                         const struct acta_follow *follow,
                                         struct acta_err *err);

/* End it. None of its callbacks is called any more. May be NULL. */
ACTA_API void acta_unsubscribe(struct acta_sub *sub);

/* Call no callback, except on_ended and those of a named consumer, until
 * acta_resume(). The server fills the credit and then sends no more.
 */
ACTA_API void acta_pause(struct acta_sub *sub);
ACTA_API void acta_resume(struct acta_sub *sub);

/* Up to where all callbacks have returned: the checkpoint. */
ACTA_API uint64_t acta_sub_position(const struct acta_sub *sub);

#ifdef __cplusplus
}
#endif

#endif
