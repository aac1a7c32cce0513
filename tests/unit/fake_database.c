#include "fake_database.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "consumer.h"
#include "event.h"
#include "reader.h"

struct fake_database fake_database;

static struct buf records[FAKE_EVENTS_MAX + 1]; /* By position. */
static uint64_t head;
static struct job *queued_first;
static struct job *queued_last;
static struct job *waiting_first; /* For the lease. */
static struct named named;
static struct watcher *watchers;
static bool stopping;

void
fake_database_init(void)
{
    fake_database = (struct fake_database){.queue_max = SIZE_MAX};
    stopping = false;
    watchers = NULL;
    named_init(&named);
}

static void
free_jobs(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
}

void
fake_database_fini(void)
{
    free_jobs(queued_first);
    free_jobs(waiting_first);
    queued_first = NULL;
    waiting_first = NULL;
    named_fini(&named);
    for (; head > 0; head--) {
        buf_fini(&records[head]);
    }
}

struct database *
fake_database_handle(void)
{
    return NULL;
}

static struct event
event_at(uint64_t position)
{
    struct pack_reader reader;
    struct event event;

    pack_reader_init(&reader, buf_slice(&records[position]), NULL);
    event_decode_record(&reader, &event);
    assert(!reader.failed);
    return event;
}

static uint64_t
version_of(struct slice stream)
{
    uint64_t version = 0;

    for (uint64_t position = 1; position <= head; position++) {
        version += slice_equal(event_at(position).stream, stream);
    }
    return version;
}

/* ---- database.h ---- */

enum acta_code
database_submit(struct database *database, struct job *job)
{
    (void)database;
    fake_database.submits++;
    job->next = NULL; /* As the real one does, whatever comes of it. */
    if (stopping) {
        return ACTA_STOPPING;
    }
    if (fake_database.queue_count >= fake_database.queue_max) {
        return ACTA_BUSY;
    }
    if (queued_first == NULL) {
        queued_first = job;
    } else {
        queued_last->next = job;
    }
    queued_last = job;
    fake_database.queue_count++;
    return ACTA_OK;
}

static void
refuse(struct job *job, enum msg_failure_kind kind, size_t index,
       int64_t expected, uint64_t actual)
{
    struct msg_failure failure = {
        .kind = kind, .index = index, .expected = expected, .actual = actual};

    job_refuse(job, ACTA_CONFLICT, "number %zu of them", index);
    job_add_failure(job, &failure);
}

/* The first position behind @after that the query wants; 0 if there is none. */
static uint64_t
first_match(const struct query *query, uint64_t after)
{
    for (uint64_t position = after + 1; position <= head; position++) {
        struct event event = event_at(position);

        if (query_matches(query, &event)) {
            return position;
        }
    }
    return 0;
}

static bool
is_expected(struct job *job)
{
    const struct msg_append *append = &job->append;

    for (size_t i = 0; i < append->writes_count; i++) {
        const struct msg_write *write = &append->writes[i];
        uint64_t version = version_of(write->stream);

        if (write->expected >= 0 && (uint64_t)write->expected != version) {
            refuse(job, MSG_FAILED_WRITE, i, write->expected, version);
        }
    }
    for (size_t i = 0; i < append->more.conditions_count; i++) {
        const struct msg_condition *condition = &append->more.conditions[i];
        uint64_t match = first_match(&condition->query, condition->after);

        if (match > 0) {
            refuse(job, MSG_FAILED_CONDITION, i, (int64_t)condition->after,
                   match);
        }
    }
    return job->outcome.code == ACTA_OK;
}

static void
write_events(struct job *job, size_t index)
{
    const struct msg_write *write = &job->append.writes[index];
    uint64_t version = version_of(write->stream);

    job->outcome.runs[index] = (struct msg_run){
        .write = index,
        .first_version = version + 1,
        .first_position = head + 1,
        .count = write->events_count,
    };
    for (size_t i = 0; i < write->events_count; i++) {
        struct event event = write->events[i];
        size_t size = event_record_size(&event);
        struct buf *record = &records[head + 1];

        assert(head < FAKE_EVENTS_MAX);
        event.position = head + 1;
        event.version = ++version;
        event.time_us = 1;
        buf_init(record, size);
        event_write_record(buf_reserve(record, size), &event);
        buf_advance(record, size);
        head++;
    }
}

