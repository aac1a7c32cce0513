#include "twins.h"

#include <acta/acta_memory.h>
#include <string.h>

#include "fake_clock.h"
#include "frame.h"
#include "fuzz.h"
#include "history_db.h"
#include "limit.h"
#include "msg.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "near.h"
#include "session.h"
#include "twins_level.h"

#define OUT_MAX      ((size_t)64 << 20)
#define PUMPS_MAX    100000
#define RESTARTS_MAX 3
#define LISTINGS_MAX 1000
#define SERVER       0
#define MEMORY       1

/* Behind all that can pass: nothing is due before. */
#define NEVER_US (2 * TWINS_PASS_US_MAX)

static struct history_db db;
static struct outbox outbox;
static struct counters counters;
static struct session_host host;
static struct session session;
static struct acta_memory *memory;
static struct near *near;
static int connection;
static uint64_t links_made, last_id, now_us, passed_us;
static unsigned restarts;

/* What each has said and was not compared yet, and what they were asked. */
static struct buf said[2];
static struct frame asked;

static const struct server_info info = {
    .version = "9.9.9", .counters = &counters, .threads_count = 1};

/* ---- the server ---- */

static void
give_back(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;

        if (job->connection_id == session.id) {
            session_complete(&session, job);
        } else {
            job_free(job); /* The connection is gone. */
        }
        job = next;
    }
}

/* Until nothing is on its way any more. */
static void
settle(void)
{
    bool awaited = true;

    while (awaited) {
        unsigned pumps = 0;

        outbox_flush(&outbox, db.database);
        awaited =
            outbox.first != NULL || session.jobs_count > session.waits_count;
        give_back(awaited ? history_db_wait(&db) : history_db_take(&db));
        session_wake(&session, database_head(db.database));
        while (session_pump(&session) > 0) {
            FUZZ_PROMISE(++pumps < PUMPS_MAX);
        }
    }
}

static void
ask_server(struct slice bytes)
{
    size_t used = 0;

    reader_set_time(db.reader, now_us);
    do {
        used += session_feed(&session,
                             slice_make(bytes.data + used, bytes.size - used));
        settle();
    } while (session.left_frame);
}

/* ---- the store in memory ---- */

static void
ask_memory(struct slice bytes)
{
    uint8_t part[4096];
    ssize_t got;

    FUZZ_PROMISE(near->send(near, connection, bytes.data, bytes.size) ==
                 (ssize_t)bytes.size);
    while ((got = near->receive(near, connection, part, sizeof(part))) > 0) {
        buf_append(&said[MEMORY], part, (size_t)got);
    }
}

/* ---- comparing ---- */

