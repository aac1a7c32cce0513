/* Redis streams: one for each aggregate, whose ids are the versions, and one
 * with everything in it, for who follows.
 *
 * A script checks the expected version and adds to both. It is the way that
 * takes one round trip: XADD with the version as the id refuses a version that
 * is there, but in a MULTI what follows it would be done nevertheless, and
 * WATCH needs two.
 *
 * Redis has no reading by category: the client leaves out what is of others.
 * Followers ask with XREAD BLOCK.
 */

#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <hiredis/adapters/libev.h>
#include <hiredis/async.h>

#define ALL          "all"
#define PAGE         "1000"
#define PAGE_ENTRIES 1000
#define ID_SIZE      48
#define EVENTS_MAX   100
#define SHA_SIZE     41

static const char script[] =
    "local version = redis.call('XLEN', KEYS[1])\n"
    "if version ~= tonumber(ARGV[1]) then\n"
    "  return redis.error_reply('CONFLICT at version ' .. version)\n"
    "end\n"
    "for i = 3, #ARGV do\n"
    "  version = version + 1\n"
    "  redis.call('XADD', KEYS[1], '0-' .. version, 't', ARGV[2],"
    " 'd', ARGV[i])\n"
    "  redis.call('XADD', KEYS[2], '*', 's', KEYS[1], 'v', version,"
    " 't', ARGV[2], 'd', ARGV[i])\n"
    "end\n"
    "return version\n";

struct conn {
    struct peer *peer;
    redisAsyncContext *redis; /* NULL: the library has freed it. */
    struct sink *sink;
    const char *category;
    bool closing;
    bool follows;
    char id[ID_SIZE]; /* Of the last entry. */
};

static char sha[SHA_SIZE]; /* Of the script: the same for all servers. */

/* True if @reply is none, since the connection is lost and is being freed, or
 * one that says what is wrong.
 */
static bool
is_bad(struct conn *conn, const redisReply *reply)
{
    if (reply == NULL) {
        if (!conn->closing && conn->redis != NULL) {
            peer_fail(conn->peer, "%s", conn->redis->errstr);
            conn->redis = NULL;
        }
        return true;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        peer_fail(conn->peer, "%s", reply->str);
        return true;
    }
    return false;
}

/* ---- append and load ---- */

static void
on_appended(redisAsyncContext *redis, void *answer, void *user)
{
    const redisReply *reply = answer;
    struct ask *ask = user;

    if (!is_bad(redis->data, reply)) {
        ask->answer = (uint64_t)reply->integer;
        ask->done(ask);
    }
}

static void
redis_append(struct peer *peer, size_t index, const struct peer_append *append,
             struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;
    const char *words[7 + EVENTS_MAX] = {"EVALSHA", sha, "2", append->stream,
                                         ALL};
    size_t sizes[7 + EVENTS_MAX] = {7, SHA_SIZE - 1, 1, strlen(append->stream),
                                    sizeof(ALL) - 1};
    int count = 7;
    char expected[24];

    sizes[5] = (size_t)snprintf(expected, sizeof(expected), "%ju",
                                (uintmax_t)append->expected);
    words[5] = expected;
    words[6] = append->type;
    sizes[6] = strlen(append->type);
    for (size_t i = 0; i < append->events_count; i++) {
        words[count] = append->data;
        sizes[count++] = append->data_size;
    }
    if (conn->redis != NULL) {
        redisAsyncCommandArgv(conn->redis, on_appended, ask, count, words,
                              sizes);
    }
}

static void
on_loaded(redisAsyncContext *redis, void *answer, void *user)
{
    const redisReply *reply = answer;
    struct ask *ask = user;

    if (!is_bad(redis->data, reply)) {
        ask->answer = reply->elements;
        ask->done(ask);
    }
}

static void
redis_load(struct peer *peer, size_t index, const char *stream, struct ask *ask)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    if (conn->redis != NULL) {
        redisAsyncCommand(conn->redis, on_loaded, ask, "XRANGE %s - +", stream);
    }
}

/* ---- read and follow ---- */

static bool
is_wanted(const struct conn *conn, const redisReply *fields)
{
    size_t size;

    if (conn->category == NULL) {
        return true;
    }
    size = strlen(conn->category);
    return strncmp(fields->element[1]->str, conn->category, size) == 0 &&
           fields->element[1]->str[size] == '-';
}

/* Entries are [id, ["s", stream, "v", version, "t", type, "d", data]]. */
static void
take_entries(struct conn *conn, const redisReply *entries)
{
    for (size_t i = 0; i < entries->elements; i++) {
        const redisReply *fields = entries->element[i]->element[1];
        const redisReply *data = fields->element[7];

        if (is_wanted(conn, fields)) {
            conn->sink->event(conn->sink, data->str, (size_t)data->len);
        }
    }
    if (entries->elements > 0) {
        const redisReply *last = entries->element[entries->elements - 1];

        snprintf(conn->id, sizeof(conn->id), "%s", last->element[0]->str);
    }
}

static void
on_page(redisAsyncContext *redis, void *answer, void *user)
{
    const redisReply *reply = answer;
    struct conn *conn = user;

    if (is_bad(conn, reply)) {
        return;
    }
    take_entries(conn, reply);
    if (reply->elements == PAGE_ENTRIES) {
        redisAsyncCommand(redis, on_page, conn,
                          "XRANGE " ALL " (%s + COUNT " PAGE, conn->id);
    } else {
        conn->sink->arrived(conn->sink);
    }
}

static void
redis_read(struct peer *peer, size_t index, const char *category,
           struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->category = category;
    redisAsyncCommand(conn->redis, on_page, conn,
                      "XRANGE " ALL " - + COUNT " PAGE);
}

