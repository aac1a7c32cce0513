/* The store in memory: what is in it. Internal to client/memory/.
 *
 * It speaks the protocol of proto/PROTOCOL.md, which says what all of this
 * means: frames go in at connection.c, and are handled one by one by the
 * functions of memory_handle.h. It decides by itself, and shares nothing with
 * the server. Data is plain: arrays, and tables in the order of names. All is
 * done under one lock.
 */

#ifndef ACTA_MEMORY_MEMORY_STORE_H
#define ACTA_MEMORY_MEMORY_STORE_H

#include <acta/acta_memory.h>
#include <pthread.h>

#include "ids.h"
#include "msg.h"
#include "msg_consumer.h"
#include "near.h"
#include "table.h"

struct memory_stream {
    struct table_entry named;
    struct memory_event **events; /* By version: version 1 is the first. */
    size_t capacity;
    uint64_t version;
    struct msg_settings settings;
    bool is_deleted;
    bool is_tombstoned;
    uint64_t deleted_at; /* The version that it had then. */
    uint64_t erased_to;  /* All up to this version were erased at once. */

    bool has_snapshot;
    uint64_t snapshot_version;
    uint64_t snapshot_schema;
    uint64_t snapshot_time_us;
    struct slice snapshot; /* owned */
};

struct memory_event {
    struct id_node by_id;
    struct memory_stream *stream;
    struct event event;  /* Points into record. */
    struct slice record; /* owned */
};

struct memory_command {
    struct id_node by_id;
    struct msg_run *runs; /* owned */
    size_t runs_count;
};

/* A category, a type or a tag. */
struct memory_name {
    struct table_entry named;
    struct msg_name told;
};

struct memory_consumer {
    struct table_entry named;
    enum msg_consumer_kind kind;
    struct slice packed; /* owned: the query, as bytes */
    struct query query;  /* owned */
    uint64_t position;   /* A group has read up to here. */
    uint64_t epoch;
    uint64_t changed_us;
    bool is_paused;
    struct msg_group_settings settings; /* key_tag: owned */
    struct slice note;                  /* owned */
    uint64_t note_us;
    struct memory_group *group; /* owned; NULL: it is a plain one */
};

struct memory_lease {
    struct table_entry named;
    struct slice holder; /* owned */
    uint8_t claim[UUID_SIZE];
    uint64_t fence;
    uint64_t duration_us;
    uint64_t since_us;
    uint64_t until_us;
};

struct memory_schedule {
    struct table_entry named;
    uint64_t number; /* The order in which they were made. */
    uint64_t due_us;
    uint64_t created_us;
    bool has_failed;
    struct acta_err why;
    struct slice writes;       /* owned */
    struct slice stream, type; /* In writes. */
    uint64_t events_count;
};

/* Who stands in line for a lease, or waits for a consumer. */
struct memory_wait {
    struct memory_wait *next;
    struct memory_connection *connection;
    uint64_t request_id;
    struct slice name;   /* owned: of the lease, or the consumer */
    bool is_for_lease;   /* Else for a consumer: */
    uint64_t position;   /* to come to this. */
    struct slice holder; /* owned: of who would hold the lease, ... */
    uint8_t claim[UUID_SIZE];
    uint64_t duration_us;
    uint64_t since_us;
    uint64_t until_us;
    uint64_t tired_us; /* The same by the machine's clock. */
};

struct memory_sub {
    struct memory_sub *next;
    uint64_t request_id;
    struct query query; /* owned */
    uint64_t position;
    int64_t credit;
    bool is_live;
    struct slice consumer; /* owned; empty: nobody */
    uint64_t epoch;
};

struct memory_connection {
    struct memory_connection *next;
    struct acta_memory *memory;
    int fd;
    struct buf in, out;
    bool is_greeted;
    bool is_over; /* Nothing is taken from it any more. */
    struct memory_sub *subs;
    size_t subs_count;
    size_t members_count;
    size_t waits_count;
};

struct acta_memory {
    struct near near; /* First: what clients see of it. */
    pthread_mutex_t lock;
    struct uuid server_id;
    struct uuid database_id;
    uint64_t now_us;
    uint64_t counter; /* Of epochs, fences and numbers. */

    struct memory_event **events; /* By position: 1 is the first. */
    size_t events_count;
    size_t events_capacity;
    struct ids event_ids;
    struct ids command_ids;
    struct table streams;
    struct table names[3]; /* By enum msg_name_kind. */
    struct table consumers;
    struct table leases;
    struct table schedules;
    size_t schedules_waiting;  /* Of them: the others have failed. */
    struct memory_wait *waits; /* In the order of arrival. */
    struct memory_connection *connections;
};