/* Take the next frame that was said, levelled. False: there is none. */
static bool
take(unsigned who, struct buf *levelled, struct twins_end *end)
{
    struct acta_err err;
    struct frame frame;
    size_t used;

    buf_clear(levelled);
    if (buf_size(&said[who]) == 0) {
        return false;
    }
    FUZZ_PROMISE(frame_decode(&frame, &used, buf_slice(&said[who]),
                              ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK);
    FUZZ_PROMISE(used > 0);
    twins_level(levelled, &frame, asked.kind, end);
    buf_consume(&said[who], used);
    return true;
}

static void
ask(unsigned who, const struct buf *request)
{
    (who == SERVER ? ask_server : ask_memory)(buf_slice(request));
}

/* The question that was asked, from elsewhere on. */
static void
put_question(struct buf *to, uint64_t from)
{
    struct msg_read_stream stream = {.from = from, .bounds.events_max = 1};
    struct msg_read_all all;
    struct msg_load load;
    struct acta_err err;

    buf_clear(to);
    if (asked.kind == OP_READ_ALL) {
        FUZZ_PROMISE(msg_read_all_decode(&all, asked.body, &err) == ACTA_OK);
        all.from = from;
        all.bounds.events_max = 1;
        msg_read_all_encode(to, ++last_id, &all);
        query_fini(&all.query);
        return;
    }
    if (asked.kind == OP_LOAD) {
        FUZZ_PROMISE(msg_load_decode(&load, asked.body, &err) == ACTA_OK);
        stream.stream = load.stream;
    } else {
        FUZZ_PROMISE(msg_read_stream_decode(&stream, asked.body, &err) ==
                     ACTA_OK);
        stream.from = from;
        stream.bounds.events_max = 1;
    }
    msg_read_stream_encode(to, ++last_id, &stream);
}

/* The next event behind a page's end, or where everything ends. A page may end
 * before that although nothing is wanted behind it.
 */
static uint64_t
read_on(unsigned who, struct twins_end end)
{
    struct msg_page page = {.events_count = 0};
    struct acta_err err;
    struct buf request;
    struct frame frame;
    struct event event = {.position = 0};
    size_t used;

    buf_init(&request, OUT_MAX);
    while (!end.at_end && page.events_count == 0) {
        put_question(&request, end.next);
        buf_clear(&said[who]);
        ask(who, &request);
        FUZZ_PROMISE(frame_decode(&frame, &used, buf_slice(&said[who]),
                                  ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK);
        FUZZ_PROMISE(used > 0);
        FUZZ_PROMISE(msg_page_decode(&page, frame.body, &err) == ACTA_OK);
        FUZZ_PROMISE(page.at_end || page.next != end.next);
        end = (struct twins_end){page.next, page.at_end};
    }
    if (page.events_count > 0) {
        FUZZ_PROMISE(msg_next_event(&page.events, &event, &err) == ACTA_OK);
    }
    buf_clear(&said[who]);
    buf_fini(&request);
    return page.events_count > 0 ? event.position : end.next;
}

static void
compare_ends(const struct twins_end ends[static 2])
{
    if (asked.kind == OP_READ_EVENT) { /* Where it ends means nothing. */
        FUZZ_PROMISE(ends[SERVER].at_end == ends[MEMORY].at_end);
    } else if (ends[SERVER].at_end != ends[MEMORY].at_end ||
               ends[SERVER].next != ends[MEMORY].next) {
        FUZZ_PROMISE(read_on(SERVER, ends[SERVER]) ==
                     read_on(MEMORY, ends[MEMORY]));
    }
}

static void
print_hex(const char *who, struct slice bytes)
{
    fprintf(stderr, "%s", who);
    for (size_t i = 0; i < bytes.size; i++) {
        fprintf(stderr, " %02x", bytes.data[i]);
    }
    fprintf(stderr, "\n");
}

/* How many consumers were listed; 0 if something else was said, or if that are
 * all.
 */
static size_t
count_listed(unsigned who)
{
    struct msg_consumers page;
    struct frame frame;
    size_t used;

    FUZZ_PROMISE(frame_decode(&frame, &used, buf_slice(&said[who]),
                              ACTA_FRAME_SIZE_MAX, NULL) == ACTA_OK);
    if (used == 0 || frame.kind != OP_CONSUMERS) {
        return 0;
    }
    FUZZ_PROMISE(msg_consumers_decode(&page, frame.body, NULL) == ACTA_OK);
    return page.at_end ? 0 : page.consumers_count;
}

/* The server ends a list of consumers when that has taken its time, which on a
 * busy machine may be behind the first: it is asked until it is faster.
 */
static void
ask_until_listed(const struct buf *request)
{
    size_t wanted = count_listed(MEMORY), count = count_listed(SERVER);

    for (unsigned i = 0; i < LISTINGS_MAX && count > 0 && count != wanted;
         i++) {
        buf_clear(&said[SERVER]);
        ask(SERVER, request);
        count = count_listed(SERVER);
    }
}

/* What both have said. */
static void
compare(struct slice request)
{
    struct twins_end ends[2] = {{.at_end = false}, {.at_end = false}};
    struct buf levelled[2];
    bool there_is = true;

    buf_init(&levelled[SERVER], OUT_MAX);
    buf_init(&levelled[MEMORY], OUT_MAX);
    while (there_is) {
        bool is_same;

        there_is = take(SERVER, &levelled[SERVER], &ends[SERVER]);
        is_same = there_is == take(MEMORY, &levelled[MEMORY], &ends[MEMORY]) &&
                  slice_equal(buf_slice(&levelled[SERVER]),
                              buf_slice(&levelled[MEMORY]));
        if (!is_same) {
            print_hex("asked: ", request);
            print_hex("server:", buf_slice(&levelled[SERVER]));
            print_hex("memory:", buf_slice(&levelled[MEMORY]));
        }
        FUZZ_PROMISE(is_same);
    }
    buf_fini(&levelled[SERVER]);
    buf_fini(&levelled[MEMORY]);
    compare_ends(ends);
}

/* ---- what is not asked ---- */

static bool
may_append(struct slice body)
{
    struct msg_append append;
    bool may = true;

    if (msg_append_decode(&append, body, NULL) != ACTA_OK) {
        return true;
    }
    for (size_t i = 0; i < append.more.schedules_count; i++) {
        const struct msg_schedule *schedule = &append.more.schedules[i];
        uint64_t due_us =
            schedule->is_delay ? now_us + schedule->due_us : schedule->due_us;

        may = may && due_us > now_us + NEVER_US;
    }
    msg_append_fini(&append);
    return may;
}

static bool
may_change_lease(struct slice body)
{
    struct msg_change_lease change;

    return msg_change_lease_decode(&change, body, NULL) != ACTA_OK ||
           change.kind == MSG_LEASE_RELEASE ||
           (change.wait_us == 0 && change.duration_us > NEVER_US);
}

static bool
may_await(struct slice body)
{
    struct msg_await await;

    return msg_await_decode(&await, body, NULL) != ACTA_OK ||
           await.timeout_us == 0;
}

/* What goes on by itself answers when it likes; and what the server alone can
 * do is not known to the other one.
 */
static bool
may_ask(const struct frame *frame)
{
    switch (frame->kind) {
    case OP_APPEND:
        return may_append(frame->body);
    case OP_CHANGE_LEASE:
        return may_change_lease(frame->body);
    case OP_AWAIT:
        return may_await(frame->body);
    case OP_STATUS:
    case OP_SUBSCRIBE:
    case OP_CREDIT:
    case OP_UNSUBSCRIBE:
    case OP_JOIN:
    case OP_SETTLE:
    case OP_LEAVE:
    case OP_BEGIN_BACKUP:
    case OP_READ_BACKUP:
    case OP_END_BACKUP:
    case OP_VERIFY:
        return false;
    default:
        return true;
    }
}

/* ---- connections ---- */

static void
connect_both(void)
{
    struct msg_hello hello = {1, 1, slice_of("twins"), slice_of("")};
    struct buf buf;

    session_init(&session, &host, ++links_made, &said[SERVER]);
    connection = near->connect(near);
    FUZZ_PROMISE(connection >= 0);
    last_id = 1;
    buf_init(&buf, OUT_MAX);
    msg_hello_encode(&buf, last_id, &hello);
    ask(SERVER, &buf);
    ask(MEMORY, &buf);
    compare(buf_slice(&buf));
    buf_fini(&buf);
}

static void
hang_up_both(void)
{
    session_end_input(&session);
    settle();
    session_fini(&session);
    outbox_flush(&outbox, db.database);
    buf_clear(&said[SERVER]);
    near->close(near, connection);
}

/* ---- twins.h ---- */

void
twins_open(void)
{
    buf_init(&said[SERVER], OUT_MAX);
    buf_init(&said[MEMORY], OUT_MAX);
    memory = acta_memory_new();
    FUZZ_PROMISE(memory != NULL);
    near = (struct near *)memory;
    now_us = acta_memory_time(memory);
    passed_us = 0;
    restarts = 0;
    fake_clock_set(now_us);
    history_db_open(&db);
    outbox_init(&outbox);
    memset(&counters, 0, sizeof(counters));
    host = (struct session_host){
        .database = db.database,
        .reader = db.reader,
        .outbox = &outbox,
        .completions = &db.completions,
        .counters = &counters,
        .limits = {.requests_max = ACTA_REQUESTS_MAX,
                   .requests_memory = OUT_MAX,
                   .output_high = OUT_MAX,
                   .output_low = OUT_MAX / 2,
                   .subscription_step = OUT_MAX},
        .info = &info,
    };
    connect_both();
}

void
twins_close(void)
{
    hang_up_both();
    outbox_fini(&outbox);
    history_db_close(&db);
    acta_memory_free(memory);
    buf_fini(&said[SERVER]);
    buf_fini(&said[MEMORY]);
}

uint64_t
twins_next_id(void)
{
    return ++last_id;
}

void
twins_ask(const struct buf *request)
{
    struct slice bytes = buf_slice(request);
    struct acta_err err;
    size_t used;

    FUZZ_PROMISE(frame_decode(&asked, &used, bytes, ACTA_FRAME_SIZE_MAX,
                              &err) == ACTA_OK);
    FUZZ_PROMISE(used == bytes.size);
    if (!may_ask(&asked)) {
        return;
    }
    ask(SERVER, request);
    ask(MEMORY, request);
    if (asked.kind == OP_LIST_CONSUMERS) {
        ask_until_listed(request);
    }
    compare(bytes);
    if (session.state == SESSION_OVER) {
        hang_up_both();
        connect_both();
    }
}

/* All names of a kind, or all events. */
void
twins_compare(void)
{
    static const uint8_t lists[] = {OP_LIST_CONSUMERS, OP_LIST_LEASES,
                                    OP_LIST_SCHEDULES};
    struct msg_read_all all = {.query = QUERY_ALL};
    struct msg_list_streams streams = {.count_max = 0};
    struct msg_list list = {.count_max = 0};
    struct buf buf;

    buf_init(&buf, OUT_MAX);
    msg_read_all_encode(&buf, twins_next_id(), &all);
    twins_ask(&buf);
    buf_clear(&buf);
    msg_list_streams_encode(&buf, twins_next_id(), &streams);
    twins_ask(&buf);
    for (unsigned kind = MSG_NAME_CATEGORY; kind <= MSG_NAME_TAG; kind++) {
        struct msg_list_names names = {.kind = (enum msg_name_kind)kind};

        buf_clear(&buf);
        msg_list_names_encode(&buf, twins_next_id(), &names);
        twins_ask(&buf);
    }
    for (size_t i = 0; i < sizeof(lists); i++) {
        buf_clear(&buf);
        msg_list_encode(&buf, lists[i], twins_next_id(), &list);
        twins_ask(&buf);
    }
    buf_fini(&buf);
}

void
twins_pass(uint64_t duration_us)
{
    if (duration_us > TWINS_PASS_US_MAX - passed_us) {
        return;
    }
    passed_us += duration_us;
    now_us += duration_us;
    fake_clock_set(now_us);
    acta_memory_set_time(memory, now_us);
}

void
twins_restart(bool killed)
{
    if (restarts == RESTARTS_MAX) {
        return;
    }
    restarts++;
    hang_up_both();
    history_db_restart(&db, killed);
    host.database = db.database;
    host.reader = db.reader;
    connect_both();
}