static void
on_news(redisAsyncContext *redis, void *answer, void *user)
{
    const redisReply *reply = answer;
    struct conn *conn = user;

    if (is_bad(conn, reply)) {
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY) { /* [["all", entries]] */
        take_entries(conn, reply->element[0]->element[1]);
    }
    redisAsyncCommand(redis, on_news, conn,
                      "XREAD COUNT " PAGE " BLOCK 0 STREAMS " ALL " %s",
                      conn->id);
}

static void
on_last(redisAsyncContext *redis, void *answer, void *user)
{
    const redisReply *reply = answer;
    struct conn *conn = user;

    if (is_bad(conn, reply)) {
        return;
    }
    snprintf(conn->id, sizeof(conn->id), "%s",
             reply->elements == 0 ? "0" : reply->element[0]->element[0]->str);
    redisAsyncCommand(redis, on_news, conn,
                      "XREAD COUNT " PAGE " BLOCK 0 STREAMS " ALL " %s",
                      conn->id);
    conn->sink->arrived(conn->sink);
}

static void
redis_follow(struct peer *peer, size_t index, struct sink *sink)
{
    struct conn *conn = (struct conn *)peer->conns + index;

    conn->sink = sink;
    conn->category = NULL;
    redisAsyncCommand(conn->redis, on_last, conn,
                      "XREVRANGE " ALL " + - COUNT 1");
}

/* ---- connections ---- */

/* Comes, if nothing was under way, without a callback of a command. */
static void
on_disconnected(const redisAsyncContext *redis, int status)
{
    struct conn *conn = redis->data;

    (void)status;
    (void)is_bad(conn, NULL);
}

static void
on_ready(redisAsyncContext *redis, void *answer, void *user)
{
    struct conn *conn = user;

    (void)redis;
    if (!is_bad(conn, answer)) {
        conn->peer->ready++;
    }
}

static enum acta_code
redis_open(struct peer *peer, size_t count, struct acta_err *err)
{
    const char *sync = peer->durable ? "always" : "everysec";
    struct conn *conns = calloc(count, sizeof(*conns));
    enum acta_code code = ACTA_OK;

    peer->conns = conns;
    if (conns == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu connections", count);
    }
    for (size_t i = 0; i < count; i++) {
        struct conn *conn = &conns[i];

        conn->peer = peer;
        conn->redis = redisAsyncConnect("127.0.0.1", peer->host.port);
        if (conn->redis == NULL || conn->redis->err != 0) {
            return acta_fail(err, ACTA_IO, "no connection");
        }
        peer->conns_count++;
        conn->redis->data = conn;
        redisLibevAttach(peer->loop, conn->redis);
        redisAsyncSetDisconnectCallback(conn->redis, on_disconnected);
        redisAsyncCommand(conn->redis, on_ready, conn,
                          "CONFIG SET appendfsync %s", sync);
    }
    while (code == ACTA_OK && peer->ready < count) {
        code = peer_turn(peer, err);
    }
    return code;
}

static void
redis_close(struct peer *peer)
{
    struct conn *conns = peer->conns;

    for (size_t i = 0; i < peer->conns_count; i++) {
        conns[i].closing = true;
        if (conns[i].redis != NULL) {
            redisAsyncFree(conns[i].redis);
        }
    }
}

/* ---- the server ---- */

/* Have the script that is run, and remember its name. */
static enum acta_code
load_script(const struct peer *peer, struct acta_err *err)
{
    redisContext *redis = redisConnect("127.0.0.1", peer->host.port);
    redisReply *reply = NULL;
    enum acta_code code = ACTA_OK;

    if (redis != NULL && redis->err == 0) {
        reply = redisCommand(redis, "SCRIPT LOAD %s", script);
    }
    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        code = acta_fail(err, ACTA_IO, "the script is refused");
    } else {
        snprintf(sha, sizeof(sha), "%s", reply->str);
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    if (redis != NULL) {
        redisFree(redis);
    }
    return code;
}

static enum acta_code
redis_start(struct peer *peer, char version[PEER_TEXT_SIZE],
            struct acta_err *err)
{
    char settings[HOST_PATH_SIZE], data[HOST_PATH_SIZE], given[HOST_PATH_SIZE];
    char port[8];
    char *run[] = {"redis-server", settings, "--port", port,
                   "--dir",        data,     NULL};
    enum acta_code code;

    peer_version("redis-server", version);
    if (strstr(version, "unknown") != NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "it is not installed");
    }
    snprintf(given, sizeof(given), "%s/redis.conf", peer->settings);
    snprintf(port, sizeof(port), "%u", peer->host.port);
    host_path(&peer->host, "redis.conf", settings);
    host_path(&peer->host, "data", data);
    code = host_copy(&peer->host, given, "redis.conf", err);
    if (code == ACTA_OK && mkdir(data, 0700) != 0) {
        code = acta_fail(err, ACTA_IO, "make %s", data);
    }
    if (code == ACTA_OK) {
        code = host_start(&peer->host, run, err);
    }
    return code == ACTA_OK ? load_script(peer, err) : code;
}

const struct peer_kind peer_redis = {
    .name = "redis",
    .title = "Redis",
    .durability = "appendonly yes, appendfsync always",
    .reading = "pages by XRANGE; XREAD BLOCK",
    .is_durable = true,
    .append_max = EVENTS_MAX,
    .start = redis_start,
    .open = redis_open,
    .close = redis_close,
    .append = redis_append,
    .load = redis_load,
    .read = redis_read,
    .follow = redis_follow,
};
