/* The requests of acta.h: each encodes its frame and submits it. */

#include <stdlib.h>

#include "append.h"
#include "client.h"
#include "given.h"
#include "limit.h"
#include "msg_lease.h"
#include "name.h"
#include "query_build.h"

/* What a request says to whoever reads its answer. */
struct hint {
    bool is_command; /* See struct request. */
    bool is_known;   /* The same. */
    uint64_t note;
};

static uint64_t
submit(struct acta_client *client, enum opcode kind, struct hint hint,
       uint64_t timeout_ms, union request_done done, void *user,
       struct acta_err *err)
{
    uint64_t now_ms = client_now_ms(client);
    struct request *request;
    uint64_t id = 0;

    request = core_submit(&client->core, timeout_ms, now_ms, err);
    if (request != NULL) {
        request->kind = kind;
        request->is_command = hint.is_command;
        request->is_known = hint.is_known;
        request->note = hint.note;
        request->done = done;
        request->user = user;
        request->answer = client->keep_in;
        id = request->id;
        client_enter(client);
        core_pump(&client->core, now_ms);
        client_leave(client, now_ms);
    }
    return id;
}

uint64_t
client_submit(struct acta_client *client, enum opcode kind, uint64_t timeout_ms,
              union request_done done, void *user, struct acta_err *err)
{
    return submit(client, kind, (struct hint){0}, timeout_ms, done, user, err);
}

uint64_t
acta_ping(struct acta_client *client, uint64_t timeout_ms, acta_on_pong *done,
          void *user, struct acta_err *err)
{
    uint64_t id;
    struct buf *buf = core_begin(&client->core, &id, err);

    if (buf == NULL) {
        return 0;
    }
    msg_empty_encode(buf, OP_PING, id);
    return client_submit(client, OP_PING, timeout_ms,
                         (union request_done){.pong = done}, user, err);
}

uint64_t
acta_status(struct acta_client *client, uint64_t timeout_ms,
            acta_on_status *done, void *user, struct acta_err *err)
{
    uint64_t id;
    struct buf *buf = core_begin(&client->core, &id, err);

    if (buf == NULL) {
        return 0;
    }
    msg_empty_encode(buf, OP_STATUS, id);
    return client_submit(client, OP_STATUS, timeout_ms,
                         (union request_done){.status = done}, user, err);
}

uint64_t
acta_append(struct acta_client *client, const struct acta_append *append,
            uint64_t timeout_ms, acta_on_appended *done, void *user,
            struct acta_err *err)
{
    struct hint hint = {0};
    struct buf *buf;
    uint64_t id;

    if (acta_append_check(append, err) != ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    append_encode(append, buf, id);
    hint.is_command = append_is_command(append);
    hint.is_known = hint.is_command || acta_append_count(append) > 0;
    return submit(client, OP_APPEND, hint, timeout_ms,
                  (union request_done){.appended = done}, user, err);
}

uint64_t
acta_find_command(struct acta_client *client, const struct acta_id *id,
                  uint64_t timeout_ms, acta_on_appended *done, void *user,
                  struct acta_err *err)
{
    struct hint hint = {.is_command = true};
    uint64_t request_id;
    struct buf *buf = core_begin(&client->core, &request_id, err);

    if (buf == NULL) {
        return 0;
    }
    msg_find_command_encode(buf, request_id, id->bytes);
    return submit(client, OP_FIND_COMMAND, hint, timeout_ms,
                  (union request_done){.appended = done}, user, err);
}

static uint64_t
read_stream(struct acta_client *client, const struct acta_read *read,
            uint64_t timeout_ms, acta_on_page *done, void *user,
            struct acta_err *err)
{
    struct msg_read_stream message = {
        .stream = slice_of(read->stream),
        .from = read->from,
        .backward = read->backward,
        .bounds = {read->events_max, read->bytes_max},
    };
    struct buf *buf;
    uint64_t id;