static void
commit_append(struct job *job)
{
    if (!is_expected(job)) {
        return;
    }
    job->outcome.runs_count = job->append.writes_count;
    job->outcome.runs =
        calloc(job->outcome.runs_count, sizeof(*job->outcome.runs));
    for (size_t i = 0; i < job->append.writes_count; i++) {
        write_events(job, i);
    }
}

/* No stream is changed, but it is said of those that are there. */
static void
commit_change(struct job *job)
{
    uint64_t version = version_of(job->change.stream);
    int64_t expected = job->change.expected;

    if (expected >= 0 && (uint64_t)expected != version) {
        refuse(job, MSG_FAILED_WRITE, 0, expected, version);
        return;
    }
    job->outcome.changed =
        (struct msg_changed){.version = version, .changed = version > 0};
}

/* Whatever is asked of it is done to the one consumer. */
static void
commit_consumer(struct job *job)
{
    fake_database.changes++;
    job->outcome.consumer_changed =
        (struct msg_consumer_changed){.position = job->consumer.position,
                                      .epoch = ++fake_database.epoch,
                                      .changed = true};
}

static void
commit_lease(struct job *job)
{
    if (job->lease.kind == MSG_LEASE_ACQUIRE && fake_database.lease_is_held) {
        job_refuse(job, ACTA_HELD, "it is held");
        return;
    }
    job->outcome.lease_changed =
        (struct msg_lease_changed){.fence = ++fake_database.fence,
                                   .remaining_us = job->lease.duration_us,
                                   .changed = true};
}

static void
forget(uint64_t connection_id)
{
    struct job **at = &waiting_first;

    while (*at != NULL) {
        struct job *job = *at;

        if (job->connection_id == connection_id) {
            *at = job->next;
            job->next = NULL;
            job_refuse(job, ACTA_CANCELLED, "nobody waits for it");
            completions_give(job->completions, job, job);
        } else {
            at = &job->next;
        }
    }
}

static void
commit_one(struct job *job)
{
    struct buf *reply = &job->outcome.reply;
    uint64_t id = job->request_id;

    switch (job->kind) {
    case JOB_APPEND:
        commit_append(job);
        break;
    case JOB_CHANGE:
        commit_change(job);
        break;
    case JOB_CONSUMER:
        commit_consumer(job);
        break;
    case JOB_LEASE:
        commit_lease(job);
        break;
    case JOB_LIST_LEASES:
    case JOB_AWAIT:
        msg_leases_end(reply, msg_leases_begin(reply, id), true);
        break;
    case JOB_FORGET:
        forget(job->connection_id);
        break;
    case JOB_VERIFY:
        job_refuse(job, ACTA_NOT_FOUND, "there is none");
        break;
    case JOB_LIST_CONSUMERS:
        msg_consumers_end(reply, msg_consumers_begin(reply, id), true);
        break;
    case JOB_LIST_PARKED:
        msg_parked_end(reply, msg_parked_begin(reply, id), true);
        break;
    case JOB_CHANGE_PARKED:
        msg_number_encode(reply, OP_PARKED_CHANGED, id, 0);
        break;
    case JOB_DESCRIBE_CONSUMER:
    case JOB_JOIN:
    case JOB_SETTLE:
    case JOB_LEAVE:
        job_refuse(job, ACTA_NOT_FOUND, "there is none");
        break;
    case JOB_FORGET_MEMBERS:
    case JOB_RECEIPT:
        break;
    case JOB_SAVE:
    case JOB_MAIL:
        assert(false);
    }
}

static bool
waits(const struct job *job)
{
    return job->kind == JOB_LEASE && job->lease.kind == MSG_LEASE_ACQUIRE &&
           job->lease.wait_us > 0 && fake_database.lease_is_held;
}

