/* Connections: bytes in, frames to those who handle them, bytes out. */

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "limit.h"
#include "memory_group.h"
#include "memory_handle.h"
#include "name.h"

#define DATABASE "main"

/* ---- answers ---- */

void
memory_refuse(struct memory_connection *connection, uint64_t request_id,
              const struct acta_err *err)
{
    struct msg_error error = {
        .code = err->code,
        .text = slice_of(err->text),
    };

    msg_error_encode(&connection->out, request_id, &error);
}

static enum acta_code
handle_hello(struct memory_connection *connection, uint64_t id,
             struct slice body, struct acta_err *err)
{
    const struct acta_memory *memory = connection->memory;
    struct msg_welcome welcome = {
        .protocol = PROTOCOL_VERSION,
        .server_version = slice_of(ACTA_VERSION),
        .server_id = memory->server_id,
        .database = slice_of(DATABASE),
        .database_id = memory->database_id,
        .head = memory_head(memory),
        .limits = msg_limits_default,
    };
    struct msg_hello hello;
    enum acta_code code = msg_hello_decode(&hello, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (hello.database.size > 0 &&
        !slice_equal(hello.database, slice_of(DATABASE))) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no database %.*s",
                         (int)hello.database.size,
                         (const char *)hello.database.data);
    }
    msg_welcome_encode(&connection->out, id, &welcome);
    connection->is_greeted = true;
    return ACTA_OK;
}

static enum acta_code
handle_ping(struct memory_connection *connection, uint64_t id,
            struct slice body, struct acta_err *err)
{
    enum acta_code code = msg_empty_decode(body, err);

    if (code == ACTA_OK) {
        msg_number_encode(&connection->out, OP_PONG, id,
                          memory_head(connection->memory));
    }
    return code;
}

static enum acta_code
handle_status(struct memory_connection *connection, uint64_t id,
              struct slice body, struct acta_err *err)
{
    const struct acta_memory *memory = connection->memory;
    struct buf *out = &connection->out;
    struct msg_open open;
    enum acta_code code = msg_empty_decode(body, err);

    if (code != ACTA_OK) {
        return code;
    }
    open = msg_status_begin(out, id);
    msg_status_text(out, &open, "server.version", ACTA_VERSION);
    msg_status_text(out, &open, "database.name", DATABASE);
    msg_status_number(out, &open, "database.head", memory_head(memory));
    msg_status_number(out, &open, "database.leases", memory->leases.count);
    msg_status_number(out, &open, "database.schedules",
                      memory->schedules.count);
    msg_status_end(out, open);
    return ACTA_OK;
}

/* ---- requests ---- */

static handle *
find_handle(uint8_t kind)
{
    static handle *const handles[OP_REPLY_FIRST] = {
        [OP_PING] = handle_ping,
        [OP_STATUS] = handle_status,
        [OP_APPEND] = handle_append,
        [OP_CHANGE_STREAM] = handle_change_stream,
        [OP_CHANGE_CONSUMER] = handle_change_consumer,
        [OP_CHANGE_LEASE] = handle_change_lease,
        [OP_CHANGE_PARKED] = handle_change_parked,
        [OP_READ_STREAM] = handle_read_stream,
        [OP_READ_ALL] = handle_read_all,
        [OP_READ_EVENT] = handle_read_event,
        [OP_FIND_TIME] = handle_find_time,
        [OP_LOAD] = handle_load,
        [OP_FIND_COMMAND] = handle_find_command,
        [OP_AWAIT] = handle_await,
        [OP_LIST_STREAMS] = handle_list_streams,
        [OP_DESCRIBE_STREAM] = handle_describe_stream,
        [OP_LIST_NAMES] = handle_list_names,
        [OP_LIST_CONSUMERS] = handle_list_consumers,
        [OP_DESCRIBE_CONSUMER] = handle_describe_consumer,
        [OP_LIST_PARKED] = handle_list_parked,
        [OP_LIST_LEASES] = handle_list_leases,
        [OP_LIST_SCHEDULES] = handle_list_schedules,
        [OP_SUBSCRIBE] = handle_subscribe,
        [OP_CREDIT] = handle_credit,
        [OP_UNSUBSCRIBE] = handle_unsubscribe,
        [OP_JOIN] = handle_join,
        [OP_SETTLE] = handle_settle,
        [OP_LEAVE] = handle_leave,
    };

    return kind < OP_REPLY_FIRST ? handles[kind] : NULL;
}

static enum acta_code
handle_frame(struct memory_connection *connection, const struct frame *frame,
             struct acta_err *err)
{
    handle *known = find_handle(frame->kind);

    if (frame->kind == OP_HELLO && !connection->is_greeted) {
        return handle_hello(connection, frame->request_id, frame->body, err);
    }
    if (!connection->is_greeted || frame->kind == OP_HELLO ||
        frame->kind >= OP_REPLY_FIRST) {
        return acta_fail(err, ACTA_PROTOCOL, "kind 0x%02x comes at no time",
                         frame->kind);
    }
    if (known == NULL) {
        return acta_fail(err, ACTA_UNSUPPORTED, "kind 0x%02x is not known",
                         frame->kind);
    }
    return known(connection, frame->request_id, frame->body, err);
}

