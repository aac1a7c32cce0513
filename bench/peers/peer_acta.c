/* Acta, through libacta: what it is measured by in acta-bench, too. */

#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <acta/acta_ev.h>

#include "../clock.h"

#define SETTLE_EVERY_S 0.1

struct conn {
    struct peer *peer;
    struct acta_ev glue;
    struct acta_append *append; /* owned */
    struct sink *sink;
    struct acta_query *query; /* owned */
    struct acta_sub *sub;
    uint64_t until; /* Position: the end of a read. */
    bool follows;

    /* While it settles. */
    struct ask *ask;
    ev_timer timer;
};

static void
fail(struct conn *conn, const struct acta_err *err)
{
    if (err->code != ACTA_CANCELLED) { /* Which is what closing does. */
        peer_fail(conn->peer, "%s", err->text);
    }
}

/* ---- append and load ---- */

struct waiting {
    struct conn *conn;
    struct ask *ask;
};

static struct waiting *
wait_for(struct conn *conn, struct ask *ask)
{
    struct waiting *waiting = malloc(sizeof(*waiting));

    if (waiting == NULL) {
        peer_fail(conn->peer, "out of memory");
        return NULL;
    }
    *waiting = (struct waiting){conn, ask};
    return waiting;
}

static void
answer(struct waiting *waiting, const struct acta_err *err, uint64_t answer)
{
    if (err != NULL) {
        fail(waiting->conn, err);
    } else {
        waiting->ask->answer = answer;
        waiting->ask->done(waiting->ask);
    }
    free(waiting);
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    answer(user, err, appended->version);
}

static void
acta_peer_append(struct peer *peer, size_t index,
                 const struct peer_append *append, struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;
    struct acta_draft draft =
        acta_draft_of(append->type, append->data, append->data_size);
    struct waiting *waiting = wait_for(conn, ask);
    struct acta_err err;

    acta_append_clear(conn->append);
    acta_append_stream(conn->append, append->stream, (int64_t)append->expected);
    for (size_t i = 0; i < append->events_count; i++) {
        acta_append_event(conn->append, &draft);
    }
    if (waiting != NULL && acta_append(conn->glue.client, conn->append, 0,
                                       on_appended, waiting, &err) == 0) {
        answer(waiting, &err, 0);
    }
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    answer(user, err, err == NULL ? page->events_count : 0);
}

static void
acta_peer_load(struct peer *peer, size_t index, const char *stream,
               struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;
    struct acta_read read = acta_read_of_stream(stream);
    struct waiting *waiting = wait_for(conn, ask);
    struct acta_err err;

    if (waiting != NULL &&
        acta_read(conn->glue.client, &read, 0, on_page, waiting, &err) == 0) {
        answer(waiting, &err, 0);
    }
}

/* ---- read and follow ---- */

static void
move(struct conn *conn, uint64_t position)
{
    if (!conn->follows && conn->sub != NULL && position >= conn->until) {
        acta_unsubscribe(conn->sub);
        conn->sub = NULL;
        conn->sink->arrived(conn->sink);
    }
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct conn *conn = user;

    for (size_t i = 0; i < batch->events_count; i++) {
        conn->sink->event(conn->sink, batch->events[i]->data,
                          batch->events[i]->data_size);
    }
    move(conn, batch->position);
}

static void
on_moved(void *user, uint64_t position, uint64_t head)
{
    (void)head;
    move(user, position);
}

static void
on_caught_up(void *user, uint64_t position)
{
    struct conn *conn = user;

    move(conn, position);
    if (conn->follows) {
        conn->sink->arrived(conn->sink);
    }
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct conn *conn = user;

    (void)position;
    conn->sub = NULL;
    fail(conn, err);
}

static void
subscribe(struct conn *conn, uint64_t after)
{
    struct acta_follow follow = acta_follow_of(conn->query, after);
    struct acta_err err;

    follow.user = conn;
    follow.on_events = on_events;
    follow.on_moved = on_moved;
    follow.on_caught_up = on_caught_up;
    follow.on_ended = on_ended;
    conn->sub = acta_subscribe(conn->glue.client, &follow, &err);
    if (conn->sub == NULL) {
        fail(conn, &err);
    }
}

static void
acta_peer_read(struct peer *peer, size_t index, const char *category,
               struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->follows = false;
    conn->until = acta_server(conn->glue.client)->head;
    acta_query_free(conn->query);
    conn->query = NULL;
    if (category != NULL) {
        conn->query = acta_query_new();
        acta_query_category(conn->query, category);
    }
    subscribe(conn, 0);
}

