/* NATS JetStream: one stream of the server, in which each aggregate is a
 * subject, ev.CATEGORY.NAME.
 *
 * An append expects the last sequence number of its subject, which the answer
 * to the one before told. Each event is a message, and each message has its own
 * answer: there is no append of several at once.
 *
 * libnats in an external loop; answers and deliveries are taken from a
 * subscription that is polled behind each read of the socket, so that no thread
 * has to be woken. Readers and followers make a consumer that pushes, with flow
 * control, as the library's ordered consumers do.
 *
 * There are no loads: a subject's messages cannot be asked for at once, and to
 * ask for one after the other, or by a consumer for each load, takes the server
 * a walk over all that is stored.
 */

#include "jetstream.h"

#include <assert.h>
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY_MAX 256
#define SUBJECT_SIZE  128
#define INBOX_SIZE    48
#define NUMBER_SIZE   24
#define JSON_SIZE     512
#define IO_SIZE       65536
#define PING_NEVER_MS 3600000

#define EVENTS "ev." /* Subjects of events begin with this. */

/* Behind the name of the inbox; behind that of answers is the number of a
 * request, or this.
 */
#define ANSWERS    ".a"
#define DELIVERIES ".d"
#define CONSUMER   "c"

struct conn;

struct conn {
    struct peer *peer;
    natsConnection *nats;
    natsSubscription *answers;
    natsSubscription *deliveries;
    ev_io reading, writing;
    char inbox[INBOX_SIZE];
    struct ask *asks[UNDER_WAY_MAX]; /* NULL: this number is free. */
    size_t next;                     /* Where a free one may be. */
    struct sink *sink;
    bool follows;
};

static void
check(struct conn *conn, natsStatus status, const char *doing)
{
    if (status != NATS_OK) {
        peer_fail(conn->peer, "%s: %s", doing, natsStatus_GetText(status));
    }
}

/* The number behind @name in the text of @message, or 0. */
static uint64_t
number_in(const natsMsg *message, const char *name)
{
    const char *data = natsMsg_GetData(message);
    const char *found = data == NULL ? NULL : strstr(data, name);

    return found == NULL ? 0 : strtoull(found + strlen(name), NULL, 10);
}

/* ---- append ---- */

static size_t
keep_ask(struct conn *conn, struct ask *ask)
{
    size_t number;

    do {
        number = conn->next++ % UNDER_WAY_MAX;
    } while (conn->asks[number] != NULL);
    conn->asks[number] = ask;
    return number;
}

/* "c07-a" is "ev.c07.a". */
static void
event_subject(const char *stream, char subject[SUBJECT_SIZE])
{
    snprintf(subject, SUBJECT_SIZE, EVENTS "%s", stream);
    subject[sizeof(EVENTS) - 1 + strcspn(stream, "-")] = '.';
}

static void
nats_append(struct peer *peer, size_t index, const struct peer_append *append,
            struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;
    char subject[SUBJECT_SIZE], reply[SUBJECT_SIZE], expected[NUMBER_SIZE];
    natsMsg *message = NULL;
    natsStatus status;

    assert(append->events_count == 1);

    event_subject(append->stream, subject);
    snprintf(reply, sizeof(reply), "%s" ANSWERS ".%zu", conn->inbox,
             keep_ask(conn, ask));
    snprintf(expected, sizeof(expected), "%ju", (uintmax_t)append->expected);
    status = natsMsg_Create(&message, subject, reply, append->data,
                            (int)append->data_size);
    if (status == NATS_OK) {
        status = natsMsgHeader_Set(
            message, "Nats-Expected-Last-Subject-Sequence", expected);
    }
    if (status == NATS_OK) {
        status = natsMsgHeader_Set(message, "Type", append->type);
    }
    if (status == NATS_OK) {
        status = natsConnection_PublishMsg(conn->nats, message);
    }
    natsMsg_Destroy(message);
    check(conn, status, "publish");
}

/* {"stream": "events", "seq": 7}, or what is wrong. */
static void
take_answer(struct conn *conn, size_t number, const natsMsg *message)
{
    struct ask *ask = number < UNDER_WAY_MAX ? conn->asks[number] : NULL;
    uint64_t sequence = number_in(message, "\"seq\":");

    if (ask == NULL || sequence == 0) {
        peer_fail(conn->peer, "publish: %.80s", natsMsg_GetData(message));
        return;
    }
    conn->asks[number] = NULL;
    ask->answer = sequence;
    ask->done(ask);
}

/* ---- read and follow ---- */

