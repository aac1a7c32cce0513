/* hello, ping, status, verify. */

#include "handle.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "msg.h"

/* ---- hello ---- */

static enum acta_code
check_hello(const struct session *session, const struct msg_hello *hello,
            struct acta_err *err)
{
    const char *name = database_name(session->host->database);

    if (hello->protocol_min > PROTOCOL_VERSION ||
        hello->protocol_max < PROTOCOL_VERSION) {
        return acta_fail(
            err, ACTA_UNSUPPORTED,
            "client speaks protocol %" PRIu64 " to %" PRIu64 ", this server %d",
            hello->protocol_min, hello->protocol_max, PROTOCOL_VERSION);
    }
    if (hello->database.size > 0 &&
        !slice_equal(hello->database, slice_of(name))) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no database \"%.*s\"",
                         (int)hello->database.size,
                         (const char *)hello->database.data);
    }
    return ACTA_OK;
}

static void
welcome(struct session *session, const struct frame *frame)
{
    struct session_host *host = session->host;
    struct msg_welcome welcome = {
        .protocol = PROTOCOL_VERSION,
        .server_version = slice_of(host->info->version),
        .server_id = host->info->id,
        .database = slice_of(database_name(host->database)),
        .database_id = database_id(host->database),
        .head = database_head(host->database),
        .limits = msg_limits_default,
    };

    welcome.limits.requests_max = host->limits.requests_max;
    msg_welcome_encode(session->out, frame->request_id, &welcome);
}

void
handle_hello(struct session *session, const struct frame *frame)
{
    struct msg_hello hello;
    struct acta_err err;
    enum acta_code code;

    if (session->state == SESSION_READY) {
        session_error(session, frame->request_id, ACTA_PROTOCOL,
                      "hello was said before");
        return;
    }
    code = msg_hello_decode(&hello, frame->body, &err);
    if (code == ACTA_OK) {
        code = check_hello(session, &hello, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        session_end_input(session);
        return;
    }
    session->state = SESSION_READY;
    log_debug(log_event("hello"), log_number("connection", session->id),
              log_slice("client", hello.client));
    welcome(session, frame);
}

/* ---- ping ---- */

void
handle_ping(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    enum acta_code code = msg_empty_decode(frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_number_encode(session->out, OP_PONG, frame->request_id,
                      database_head(session->host->database));
}

/* ---- status ---- */

struct reply {
    struct buf *out;
    struct msg_open open;
};

static void
number(struct reply *reply, const char *name, uint64_t value)
{
    msg_status_number(reply->out, &reply->open, name, value);
}

/* The sum over all threads of the counter at @offset in struct counters. */
static uint64_t
sum_at(const struct server_info *info, size_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < info->threads_count; i++) {
        const char *counters = (const char *)&info->counters[i];

        sum += counter_read(
            (const _Atomic uint64_t *)(const void *)(counters + offset));
    }
    return sum;
}

#define SUM(info, counter) sum_at(info, offsetof(struct counters, counter))

static void
list_server(struct reply *reply, const struct server_info *info)
{
    char name[48];

    msg_status_text(reply->out, &reply->open, "server.version", info->version);
    number(reply, "server.uptime_s", clock_us_since(info->started) / 1000000);
    number(reply, "server.io_threads", info->threads_count);
    number(reply, "server.connections", SUM(info, connections));
    number(reply, "server.accepted", SUM(info, accepted));
    number(reply, "server.subscriptions", SUM(info, subscriptions));
    number(reply, "server.bytes_in", SUM(info, bytes_in));
    number(reply, "server.bytes_out", SUM(info, bytes_out));
    number(reply, "server.errors", SUM(info, errors));
    for (unsigned kind = 0; kind < OP_REPLY_FIRST; kind++) {
        if (opcode_text(kind) != NULL) {
            snprintf(name, sizeof(name), "requests.%s", opcode_text(kind));
            number(reply, name,
                   sum_at(info, offsetof(struct counters, requests) +
                                    kind * sizeof(_Atomic uint64_t)));
        }
    }
    number(reply, "requests.unknown", SUM(info, requests[OP_REPLY_FIRST]));
}

static void
list_database(struct reply *reply, struct database *database)
{
    struct database_stats stats;

    database_stats(database, &stats);
    msg_status_text(reply->out, &reply->open, "database.name",
                    database_name(database));
    number(reply, "database.head", stats.head);
    number(reply, "database.stored", stats.stored);
    number(reply, "database.commits", stats.commits);
    number(reply, "database.events", stats.events);
    number(reply, "database.refusals", stats.refusals);
    number(reply, "database.repeats", stats.repeats);
    number(reply, "database.checkpoints", stats.checkpoints);
    number(reply, "database.checkpoint_last_ms", stats.checkpoint_last_ms);
    number(reply, "database.tail_events", stats.tail_events);
    number(reply, "database.tail_size", stats.tail_size);
    number(reply, "database.journal_size", stats.journal_size);
    number(reply, "database.journal_written", stats.journal_written);
    number(reply, "database.journal_kept", stats.journal_kept);
    number(reply, "database.store_size", stats.store_size);
    number(reply, "database.queue_size", stats.queue_size);
    number(reply, "database.leases", stats.leases);
    number(reply, "database.lease_waiters", stats.lease_waiters);
    number(reply, "database.schedules", stats.schedules);
    number(reply, "database.groups", stats.groups);
    number(reply, "database.group_members", stats.group_members);
    number(reply, "database.group_in_hand", stats.group_in_hand);
    number(reply, "database.disk_free", stats.disk_free);
    number(reply, "database.full", stats.full);
    number(reply, "database.erasures_pending", stats.erasures_pending);
    number(reply, "database.swept", stats.swept);
    number(reply, "database.unswept", stats.unswept);
}

void
handle_status(struct session *session, const struct frame *frame)
{
    struct reply reply = {.out = session->out};
    struct acta_err err;
    enum acta_code code = msg_empty_decode(frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    reply.open = msg_status_begin(session->out, frame->request_id);
    list_server(&reply, session->host->info);
    list_database(&reply, session->host->database);
    msg_status_end(session->out, reply.open);
}

/* ---- verify ---- */

void
handle_verify(struct session *session, const struct frame *frame)
{
    session_hand_over(session, frame, JOB_VERIFY);
}
