#include "peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../watch.h"

#define TICK_S      0.1
#define PATIENCE_NS (600 * NS_PER_S)

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)timer;
    (void)revents;
}

enum acta_code
peer_start(struct peer *peer, const char *parent, uint64_t streams,
           struct acta_err *err)
{
    enum acta_code code;

    code =
        host_init(&peer->host, parent, peer->kind->name, peer->kind->user, err);
    if (code != ACTA_OK) {
        return code;
    }
    peer->expected = calloc(streams, sizeof(*peer->expected));
    peer->loop = ev_loop_new(EVFLAG_AUTO);
    if (peer->expected == NULL || peer->loop == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%s", peer->kind->name);
    }
    ev_timer_init(&peer->tick, on_tick, TICK_S, TICK_S);
    ev_timer_start(peer->loop, &peer->tick);
    code = peer->kind->start(peer, peer->version, err);
    watch_begin(); /* What has ended so far were helpers. */
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "start %s", peer->kind->title);
    }
    peer->empty = peer_disk(peer);
    return ACTA_OK;
}

void
peer_stop(struct peer *peer)
{
    host_remove(&peer->host);
    if (peer->loop != NULL) {
        ev_timer_stop(peer->loop, &peer->tick);
        ev_loop_destroy(peer->loop);
    }
    free(peer->expected);
    peer->loop = NULL;
    peer->expected = NULL;
}

struct peer_disk
peer_disk(const struct peer *peer)
{
    struct peer_disk disk = {.all = host_disk_bytes(&peer->host, "data")};

    disk.kept = disk.all;
    if (peer->kind->log != NULL) {
        disk.kept -= host_disk_bytes(&peer->host, peer->kind->log);
    }
    return disk;
}

enum acta_code
peer_open(struct peer *peer, size_t count, bool durable, struct acta_err *err)
{
    enum acta_code code;

    peer->err.code = ACTA_OK;
    peer->until_ns = clock_ns() + PATIENCE_NS;
    peer->durable = durable;
    peer->conns_count = 0;
    peer->ready = 0;
    code = peer->kind->open(peer, count, err);
    return code == ACTA_OK
               ? code
               : acta_wrap(err, code, "connect to %s", peer->kind->title);
}

void
peer_close(struct peer *peer)
{
    peer->kind->close(peer);
    free(peer->conns);
    peer->conns = NULL;
    peer->conns_count = 0;
}

enum acta_code
peer_turn(struct peer *peer, struct acta_err *err)
{
    ev_run(peer->loop, peer->stays_awake ? EVRUN_NOWAIT : EVRUN_ONCE);
    if (peer->err.code != ACTA_OK) {
        *err = peer->err;
        return err->code;
    }
    if (clock_ns() > peer->until_ns) {
        return acta_fail(err, ACTA_TIMEOUT, "%s does not come to an end",
                         peer->kind->title);
    }
    if (watch_check(err) == ACTA_UNREACHABLE && host_runs(&peer->host)) {
        watch_begin(); /* It was another one's. */
    }
    return watch_check(err);
}

void
peer_fail(struct peer *peer, const char *fmt, ...)
{
    char text[120];
    va_list args;

    if (peer->err.code != ACTA_OK) {
        return;
    }
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    text[strcspn(text, "\n")] = '\0';
    acta_fail(&peer->err, ACTA_IO, "%s: %s", peer->kind->title, text);
}

void
peer_version(const char *program, char text[PEER_TEXT_SIZE])
{
    char command[HOST_PATH_SIZE];
    FILE *pipe;

    snprintf(command, sizeof(command), "'%s' --version 2>/dev/null", program);
    snprintf(text, PEER_TEXT_SIZE, "unknown");
    pipe = popen(command, "re");
    if (pipe == NULL) {
        return;
    }
    if (fgets(text, PEER_TEXT_SIZE, pipe) != NULL) {
        text[strcspn(text, "\n")] = '\0';
    }
    pclose(pipe);
}