static void
make_consumer(struct conn *conn, const char *category, const char *policy)
{
    char reply[SUBJECT_SIZE], filter[SUBJECT_SIZE], json[JSON_SIZE];

    snprintf(reply, sizeof(reply), "%s" ANSWERS "." CONSUMER, conn->inbox);
    snprintf(filter, sizeof(filter), EVENTS "%s%s",
             category == NULL ? "" : category, category == NULL ? ">" : ".*");
    snprintf(json, sizeof(json),
             "{\"stream_name\":\"events\",\"config\":{\"deliver_policy\":"
             "\"%s\",\"deliver_subject\":\"%s" DELIVERIES
             "\",\"filter_subject\":\"%s\",\"ack_policy\":\"none\","
             "\"replay_policy\":\"instant\",\"max_deliver\":1,"
             "\"mem_storage\":true,\"flow_control\":true,"
             "\"idle_heartbeat\":5000000000,"
             "\"inactive_threshold\":1000000000}}",
             policy, conn->inbox, filter);
    check(conn,
          natsConnection_PublishRequestString(
              conn->nats, "$JS.API.CONSUMER.CREATE.events", reply, json),
          "make a consumer");
}

static void
nats_read(struct peer *peer, size_t index, const char *category,
          struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->follows = false;
    make_consumer(conn, category, "all");
}

static void
nats_follow(struct peer *peer, size_t index, struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->follows = true;
    make_consumer(conn, NULL, "new");
}

static void
take_consumer(struct conn *conn, const natsMsg *message)
{
    if (strstr(natsMsg_GetData(message), "\"error\"") != NULL) {
        peer_fail(conn->peer, "consumer: %.80s", natsMsg_GetData(message));
    } else if (conn->follows) {
        conn->sink->arrived(conn->sink);
    }
}

/* The subject to acknowledge a delivery to ends with how many are to come. */
static bool
is_last(const natsMsg *message)
{
    const char *reply = natsMsg_GetReply(message);
    const char *pending = reply == NULL ? NULL : strrchr(reply, '.');

    return pending != NULL && strcmp(pending, ".0") == 0;
}

/* An event comes under the subject that it was stored under. Under that of the
 * deliveries comes a question whether the client has kept up, which is to be
 * answered; or a heartbeat.
 */
static void
take_delivery(struct conn *conn, const natsMsg *message)
{
    const char *subject = natsMsg_GetSubject(message);
    const char *reply = natsMsg_GetReply(message);

    if (strncmp(subject, EVENTS, sizeof(EVENTS) - 1) == 0) {
        conn->sink->event(conn->sink, natsMsg_GetData(message),
                          (size_t)natsMsg_GetDataLength(message));
        if (!conn->follows && is_last(message)) {
            conn->sink->arrived(conn->sink);
        }
    } else if (reply != NULL) {
        check(conn, natsConnection_Publish(conn->nats, reply, NULL, 0),
              "flow control");
    }
}

/* ---- the loop ---- */

static void
take_message(struct conn *conn, natsMsg *message)
{
    const char *end =
        natsMsg_GetSubject(message) + strlen(conn->inbox) + sizeof(ANSWERS);

    if (strcmp(end, CONSUMER) == 0) {
        take_consumer(conn, message);
    } else {
        take_answer(conn, strtoul(end, NULL, 10), message);
    }
}

static void
on_reading(struct ev_loop *loop, ev_io *io, int events)
{
    struct conn *conn = io->data;
    natsMsg *message;

    (void)loop;
    (void)events;
    natsConnection_ProcessReadEvent(conn->nats);
    while (natsSubscription_NextMsg(&message, conn->answers, 0) == NATS_OK) {
        take_message(conn, message);
        natsMsg_Destroy(message);
    }
    while (natsSubscription_NextMsg(&message, conn->deliveries, 0) == NATS_OK) {
        take_delivery(conn, message);
        natsMsg_Destroy(message);
    }
    if (natsConnection_IsClosed(conn->nats)) {
        peer_fail(conn->peer, "the connection is closed");
    }
}

static void
on_writing(struct ev_loop *loop, ev_io *io, int events)
{
    struct conn *conn = io->data;

    (void)loop;
    (void)events;
    natsConnection_ProcessWriteEvent(conn->nats);
}

static natsStatus
on_attach(void **user, void *loop, natsConnection *nats, natsSock fd)
{
    struct conn *conn = loop; /* What was given for one. */

    *user = conn;
    conn->nats = nats;
    ev_io_init(&conn->reading, on_reading, fd, EV_READ);
    ev_io_init(&conn->writing, on_writing, fd, EV_WRITE);
    conn->reading.data = conn;
    conn->writing.data = conn;
    ev_io_start(conn->peer->loop, &conn->reading);
    return NATS_OK;
}

static void
set_active(struct conn *conn, ev_io *io, bool active)
{
    if (active) {
        ev_io_start(conn->peer->loop, io);
    } else {
        ev_io_stop(conn->peer->loop, io);
    }
}