/* Handle all frames that are whole. */
static void
handle_frames(struct memory_connection *connection)
{
    struct frame frame;
    struct acta_err err;
    size_t used = 1;

    while (!connection->is_over && used > 0) {
        enum acta_code code = frame_decode(
            &frame, &used, buf_slice(&connection->in),
            connection->is_greeted ? ACTA_FRAME_SIZE_MAX : ACTA_HELLO_SIZE_MAX,
            &err);

        if (code != ACTA_OK) {
            memory_refuse(connection, 0, &err);
            connection->is_over = true;
            return;
        }
        if (used == 0) {
            return;
        }
        if (handle_frame(connection, &frame, &err) != ACTA_OK) {
            memory_refuse(connection, frame.request_id, &err);
            connection->is_over = !connection->is_greeted;
        }
        buf_consume(&connection->in, used);
        memory_react(connection->memory);
    }
}

/* ---- what follows ---- */

uint64_t
memory_machine_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
memory_wake(struct memory_connection *connection)
{
    uint64_t one = 1;

    /* If it is full the client has been woken, and has not come yet. */
    ssize_t written = write(connection->fd, &one, sizeof(one));

    (void)written;
}

void
memory_react(struct acta_memory *memory)
{
    memory_end_leases(memory);
    memory_run_schedules(memory);
    memory_turn_groups(memory);
    memory_look_at_waits(memory);
    for (struct memory_connection *connection = memory->connections;
         connection != NULL; connection = connection->next) {
        memory_feed_subs(connection);
        if (buf_size(&connection->out) > 0 || connection->is_over) {
            memory_wake(connection);
        }
    }
}

/* ---- as clients see it: near.h ---- */

static struct acta_memory *
enter(struct near *near)
{
    struct acta_memory *memory = (struct acta_memory *)near;

    pthread_mutex_lock(&memory->lock);
    return memory;
}

static void
leave(struct acta_memory *memory)
{
    pthread_mutex_unlock(&memory->lock);
}

static struct memory_connection **
find(struct acta_memory *memory, int fd)
{
    struct memory_connection **at = &memory->connections;

    while ((*at)->fd != fd) {
        at = &(*at)->next;
    }
    return at;
}

int
memory_connect(struct near *near)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct memory_connection *connection;
    struct acta_memory *memory;

    if (fd < 0) {
        return fd;
    }
    memory = enter(near);
    connection = memory_alloc(sizeof(*connection));
    connection->memory = memory;
    connection->fd = fd;
    buf_init(&connection->in, SIZE_MAX);
    buf_init(&connection->out, SIZE_MAX);
    connection->next = memory->connections;
    memory->connections = connection;
    leave(memory);
    return fd;
}

ssize_t
memory_send(struct near *near, int fd, const void *bytes, size_t size)
{
    struct acta_memory *memory = enter(near);
    struct memory_connection *connection = *find(memory, fd);

    buf_append(&connection->in, bytes, size);
    handle_frames(connection);
    leave(memory);
    return (ssize_t)size;
}

ssize_t
memory_receive(struct near *near, int fd, void *bytes, size_t size)
{
    struct acta_memory *memory = enter(near);
    struct memory_connection *connection = *find(memory, fd);
    struct slice out;
    uint64_t woken;

    memory_move(memory, memory_waited_to(memory));
    out = buf_slice(&connection->out);
    size = size < out.size ? size : out.size;
    if (size > 0) {
        memcpy(bytes, out.data, size);
        buf_consume(&connection->out, size);
    }
    if (size == out.size && !connection->is_over) {
        ssize_t got = read(fd, &woken, sizeof(woken));

        (void)got;
    }
    if (out.size == 0 && !connection->is_over) {
        leave(memory);
        errno = EAGAIN;
        return -1;
    }
    leave(memory);
    return (ssize_t)size;
}

void
memory_close(struct near *near, int fd)
{
    struct acta_memory *memory = enter(near);
    struct memory_connection **at = find(memory, fd);
    struct memory_connection *connection = *at;

    memory_drop_members(connection);
    memory_forget_waits(memory, connection);
    memory_free_subs(connection);
    *at = connection->next;
    buf_fini(&connection->in);
    buf_fini(&connection->out);
    close(fd);
    free(connection);
    memory_react(memory);
    leave(memory);
}

uint64_t
memory_now_ms(struct near *near)
{
    struct acta_memory *memory = enter(near);
    uint64_t now_ms = memory->now_us / 1000;

    leave(memory);
    return now_ms;
}

uint64_t
memory_due_ms(struct near *near, int fd)
{
    struct acta_memory *memory = enter(near);
    uint64_t due_ms = UINT64_MAX, machine_us = 0;

    for (const struct memory_wait *wait = memory->waits; wait != NULL;
         wait = wait->next) {
        uint64_t left_ms = 0;

        if (wait->connection->fd != fd) {
            continue;
        }
        machine_us = machine_us == 0 ? memory_machine_us() : machine_us;
        if (wait->tired_us > machine_us) {
            left_ms = (wait->tired_us - machine_us) / 1000 + 1;
        }
        if (memory->now_us / 1000 + left_ms < due_ms) {
            due_ms = memory->now_us / 1000 + left_ms;
        }
    }
    leave(memory);
    return due_ms;
}