    if (name_check(message.stream, ACTA_STREAM_SIZE_MAX, "stream", err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_read_stream_encode(buf, id, &message);
    return client_submit(client, OP_READ_STREAM, timeout_ms,
                         (union request_done){.page = done}, user, err);
}

static uint64_t
read_all(struct acta_client *client, const struct acta_read *read,
         uint64_t timeout_ms, acta_on_page *done, void *user,
         struct acta_err *err)
{
    struct msg_read_all message = {
        .from = read->from,
        .backward = read->backward,
        .bounds = {read->events_max, read->bytes_max},
    };
    struct buf *buf;
    uint64_t id;

    if (query_build(read->query, &message.query, err) != ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf != NULL) {
        msg_read_all_encode(buf, id, &message);
    }
    query_fini(&message.query);
    if (buf == NULL) {
        return 0;
    }
    return client_submit(client, OP_READ_ALL, timeout_ms,
                         (union request_done){.page = done}, user, err);
}

uint64_t
acta_read(struct acta_client *client, const struct acta_read *read,
          uint64_t timeout_ms, acta_on_page *done, void *user,
          struct acta_err *err)
{
    struct acta_read known;

    if (!given_copy(&known, sizeof(known), read)) {
        acta_fail(err, ACTA_INVALID, "read is not of acta_read_of_...()");
        return 0;
    }
    if (known.stream != NULL) {
        return read_stream(client, &known, timeout_ms, done, user, err);
    }
    return read_all(client, &known, timeout_ms, done, user, err);
}

static uint64_t
read_event(struct acta_client *client, const struct msg_read_event *message,
           uint64_t timeout_ms, acta_on_page *done, void *user,
           struct acta_err *err)
{
    uint64_t id;
    struct buf *buf = core_begin(&client->core, &id, err);

    if (buf == NULL) {
        return 0;
    }
    msg_read_event_encode(buf, id, message);
    return client_submit(client, OP_READ_EVENT, timeout_ms,
                         (union request_done){.page = done}, user, err);
}

uint64_t
acta_read_version(struct acta_client *client, const char *stream,
                  uint64_t version, uint64_t timeout_ms, acta_on_page *done,
                  void *user, struct acta_err *err)
{
    struct msg_read_event message = {
        .stream = slice_of(stream == NULL ? "" : stream),
        .version = version,
    };

    if (name_check(message.stream, ACTA_STREAM_SIZE_MAX, "stream", err) !=
        ACTA_OK) {
        return 0;
    }
    return read_event(client, &message, timeout_ms, done, user, err);
}

uint64_t
acta_read_id(struct acta_client *client, const struct acta_id *id,
             uint64_t timeout_ms, acta_on_page *done, void *user,
             struct acta_err *err)
{
    struct msg_read_event message = {.id = id->bytes};

    return read_event(client, &message, timeout_ms, done, user, err);
}

uint64_t
acta_find_time(struct acta_client *client, uint64_t time_us,
               uint64_t timeout_ms, acta_on_position *done, void *user,
               struct acta_err *err)
{
    uint64_t id;
    struct buf *buf = core_begin(&client->core, &id, err);

    if (buf == NULL) {
        return 0;
    }
    msg_number_encode(buf, OP_FIND_TIME, id, time_us);
    return client_submit(client, OP_FIND_TIME, timeout_ms,
                         (union request_done){.position = done}, user, err);
}

uint64_t
acta_load(struct acta_client *client, const struct acta_load *load,
          uint64_t timeout_ms, acta_on_loaded *done, void *user,
          struct acta_err *err)
{
    struct msg_load message;
    struct acta_load known;
    struct hint hint = {0};
    struct buf *buf;
    uint64_t id;

    if (!given_copy(&known, sizeof(known), load)) {
        acta_fail(err, ACTA_INVALID, "load is not of acta_load_of()");
        return 0;
    }
    message = (struct msg_load){
        .stream = slice_of(known.stream == NULL ? "" : known.stream),
        .has_version = known.has_version,
        .version = known.version,
        .has_schema = known.has_schema,
        .schema = known.schema,
        .bounds = {known.events_max, known.bytes_max},
    };
    if (name_check(message.stream, ACTA_STREAM_SIZE_MAX, "stream", err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_load_encode(buf, id, &message);
    hint.note = known.has_version ? known.version + 1 : 0;
    return submit(client, OP_LOAD, hint, timeout_ms,
                  (union request_done){.loaded = done}, user, err);
}