static void
acta_peer_follow(struct peer *peer, size_t index, struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->follows = true;
    subscribe(conn, acta_server(conn->glue.client)->head);
}

/* ---- settle ---- */

static void
on_status(void *user, const struct acta_err *err,
          const struct acta_status *status)
{
    struct conn *conn = user;
    uint64_t head = 0, stored = 0;

    if (err != NULL) {
        fail(conn, err);
        return;
    }
    for (size_t i = 0; i < status->entries_count; i++) {
        const struct acta_status_entry *entry = status->entries[i];

        if (strcmp(entry->name, "database.head") == 0) {
            head = entry->number;
        } else if (strcmp(entry->name, "database.stored") == 0) {
            stored = entry->number;
        }
    }
    if (stored < head) {
        ev_timer_set(&conn->timer, SETTLE_EVERY_S, 0.);
        ev_timer_start(conn->peer->loop, &conn->timer);
    } else {
        conn->ask->done(conn->ask);
    }
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct conn *conn = timer->data;
    struct acta_err err;

    (void)loop;
    (void)events;
    if (acta_status(conn->glue.client, 0, on_status, conn, &err) == 0) {
        fail(conn, &err);
    }
}

/* What is in the journal goes to the store in a minute at most. */
static void
acta_peer_settle(struct peer *peer, struct ask *ask)
{
    struct conn *conn = peer->conns;

    conn->ask = ask;
    on_timer(peer->loop, &conn->timer, 0);
}

/* ---- connections ---- */

static void
on_pong(void *user, const struct acta_err *err, uint64_t head)
{
    struct conn *conn = user;

    (void)head;
    if (err != NULL) {
        fail(conn, err);
    }
    conn->peer->ready++;
}

static enum acta_code
acta_peer_open(struct peer *peer, size_t count, struct acta_err *err)
{
    struct conn *conns = calloc(count, sizeof(*conns));
    struct acta_options options;
    enum acta_code code = ACTA_OK;
    char url[64];

    peer->conns = conns;
    if (conns == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu connections", count);
    }
    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", peer->host.port);
    options = acta_options_of(url);
    for (size_t i = 0; code == ACTA_OK && i < count; i++) {
        struct conn *conn = &conns[i];

        conn->peer = peer;
        conn->append = acta_append_new();
        ev_init(&conn->timer, on_timer);
        conn->timer.data = conn;
        peer->conns_count++;
        code = acta_ev_open(&conn->glue, peer->loop, &conn->glue.client,
                            &options, err);
        if (code == ACTA_OK &&
            acta_ping(conn->glue.client, 0, on_pong, conn, err) == 0) {
            code = err->code;
        }
    }
    while (code == ACTA_OK && peer->ready < count) {
        code = peer_turn(peer, err);
    }
    return code;
}

static void
acta_peer_close(struct peer *peer)
{
    struct conn *conns = peer->conns;

    for (size_t i = 0; i < peer->conns_count; i++) {
        ev_timer_stop(peer->loop, &conns[i].timer);
        acta_unsubscribe(conns[i].sub);
        acta_close(conns[i].glue.client);
        acta_append_free(conns[i].append);
        acta_query_free(conns[i].query);
    }
}

static void
acta_peer_add_traffic(struct peer *peer, struct traffic *traffic)
{
    const struct conn *conns = peer->conns;

    for (size_t i = 0; i < peer->conns_count; i++) {
        echo_add_traffic(traffic, conns[i].glue.io.fd);
    }
}

/* ---- the server ---- */

static enum acta_code
acta_peer_start(struct peer *peer, char version[PEER_TEXT_SIZE],
                struct acta_err *err)
{
    char program[HOST_PATH_SIZE], data[HOST_PATH_SIZE], address[32];
    char *run[] = {program, "--data-dir",  data,      "--listen",
                   address, "--log-level", "warning", NULL};

    snprintf(program, sizeof(program), "%s", peer->actad);
    snprintf(address, sizeof(address), "127.0.0.1:%u", peer->host.port);
    host_path(&peer->host, "data", data);
    peer_version(program, version);
    return host_start(&peer->host, run, err);
}

const struct peer_kind peer_acta = {
    .name = "acta",
    .title = "Acta",
    .durability = "as always",
    .reading = "subscriptions",
    .is_durable = true,
    .append_max = 10000,
    .log = "data/main/journal",
    .start = acta_peer_start,
    .open = acta_peer_open,
    .close = acta_peer_close,
    .append = acta_peer_append,
    .load = acta_peer_load,
    .read = acta_peer_read,
    .follow = acta_peer_follow,
    .add_traffic = acta_peer_add_traffic,
    .settle = acta_peer_settle,
};