static natsStatus
on_read_wanted(void *user, bool wanted)
{
    struct conn *conn = user;

    set_active(conn, &conn->reading, wanted);
    return NATS_OK;
}

static natsStatus
on_write_wanted(void *user, bool wanted)
{
    struct conn *conn = user;

    set_active(conn, &conn->writing, wanted);
    return NATS_OK;
}

static natsStatus
on_detach(void *user)
{
    (void)user;
    return NATS_OK;
}

/* ---- connections ---- */

/* The server starts to deliver when somebody has subscribed to exactly that
 * subject: a wildcard does not count.
 */
static natsStatus
subscribe(struct conn *conn, const char *end, natsSubscription **subscription)
{
    char subject[SUBJECT_SIZE];
    natsStatus status;

    snprintf(subject, sizeof(subject), "%s%s", conn->inbox, end);
    status = natsConnection_SubscribeSync(subscription, conn->nats, subject);
    if (status == NATS_OK) {
        status = natsSubscription_SetPendingLimits(*subscription, -1, -1);
    }
    return status;
}

/* Without a thread that flushes: what was published goes out when the loop
 * turns.
 */
static natsStatus
open_conn(struct conn *conn)
{
    static unsigned opened;
    natsOptions *options = NULL;
    natsStatus status;
    char text[NATS_URL_SIZE];

    nats_url(conn->peer, text);
    snprintf(conn->inbox, sizeof(conn->inbox), "_INBOX.p%u", opened++);
    status = natsOptions_Create(&options);
    if (status == NATS_OK) {
        status = natsOptions_SetURL(options, text);
    }
    if (status == NATS_OK) {
        status =
            natsOptions_SetEventLoop(options, conn, on_attach, on_read_wanted,
                                     on_write_wanted, on_detach);
    }
    if (status == NATS_OK) {
        (void)natsOptions_SetAllowReconnect(options, false);
        (void)natsOptions_SetSendAsap(options, true);
        (void)natsOptions_SetPingInterval(options, PING_NEVER_MS);
        (void)natsOptions_SetIOBufSize(options, IO_SIZE);
        status = natsConnection_Connect(&conn->nats, options);
    }
    natsOptions_Destroy(options);
    if (status == NATS_OK) {
        status = subscribe(conn, ANSWERS ".*", &conn->answers);
    }
    if (status == NATS_OK) {
        status = subscribe(conn, DELIVERIES, &conn->deliveries);
    }
    return status;
}

static enum acta_code
nats_open(struct peer *peer, size_t count, struct acta_err *err)
{
    bool synced = peer->durable && peer->kind->is_durable;
    struct conn *conns = calloc(count, sizeof(*conns));
    enum acta_code code = host_sync_writes(&peer->host, "data", synced, err);

    peer->conns = conns;
    if (conns == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu connections", count);
    }
    for (size_t i = 0; code == ACTA_OK && i < count; i++) {
        natsStatus status;

        conns[i].peer = peer;
        peer->conns_count++;
        status = open_conn(&conns[i]);
        if (status != NATS_OK) {
            code = acta_fail(err, ACTA_UNREACHABLE, "%s",
                             natsStatus_GetText(status));
        }
    }
    return code;
}

/* The library waits, with each connection, for the loop to write what is left:
 * so it is written before.
 */
static void
nats_close(struct peer *peer)
{
    struct conn *conns = peer->conns;

    ev_run(peer->loop, EVRUN_NOWAIT);
    for (size_t i = 0; i < peer->conns_count; i++) {
        natsConnection_Destroy(conns[i].nats);
        natsSubscription_Destroy(conns[i].answers);
        natsSubscription_Destroy(conns[i].deliveries);
        ev_io_stop(peer->loop, &conns[i].reading);
        ev_io_stop(peer->loop, &conns[i].writing);
    }
}

/* ---- the kinds ---- */

#define NATS_FUNCTIONS                                                         \
    .append_max = 1, .start = nats_start, .open = nats_open,                   \
    .close = nats_close, .append = nats_append, .read = nats_read,             \
    .follow = nats_follow, .reading = "consumers that push"

const struct peer_kind peer_jetstream = {
    .name = "jetstream",
    .title = "JetStream, synced",
    .durability = "every write to its files is synced (attribute S)",
    .is_durable = true,
    NATS_FUNCTIONS,
};

/* As it comes: what it acknowledges is in the page cache, and may be lost with
 * the power.
 */
const struct peer_kind peer_jetstream_lax = {
    .name = "jetstream-lax",
    .title = "JetStream, as it comes",
    .durability = "acknowledged before it is synced",
    .only_appends = true,
    NATS_FUNCTIONS,
};
