/* Requests in flight: what was asked, in order, until it is answered.
 *
 * A request is in one of two lists, both in the order in which requests were
 * made: waiting to be sent, or sent. Its frame is kept, so that it can be sent
 * again. Nothing here does I/O or knows the time.
 *
 * Requests that the server may keep for long, until a lease is free or a
 * consumer has come to a position, have room of their own, and stand in the way
 * of no others.
 *
 * One thread at a time.
 */

#ifndef ACTA_CLIENT_REQUEST_H
#define ACTA_CLIENT_REQUEST_H

#include <acta/acta.h>

#include "answer.h"
#include "limit.h"
#include "opcode.h"

/* Ids are a slot in the table, and a serial number in front that makes them
 * new each time, so that a late reply finds nobody.
 */
#define REQUEST_SLOT_BITS 16
#define REQUEST_SLOT(id)  ((size_t)((id) & ((1u << REQUEST_SLOT_BITS) - 1)))
#define REQUEST_SLOTS_MAX                                                      \
    32768 /* Above are those of subscriptions and of                           \
             memberships, and then those of requests that wait. */
#define REQUEST_WAIT_FIRST 49152

struct request;

/* Of requests that the library makes for itself. @answer is NULL if there is
 * none.
 */
typedef void request_on_own(void *user, const struct request *request,
                            const struct acta_err *err,
                            const struct answer *answer);

union request_done {
    acta_on_pong *pong;
    acta_on_status *status;
    acta_on_appended *appended;
    acta_on_page *page;
    acta_on_position *position;
    acta_on_streams *streams;
    acta_on_description *description;
    acta_on_names *names;
    acta_on_changed *changed;
    acta_on_consumer_changed *consumer_changed;
    acta_on_consumers *consumers;
    acta_on_consumer_description *described;
    acta_on_parked *parked;
    acta_on_count *count;
    acta_on_leases *leases;
    acta_on_schedules *schedules;
    acta_on_loaded *loaded;
    acta_on_verification *verification;
    acta_on_backup_begun *backup_begun;
    acta_on_backup_chunk *backup_chunk;
    acta_on_backup_ended *backup_ended;
    request_on_own *own;
};

struct request {
    struct request *prev, *next; /* In its list. */
    uint64_t id;
    uint64_t deadline_ms;
    enum opcode kind;
    bool sent;     /* In the list of those, on this connection. */
    bool doubtful; /* Was sent, and the answer got lost: may have been done. */
    bool is_command; /* An append that has a command id. */
    bool is_known;   /* An append that the server knows again when it was done:
                        by the ids of its events, or by that of its command. */
    bool is_own;     /* Made by the library: done.own is called. */
    bool is_bound;   /* Of no use on another connection: forgotten, without a
                        callback, when this one is lost. */
    uint64_t note;   /* Of whoever made it. */
    struct answer *answer; /* Where its reply is read to; NULL: the core's. */
    union request_done done;
    void *user;
    size_t size;
    uint8_t frame[];
};

struct request_list {
    struct request *first, *last;
};

/* Slots that are numbered from @first on. */
struct request_slots {
    struct request **slots; /* owned: each with its request, or NULL */
    uint32_t *free_slots;   /* owned: a stack of those that are NULL */
    size_t first;
    size_t free_count;
    size_t count;
};

struct requests {
    struct request_list waiting;
    struct request_list sent;
    struct request_slots usual;
    struct request_slots waits; /* Of those that the server may keep. */
    size_t count;               /* In both lists. */
    size_t size;                /* Bytes of their frames. */
    size_t on_wire;       /* Sent here and not answered, also by those that
                             have been given up since, but for waits. */
    uint64_t serial;      /* Of the last id. */
    uint64_t deadline_ms; /* No deadline is before; UINT64_MAX: there is none.
                             It is made exact when it passes. */
};

/* Room for @count_max requests, and ACTA_WAITS_MAX that wait. MEMORY. */
enum acta_code requests_init(struct requests *requests, size_t count_max,
                             struct acta_err *err) ACTA_CHECKED;

/* All requests must have been removed. */
void requests_fini(struct requests *requests);

/* The id that the next request will have, or the next that waits at the server;
 * 0: there are too many.
 */
uint64_t requests_next_id(const struct requests *requests, bool is_wait);

/* Add a request of @id, which is the next, and this frame, at the end of those
 * that are to be sent. NULL: no memory.
 */
struct request *requests_add(struct requests *requests, uint64_t id,
                             struct slice frame, uint64_t deadline_ms);

/* The request of this id, or NULL. */
struct request *requests_find(const struct requests *requests, uint64_t id);

/* Take it out of the lists. It is then the caller's to free. */
void requests_remove(struct requests *requests, struct request *request);

/* Move the first that waits to the end of those that were sent. */
void requests_mark_sent(struct requests *requests);

/* Move a request that was sent back among those that wait, by its age. */
void requests_mark_waiting(struct requests *requests, struct request *request);

/* The connection is lost: what was sent becomes doubtful, and waits again in
 * front of what is younger. What was bound to the connection is forgotten.
 */
void requests_lost(struct requests *requests);

/* The oldest request, or NULL. */
struct request *requests_first(const struct requests *requests);

/* A request whose deadline is not after @now_ms, or NULL. Looks at all of them,
 * but only when there may be one.
 */
struct request *requests_expired(struct requests *requests, uint64_t now_ms);

/* Call the request's callback, whose answer is @answer, or NULL if there is
 * none. @err is NULL if all went well.
 */
void request_finish(const struct request *request, const struct acta_err *err,
                    const struct answer *answer);

/* Is it the id of one that the server may keep, as of wait_us or timeout_us? */
static inline bool
request_id_waits(uint64_t id)
{
    return REQUEST_SLOT(id) >= REQUEST_WAIT_FIRST &&
           REQUEST_SLOT(id) < REQUEST_WAIT_FIRST + ACTA_WAITS_MAX;
}

/* True if it changes something: then it is not known what became of it when its
 * answer is lost.
 */
static inline bool
request_is_change(const struct request *request)
{
    return request->kind == OP_APPEND || request->kind == OP_CHANGE_STREAM ||
           request->kind == OP_CHANGE_CONSUMER ||
           request->kind == OP_CHANGE_PARKED;
}

/* The kind of frame that answers @kind, besides an error. */
enum opcode request_reply_kind(enum opcode kind);

#endif