/* ---- streams.c ---- */

/* The stream, or NULL; make it if it is not there. */
struct memory_stream *memory_find_stream(struct acta_memory *memory,
                                         struct slice name);
struct memory_stream *memory_get_stream(struct acta_memory *memory,
                                        struct slice name);

static inline uint64_t
memory_head(const struct acta_memory *memory)
{
    return memory->events_count;
}

/* The event at a position or of a version, which must be there. */
static inline struct memory_event *
memory_at(const struct acta_memory *memory, uint64_t position)
{
    return memory->events[position - 1];
}

static inline struct memory_event *
memory_version(const struct memory_stream *stream, uint64_t version)
{
    return stream->events[version - 1];
}

/* Is it hidden, and so wanted by nobody? */
bool memory_hides(const struct acta_memory *memory,
                  const struct memory_event *kept);

/* The first version that is to be seen; version + 1 if none is. */
uint64_t memory_first_version(const struct acta_memory *memory,
                              const struct memory_stream *stream);

/* The first event behind @after that the query wants; 0: none. */
uint64_t memory_next(const struct acta_memory *memory,
                     const struct query *query, uint64_t after);

/* Put an event at the end of its stream and of everything. */
void memory_add_event(struct acta_memory *memory, const struct event *event);

/* Take data and metadata away. */
void memory_erase_event(struct memory_event *kept);

/* The event of this id in a stream, or NULL. */
struct memory_event *memory_find_id(const struct acta_memory *memory,
                                    struct slice stream, const uint8_t *id);

void memory_drop_snapshot(struct memory_stream *stream);
void memory_streams_fini(struct acta_memory *memory);

/* ---- consumers.c ---- */

/* Up to where it has handled all. */
uint64_t memory_consumer_position(const struct memory_consumer *consumer);
void memory_consumers_fini(struct acta_memory *memory);

/* ---- waits.c ---- */

/* TOO_LARGE: no more requests of the connection may wait. */
enum acta_code memory_check_waits(const struct memory_connection *connection,
                                  struct acta_err *err);

/* Put somebody among those who wait, in front of @before, or at the end if that
 * is NULL; the caller fills in what for.
 */
struct memory_wait *memory_add_wait(struct memory_connection *connection,
                                    uint64_t request_id, struct slice name,
                                    uint64_t wait_us,
                                    const struct memory_wait *before);

/* Take it out of the line and free it; answer it with an error before. */
void memory_end_wait(struct acta_memory *memory, struct memory_wait *wait);
void memory_refuse_wait(struct acta_memory *memory, struct memory_wait *wait,
                        enum acta_code code, const char *text);

/* Those of a connection that is over. */
void memory_forget_waits(struct acta_memory *memory,
                         const struct memory_connection *connection);

/* Answer those whose time is over, or who have what they wait for. */
void memory_look_at_waits(struct acta_memory *memory);

/* To where the time has to be moved, since somebody has waited for so long by
 * the machine's clock; it may be where it is.
 */
uint64_t memory_waited_to(const struct acta_memory *memory);

/* ---- leases.c, schedules.c ---- */

/* The next time at which one ends, or is due. */
uint64_t memory_leases_due(const struct acta_memory *memory);
uint64_t memory_schedules_due(const struct acta_memory *memory);

/* End the leases whose time is over; carry out what is due. */
void memory_end_leases(struct acta_memory *memory);
void memory_run_schedules(struct acta_memory *memory);

/* Forget a schedule. */
void memory_remove_schedule(struct acta_memory *memory,
                            struct memory_schedule *schedule);
void memory_leases_fini(struct acta_memory *memory);
void memory_schedules_fini(struct acta_memory *memory);

/* ---- subs.c ---- */

/* Deliver what there is to be delivered. */
void memory_feed_subs(struct memory_connection *connection);
void memory_free_subs(struct memory_connection *connection);

/* ---- connection.c ---- */

/* What follows from a change, or from the time: schedules, leases, deliveries,
 * hand-outs, and those who have waited for them.
 */
void memory_react(struct acta_memory *memory);

/* Move the time, which does nothing if it is over, with all that is due. */
void memory_move(struct acta_memory *memory, uint64_t time_us);

/* Answer with an error. */
void memory_refuse(struct memory_connection *connection, uint64_t request_id,
                   const struct acta_err *err);

/* Microseconds of the machine's clock, which nobody sets. */
uint64_t memory_machine_us(void);

/* ---- alloc.c: there is always memory ---- */

void *memory_alloc(size_t size); /* All zero. */
void *memory_grow(void *bytes, size_t size);
struct slice memory_copy(struct slice bytes);
void memory_free_copy(struct slice *bytes);

#endif
