/* PostgreSQL, as teams use it for events: one table, in which (stream, version)
 * is unique, and a position from a sequence.
 *
 * libpq in pipeline mode, each request a prepared statement with a
 * synchronization point of its own, so that each is its own transaction. Values
 * go and come in binary.
 *
 * Followers listen, and ask for what is behind their position when they are
 * notified. Positions are given before the commit: with several writers a
 * follower that asks like this can miss an event. Here there is one.
 */

#include "postgres.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY_MAX 256 /* Requests of a connection: a power of two. */
#define PAGE          "5000"
#define PAGE_ROWS     5000
#define TYPE_BYTEA    17

static const struct {
    const char *name;
    const char *text;
} statements[] = {
    {"append", "INSERT INTO event (category, stream, version, type, data)"
               " VALUES ($1, $2, $3, $4, $5) RETURNING position"},
    {"append_told",
     "WITH new AS (INSERT INTO event (category, stream, version, type, data)"
     " VALUES ($1, $2, $3, $4, $5) RETURNING position)"
     " SELECT position, pg_notify('event', '') FROM new"},
    {"append_many",
     "INSERT INTO event (category, stream, version, type, data)"
     " SELECT $1, $2, $3::int - 1 + place::int, $4, bytes"
     " FROM unnest($5::bytea[]) WITH ORDINALITY AS list (bytes, place)"},
    {"load", "SELECT version, type, data FROM event WHERE stream = $1"
             " ORDER BY version"},
    {"page", "SELECT position, data, stream, version, type FROM event"
             " WHERE position > $1 ORDER BY position LIMIT " PAGE},
    {"page_of", "SELECT position, data, stream, version, type FROM event"
                " WHERE position > $1 AND category = $2"
                " ORDER BY position LIMIT " PAGE},
    {"head", "SELECT coalesce(max(position), 0) FROM event"},
    {"listen", "LISTEN event"},
    {"vacuum", "VACUUM ANALYZE event"},
    {"checkpoint", "CHECKPOINT"},
};

struct conn;

/* What is done with an answer. */
typedef void on_result(struct conn *conn, const PGresult *result,
                       struct ask *ask);

struct under_way {
    on_result *done;
    struct ask *ask;
    uint64_t answer;
};

struct conn {
    struct peer *peer;
    PGconn *pg;
    ev_io io;
    struct under_way under_way[UNDER_WAY_MAX];
    uint64_t sent, answered;
    PGresult *result; /* owned: of the request that is being answered */
    uint8_t *array;   /* owned */
    size_t array_size;

    /* Of a reader or follower. */
    struct sink *sink;
    const char *category;
    uint64_t position;
    bool follows;
    bool asks;  /* For a page. */
    bool again; /* It was notified meanwhile. */
};

static void ask_for_page(struct conn *conn);

/* ---- requests and answers ---- */

static void
watch(struct conn *conn)
{
    int events = EV_READ | (PQflush(conn->pg) > 0 ? EV_WRITE : 0);

    if (conn->io.events != events) {
        ev_io_stop(conn->peer->loop, &conn->io);
        ev_io_set(&conn->io, PQsocket(conn->pg), events);
        ev_io_start(conn->peer->loop, &conn->io);
    }
}

/* Values of a statement: text, or numbers and bytes in binary. */
struct values {
    const char *list[5];
    int sizes[5];
    int formats[5];
    int count;
};

static void
add_text(struct values *values, const char *text)
{
    values->list[values->count++] = text;
}

static void
add_bytes(struct values *values, const void *bytes, size_t size)
{
    values->list[values->count] = bytes;
    values->sizes[values->count] = (int)size;
    values->formats[values->count++] = 1;
}

static struct under_way *
send_request(struct conn *conn, const char *statement,
             const struct values *values, on_result *done, struct ask *ask)
{
    struct under_way *under_way =
        &conn->under_way[conn->sent++ % UNDER_WAY_MAX];

    assert(conn->sent - conn->answered <= UNDER_WAY_MAX);

    *under_way = (struct under_way){.done = done, .ask = ask};
    if (PQsendQueryPrepared(conn->pg, statement, values->count, values->list,
                            values->sizes, values->formats, 1) != 1 ||
        PQpipelineSync(conn->pg) != 1) {
        peer_fail(conn->peer, "%s", PQerrorMessage(conn->pg));
    }
    watch(conn);
    return under_way;
}