void
fake_database_commit(void)
{
    while (queued_first != NULL) {
        struct job *job = queued_first;

        queued_first = job->next;
        job->next = NULL;
        if (waits(job)) {
            job->next = waiting_first;
            waiting_first = job;
            continue;
        }
        commit_one(job);
        completions_give(job->completions, job, job);
    }
    fake_database.queue_count = 0;
    for (struct watcher *watcher = watchers; watcher != NULL;
         watcher = watcher->next) {
        watcher->wake(watcher->user);
    }
}

void
database_stop_appends(struct database *database)
{
    (void)database;
    stopping = true;
}

bool
database_keeps_commands(const struct database *database)
{
    (void)database;
    return true;
}

uint64_t
database_head(const struct database *database)
{
    (void)database;
    return head;
}

struct uuid
database_id(const struct database *database)
{
    (void)database;
    return (struct uuid){{1}};
}

const char *
database_name(const struct database *database)
{
    (void)database;
    return "main";
}

uint64_t
database_consumer_changes(const struct database *database)
{
    (void)database;
    return fake_database.changes;
}

struct named *
database_named(struct database *database)
{
    (void)database;
    return &named;
}

void
database_stats(struct database *database, struct database_stats *stats)
{
    (void)database;
    *stats = (struct database_stats){.head = head, .erasures_pending = 7};
}

/* ---- reader.h ---- */

static enum acta_code
put(uint64_t position, const struct read_bounds *bounds, size_t *size,
    struct buf *out, struct read_result *result, struct acta_err *err)
{
    struct slice record = buf_slice(&records[position]);

    if (position == fake_database.broken_at) {
        return acta_fail(err, ACTA_CORRUPT, "position %ju is damaged",
                         (uintmax_t)position);
    }
    if (result->events_count > 0 &&
        (result->events_count == bounds->events_max ||
         *size + record.size > bounds->bytes_max)) {
        result->at_end = false;
        return ACTA_OK;
    }
    *size += record.size;
    buf_append_slice(out, record);
    result->events_count++;
    result->next = position;
    return ACTA_OK;
}

enum acta_code
reader_read_all(struct reader *reader, const struct query *query, uint64_t from,
                bool backward, const struct read_bounds *bounds,
                struct buf *out, struct read_result *result,
                struct acta_err *err)
{
    uint64_t end =
        bounds->last > 0 && bounds->last < head ? bounds->last : head;
    size_t size = 0;

    (void)reader;
    fake_database.reads++;
    if (backward) {
        return acta_fail(err, ACTA_UNSUPPORTED, "forward only");
    }
    *result = (struct read_result){.next = from, .head = head, .at_end = true};
    for (uint64_t position = from + 1; position <= end && result->at_end;
         position++) {
        struct event event = event_at(position);

        if (query_matches(query, &event)) {
            enum acta_code code =
                put(position, bounds, &size, out, result, err);

            if (code != ACTA_OK) {
                return code;
            }
        } else {
            result->next = position;
        }
    }
    return ACTA_OK;
}

enum acta_code
reader_read_stream(struct reader *reader, struct slice stream, uint64_t from,
                   bool backward, const struct read_bounds *bounds,
                   struct buf *out, struct read_result *result,
                   struct acta_err *err)
{
    size_t size = 0;