/* The next answer is whole. */
static void
finish_request(struct conn *conn)
{
    struct under_way under_way =
        conn->under_way[conn->answered++ % UNDER_WAY_MAX];
    PGresult *result = conn->result;

    conn->result = NULL;
    if (under_way.ask != NULL) {
        under_way.ask->answer = under_way.answer;
    }
    under_way.done(conn, result, under_way.ask);
    PQclear(result);
}

static void
take_result(struct conn *conn, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        finish_request(conn);
    } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        PQclear(conn->result);
        conn->result = result;
    } else {
        peer_fail(conn->peer, "%s", PQresultErrorMessage(result));
        PQclear(result);
    }
}

static void
take_notices(struct conn *conn)
{
    PGnotify *notice;

    while ((notice = PQnotifies(conn->pg)) != NULL) {
        PQfreemem(notice);
        conn->again = true;
    }
    if (conn->again && conn->follows && !conn->asks) {
        ask_for_page(conn);
    }
}

static void
on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct conn *conn = io->data;
    PGresult *result;

    (void)loop;
    if ((events & EV_READ) != 0 && PQconsumeInput(conn->pg) != 1) {
        peer_fail(conn->peer, "%s", PQerrorMessage(conn->pg));
        ev_io_stop(conn->peer->loop, &conn->io);
        return;
    }
    while (conn->answered < conn->sent && !PQisBusy(conn->pg)) {
        result = PQgetResult(conn->pg);
        if (result != NULL) {
            take_result(conn, result);
        }
    }
    take_notices(conn);
    watch(conn);
}

static void
on_asked(struct conn *conn, const PGresult *result, struct ask *ask)
{
    (void)conn;
    (void)result;
    ask->done(ask);
}

/* ---- append and load ---- */

/* An array of bytea: the same bytes @count times. */
static size_t
make_array(struct conn *conn, const void *data, size_t size, size_t count)
{
    const uint32_t head[5] = {htobe32(1), 0, htobe32(TYPE_BYTEA),
                              htobe32((uint32_t)count), htobe32(1)};
    uint32_t size_be = htobe32((uint32_t)size);
    size_t wanted = sizeof(head) + count * (sizeof(size_be) + size);
    uint8_t *to;

    if (wanted > conn->array_size) {
        free(conn->array);
        conn->array = malloc(wanted);
        conn->array_size = conn->array == NULL ? 0 : wanted;
    }
    if (conn->array == NULL) {
        peer_fail(conn->peer, "out of memory");
        return 0;
    }
    memcpy(conn->array, head, sizeof(head));
    to = conn->array + sizeof(head);
    for (size_t i = 0; i < count; i++) {
        memcpy(to, &size_be, sizeof(size_be));
        memcpy(to + sizeof(size_be), data, size);
        to += sizeof(size_be) + size;
    }
    return wanted;
}

static void
postgres_append(struct peer *peer, size_t index,
                const struct peer_append *append, struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;
    uint32_t version_be = htobe32((uint32_t)append->expected + 1);
    size_t category_size = strcspn(append->stream, "-");
    const char *statement = append->told ? "append_told" : "append";
    struct values values = {0};

    add_bytes(&values, append->stream, category_size);
    add_text(&values, append->stream);
    add_bytes(&values, &version_be, sizeof(version_be));
    add_text(&values, append->type);
    if (append->events_count == 1) {
        add_bytes(&values, append->data, append->data_size);
    } else {
        size_t size = make_array(conn, append->data, append->data_size,
                                 append->events_count);

        add_bytes(&values, conn->array, size);
        statement = "append_many";
    }
    send_request(conn, statement, &values, on_asked, ask)->answer =
        append->expected + append->events_count;
}

static void
on_loaded(struct conn *conn, const PGresult *result, struct ask *ask)
{
    (void)conn;
    ask->answer = (uint64_t)PQntuples(result);
    ask->done(ask);
}

static void
postgres_load(struct peer *peer, size_t index, const char *stream,
              struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;
    struct values values = {0};

    add_text(&values, stream);
    send_request(conn, "load", &values, on_loaded, ask);
}

/* ---- read and follow ---- */

static uint64_t
number_of(const PGresult *result, int row)
{
    uint64_t number_be;

    memcpy(&number_be, PQgetvalue(result, row, 0), sizeof(number_be));
    return be64toh(number_be);
}

static void
on_page(struct conn *conn, const PGresult *result, struct ask *ask)
{
    int rows = PQntuples(result);

    (void)ask;
    conn->asks = false;
    if (rows > 0) {
        conn->position = number_of(result, rows - 1);
    }
    for (int i = 0; i < rows; i++) {
        conn->sink->event(conn->sink, PQgetvalue(result, i, 1),
                          (size_t)PQgetlength(result, i, 1));
    }
    if (rows == PAGE_ROWS) {
        ask_for_page(conn);
    } else if (!conn->follows) {
        conn->sink->arrived(conn->sink);
    }
}

static void
ask_for_page(struct conn *conn)
{
    uint64_t position_be = htobe64(conn->position);
    struct values values = {0};

    conn->asks = true;
    conn->again = false;
    add_bytes(&values, &position_be, sizeof(position_be));
    if (conn->category != NULL) {
        add_text(&values, conn->category);
    }
    send_request(conn, conn->category == NULL ? "page" : "page_of", &values,
                 on_page, NULL);
}

static void
postgres_read(struct peer *peer, size_t index, const char *category,
              struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->category = category;
    conn->position = 0;
    ask_for_page(conn);
}

static void
on_head(struct conn *conn, const PGresult *result, struct ask *ask)
{
    (void)ask;
    conn->position = number_of(result, 0);
    conn->follows = true;
    conn->sink->arrived(conn->sink);
}

static void
on_done(struct conn *conn, const PGresult *result, struct ask *ask)
{
    (void)conn;
    (void)result;
    (void)ask;
}

static void
postgres_follow(struct peer *peer, size_t index, struct sink *sink)
{
    static const struct values none;
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->category = NULL;
    send_request(conn, "listen", &none, on_done, NULL);
    send_request(conn, "head", &none, on_head, NULL);
}

static void
postgres_settle(struct peer *peer, struct ask *ask)
{
    static const struct values none;
    struct conn *conn = peer->conns;

    send_request(conn, "vacuum", &none, on_done, NULL);
    send_request(conn, "checkpoint", &none, on_asked, ask);
}

/* ---- connections ---- */

/* Have the statements that are run, before the first is timed. */
static bool
prepare(PGconn *pg)
{
    bool ok = PQstatus(pg) == CONNECTION_OK;

    for (size_t i = 0; ok && i < sizeof(statements) / sizeof(*statements);
         i++) {
        PGresult *result =
            PQprepare(pg, statements[i].name, statements[i].text, 0, NULL);

        ok = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    return ok;
}

static enum acta_code
postgres_open(struct peer *peer, size_t count, struct acta_err *err)
{
    struct conn *conns = calloc(count, sizeof(*conns));

    peer->conns = conns;
    if (conns == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu connections", count);
    }
    for (size_t i = 0; i < count; i++) {
        struct conn *conn = &conns[i];

        conn->peer = peer;
        conn->pg = postgres_connect(peer);
        peer->conns_count++;
        if (!prepare(conn->pg) || PQsetnonblocking(conn->pg, 1) != 0 ||
            PQenterPipelineMode(conn->pg) != 1) {
            return acta_fail(err, ACTA_IO, "%s", PQerrorMessage(conn->pg));
        }
        ev_io_init(&conn->io, on_io, PQsocket(conn->pg), EV_READ);
        conn->io.data = conn;
        ev_io_start(peer->loop, &conn->io);
    }
    return ACTA_OK;
}

static void
postgres_close(struct peer *peer)
{
    struct conn *conns = peer->conns;

    for (size_t i = 0; i < peer->conns_count; i++) {
        if (conns[i].io.data != NULL) {
            ev_io_stop(peer->loop, &conns[i].io);
        }
        PQclear(conns[i].result);
        PQfinish(conns[i].pg);
        free(conns[i].array);
    }
}

/* ---- the kind ---- */

const struct peer_kind peer_postgres = {
    .name = "postgres",
    .title = "PostgreSQL",
    .durability = "synchronous_commit = on, fsync = on",
    .reading = "pages by position; LISTEN and NOTIFY",
    .is_durable = true,
    .append_max = 10000,
    .log = "data/pg_wal",
    .user = "postgres",
    .start = postgres_start,
    .open = postgres_open,
    .close = postgres_close,
    .append = postgres_append,
    .load = postgres_load,
    .read = postgres_read,
    .follow = postgres_follow,
    .settle = postgres_settle,
};