    (void)reader;
    fake_database.reads++;
    if (backward) {
        return acta_fail(err, ACTA_UNSUPPORTED, "forward only");
    }
    *result = (struct read_result){.head = head, .at_end = true};
    result->version = version_of(stream);
    for (uint64_t position = 1; position <= head && result->at_end;
         position++) {
        struct event event = event_at(position);

        if (slice_equal(event.stream, stream) && event.version > from) {
            enum acta_code code =
                put(position, bounds, &size, out, result, err);

            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    result->next = from + result->events_count;
    return ACTA_OK;
}

enum acta_code
reader_load(struct reader *reader, const struct msg_load *load,
            const struct read_bounds *bounds,
            void (*begin)(void *user, const struct msg_loaded *loaded),
            void *user, struct buf *out, struct read_result *result,
            struct acta_err *err)
{
    struct msg_loaded loaded = {0};
    uint64_t from = load->has_version ? load->version : 0;

    if (from > version_of(load->stream)) {
        return acta_fail(err, ACTA_INVALID, "it is not as far as that");
    }
    if (!load->has_version && fake_database.snapshot_at > 0) {
        loaded.has_snapshot = true;
        loaded.snapshot_version = fake_database.snapshot_at;
        loaded.snapshot = slice_of("state");
        from = fake_database.snapshot_at;
    }
    begin(user, &loaded);
    return reader_read_stream(reader, load->stream, from, false, bounds, out,
                              result, err);
}

enum acta_code
reader_read_event(struct reader *reader, struct slice stream, uint64_t version,
                  struct buf *out, struct read_result *result,
                  struct acta_err *err)
{
    struct read_bounds one = {.events_max = 1, .bytes_max = SIZE_MAX};
    enum acta_code code;

    if (version == 0 || version > version_of(stream)) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no such event");
    }
    code = reader_read_stream(reader, stream, version - 1, false, &one, out,
                              result, err);
    return code;
}

enum acta_code
reader_read_id(struct reader *reader, const uint8_t id[16],
               const struct read_bounds *bounds, struct buf *out,
               struct read_result *result, struct acta_err *err)
{
    size_t size = 0;

    (void)reader;
    fake_database.reads++;
    *result = (struct read_result){.head = head, .at_end = true};
    for (uint64_t position = 1; position <= head; position++) {
        if (memcmp(event_at(position).id, id, 16) == 0) {
            enum acta_code code =
                put(position, bounds, &size, out, result, err);

            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    return result->events_count > 0
               ? ACTA_OK
               : acta_fail(err, ACTA_NOT_FOUND, "there is no such event");
}

enum acta_code
reader_list_streams(struct reader *reader, struct slice prefix,
                    struct slice after, size_t count_max, struct buf *out,
                    size_t *count, bool *at_end, struct acta_err *err)
{
    (void)reader;
    (void)after;
    (void)err;
    fake_database.reads++;
    *count = 0;
    *at_end = true;
    for (uint64_t position = 1; position <= head && *count < count_max;
         position++) {
        struct event event = event_at(position);

        if (event.version == 1 && slice_starts_with(event.stream, prefix)) {
            struct msg_stream stream = {.name = event.stream,
                                        .version = version_of(event.stream)};

            msg_streams_add(out, &stream);
            (*count)++;
        }
    }
    return ACTA_OK;
}

enum acta_code
reader_describe_stream(struct reader *reader, struct slice stream,
                       struct msg_description *description,
                       struct acta_err *err)
{
    (void)reader;
    (void)err;
    fake_database.reads++;
    *description = (struct msg_description){
        .stream = {.name = stream, .version = version_of(stream)},
        .first_version = 1,
    };
    return ACTA_OK;
}

/* Of every type that begins so, once for each of its events. */
enum acta_code
reader_list_names(struct reader *reader, enum msg_name_kind kind,
                  struct slice prefix, struct slice after, size_t count_max,
                  struct buf *out, size_t *count, bool *at_end,
                  struct acta_err *err)
{
    (void)reader;
    (void)after;
    fake_database.reads++;
    *count = 0;
    *at_end = true;
    if (kind != MSG_NAME_TYPE) {
        return acta_fail(err, ACTA_UNSUPPORTED, "types only");
    }
    for (uint64_t position = 1; position <= head && *count < count_max;
         position++) {
        struct event event = event_at(position);

        if (slice_starts_with(event.type, prefix)) {
            struct msg_name name = {
                .name = event.type, .count = 1, .last_position = position};

            msg_names_add(out, &name);
            (*count)++;
        }
    }
    return ACTA_OK;
}

enum acta_code
reader_list_schedules(struct reader *reader, struct slice prefix,
                      struct slice after, size_t count_max,
                      void (*visit)(void *user,
                                    const struct msg_scheduled *scheduled),
                      void *user, bool *at_end, struct acta_err *err)
{
    char name[] = "s0";
    size_t visited = 0;

    (void)reader;
    (void)prefix;
    (void)after;
    fake_database.reads++;
    if (fake_database.broken_at > 0) {
        return acta_fail(err, ACTA_CORRUPT, "schedule \"s1\" is damaged");
    }
    while (visited < count_max && visited < fake_database.schedules_count) {
        struct msg_scheduled scheduled = {.events_count = 1};

        name[1] = (char)('1' + visited++);
        scheduled.name = slice_of(name);
        scheduled.stream = slice_of("order-1");
        scheduled.type = slice_of("T");
        visit(user, &scheduled);
    }
    *at_end = visited == fake_database.schedules_count;
    return ACTA_OK;
}

/* Rows of the consumer: under any name. */
enum acta_code
reader_get_row(struct reader *reader, enum row_kind kind, struct slice key,
               struct buf *copy, bool *found, struct acta_err *err)
{
    struct checkpoint_row checkpoint = {.epoch = fake_database.epoch};
    struct consumer consumer = {.kind = fake_database.is_group
                                            ? MSG_CONSUMER_GROUP
                                            : MSG_CONSUMER_PLAIN};

    (void)reader;
    (void)key;
    (void)err;
    fake_database.reads++;
    *found = fake_database.epoch > 0;
    if (*found && kind == ROW_CHECKPOINT) {
        checkpoint_encode(copy, &checkpoint);
    } else if (*found) {
        assert(kind == ROW_CONSUMER);
        consumer_encode(copy, &consumer);
    }
    return ACTA_OK;
}

enum acta_code
reader_find_time(struct reader *reader, uint64_t time_us, uint64_t *position,
                 struct acta_err *err)
{
    (void)reader;
    (void)err;
    fake_database.reads++;
    *position = 0;
    while (*position < head && event_at(*position + 1).time_us < time_us) {
        ++*position;
    }
    return ACTA_OK;
}

static bool
is_unseen(const struct msg_append *append, const struct event *event)
{
    for (size_t i = 0; i < append->writes_count; i++) {
        const struct msg_write *write = &append->writes[i];

        if (write->expected >= 0 &&
            event->version > (uint64_t)write->expected &&
            slice_equal(event->stream, write->stream)) {
            return true;
        }
    }
    for (size_t i = 0; i < append->more.conditions_count; i++) {
        const struct msg_condition *condition = &append->more.conditions[i];

        if (event->position > condition->after &&
            query_matches(&condition->query, event)) {
            return true;
        }
    }
    return false;
}

enum acta_code
reader_read_unseen(struct reader *reader, const struct msg_append *append,
                   const struct read_bounds *bounds, struct buf *out,
                   struct unseen_result *result, struct acta_err *err)
{
    struct read_result page = {.at_end = true};
    size_t size = 0;

    (void)reader;
    fake_database.reads++;
    for (uint64_t position = 1; position <= head && page.at_end; position++) {
        struct event event = event_at(position);

        if (is_unseen(append, &event)) {
            enum acta_code code = put(position, bounds, &size, out, &page, err);

            if (code != ACTA_OK) {
                return code;
            }
        }
    }
    *result = (struct unseen_result){.events_count = page.events_count,
                                     .complete = page.at_end,
                                     .head = head};
    return ACTA_OK;
}

/* ---- backup.h: there is none here ---- */

enum acta_code
backup_begin(struct backup **backup, struct database *database,
             const struct msg_begin_backup *begin,
             struct msg_backup_begun *begun, struct acta_err *err)
{
    (void)database;
    (void)begin;
    *backup = NULL;
    *begun = (struct msg_backup_begun){0};
    return acta_fail(err, ACTA_BUSY, "another backup is under way");
}

enum acta_code
backup_read(struct backup *backup, const struct msg_read_backup *read,
            struct msg_backup_chunk *chunk, struct acta_err *err)
{
    (void)backup;
    (void)read;
    *chunk = (struct msg_backup_chunk){0};
    return acta_fail(err, ACTA_IO, "there is no backup");
}

uint64_t
backup_end(struct backup *backup, uint64_t sequence)
{
    (void)backup;
    return sequence;
}

void
backup_close(struct backup *backup)
{
    (void)backup;
}

bool
backup_must_end(const struct backup *backup, struct mono_time now,
                const char **why)
{
    (void)backup;
    (void)now;
    (void)why;
    return false;
}
